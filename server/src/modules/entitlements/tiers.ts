import { conditionToSql, literal, memberFields } from '@premia/algebra';
import { ratio, timesRatio } from '@premia/kernel';
import { runText, type Tx } from '../../platform/database.ts';
import { tierTimeline, type DailyResult, type TierSet } from '../mechanics/index.ts';
import type { Settling } from './settle.ts';
import { loadUnits } from './plan.ts';

type Set = { tierSetId: bigint; tierSet: TierSet };

/** Recomputes the timelines of touched members; days whose tier moved are touched for the strata above. */
export async function retier(tx: Tx, settling: Settling, sets: readonly Set[], mode: 'touched' | 'all'): Promise<void> {
  for (const set of sets) {
    const computed = await timelines(tx, settling, set, mode);
    const stored = await storedTimelines(tx, settling, set, [...computed.keys()]);
    const moved = [...computed].flatMap(([memberId, intervals]) => {
      const before = stored.get(memberId) ?? [];
      return JSON.stringify(before) === JSON.stringify(intervals) ? [] : [{ memberId, before, intervals }];
    });
    if (moved.length > 0) await storeTimelines(tx, settling, set, moved);
  }
}

type Interval = { valid_from: string; valid_to: string; tier: string; rank: number };

/** Every member's intervals as the facts say now. Members without results have none. */
export async function timelines(tx: Tx, settling: Settling, set: Set, mode: 'touched' | 'all'): Promise<Map<bigint, Interval[]>> {
  const { text, scale } = await resultsOf(tx, settling, set, mode);
  const thresholds = set.tierSet.tiers.map((tier) => {
    const scaled = timesRatio(tier.from, ratio(scale));
    return scaled.d === 1n ? scaled.n : scaled.n / scaled.d + 1n;
  });
  const byMember = new Map<bigint, DailyResult[]>();
  for (const row of await runText<{ member_id: bigint; day: string | null; value: bigint | null }>(tx, text, [settling.tenantId, settling.program.programId])) {
    const results = byMember.get(row.member_id) ?? [];
    byMember.set(row.member_id, results);
    if (row.day !== null && row.value !== null) results.push({ day: row.day, value: row.value });
  }
  return new Map([...byMember].map(([memberId, results]) => [memberId, tierTimeline(set.tierSet, thresholds, results)
    .filter((interval) => interval.rank >= 0)
    .map((interval) => ({ valid_from: interval.from, valid_to: interval.to, tier: set.tierSet.tiers[interval.rank]?.key ?? '', rank: interval.rank }))]));
}

/** Daily results of members: facts by their own date (a return counts on its own day), or units awarded by the window's last day. */
async function resultsOf(tx: Tx, settling: Settling, { tierSet }: Set, mode: 'touched' | 'all'): Promise<{ text: string; scale: bigint }> {
  const touched = mode === 'touched' ? 'SELECT DISTINCT member_id FROM pg_temp.touch' : 'SELECT member_id FROM members.member WHERE tenant_id = $1 AND program_id = $2';
  const { measure } = tierSet;
  if (measure.is === 'awarded') {
    const unit = (await loadUnits(tx, settling.program)).get(measure.unit);
    return { scale: 10n ** BigInt(unit?.scale ?? 0), text: `SELECT t.member_id, e.window_end AS day, platform.sum8(e.amount) AS value FROM (${touched}) AS t
      LEFT JOIN entitlements.entitlement AS e ON e.tenant_id = $1 AND e.program_id = $2 AND e.member_id = t.member_id AND e.unit_id = ${unit?.unit_id ?? 0n} AND e.amount <> 0 AND e.window_end < 'infinity'
      GROUP BY 1, 2 ORDER BY 1, 2` };
  }
  if (measure.is !== 'sum') throw new Error('a tier qualifies on a sum');
  const column = measure.of === 'quantity' ? 'quantity_milli' : `${measure.of}_minor`;
  const kind = measure.kind ?? 'sale';
  const conditions = [measure.where, tierSet.who].filter((found) => found !== undefined);
  const fields = factFields(settling);
  return {
    scale: measure.of === 'quantity' ? 1_000n : 10n ** BigInt(settling.program.currencyScale),
    text: `SELECT t.member_id, f.occurred_on AS day, platform.sum8(f.${column}) AS value FROM (${touched}) AS t
      LEFT JOIN (SELECT f.* FROM facts.fact AS f JOIN members.member AS m ON m.tenant_id = $1 AND m.program_id = $2 AND m.member_id = f.member_id
        WHERE f.tenant_id = $1 AND f.program_id = $2 AND f.role = ${literal(kind === 'sale' ? tierSet.role : 'self')} AND f.kind = ${literal(kind)}
          AND f.base_on >= m.counts_from AND f.base_on < m.counts_until AND NOT m.gaps @> f.base_on
          ${conditions.map((condition) => `AND ${conditionToSql(condition, fields, settling.plan.options)}`).join(' ')}) AS f ON f.member_id = t.member_id
      GROUP BY 1, 2 ORDER BY 1, 2`,
  };
}

