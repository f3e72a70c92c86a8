import { must } from '@premia/kernel';
import { sql } from 'kysely';
import { row, rows, type Tx } from '../../platform/database.ts';
import { claimReference, giveToLot, lockMember, post, settleDebt, takeFromLots, type Command, type Unit } from './move-units.ts';
import { refuse } from './refusals.ts';

export type Hold = { holdId: bigint; memberId: bigint; unitId: bigint; amount: bigint; state: string };
type HoldRow = { hold_id: bigint; member_id: bigint; unit_id: bigint; amount: bigint; state: string };
const view = (found: HoldRow): Hold => ({ holdId: found.hold_id, memberId: found.member_id, unitId: found.unit_id, amount: found.amount, state: found.state });

/** Reserves units for an order. The same reference again answers with the same hold: nothing is held twice. */
export async function holdUnits(tx: Tx, command: Command, unit: Unit, input: { amount: bigint; reference: string }): Promise<Hold> {
  if (input.amount <= 0n) throw refuse('amount_not_positive');
  await lockMember(tx, command.tenantId, command.memberId); // before reading: a twin must wait, then see what we took
  if (!(await claimReference(tx, command, `hold:${input.reference}`))) {
    const known = await row<HoldRow>(tx, sql`SELECT hold_id, member_id, unit_id, amount, state FROM ledger.hold WHERE program_id = ${command.programId} AND reference = ${input.reference} ORDER BY hold_id DESC LIMIT 1`);
    if (known) return view(known);
  }
  if (input.amount < unit.smallestRedemption) throw refuse('below_smallest_redemption');
  const taken = await takeFromLots(tx, command, input.amount, { pending: false });
  if (taken.reduce((sum, part) => sum + part.amount, 0n) < input.amount) throw refuse('balance_too_low');
  const made = must(await row<{ hold_id: bigint }>(tx, sql`INSERT INTO ledger.hold (tenant_id, program_id, member_id, unit_id, amount, state, reference)
    VALUES (${command.tenantId}, ${command.programId}, ${command.memberId}, ${command.unitId}, ${input.amount}, 'held', ${input.reference}) RETURNING hold_id`), 'hold');
  for (const part of taken) await sql`INSERT INTO ledger.hold_lot (tenant_id, program_id, member_id, hold_id, lot_id, amount) VALUES (${command.tenantId}, ${command.programId}, ${command.memberId}, ${made.hold_id}, ${part.lotId}, ${part.amount})`.execute(tx);
  await post(tx, command, { debit: 'wallet', credit: 'held', amount: input.amount, kind: 'hold', reference: `hold:${made.hold_id}`, reason: input.reference });
  return { holdId: made.hold_id, memberId: command.memberId, unitId: command.unitId, amount: input.amount, state: 'held' };
}

/** The hold of a reference as it is now: after a merge it is the new member's. */
export async function holdOf(tx: Tx, programId: bigint, reference: string): Promise<(Hold & { graceDays: number }) | null> {
  const found = await row<HoldRow & { grace_days: number }>(tx, sql`SELECT h.hold_id, h.member_id, h.unit_id, h.amount, h.state, u.grace_days FROM ledger.hold AS h JOIN ledger.unit AS u ON u.tenant_id = h.tenant_id AND u.program_id = h.program_id AND u.unit_id = h.unit_id WHERE h.program_id = ${programId} AND h.reference = ${reference} AND h.state <> 'moved' ORDER BY h.hold_id DESC LIMIT 1`);
  return found ? { ...view(found), graceDays: found.grace_days } : null;
}

async function findHold(tx: Tx, command: Omit<Command, 'unitId'>, holdId: bigint): Promise<Hold> {
  await lockMember(tx, command.tenantId, command.memberId);
  const found = await row<HoldRow>(tx, sql`SELECT hold_id, member_id, unit_id, amount, state FROM ledger.hold WHERE program_id = ${command.programId} AND member_id = ${command.memberId} AND hold_id = ${holdId}`);
  if (!found) throw refuse('hold_not_found');
  return view(found);
}

/** Held units are spent. Capturing twice is harmless; a released hold cannot be captured. */
export async function captureHold(tx: Tx, given: Omit<Command, 'unitId'>, holdId: bigint): Promise<Hold> {
  const hold = await findHold(tx, given, holdId);
  if (hold.state === 'captured') return hold;
  if (hold.state !== 'held') throw refuse('hold_not_open');
  return move(tx, { ...given, unitId: hold.unitId }, hold, 'captured', async (command) => { await post(tx, command, { debit: 'held', credit: 'spent', amount: hold.amount, kind: 'capture', reference: `hold:${holdId}` }); });
}

/** Held units come back to their lots. */
export async function releaseHold(tx: Tx, given: Omit<Command, 'unitId'>, holdId: bigint, graceDays: number): Promise<Hold> {
  const hold = await findHold(tx, given, holdId);
  if (hold.state === 'released') return hold;
  if (hold.state !== 'held') throw refuse('hold_not_open');
  return move(tx, { ...given, unitId: hold.unitId }, hold, 'released', (command) => giveBack(tx, command, hold, 'held', 'release', graceDays));
}

/** Spent units come back: an order was cancelled or returned. */
export async function refundHold(tx: Tx, given: Omit<Command, 'unitId'>, holdId: bigint, graceDays: number): Promise<Hold> {
  const hold = await findHold(tx, given, holdId);
  if (hold.state === 'refunded') return hold;
  if (hold.state !== 'captured') throw refuse('hold_not_open');
  return move(tx, { ...given, unitId: hold.unitId }, hold, 'refunded', (command) => giveBack(tx, command, hold, 'spent', 'refund', graceDays));
}

async function giveBack(tx: Tx, command: Command, hold: Hold, from: 'held' | 'spent', kind: string, graceDays: number): Promise<void> {
  const parts = await rows<{ lot_id: bigint; amount: bigint }>(tx, sql`SELECT lot_id, amount FROM ledger.hold_lot WHERE program_id = ${command.programId} AND member_id = ${command.memberId} AND hold_id = ${hold.holdId} ORDER BY lot_id`);
  for (const part of parts) await giveToLot(tx, command, part.lot_id, part.amount, graceDays);
  const undone = await row<{ transfer_id: bigint }>(tx, sql`SELECT transfer_id FROM ledger.transfer WHERE program_id = ${command.programId} AND member_id = ${command.memberId} AND reference = ${`hold:${hold.holdId}`} AND kind = ${from === 'held' ? 'hold' : 'capture'} ORDER BY transfer_id DESC LIMIT 1`);
  await post(tx, command, { debit: from, credit: 'wallet', amount: hold.amount, kind, reference: `hold:${hold.holdId}`, ...(undone ? { reverses: undone.transfer_id } : {}) });
  await settleDebt(tx, command);
}

async function move(tx: Tx, command: Command, hold: Hold, state: string, work: (command: Command) => Promise<void>): Promise<Hold> {
  await sql`UPDATE ledger.hold SET state = ${state} WHERE program_id = ${command.programId} AND member_id = ${command.memberId} AND hold_id = ${hold.holdId}`.execute(tx);
  await work(command);
  return { ...hold, state };
}
