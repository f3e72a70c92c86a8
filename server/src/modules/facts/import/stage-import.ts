import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { Refusal, addDays, must, phrase } from '@premia/kernel';
import { instant, today, type Context } from '../../../platform/context.ts';
import { row, rows, runText, type Tx } from '../../../platform/database.ts';
import { audit } from '../../identity/index.ts';
import { findProgram, type Program } from '../../members/index.ts';
import { findSource } from '../sources.ts';
import type { Mapping, Source } from '../source-settings.ts';
import { COPY_COLUMNS, type ChildReport, type ChildTask, type FileReading, type SampleReport, type SampleTask } from './child-task.ts';
import type { FileSample } from './parse-file.ts';
import { checkRows } from './mend-import.ts';
import { PREVIEW } from './queries.ts';

export const PARSE_MEMORY_MB = 256;
export const PARSE_MS_MAX = 30 * 60_000;
const SAMPLE_MS_MAX = 20_000;
const REPORT_CHARS_MAX = 200_000;
const FIGURES_FROM_ROWS = 5_000;
export const PARTS_MAX = 1_000;

export type ImportPart = { path: string; name: string };
export type ImportCounts = { rows: number; ready: number; quarantined: number; new: number; known: number; conflict: number; documents: number };
export type StagedImport = { importId: bigint; counts: ImportCounts; mapping: Mapping | null };

/**
 * Stages one import of one or more parts: each file is read by a capped process and copied row by row beside the facts, where it
 * is checked as a whole. Nothing is a fact yet. A file that is no table of sales is refused whole, and the import with it.
 */
export async function stageImport(context: Context, loadUrl: string, input: { program: string; source: string; parts: readonly ImportPart[]; mapping?: Mapping }): Promise<StagedImport> {
  if (input.parts.length > PARTS_MAX) throw new Refusal('too_many_parts', 413, phrase(`Najwyżej ${PARTS_MAX} plików w imporcie.`, `At most ${PARTS_MAX} files in an import.`));
  const { program, source, importId } = await context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const source = await findSource(tx, program, input.source);
    const made = must(await row<{ import_id: bigint }>(tx, sql`INSERT INTO facts.import (tenant_id, program_id, source_id, state, parts, staged_by, created_at)
      VALUES (${context.tenantId}, ${program.programId}, ${source.sourceId}, 'staging', ${JSON.stringify(input.parts.map((part) => part.name))}::jsonb, ${context.principal}, ${instant(context)}) RETURNING import_id`), 'import');
    await audit(tx, context, { action: 'import.staged', subject: `import:${made.import_id}`, programId: program.programId, after: { parts: input.parts.map((part) => part.name) } });
    return { program, source, importId: made.import_id };
  });
  const reading: FileReading[] = [];
  let mapping = input.mapping ?? source.settings.mapping ?? null;
  try {
    for (const [index, part] of input.parts.entries()) {
      const report = await parsePart(loadUrl, taskFor(context, program, source, importId, index + 1, part, mapping));
      if (!report.ok) throw new Refusal(report.code, 422, phrase(report.pl, report.en), [{ pointer: `/${part.name}`, code: report.code, message: phrase(report.pl, report.en) }]);
      mapping = report.mapping;
      reading.push({ part: index + 1, name: part.name, headers: report.headers, delimiter: report.delimiter, mapping: report.mapping });
    }
  } catch (error) {
    await context.transaction(async (tx) => {
      await sql`UPDATE facts.import SET state = 'failed', failure = ${JSON.stringify(error instanceof Refusal ? { code: error.code, ...error.phrase } : { code: 'internal' })}::jsonb WHERE import_id = ${importId}`.execute(tx);
    });
    throw error;
  }
  const counts = await context.transaction(async (tx) => {
    await checkRows(tx, context, program, source, importId);
    await sql`UPDATE facts.import SET state = 'staged', reading = ${JSON.stringify(reading)}::jsonb WHERE import_id = ${importId}`.execute(tx);
    return countStaged(tx, context.tenantId, program, source, importId);
  });
  return { importId, counts, mapping };
}

function taskFor(context: Context, program: Program, source: Source, importId: bigint, part: number, file: ImportPart, mapping: Mapping | null): ChildTask {
  return {
    path: file.path, name: file.name, part, tenantId: String(context.tenantId), programId: String(program.programId), importId: String(importId), mapping, zone: program.zone,
    earliest: source.settings.earliest, latest: addDays(today(context, program.zone), 1), currency: source.settings.default_currency ?? null, programCurrency: program.currency, currencyScale: program.currencyScale,
    rounding: source.settings.rounding, codes: source.settings.codes,
  };
}

