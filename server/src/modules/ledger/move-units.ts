import { addDays, must, type Day } from '@premia/kernel';
import { sql, type RawBuilder } from 'kysely';
import { row, rows, type Tx } from '../../platform/database.ts';
import { refuse } from './refusals.ts';
import type { Posting } from './post-differences.ts';

/*
 * What moves one member's units by a command: holds, captures, releases, refunds, adjustments. The member is locked first. Grants
 * come only from entitlements, as differences.
 */
export type Wallet = { balance: bigint; held: bigint; debt: bigint };
export type Unit = { unitId: bigint; scale: number; smallestRedemption: bigint; graceDays: number };
type Lot = { lot_id: bigint; remaining: bigint; expires_on: string };

/** Whether a lot l can still be spent on a day: by its own date, and by its holder's inactivity where the unit says so. */
export const lasts = (day: Day): RawBuilder<boolean> => sql<boolean>`(l.expires_on >= ${day}::date AND (SELECT ledger.last_day(l.expires_on, u.idle_months, COALESCE((SELECT w.active_on FROM ledger.wallet AS w
  WHERE w.tenant_id = l.tenant_id AND w.program_id = l.program_id AND w.member_id = l.member_id AND w.unit_id = l.unit_id), '-infinity')) FROM ledger.unit AS u WHERE u.tenant_id = l.tenant_id AND u.program_id = l.program_id AND u.unit_id = l.unit_id) >= ${day}::date)`;
export type Command = Posting & { memberId: bigint; unitId: bigint };

export async function lockMember(tx: Tx, tenantId: bigint, memberId: bigint): Promise<void> {
  await sql`INSERT INTO platform.member_lock (tenant_id, member_id, taken) VALUES (${tenantId}, ${memberId}, 1) ON CONFLICT (tenant_id, member_id) DO UPDATE SET taken = platform.member_lock.taken + 1`.execute(tx);
}

export async function findUnit(tx: Tx, programId: bigint, key: string): Promise<Unit> {
  const found = await row<{ unit_id: bigint; scale: number; smallest_redemption: bigint; grace_days: number }>(tx, sql`SELECT unit_id, scale, smallest_redemption, grace_days FROM ledger.unit WHERE program_id = ${programId} AND key = ${key}`);
  if (!found) throw refuse('unit_not_found');
  return { unitId: found.unit_id, scale: found.scale, smallestRedemption: found.smallest_redemption, graceDays: found.grace_days };
}

export async function readWallet(tx: Tx, command: Command): Promise<Wallet> {
  return (await row<Wallet>(tx, sql`SELECT balance, held, debt FROM ledger.wallet WHERE program_id = ${command.programId} AND member_id = ${command.memberId} AND unit_id = ${command.unitId}`)) ?? { balance: 0n, held: 0n, debt: 0n };
}

/** Takes up to `amount` from lots: available ones, earliest expiry first; with `pending` then those not available yet. Answers what each gave. */
export async function takeFromLots(tx: Tx, command: Command, amount: bigint, options: { pending: boolean }): Promise<{ lotId: bigint; amount: bigint; expiresOn: string }[]> {
  const lots = await rows<Lot>(tx, sql`SELECT lot_id, remaining, expires_on::text AS expires_on FROM ledger.lot AS l WHERE program_id = ${command.programId} AND member_id = ${command.memberId} AND unit_id = ${command.unitId} AND remaining > 0 AND ${lasts(command.bookedOn)}
    AND (${options.pending} OR (gate = '' AND available_on <= ${command.bookedOn})) ORDER BY (gate <> '' OR available_on > ${command.bookedOn}), expires_on, available_on, lot_id`);
  const taken: { lotId: bigint; amount: bigint; expiresOn: string }[] = [];
  let left = amount;
  for (const lot of lots) {
    if (left === 0n) break;
    const part = lot.remaining < left ? lot.remaining : left;
    await sql`UPDATE ledger.lot SET remaining = remaining - ${part} WHERE program_id = ${command.programId} AND member_id = ${command.memberId} AND lot_id = ${lot.lot_id}`.execute(tx);
    taken.push({ lotId: lot.lot_id, amount: part, expiresOn: lot.expires_on });
    left -= part;
  }
  return taken;
}

