import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyProgram, approveRecalculation, closePeriod, explain, nextSteps, proposeRecalculation, recordMembers, simulate } from '../../server/src/modules/entitlements/index.ts';
import { findMember, findProgram } from '../../server/src/modules/members/index.ts';
import { exportProgram, planProgram, readProgram } from '../../server/src/modules/mechanics/index.ts';
import { makeContext } from '../../server/src/platform/context.ts';
import { sayPercent } from '@premia/algebra';
import { ratio } from '@premia/kernel';
import { anInstallation, type Installation, type TestContext } from '../support/installation.ts';
import { aProgram, aWorld, perHundred } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const as = (context: TestContext, principal: string) => makeContext({ db: installation.db, tenantId: context.tenantId, principal, now: () => Date.parse(context.clock.at) });
const FOUR_EYES = { four_eyes: { imports: true, rules: true, adjustments: true, payouts: true } };

test('a rule published with an error, corrected with a past date: preview, a second person, compensation, verify 0', async () => {
  const wrong = { ...perHundred, curve: { is: 'per' as const, units: 50, every: 100 } };
  const world = await aWorld(await installation.tenant(), aProgram([wrong], FOUR_EYES));
  await world.sell({ on: '2026-03-31', net: '349.90' }, { on: '2026-04-01', net: '99.00', buyer: 'other' });
  expect(await world.total()).toBe(150n); // ten times too many
  const right = aProgram([perHundred], FOUR_EYES);
  await expect(applyProgram(world.context, readProgram(right))).rejects.toMatchObject({ code: 'recalculation_needed' });
  const proposed = await proposeRecalculation(world.context, { file: right, reason: 'a typing error: 50 instead of 5' });
  expect(proposed.preview.mechanics).toEqual([{ mechanic: 'per-100', unit: 'points', before: '150', after: '15', changed: 1 }]);
  expect(proposed.preview).toMatchObject({ losers: 1, winners: 0, members: [{ member: 'shop', unit: 'points', before: '150', after: '15' }] });
  expect(await world.total()).toBe(150n); // nothing has happened yet
  await expect(approveRecalculation(world.context, { program: 'p', recalculationId: proposed.recalculationId })).rejects.toMatchObject({ code: 'second_person_needed' });
  await approveRecalculation(as(world.context, 'second'), { program: 'p', recalculationId: proposed.recalculationId });
  expect(await world.total()).toBe(15n);
  await world.verified();
  await expect(approveRecalculation(as(world.context, 'second'), { program: 'p', recalculationId: proposed.recalculationId })).rejects.toMatchObject({ code: 'recalculation_not_open' });
});

test('simulating the published mechanics changes nothing; simulating another rule says for whom and when', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-01-31', net: '500.00' }, { on: '2026-02-01', net: '300.00', buyer: 'other' });
  const same = await simulate(world.context, readProgram(aProgram([perHundred])));
  expect(same).toMatchObject({ winners: 0, losers: 0, unchanged: 2 });
  const double = await simulate(world.context, readProgram(aProgram([{ ...perHundred, curve: { is: 'per', units: 10, every: 100 } }])));
  expect(double).toMatchObject({ winners: 2, losers: 0, months: [{ month: '2026-01', before: '25', after: '50' }, { month: '2026-02', before: '15', after: '30' }] });
  expect(await world.total()).toBe(25n);
  await world.verified();
});

test('a new version holds from the next window; what is exported, applied, changes nothing', async () => {
  const monthly = { key: 'm', from: '2026-01-01', earner: { role: 'buyer' }, measure: { is: 'sum', of: 'net' }, window: 'month', curve: { is: 'per', units: 1, every: 100 }, award: { unit: 'points' } };
  const world = await aWorld(await installation.tenant(), aProgram([monthly]));
  await world.sell({ on: '2026-06-20', net: '1000.00' });
  const next = aProgram([monthly, { ...monthly, from: '2026-06-25', curve: { is: 'per', units: 2, every: 100 } }]);
  const plan = await applyProgram(world.context, readProgram(next));
  expect(plan.mechanics).toMatchObject([{ action: 'append', from: '2026-07-01' }]);
  await world.sell({ on: '2026-06-30', net: '100.00' }, { on: '2026-07-01', net: '100.00' });
  expect(await world.total()).toBe(11n + 2n);
  await world.verified();
  const exported = await world.context.transaction((tx) => exportProgram(tx, 'p'));
  expect(await world.context.transaction((tx) => planProgram(tx, readProgram(exported)))).toMatchObject({ program: 'same' });
});

