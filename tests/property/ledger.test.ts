import { afterAll, beforeAll, expect, test } from 'vitest';
import { dice, formatMinor, Refusal } from '@premia/kernel';
import { ALLOWED_PAIRS, approveAdjustment, captureHold, expireLots, findUnit, holdUnits, proposeAdjustment, refundHold, releaseHold } from '../../server/src/modules/ledger/index.ts';
import { findProgram } from '../../server/src/modules/members/index.ts';
import { openSettling } from '../../server/src/modules/entitlements/index.ts';
import type { Tx } from '../../server/src/platform/database.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, type World } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const RULE = { key: 'p', from: '2020-01-01', earner: { role: 'buyer' }, measure: { is: 'sum', of: 'net' }, window: 'document', curve: { is: 'per', units: 1, every: 1 }, award: { unit: 'points', available: 'at_once', expires: { months: 6, end: 'month' } } };

async function command<T>(world: World, member: string, work: (tx: Tx, c: Parameters<typeof holdUnits>[1], unit: Parameters<typeof holdUnits>[2]) => Promise<T>): Promise<T> {
  const { memberId } = await world.balance(member);
  return world.context.transaction(async (tx) => {
    const program = await findProgram(tx, 'p');
    const settling = await openSettling(tx, world.context, program);
    const unit = await findUnit(tx, program.programId, 'points');
    return work(tx, { tenantId: world.context.tenantId, programId: program.programId, bookedOn: settling.bookedOn, bookedAt: settling.bookedAt, runSeq: settling.runSeq, memberId, unitId: unit.unitId }, unit);
  });
}

test('the database and the code allow the same pairs of accounts', async () => {
  const [check] = await installation.admin<{ text: string }>(`SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conname = 'allowed_pair'`);
  const allowed = [...(check?.text ?? '').matchAll(/'(\w+)>(\w+)'/g)].map((match) => `${match[1]}>${match[2]}`).sort();
  expect(allowed).toEqual(ALLOWED_PAIRS.map((pair) => pair.join('>')).sort());
});

test('64 clients race for the last points: exactly one wins, the others are refused', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([RULE]));
  await world.sell({ on: '2026-06-01', net: '100.00' });
  const results = await Promise.allSettled(Array.from({ length: 64 }, (_, index) => command(world, 'shop', (tx, c, unit) => holdUnits(tx, c, unit, { amount: 100n, reference: `o${index}` }))));
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  for (const result of results) if (result.status === 'rejected') expect((result.reason as Refusal).code).toBe('balance_too_low');
  await world.verified();
});

test('the same reference holds once, also from 16 clients at once', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([RULE]));
  await world.sell({ on: '2026-06-01', net: '100.00' });
  const holds = await Promise.all(Array.from({ length: 16 }, () => command(world, 'shop', (tx, c, unit) => holdUnits(tx, c, unit, { amount: 30n, reference: 'same' }))));
  expect(new Set(holds.map((hold) => hold.holdId)).size).toBe(1);
  expect(await world.balance()).toMatchObject({ available: 70n, held: 30n });
  await world.verified();
});

test('earliest-expiring first; what is released goes back; what has expired comes back with grace', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([RULE]));
  world.context.clock.at = '2026-05-01T10:00:00Z';
  await world.sell({ on: '2025-12-10', net: '40.00' }, { on: '2026-03-10', net: '60.00' }); // valid to 30 June and 30 September
  const hold = await command(world, 'shop', (tx, c, unit) => holdUnits(tx, c, unit, { amount: 50n, reference: 'o' }));
  expect(await world.balance()).toMatchObject({ available: 50n, held: 50n, total: 100n });
  world.context.clock.at = '2026-07-15T10:00:00Z'; // the first lot's day has passed while it was on hold
  await command(world, 'shop', (tx, c, unit) => releaseHold(tx, c, hold.holdId, unit.graceDays));
  expect(await world.balance()).toMatchObject({ available: 100n, held: 0n });
  world.context.clock.at = '2026-08-15T10:00:00Z'; // 30 days of grace are over for the 40
  expect(await world.balance()).toMatchObject({ available: 60n });
  await command(world, 'shop', (tx, c) => expireLots(tx, c));
  await world.verified();
});

