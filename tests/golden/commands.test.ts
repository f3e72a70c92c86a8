import { afterAll, beforeAll, expect, test } from 'vitest';
import { approveAwards, approveLate, closePeriod, listCloses, listLate, listWaitingAwards, recordTargets, startClosing } from '../../server/src/modules/entitlements/index.ts';
import { approveAdjustment, captureHold, expireLots, findUnit, holdUnits, openPosting, proposeAdjustment, readBalances, readLiability, readStatement, refundHold, rejectAdjustment, releaseHold, transferUnits, type AdjustmentKind, type Command, type Hold } from '../../server/src/modules/ledger/index.ts';
import { findMember, findProgram } from '../../server/src/modules/members/index.ts';
import type { Tx } from '../../server/src/platform/database.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred, type World } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const inTx = <T>(world: World, work: (tx: Tx, command: Command) => Promise<T>, member = 'shop', unitKey = 'points'): Promise<T> => world.context.transaction(async (tx) => {
  const program = await findProgram(tx, 'p');
  const unit = await findUnit(tx, program.programId, unitKey);
  return work(tx, { ...(await openPosting(tx, world.context, program)), memberId: (await findMember(tx, program, member)).memberId, unitId: unit.unitId });
});
const hold = (world: World, amount: bigint, reference: string): Promise<Hold> => inTx(world, async (tx, command) => holdUnits(tx, command, await findUnit(tx, command.programId, 'points'), { amount, reference }));
const transfer = (world: World, from: string, to: string, amount: bigint, reference: string) => inTx(world, async (tx, command) => {
  const program = await findProgram(tx, 'p');
  return transferUnits(tx, command, { from: (await findMember(tx, program, from)).memberId, to: (await findMember(tx, program, to)).memberId, unitId: command.unitId }, { amount, reason: 'a gift', reference });
});
const adjust = async (world: World, amount: bigint, kind: AdjustmentKind = 'adjustment', member = 'shop'): Promise<void> => {
  const id = await inTx(world, (tx, command) => proposeAdjustment(tx, command, { kind, amount, reason: 'a call', principal: 'one' }), member);
  await expect(inTx(world, (tx, command) => approveAdjustment(tx, command, id, 'one', true), member)).rejects.toMatchObject({ code: 'second_person_needed' });
  await inTx(world, (tx, command) => approveAdjustment(tx, command, id, 'two', true), member);
  await expect(inTx(world, (tx, command) => approveAdjustment(tx, command, id, 'two', true), member)).rejects.toMatchObject({ code: 'adjustment_not_open' });
};
const expiring = (months: number) => ({ ...perHundred, award: { unit: 'points', expires: { months, end: 'day' } } });

test('a hold is captured, released or refunded once; what comes back names what it undoes', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-06-01', net: '2000.00' });
  const [a, b] = [await hold(world, 40n, 'order-1'), await hold(world, 30n, 'order-2')];
  expect((await hold(world, 40n, 'order-1')).holdId).toBe(a.holdId);
  await inTx(world, (tx, command) => captureHold(tx, command, a.holdId));
  await inTx(world, (tx, command) => releaseHold(tx, command, b.holdId, 30));
  await expect(inTx(world, (tx, command) => captureHold(tx, command, b.holdId))).rejects.toMatchObject({ code: 'hold_not_open' });
  expect(await world.balance()).toMatchObject({ available: 60n, held: 0n });
  await inTx(world, (tx, command) => refundHold(tx, command, a.holdId, 30));
  expect(await world.balance()).toMatchObject({ available: 100n });
  const reversals = await installation.admin<{ kind: string; undoes: string }>(`SELECT t.kind, r.kind AS undoes FROM ledger.transfer AS t JOIN ledger.transfer AS r ON r.tenant_id = t.tenant_id AND r.transfer_id = t.reverses WHERE t.tenant_id = $1 ORDER BY t.transfer_id`, [world.context.tenantId]);
  expect(reversals).toEqual([{ kind: 'release', undoes: 'hold' }, { kind: 'refund', undoes: 'capture' }]);
  await world.verified();
});

test('adjustments and write-offs: another person posts them, once; a write-off forgives at most what is owed', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-06-01', net: '400.00', number: 'A' });
  await adjust(world, 5n);
  await hold(world, 20n, 'order').then((made) => inTx(world, (tx, command) => captureHold(tx, command, made.holdId)));
  await world.sell({ on: '2026-06-02', net: '-400.00', base: 'A', baseLine: '1' });
  expect(await world.balance()).toMatchObject({ available: 0n, debt: 15n });
  const over = await inTx(world, (tx, command) => proposeAdjustment(tx, command, { kind: 'write_off', amount: 16n, reason: 'too much', principal: 'one' }));
  await expect(inTx(world, (tx, command) => approveAdjustment(tx, command, over, 'two', true))).rejects.toMatchObject({ code: 'debt_too_low' });
  await inTx(world, (tx, command) => rejectAdjustment(tx, command, over, 'two'));
  await adjust(world, 10n, 'write_off');
  expect(await world.balance()).toMatchObject({ debt: 5n, total: -5n });
  const entries = await world.context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); return readStatement(tx, program.programId, (await findMember(tx, program, 'shop')).memberId, { limit: 50 }); });
  expect(entries.at(-1)).toMatchObject({ kind: 'write_off', amount: 10n, balance: -5n, reason: 'a call' });
  await world.verified();
});

