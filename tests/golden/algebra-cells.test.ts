import { afterAll, beforeAll, expect, test } from 'vitest';
import { explain, recordInput, recordMembers, recordSales, recordTargets, settleStale } from '../../server/src/modules/entitlements/index.ts';
import { findMember, findProgram } from '../../server/src/modules/members/index.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aSale, aWorld, perHundred, type SaleGiven, type World } from '../support/world.ts';

/** Cells of the algebra's table that the oracle's random programs do not reach, each with its arithmetic. */
let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const settled = async (world: World): Promise<void> => { await settleStale(world.context, 'p'); await world.verified(); };
/** What the explanation says after the rule's own sentence. */
const said = (world: World, code: string, mechanic: string, locale: 'pl' | 'en', on = '2026-03-15'): Promise<string> => world.context.transaction(async (tx) => {
  const program = await findProgram(tx, 'p');
  const [found] = await explain(tx, world.context, program, await findMember(tx, program, code), { mechanic, on, locale });
  expect(found?.sentences.length).toBeLessThanOrEqual(3);
  return found?.sentences.slice(1).join(' ').replaceAll('\u00a0', ' ') ?? '';
});
const only = (field: string, values: string[]) => ({ is: 'oneOf' as const, field: field as 'team', values });

test('the seller earns, beside the buyer, each by its own rule', async () => {
  const context = await installation.tenant();
  const world = await aWorld(context, aProgram([perHundred, { ...perHundred, key: 'seller', earner: { role: 'seller' }, curve: { is: 'per', units: 1, every: 100 } }], { rewards: ['buyer', 'seller'] }));
  const sold = (given: SaleGiven, seller: string) => ({ ...aSale(given), seller: `code:${seller}` });
  await recordSales(context, { program: 'p', source: 'erp', lines: [sold({ on: '2026-03-02', net: '300.00', number: 'A' }, 'depot'), sold({ on: '2026-03-02', net: '-100.00', number: 'K', base: 'A', baseLine: '1' }, 'depot')] });
  expect([await world.total('shop'), await world.total('depot')]).toEqual([10n, 2n]); // 200 zł: 2 × 5 and 2 × 1
  await world.verified();
});

test('company, territory and team as words, as of the day of the sale', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([{ ...perHundred, key: 'firm', earner: { role: 'rep', who: only('company', ['acme']) }, curve: { is: 'per', units: 10, every: 100 } }, { ...perHundred, earner: { role: 'rep', who: only('territory', ['north']) } }, { ...perHundred, key: 'team', earner: { role: 'rep' }, facts: { where: only('team', ['blue']) }, curve: { is: 'per', units: 1, every: 100 } }]));
  await recordMembers(world.context, { program: 'p', members: [{ code: 'r', kind: 'person', territory: 'north', team: 'blue', company: 'acme', from: '2026-01-01' }] });
  await recordMembers(world.context, { program: 'p', members: [{ code: 'r', kind: 'person', territory: 'south', team: 'blue', from: '2026-03-10' }] });
  await world.sell({ on: '2026-03-09', net: '100.00', rep: 'r', buyer: '' }, { on: '2026-03-10', net: '100.00', rep: 'r', buyer: '' });
  expect(await world.total('r')).toBe(17n); // 5 for the 9th in the north, 10 with acme; 1 for each day in the blue team
  await world.verified();
});

test('an audience on a tier: the sale that crosses the line does count, a fall at the review takes later ones out', async () => {
  const tiers = [{ key: 'club', period: 'quarter', measure: { is: 'sum', of: 'net' }, tiers: [{ key: 'gold', from: 1_000 }] }];
  const world = await aWorld(await installation.tenant(), aProgram([{ ...perHundred, earner: { role: 'buyer', who: only('tier.club', ['gold']) } }], { tier_sets: tiers }));
  await world.sell({ on: '2026-01-10', net: '900.00' });
  expect(await world.total()).toBe(0n);
  await world.sell({ on: '2026-01-12', net: '100.00' });
  expect(await world.total()).toBe(5n); // gold from the 12th
  await world.sell({ on: '2026-06-01', net: '100.00' }); // the first quarter holds through the second
  expect(await world.total()).toBe(10n);
  await world.sell({ on: '2026-08-01', net: '100.00' }); // the review of July found 100 in the second quarter: no gold
  expect(await world.total()).toBe(10n);
  await world.sell({ on: '2026-01-20', net: '-100.00', buyer: 'shop', base: 'auto', number: 'never' }); // waits for its base: moves nothing
  expect(await world.total()).toBe(10n);
  await world.verified();
});

