import { sql } from 'kysely';
import { addDays, dice } from '@premia/kernel';
import { recordSales, verifyProgram } from '../server/src/modules/entitlements/index.ts';
import type { LineDraft } from '../server/src/modules/facts/index.ts';
import { aLine, rounded, withBenchWorld } from './bench-world.ts';

/** 20 mechanics over 200,000 facts: recorded in calls of 5,000 lines as the application role with row-level security, then verified. */
const FACTS = Number(process.env['BENCH_FACTS'] ?? 200_000);
const MECHANICS = Number(process.env['BENCH_MECHANICS'] ?? 20);
const MEMBERS = 4_000;
const STEP = 5_000;
const SEED = 20;

function* batches(): Generator<LineDraft[]> {
  const d = dice(SEED);
  for (let made = 0; made < FACTS; made += STEP) {
    const on = addDays('2025-01-01', Math.floor((made / FACTS) * 364));
    const lines: LineDraft[] = [];
    while (lines.length < STEP) {
      const [number, buyer] = [`D${made + lines.length}`, `code:m${d.below(MEMBERS)}`];
      for (let line = 1; line <= 5; line += 1) lines.push(aLine(d, { number, line, on, buyer }));
    }
    yield lines;
  }
}

export async function run(): Promise<Record<string, unknown>> {
  return withBenchWorld({ mechanics: MECHANICS }, async ({ db, context }) => {
    const started = performance.now();
    let recorded = 0;
    for (const lines of batches()) {
      recorded += (await recordSales(context, { program: 'bench', source: 'erp', lines })).reduce((sum, outcome) => sum + outcome.recorded, 0);
      const step = recorded / STEP;
      if ((step & (step - 1)) === 0) await context.transaction((tx) => sql`SELECT platform.refresh_statistics()`.execute(tx));
      process.stderr.write(`\r${recorded} of ${FACTS} lines`);
    }
    const settled = performance.now();
    process.stderr.write('\nverifying …\n');
    const verified = await verifyProgram(context, 'bench');
    const done = performance.now();
    const [size] = (await sql<{ bytes: bigint }>`SELECT pg_database_size('bench') AS bytes`.execute(db.kysely)).rows;
    return { benchmark: 'settle', seed: SEED, facts: verified.counts.facts, mechanics: MECHANICS, entitlements: verified.counts.entitlements, transfers: verified.counts.transfers, settle_s: rounded((settled - started) / 1_000, 1), lines_per_s: Math.round(recorded / ((settled - started) / 1_000)),
      verify_s: rounded((done - settled) / 1_000, 1), differences: verified.differences, node_rss_mb: Math.round(process.memoryUsage().rss / 1_048_576), bytes_per_fact: Number(size?.bytes ?? 0n) / verified.counts.facts | 0 };
  });
}
