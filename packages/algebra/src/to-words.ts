import { formatMinor, printRatio, ratio, roundRatio, timesRatio, type Locale, type Ratio } from '@premia/kernel';
import type { Condition, Leaf, Mechanic } from './mechanic.ts';
import { mainLeaves } from './to-sql.ts';

/*
 * The rule as a sentence. The portal, the terms, the console and the explanation all print this one; boundary tests hold it to
 * what the compiled rule does. Polish is written, not translated: cases are avoided by construction where they would be guessed.
 */

export type UnitWords = { pl: { one: string; few: string; many: string; short: string }; en: { one: string; other: string; short: string } };
export type Vocabulary = { currency: string; unit(key: string): UnitWords | undefined; product?(code: string): string };

const NBSP = '\u00a0';

/** 1234.5 → '1 234,5' in Polish, '1,234.5' in English; groups with spaces that do not break. */
export function sayNumber(text: string, locale: Locale): string {
  const [whole = '', fraction] = text.replace('-', '').split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, locale === 'pl' ? NBSP : ',');
  return `${text.startsWith('-') ? '−' : ''}${grouped}${fraction === undefined ? '' : (locale === 'pl' ? ',' : '.') + fraction}`;
}

const MONTHS = { pl: ['sty', 'lut', 'mar', 'kwi', 'maj', 'cze', 'lip', 'sie', 'wrz', 'paź', 'lis', 'gru'], en: ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] };
/** '2026-11-14' → '14 lis 2026', '14 Nov 2026'. */
export const sayDay = (day: string, locale: Locale): string => { const [year, month, date] = day.split('-'); return `${Number(date)}${NBSP}${MONTHS[locale][Number(month) - 1]}${NBSP}${year}`; };

/** A decimal as it is; a fraction that is none (2/3) rounded down to two places, for display only. */
function shown(value: Ratio): string {
  const printed = printRatio(value);
  return printed.includes('/') ? formatMinor(roundRatio(timesRatio(value, ratio(100n)), 'floor'), 2) : printed;
}

const money = (value: Ratio, currency: string, locale: Locale): string => {
  const printed = shown(value);
  const text = /\.\d$/.test(printed) ? `${printed}0` : printed;
  return `${sayNumber(text, locale)}${NBSP}${locale === 'pl' && currency === 'PLN' ? 'zł' : currency}`;
};
const percent = (value: Ratio, locale: Locale): string => `${sayNumber(shown(timesRatio(value, ratio(100n))), locale)}${locale === 'pl' ? NBSP : ''}%`;

/** 1 punkt, 2 punkty, 5 punktów; a fraction takes the singular genitive, for which the units' `few` stands in. */
export function sayUnits(value: string, words: UnitWords | undefined, locale: Locale): string {
  const number = sayNumber(value, locale);
  if (!words) return number;
  if (locale === 'en') return `${number} ${value === '1' ? words.en.one : words.en.other}`;
  if (value.includes('.')) return `${number}${NBSP}${words.pl.short}`;
  const n = BigInt(value.replace('-', ''));
  const few = n % 10n >= 2n && n % 10n <= 4n && !(n % 100n >= 12n && n % 100n <= 14n);
  return `${number}${NBSP}${n === 1n ? words.pl.one : few ? words.pl.few : words.pl.many}`;
}

