import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { must, Refusal, phrase } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Database, type Tx } from '../../platform/database.ts';
import { keyset, likeOf, paged, type Sortable } from '../../platform/keyset.ts';
import type { Permission } from './roles.ts';

export type Principal = { tenantId: bigint; name: string; permissions: ReadonlySet<string> };

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Makes a tenant. The key is unique in the installation. */
export async function createTenant(db: Database, key: string, name: string, at: string): Promise<bigint> {
  return db.transaction(0n, async (tx) => {
    const found = await row<{ id: bigint | null }>(tx, sql`SELECT identity.tenant_by_key(${key}) AS id`);
    if (found?.id) return found.id;
    return must(await row<{ id: bigint }>(tx, sql`SELECT identity.create_tenant(${key}, ${name}, ${at}) AS id`), 'tenant').id;
  });
}

export async function findTenant(db: Database, key: string): Promise<bigint | null> {
  return db.transaction(0n, async (tx) => (await row<{ id: bigint | null }>(tx, sql`SELECT identity.tenant_by_key(${key}) AS id`))?.id ?? null);
}

/** Makes an API key and answers its secret, which is never to be had again: only its hash is kept. */
export async function createApiKey(context: Context, input: { name: string; permissions: readonly Permission[] }): Promise<{ keyId: bigint; secret: string }> {
  const secret = `premia_${randomBytes(32).toString('base64url')}`;
  return context.transaction(async (tx) => {
    const made = must(await row<{ key_id: bigint }>(tx, sql`INSERT INTO identity.api_key (tenant_id, name, prefix, secret_hash, permissions, created_at)
      VALUES (${context.tenantId}, ${input.name}, ${secret.slice(0, 12)}, ${hashOf(secret)}, ${[...input.permissions]}, ${instant(context)}) RETURNING key_id`), 'key');
    await audit(tx, context, { action: 'api_key.created', subject: `key:${made.key_id}`, after: { name: input.name, permissions: input.permissions } });
    return { keyId: made.key_id, secret };
  });
}

export async function revokeApiKey(context: Context, keyId: bigint): Promise<void> {
  await context.transaction(async (tx) => {
    const done = await rows<{ key_id: bigint }>(tx, sql`UPDATE identity.api_key SET revoked_at = ${instant(context)} WHERE key_id = ${keyId} AND revoked_at IS NULL RETURNING key_id`);
    if (done.length === 0) throw new Refusal('key_not_found', 404, phrase('Nie ma takiego klucza.', 'There is no such key.'));
    await audit(tx, context, { action: 'api_key.revoked', subject: `key:${keyId}` });
  });
}

export async function listApiKeys(context: Context): Promise<{ key_id: bigint; name: string; prefix: string; permissions: string[]; revoked: boolean }[]> {
  return context.transaction((tx) => rows(tx, sql`SELECT key_id, name, prefix, permissions, revoked_at IS NOT NULL AS revoked FROM identity.api_key ORDER BY key_id`));
}

/** Who holds this secret. Unknown and revoked look the same. */
export async function authenticate(db: Database, secret: string): Promise<Principal | null> {
  const found = await row<{ tenant_id: bigint; key_id: bigint; name: string; permissions: string[] }>(db.kysely, sql`SELECT * FROM identity.authenticate(${hashOf(secret)})`);
  return found ? { tenantId: found.tenant_id, name: `key:${found.key_id}`, permissions: new Set(found.permissions) } : null;
}

/** Every tenant of the installation, for jobs that go through them all. */
export async function listTenants(db: Database): Promise<bigint[]> {
  return db.transaction(0n, async (tx) => (await rows<{ id: bigint }>(tx, sql`SELECT id FROM identity.list_tenants() AS id`)).map((item) => item.id));
}

export type AuditRow = { audit_id: bigint; at: Date; principal: string; action: string; subject: string; before: unknown; after: unknown; request_id: string | null };

const SORTED: Sortable = { at: ['audit_id', 'number', 'audit_id'], principal: ['principal', 'word'], action: ['action', 'word'], subject: ['subject', 'word'] };

/** The audit, newest first or as asked. `search` looks into subjects and actions. */
export async function listAudit(tx: Tx, page: { action?: string; principal?: string; search?: string; sort?: string; after?: string; limit: number }): Promise<{ rows: AuditRow[]; next: string | null }> {
  const { beyond, order, cursor } = keyset<AuditRow>(SORTED, 'at', { sort: page.sort ?? '-at', after: page.after });
  const like = likeOf(page.search);
  const found = await rows<AuditRow>(tx, sql`SELECT audit_id, at, principal, action, subject, before, after, request_id FROM identity.audit WHERE (${page.action ?? null}::text IS NULL OR action = ${page.action ?? null}) AND (${page.principal ?? null}::text IS NULL OR principal = ${page.principal ?? null})
    AND (${like}::text IS NULL OR subject ILIKE ${like} OR action ILIKE ${like}) AND ${beyond} ORDER BY ${order} LIMIT ${page.limit + 1}`);
  return paged(found, page.limit, cursor);
}

export type AuditEntry = { action: string; subject: string; programId?: bigint; before?: unknown; after?: unknown };

const plain = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item)));

/** Who did what to what, with before and after. Only ever appended. */
export async function audit(tx: Tx, context: Context, entry: AuditEntry): Promise<void> {
  await sql`INSERT INTO identity.audit (tenant_id, program_id, at, principal, action, subject, before, after, request_id)
    VALUES (${context.tenantId}, ${entry.programId ?? null}, ${instant(context)}, ${context.principal}, ${entry.action}, ${entry.subject}, ${plain(entry.before)}::jsonb, ${plain(entry.after)}::jsonb, ${context.requestId})`.execute(tx);
}
