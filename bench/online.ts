import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { dice } from '@premia/kernel';
import { recordSales, recordSalesTogether, verifyProgram } from '../server/src/modules/entitlements/index.ts';
import { PERMISSIONS, createApiKey } from '../server/src/modules/identity/index.ts';
import { makeApp } from '../server/src/make-app.ts';
import { aLine, budget, percentile, rounded, withBenchWorld, type BenchWorld, type Budget } from './bench-world.ts';

/**
 * One sale at a time, answered with what it earned: closed loop at several numbers in flight – one transaction per sale, lanes, and through
 * HTTP –, open loop at several rates, beside pgbench TPC-B on the same server in the same run. Ten mechanics, 4,000 members; every third shop has a rep, who is a member too.
 */
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 6);
const MEMBERS = 4_000;
const SEED = 7;
type OpenCell = { way: string; offered_per_second: number; answered: number; waiting_at_the_end: number; p50_ms: number; p99_ms: number };
type Cell = { way: string; in_flight: number; per_second: number; p50_ms: number; p99_ms: number };

let sold = 0;
const d = dice(SEED);
const lines = () => {
  sold += 1;
  const number = `D${sold}`;
  const shop = d.below(MEMBERS);
  const rep = shop % 3 === 0 ? `code:r${shop % 201}` : null; // a shop's rep is always the same
  const buyer = `code:m${shop}`;
  const on = `2025-${String(d.between(10, 12)).padStart(2, '0')}-${String(d.between(1, 28)).padStart(2, '0')}`;
  return Array.from({ length: d.between(1, 4) }, (_, line) => aLine(d, { number, line: line + 1, on, buyer, rep }));
};

async function loop(way: string, inFlight: number, call: () => Promise<unknown>): Promise<Cell> {
  const took: number[] = [];
  const end = performance.now() + SECONDS * 1_000;
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (performance.now() < end) { const at = performance.now(); await call(); took.push(performance.now() - at); }
  }));
  const cell = { way, in_flight: inFlight, per_second: Math.round(took.length / ((performance.now() - started) / 1_000)), p50_ms: rounded(percentile(took, 0.5), 1), p99_ms: rounded(percentile(took, 0.99), 1) };
  process.stderr.write(`${way.padEnd(12)} ${String(inFlight).padStart(4)} in flight  ${String(cell.per_second).padStart(6)}/s  p50 ${cell.p50_ms} ms  p99 ${cell.p99_ms} ms\n`);
  return cell;
}

/** Sales that come when they come, whether the last one was answered or not: milliseconds from when each was due, so that a server that stalls cannot hide it. */
async function openLoop(way: string, perSecond: number, call: () => Promise<unknown>): Promise<OpenCell> {
  const took: number[] = [];
  const under: Promise<unknown>[] = [];
  const started = performance.now();
  const arrivals = dice(SEED + perSecond);
  for (let due = started; due < started + SECONDS * 1_000; due += (-Math.log(arrivals.between(1, 1_000_000) / 1_000_000) * 1_000) / perSecond) {
    const wait = due - performance.now();
    if (wait > 1) await new Promise((done) => { setTimeout(done, wait); });
    const at = due;
    under.push(call().then(() => took.push(performance.now() - at)));
  }
  const left = under.length - took.length;
  await Promise.all(under);
  const cell = { way, offered_per_second: perSecond, answered: took.length, waiting_at_the_end: left, p50_ms: rounded(percentile(took, 0.5), 1), p99_ms: rounded(percentile(took, 0.99), 1) };
  process.stderr.write(`${way.padEnd(12)} ${String(perSecond).padStart(4)}/s offered   p50 ${cell.p50_ms} ms  p99 ${cell.p99_ms} ms, ${left} waiting at the end\n`);
  return cell;
}

