import { sql, type RawBuilder } from 'kysely';
import type { Day } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { lockMembers } from '../../platform/member-lock.ts';
import { publishEvent } from '../../platform/outbox.ts';
import { captureHold, holdOf, refundHold, releaseHold, type Posting } from '../ledger/index.ts';
import type { Program } from '../members/index.ts';
import { next, railOf, unitsIn, type Action, type Kind, type State } from './machine.ts';
import { refuse } from './refusals.ts';
import type { PayoutSettings } from './settings.ts';
import { bookIncome, bookReturn } from './tax-table.ts';
import { issueCode, releaseCode } from './vouchers.ts';

export type Item = { itemId: bigint; orderId: bigint; memberId: bigint; rewardId: bigint; kind: Kind; state: State; unitId: bigint; units: bigint; worth: bigint; coPay: bigint; cost: bigint; reason: string | null; approvedBy: string | null; carrier: string | null; tracking: string | null; providerRef: string | null; placedOn: Day; givenOn: Day | null };
export const itemColumns: RawBuilder<unknown> = sql`i.item_id AS "itemId", i.order_id AS "orderId", (SELECT COALESCE(m.merged_into, m.member_id) FROM members.member AS m WHERE m.tenant_id = i.tenant_id AND m.program_id = i.program_id AND m.member_id = i.member_id) AS "memberId", i.reward_id AS "rewardId", i.kind, i.state, i.unit_id AS "unitId", i.units, i.worth_minor AS worth, i.co_pay_minor AS "coPay", i.cost_minor AS cost, i.reason, i.approved_by AS "approvedBy", i.carrier, i.tracking, i.provider_ref AS "providerRef", i.placed_on AS "placedOn", i.given_on AS "givenOn"`;

/** Items of a member and of those merged into them. */
export const ownItems = (memberId: bigint): RawBuilder<boolean> => sql<boolean>`i.member_id IN (SELECT m.member_id FROM members.member AS m WHERE m.program_id = i.program_id AND (m.member_id = ${memberId} OR m.merged_into = ${memberId}))`;

/** The reference under which an item's units are held, and by which a bank or provider names it. */
export const referenceOf = (itemId: bigint): string => `item:${itemId}`;
export const externalIdOf = (programId: bigint, itemId: bigint): string => `PRM-${programId}-${itemId}`;

/** Where orders are moved: one program, one booking day. */
export type Desk = { tx: Tx; context: Context; program: Program; settings: PayoutSettings; posting: Posting };

/** Items for changing: their members locked first, in id order, then the items themselves. Fails where one is not there. */
export async function lockItems({ tx, context, program }: Desk, ids: readonly bigint[]): Promise<Item[]> {
  const wanted = [...new Set(ids)].map(String);
  const members = await rows<{ member_id: bigint }>(tx, sql`SELECT DISTINCT (SELECT COALESCE(m.merged_into, m.member_id) FROM members.member AS m WHERE m.tenant_id = i.tenant_id AND m.program_id = i.program_id AND m.member_id = i.member_id) AS member_id FROM rewards.item AS i WHERE program_id = ${program.programId} AND item_id = ANY(${wanted}::bigint[])`);
  await lockMembers(tx, context.tenantId, members.map((member) => member.member_id));
  const found = await rows<Item>(tx, sql`SELECT ${itemColumns} FROM rewards.item AS i WHERE i.program_id = ${program.programId} AND i.item_id = ANY(${wanted}::bigint[]) ORDER BY i.item_id FOR UPDATE OF i`);
  if (found.length < wanted.length) throw refuse('order_not_found');
  return found;
}

export type Change = { reason?: string; approvedBy?: string; accountMark?: Buffer | null; carrier?: string; tracking?: string; providerRef?: string };

/**
 * One step of one item, with all that belongs to it: its units are spent or come back, its code is issued or freed, its income is booked,
 * the step is written and announced. The item must be locked. What the machine does not allow is refused.
 */
