import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Refusal } from '@premia/kernel';
import { approveBatch, approveItems, confirmBatch, exportBatch, httpProvider, moveItems, proposeBatch, saveAccount, sendPayouts, type Outcome, type Payout, type Provider } from '../../server/src/modules/rewards/index.ts';
import { cancelOwn } from '../../server/src/modules/rewards/decide-items.ts';
import { findMember, findProgram } from '../../server/src/modules/members/index.ts';
import { anInstallation, type Installation, type TestContext } from '../support/installation.ts';
import { aReward, aShop, type Shop } from '../support/reward-world.ts';

/** Battery R1, R2, R10: the last voucher, the last points, decisions at once, batches over the same items, a provider nobody heard. RACE_ROUNDS lengthens a run. */
const ROUNDS = Number(process.env['RACE_ROUNDS'] ?? 12);
const CLIENTS = 64;
let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const shop = async (more: object = {}, settings: object = {}): Promise<Shop> => aShop(await installation.tenant(), more, settings);
/** How many succeeded, and by which names the others were refused; anything else than a designed refusal fails the test. */
function counted(results: readonly PromiseSettledResult<unknown>[]): { won: number; codes: string[] } {
  const codes = results.flatMap((result) => { if (result.status === 'fulfilled') return []; if (!(result.reason instanceof Refusal)) throw result.reason; return [result.reason.code]; });
  return { won: results.length - codes.length, codes: [...new Set(codes)] };
}
const itemsOf = async (made: Promise<{ items: { itemId: bigint }[] }>): Promise<bigint[]> => (await made).items.map((item) => item.itemId);

test(`R1 ${CLIENTS} clients for the last voucher, ${ROUNDS} rounds: one winner each, 63 told that it has run out`, async () => {
  const world = await shop();
  await world.offer(aReward('bon', { kind: 'voucher', price: '1', worth: '10.00' }));
  for (let n = 0; n < CLIENTS; n += 1) await world.earn(`m${n}`, 1_000);
  for (let round = 0; round < ROUNDS; round += 1) {
    await world.codes('bon', 1);
    const { won, codes } = counted(await Promise.allSettled(Array.from({ length: CLIENTS }, (_, n) => world.order(`m${n}`, [{ reward: 'bon' }]))));
    expect([round, won, codes]).toEqual([round, 1, ['out_of_stock']]);
  }
  expect(await world.states()).toEqual({ issued: ROUNDS });
  await world.verified();
});

test(`R1 ${CLIENTS} clients for the last three kettles, ${ROUNDS} rounds: three winners each`, async () => {
  const world = await shop();
  for (let n = 0; n < CLIENTS; n += 1) await world.earn(`m${n}`, 1_000);
  for (let round = 0; round < ROUNDS; round += 1) {
    await world.offer(aReward('kettle', { price: '1', stock: 3 }));
    expect(counted(await Promise.allSettled(Array.from({ length: CLIENTS }, (_, n) => world.order(`m${n}`, [{ reward: 'kettle' }]))))).toEqual({ won: 3, codes: ['out_of_stock'] });
  }
  await world.verified();
});

test(`R2 ${CLIENTS} orders on one account that can pay once, ${ROUNDS} rounds: one wins each`, async () => {
  const world = await shop();
  await world.offer(aReward('kettle', { price: '10' }));
  for (let round = 0; round < ROUNDS; round += 1) {
    await world.earn(`m${round}`, 15);
    expect(counted(await Promise.allSettled(Array.from({ length: CLIENTS }, () => world.order(`m${round}`, [{ reward: 'kettle' }]))))).toEqual({ won: 1, codes: ['balance_too_low'] });
  }
  await world.verified();
});

async function requested(world: Shop, member: string, kind: 'prepaid' | 'transfer' = 'prepaid', provider: 'simulated' | null = null): Promise<bigint[]> {
  await world.offer(aReward('pay', { kind, price: '10', worth: '1.00', least: '1.00', most: '100.00', provider }));
  await world.earn(member, 500);
  await world.ready(member);
  return itemsOf(world.order(member, [{ reward: 'pay', amount: 1_000n }]));
}

