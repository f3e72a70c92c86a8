import { crashPoint } from '../../platform/crash-point.ts';
import { limitMinor, type Rule } from '@premia/algebra';
import type { Day } from '@premia/kernel';
import { runText, type Tx } from '../../platform/database.ts';
import { countRun, emptyRun, runSteps } from '../../platform/run-tables.ts';
import type { Program } from '../members/index.ts';
import { keepActive, postDifferences } from '../ledger/index.ts';
import type { Plan, Stratum } from './plan.ts';
import { allocateBudgets } from './settle-pools.ts';
import { retier } from './tiers.ts';
import * as q from './queries.ts';

/** `small`: a run of few documents, which sends more at once and keeps its plans. `lateApproved`: a second person has approved what moves in closed periods, so that it is posted whatever the policy. */
export type Settling = { tenantId: bigint; program: Program; plan: Plan; bookedOn: Day; bookedAt: string; runSeq: bigint; transfersAfter: bigint; small: boolean; lateApproved?: boolean };

/**
 * Computes what is owed for everything that pg_temp.touch moves (or, in mode `all`, for everything there is), stores it and posts
 * the differences. Set-based; in the caller's transaction; the members must be locked. Pooled windows are only marked stale here.
 */
export async function settle(tx: Tx, settling: Settling, mode: 'touched' | 'all' = 'touched', strata: readonly Stratum[] = settling.plan.strata): Promise<void> {
  const known = [settling.tenantId, settling.program.programId];
  if (settling.plan.reads.activities.size > 0 && mode === 'touched') await runText(tx, q.touchAfterActivities([...settling.plan.reads.activities]), known);
  if (settling.plan.options.correctionPeriod && mode === 'touched') await runText(tx, q.TOUCH_DOCUMENTS, known);
  if (mode === 'touched' && settling.plan.rules.some((rule) => typeof rule.mechanic.award.expires === 'object' && 'inactive_months' in rule.mechanic.award.expires)) await keepActive(tx, { ...settling, programId: settling.program.programId });
  if (!settling.small) await countRun(tx, 'touch');
  for (const stratum of strata) {
    if (stratum.rules.length > 0) await settleStratum(tx, settling, stratum, mode);
    if (stratum.tierSets.length > 0) await retier(tx, settling, stratum.tierSets, mode);
  }
}

/** Around the computing of touched windows: no estimate of the working tables is right for all runs, and a join of two of them by nested loops turns quadratic. Look-ups in large tables are fenced off and stay. */
const WITHOUT_NESTED_LOOPS = { text: 'SET LOCAL enable_nestloop = off', parameters: [] };
const WITH_NESTED_LOOPS = { text: 'SET LOCAL enable_nestloop = on', parameters: [] };

const idsOf = (rules: readonly Rule[]): bigint[] => [...new Set(rules.map((rule) => rule.mechanicId))];

async function settleStratum(tx: Tx, settling: Settling, stratum: Stratum, mode: 'touched' | 'all'): Promise<void> {
  const known = [settling.tenantId, settling.program.programId];
  const compiled = mode === 'all' ? stratum.all : stratum.touched;
  const plain = stratum.rules.filter((rule) => !rule.mechanic.pool);
  await emptyRun(tx, 'affected', 'computed', 'computed_partial', 'change', 'difference');
  await runSteps(tx, settling.small, [
    ...(mode === 'touched' ? [WITHOUT_NESTED_LOOPS] : []),
    ...(compiled.affected ? [{ text: compiled.affected, parameters: compiled.affected.includes('$1') ? known : [], fills: 'affected' }] : []),
    ...compiled.compute.map((text) => ({ text, parameters: known, fills: text.includes('pg_temp.computed_partial') ? 'computed_partial' : 'computed' })),
    ...(mode === 'touched' ? [WITH_NESTED_LOOPS] : []),
  ]);
  const pooled = stratum.rules.filter((rule) => rule.mechanic.pool);
  if (pooled.length > 0) for (const text of q.storePartials(compiled, mode, idsOf(pooled))) await runText(tx, text, known);
  if (plain.length > 0) await storeAndPost(tx, settling, stratum, mode, plain);
}

async function storeAndPost(tx: Tx, settling: Settling, stratum: Stratum, mode: 'touched' | 'all', plain: readonly Rule[]): Promise<void> {
  const known = [settling.tenantId, settling.program.programId];
  const run = [...known, settling.runSeq];
  const compiled = mode === 'all' ? stratum.all : stratum.touched;
  const totals = totalLimits(plain);
  const budgets = idsOf(plain.filter((rule) => rule.mechanic.limits.budget !== undefined));
  const later = [...new Set([...totals.map((limit) => limit.mechanicId), ...budgets])];
  const holdsLate = settling.program.settings.late_in_closed === 'approve' && !settling.lateApproved;
  await runSteps(tx, settling.small, [
    { text: q.fillChanges(compiled, mode, idsOf(plain)), parameters: known, fills: 'change' },
    ...(holdsLate ? [{ text: q.HOLD_LATE, parameters: known }] : []),
    { text: q.storeChanges(later), parameters: run },
    { text: q.fillDifferences(later), parameters: [], fills: 'difference' },
  ]);
  crashPoint('entitlements-stored');
  if (totals.length > 0) {
    await runText(tx, q.differencesOfTotals(totals), known);
    await runText(tx, q.storeDecided(totals.map((limit) => limit.mechanicId)), run);
  }
  if (budgets.length > 0) {
    await allocateBudgets(tx, settling, plain);
    await runText(tx, q.storeDecided(budgets), run);
  }
  await postDifferences(tx, { tenantId: settling.tenantId, programId: settling.program.programId, bookedOn: settling.bookedOn, bookedAt: settling.bookedAt, runSeq: settling.runSeq });
  crashPoint('differences-posted');
  await runText(tx, q.TOUCH_CHANGED, known);
}

/** Limits in total by mechanic; the latest version's holds for all of them. Budgets come first where both are set. */
export function totalLimits(rules: readonly Rule[]): { mechanicId: bigint; limit: bigint }[] {
  const found = new Map<bigint, bigint>();
  for (const rule of rules) {
    const limit = limitMinor(rule, 'most_total');
    if (limit !== null && rule.mechanic.limits.budget === undefined) found.set(rule.mechanicId, limit);
  }
  return [...found].map(([mechanicId, limit]) => ({ mechanicId, limit }));
}
