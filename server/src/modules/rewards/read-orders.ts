import { sql } from 'kysely';
import { formatMinor, type Phrase } from '@premia/kernel';
import { today, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { keyset, likeOf, paged, type Sortable } from '../../platform/keyset.ts';
import type { Program } from '../members/index.ts';
import { externalIdOf, itemColumns, ownItems, type Item } from './items.ts';
import type { State } from './machine.ts';
import { profileOf } from './profiles.ts';
import { refuse } from './refusals.ts';
import type { Address } from './place-order.ts';
import type { FixedTax } from './tax-table.ts';

export type OrderRow = Item & FixedTaxOrNot & { reward: string; rewardName: Phrase; member: string; name: string | null; unit: string; scale: number; placedAt: Date; placedBy: string; account4: string | null; batchId: bigint | null };
type FixedTaxOrNot = { [name in keyof FixedTax]: FixedTax[name] | null };
export type Step = { itemId: bigint; state: State; at: Date; by: string; reason: string | null };

const from = sql`rewards.item AS i JOIN rewards.reward_order AS o ON o.tenant_id = i.tenant_id AND o.program_id = i.program_id AND o.order_id = i.order_id JOIN rewards.reward AS r ON r.tenant_id = i.tenant_id AND r.program_id = i.program_id AND r.reward_id = i.reward_id
  JOIN ledger.unit AS u ON u.tenant_id = i.tenant_id AND u.program_id = i.program_id AND u.unit_id = i.unit_id JOIN members.member AS own ON own.tenant_id = i.tenant_id AND own.program_id = i.program_id AND own.member_id = i.member_id JOIN members.member AS m ON m.tenant_id = own.tenant_id AND m.program_id = own.program_id AND m.member_id = COALESCE(own.merged_into, own.member_id)
  LEFT JOIN members.person AS p ON p.tenant_id = m.tenant_id AND p.program_id = m.program_id AND p.member_id = m.member_id LEFT JOIN rewards.item_tax AS t ON t.tenant_id = i.tenant_id AND t.program_id = i.program_id AND t.item_id = i.item_id`;
const columns = sql`${itemColumns}, r.key AS reward, r.names AS "rewardName", m.code AS member, p.name, u.key AS unit, u.scale, o.placed_at AS "placedAt", o.placed_by AS "placedBy", t.code, t.version, t.form, t.bearer, t.income_minor AS income, t.base_minor AS base, t.tax_minor AS tax, t.pay_minor AS pay, t.extra_minor AS extra,
  CASE WHEN i.kind = 'transfer' THEN (SELECT a.last4 FROM rewards.account AS a WHERE a.tenant_id = m.tenant_id AND a.program_id = m.program_id AND a.member_id = m.member_id ORDER BY a.account_id DESC LIMIT 1) END AS account4, (SELECT b.batch_id FROM rewards.batch_item AS b WHERE b.tenant_id = i.tenant_id AND b.program_id = i.program_id AND b.item_id = i.item_id ORDER BY b.batch_id DESC LIMIT 1) AS "batchId"`;

export type OrdersPage = { state?: string | undefined; kind?: string | undefined; search?: string | undefined; memberId?: bigint; orderId?: bigint; itemId?: bigint; open?: boolean; sort?: string | undefined; after?: string | undefined; limit: number };
const SORTED: Sortable = { item: ['i.item_id', 'number', 'itemId'], member: ['m.code', 'text'], reward: ['r.key', 'text'], units: ['i.units', 'number'], worth: ['i.worth_minor', 'number'], state: ['i.state', 'text'] };

/** Pieces of orders, newest first, or as asked. */
export const listOrders = async (tx: Tx, program: Program, page: OrdersPage): Promise<OrderRow[]> => (await pageOrders(tx, program, page)).rows;

export async function pageOrders(tx: Tx, program: Program, page: OrdersPage): Promise<{ rows: OrderRow[]; next: string | null }> {
  const { beyond, order, cursor } = keyset<OrderRow>(SORTED, 'item', { sort: page.sort ?? '-item', after: page.after });
  const like = likeOf(page.search);
  const found = await rows<OrderRow>(tx, sql`SELECT ${columns} FROM ${from} WHERE i.program_id = ${program.programId} AND ${beyond} AND (${page.state ?? null}::text IS NULL OR i.state = ${page.state ?? null}) AND (${page.kind ?? null}::text IS NULL OR i.kind = ${page.kind ?? null})
    AND (${page.orderId ?? null}::bigint IS NULL OR i.order_id = ${page.orderId ?? null}) AND (${page.itemId ?? null}::bigint IS NULL OR i.item_id = ${page.itemId ?? null}) AND ${page.memberId === undefined ? sql`TRUE` : ownItems(page.memberId)} AND (NOT ${page.open ?? false} OR i.state IN ('requested', 'awaiting_payment', 'approved', 'batched', 'exported', 'sent', 'shipped'))
    AND (${like}::text IS NULL OR m.code ILIKE ${like} OR p.name ILIKE ${like} OR r.key ILIKE ${like} OR r.names::text ILIKE ${like} OR i.item_id::text = ${page.search ?? null} OR i.tracking ILIKE ${like}) ORDER BY ${order} LIMIT ${page.limit + 1}`);
  return paged(found, page.limit, cursor);
}

export const stepsOf = (tx: Tx, program: Program, ids: readonly bigint[]): Promise<Step[]> => rows<Step>(tx, sql`SELECT item_id AS "itemId", state, at, by, reason FROM rewards.step WHERE program_id = ${program.programId} AND item_id = ANY(${ids.map(String)}::bigint[]) ORDER BY step_id`);

export async function addressOf(tx: Tx, context: Context, program: Program, orderId: bigint): Promise<Address | null> {
  const found = await row<{ address: Buffer | null }>(tx, sql`SELECT address FROM rewards.reward_order WHERE program_id = ${program.programId} AND order_id = ${orderId}`);
  return found?.address ? JSON.parse(context.db.vault.open(context.tenantId, found.address).toString()) as Address : null;
}

/** What waits for somebody: to be approved, to be put into a batch or sent off, batches, and pools that run low. */
export async function readOrderWaits(tx: Tx, program: Program): Promise<Record<'orders' | 'to_send' | 'batches' | 'low_stock', number>> {
  return (await row<Record<'orders' | 'to_send' | 'batches' | 'low_stock', number>>(tx, sql`SELECT (SELECT count(*) FROM rewards.item WHERE program_id = ${program.programId} AND state = 'requested')::int AS orders, (SELECT count(*) FROM rewards.item WHERE program_id = ${program.programId} AND state IN ('approved', 'awaiting_payment'))::int AS to_send,
    (SELECT count(*) FROM rewards.batch WHERE program_id = ${program.programId} AND state IN ('proposed', 'approved', 'exported'))::int AS batches,
    (SELECT count(*) FROM rewards.reward AS r WHERE r.program_id = ${program.programId} AND r.state = 'active' AND r.low_stock > 0 AND r.low_stock > COALESCE(CASE WHEN r.kind IN ('voucher', 'code') THEN (SELECT count(*) FROM rewards.voucher AS v WHERE v.tenant_id = r.tenant_id AND v.program_id = r.program_id AND v.reward_id = r.reward_id AND v.state = 'available') ELSE r.stock END, r.low_stock))::int AS low_stock`)) ?? { orders: 0, to_send: 0, batches: 0, low_stock: 0 };
}

/** Everything that proves one payout: what was ordered and held, who decided, the tax row with its inputs and digest, the file or provider that carried it, the terms that were accepted. */
export async function readEvidence(tx: Tx, program: Program, itemId: bigint): Promise<Record<string, unknown>> {
  const [item] = await listOrders(tx, program, { itemId, limit: 1 });
  if (!item) throw refuse('order_not_found');
  const many = (statement: ReturnType<typeof sql>): Promise<Record<string, unknown>[]> => rows(tx, statement);
  return {
    program: program.key, item: item.itemId, external_id: externalIdOf(program.programId, itemId), order: item.orderId, member: item.member, reward: item.reward, kind: item.kind, state: item.state, units: item.units, unit: item.unit, worth_minor: item.worth, placed_by: item.placedBy, placed_at: item.placedAt.toISOString(), approved_by: item.approvedBy, given_on: item.givenOn, carrier: item.carrier, tracking: item.tracking, provider_ref: item.providerRef,
    steps: (await stepsOf(tx, program, [itemId])).map((step) => ({ ...step, at: step.at.toISOString() })),
    tax: await many(sql`SELECT code, version, digest, inputs, form, bearer, income_minor, base_minor, tax_minor, pay_minor, extra_minor, fixed_on FROM rewards.item_tax WHERE program_id = ${program.programId} AND item_id = ${itemId}`),
    tax_entries: await many(sql`SELECT payer, year, form, kind, income_minor, tax_minor, booked_on, after_form FROM rewards.tax_entry WHERE program_id = ${program.programId} AND item_id = ${itemId} ORDER BY entry_id`),
    batches: await many(sql`SELECT b.batch_id, b.format, b.sha256, b.proposed_by, b.approved_by, b.exported_by, l.line, l.amount_minor, l.outcome, l.provider_ref, l.reason FROM rewards.batch_item AS l JOIN rewards.batch AS b ON b.tenant_id = l.tenant_id AND b.program_id = l.program_id AND b.batch_id = l.batch_id WHERE l.program_id = ${program.programId} AND l.item_id = ${itemId} ORDER BY b.batch_id`),
    ledger: await many(sql`SELECT t.transfer_id, t.kind, t.amount, t.booked_on, t.reference FROM ledger.transfer AS t JOIN ledger.hold AS h ON h.tenant_id = t.tenant_id AND h.program_id = t.program_id AND h.member_id = t.member_id AND t.reference = 'hold:' || h.hold_id WHERE t.program_id = ${program.programId} AND h.reference = ${`item:${itemId}`} ORDER BY t.transfer_id`),
    terms: await many(sql`SELECT a.version, a.accepted_at FROM members.acceptance AS a JOIN members.member AS m ON m.tenant_id = a.tenant_id AND m.program_id = a.program_id AND m.member_id = a.member_id WHERE a.program_id = ${program.programId} AND m.code = ${item.member} ORDER BY a.version`),
  };
}

/** Everything recorded about a member here, for whoever asks for their data: orders with every step and address, account and card by their last digits, data for the tax office, income by year. */
export async function rewardsAbout(tx: Tx, context: Context, program: Program, member: { memberId: bigint }): Promise<Record<string, unknown>> {
  const orders = await listOrders(tx, program, { memberId: member.memberId, limit: EXPORT_MAX });
  const steps = await stepsOf(tx, program, orders.map((order) => order.itemId));
  const addresses: Record<string, Address> = {};
  for (const orderId of new Set(orders.map((order) => order.orderId))) { const address = await addressOf(tx, context, program, orderId); if (address) addresses[String(orderId)] = address; }
  const profile = await profileOf(tx, context, program, member.memberId, today(context, program.zone));
  const own = sql`program_id = ${program.programId} AND member_id = ${member.memberId}`;
  return {
    rewards: {
      orders: orders.map((order) => ({ order: order.orderId, item: order.itemId, reward: order.reward, state: order.state, units: formatMinor(order.units, order.scale), unit: order.unit, worth: formatMinor(order.worth, program.currencyScale), placed_at: order.placedAt.toISOString(), given_on: order.givenOn, reason: order.reason, tracking: order.tracking, steps: steps.filter((step) => step.itemId === order.itemId).map((step) => ({ state: step.state, at: step.at.toISOString() })) })), addresses,
      wishes: await rows(tx, sql`SELECT r.key FROM rewards.wish AS w JOIN rewards.reward AS r ON r.tenant_id = w.tenant_id AND r.program_id = w.program_id AND r.reward_id = w.reward_id WHERE w.program_id = ${program.programId} AND w.member_id = ${member.memberId} ORDER BY r.key`),
      accounts: await rows(tx, sql`SELECT last4, saved_on FROM rewards.account WHERE ${own} ORDER BY account_id`), cards: await rows(tx, sql`SELECT last4, state, issued_on FROM rewards.card WHERE ${own} ORDER BY card_id`),
      tax: { status: profile.status, data: profile.data, entries: await rows(tx, sql`SELECT payer, year, form, kind, income_minor, tax_minor, booked_on FROM rewards.tax_entry WHERE ${own} ORDER BY entry_id`) },
    },
  };
}
const EXPORT_MAX = 50_000;
