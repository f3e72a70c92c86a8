import { useSyncExternalStore } from 'react';
import type { Locale } from '@premia/kernel';

/*
 * Every word on a screen is written where it stands, in both languages: t('Zatwierdź', 'Approve'). The compiler asks for both, nothing is
 * extracted or generated, and a translation cannot be stale. A test holds that no raw text slips past it; the pseudo language (?lang=xx)
 * shows it to the eye.
 */
export type Language = Locale | 'xx';
const KEPT = 'premia.language';
const listeners = new Set<() => void>();

function firstLanguage(): Language {
  const asked = new URLSearchParams(location.search).get('lang');
  if (asked === 'pl' || asked === 'en' || asked === 'xx') return asked;
  const kept = localStorage.getItem(KEPT);
  if (kept === 'pl' || kept === 'en') return kept;
  return navigator.language.toLowerCase().startsWith('en') ? 'en' : 'pl';
}

let language: Language = firstLanguage();
document.documentElement.lang = language === 'xx' ? 'en' : language;

/** The language that numbers, dates and the server's sentences are in. */
export const locale = (): Locale => (language === 'xx' ? 'en' : language);
export const languageNow = (): Language => language;

export function setLanguage(next: Language): void {
  language = next;
  if (next !== 'xx') localStorage.setItem(KEPT, next);
  document.documentElement.lang = locale();
  for (const tell of listeners) tell();
}

/** Makes a component draw itself anew when the language changes. */
export const useLanguage = (): Language => useSyncExternalStore((tell) => { listeners.add(tell); return () => listeners.delete(tell); }, () => language);

export const t = (pl: string, en: string): string => (language === 'pl' ? pl : language === 'en' ? en : `⟦${en}⟧`);
/** One of the server's phrases. */
export const said = (phrase: { pl: string; en: string }): string => phrase[locale()];

const rules = { pl: new Intl.PluralRules('pl'), en: new Intl.PluralRules('en') };
/** `plural(5, ['punkt', 'punkty', 'punktów'], ['point', 'points'])` → „5 punktów”. */
export function plural(n: number, pl: readonly [one: string, few: string, many: string], en: readonly [one: string, other: string]): string {
  const number = count(n);
  if (language !== 'pl') return t('', `${number} ${rules.en.select(n) === 'one' ? en[0] : en[1]}`);
  const form = rules.pl.select(n);
  return `${number}\u00a0${form === 'one' ? pl[0] : form === 'few' ? pl[1] : pl[2]}`;
}

const NBSP = '\u00a0';
/** 12480 → „12 480”, with spaces that do not break. */
export const count = (n: number): string => amount(String(n));
/** A decimal of the API as people read it; never through a float. */
export function amount(text: string): string {
  const pl = locale() === 'pl';
  const [whole = '', fraction] = text.replace('-', '').split('.');
  return `${text.startsWith('-') ? '−' : ''}${whole.replace(/\B(?=(\d{3})+(?!\d))/g, pl ? NBSP : ',')}${fraction === undefined ? '' : (pl ? ',' : '.') + fraction}`;
}
export const signed = (text: string): string => (text.startsWith('-') || /^0(\.0+)?$/.test(text) ? amount(text) : `+${amount(text)}`);
export const money = (text: string, currency: string): string => (locale() === 'pl' && currency === 'PLN' ? `${amount(text)}${NBSP}zł` : `${amount(text)}${NBSP}${currency}`);
/** Money without grosze, for tiles and axes. */
export const roundMoney = (text: string, currency: string): string => money(text.split('.')[0] ?? text, currency);
/** Basis points as a whole percent, rounded down. */
export const percent = (bp: number): string => `${count(Math.floor(bp / 100))}${locale() === 'pl' ? NBSP : ''}%`;

const MONTHS = { pl: ['sty', 'lut', 'mar', 'kwi', 'maj', 'cze', 'lip', 'sie', 'wrz', 'paź', 'lis', 'gru'], en: ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] };
const NAMES = { pl: ['styczeń', 'luty', 'marzec', 'kwiecień', 'maj', 'czerwiec', 'lipiec', 'sierpień', 'wrzesień', 'październik', 'listopad', 'grudzień'], en: ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'] };
/** '2026-11-14' → „14 lis 2026”. */
export function day(text: string | null): string {
  if (text === null || text === 'infinity') return t('bezterminowo', 'no end');
  if (text === '-infinity') return t('od początku', 'from the beginning');
  const [year, month, date] = text.slice(0, 10).split('-');
  return `${Number(date)}${NBSP}${MONTHS[locale()][Number(month) - 1]}${NBSP}${year}`;
}
/** '2026-11…' → „listopad 2026”. */
export const month = (text: string): string => `${NAMES[locale()][Number(text.slice(5, 7)) - 1]}${NBSP}${text.slice(0, 4)}`;
export const shortMonth = (text: string): string => MONTHS[locale()][Number(text.slice(5, 7)) - 1] ?? '';
/** A moment in the reader's own zone: „14 lis 2026, 12:05”. */
export function moment(text: string): string {
  const at = new Date(text);
  const pad = (n: number): string => String(n).padStart(2, '0');
  return `${day(`${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`)}, ${pad(at.getHours())}:${pad(at.getMinutes())}`;
}

type Names = { pl: { one: string; few: string; many: string; short: string }; en: { one: string; other: string; short: string } };
export type Unit = { key: string; scale: number; names: unknown };
/** „12 480 pkt”: the amount with the unit's short name. */
export function inUnit(text: string, unit: string, units: readonly Unit[], sign = false): string {
  const names = units.find((item) => item.key === unit)?.names as Names | undefined;
  return `${sign ? signed(text) : amount(text)}${NBSP}${names?.[locale()].short ?? unit}`;
}
const namesOf = (unit: string, units: readonly Unit[]): Names | undefined => units.find((item) => item.key === unit)?.names as Names | undefined;
/** A unit as a heading: „Punkty”. */
export function unitTitle(unit: string, units: readonly Unit[]): string {
  const names = namesOf(unit, units);
  const word = names ? (locale() === 'pl' ? names.pl.few : names.en.other) : unit;
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
/** What an amount is counted in: „punktów”. */
export const unitName = (unit: string, units: readonly Unit[]): string => { const names = namesOf(unit, units); return names ? (locale() === 'pl' ? names.pl.many : names.en.other) : unit; };
