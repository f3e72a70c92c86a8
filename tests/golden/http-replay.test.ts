import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { routes, type Route, type RouteName } from '@premia/contract';
import { PERMISSIONS, createApiKey } from '../../server/src/modules/identity/index.ts';
import { settleStale } from '../../server/src/modules/entitlements/index.ts';
import { anApp } from '../support/http.ts';
import { anInstallation, type Installation, type TestContext } from '../support/installation.ts';
import { aProgram, aWorld, perHundred } from '../support/world.ts';

/** Battery I1, I2, I4, I7: every mutating route is called, then called again with the same key: the same answer, and no row in any table more. */
let installation: Installation;
let app: FastifyInstance;
beforeAll(async () => {
  installation = await anInstallation();
  app = await anApp(installation);
});
afterAll(async () => { await app.close(); await installation.close(); });

type Answer = Record<string, string>;
type Call = { route: RouteName; params?: Record<string, string>; query?: string; body?: unknown; file?: string };
const EXTRA = { four_eyes: { imports: false, rules: false, adjustments: false, payouts: false }, late_in_closed: 'approve', targets: [{ key: 't', of: 'net', window: 'month' }], segments: [{ key: 's', members: ['shop'] }] };
const MECHANICS = [perHundred, { ...perHundred, key: 'bonus', window: 'month', award: { unit: 'points', available: 'approval' } }];
const PROGRAM = aProgram(MECHANICS, EXTRA);
const sale = (number: string, net: string, more: Record<string, unknown> = {}, day = '2026-03-31') => ({ number, occurred_on: day, buyer: 'shop', lines: [{ line: '1', net, product: 'X' }], ...more });
const sell = (...documents: unknown[]): Call => ({ route: 'recordSales', body: { source: 'erp', documents } });
const CSV = 'invoice;date;net;buyer\nF1;2026-03-01;100,00;shop\nF2;2026-13-01;100,00;shop\n';