const WINDOWS: Record<string, { pl: string; en: string }> = {
  document: { pl: 'na jednym dokumencie', en: 'on one document' }, line: { pl: 'w jednej pozycji', en: 'on one line' }, day: { pl: 'w ciągu dnia', en: 'in a day' }, week: { pl: 'w ciągu tygodnia', en: 'in a week' },
  month: { pl: 'w miesiącu', en: 'in a month' }, quarter: { pl: 'w kwartale', en: 'in a quarter' }, year: { pl: 'w roku', en: 'in a year' }, program: { pl: 'w całym programie', en: 'in the whole program' },
};
const ROLES: Record<string, { pl: string; en: string }> = { buyer: { pl: 'zakupy', en: 'purchases' }, seller: { pl: 'sprzedaż własna', en: 'own sales' }, rep: { pl: 'sprzedaż przedstawiciela', en: 'the rep’s sales' }, self: { pl: 'aktywności', en: 'activities' } };
const COUNTED: Record<string, { pl: string; en: string }> = {
  documents: { pl: 'liczba dokumentów', en: 'number of documents' }, lines: { pl: 'liczba pozycji', en: 'number of lines' }, products: { pl: 'liczba różnych produktów', en: 'number of different products' },
  categories: { pl: 'liczba różnych kategorii', en: 'number of different categories' }, brands: { pl: 'liczba różnych marek', en: 'number of different brands' }, partners: { pl: 'liczba różnych partnerów', en: 'number of different partners' }, days: { pl: 'liczba aktywnych dni', en: 'number of active days' },
};
const PERIODS: Record<string, { pl: string; en: string }> = { day: { pl: 'dni', en: 'days' }, week: { pl: 'tygodni', en: 'weeks' }, month: { pl: 'miesięcy', en: 'months' }, quarter: { pl: 'kwartałów', en: 'quarters' } };
const FIELDS: Record<string, { pl: string; en: string }> = {
  product: { pl: 'produkt', en: 'product' }, category: { pl: 'kategoria', en: 'category' }, brand: { pl: 'marka', en: 'brand' }, group: { pl: 'grupa produktów', en: 'product group' }, channel: { pl: 'kanał', en: 'channel' }, partner: { pl: 'partner', en: 'partner' },
  company_type: { pl: 'rodzaj firmy', en: 'company type' }, segment: { pl: 'segment', en: 'segment' }, company: { pl: 'firma', en: 'company' }, territory: { pl: 'region', en: 'territory' }, team: { pl: 'zespół', en: 'team' },
  line_net: { pl: 'wartość netto pozycji po korektach', en: 'the line’s net after corrections' }, line_gross: { pl: 'wartość brutto pozycji po korektach', en: 'the line’s gross after corrections' }, line_quantity: { pl: 'ilość w pozycji po korektach', en: 'the line’s quantity after corrections' },
  document_net: { pl: 'wartość netto dokumentu po korektach', en: 'the document’s net after corrections' }, document_gross: { pl: 'wartość brutto dokumentu po korektach', en: 'the document’s gross after corrections' }, document_quantity: { pl: 'ilość na dokumencie po korektach', en: 'the document’s quantity after corrections' },
  hour: { pl: 'godzina', en: 'hour' },
};
const WEEKDAYS = { pl: ['poniedziałek', 'wtorek', 'środa', 'czwartek', 'piątek', 'sobota', 'niedziela'], en: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] };

/** Activities that the presets reward; another kind is called as the source calls it. */
const ACTIVITIES: Record<string, { pl: string; en: string }> = { quiz_passed: { pl: 'zaliczone quizy', en: 'quizzes passed' }, event_attended: { pl: 'udział w wydarzeniu', en: 'events attended' }, referral_activated: { pl: 'aktywne polecenia', en: 'referrals activated' } };
const activityWords = (kind: string, locale: Locale): string => ACTIVITIES[kind]?.[locale] ?? kind.replaceAll('_', ' ');

function fieldWords(field: string, locale: Locale): string {
  const [scope, name] = field.split('.');
  if (name === 'code') return locale === 'pl' ? 'kod' : 'code';
  if (name !== undefined) return scope === 'tier' ? (locale === 'pl' ? `poziom (${name})` : `tier (${name})`) : name.replaceAll('_', ' ');
  return FIELDS[field]?.[locale] ?? field;
}

/** A condition in words, for the sentence and for "not counted, because". */
export function conditionToWords(condition: Condition, locale: Locale, vocabulary: Vocabulary): string {
  const pl = locale === 'pl';
  const list = (items: readonly Condition[], word: string): string => items.map((item) => (item.is === 'all' || item.is === 'any' ? `(${conditionToWords(item, locale, vocabulary)})` : conditionToWords(item, locale, vocabulary))).join(word);
  switch (condition.is) {
    case 'all': return condition.of.length === 0 ? (pl ? 'zawsze' : 'always') : list(condition.of, pl ? ' i ' : ' and ');
    case 'any': return condition.of.length === 0 ? (pl ? 'nigdy' : 'never') : list(condition.of, pl ? ' lub ' : ' or ');
    case 'not': return pl ? `nie: ${conditionToWords(condition.of, locale, vocabulary)}` : `not: ${conditionToWords(condition.of, locale, vocabulary)}`;
    case 'oneOf': return `${fieldWords(condition.field, locale)}: ${condition.values.length === 0 ? '–' : condition.values.slice(0, 8).join(pl ? ' lub ' : ' or ')}${condition.values.length > 8 ? '…' : ''}`;
    case 'atLeast': return compared(condition, pl ? 'co najmniej' : 'at least', locale, vocabulary);
    case 'below': return compared(condition, pl ? 'poniżej' : 'below', locale, vocabulary);
    case 'did': return `${activityWords(condition.activity, locale)}${condition.code === undefined ? '' : ` „${condition.code}”`}`;
  }
}

