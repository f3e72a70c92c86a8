import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { routes, type Route } from '@premia/contract';
import { PERMISSIONS, createApiKey } from '../../server/src/modules/identity/index.ts';
import { openDatabase } from '../../server/src/platform/database.ts';
import { makeApp } from '../../server/src/make-app.ts';
import { anApp } from '../support/http.ts';
import { anInstallation, type Installation, type TestContext } from '../support/installation.ts';
import { LIFE, PROGRAM, remember, rowsOf, urlOf, type Answer } from '../support/life.ts';
import { aProgram, aWorld, perHundred } from '../support/world.ts';

/**
 * Battery T1, T3, T4, T5 and D1 over the whole API: every route × no key, every permission but its own, its own alone, another tenant's
 * ids. People's roles come with the screens.
 */
let installation: Installation;
let app: FastifyInstance;
beforeAll(async () => {
  installation = await anInstallation();
  app = await anApp(installation);
});
afterAll(async () => { await app.close(); await installation.close(); });

const ALL = Object.values(routes) as Route[];
const keyOf = async (context: TestContext, permissions: readonly string[]): Promise<string> => (await createApiKey(context, { name: 'k', permissions: permissions as typeof PERMISSIONS })).secret;
const pathOf = (route: Route, params: Record<string, string> = {}): string => route.path.replace(/:(\w+)/g, (_, name: string) => params[name] ?? (name === 'program' ? 'p' : '999999'));
let asked = 0;
const ask = (secret: string | null, method: string, url: string, payload?: unknown): Promise<LightMyRequestResponse> => app.inject({
  method, url, headers: { ...(secret === null ? {} : { authorization: `Bearer ${secret}` }), 'idempotency-key': `call-${asked += 1}`, ...(typeof payload === 'string' ? { 'content-type': 'text/csv' } : {}) }, ...(method === 'GET' ? {} : { payload: payload ?? {} }),
} as InjectOptions);

test('every route × no key, a key of no use, every permission but its own, its own alone', async () => {
  const context = await installation.tenant();
  await aWorld(context, PROGRAM);
  for (const route of ALL) {
    const url = pathOf(route);
    const without = await keyOf(context, PERMISSIONS.filter((permission) => permission !== route.permission));
    const alone = await keyOf(context, [route.permission]);
    expect([route.name, (await ask(null, route.method, url)).statusCode, (await ask('premia_nonsense', route.method, url)).statusCode, (await ask(without, route.method, url)).statusCode]).toEqual([route.name, 401, 401, 403]);
    const allowed = await ask(alone, route.method, url);
    expect([route.name, [401, 403].includes(allowed.statusCode), allowed.statusCode < 500]).toEqual([route.name, false, true]);
  }
  expect(new Set(ALL.map((route) => route.permission)).difference(new Set<string>(PERMISSIONS))).toEqual(new Set());
});