test('a unit whose debt is written off by policy carries none, and the books say why', async () => {
  const units = [{ key: 'points', scale: 0, debt: 'write_off', names: { pl: { one: 'punkt', few: 'punkty', many: 'punktów', short: 'pkt' }, en: { one: 'point', other: 'points', short: 'pts' } } }];
  const world = await aWorld(await installation.tenant(), aProgram([perHundred], { units }));
  await world.sell({ on: '2026-06-01', net: '400.00', number: 'A' });
  await hold(world, 15n, 'order');
  await world.sell({ on: '2026-06-02', net: '-400.00', base: 'A', baseLine: '1' });
  expect(await world.balance()).toMatchObject({ available: 0n, held: 15n, debt: 0n, total: 15n });
  await world.sell({ on: '2026-06-03', net: '100.00' });
  expect(await world.balance()).toMatchObject({ available: 5n, debt: 0n });
  await world.verified();
});

test('units between members keep the date on which they expire; the same reference moves nothing twice', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([expiring(12)]));
  await world.sell({ on: '2026-03-01', net: '400.00' }, { on: '2026-05-01', net: '200.00' }, { on: '2026-05-01', net: '100.00', buyer: 'friend' });
  expect(await transfer(world, 'shop', 'friend', 25n, 'gift-1')).toMatchObject({ amount: 25n });
  expect(await transfer(world, 'shop', 'friend', 25n, 'gift-1')).toMatchObject({ amount: 25n });
  expect([await world.total(), await world.total('friend')]).toEqual([5n, 30n]);
  await expect(transfer(world, 'shop', 'friend', 6n, 'gift-2')).rejects.toMatchObject({ code: 'balance_too_low' });
  await expect(transfer(world, 'shop', 'shop', 1n, 'gift-3')).rejects.toMatchObject({ code: 'same_member' });
  await world.verified();
  world.context.clock.at = '2027-03-02T10:00:00Z'; // what was earned in March is gone, at the new holder too
  expect([await world.total(), await world.total('friend')]).toEqual([5n, 10n]);
});

test('opposite transfers at once do not block each other', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-06-01', net: '2000.00' }, { on: '2026-06-01', net: '2000.00', buyer: 'friend' });
  await Promise.all(Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? transfer(world, 'shop', 'friend', 2n, `a-${index}`) : transfer(world, 'friend', 'shop', 2n, `a-${index}`))));
  expect([await world.total(), await world.total('friend')]).toEqual([100n, 100n]);
  await world.verified();
});

test('expiry after inactivity: any activity keeps the wallet alive, without it everything goes by date, and the books follow', async () => {
  const idle = { ...perHundred, award: { unit: 'points', expires: { inactive_months: 6 } } };
  const world = await aWorld(await installation.tenant(), aProgram([idle]));
  world.context.clock.at = '2026-01-10T10:00:00Z';
  await world.sell({ on: '2026-01-10', net: '400.00' });
  world.context.clock.at = '2026-07-10T10:00:00Z';
  expect((await world.balance()).available).toBe(20n); // the last day
  await world.did('shop', 'survey_answered', '2026-07-10');
  world.context.clock.at = '2027-01-10T10:00:00Z';
  expect((await world.balance()).available).toBe(20n);
  world.context.clock.at = '2027-01-11T10:00:00Z';
  expect((await world.balance()).available).toBe(0n);
  await expect(hold(world, 1n, 'late')).rejects.toMatchObject({ code: 'balance_too_low' });
  expect(await inTx(world, (tx, command) => expireLots(tx, command))).toBe(1);
  expect(await inTx(world, (tx, command) => expireLots(tx, command))).toBe(0);
  expect(await world.balance()).toMatchObject({ total: 0n });
  await world.verified();
  await expect(aWorld(world.context, aProgram([idle, { ...perHundred, key: 'other' }]))).rejects.toMatchObject({ places: [{ code: 'inactivity_differs' }] });
});

test('liability equals the sum of balances, by the month in which it expires', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([expiring(12), { ...perHundred, key: 'later', award: { unit: 'points', available: { after_days: 30 } } }]));
  await world.sell({ on: '2026-03-01', net: '400.00' }, { on: '2026-06-10', net: '100.00', buyer: 'friend' });
  await hold(world, 7n, 'order');
  const [points] = (await world.context.transaction(async (tx) => readLiability(tx, (await findProgram(tx, 'p')).programId, '2026-06-15'))).filter((item) => item.unit === 'points');
  expect(points).toEqual({ unit: 'points', scale: 0, available: 38n, pending: 5n, held: 7n, debt: 0n, byExpiry: [{ month: '2027-03', amount: 13n, lots: 1, members: 1 }, { month: '2027-06', amount: 5n, lots: 1, members: 1 }, { month: 'never', amount: 25n, lots: 2, members: 2 }] });
  const balances = await world.context.transaction(async (tx) => readBalances(tx, (await findProgram(tx, 'p')).programId, '2026-06-15', { unit: 'points' }));
  expect(balances.reduce((sum, item) => sum + item.total, 0n)).toBe((points?.available ?? 0n) + (points?.pending ?? 0n) + (points?.held ?? 0n));
});

