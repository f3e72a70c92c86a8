import { must, type Day } from '@premia/kernel';
import { readAll, runText, writeAll, type Tx } from '../../platform/database.ts';
import * as q from './queries.ts';

export type Posting = { tenantId: bigint; programId: bigint; bookedOn: Day; bookedAt: string; runSeq: bigint };

/**
 * Posts pg_temp.difference: one transfer per difference, then the lots, the debt and the wallets of the members it names. All
 * set-based, whatever the mix: what a correction takes comes from its own lot, then from what of it has expired, then from
 * available lots (earliest expiry first), then from pending ones; the rest is debt, which the next earnings settle first.
 * The members must be locked.
 */
export async function postDifferences(tx: Tx, posting: Posting): Promise<void> {
  const known = [posting.tenantId, posting.programId];
  const dated = [...known, posting.bookedOn];
  const booked = [...dated, posting.bookedAt, posting.runSeq];
  const [[found] = []] = await readAll<{ differences: number; takes: boolean }>(tx, [[q.LOOK_AT_DIFFERENCES, []], [q.EMPTY_TAKES, []], [q.EMPTY_MOVES, []], [q.POST_TRANSFERS, booked], [q.GRANT_LOTS, dated]]);
  if (found?.differences === 0) return;
  const takes = found?.takes ? [[q.TAKE_OWN_LOTS, dated], [q.EMPTY_OWN_LOTS, known]] as const : [];
  const [[move] = []] = (await readAll<{ owing: boolean }>(tx, [...takes, [q.FILL_MOVES, known]])).slice(-1);
  if (move?.owing) await writeAll(tx, [[q.EMPTY_TAKES, []], [q.TAKE_ALONG, dated], [q.EMPTY_LOTS, known], [q.SETTLE_DEBT, []], [q.POST_DEBT, booked]]);
  await writeAll(tx, [[q.OPEN_WALLETS, known], [q.MOVE_WALLETS, known]]);
}

/** A number that every transfer of the transaction after this call is above: how a run finds its own without reading a member's whole past. */
export async function markTransfers(tx: Tx): Promise<bigint> {
  return must((await runText<{ mark: bigint }>(tx, `SELECT nextval('ledger.transfer_seq') AS mark`))[0], 'sequence').mark;
}

/** Notes who was active on the days of pg_temp.touch: units that expire after inactivity are counted from there. */
export async function keepActive(tx: Tx, posting: Posting): Promise<void> {
  await runText(tx, q.KEEP_ACTIVE, [posting.tenantId, posting.programId, posting.bookedOn]);
}
