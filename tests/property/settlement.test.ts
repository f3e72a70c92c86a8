import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Refusal } from '@premia/kernel';
import { findMember, findProgram } from '../../server/src/modules/members/index.ts';
import { approveItems, moveItems } from '../../server/src/modules/rewards/index.ts';
import { cancelOwn } from '../../server/src/modules/rewards/decide-items.ts';
import { contractLiability, expectedOf, faceOf, readMoneyLiability, readSettlement, recognised, type Settlement } from '../../server/src/modules/rewards/settlement.ts';
import { readSettings } from '../../server/src/modules/rewards/settings.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aReward, aShop } from '../support/reward-world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const SEQUENCES = Number(process.env['SETTLEMENT_RUNS'] ?? 12);
type Step = { on: number; do: 'earn' | 'return' | 'order' | 'cancel' | 'ship' | 'back'; who: number; much: number };
const step: fc.Arbitrary<Step> = fc.record({ on: fc.integer({ min: 0, max: 360 }), do: fc.constantFrom('earn', 'earn', 'order', 'order', 'cancel', 'ship', 'back', 'return'), who: fc.integer({ min: 0, max: 2 }), much: fc.integer({ min: 1, max: 400 }) });
const dayOf = (n: number): string => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10);

/** What the ledger says of a unit between two days, by going through its rows one by one. */
async function byHand(tenantId: bigint, from: string, to: string): Promise<Record<string, bigint>> {
  const rows = await installation.admin<{ debit: string; credit: string; amount: string; booked_on: string }>(`SELECT debit, credit, amount::text, booked_on::text FROM ledger.transfer AS t JOIN ledger.unit AS u USING (tenant_id, program_id, unit_id) WHERE t.tenant_id = $1 AND u.key = 'points'`, [tenantId]);
  const own = new Set(['wallet', 'held', 'debt']);
  const sum = { opening: 0n, granted: 0n, adjusted: 0n, moved: 0n, redeemed: 0n, returned: 0n, expired: 0n, closing: 0n };
  const names = { issued: 'granted', adjusted: 'adjusted', clearing: 'moved' } as const;
  for (const row of rows) {
    const amount = BigInt(row.amount);
    if (own.has(row.debit) && own.has(row.credit)) continue;
    const change = own.has(row.credit) ? amount : -amount;
    if (row.booked_on < from) sum.opening += change;
    if (row.booked_on <= to) sum.closing += change;
    if (row.booked_on < from || row.booked_on > to) continue;
    const other = own.has(row.credit) ? row.debit : row.credit;
    if (other === 'spent') { if (change < 0n) sum.redeemed += amount; else sum.returned += amount; } else if (other === 'expired') sum.expired -= change; else sum[names[other as keyof typeof names]] += change;
  }
  return sum;
}

