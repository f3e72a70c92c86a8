import { afterAll, beforeAll, expect, test } from 'vitest';
import { dice, formatMinor, split } from '@premia/kernel';
import { holdUnits, captureHold, findUnit } from '../../server/src/modules/ledger/index.ts';
import { findProgram } from '../../server/src/modules/members/index.ts';
import { openSettling } from '../../server/src/modules/entitlements/index.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred, type SaleGiven, type World } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const RULES = [
  perHundred,
  { key: 'quarter', from: '2025-01-01', earner: { role: 'buyer' }, measure: { is: 'sum', of: 'net' }, window: 'quarter', curve: { is: 'steps', steps: [{ reach: 500, units: 300 }, { reach: 1_000, units: 800 }] }, award: { unit: 'points' } },
  { key: 'weekend', from: '2025-01-01', earner: { role: 'buyer' }, facts: { where: { is: 'atLeast', field: 'weekday', value: 6 } }, measure: { is: 'sum', of: 'net' }, window: 'line', curve: { is: 'per', units: 1, every: 10 }, award: { unit: 'points' } },
  { key: 'large', from: '2025-01-01', earner: { role: 'buyer' }, facts: { where: { is: 'atLeast', field: 'document_net', value: 1_000 } }, measure: { is: 'count', of: 'documents' }, window: 'month', curve: { is: 'per', units: 50, every: 1 }, award: { unit: 'stars' } },
  { key: 'rebate', from: '2025-01-01', earner: { role: 'rep' }, measure: { is: 'sum', of: 'net' }, window: 'month', curve: { is: 'bands', mode: 'marginal', bands: [{ from: 0, rate: '0.5%' }, { from: 400, rate: '1.25%' }] }, rounding: 'half_up', award: { unit: 'pln', expires: { months: 12, end: 'month' } } },
  { key: 'badge', from: '2025-01-01', earner: { role: 'buyer' }, measure: { is: 'awarded', unit: 'points' }, window: 'year', curve: { is: 'steps', steps: [{ reach: 100, units: 1 }] }, award: { unit: 'stars' } },
];
const TIERS = [{ key: 'club', measure: { is: 'sum', of: 'net' }, period: 'year', tiers: [{ key: 'silver', from: 500 }, { key: 'gold', from: 1_000 }] }];

async function spend(world: World, member: string, amount: bigint): Promise<void> {
  await world.context.transaction(async (tx) => {
    const program = await findProgram(tx, 'p');
    const settling = await openSettling(tx, world.context, program);
    const unit = await findUnit(tx, program.programId, 'points');
    const { memberId } = await world.balance(member);
    const command = { tenantId: world.context.tenantId, programId: program.programId, bookedOn: settling.bookedOn, bookedAt: settling.bookedAt, runSeq: settling.runSeq, memberId, unitId: unit.unitId };
    const hold = await holdUnits(tx, command, unit, { amount, reference: `order-${settling.runSeq}` });
    await captureHold(tx, command, hold.holdId);
  });
}

const tiersOf = (world: World): Promise<unknown[]> => installation.admin('SELECT * FROM entitlements.tier_interval WHERE tenant_id = $1', [world.context.tenantId]);

test('earn across a quarter target, a weekend and an amount; return in three linked parts, one before its sale, down to nothing: zero', async () => {
  const world = await aWorld(await installation.tenant(), aProgram(RULES, { tier_sets: TIERS }));
  const parts: SaleGiven[] = [
    { on: '2026-04-07', net: '-333.33', qty: '-1', base: 'FV/1', baseLine: '1', rep: 'r' }, { on: '2026-03-30', net: '-333.33', qty: '-1', base: 'FV/1', baseLine: '1', rep: 'r' }, { on: '2026-05-02', net: '-533.34', qty: '-2', base: 'FV/1', baseLine: '1', rep: 'r' },
  ];
  await world.sell(parts[2] as SaleGiven); // one return comes before its sale
  expect(await world.total()).toBe(0n);
  await world.sell({ on: '2026-03-28', net: '1200.00', qty: '4', number: 'FV/1', rep: 'r' }); // a Saturday
  // 666.66 is left: 6 × 5 per hundred, 300 for the quarter's 500, 66 for the weekend; the large document is large no more.
  expect(await world.total()).toBe(30n + 300n + 66n);
  expect(await world.total('shop', 'stars')).toBe(1n);
  await world.sell(parts[0] as SaleGiven);
  await world.sell(parts[1] as SaleGiven);
  for (const [member, unit] of [['shop', 'points'], ['shop', 'stars'], ['r', 'pln']] as const) expect(await world.balance(member, unit), `${member} ${unit}`).toMatchObject({ available: 0n, debt: 0n, total: 0n });
  expect((await tiersOf(world)).length).toBeGreaterThan(0); // silver and gold were reached on their day, and what the returns' own days say now stands
  await world.verified();
});

