import { conditionShape, decimalShape, leafShape, parseShape } from '@premia/algebra';
import { addDays, addMonths, compareRatio, windowStart, nextWindowStart, type Day, type Ratio } from '@premia/kernel';
import { z } from 'zod';

const key = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/);
export const tierSetShape = z.strictObject({
  key,
  role: z.enum(['buyer', 'seller', 'rep']).default('buyer'),
  /** What qualifies: a sum over facts or over units awarded, never the spendable balance. */
  measure: leafShape.refine((leaf) => leaf.is === 'sum' || leaf.is === 'awarded', 'a tier qualifies on a sum or on units awarded'),
  who: conditionShape.optional(),
  /** Results count within this period; a level reached holds until the review after the next one ends. */
  period: z.enum(['quarter', 'year', 'program']).default('year'),
  /** At the review: fall to what the last period qualifies for, by one step at most, or never. */
  downgrade: z.enum(['to_qualified', 'one_step', 'never']).default('to_qualified'),
  grace_months: z.number().int().min(0).max(12).default(0),
  tiers: z.array(z.strictObject({
    key, from: decimalShape, name: z.strictObject({ pl: z.string(), en: z.string() }).optional(),
    benefits: z.array(z.strictObject({ key, kind: z.enum(['discount', 'service', 'access', 'reward']), pl: z.string(), en: z.string(), percent: decimalShape.optional(), limit: z.strictObject({ times: z.number().int().min(1), per: z.enum(['month', 'quarter', 'year']) }).optional(), from: z.iso.date().optional(), until: z.iso.date().optional() })).default([]),
  })).min(1).max(20).refine((tiers) => tiers.every((tier, index) => index === 0 || compareRatio((tiers[index - 1] as { from: Ratio }).from, tier.from) < 0), 'tiers must rise'),
});
export type TierSet = z.infer<typeof tierSetShape>;

export const parseTierSet = (value: unknown): TierSet => parseShape(tierSetShape, value, '/tier_sets');

export type DailyResult = { day: Day; value: bigint };
export type TierInterval = { from: Day; to: Day | 'infinity'; rank: number };

/**
 * A member's timeline in a tier set: a pure function of business dates. On day d it sees results with a date ≤ d; it rises on the
 * day the line is crossed and falls only at a review (the day after a period, plus grace), by the set's policy. Rank −1 is no tier.
 * `thresholds` and results are in the measure's smallest units. `until` is the last day worth looking at.
 */
export function tierTimeline(set: TierSet, thresholds: readonly bigint[], results: readonly DailyResult[]): TierInterval[] {
  const qualified = (sum: bigint): number => thresholds.reduce((rank, threshold, index) => (sum >= threshold ? index : rank), -1);
  const sorted = [...results].sort((a, b) => (a.day < b.day ? -1 : 1));
  const first = sorted[0];
  if (!first) return [];
  const changes: { day: Day; rank: number }[] = [];
  let held = -1;
  const enter = (day: Day, rank: number): void => {
    held = rank;
    const last = changes.at(-1);
    if (last?.day === day) last.rank = rank;
    else changes.push({ day, rank });
  };
  let start = set.period === 'program' ? first.day : windowStart(first.day, set.period);
  let index = 0;
  let [previous, carried]: [number, Day | null] = [-1, null];
  while (index < sorted.length || carried !== null) {
    const end = set.period === 'program' ? null : nextWindowStart(start, set.period);
    let sum = 0n;
    let best = -1;
    let final = -1;
    const review = carried;
    let reviewed = review === null;
    const doReview = (): void => {
      reviewed = true;
      // What the last full period and this one so far qualify for; the floor below which nobody falls today.
      const floor = Math.max(previous, final);
      if (held > floor) enter(review as Day, set.downgrade === 'never' ? held : set.downgrade === 'one_step' ? Math.max(held - 1, floor) : floor);
    };
    while (index < sorted.length && (end === null || (sorted[index] as DailyResult).day < end)) {
      const { day, value } = sorted[index] as DailyResult;
      if (!reviewed && day >= (review as Day)) doReview();
      sum += value;
      index += 1;
      if (sorted[index]?.day === day) continue;
      final = qualified(sum);
      best = Math.max(best, final);
      if (final > held) enter(day, final);
    }
    if (!reviewed) doReview();
    if (end === null) break;
    previous = final;
    // Held levels of an empty stretch need reviews only until nothing is left to lose.
    carried = held > previous || index < sorted.length || previous >= 0 ? addMonths(end, set.grace_months) : null;
    if (carried !== null && carried >= nextWindowStart(end, set.period as 'year')) carried = addDays(nextWindowStart(end, set.period as 'year'), -1);
    if (index >= sorted.length && held <= previous && held < 0) carried = null;
    start = end;
    if (set.downgrade === 'never' && index >= sorted.length) break;
  }
  return changes.map((change, at) => ({ from: change.day, to: changes[at + 1]?.day ?? 'infinity' as const, rank: change.rank }));
}
