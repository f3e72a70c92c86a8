import { must } from '@premia/kernel';
import { sql } from 'kysely';
import { row, rows, type Tx } from '../../platform/database.ts';
import { giveToLot, lockMember, post, readWallet, settleDebt, takeFromLots, type Command } from './move-units.ts';
import type { Posting } from './post-differences.ts';
import { refuse } from './refusals.ts';

/** `write_off` forgives debt; its amount is what is forgiven. */
export type AdjustmentKind = 'adjustment' | 'write_off';
export type Adjustment = { adjustmentId: bigint; member: string; unit: string; scale: number; kind: AdjustmentKind; amount: bigint; reason: string; proposedBy: string; approvedBy: string | null; state: string };

/** A person's correction, with its reason; by default another person approves it before anything is posted. */
export async function proposeAdjustment(tx: Tx, command: Omit<Command, keyof Posting> & Pick<Posting, 'tenantId' | 'programId'>, input: { kind?: AdjustmentKind; amount: bigint; reason: string; principal: string }): Promise<bigint> {
  if (input.amount === 0n || (input.kind === 'write_off' && input.amount < 0n)) throw refuse('amount_not_positive');
  const made = must(await row<{ adjustment_id: bigint }>(tx, sql`INSERT INTO ledger.adjustment (tenant_id, program_id, member_id, unit_id, kind, amount, reason, proposed_by)
    VALUES (${command.tenantId}, ${command.programId}, ${command.memberId}, ${command.unitId}, ${input.kind ?? 'adjustment'}, ${input.amount}, ${input.reason}, ${input.principal}) RETURNING adjustment_id`), 'adjustment');
  return made.adjustment_id;
}

type Proposed = { member_id: bigint; unit_id: bigint; kind: AdjustmentKind; amount: bigint; reason: string };

/** Takes the decision, once: a second decision, or the proposer's own where four eyes are asked for, is refused. */
async function decide(tx: Tx, posting: Posting, adjustmentId: bigint, principal: string, fourEyes: boolean, state: 'posted' | 'rejected'): Promise<Proposed> {
  const found = await row<Proposed & { proposed_by: string }>(tx, sql`SELECT member_id, unit_id, kind, amount, reason, proposed_by FROM ledger.adjustment WHERE program_id = ${posting.programId} AND adjustment_id = ${adjustmentId}`);
  if (!found) throw refuse('adjustment_not_found');
  await lockMember(tx, posting.tenantId, found.member_id);
  if (fourEyes && state === 'posted' && found.proposed_by === principal) throw refuse('second_person_needed');
  const taken = await sql`UPDATE ledger.adjustment SET state = ${state}, approved_by = ${principal} WHERE program_id = ${posting.programId} AND adjustment_id = ${adjustmentId} AND state = 'proposed' RETURNING 1`.execute(tx);
  if (taken.rows.length === 0) throw refuse('adjustment_not_open');
  return found;
}

export async function rejectAdjustment(tx: Tx, posting: Posting, adjustmentId: bigint, principal: string): Promise<void> {
  await decide(tx, posting, adjustmentId, principal, false, 'rejected');
}

/** Posts a proposed adjustment. What a negative one cannot find becomes debt; a write-off forgives at most what is owed. */
export async function approveAdjustment(tx: Tx, posting: Posting, adjustmentId: bigint, principal: string, fourEyes: boolean): Promise<void> {
  const found = await decide(tx, posting, adjustmentId, principal, fourEyes, 'posted');
  const command: Command = { ...posting, memberId: found.member_id, unitId: found.unit_id };
  const told = { reason: found.reason, reference: `adjustment:${adjustmentId}` };
  if (found.kind === 'write_off') {
    const { debt } = await readWallet(tx, command);
    if (debt < found.amount) throw refuse('debt_too_low');
    await post(tx, command, { debit: 'adjusted', credit: 'debt', amount: found.amount, kind: 'write_off', ...told });
    return;
  }
  if (found.amount > 0n) {
    await giveToLot(tx, command, null, found.amount, 0);
    await post(tx, command, { debit: 'adjusted', credit: 'wallet', amount: found.amount, kind: 'adjustment', ...told });
    await settleDebt(tx, command);
    return;
  }
  const wanted = -found.amount;
  const given = (await takeFromLots(tx, command, wanted, { pending: true })).reduce((sum, part) => sum + part.amount, 0n);
  if (given < wanted) await post(tx, command, { debit: 'debt', credit: 'wallet', amount: wanted - given, kind: 'debt', ...told });
  await post(tx, command, { debit: 'wallet', credit: 'adjusted', amount: wanted, kind: 'adjustment', ...told });
}

/** Adjustments, newest first; `state` narrows them. */
export async function listAdjustments(tx: Tx, programId: bigint, page: { state?: string; after?: bigint; limit: number }): Promise<Adjustment[]> {
  const found = await rows<{ adjustment_id: bigint; member: string; unit: string; scale: number; kind: AdjustmentKind; amount: bigint; reason: string; proposed_by: string; approved_by: string | null; state: string }>(tx, sql`
    SELECT a.adjustment_id, m.code AS member, u.key AS unit, u.scale, a.kind, a.amount, a.reason, a.proposed_by, a.approved_by, a.state FROM ledger.adjustment AS a
    JOIN members.member AS m ON m.tenant_id = a.tenant_id AND m.program_id = a.program_id AND m.member_id = a.member_id
    JOIN ledger.unit AS u ON u.tenant_id = a.tenant_id AND u.program_id = a.program_id AND u.unit_id = a.unit_id
    WHERE a.program_id = ${programId} AND (${page.state ?? null}::text IS NULL OR a.state = ${page.state ?? null}) AND (${page.after ?? null}::bigint IS NULL OR a.adjustment_id < ${page.after ?? null})
    ORDER BY a.adjustment_id DESC LIMIT ${page.limit}`);
  return found.map((item) => ({ adjustmentId: item.adjustment_id, member: item.member, unit: item.unit, scale: item.scale, kind: item.kind, amount: item.amount, reason: item.reason, proposedBy: item.proposed_by, approvedBy: item.approved_by, state: item.state }));
}