test('mechanics that build on each other in a circle are refused with the path', async () => {
  const on = (key: string, reads: string, gives: string) => ({ key, from: '2026-01-01', earner: { role: 'buyer' }, measure: { is: 'awarded', unit: reads }, window: 'month', curve: { is: 'per', units: 1, every: 1 }, award: { unit: gives } });
  await expect(aWorld(await installation.tenant(), aProgram([on('a', 'stars', 'points'), on('b', 'points', 'stars')]))).rejects.toMatchObject({ code: 'circle', message: expect.stringMatching(/a → b → a|b → a → b/) });
});

test('what waits for the close becomes available with it; a closed period closes once', async () => {
  const rule = { key: 'q', from: '2026-01-01', earner: { role: 'buyer' }, measure: { is: 'sum', of: 'net' }, window: 'quarter', curve: { is: 'per', units: 1, every: 100 }, award: { unit: 'points', available: 'period_close' } };
  const world = await aWorld(await installation.tenant(), aProgram([rule]));
  await world.sell({ on: '2026-03-31', net: '500.00' });
  expect(await world.balance()).toMatchObject({ available: 0n, pending: 5n });
  const closed = await closePeriod(world.context, { program: 'p', from: '2026-01-01', to: '2026-03-31' });
  expect(closed.snapshot.amounts).toEqual([{ mechanic: 'q', unit: 'points', amount: '5' }]);
  expect(await world.balance()).toMatchObject({ available: 5n, pending: 0n });
  await expect(closePeriod(world.context, { program: 'p', from: '2026-03-01', to: '2026-04-30' })).rejects.toMatchObject({ code: 'period_closed_already' });
  await world.verified();
});

test('explain says why 15, and why nothing, in both languages, in at most three sentences that add up', async () => {
  const feed = { ...perHundred, name: { pl: 'Punkty za karmę', en: 'Points for feed' }, facts: { where: { is: 'oneOf' as const, field: 'category' as const, values: ['feed'] } } };
  const world = await aWorld(await installation.tenant(), aProgram([feed], { products: [{ sku: 'f', category: 'feed' }, { sku: 't', category: 'toys' }] }));
  await world.sell({ on: '2026-03-31', net: '349.90', number: 'FV/12/2026', product: 'f', line: '1' }, { on: '2026-03-31', net: '80.00', number: 'FV/12/2026', product: 't', line: '2' }, { on: '2026-04-01', net: '500.00', number: 'FV/13/2026', product: 't' });
  const ask = (document: string, locale: 'pl' | 'en') => world.context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); return explain(tx, world.context, program, await findMember(tx, program, 'shop'), { document, locale }); });
  const [why] = await ask('FV/12/2026', 'pl');
  expect(why).toMatchObject({ amount: '15', booked: '15', measured: '349,90\u00a0zł', arithmetic: { factors: ['3', '5'], result: '15' }, not_counted: [{ lines: 1, net: '80.00', because: 'nie spełnia: kategoria: feed' }] });
  expect(why?.sentences).toHaveLength(3);
  expect(why?.sentences[1]).toBe('Liczy się 349,90\u00a0zł: 3 × 5 = 15\u00a0punktów.');
  expect((why?.arithmetic?.factors ?? []).map(Number).reduce((a, b) => a * b, 1)).toBe(Number(why?.arithmetic?.result));
  const [english] = await ask('FV/12/2026', 'en');
  expect(english?.sentences[1]).toBe('What counts is 349.90\u00a0PLN: 3 × 5 = 15 points.');
  const [nothing] = await ask('FV/13/2026', 'en');
  expect(nothing).toMatchObject({ amount: '0', arithmetic: null });
  expect(nothing?.sentences[1]).toBe('This rule gives nothing here: it does not meet: category: feed.');
  for (const sentence of [...why!.sentences, ...nothing!.sentences]) expect(sentence).not.toMatch(/per-100|gate:|mechanic_id|m\d+\b/);
});

