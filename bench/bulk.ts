import { chmodSync, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { dice } from '@premia/kernel';
import { verifyProgram } from '../server/src/modules/entitlements/index.ts';
import { SHOPS, load, writeLines, type Imported } from './lines.ts';
import { budget, rounded, withBenchWorld, type BenchWorld, type Budget } from './bench-world.ts';

/**
 * From a file to a verified ledger: generated lines of a wholesaler's year (20,000 members, five lines a document, every fourth document
 * from a shop with a rep), imported as the application does it. Beside them, on the same server, COPY of the raw lines into a bare heap and COPY of
 * everything the import wrote into empty tables with the same indexes. Then the same file again, a second batch, a batch of returns.
 */
const LINES = Number(process.env['BENCH_LINES'] ?? 200_000);
const COUNTS = (process.env['BENCH_MECHANICS'] ?? '1,10,20').split(',').map(Number);
const SECOND = 20_000;
const SEED = 31;
const OUTPUT = ['facts.document', 'facts.line', 'facts.fact', 'entitlements.entitlement', 'ledger.transfer', 'ledger.lot', 'ledger.wallet'];

/** Full returns of the first lines of documents of the large file: their amounts are found by the engine's own copy of the sale. */
async function writeReturns(path: string, world: BenchWorld): Promise<number> {
  const { rows } = await world.context.transaction((tx) => sql<{ number: string; line_key: string; sku: string; quantity: bigint; net: bigint; buyer: string; rep: string | null }>`SELECT d.number, l.line_key, p.sku, l.quantity_milli / 1000 AS quantity, l.net_minor AS net, l.buyer, l.rep
    FROM facts.document AS d JOIN facts.line AS l USING (document_id) JOIN facts.product AS p ON p.product_id = l.product_id WHERE d.number LIKE 'A%' AND l.line_key = 'n:1' ORDER BY d.document_id LIMIT 5000`.execute(tx));
  const code = (reference: string | null): string => reference?.replace('code:', '') ?? '';
  const out = createWriteStream(path);
  out.write('document,kind,base,base_line,line,date,product,quantity,net,buyer,rep\n');
  for (const row of rows) out.write(`R${row.number},return,${row.number},${row.line_key.slice(2)},1,2025-12-30,${row.sku},-${row.quantity},-${(Number(row.net) / 100).toFixed(2)},${code(row.buyer)},${code(row.rep)}\n`);
  out.end();
  await finished(out);
  return rows.length;
}

/** Seconds to COPY the raw lines into a heap without indexes, and what the import wrote into empty tables with the same indexes and checks. */
async function copies(world: BenchWorld, folder: string, csv: string): Promise<{ raw_s: number; output_s: number }> {
  const client = new pg.Client({ connectionString: Object.assign(new URL(world.superuserUrl), { pathname: '/bench' }).toString() });
  await client.connect();
  try {
    await client.query('CREATE SCHEMA IF NOT EXISTS scratch');
    await client.query('CREATE TABLE scratch.raw (document text, kind text, base text, base_line text, line text, date date, product text, quantity numeric, net numeric, buyer text, rep text)');
    const timed = async (text: string): Promise<number> => { const at = performance.now(); await client.query(text); return (performance.now() - at) / 1_000; };
    const rawSeconds = await timed(`COPY scratch.raw FROM '${csv}' (FORMAT csv, HEADER)`);
    let outputSeconds = 0;
    for (const table of OUTPUT) {
      const file = join(folder, `${table}.copy`);
      const columns = (await client.query<{ name: string }>(`SELECT quote_ident(attname) AS name FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`)).rows.map((row) => row.name).join(', ');
      await client.query(`COPY (SELECT ${columns} FROM ${table}) TO '${file}'`);
      await client.query(`CREATE TABLE scratch.${table.replace('.', '_')} (LIKE ${table} INCLUDING ALL)`);
      outputSeconds += await timed(`COPY scratch.${table.replace('.', '_')} (${columns}) FROM '${file}'`);
    }
    await client.query('DROP SCHEMA scratch CASCADE');
    return { raw_s: rounded(rawSeconds), output_s: rounded(outputSeconds) };
  } finally { await client.end(); }
}

async function measure(mechanics: number, whole: boolean): Promise<Record<string, unknown> & { large: Imported; verify_s: number; copy: { raw_s: number; output_s: number } }> {
  const folder = mkdtempSync(join(tmpdir(), 'premia-bulk-'));
  chmodSync(folder, 0o777); // the server writes and reads its own COPY files here
  try {
    return await withBenchWorld({ mechanics }, async (world) => {
      process.stderr.write(`${mechanics} mechanics\n`);
      const d = dice(SEED);
      const large = join(folder, 'large.csv');
      const small = join(folder, 'small.csv');
      await writeLines(small, d, { prefix: 'B', lines: SECOND, from: '2025-11-01', days: 30 });
      await writeLines(large, d, { prefix: 'A', lines: LINES, from: '2025-01-01', days: 364 });
      chmodSync(large, 0o644);
      const first = await load(world, large, LINES);
      const verifying = performance.now();
      const verified = await verifyProgram(world.context, 'bench');
      const verifySeconds = rounded((performance.now() - verifying) / 1_000);
      const again = whole ? await load(world, large, LINES) : undefined;
      const copy = await copies(world, folder, large);
      const second = whole ? await load(world, small, SECOND) : undefined;
      const returned = whole ? await load(world, join(folder, 'returns.csv'), await writeReturns(join(folder, 'returns.csv'), world)) : undefined;
      const after = whole ? await verifyProgram(world.context, 'bench') : verified;
      const [size] = (await sql<{ bytes: bigint }>`SELECT pg_database_size('bench') AS bytes`.execute(world.db.kysely)).rows;
      return { mechanics, facts: verified.counts.facts, entitlements: verified.counts.entitlements, transfers: verified.counts.transfers, large: first, verify_s: verifySeconds, again, second, returned, differences: verified.differences + after.differences, copy, bytes_per_fact: Math.round(Number(size?.bytes ?? 0n) / after.counts.facts) };
    });
  } finally { rmSync(folder, { recursive: true, force: true }); }
}

/** The second batch onto an empty program: what a grown program may cost more. */
async function onto(): Promise<Imported> {
  const folder = mkdtempSync(join(tmpdir(), 'premia-bulk-'));
  try {
    const path = join(folder, 'small.csv');
    await writeLines(path, dice(SEED), { prefix: 'B', lines: SECOND, from: '2025-11-01', days: 30 });
    return await withBenchWorld({ mechanics: 10 }, (world) => load(world, path, SECOND));
  } finally { rmSync(folder, { recursive: true, force: true }); }
}

export async function run(): Promise<Record<string, unknown>> {
  const cells: Awaited<ReturnType<typeof measure>>[] = [];
  for (const mechanics of COUNTS) cells.push(await measure(mechanics, mechanics === 10));
  const empty = COUNTS.includes(10) ? await onto() : undefined;
  const of = (mechanics: number): Awaited<ReturnType<typeof measure>> | undefined => cells.find((cell) => cell['mechanics'] === mechanics);
  const seconds = (imported: Imported): number => imported.stage_s + imported.record_s;
  const [one, ten, twenty] = [of(1), of(10), of(20)];
  const budgets: Budget[] = [
    ...(ten ? [budget('bulk, 2 lanes, ten mechanics, against COPY of its own output with the same indexes', seconds(ten.large) / ten.copy.output_s, 1.3, 0.8, 'lower'), budget('verify against importing', ten.verify_s / seconds(ten.large), 0.6, 0.3, 'lower')] : []),
    ...(one && twenty ? [budget('bulk, lines a second with 20 mechanics against 1', twenty.large.lines_per_s / one.large.lines_per_s, 0.5, 0.7, 'higher')] : []),
    ...(ten && empty && ten['second'] ? [budget(`second batch of ${SECOND} lines onto ${LINES}, against the same onto an empty program`, seconds(ten['second'] as Imported) / seconds(empty), 1.5, 1.15, 'lower')] : []),
  ];
  return { benchmark: 'bulk', seed: SEED, lines: LINES, members: SHOPS, cells, onto_empty: empty, budgets };
}