/** Fields of one fact as scalar look-ups: for the few rows that tiers and explanations read. */
export function factFields(settling: Pick<Settling, 'plan'>): ReturnType<typeof memberFields> {
  const member = memberFields('f.member_id', 'f.base_on', settling.plan.options);
  const product = (column: string): string => `(SELECT d.${column} FROM facts.product_class AS d WHERE d.tenant_id = $1 AND d.program_id = $2 AND d.product_id = f.product_id
    AND d.valid_from <= f.base_on AND d.valid_to > f.base_on ORDER BY d.valid_from DESC, d.recorded_seq DESC LIMIT 1)`;
  const corrected = (grain: string, what: string): string => `(SELECT platform.sum8(x.${what === 'quantity' ? 'quantity_milli' : `${what}_minor`}) FROM facts.fact AS x
    WHERE x.tenant_id = $1 AND x.program_id = $2 AND x.member_id = f.member_id AND x.role = f.role AND x.base_document_id = f.base_document_id AND x.base_${grain}_id = f.base_${grain}_id)`;
  return {
    ...member,
    word: (field) => {
      if (field === 'category' || field === 'brand') return product(field);
      if (field === 'group') return product('groups');
      if (field === 'product') return '(SELECT p.sku FROM facts.product AS p WHERE p.tenant_id = $1 AND p.program_id = $2 AND p.product_id = f.product_id)';
      if (field === 'channel' || field === 'partner') return `f.${field}`;
      if (field.startsWith('attribute.')) return `(f.attributes ->> ${literal(field.slice(10))})`;
      return member.word(field);
    },
    amount: (field) => {
      if (field === 'weekday') return '(SELECT c.weekday FROM platform.calendar AS c WHERE c.day = f.base_on)';
      if (field === 'hour') return 'f.hour';
      const [grain, what] = field.split('_') as [string, string];
      return corrected(grain, what);
    },
  };
}

/** What is stored of a tier set, in one read for all members: most of them do not move. */
export async function storedTimelines(tx: Tx, settling: Settling, { tierSetId }: Set, memberIds: readonly bigint[]): Promise<Map<bigint, Interval[]>> {
  const found = await runText<Interval & { member_id: bigint }>(tx, `SELECT member_id, valid_from, valid_to::text AS valid_to, tier, rank FROM entitlements.tier_interval
    WHERE tenant_id = $1 AND program_id = $2 AND tier_set_id = $3 AND ($4::bigint[] IS NULL OR member_id = ANY($4::bigint[])) ORDER BY member_id, valid_from`, [settling.tenantId, settling.program.programId, tierSetId, memberIds.length === 0 ? null : memberIds]);
  const byMember = new Map<bigint, Interval[]>();
  for (const { member_id: memberId, ...interval } of found) byMember.set(memberId, [...(byMember.get(memberId) ?? []), interval]);
  return byMember;
}

/** Writes the timelines that moved, all at once, and touches the facts that may count for other rules now: from the first day that differs. */
async function storeTimelines(tx: Tx, settling: Settling, { tierSetId }: Set, moved: readonly { memberId: bigint; before: Interval[]; intervals: Interval[] }[]): Promise<void> {
  const known = [settling.tenantId, settling.program.programId];
  await runText(tx, 'DELETE FROM entitlements.tier_interval WHERE tenant_id = $1 AND program_id = $2 AND tier_set_id = $3 AND member_id = ANY($4::bigint[])', [...known, tierSetId, moved.map((item) => item.memberId)]);
  await runText(tx, `INSERT INTO entitlements.tier_interval (tenant_id, program_id, member_id, tier_set_id, valid_from, valid_to, tier, rank)
    SELECT $1::bigint, $2::bigint, r.member_id, $3::bigint, r.valid_from, r.valid_to, r.tier, r.rank
    FROM jsonb_to_recordset($4::jsonb) AS r(member_id bigint, valid_from date, valid_to date, tier text, rank int) ORDER BY r.member_id, r.valid_from`,
  [...known, tierSetId, JSON.stringify(moved.flatMap((item) => item.intervals.map((interval) => ({ member_id: String(item.memberId), ...interval }))))]);
  const firsts = moved.flatMap(({ memberId, before, intervals }) => {
    const first = [...before, ...intervals].filter((item) => !contains(before, item) || !contains(intervals, item)).map((item) => item.valid_from).sort()[0];
    return first === undefined ? [] : [{ member_id: String(memberId), day: first }];
  });
  await runText(tx, `INSERT INTO pg_temp.touch (member_id, day) SELECT DISTINCT f.member_id, x.day FROM jsonb_to_recordset($3::jsonb) AS r(member_id bigint, day date)
    CROSS JOIN LATERAL (SELECT f.member_id, f.earned_on, f.base_on FROM facts.fact AS f WHERE f.tenant_id = $1 AND f.program_id = $2 AND f.member_id = r.member_id AND f.base_on >= r.day OFFSET 0) AS f
    CROSS JOIN LATERAL (VALUES (f.earned_on), (f.base_on)) AS x(day)`, [...known, JSON.stringify(firsts)]);
}

const contains = (list: readonly Interval[], item: Interval): boolean => list.some((other) => JSON.stringify(other) === JSON.stringify(item));
