import { sql } from 'kysely';
import type { Day } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import type { Program } from '../members/index.ts';
import type { Item } from './items.ts';
import { profileOf, type Profile } from './profiles.ts';
import { refuse, type RewardRefusal } from './refusals.ts';
import { payerOf, type PayoutSettings } from './settings.ts';
import { POLISH_DEFAULTS, digestOf, findRow, taxOn, taxRuleShape, type Tax, type TaxRule } from './tax.ts';

export type TableRow = { ruleId: bigint; version: number; confirmedBy: string | null; confirmedAt: Date | null; rule: TaxRule };

/** Puts the Polish defaults into a tenant's table, unconfirmed, where it has none yet. */
export async function seedTaxTable(tx: Tx, context: Context): Promise<void> {
  for (const rule of POLISH_DEFAULTS) await sql`INSERT INTO rewards.tax_rule (tenant_id, code, version, body) VALUES (${context.tenantId}, ${rule.code}, 1, ${JSON.stringify(rule)}::jsonb) ON CONFLICT DO NOTHING`.execute(tx);
}

/** Every version of every row, the newest of each code first. */
export async function listTaxRules(tx: Tx, context: Context): Promise<TableRow[]> {
  await seedTaxTable(tx, context);
  return (await rows<Omit<TableRow, 'rule'> & { body: unknown }>(tx, sql`SELECT rule_id AS "ruleId", version, confirmed_by AS "confirmedBy", confirmed_at AS "confirmedAt", body FROM rewards.tax_rule ORDER BY code, version DESC`)).map(({ body, ...found }) => ({ ...found, rule: taxRuleShape.parse(body) }));
}

/** A row of that code as its next version. It counts once an authorised person has confirmed it; until then the versions before do. */
export async function saveTaxRule(tx: Tx, context: Context, rule: TaxRule): Promise<{ ruleId: bigint; version: number }> {
  await sql`SELECT pg_advisory_xact_lock(hashtext(${`tax rule ${context.tenantId} ${rule.code}`}))`.execute(tx); // two versions at once are two versions
  const made = await row<{ ruleId: bigint; version: number }>(tx, sql`INSERT INTO rewards.tax_rule (tenant_id, code, version, body) SELECT ${context.tenantId}, ${rule.code}, COALESCE(max(version), 0) + 1, ${JSON.stringify(rule)}::jsonb FROM rewards.tax_rule WHERE code = ${rule.code} RETURNING rule_id AS "ruleId", version`);
  if (!made) throw refuse('tax_rule_not_found');
  await audit(tx, context, { action: 'tax_rule.saved', subject: `tax:${rule.code}:${made.version}`, after: rule });
  return made;
}

export async function confirmTaxRule(tx: Tx, context: Context, ruleId: bigint): Promise<void> {
  const done = await row<{ code: string; version: number }>(tx, sql`UPDATE rewards.tax_rule SET confirmed_by = ${context.principal}, confirmed_at = ${instant(context)} WHERE rule_id = ${ruleId} AND confirmed_by IS NULL RETURNING code, version`);
  if (!done && !(await row(tx, sql`SELECT 1 FROM rewards.tax_rule WHERE rule_id = ${ruleId}`))) throw refuse('tax_rule_not_found');
  if (done) await audit(tx, context, { action: 'tax_rule.confirmed', subject: `tax:${done.code}:${done.version}` });
}

/** The table as it counts: every version that somebody confirmed, the newest of a code first. */
async function confirmedTable(tx: Tx): Promise<TableRow[]> {
  return (await rows<Omit<TableRow, 'rule'> & { body: unknown }>(tx, sql`SELECT rule_id AS "ruleId", version, confirmed_by AS "confirmedBy", confirmed_at AS "confirmedAt", body FROM rewards.tax_rule WHERE confirmed_by IS NOT NULL ORDER BY code, version DESC`)).map(({ body, ...found }) => ({ ...found, rule: taxRuleShape.parse(body) }));
}

export type Taxed = { row: TableRow; tax: Tax; profile: Profile; needsProfile: boolean };
type Taxable = Pick<Item, 'kind' | 'worth'> & { memberId: bigint };

/** The tax on a payout as of a day, or why it cannot be told. A form that names a person needs that person's data. */
export async function taxFor(tx: Tx, context: Context, program: Program, of: Taxable, on: Day): Promise<Taxed | Extract<RewardRefusal, 'tax_row_missing' | 'tax_row_ambiguous' | 'tax_by_hand'>> {
  const profile = await profileOf(tx, context, program, of.memberId, on);
  const found = findRow(await confirmedTable(tx), { legalForm: String(program.settings['legal_form']), status: profile.status, kind: of.kind, on });
  if (typeof found === 'string') return found;
  const tax = taxOn(found.rule, of.worth);
  const named = (found.rule.form === 'PIT-11' && tax.income > 0n) || (found.rule.form === 'PIT-8AR' && tax.tax > 0n); // a code worth nothing is nobody's income
  if (named && profile.data?.resident === false) return 'tax_by_hand';
  return { row: found, tax, profile, needsProfile: named && profile.data === null };
}

