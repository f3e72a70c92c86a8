import { crc32 } from 'node:zlib';
import { Refusal, phrase } from '@premia/kernel';
import { SaxesParser } from 'saxes';
import yauzl from 'yauzl';

/*
 * No spreadsheet library caps what it unpacks, so the file is opened here part by part: every part is inflated with a cap on its
 * real bytes and its CRC is checked before any of it is believed. Only values are read: no formulas, styles but for dates, or links.
 */
const ENTRIES_MAX = 2_000;
const PART_BYTES_MAX = 700 * 1024 * 1024;
const TEXT_BYTES_MAX = 96 * 1024 * 1024;
const RATIO_MAX = 200;
const COLUMNS_MAX = 500;
export const XLSX_ROWS_MAX = 1_048_576;

const bad = (code: string, pl: string, en: string): Refusal => new Refusal(code, 422, phrase(pl, en));

type Entries = { names: string[]; read(name: string, cap: number, take: (chunk: Buffer) => void): Promise<void> };

async function openZip(path: string): Promise<Entries> {
  const zip = await new Promise<yauzl.ZipFile>((done, fail) => yauzl.open(path, { autoClose: false, lazyEntries: true, validateEntrySizes: false, strictFileNames: true }, (error, file) => (error ? fail(error) : done(file as yauzl.ZipFile))))
    .catch(() => { throw bad('xlsx_unreadable', 'To nie jest plik XLSX albo jest uszkodzony.', 'This is not an XLSX file, or it is damaged.'); });
  const entries = new Map<string, yauzl.Entry>();
  await new Promise<void>((done, fail) => {
    zip.on('entry', (entry: yauzl.Entry) => {
      if (entries.size >= ENTRIES_MAX) { fail(bad('xlsx_too_many_parts', 'Plik XLSX ma za dużo części.', 'The XLSX file has too many parts.')); return; }
      entries.set(entry.fileName, entry);
      zip.readEntry();
    });
    zip.on('end', done);
    zip.on('error', () => fail(bad('xlsx_unreadable', 'Plik XLSX jest uszkodzony.', 'The XLSX file is damaged.')));
    zip.readEntry();
  });
  return { names: [...entries.keys()], read: (name, cap, take) => readPart(zip, entries.get(name), cap, take) };
}

/** Inflates one part, counting what really comes out, and checks its CRC at the end. */
function readPart(zip: yauzl.ZipFile, entry: yauzl.Entry | undefined, cap: number, take: (chunk: Buffer) => void): Promise<void> {
  if (!entry) return Promise.reject(bad('xlsx_unreadable', 'W pliku XLSX brakuje części.', 'A part of the XLSX file is missing.'));
  return new Promise((done, fail) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error || !stream) { fail(bad('xlsx_unreadable', 'Plik XLSX jest uszkodzony.', 'The XLSX file is damaged.')); return; }
      let [size, sum] = [0, 0];
      stream.on('data', (chunk: Buffer) => {
        size += chunk.length;
        sum = crc32(chunk, sum);
        const most = Math.min(cap, Math.max(10 * 1024 * 1024, entry.compressedSize * RATIO_MAX));
        if (size > most || size > entry.uncompressedSize) {
          stream.destroy();
          fail(bad('xlsx_bomb', 'Plik XLSX rozpakowuje się do nadmiernego rozmiaru.', 'The XLSX file unpacks to an excessive size.'));
          return;
        }
        try { take(chunk); } catch (problem) { stream.destroy(); fail(problem as Error); }
      });
      stream.on('error', () => fail(bad('xlsx_unreadable', 'Plik XLSX jest uszkodzony.', 'The XLSX file is damaged.')));
      stream.on('end', () => {
        if (size !== entry.uncompressedSize || sum !== entry.crc32) fail(bad('xlsx_damaged', 'Suma kontrolna pliku XLSX się nie zgadza.', 'The XLSX file’s checksum does not match.'));
        else done();
      });
    });
  });
}