/** TPC-B at 32 clients, by pgbench where a Debian PostgreSQL brings it. */
function tpcb(world: BenchWorld): number | null {
  const home = '/usr/lib/postgresql';
  const pgbench = existsSync(home) ? readdirSync(home).map((version) => join(home, version, 'bin/pgbench')).find((path) => existsSync(path)) : undefined;
  if (pgbench === undefined) return null;
  const at = new URL(world.superuserUrl);
  const env = { ...process.env, PGPASSWORD: decodeURIComponent(at.password) };
  const args = ['-h', at.hostname, '-p', at.port, '-U', at.username, 'bench'];
  execFileSync(pgbench, ['-i', '-s', '10', '-q', ...args], { env, stdio: 'ignore' });
  const said = execFileSync(pgbench, ['-c', '32', '-j', '2', '-T', String(SECONDS), ...args], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return Number(/tps = ([\d.]+)/.exec(said)?.[1] ?? 0);
}

export async function run(): Promise<Record<string, unknown>> {
  return withBenchWorld({ mechanics: 10, connections: 16 }, async (world) => {
    const { context } = world;
    const input = () => ({ program: 'bench', source: 'erp', lines: lines() });
    for (let n = 0; n < 400; n += 1) await recordSales(context, { program: 'bench', source: 'erp', lines: Array.from({ length: 20 }, () => lines()).flat() });
    const cells: Cell[] = [];
    for (const inFlight of [1, 8, 32, 128]) cells.push(await loop('one by one', inFlight, () => recordSales(context, input())));
    for (const inFlight of [1, 8, 32, 128, 512]) cells.push(await loop('lanes', inFlight, () => recordSalesTogether(context, input())));
    const open: OpenCell[] = [];
    for (const perSecond of [50, 200, 400]) open.push(await openLoop('lanes', perSecond, () => recordSalesTogether(context, input())));
    const app = await makeApp({ db: world.db, url: world.url, uploads: '/tmp', requestsPerMinute: 100_000_000, now: () => context.now() });
    const baseUrl = await app.listen({ host: '127.0.0.1', port: 0 });
    const { secret } = await createApiKey(context, { name: 'bench', permissions: PERMISSIONS });
    const post = async (): Promise<void> => {
      const sale = lines();
      const body = { source: 'erp', documents: [{ number: sale[0]?.number, occurred_on: sale[0]?.occurredOn, buyer: sale[0]?.buyer, ...(sale[0]?.rep ? { rep: sale[0].rep } : {}), lines: sale.map((line) => ({ line: line.lineNo, product: line.productCode, quantity: String(line.quantityMilli / 1_000n), net: `${line.netMinor / 100n}.${String(line.netMinor % 100n).padStart(2, '0')}` })) }] };
      const answer = await fetch(`${baseUrl}/v1/programs/bench/sales`, { method: 'POST', headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', 'idempotency-key': `k${sold}-${d.below(1_000_000_000)}` }, body: JSON.stringify(body) });
      if (answer.status !== 200) throw new Error(await answer.text());
      await answer.arrayBuffer();
    };
    for (const inFlight of [1, 32, 128]) cells.push(await loop('HTTP', inFlight, post));
    for (const perSecond of [25, 100, 200]) open.push(await openLoop('HTTP', perSecond, post));
    await app.close();
    const tps = tpcb(world);
    process.stderr.write(`TPC-B at 32 clients: ${tps ?? 'no pgbench here'}\n`);
    const verified = await verifyProgram(context, 'bench');
    const of = (way: string, inFlight: number): Cell => cells.find((cell) => cell.way === way && cell.in_flight === inFlight) as Cell;
    const budgets: Budget[] = [budget('single sale alone, p50 through HTTP, ms', of('HTTP', 1).p50_ms, 5, 2, 'lower'),
      ...(tps === null ? [] : [budget('online, 128 in flight, against TPC-B at 32 clients', of('lanes', 128).per_second / tps, 1.8, 3, 'higher'), budget('the same through HTTP', of('HTTP', 128).per_second / tps, 0.8, 1.5, 'higher')])];
    return { benchmark: 'online', seed: SEED, sales: sold, tpcb_per_second: tps, cells, open_loop: open, differences: verified.differences, facts: verified.counts.facts, budgets };
  });
}