/** What Node made of the parser's sources the last time: a file of some lines is read in the time that starting takes, which this halves. */
const COMPILED = join(import.meta.dirname, '../../../../../node_modules/.cache/premia');

/** A process of its own, capped in memory and time, which is told no secret. `ended` answers what it said about the file as a whole. */
function startChild(task: ChildTask | SampleTask, mostMs: number): { rows: Readable; ended: Promise<string>; kill(): void } {
  const child = spawn(process.execPath, [`--max-old-space-size=${PARSE_MEMORY_MB}`, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'parse-child.ts'), JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'pipe'], env: { NODE_COMPILE_CACHE: COMPILED } });
  const timer = setTimeout(() => child.kill('SIGKILL'), mostMs);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => { said = (said + chunk.toString()).slice(-REPORT_CHARS_MAX); });
  return { rows: child.stdout, ended: new Promise((done) => { child.on('close', () => { clearTimeout(timer); done(said); }); }), kill: () => { clearTimeout(timer); child.kill('SIGKILL'); } };
}

/** The header and first rows of a file, read by the same capped process. Nothing is kept. */
export async function lookAtFile(task: SampleTask): Promise<FileSample> {
  const child = startChild(task, SAMPLE_MS_MAX);
  child.rows.resume();
  const report = readReport(await child.ended) as SampleReport;
  if (!report.ok) throw new Refusal(report.code, 422, phrase(report.pl, report.en));
  return { headers: report.headers, rows: report.rows, delimiter: report.delimiter };
}

/** One file through a process of its own into the staging table. COPY goes only there. */
async function parsePart(loadUrl: string, task: ChildTask): Promise<ChildReport> {
  const child = startChild(task, PARSE_MS_MAX);
  const client = new pg.Client({ connectionString: loadUrl, options: '-c role=premia_load' });
  await client.connect();
  try {
    await client.query('BEGIN');
    const copy = client.query(copyFrom(`COPY staging.staged_row (${COPY_COLUMNS.join(', ')}) FROM STDIN`));
    await pipeline(child.rows, copy);
    const report = readReport(await child.ended) as ChildReport;
    await client.query(report.ok ? 'COMMIT' : 'ROLLBACK');
    // Without figures the checks' self-joins are planned as nested loops: 17 s and more instead of 0.2 for 77,628 rows.
    if (report.ok && report.rows > FIGURES_FROM_ROWS) await client.query('ANALYZE staging.staged_row');
    return report;
  } finally {
    child.kill();
    await client.end();
  }
}

function readReport(said: string): ChildReport | SampleReport {
  const line = said.trim().split('\n').findLast((item) => item.startsWith('{"ok":'));
  if (line !== undefined) return JSON.parse(line) as ChildReport | SampleReport;
  return { ok: false, code: 'file_too_heavy', pl: 'Odczyt pliku przekroczył limit pamięci lub czasu.', en: 'Reading the file took too much memory or time.' };
}

/** New, already recorded, in conflict, quarantined: what recording would find now. */
export async function countStaged(tx: Tx, tenantId: bigint, program: Program, source: Source, importId: bigint): Promise<ImportCounts> {
  const [found] = await runText<Record<string, bigint>>(tx, PREVIEW, [tenantId, program.programId, source.sourceId, importId]);
  const n = (name: string): number => Number(found?.[name] ?? 0n);
  const counts = { rows: n('rows'), ready: n('ready'), quarantined: n('quarantined'), new: n('new'), known: n('known'), conflict: n('conflict'), documents: n('documents') };
  await sql`UPDATE facts.import SET counts = ${JSON.stringify(counts)}::jsonb WHERE import_id = ${importId}`.execute(tx);
  return counts;
}

export type QuarantinedRow = { part: number; row_no: bigint; raw: string; problem: { line?: number; column: string; value: string; reason: string } };

/** Rows set aside, with line, column, value and reason. */
export async function readQuarantine(tx: Tx, importId: bigint, page: { after?: bigint; limit: number }, programId: bigint | null = null): Promise<QuarantinedRow[]> {
  return rows(tx, sql`SELECT part, row_no, raw, problem FROM staging.staged WHERE import_id = ${importId} AND (${programId}::bigint IS NULL OR program_id = ${programId}) AND problem IS NOT NULL AND part::bigint * 1099511627776 + row_no > ${page.after ?? 0n} ORDER BY part, row_no LIMIT ${page.limit}`);
}