test('R10 approve twice, approve and reject, approve and take back, all at once: one decision each, and the units are where it says', async () => {
  const world = await shop();
  for (let round = 0; round < ROUNDS / 2; round += 1) {
    const member = `m${round}`;
    const items = await requested(world, member);
    const { memberId } = await world.balance(member);
    const results = await Promise.allSettled([approveItems(world.as('adam'), 'p', items), approveItems(world.as('ewa'), 'p', items), moveItems(world.as('ewa'), 'p', items, 'reject', { reason: 'nie' }), cancelOwn(world.as(`person:${member}`), { program: 'p', memberId, itemId: items[0] as bigint })]);
    counted(results);
    const { available, held, total } = await world.balance(member);
    expect([available, held, total]).toEqual(held === 0n ? [500n, 0n, 500n] : [400n, 100n, 500n]);
  }
  await world.verified();
});

test('R10 two batches over the same items, exports and confirmations at once: every payout is in one live batch and is paid once', async () => {
  const world = await shop();
  const items: bigint[] = [];
  for (let n = 0; n < 12; n += 1) items.push(...await requested(world, `m${n}`));
  await approveItems(world.as('adam'), 'p', items);
  const proposals = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => proposeBatch(world.as(`olga-${n}`), 'p', { rail: 'prepaid', format: 'topup', executeOn: '2026-06-16' })));
  counted(proposals);
  const batches = proposals.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const live = await installation.admin<{ n: number; items: number }>(`SELECT count(*)::int AS n, count(DISTINCT item_id)::int AS items FROM rewards.batch_item WHERE tenant_id = $1 AND live`, [world.context.tenantId]);
  expect(live[0]).toEqual({ n: 12, items: 12 });
  for (const batch of batches) {
    expect(counted(await Promise.allSettled([approveBatch(world.as('adam'), 'p', batch), approveBatch(world.as('ewa'), 'p', batch)])).won).toBe(1);
    expect(counted(await Promise.allSettled([exportBatch(world.as('wiktor'), 'p', batch), exportBatch(world.as('wanda'), 'p', batch)])).won).toBe(1);
    expect(counted(await Promise.allSettled(Array.from({ length: 4 }, () => confirmBatch(world.as('olga-0'), 'p', batch, { rest: 'loaded' })))).won).toBe(4); // the later ones find nothing left to say
  }
  expect(await world.states()).toEqual({ delivered: 12 });
  for (let n = 0; n < 12; n += 1) expect(await world.balance(`m${n}`)).toMatchObject({ available: 400n, held: 0n, total: 400n });
  await world.verified();
});

/** A provider that counts what it did, and may do it and not say so, or say nothing and not have done it. */
function aProvider(silence: (call: number) => 'after' | 'before' | null): Provider & { paid: Map<string, number>; calls: number } {
  const paid = new Map<string, number>();
  const known = (id: string): Outcome => (paid.has(id) ? { is: 'done', reference: `ref-${id}` } : { is: 'unknown' });
  const provider = {
    paid, calls: 0,
    send: async ({ externalId }: Payout): Promise<Outcome> => {
      provider.calls += 1;
      const silent = silence(provider.calls);
      if (silent === 'before') throw new Error('timed out');
      paid.set(externalId, (paid.get(externalId) ?? 0) + 1); // not idempotent on purpose: a second sending would show
      if (silent === 'after') throw new Error('timed out');
      return known(externalId);
    },
    ask: async (externalId: string): Promise<Outcome> => known(externalId),
  };
  return provider;
}

