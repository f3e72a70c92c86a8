import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatMinor } from '@premia/kernel';
import { recordMembers, recordTargets } from '../../server/src/modules/entitlements/index.ts';
import { PRESETS } from '../../server/src/modules/mechanics/presets/index.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, type SaleGiven, type World } from '../support/world.ts';

/*
 * One golden case per preset, on both sides of its boundary: the arithmetic is written out and can be argued with.
 * `gives` maps a member (and unit) to its total; `math` says why, and what a wrong reading would have given.
 */
type Golden = { preset: string; with: Record<string, unknown>; when: SaleGiven[]; did?: [member: string, kind: string, on: string, code?: string][]; targets?: [subject: string, window: string, value: bigint][]; gives: Record<string, string>; math: string };

const GOLDEN: Golden[] = [
  { preset: 'points-per-amount', with: { units: 5, every: 100 }, when: [{ on: '2026-03-31', net: '399.99' }, { on: '2026-04-01', net: '400.00', buyer: 'b' }], gives: { 'shop points': '15', 'b points': '20' }, math: '3 full hundreds × 5 = 15; one grosz more makes the fourth. Rounding to nearest would give 20 to both.' },
  { preset: 'points-per-unit', with: { units: 2, products: ['p'] }, when: [{ on: '2026-03-01', net: '10.00', qty: '3.9', product: 'p' }, { on: '2026-03-01', net: '10.00', qty: '5', product: 'other' }], gives: { 'shop points': '6' }, math: '3 whole pieces of p × 2 = 6; the 5 others do not count.' },
  { preset: 'points-per-kilogram', with: { units: 1, every: 10, category: 'feed' }, when: [{ on: '2026-03-01', net: '1.00', qty: '19.999', product: 'f', number: 'A', line: '1' }, { on: '2026-03-01', net: '1.00', qty: '0.001', product: 'f', number: 'A', line: '2' }, { on: '2026-03-02', net: '1.00', qty: '9.999', product: 'f' }], gives: { 'shop points': '2' }, math: '19.999 + 0.001 = 20 kg on one document: 2; 9.999 kg on another: 0.' },
  { preset: 'category-multiplier', with: { category: 'feed', units: 5, every: 100, times: 3 }, when: [{ on: '2026-03-01', net: '250.00', product: 'f' }, { on: '2026-03-01', net: '250.00', product: 't', buyer: 'b' }], gives: { 'shop points': '20', 'b points': '0' }, math: 'Three times 5 is 10 more than the 5 given elsewhere: 2 × 10 = 20 for feed, nothing for toys.' },
  { preset: 'brand-multiplier', with: { brand: 'lapa', units: 1, every: 10, times: 2 }, when: [{ on: '2026-03-01', net: '99.99', product: 'f' }, { on: '2026-03-01', net: '99.99', product: 't', buyer: 'b' }], gives: { 'shop points': '9', 'b points': '0' }, math: '9 full tens × 1 = 9.' },
  { preset: 'weekend-bonus', with: { units: 1, every: 10 }, when: [{ on: '2026-03-27', net: '100.00' }, { on: '2026-03-28', net: '100.00', buyer: 'b' }, { on: '2026-03-29', net: '100.00', buyer: 'c' }, { on: '2026-03-30', net: '100.00', buyer: 'd' }], gives: { 'shop points': '0', 'b points': '10', 'c points': '10', 'd points': '0' }, math: 'Friday nothing, Saturday and Sunday 10 each, Monday nothing.' },
  { preset: 'hour-bonus', with: { units: 1, every: 10, from_hour: 8, until_hour: 10 }, when: [{ on: '2026-03-02', net: '100.00', hour: 7 }, { on: '2026-03-02', net: '100.00', hour: 8, buyer: 'b' }, { on: '2026-03-02', net: '100.00', hour: 9, buyer: 'b' }, { on: '2026-03-02', net: '100.00', hour: 10 }, { on: '2026-03-02', net: '100.00' }], gives: { 'shop points': '0', 'b points': '20' }, math: '8:00 to 9:59 counts, 10:00 does not, and a sale without a time never does.' },
  { preset: 'first-purchase', with: { units: 50 }, when: [{ on: '2026-03-01', net: '10.00', number: 'A' }, { on: '2026-03-02', net: '10.00' }, { on: '2026-03-03', net: '-10.00', base: 'A', baseLine: '1' }], gives: { 'shop points': '50' }, math: 'The first was returned, the second stands: still one purchase, 50 once.' },
  { preset: 'launch-bonus', with: { products: ['n'], units: 7 }, when: [{ on: '2026-03-01', net: '10.00', qty: '2', product: 'n' }], gives: { 'shop points': '14' }, math: '2 × 7.' },
  { preset: 'cross-sell', with: { categories: 2, units: 30 }, when: [{ on: '2026-03-01', net: '10.00', product: 'f', number: 'A', line: '1' }, { on: '2026-03-01', net: '0.01', product: 't', number: 'A', line: '2' }, { on: '2026-03-02', net: '500.00', product: 'f', number: 'B', line: '1' }, { on: '2026-03-02', net: '500.00', product: 'f', number: 'B', line: '2' }], gives: { 'shop points': '30' }, math: 'A holds feed and toys: 30. B holds feed twice: one category.' },
  { preset: 'individual-target', with: { target: 'net', steps: [{ reach: '80%', units: 300 }, { reach: '100%', units: 800 }, { reach: '120%', units: 1500 }] }, when: [{ on: '2026-03-01', net: '799.99', buyer: 'a' }, { on: '2026-03-01', net: '800.00', buyer: 'b' }, { on: '2026-03-01', net: '1199.99', buyer: 'c' }, { on: '2026-03-01', net: '1200.00', buyer: 'd' }, { on: '2026-03-01', net: '5000.00', buyer: 'none' }], targets: ['a', 'b', 'c', 'd'].map((who) => [who, '2026-03-01', 100_000n]), gives: { 'a points': '0', 'b points': '300', 'c points': '800', 'd points': '1500', 'none points': '0' }, math: '79.999 % is below 80 %; 119.999 % is below 120 %; without a target there is no attainment.' },
  { preset: 'target-accelerator', with: { unit: 'pln', target: 'net', bands: [{ from: '0', rate: '1%' }, { from: '100%', rate: '3%' }] }, when: [{ on: '2026-03-01', net: '1500.00', buyer: 'a' }], targets: [['a', '2026-03-01', 100_000n]], gives: { 'a pln': '25.00' }, math: '1 % of the 1,000 up to the target + 3 % of the 500 above: 10 + 15 = 25.' },
  { preset: 'team-target', with: { target: 'net', steps: [{ reach: '100%', units: 100 }] }, when: [{ on: '2026-03-01', net: '750.00', rep: 'r1' }, { on: '2026-03-01', net: '250.00', rep: 'r2' }], targets: [['team:north', '2026-03-01', 100_000n]], gives: { 'r1 points': '75', 'r2 points': '25' }, math: '1,000 of 1,000: 100 points, 75 : 25.' },
  { preset: 'growth-bonus', with: { units: 1, every: 10 }, when: [{ on: '2025-03-10', net: '100.00' }, { on: '2026-03-10', net: '159.99' }, { on: '2025-03-10', net: '100.00', buyer: 'b' }, { on: '2026-03-10', net: '50.00', buyer: 'b' }], gives: { 'shop points': '15', 'b points': '10' }, math: 'Shop: March 2025 has no March 2024 to beat: 100 / 10 = 10; March 2026: 59.99 above = 5. b fell by 50 in 2026: least is 0, so only 2025’s 10.' },
  { preset: 'volume-rebate-marginal', with: { unit: 'pln', bands: [{ from: 0, rate: '1%' }, { from: 10_000, rate: '2%' }, { from: 20_000, rate: '3%' }] }, when: [{ on: '2026-03-01', net: '15000.00', buyer: 'a' }, { on: '2026-03-01', net: '25000.00', buyer: 'b' }], gives: { 'a pln': '200.00', 'b pln': '450.00' }, math: '100 + 100 = 200; 100 + 200 + 150 = 450. From the first złoty it would be 300 and 750.' },
  { preset: 'volume-rebate-retrospective', with: { unit: 'pln', bands: [{ from: 0, rate: '1%' }, { from: 10_000, rate: '2%' }, { from: 20_000, rate: '3%' }] }, when: [{ on: '2026-03-01', net: '9999.99', buyer: 'a' }, { on: '2026-03-01', net: '15000.00', buyer: 'b' }, { on: '2026-03-01', net: '25000.00', buyer: 'c' }], gives: { 'a pln': '99.99', 'b pln': '300.00', 'c pln': '750.00' }, math: '1 % of 9,999.99 rounded down = 99.99; 2 % of 15,000; 3 % of 25,000.' },
  { preset: 'monthly-cap', with: { units: 1, every: 10, most: 20 }, when: [{ on: '2026-03-01', net: '500.00' }, { on: '2026-03-31', net: '500.00' }, { on: '2026-04-01', net: '90.00' }], gives: { 'shop points': '29' }, math: 'March 100 capped at 20, April 9.' },
  { preset: 'stamp-card', with: { every: 3, units: 10 }, when: [1, 2, 3, 4, 5].map((n) => ({ on: `2026-03-0${n}`, net: '1.00' })), gives: { 'shop points': '10' }, math: 'Five documents hold one full three.' },
  { preset: 'streak', with: { months: 3, units: 40 }, when: ['2026-01', '2026-02', '2026-03', '2026-05', '2026-06'].map((month) => ({ on: `${month}-15`, net: '1.00' })), gives: { 'shop points': '40' }, math: 'January to March is one run of three; May and June are two.' },
  { preset: 'referral', with: { units: 100, most_total: 150 }, when: [{ on: '2026-01-01', net: '0.00', qty: '0' }], did: [['shop', 'referral_activated', '2026-03-01'], ['shop', 'referral_activated', '2026-03-02']], gives: { 'shop points': '150' }, math: '2 × 100 = 200, at most 150 in total.' },
  { preset: 'quiz-points', with: { quiz: 'litter', units: 50 }, when: [{ on: '2026-01-01', net: '0.00', qty: '0' }], did: [['shop', 'quiz_passed', '2026-03-01', 'litter'], ['shop', 'quiz_passed', '2026-03-05', 'litter'], ['shop', 'quiz_passed', '2026-03-06', 'other']], gives: { 'shop points': '50' }, math: 'Passed twice, paid once; the other quiz is another rule’s.' },
  { preset: 'event-attendance', with: { units: 20 }, when: [{ on: '2026-01-01', net: '0.00', qty: '0' }], did: [['shop', 'event_attended', '2026-03-01'], ['shop', 'event_attended', '2026-03-09']], gives: { 'shop points': '40' }, math: '2 × 20.' },
  { preset: 'challenge-badge', with: { badge: 'stars', reach: 1_000, category: 'feed' }, when: [{ on: '2026-03-01', net: '999.99', product: 'f', buyer: 'a' }, { on: '2026-03-01', net: '1000.00', product: 'f', buyer: 'b' }], gives: { 'a stars': '0', 'b stars': '1' }, math: 'A grosz short is no badge.' },
  { preset: 'leaderboard', with: { places: [100, 60, 30] }, when: [{ on: '2026-03-01', net: '500.00', rep: 'r1' }, { on: '2026-03-01', net: '700.00', rep: 'r2' }, { on: '2026-03-01', net: '600.00', rep: 'r3' }], gives: { 'r2 points': '100', 'r3 points': '60', 'r1 points': '30' }, math: '700, 600, 500.' },
  { preset: 'leaderboard-attainment', with: { target: 'net', places: [100, 60] }, when: [{ on: '2026-03-01', net: '900.00', rep: 'r1' }, { on: '2026-03-01', net: '300.00', rep: 'r2' }], targets: [['r1', '2026-03-01', 100_000n], ['r2', '2026-03-01', 20_000n]], gives: { 'r1 points': '60', 'r2 points': '100' }, math: '90 % against 150 %: the smaller seller is first.' },
  { preset: 'cashback', with: { unit: 'pln', rate: '2.5%' }, when: [{ on: '2026-03-01', net: '99.80', number: 'A' }, { on: '2026-03-05', net: '-99.80', kind: 'return', buyer: 'b' }], gives: { 'shop pln': '2.50', 'b pln': '-2.50' }, math: '2.495 rounds half up to 2.50; a return gives back the same, away from zero too.' },
  { preset: 'sponsor-budget', with: { units: 1, every: 1, budget: 'pot' }, when: [{ on: '2026-03-01', net: '60.00', buyer: 'a' }, { on: '2026-03-01', net: '60.00', buyer: 'b' }], gives: { 'a points': '60', 'b points': '40' }, math: 'A pot of 100: 60, then what is left.' },
];

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

