import { createReadStream, openSync, readSync, closeSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { PassThrough, Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parse as parseCsv } from 'csv-parse';
import { parse as parseSync } from 'csv-parse/sync';
import iconv from 'iconv-lite';
import { Refusal, phrase } from '@premia/kernel';
import type { Mapping } from '../source-settings.ts';
import { checkHeaders, foldHeader, proposeMapping } from './propose-mapping.ts';
import { columnsOf, type Cells } from './read-row.ts';
import { readXlsx } from './read-xlsx.ts';

export const CSV_BYTES_MAX = 2 * 1024 * 1024 * 1024;
export const RECORD_BYTES_MAX = 64 * 1024;
export const ROWS_MAX = 10_000_000;
const SAMPLE_BYTES = 256 * 1024;

export type FileRow = { line: number; raw: string; cells: Cells; problem?: { column: string; value: string; reason: string } };
export type Parsed = { mapping: Mapping; headers: string[]; delimiter: string };

const refused = (code: string, pl: string, en: string): Refusal => new Refusal(code, 422, phrase(pl, en));

/** Takes a file's records one by one, the header first. */
type Sink = { started: boolean; lastLine: number; row(record: string[], line: number, raw: string, problem?: FileRow['problem']): void | Promise<void>; broken(line: number, reason: string): Promise<void>; end(): void };
type SinkOf = (delimiter: string, peeked: readonly (readonly string[])[]) => Sink;
type Saved = Pick<Mapping, 'encoding' | 'delimiter' | 'sheet'>;

/** Reads a partner's file row by row. Calls `onStart` once the columns are known. Refuses whole what is not a table of sales. */
export const parseFile = (path: string, name: string, saved: Mapping | undefined, onStart: (parsed: Parsed) => void, onRow: (row: FileRow) => void | Promise<void>): Promise<void> =>
  readTable(path, name, saved, (delimiter, peeked) => new Table(saved, delimiter, onStart, onRow, peeked));

export type FileSample = { headers: string[]; rows: string[][]; delimiter: string };

/** A file's header and first rows as they stand, whatever they mean: for a person to say which column is what. */
export async function sampleFile(path: string, name: string, saved: Saved, rows: number): Promise<FileSample> {
  let sample: Sample | undefined;
  try { await readTable(path, name, saved, (delimiter) => (sample = new Sample(delimiter, rows))); } catch (error) { if (!(error instanceof Enough)) throw error; }
  const { headers, found, delimiter } = sample as Sample;
  return { headers: headers.map((header) => header.trim()), rows: found, delimiter };
}

async function readTable(path: string, name: string, saved: Saved | undefined, sinkOf: SinkOf): Promise<void> {
  const head = readHead(path);
  if (head.length === 0) throw refused('file_empty', 'Plik jest pusty.', 'The file is empty.');
  const isZip = head.subarray(0, 4).equals(Buffer.from([0x50, 0x4b, 3, 4]));
  if (isZip) return parseSheet(path, saved, sinkOf(';', []));
  if (/\.xlsx$/i.test(name)) throw refused('xlsx_unreadable', 'To nie jest plik XLSX, choć tak się nazywa.', 'This is not an XLSX file, though it is named like one.');
  refuseForeign(head);
  const gzipped = head[0] === 0x1f && head[1] === 0x8b;
  const sample = gzipped ? await readGzipHead(path) : head;
  const encoding = saved?.encoding ?? detectEncoding(sample);
  return parseText(open(path, gzipped), encoding, saved, sample, sinkOf);
}

function readHead(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(SAMPLE_BYTES);
    return buffer.subarray(0, readSync(file, buffer, 0, SAMPLE_BYTES, 0));
  } finally {
    closeSync(file);
  }
}

function refuseForeign(head: Buffer): void {
  const start = head.subarray(0, 64).toString('latin1').replace(/^\xef\xbb\xbf|^\xff\xfe|^\xfe\xff/, '').replaceAll('\0', '').trimStart();
  if (start.startsWith('%PDF')) throw refused('file_is_pdf', 'To jest plik PDF, nie tabela.', 'This is a PDF, not a table.');
  if (start.startsWith('<')) throw refused('file_is_markup', 'To jest XML albo HTML. Przyjmujemy CSV i XLSX; e-faktury XML przyjdą osobno.', 'This is XML or HTML. CSV and XLSX are taken; XML e-invoices will come apart.');
  if (start.startsWith('{') || start.startsWith('[')) throw refused('file_is_json', 'To jest JSON. Użyj API albo pliku CSV.', 'This is JSON. Use the API, or a CSV file.');
  if (head.subarray(0, 8).equals(Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]))) throw refused('file_is_xls', 'To jest stary format XLS. Zapisz jako XLSX.', 'This is the old XLS format. Save it as XLSX.');
}

async function readGzipHead(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of open(path, true)) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > SAMPLE_BYTES) break;
  }
  return Buffer.concat(chunks);
}

