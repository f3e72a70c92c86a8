import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { Refusal, phrase } from '@premia/kernel';
import { instant, type Context } from './context.ts';
import { row } from './database.ts';

const RUNNING_MS_MAX = 120_000;

export type Answer = { status: number; body: unknown };

/**
 * Does the work once per key: the same body again gets the stored answer, another body 422, one still running 409. A refusal frees
 * the key, and so does a first request that died long ago. Keys are purged after 30 days; natural keys and permanent references still know.
 */
export async function onceByKey(context: Context, given: { route: string; key: string; body: string }, work: () => Promise<Answer>): Promise<Answer & { hit: boolean }> {
  const fingerprint = createHash('sha256').update(given.body).digest('base64url');
  const where = sql`principal = ${context.principal} AND route = ${given.route} AND key = ${given.key}`;
  const known = await context.transaction(async (tx) => {
    const made = await row(tx, sql`INSERT INTO platform.idempotency AS kept (tenant_id, principal, route, key, fingerprint, created_at)
      VALUES (${context.tenantId}, ${context.principal}, ${given.route}, ${given.key}, ${fingerprint}, ${instant(context)})
      ON CONFLICT (tenant_id, principal, route, key) DO UPDATE SET fingerprint = excluded.fingerprint, created_at = excluded.created_at
        WHERE kept.status IS NULL AND kept.created_at < ${new Date(context.now() - RUNNING_MS_MAX).toISOString()}::timestamptz RETURNING key`);
    return made ? null : await row<{ fingerprint: string; status: number | null; body: string }>(tx, sql`SELECT fingerprint, status, body FROM platform.idempotency WHERE ${where}`) ?? null;
  });
  if (known) {
    if (known.fingerprint !== fingerprint) throw new Refusal('idempotency_key_reused', 422, phrase('Ten Idempotency-Key był już użyty z inną treścią.', 'This Idempotency-Key was used with another body.'));
    if (known.status === null) throw new Refusal('idempotency_in_progress', 409, phrase('Pierwsze żądanie z tym kluczem jeszcze trwa.', 'The first request with this key is still running.'));
    return { status: known.status, body: JSON.parse(known.body) as unknown, hit: true };
  }
  try {
    const answer = await work();
    await context.transaction((tx) => sql`UPDATE platform.idempotency SET status = ${answer.status}, body = ${JSON.stringify(answer.body)} WHERE ${where}`.execute(tx));
    return { ...answer, hit: false };
  } catch (error) {
    await context.transaction((tx) => sql`DELETE FROM platform.idempotency WHERE ${where} AND status IS NULL`.execute(tx)).catch(() => undefined);
    throw error;
  }
}
