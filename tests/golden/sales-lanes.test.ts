import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordSalesTogether, type SaleOutcome } from '../../server/src/modules/entitlements/index.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aSale, aWorld, perHundred, type SaleGiven, type World } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const monthly = { ...perHundred, key: 'month', window: 'month' as const, curve: { is: 'per' as const, units: 1, every: 100 } };
const together = (world: World, ...sales: SaleGiven[]): Promise<SaleOutcome[]> => recordSalesTogether(world.context, { program: 'p', source: 'erp', lines: sales.map(aSale) });

test('200 calls at once share transactions; each answer says what its own sale earned, and no other', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred, monthly]));
  const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => together(world, { number: `S${n}`, on: '2026-03-31', net: `${(n % 9) + 1}00.00`, buyer: `m${n % 150}` })));
  for (const [n, [outcome]] of answers.entries()) {
    const hundreds = BigInt((n % 9) + 1);
    expect(outcome).toMatchObject({ number: `S${n}`, recorded: 1, earned: [{ member: `m${n % 150}`, unit: 'points', amount: 5n * hundreds }], elsewhere: [{ member: `m${n % 150}`, unit: 'points', amount: hundreds }] });
  }
  const [runs] = await installation.admin<{ n: number }>(`SELECT count(DISTINCT recorded_seq)::int AS n FROM facts.document WHERE tenant_id = $1`, [world.context.tenantId]);
  expect(runs?.n).toBeLessThan(100); // fewer transactions than calls
  await world.verified();
});

test('the same document, the same member and a correction beside its base are kept apart, and in their order', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred, monthly]));
  const answers = await Promise.all([together(world, { number: 'other', on: '2026-03-31', net: '100.00', buyer: 'x' }), together(world, { number: 'A', on: '2026-03-31', net: '900.00' }), together(world, { number: 'A', on: '2026-03-31', net: '900.00' }), together(world, { number: 'K', on: '2026-04-01', net: '-300.00', base: 'A', baseLine: '1' }), together(world, { number: 'B', on: '2026-03-31', net: '100.00' })]);
  expect(answers.map(([outcome]) => [outcome?.number, outcome?.recorded, outcome?.earned.map((item) => item.amount)])).toEqual([['other', 1, [5n]], ['A', 1, [45n]], ['A', 0, []], ['K', 1, []], ['B', 1, [5n]]]);
  expect(await world.total()).toBe(42n); // 600 and 100: 30 + 5, and 7 for the month
  await world.verified();
});

test('one call that is refused spoils no other', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  const outcomes = await Promise.allSettled([together(world, { number: 'first', on: '2026-03-31', net: '100.00', buyer: 'a' }), ...Array.from({ length: 20 }, (_, n) => together(world, { number: `S${n}`, on: n === 7 ? 'not a day' : '2026-03-31', net: '100.00', buyer: `m${n}` }))]);
  expect(outcomes.filter((outcome) => outcome.status === 'rejected').length).toBe(1);
  expect(await world.total('m6')).toBe(5n);
  await world.verified();
});
