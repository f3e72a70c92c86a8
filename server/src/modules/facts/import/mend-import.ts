import { parse as parseCsv } from 'csv-parse/sync';
import { sql } from 'kysely';
import { Refusal, addDays, phrase } from '@premia/kernel';
import { today, type Context } from '../../../platform/context.ts';
import { csvRow } from '../../../platform/csv.ts';
import { planBlindly, row, rows, runText, type Tx } from '../../../platform/database.ts';
import { audit } from '../../identity/index.ts';
import type { Program } from '../../members/index.ts';
import { contentHash } from '../line-draft.ts';
import type { Source } from '../source-settings.ts';
import { checkHeaders, foldHeader } from './propose-mapping.ts';
import type { FileReading } from './child-task.ts';
import { columnsOf, readRow, type Problem } from './read-row.ts';
import { CHECKS, KEYS_AND_CHUNKS, REOPEN } from './queries.ts';
import { countStaged, type ImportCounts } from './stage-import.ts';

/** A row set aside, with what its cells should say, by the file's own column names. */
export type Mend = { part: number; line: bigint; values: Record<string, string> };
export const MENDS_PER_CALL_MAX = 1_000;

type Staged = { raw: string; problem: Problem | null; outcome: string | null };

/**
 * Mends rows that were set aside and reads them again; then every row set aside is judged anew, since a member, a rate or a product may
 * have come meanwhile. Rows that are good now wait for approval, like any staged row. What was recorded stays as it is.
 */
export async function mendImport(tx: Tx, context: Context, given: { program: Program; source: Source; importId: bigint; mends: readonly Mend[] }): Promise<{ mended: number; counts: ImportCounts }> {
  const { program, source, importId, mends } = given;
  if (mends.length > MENDS_PER_CALL_MAX) throw new Refusal('too_many_mends', 413, phrase(`Najwyżej ${MENDS_PER_CALL_MAX} wierszy naraz.`, `At most ${MENDS_PER_CALL_MAX} rows at a time.`));
  const found = await row<{ state: string; reading: FileReading[] }>(tx, sql`SELECT state, reading FROM facts.import WHERE program_id = ${program.programId} AND import_id = ${importId} FOR UPDATE`);
  if (!found || !['staged', 'recorded'].includes(found.state)) throw new Refusal('import_not_open', 409, phrase('Tego importu nie można teraz naprawiać.', 'This import cannot be mended now.'));
  let mended = 0;
  for (const [index, mend] of mends.entries()) {
    const reading = found.reading.find((item) => item.part === mend.part);
    const staged = await row<Staged>(tx, sql`SELECT raw, problem, outcome FROM staging.staged WHERE import_id = ${importId} AND part = ${mend.part} AND row_no = ${mend.line}`);
    if (!reading || !staged?.problem) throw new Refusal('row_not_set_aside', 404, phrase('Ten wiersz nie jest odłożony.', 'This row is not set aside.'), [{ pointer: `/${index}`, code: 'row_not_set_aside', message: phrase(`część ${mend.part}, wiersz ${mend.line}`, `part ${mend.part}, line ${mend.line}`) }]);
    if (await mendRow(tx, context, given, reading, mend, staged, index)) mended += 1;
    await audit(tx, context, { action: 'import.row_mended', subject: `import:${importId}/${mend.part}/${mend.line}`, programId: program.programId, before: { problem: staged.problem }, after: { columns: Object.keys(mend.values) } });
  }
  await runText(tx, REOPEN, [program.programId, importId]);
  await checkRows(tx, context, program, source, importId);
  const ready = await rows(tx, sql`SELECT 1 FROM staging.staged WHERE import_id = ${importId} AND problem IS NULL AND outcome IS NULL LIMIT 1`);
  // Whoever mends has loaded these rows: by default another person approves them.
  if (ready.length > 0) await sql`UPDATE facts.import SET state = 'staged', staged_by = ${mends.length > 0 ? context.principal : sql`staged_by`} WHERE import_id = ${importId}`.execute(tx);
  return { mended, counts: await countStaged(tx, context.tenantId, program, source, importId) };
}

async function mendRow(tx: Tx, context: Context, given: { program: Program; source: Source; importId: bigint }, reading: FileReading, mend: Mend, staged: Staged, index: number): Promise<boolean> {
  const { program, source, importId } = given;
  const [record = []] = parseCsv(staged.raw, { delimiter: reading.delimiter, relax_column_count: true, relax_quotes: true }) as string[][];
  const places = checkHeaders(reading.headers, columnsOf(reading.mapping));
  const cells = reading.headers.map((_, place) => record[place] ?? '');
  for (const [column, value] of Object.entries(mend.values)) {
    const place = places.get(foldHeader(column));
    if (place === undefined) throw new Refusal('column_missing', 422, phrase(`W pliku nie ma kolumny „${column}”.`, `The file has no column “${column}”.`), [{ pointer: `/${index}/values/${column}`, code: 'column_missing', message: phrase(reading.headers.join(', '), reading.headers.join(', ')) }]);
    cells[place] = value;
  }
  const read = readRow((column) => { const place = places.get(foldHeader(column)); return place === undefined ? undefined : cells[place]; }, {
    mapping: reading.mapping, dates: { zone: program.zone, earliest: source.settings.earliest, latest: addDays(today(context, program.zone), 1) },
    currency: source.settings.default_currency ?? (reading.mapping.currency === undefined ? program.currency : undefined), currencyScale: program.currencyScale, rounding: source.settings.rounding, codes: source.settings.codes,
  });
  const raw = csvRow(cells, reading.delimiter).trimEnd();
  const where = sql`import_id = ${importId} AND part = ${mend.part} AND row_no = ${mend.line}`;
  if ('reason' in read) {
    await sql`UPDATE staging.staged SET raw = ${raw}, problem = ${JSON.stringify({ line: Number(mend.line), ...read })}::jsonb WHERE ${where}`.execute(tx);
    return false;
  }
  const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
  await sql`UPDATE staging.staged SET raw = ${raw}, problem = NULL, number = ${read.number}, kind = ${read.kind}, occurred_on = ${read.occurredOn}, occurred_at = ${read.occurredAt}, hour = ${read.hour}, base_number = ${read.baseNumber},
    base_line_key = ${read.baseLine === null ? null : `n:${read.baseLine}`}, line_no = ${read.lineNo}, content_hash = ${contentHash(read)}, product_code = ${read.productCode}, product_name = ${read.productName}, quantity_milli = ${read.quantityMilli},
    net_minor = ${read.netMinor}, gross_minor = ${read.grossMinor}, currency = ${read.currency}, buyer = ${read.buyer}, seller = ${read.seller}, rep = ${read.rep}, shares = ${json(read.shares)}::jsonb, channel = ${read.channel}, attributes = ${json(read.attributes)}::jsonb
    WHERE ${where}`.execute(tx);
  return true;
}

/** What only the whole import shows, then keys and chunks. Rows recorded already keep theirs. */
export async function checkRows(tx: Tx, context: Context, program: Program, source: Source, importId: bigint): Promise<void> {
  const given = { program: program.programId, import: importId, source: source.sourceId, currency: program.currency, unknown: source.settings.unknown, tenant: context.tenantId };
  await sql`SELECT ${planBlindly}`.execute(tx);
  for (const check of CHECKS) await runText(tx, check.text, check.takes.map((name) => given[name]));
  for (const step of KEYS_AND_CHUNKS) await runText(tx, step.text, step.takes ? [program.programId, importId] : []);
}
