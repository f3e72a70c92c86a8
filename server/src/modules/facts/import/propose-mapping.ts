import { isNip, phrase, Refusal } from '@premia/kernel';
import type { Mapping } from '../source-settings.ts';

/** Headers as partners write them, folded: lower case, no marks, no spaces. The first that fits wins. */
const KNOWN: Record<string, readonly string[]> = {
  document: ['invoice', 'invoiceno', 'invoicenumber', 'document', 'documentno', 'docno', 'number', 'nrfaktury', 'numerfaktury', 'faktura', 'nrdokumentu', 'numerdokumentu', 'dokument'],
  line: ['line', 'lineno', 'linenumber', 'position', 'lp', 'nrpozycji', 'pozycja'],
  date: ['date', 'invoicedate', 'saledate', 'documentdate', 'data', 'datasprzedazy', 'datawystawienia', 'datafaktury'],
  buyer: ['customer', 'customerid', 'customerno', 'customernip', 'buyer', 'buyernip', 'kontrahent', 'klient', 'nip', 'nipnabywcy', 'nabywca', 'odbiorca', 'kodklienta', 'kodkontrahenta'],
  rep: ['rep', 'salesrep', 'salesperson', 'handlowiec', 'przedstawiciel', 'opiekun'],
  seller: ['seller', 'sellernip', 'sprzedawca', 'nipsprzedawcy'],
  product: ['sku', 'stockcode', 'product', 'productcode', 'item', 'itemcode', 'index', 'indeks', 'kod', 'kodtowaru', 'symbol', 'towar'],
  product_name: ['description', 'productname', 'name', 'nazwa', 'nazwatowaru', 'opis'],
  quantity: ['qty', 'quantity', 'ilosc', 'szt'],
  unit_price: ['unitprice', 'price', 'cena', 'cenanetto', 'cenajednostkowa'],
  net: ['net', 'netvalue', 'netamount', 'amount', 'value', 'netto', 'wartoscnetto', 'wartosc', 'kwotanetto'],
  gross: ['gross', 'grossvalue', 'brutto', 'wartoscbrutto', 'kwotabrutto'],
  currency: ['currency', 'waluta'],
  base_document: ['correctedinvoice', 'basedocument', 'fakturakorygowana', 'dokumentkorygowany', 'nrfakturykorygowanej'],
  channel: ['channel', 'kanal'],
};

export const foldHeader = (header: string): string => header.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').replace(/ł/g, 'l').replace(/Ł/g, 'L').toLowerCase().replace(/[^a-z0-9]/g, '');

/** A mapping proposed from the headers. What cannot be found is missing; a person completes it and the source keeps it. */
export function proposeMapping(headers: readonly string[], rows: readonly (readonly string[])[] = []): Partial<Mapping> {
  const folded = headers.map(foldHeader);
  const found = Object.fromEntries(Object.entries(KNOWN).flatMap(([field, names]) => {
    const name = names.find((candidate) => folded.includes(candidate));
    return name === undefined ? [] : [[field, headers[folded.indexOf(name)]?.trim()]];
  })) as Partial<Mapping>;
  const values = (column: string | undefined): string[] => (column === undefined ? [] : rows.map((row) => row[headers.findIndex((header) => header.trim() === column)]?.trim() ?? '').filter((value) => value !== ''));
  const by = (['buyer', 'seller', 'rep'] as const).flatMap((role) => { const how = partyBy(found[role], values(found[role])); return how === null ? [] : [[`${role}_by`, how]]; });
  const format = dateFormat(values(found.date));
  return { ...found, ...Object.fromEntries(by) as Partial<Mapping>, ...(format === null ? {} : { date_format: format }) };
}

/** How a column names a party: by its header, else by what all its values are. */
function partyBy(column: string | undefined, values: readonly string[]): 'nip' | 'email' | null {
  if (column !== undefined && foldHeader(column).includes('nip')) return 'nip';
  if (values.length === 0) return null;
  if (values.every((value) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value))) return 'email';
  return values.every((value) => isNip(value.replace(/^PL|[\s-]/g, ''))) ? 'nip' : null;
}

/** What comes first in 03/04/2026, if some value shows it: a thirteenth month there is not. Where none does, nothing is guessed. */
function dateFormat(values: readonly string[]): 'dmy' | 'mdy' | null {
  const parts = values.map((value) => /^(\d{1,2})[./-](\d{1,2})[./-]\d{4}\b/.exec(value));
  if (parts.length === 0 || parts.some((part) => part === null)) return null;
  const [first, second] = [parts.some((part) => Number(part?.[1]) > 12), parts.some((part) => Number(part?.[2]) > 12)];
  return first === second ? null : first ? 'dmy' : 'mdy';
}

const FORBIDDEN_HEADERS = new Set(['__proto__', 'constructor', 'prototype']);

/** Headers checked by ourselves: parsers let duplicates and `__proto__` through. */
export function checkHeaders(headers: readonly string[], wanted: readonly string[]): Map<string, number> {
  const places = new Map<string, number>();
  for (const [index, header] of headers.entries()) {
    const folded = foldHeader(header);
    if (FORBIDDEN_HEADERS.has(header.trim().toLowerCase())) throw refused('header_forbidden', `Nagłówek „${header.trim()}” jest niedozwolony.`, `The header “${header.trim()}” is not allowed.`);
    if (folded !== '' && places.has(folded) && wanted.some((column) => foldHeader(column) === folded)) throw refused('header_repeated', `Kolumna „${header.trim()}” występuje dwa razy.`, `The column “${header.trim()}” occurs twice.`);
    if (!places.has(folded)) places.set(folded, index);
  }
  for (const column of wanted) {
    if (!places.has(foldHeader(column))) throw refused('column_missing', `W pliku nie ma kolumny „${column}”. Są: ${headers.slice(0, 30).join(', ')}.`, `The file has no column “${column}”. It has: ${headers.slice(0, 30).join(', ')}.`);
  }
  return places;
}

const refused = (code: string, pl: string, en: string): Refusal => new Refusal(code, 422, phrase(pl, en));
