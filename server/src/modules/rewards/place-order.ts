import { sql } from 'kysely';
import { must, windowStart, type Day } from '@premia/kernel';
import { crashPoint } from '../../platform/crash-point.ts';
import { instant, today, type Context } from '../../platform/context.ts';
import { row, type Tx } from '../../platform/database.ts';
import { lockMembers } from '../../platform/member-lock.ts';
import { audit } from '../identity/index.ts';
import { holdUnits, openPosting, readBalances, refuse as refuseUnits, type Unit } from '../ledger/index.ts';
import { currentTerms, employerBars, findMember, findProgram, listAccepted, stateOn, type Program } from '../members/index.ts';
import { accountOf, isNew, type Account } from './accounts.ts';
import { checkBudgets } from './budgets.ts';
import { cardOf } from './cards.ts';
import { assertCompanyPays, payingFor } from './company-pays.ts';
import { approveItem } from './decide-items.ts';
import { itemColumns, ownItems, referenceOf, writeSteps, type Desk, type Item } from './items.ts';
import { refuse } from './refusals.ts';
import { assertOffered, findReward, isPooled, pieceOf, type Piece, type Reward } from './reward.ts';
import { readSettings, type PayoutSettings } from './settings.ts';
import { taxFor, type Taxed } from './tax-table.ts';
import { reserveCode } from './vouchers.ts';

export const PIECES_PER_ORDER_MAX = 50;
export type Address = { name: string; street: string; postcode: string; city: string; phone: string };
export type OrderLine = { reward: string; quantity: number; amount: bigint | null };
export type OrderDraft = { program: string; member: string; reference: string; lines: readonly OrderLine[]; address: Address | null; payFrom?: 'own' | 'company' };
export type Placed = { orderId: bigint; items: { itemId: bigint; reward: string; state: string; units: bigint; unit: string; scale: number }[] };

export const NEEDS = ['address', 'account', 'card', 'tax_profile'] as const;
export type Need = (typeof NEEDS)[number];
const REFUSED = { address: 'address_missing', account: 'account_missing', card: 'card_missing', tax_profile: 'tax_profile_missing' } as const;

type Line = { reward: Reward; piece: Piece; quantity: number; taxed: Taxed | null };

/** What the lines of an order are: rewards on offer to this member, pieces with their prices, and the tax that would be due today. In the rewards' order, so that two orders never wait for each other. */
async function linesOf(tx: Tx, context: Context, program: Program, memberId: bigint, draft: Pick<OrderDraft, 'lines'>, on: Day): Promise<Line[]> {
  const lines: Line[] = [];
  for (const wanted of draft.lines) {
    const reward = await findReward(tx, program.programId, wanted.reward, on);
    await assertOffered(tx, program.programId, reward, memberId, on);
    const piece = pieceOf(reward, wanted.amount);
    const taxed = await taxFor(tx, context, program, { kind: reward.kind, worth: piece.worth, memberId }, on);
    lines.push({ reward, piece, quantity: wanted.quantity, taxed: typeof taxed === 'string' ? null : taxed });
  }
  return lines.toSorted((a, b) => Number(a.reward.rewardId - b.reward.rewardId));
}

async function needsOf(tx: Tx, program: Program, memberId: bigint, lines: readonly Line[], address: Address | null): Promise<Need[]> {
  const of = (kind: string): boolean => lines.some((line) => line.reward.kind === kind);
  return [
    ...(of('goods') && address === null ? ['address' as const] : []), ...(of('transfer') && !(await accountOf(tx, program, memberId)) ? ['account' as const] : []),
    ...(of('prepaid') && !(await cardOf(tx, program, memberId)) ? ['card' as const] : []), ...(lines.some((line) => line.taxed?.needsProfile) ? ['tax_profile' as const] : []),
  ];
}

export type Quote = { lines: (Line & { units: bigint })[]; needs: Need[]; totals: { unit: string; scale: number; units: bigint; available: bigint }[]; company: string | null };

/** What an order would cost, take and bring, before it is placed: units, tax, and what is still missing for it. */
export async function quoteOrder(tx: Tx, context: Context, program: Program, memberId: bigint, draft: Pick<OrderDraft, 'lines' | 'address' | 'payFrom'>): Promise<Quote> {
  const on = today(context, program.zone);
  const lines = await linesOf(tx, context, program, memberId, draft, on);
  const paying = await payingFor(tx, program, memberId, on);
  const balances = await readBalances(tx, program.programId, on, { memberId: draft.payFrom === 'company' && paying ? paying.payerId : memberId });
  const totals = [...new Set(lines.map((line) => line.reward.unit))].map((unit) => {
    const of = lines.filter((line) => line.reward.unit === unit);
    return { unit, scale: of[0]?.reward.scale ?? 0, units: of.reduce((sum, line) => sum + line.piece.units * BigInt(line.quantity), 0n), available: balances.find((balance) => balance.unit === unit)?.available ?? 0n };
  });
  return { lines: lines.map((line) => ({ ...line, units: line.piece.units * BigInt(line.quantity) })), needs: await needsOf(tx, program, memberId, lines, draft.address), totals, company: paying?.company ?? null };
}

