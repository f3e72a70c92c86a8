import { Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';
import type { Route } from '@premia/contract';
import { writeXlsxStream } from 'hucre/xlsx';
import type { Locale, Phrase } from '@premia/kernel';
import { z } from 'zod';
import { csvRow } from './csv.ts';

/** Rows one exported file may have. */
export const EXPORT_ROWS_MAX = 1_000_000;
const PAGE = 200;
const COLUMNS_MAX = 60;
export type Formats = 'csv' | 'xlsx';
export const EXPORT_TYPES: Record<Formats, string> = { csv: 'text/csv; charset=utf-8', xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' };

/** The name of the one list that a paged route answers, or null: such a route can be had as a file as well. */
export function listOf(route: Route): string | null {
  if (route.method !== 'GET' || !(route.reply instanceof z.ZodObject) || !('next' in route.reply.shape)) return null;
  return Object.keys(route.reply.shape).find((name) => (route.reply as z.ZodObject).shape[name] instanceof z.ZodArray) ?? null;
}

type Column = { key: string; label: string };
/** `code:Kod,name:Nazwa` – which columns, in which order, under which words. Without it, those of the first row. */
export const columnsOf = (wanted: string | undefined): Column[] | null => (wanted === undefined ? null : wanted.split(',').slice(0, COLUMNS_MAX).map((part) => { const [key = '', ...label] = part.split(':'); return { key, label: label.join(':') || key }; }));

/** A phrase is exported in the reader's language. */
const saidIn = (value: unknown, locale: Locale): unknown => (typeof value === 'object' && value !== null && 'pl' in value && 'en' in value ? (value as Phrase)[locale] : value);
const cell = (row: Record<string, unknown>, key: string, locale: Locale): string => { const value = saidIn(row[key], locale); return value === null || value === undefined ? '' : Array.isArray(value) ? value.map((item) => (typeof item === 'object' ? JSON.stringify(item) : String(item))).join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value); };

async function* rowsOf(page: (after: string | undefined) => Promise<Record<string, unknown>>, list: string): AsyncGenerator<Record<string, unknown>> {
  for (let after: string | undefined, count = 0; count < EXPORT_ROWS_MAX;) {
    const answer = await page(after);
    for (const row of answer[list] as Record<string, unknown>[]) { yield row; count += 1; if (count >= EXPORT_ROWS_MAX) return; }
    if (typeof answer['next'] !== 'string') return;
    after = answer['next'];
  }
}

/** A list as a file, page by page, whatever its length. Texts that a spreadsheet would run as formulas stay texts. */
export function exportList(format: Formats, list: string, wanted: string | undefined, locale: Locale, page: (after: string | undefined, limit: number) => Promise<Record<string, unknown>>): Readable {
  async function* lines(): AsyncGenerator<string[]> {
    let columns = columnsOf(wanted);
    let headed = false;
    for await (const row of rowsOf((after) => page(after, PAGE), list)) {
      columns ??= Object.keys(row).map((key) => ({ key, label: key }));
      if (!headed) { headed = true; yield columns.map((column) => column.label); }
      yield columns.map((column) => cell(row, column.key, locale));
    }
    if (!headed && columns) yield columns.map((column) => column.label);
  }
  if (format === 'csv') return Readable.from((async function* csv() { yield '\uFEFF'; for await (const line of lines()) yield csvRow(line); })());
  return Readable.fromWeb(writeXlsxStream(typed(lines()), { name: 'Premia' }) as WebStream);
}

/** Amounts are numbers in a workbook, everything else is text; a text is never a formula there. */
async function* typed(lines: AsyncGenerator<string[]>): AsyncGenerator<(string | number)[]> {
  let first = true;
  for await (const line of lines) { yield first ? line : line.map((value) => (/^-?\d{1,12}(\.\d{1,6})?$/.test(value) && !/^0\d/.test(value) ? Number(value) : value)); first = false; }
}
