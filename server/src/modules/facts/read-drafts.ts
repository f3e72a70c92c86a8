import { Refusal, isDay, isNip, momentInZone, parseMinor, phrase, ratio, roundRatio } from '@premia/kernel';
import type { saleDocument } from '@premia/contract';
import type { z } from 'zod';
import type { Tx } from '../../platform/database.ts';
import type { Program } from '../members/index.ts';
import { rateOn, type Rate } from './save-rates.ts';
import type { LineDraft } from './line-draft.ts';
import { normalizeCode } from './import/read-row.ts';
import type { Source } from './source-settings.ts';

export type SaleDocument = z.output<typeof saleDocument>;

/** The rates that documents of this call are converted at, by currency and day. */
export async function ratesFor(tx: Tx, documents: readonly SaleDocument[], program: Program, source: Source): Promise<Map<string, Rate>> {
  const rates = new Map<string, Rate>();
  for (const [d, document] of documents.entries()) {
    const currency = document.currency ?? source.settings.default_currency ?? program.currency;
    const { occurredOn } = momentOf(document, program, `/body/documents/${d}`);
    if (currency === program.currency || rates.has(`${currency} ${occurredOn}`)) continue;
    const rate = await rateOn(tx, program, currency, occurredOn);
    if (!rate) throw refused(`/body/documents/${d}/currency`, 'rate_missing', `brak kursu ${currency} na ${occurredOn}`, `no rate of ${currency} for ${occurredOn}`);
    rates.set(`${currency} ${occurredOn}`, rate);
  }
  return rates;
}

/** Lines as the engine records them, from documents as the API takes them, in the program's currency. Refuses with the path of what is wrong. */
export function draftsOf(documents: readonly SaleDocument[], program: Program, source: Source, rates: ReadonlyMap<string, Rate>): LineDraft[] {
  return documents.flatMap((document, d) => {
    const at = `/body/documents/${d}`;
    const moment = momentOf(document, program, at);
    const currency = document.currency ?? source.settings.default_currency ?? program.currency;
    const rate = rates.get(`${currency} ${moment.occurredOn}`);
    return document.lines.map((line, l): LineDraft => {
      const here = `${at}/lines/${l}`;
      return converted(rate, {
        number: document.number.normalize('NFC').trim(), kind: document.kind, ...moment, baseNumber: document.base ?? null, baseLine: line.base_line ?? null, lineNo: line.line ?? null,
        productCode: line.product === undefined ? null : normalizeCode(line.product, { strip_decimal_zero: false, upper: source.settings.codes.upper }), productName: line.product_name ?? null,
        quantityMilli: minor(line.quantity, 3, `${here}/quantity`), netMinor: minor(line.net, program.currencyScale, `${here}/net`), grossMinor: line.gross === undefined ? null : minor(line.gross, program.currencyScale, `${here}/gross`),
        currency, original: null, buyer: reference(document.buyer, source, `${at}/buyer`), seller: reference(document.seller, source, `${at}/seller`), rep: reference(line.rep ?? document.rep, source, `${here}/rep`),
        shares: line.shares?.map((share) => ({ ref: reference(share.member, source, here) as string, weight: String(share.weight) })) ?? null, channel: line.channel ?? null, attributes: line.attributes ?? null,
      });
    });
  });
}

/** A foreign amount at the day's rate, rounded half up once per line; the original stays beside it. */
function converted(rate: Rate | undefined, line: LineDraft): LineDraft {
  if (!rate) return line;
  const at = (minor: bigint): bigint => roundRatio(ratio(minor * rate.n, rate.d), 'half_up');
  return { ...line, netMinor: at(line.netMinor), grossMinor: line.grossMinor === null ? null : at(line.grossMinor),
    original: { currency: rate.currency, netMinor: String(line.netMinor), grossMinor: line.grossMinor === null ? null : String(line.grossMinor), rate: `${rate.n}/${rate.d}`, rateOn: rate.day, origin: rate.origin } };
}

const refused = (pointer: string, code: string, pl: string, en: string): Refusal => new Refusal(code, 422, phrase('Żądanie jest nieprawidłowe.', 'The request is not valid.'), [{ pointer, code, message: phrase(pl, en) }]);

function minor(text: string, scale: number, pointer: string): bigint {
  try { return parseMinor(text, scale); } catch { throw refused(pointer, 'amount_malformed', `najwyżej ${scale} miejsca po kropce`, `at most ${scale} decimals`); }
}

function momentOf(document: SaleDocument, program: Program, at: string): Pick<LineDraft, 'occurredOn' | 'occurredAt' | 'hour'> {
  if (document.occurred_at !== undefined) {
    const moment = momentInZone(document.occurred_at, program.zone);
    if ('reason' in moment || !isDay(moment.day)) throw refused(`${at}/occurred_at`, 'date_malformed', 'nie ma takiej chwili', 'there is no such moment');
    return { occurredOn: moment.day, occurredAt: moment.at, hour: moment.hour };
  }
  if (document.occurred_on === undefined || !isDay(document.occurred_on)) throw refused(`${at}/occurred_on`, 'date_malformed', 'podaj datę sprzedaży', 'give the date of the sale');
  return { occurredOn: document.occurred_on, occurredAt: null, hour: null };
}

/** 'code:…', 'nip:…', 'email:…' or a bare code, normalised as the source says. */
export function reference(given: string | undefined, source: Source, pointer: string): string | null {
  if (given === undefined) return null;
  const [, scheme = 'code', value = given] = /^(code|nip|email):(.*)$/s.exec(given) ?? [];
  if (scheme === 'email') return `email:${value.trim().toLowerCase()}`;
  if (scheme === 'code') return `code:${normalizeCode(value, source.settings.codes)}`;
  const nip = value.replace(/^\s*PL/i, '').replace(/[\s-]/g, '');
  if (!isNip(nip)) throw refused(pointer, 'nip_invalid', 'nieprawidłowy NIP', 'not a valid NIP');
  return `nip:${nip}`;
}
