import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dice, parseMinor, ratio, roundRatio } from '@premia/kernel';
import { parse as parseCsv } from 'csv-parse/sync';
import { parse as parseYaml } from 'yaml';
import { applyProgram, approveImport, recordImport, recordSales, verifyProgram, type ImportResult } from '../../server/src/modules/entitlements/index.ts';
import { stageImport, type LineDraft } from '../../server/src/modules/facts/index.ts';
import { readBalances } from '../../server/src/modules/ledger/index.ts';
import { findProgram } from '../../server/src/modules/members/index.ts';
import { parseProgram } from '../../server/src/modules/mechanics/index.ts';
import { anInstallation, type Installation, type TestContext } from '../support/installation.ts';
import { SAMPLES } from '../support/samples.ts';

const SAMPLE = join(SAMPLES, 'wholesaler/sales-2010-12_2011-01.csv.gz');
const PROGRAM = readFileSync(join(import.meta.dirname, '../../examples/wholesaler/program.yaml'), 'utf8');

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

async function aProgram(change: (text: string) => string = (text) => text): Promise<TestContext> {
  const context = await installation.tenant();
  await applyProgram(context, parseProgram(change(PROGRAM)));
  return context;
}

async function load(context: TestContext, paths: readonly string[]): Promise<ImportResult> {
  const staged = await stageImport(context, installation.url, { program: 'wholesaler', source: 'sales', parts: paths.map((path) => ({ path, name: path.split('/').at(-1) as string })) });
  await approveImport(context, { program: 'wholesaler', importId: staged.importId });
  return recordImport(context, { program: 'wholesaler', importId: staged.importId });
}

async function totals(context: TestContext): Promise<{ total: bigint; members: number; inDebt: number; debt: bigint; digest: string }> {
  const balances = await context.transaction(async (tx) => readBalances(tx, (await findProgram(tx, 'wholesaler')).programId, '2026-06-15'));
  return {
    total: balances.reduce((sum, item) => sum + item.total, 0n), members: balances.length, inDebt: balances.filter((item) => item.total < 0n).length,
    debt: balances.filter((item) => item.total < 0n).reduce((sum, item) => sum + item.total, 0n), digest: balances.map((item) => `${item.member}=${item.total}`).join(','),
  };
}

const KNOWN = { total: 1_028_857n, members: 1_369, inDebt: 73, debt: -6_664n };