/** Feeds a part to an XML reader that knows no entities and no document types. */
async function readXml(entries: Entries, name: string, cap: number, on: { open?: (tag: string, attributes: Record<string, string>) => void; close?: (tag: string) => void; text?: (text: string) => void }): Promise<void> {
  const parser = new SaxesParser({ xmlns: false });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const refuse = (): never => { throw bad('xlsx_unreadable', 'Plik XLSX zawiera nieprawidłowy XML.', 'The XLSX file holds XML that is not valid.'); };
  parser.on('doctype', refuse);
  parser.on('error', refuse);
  if (on.open) parser.on('opentag', (tag) => on.open?.(tag.name.replace(/^.*:/, ''), tag.attributes as Record<string, string>));
  if (on.close) parser.on('closetag', (tag) => on.close?.(tag.name.replace(/^.*:/, '')));
  if (on.text) { parser.on('text', on.text); parser.on('cdata', on.text); }
  await entries.read(name, cap, (chunk) => { parser.write(decoder.decode(chunk, { stream: true })); });
  parser.close();
}

type Workbook = { sheets: { name: string; path: string; hidden: boolean }[]; date1904: boolean };

async function readWorkbook(entries: Entries): Promise<Workbook> {
  const found: { name: string; id: string; hidden: boolean }[] = [];
  const targets = new Map<string, string>();
  let date1904 = false;
  if (!entries.names.includes('xl/workbook.xml')) throw bad('xlsx_unreadable', 'W pliku nie ma skoroszytu.', 'The file holds no workbook.');
  await readXml(entries, 'xl/workbook.xml', TEXT_BYTES_MAX, { open: (tag, attributes) => {
    if (tag === 'sheet') found.push({ name: attributes['name'] ?? '', id: attributes['r:id'] ?? '', hidden: attributes['state'] !== undefined && attributes['state'] !== 'visible' });
    if (tag === 'workbookPr') date1904 = ['1', 'true'].includes(attributes['date1904'] ?? '');
  } });
  if (entries.names.includes('xl/_rels/workbook.xml.rels')) {
    await readXml(entries, 'xl/_rels/workbook.xml.rels', TEXT_BYTES_MAX, { open: (tag, attributes) => {
      if (tag === 'Relationship') targets.set(attributes['Id'] ?? '', (attributes['Target'] ?? '').replace(/^\/?(xl\/)?/, 'xl/'));
    } });
  }
  const sheets = found.map((sheet) => ({ name: sheet.name, path: targets.get(sheet.id) ?? '', hidden: sheet.hidden })).filter((sheet) => entries.names.includes(sheet.path));
  if (sheets.length === 0) throw bad('xlsx_no_sheet', 'W pliku nie ma arkusza.', 'The file holds no worksheet.');
  return { sheets, date1904 };
}

async function readSharedStrings(entries: Entries): Promise<string[]> {
  const strings: string[] = [];
  if (!entries.names.includes('xl/sharedStrings.xml')) return strings;
  let [current, inside, total] = ['', false, 0];
  await readXml(entries, 'xl/sharedStrings.xml', TEXT_BYTES_MAX, {
    open: (tag) => { if (tag === 'si') current = ''; inside = tag === 't'; },
    text: (text) => { if (inside) { current += text; total += text.length; if (total > TEXT_BYTES_MAX) throw bad('xlsx_bomb', 'Plik XLSX ma za dużo tekstu.', 'The XLSX file holds too much text.'); } },
    close: (tag) => { inside = false; if (tag === 'si') strings.push(current); },
  });
  return strings;
}

const DATE_FORMATS = new Set([14, 15, 16, 17, 22, 27, 30, 36, 50, 57]);

