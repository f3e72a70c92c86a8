import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dice } from '@premia/kernel';
import { applyProgram, approveImport, recordImport, verifyProgram, type ImportResult } from '../../server/src/modules/entitlements/index.ts';
import { stageImport } from '../../server/src/modules/facts/index.ts';
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
});
