import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { routes, type Route, type RouteName } from '@premia/contract';
import { PERMISSIONS, createApiKey } from '../../server/src/modules/identity/index.ts';
import { settleStale } from '../../server/src/modules/entitlements/index.ts';
import { findMember, findProgram, openInquiry } from '../../server/src/modules/members/index.ts';
import { anApp } from '../support/http.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { CSV, LIFE, PROGRAM, REWARD_LIFE, remember, rowsOf, urlOf, type Answer } from '../support/life.ts';
import { aWorld } from '../support/world.ts';

/** Battery I1, I2, I4, I7: every mutating route is called, then called again with the same key: the same answer, and no row in any table more. */
let installation: Installation;
let app: FastifyInstance;
beforeAll(async () => {
  installation = await anInstallation();
  app = await anApp(installation);
});
afterAll(async () => { await app.close(); await installation.close(); });

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
    const [free] = call.params?.['code'] === 'first' ? ((await app.inject({ method: 'GET', url: '/v1/programs/p/rewards/bon/codes?state=available', headers: { authorization: `Bearer ${secret}` } })).json() as { codes: { id: string }[] }).codes : [];
    const url = urlOf(call, open ? { conflict: open.id } : free ? { code: free.id } : {});
    const send = () => app.inject({ method: 'POST', url, headers: { authorization: `Bearer ${secret}`, 'idempotency-key': `life-${index}`, ...(call.file === undefined ? {} : { 'content-type': 'text/csv' }) }, payload: (call.file ?? call.body) as string });
    const first = await send();
    expect(first.statusCode, `${call.route}: ${first.body}`).toBe(200);
    await settleStale(context, 'p');
    const before = await rowsOf(installation, context);
    const second = await send();
    if (route.idempotent) {
      expect([call.route, second.statusCode, second.body, second.headers['idempotency-hit']]).toEqual([call.route, 200, first.body, 'true']);
      if (!route.upload) expect((await app.inject({ method: 'POST', url, headers: { authorization: `Bearer ${secret}`, 'idempotency-key': `life-${index}` }, payload: { other: true } })).statusCode, call.route).toBe(422);
    }
    expect(await rowsOf(installation, context), call.route).toEqual(before);
    called.add(call.route);
    remember(past, first.json() as Record<string, unknown>);
    await world.verified();
  }
  // A question is opened by a member, a registration by a stranger: what operators do about them is replayed in tests/stories/sign-in.test.ts.
  expect([...called, 'answerInquiry', 'decideRegistration'].sort()).toEqual(Object.values(routes).filter((route) => route.method === 'POST').map((route) => route.name).sort());
  expect(Object.values(routes).filter((route) => route.method === 'POST' && !(route as Route).idempotent).map((route) => route.name).sort()).toEqual(['dryRunSales', 'planProgram', 'sampleFile', 'simulate', 'tryMechanic']); // they write nothing at all
});

test('every reading route answers what its schema says', async () => {
  const context = await installation.tenant();
  const world = await aWorld(context, PROGRAM);
  const secret = (await createApiKey(context, { name: 'test', permissions: PERMISSIONS })).secret;
  await world.sell({ number: 'A', on: '2026-03-31', net: '1000.00', product: 'X' }, { number: 'K', on: '2026-04-01', net: '-10.00', base: 'lost' });
  await world.sell({ number: 'A', on: '2026-03-31', net: '1100.00' });
  const ask = (url: string, payload?: string) => app.inject({ method: payload === undefined ? 'GET' : 'POST', url, headers: { authorization: `Bearer ${secret}`, 'content-type': 'text/csv', 'idempotency-key': url }, ...(payload === undefined ? {} : { payload }) });
  const { import: imported } = (await ask('/v1/programs/p/imports?source=erp&name=f.csv', `${CSV}=cmd|calc;2026-01-01;x;shop\n`)).json() as Answer;
  const { documents: [document] } = (await ask('/v1/programs/p/documents')).json<{ documents: { id: string }[] }>();
  const past: Answer = {};
  for (const [index, make] of REWARD_LIFE.entries()) {
    const call = make(past);
    if (call.params?.['code'] === 'first') continue;
    const answer = await app.inject({ method: 'POST', url: urlOf(call), headers: { authorization: `Bearer ${secret}`, 'idempotency-key': `r${index}` }, payload: call.body as object });
    expect(answer.statusCode, `${call.route}: ${answer.body}`).toBe(200);
    remember(past, answer.json());
  }
  const inquiry = await context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); return openInquiry(tx, context, program, { memberId: (await findMember(tx, program, 'shop')).memberId, subject: 'A', body: 'why?' }); });
  const queries: Partial<Record<RouteName, string>> = { explain: '?document=A&locale=pl', targetHistory: '?target=t&member=shop&window_start=2026-03-01', readSettlement: '?from=2026-01-01&to=2026-12-31', printSettlement: '?from=2026-01-01&to=2026-12-31&locale=pl', settlementSheet: '?from=2026-01-01&to=2026-12-31', listOrders: '?open=false&search=shop&kind=goods', listProducts: '?unknown=true', listMembers: '?search=sho&state=active', listTargets: '?target=t&from=2026-01-01&to=2026-12-31', listDocuments: '?search=A&kind=sale&member=shop&from=2026-01-01&to=2026-12-31' };
  for (const route of Object.values(routes).filter((item) => item.method === 'GET') as Route[]) {
    const url = `${route.path.replace(':program', 'p').replace(':member', 'shop').replace(':import', imported as string).replace(':document', document?.id ?? '').replace(':inquiry', String(inquiry)).replace(':reward', 'bon').replace(':year', '2026').replace(/:(order|item|batch|form)\b/, (_, name: string) => past[name] as string)}${queries[route.name as RouteName] ?? ''}`;
    const answer = await ask(url);
    expect(answer.statusCode, `${route.name}: ${answer.body}`).toBe(200);
    const found = route.reply.safeParse(route.download === undefined ? answer.json() : answer.body);
    expect(found.success ? null : `${route.name}: ${JSON.stringify(found.error.issues.slice(0, 3))}`).toBeNull();
  }
  const csv = await ask(`/v1/programs/p/imports/${imported}/quarantine.csv?locale=pl`);
  expect(csv.headers['content-type']).toContain('text/csv');
  expect(csv.body.split('\r\n').filter((line) => line !== '')).toEqual(['plik,wiersz,kolumna,wartość,powód,treść', '1,3,date,2026-13-01,nie ma takiego dnia,"F2;2026-13-01;100,00;shop"', "1,4,net,x,to nie jest liczba,'=cmd|calc;2026-01-01;x;shop"]);
});