export type FixedTax = { code: string; version: number; form: string; bearer: string; income: bigint; base: bigint; tax: bigint; pay: bigint; extra: bigint };
const columns = sql`code, version, form, bearer, income_minor AS income, base_minor AS base, tax_minor AS tax, pay_minor AS pay, extra_minor AS extra`;
export const fixedTaxOf = async (tx: Tx, program: Program, itemId: bigint): Promise<FixedTax | null> => (await row<FixedTax>(tx, sql`SELECT ${columns} FROM rewards.item_tax WHERE program_id = ${program.programId} AND item_id = ${itemId}`)) ?? null;

/** Fixes the row an item is taxed by, once: what an approver saw does not change later. */
export async function fixTax(tx: Tx, context: Context, program: Program, item: Item, on: Day): Promise<FixedTax> {
  const known = await fixedTaxOf(tx, program, item.itemId);
  if (known) return known;
  const found = await taxFor(tx, context, program, item, on);
  if (typeof found === 'string') throw refuse(found, { pl: `(forma „${String(program.settings['legal_form'])}”, nagroda „${item.kind}”)`, en: `(form “${String(program.settings['legal_form'])}”, reward “${item.kind}”)` });
  if (found.needsProfile) throw refuse('tax_profile_missing');
  const { rule } = found.row;
  const inputs = { legal_form: program.settings['legal_form'], status: found.profile.status, kind: item.kind, worth_minor: String(item.worth), on };
  await sql`INSERT INTO rewards.item_tax (tenant_id, program_id, item_id, rule_id, code, version, digest, inputs, form, bearer, income_minor, base_minor, tax_minor, pay_minor, extra_minor, fixed_on)
    VALUES (${context.tenantId}, ${program.programId}, ${item.itemId}, ${found.row.ruleId}, ${rule.code}, ${found.row.version}, ${digestOf(rule)}, ${JSON.stringify(inputs)}::jsonb, ${rule.form}, ${rule.bearer}, ${found.tax.income}, ${found.tax.base}, ${found.tax.tax}, ${found.tax.pay}, ${found.tax.extra}, ${on})`.execute(tx);
  return { code: rule.code, version: found.row.version, form: rule.form, bearer: rule.bearer, ...found.tax };
}

/** What was given becomes income of the year in which it was given. */
export async function bookIncome(tx: Tx, context: Context, program: Program, settings: PayoutSettings, item: Item, on: Day): Promise<void> {
  const tax = await fixedTaxOf(tx, program, item.itemId);
  if (tax) await enter(tx, context, program, item, { payer: payerOf(program, settings), year: Number(on.slice(0, 4)), form: tax.form, kind: 'payment', income: tax.income, tax: tax.tax, on });
}

/** What came back is an entry against the year in which it was given, never a rewrite; after that year's form it asks for a correction of the form. */
export async function bookReturn(tx: Tx, context: Context, program: Program, item: Item, on: Day): Promise<void> {
  const paid = await row<{ payer: string; year: number; form: string; income: bigint; tax: bigint }>(tx, sql`SELECT payer, year, form, income_minor AS income, tax_minor AS tax FROM rewards.tax_entry WHERE program_id = ${program.programId} AND item_id = ${item.itemId} AND kind = 'payment'`);
  if (paid) await enter(tx, context, program, item, { ...paid, kind: 'correction', income: -paid.income, tax: -paid.tax, on });
}

async function enter(tx: Tx, context: Context, program: Program, item: Item, entry: { payer: string; year: number; form: string; kind: string; income: bigint; tax: bigint; on: Day }): Promise<void> {
  await sql`INSERT INTO rewards.tax_entry (tenant_id, program_id, item_id, member_id, payer, year, form, kind, income_minor, tax_minor, booked_on, after_form)
    VALUES (${context.tenantId}, ${program.programId}, ${item.itemId}, ${item.memberId}, ${entry.payer}, ${entry.year}, ${entry.form}, ${entry.kind}, ${entry.income}, ${entry.tax}, ${entry.on}, EXISTS (SELECT 1 FROM rewards.tax_form AS f WHERE f.payer = ${entry.payer} AND f.year = ${entry.year} AND f.form = ${entry.form})) ON CONFLICT DO NOTHING`.execute(tx);
}
