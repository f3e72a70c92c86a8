import { dice } from '@premia/kernel';
import { sql } from 'kysely';
import { PERMISSIONS, createApiKey } from '../server/src/modules/identity/index.ts';
import { makeApp } from '../server/src/make-app.ts';
import { verifyProgram } from '../server/src/modules/entitlements/index.ts';
import { budget, percentile, rounded, withBenchWorld, type Budget } from './bench-world.ts';

/**
 * Sales through HTTP at a steady rate for ten minutes, with seals every minute as jobs make them: what the process holds in memory, and whether the last minutes
 * answer like the first. The client runs in the same process, so its memory is counted, too.
 */
const MINUTES = Number(process.env['BENCH_MINUTES'] ?? 10);
const RATE = Number(process.env['BENCH_RATE'] ?? 60);
const MEMBERS = 4_000;
const SEED = 53;
type Minute = { minute: number; sales: number; p50_ms: number; p99_ms: number; rss_mb: number; heap_mb: number; database_mb: number };
const MB = 1024 * 1024;

export async function run(): Promise<Record<string, unknown>> {
  return withBenchWorld({ mechanics: 10, connections: 16 }, async (world) => {
    const { context } = world;
    const app = await makeApp({ db: world.db, url: world.url, uploads: '/tmp', requestsPerMinute: 100_000_000, now: () => context.now() });
    const baseUrl = await app.listen({ host: '127.0.0.1', port: 0 });
    const { secret } = await createApiKey(context, { name: 'soak', permissions: PERMISSIONS });
    const d = dice(SEED);
    let sold = 0;
    const sell = async (): Promise<void> => {
      sold += 1;
      const lines = Array.from({ length: d.between(1, 4) }, (_, n) => ({ line: String(n + 1), product: `p${d.below(50)}`, quantity: String(d.between(1, 12)), net: `${d.between(10, 900)}.${String(d.below(100)).padStart(2, '0')}` }));
      const body = { source: 'erp', documents: [{ number: `S${sold}`, occurred_on: `2025-12-${String(d.between(1, 28)).padStart(2, '0')}`, buyer: `code:m${d.below(MEMBERS)}`, lines }] };
      const answer = await fetch(`${baseUrl}/v1/programs/bench/sales`, { method: 'POST', headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', 'idempotency-key': `k${sold}` }, body: JSON.stringify(body) });
      if (answer.status !== 200) throw new Error(await answer.text());
      await answer.arrayBuffer();
    };
    const minutes: Minute[] = [];
    for (let minute = 1; minute <= MINUTES; minute += 1) {
      const took: number[] = [];
      const under = new Set<Promise<unknown>>();
      const started = performance.now();
      for (let n = 0; n < RATE * 60; n += 1) {
        const due = started + (n * 1_000) / RATE;
        const wait = due - performance.now();
        if (wait > 1) await new Promise((done) => { setTimeout(done, wait); });
        const one: Promise<unknown> = sell().then(() => { took.push(performance.now() - due); under.delete(one); });
        under.add(one);
      }
      await Promise.all(under);
      const { rss, heapUsed } = process.memoryUsage();
      const [size] = (await sql<{ bytes: bigint }>`SELECT pg_database_size('bench') AS bytes`.execute(world.db.kysely)).rows;
      minutes.push({ minute, sales: took.length, p50_ms: rounded(percentile(took, 0.5), 1), p99_ms: rounded(percentile(took, 0.99), 1), rss_mb: Math.round(rss / MB), heap_mb: Math.round(heapUsed / MB), database_mb: Math.round(Number(size?.bytes ?? 0n) / MB) });
      process.stderr.write(`${JSON.stringify(minutes.at(-1))}\n`);
    }
    await app.close();
    const verified = await verifyProgram(context, 'bench');
    const [settled, last] = [minutes[Math.min(2, minutes.length - 1)] as Minute, minutes.at(-1) as Minute];
    const budgets: Budget[] = [budget('resident memory after the last minute against the third', last.rss_mb / settled.rss_mb, 1.1, 1.02, 'lower'), budget('p50 in the last minute against the third', last.p50_ms / settled.p50_ms, 1.5, 1.1, 'lower')];
    return { benchmark: 'soak', seed: SEED, rate_per_second: RATE, sales: sold, minutes, differences: verified.differences, facts: verified.counts.facts, budgets };
  });
}
