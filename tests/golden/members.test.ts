import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseMinor } from '@premia/kernel';
import { approveRecalculation, explain, proposeChange, readBenefits, recordInput, recordMembers, refreshSegments } from '../../server/src/modules/entitlements/index.ts';
import { captureHold, findUnit, holdUnits, openPosting, type Command } from '../../server/src/modules/ledger/index.ts';
import { findMember, findProgram, listCompanies, listMembers, normalizeVat, readMember, saveCompanies, type CompanyDraft } from '../../server/src/modules/members/index.ts';
import { makeContext } from '../../server/src/platform/context.ts';
import type { Tx } from '../../server/src/platform/database.ts';
import { anInstallation, type Installation, type TestContext } from '../support/installation.ts';
import { aProgram, aWorld, perHundred, type World } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const second = (world: World): TestContext => Object.assign(makeContext({ db: installation.db, tenantId: world.context.tenantId, principal: 'second', now: world.context.now }), { clock: world.context.clock });
async function spend(world: World, member: string, amount: string, capture: boolean): Promise<void> {
  await world.context.transaction(async (tx: Tx) => {
    const program = await findProgram(tx, 'p');
    const unit = await findUnit(tx, program.programId, 'points');
    const command: Command = { ...(await openPosting(tx, world.context, program)), memberId: (await findMember(tx, program, member)).memberId, unitId: unit.unitId };
    const hold = await holdUnits(tx, command, unit, { amount: parseMinor(amount, 0), reference: `${member}-${amount}` });
    if (capture) await captureHold(tx, command, hold.holdId);
  });
}

test('a NIP and EU VAT numbers are checked by their digits, and written one way', () => {
  expect(normalizeVat('526-000-12-46')).toBe('PL5260001246');
  expect(normalizeVat('PL 5260001246')).toBe('PL5260001246');
  expect(normalizeVat('DE136695976')).toBe('DE136695976');
  expect(normalizeVat('CZ25123891')).toBe('CZ25123891');
  for (const wrong of ['PL1234567890', '0000000000', 'DE136695977', 'XX1', 'PL', '', 'US123']) expect(normalizeVat(wrong), wrong).toBeNull();
});

test('companies form a tree with codes of others; a circle, a taken VAT number and an unknown parent are refused by name', async () => {
  const context = await installation.tenant();
  const save = (...companies: CompanyDraft[]): Promise<number> => context.transaction((tx) => saveCompanies(tx, context.tenantId, companies));
  await save({ code: 'shop-1', name: 'Łapka Śrem', parent: 'chain', codes: { erp: '00017', wms: 'A:1' } }, { code: 'chain', name: 'Sieć Łapka', vat: '526-000-12-46', parent: 'group' }, { code: 'group', name: 'Grupa' });
  const { rows: list } = await context.transaction((tx) => listCompanies(tx, { limit: 10 }));
  expect(list.map((company) => [company.code, company.path])).toEqual([['chain', ['group']], ['group', []], ['shop-1', ['group', 'chain']]]);
  expect(list[2]).toMatchObject({ parent: 'chain', codes: { erp: '00017', wms: 'A:1' } });
  expect((await context.transaction((tx) => listCompanies(tx, { search: '00017', limit: 10 }))).rows.map((company) => company.code)).toEqual(['shop-1']);
  await expect(save({ code: 'group', name: 'Grupa', parent: 'shop-1' })).rejects.toMatchObject({ places: [{ code: 'company_circle' }] });
  await expect(save({ code: 'other', name: 'Inna', vat: 'PL5260001246' })).rejects.toMatchObject({ places: [{ code: 'company_key_taken' }] });
  await expect(save({ code: 'x', name: 'X', parent: 'nobody' })).rejects.toMatchObject({ places: [{ code: 'company_not_found' }] });
  await expect(save({ code: 'x', name: 'X', vat: 'PL1234567890' })).rejects.toMatchObject({ places: [{ code: 'vat_invalid' }] });
});

test('states: what falls between suspension and return, or after leaving, earns nothing and says so', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  for (const [number, on] of [['A', '2026-01-10'], ['B', '2026-02-10'], ['C', '2026-03-10'], ['D', '2026-05-10']] as const) await world.sell({ number, on, net: '100.00' });
  expect(await world.total()).toBe(20n);
  await recordInput(world.context, { kind: 'states', program: 'p', states: [{ member: 'shop', state: 'active', from: '2026-01-01' }, { member: 'shop', state: 'suspended', from: '2026-02-01', reason: 'unpaid' }, { member: 'shop', state: 'active', from: '2026-03-01' }, { member: 'shop', state: 'left', from: '2026-05-01' }] });
  expect(await world.total()).toBe(10n); // A and C: 5 each; B fell into the suspension, D after leaving
  await world.verified();
  await world.context.transaction(async (tx) => {
    const program = await findProgram(tx, 'p');
    const member = await findMember(tx, program, 'shop');
    const [b] = await explain(tx, world.context, program, member, { document: 'B', locale: 'pl' });
    expect(b?.sentences.join(' ')).toContain('wtedy Twój udział był zawieszony');
    const [d] = await explain(tx, world.context, program, member, { document: 'D', locale: 'en' });
    expect(d?.sentences.join(' ')).toContain('suspended or interrupted then');
  });
  await recordInput(world.context, { kind: 'states', program: 'p', states: [{ member: 'shop', state: 'active', from: '2026-05-05' }] });
  expect(await world.total()).toBe(15n); // D is back
  await world.verified();
});