test('the next step: what is missing in złoty, and what it brings', async () => {
  const target = { key: 't', from: '2026-01-01', earner: { role: 'buyer' }, measure: { is: 'sum', of: 'net' }, window: 'month', base: { is: 'target', target: 'net' }, curve: { is: 'steps', steps: [{ reach: '80%', units: 300 }, { reach: '100%', units: 800 }] }, award: { unit: 'points' } };
  const world = await aWorld(await installation.tenant(), aProgram([target], { targets: [{ key: 'net', of: 'net', window: 'month' }] }));
  await recordMembers(world.context, { program: 'p', members: [{ code: 'shop', kind: 'company' }] });
  const { recordTargets } = await import('../../server/src/modules/entitlements/index.ts');
  await recordTargets(world.context, { program: 'p', targets: [{ target: 'net', subject: 'shop', window_start: '2026-06-01', value: 10_000_000n }] });
  await world.sell({ on: '2026-06-10', net: '87660.00' });
  expect(await world.total()).toBe(300n);
  const [step] = await world.context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); return nextSteps(tx, world.context, program, await findMember(tx, program, 'shop'), '2026-06-15', 'pl'); });
  expect(step?.sentence).toBe('Brakuje 12\u00a0340\u00a0zł do progu 100\u00a0%, wtedy razem 800\u00a0punktów.');
  await recordTargets(world.context, { program: 'p', targets: [{ target: 'net', subject: 'shop', window_start: '2026-06-01', value: 8_766_000n, reason: 'agreed' }] });
  expect(await world.total()).toBe(800n); // a changed target recomputes
  await recordTargets(world.context, { program: 'p', targets: [{ target: 'net', subject: 'shop', window_start: '2026-06-01', value: 9_000_000n }] });
  const [odd] = await world.context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); return nextSteps(tx, world.context, program, await findMember(tx, program, 'shop'), '2026-06-15', 'pl'); });
  expect(odd?.now).toBe('97,4\u00a0%'); // 87,660 of 90,000 is 97.4 % exactly; thirds would be shown rounded down
  await world.verified();
});

test('attainment is shown rounded down to basis points, never up to a threshold it has not reached', () => {
  expect([sayPercent(ratio(2n, 3n), 'pl'), sayPercent(ratio(79_999n, 100_000n), 'en'), sayPercent(ratio(27_316n, 26_500n), 'en')]).toEqual(['66,66\u00a0%', '79.999%', '103.07%']);
});

const club = (gold: number, more: Record<string, unknown> = {}) => ({ key: 'club', period: 'quarter', measure: { is: 'sum', of: 'net' }, tiers: [{ key: 'gold', from: gold, ...more }] });
const forGold = { ...perHundred, earner: { role: 'buyer', who: { is: 'oneOf', field: 'tier.club', values: ['gold'] } } };

test('a tier set that members stand in changes by a recalculation: previewed, and the books still verify; its words and benefits change at once', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([forGold], { tier_sets: [club(1_000)] }));
  await world.sell({ on: '2026-02-01', net: '900.00' }, { on: '2026-03-01', net: '500.00' });
  expect(await world.total()).toBe(25n); // only the sale that crossed the line
  const named = club(1_000, { name: { pl: 'Złoty', en: 'Gold' }, benefits: [{ key: 'extra', kind: 'service', pl: 'dostawa', en: 'delivery' }] });
  await applyProgram(world.context, readProgram(aProgram([forGold], { tier_sets: [named] })));
  const easier = aProgram([forGold], { tier_sets: [club(800)] });
  await expect(applyProgram(world.context, readProgram(easier))).rejects.toMatchObject({ code: 'recalculation_needed', places: [{ pointer: '/tier_sets/club' }] });
  const { recalculationId, preview } = await proposeRecalculation(world.context, { file: easier, reason: 'gold from 800' });
  expect(preview.members).toEqual([{ member: 'shop', unit: 'points', before: '25', after: '70' }]);
  await approveRecalculation(world.context, { program: 'p', recalculationId });
  expect(await world.total()).toBe(70n);
  await world.verified();
  const gone = aProgram([perHundred], { tier_sets: [] });
  await expect(applyProgram(world.context, readProgram(gone))).rejects.toMatchObject({ code: 'recalculation_needed' });
});