/** One life of a program, in an order in which every call has something to do. Answers of earlier calls feed later ones. */
const LIFE: ((past: Answer) => Call)[] = [
  () => ({ route: 'applyProgram', params: {}, body: aProgram(MECHANICS, { ...EXTRA, key: 'q' }) }),
  () => ({ route: 'saveMembers', body: { members: [{ code: 'shop', kind: 'company' }, { code: 'friend', kind: 'company' }, { code: 'twin', kind: 'company' }] } }),
  () => ({ route: 'saveCompanies', params: {}, body: { companies: [{ code: 'chain', name: 'Sieć', vat: 'PL5260001246' }] } }),
  () => ({ route: 'saveProducts', body: { products: [{ sku: 'BAG', category: 'food' }] } }),
  () => ({ route: 'saveRates', body: { rates: [{ currency: 'EUR', day: '2026-03-31', rate: '4.25', origin: 'NBP' }] } }),
  () => sell(sale('A', '1000.00'), sale('T', '100.00', { buyer: 'twin' }), sale('E', '100.00', { currency: 'EUR' })),
  () => ({ route: 'dryRunSales', body: { source: 'erp', documents: [sale('dry', '100.00')] } }),
  () => ({ route: 'recordActivities', body: { source: 'erp', activities: [{ reference: 'a1', member: 'shop', kind: 'quiz_passed', occurred_on: '2026-03-31' }] } }),
  () => ({ route: 'saveTargets', body: { targets: [{ target: 't', subject: 'shop', window_start: '2026-03-01', value: '500' }] } }),
  () => ({ route: 'mapProduct', body: { code: 'X', product: 'BAG' } }),
  () => sell(sale('A', '1200.00')),
  () => ({ route: 'decideConflict', params: { conflict: 'first' }, body: { decision: 'accept', reason: 'asked' } }),
  () => sell(sale('K', '-50.00', { base: 'lost', kind: 'correction' })),
  () => ({ route: 'giveUpWait', body: { source: 'erp', document: 'K', reason: 'never came' } }),
  () => ({ route: 'saveStates', body: { states: [{ member: 'friend', state: 'suspended', from: '2026-06-15' }] } }),
  () => ({ route: 'refreshSegments', body: {} }),
  () => ({ route: 'saveMapping', params: { source: 'erp' }, body: { mapping: { document: 'invoice', date: 'date', net: 'net', buyer: 'buyer' } } }),
  () => ({ route: 'stageImport', query: '?source=erp&name=f.csv', file: CSV }),
  (past) => ({ route: 'mendImport', params: { import: past['import'] as string }, body: { rows: [{ part: 1, line: '3', values: { date: '2026-03-02' } }] } }),
  (past) => ({ route: 'approveImport', params: { import: past['import'] as string }, body: {} }),
  () => ({ route: 'openUpload', body: { source: 'erp' } }),
  (past) => ({ route: 'addPart', params: { upload: past['upload'] as string }, query: '?name=1.csv', file: CSV.replaceAll('F', 'G') }),
  (past) => ({ route: 'addPart', params: { upload: past['upload'] as string }, query: '?name=2.csv', file: CSV.replaceAll('F', 'H') }),
  (past) => ({ route: 'stageUpload', params: { upload: past['upload'] as string }, body: {} }),
  (past) => ({ route: 'rejectImport', params: { import: past['import'] as string }, body: { reason: 'a test' } }),
  () => ({ route: 'holdUnits', params: { member: 'shop' }, body: { unit: 'points', amount: '10', reference: 'o1' } }),
  (past) => ({ route: 'captureHold', params: { member: 'shop', hold: past['hold'] as string }, body: {} }),
  (past) => ({ route: 'refundHold', params: { member: 'shop', hold: past['hold'] as string }, body: {} }),
  () => ({ route: 'holdUnits', params: { member: 'shop' }, body: { unit: 'points', amount: '10', reference: 'o2' } }),
  (past) => ({ route: 'releaseHold', params: { member: 'shop', hold: past['hold'] as string }, body: {} }),
  () => ({ route: 'proposeAdjustment', params: { member: 'shop' }, body: { unit: 'points', amount: '5', reason: 'a call' } }),
  (past) => ({ route: 'approveAdjustment', params: { adjustment: past['adjustment'] as string }, body: {} }),
  () => ({ route: 'proposeAdjustment', params: { member: 'shop' }, body: { unit: 'points', amount: '5', reason: 'a call' } }),
  (past) => ({ route: 'rejectAdjustment', params: { adjustment: past['adjustment'] as string }, body: {} }),
  () => ({ route: 'transferUnits', body: { from: 'shop', to: 'friend', unit: 'points', amount: '3', reason: 'a gift', reference: 'g1' } }),
  () => ({ route: 'expireLots', body: {} }),
  () => ({ route: 'approveAwards', body: { mechanic: 'bonus', window: '2026-03-01' } }),
  () => ({ route: 'proposeRecalculation', body: { reason: 'twice', change: { kind: 'merge', member: 'twin', into: 'shop' } } }),
  (past) => ({ route: 'approveRecalculation', params: { recalculation: past['recalculation'] as string }, body: {} }),
  () => ({ route: 'proposeRecalculation', body: { reason: 'other', change: { kind: 'recredit', source: 'erp', document: 'A', role: 'buyer', member: 'friend' } } }),
  (past) => ({ route: 'rejectRecalculation', params: { recalculation: past['recalculation'] as string }, body: {} }),
  () => ({ route: 'simulate', params: {}, body: PROGRAM }),
  () => ({ route: 'planProgram', params: {}, body: PROGRAM }),
  () => ({ route: 'startClosing', body: { from: '2026-03-01', to: '2026-03-31' } }),
  () => ({ route: 'closePeriod', body: { from: '2026-03-01', to: '2026-03-31' } }),
  () => sell(sale('late', '100.00')),
  () => ({ route: 'approveLate', body: {} }),
  () => ({ route: 'createKey', params: {}, body: { name: 'other', permissions: ['audit:read'] } }),
  (past) => ({ route: 'revokeKey', params: { key: past['id'] as string }, body: {} }),
];

async function rowsOf(context: TestContext): Promise<Record<string, string>> {
  const tables = await installation.admin<{ name: string }>(`SELECT n.nspname || '.' || c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' WHERE c.relkind = 'r' AND c.relname <> 'idempotency'`);
  const counted = await installation.admin<{ name: string; n: string }>(tables.map(({ name }) => `SELECT '${name}' AS name, count(*)::text AS n FROM ${name} WHERE tenant_id = ${context.tenantId}`).join(' UNION ALL '));
  return Object.fromEntries(counted.map((table) => [table.name, table.n]));
}

