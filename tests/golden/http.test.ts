import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openapi, peopleRoutes, routes } from '@premia/contract';
import { settleSoon } from '../../server/src/modules/entitlements/index.ts';
import { PERMISSIONS, createApiKey, revokeApiKey, type Permission } from '../../server/src/modules/identity/index.ts';
import { anApp } from '../support/http.ts';
import { anInstallation, type Installation, type TestContext } from '../support/installation.ts';
import { aProgram, aWorld, perHundred } from '../support/world.ts';

let installation: Installation;
let app: FastifyInstance;
beforeAll(async () => {
  installation = await anInstallation();
  app = await anApp(installation);
});
afterAll(async () => { await app.close(); await installation.close(); });

async function aKey(context: TestContext, permissions: readonly Permission[] = PERMISSIONS): Promise<string> { return (await createApiKey(context, { name: 'test', permissions })).secret; }
let keys = 0;
type Asked = { key?: string; body?: unknown; idempotency?: string | null; language?: string };
const ask = (method: 'GET' | 'POST', url: string, { key, body, idempotency, language }: Asked = {}) => app.inject({ method, url, headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...(method === 'POST' && idempotency !== null ? { 'idempotency-key': idempotency ?? `k${keys += 1}` } : {}), ...(language ? { 'accept-language': language } : {}) }, ...(body === undefined ? {} : { payload: body as object }) });
const SALE = { source: 'erp', documents: [{ number: 'FV/1', occurred_on: '2026-03-31', buyer: 'shop', lines: [{ net: '349.90', quantity: '4' }] }] };

async function aTenant(): Promise<{ context: TestContext; key: string }> {
  const context = await installation.tenant();
  await aWorld(context, aProgram([perHundred]));
  return { context, key: await aKey(context) };
}

test('a sale answers with what it earned; the same key again gives the stored answer, another body is refused', async () => {
  const { key } = await aTenant();
  const first = await ask('POST', '/v1/programs/p/sales', { key, body: SALE, idempotency: 'one' });
  expect(first.json()).toMatchObject({ documents: [{ number: 'FV/1', recorded: 1, earned: [{ member: 'shop', unit: 'points', amount: '15' }] }] });
  const again = await ask('POST', '/v1/programs/p/sales', { key, body: SALE, idempotency: 'one' });
  expect([again.headers['idempotency-hit'], again.body]).toEqual(['true', first.body]);
  expect((await ask('POST', '/v1/programs/p/sales', { key, body: { ...SALE, documents: [] }, idempotency: 'one' })).statusCode).toBe(422);
  expect((await ask('POST', '/v1/programs/p/sales', { key, body: { ...SALE, source: 'other' }, idempotency: 'one' })).json()).toMatchObject({ code: 'idempotency_key_reused' });
  expect((await ask('POST', '/v1/programs/p/sales', { key, body: SALE, idempotency: null })).json()).toMatchObject({ status: 400, code: 'idempotency_key_missing' });
  const elsewhere = await ask('POST', '/v1/programs/p/sales', { key, body: SALE });
  expect(elsewhere.json()).toMatchObject({ documents: [{ recorded: 0, known: 1, earned: [] }] });
  expect((await ask('GET', '/v1/programs/p/balances', { key })).json()).toMatchObject({ balances: [{ member: 'shop', unit: 'pln' }, { member: 'shop', unit: 'points', available: '15', total: '15' }, { unit: 'stars' }], next: null });
});

test('64 times the same sale at once is recorded once', async () => {
  const { key } = await aTenant();
  const answers = await Promise.all(Array.from({ length: 64 }, () => ask('POST', '/v1/programs/p/sales', { key, body: SALE })));
  expect(answers.every((answer) => answer.statusCode === 200)).toBe(true);
  expect(answers.map((answer) => (answer.json() as { documents: { recorded: number }[] }).documents[0]?.recorded ?? 0).reduce((a, b) => a + b, 0)).toBe(1);
});

test('a dry run says what would be earned, and records nothing', async () => {
  const { key } = await aTenant();
  expect((await ask('POST', '/v1/programs/p/sales/dry-run', { key, body: SALE })).json()).toMatchObject({ documents: [{ earned: [{ amount: '15' }] }] });
  expect((await ask('GET', '/v1/programs/p/balances', { key })).json()).toMatchObject({ balances: [] });
});

