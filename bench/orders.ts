import { sql } from 'kysely';
import { must } from '@premia/kernel';
import { captureHold, holdUnits, openPosting, proposeAdjustment, approveAdjustment, type Unit } from '../server/src/modules/ledger/index.ts';
import { findMember, findProgram, saveMembers, saveStates } from '../server/src/modules/members/index.ts';
import { approveBatch, approveItems, confirmBatch, confirmTaxRule, exportBatch, issueCard, listTaxRules, placeOrder, proposeBatch, saveReward, saveSettings, settingsShape, type RewardDraft } from '../server/src/modules/rewards/index.ts';
import type { Context } from '../server/src/platform/context.ts';
import { verifyAll } from '../server/src/verify.ts';
import { rounded, withBenchWorld } from './bench-world.ts';

/** Orders of one piece, one after another and many at once, beside a bare hold and capture in the same transaction shape; then a batch of payouts from proposal to confirmation. */
const MEMBERS = 400;
const ORDERS = Number(process.env['BENCH_ORDERS'] ?? 1_200);
const AT_ONCE = 16;
const base = { state: 'active', description: { pl: '', en: '' }, category: '', unit: 'points', price: '1', worth: '1.00', co_pay: '0', least: null, most: null, limit: null, valid_from: null, valid_to: null, audience: {}, approval: 'policy', provider: null, cost: '1.00', vat_rate: '23%', vat_kind: 'none', vat_deducted: false, low_value_register: false, supplier: '', least_days: 0, low_stock: 0 } as const;
const rewards: RewardDraft[] = [{ ...base, key: 'kettle', kind: 'goods', name: { pl: 'Czajnik', en: 'Kettle' }, stock: 1_000_000 }, { ...base, key: 'card', kind: 'prepaid', name: { pl: 'Karta', en: 'Card' } }];
const address = { name: 'A', street: 'B 1', postcode: '00-001', city: 'C', phone: '' };
const code = (n: number): string => `m${n % MEMBERS}`;

async function prepare(context: Context): Promise<Unit> {
  return context.transaction(async (tx) => {
    const program = await findProgram(tx, 'bench');
    await saveMembers(tx, context.tenantId, program, Array.from({ length: MEMBERS }, (_, n) => ({ code: code(n), kind: 'company' as const, from: '2025-01-01' })), '2026-01-15');
    await saveStates(tx, context.tenantId, program, Array.from({ length: MEMBERS }, (_, n) => ({ member: code(n), state: 'active' as const, from: '2025-01-01' })));
    for (const rule of await listTaxRules(tx, context)) await confirmTaxRule(tx, context, rule.ruleId);
    await saveSettings(tx, context, program, settingsShape.parse({}));
    for (const reward of rewards) await saveReward(tx, context, program, reward);
    const posting = await openPosting(tx, context, program);
    const unit = must((await sql<Unit>`SELECT unit_id AS "unitId", scale, smallest_redemption AS "smallestRedemption", grace_days AS "graceDays" FROM ledger.unit WHERE program_id = ${program.programId}`.execute(tx)).rows[0], 'unit');
    for (let n = 0; n < MEMBERS; n += 1) {
      const { memberId } = await findMember(tx, program, code(n));
      await approveAdjustment(tx, posting, await proposeAdjustment(tx, { ...posting, memberId, unitId: unit.unitId }, { amount: 1_000n, reason: 'bench', principal: 'a' }), 'b', true);
      await issueCard(tx, context, program, { memberId, proxy: `CARD-${n}`, last4: '0000', on: '2026-01-01' });
    }
    return unit;
  });
}

/** Does the work so many at a time; answers how many a second, and the median of one, in ms. */
async function timed(count: number, atOnce: number, work: (n: number) => Promise<unknown>): Promise<{ per_s: number; p50_ms: number }> {
  const took: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(Array.from({ length: atOnce }, async () => { for (let n = next++; n < count; n = next++) { const at = performance.now(); await work(n); took.push(performance.now() - at); } }));
  return { per_s: Math.round(count / ((performance.now() - started) / 1_000)), p50_ms: rounded(took.toSorted((a, b) => a - b)[took.length >> 1] ?? 0, 1) };
}

export async function run(): Promise<Record<string, unknown>> {
  return withBenchWorld({ mechanics: 1, connections: AT_ONCE + 2 }, async ({ context }) => {
    const unit = await prepare(context);
    const as = (principal: string): Context => ({ ...context, principal });
    let made = 0;
    const order = (reward: string) => (n: number): Promise<unknown> => { made += 1; return placeOrder(as('m'), { program: 'bench', member: code(n), reference: `o${made}`, lines: [{ reward, quantity: 1, amount: null }], address }); };
    const bare = (n: number): Promise<unknown> => { made += 1; const reference = `h${made}`; return context.transaction(async (tx) => { const program = await findProgram(tx, 'bench'); const command = { ...await openPosting(tx, context, program), memberId: (await findMember(tx, program, code(n))).memberId, unitId: unit.unitId }; const hold = await holdUnits(tx, command, unit, { amount: 1n, reference }); await captureHold(tx, command, hold.holdId); }); };
    await timed(50, 4, order('kettle')); // connections and statements warm
    const alone = { order: await timed(ORDERS / 4, 1, order('kettle')), hold: await timed(ORDERS / 4, 1, bare) };
    const many = { order: await timed(ORDERS, AT_ONCE, order('kettle')), hold: await timed(ORDERS, AT_ONCE, bare) };
    process.stderr.write('a batch …\n');
    await timed(ORDERS, AT_ONCE, order('card'));
    const waiting = (await context.transaction(async (tx) => (await sql<{ id: bigint }>`SELECT item_id AS id FROM rewards.item WHERE state = 'requested' ORDER BY item_id`.execute(tx)).rows)).map((item) => item.id);
    const steps: Record<string, number> = {};
    const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => { const at = performance.now(); const done = await work(); steps[`${name}_s`] = rounded((performance.now() - at) / 1_000, 2); return done; };
    await step('approve', async () => { for (let at = 0; at < waiting.length; at += 200) await approveItems(as('adam'), 'bench', waiting.slice(at, at + 200)); });
    const batch = await step('propose', () => proposeBatch(as('olga'), 'bench', { rail: 'prepaid', format: 'topup', executeOn: '2026-01-16' }));
    await approveBatch(as('adam'), 'bench', batch);
    await step('export', () => exportBatch(as('wiktor'), 'bench', batch));
    await step('confirm', () => confirmBatch(as('olga'), 'bench', batch, { rest: 'loaded' }));
    const verified = await verifyAll(context, 'bench');
    return { benchmark: 'orders', order_alone_per_s: alone.order.per_s, order_alone_p50_ms: alone.order.p50_ms, hold_alone_per_s: alone.hold.per_s, hold_alone_p50_ms: alone.hold.p50_ms, at_once: AT_ONCE, order_per_s: many.order.per_s, order_p50_ms: many.order.p50_ms, hold_per_s: many.hold.per_s, hold_p50_ms: many.hold.p50_ms, batch_items: waiting.length, ...steps, differences: verified.differences };
  });
}