test('every mutating route, replayed with its key, answers the same and writes nothing; the books verify at the end', async () => {
  const context = await installation.tenant();
  const world = await aWorld(context, PROGRAM);
  const secret = (await createApiKey(context, { name: 'test', permissions: PERMISSIONS })).secret;
  const past: Answer = {};
  const called = new Set<string>();
  for (const [index, make] of LIFE.entries()) {
    const call = make(past);
    const route = routes[call.route] as Route;
    const [open] = call.params?.['conflict'] === 'first' ? ((await app.inject({ method: 'GET', url: '/v1/programs/p/conflicts', headers: { authorization: `Bearer ${secret}` } })).json() as { conflicts: { id: string }[] }).conflicts : [];
    const params: Record<string, string> = { program: 'p', ...call.params, ...(open ? { conflict: open.id } : {}) };
    const url = `${route.path.replace(/:(\w+)/g, (_, name: string) => params[name] ?? '')}${call.query ?? ''}`;
    const send = () => app.inject({ method: 'POST', url, headers: { authorization: `Bearer ${secret}`, 'idempotency-key': `life-${index}`, ...(call.file === undefined ? {} : { 'content-type': 'text/csv' }) }, payload: (call.file ?? call.body) as string });
    const first = await send();
    expect(first.statusCode, `${call.route}: ${first.body}`).toBe(200);
    await settleStale(context, 'p');
    const before = await rowsOf(context);
    const second = await send();
    if (route.idempotent) {
      expect([call.route, second.statusCode, second.body, second.headers['idempotency-hit']]).toEqual([call.route, 200, first.body, 'true']);
      if (!route.upload) expect((await app.inject({ method: 'POST', url, headers: { authorization: `Bearer ${secret}`, 'idempotency-key': `life-${index}` }, payload: { other: true } })).statusCode, call.route).toBe(422);
    }
    expect(await rowsOf(context), call.route).toEqual(before);
    called.add(call.route);
    Object.assign(past, Object.fromEntries(Object.entries(first.json() as Record<string, unknown>).filter(([, value]) => typeof value === 'string')));
    await world.verified();
  }
  expect([...called].sort()).toEqual(Object.values(routes).filter((route) => route.method === 'POST').map((route) => route.name).sort());
  expect(Object.values(routes).filter((route) => route.method === 'POST' && !(route as Route).idempotent).map((route) => route.name).sort()).toEqual(['dryRunSales', 'planProgram', 'simulate']); // they write nothing at all
});

test('every reading route answers what its schema says', async () => {
  const context = await installation.tenant();
  const world = await aWorld(context, PROGRAM);
  const secret = (await createApiKey(context, { name: 'test', permissions: PERMISSIONS })).secret;
  await world.sell({ number: 'A', on: '2026-03-31', net: '1000.00', product: 'X' }, { number: 'K', on: '2026-04-01', net: '-10.00', base: 'lost' });
  await world.sell({ number: 'A', on: '2026-03-31', net: '1100.00' });
  const ask = (url: string, payload?: string) => app.inject({ method: payload === undefined ? 'GET' : 'POST', url, headers: { authorization: `Bearer ${secret}`, 'content-type': 'text/csv', 'idempotency-key': url }, ...(payload === undefined ? {} : { payload }) });
  const { import: imported } = (await ask('/v1/programs/p/imports?source=erp&name=f.csv', `${CSV}=cmd|calc;2026-01-01;x;shop\n`)).json() as Answer;
  const queries: Partial<Record<RouteName, string>> = { explain: '?document=A&locale=pl', listProducts: '?unknown=true', listMembers: '?search=sho&state=active' };
  for (const route of Object.values(routes).filter((item) => item.method === 'GET') as Route[]) {
    const url = `${route.path.replace(':program', 'p').replace(':member', 'shop').replace(':import', imported as string)}${queries[route.name as RouteName] ?? ''}`;
    const answer = await ask(url);
    expect(answer.statusCode, `${route.name}: ${answer.body}`).toBe(200);
    const found = route.reply.safeParse(route.download === undefined ? answer.json() : answer.body);
    expect(found.success ? null : `${route.name}: ${JSON.stringify(found.error.issues.slice(0, 3))}`).toBeNull();
  }
  const csv = await ask(`/v1/programs/p/imports/${imported}/quarantine.csv?locale=pl`);
  expect(csv.headers['content-type']).toContain('text/csv');
  expect(csv.body.split('\r\n').filter((line) => line !== '')).toEqual(['plik,wiersz,kolumna,wartość,powód,treść', '1,3,date,2026-13-01,nie ma takiego dnia,"F2;2026-13-01;100,00;shop"', "1,4,net,x,to nie jest liczba,'=cmd|calc;2026-01-01;x;shop"]);
});
