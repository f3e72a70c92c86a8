import { must } from '@premia/kernel';
import { sql } from 'kysely';
import { row, type Tx } from '../../platform/database.ts';
import { giveToLot, lockMember, post, settleDebt, takeFromLots, type Command } from './move-units.ts';
import type { Posting } from './post-differences.ts';
import { refuse } from './refusals.ts';

/** A person's correction, with its reason; by default another person approves it before anything is posted. */
export async function proposeAdjustment(tx: Tx, command: Omit<Command, keyof Posting> & Pick<Posting, 'tenantId' | 'programId'>, input: { amount: bigint; reason: string; principal: string }): Promise<bigint> {
  if (input.amount === 0n) throw refuse('amount_not_positive');
  const made = must(await row<{ adjustment_id: bigint }>(tx, sql`INSERT INTO ledger.adjustment (tenant_id, program_id, member_id, unit_id, amount, reason, proposed_by)
    VALUES (${command.tenantId}, ${command.programId}, ${command.memberId}, ${command.unitId}, ${input.amount}, ${input.reason}, ${input.principal}) RETURNING adjustment_id`), 'adjustment');
  return made.adjustment_id;
}

/** Posts a proposed adjustment. What a negative one cannot find becomes debt. */
export async function approveAdjustment(tx: Tx, posting: Posting, adjustmentId: bigint, principal: string, fourEyes: boolean): Promise<void> {
  const found = await row<{ member_id: bigint; unit_id: bigint; amount: bigint; reason: string; proposed_by: string; state: string }>(tx, sql`SELECT member_id, unit_id, amount, reason, proposed_by, state FROM ledger.adjustment WHERE program_id = ${posting.programId} AND adjustment_id = ${adjustmentId}`);
  if (!found) throw refuse('adjustment_not_open');
  const command: Command = { ...posting, memberId: found.member_id, unitId: found.unit_id };
  await lockMember(tx, posting.tenantId, found.member_id);
  if (fourEyes && found.proposed_by === principal) throw refuse('second_person_needed');
  const taken = await sql`UPDATE ledger.adjustment SET state = 'posted', approved_by = ${principal} WHERE program_id = ${posting.programId} AND adjustment_id = ${adjustmentId} AND state = 'proposed' RETURNING 1`.execute(tx);
  if (taken.rows.length === 0) throw refuse('adjustment_not_open');
  const reference = `adjustment:${adjustmentId}`;
  if (found.amount > 0n) {
    await giveToLot(tx, command, null, found.amount, 0);
    await post(tx, command, { debit: 'adjusted', credit: 'wallet', amount: found.amount, kind: 'adjustment', reason: found.reason, reference });
    await settleDebt(tx, command);
    return;
  }
  const wanted = -found.amount;
  const given = (await takeFromLots(tx, command, wanted, { pending: true })).reduce((sum, part) => sum + part.amount, 0n);
  if (given < wanted) await post(tx, command, { debit: 'debt', credit: 'wallet', amount: wanted - given, kind: 'debt', reason: found.reason, reference });
  await post(tx, command, { debit: 'wallet', credit: 'adjusted', amount: wanted, kind: 'adjustment', reason: found.reason, reference });
}
