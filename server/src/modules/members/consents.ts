import { sql } from 'kysely';
import { Refusal, must, phrase, type Day } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import type { Program } from './program.ts';

export const CHANNELS = ['email', 'sms', 'phone', 'push'] as const;
export type Channel = (typeof CHANNELS)[number];
export type Consent = { channel: Channel; given: boolean; wording: string; at: Date };
export type EmployerConsent = { company: string; given: boolean; given_by: string; scope: string; document: string; valid_from: Day };

/** Gives a consent or takes it back. Nothing is overwritten: each is a row with the words that were read, by whom and when. */
export async function saveConsent(tx: Tx, context: Context, program: Program, said: { memberId: bigint; userId: string; channel: Channel; given: boolean; wording: string; evidence: unknown }): Promise<void> {
  await sql`INSERT INTO members.consent (tenant_id, program_id, member_id, channel, given, wording, user_id, at, evidence)
    VALUES (${context.tenantId}, ${program.programId}, ${said.memberId}, ${said.channel}, ${said.given}, ${said.wording}, ${said.userId}, ${instant(context)}, ${JSON.stringify(said.evidence)}::jsonb)`.execute(tx);
}

/** The last word on each channel that was ever spoken of. */
export const currentConsents = (tx: Tx, program: Program, memberId: bigint): Promise<Consent[]> => rows<Consent>(tx, sql`SELECT DISTINCT ON (channel) channel, given, wording, at FROM members.consent WHERE program_id = ${program.programId} AND member_id = ${memberId} ORDER BY channel, consent_id DESC`);

/** Every word, newest first. */
export const listConsents = (tx: Tx, program: Program, memberId: bigint): Promise<Consent[]> => rows<Consent>(tx, sql`SELECT channel, given, wording, at FROM members.consent WHERE program_id = ${program.programId} AND member_id = ${memberId} ORDER BY consent_id DESC LIMIT 200`);

/** Records that a partner company agrees, as employer, to its people taking part – or no longer does. */
export async function saveEmployerConsent(context: Context, company: string, given: Omit<EmployerConsent, 'company'>): Promise<bigint> {
  return context.transaction(async (tx) => {
    if (!(await row(tx, sql`SELECT 1 FROM members.company WHERE code = ${company}`))) throw new Refusal('company_not_found', 404, phrase(`Nie ma firmy „${company}”.`, `There is no company “${company}”.`));
    const made = must(await row<{ id: bigint }>(tx, sql`INSERT INTO members.employer_consent (tenant_id, company, given, given_by, scope, document, valid_from, recorded_by, recorded_at)
      VALUES (${context.tenantId}, ${company}, ${given.given}, ${given.given_by}, ${given.scope}, ${given.document}, ${given.valid_from}, ${context.principal}, ${instant(context)}) RETURNING employer_consent_id AS id`), 'consent');
    await audit(tx, context, { action: 'employer_consent.recorded', subject: `company:${company}`, after: given });
    return made.id;
  });
}

/** The company of a person's assignment on a day that has not said yes as employer – or has taken it back – or null. Companies themselves need nobody's leave. */
export async function employerMissing(tx: Tx, program: Program, memberId: bigint, on: Day): Promise<string | null> {
  const found = await row<{ company: string }>(tx, sql`SELECT a.company FROM members.assignment AS a JOIN members.member AS m ON m.tenant_id = a.tenant_id AND m.program_id = a.program_id AND m.member_id = a.member_id
    WHERE a.program_id = ${program.programId} AND a.member_id = ${memberId} AND m.kind = 'person' AND a.company IS NOT NULL AND a.valid_from <= ${on} AND a.valid_to > ${on}
      AND NOT COALESCE((SELECT e.given FROM members.employer_consent AS e WHERE e.tenant_id = a.tenant_id AND e.company = a.company AND e.valid_from <= ${on} ORDER BY e.employer_consent_id DESC LIMIT 1), false) LIMIT 1`);
  return found?.company ?? null;
}

/** What the companies of a member's assignments have said, the last word of each first. */
export const employerConsentsOf = (tx: Tx, program: Program, memberId: bigint): Promise<EmployerConsent[]> => rows<EmployerConsent>(tx, sql`SELECT e.company, e.given, e.given_by, e.scope, e.document, e.valid_from FROM members.employer_consent AS e
  WHERE e.company IN (SELECT a.company FROM members.assignment AS a WHERE a.program_id = ${program.programId} AND a.member_id = ${memberId}) ORDER BY e.employer_consent_id DESC LIMIT 100`);