function compared(condition: Extract<Condition, { is: 'atLeast' | 'below' }>, word: string, locale: Locale, vocabulary: Vocabulary): string {
  const { field, value } = condition;
  if (field === 'weekday') {
    const day = WEEKDAYS[locale][Number(value.n / value.d) - 1] ?? printRatio(value);
    return condition.is === 'atLeast' ? (locale === 'pl' ? `dzień tygodnia: ${day} lub później` : `weekday: ${day} or later`) : (locale === 'pl' ? `dzień tygodnia: przed ${day}` : `weekday: before ${day}`);
  }
  const said = field.endsWith('_quantity') || field === 'hour' ? sayNumber(printRatio(value), locale) : money(value, vocabulary.currency, locale);
  const timed = field === 'hour' ? (locale === 'pl' ? ' (sprzedaż bez godziny się nie liczy)' : ' (sales without a time do not count)') : '';
  return `${fieldWords(field, locale)} ${word} ${said}${timed}`;
}

function leafWords(leaf: Leaf, locale: Locale, vocabulary: Vocabulary): string {
  const pl = locale === 'pl';
  const where = leaf.is !== 'awarded' && leaf.where ? ` (${conditionToWords(leaf.where, locale, vocabulary)})` : '';
  switch (leaf.is) {
    case 'sum': return (leaf.of === 'quantity' ? (pl ? 'ilość' : 'quantity') : leaf.of === 'net' ? (pl ? 'wartość netto' : 'net value') : (pl ? 'wartość brutto' : 'gross value')) + where;
    case 'count': return (COUNTED[leaf.of]?.[locale] ?? leaf.of) + where;
    case 'streak': return leaf.each === undefined
      ? (pl ? `najdłuższy ciąg aktywnych ${PERIODS[leaf.of]?.pl} z rzędu` : `longest run of active ${PERIODS[leaf.of]?.en} in a row`) + where
      : (pl ? `liczba pełnych ciągów po ${leaf.each} aktywnych ${PERIODS[leaf.of]?.pl} z rzędu` : `number of complete runs of ${leaf.each} active ${PERIODS[leaf.of]?.en} in a row`) + where;
    case 'awarded': return pl ? `przyznane: ${vocabulary.unit(leaf.unit)?.pl.many ?? leaf.unit}` : `${vocabulary.unit(leaf.unit)?.en.other ?? leaf.unit} awarded`;
  }
}

/** A value of the measure (or of attainment) as people read it. */
export function measureWords(mechanic: Mechanic, value: Ratio, locale: Locale, vocabulary: Vocabulary): string {
  const [leaf] = mainLeaves(mechanic);
  if (mechanic.measure.is === 'blend' || mechanic.base?.as === 'ratio') return percent(value, locale);
  if (leaf?.is === 'sum' && leaf.of !== 'quantity') return money(value, vocabulary.currency, locale);
  return sayNumber(shown(value), locale);
}

/** The rule in one sentence. */
export function toWords(mechanic: Mechanic, locale: Locale, vocabulary: Vocabulary): string {
  const pl = locale === 'pl';
  const unit = vocabulary.unit(mechanic.award.unit);
  const units = (value: Ratio): string => sayUnits(printRatio(value), unit, locale);
  const window = typeof mechanic.window === 'object' ? (pl ? 'w nazwanym okresie' : 'in a named period') : WINDOWS[mechanic.window]?.[locale] ?? '';
  const parts = [`${curveWords(mechanic, units, locale, vocabulary)} ${window}`];
  parts.push(`${pl ? 'liczą się' : 'counts'}: ${mechanic.facts.kind === 'sale' ? ROLES[mechanic.earner.role]?.[locale] : activityWords(mechanic.facts.kind, locale)}${mechanic.facts.where ? `, ${conditionToWords(mechanic.facts.where, locale, vocabulary)}` : ''}`);
  if (mechanic.earner.who) parts.push(`${pl ? 'dla kogo' : 'for whom'}: ${conditionToWords(mechanic.earner.who, locale, vocabulary)}`);
  if (mechanic.pool) parts.push(poolWords(mechanic.pool, pl));
  for (const gate of mechanic.gates) parts.push(`${pl ? 'warunek' : 'only with'}: ${gateWords(gate, locale, vocabulary)}`);
  parts.push(...limitWords(mechanic, units, pl));
  parts.push(...awardWords(mechanic, pl));
  const from = sayDay(mechanic.from, locale);
  const until = mechanic.until === undefined ? '' : `${pl ? ' do' : ' until'} ${sayDay(mechanic.until, locale)}`;
  parts.push(`${pl ? 'od' : 'from'} ${from}${until}`);
  const sentence = parts.join('; ');
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}