test('a named period laid over recorded sales changes by a recalculation; one of the future is just added', async () => {
  const spring = { calendar: 'seasons', name: 'Spring', starts_on: '2026-03-01', ends_on: '2026-05-31' };
  const autumn = { calendar: 'seasons', name: 'Autumn', starts_on: '2026-09-01', ends_on: '2026-11-30' };
  const seasonal = { ...perHundred, key: 'season', window: { periods: 'seasons' } };
  const world = await aWorld(await installation.tenant(), aProgram([seasonal], { periods: [] }));
  await world.sell({ on: '2026-03-31', net: '300.00' });
  expect(await world.total()).toBe(0n);
  await expect(applyProgram(world.context, readProgram(aProgram([seasonal], { periods: [spring] })))).rejects.toMatchObject({ code: 'recalculation_needed', places: [{ pointer: '/periods/seasons' }] });
  await applyProgram(world.context, readProgram(aProgram([seasonal], { periods: [autumn] })));
  await world.verified();
  const { recalculationId } = await proposeRecalculation(world.context, { file: aProgram([seasonal], { periods: [autumn, spring] }), reason: 'spring counts too' });
  await approveRecalculation(world.context, { program: 'p', recalculationId });
  expect(await world.total()).toBe(15n);
  await world.verified();
  // Moved or taken away, it is the past again.
  await expect(applyProgram(world.context, readProgram(aProgram([seasonal], { periods: [autumn, { ...spring, ends_on: '2026-06-30' }] })))).rejects.toMatchObject({ code: 'recalculation_needed' });
  await expect(applyProgram(world.context, readProgram(aProgram([seasonal], { periods: [autumn] })))).rejects.toMatchObject({ code: 'recalculation_needed' });
  await applyProgram(world.context, readProgram(aProgram([seasonal], { periods: [spring, { ...autumn, ends_on: '2026-12-20' }] })));
  await world.sell({ on: '2026-12-15', net: '200.00' });
  expect(await world.total()).toBe(25n);
  await world.verified();
});

test('what others change between a proposal and its approval stays: it changes only what it proposed', async () => {
  const other = { ...perHundred, key: 'other', curve: { is: 'per' as const, units: 1, every: 100 } };
  const world = await aWorld(await installation.tenant(), aProgram([perHundred, other]));
  await world.sell({ on: '2026-03-31', net: '300.00' });
  expect(await world.total()).toBe(15n + 3n);
  const first = await proposeRecalculation(world.context, { file: aProgram([{ ...perHundred, curve: { is: 'per', units: 6, every: 100 } }, other]), reason: 'six' });
  const second = await proposeRecalculation(world.context, { file: aProgram([perHundred, { ...other, curve: { is: 'per', units: 2, every: 100 } }]), reason: 'two' });
  await applyProgram(world.context, readProgram(aProgram([perHundred, other], { sources: [{ key: 'erp', unknown: 'enrol', name: { pl: 'Hurtownia', en: 'Wholesaler' } }] })));
  await approveRecalculation(world.context, { program: 'p', recalculationId: first.recalculationId });
  await approveRecalculation(world.context, { program: 'p', recalculationId: second.recalculationId });
  expect(await world.total()).toBe(18n + 6n);
  const now = await world.context.transaction((tx) => exportProgram(tx, 'p')) as { sources: { name?: unknown }[] };
  expect(now.sources[0]?.name).toEqual({ pl: 'Hurtownia', en: 'Wholesaler' });
  await world.verified();
});
