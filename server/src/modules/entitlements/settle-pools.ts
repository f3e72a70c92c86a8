import { poolToSql, type Rule } from '@premia/algebra';
import { parseRatio, ratio, timesRatio } from '@premia/kernel';
import { sql } from 'kysely';
import type { Context } from '../../platform/context.ts';
import { rows, runText, type Tx } from '../../platform/database.ts';
import { emptyRun } from '../../platform/run-tables.ts';
import { postDifferences } from '../ledger/index.ts';
import { findProgram, type Program } from '../members/index.ts';
import { openSettling } from './record-sales.ts';
import { settle, type Settling } from './settle.ts';
import * as q from './queries.ts';

type Stale = { mechanic_id: bigint; window_start: string };

/** Settles every pooled window that something moved, each in a transaction of its own. Answers how many. */
export async function settleStale(context: Context, programKey: string): Promise<number> {
  const stale = await context.transaction(async (tx) => listStale(tx, await findProgram(tx, programKey)));
  for (const window of stale) await context.transaction(async (tx) => settleWindow(tx, await openSettling(tx, context, await findProgram(tx, programKey)), window));
  return stale.length;
}

const soon = new Map<string, { again: boolean; done: Promise<void> }>();

/**
 * Settles stale windows of a program after an answer has gone out, one pass at a time per program and process; windows marked
 * meanwhile are taken by the next pass. What a crash leaves unsettled is still marked: the next start, run or verification takes it.
 */
export function settleSoon(context: Context, programKey: string): Promise<void> {
  const key = `${context.tenantId}/${programKey}`;
  const running = soon.get(key);
  if (running) { running.again = true; return running.done; }
  const state = { again: false, done: Promise.resolve() };
  soon.set(key, state);
  state.done = (async (): Promise<void> => {
    do { state.again = false; await settleStale(context, programKey); } while (state.again);
  })().catch(() => undefined).finally(() => { soon.delete(key); });
  return state.done;
}

export async function listStale(tx: Tx, program: Program): Promise<Stale[]> {
  return rows<Stale>(tx, sql`SELECT mechanic_id, window_start FROM entitlements.stale_window WHERE program_id = ${program.programId} ORDER BY mechanic_id, window_start`);
}

/** One pooled window: its own lock, then its members', then the second grain and the same difference step as everything else. */
export async function settleWindow(tx: Tx, settling: Settling, window: Stale): Promise<void> {
  const known = [settling.tenantId, settling.program.programId];
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`${settling.program.programId}/${window.mechanic_id}/${window.window_start}`}, 7))`.execute(tx);
  const gone = await rows(tx, sql`DELETE FROM entitlements.stale_window WHERE program_id = ${settling.program.programId} AND mechanic_id = ${window.mechanic_id} AND window_start = ${window.window_start} RETURNING 1`);
  if (gone.length === 0 || await isClosed(tx, settling.program, window.window_start)) return;
  await runText(tx, `INSERT INTO platform.member_lock (tenant_id, member_id, taken) SELECT $1::bigint, member_id, 1 FROM (
      SELECT member_id FROM entitlements.partial WHERE tenant_id = $1 AND program_id = $2 AND mechanic_id = $3 AND window_start = $4::date
      UNION SELECT member_id FROM entitlements.entitlement WHERE tenant_id = $1 AND program_id = $2 AND mechanic_id = $3 AND window_start = $4::date) AS pool ORDER BY member_id
    ON CONFLICT (tenant_id, member_id) DO UPDATE SET taken = platform.member_lock.taken + 1`, [...known, window.mechanic_id, window.window_start]);
  await computeWindow(tx, settling, window);
  await runText(tx, q.storeChanges([]), [...known, settling.runSeq]);
  await runText(tx, q.fillDifferences([]));
  await postDifferences(tx, { tenantId: settling.tenantId, programId: settling.program.programId, bookedOn: settling.bookedOn, bookedAt: settling.bookedAt, runSeq: settling.runSeq });
  const above = settling.plan.strata.slice(settling.plan.strata.findIndex((stratum) => stratum.rules.some((rule) => rule.mechanicId === window.mechanic_id)) + 1);
  if (above.length === 0) return;
  await emptyRun(tx, 'touch');
  await runText(tx, q.TOUCH_CHANGED, known);
  await settle(tx, settling, 'touched', above);
}

/** Results of closed windows are frozen: ranks there use the facts up to the close's watermark for ever. */
async function isClosed(tx: Tx, program: Program, day: string): Promise<boolean> {
  return (await rows(tx, sql`SELECT 1 FROM entitlements.close WHERE program_id = ${program.programId} AND state = 'closed' AND ${day}::date BETWEEN starts_on AND ends_on`)).length > 0;
}

/** Fills pg_temp.change with what a pooled window owes beyond what is stored. */
export async function computeWindow(tx: Tx, settling: Settling, window: Stale): Promise<void> {
  await emptyRun(tx, 'computed', 'change', 'difference');
  for (const rule of settling.plan.rules.filter((item) => item.mechanicId === window.mechanic_id && item.mechanic.pool)) {
    await runText(tx, poolToSql(rule, settling.plan.options), [settling.tenantId, settling.program.programId, window.window_start]);
  }
  await runText(tx, q.fillPoolChanges, [settling.tenantId, settling.program.programId, window.mechanic_id, window.window_start]);
}

/**
 * Budgets: under the budget's lock, in (recorded_seq, member) order, each rise of an uncapped entitlement takes what is left and each
 * fall gives back its holder's own. Runs after the mechanics of a stratum are stored, in the same transaction.
 */
export async function allocateBudgets(tx: Tx, settling: Settling, rules: readonly Rule[]): Promise<void> {
  const byBudget = Map.groupBy(rules.filter((rule) => rule.mechanic.limits.budget !== undefined), (rule) => rule.mechanic.limits.budget as string);
  for (const [budget, own] of [...byBudget].sort(([a], [b]) => (a < b ? -1 : 1))) {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`${settling.program.programId}/budget/${budget}`}, 8))`.execute(tx);
    const size = budgetSize(settling, budget, own[0] as Rule);
    await runText(tx, q.allocate([...new Set(own.map((rule) => rule.mechanicId))]), [settling.tenantId, settling.program.programId, budget, size, settling.runSeq]);
  }
}

function budgetSize(settling: Settling, budget: string, rule: Rule): bigint {
  const found = (settling.program.settings['budgets'] as { key: string; size: string }[] | undefined)?.find((item) => item.key === budget);
  const scaled = timesRatio(parseRatio(found?.size ?? '0') ?? ratio(0n), ratio(10n ** BigInt(rule.unitScale)));
  return scaled.n / scaled.d;
}