async function readDateStyles(entries: Entries): Promise<boolean[]> {
  const custom = new Set<number>();
  const styles: boolean[] = [];
  if (!entries.names.includes('xl/styles.xml')) return styles;
  let inside = false;
  await readXml(entries, 'xl/styles.xml', TEXT_BYTES_MAX, {
    open: (tag, attributes) => {
      if (tag === 'numFmt' && /[yd]/i.test((attributes['formatCode'] ?? '').replace(/"[^"]*"|\[[^\]]*\]/g, ''))) custom.add(Number(attributes['numFmtId']));
      if (tag === 'cellXfs') inside = true;
      if (tag === 'xf' && inside) { const id = Number(attributes['numFmtId']); styles.push(DATE_FORMATS.has(id) || custom.has(id)); }
    },
    close: (tag) => { if (tag === 'cellXfs') inside = false; },
  });
  return styles;
}

function columnIndex(reference: string): number {
  let index = 0;
  for (const letter of reference.replace(/\d+$/, '')) index = index * 26 + letter.charCodeAt(0) - 64;
  return index - 1;
}

/** Day 1 is 1900-01-01 and 1900-02-29 exists in a spreadsheet's calendar; in the other one day 0 is 1904-01-01. */
function serialToText(serial: number, date1904: boolean): string {
  const days = date1904 ? serial + 1_462 : serial;
  const at = new Date(Math.round((days - 25_569) * 86_400_000));
  const iso = at.toISOString();
  return serial % 1 === 0 ? iso.slice(0, 10) : iso.slice(0, 19);
}

export type SheetRow = { line: number; cells: string[]; problem?: { column: string; value: string; reason: string } };
export class HiddenSheet extends Refusal {}

/** Reads one sheet's rows in order. A sheet that is hidden is only read when it is asked for by name. */
export async function readXlsx(path: string, sheetName: string | undefined, onRow: (row: SheetRow) => void): Promise<void> {
  const entries = await openZip(path);
  const workbook = await readWorkbook(entries);
  const sheet = sheetName === undefined ? workbook.sheets.find((item) => !item.hidden) : workbook.sheets.find((item) => item.name === sheetName);
  if (!sheet) throw new HiddenSheet('xlsx_sheet_hidden', 422, phrase('Wszystkie arkusze są ukryte; wskaż arkusz w mapowaniu.', 'All sheets are hidden; name the sheet in the mapping.'));
  const [strings, dates] = [await readSharedStrings(entries), await readDateStyles(entries)];
  // Everything else in the file is unpacked too, so that damage anywhere is noticed before a row is believed.
  for (const name of entries.names) if (name !== sheet.path && !name.endsWith('/') && name !== 'xl/sharedStrings.xml') await entries.read(name, PART_BYTES_MAX, () => {});
  let row: SheetRow | null = null;
  let cell: { column: number; type: string; style: number; text: string } | null = null;
  let [inside, next] = [false, 0];
  await readXml(entries, sheet.path, PART_BYTES_MAX, {
    open: (tag, attributes) => {
      if (tag === 'row') { next = attributes['r'] === undefined ? next + 1 : Number(attributes['r']); row = { line: next, cells: [] }; }
      if (tag === 'c') cell = { column: attributes['r'] === undefined ? (row?.cells.length ?? 0) : columnIndex(attributes['r']), type: attributes['t'] ?? 'n', style: Number(attributes['s'] ?? -1), text: '' };
      inside = tag === 'v' || tag === 't';
    },
    text: (text) => { if (inside && cell) cell.text += text; },
    close: (tag) => {
      inside = false;
      if (tag === 'c' && cell && row) { placeCell(row, cell, strings, dates, workbook.date1904); cell = null; }
      if (tag === 'row' && row) { onRow(row); row = null; }
    },
  });
}

function placeCell(row: SheetRow, cell: { column: number; type: string; style: number; text: string }, strings: readonly string[], dates: readonly boolean[], date1904: boolean): void {
  if (cell.column >= COLUMNS_MAX || row.line > XLSX_ROWS_MAX) { row.problem = { column: `#${cell.column + 1}`, value: cell.text.slice(0, 100), reason: 'cell_outside' }; return; }
  let value = cell.text;
  if (cell.type === 's') value = strings[Number(cell.text)] ?? '';
  if (cell.type === 'e') row.problem = { column: `#${cell.column + 1}`, value: cell.text, reason: 'cell_error' };
  if (cell.type === 'n' && value !== '' && dates[cell.style] === true) value = serialToText(Number(value), date1904);
  else if (cell.type === 'n' && value !== '') value = plainNumber(value);
  while (row.cells.length < cell.column) row.cells.push('');
  row.cells[cell.column] = value;
}

/** A spreadsheet stores binary floats: 0.1 + 0.2 comes as 0.30000000000000004. Fifteen digits are what it showed and meant. */
function plainNumber(value: string): string {
  if (/^-?\d{1,15}(\.\d{1,10})?$/.test(value)) return value;
  const rounded = Number(value).toPrecision(15);
  return /e/i.test(rounded) ? value : rounded.includes('.') ? rounded.replace(/\.?0+$/, '') : rounded;
}
