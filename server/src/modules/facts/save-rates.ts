import { sql } from 'kysely';
import { Refusal, isDay, parseRatio, phrase, type Day } from '@premia/kernel';
import { row, rows, type Tx } from '../../platform/database.ts';
import type { Program } from '../members/index.ts';

/** One unit of a foreign currency in the program's currency on a day: '4.2517', from where ('NBP 226/A/NBP/2026'). */
export type RateDraft = { currency: string; day: Day; rate: string; origin: string };
export type Rate = { currency: string; day: Day; n: bigint; d: bigint; origin: string };
export const RATES_PER_CALL_MAX = 5_000;
export const RATE_AGE_DAYS_MAX = 7;

const refused = (index: number, field: string, code: string, pl: string, en: string): Refusal => new Refusal(code, code === 'rate_fixed' ? 409 : 422, phrase('Nieprawidłowy kurs.', 'Not a valid rate.'), [{ pointer: `/${index}/${field}`, code, message: phrase(pl, en) }]);

/** Records rates. A rate once recorded stays: sales were converted at it. The same again is harmless. Answers how many are new. */
export async function saveRates(tx: Tx, tenantId: bigint, program: Program, drafts: readonly RateDraft[]): Promise<number> {
  if (drafts.length > RATES_PER_CALL_MAX) throw new Refusal('too_many_rates', 413, phrase(`Najwyżej ${RATES_PER_CALL_MAX} kursów naraz.`, `At most ${RATES_PER_CALL_MAX} rates at a time.`));
  let added = 0;
  for (const [index, draft] of drafts.entries()) {
    const value = parseRatio(draft.rate);
    if (!/^[A-Z]{3}$/.test(draft.currency) || draft.currency === program.currency) throw refused(index, 'currency', 'currency_malformed', 'waluta inna niż waluta programu, trzy litery', 'a currency other than the program’s, three letters');
    if (!isDay(draft.day)) throw refused(index, 'day', 'date_malformed', 'data', 'date');
    if (!value || value.n <= 0n || value.n > 10n ** 12n || value.d > 10n ** 8n) throw refused(index, 'rate', 'rate_malformed', 'liczba dodatnia, najwyżej 8 miejsc po kropce', 'a number above zero with at most 8 decimals');
    const made = await rows(tx, sql`INSERT INTO facts.rate (tenant_id, program_id, currency, day, rate_n, rate_d, origin) VALUES (${tenantId}, ${program.programId}, ${draft.currency}, ${draft.day}, ${value.n}, ${value.d}, ${draft.origin}) ON CONFLICT DO NOTHING RETURNING 1`);
    if (made.length > 0) { added += 1; continue; }
    const known = await row<{ rate_n: bigint; rate_d: bigint }>(tx, sql`SELECT rate_n, rate_d FROM facts.rate WHERE program_id = ${program.programId} AND currency = ${draft.currency} AND day = ${draft.day}`);
    if (known && known.rate_n * value.d !== value.n * known.rate_d) throw refused(index, 'rate', 'rate_fixed', `kurs ${draft.currency} z ${draft.day} jest już zapisany i inny`, `the rate of ${draft.currency} on ${draft.day} is recorded already, and another`);
  }
  return added;
}

/** Recorded rates, newest first. */
export async function listRates(tx: Tx, program: Program, page: { currency?: string; before?: Day; limit: number }): Promise<Rate[]> {
  return rows<Rate>(tx, sql`SELECT currency, day, rate_n AS n, rate_d AS d, origin FROM facts.rate WHERE program_id = ${program.programId} AND (${page.currency ?? null}::text IS NULL OR currency = ${page.currency ?? null})
    AND (${page.before ?? null}::date IS NULL OR day < ${page.before ?? null}) ORDER BY day DESC, currency LIMIT ${page.limit}`);
}

/** The rate of a day: its own, or the latest of the week before (a holiday has none). */
export async function rateOn(tx: Tx, program: Program, currency: string, day: Day): Promise<Rate | null> {
  return (await row<Rate>(tx, sql`SELECT currency, day, rate_n AS n, rate_d AS d, origin FROM facts.rate WHERE program_id = ${program.programId} AND currency = ${currency} AND day <= ${day} AND day > ${day}::date - ${RATE_AGE_DAYS_MAX + 1}::int ORDER BY day DESC LIMIT 1`)) ?? null;
}