/** Bytes of the text inside, counted after unpacking, so that a small bomb is a large file. */
function open(path: string, gzipped: boolean): Readable {
  let size = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      size += chunk.length;
      if (size > CSV_BYTES_MAX) done(refused('file_too_large', 'Plik ma ponad 2 GB.', 'The file has more than 2 GB.'));
      else done(null, chunk);
    },
  });
  const source = createReadStream(path);
  const parts = gzipped ? [source, createGunzip(), counted] as const : [source, counted] as const;
  pipeline(parts as never).catch((error: Error) => counted.destroy(error instanceof Refusal ? error : refused('file_damaged', 'Plik jest uszkodzony.', 'The file is damaged.')));
  return counted;
}

const POLISH = /[ąćęłńóśźżĄĆĘŁŃÓŚŹŻ]/g;
// oxlint-disable-next-line no-control-regex
const ODD = /[\u0080-\u009f¤¦¨¬¸˝˛ˇ˘╚╔╩╦╠═╬░▒▓│┤└┴┬├─┼]/g;

/** Reads the encoding off the bytes: a mark, valid UTF-8, or whichever Central European page gives the most Polish letters. */
export function detectEncoding(sample: Buffer): string {
  if (sample[0] === 0xff && sample[1] === 0xfe) return 'utf-16le';
  if (sample[0] === 0xfe && sample[1] === 0xff) return 'utf-16be';
  let cut = sample.length;
  while (cut > 0 && cut > sample.length - 4 && ((sample[cut - 1] as number) & 0xc0) === 0x80) cut -= 1;
  if (cut > 0 && ((sample[cut - 1] as number) & 0xc0) === 0xc0) cut -= 1;
  try { new TextDecoder('utf-8', { fatal: true }).decode(sample.length < SAMPLE_BYTES ? sample : sample.subarray(0, cut)); return 'utf-8'; } catch { /* another page */ }
  const zeros = sample.subarray(0, 400).filter((byte) => byte === 0).length;
  if (zeros > 100) return sample[0] === 0 ? 'utf-16be' : 'utf-16le';
  const score = (page: string): number => { const text = iconv.decode(sample, page); return (text.match(POLISH)?.length ?? 0) - 2 * (text.match(ODD)?.length ?? 0); };
  const pages = ['windows-1250', 'iso-8859-2', 'cp852'].map((page) => ({ page, score: score(page) })).sort((a, b) => b.score - a.score);
  const best = pages[0] as { page: string; score: number };
  // The DOS page is rare and its look-alikes many: it must be declared, never guessed.
  if (best.page === 'cp852') throw refused('encoding_unsure', 'Plik wygląda na zapisany w DOS (CP852). Wskaż kodowanie w mapowaniu.', 'The file looks like DOS text (CP852). Name its encoding in the mapping.');
  return best.page;
}

function detectDelimiter(text: string): string {
  const [first = '', second = ''] = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/).filter((line) => line.trim() !== '');
  const declared = /^sep=(.)$/.exec(first);
  if (declared) return declared[1] as string;
  const counts = [';', ',', '\t', '|'].map((mark) => ({ mark, header: first.split(mark).length, row: second.split(mark).length }));
  return (counts.sort((a, b) => b.header - a.header || b.row - a.row)[0] as { mark: string }).mark;
}

async function parseText(source: Readable, encoding: string, saved: Saved | undefined, sample: Buffer, sinkOf: SinkOf): Promise<void> {
  const delimiter = saved?.delimiter ?? detectDelimiter(iconv.decode(sample, encoding));
  const parser = parseCsv({ delimiter, bom: true, relax_column_count: true, skip_empty_lines: true, max_record_size: RECORD_BYTES_MAX, info: true, raw: true, skip_records_with_empty_values: true });
  const decoder = iconv.decodeStream(encoding);
  const text = new PassThrough();
  pipeline(source, decoder, text).catch((error: Error) => parser.destroy(error));
  text.pipe(parser);
  const table = sinkOf(delimiter, peek(iconv.decode(sample, encoding), delimiter));
  try {
    for await (const item of parser as AsyncIterable<{ record: string[]; info: { lines: number }; raw: string }>) {
      if (table.started === false && item.record.length === 1 && /^sep=.$/.test(item.record[0] ?? '')) continue;
      const pending = table.row(item.record, item.info.lines, item.raw);
      if (pending) await pending;
    }
  } catch (error) {
    const { code, lines } = error as { code?: string; lines?: number };
    // A quote that never closes swallows the rest of the file: what came before stands, the rest is set aside and said.
    if (!table.started || !(code === 'CSV_QUOTE_NOT_CLOSED' || code === 'CSV_MAX_RECORD_SIZE' || code?.startsWith('CSV_'))) throw asRefusal(error);
    await table.broken(lines ?? table.lastLine + 1, code === 'CSV_MAX_RECORD_SIZE' ? 'record_too_long' : 'quote_not_closed');
  }
  table.end();
}

const PEEKED_ROWS = 50;