/**
 * Places an order: every piece holds its units, takes its stock or its code, and is approved at once where no person has to. All or
 * nothing; the same reference again answers with the same order.
 */
export async function placeOrder(context: Context, draft: OrderDraft): Promise<Placed> {
  return context.transaction(async (tx) => {
    const program = await findProgram(tx, draft.program);
    const { memberId } = await findMember(tx, program, draft.member);
    const posting = await openPosting(tx, context, program);
    const paying = draft.payFrom === 'company' ? await payingFor(tx, program, memberId, posting.bookedOn) : null;
    await lockMembers(tx, context.tenantId, [memberId, ...(paying ? [paying.payerId] : [])]); // before reading: a twin must wait, then find this order
    const known = await row<{ order_id: bigint }>(tx, sql`SELECT order_id FROM rewards.reward_order WHERE program_id = ${program.programId} AND member_id = ${memberId} AND reference = ${draft.reference}`);
    if (known) return placedOf(tx, program, known.order_id);
    const desk: Desk = { tx, context, program, settings: await readSettings(tx, program), posting };
    const stateAsks = await assertMayOrder(desk, memberId, draft);
    const lines = await linesOf(tx, context, program, memberId, draft, posting.bookedOn);
    const [need] = await needsOf(tx, program, memberId, lines, draft.address);
    if (need) throw refuse(REFUSED[need]);
    if (draft.payFrom === 'company') await assertCompanyPays(tx, program, memberId, paying, lines.map((line) => ({ category: line.reward.category, unitId: line.reward.unitId, units: line.piece.units * BigInt(line.quantity) })), posting.bookedOn);
    const orderId = await writeOrder(desk, memberId, lines.some((line) => line.reward.kind === 'goods') ? draft : { ...draft, address: null }); // an address is kept only where a parcel goes to it
    const account = await accountOf(tx, program, memberId);
    const accountIsNew = account !== null && isNew(account, posting.bookedOn, desk.settings.approval.new_account_days);
    for (const line of lines) {
      await assertWithinLimit(desk, memberId, line);
      const unit = await unitOf(tx, program, line.reward);
      for (let piece = 0; piece < line.quantity; piece += 1) await placePiece(desk, { orderId, memberId, payerId: paying?.payerId ?? null, account, line, unit, ask: stateAsks || asksPerson(desk.settings, line, accountIsNew) });
    }
    await checkBudgets(tx, context, program, lines.reduce((sum, line) => sum + line.piece.cost * BigInt(line.quantity), 0n));
    await audit(tx, context, { action: 'order.placed', subject: `order:${orderId}`, programId: program.programId, after: { reference: draft.reference, lines: draft.lines } });
    crashPoint('order-before-commit');
    return placedOf(tx, program, orderId);
  }).then((placed) => { crashPoint('order-after-commit'); return placed; });
}

/** Refuses who may not order at all; answers whether the member's state asks for a person to approve. */
async function assertMayOrder({ tx, program, settings, posting }: Desk, memberId: bigint, draft: OrderDraft): Promise<boolean> {
  const on = posting.bookedOn;
  if (settings.ordering === 'closed') throw refuse('ordering_closed');
  const state = await stateOn(tx, program, memberId, on);
  const stateAsks = (settings.approval.member_states as readonly string[]).includes(state);
  if (state !== 'active' && !stateAsks) throw refuse('member_cannot_order');
  const terms = await currentTerms(tx, program, on);
  if (terms?.material && !(await listAccepted(tx, program, memberId)).some((item) => item.version === terms.version)) throw refuse('terms_not_accepted');
  if (await employerBars(tx, program, memberId, on) !== null) throw refuseUnits('employer_consent_missing');
  const pieces = draft.lines.reduce((sum, line) => sum + line.quantity, 0);
  if (pieces < 1 || pieces > PIECES_PER_ORDER_MAX) throw refuse('amount_not_offered', { pl: `Najwyżej ${PIECES_PER_ORDER_MAX} sztuk w zamówieniu.`, en: `At most ${PIECES_PER_ORDER_MAX} pieces an order.` });
  return stateAsks;
}

async function writeOrder({ tx, context, program, posting }: Desk, memberId: bigint, draft: OrderDraft): Promise<bigint> {
  const address = draft.address === null ? null : context.db.vault.seal(context.tenantId, JSON.stringify(draft.address));
  return must(await row<{ order_id: bigint }>(tx, sql`INSERT INTO rewards.reward_order (tenant_id, program_id, member_id, reference, placed_by, placed_at, placed_on, address) VALUES (${context.tenantId}, ${program.programId}, ${memberId}, ${draft.reference}, ${context.principal}, ${instant(context)}, ${posting.bookedOn}, ${address}) RETURNING order_id`), 'order').order_id;
}