test('a correction of what has expired reverses the expiry and leaves no debt', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([RULE]));
  world.context.clock.at = '2026-01-05T10:00:00Z';
  await world.sell({ on: '2025-12-10', net: '40.00', number: 'A' });
  world.context.clock.at = '2026-07-15T10:00:00Z';
  expect(await world.balance()).toMatchObject({ available: 0n });
  await command(world, 'shop', (tx, c) => expireLots(tx, c));
  await world.sell({ on: '2026-07-10', net: '-40.00', base: 'A', baseLine: '1' });
  expect(await world.balance()).toMatchObject({ available: 0n, debt: 0n, total: 0n });
  await world.verified();
});

test('400 random commands over five members: every sum agrees with its transfers, nothing below zero', async () => {
  const d = dice(Number(process.env['LEDGER_SEED'] ?? 3));
  const world = await aWorld(await installation.tenant(), aProgram([RULE]));
  const sold: { number: string; member: string; left: number }[] = [];
  const holds: { member: string; holdId: bigint }[] = [];
  const happened = new Map<string, number>();
  let day = Date.parse('2026-01-01T10:00:00Z');
  for (let step = 0; step < 400; step += 1) {
    day += d.below(3) * 86_400_000;
    world.context.clock.at = new Date(day).toISOString();
    const member = d.pick(['a', 'b', 'c', 'd', 'e']);
    const kind = d.pick(['sell', 'sell', 'return', 'hold', 'capture', 'release', 'refund', 'adjust', 'expire']);
    try {
      if (kind === 'sell') { const net = d.between(1, 200); const number = `S${step}`; await world.sell({ on: new Date(day).toISOString().slice(0, 10), net: `${net}.00`, number, buyer: member }); sold.push({ number, member, left: net }); }
      else if (kind === 'return' && sold.length > 0) { const sale = d.pick(sold); const part = d.between(1, Math.max(1, sale.left)); sale.left -= part; await world.sell({ on: new Date(day).toISOString().slice(0, 10), net: formatMinor(BigInt(-part) * 100n, 2), qty: '0', base: sale.number, baseLine: '1', number: `R${step}`, buyer: sale.member }); }
      else if (kind === 'hold') { const hold = await command(world, member, (tx, c, unit) => holdUnits(tx, c, unit, { amount: BigInt(d.between(1, 150)), reference: `h${step}` })); holds.push({ member, holdId: hold.holdId }); }
      else if (kind === 'adjust') { await command(world, member, async (tx, c) => { const id = await proposeAdjustment(tx, c, { amount: BigInt(d.between(-60, 60) || 7), reason: 'test', principal: 'one' }); await approveAdjustment(tx, c, id, 'two', true); }); }
      else if (kind === 'expire') await command(world, member, (tx, c) => expireLots(tx, c));
      else if (holds.length > 0) { const hold = d.pick(holds); await command(world, hold.member, (tx, c, unit) => (kind === 'capture' ? captureHold(tx, c, hold.holdId) : kind === 'release' ? releaseHold(tx, c, hold.holdId, unit.graceDays) : refundHold(tx, c, hold.holdId, unit.graceDays))); }
      happened.set(kind, (happened.get(kind) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      happened.set(`refused:${error.code}`, (happened.get(`refused:${error.code}`) ?? 0) + 1);
    }
    if (step % 40 === 39) await world.verified();
  }
  await world.verified();
  for (const kind of ['sell', 'return', 'hold', 'capture', 'release', 'refund', 'adjust', 'expire', 'refused:balance_too_low', 'refused:hold_not_open']) expect(happened.get(kind) ?? 0, kind).toBeGreaterThan(2);
  const [debts] = await installation.admin<{ n: string }>(`SELECT count(*)::text AS n FROM ledger.transfer WHERE tenant_id = $1 AND kind = 'debt'`, [world.context.tenantId]);
  expect(Number(debts?.n), 'no debt ever arose, so nothing was proved about it').toBeGreaterThan(0);
});
