import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Refusal } from '@premia/kernel';
import { approveImport, previewAwards, recordImport, recordInput, recordSales, recordSalesTogether } from '../../server/src/modules/entitlements/index.ts';
import { stageImport } from '../../server/src/modules/facts/index.ts';
import { PERMISSIONS, createApiKey } from '../../server/src/modules/identity/index.ts';
import { approveAdjustment, captureHold, expireLots, findUnit, holdUnits, openPosting, proposeAdjustment, readBalances, refundHold, rejectAdjustment, releaseHold, type Command } from '../../server/src/modules/ledger/index.ts';
import { findMember, findProgram } from '../../server/src/modules/members/index.ts';
import type { Tx } from '../../server/src/platform/database.ts';
import { anApp } from '../support/http.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aSale, aWorld, perHundred, type World } from '../support/world.ts';

/** Battery R2–R9 as far as holds, adjustments and budgets go. RACE_ROUNDS lengthens a run. Catalogue, orders and payouts bring R1 and R10. */
const ROUNDS = Number(process.env['RACE_ROUNDS'] ?? 40);
const CLIENTS = 64;

let installation: Installation;
let app: FastifyInstance;
beforeAll(async () => {
  installation = await anInstallation();
  app = await anApp(installation);
});
afterAll(async () => { await app.close(); await installation.close(); });

const posting = <T>(world: World, member: string, work: (tx: Tx, command: Command) => Promise<T>): Promise<T> => world.context.transaction(async (tx) => {
  const program = await findProgram(tx, 'p');
  return work(tx, { ...(await openPosting(tx, world.context, program)), memberId: (await findMember(tx, program, member)).memberId, unitId: (await findUnit(tx, program.programId, 'points')).unitId });
});
const hold = (world: World, member: string, amount: bigint, reference: string) => posting(world, member, async (tx, command) => holdUnits(tx, command, await findUnit(tx, command.programId, 'points'), { amount, reference }));
const won = <T>(results: readonly PromiseSettledResult<T>[]): number => {
  for (const result of results) if (result.status === 'rejected' && !(result.reason instanceof Refusal)) throw result.reason;
  return results.filter((result) => result.status === 'fulfilled').length;
};
const reads = async (world: World) => world.context.transaction(async (tx) => readBalances(tx, (await findProgram(tx, 'p')).programId, '2026-06-15'));

test(`R2 ${CLIENTS} clients for the last points of one account, ${ROUNDS} rounds: exactly one wins each; R5 every reader meanwhile sees a whole`, async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  let [running, seen] = [true, 0];
  const reader = (async () => { while (running) { for (const item of await reads(world)) { expect(item.available + item.held + item.pending - item.debt).toBe(item.total); seen += 1; } } })();
  for (let round = 0; round < ROUNDS; round += 1) {
    const buyer = `m${round}`;
    await world.sell({ number: `S${round}`, on: '2026-03-31', net: '200.00', buyer });
    expect(won(await Promise.allSettled(Array.from({ length: CLIENTS }, (_, n) => hold(world, buyer, 10n, `r${round}-${n}`))))).toBe(1);
    expect(await world.balance(buyer)).toMatchObject({ available: 0n, held: 10n });
  }
  running = false;
  await reader;
  expect(seen).toBeGreaterThan(100);
});

test('R3 one key from 64 clients at once: one effect, and every answer the same, or “still running” and then the same', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ number: 'S', on: '2026-03-31', net: '10000.00', buyer: 'shop' });
  const { secret } = await createApiKey(world.context, { name: 'k', permissions: PERMISSIONS });
  const send = () => app.inject({ method: 'POST', url: '/v1/programs/p/members/shop/holds', headers: { authorization: `Bearer ${secret}`, 'idempotency-key': 'once' }, payload: { unit: 'points', amount: '7', reference: 'o' } });
  const answers = await Promise.all(Array.from({ length: CLIENTS }, send));
  expect(new Set(answers.map((answer) => answer.statusCode)).difference(new Set([200, 409])).size).toBe(0);
  const after = await Promise.all(Array.from({ length: CLIENTS }, send));
  expect(new Set([...answers.filter((answer) => answer.statusCode === 200), ...after].map((answer) => `${answer.statusCode} ${answer.body}`)).size).toBe(1);
  expect(await world.balance('shop')).toMatchObject({ held: 7n });
});

