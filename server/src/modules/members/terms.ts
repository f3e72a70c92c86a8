import { sql } from 'kysely';
import { Refusal, must, phrase, type Day, type Phrase } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import type { Program } from './program.ts';

export type Terms = { version: number; effective_on: Day; material: boolean; body: Phrase };
export type TermsRow = Terms & { published_at: Date; accepted: number };
type Accepted = { version: number; at: Date; by: string };

/** Versions of the terms, newest first, with how many members accepted each. */
export const listTerms = (tx: Tx, program: Program): Promise<TermsRow[]> => rows<TermsRow>(tx, sql`SELECT t.version, t.effective_on, t.material, t.body, t.published_at,
  (SELECT count(DISTINCT a.member_id)::int FROM members.acceptance AS a WHERE a.program_id = t.program_id AND a.version = t.version) AS accepted FROM members.terms AS t WHERE t.program_id = ${program.programId} ORDER BY t.version DESC`);

/** The version in force on a day, or none. */
export const currentTerms = (tx: Tx, program: Program, on: Day): Promise<Terms | undefined> => row<Terms>(tx, sql`SELECT version, effective_on, material, body FROM members.terms WHERE program_id = ${program.programId} AND effective_on <= ${on} ORDER BY version DESC LIMIT 1`);

/** The version a person still has to accept for a member: the one in force, unless they accepted it or any since the last material one. */
export async function dueTerms(tx: Tx, program: Program, memberId: bigint, userId: string, on: Day): Promise<Terms | null> {
  const current = await currentTerms(tx, program, on);
  if (!current) return null;
  const done = await row(tx, sql`SELECT 1 FROM members.acceptance WHERE program_id = ${program.programId} AND member_id = ${memberId} AND user_id = ${userId}
    AND version >= COALESCE((SELECT max(version) FROM members.terms WHERE program_id = ${program.programId} AND material AND effective_on <= ${on}), 1)`);
  return done ? null : current;
}

/** Publishes the next version. It may not be in force before the one before it, nor in the past. */
export async function publishTerms(tx: Tx, context: Context, program: Program, draft: { effective_on: Day; material: boolean; body: Phrase }, today: Day): Promise<number> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('terms', ${program.programId}))`.execute(tx);
  const last = await row<{ version: number; effective_on: Day }>(tx, sql`SELECT version, effective_on FROM members.terms WHERE program_id = ${program.programId} ORDER BY version DESC LIMIT 1`);
  if (draft.effective_on < today || (last && draft.effective_on < last.effective_on)) throw new Refusal('terms_too_early', 422, phrase('Nowa wersja regulaminu nie może obowiązywać wstecz ani przed poprzednią.', 'A new version of the terms cannot hold in the past, nor before the one it follows.'));
  const version = (last?.version ?? 0) + 1;
  await sql`INSERT INTO members.terms (tenant_id, program_id, version, effective_on, material, body, published_by, published_at)
    VALUES (${context.tenantId}, ${program.programId}, ${version}, ${draft.effective_on}, ${draft.material}, ${JSON.stringify(draft.body)}::jsonb, ${context.principal}, ${instant(context)})`.execute(tx);
  await audit(tx, context, { action: 'terms.published', subject: `terms:${version}`, programId: program.programId, after: { version, effective_on: draft.effective_on, material: draft.material } });
  return version;
}

/** Accepts the version in force; another is not what was shown. Again changes nothing. */
export async function acceptTerms(tx: Tx, context: Context, program: Program, given: { memberId: bigint; userId: string; version: number; evidence: unknown }, on: Day): Promise<void> {
  const current = must(await currentTerms(tx, program, on).then((found) => found ?? null), 'terms in force');
  if (current.version !== given.version) throw new Refusal('terms_not_current', 409, phrase('Regulamin się zmienił. Przeczytaj nową wersję.', 'The terms have changed. Read the new version.'));
  await sql`INSERT INTO members.acceptance (tenant_id, program_id, member_id, version, user_id, accepted_at, evidence) VALUES (${context.tenantId}, ${program.programId}, ${given.memberId}, ${given.version}, ${given.userId}, ${instant(context)}, ${JSON.stringify(given.evidence)}::jsonb) ON CONFLICT DO NOTHING`.execute(tx);
}

export const listAccepted = (tx: Tx, program: Program, memberId: bigint): Promise<Accepted[]> => rows<Accepted>(tx, sql`SELECT version, accepted_at AS at, user_id AS by FROM members.acceptance WHERE program_id = ${program.programId} AND member_id = ${memberId} ORDER BY accepted_at DESC`);