test('a provider that times out after doing the work, or before: each payout is carried out once, whoever asks how often at once', async () => {
  const world = await shop({}, { approval: { kinds: [], from_minor: 50_000, new_account_days: 0 } });
  for (let n = 0; n < 20; n += 1) await requested(world, `m${n}`, 'transfer', 'simulated');
  expect(await world.states()).toEqual({ approved: 20 });
  const provider = aProvider((call) => (call <= 30 ? (['after', 'before', null] as const)[call % 3] ?? null : null));
  for (let round = 0; round < 6; round += 1) {
    (world.context as TestContext).clock.at = `2026-06-15T10:${10 + 3 * round}:00Z`;
    await Promise.all([1, 2, 3].map((process) => sendPayouts(world.as(`job-${process}`), 'p', provider)));
  }
  expect([...provider.paid.values()]).toEqual(Array.from({ length: 20 }, () => 1));
  expect(await world.states()).toEqual({ delivered: 20 });
  await world.verified();
});

test('a payout the provider never heard of is not sent to an account that nobody approved: it fails, and the units are back', async () => {
  const world = await shop({}, { approval: { kinds: [], from_minor: 50_000, new_account_days: 0 } });
  for (const member of ['ala', 'ola']) await requested(world, member, 'transfer', 'simulated');
  const provider = aProvider((call) => (call === 1 ? 'before' : call === 2 ? 'after' : null)); // ala's was never done, ola's was
  expect(await sendPayouts(world.as('job'), 'p', provider)).toEqual({ done: 0, refused: 0, open: 2 });
  await world.context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); for (const member of ['ala', 'ola']) await saveAccount(tx, world.context, program, { memberId: (await findMember(tx, program, member)).memberId, iban: 'DE89370400440532013000', holder: 'X', on: '2026-06-15' }); });
  (world.context as TestContext).clock.at = '2026-06-15T10:05:00Z';
  expect(await sendPayouts(world.as('job'), 'p', provider)).toEqual({ done: 1, refused: 1, open: 0 });
  expect([provider.calls, [...provider.paid.values()], await world.states()]).toEqual([2, [1], { delivered: 1, failed: 1 }]);
  expect([(await world.balance('ala')).total, (await world.balance('ola')).total]).toEqual([500n, 400n]);
  await world.verified();
});

test('over HTTP: the simulated provider is asked by our own id, answers by its own, and a refusal gives the units back', async () => {
  const world = await shop({}, { approval: { kinds: [], from_minor: 50_000, new_account_days: 0 } });
  await requested(world, 'ala', 'transfer', 'simulated');
  await requested(world, 'ola', 'transfer', 'simulated');
  const seen = new Map<string, number>();
  const server = createServer((request, response) => {
    const id = decodeURIComponent((request.url ?? '').split('/').at(-1) ?? '');
    const count = seen.get(id) ?? 0;
    if (request.method === 'GET' && count === 0) { response.statusCode = 404; response.end(); return; }
    if (request.method === 'PUT') seen.set(id, count + 1);
    if (request.method === 'PUT' && seen.size === 1) return; // the first is done, and nobody hears of it
    response.end(JSON.stringify(seen.size > 1 && id === [...seen.keys()][1] ? { status: 'refused', reason: 'rachunek zamknięty' } : { status: 'done', reference: `http-${id}` }));
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const provider = httpProvider(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, fetch, 200);
  try {
    expect(await sendPayouts(world.as('job'), 'p', provider)).toEqual({ done: 0, refused: 1, open: 1 });
    expect(await sendPayouts(world.as('job'), 'p', provider)).toEqual({ done: 0, refused: 0, open: 0 }); // not yet: whoever called may still be waiting
    (world.context as TestContext).clock.at = '2026-06-15T10:05:00Z';
    expect(await sendPayouts(world.as('job'), 'p', provider)).toEqual({ done: 1, refused: 0, open: 0 });
    expect([...seen.values()]).toEqual([1, 1]);
    expect(await world.states()).toEqual({ delivered: 1, failed: 1 });
    expect([(await world.balance('ala')).total, (await world.balance('ola')).total]).toEqual([400n, 500n]);
  } finally { server.closeAllConnections(); server.close(); }
  await world.verified();
});