/** A member's limit of this reward in the window of today, counting what was not given back. */
async function assertWithinLimit({ tx, program, posting }: Desk, memberId: bigint, { reward, quantity }: Line): Promise<void> {
  if (reward.limitCount === null) return;
  const window = reward.limitWindow ?? 'program';
  const from = window === 'program' ? '-infinity' : windowStart(posting.bookedOn, window);
  const { n } = must(await row<{ n: number }>(tx, sql`SELECT count(*)::int AS n FROM rewards.item AS i WHERE i.program_id = ${program.programId} AND ${ownItems(memberId)} AND i.reward_id = ${reward.rewardId} AND i.placed_on >= ${from}::date AND i.state NOT IN ('rejected', 'cancelled', 'failed', 'returned')`), 'count');
  if (n + quantity > reward.limitCount) throw refuse('limit_reached', { pl: `„${reward.names.pl}”: najwyżej ${reward.limitCount}.`, en: `“${reward.names.en}”: at most ${reward.limitCount}.` });
}

/** Whether a person has to approve: the reward or its kind says so, it is worth much, its tax is not clear, or money goes to an account of yesterday. */
function asksPerson({ approval }: PayoutSettings, { reward, piece, taxed }: Line, accountIsNew: boolean): boolean {
  return reward.approval === 'always' || approval.kinds.includes(reward.kind) || piece.worth >= BigInt(approval.from_minor) || taxed === null || (reward.kind === 'transfer' && accountIsNew);
}

async function placePiece(desk: Desk, { orderId, memberId, payerId, account, line, unit, ask }: { orderId: bigint; memberId: bigint; payerId: bigint | null; account: Account | null; line: Line; unit: Unit; ask: boolean }): Promise<void> {
  const { tx, context, program, posting } = desk;
  const { reward, piece } = line;
  const item = must(await row<Item>(tx, sql`INSERT INTO rewards.item AS i (tenant_id, program_id, order_id, member_id, reward_id, kind, state, unit_id, units, worth_minor, co_pay_minor, cost_minor, placed_on, payer_id)
    VALUES (${context.tenantId}, ${program.programId}, ${orderId}, ${memberId}, ${reward.rewardId}, ${reward.kind}, 'requested', ${reward.unitId}, ${piece.units}, ${piece.worth}, ${reward.coPay}, ${piece.cost}, ${posting.bookedOn}, ${payerId}) RETURNING ${itemColumns}`), 'item');
  const hold = await holdUnits(tx, { ...posting, memberId: payerId ?? memberId, unitId: reward.unitId }, unit, { amount: piece.units, reference: referenceOf(item.itemId) });
  if (hold.memberId !== (payerId ?? memberId) || hold.amount !== piece.units || hold.state !== 'held') throw new Error(`the hold of item ${item.itemId} is not its own`);
  await takeStock(tx, program, reward, item.itemId, posting.bookedOn); // after the hold: who takes the last one can pay for it
  await writeSteps(desk, [item.itemId], 'requested');
  if (!ask) await approveItem(desk, item, { by: 'policy', accountMark: reward.kind === 'transfer' ? account?.mark ?? null : null });
}

async function takeStock(tx: Tx, program: Program, reward: Reward, itemId: bigint, on: Day): Promise<void> {
  const taken = isPooled(reward.kind) ? await reserveCode(tx, program, reward, itemId, on)
    : reward.stock === null || (await row(tx, sql`UPDATE rewards.reward SET stock = stock - 1 WHERE program_id = ${program.programId} AND reward_id = ${reward.rewardId} AND stock > 0 RETURNING stock`)) !== undefined;
  if (!taken) throw refuse('out_of_stock', { pl: `„${reward.names.pl}”`, en: `“${reward.names.en}”` });
}

async function unitOf(tx: Tx, program: Program, reward: Reward): Promise<Unit> {
  return must(await row<Unit>(tx, sql`SELECT unit_id AS "unitId", scale, smallest_redemption AS "smallestRedemption", grace_days AS "graceDays" FROM ledger.unit WHERE program_id = ${program.programId} AND unit_id = ${reward.unitId}`), 'unit');
}

async function placedOf(tx: Tx, program: Program, orderId: bigint): Promise<Placed> {
  const { rows: items } = await sql<Placed['items'][number]>`SELECT i.item_id AS "itemId", r.key AS reward, i.state, i.units, u.key AS unit, u.scale FROM rewards.item AS i JOIN rewards.reward AS r ON r.tenant_id = i.tenant_id AND r.program_id = i.program_id AND r.reward_id = i.reward_id JOIN ledger.unit AS u ON u.tenant_id = i.tenant_id AND u.program_id = i.program_id AND u.unit_id = i.unit_id
    WHERE i.program_id = ${program.programId} AND i.order_id = ${orderId} ORDER BY i.item_id`.execute(tx);
  return { orderId, items };
}
