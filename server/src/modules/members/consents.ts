import { sql } from 'kysely';
import { instant, type Context } from '../../platform/context.ts';
import { rows, type Tx } from '../../platform/database.ts';
import type { Program } from './program.ts';

export const CHANNELS = ['email', 'sms', 'phone', 'push'] as const;
export type Channel = (typeof CHANNELS)[number];
export type Consent = { channel: Channel; given: boolean; wording: string; at: Date };

/** Gives a consent or takes it back. Nothing is overwritten: each is a row with the words that were read, by whom and when. */
export async function saveConsent(tx: Tx, context: Context, program: Program, said: { memberId: bigint; userId: string; channel: Channel; given: boolean; wording: string; evidence: unknown }): Promise<void> {
  await sql`INSERT INTO members.consent (tenant_id, program_id, member_id, channel, given, wording, user_id, at, evidence)
    VALUES (${context.tenantId}, ${program.programId}, ${said.memberId}, ${said.channel}, ${said.given}, ${said.wording}, ${said.userId}, ${instant(context)}, ${JSON.stringify(said.evidence)}::jsonb)`.execute(tx);
}

/** The last word on each channel that was ever spoken of. */
export const currentConsents = (tx: Tx, program: Program, memberId: bigint): Promise<Consent[]> => rows<Consent>(tx, sql`SELECT DISTINCT ON (channel) channel, given, wording, at FROM members.consent WHERE program_id = ${program.programId} AND member_id = ${memberId} ORDER BY channel, consent_id DESC`);

/** Every word, newest first. */
export const listConsents = (tx: Tx, program: Program, memberId: bigint): Promise<Consent[]> => rows<Consent>(tx, sql`SELECT channel, given, wording, at FROM members.consent WHERE program_id = ${program.programId} AND member_id = ${memberId} ORDER BY consent_id DESC LIMIT 200`);
