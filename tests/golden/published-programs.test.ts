import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatMinor } from '@premia/kernel';
import { applyProgram, openSettling, recordSales } from '../../server/src/modules/entitlements/index.ts';
import { captureHold, findUnit, holdUnits, readBalances } from '../../server/src/modules/ledger/index.ts';
import { findProgram } from '../../server/src/modules/members/index.ts';
import { parseProgram } from '../../server/src/modules/mechanics/index.ts';
import { anInstallation, type Installation, type TestContext } from '../support/installation.ts';
import { aSale, type SaleGiven } from '../support/world.ts';
import { verifyAll } from '../../server/src/verify.ts';

/* The published programs' worked cases, expressed without code: the same numbers as samples/programs/published-programs.json. */

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

type Running = { context: TestContext; key: string; sell(sale: SaleGiven): Promise<void>; on(day: string): void; total(member?: string): Promise<string>; redeem(amount: bigint): Promise<void> };
async function run(key: string, source: string, currency: string): Promise<Running> {
  const context = await installation.tenant();
  await applyProgram(context, parseProgram(readFileSync(join(import.meta.dirname, `../../examples/${key}/program.yaml`), 'utf8')));
  const balance = (member: string) => context.transaction(async (tx) => { const program = await findProgram(tx, key); return (await readBalances(tx, program.programId, context.clock.at.slice(0, 10))).find((item) => item.member === member); });
  return {
    context, key,
    sell: async (sale) => { await recordSales(context, { program: key, source, lines: [{ ...aSale(sale), currency }] }); },
    on: (day) => { context.clock.at = `${day}T10:00:00Z`; },
    total: async (member = 'shop') => { const found = await balance(member); return found ? formatMinor(found.total, found.scale) : '0'; },
    redeem: async (amount) => {
      const member = (await balance('shop'))?.memberId ?? 0n;
      await context.transaction(async (tx) => {
        const program = await findProgram(tx, key);
        const settling = await openSettling(tx, context, program);
        const unit = await findUnit(tx, program.programId, 'points');
        const command = { tenantId: context.tenantId, programId: program.programId, bookedOn: settling.bookedOn, bookedAt: settling.bookedAt, runSeq: settling.runSeq, memberId: member, unitId: unit.unitId };
        await captureHold(tx, command, (await holdUnits(tx, command, unit, { amount, reference: `order-${settling.runSeq}` })).holdId);
      });
    },
  };
}

