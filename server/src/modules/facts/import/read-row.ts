import { isNip, ratio, roundRatio, timesRatio, type Ratio, type Rounding } from '@premia/kernel';
import type { Mapping } from '../source-settings.ts';
import type { LineDraft } from '../line-draft.ts';
import { readDate, type DateRules } from './read-date.ts';
import { readNumber } from './read-number.ts';

export type Problem = { column: string; value: string; reason: string };
export type ReadRules = {
  mapping: Mapping; dates: Omit<DateRules, 'format'>; currency: string | undefined; currencyScale: number; rounding: Rounding;
  codes: { strip_decimal_zero: boolean; upper: boolean };
};

// Characters that hide, reorder or break text: two keys that look alike must not be two keys.
// oxlint-disable-next-line no-control-regex
const HOSTILE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd\ufff9-\uffff]/;
const AMOUNT_MAX = 10n ** 15n;
const WEIGHT = /^(.+):(\d{1,9})$/;
export const CELL_MAX = 4_000;

export type Cells = (column: string) => string | undefined;

/** A code as all its writers mean it: trimmed, composed, spaces inside made one. `17850.0` is 17850 where the source says so. */
export function normalizeCode(given: string, codes: ReadRules['codes']): string {
  let code = given.normalize('NFC').replace(/\s+/g, ' ').trim();
  if (codes.strip_decimal_zero) code = code.replace(/^(\d+)\.0+$/, '$1');
  return codes.upper ? code.toUpperCase() : code;
}

/** A party by NIP: digits only, whatever stands between them; by e-mail: lower case. */
function reference(given: string, by: 'code' | 'nip' | 'email', codes: ReadRules['codes']): string | { reason: string } {
  if (by === 'email') return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(given.trim()) ? `email:${given.trim().toLowerCase()}` : { reason: 'email_malformed' };
  if (by === 'code') return `code:${normalizeCode(given, codes)}`;
  const nip = given.replace(/^\s*PL/i, '').replace(/[\s\u00a0-]/g, '');
  return isNip(nip) ? `nip:${nip}` : { reason: 'nip_invalid' };
}

/** Reads one row by the source's mapping, or names the column, the value and the reason. Nothing is guessed. */
export function readRow(cells: Cells, rules: ReadRules): LineDraft | Problem {
  const { mapping } = rules;
  const bad = (column: string | undefined, reason: string): Problem => ({ column: column ?? '', value: (cells(column ?? '') ?? '').slice(0, 200), reason });
  for (const column of columnsOf(mapping)) {
    const value = cells(column);
    if (value === undefined) continue;
    if (value.length > CELL_MAX) return bad(column, 'value_too_long');
    if (HOSTILE.test(value)) return bad(column, 'character_forbidden');
  }
  const text = (column: string | undefined): string | null => {
    const value = column === undefined ? undefined : cells(column);
    return value === undefined || value.trim() === '' ? null : value.normalize('NFC').replace(/\s+/g, ' ').trim();
  };
  const number = text(mapping.document);
  if (number === null) return bad(mapping.document, 'document_missing');
  const date = readDate(cells(mapping.date) ?? '', { ...rules.dates, format: mapping.date_format });
  if (typeof date === 'string') return bad(mapping.date, date);
  const amounts = readAmounts(cells, rules);
  if ('reason' in amounts) return amounts;
  const currency = (text(mapping.currency) ?? rules.currency ?? '').toUpperCase();
  if (!/^[A-Z]{3}$/.test(currency)) return bad(mapping.currency, 'currency_malformed');
  const parties: Record<'buyer' | 'seller' | 'rep', string | null> = { buyer: null, seller: null, rep: null };
  for (const role of ['buyer', 'seller', 'rep'] as const) {
    const value = text(mapping[role]);
    if (value === null) continue;
    const found = reference(value, mapping[`${role}_by`], rules.codes);
    if (typeof found !== 'string') return bad(mapping[role], found.reason);
    parties[role] = found;
  }
  const shares = readShares(text(mapping.shares), rules);
  if (shares === 'malformed') return bad(mapping.shares, 'shares_malformed');
  const baseNumber = text(mapping.base_document);
  const kind = kindOf(number, text(mapping.kind?.column), baseNumber, amounts.netMinor, mapping);
  const attributes = Object.entries(mapping.attributes).flatMap(([name, column]) => { const value = text(column); return value === null ? [] : [[name, value] as const]; });
  const code = text(mapping.product);
  return {
    number, kind, occurredOn: date.day, occurredAt: date.at, hour: date.hour, baseNumber: kind === 'sale' ? null : baseNumber, baseLine: text(mapping.base_line), lineNo: text(mapping.line),
    productCode: code === null ? null : normalizeCode(code, { strip_decimal_zero: false, upper: rules.codes.upper }), productName: text(mapping.product_name)?.slice(0, 300) ?? null,
    quantityMilli: amounts.quantityMilli, netMinor: amounts.netMinor, grossMinor: amounts.grossMinor, currency, original: null, ...parties,
    shares, channel: text(mapping.channel), attributes: attributes.length === 0 ? null : Object.fromEntries(attributes),
  };
}

