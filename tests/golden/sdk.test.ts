import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PremiaProblem, createClient, type Client } from '@premia/sdk';
import { PERMISSIONS, createApiKey } from '../../server/src/modules/identity/index.ts';
import { anApp } from '../support/http.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred } from '../support/world.ts';

let installation: Installation;
let app: FastifyInstance;
let baseUrl = '';
beforeAll(async () => {
  installation = await anInstallation();
  app = await anApp(installation);
  baseUrl = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => { await app.close(); await installation.close(); });

async function aClient(more: Partial<Parameters<typeof createClient>[0]> = {}): Promise<Client> {
  const context = await installation.tenant();
  await aWorld(context, aProgram([perHundred]));
  return createClient({ baseUrl, key: (await createApiKey(context, { name: 'sdk', permissions: PERMISSIONS })).secret, ...more });
}
const SALE = { source: 'erp', documents: [{ number: 'FV/1', occurred_on: '2026-03-31', buyer: 'shop', lines: [{ net: '349.90' }] }] };

test('a sale, its balance and a file, through the client', async () => {
  const premia = await aClient();
  const answer = await premia.recordSales({ params: { program: 'p' }, body: SALE });
  expect(answer.documents[0]?.earned).toEqual([{ member: 'shop', unit: 'points', amount: '15' }]);
  expect((await premia.readBalances({ params: { program: 'p' }, query: { unit: 'points' } })).balances).toMatchObject([{ member: 'shop', available: '15' }]);
  const { import: staged } = await premia.stageImport({ params: { program: 'p' }, query: { source: 'erp', name: 'f.csv' }, file: 'invoice;date;net;buyer\nF1;2026-03-32;1;shop\n' });
  expect(await premia.downloadQuarantine({ params: { program: 'p', import: staged } })).toContain('there is no such day');
  expect((await premia.listPrograms()).programs).toHaveLength(1);
});

test('a refusal is a problem with a stable code, in the language asked for', async () => {
  const premia = await aClient({ locale: 'pl' });
  const refused = await premia.readMember({ params: { program: 'p', member: 'nobody' } }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(PremiaProblem);
  expect(refused).toMatchObject({ status: 404, code: 'member_not_found', message: 'member_not_found: Nie ma uczestnika „nobody”.' });
});

test('an answer lost on the way is asked for again with the same key: one effect', async () => {
  let lost = 0;
  const keys = new Set<string>();
  const proxy = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      keys.add(String(request.headers['idempotency-key']));
      void fetch(`${baseUrl}${request.url ?? ''}`, { method: request.method ?? 'GET', headers: request.headers as Record<string, string>, body: Buffer.concat(chunks) }).then(async (answer) => {
        const body = await answer.text();
        if (lost < 2) { lost += 1; request.socket.destroy(); return; } // done, and never told
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(body);
      });
    });
  });
  await new Promise<void>((done) => { proxy.listen(0, '127.0.0.1', () => done()); });
  try {
    const premia = await aClient({ baseUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
    expect((await premia.recordSales({ params: { program: 'p' }, body: SALE })).documents[0]).toMatchObject({ recorded: 1 });
    expect([lost, keys.size]).toEqual([2, 1]);
  } finally {
    proxy.close();
  }
});
