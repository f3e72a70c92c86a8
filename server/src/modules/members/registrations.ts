import { sql } from 'kysely';
import { Refusal, phrase, type Locale } from '@premia/kernel';
import { instant, makeContext, type Context } from '../../platform/context.ts';
import { row, rows, type Database, type Tx } from '../../platform/database.ts';
import { audit, findTenant, invite, readLook, type Look } from '../identity/index.ts';
import type { Mailer } from '../../platform/mail.ts';
import { findMember } from './find-member.ts';
import { findProgram, type Program } from './program.ts';

export type Registration = { registration_id: bigint; email: string; name: string; reference: string; state: string; asked_at: Date; member: string | null; member_name: string | null };
/** Requests one program may have waiting: more are turned away until some are decided. */
export const WAITING_MAX = 5_000;

const closed = (): Refusal => new Refusal('registration_closed', 404, phrase('W tym programie nie ma samodzielnej rejestracji. Poproś organizatora o zaproszenie.', 'This program takes no registrations. Ask its organizer for an invitation.'));

/** The program that takes registrations, in the tenant of that key; one that does not looks like none. */
export async function openProgram(db: Database, at: { tenant: string; program: string }, now: () => number): Promise<{ context: Context; program: Program; look: Look }> {
  const tenantId = await findTenant(db, at.tenant);
  if (tenantId === null) throw closed();
  const context = makeContext({ db, tenantId, principal: 'registration', now });
  return context.transaction(async (tx) => {
    const program = await findProgram(tx, at.program).catch(() => { throw closed(); });
    if (program.settings['registration'] !== true) throw closed();
    return { context, program, look: await readLook(tx, program.key) };
  });
}

/** Keeps the request. The answer is the same whether the code is known, the address is, or neither: an operator decides. */
export async function register(context: Context, program: Program, asked: { email: string; name: string; reference: string; locale: Locale }): Promise<void> {
  await context.transaction(async (tx) => {
    const waiting = await row<{ n: number }>(tx, sql`SELECT count(*)::int AS n FROM members.registration WHERE program_id = ${program.programId} AND state = 'open'`);
    if ((waiting?.n ?? 0) >= WAITING_MAX) throw new Refusal('too_many_waiting', 429, phrase('Za dużo zgłoszeń czeka. Spróbuj jutro.', 'Too many requests are waiting. Try again tomorrow.'));
    await sql`INSERT INTO members.registration (tenant_id, program_id, email, name, reference, locale, asked_at) VALUES (${context.tenantId}, ${program.programId}, ${asked.email.trim().toLowerCase()}, ${asked.name}, ${asked.reference.trim()}, ${asked.locale}, ${instant(context)}) ON CONFLICT DO NOTHING`.execute(tx);
  });
}

const referenceOf = sql`CASE WHEN regexp_replace(r.reference, '[^0-9]', '', 'g') ~ '^[0-9]{10}$' AND r.reference ~ '^(PL)?[0-9 -]+$' THEN 'nip:' || regexp_replace(r.reference, '[^0-9]', '', 'g') ELSE 'code:' || r.reference END`;

/** Requests in the order in which they came, with the member that the given code or tax number means. */
export const listRegistrations = (tx: Tx, program: Program, page: { state?: string; after: bigint; limit: number }): Promise<Registration[]> => rows<Registration>(tx, sql`SELECT r.registration_id, r.email, r.name, r.reference, r.state, r.asked_at, m.code AS member, p.name AS member_name FROM members.registration AS r
  LEFT JOIN members.member_key AS k ON k.tenant_id = r.tenant_id AND k.program_id = r.program_id AND k.reference = ${referenceOf} LEFT JOIN members.member AS m ON m.tenant_id = k.tenant_id AND m.program_id = k.program_id AND m.member_id = k.member_id
  LEFT JOIN members.person AS p ON p.tenant_id = m.tenant_id AND p.program_id = m.program_id AND p.member_id = m.member_id
  WHERE r.program_id = ${program.programId} AND r.registration_id > ${page.after} AND (${page.state ?? null}::text IS NULL OR r.state = ${page.state ?? null}) ORDER BY r.registration_id LIMIT ${page.limit}`);

/** Accepts a request as a member – an invitation goes out, and joining asks for terms and consents – or turns it down. */
export async function decideRegistration(context: Context, outside: { mailer: Mailer; publicUrl: string }, given: { program: string; registrationId: bigint; member: string | null }): Promise<string> {
  const state = given.member === null ? 'refused' : 'accepted';
  const found = await context.transaction(async (tx) => {
    const program = await findProgram(tx, given.program);
    const member = given.member === null ? null : await findMember(tx, program, given.member);
    const one = await row<{ email: string; name: string; locale: Locale }>(tx, sql`UPDATE members.registration SET state = ${state}, decided_by = ${context.principal}, decided_at = ${instant(context)} WHERE program_id = ${program.programId} AND registration_id = ${given.registrationId} AND state = 'open' RETURNING email, name, locale`);
    if (!one) throw new Refusal('registration_not_open', 409, phrase('To zgłoszenie nie czeka na decyzję.', 'This request does not wait for a decision.'));
    await audit(tx, context, { action: `registration.${state}`, subject: `registration:${given.registrationId}`, programId: program.programId, after: { member: member?.code ?? null } });
    return { ...one, program, member };
  });
  if (found.member) await invite(context, { ...outside, programName: found.program.settings.name[found.locale] }, { email: found.email, name: found.name, role: 'member', program: given.program, memberId: found.member.memberId, locale: found.locale });
  return state;
}
