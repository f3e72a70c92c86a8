import { must, type Day } from '@premia/kernel';
import { sql } from 'kysely';
import { row, rows, type Tx } from '../../platform/database.ts';
import { lockMembers } from '../../platform/member-lock.ts';
import { claimReference, giveToLot, post, readWallet, settleDebt, takeFromLots, type Command } from './move-units.ts';
import type { Posting } from './post-differences.ts';
import { refuse } from './refusals.ts';

export type Moved = { pairId: bigint; amount: bigint };
type Between = { from: bigint; to: bigint; unitId: bigint };

/**
 * Units from one member to another: two transfers through clearing with one pair id, in one transaction. What arrives keeps the dates on
 * which it expires. The same reference again moves nothing.
 */
export async function transferUnits(tx: Tx, posting: Posting, between: Between, input: { amount: bigint; reason: string; reference: string }): Promise<Moved> {
  if (input.amount <= 0n) throw refuse('amount_not_positive');
  if (between.from === between.to) throw refuse('same_member');
  await lockMembers(tx, posting.tenantId, [between.from, between.to]);
  const giver: Command = { ...posting, memberId: between.from, unitId: between.unitId };
  if (!(await claimReference(tx, giver, `transfer:${input.reference}`))) {
    const known = await row<{ pair_id: bigint; amount: bigint }>(tx, sql`SELECT pair_id, amount FROM ledger.transfer WHERE program_id = ${posting.programId} AND member_id = ${between.from} AND reference = ${`transfer:${input.reference}`} AND debit = 'wallet'`);
    if (known) return { pairId: known.pair_id, amount: known.amount };
    throw refuse('reference_used');
  }
  const taken = await takeFromLots(tx, giver, input.amount, { pending: false });
  if (taken.reduce((sum, part) => sum + part.amount, 0n) < input.amount) throw refuse('balance_too_low');
  return pass(tx, posting, between, taken.map((part) => ({ amount: part.amount, expiresOn: part.expiresOn as Day })), { reason: input.reason, reference: `transfer:${input.reference}` });
}

type Part = { amount: bigint; expiresOn: Day | 'infinity' };

async function pass(tx: Tx, posting: Posting, between: Between, parts: readonly Part[], told: { reason: string; reference: string }): Promise<Moved> {
  const amount = parts.reduce((sum, part) => sum + part.amount, 0n);
  const { pair } = must(await row<{ pair: bigint }>(tx, sql`SELECT nextval('ledger.transfer_seq') AS pair`), 'pair');
  await post(tx, { ...posting, memberId: between.from, unitId: between.unitId }, { debit: 'wallet', credit: 'clearing', amount, kind: 'transfer', pairId: pair, ...told });
  const taker: Command = { ...posting, memberId: between.to, unitId: between.unitId };
  for (const part of parts) await giveToLot(tx, taker, null, part.amount, 0, part.expiresOn);
  await post(tx, taker, { debit: 'clearing', credit: 'wallet', amount, kind: 'transfer', pairId: pair, ...told });
  await settleDebt(tx, taker);
  return { pairId: pair, amount };
}

/**
 * After a merge: what the old wallet still has goes to the new one, holds included, and the new one pays what the old one owes – out of
 * what it has, the rest as debt of its own. Both ends stand at zero then, but for what was spent and expired long ago.
 */
export async function mergeWallets(tx: Tx, posting: Posting, from: bigint, to: bigint): Promise<void> {
  await lockMembers(tx, posting.tenantId, [from, to]);
  const units = await rows<{ unit_id: bigint }>(tx, sql`SELECT unit_id FROM ledger.wallet WHERE program_id = ${posting.programId} AND member_id = ${from} ORDER BY unit_id`);
  for (const { unit_id: unitId } of units) {
    await moveHolds(tx, posting, { from, to, unitId });
    await moveRest(tx, posting, { from, to, unitId });
    await payDebt(tx, posting, { from, to, unitId });
  }
}

const MERGED = { reason: 'merged', reference: 'merge' };

