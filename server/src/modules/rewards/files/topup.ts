import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { formatMinor, phrase, type RefusalPlace } from '@premia/kernel';
import { csvRow } from '../../../platform/csv.ts';
import { refuse } from '../refusals.ts';
import { ENCODINGS, encode } from './encode.ts';

export const TOPUP_FIELDS = ['order_ref', 'line_no', 'participant_ref', 'first_name', 'last_name', 'email', 'phone', 'card_ref', 'amount', 'currency', 'message', 'cost_centre'] as const;
export type TopupField = (typeof TOPUP_FIELDS)[number];

/** How one card provider wants its orders: columns under its own names, in its order, encoding and separators (domain.md §3.3). */
export const topupTemplateShape = z.strictObject({
  columns: z.array(z.strictObject({ name: z.string().min(1).max(60), field: z.enum(TOPUP_FIELDS) })).min(1).max(40).default(TOPUP_FIELDS.map((field) => ({ name: field, field }))),
  separator: z.enum([';', ',', '\t', '|']).default(';'), decimal: z.enum([',', '.']).default(','), encoding: z.enum(ENCODINGS).default('utf-8'), cost_centre: z.string().max(60).default(''), message: z.string().max(100).default('Nagroda'),
});
export type TopupTemplate = z.infer<typeof topupTemplateShape>;
export type TopupLine = Record<Exclude<TopupField, 'amount' | 'line_no'>, string> & { line: number; amount: bigint };

export const topupRow = (line: TopupLine, template: TopupTemplate): string[] => template.columns.map(({ field }) => (field === 'amount' ? formatMinor(line.amount, 2).replace('.', template.decimal) : field === 'line_no' ? String(line.line) : line[field]));
export function topupFile(lines: readonly TopupLine[], template: TopupTemplate): Buffer {
  const rows = [template.columns.map((column) => column.name), ...lines.map((line) => topupRow(line, template))];
  return encode(rows.map((row) => csvRow(row, template.separator)).join(''), template.encoding);
}

export type StatusRow = { line: number; order: string; loaded: boolean; providerRef: string; reason: string };
const STATUS_ROWS_MAX = 50_000;

/** A provider's or a bank's answer: `order_ref;line_no;status;provider_ref;reason;loaded_at`, statuses LOADED and REJECTED. Every fault has its row; a faulty file is not taken at all. */
export function readStatusFile(text: string): StatusRow[] {
  let rows: string[][];
  try { rows = parse(text.replace(/^\uFEFF/, ''), { delimiter: [';', ',', '\t'], relax_column_count: true, skip_empty_lines: true, max_record_size: 10_000, trim: true }); } catch (error) { throw refuse('file_malformed', { pl: `Odczyt: ${(error as Error).message}`, en: `Reading: ${(error as Error).message}` }); }
  const [head = [], ...body] = rows;
  const at = (name: string): number => head.indexOf(name);
  const missing = ['order_ref', 'line_no', 'status'].filter((name) => at(name) < 0);
  if (missing.length > 0) throw refuse('file_malformed', { pl: `Brakuje kolumn: ${missing.join(', ')}.`, en: `Columns are missing: ${missing.join(', ')}.` });
  if (body.length === 0 || body.length > STATUS_ROWS_MAX) throw refuse('file_malformed', { pl: `Wierszy: ${body.length}, może być od 1 do ${STATUS_ROWS_MAX}.`, en: `Rows: ${body.length}; 1 to ${STATUS_ROWS_MAX} are possible.` });
  const faults: RefusalPlace[] = [];
  const fault = (row: number, code: string, pl: string, en: string): void => { faults.push({ pointer: `/${row + 2}`, code, message: phrase(pl, en) }); };
  const seen = new Set<string>();
  const found = body.map((row, index): StatusRow => {
    const get = (name: string): string => row[at(name)] ?? '';
    const status = get('status').toUpperCase();
    if (status !== 'LOADED' && status !== 'REJECTED') fault(index, 'status_unknown', `nieznany status „${status}”`, `unknown status “${status}”`);
    if (!/^\d{1,9}$/.test(get('line_no'))) fault(index, 'line_malformed', 'to nie jest numer wiersza', 'this is not a line number');
    if (status === 'REJECTED' && get('reason') === '') fault(index, 'reason_missing', 'odrzucenie bez powodu', 'rejected without a reason');
    if (seen.has(get('line_no'))) fault(index, 'line_twice', 'ten wiersz już był', 'this line was there already');
    seen.add(get('line_no'));
    return { order: get('order_ref'), line: Number(get('line_no')), loaded: status === 'LOADED', providerRef: get('provider_ref'), reason: get('reason') };
  });
  if (faults.length > 0) throw refuse('file_malformed', undefined, faults.slice(0, 100));
  return found;
}
