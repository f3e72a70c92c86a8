import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PERMISSIONS, createApiKey } from '../../server/src/modules/identity/index.ts';
import { openDatabase } from '../../server/src/platform/database.ts';
import { makeApp } from '../../server/src/make-app.ts';
import { aDroppingProxy } from '../support/dropping-proxy.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred } from '../support/world.ts';

/** Battery C4: the reply to COMMIT is lost a hundred times, between sales and holds; whoever asks again with the same key gets one effect. */
let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const TIMES = Number(process.env['REPLIES'] ?? 100);

test('the answer to COMMIT is lost, again and again: each effect once', async () => {
  const context = await installation.tenant();
  const world = await aWorld(context, aProgram([perHundred]));
  await world.sell({ number: 'FIRST', on: '2026-03-01', net: '100000.00', buyer: 'saver' });
  const { secret } = await createApiKey(context, { name: 'k', permissions: PERMISSIONS });
  const proxy = await aDroppingProxy(installation.url);
  const db = openDatabase(proxy.url, 'premia_app', { max: 2, secret: 'a secret for tests' });
  const app = await makeApp({ db, url: proxy.url, requestsPerMinute: 10_000_000, uploads: mkdtempSync(join(tmpdir(), 'premia-uploads-')), now: () => Date.parse('2026-06-15T10:00:00Z') });
  const requests = Array.from({ length: TIMES }, (_, n) => (n % 2 === 0
    ? { url: '/v1/programs/p/sales', payload: { source: 'erp', documents: [{ number: `S${n}`, occurred_on: '2026-03-31', buyer: 'shop', lines: [{ net: '100.00' }] }] } }
    : { url: '/v1/programs/p/members/saver/holds', payload: { unit: 'points', amount: '1', reference: `order-${n}` } }));
  let untold = 0;
  for (const [n, { url, payload }] of requests.entries()) {
    const send = (key: string) => app.inject({ method: 'POST', url, headers: { authorization: `Bearer ${secret}`, 'idempotency-key': key }, payload });
    await app.inject({ method: 'GET', url: '/v1/programs/p/balances', headers: { authorization: `Bearer ${secret}` } }); // a connection again, after the loss before
    proxy.arm();
    let answer = await send(`key-${n}`);
    if (answer.statusCode !== 200) untold += 1;
    // Not told how it ended: asked again with the same key; while that counts as running, with a new one, which finds what the first did.
    for (let tries = 0; tries < 20 && answer.statusCode !== 200; tries += 1) answer = await send(answer.statusCode === 409 ? `key-${n}-${tries}` : `key-${n}`);
    expect([url, answer.statusCode, answer.body.slice(0, 200)]).toEqual([url, 200, answer.body.slice(0, 200)]);
  }
  expect(proxy.dropped(), 'a run in which nothing was lost proves nothing').toBeGreaterThanOrEqual(TIMES);
  expect(untold).toBeGreaterThan(TIMES / 2);
  await app.close();
  await db.close();
  await proxy.close();
  expect(await world.balance('shop')).toMatchObject({ total: BigInt((TIMES / 2) * 5) });
  expect(await world.balance('saver')).toMatchObject({ total: 5_000n, held: BigInt(TIMES / 2) });
  const [counted] = await installation.admin<{ holds: string; documents: string }>(`SELECT (SELECT count(*) FROM ledger.hold WHERE tenant_id = $1)::text AS holds, (SELECT count(*) FROM facts.document WHERE tenant_id = $1)::text AS documents`, [context.tenantId]);
  expect(counted).toEqual({ holds: String(TIMES / 2), documents: String(TIMES / 2 + 1) });
  await world.verified();
});