test('problems are RFC 9457, in the reader’s language, with the place', async () => {
  const { key } = await aTenant();
  const bad = { source: 'erp', documents: [{ number: 'X', occurred_on: '2026-02-31', lines: [{ net: '1.005' }] }] };
  const polish = await ask('POST', '/v1/programs/p/sales', { key, body: bad, language: 'pl-PL' });
  expect(polish.headers['content-type']).toContain('application/problem+json');
  expect(polish.json()).toMatchObject({ status: 422, title: 'Żądanie jest nieprawidłowe.', errors: [{ pointer: expect.stringContaining('/body/documents/0/') as string }] });
  expect((await ask('GET', '/v1/programs/none/verify', { key })).json()).toMatchObject({ status: 404, code: 'program_not_found', title: 'There is no program “none”.' });
});

test('every route asks for its permission, and refuses no key, a revoked key and a wrong key alike', async () => {
  const { context, key } = await aTenant();
  const none = await aKey(context, []);
  const revoked = await createApiKey(context, { name: 'old', permissions: PERMISSIONS });
  await revokeApiKey(context, revoked.keyId);
  for (const route of Object.values(routes)) {
    const url = route.path.replace(':program', 'p').replace(':member', 'shop').replace(':import', '1').replace(':key', '1').replace(':recalculation', '1').replace(/:(hold|adjustment|conflict)/, '1').replace(':upload', '00000000-0000-4000-8000-000000000000');
    expect((await ask(route.method as 'GET', url, { key: none })).statusCode, route.name).toBe(403);
    for (const wrong of [undefined, 'premia_wrong', revoked.secret]) expect((await ask(route.method as 'GET', url, wrong === undefined ? {} : { key: wrong })).statusCode, route.name).toBe(401);
    expect((await ask(route.method as 'GET', url, { key, body: route.method === 'POST' ? { nonsense: 1 } : undefined })).statusCode, route.name).toBeLessThan(500);
  }
});

test('another tenant’s program is as unknown as one that does not exist', async () => {
  const mine = await aTenant();
  const theirs = await installation.tenant();
  const strangers = await aKey(theirs);
  await ask('POST', '/v1/programs/p/sales', { key: mine.key, body: SALE });
  for (const path of ['balances', 'verify', 'members/shop/statement']) {
    const [foreign, random] = [await ask('GET', `/v1/programs/p/${path}`, { key: strangers }), await ask('GET', `/v1/programs/q/${path}`, { key: strangers })];
    const same = (body: string): string => body.replace(/“[pq]”|"instance":"[^"]*"/g, '');
    expect([foreign.statusCode, same(foreign.body)]).toEqual([404, same(random.body)]);
  }
});

test('extra fields are refused, statements page, and the API describes itself', async () => {
  const { key } = await aTenant();
  expect((await ask('POST', '/v1/programs/p/sales', { key, body: { ...SALE, tenant_id: '1' } })).statusCode).toBe(422);
  for (let n = 0; n < 3; n += 1) await ask('POST', '/v1/programs/p/sales', { key, body: { ...SALE, documents: [{ ...SALE.documents[0], number: `FV/${n}` }] } });
  const page = (await ask('GET', '/v1/programs/p/members/shop/statement?limit=2', { key })).json() as { entries: { balance: string }[]; next: string };
  expect(page.entries.map((entry) => entry.balance)).toEqual(['15', '30']);
  expect((await ask('GET', `/v1/programs/p/members/shop/statement?limit=2&after=${page.next}`, { key })).json()).toMatchObject({ entries: [{ balance: '45' }], next: null });
  const document = (await ask('GET', '/openapi.json')).json() as { openapi: string; paths: Record<string, Record<string, unknown>> };
  expect(document).toEqual(JSON.parse(JSON.stringify(openapi({ ...routes, ...peopleRoutes }))));
  expect(Object.values(document.paths).flatMap((path) => Object.keys(path))).toHaveLength(Object.keys({ ...routes, ...peopleRoutes }).length);
  for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json']) { const answer = await ask('GET', path); expect(answer.statusCode).toBe(200); expect(answer.headers['x-content-type-options']).toBe('nosniff'); }
});