test(`a sponsor’s statement equals the ledger for any period of ${SEQUENCES} random years, and its figures add up to its closing`, async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 30 }), fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 120 }), async (steps, start, length) => {
    const context = await installation.tenant();
    const world = await aShop(context);
    await world.offer(aReward('kettle', { price: '40', worth: '12.34', cost: '10.01' }), aReward('help', { kind: 'support', price: '15', worth: '5.55', cost: '3.33' }));
    const items: bigint[] = [];
    let sales = 0;
    const buyers: string[] = [];
    for (const one of steps.toSorted((a, b) => a.on - b.on)) {
      context.clock.at = `${dayOf(one.on)}T10:00:00Z`;
      const member = `m${one.who}`;
      const [item] = items.slice(one.much % Math.max(1, items.length));
      try {
        if (one.do === 'earn') { sales += 1; buyers.push(member); await world.sell({ number: `S${sales}`, on: dayOf(one.on), net: `${one.much * 20}.00`, buyer: member }); }
        if (one.do === 'return' && sales > 0) await world.sell({ number: `K${one.on}-${one.much}-${sales}`, on: dayOf(one.on), net: '-100.00', base: `S${(one.much % sales) + 1}`, baseLine: '1', buyer: buyers[one.much % sales] as string });
        if (one.do === 'order') items.push(...(await world.order(member, [{ reward: one.much % 2 === 0 ? 'kettle' : 'help', quantity: (one.much % 3) + 1 }])).items.map((made) => made.itemId));
        if (one.do === 'cancel' && item !== undefined) await cancelOwn(context, { program: 'p', memberId: (await world.balance(member)).memberId, itemId: item });
        if (one.do === 'ship' && item !== undefined) await moveItems(context, 'p', [item], one.much % 2 === 0 ? 'ship' : 'deliver', {});
        if (one.do === 'back' && item !== undefined) await moveItems(context, 'p', [item], 'return', {});
      } catch (error) { if (!(error instanceof Refusal)) throw error; }
    }
    const [from, to] = [dayOf(start), dayOf(Math.min(364, start + length))];
    const said: Settlement = await context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); return readSettlement(tx, program, await readSettings(tx, program), from, to); });
    const points = said.units.find((unit) => unit.unit === 'points');
    expect(points).toMatchObject(await byHand(context.tenantId, from, to));
    if (points) expect(points.opening + points.granted + points.adjusted + points.moved - points.redeemed + points.returned - points.expired).toBe(points.closing);
    const [money] = await installation.admin<{ cost: string }>(`SELECT COALESCE(sum(CASE e.kind WHEN 'payment' THEN i.cost_minor ELSE -i.cost_minor END), 0)::text AS cost FROM rewards.tax_entry AS e JOIN rewards.item AS i USING (tenant_id, program_id, item_id) WHERE e.tenant_id = $1 AND e.booked_on BETWEEN $2 AND $3`, [context.tenantId, from, to]);
    expect(said.totals.cost).toBe(BigInt(money?.cost ?? '0'));
    expect(said.totals.due).toBe(said.totals.cost + said.totals.extra + said.totals.fee);
    context.clock.at = '2027-01-15T10:00:00Z';
    await world.verified();
  }), { numRuns: SEQUENCES, seed: Number(process.env['SETTLEMENT_SEED'] ?? 20_261_122) });
});

test('domain.md §6: face, expected and breakage; IFRS 15 example 52', () => {
  expect(faceOf(135_000n, 0, '0.02', 2)).toBe(270_000n);
  expect(expectedOf(270_000n, 8_500)).toEqual({ expected: 229_500n, breakage: 40_500n });
  expect([faceOf(1n, 2, '0.5', 2), faceOf(-135_000n, 0, '0.02', 2), faceOf(0n, 0, '1', 2)]).toEqual([1n, -270_000n, 0n]);
  const { revenueAtSale, deferred } = contractLiability({ sales: 100_000n, expected: 9_500n });
  expect([revenueAtSale, deferred]).toEqual([91_324n, 8_676n]);
  const first = recognised(deferred, 4_500n, 9_500n);
  const total = recognised(deferred, 8_500n, 9_700n);
  expect([first, deferred - first, total, total - first, deferred - total]).toEqual([4_110n, 4_566n, 7_603n, 3_493n, 1_073n]);
});

test('the liability of the ledger: closing units at their cost, by age of expiry; what waits stands apart', async () => {
  const world = await aShop(await installation.tenant());
  await world.earn('shop', 1_000);
  await world.offer(aReward('kettle', { price: '100' }));
  const placed = await world.order('shop', [{ reward: 'kettle' }]);
  await approveItems(world.as('adam'), 'p', placed.items.map((item) => item.itemId)).catch(() => []);
  const [points] = (await world.context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); await findMember(tx, program, 'shop'); return readMoneyLiability(tx, program, await readSettings(tx, program), '2026-06-15'); })).filter((unit) => unit.unit === 'points');
  expect(points).toMatchObject({ closing: 1_000n, pending: 0n, face: 2_000n, expected: 1_700n, breakage: 300n, rateFrom: 'settings' });
  expect(points?.ageing.find((band) => band.days === 'never')?.amount).toBe(900n);
});