test('another tenant’s ids are nothing: the answer is that for an id that never was, and no row of theirs moves', async () => {
  const [ours, theirs] = [await installation.tenant(), await installation.tenant()];
  await aWorld(theirs, PROGRAM);
  const [key, own] = [await keyOf(theirs, PERMISSIONS), await keyOf(ours, PERMISSIONS)];
  const past: Answer = {};
  const foreign: { url: string; never: string; call: ReturnType<(typeof LIFE)[number]> }[] = [];
  for (const make of LIFE) {
    const call = make(past);
    if (call.params?.['conflict'] === 'first' || call.params?.['code'] === 'first') continue;
    const url = urlOf(call);
    const answer = await ask(key, 'POST', url, call.file ?? call.body);
    if (answer.statusCode === 200) remember(past, answer.json());
    const ids = Object.entries(call.params ?? {}).filter(([name, value]) => name !== 'year' && /^\d+$/.test(value));
    foreign.push({ call, url, never: urlOf(call, Object.fromEntries(ids.map(([name]) => [name, '888888888']))) });
  }
  const before = await rowsOf(installation, theirs);
  // First as a tenant without any program, then as one whose own program has the same key and member.
  for (const round of ['empty', 'alike']) {
    if (round === 'alike') await (await aWorld(ours, PROGRAM)).sell({ on: '2026-03-31', net: '100.00' }, { on: '2026-03-31', net: '100.00', buyer: 'friend' });
    let compared = 0;
    for (const { call, url, never } of foreign) {
      const byId = url !== never;
      if (round === 'alike' ? !byId : !(routes[call.route] as Route).path.includes(':')) continue;
      const [found, nothing] = [await ask(own, 'POST', url, call.file ?? call.body), await ask(own, 'POST', never, call.file ?? call.body)];
      const plain = (answer: LightMyRequestResponse, of: string): string => answer.body.replaceAll(of, 'URL').replace(/"instance":"[^"]*"/, '').replace(/\d{2,}/g, '0');
      expect([call.route, found.statusCode, plain(found, url)]).toEqual([call.route, 404, plain(nothing, never)]);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(round === 'alike' ? 10 : 35);
  }
  expect(await rowsOf(installation, theirs)).toEqual(before);
});

test('no reading route of one tenant shows a word of the other’s', async () => {
  const [ours, theirs] = [await installation.tenant(), await installation.tenant()];
  const canary = 'KANAREK77';
  const world = await aWorld(theirs, aProgram([perHundred]));
  await world.sell({ number: canary, on: '2026-03-31', net: '100.00', buyer: canary, product: canary, channel: canary }, { number: `${canary}-2`, on: '2026-03-31', net: '1.00', base: `${canary}-lost`, buyer: canary });
  await (await aWorld(ours, aProgram([perHundred]))).sell({ number: 'OURS', on: '2026-03-31', net: '100.00', buyer: 'shop' });
  const [key, own] = [await keyOf(theirs, PERMISSIONS), await keyOf(ours, PERMISSIONS)];
  let seen = 0;
  for (const route of ALL.filter((item) => item.method === 'GET')) {
    const answer = await ask(own, 'GET', `${pathOf(route, { member: 'shop' })}?search=${route.query ? canary.slice(0, 4) : ''}`);
    expect([route.name, answer.body.includes(canary) && !answer.body.includes(`search=${canary}`)]).toEqual([route.name, false]);
    if ((await ask(key, 'GET', pathOf(route, { member: canary }))).body.includes(canary)) seen += 1;
  }
  expect(seen, 'the canary is to be seen by its own tenant, or this proves nothing').toBeGreaterThan(5);
});

test('two tenants by turns on a pool of two, with refusals and broken calls in between: nobody sees the other', async () => {
  const db = openDatabase(installation.url, 'premia_app', { max: 2, secret: 'a secret for tests' });
  const small = await makeApp({ db, url: installation.url, requestsPerMinute: 10_000_000, uploads: '/tmp', now: () => Date.parse('2026-06-15T10:00:00Z') });
  const tenants = await Promise.all(['left', 'right'].map(async (name) => {
    const context = await installation.tenant();
    await (await aWorld(context, aProgram([perHundred]))).sell({ number: `${name}-0`, on: '2026-03-31', net: '100.00', buyer: name });
    return { name, secret: await keyOf(context, PERMISSIONS) };
  }));
  const answers = await Promise.all(Array.from({ length: 400 }, async (_, n) => {
    const { name, secret } = tenants[n % 2] as { name: string; secret: string };
    const headers = { authorization: `Bearer ${secret}`, 'idempotency-key': `n${n}` };
    if (n % 5 === 0) return { name, answer: await small.inject({ method: 'POST', url: '/v1/programs/p/sales', headers, payload: { source: 'erp', documents: [{ number: `${name}-${n}`, occurred_on: '2026-03-31', buyer: name, lines: [{ net: n % 10 === 0 ? 'not a number' : '100.00' }] }] } }) };
    if (n % 7 === 0) return { name, answer: await small.inject({ method: 'POST', url: `/v1/programs/p/members/${name}/holds`, headers, payload: { unit: 'points', amount: '99999999', reference: `h${n}` } }) };
    return { name, answer: await small.inject({ method: 'GET', url: n % 2 === n % 3 ? '/v1/programs/p/balances' : '/v1/programs/p/members', headers }) };
  }));
  for (const { name, answer } of answers) {
    expect(answer.statusCode).toBeLessThan(500);
    expect([name, answer.body.includes(name === 'left' ? 'right' : 'left')]).toEqual([name, false]);
  }
  expect(answers.filter(({ name, answer }) => answer.statusCode === 200 && answer.body.includes(name)).length).toBeGreaterThan(200);
  // The same prepared statement on one connection under two tenants, by turns; and no tenant at all sees nothing.
  const client = await db.pool.connect();
  try {
    for (let turn = 0; turn < 20; turn += 1) {
      for (const [index, expected] of [[0, 'left'], [1, 'right'], [-1, null]] as const) {
        const id = index < 0 ? '' : (await installation.admin<{ id: string }>(`SELECT tenant_id::text AS id FROM members.member WHERE code = '${expected}'`))[0]?.id ?? '';
        await client.query('BEGIN');
        if (id !== '') await client.query(`SELECT set_config('app.tenant', $1, true)`, [id]);
        const found = await client.query('SELECT code FROM members.member WHERE kind = ANY($1::text[]) ORDER BY code', [['company', 'person']]).catch(() => ({ rows: [] }));
        await client.query('ROLLBACK');
        expect(found.rows).toEqual(expected === null ? [] : [{ code: expected }]);
      }
    }
  } finally { client.release(); }
  await small.close();
  await db.close();
});

test('fields that a stored row has and a request has not are refused, wherever they are put', async () => {
  const context = await installation.tenant();
  await aWorld(context, PROGRAM);
  const key = await keyOf(context, PERMISSIONS);
  let tried = 0;
  for (const call of LIFE.map((make) => make({ hold: '1', import: '1', upload: '1', adjustment: '1', recalculation: '1', id: '1' })).filter((item) => item.body !== undefined)) {
    for (const [name, value] of Object.entries({ tenant_id: 1, program_id: 1, id: 1, balance: '1000000', state: 'approved', approved_by: 'me', created_at: '2020-01-01', recorded_seq: 1, is_admin: true })) {
      if (name === 'id' && call.route === 'revokeKey') continue;
      const answer = await ask(key, 'POST', urlOf(call, { conflict: '1' }), { ...(call.body as object), [name]: value });
      expect([call.route, name, answer.statusCode]).toEqual([call.route, name, 422]);
      tried += 1;
    }
  }
  expect(tried).toBeGreaterThan(300);
});

test('every answer of every route carries its headers, and none says what it runs on', async () => {
  const context = await installation.tenant();
  await aWorld(context, PROGRAM);
  const key = await keyOf(context, PERMISSIONS);
  for (const route of ALL) {
    for (const secret of [key, null]) {
      const { headers } = await ask(secret, route.method, pathOf(route));
      expect(headers, route.name).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'cross-origin-opener-policy': 'same-origin' });
      expect(String(headers['strict-transport-security'])).toMatch(/max-age=31536000; includeSubDomains/);
      expect(String(headers['content-security-policy'])).toMatch(/frame-ancestors 'none'/);
      expect(String(headers['content-security-policy'])).toMatch(/script-src 'self';/);
      expect(String(headers['content-type'])).toMatch(/charset=utf-8|problem\+json/);
      expect([headers['x-powered-by'], headers['server'], headers['access-control-allow-origin']]).toEqual([undefined, undefined, undefined]);
    }
  }
  for (const method of ['TRACE', 'PATCH', 'PUT']) expect([404, 405]).toContain((await app.inject({ method: method as 'PATCH', url: '/v1/programs' })).statusCode);
});
