import { formatMinor, type Locale, type Phrase } from '@premia/kernel';
import { writeXlsxStream } from 'hucre/xlsx';
import { Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { printPdf } from '../../platform/pdf.ts';
import type { Program } from '../members/index.ts';
import type { PayoutSettings } from './settings.ts';
import type { Settlement } from './settlement.ts';

const said = (locale: Locale) => (pl: string, en: string): string => (locale === 'pl' ? pl : en);
const KINDS: Record<string, Phrase> = { goods: { pl: 'towary', en: 'goods' }, voucher: { pl: 'bony', en: 'vouchers' }, prepaid: { pl: 'karty przedpłacone', en: 'prepaid cards' }, transfer: { pl: 'przelewy', en: 'bank transfers' }, code: { pl: 'kody rabatowe', en: 'discount codes' }, event: { pl: 'wydarzenia', en: 'events' }, training: { pl: 'szkolenia', en: 'training' }, support: { pl: 'wsparcie', en: 'support' }, charity: { pl: 'dobroczynność', en: 'charity' } };

type Table = { title: string; rows: string[][] };

/** A statement as tables of texts: the same for paper and for the workbook. */
export function settlementTables(program: Program, settlement: Settlement, locale: Locale): Table[] {
  const t = said(locale);
  const money = (minor: bigint): string => formatMinor(minor, program.currencyScale);
  const { totals } = settlement;
  return [
    { title: t('Jednostki', 'Units'), rows: [[t('Jednostka', 'Unit'), t('Początek', 'Opening'), t('Naliczone', 'Granted'), t('Korekty', 'Adjusted'), t('Przekazane', 'Moved'), t('Wydane', 'Redeemed'), t('Zwrócone', 'Returned'), t('Wygasłe', 'Expired'), t('Koniec', 'Closing')],
      ...settlement.units.map((unit) => [unit.unit, ...[unit.opening, unit.granted, unit.adjusted, unit.moved, -unit.redeemed, unit.returned, -unit.expired, unit.closing].map((amount) => formatMinor(amount, unit.scale))])] },
    { title: t('Nagrody', 'Rewards'), rows: [[t('Rodzaj', 'Kind'), t('Sztuk', 'Pieces'), t('Zwrotów', 'Returns'), t('Wartość', 'Worth'), t('Wypłacono', 'Paid'), t('Podatek', 'Tax'), t('Dopłata podatku', 'Tax on top'), t('Koszt', 'Cost')],
      ...settlement.kinds.map((kind) => [KINDS[kind.kind]?.[locale] ?? kind.kind, String(kind.pieces), String(kind.returned), money(kind.worth), money(kind.paid), money(kind.tax), money(kind.extra), money(kind.cost)]), [t('Razem', 'Total'), '', '', money(totals.worth), money(totals.paid), money(totals.tax), money(totals.extra), money(totals.cost)]] },
    { title: t('Do zapłaty', 'Due'), rows: [[t('Pozycja', 'Item'), program.currency], [t('Koszt nagród', 'Cost of rewards'), money(totals.cost)], [t('Dopłata podatku', 'Tax on top'), money(totals.extra)], [t('Opłata za obsługę', 'Service fee'), money(totals.fee)], [t('Razem', 'Total'), money(totals.due)]] },
  ];
}

export async function printSettlement(program: Program, settings: PayoutSettings, settlement: Settlement, locale: Locale): Promise<AsyncIterable<Buffer>> {
  const t = said(locale);
  const table = ({ title, rows: [head = [], ...body] }: Table): unknown[] => [{ text: title, fontSize: 13, bold: true, margin: [0, 14, 0, 4] },
    { layout: 'lightHorizontalLines', fontSize: 9, table: { headerRows: 1, widths: head.map((_, index) => (index === 0 ? '*' : 'auto')), body: [head.map((text) => ({ text, bold: true })), ...body.map((cells) => cells.map((text, index) => ({ text, alignment: index === 0 ? 'left' : 'right' })))] } }];
  return Readable.from([await printPdf({ pageSize: 'A4', pageOrientation: 'landscape', pageMargins: [40, 40, 40, 40], info: { title: program.settings.name[locale] }, content: [{ text: program.settings.name[locale], fontSize: 20, bold: true }, { text: `${t('Rozliczenie', 'Statement')} ${settlement.from} – ${settlement.to}`, fontSize: 12 }, ...(settings.payer.name ? [{ text: `${settings.payer.name}${settings.payer.nip ? `, NIP ${settings.payer.nip}` : ''}`, fontSize: 10 }] : []),
    ...settlementTables(program, settlement, locale).flatMap(table), { text: t('\nKażda liczba jednostek jest sumą zapisów księgi, a każda kwota – sumą wypłat tego okresu.', '\nEvery number of units is a sum of the ledger’s entries, every amount a sum of the period’s payouts.'), fontSize: 8 }] })]);
}

export function settlementSheet(program: Program, settlement: Settlement, locale: Locale): AsyncIterable<Buffer> {
  const number = (text: string): string | number => (/^-?\d{1,12}(\.\d{1,6})?$/.test(text) ? Number(text) : text);
  async function* lines(): AsyncGenerator<(string | number)[]> {
    yield [program.settings.name[locale], `${settlement.from} – ${settlement.to}`];
    for (const { title, rows } of settlementTables(program, settlement, locale)) { yield []; yield [title]; for (const row of rows) yield row.map(number); }
  }
  return Readable.fromWeb(writeXlsxStream(lines(), { name: 'Premia' }) as WebStream);
}