describe.skipIf(!existsSync(SAMPLE))('the wholesaler’s sample', () => {
  let once: Awaited<ReturnType<typeof totals>>;
  let lines: string[];
  let header: string;

  beforeAll(async () => {
    const [first = '', ...rest] = gunzipSync(readFileSync(SAMPLE)).toString('utf8').trimEnd().split('\n');
    [header, lines] = [first, rest];
    const context = await aProgram();
    const result = await load(context, [SAMPLE]);
    expect(result).toMatchObject({ recorded: 77_628, known: 0, conflict: 0, quarantined: 0 });
    once = await totals(context);
    expect(await load(context, [SAMPLE])).toMatchObject({ recorded: 0, known: 77_628, conflict: 0 });
    expect(await totals(context)).toEqual(once);
    const verified = await verifyProgram(context, 'wholesaler');
    expect(verified).toMatchObject({ differences: 0 });
    expect(verified.counts.facts).toBeGreaterThan(45_000);
  });

  test('gives the known totals, once and twice', () => { expect(once).toMatchObject(KNOWN); });

  test('gives the same as 44 imports of a day each, days and lines shuffled', async () => {
    const random = dice(44);
    const folder = mkdtempSync(join(tmpdir(), 'premia-days-'));
    const days = new Map<string, string[]>();
    for (const line of lines) {
      const day = /,(\d{4}-\d{2}-\d{2}) /.exec(line)?.[1] as string;
      days.set(day, [...(days.get(day) ?? []), line]);
    }
    expect(days.size).toBe(44);
    const context = await aProgram();
    for (const [day, own] of random.shuffle([...days])) {
      const path = join(folder, `${day}.csv`);
      writeFileSync(path, [header, ...random.shuffle(own), ''].join('\n'));
      await load(context, [path]);
    }
    expect(await totals(context)).toEqual(once);
    expect(await verifyProgram(context, 'wholesaler')).toMatchObject({ differences: 0 });
  });

  test('O1, O2: 1,500 of its lines in 20 random orders, in 1, 3 or 7 parts, each sent twice, give equal balances and tiers (SHA-256)', async () => {
    const random = dice(20);
    const folder = mkdtempSync(join(tmpdir(), 'premia-orders-'));
    const file = parseYaml(PROGRAM) as { mechanics: { award: unknown }[] };
    const [mechanic] = file.mechanics as Record<string, unknown>[];
    const richer = JSON.stringify({ ...file, mechanics: [mechanic, { ...mechanic, key: 'month', window: 'month', curve: { is: 'steps', steps: [{ reach: 500, units: 50 }, { reach: 2_000, units: 300 }] } }],
      tier_sets: [{ key: 'club', measure: { is: 'sum', of: 'net' }, period: 'quarter', tiers: [{ key: 'silver', from: 300 }, { key: 'gold', from: 1_500 }] }] });
    const digests = new Set<string>();
    for (let order = 0; order < 20; order += 1) {
      const shuffled = lines.slice(0, 1_500).map((line) => ({ line, place: random.below(1_000_000_000) })).sort((a, b) => a.place - b.place).map((item) => item.line);
      const parts = [1, 3, 7][order % 3] as number;
      const paths = Array.from({ length: parts }, (_, part) => join(folder, `${order}-${part}.csv`));
      for (const [part, path] of paths.entries()) writeFileSync(path, [header, ...shuffled.filter((_, index) => index % parts === part)].join('\n'));
      const context = await aProgram(() => richer);
      await load(context, paths);
      expect(await load(context, paths.toReversed())).toMatchObject({ recorded: 0 });
      const tiers = await installation.admin<{ text: string }>(`SELECT string_agg(concat_ws(' ', m.code, i.tier, i.valid_from, i.valid_to), ',' ORDER BY m.code, i.valid_from) AS text FROM entitlements.tier_interval AS i JOIN members.member AS m ON m.tenant_id = i.tenant_id AND m.member_id = i.member_id WHERE i.tenant_id = $1`, [context.tenantId]);
      expect(tiers[0]?.text.length).toBeGreaterThan(100);
      digests.add(createHash('sha256').update(`${(await totals(context)).digest}|${tiers[0]?.text}`).digest('hex'));
    }
    expect(digests.size).toBe(1);
  });

  test('gives the same as one import of parts cut anywhere', async () => {
    const random = dice(7);
    const folder = mkdtempSync(join(tmpdir(), 'premia-parts-'));
    const cuts = [0, ...Array.from({ length: 6 }, () => random.below(lines.length)).sort((a, b) => a - b), lines.length];
    const paths = cuts.slice(1).map((to, index) => {
      const path = join(folder, `part-${index}.csv`);
      writeFileSync(path, [header, ...lines.slice(cuts[index], to), ''].join('\n'));
      return path;
    });
    const context = await aProgram();
    expect(await load(context, paths)).toMatchObject({ recorded: 77_628 });
    expect(await totals(context)).toEqual(once);
  });

  test('gives the same line by line through the API’s use case, once the lines have numbers', async () => {
    const context = await aProgram();
    const documents = Map.groupBy(drafts(lines), (line) => line.number);
    let batch: LineDraft[] = [];
    const flush = async (): Promise<void> => { await recordSales(context, { program: 'wholesaler', source: 'sales', lines: batch }); batch = []; };
    for (const own of documents.values()) {
      batch.push(...own.map((line, index) => ({ ...line, lineNo: String(index + 1) })));
      if (batch.length > 4_000) await flush();
    }
    await flush();
    expect(await totals(context)).toEqual(once);
  });

  test.each(['half_up', 'half_even'] as const)('rounded %s per line it gives what a plain loop gives', async (rounding) => {
    const context = await aProgram((text) => text.replace('window: document', 'window: line').replace('rounding: down', `rounding: ${rounding}`));
    await load(context, [SAMPLE]);
    let expected = 0n;
    for (const line of drafts(lines)) if (line.buyer !== null) expected += roundRatio(ratio(line.netMinor, 100n), rounding);
    expect((await totals(context)).total).toBe(expected);
  });
});

/** The sample read once more, plainly, for tests that need its lines rather than its file. */
function drafts(lines: readonly string[]): LineDraft[] {
  return parseCsv(lines.join('\n'), { relax_quotes: true }).map((cells: string[]): LineDraft => {
    const [number = '', product = '', name = '', quantity = '', at = '', price = '', customer = ''] = cells;
    const net = parseMinor(price, 2) * BigInt(quantity);
    return { number, kind: number.startsWith('C') ? 'return' : 'sale', occurredOn: at.slice(0, 10), occurredAt: null, hour: null, baseNumber: null, baseLine: null, lineNo: null, productCode: product, productName: name, quantityMilli: BigInt(quantity) * 1_000n, netMinor: net, grossMinor: null, currency: 'GBP',
      original: null, buyer: customer === '' ? null : `code:${customer.replace(/\.0$/, '')}`, seller: null, rep: null, shares: null, channel: null, attributes: null };
  });
}
