import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addDays, dice } from '@premia/kernel';
import { applyProgram, approveImport, recordImport } from '../../server/src/modules/entitlements/index.ts';
import { stageImport } from '../../server/src/modules/facts/index.ts';
import { readBalances } from '../../server/src/modules/ledger/index.ts';
import { findProgram } from '../../server/src/modules/members/index.ts';
import { readProgram } from '../../server/src/modules/mechanics/index.ts';
import type { Context } from '../../server/src/platform/context.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, perHundred } from '../support/world.ts';
import { verifyAll } from '../../server/src/verify.ts';

/**
 * Battery C2: the server killed again and again while it records a large import; each start takes the work up by itself. KILL_LINES and
 * KILLS make it larger.
 */
const LINES = Number(process.env['KILL_LINES'] ?? 70_000);
const KILLS = Number(process.env['KILLS'] ?? 4);
const SEED = 7;

let installation: Installation;
let running: ChildProcess | undefined;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(async () => { running?.kill('SIGKILL'); await installation.close(); });

function start(): Promise<ChildProcess> {
  const server = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '../../server/src/main.ts')], {
    env: { ...process.env, DATA_SECRET: 'a secret for tests', DATABASE_URL: installation.url, DATA_DIR: mkdtempSync(join(tmpdir(), 'premia-server-')), PORT: '0', PREMIA_DEMO: 'off' }, stdio: ['ignore', 'ignore', 'pipe'],
  });
  running = server;
  return new Promise((done, failed) => {
    let said = '';
    server.stderr?.on('data', (chunk: Buffer) => { said += chunk.toString(); if (/API\s+http/.test(said)) done(server); });
    server.on('exit', (code, signal) => { if (signal !== 'SIGKILL') failed(new Error(`the server ended with ${code}: ${said}`)); else done(server); });
  });
}

async function staged(context: Context, path: string): Promise<bigint> {
  await applyProgram(context, readProgram(aProgram([perHundred, { ...perHundred, key: 'month', window: 'month', curve: { is: 'steps', steps: [{ reach: 1_000, units: 40 }] } }])));
  const { importId, counts } = await stageImport(context, installation.url, { program: 'p', source: 'erp', parts: [{ path, name: 'lines.csv' }] });
  expect(counts).toMatchObject({ rows: LINES, ready: LINES });
  await approveImport(context, { program: 'p', importId });
  return importId;
}

const digest = async (context: Context): Promise<string> => createHash('sha256').update(JSON.stringify((await context.transaction(async (tx) => readBalances(tx, (await findProgram(tx, 'p')).programId, '2026-06-15'))).map((item) => [item.member, String(item.total)]))).digest('hex');

test(`a server killed ${KILLS} times in an import of ${LINES} lines: nothing lost, nothing doubled, no human needed`, async () => {
  const d = dice(SEED);
  const path = join(mkdtempSync(join(tmpdir(), 'premia-kill-')), 'lines.csv');
  writeFileSync(path, `invoice;date;net;buyer\n${Array.from({ length: LINES }, (_, n) => `D${Math.floor(n / 4)};${addDays('2026-01-01', Math.floor((Math.floor(n / 4) * 4 / LINES) * 150))};${d.between(10, 900)},${d.between(10, 99)};m${Math.floor(n / 4) % 997}`).join('\n')}\n`);
  const clean = await installation.tenant();
  await recordImport(clean, { program: 'p', importId: await staged(clean, path) });

  const context = await installation.tenant();
  const importId = await staged(context, path);
  const recorded = async (): Promise<number> => Number((await installation.admin<{ n: string }>('SELECT count(*)::text AS n FROM facts.line WHERE tenant_id = $1', [context.tenantId]))[0]?.n ?? 0);
  const kills: number[] = [];
  for (let times = 0; times < KILLS; times += 1) {
    const server = await start();
    const before = await recorded();
    // Killed soon after a chunk is in: the next one is under way.
    for (let waited = 0; waited < 60_000 && (await recorded()) === before && before < LINES; waited += 10) await new Promise((done) => { setTimeout(done, 10); });
    await new Promise((done) => { setTimeout(done, d.below(300)); });
    const ended = new Promise((done) => { server.on('exit', done); });
    server.kill('SIGKILL');
    await ended;
    kills.push(await recorded());
    expect(kills.at(-1), 'what was committed stays').toBeGreaterThanOrEqual(before);
  }
  expect(kills.filter((at) => at > 0 && at < LINES).length, `kills outside the import prove nothing: ${kills.join(', ')}`).toBeGreaterThanOrEqual(Math.min(3, KILLS - 1));

  await start();
  const state = async (): Promise<string> => (await installation.admin<{ state: string }>('SELECT state FROM facts.import WHERE tenant_id = $1 AND import_id = $2', [context.tenantId, String(importId)]))[0]?.state ?? '';
  for (let waited = 0; waited < 120_000 && (await state()) !== 'recorded'; waited += 100) await new Promise((done) => { setTimeout(done, 100); });
  expect([await state(), await recorded()]).toEqual(['recorded', LINES]);
  expect(await digest(context)).toBe(await digest(clean));
  expect((await verifyAll(context, 'p')).differences).toBe(0);
});
