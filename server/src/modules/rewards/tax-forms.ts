import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { formatMinor, must, phrase, type RefusalPlace } from '@premia/kernel';
import { csvRow } from '../../platform/csv.ts';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import type { Program } from '../members/index.ts';
import { profileOf, type ProfileData } from './profiles.ts';
import { refuse } from './refusals.ts';
import { payerOf, readSettings } from './settings.ts';
import { formDue, type Form } from './tax.ts';

export type PersonYear = { member: string; memberId: bigint; name: string | null; form: string; income: bigint; tax: bigint; corrected: bigint; afterForm: boolean; profile: boolean };

/** What each person received from one payer in a year, over all its programs, by form: sums of entries, corrections included and shown. */
export async function readTaxYear(tx: Tx, context: Context, program: Program, year: number): Promise<PersonYear[]> {
  const payer = payerOf(program, await readSettings(tx, program));
  return rows<PersonYear>(tx, sql`SELECT m.code AS member, m.member_id AS "memberId", p.name, e.form, sum(e.income_minor)::bigint AS income, sum(e.tax_minor)::bigint AS tax, COALESCE(sum(e.income_minor) FILTER (WHERE e.kind = 'correction'), 0)::bigint AS corrected, bool_or(e.after_form) AS "afterForm",
      EXISTS (SELECT 1 FROM rewards.tax_profile AS f WHERE f.tenant_id = m.tenant_id AND f.program_id = m.program_id AND f.member_id = m.member_id AND f.data IS NOT NULL) AS profile
    FROM rewards.tax_entry AS e JOIN members.member AS x ON x.tenant_id = e.tenant_id AND x.program_id = e.program_id AND x.member_id = e.member_id JOIN members.member AS m ON m.tenant_id = x.tenant_id AND m.program_id = x.program_id AND m.member_id = COALESCE(x.merged_into, x.member_id)
    LEFT JOIN members.person AS p ON p.tenant_id = m.tenant_id AND p.program_id = m.program_id AND p.member_id = m.member_id
    WHERE e.payer = ${payer} AND e.year = ${year} AND e.tenant_id = ${context.tenantId} GROUP BY m.tenant_id, m.program_id, m.code, m.member_id, p.name, e.form ORDER BY e.form, m.code`);
}

type Filled = { data: ProfileData; income: bigint; tax: bigint };

/**
 * The data of a year's forms as CSV, one row a person, with every check first: a person without data for the tax office, or two people
 * under one identifier, and no file is made. Each making is a version with its hash; entries after it ask for the next.
 */
