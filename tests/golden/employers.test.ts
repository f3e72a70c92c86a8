import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyProgram, approveRecalculation, explain, proposeChange, proposeRecalculation, recordEmployerWord, recordInput } from '../../server/src/modules/entitlements/index.ts';
import { companiesWithoutConsent, employerBars, findMember, findProgram, saveCompanies, type EmployerConsent } from '../../server/src/modules/members/index.ts';
import { readProgram } from '../../server/src/modules/mechanics/index.ts';
import { makeContext } from '../../server/src/platform/context.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred, type World } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const asksEmployers = (policy: string): unknown => aProgram([perHundred], { employer_consent: policy, four_eyes: { imports: false, rules: true, adjustments: false, payouts: false } });
const word = (given: boolean, from: string): EmployerConsent => ({ company: 'firma', given, given_by: 'A. Prezes', scope: 'program', document: 'aneks 2', valid_from: from });
const second = (world: World) => makeContext({ db: installation.db, tenantId: world.context.tenantId, principal: 'second', now: world.context.now });

/** Jan of Firma, who has bought in May and in June. */
async function withJan(policy: string): Promise<World> {
  const context = await installation.tenant();
  context.clock.at = '2026-06-15T10:00:00Z';
  const world = await aWorld(context, asksEmployers(policy));
  await context.transaction((tx) => saveCompanies(tx, context.tenantId, [{ code: 'firma', name: 'Firma' }, { code: 'inna', name: 'Inna' }]));
  await recordInput(context, { kind: 'members', program: 'p', members: [{ code: 'jan', kind: 'person', company: 'firma', from: '2026-01-01' }] });
  await world.sell({ on: '2026-05-10', net: '100.00', number: 'MAY', buyer: 'jan' }, { on: '2026-06-10', net: '200.00', number: 'JUNE', buyer: 'jan' }, { on: '2026-06-10', net: '300.00', buyer: 'shop' });
  return world;
}

test('where nobody earns without the employer, what counts follows what the employer says, day by day; a shop needs nobody’s leave', async () => {
  const world = await withJan('block_earn');
  expect([await world.total('jan'), await world.total('shop')]).toEqual([0n, 15n]);
  const [why] = await world.context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); return explain(tx, world.context, program, await findMember(tx, program, 'jan'), { document: 'JUNE', locale: 'pl' }); });
  expect(JSON.stringify(why)).toContain('Twoja firma nie zgodziła się jeszcze wtedy na Twój udział');
  await world.verified();

  await recordEmployerWord(world.context, 'p', word(true, '2026-06-15'));
  await world.sell({ on: '2026-06-15', net: '400.00', buyer: 'jan' });
  expect(await world.total('jan')).toBe(20n);
  await recordEmployerWord(world.context, null, word(false, '2026-06-20'));
  await world.sell({ on: '2026-06-19', net: '100.00', buyer: 'jan' }, { on: '2026-06-20', net: '900.00', buyer: 'jan' });
  expect(await world.total('jan')).toBe(25n);
  await world.verified();
});

test('a word about the past is a recalculation: proposed, seen in numbers, decided by a second person', async () => {
  const world = await withJan('block_earn');
  await expect(recordEmployerWord(world.context, 'p', word(true, '2026-05-01'))).rejects.toThrow('recalculation_needed');
  await expect(recordEmployerWord(world.context, null, word(true, '2026-05-01'))).rejects.toThrow('recalculation_needed');
  expect(await world.total('jan')).toBe(0n);
  const { recalculationId, preview } = await proposeChange(world.context, { change: { kind: 'employer_consent', program: 'p', ...word(true, '2026-05-01') }, reason: 'aneks' });
  expect([preview.winners, preview.losers]).toEqual([1, 0]);
  expect(await world.total('jan')).toBe(0n);
  await approveRecalculation(second(world), { program: 'p', recalculationId });
  expect(await world.total('jan')).toBe(15n);
  await world.verified();
});

test('whoever changes their employer earns as the new one says, and the word about another program is not about this one', async () => {
  const world = await withJan('block_earn');
  await recordEmployerWord(world.context, null, { ...word(true, '2026-01-01'), company: 'inna' });
  await recordInput(world.context, { kind: 'members', program: 'p', members: [{ code: 'jan', kind: 'person', company: 'inna', from: '2026-06-12' }] });
  await world.sell({ on: '2026-06-11', net: '100.00', buyer: 'jan' }, { on: '2026-06-12', net: '200.00', buyer: 'jan' });
  expect(await world.total('jan')).toBe(10n);
  await applyProgram(world.context, readProgram({ ...(asksEmployers('block_earn') as object), key: 'q' }));
  await recordEmployerWord(world.context, 'q', word(true, '2026-01-01'));
  await world.sell({ on: '2026-06-10', net: '900.00', buyer: 'jan' });
  expect(await world.total('jan')).toBe(10n);
  await world.verified();
});

test('to begin or to stop asking employers lies over recorded sales: it is a recalculation, too', async () => {
  const world = await withJan('block_payout');
  expect(await world.total('jan')).toBe(15n);
  await expect(applyProgram(world.context, readProgram(asksEmployers('block_earn')))).rejects.toThrow('recalculation_needed');
  const { recalculationId, preview } = await proposeRecalculation(world.context, { file: asksEmployers('block_earn'), reason: 'prawnik' });
  expect([preview.winners, preview.losers]).toEqual([0, 1]);
  await approveRecalculation(second(world), { program: 'p', recalculationId });
  expect([await world.total('jan'), await world.total('shop')]).toEqual([0n, 15n]);
  await world.verified();
});

test('companies whose people take part without their word are known until they have said it', async () => {
  const world = await withJan('remind');
  const missing = (on: string) => world.context.transaction(async (tx) => companiesWithoutConsent(tx, await findProgram(tx, 'p'), on));
  expect(await missing('2026-06-15')).toEqual([{ company: 'firma', people: 1 }]);
  await recordEmployerWord(world.context, null, word(true, '2026-06-16'));
  expect([(await missing('2026-06-15')).length, (await missing('2026-06-16')).length]).toEqual([1, 0]);
});

test('people of public buyers spend nothing without their employer, whatever the program says', async () => {
  const world = await withJan('remind');
  const bars = () => world.context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); return employerBars(tx, program, (await findMember(tx, program, 'jan')).memberId, '2026-06-15'); });
  expect(await bars()).toBe(null);
  await world.context.transaction((tx) => saveCompanies(tx, world.context.tenantId, [{ code: 'firma', name: 'Firma', type: 'public_sector' }]));
  expect(await bars()).toBe('spending');
  await recordEmployerWord(world.context, null, word(true, '2026-06-01'));
  expect(await bars()).toBe(null);
});
