import { addDays, daysBetween, isPolishHoliday, roundRatio, type Day } from '@premia/kernel';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { KINDS, type Kind } from './machine.ts';

/*
 * Tax on rewards as data: a table of dated rows, of which exactly one must fit a payout. Configuration, not advice: what ships is
 * domain.md §4 as of 2026-11-21, and does nothing until an authorised person confirms it.
 */
export const STATUSES = ['CONSUMER', 'PARTNER_EMPLOYEE', 'OWN_EMPLOYEE', 'SOLE_TRADER', 'COMPANY'] as const;
export type Status = (typeof STATUSES)[number];
export const FORMS = ['PIT-8AR', 'PIT-11', 'PAYROLL', 'NONE'] as const;
export type Form = (typeof FORMS)[number];
const day = z.iso.date();
const any = z.literal('*');

export const taxRuleShape = z.strictObject({
  code: z.string().regex(/^[A-Z0-9-]{2,60}$/), country: z.string().length(2).default('PL'), valid_from: day, valid_to: day.nullable().default(null), priority: z.number().int().min(0).max(100).default(0),
  match: z.strictObject({ legal_form: z.array(z.enum(['premium_sale', 'contest', 'incentive', 'loyalty', 'permitted_lottery'])).nonempty().or(any), status: z.array(z.enum(STATUSES)).nonempty().or(any), kind: z.array(z.enum(KINDS)).nonempty().or(any) }),
  exempt: z.strictObject({ threshold_minor: z.number().int().min(0), mode: z.enum(['CLIFF', 'ALLOWANCE']) }).nullable().default(null),
  /** Hundredths of a percent: 1 000 is 10 %. Null where nothing is withheld. */
  rate_bp: z.number().int().min(0).max(9_999).nullable().default(null),
  bearer: z.enum(['WITHHOLD', 'GROSS_UP', 'PARTICIPANT', 'PAYROLL']), form: z.enum(FORMS), legal_basis: z.string().max(500), note: z.string().max(500).default('configuration, not advice'),
});
export type TaxRule = z.infer<typeof taxRuleShape>;

const row = (rule: z.input<typeof taxRuleShape>): TaxRule => taxRuleShape.parse(rule);
const PERSONS = ['CONSUMER', 'PARTNER_EMPLOYEE'] as const;
/** The Polish defaults (domain.md §4.1 and §4.4), unconfirmed. The act raising 10 % to 15 % was vetoed in December 2025. */
export const POLISH_DEFAULTS: readonly TaxRule[] = [
  row({ code: 'PL-SPRZEDAZ-PREMIOWA-10', valid_from: '2018-01-01', match: { legal_form: ['premium_sale', 'loyalty'], status: ['CONSUMER'], kind: '*' }, exempt: { threshold_minor: 200_000, mode: 'CLIFF' }, rate_bp: 1_000, bearer: 'WITHHOLD', form: 'PIT-8AR', legal_basis: 'art. 21(1)(68), art. 30(1)(2) ustawa o PIT' }),
  row({ code: 'PL-KONKURS-10', valid_from: '2018-01-01', match: { legal_form: ['contest'], status: [...PERSONS], kind: '*' }, rate_bp: 1_000, bearer: 'WITHHOLD', form: 'PIT-8AR', legal_basis: 'art. 30(1)(2) ustawa o PIT' }),
  row({ code: 'PL-LOTERIA-10', valid_from: '2018-01-01', match: { legal_form: ['permitted_lottery'], status: [...PERSONS], kind: '*' }, exempt: { threshold_minor: 228_000, mode: 'CLIFF' }, rate_bp: 1_000, bearer: 'WITHHOLD', form: 'PIT-8AR', legal_basis: 'art. 21(1)(6a), art. 30(1)(2) ustawa o PIT' }),
  row({ code: 'PL-INNE-ZRODLA', valid_from: '2018-01-01', match: { legal_form: ['incentive', 'premium_sale', 'loyalty'], status: ['PARTNER_EMPLOYEE'], kind: '*' }, bearer: 'PARTICIPANT', form: 'PIT-11', legal_basis: 'art. 20(1) ustawa o PIT; 0115-KDIT2.4011.494.2025.2.MM, 0114-KDWP.4011.168.2025.2.ASZ' }),
  row({ code: 'PL-INNE-ZRODLA-KONSUMENT', valid_from: '2018-01-01', match: { legal_form: ['incentive'], status: ['CONSUMER'], kind: '*' }, bearer: 'PARTICIPANT', form: 'PIT-11', legal_basis: 'art. 20(1) ustawa o PIT' }),
  row({ code: 'PL-OWN-EMPLOYEE', valid_from: '2018-01-01', match: { legal_form: '*', status: ['OWN_EMPLOYEE'], kind: '*' }, bearer: 'PAYROLL', form: 'PAYROLL', legal_basis: 'art. 12(1) ustawa o PIT' }),
  row({ code: 'PL-SOLE-TRADER', valid_from: '2018-01-01', match: { legal_form: '*', status: ['SOLE_TRADER'], kind: '*' }, bearer: 'PARTICIPANT', form: 'NONE', legal_basis: 'art. 14 ustawa o PIT' }),
  row({ code: 'PL-COMPANY', valid_from: '2018-01-01', match: { legal_form: '*', status: ['COMPANY'], kind: '*' }, bearer: 'PARTICIPANT', form: 'NONE', legal_basis: 'art. 12 ustawa o CIT' }),
];