test(`R4 order, deliver, give back, expire, return, adjust and suspend on one account at once, ${ROUNDS} rounds: the books hold`, async () => {
  const world = await aWorld(await installation.tenant(), aProgram([{ ...perHundred, award: { unit: 'points', expires: { months: 2, end: 'month' } } }]));
  const happened = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const buyer = `m${round % 4}`;
    await world.sell({ number: `A${round}`, on: '2026-05-31', net: '500.00', buyer }, { number: `B${round}`, on: '2026-02-28', net: '300.00', buyer });
    const first = await hold(world, buyer, 5n, `first-${round}`);
    const acts: Record<string, () => Promise<unknown>> = {
      order: () => hold(world, buyer, 15n, `o${round}`), deliver: () => posting(world, buyer, (tx, command) => captureHold(tx, command, first.holdId)), release: () => posting(world, buyer, (tx, command) => releaseHold(tx, command, first.holdId, 30)),
      refund: () => posting(world, buyer, (tx, command) => refundHold(tx, command, first.holdId, 30)), expire: () => posting(world, buyer, (tx, command) => expireLots(tx, command)),
      take: () => recordSales(world.context, { program: 'p', source: 'erp', lines: [aSale({ number: `R${round}`, on: '2026-06-10', net: '-500.00', base: `A${round}`, baseLine: '1', buyer })] }),
      adjust: () => posting(world, buyer, async (tx, command) => approveAdjustment(tx, command, await proposeAdjustment(tx, command, { amount: -3n, reason: 'a call', principal: 'one' }), 'two', true)),
      sell: () => recordSalesTogether(world.context, { program: 'p', source: 'erp', lines: [aSale({ number: `C${round}`, on: '2026-06-01', net: '100.00', buyer })] }),
      suspend: () => recordInput(world.context, { kind: 'states', program: 'p', states: [{ member: buyer, state: 'active', from: '2020-01-01' }, { member: buyer, state: 'suspended', from: '2026-06-20' }] }),
    };
    const results = await Promise.allSettled(Object.entries(acts).map(async ([name, act]) => { await act(); happened.set(name, (happened.get(name) ?? 0) + 1); }));
    won(results);
    const [delivered, released] = [results[1], results[2]];
    expect(delivered?.status === 'fulfilled' && released?.status === 'fulfilled', 'a hold is delivered or released, not both').toBe(false);
    for (const item of await reads(world)) expect([item.available >= 0n, item.held >= 0n, item.debt >= 0n, item.available > 0n && item.debt > 0n]).toEqual([true, true, true, false]);
  }
  await world.verified();
  expect([...happened.keys()].sort()).toEqual(expect.arrayContaining(['adjust', 'deliver', 'expire', 'order', 'sell', 'suspend', 'take']));
});

test(`R7 approved twice, approved and turned down at once, ${ROUNDS} rounds: each adjustment is posted at most once`, async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ number: 'S', on: '2026-03-31', net: '100.00', buyer: 'shop' });
  let expected = 5n;
  for (let round = 0; round < ROUNDS; round += 1) {
    const id = await posting(world, 'shop', (tx, command) => proposeAdjustment(tx, command, { amount: 10n, reason: 'a call', principal: 'one' }));
    const decide = (approves: boolean, by: string) => posting(world, 'shop', async (tx, command): Promise<unknown> => (approves ? approveAdjustment(tx, command, id, by, true) : rejectAdjustment(tx, command, id, by)));
    const results = await Promise.allSettled([decide(true, 'two'), decide(round % 2 === 0, 'three'), decide(true, 'four')]);
    won(results);
    const [state] = await installation.admin<{ state: string }>('SELECT state FROM ledger.adjustment WHERE tenant_id = $1 AND adjustment_id = $2', [world.context.tenantId, String(id)]);
    expect(['approved', 'posted', 'rejected']).toContain(state?.state);
    if (state?.state !== 'rejected') expected += 10n;
    expect(await world.total('shop')).toBe(expected);
  }
  await world.verified();
});