test('a pool by company: its people together reach the target, each receives', async () => {
  const goal = { key: 'goal', from: '2020-01-01', earner: { role: 'rep' }, measure: { is: 'sum', of: 'net' }, window: 'month', pool: { by: 'company', received: 'in_proportion' }, base: { is: 'target', target: 't' }, curve: { is: 'steps', steps: [{ reach: '100%', units: 90 }] }, award: { unit: 'points' } };
  const world = await aWorld(await installation.tenant(), aProgram([goal], { targets: [{ key: 't', of: 'net', window: 'month' }] }));
  await recordMembers(world.context, { program: 'p', members: ['a', 'b', 'c'].map((code) => ({ code, kind: 'person' as const, company: code === 'c' ? 'other' : 'acme', from: '2026-01-01' })) });
  await recordTargets(world.context, { program: 'p', targets: [{ target: 't', subject: 'company:acme', window_start: '2026-03-01', value: 100_000n }, { target: 't', subject: 'company:other', window_start: '2026-03-01', value: 100_000n }] });
  await world.sell({ on: '2026-03-02', net: '600.00', rep: 'a', buyer: '' }, { on: '2026-03-03', net: '300.00', rep: 'b', buyer: '' }, { on: '2026-03-03', net: '900.00', rep: 'c', buyer: '' });
  await settled(world);
  expect([await world.total('a'), await world.total('b'), await world.total('c')]).toEqual([0n, 0n, 0n]);
  await world.sell({ on: '2026-03-04', net: '300.00', rep: 'b', buyer: '' });
  await settled(world);
  expect([await world.total('a'), await world.total('b'), await world.total('c')]).toEqual([45n, 45n, 0n]); // 600 : 600 of 1,200 against 1,000
  expect(await said(world, 'a', 'goal', 'pl')).toContain('45 punktów, bo to wynik firmy „acme” (Twój wkład: 600 zł), dzielony w proporcji do wkładu.');
});

test.each([['share', [75n, 75n, 10n]], ['higher', [100n, 100n, 10n]], ['member', [100n, 50n, 10n]]] as const)('places with a tie, by the rule “%s”', async (ties, expected) => {
  const board = { key: 'board', from: '2020-01-01', earner: { role: 'buyer' }, measure: { is: 'sum', of: 'net' }, window: 'month', pool: { by: 'everyone' }, curve: { is: 'rank', places: [100, 50, 10], ties }, award: { unit: 'points' } };
  const world = await aWorld(await installation.tenant(), aProgram([board]));
  await recordMembers(world.context, { program: 'p', members: ['a', 'b', 'c'].map((code) => ({ code, kind: 'company' as const })) }); // a before b: ties by member go to the earlier
  await world.sell({ on: '2026-03-02', net: '500.00', buyer: 'b' }, { on: '2026-03-02', net: '500.00', buyer: 'a' }, { on: '2026-03-02', net: '400.00', buyer: 'c' });
  await settled(world);
  expect([await world.total('a'), await world.total('b'), await world.total('c')]).toEqual(expected);
  expect(await said(world, 'c', 'board', 'en')).toContain('10 points, because it is place 3 in the ranking.');
});

test('a program window is split at the day on which a new version begins; limits in total run on', async () => {
  const collect = (from: string, units: number) => ({ ...perHundred, key: 'collect', from, window: 'program' as const, curve: { is: 'steps' as const, steps: [{ reach: 1_000, units }] }, limits: { most_total: 150 } });
  const world = await aWorld(await installation.tenant(), aProgram([collect('2026-01-01', 100), collect('2026-04-01', 80)]));
  await world.sell({ on: '2026-03-31', net: '600.00' }, { on: '2026-04-01', net: '600.00' });
  expect(await world.total()).toBe(0n); // 600 on either side of the split: neither reaches 1,000
  await world.sell({ on: '2026-02-01', net: '400.00' });
  expect(await world.total()).toBe(100n);
  await world.sell({ on: '2026-05-01', net: '400.00' });
  expect(await world.total()).toBe(150n); // 100 + 80, at most 150 over both versions
  const windows = await installation.admin<{ from: string; to: string; amount: string }>(`SELECT window_start::text AS from, window_end::text AS to, amount::text FROM entitlements.entitlement WHERE tenant_id = $1 ORDER BY window_start`, [world.context.tenantId]);
  expect(await said(world, 'shop', 'collect', 'en', '2026-05-01')).toContain('50 points, because of 80 points this was left of the limit in total.');
  expect(windows).toEqual([{ from: '2026-01-01', to: '2026-03-31', amount: '100' }, { from: '2026-04-01', to: 'infinity', amount: '50' }]);
  await world.verified();
});

test('pro rata: who was suspended for a part of the month owes that part of the target less', async () => {
  const goal = { key: 'goal', from: '2020-01-01', earner: { role: 'buyer' }, measure: { is: 'sum', of: 'net' }, window: 'month', base: { is: 'target', target: 't', pro_rata: true }, curve: { is: 'steps', steps: [{ reach: '100%', units: 50 }] }, award: { unit: 'points' } };
  const world = await aWorld(await installation.tenant(), aProgram([goal], { targets: [{ key: 't', of: 'net', window: 'month' }] }));
  await world.sell({ on: '2026-04-20', net: '500.00' });
  await recordTargets(world.context, { program: 'p', targets: [{ target: 't', subject: 'shop', window_start: '2026-04-01', value: 100_000n }] });
  expect(await world.total()).toBe(0n);
  await recordInput(world.context, { kind: 'states', program: 'p', states: [{ member: 'shop', state: 'active', from: '2026-01-01' }, { member: 'shop', state: 'suspended', from: '2026-04-01' }, { member: 'shop', state: 'active', from: '2026-04-16' }] });
  expect(await world.total()).toBe(50n); // 15 of 30 days: 500 of 500
  await world.verified();
});
