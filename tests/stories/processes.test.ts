import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, type Client } from '@premia/sdk';
import { createApiKey, findTenant, PERMISSIONS } from '../../server/src/modules/identity/index.ts';
import { makeContext } from '../../server/src/platform/context.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, perHundred } from '../support/world.ts';
import { verifyAll } from '../../server/src/verify.ts';

/** Several server processes on one database, and one of them killed in the middle of its work. */
let installation: Installation;
const servers: ChildProcess[] = [];
beforeAll(async () => { installation = await anInstallation(); });
afterAll(async () => {
  for (const server of servers) server.kill('SIGKILL');
  await installation.close();
});

/** A server of its own on a free port; answers where it listens. */
function aServer(): Promise<string> {
  const server = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '../../server/src/main.ts')], {
    env: { ...process.env, DATA_SECRET: 'a secret for tests', DATABASE_URL: installation.url, DATA_DIR: mkdtempSync(join(tmpdir(), 'premia-server-')), PORT: '0', PREMIA_DEMO: 'off' }, stdio: ['ignore', 'ignore', 'pipe'],
  });
  servers.push(server);
  return new Promise((done, failed) => {
    let said = '';
    server.stderr?.on('data', (chunk: Buffer) => { said += chunk.toString(); const found = /API\s+(http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1]; if (found) done(found); });
    server.on('exit', (code) => failed(new Error(`the server ended with ${code}: ${said}`)));
  });
}

test('three processes serve one program; one is killed, the others go on; every sale counts once', async () => {
  const urls = await Promise.all([aServer(), aServer(), aServer()]);
  const tenantId = await findTenant(installation.db, 'main') ?? 0n;
  const context = makeContext({ db: installation.db, tenantId, principal: 'test' });
  const { secret } = await createApiKey(context, { name: 'shop', permissions: PERMISSIONS });
  const clients = urls.map((baseUrl) => createClient({ baseUrl, key: secret, retries: 0 }));
  const board = { key: 'board', from: '2020-01-01', earner: { role: 'buyer' }, measure: { is: 'sum', of: 'net' }, window: 'month', pool: { by: 'everyone' }, curve: { is: 'rank', places: [100, 50] }, award: { unit: 'points' } };
  await (clients[0] as Client).applyProgram({ body: aProgram([perHundred, board]) as never, idempotencyKey: 'apply' });
  // 240 sales of 40 members, each sent to a process by turns; what a dead one does not answer is sent to another, with the same key.
  let unanswered = 0;
  const sell = async (n: number): Promise<void> => {
    for (let tries = 0; tries < 5; tries += 1) {
      const client = clients[(n + tries) % clients.length] as Client;
      const sent = await client.recordSales({ params: { program: 'p' }, body: { source: 'erp', documents: [{ number: `S${n}`, occurred_on: '2026-03-31', buyer: `m${n % 40}`, lines: [{ net: '100.00' }] }] }, idempotencyKey: `sale-${n}` }).catch((error: { code?: string }) => error);
      if ('documents' in sent) return;
      unanswered += 1;
      if (sent.code === 'idempotency_in_progress') { // its first process died with it: a fresh key finds what was recorded, or records it
        await (clients[(n + 1) % 2] as Client).recordSales({ params: { program: 'p' }, body: { source: 'erp', documents: [{ number: `S${n}`, occurred_on: '2026-03-31', buyer: `m${n % 40}`, lines: [{ net: '100.00' }] }] }, idempotencyKey: `again-${n}` });
        return;
      }
    }
    throw new Error(`sale ${n} was never answered`);
  };
  const queue = Array.from({ length: 240 }, (_, n) => n);
  const workers = Array.from({ length: 12 }, async () => { for (let n = queue.shift(); n !== undefined; n = queue.shift()) { if (n === 80) servers[2]?.kill('SIGKILL'); await sell(n); } });
  await Promise.all(workers);
  expect(unanswered, 'nobody noticed the death: this proved nothing').toBeGreaterThan(0);
  const balances = (await (clients[0] as Client).readBalances({ params: { program: 'p' }, query: { unit: 'points', limit: 100 } })).balances;
  expect(balances).toHaveLength(40);
  const verified = await verifyAll(context, 'p');
  expect([verified.differences, verified.counts.facts]).toEqual([0, 240]);
  for (const server of servers.slice(0, 2)) { server.kill('SIGTERM'); await new Promise((done) => { server.on('exit', done); }); expect(server.exitCode).toBe(0); } // C6: they stop in peace
});
