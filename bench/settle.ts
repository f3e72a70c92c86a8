import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { addDays, dice } from '@premia/kernel';
import { applyProgram, recordSales, verifyProgram } from '../server/src/modules/entitlements/index.ts';
import type { LineDraft } from '../server/src/modules/facts/index.ts';
import { createTenant } from '../server/src/modules/identity/index.ts';
import { readProgram } from '../server/src/modules/mechanics/index.ts';
import { makeContext } from '../server/src/platform/context.ts';
import { openDatabase } from '../server/src/platform/database.ts';
import { startEmbeddedPostgres } from '../server/src/platform/embedded-postgres.ts';
import { migrate, prepareDatabase } from '../server/src/platform/migrate.ts';

/** 20 mechanics over 200,000 facts: recorded in calls of 5,000 lines as the application role with row-level security, then verified. */
const FACTS = Number(process.env['BENCH_FACTS'] ?? 200_000);
const MECHANICS = Number(process.env['BENCH_MECHANICS'] ?? 20);
const MEMBERS = 4_000;
const STEP = 5_000;
const SEED = 20;

function mechanics(): unknown[] {
  const shapes: ((index: number) => Record<string, unknown>)[] = [
    (n) => ({ preset: 'points-per-amount', with: { units: n + 1, every: 10 } }), (n) => ({ preset: 'brand-multiplier', with: { brand: `b${n % 3}`, units: 1, every: 10, times: 2 } }),
    () => ({ preset: 'weekend-bonus', with: { units: 1, every: 20 } }), () => ({ preset: 'cross-sell', with: { categories: 2, units: 5 } }),
    (n) => ({ preset: 'volume-rebate-marginal', with: { bands: [{ from: 0, rate: '0.1' }, { from: 1_000 * (n + 1), rate: '0.2' }] } }), (n) => ({ preset: 'volume-rebate-retrospective', with: { window: 'quarter', bands: [{ from: 500 * (n + 1), rate: '0.1' }] } }),
    () => ({ preset: 'monthly-cap', with: { units: 1, every: 10, most: 100 } }), () => ({ preset: 'growth-bonus', with: { units: 1, every: 100 } }),
    () => ({ preset: 'points-per-unit', with: { units: 1 } }), () => ({ preset: 'category-multiplier', with: { category: 'c1', units: 1, every: 10, times: 3 } }),
  ];
  return Array.from({ length: MECHANICS }, (_, index) => ({ ...(shapes[index % shapes.length] as (n: number) => object)(index), key: `m${index}`, from: '2024-01-01' }));
}

function* batches(): Generator<LineDraft[]> {
  const d = dice(SEED);
  let made = 0;
  while (made < FACTS) {
    const lines: LineDraft[] = [];
    const on = addDays('2025-01-01', Math.floor((made / FACTS) * 364));
    while (lines.length < STEP) {
      const number = `D${made + lines.length}`;
      const buyer = `code:m${d.below(MEMBERS)}`;
      for (let line = 1; line <= 5; line += 1) {
        const quantity = d.between(1, 12);
        lines.push({ number, kind: 'sale', occurredOn: on, occurredAt: null, hour: null, baseNumber: null, baseLine: null, lineNo: String(line), productCode: `p${d.below(50)}`, productName: null, quantityMilli: BigInt(quantity) * 1_000n, netMinor: BigInt(quantity * d.between(100, 9_999)), grossMinor: null, currency: 'PLN', original: null, buyer, seller: null, rep: null, shares: null, channel: null, attributes: null });
      }
    }
    made += lines.length;
    yield lines;
  }
}

export async function run(): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'premia-bench-'));
  chmodSync(folder, 0o755); // as root, PostgreSQL's own account must reach it
  const postgres = await startEmbeddedPostgres(folder, { own: true });
  try {
    await prepareDatabase(postgres.superuserUrl, 'bench');
    const url = new URL(postgres.superuserUrl);
    url.pathname = '/bench';
    await migrate(url.toString());
    const db = openDatabase(url.toString(), 'premia_app');
    const context = makeContext({ db, tenantId: await createTenant(db, 'bench', 'Bench', '2026-01-01T00:00:00Z'), principal: 'bench', now: () => Date.parse('2026-01-15T10:00:00Z') });
    const names = { pl: { one: 'punkt', few: 'punkty', many: 'punktów', short: 'pkt' }, en: { one: 'point', other: 'points', short: 'pts' } };
    await applyProgram(context, readProgram({ premia: 1, key: 'bench', name: { pl: 'Pomiar', en: 'Bench' }, legal_form: 'incentive', zone: 'Europe/Warsaw', currency: 'PLN', starts_on: '2020-01-01', rewards: ['buyer'], units: [{ key: 'points', names }], sources: [{ key: 'erp', unknown: 'enrol' }],
      products: Array.from({ length: 50 }, (_, n) => ({ sku: `p${n}`, category: `c${n % 5}`, brand: `b${n % 3}` })), mechanics: mechanics() }));
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
    await db.close();
    return { benchmark: 'settle', seed: SEED, facts: verified.counts.facts, mechanics: MECHANICS, entitlements: verified.counts.entitlements, transfers: verified.counts.transfers, settle_s: round((settled - started) / 1_000), lines_per_s: Math.round(recorded / ((settled - started) / 1_000)),
      verify_s: round((done - settled) / 1_000), differences: verified.differences, node_rss_mb: Math.round(process.memoryUsage().rss / 1_048_576), bytes_per_fact: Number(size?.bytes ?? 0n) / verified.counts.facts | 0 };
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
const round = (value: number): number => Math.round(value * 10) / 10;