test('an invited member counts on no day until it is active; then by the program’s own rule', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred], { counts: { days_before: 7 } }));
  await recordMembers(world.context, { program: 'p', members: [{ code: 'new', kind: 'company' }] });
  await recordInput(world.context, { kind: 'states', program: 'p', states: [{ member: 'new', state: 'invited', from: '2026-06-15' }] });
  await world.sell({ on: '2026-06-10', net: '100.00', buyer: 'new' }, { on: '2026-06-01', net: '100.00', buyer: 'new' });
  expect(await world.total('new')).toBe(0n);
  world.context.clock.at = '2026-06-16T10:00:00Z';
  await recordInput(world.context, { kind: 'states', program: 'p', states: [{ member: 'new', state: 'active', from: '2026-06-16' }] });
  expect(await world.total('new')).toBe(5n); // 10 June is within 7 days before, 1 June is not
  await world.verified();
});

test('a change that moves results of the past is refused where four eyes are asked for, and goes through as a recalculation', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred], { four_eyes: { imports: false, rules: true, adjustments: false, payouts: false } }));
  await world.sell({ on: '2026-02-10', net: '100.00' });
  const change = { kind: 'states' as const, program: 'p', states: [{ member: 'shop', state: 'active' as const, from: '2026-01-01' }, { member: 'shop', state: 'suspended' as const, from: '2026-02-01' }] };
  await expect(recordInput(world.context, change)).rejects.toMatchObject({ code: 'recalculation_needed' });
  expect(await world.total()).toBe(5n);
  const { recalculationId, preview } = await proposeChange(world.context, { change, reason: 'was suspended in February' });
  expect(preview).toMatchObject({ losers: 1, mechanics: [{ before: '5', after: '0' }] });
  await expect(approveRecalculation(world.context, { program: 'p', recalculationId })).rejects.toMatchObject({ code: 'second_person_needed' });
  await approveRecalculation(second(world), { program: 'p', recalculationId });
  expect(await world.total()).toBe(0n);
  await world.verified();
  // What moves nothing of the past needs nobody.
  await recordInput(world.context, { kind: 'states', program: 'p', states: [{ member: 'shop', state: 'active', from: '2026-06-15' }] });
});

test('merging: facts, what was spent, holds and debt go to the new member; the old one is an alias at zero', async () => {
  const monthly = { ...perHundred, key: 'month', window: 'month' as const, curve: { is: 'steps' as const, steps: [{ reach: 1_000, units: 100 }] } };
  const world = await aWorld(await installation.tenant(), aProgram([perHundred, monthly]));
  await world.sell({ on: '2026-03-02', net: '600.00', number: 'A', buyer: 'old' }, { on: '2026-03-05', net: '400.00', number: 'B', buyer: 'kept' });
  expect([await world.total('old'), await world.total('kept')]).toEqual([30n, 20n]);
  await spend(world, 'old', '10', true);
  await spend(world, 'old', '5', false);
  const { recalculationId, preview } = await proposeChange(world.context, { change: { kind: 'merge', program: 'p', member: 'old', into: 'kept' }, reason: 'the same shop twice' });
  expect(preview).toMatchObject({ winners: 1, losers: 1 });
  await approveRecalculation(second(world), { program: 'p', recalculationId });
  // 1,000 zł together: 50 for the documents and 100 for the month, less 10 spent; 5 of it on hold.
  expect(await world.balance('kept')).toMatchObject({ total: 140n, held: 5n, debt: 0n });
  await world.verified();
  await world.context.transaction(async (tx) => {
    const program = await findProgram(tx, 'p');
    expect((await findMember(tx, program, 'old')).code).toBe('kept');
    expect(await readMember(tx, program, (await findMember(tx, program, 'kept')).memberId)).toMatchObject({ aliases: ['old'] });
    expect((await listMembers(tx, program, '2026-06-15', { limit: 10 })).rows.map((member) => member.code)).toEqual(['kept']);
  });
  // What comes later for the old code, a correction of the old sale included, is the new member's.
  await world.sell({ on: '2026-04-01', net: '-200.00', base: 'A', baseLine: '1', buyer: 'old' }, { on: '2026-06-01', net: '100.00', buyer: 'old' });
  expect((await world.balance('kept')).total).toBe(35n); // 40 − 10 spent + 5; the month fell below 1,000
  await world.verified();
});