export async function moveItem(desk: Desk, item: Item, action: Action, change: Change = {}): Promise<Item> {
  const { tx, context, program, posting } = desk;
  const state = next(item.kind, item.state, action);
  if (state === null) throw refuse('action_not_possible');
  const given = unitsIn(state) === 'spent' && unitsIn(item.state) === 'held';
  await sql`UPDATE rewards.item SET state = ${state}, reason = ${change.reason ?? null}, approved_by = COALESCE(${change.approvedBy ?? null}, approved_by), account_mark = COALESCE(${change.accountMark ?? null}, account_mark), carrier = COALESCE(${change.carrier ?? null}, carrier), tracking = COALESCE(${change.tracking ?? null}, tracking),
    provider_ref = COALESCE(${change.providerRef ?? null}, provider_ref), given_on = COALESCE(${given ? posting.bookedOn : null}::date, given_on) WHERE program_id = ${program.programId} AND item_id = ${item.itemId}`.execute(tx);
  if (unitsIn(state) !== unitsIn(item.state)) await settleUnits(desk, item, state);
  await writeSteps(desk, [item.itemId], state, change.reason);
  await publishEvent(tx, context, { type: 'order.moved', programId: program.programId, payload: { program: program.key, order: item.orderId, item: item.itemId, state } });
  return { ...item, state, reason: change.reason ?? null };
}

/** Spent when something is given, back where they came from when it is not, or was not in the end. */
async function settleUnits({ tx, context, program, settings, posting }: Desk, item: Item, state: State): Promise<void> {
  const hold = await holdOf(tx, program.programId, referenceOf(item.itemId));
  if (!hold) throw new Error(`item ${item.itemId} has no hold`);
  const command = { ...posting, memberId: hold.memberId };
  if (unitsIn(state) === 'spent') {
    if (railOf(item.kind) === 'code') await issueCode(tx, program, item.itemId);
    await captureHold(tx, command, hold.holdId);
    await bookIncome(tx, context, program, settings, item, posting.bookedOn);
    return;
  }
  if (hold.state === 'held') await releaseHold(tx, command, hold.holdId, hold.graceDays);
  else { await refundHold(tx, command, hold.holdId, hold.graceDays); await bookReturn(tx, context, program, item, posting.bookedOn); }
  if (railOf(item.kind) === 'code') await releaseCode(tx, program, item.itemId);
  else if (state !== 'returned') await sql`UPDATE rewards.reward SET stock = stock + 1 WHERE program_id = ${program.programId} AND reward_id = ${item.rewardId} AND stock IS NOT NULL`.execute(tx); // what was given and came back is looked at by a person before it is stock again
}

/** Writes the same step for many items at once. */
export async function writeSteps({ tx, context, program }: Desk, ids: readonly bigint[], state: State, reason?: string): Promise<void> {
  await sql`INSERT INTO rewards.step (tenant_id, program_id, item_id, state, at, by, reason) SELECT ${context.tenantId}, ${program.programId}, id, ${state}, ${instant(context)}, ${context.principal}, ${reason ?? null}::text FROM unnest(${ids.map(String)}::bigint[]) AS id`.execute(tx);
}

/** Moves many items that stay held, as whole batches do: one statement, no units touched. */
export async function moveHeld(desk: Desk, items: readonly Item[], action: 'batch' | 'unbatch' | 'export'): Promise<void> {
  const [first] = items;
  if (!first) return;
  const states = new Set(items.map((item) => next(item.kind, item.state, action)));
  const [state] = states;
  if (states.size !== 1 || !state) throw refuse('action_not_possible');
  await sql`UPDATE rewards.item SET state = ${state} WHERE program_id = ${desk.program.programId} AND item_id = ANY(${items.map((item) => String(item.itemId))}::bigint[])`.execute(desk.tx);
  await writeSteps(desk, items.map((item) => item.itemId), state);
}

export const placedBy = async ({ tx, program }: Desk, orderId: bigint): Promise<string> => (await row<{ placed_by: string }>(tx, sql`SELECT placed_by FROM rewards.reward_order WHERE program_id = ${program.programId} AND order_id = ${orderId}`))?.placed_by ?? '';
