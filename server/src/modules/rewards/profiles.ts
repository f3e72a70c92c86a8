import { stdnum } from 'stdnum';
import { sql } from 'kysely';
import { z } from 'zod';
import { isNip, phrase, type Day } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { row, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import type { Program } from '../members/index.ts';
import { refuse } from './refusals.ts';
import type { Status } from './tax.ts';

/** What PIT-11 and PIT-8AR ask about a person. */
export const profileShape = z.strictObject({ first_name: z.string().min(1).max(100), last_name: z.string().min(1).max(100), identifier: z.string().min(10).max(11), birth_date: z.string(), street: z.string().min(1).max(200), postcode: z.string().max(10), city: z.string().min(1).max(100), tax_office: z.string().min(1).max(200), resident: z.boolean() });
export type ProfileData = z.infer<typeof profileShape>;
export type Profile = { status: Status; declared: boolean; data: ProfileData | null; mark: Buffer | null };

/** PESEL: the library's checksum and date; NIP: by the tax office's pattern. */
export const isTaxIdentifier = (text: string): boolean => (text.length === 11 ? stdnum['PL']?.['pesel']?.validate(text).isValid ?? false : isNip(text));

type Row = { status: Status | null; data: Buffer | null; person_mark: Buffer | null };
/** What a member is for the tax office on a day. Who has not said it: a company is one, a person working for a partner company is its employee, everybody else a consumer. */
export async function profileOf(tx: Tx, context: Context, program: Program, memberId: bigint, on: Day): Promise<Profile> {
  const [kept, told, usual] = [
    await row<Row>(tx, sql`SELECT NULL AS status, data, person_mark FROM rewards.tax_profile WHERE program_id = ${program.programId} AND member_id = ${memberId} AND data IS NOT NULL ORDER BY profile_id DESC LIMIT 1`),
    await row<{ status: Status }>(tx, sql`SELECT status FROM rewards.tax_profile WHERE program_id = ${program.programId} AND member_id = ${memberId} AND status IS NOT NULL ORDER BY profile_id DESC LIMIT 1`),
    await row<{ status: Status }>(tx, sql`SELECT CASE WHEN m.kind = 'company' THEN 'COMPANY' WHEN EXISTS (SELECT 1 FROM members.assignment AS a WHERE a.tenant_id = m.tenant_id AND a.program_id = m.program_id AND a.member_id = m.member_id AND a.company IS NOT NULL AND a.valid_from <= ${on}::date AND a.valid_to > ${on}::date) THEN 'PARTNER_EMPLOYEE' ELSE 'CONSUMER' END AS status FROM members.member AS m WHERE m.program_id = ${program.programId} AND m.member_id = ${memberId}`),
  ];
  const data = kept?.data ? profileShape.parse(JSON.parse(context.db.vault.open(context.tenantId, kept.data).toString())) : null;
  return { status: told?.status ?? usual?.status ?? 'CONSUMER', declared: told !== undefined, data, mark: kept?.person_mark ?? null };
}

/** Keeps a member's data for the tax office, sealed. Every fault is named at once. */
export async function saveProfile(tx: Tx, context: Context, program: Program, memberId: bigint, data: ProfileData): Promise<void> {
  const faults = [...(isTaxIdentifier(data.identifier) ? [] : [{ pointer: '/identifier', code: 'identifier_malformed', message: phrase('to nie jest PESEL ani NIP', 'this is neither a PESEL nor a NIP') }]),
    ...(z.iso.date().safeParse(data.birth_date).success && data.birth_date >= '1900-01-01' ? [] : [{ pointer: '/birth_date', code: 'date_malformed', message: phrase('nie ma takiego dnia', 'there is no such day') }]),
    ...(/^\d{2}-\d{3}$/.test(data.postcode) || !data.resident ? [] : [{ pointer: '/postcode', code: 'postcode_malformed', message: phrase('kod pocztowy ma postać 00-000', 'a postcode looks like 00-000') }])];
  if (faults.length > 0) throw refuse('profile_malformed', undefined, faults);
  const { vault } = context.db;
  await sql`INSERT INTO rewards.tax_profile (tenant_id, program_id, member_id, person_mark, data, saved_at, saved_by)
    VALUES (${context.tenantId}, ${program.programId}, ${memberId}, ${vault.mark(context.tenantId, 'person', data.identifier)}, ${vault.seal(context.tenantId, JSON.stringify(data))}, ${instant(context)}, ${context.principal})`.execute(tx);
  await audit(tx, context, { action: 'tax_profile.saved', subject: `member:${memberId}`, programId: program.programId });
}

/** An operator's word on what a member is for the tax office. */
export async function saveStatus(tx: Tx, context: Context, program: Program, memberId: bigint, status: Status): Promise<void> {
  await sql`INSERT INTO rewards.tax_profile (tenant_id, program_id, member_id, status, saved_at, saved_by) VALUES (${context.tenantId}, ${program.programId}, ${memberId}, ${status}, ${instant(context)}, ${context.principal})`.execute(tx);
  await audit(tx, context, { action: 'tax_status.saved', subject: `member:${memberId}`, programId: program.programId, after: { status } });
}