test('an award on approval waits behind its own gate; what is approved is spendable, what comes later waits again', async () => {
  const bonus = { ...perHundred, key: 'bonus', window: 'month' as const, award: { unit: 'points', available: 'approval' } };
  const world = await aWorld(await installation.tenant(), aProgram([bonus]));
  await world.sell({ on: '2026-05-02', net: '1000.00' }, { on: '2026-05-02', net: '200.00', buyer: 'other' });
  expect(await world.balance()).toMatchObject({ available: 0n, pending: 50n });
  const waiting = () => world.context.transaction(async (tx) => listWaitingAwards(tx, await findProgram(tx, 'p'), { limit: 10 }));
  expect(await waiting()).toEqual([{ member: 'other', mechanic: 'bonus', window: '2026-05-01', unit: 'points', amount: '10' }, { member: 'shop', mechanic: 'bonus', window: '2026-05-01', unit: 'points', amount: '50' }]);
  expect(await approveAwards(world.context, { program: 'p', mechanic: 'bonus', window: '2026-05-01', members: ['shop'] })).toBe(1);
  expect(await world.balance()).toMatchObject({ available: 50n, pending: 0n });
  await world.sell({ on: '2026-05-03', net: '100.00' });
  expect(await world.balance()).toMatchObject({ available: 50n, pending: 5n });
  expect((await waiting()).length).toBe(2);
  await expect(approveAwards(world.context, { program: 'p', mechanic: 'bonus', window: '2026-04-01' })).rejects.toMatchObject({ code: 'award_not_waiting' });
  await world.verified();
});

test('a close is announced, then frozen; by policy late facts in it wait for approval, and change nothing before', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([{ ...perHundred, window: 'month' }], { late_in_closed: 'approve', targets: [{ key: 't', of: 'net', window: 'month' }] }));
  await world.sell({ on: '2026-04-10', net: '1000.00' });
  await startClosing(world.context, { program: 'p', from: '2026-04-01', to: '2026-04-30' });
  await world.sell({ on: '2026-04-11', net: '100.00' }); // closing is not closed
  expect(await world.total()).toBe(55n);
  await closePeriod(world.context, { program: 'p', from: '2026-04-01', to: '2026-04-30' });
  await expect(startClosing(world.context, { program: 'p', from: '2026-04-15', to: '2026-05-15' })).rejects.toMatchObject({ code: 'period_closed_already' });
  const frozen = (await world.context.transaction(async (tx) => listCloses(tx, await findProgram(tx, 'p'))))[0]?.snapshot;
  await world.sell({ on: '2026-04-12', net: '200.00' }, { on: '2026-05-02', net: '100.00' });
  expect(await world.total()).toBe(60n); // May at once, April waits
  const late = () => world.context.transaction(async (tx) => listLate(tx, world.context, await findProgram(tx, 'p'), { limit: 10 }));
  expect(await late()).toEqual([{ member: 'shop', mechanic: 'per-100', window: '2026-04-01', unit: 'points', booked: '55', owed: '65', amount: '10' }]);
  await world.verified(); // waiting is not a difference
  expect(await approveLate(world.context, { program: 'p' })).toBe(1);
  expect([await world.total(), (await late()).length]).toEqual([70n, 0]);
  expect((await world.context.transaction(async (tx) => listCloses(tx, await findProgram(tx, 'p'))))[0]).toMatchObject({ state: 'closed', snapshot: frozen });
  await world.verified();
});

test.each(['post', 'approve'])('targets of a closed period change only through recalculation, whatever the program asks for (late facts: %s)', async (late) => {
  const goal = { key: 'goal', from: '2020-01-01', earner: { role: 'buyer' }, measure: { is: 'sum', of: 'net' }, window: 'month', base: { is: 'target', target: 't' }, curve: { is: 'steps', steps: [{ reach: '100%', units: 50 }] }, award: { unit: 'points' } };
  const world = await aWorld(await installation.tenant(), aProgram([goal], { late_in_closed: late, targets: [{ key: 't', of: 'net', window: 'month' }] }));
  await world.sell({ on: '2026-04-10', net: '1000.00' });
  const set = (value: bigint): Promise<unknown> => recordTargets(world.context, { program: 'p', targets: [{ target: 't', subject: 'shop', window_start: '2026-04-01', value }] });
  await set(100_000n);
  expect(await world.total()).toBe(50n);
  await closePeriod(world.context, { program: 'p', from: '2026-04-01', to: '2026-04-30' });
  await expect(set(200_000n)).rejects.toMatchObject({ code: 'recalculation_needed' });
  expect(await world.total()).toBe(50n);
  await world.verified();
});