export async function makeTaxForm(tx: Tx, context: Context, program: Program, given: { year: number; form: Form }): Promise<{ formId: bigint; people: number; version: number; sha256: string; due: ReturnType<typeof formDue> }> {
  const payer = payerOf(program, await readSettings(tx, program));
  await sql`SELECT pg_advisory_xact_lock(hashtext(${`tax form ${context.tenantId} ${payer} ${given.year} ${given.form}`}))`.execute(tx); // two makings at once are two versions
  const found = (await readTaxYear(tx, context, program, given.year)).filter((person) => person.form === given.form && (person.income !== 0n || person.corrected !== 0n));
  const taxed = found.filter((person) => given.form !== 'PIT-8AR' || person.tax > 0n || person.corrected !== 0n);
  const faults: RefusalPlace[] = [];
  const people = new Map<string, Filled>();
  for (const person of taxed) {
    const owner = await programOf(tx, person.memberId);
    const { data } = owner ? await profileOf(tx, context, owner, person.memberId, `${given.year}-12-31`) : { data: null };
    if (!data) { faults.push({ pointer: `/${person.member}`, code: 'profile_missing', message: phrase('brakuje danych do podatku', 'the data for the tax office are missing') }); continue; }
    if (!data.resident) { faults.push({ pointer: `/${person.member}`, code: 'not_resident', message: phrase('nierezydent: ręcznie', 'not a resident: by hand') }); continue; }
    const known = people.get(data.identifier);
    if (known && known.data.last_name !== data.last_name) faults.push({ pointer: `/${person.member}`, code: 'identifier_shared', message: phrase('ten sam numer ma ktoś o innym nazwisku', 'somebody with another name has the same number') });
    people.set(data.identifier, { data, income: (known?.income ?? 0n) + person.income, tax: (known?.tax ?? 0n) + person.tax });
  }
  if (faults.length > 0) throw refuse('profile_malformed', { pl: `Osób do poprawy: ${faults.length}.`, en: `People to mend: ${faults.length}.` }, faults.slice(0, 100));
  const money = (minor: bigint): string => formatMinor(minor, program.currencyScale);
  const text = [['form', 'year', 'payer', 'identifier', 'first_name', 'last_name', 'birth_date', 'street', 'postcode', 'city', 'tax_office', 'income', 'tax'], ...[...people].sort(([a], [b]) => (a < b ? -1 : 1)).map(([identifier, { data, income, tax }]) => [given.form, String(given.year), payer, identifier, data.first_name, data.last_name, data.birth_date, data.street, data.postcode, data.city, data.tax_office, money(income), money(tax)])].map((cells) => csvRow(cells, ';')).join('');
  const sha256 = createHash('sha256').update(text).digest('hex');
  const made = await row<{ form_id: bigint; version: number }>(tx, sql`INSERT INTO rewards.tax_form (tenant_id, payer, year, form, version, made_by, made_at, people, sha256, content, last_entry) SELECT ${context.tenantId}, ${payer}, ${given.year}, ${given.form}, COALESCE(max(version), 0) + 1, ${context.principal}, ${instant(context)}, ${people.size}, ${sha256}, ${context.db.vault.seal(context.tenantId, text)}, COALESCE((SELECT max(entry_id) FROM rewards.tax_entry WHERE payer = ${payer} AND year = ${given.year}), 0)
    FROM rewards.tax_form WHERE payer = ${payer} AND year = ${given.year} AND form = ${given.form} RETURNING form_id, version`);
  await audit(tx, context, { action: 'tax_form.made', subject: `form:${given.form}:${given.year}`, programId: program.programId, after: { people: people.size, sha256 } });
  return { formId: must(made, 'form').form_id, people: people.size, version: must(made, 'form').version, sha256, due: formDue(given.form, given.year) };
}

export type MadeForm = { formId: bigint; form: string; year: number; version: number; people: number; sha256: string; madeAt: Date; madeBy: string; outdated: boolean };
/** Forms as they were made; one after which something else was entered is outdated and wants a next version. */
export async function listTaxForms(tx: Tx, program: Program): Promise<MadeForm[]> {
  const payer = payerOf(program, await readSettings(tx, program));
  return rows<MadeForm>(tx, sql`SELECT f.form_id AS "formId", f.form, f.year, f.version, f.people, f.sha256, f.made_at AS "madeAt", f.made_by AS "madeBy", EXISTS (SELECT 1 FROM rewards.tax_entry AS e WHERE e.tenant_id = f.tenant_id AND e.payer = f.payer AND e.year = f.year AND e.form = f.form AND e.entry_id > f.last_entry) AS outdated FROM rewards.tax_form AS f WHERE f.payer = ${payer} ORDER BY f.form_id DESC LIMIT 200`);
}

/** A form's data as it was made. Who takes it is in the audit. */
export async function openTaxForm(tx: Tx, context: Context, program: Program, formId: bigint): Promise<Buffer> {
  const payer = payerOf(program, await readSettings(tx, program));
  const found = await row<{ content: Buffer }>(tx, sql`SELECT content FROM rewards.tax_form WHERE payer = ${payer} AND form_id = ${formId}`);
  if (!found) throw refuse('tax_form_not_found');
  await audit(tx, context, { action: 'tax_form.downloaded', subject: `form:${formId}`, programId: program.programId });
  return context.db.vault.open(context.tenantId, found.content);
}

const programOf = async (tx: Tx, memberId: bigint): Promise<Program | null> => {
  const found = await row<{ programId: bigint; key: string; zone: string; currency: string; currencyScale: number; settings: Program['settings'] }>(tx, sql`SELECT p.program_id AS "programId", p.key, p.zone, p.currency, p.currency_scale AS "currencyScale", p.settings FROM members.program AS p JOIN members.member AS m ON m.tenant_id = p.tenant_id AND m.program_id = p.program_id WHERE m.member_id = ${memberId}`);
  return found ?? null;
};