test('the same with half already spent: debt appears, and the next earning settles it', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-03-28', net: '1000.00', number: 'FV/1' });
  await spend(world, 'shop', 25n);
  await world.sell({ on: '2026-04-02', net: '-1000.00', base: 'FV/1', baseLine: '1' });
  expect(await world.balance()).toMatchObject({ available: 0n, debt: 25n, total: -25n });
  await world.sell({ on: '2026-04-03', net: '800.00' });
  expect(await world.balance()).toMatchObject({ available: 15n, debt: 0n, total: 15n });
  await world.verified();
});

test('shares of a split sale come back to the last grosz, in any parts and order', async () => {
  const d = dice(5);
  for (let round = 0; round < 12; round += 1) {
    const world = await aWorld(await installation.tenant(), aProgram([{ ...perHundred, key: 'rep', earner: { role: 'rep' }, curve: { is: 'per', units: 1, every: '0.01' } }]));
    const net = BigInt(d.between(1, 99_999));
    const shares = ['x', 'y', 'z'].map((ref) => ({ ref: `code:${ref}`, weight: String(d.between(1, 7)) }));
    const weights = [1n, BigInt(d.between(0, 9)), BigInt(d.between(0, 9)), 2n];
    const returns = split(net, weights).filter((part) => part > 0n).map((part) => ({ on: '2026-04-10', net: formatMinor(-part, 2), qty: '0', base: 'S', baseLine: '1' }));
    const sale = { on: '2026-03-10', net: formatMinor(net, 2), number: 'S', shares };
    for (const event of d.shuffle<SaleGiven>([sale, ...returns])) await world.sell(event);
    for (const member of ['x', 'y', 'z']) expect(await world.total(member), `round ${round}, ${member}`).toBe(0n);
    await world.verified();
  }
});

test('the same facts in any order and any batches give the same totals (30 shuffles)', async () => {
  const d = dice(11);
  const sales: SaleGiven[] = [];
  for (let n = 0; n < 40; n += 1) {
    const number = `D${n}`;
    sales.push({ on: `2026-0${d.between(1, 6)}-${String(d.between(10, 28))}`, net: formatMinor(BigInt(d.between(1, 90_000)), 2), number, buyer: d.pick(['a', 'b', 'c']), rep: d.pick(['r', 's']) });
    if (d.next() < 0.5) sales.push({ on: `2026-0${d.between(1, 6)}-${String(d.between(10, 28))}`, net: formatMinor(BigInt(-d.between(1, 20_000)), 2), qty: '0', base: number, baseLine: '1', number: `K${n}` });
    if (d.next() < 0.2) sales.push({ on: '2026-05-05', net: formatMinor(BigInt(-d.between(1, 90_000)), 2), kind: 'return', number: `Z${n}`, buyer: d.pick(['a', 'b', 'c']) });
  }
  let expected: string | null = null;
  for (let round = 0; round < 30; round += 1) {
    const world = await aWorld(await installation.tenant(), aProgram(RULES, { tier_sets: TIERS }));
    const order = d.shuffle(sales);
    for (let at = 0; at < order.length;) { const size = d.between(1, 25); await world.sell(...order.slice(at, at + size)); at += size; }
    await world.sell(...d.shuffle(sales).slice(0, 10)); // some of it twice
    const totals = await installation.admin<{ line: string }>(`SELECT concat_ws(' ', m.code, u.key, w.balance - w.debt) AS line FROM ledger.wallet AS w JOIN members.member AS m ON m.tenant_id = w.tenant_id AND m.member_id = w.member_id JOIN ledger.unit AS u ON u.tenant_id = w.tenant_id AND u.unit_id = w.unit_id WHERE w.tenant_id = $1 AND w.balance - w.debt <> 0 ORDER BY 1`, [world.context.tenantId]);
    const tiers = await installation.admin<{ line: string }>(`SELECT concat_ws(' ', m.code, t.valid_from, t.valid_to, t.tier) AS line FROM entitlements.tier_interval AS t JOIN members.member AS m ON m.tenant_id = t.tenant_id AND m.member_id = t.member_id WHERE t.tenant_id = $1 ORDER BY 1`, [world.context.tenantId]);
    const digest = [...totals, ...tiers].map((item) => item.line).join('\n');
    expected ??= digest;
    expect(digest, `round ${round}`).toBe(expected);
    if (round % 10 === 0) await world.verified();
  }
});
