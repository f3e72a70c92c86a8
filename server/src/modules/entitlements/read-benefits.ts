import { conditionToSql, literal, memberFields, toWords, type Rule } from '@premia/algebra';
import { printRatio, type Day, type Locale } from '@premia/kernel';
import { sql } from 'kysely';
import type { Context } from '../../platform/context.ts';
import { row, runText, type Tx } from '../../platform/database.ts';
import { stateOn, type Member, type Program } from '../members/index.ts';
import { vocabularyOf } from './explain.ts';
import { loadPlan, type Plan } from './plan.ts';

export type Benefit = { key: string; kind: string; text: string; percent: string | null; limit: { times: number; per: string } | null; until: Day | null };
export type Benefits = {
  member: string; state: string; on: Day;
  tiers: { set: string; tier: string | null; name: string | null; since: Day | null; benefits: Benefit[] }[];
  rules: { mechanic: string; name: string; sentence: string }[];
};

/** What applies to an order of this member on a day: the tiers it stands in with what they give, and the rules that could reward it. One call for a shop's basket. */
export async function readBenefits(tx: Tx, context: Context, program: Program, member: Member, on: Day, locale: Locale): Promise<Benefits> {
  const plan = await loadPlan(tx, context.tenantId, program);
  const state = await stateOn(tx, program, member.memberId, on);
  const counts = on >= member.countsFrom && (member.countsUntil === 'infinity' || on < member.countsUntil) && state === 'active';
  const tiers: Benefits['tiers'] = [];
  for (const { tierSetId, tierSet } of plan.strata.flatMap((stratum) => stratum.tierSets)) {
    const held = await heldTier(tx, program, member, tierSetId, on);
    const tier = tierSet.tiers.find((item) => item.key === held?.tier);
    const valid = (tier?.benefits ?? []).filter((benefit) => (benefit.from === undefined || benefit.from <= on) && (benefit.until === undefined || benefit.until >= on));
    tiers.push({ set: tierSet.key, tier: tier?.key ?? null, name: tier?.name?.[locale] ?? tier?.key ?? null, since: held?.valid_from ?? null,
      benefits: counts ? valid.map((benefit) => ({ key: benefit.key, kind: benefit.kind, text: benefit[locale], percent: benefit.percent ? printRatio(benefit.percent) : null, limit: benefit.limit ?? null, until: benefit.until ?? null })) : [] });
  }
  const words = await vocabularyOf(tx, program);
  const live = plan.rules.filter((rule) => counts && rule.startsOn <= on && (rule.endsOn === 'infinity' || rule.endsOn > on) && rule.mechanic.facts.kind === 'sale' && rule.mechanic.earner.role !== 'self');
  const meant = await addressed(tx, context, program, plan, member, on, live);
  return { member: member.code, state, on, tiers, rules: live.filter((_, index) => meant[index]).map(({ mechanic }) => ({ mechanic: mechanic.key, name: mechanic.name?.[locale] ?? mechanic.key, sentence: toWords(mechanic, locale, words) })) };
}

/** The tier a member stands in on a day, and since when. */
export const heldTier = (tx: Tx, program: Program, member: Member, tierSetId: bigint, on: Day): Promise<{ tier: string; valid_from: Day } | undefined> => row<{ tier: string; valid_from: Day }>(tx, sql`SELECT tier, valid_from FROM entitlements.tier_interval WHERE program_id = ${program.programId} AND member_id = ${member.memberId} AND tier_set_id = ${tierSetId} AND valid_from <= ${on} AND valid_to > ${on} ORDER BY valid_from DESC LIMIT 1`);

/** Which rules mean this member: its audience holds today, and its role is one in which the member has sold or bought – any, for a newcomer. */
export async function addressed(tx: Tx, context: Context, program: Program, plan: Plan, member: Member, on: Day, rules: readonly Rule[]): Promise<boolean[]> {
  if (rules.length === 0) return [];
  const fields = memberFields('$3::bigint', `${literal(on)}::date`, plan.options);
  const [found] = await runText<{ roles: string[]; meant: boolean[] }>(tx, `SELECT ARRAY(SELECT DISTINCT f.role FROM facts.fact AS f WHERE f.tenant_id = $1 AND f.program_id = $2 AND f.member_id = $3::bigint AND f.kind = 'sale') AS roles,
    ARRAY[${rules.map((rule) => (rule.mechanic.earner.who ? conditionToSql(rule.mechanic.earner.who, fields, plan.options) : 'TRUE')).join(', ')}]::boolean[] AS meant`, [context.tenantId, program.programId, member.memberId]);
  return rules.map((rule, index) => (found?.meant[index] ?? false) && (rule.mechanic.earner.role === 'self' || (found?.roles.length ?? 0) === 0 || found?.roles.includes(rule.mechanic.earner.role) === true));
}