test('members and targets by the API; a simulation, a recalculation with a second key, a re-crediting, a close', async () => {
  const { context, key } = await aTenant();
  const file = aProgram([perHundred], { targets: [{ key: 't', of: 'net', window: 'month' }], four_eyes: { imports: true, rules: true, adjustments: true, payouts: true } }) as Record<string, unknown>;
  expect((await ask('POST', '/v1/programs/apply', { key, body: file })).json()).toMatchObject({ program: 'change' });
  expect((await ask('POST', '/v1/programs/p/members', { key, body: { members: [{ code: 'shop', kind: 'company', nip: '5260001246' }, { code: 'other', kind: 'company' }] } })).json()).toMatchObject({ saved: 2 });
  expect((await ask('POST', '/v1/programs/p/targets', { key, body: { targets: [{ target: 't', subject: 'shop', window_start: '2026-03-01', value: '1000.00' }] } })).json()).toEqual({ changed: 1 });
  await ask('POST', '/v1/programs/p/sales', { key, body: { ...SALE, documents: [{ ...SALE.documents[0], buyer: 'nip:526-000-12-46' }] } });
  const double = { ...file, mechanics: [{ ...perHundred, curve: { is: 'per', units: 10, every: 100 } }] };
  expect((await ask('POST', '/v1/programs/simulate', { key, body: double })).json()).toMatchObject({ winners: 1, mechanics: [{ before: '15', after: '30' }] });
  expect((await ask('POST', '/v1/programs/apply', { key, body: double })).json()).toMatchObject({ status: 409, code: 'recalculation_needed' });
  const proposed = (await ask('POST', '/v1/programs/p/recalculations', { key, body: { reason: 'better', file: double } })).json() as { recalculation: string };
  expect((await ask('POST', `/v1/programs/p/recalculations/${proposed.recalculation}/approve`, { key, body: {} })).json()).toMatchObject({ status: 403, code: 'second_person_needed' });
  const second = await aKey(context);
  expect((await ask('POST', `/v1/programs/p/recalculations/${proposed.recalculation}/approve`, { key: second, body: {} })).statusCode).toBe(200);
  const moved = (await ask('POST', '/v1/programs/p/recalculations', { key, body: { reason: 'wrong buyer', change: { kind: 'recredit', source: 'erp', document: 'FV/1', role: 'buyer', member: 'other' } } })).json() as { recalculation: string; preview: { winners: number; losers: number } };
  expect(moved.preview).toMatchObject({ winners: 1, losers: 1 });
  await ask('POST', `/v1/programs/p/recalculations/${moved.recalculation}/approve`, { key: second, body: {} });
  expect((await ask('GET', '/v1/programs/p/balances?unit=points', { key })).json()).toMatchObject({ balances: [{ member: 'other', total: '30' }, { member: 'shop', total: '0' }] });
  expect((await ask('POST', '/v1/programs/p/closes', { key, body: { from: '2026-01-01', to: '2026-03-31' } })).json()).toMatchObject({ amounts: [{ mechanic: 'per-100', unit: 'points', amount: '30' }] });
  expect((await ask('GET', '/v1/programs/p/verify', { key })).json()).toMatchObject({ differences: 0 });
});

test('a team’s window is settled after the answer, without anybody asking', async () => {
  const context = await installation.tenant();
  await aWorld(context, aProgram([{ key: 'team', from: '2025-01-01', earner: { role: 'rep' }, measure: { is: 'sum', of: 'net' }, window: 'month', pool: { by: 'team', received: 'each' }, curve: { is: 'per', units: 1, every: 100 }, award: { unit: 'points' } }]));
  const key = await aKey(context);
  await ask('POST', '/v1/programs/p/members', { key, body: { members: [{ code: 'r', kind: 'person', team: 'north' }] } });
  await ask('POST', '/v1/programs/p/sales', { key, body: { source: 'erp', documents: [{ number: 'T', occurred_on: '2026-03-31', rep: 'r', lines: [{ net: '500.00' }] }] } });
  await settleSoon(context, 'p');
  expect((await ask('GET', '/v1/programs/p/balances?unit=points', { key })).json()).toMatchObject({ balances: [{ member: 'r', total: '5' }] });
});
