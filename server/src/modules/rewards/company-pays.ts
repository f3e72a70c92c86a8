import { sql } from 'kysely';
import { must, windowStart, type Day } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { row, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import type { Program } from '../members/index.ts';
import { ownItems } from './items.ts';
import { refuse } from './refusals.ts';

export type CompanyRule = { pays: boolean; monthly: bigint | null; categories: string[] | null };
/** The company a person works for on a day, its wallet among the members, and its manager's rule. */
export type Paying = { company: string; payerId: bigint; rule: CompanyRule };

export async function ruleOf(tx: Tx, program: Program, company: string): Promise<CompanyRule> {
  return (await row<CompanyRule>(tx, sql`SELECT pays, monthly, categories FROM rewards.company_rule WHERE program_id = ${program.programId} AND company = ${company} ORDER BY rule_id DESC LIMIT 1`)) ?? { pays: false, monthly: null, categories: null };
}

export async function saveRule(tx: Tx, context: Context, program: Program, company: string, rule: CompanyRule): Promise<void> {
  await sql`INSERT INTO rewards.company_rule (tenant_id, program_id, company, pays, monthly, categories, saved_by, saved_at) VALUES (${context.tenantId}, ${program.programId}, ${company}, ${rule.pays}, ${rule.monthly}, ${rule.categories === null ? null : JSON.stringify(rule.categories)}::jsonb, ${context.principal}, ${instant(context)})`.execute(tx);
  await audit(tx, context, { action: 'company_rule.saved', subject: `company:${company}`, programId: program.programId, after: rule });
}

/** Whose wallet may pay for a person, or null: the company's own member, by its code or its assignment. */
export async function payingFor(tx: Tx, program: Program, memberId: bigint, on: Day): Promise<Paying | null> {
  const found = await row<{ company: string; payerId: bigint }>(tx, sql`SELECT a.company, c.member_id AS "payerId" FROM members.assignment AS a JOIN members.member AS m ON m.tenant_id = a.tenant_id AND m.program_id = a.program_id AND m.member_id = a.member_id AND m.kind = 'person'
    JOIN LATERAL (SELECT x.member_id FROM members.member AS x WHERE x.tenant_id = a.tenant_id AND x.program_id = a.program_id AND x.kind = 'company' AND x.merged_into IS NULL AND (x.code = a.company OR EXISTS (SELECT 1 FROM members.assignment AS o WHERE o.tenant_id = x.tenant_id AND o.program_id = x.program_id AND o.member_id = x.member_id AND o.company = a.company AND o.valid_from <= ${on}::date AND o.valid_to > ${on}::date)) ORDER BY (x.code = a.company) DESC, x.member_id LIMIT 1) AS c ON TRUE
    WHERE a.program_id = ${program.programId} AND a.member_id = ${memberId} AND a.company IS NOT NULL AND a.valid_from <= ${on}::date AND a.valid_to > ${on}::date ORDER BY a.recorded_seq DESC LIMIT 1`);
  if (!found) return null;
  const rule = await ruleOf(tx, program, found.company);
  return rule.pays ? { ...found, rule } : null;
}

/** Holds an order to the manager's rule: rewards of its categories, and no more in a month than it allows one person. Both members must be locked. */
export async function assertCompanyPays(tx: Tx, program: Program, memberId: bigint, paying: Paying | null, ordered: readonly { category: string; unitId: bigint; units: bigint }[], on: Day): Promise<Paying> {
  if (!paying || ordered.some((line) => paying.rule.categories !== null && !paying.rule.categories.includes(line.category))) throw refuse('company_does_not_pay');
  if (paying.rule.monthly === null) return paying;
  for (const unitId of new Set(ordered.map((line) => line.unitId))) {
    const { used } = must(await row<{ used: bigint }>(tx, sql`SELECT COALESCE(sum(units), 0)::bigint AS used FROM rewards.item AS i WHERE i.program_id = ${program.programId} AND ${ownItems(memberId)} AND i.unit_id = ${unitId} AND i.payer_id IS NOT NULL AND i.placed_on >= ${windowStart(on, 'month')}::date AND i.state NOT IN ('rejected', 'cancelled', 'failed', 'returned')`), 'sum');
    const now = ordered.filter((line) => line.unitId === unitId).reduce((sum, line) => sum + line.units, 0n);
    if (used + now > paying.rule.monthly) throw refuse('company_limit_reached');
  }
  return paying;
}
