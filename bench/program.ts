import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { dice } from '@premia/kernel';
import { approveRecalculation, closePeriod, proposeRecalculation, recordSales, simulate, verifyProgram } from '../server/src/modules/entitlements/index.ts';
import { PERMISSIONS, createApiKey } from '../server/src/modules/identity/index.ts';
import { readProgram } from '../server/src/modules/mechanics/index.ts';
import { makeApp } from '../server/src/make-app.ts';
import { aLine, benchProgram, budget, percentile, rounded, withBenchWorld, type BenchWorld, type Budget } from './bench-world.ts';
import { SHOPS, load, writeLines } from './lines.ts';

/**
 * What is asked of a grown program: verify, simulation beside one GROUP BY over the same facts, recalculation of a closed quarter (preview,
 * then posting), single sales beside the same on a program of a tenth, balances and statements through HTTP, bytes per fact.
 */
const LINES = Number(process.env['BENCH_LINES'] ?? 200_000);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 5);
const SEED = 47;

async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; value: T }> {
  const at = performance.now();
  const value = await work();
  return { seconds: rounded((performance.now() - at) / 1_000), value };
}

/** One sale at a time, not through HTTP: milliseconds at the middle. */
async function oneSale(world: BenchWorld): Promise<number> {
  const d = dice(SEED + 1);
  const took: number[] = [];
  for (let n = 0; n < 80; n += 1) {
    const lines = [1, 2].map((line) => aLine(d, { number: `one-${n}`, line, on: '2025-11-15', buyer: `code:m${d.below(SHOPS)}` }));
    const at = performance.now();
    await recordSales(world.context, { program: 'bench', source: 'erp', lines });
    took.push(performance.now() - at);
  }
  return rounded(percentile(took.slice(20), 0.5), 1);
}

type Read = { route: string; in_flight: number; per_second: number; p50_ms: number; p99_ms: number };

async function reads(world: BenchWorld): Promise<Read[]> {
  const app = await makeApp({ db: world.db, url: world.url, uploads: '/tmp', requestsPerMinute: 100_000_000, now: () => world.context.now() });
  const baseUrl = await app.listen({ host: '127.0.0.1', port: 0 });
  const { secret } = await createApiKey(world.context, { name: 'reads', permissions: PERMISSIONS });
  const members = (await world.context.transaction((tx) => sql<{ code: string }>`SELECT code FROM members.member WHERE code LIKE 'm%' LIMIT 2000`.execute(tx))).rows.map((row) => row.code);
  const bought = (await world.context.transaction((tx) => sql<{ code: string; number: string }>`SELECT m.code, d.number FROM facts.fact AS f JOIN members.member AS m ON m.member_id = f.member_id JOIN facts.document AS d ON d.document_id = f.document_id WHERE m.code LIKE 'm%' AND f.line_id % 97 = 0 LIMIT 2000`.execute(tx))).rows;
  const found: Read[] = [];
  for (const [route, inFlight, path] of [['member and balances', 8, ''], ['statement', 8, '/statement'], ['next steps', 4, '/next-steps'], ['explain a document', 4, '/explain']] as const) {
    const took: number[] = [];
    const d = dice(SEED);
    const end = performance.now() + SECONDS * 1_000;
    await Promise.all(Array.from({ length: inFlight }, async () => {
      while (performance.now() < end) {
        const at = performance.now();
        const one = bought[d.below(bought.length)];
        const of = path === '/explain' && one ? `${one.code}/explain?document=${encodeURIComponent(one.number)}` : `${members[d.below(members.length)]}${path}`;
        const answer = await fetch(`${baseUrl}/v1/programs/bench/members/${of}`, { headers: { authorization: `Bearer ${secret}` } });
        if (answer.status !== 200) throw new Error(`${route}: ${await answer.text()}`);
        await answer.arrayBuffer();
        took.push(performance.now() - at);
      }
    }));
    found.push({ route, in_flight: inFlight, per_second: Math.round(took.length / SECONDS), p50_ms: rounded(percentile(took, 0.5), 1), p99_ms: rounded(percentile(took, 0.99), 1) });
  }
  await app.close();
  return found;
}

async function grown(lines: number, whole: boolean): Promise<Record<string, unknown> & { one_sale_ms: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'premia-program-'));
  try {
    return await withBenchWorld({ mechanics: 10, connections: 12 }, async (world) => {
      const path = join(folder, 'lines.csv');
      await writeLines(path, dice(SEED), { prefix: 'A', lines, from: '2025-01-01', days: 364 });
      const loaded = await load(world, path, lines);
      const oneSaleMs = await oneSale(world);
      if (!whole) return { lines, loaded, one_sale_ms: oneSaleMs };
      const verify = await timed(() => verifyProgram(world.context, 'bench'));
      const group = await timed(() => world.context.transaction((tx) => sql`SELECT count(*) FROM (SELECT f.member_id, date_trunc('month', f.earned_on), c.category, sum(f.net_minor), sum(f.quantity_milli), count(*) FROM facts.fact AS f
        JOIN facts.product_class AS c ON c.product_id = f.product_id GROUP BY 1, 2, 3) AS grouped`.execute(tx)));
      const simulated = await timed(() => simulate(world.context, readProgram(benchProgram(10, 2))));
      await closePeriod(world.context, { program: 'bench', from: '2025-01-01', to: '2025-03-31' });
      const preview = await timed(() => proposeRecalculation(world.context, { file: benchProgram(10, 2), reason: 'a wrong rate' }));
      const apply = await timed(() => approveRecalculation({ ...world.context, principal: 'another' }, { program: 'bench', recalculationId: preview.value.recalculationId }));
      const read = await reads(world);
      const after = await verifyProgram(world.context, 'bench');
      const [size] = (await sql<{ bytes: bigint }>`SELECT pg_database_size('bench') AS bytes`.execute(world.db.kysely)).rows;
      return { lines, loaded, one_sale_ms: oneSaleMs, facts: after.counts.facts, entitlements: after.counts.entitlements, transfers: after.counts.transfers, verify_s: verify.seconds, group_by_s: group.seconds, simulate_s: simulated.seconds, recalculation_preview_s: preview.seconds, recalculation_apply_s: apply.seconds, reads: read, differences: after.differences, bytes_per_fact: Math.round(Number(size?.bytes ?? 0n) / after.counts.facts) };
    });
  } finally { rmSync(folder, { recursive: true, force: true }); }
}

export async function run(): Promise<Record<string, unknown>> {
  const [small, large] = [await grown(LINES / 10, false), await grown(LINES, true)];
  const n = (name: string): number => large[name] as number;
  const slowest = Math.min(...(large['reads'] as Read[]).filter((read) => ['member and balances', 'statement'].includes(read.route)).map((read) => read.per_second));
  const budgets: Budget[] = [
    budget(`one sale alone with ${LINES} facts against ${LINES / 10}`, large.one_sale_ms / small.one_sale_ms, 1.2, 1.05, 'lower'),
    budget('simulation of ten mechanics against one GROUP BY member, month, category', n('simulate_s') / n('group_by_s'), 1.5, 0.6, 'lower'),
    budget('balance and statement reads through HTTP a second (server and client on the machine)', slowest, 3_000, 5_000, 'higher'),
  ];
  return { benchmark: 'program', seed: SEED, small, large, budgets };
}