describe('PAYBACK Austria', () => {
  test.each([['2019-09-30', '2022-09-30'], ['2019-10-01', '2023-09-30'], ['2020-02-29', '2023-09-30'], ['2019-12-31', '2023-09-30']])('points of %s can be used to %s and not a day longer', async (earned, last) => {
    const program = await run('payback-at', 'tills', 'EUR');
    program.on(earned);
    await program.sell({ on: earned, net: '200.00' });
    program.on(last);
    expect(await program.total()).toBe('100');
    program.on(new Date(Date.parse(`${last}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10));
    expect(await program.total()).toBe('0');
  });
  test('the oldest points go first', async () => {
    const program = await run('payback-at', 'tills', 'EUR');
    program.on('2021-01-01');
    await program.sell({ on: '2019-08-01', net: '300.00' });
    await program.sell({ on: '2020-08-01', net: '300.00' });
    await program.redeem(200n);
    expect(await program.total()).toBe('100');
    program.on('2022-10-01');
    expect(await program.total()).toBe('100');
    program.on('2023-10-01');
    expect(await program.total()).toBe('0');
    expect(await verifyAll(program.context, program.key)).toMatchObject({ differences: 0 });
  });
  test('199 points cannot be redeemed', async () => {
    const program = await run('payback-at', 'tills', 'EUR');
    program.on('2021-01-01');
    await program.sell({ on: '2020-12-01', net: '398.00' });
    expect(await program.total()).toBe('199');
    await expect(program.redeem(199n)).rejects.toMatchObject({ code: 'below_smallest_redemption' });
  });
  test.each([['', '9'], ['full-rate', '19']])('a basket of 19.99 at rate “%s” gives %s', async (channel, points) => {
    const program = await run('payback-at', 'tills', 'EUR');
    program.on('2021-01-01');
    await program.sell({ on: '2021-01-01', net: '19.99', ...(channel === '' ? {} : { channel }) });
    expect(await program.total()).toBe(points);
  });
});

describe('two-rate commission', () => {
  test.each([['250000.00', '12500.00'], ['500000.00', '25000.00'], ['500001.00', '25000.15'], ['750000.00', '62500.00'], ['1000000.00', '100000.00'], ['1200000.00', '130000.00']])('sales of %s pay %s', async (net, payout) => {
    const program = await run('two-rate-commission', 'crm', 'USD');
    await program.sell({ on: '2026-03-01', net, rep: 'shop', buyer: '' });
    expect(await program.total()).toBe(payout);
  });
});

describe('AdventureWorks volume discounts', () => {
  test.each([['1', '0.00'], ['10', '0.00'], ['11', '22.00'], ['14', '28.00'], ['15', '75.00'], ['24', '120.00'], ['25', '250.00'], ['40', '400.00'], ['41', '615.00'], ['60', '900.00'], ['61', '1220.00'], ['1000', '20000.00']])('a line of %s at 100.00 gets %s', async (qty, discount) => {
    const program = await run('adventureworks-volume-discount', 'erp', 'USD');
    await program.sell({ on: '2012-01-10', net: `${Number(qty) * 100}.00`, qty });
    expect(await program.total()).toBe(discount);
  });
  test.each([['2011-05-30', '0.00'], ['2011-05-31', '1220.00'], ['2014-05-30', '1220.00'], ['2014-05-31', '0.00']])('61 pieces on %s get %s', async (on, discount) => {
    const program = await run('adventureworks-volume-discount', 'erp', 'USD');
    await program.sell({ on, net: '6100.00', qty: '61' });
    expect(await program.total()).toBe(discount);
  });
});

test('K1 of the domain notes on a blend, K2’s corner points, and the S-shaped thresholds never round up', async () => {
  const { aProgram, aWorld } = await import('../support/world.ts');
  const { recordMembers, recordTargets } = await import('../../server/src/modules/entitlements/index.ts');
  const k1 = { key: 'k1', from: '2026-01-01', earner: { role: 'buyer' }, measure: { is: 'sum', of: 'net' }, window: 'month', base: { is: 'target', target: 'net' }, curve: { is: 'linear', points: [{ x: '80%', units: 750 }, { x: '100%', units: 1500 }, { x: '120%', units: 3000 }, { x: '150%', units: 3750 }] }, rounding: 'half_up', award: { unit: 'pln' } };
  const world = await aWorld(await installation.tenant(), aProgram([k1], { targets: [{ key: 'net', of: 'net', window: 'month' }] }));
  const cases: [net: string, pln: string][] = [['7999.00', '0.00'], ['8000.00', '750.00'], ['9500.00', '1312.50'], ['10000.00', '1500.00'], ['11500.00', '2625.00'], ['12000.00', '3000.00'], ['13500.00', '3375.00'], ['15000.00', '3750.00'], ['20000.00', '3750.00']];
  await recordMembers(world.context, { program: 'p', members: cases.map((_, index) => ({ code: `m${index}`, kind: 'company' as const })) });
  await recordTargets(world.context, { program: 'p', targets: cases.map((_, index) => ({ target: 'net', subject: `m${index}`, window_start: '2026-03-01', value: 1_000_000n })) });
  for (const [index, [net]] of cases.entries()) await world.sell({ on: '2026-03-10', net, buyer: `m${index}` });
  for (const [index, [net, pln]] of cases.entries()) expect(formatMinor(await world.total(`m${index}`, 'pln'), 2), net).toBe(pln);
  await world.verified();
});