test('a merge where the old member had spent more than is left: the new one owes the rest', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-03-02', net: '600.00', number: 'A', buyer: 'old' });
  await spend(world, 'old', '30', true);
  await world.sell({ on: '2026-03-03', net: '-600.00', base: 'A', baseLine: '1', buyer: 'old' }, { on: '2026-03-05', net: '100.00', buyer: 'kept' });
  expect((await world.balance('old')).debt).toBe(30n);
  await recordInput(world.context, { kind: 'merge', program: 'p', member: 'old', into: 'kept' });
  expect(await world.balance('kept')).toMatchObject({ available: 0n, debt: 25n });
  await world.verified();
});

test('segments by list, by condition and by measure; a new computation leaves the past as it was', async () => {
  const vip = { ...perHundred, key: 'vip', earner: { role: 'buyer' as const, who: { is: 'oneOf' as const, field: 'segment' as const, values: ['big'] } } };
  const world = await aWorld(await installation.tenant(), aProgram([vip], { segments: [
    { key: 'big', rule: { role: 'buyer', measure: { is: 'sum', of: 'net' }, window: 'quarter', at_least: 1_000 } }, { key: 'vets', rule: { who: { is: 'oneOf', field: 'company_type', values: ['vet'] } } }, { key: 'picked', members: ['shop', 'nobody'], from: '2026-06-01' }] }));
  await recordMembers(world.context, { program: 'p', members: [{ code: 'shop', kind: 'company' }, { code: 'vet', kind: 'company', company_type: 'vet' }] });
  await world.sell({ on: '2026-06-01', net: '1000.00' }, { on: '2026-06-01', net: '999.99', buyer: 'vet' });
  expect(await refreshSegments(world.context, { program: 'p' })).toEqual([{ segment: 'big', members: 1, came: 1, left: 0 }, { segment: 'picked', members: 1, came: 1, left: 0 }, { segment: 'vets', members: 1, came: 1, left: 0 }]);
  await world.sell({ on: '2026-06-14', net: '100.00' }, { on: '2026-06-15', net: '100.00' }, { on: '2026-06-15', net: '100.00', buyer: 'vet' });
  expect([await world.total(), await world.total('vet')]).toEqual([5n, 0n]); // from the day of computing on: 15 June counts, 14 June does not
  world.context.clock.at = '2026-07-02T10:00:00Z'; // a new quarter: nobody has bought yet
  expect(await refreshSegments(world.context, { program: 'p', segment: 'big' })).toEqual([{ segment: 'big', members: 0, came: 0, left: 1 }]);
  await world.sell({ on: '2026-07-02', net: '100.00' }, { on: '2026-06-30', net: '100.00' });
  expect(await world.total()).toBe(10n); // 30 June stays inside the recorded interval
  await world.verified();
});

test('one call tells a shop what applies to an order now', async () => {
  const tiers = [{ key: 'club', measure: { is: 'sum', of: 'net' }, tiers: [{ key: 'silver', from: 500, name: { pl: 'Srebrny', en: 'Silver' }, benefits: [{ key: 'discount', kind: 'discount', pl: '3% rabatu', en: '3% off', percent: '3%', limit: { times: 2, per: 'month' } }, { key: 'past', kind: 'service', pl: 'x', en: 'x', until: '2026-01-01' }] }] }];
  const world = await aWorld(await installation.tenant(), aProgram([perHundred], { tier_sets: tiers }));
  await world.sell({ on: '2026-03-02', net: '600.00' }, { on: '2026-03-02', net: '10.00', buyer: 'small' });
  const benefitsOf = (code: string) => world.context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); return readBenefits(tx, world.context, program, await findMember(tx, program, code), '2026-06-15', 'en'); });
  expect(await benefitsOf('shop')).toEqual({ member: 'shop', state: 'active', on: '2026-06-15', tiers: [{ set: 'club', tier: 'silver', name: 'Silver', since: '2026-03-02', benefits: [{ key: 'discount', kind: 'discount', text: '3% off', percent: '0.03', limit: { times: 2, per: 'month' }, until: null }] }],
    rules: [{ mechanic: 'per-100', name: 'per-100', sentence: expect.stringContaining('5 points for every full') as string }] });
  expect((await benefitsOf('small')).tiers).toEqual([{ set: 'club', tier: null, name: null, since: null, benefits: [] }]);
});
