import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dice } from '@premia/kernel';
import { applyProgram, recordSales } from '../../server/src/modules/entitlements/index.ts';
import { captureHold, findUnit, holdUnits, openPosting } from '../../server/src/modules/ledger/index.ts';
import { findMember, findProgram } from '../../server/src/modules/members/index.ts';
import { readProgram } from '../../server/src/modules/mechanics/index.ts';
import { createTenant } from '../../server/src/modules/identity/index.ts';
import { makeContext, type Context } from '../../server/src/platform/context.ts';
import { openDatabase, type Database } from '../../server/src/platform/database.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../server/src/platform/embedded-postgres.ts';
import { migrate, prepareDatabase } from '../../server/src/platform/migrate.ts';
import { aProgram, aSale, perHundred } from '../support/world.ts';
import { verifyAll } from '../../server/src/verify.ts';

/**
 * Battery C1: PostgreSQL – the postmaster and its children – is killed under concurrent orders and sales, and started again. What was
 * acknowledged is there; what was not is asked for again with the same reference and happens once. KILLS lengthens a run.
 */
const KILLS = Number(process.env['KILLS'] ?? 8);
const SEED = 8;
let folder = '';
let postgres: EmbeddedPostgres;
let db: Database;
let context: Context;

async function open(): Promise<void> {
  postgres = await startEmbeddedPostgres(folder, { own: true });
  const url = new URL(postgres.superuserUrl);
  url.pathname = '/kill';
  await prepareDatabase(postgres.superuserUrl, 'kill');
  await migrate(url.toString());
  db = openDatabase(url.toString(), 'premia_app', { max: 12, secret: 'a secret for tests' });
  context = makeContext({ db, tenantId: await createTenant(db, 'kill', 'Kill', '2026-06-15T10:00:00Z'), principal: 'test', now: () => Date.parse('2026-06-15T10:00:00Z') });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'premia-kill-'));
  chmodSync(folder, 0o755);
  await open();
  await applyProgram(context, readProgram(aProgram([perHundred])));
  await recordSales(context, { program: 'p', source: 'erp', lines: Array.from({ length: 8 }, (_, n) => aSale({ number: `first-${n}`, on: '2026-03-31', net: '100000.00', buyer: `m${n}` })) });
});
afterAll(async () => {
  await db.close();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});

const order = (n: number): Promise<unknown> => context.transaction(async (tx) => {
  const program = await findProgram(tx, 'p');
  const unit = await findUnit(tx, program.programId, 'points');
  const command = { ...(await openPosting(tx, context, program)), memberId: (await findMember(tx, program, `m${n % 8}`)).memberId, unitId: unit.unitId };
  const hold = await holdUnits(tx, command, unit, { amount: 3n, reference: `order-${n}` });
  if (n % 2 === 0) await captureHold(tx, command, hold.holdId);
});
const sale = (n: number): Promise<unknown> => recordSales(context, { program: 'p', source: 'erp', lines: [aSale({ number: `sale-${n}`, on: '2026-04-01', net: '100.00', buyer: `m${n % 8}` })] });

test(`killed ${KILLS} times under load: nothing acknowledged is lost, nothing happens twice (seed ${SEED})`, async () => {
  const d = dice(SEED);
  let [next, unknown] = [0, 0];
  const pending = new Set<number>();
  for (let kill = 0; kill < KILLS; kill += 1) {
    let killed = false;
    const workers = Array.from({ length: 12 }, async () => {
      while (!killed) {
        next += 1;
        const n = next;
        pending.add(n);
        await (n % 3 === 0 ? sale(n) : order(n)).then(() => { pending.delete(n); }, () => { unknown += 1; });
      }
    });
    await new Promise((done) => { setTimeout(done, 150 + d.below(400)); });
    const pid = readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0] as string;
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', pid], { encoding: 'utf8' }).trim().split(/\s+/);
    for (const victim of [pid, ...children]) { try { process.kill(Number(victim), 'SIGKILL'); } catch { /* gone already */ } }
    killed = true;
    await Promise.all(workers);
    await db.close();
    await open();
    for (const n of pending) { await (n % 3 === 0 ? sale(n) : order(n)); pending.delete(n); }
  }
  expect(unknown, 'no call was cut off: this proved nothing').toBeGreaterThan(KILLS);
  expect(await verifyAll(context, 'p')).toMatchObject({ differences: 0 });
  const found = await db.transaction(context.tenantId, async (tx) => { return (await sql<{ holds: bigint; captured: bigint; sales: bigint; transfers: bigint }>`SELECT (SELECT count(*) FROM ledger.hold) AS holds, (SELECT count(*) FROM ledger.hold WHERE state = 'captured') AS captured, (SELECT count(*) FROM facts.document WHERE number LIKE 'sale-%') AS sales, (SELECT count(*) FROM ledger.transfer WHERE kind = 'hold') AS transfers`.execute(tx)).rows[0]; });
  const asked = Array.from({ length: next }, (_, n) => n + 1);
  const orders = asked.filter((n) => n % 3 !== 0);
  expect(found).toEqual({ holds: BigInt(orders.length), captured: BigInt(orders.filter((n) => n % 2 === 0).length), sales: BigInt(asked.length - orders.length), transfers: BigInt(orders.length) });
});
