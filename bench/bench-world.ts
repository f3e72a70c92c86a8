import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LineDraft } from '../server/src/modules/facts/index.ts';
import { applyProgram } from '../server/src/modules/entitlements/index.ts';
import { createTenant } from '../server/src/modules/identity/index.ts';
import { readProgram } from '../server/src/modules/mechanics/index.ts';
import { makeContext, type Context } from '../server/src/platform/context.ts';
import { openDatabase, type Database } from '../server/src/platform/database.ts';
import { startEmbeddedPostgres } from '../server/src/platform/embedded-postgres.ts';
import { migrate, prepareDatabase } from '../server/src/platform/migrate.ts';
import type { Dice } from '@premia/kernel';

/** What every benchmark runs on: an embedded PostgreSQL of its own, the application's role, row-level security, a wholesaler's program. */
export type BenchWorld = { db: Database; context: Context; url: string; superuserUrl: string };

/**
 * The kinds of rule that the engine was first tried with, in their order: points per amount by category, a multiplier, monthly steps, a
 * quarterly retrospective bracket, a monthly cap, a weekend bonus, a basket of categories, a bonus for large invoices, active days; and growth.
 */
function mechanics(count: number, rate: number): unknown[] {
  const earner = { role: 'buyer' };
  const award = { unit: 'points' };
  const shapes: ((index: number) => Record<string, unknown>)[] = [
    (n) => ({ preset: 'points-per-amount', with: { units: rate * (n + 1), every: 10 } }), (n) => ({ preset: 'brand-multiplier', with: { brand: `b${n % 3}`, units: 1, every: 10, times: 2 } }),
    (n) => ({ preset: 'volume-rebate-marginal', with: { bands: [{ from: 0, rate: '0.1' }, { from: 1_000 * (n + 1), rate: '0.2' }] } }), (n) => ({ preset: 'volume-rebate-retrospective', with: { window: 'quarter', bands: [{ from: 500 * (n + 1), rate: '0.1' }] } }),
    () => ({ preset: 'monthly-cap', with: { units: 1, every: 10, most: 100 } }), () => ({ preset: 'weekend-bonus', with: { units: 1, every: 20 } }), () => ({ preset: 'cross-sell', with: { categories: 2, units: 5 } }),
    (n) => ({ earner, award, measure: { is: 'sum', of: 'net' }, window: 'document', curve: { is: 'steps', steps: [{ reach: 400 + n, units: 20 }] } }),
    () => ({ earner, award, measure: { is: 'count', of: 'days' }, window: 'month', curve: { is: 'per', units: 2, every: 1 } }),
    () => ({ preset: 'growth-bonus', with: { units: 1, every: 100 } }),
  ];
  return Array.from({ length: count }, (_, index) => ({ ...(shapes[index % shapes.length] as (n: number) => object)(index), key: `m${index}`, from: '2024-01-01' }));
}

export function aLine(d: Dice, given: { number: string; line: number; on: string; buyer: string; rep?: string | null }): LineDraft {
  const quantity = d.between(1, 12);
  return { number: given.number, kind: 'sale', occurredOn: given.on, occurredAt: null, hour: null, baseNumber: null, baseLine: null, lineNo: String(given.line), productCode: `p${d.below(50)}`, productName: null, quantityMilli: BigInt(quantity) * 1_000n, netMinor: BigInt(quantity * d.between(100, 9_999)), grossMinor: null, currency: 'PLN', original: null,
    buyer: given.buyer, seller: null, rep: given.rep ?? null, shares: null, channel: null, attributes: null };
}

const names = { pl: { one: 'punkt', few: 'punkty', many: 'punktów', short: 'pkt' }, en: { one: 'point', other: 'points', short: 'pts' } };

/** The wholesaler's program; `rate` times the points of its first rule. */
export const benchProgram = (count: number, rate = 1): unknown => ({ premia: 1, key: 'bench', name: { pl: 'Pomiar', en: 'Bench' }, legal_form: 'incentive', zone: 'Europe/Warsaw', currency: 'PLN', starts_on: '2020-01-01', rewards: ['buyer', 'rep'], units: [{ key: 'points', names }], sources: [{ key: 'erp', unknown: 'enrol' }],
  products: Array.from({ length: 50 }, (_, n) => ({ sku: `p${n}`, category: `c${n % 5}`, brand: `b${n % 3}` })), mechanics: mechanics(count, rate) });

export async function withBenchWorld<T>(options: { mechanics: number; connections?: number }, work: (world: BenchWorld) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'premia-bench-'));
  chmodSync(folder, 0o755); // as root, PostgreSQL's own account must reach it
  const postgres = await startEmbeddedPostgres(folder, { own: true });
  try {
    await prepareDatabase(postgres.superuserUrl, 'bench');
    const url = new URL(postgres.superuserUrl);
    url.pathname = '/bench';
    await migrate(url.toString());
    const db = openDatabase(url.toString(), 'premia_app', { max: options.connections ?? 10, secret: 'a secret for tests' });
    const context = makeContext({ db, tenantId: await createTenant(db, 'bench', 'Bench', '2026-01-01T00:00:00Z'), principal: 'bench', now: () => Date.parse('2026-01-15T10:00:00Z') });
    await applyProgram(context, readProgram(benchProgram(options.mechanics)));
    try { return await work({ db, context, url: url.toString(), superuserUrl: postgres.superuserUrl }); } finally { await db.close(); }
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

export type Budget = { measure: string; value: number; must: number; aim: number; better: 'lower' | 'higher'; met: boolean };
export const budget = (measure: string, value: number, must: number, aim: number, better: 'lower' | 'higher'): Budget => ({ measure, value: rounded(value), must, aim, better, met: better === 'lower' ? value <= must : value >= must });
export const rounded = (value: number, digits = 2): number => Math.round(value * 10 ** digits) / 10 ** digits;
export const percentile = (values: readonly number[], share: number): number => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
