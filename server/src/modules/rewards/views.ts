import { formatMinor } from '@premia/kernel';
import type { Program } from '../members/index.ts';
import { STATE_WORDS, next } from './machine.ts';
import type { Batch, BatchLine } from './batches.ts';
import type { OrderRow, Step } from './read-orders.ts';
import type { Reward } from './reward.ts';

/** How the module's things look to the world: amounts as decimals, moments as texts. */
const dayOrNull = (day: string): string | null => (day === 'infinity' || day === '-infinity' ? null : day);
const limitOf = (reward: Reward): unknown => (reward.limitCount === null ? null : { count: reward.limitCount, window: reward.limitWindow ?? 'program' });

export function shownReward(program: Program, reward: Reward): Record<string, unknown> {
  const money = (minor: bigint | null): string | null => (minor === null ? null : formatMinor(minor, program.currencyScale));
  return { key: reward.key, kind: reward.kind, name: reward.names, description: reward.descriptions, category: reward.category, unit: reward.unit, price: formatMinor(reward.price, reward.scale), worth: money(reward.worth), co_pay: money(reward.coPay), least: money(reward.least), most: money(reward.most), free: reward.free === null ? null : Number(reward.free), limit: limitOf(reward), picture: reward.picture };
}
export const rewardView = (program: Program, reward: Reward): Record<string, unknown> => ({
  ...shownReward(program, reward), state: reward.state, stock: reward.stock === null ? null : Number(reward.stock), valid_from: dayOrNull(reward.validFrom), valid_to: dayOrNull(reward.validTo), audience: reward.audience, approval: reward.approval, provider: reward.provider, cost: formatMinor(reward.cost, program.currencyScale), vat_rate: reward.vatRate, vat_kind: reward.vatKind, vat_deducted: reward.vatDeducted, low_value_register: reward.lowValueRegister, supplier: reward.supplier, least_days: reward.leastDays, low_stock: reward.lowStock,
});

/** Who did something: a person's name where it is known. */
export type Names = ReadonlyMap<string, string>;
export const called = (names: Names, principal: string): string => names.get(principal) ?? principal;
export const calledOrNull = (names: Names, principal: string | null): string | null => (principal === null ? null : called(names, principal));

export function orderRowView(program: Program, row: OrderRow, names: Names): Record<string, unknown> {
  const money = (minor: bigint): string => formatMinor(minor, program.currencyScale);
  return {
    item: row.itemId, order: row.orderId, member: row.member, name: row.name, reward: row.reward, reward_name: row.rewardName, kind: row.kind, state: row.state, state_name: STATE_WORDS[row.state], units: formatMinor(row.units, row.scale), unit: row.unit, worth: money(row.worth), co_pay: money(row.coPay), cost: money(row.cost + (row.extra ?? 0n)), placed_at: row.placedAt.toISOString(), placed_by: called(names, row.placedBy), approved_by: calledOrNull(names, row.approvedBy), given_on: row.givenOn,
    reason: row.reason, carrier: row.carrier, tracking: row.tracking, account: row.account4, batch: row.batchId, tax: row.code === null ? null : { code: row.code, form: row.form, bearer: row.bearer, income: money(row.income ?? 0n), tax: money(row.tax ?? 0n), pay: money(row.pay ?? 0n), extra: money(row.extra ?? 0n) },
  };
}

export const orderView = (program: Program, rows: readonly OrderRow[], steps: readonly Step[], names: Names, address: unknown): Record<string, unknown> => ({
  order: rows[0]?.orderId, placed_at: rows[0]?.placedAt.toISOString(), address,
  items: rows.map((row) => ({ ...orderRowView(program, row, names), steps: steps.filter((step) => step.itemId === row.itemId).map((step) => ({ state: step.state, state_name: STATE_WORDS[step.state], at: step.at.toISOString(), by: called(names, step.by), reason: step.reason })), cancellable: next(row.kind, row.state, 'cancel') !== null })),
});

export const batchLineView = (program: Program, line: BatchLine): Record<string, unknown> => ({ line: line.line, item: line.itemId, member: line.member, name: line.name, amount: formatMinor(line.amount, program.currencyScale), outcome: line.outcome, provider_ref: line.providerRef, reason: line.reason });
export const batchView = (program: Program, batch: Batch, names: Names): Record<string, unknown> => ({
  id: batch.batchId, rail: batch.rail, format: batch.format, state: batch.state, execute_on: batch.executeOn, items: batch.items, total: formatMinor(batch.total, program.currencyScale), proposed_by: called(names, batch.proposedBy), approved_by: calledOrNull(names, batch.approvedBy), exported_by: calledOrNull(names, batch.exportedBy), file_name: batch.fileName, sha256: batch.sha256, proposed_at: batch.proposedAt.toISOString(), exported_at: batch.exportedAt?.toISOString() ?? null,
});