/** Gives back to the lot it came from or, if that has expired, to one that expires the unit's grace later. Without a lot: to one that expires on `fresh`. */
export async function giveToLot(tx: Tx, command: Command, lotId: bigint | null, amount: bigint, graceDays: number, fresh: Day | 'infinity' = 'infinity'): Promise<void> {
  const back = lotId === null ? [] : await rows(tx, sql`UPDATE ledger.lot SET remaining = remaining + ${amount} WHERE program_id = ${command.programId} AND member_id = ${command.memberId} AND lot_id = ${lotId} AND expires_on >= ${command.bookedOn} RETURNING 1`);
  if (back.length > 0) return;
  const expires: Day | 'infinity' = lotId === null ? fresh : addDays(command.bookedOn, graceDays);
  await sql`INSERT INTO ledger.lot (tenant_id, program_id, member_id, unit_id, gate, available_on, expires_on, remaining) VALUES (${command.tenantId}, ${command.programId}, ${command.memberId}, ${command.unitId}, '', '-infinity', ${expires}, ${amount})
    ON CONFLICT (tenant_id, program_id, member_id, unit_id, gate, available_on, expires_on) DO UPDATE SET remaining = ledger.lot.remaining + excluded.remaining`.execute(tx);
}

export type Entry = { debit: string; credit: string; amount: bigint; kind: string; reference?: string; reason?: string; reverses?: bigint; pairId?: bigint };

/** Writes one transfer and keeps the wallet's sums. */
export async function post(tx: Tx, command: Command, entry: Entry): Promise<bigint> {
  const change = (account: string): bigint => (entry.credit === account ? entry.amount : 0n) - (entry.debit === account ? entry.amount : 0n);
  await sql`INSERT INTO ledger.wallet (tenant_id, program_id, member_id, unit_id) VALUES (${command.tenantId}, ${command.programId}, ${command.memberId}, ${command.unitId}) ON CONFLICT DO NOTHING`.execute(tx);
  await sql`UPDATE ledger.wallet SET balance = balance + ${change('wallet')}, held = held + ${change('held')}, debt = debt - ${change('debt')} WHERE program_id = ${command.programId} AND member_id = ${command.memberId} AND unit_id = ${command.unitId}`.execute(tx);
  const made = must(await row<{ transfer_id: bigint }>(tx, sql`INSERT INTO ledger.transfer (tenant_id, program_id, member_id, unit_id, debit, credit, amount, kind, booked_on, booked_at, reference, reason, reverses, pair_id, run_seq)
    VALUES (${command.tenantId}, ${command.programId}, ${command.memberId}, ${command.unitId}, ${entry.debit}, ${entry.credit}, ${entry.amount}, ${entry.kind}, ${command.bookedOn}, ${command.bookedAt}, ${entry.reference ?? null}, ${entry.reason ?? null}, ${entry.reverses ?? null}, ${entry.pairId ?? null}, ${command.runSeq}) RETURNING transfer_id`), 'transfer');
  return made.transfer_id;
}

/** Whatever comes in settles debt first: available units and debt never stand side by side. */
export async function settleDebt(tx: Tx, command: Command): Promise<void> {
  const { debt } = await readWallet(tx, command);
  if (debt === 0n) return;
  const taken = (await takeFromLots(tx, command, debt, { pending: true })).reduce((sum, part) => sum + part.amount, 0n);
  if (taken > 0n) await post(tx, command, { debit: 'wallet', credit: 'debt', amount: taken, kind: 'debt_settled' });
}

/** A permanent, unique trace of a value-moving command. Answers false when it was there already. */
export async function claimReference(tx: Tx, command: Command, reference: string): Promise<boolean> {
  const made = await rows(tx, sql`INSERT INTO ledger.reference (tenant_id, program_id, reference, member_id) VALUES (${command.tenantId}, ${command.programId}, ${reference}, ${command.memberId}) ON CONFLICT DO NOTHING RETURNING 1`);
  return made.length > 0;
}