test('a preview of an import of several chunks is what recording it awards', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  const path = join(mkdtempSync(join(tmpdir(), 'premia-preview-')), 'f.csv');
  writeFileSync(path, `invoice;date;net;buyer\n${Array.from({ length: 1_600 }, (_, n) => `P${n};2026-04-10;100,00;m${n % 50}`).join('\n')}\n`);
  const { importId } = await stageImport(world.context, installation.url, { program: 'p', source: 'erp', parts: [{ path, name: 'f.csv' }] });
  const chunks = await installation.admin<{ n: string }>('SELECT count(DISTINCT chunk)::text AS n FROM staging.staged_row WHERE tenant_id = $1', [world.context.tenantId]);
  expect(Number(chunks[0]?.n), 'one chunk proves nothing').toBeGreaterThan(2);
  expect(await previewAwards(world.context, { program: 'p', importId })).toEqual([{ unit: 'points', amount: 8_000n, members: 50 }]);
  await approveImport(world.context, { program: 'p', importId });
  expect(await recordImport(world.context, { program: 'p', importId })).toMatchObject({ recorded: 1_600, known: 0, conflict: 0 });
  expect((await reads(world)).reduce((sum, item) => sum + item.total, 0n)).toBe(8_000n);
});

test('R8 the same file by two imports at once, and one that overlaps: the union, nothing twice', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  const folder = mkdtempSync(join(tmpdir(), 'premia-races-'));
  const file = (name: string, from: number, to: number): string => { writeFileSync(join(folder, name), `invoice;date;net;buyer\n${Array.from({ length: to - from }, (_, n) => `F${from + n};2026-04-${10 + ((from + n) % 9)};100,00;m${(from + n) % 7}`).join('\n')}\n`); return join(folder, name); };
  const ids: bigint[] = [];
  for (const path of [file('a.csv', 0, 400), file('a.csv', 0, 400), file('b.csv', 200, 600)]) {
    const { importId } = await stageImport(world.context, installation.url, { program: 'p', source: 'erp', parts: [{ path, name: 'f.csv' }] });
    await approveImport(world.context, { program: 'p', importId });
    ids.push(importId);
  }
  const results = await Promise.all(ids.map((importId) => recordImport(world.context, { program: 'p', importId })));
  expect(results.reduce((sum, result) => sum + result.recorded, 0)).toBe(600);
  expect(results.reduce((sum, result) => sum + result.known, 0)).toBe(600);
  expect((await reads(world)).reduce((sum, item) => sum + item.total, 0n)).toBe(3_000n);
});

test(`R9 ${CLIENTS} awards race for a budget of ten: never above, and never below while more is wanted`, async () => {
  const world = await aWorld(await installation.tenant(), aProgram([{ ...perHundred, curve: { is: 'per', units: 1, every: 100 }, limits: { budget: 'b' } }], { budgets: [{ key: 'b', size: 10, unit: 'points' }] }));
  await Promise.all(Array.from({ length: CLIENTS }, (_, n) => recordSales(world.context, { program: 'p', source: 'erp', lines: [aSale({ number: `S${n}`, on: '2026-03-31', net: '100.00', buyer: `m${n}` })] })));
  expect((await reads(world)).reduce((sum, item) => sum + item.total, 0n)).toBe(10n);
  await world.verified();
});
