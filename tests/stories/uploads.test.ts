import { mkdtempSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PERMISSIONS, createApiKey } from '../../server/src/modules/identity/index.ts';
import { makeApp } from '../../server/src/make-app.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred } from '../support/world.ts';

/** Uploads over a real connection: too large, too slow, broken off, of the wrong kind, with hostile names. Nothing stays behind, nothing lies elsewhere. */
const MOST = 200_000;
let installation: Installation;
let app: FastifyInstance;
let [port, secret] = [0, ''];
const uploads = mkdtempSync(join(tmpdir(), 'premia-uploads-'));
beforeAll(async () => {
  installation = await anInstallation();
  app = await makeApp({ db: installation.db, url: installation.url, requestsPerMinute: 10_000_000, uploadBytesMax: MOST, requestMsMax: 1_500, uploads, now: () => Date.parse('2026-06-15T10:00:00Z') });
  app.server.headersTimeout = 1_500;
  const context = await installation.tenant();
  await aWorld(context, aProgram([perHundred]));
  secret = (await createApiKey(context, { name: 'k', permissions: PERMISSIONS })).secret;
  port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port);
});
afterAll(async () => { await app.close(); await installation.close(); });

const path = '/v1/programs/p/imports?source=erp&name=f.csv';
const post = (body: string, name = 'f.csv', type = 'text/csv') => app.inject({ method: 'POST', url: `/v1/programs/p/imports?source=erp&name=${encodeURIComponent(name)}`, headers: { authorization: `Bearer ${secret}`, 'idempotency-key': `${name} ${body.length} ${type}`, 'content-type': type }, payload: body });
const CSV = 'invoice;date;net;buyer\nF1;2026-03-01;100,00;shop\n';

/** A chunked upload by hand; answers what came back, and how many bytes had been sent by then. */
function stream(chunk: string, everyMs: number, times: number): Promise<{ answer: string; sent: number }> {
  return new Promise((done) => {
    let [answer, sent] = ['', 0];
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\nIdempotency-Key: s${chunk.length}-${everyMs}-${times}\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const timer = setInterval(() => { if (sent < times * chunk.length) { socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`); sent += chunk.length; } }, everyMs);
    socket.on('data', (data) => { answer += data.toString(); });
    socket.on('close', () => { clearInterval(timer); done({ answer, sent }); });
  });
}

test('a file above the limit is answered 413 while it is still coming, and nothing of it stays', async () => {
  const { answer, sent } = await stream('x'.repeat(20_000), 20, 1_000);
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(answer).toContain('body_too_large');
  expect(sent).toBeLessThan(MOST * 5);
  expect(readdirSync(uploads)).toEqual([]);
  expect((await post('x'.repeat(MOST + 1))).statusCode).toBe(413);
});

test('a file that trickles in is cut off, one broken off leaves nothing, and the server goes on', async () => {
  const { answer } = await stream('x', 100, 100_000);
  expect(answer === '' || /^HTTP\/1\.1 (408|4\d\d|5\d\d)/.test(answer)).toBe(true);
  const broken = connect(port, '127.0.0.1');
  broken.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\nIdempotency-Key: broken\r\nContent-Type: text/csv\r\nContent-Length: 5000\r\n\r\ninvoice;date`);
  await new Promise((done) => { setTimeout(done, 200); });
  broken.destroy();
  for (let waited = 0; waited < 3_000 && readdirSync(uploads).length > 0; waited += 50) await new Promise((done) => { setTimeout(done, 50); });
  expect(readdirSync(uploads)).toEqual([]);
  expect((await post(CSV)).statusCode).toBe(200);
}, 60_000);

test('files of the wrong kind, without a program, with hostile names: designed answers, and the folder of uploads holds nothing', async () => {
  expect((await post(CSV, 'f.csv', 'image/png')).statusCode).toBe(415);
  expect((await app.inject({ method: 'POST', url: '/v1/programs/none/imports?source=erp&name=f.csv', headers: { authorization: `Bearer ${secret}`, 'idempotency-key': 'n', 'content-type': 'text/csv' }, payload: CSV })).statusCode).toBe(404);
  const odd = ['../../etc/passwd', '..\\..\\x', '/etc/passwd', 'C:\\x.csv', 'con', 'nul.csv', '.', '..', '.htaccess', '-rf', '--help', 'a;rm -rf x', '$(id)', '`id`', '%2e%2e%2f', 'x\ny', 'x\ry', 'x\ty', '<script>alert(1)</script>', '"><img src=x>', '=cmd|x', '+1', '@x', "'; DROP TABLE facts.fact; --", 'ąęć.csv', '\u202ecsv.exe', '\u200bx', '😀.csv', 'x'.repeat(300), ' ', '  x  ', 'x.', 'x…', '__proto__', 'constructor', 'null', 'undefined', 'NaN', '0', '-1', '\u0007', 'x\\', 'x/', '//x', 'file:///etc/passwd', 'http://127.0.0.1/', 'x?y', 'x#y', 'x&name=z', '*', 'x|y', 'x>y', 'x:y', '~', '~root', 'ſ', 'İ', 'K', '﷽'];
  const answers = await Promise.all(odd.map(async (name, n) => (await post(`${CSV}${' '.repeat(n)}`, name)).statusCode));
  for (const [n, status] of answers.entries()) expect([odd[n], [200, 422].includes(status)]).toEqual([odd[n], true]);
  expect(answers.filter((status) => status === 200).length).toBeGreaterThan(20);
  expect(readdirSync(uploads)).toEqual([]);
}, 120_000);
