import { toWords } from '@premia/algebra';
import { printRatio, type Day, type Locale } from '@premia/kernel';
import { sql } from 'kysely';
import type { Context } from '../../platform/context.ts';
import { row, type Tx } from '../../platform/database.ts';
import { stateOn, type Member, type Program } from '../members/index.ts';
import { vocabularyOf } from './explain.ts';
import { loadPlan } from './plan.ts';

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
    const held = await row<{ tier: string; valid_from: Day }>(tx, sql`SELECT tier, valid_from FROM entitlements.tier_interval WHERE program_id = ${program.programId} AND member_id = ${member.memberId} AND tier_set_id = ${tierSetId} AND valid_from <= ${on} AND valid_to > ${on} ORDER BY valid_from DESC LIMIT 1`);
    const tier = tierSet.tiers.find((item) => item.key === held?.tier);
    const valid = (tier?.benefits ?? []).filter((benefit) => (benefit.from === undefined || benefit.from <= on) && (benefit.until === undefined || benefit.until >= on));
    tiers.push({ set: tierSet.key, tier: tier?.key ?? null, name: tier?.name?.[locale] ?? tier?.key ?? null, since: held?.valid_from ?? null,
      benefits: counts ? valid.map((benefit) => ({ key: benefit.key, kind: benefit.kind, text: benefit[locale], percent: benefit.percent ? printRatio(benefit.percent) : null, limit: benefit.limit ?? null, until: benefit.until ?? null })) : [] });
  }
  const words = await vocabularyOf(tx, program);
  const live = plan.rules.filter((rule) => counts && rule.startsOn <= on && (rule.endsOn === 'infinity' || rule.endsOn > on) && rule.mechanic.facts.kind === 'sale' && rule.mechanic.earner.role !== 'self');
  return { member: member.code, state, on, tiers, rules: live.map(({ mechanic }) => ({ mechanic: mechanic.key, name: mechanic.name?.[locale] ?? mechanic.key, sentence: toWords(mechanic, locale, words) })) };
}