async function play(golden: Golden): Promise<World> {
  const world = await aWorld(await installation.tenant(), aProgram([{ preset: golden.preset, key: 'rule', from: '2025-01-01', with: golden.with }], {
    targets: [{ key: 'net', of: 'net', window: 'month' }], budgets: [{ key: 'pot', size: 100, unit: 'points' }],
    products: [{ sku: 'f', category: 'feed', brand: 'lapa' }, { sku: 't', category: 'toys', brand: 'ogon' }],
  }));
  await recordMembers(world.context, { program: 'p', members: ['r1', 'r2', 'r3'].map((code) => ({ code, kind: 'person' as const, team: 'north' })) });
  for (const sale of golden.when) await world.sell(sale);
  if (golden.targets) await recordTargets(world.context, { program: 'p', targets: golden.targets.map(([subject, start, value]) => ({ target: 'net', subject, window_start: start, value })) });
  for (const [member, kind, on, code] of golden.did ?? []) await world.did(member, kind, on, code === undefined ? {} : { attributes: { code } });
  await world.verified();
  return world;
}

async function outcome(golden: Golden): Promise<Record<string, string>> {
  const world = await play(golden);
  const found: Record<string, string> = {};
  for (const name of Object.keys(golden.gives)) {
    const [member = '', unit = ''] = name.split(' ');
    found[name] = formatMinor(await world.total(member, unit), unit === 'pln' ? 2 : 0);
  }
  return found;
}

describe('every preset has a golden case', () => {
  test.each(GOLDEN)('$preset: $math', async (golden) => { expect(await outcome(golden)).toEqual(golden.gives); });
  test('none is missing', () => { expect(GOLDEN.map((golden) => golden.preset).sort()).toEqual(PRESETS.map((preset) => preset.key).sort()); });
  test('canary: a wrong award is noticed', async () => { expect(await outcome(GOLDEN[0] as Golden)).not.toEqual({ 'shop points': '16', 'b points': '20' }); });
});