async function moveHolds(tx: Tx, posting: Posting, between: Between): Promise<void> {
  const holds = await rows<{ hold_id: bigint; amount: bigint; reference: string }>(tx, sql`SELECT hold_id, amount, reference FROM ledger.hold WHERE program_id = ${posting.programId} AND member_id = ${between.from} AND unit_id = ${between.unitId} AND state = 'held' ORDER BY hold_id`);
  const [giver, taker] = [between.from, between.to].map((memberId): Command => ({ ...posting, memberId, unitId: between.unitId })) as [Command, Command];
  for (const hold of holds) {
    const parts = await rows<{ amount: bigint; expires_on: string }>(tx, sql`SELECT sum(h.amount)::bigint AS amount, l.expires_on::text AS expires_on FROM ledger.hold_lot AS h JOIN ledger.lot AS l ON l.program_id = h.program_id AND l.member_id = h.member_id AND l.lot_id = h.lot_id
      WHERE h.program_id = ${posting.programId} AND h.member_id = ${between.from} AND h.hold_id = ${hold.hold_id} GROUP BY l.expires_on ORDER BY l.expires_on`);
    await sql`UPDATE ledger.hold SET state = 'moved' WHERE program_id = ${posting.programId} AND member_id = ${between.from} AND hold_id = ${hold.hold_id}`.execute(tx);
    await post(tx, giver, { debit: 'held', credit: 'wallet', amount: hold.amount, kind: 'release', ...MERGED });
    const { pair } = must(await row<{ pair: bigint }>(tx, sql`SELECT nextval('ledger.transfer_seq') AS pair`), 'pair');
    await post(tx, giver, { debit: 'wallet', credit: 'clearing', amount: hold.amount, kind: 'transfer', pairId: pair, ...MERGED });
    await post(tx, taker, { debit: 'clearing', credit: 'wallet', amount: hold.amount, kind: 'transfer', pairId: pair, ...MERGED });
    const made = must(await row<{ hold_id: bigint }>(tx, sql`INSERT INTO ledger.hold (tenant_id, program_id, member_id, unit_id, amount, state, reference) VALUES (${posting.tenantId}, ${posting.programId}, ${between.to}, ${between.unitId}, ${hold.amount}, 'held', ${hold.reference}) RETURNING hold_id`), 'hold');
    // The lots that the hold took from exist at the new member with nothing in them: a release goes back there, with the dates they had.
    for (const part of parts) {
      const lot = must(await row<{ lot_id: bigint }>(tx, sql`INSERT INTO ledger.lot (tenant_id, program_id, member_id, unit_id, gate, available_on, expires_on, remaining) VALUES (${posting.tenantId}, ${posting.programId}, ${between.to}, ${between.unitId}, '', '-infinity', ${part.expires_on}, 0)
        ON CONFLICT (tenant_id, program_id, member_id, unit_id, gate, available_on, expires_on) DO UPDATE SET remaining = ledger.lot.remaining RETURNING lot_id`), 'lot');
      await sql`INSERT INTO ledger.hold_lot (tenant_id, program_id, member_id, hold_id, lot_id, amount) VALUES (${posting.tenantId}, ${posting.programId}, ${between.to}, ${made.hold_id}, ${lot.lot_id}, ${part.amount})`.execute(tx);
    }
    await post(tx, taker, { debit: 'wallet', credit: 'held', amount: hold.amount, kind: 'hold', reference: `hold:${made.hold_id}`, reason: hold.reference });
  }
}

async function moveRest(tx: Tx, posting: Posting, between: Between): Promise<void> {
  const lots = await rows<{ lot_id: bigint; gate: string; available_on: string; expires_on: string; remaining: bigint }>(tx, sql`SELECT lot_id, gate, available_on::text AS available_on, expires_on::text AS expires_on, remaining FROM ledger.lot WHERE program_id = ${posting.programId} AND member_id = ${between.from} AND unit_id = ${between.unitId} AND remaining > 0 ORDER BY lot_id`);
  const amount = lots.reduce((sum, lot) => sum + lot.remaining, 0n);
  if (amount === 0n) return;
  const { pair } = must(await row<{ pair: bigint }>(tx, sql`SELECT nextval('ledger.transfer_seq') AS pair`), 'pair');
  await sql`UPDATE ledger.lot SET remaining = 0 WHERE program_id = ${posting.programId} AND member_id = ${between.from} AND unit_id = ${between.unitId} AND remaining > 0`.execute(tx);
  await post(tx, { ...posting, memberId: between.from, unitId: between.unitId }, { debit: 'wallet', credit: 'clearing', amount, kind: 'transfer', pairId: pair, ...MERGED });
  for (const lot of lots) {
    await sql`INSERT INTO ledger.lot (tenant_id, program_id, member_id, unit_id, gate, available_on, expires_on, remaining) VALUES (${posting.tenantId}, ${posting.programId}, ${between.to}, ${between.unitId}, ${lot.gate}, ${lot.available_on}, ${lot.expires_on}, ${lot.remaining})
      ON CONFLICT (tenant_id, program_id, member_id, unit_id, gate, available_on, expires_on) DO UPDATE SET remaining = ledger.lot.remaining + excluded.remaining`.execute(tx);
  }
  const taker: Command = { ...posting, memberId: between.to, unitId: between.unitId };
  await post(tx, taker, { debit: 'clearing', credit: 'wallet', amount, kind: 'transfer', pairId: pair, ...MERGED });
  await settleDebt(tx, taker);
}

async function payDebt(tx: Tx, posting: Posting, between: Between): Promise<void> {
  const [debtor, payer] = [between.from, between.to].map((memberId): Command => ({ ...posting, memberId, unitId: between.unitId })) as [Command, Command];
  const { debt } = await readWallet(tx, debtor);
  if (debt === 0n) return;
  const paid = (await takeFromLots(tx, payer, debt, { pending: true })).reduce((sum, part) => sum + part.amount, 0n);
  if (paid < debt) await post(tx, payer, { debit: 'debt', credit: 'wallet', amount: debt - paid, kind: 'debt', ...MERGED });
  const { pair } = must(await row<{ pair: bigint }>(tx, sql`SELECT nextval('ledger.transfer_seq') AS pair`), 'pair');
  await post(tx, payer, { debit: 'wallet', credit: 'clearing', amount: debt, kind: 'transfer', pairId: pair, ...MERGED });
  await post(tx, debtor, { debit: 'clearing', credit: 'wallet', amount: debt, kind: 'transfer', pairId: pair, ...MERGED });
  await post(tx, debtor, { debit: 'wallet', credit: 'debt', amount: debt, kind: 'debt_settled', ...MERGED });
}
