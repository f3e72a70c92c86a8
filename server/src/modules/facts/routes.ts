import { formatMinor, LOCALES, printRatio, ratio, type Locale } from '@premia/kernel';
import { numberedCursor, type Handler } from '../../platform/http.ts';
import { csvRow } from '../../platform/csv.ts';
import type { Context } from '../../platform/context.ts';
import { audit } from '../identity/index.ts';
import { findProgram } from '../members/index.ts';
import { listConflicts, type ConflictLine } from './conflicts.ts';
import { readQuarantine } from './import/stage-import.ts';
import { REASONS } from './import/reasons.ts';
import { saveMapping } from './save-mapping.ts';
import { listProducts } from './save-products.ts';
import { listRates, saveRates, type RateDraft } from './save-rates.ts';
import { listWaiting } from './waiting.ts';

type Page = { limit: number; after?: string; search?: string; unknown?: boolean; state?: string; currency?: string; before?: string };
const QUARANTINE_PAGE = 2_000;

export const factHandlers: Record<'saveMapping' | 'listRates' | 'saveRates' | 'listProducts' | 'listConflicts' | 'listWaiting' | 'downloadQuarantine', Handler> = {
  saveMapping: (context, { params, body }) => context.transaction(async (tx) => {
    const program = await findProgram(tx, params['program'] as string);
    const mapping = await saveMapping(tx, program, params['source'] as string, (body as { mapping: unknown }).mapping);
    await audit(tx, context, { action: 'mapping.saved', subject: `source:${params['source']}`, programId: program.programId, after: mapping });
    return { mapping };
  }),
  listRates: (context, { params, query }) => context.transaction(async (tx) => {
    const { limit, currency, before } = query as Page;
    const found = await listRates(tx, await findProgram(tx, params['program'] as string), { limit, ...(currency === undefined ? {} : { currency }), ...(before === undefined ? {} : { before }) });
    return { rates: found.map((rate) => ({ currency: rate.currency, day: rate.day, rate: printRatio(ratio(rate.n, rate.d)), origin: rate.origin })) };
  }),
  saveRates: (context, { params, body }) => context.transaction(async (tx) => {
    const program = await findProgram(tx, params['program'] as string);
    const { rates } = body as { rates: RateDraft[] };
    const added = await saveRates(tx, context.tenantId, program, rates);
    await audit(tx, context, { action: 'rates.saved', subject: `program:${program.key}`, programId: program.programId, after: { rates: rates.length, added } });
    return { added };
  }),
  listProducts: (context, { params, query }) => context.transaction(async (tx) => {
    const { limit, ...rest } = query as Page;
    const { rows, next } = await listProducts(tx, await findProgram(tx, params['program'] as string), { ...rest, limit });
    return { products: rows.map((product) => ({ ...product, lines: Number(product.lines) })), next };
  }),
  listConflicts: (context, { params, query }) => context.transaction(async (tx) => {
    const { limit, after, state } = query as Page;
    const program = await findProgram(tx, params['program'] as string);
    const found = await listConflicts(tx, program, { limit: limit + 1, after: numberedCursor(after) ?? 0n, ...(state === undefined ? {} : { state }) });
    const line = (item: ConflictLine): unknown => ({ line: item.line, product: item.product, quantity: formatMinor(item.quantity_milli, 3), net: formatMinor(item.net_minor, program.currencyScale), buyer: item.buyer, seller: item.seller, rep: item.rep });
    return { conflicts: found.slice(0, limit).map((item) => ({ id: item.conflictId, source: item.source, number: item.number, state: item.state, recorded: { ...item.recorded, lines: item.recorded.lines.map(line) }, sent: { ...item.sent, lines: item.sent.lines.map(line) } })),
      next: found.length > limit ? String(found[limit - 1]?.conflictId) : null };
  }),
  listWaiting: (context, { params, query }) => context.transaction(async (tx) => {
    const program = await findProgram(tx, params['program'] as string);
    const found = await listWaiting(tx, program, query as Page);
    return { documents: found.rows.map((item) => ({ source: item.source, number: item.number, base: item.base, kind: item.kind, occurred_on: item.occurred_on, net: formatMinor(item.net_minor, program.currencyScale) })), next: found.next };
  }),
  downloadQuarantine: async (context, { params, query }) => {
    const program = await context.transaction((tx) => findProgram(tx, params['program'] as string));
    const locale = LOCALES.find((known) => known === (query as { locale?: string }).locale) ?? 'en';
    return quarantineCsv(context, BigInt(params['import'] as string), program.programId, locale);
  },
};

/** Rows set aside as a CSV that a spreadsheet cannot be tricked by, in the reader's language, page by page. */
async function* quarantineCsv(context: Context, importId: bigint, programId: bigint, locale: Locale): AsyncGenerator<string> {
  yield csvRow(locale === 'pl' ? ['plik', 'wiersz', 'kolumna', 'wartość', 'powód', 'treść'] : ['part', 'line', 'column', 'value', 'reason', 'text']);
  for (let after = 0n; ;) {
    const rows = await context.transaction((tx) => readQuarantine(tx, importId, { limit: QUARANTINE_PAGE, after }, programId));
    for (const row of rows) yield csvRow([row.part, row.row_no, row.problem.column, row.problem.value, REASONS[row.problem.reason]?.[locale] ?? row.problem.reason, row.raw]);
    const last = rows.at(-1);
    if (!last || rows.length < QUARANTINE_PAGE) return;
    after = BigInt(last.part) * 1_099_511_627_776n + last.row_no;
  }
}
