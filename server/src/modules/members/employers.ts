import { sql, type RawBuilder } from 'kysely';
import { Refusal, must, phrase, type Day } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import type { Program } from './program.ts';

/** A partner company's word, as employer, on its people taking part: from a day, by whom, in what, by which document. */
export type EmployerConsent = { company: string; given: boolean; given_by: string; scope: string; document: string; valid_from: Day };
/** What waits for the employer's word: earning, spending, or nothing but a reminder. */
export type EmployerPolicy = 'block_earn' | 'block_payout' | 'remind';

/** Buyers whose people may take nothing unless their employer said so, whatever the program's policy is: a benefit to them may be a bribe (art. 228 and 296a KK). */
const CLOSED_TYPES = ['public_sector', 'health_care'];

export const employerPolicy = (program: Program): EmployerPolicy => (program.settings['employer_consent'] as EmployerPolicy | undefined) ?? 'remind';

/** Records the word; nothing is overwritten. Without a program it is about all of them. */
export async function recordEmployerConsent(tx: Tx, context: Context, program: Program | null, said: EmployerConsent): Promise<bigint> {
  if (!(await row(tx, sql`SELECT 1 FROM members.company WHERE code = ${said.company}`))) throw new Refusal('company_not_found', 404, phrase(`Nie ma firmy „${said.company}”.`, `There is no company “${said.company}”.`));
  const made = must(await row<{ id: bigint }>(tx, sql`INSERT INTO members.employer_consent (tenant_id, program_id, company, given, given_by, scope, document, valid_from, recorded_by, recorded_at)
    VALUES (${context.tenantId}, ${program?.programId ?? null}, ${said.company}, ${said.given}, ${said.given_by}, ${said.scope}, ${said.document}, ${said.valid_from}, ${context.principal}, ${instant(context)}) RETURNING employer_consent_id AS id`), 'consent');
  return made.id;
}

/** The words of companies that hold in a program. */
const SAID = (program: Program): RawBuilder<unknown> => sql`(SELECT * FROM members.employer_consent WHERE program_id IS NULL OR program_id = ${program.programId})`;

/** Whether a company has agreed on a day: of the words that hold then, the last one spoken. */
const agreedOn = (program: Program, company: RawBuilder<unknown>, on: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`COALESCE((SELECT e.given FROM ${SAID(program)} AS e WHERE e.company = ${company} AND e.valid_from <= ${on} ORDER BY e.employer_consent_id DESC LIMIT 1), false)`;

/** The company of a person's assignment on a day that has not said yes as employer – or has taken it back – or null. Companies themselves need nobody's leave. */
async function employerMissing(tx: Tx, program: Program, memberId: bigint, on: Day): Promise<string | null> {
  const found = await row<{ company: string }>(tx, sql`SELECT a.company FROM members.assignment AS a JOIN members.member AS m ON m.tenant_id = a.tenant_id AND m.program_id = a.program_id AND m.member_id = a.member_id
    WHERE a.program_id = ${program.programId} AND a.member_id = ${memberId} AND m.kind = 'person' AND a.company IS NOT NULL AND a.valid_from <= ${on} AND a.valid_to > ${on} AND NOT ${agreedOn(program, sql`a.company`, sql`${on}::date`)} LIMIT 1`);
  return found?.company ?? null;
}

/** What the employer's silence keeps a person from on a day: earning (and spending), spending alone, or nothing. */
export async function employerBars(tx: Tx, program: Program, memberId: bigint, on: Day): Promise<'earning' | 'spending' | null> {
  const company = await employerMissing(tx, program, memberId, on);
  if (company === null) return null;
  const policy = employerPolicy(program);
  if (policy === 'remind') return (await row(tx, sql`SELECT 1 FROM members.company WHERE code = ${company} AND type = ANY(${CLOSED_TYPES})`)) === undefined ? null : 'spending';
  return policy === 'block_earn' ? 'earning' : 'spending';
}

/** Companies whose people take part on a day without their employer's word, with how many people. */
export const companiesWithoutConsent = (tx: Tx, program: Program, on: Day): Promise<{ company: string; people: number }[]> => rows(tx, sql`SELECT a.company, a.people FROM (SELECT a.company, count(DISTINCT a.member_id)::int AS people FROM members.assignment AS a
    JOIN members.member AS m ON m.tenant_id = a.tenant_id AND m.program_id = a.program_id AND m.member_id = a.member_id JOIN members.company AS c ON c.tenant_id = a.tenant_id AND c.code = a.company
    WHERE a.program_id = ${program.programId} AND m.kind = 'person' AND m.merged_into IS NULL AND m.counts_until > ${on} AND a.valid_from <= ${on} AND a.valid_to > ${on} GROUP BY 1) AS a
  WHERE NOT ${agreedOn(program, sql`a.company`, sql`${on}::date`)} ORDER BY 1`);

/** What the companies of a member's assignments have said, the last word of each first. */
export const employerConsentsOf = (tx: Tx, program: Program, memberId: bigint): Promise<EmployerConsent[]> => rows<EmployerConsent>(tx, sql`SELECT e.company, e.given, e.given_by, e.scope, e.document, e.valid_from FROM ${SAID(program)} AS e
  WHERE e.company IN (SELECT a.company FROM members.assignment AS a WHERE a.program_id = ${program.programId} AND a.member_id = ${memberId}) ORDER BY e.employer_consent_id DESC LIMIT 100`);

/** People of a company in a program, at any time; of every company without one. */
export async function peopleOf(tx: Tx, program: Program, company: string | null): Promise<bigint[]> {
  const found = await rows<{ member_id: bigint }>(tx, sql`SELECT DISTINCT a.member_id FROM members.assignment AS a JOIN members.member AS m ON m.tenant_id = a.tenant_id AND m.program_id = a.program_id AND m.member_id = a.member_id
    WHERE a.program_id = ${program.programId} AND m.kind = 'person' AND a.company IS NOT NULL AND (${company}::text IS NULL OR a.company = ${company}) ORDER BY 1`);
  return found.map((item) => item.member_id);
}

/** Per person the days of their assignments on which the employer had not agreed, as rows (member_id, days). Where the program lets people earn all the same, there are none. */
export function unagreedDays(program: Program, memberIds: readonly bigint[]): RawBuilder<unknown> {
  if (employerPolicy(program) !== 'block_earn') return sql`(SELECT NULL::bigint AS member_id, NULL::datemultirange AS days WHERE false)`;
  return sql`(SELECT a.member_id, range_agg(datemultirange(daterange(a.valid_from, a.valid_to)) - COALESCE(g.days, '{}')) AS days
    FROM members.assignment AS a JOIN members.member AS m ON m.tenant_id = a.tenant_id AND m.program_id = a.program_id AND m.member_id = a.member_id
    LEFT JOIN (SELECT company, range_agg(daterange(day, until)) AS days
      FROM (SELECT d.company, d.day, lead(d.day, 1, 'infinity') OVER (PARTITION BY d.company ORDER BY d.day) AS until, ${agreedOn(program, sql`d.company`, sql`d.day`)} AS given
        FROM (SELECT DISTINCT company, valid_from AS day FROM ${SAID(program)} AS e) AS d) AS said WHERE given GROUP BY company) AS g ON g.company = a.company
    WHERE a.program_id = ${program.programId} AND a.member_id = ANY(${memberIds}::bigint[]) AND m.kind = 'person' AND a.company IS NOT NULL GROUP BY a.member_id)`;
}