/** The first rows of a text, to see what its columns hold. A first part that cannot be read tells nothing. */
function peek(text: string, delimiter: string): string[][] {
  try {
    const head = text.split(/\r\n|\n|\r/).filter((line) => !/^sep=.$/.test(line)).slice(0, PEEKED_ROWS + 1).join('\n');
    return (parseSync(head, { delimiter, bom: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true, max_record_size: RECORD_BYTES_MAX }) as string[][]).slice(1);
  } catch {
    return [];
  }
}

function asRefusal(error: unknown): unknown {
  const { code } = error as { code?: string };
  return code?.startsWith('CSV_') ? refused('file_unreadable', 'Pliku nie da się odczytać jako tabeli.', 'The file cannot be read as a table.') : error;
}

async function parseSheet(path: string, saved: Saved | undefined, table: Sink): Promise<void> {
  await readXlsx(path, saved?.sheet, (row) => {
    if (row.cells.every((cell) => cell === '') && !row.problem) return;
    void table.row(row.cells, row.line, row.cells.map((cell) => (/[";\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(';'), row.problem);
  });
  table.end();
}

/** There is enough to look at. */
class Enough extends Error {}

/** Keeps the header and the first records. */
class Sample implements Sink {
  started = false;
  lastLine = 0;
  headers: string[] = [];
  readonly found: string[][] = [];
  readonly delimiter: string;
  readonly #most: number;
  constructor(delimiter: string, most: number) { this.delimiter = delimiter; this.#most = most; }

  row(record: string[], line: number): void {
    this.lastLine = line;
    if (!this.started) { this.started = true; this.headers = record; return; }
    this.found.push(record);
    if (this.found.length >= this.#most) throw new Enough();
  }

  async broken(): Promise<void> { /* what came before is enough to look at */ }
  end(): void { if (!this.started) throw refused('file_empty', 'W pliku nie ma ani jednego wiersza.', 'The file has not a single row.'); }
}

/** Turns records into rows by the header, which comes first. */
class Table implements Sink {
  started = false;
  lastLine = 0;
  #rows = 0;
  #places = new Map<string, number>();
  #width = 0;
  readonly #saved: Mapping | undefined;
  readonly #delimiter: string;
  readonly #peeked: readonly (readonly string[])[];
  readonly #onStart: (parsed: Parsed) => void;
  readonly #onRow: (row: FileRow) => void | Promise<void>;

  constructor(saved: Mapping | undefined, delimiter: string, onStart: (parsed: Parsed) => void, onRow: (row: FileRow) => void | Promise<void>, peeked: readonly (readonly string[])[] = []) {
    this.#peeked = peeked;
    this.#saved = saved;
    this.#delimiter = delimiter;
    this.#onStart = onStart;
    this.#onRow = onRow;
  }

  row(record: string[], line: number, raw: string, problem?: FileRow['problem']): void | Promise<void> {
    this.lastLine = line;
    if (!this.started) { this.#start(record); return; }
    this.#rows += 1;
    if (this.#rows > ROWS_MAX) throw refused('too_many_rows', 'Plik ma ponad 10 milionów wierszy.', 'The file has more than 10 million rows.');
    const tooLong = record.length > this.#width && record.slice(this.#width).some((cell) => cell.trim() !== '');
    const found = problem ?? (tooLong ? { column: `#${this.#width + 1}`, value: record.slice(this.#width).join(' | ').slice(0, 200), reason: 'too_many_columns' } : undefined);
    const cells: Cells = (column) => { const place = this.#places.get(foldHeader(column)); return place === undefined ? undefined : record[place]; };
    return this.#onRow({ line, raw: raw.replace(/\r?\n$/, '').slice(0, 8_000), cells, ...(found ? { problem: found } : {}) });
  }

  async broken(line: number, reason: string): Promise<void> {
    await this.#onRow({ line, raw: '', cells: () => undefined, problem: { column: '', value: '', reason } });
  }

  #start(headers: string[]): void {
    const mapping = this.#saved ?? completed(proposeMapping(headers, this.#peeked), headers);
    this.#places = checkHeaders(headers, columnsOf(mapping));
    this.#width = headers.length;
    this.started = true;
    this.#onStart({ mapping, headers, delimiter: this.#delimiter });
  }

  end(): void {
    if (!this.started) throw refused('file_empty', 'W pliku nie ma ani jednego wiersza.', 'The file has not a single row.');
  }
}

function completed(found: Partial<Mapping>, headers: readonly string[]): Mapping {
  if (found.document === undefined || found.date === undefined || (found.net === undefined && found.unit_price === undefined)) {
    throw refused('mapping_needed', `Nie rozpoznaję kolumn (${headers.slice(0, 20).join(', ')}): wskaż numer dokumentu, datę i kwotę.`, `The columns are not recognised (${headers.slice(0, 20).join(', ')}): name the document, the date and the amount.`);
  }
  return { buyer_by: 'code', seller_by: 'code', rep_by: 'code', attributes: {}, ...found } as Mapping;
}