function curveWords(mechanic: Mechanic, units: (value: Ratio) => string, locale: Locale, vocabulary: Vocabulary): string {
  const pl = locale === 'pl';
  const { curve, measure, base } = mechanic;
  const x = (value: Ratio): string => measureWords(mechanic, value, locale, vocabulary);
  const measured = measure.is === 'blend' ? (pl ? 'ważona realizacja celów' : 'weighted attainment of targets') : leafWords(measure, locale, vocabulary);
  const against = base ? baseWords(base, pl, locale, vocabulary) : '';
  const what = `${measured}${against}`;
  switch (curve.is) {
    case 'per': return `${units(curve.units)} ${pl ? 'za każde pełne' : 'for every full'} ${x(curve.every)} (${what}${mechanic.rounding === 'down' ? '' : pl ? `, zaokrąglenie ${mechanic.rounding}` : `, rounded ${mechanic.rounding.replace('_', ' ')}`})`;
    case 'steps': return `${curve.steps.map((step) => `${pl ? 'od' : 'from'} ${x(step.reach)} – ${units(step.units)}`).join(', ')} (${what})`;
    case 'bands': {
      const rates = curve.bands.map((band) => `${pl ? 'od' : 'from'} ${x(band.from)} – ${rateWords(mechanic, band.rate, locale, vocabulary)}`).join(', ');
      const scope = curve.mode === 'marginal' ? (pl ? 'każda stawka od swojej części' : 'each rate on its own part') : (pl ? 'stawka osiągniętego progu od całości' : 'the reached rate on everything');
      return `${rates} (${what}; ${scope})`;
    }
    case 'linear': return `${curve.points.map((point) => `${x(point.x)} – ${units(point.units)}`).join(', ')}, ${pl ? 'pomiędzy proporcjonalnie, poniżej nic' : 'in proportion between, nothing below'} (${what})`;
    case 'rank': return `${curve.places.map((place, index) => `${index + 1}. ${pl ? 'miejsce' : 'place'} – ${units(place)}`).join(', ')} (${what}; ${{ share: pl ? 'remis dzieli pulę miejsc' : 'ties share the places’ pool', higher: pl ? 'remis daje wyższe miejsce każdemu' : 'ties all get the higher place', member: pl ? 'remis rozstrzyga numer uczestnika' : 'ties go by member number' }[curve.ties]})`;
  }
}

function rateWords(mechanic: Mechanic, rate: Ratio, locale: Locale, vocabulary: Vocabulary): string {
  const unit = vocabulary.unit(mechanic.award.unit);
  if (mechanic.award.unit.toUpperCase() === vocabulary.currency) return percent(rate, locale);
  return `${sayNumber(printRatio(rate), locale)}${NBSP}${unit?.[locale].short ?? ''}/${locale === 'pl' && vocabulary.currency === 'PLN' ? 'zł' : vocabulary.currency}`;
}

function baseWords(base: NonNullable<Mechanic['base']>, pl: boolean, locale: Locale, vocabulary: Vocabulary): string {
  if (base.is === 'target') return (pl ? ' wobec celu' : ' against the target') + (base.pro_rata ? (pl ? ' (proporcjonalnie do dni udziału)' : ' (pro rata of days taking part)') : '') + (base.as === 'difference' ? (pl ? ', nadwyżka' : ', the excess') : '');
  const growth = base.as === 'difference' ? (pl ? ' ponad ' : ' above ') : (pl ? ' wobec ' : ' against ');
  if (base.is === 'fixed') return growth + money(base.value, vocabulary.currency, locale);
  const ago = base.years === undefined ? (pl ? `okno ${base.windows} wcześniej` : `${base.windows} window${base.windows === 1 ? '' : 's'} earlier`) : (pl ? `to samo okno ${base.years === 1 ? 'rok' : `${base.years} lata`} wcześniej` : `the same window ${base.years === 1 ? 'a year' : `${base.years} years`} earlier`);
  return growth + ago;
}