export function columnsOf(mapping: Mapping): string[] {
  const { document, line, date, base_document: base, base_line: baseLine, buyer, seller, rep, shares, product, product_name: name, quantity, unit_price: price, net, gross, currency, channel, attributes, kind } = mapping;
  return [document, line, date, base, baseLine, buyer, seller, rep, shares, product, name, quantity, price, net, gross, currency, channel, kind?.column, ...Object.values(attributes)].filter((column) => column !== undefined);
}

function kindOf(number: string, value: string | null, base: string | null, net: bigint, { kind }: Mapping): LineDraft['kind'] {
  if (kind?.return_prefix !== undefined && number.startsWith(kind.return_prefix)) return 'return';
  if (kind?.correction_prefix !== undefined && number.startsWith(kind.correction_prefix)) return 'correction';
  if (value !== null && kind?.returns.includes(value)) return 'return';
  if (value !== null && kind?.corrections.includes(value)) return 'correction';
  return base !== null ? (net < 0n ? 'return' : 'correction') : 'sale';
}

type Amounts = { quantityMilli: bigint; netMinor: bigint; grossMinor: bigint | null };

/** Net as the source gives it; only where it gives none, quantity × unit price, rounded once by the source's own rule. */
function readAmounts(cells: Cells, rules: ReadRules): Amounts | Problem {
  const { mapping } = rules;
  const problem = (column: string, reason: string): Problem => ({ column, value: (cells(column) ?? '').slice(0, 200), reason });
  const read = (column: string | undefined): Ratio | null | Problem => {
    if (column === undefined) return null;
    const value = cells(column);
    if (value === undefined || value.trim() === '') return null;
    const found = readNumber(value, mapping.decimal);
    return typeof found === 'string' ? problem(column, found) : found;
  };
  const [quantity, price, net, gross] = [read(mapping.quantity), read(mapping.unit_price), read(mapping.net), read(mapping.gross)];
  for (const value of [quantity, price, net, gross]) if (value && 'reason' in value) return value;
  const scaled = (value: Ratio, scale: number): Ratio => timesRatio(value, ratio(10n ** BigInt(scale)));
  const [q, p, n, g] = [quantity, price, net, gross] as (Ratio | null)[];
  const milli = scaled(q ?? ratio(1n), 3);
  if (milli.d !== 1n) return problem(mapping.quantity ?? '', 'number_too_precise');
  const priced = q && p ? timesRatio(q, p) : null;
  const amount = n ?? priced ?? (g && mapping.net === undefined ? g : null);
  if (!amount) return problem(mapping.net ?? mapping.unit_price ?? '', 'number_empty');
  const minor = scaled(amount, rules.currencyScale);
  if (n && minor.d !== 1n) return problem(mapping.net ?? '', 'number_too_precise');
  const grossMinor = g ? scaled(g, rules.currencyScale) : null;
  if (grossMinor && grossMinor.d !== 1n) return problem(mapping.gross ?? '', 'number_too_precise');
  const netMinor = roundRatio(minor, rules.rounding);
  if (netMinor > AMOUNT_MAX || netMinor < -AMOUNT_MAX || milli.n > AMOUNT_MAX || milli.n < -AMOUNT_MAX) return problem(mapping.net ?? '', 'number_too_large');
  return { quantityMilli: milli.n, netMinor, grossMinor: grossMinor ? grossMinor.n : null };
}

function readShares(value: string | null, rules: ReadRules): LineDraft['shares'] | 'malformed' {
  if (value === null) return null;
  const parts = value.split(';').map((part) => WEIGHT.exec(part.trim()));
  if (parts.some((part) => part === null) || parts.length > 20) return 'malformed';
  const shares = parts.map((part) => ({ ref: reference(part?.[1] as string, rules.mapping.rep_by, rules.codes), weight: part?.[2] as string }));
  if (shares.some((share) => typeof share.ref !== 'string') || shares.every((share) => BigInt(share.weight) === 0n)) return 'malformed';
  return shares as { ref: string; weight: string }[];
}
