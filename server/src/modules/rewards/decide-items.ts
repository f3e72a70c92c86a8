import { formatMinor } from '@premia/kernel';
import { sql } from 'kysely';
import type { Context } from '../../platform/context.ts';
import { row } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import { openPosting } from '../ledger/index.ts';
import { findProgram } from '../members/index.ts';
import { accountOf } from './accounts.ts';
import { lockItems, moveItem, placedBy, type Change, type Desk, type Item } from './items.ts';
import { railOf, type Action } from './machine.ts';
import { refuse } from './refusals.ts';
import { findReward } from './reward.ts';
import { readSettings } from './settings.ts';
import { fixTax, type FixedTax } from './tax-table.ts';
import { replaceCode } from './vouchers.ts';

/** Opens a desk: one program, one transaction, one booking day. */
export const atDesk = <T>(context: Context, programKey: string, work: (desk: Desk) => Promise<T>): Promise<T> => context.transaction(async (tx) => {
  const program = await findProgram(tx, programKey);
  return work({ tx, context, program, settings: await readSettings(tx, program), posting: await openPosting(tx, context, program) });
});

/** What the member still owes in złoty before this can be handed over: the reward's own share, and tax that cannot be kept from a thing (PIT Act art. 41(7)). */
export const dueOf = (item: Item, tax: FixedTax): bigint => item.coPay + (railOf(item.kind) !== 'money' && tax.bearer === 'WITHHOLD' ? tax.tax : 0n);

/** Approves one item: its tax row is fixed; what has to be paid first is asked for, and a code is given out at once. */
export async function approveItem(desk: Desk, item: Item, given: { by: string; accountMark: Buffer | null }): Promise<Item> {
  const tax = await fixTax(desk.tx, desk.context, desk.program, item, desk.posting.bookedOn);
  const due = dueOf(item, tax);
  const change = { approvedBy: given.by, accountMark: given.accountMark };
  if (due > 0n) return moveItem(desk, item, 'ask_payment', { ...change, reason: `${formatMinor(due, desk.program.currencyScale)} ${desk.program.currency}` });
  return giveCode(desk, await moveItem(desk, item, 'approve', change));
}

const giveCode = (desk: Desk, item: Item): Promise<Item> => (railOf(item.kind) === 'code' ? moveItem(desk, item, 'issue') : Promise.resolve(item));

/** Approves requested items. Nobody approves what they ordered themselves; of two who approve at once the second is told it is done. */
export async function approveItems(context: Context, program: string, ids: readonly bigint[]): Promise<Item[]> {
  return atDesk(context, program, async (desk) => {
    const done: Item[] = [];
    for (const item of await lockItems(desk, ids)) {
      if (item.state !== 'requested') throw refuse('action_not_possible');
      if (desk.program.settings.four_eyes.payouts && (await placedBy(desk, item.orderId)) === context.principal) throw refuse('second_person_needed');
      const account = item.kind === 'transfer' ? await accountOf(desk.tx, desk.program, item.memberId) : null;
      if (item.kind === 'transfer' && account === null) throw refuse('account_missing');
      done.push(await approveItem(desk, item, { by: context.principal, accountMark: account?.mark ?? null }));
      await audit(desk.tx, context, { action: 'order.approved', subject: `item:${item.itemId}`, programId: desk.program.programId });
    }
    return done;
  });
}

/** The steps a person takes by hand. What was paid, sent off or came back is their word, and stays in the audit under their name. */
export const HAND_ACTIONS = ['pay', 'cancel', 'ship', 'deliver', 'return', 'replace_code'] as const;
export type HandAction = (typeof HAND_ACTIONS)[number];

export async function moveItems(context: Context, program: string, ids: readonly bigint[], action: HandAction | 'reject', change: Change): Promise<Item[]> {
  return atDesk(context, program, async (desk) => {
    const done: Item[] = [];
    for (const item of await lockItems(desk, ids)) {
      done.push(await moveByHand(desk, item, action, change));
      await audit(desk.tx, context, { action: `order.${action}`, subject: `item:${item.itemId}`, programId: desk.program.programId, after: change });
    }
    return done;
  });
}

async function moveByHand(desk: Desk, item: Item, action: HandAction | 'reject', change: Change): Promise<Item> {
  if (action === 'replace_code') {
    const reward = await row<{ key: string }>(desk.tx, sql`SELECT key FROM rewards.reward WHERE program_id = ${desk.program.programId} AND reward_id = ${item.rewardId}`);
    await replaceCode(desk.tx, desk.context, desk.program, await findReward(desk.tx, desk.program.programId, reward?.key ?? '', desk.posting.bookedOn), { itemId: item.itemId, reason: change.reason ?? '', on: desk.posting.bookedOn });
    return item;
  }
  // Money leaves by a batch or a provider, never by a word: only what such a way has carried out may be called done.
  if (action === 'deliver' && railOf(item.kind) === 'money') throw refuse('action_not_possible');
  const moved = await moveItem(desk, item, action as Action, change);
  return action === 'pay' ? giveCode(desk, moved) : moved;
}

/** A member takes back what is not on its way yet. */
export async function cancelOwn(context: Context, given: { program: string; memberId: bigint; itemId: bigint }): Promise<Item> {
  return atDesk(context, given.program, async (desk) => {
    const [item] = await lockItems(desk, [given.itemId]);
    if (!item || item.memberId !== given.memberId) throw refuse('order_not_found');
    return moveItem(desk, item, 'cancel');
  });
}

/** Sends approved payouts whose account has changed back to be approved, out of any batch that was not handed over. */
export async function recallItems(desk: Desk, ids: readonly bigint[]): Promise<void> {
  for (const item of await lockItems(desk, ids)) {
    await sql`UPDATE rewards.batch_item SET live = false, outcome = 'taken_out' WHERE program_id = ${desk.program.programId} AND item_id = ${item.itemId} AND live`.execute(desk.tx);
    await moveItem(desk, item, 'recall', { reason: 'account' });
  }
}