function poolWords(pool: NonNullable<Mechanic['pool']>, pl: boolean): string {
  if (pool.by === 'everyone') return pl ? `ranking wszystkich${pool.bands === undefined ? '' : `, w grupach: ${pool.bands.slice(7)}`}; po zamknięciu okresu liczy się kolejność zapisania` : `a ranking of everyone${pool.bands === undefined ? '' : `, in bands: ${pool.bands.slice(7)}`}; after close the recorded order counts`;
  const whom = pool.by === 'team' ? (pl ? 'wspólnie w zespole' : 'together as a team') : (pl ? 'wspólnie w firmie' : 'together as a company');
  const how = { each: pl ? 'każdy otrzymuje całość' : 'each receives it all', in_proportion: pl ? 'podział proporcjonalny do wkładu' : 'shared in proportion to contribution', by_head: pl ? 'podział równo na osoby z ostatniego dnia' : 'shared equally by head on the last day' }[pool.received];
  return `${whom}, ${how}`;
}

export function gateWords(gate: Mechanic['gates'][number], locale: Locale, vocabulary: Vocabulary): string {
  const pl = locale === 'pl';
  switch (gate.is) {
    case 'did': return `${activityWords(gate.activity, locale)}${gate.code === undefined ? '' : ` „${gate.code}”`}${pl ? ' do końca okna' : ' by the window’s end'}`;
    case 'member': return `${conditionToWords(gate.who, locale, vocabulary)}${pl ? ' w ostatnim dniu okna' : ' on the window’s last day'}`;
    case 'reach': {
      const value = gate.measure.is === 'sum' && gate.measure.of !== 'quantity' ? money(gate.at_least, vocabulary.currency, locale) : sayNumber(printRatio(gate.at_least), locale);
      return `${leafWords(gate.measure, locale, vocabulary)} ${pl ? 'co najmniej' : 'at least'} ${value}`;
    }
  }
}

function limitWords(mechanic: Mechanic, units: (value: Ratio) => string, pl: boolean): string[] {
  const { least, most, most_total: total, budget } = mechanic.limits;
  return [
    ...(least ? [pl ? `co najmniej ${units(least)}` : `at least ${units(least)}`] : []), ...(most ? [pl ? `najwyżej ${units(most)}` : `at most ${units(most)}`] : []),
    ...(total ? [pl ? `łącznie najwyżej ${units(total)}` : `at most ${units(total)} in total`] : []), ...(budget !== undefined ? [pl ? 'do wyczerpania puli, w kolejności zapisania' : 'until the pool is used up, in recorded order'] : []),
  ];
}

function awardWords(mechanic: Mechanic, pl: boolean): string[] {
  const { available, expires } = mechanic.award;
  const from = available === 'at_once' ? [] : [typeof available === 'object' ? (pl ? `dostępne po ${available.after_days} dniach` : `available after ${available.after_days} days`) : available === 'approval' ? (pl ? 'dostępne po zatwierdzeniu' : 'available on approval') : (pl ? 'dostępne po zamknięciu okresu' : 'available at period close')];
  if (expires === 'never') return from;
  if ('inactive_months' in expires) return [...from, pl ? `ważne, dopóki nie minie ${expires.inactive_months} mies. bez aktywności` : `valid until ${expires.inactive_months} months pass without activity`];
  if ('on' in expires) return [...from, pl ? `ważne do ${expires.on}` : `valid until ${expires.on}`];
  const end = expires.day !== undefined ? (pl ? `, do najbliższego ${expires.day}` : `, to the next ${expires.day}`) : expires.end === 'day' ? '' : { month: pl ? ', do końca miesiąca' : ', to the end of the month', quarter: pl ? ', do końca kwartału' : ', to the end of the quarter', year: pl ? ', do końca roku' : ', to the end of the year' }[expires.end];
  return [...from, pl ? `ważne ${expires.months} mies.${end}` : `valid ${expires.months} months${end}`];
}

export { money as sayMoney, percent as sayPercent };
