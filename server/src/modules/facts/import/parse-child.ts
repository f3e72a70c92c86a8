import { Refusal } from '@premia/kernel';
import { contentHash } from '../line-draft.ts';
import { COPY_COLUMNS, type ChildReport, type ChildTask, type SampleReport, type SampleTask } from './child-task.ts';
import { parseFile, sampleFile, type Parsed } from './parse-file.ts';
import { readRow, type ReadRules } from './read-row.ts';

/*
 * Runs as a process of its own, with capped memory: reads one file and prints rows for COPY on stdout. What it must say about the
 * file as a whole goes to stderr as one JSON line. A file that kills this process kills nothing else.
 */
// oxlint-disable-next-line no-control-regex
const escaped = (value: string): string => value.replaceAll('\0', '␀').replace(/[\\\n\r\t]/g, (found) => ({ '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' })[found] as string);
// jsonb holds neither NUL nor a half of a surrogate pair.
// oxlint-disable-next-line no-control-regex
const storable = (value: string): string => value.replace(/\u0000/g, '␀').toWellFormed();
const field = (value: unknown): string => (value === null || value === undefined ? '\\N' : escaped(typeof value === 'object' ? JSON.stringify(value) : String(value)));

async function run(task: ChildTask): Promise<ChildReport> {
  const prefix = [task.tenantId, task.programId, task.importId, task.part].join('\t');
  let [rows, bad, buffer] = [0, 0, ''];
  let rules: ReadRules | null = null;
  let started: Parsed | null = null;
  const flush = (): Promise<void> | void => {
    const chunk = buffer;
    buffer = '';
    if (!process.stdout.write(chunk)) return new Promise((done) => { process.stdout.once('drain', done); });
  };
  await parseFile(task.path, task.name, task.mapping ?? undefined, (parsed) => {
    started = parsed;
    rules = { mapping: parsed.mapping, dates: { zone: task.zone, earliest: task.earliest, latest: task.latest }, currency: task.currency ?? (parsed.mapping.currency === undefined ? task.programCurrency : undefined), currencyScale: task.currencyScale, rounding: task.rounding, codes: task.codes };
  }, (row) => {
    rows += 1;
    const read = row.problem ?? readRow(row.cells, rules as ReadRules);
    if ('reason' in read) {
      bad += 1;
      buffer += `${prefix}\t${row.line}\t${field(row.raw)}\t${field({ line: row.line, column: storable(read.column), value: storable(read.value), reason: read.reason })}${'\t\\N'.repeat(COPY_COLUMNS.length - 7)}\n`;
    } else {
      buffer += `${prefix}\t${row.line}\t${field(row.raw)}\t\\N\t${[read.number, read.kind, read.occurredOn, read.occurredAt, read.hour, read.baseNumber, read.baseLine === null ? null : `n:${read.baseLine}`, read.lineNo,
        contentHash(read), read.productCode, read.productName, read.quantityMilli, read.netMinor, read.grossMinor, read.currency, read.buyer, read.seller, read.rep, read.shares, read.channel, read.attributes].map(field).join('\t')}\n`;
    }
    if (buffer.length > 256 * 1024) return flush();
  });
  await flush();
  const parsed = started as unknown as Parsed;
  return { ok: true, rows, bad, ...parsed, headers: parsed.headers.map(storable) };
}

const [CELL_SHOWN, COLUMNS_SHOWN] = [80, 200];
const lookAt = async ({ path, name, sample, saved }: SampleTask): Promise<SampleReport> => {
  const found = await sampleFile(path, name, saved, sample);
  const short = (cell: string): string => storable(cell.slice(0, CELL_SHOWN));
  return { ok: true, ...found, headers: found.headers.slice(0, COLUMNS_SHOWN).map(short), rows: found.rows.map((row) => row.slice(0, COLUMNS_SHOWN).map(short)) };
};

const task = JSON.parse(process.argv[2] as string) as ChildTask | SampleTask;
const report = await ('sample' in task ? lookAt(task) : run(task)).catch((error: unknown): ChildReport => {
  if (error instanceof Refusal) return { ok: false, code: error.code, pl: storable(error.phrase.pl), en: storable(error.phrase.en) };
  return { ok: false, code: 'file_unreadable', pl: 'Pliku nie da się odczytać.', en: 'The file cannot be read.' };
});
process.stderr.write(`${JSON.stringify(report)}\n`);
process.exitCode = report.ok ? 0 : 3;