export type Case = { legalForm: string; status: Status; kind: Kind; on: Day };
const fits = (wanted: '*' | readonly string[], value: string): boolean => wanted === '*' || wanted.includes(value);
const specific = ({ match }: TaxRule): number => Number(match.legal_form !== '*') + Number(match.status !== '*') + Number(match.kind !== '*');

/**
 * The one row for a payout: by priority, then the most specific. None, or two alike, is an answer too: the payout waits for a person.
 * `table` holds every version, the newest of a code first: a version hides those before it from its first day on, so that a rate of next
 * year can be written down today, and a row withdrawn by a version that has ended.
 */
export function findRow<R extends { rule: TaxRule }>(table: readonly R[], of: Case): R | 'tax_row_missing' | 'tax_row_ambiguous' {
  const begun = table.filter(({ rule }) => rule.valid_from <= of.on);
  const newest = begun.filter((row, index) => begun.findIndex((other) => other.rule.code === row.rule.code) === index);
  const fitting = newest.filter(({ rule }) => (rule.valid_to === null || of.on <= rule.valid_to) && fits(rule.match.legal_form, of.legalForm) && fits(rule.match.status, of.status) && fits(rule.match.kind, of.kind));
  const [first, second] = fitting.toSorted((a, b) => b.rule.priority - a.rule.priority || specific(b.rule) - specific(a.rule));
  if (!first) return 'tax_row_missing';
  if (second && second.rule.priority === first.rule.priority && specific(second.rule) === specific(first.rule)) return 'tax_row_ambiguous';
  return first;
}

/** `income`: what the tax is counted on; `pay`: what the member gets; `extra`: what the payer adds on top. All in grosze. */
export type Tax = { income: bigint; base: bigint; tax: bigint; pay: bigint; extra: bigint };

const WHOLE = 100n;
/** Full złoty, half up (Tax Ordinance art. 63), in grosze. */
export const fullZloty = (minor: bigint): bigint => roundRatio({ n: minor, d: WHOLE }, 'half_up') * WHOLE;
/** What a prize grossed up is worth before tax: net ÷ (1 − rate), to the grosz (domain.md §4.3). */
export const grossUp = (net: bigint, rateBp: number): bigint => roundRatio({ n: net * 10_000n, d: 10_000n - BigInt(rateBp) }, 'half_up');

/** The tax on one payout of `worth` grosze by a row. Withheld: base and tax each to full złoty, half up. */
export function taxOn(rule: TaxRule, worth: bigint): Tax {
  const untaxed: Tax = { income: worth, base: 0n, tax: 0n, pay: worth, extra: 0n };
  if (rule.rate_bp === null || rule.bearer === 'PARTICIPANT' || rule.bearer === 'PAYROLL') return untaxed;
  const threshold = rule.exempt ? BigInt(rule.exempt.threshold_minor) : null;
  if (threshold !== null && worth <= threshold) return untaxed;
  const taxed = threshold !== null && rule.exempt?.mode === 'ALLOWANCE' ? worth - threshold : worth;
  const rate = BigInt(rule.rate_bp);
  if (rule.bearer === 'GROSS_UP') {
    const gross = grossUp(taxed, rule.rate_bp);
    return { income: worth + gross - taxed, base: fullZloty(gross), tax: fullZloty(roundRatio({ n: gross * rate, d: 10_000n }, 'half_up')), pay: worth, extra: gross - taxed };
  }
  const base = fullZloty(taxed);
  const tax = roundRatio({ n: base * rate, d: 10_000n * WHOLE }, 'half_up') * WHOLE;
  return { income: worth, base, tax, pay: worth - tax, extra: 0n };
}

/** What was used, so that anybody can check it later: the row's digest is over its own text, its parts in the shape's order. */
export const digestOf = (rule: TaxRule): string => createHash('sha256').update(JSON.stringify(taxRuleShape.parse(rule))).digest('hex');

/** A deadline on a Saturday, Sunday or holiday moves to the next working day (Tax Ordinance art. 12 § 5). */
export function nextWorkingDay(day: Day): Day {
  for (let on = day; ; on = addDays(on, 1)) if ((((daysBetween('1990-01-01', on) % 7) + 7) % 7) < 5 && !isPolishHoliday(on)) return on;
}

/** When the forms of a year, and the tax withheld in a month, are due (domain.md §4.2). */
export const formDue = (form: Form, year: number): { office: Day; person: Day | null } | null => (form === 'PIT-8AR' ? { office: nextWorkingDay(`${year + 1}-01-31`), person: null }
  : form === 'PIT-11' ? { office: nextWorkingDay(`${year + 1}-01-31`), person: nextWorkingDay((addDays(`${year + 1}-03-01`, -1))) } : null);
export const remitDue = (paidOn: Day): Day => { const [year, month] = [Number(paidOn.slice(0, 4)), Number(paidOn.slice(5, 7))]; return nextWorkingDay(`${month === 12 ? year + 1 : year}-${String((month % 12) + 1).padStart(2, '0')}-20`); };
