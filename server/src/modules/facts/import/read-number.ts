import { ratio, type Ratio } from '@premia/kernel';

export type NumberProblem = 'number_empty' | 'number_malformed' | 'number_ambiguous';

const CURRENCY_MARK = /^(zł|zl|pln|eur|usd|gbp|czk|€|\$|£)|(zł|zl|pln|eur|usd|gbp|czk|€|\$|£)$/i;
const GROUP_SPACE = /[\s\u00a0\u202f\u2009']/g;
const DIGITS_MAX = 18;

/**
 * Reads a number as people write it – 1 200,00 · (10.00) · 10,00- · 12,5 zł – exactly, or says why not. What could mean two
 * numbers (1.200) is never guessed: without a declared decimal mark it is ambiguous.
 */
export function readNumber(given: string, decimal: '.' | ',' | undefined): Ratio | NumberProblem {
  let text = given.trim().replace(/\u2212/g, '-').replace(CURRENCY_MARK, '').trim();
  if (text === '') return 'number_empty';
  let negative = false;
  const bracketed = /^\((.*)\)$/.exec(text);
  if (bracketed) { negative = true; text = (bracketed[1] as string).trim(); }
  const signed = /^([+-]?)(.*?)([+-]?)$/.exec(text);
  if (!signed || (signed[1] && signed[3]) || (bracketed && (signed[1] || signed[3]))) return 'number_malformed';
  if (signed[1] === '-' || signed[3] === '-') negative = true;
  text = (signed[2] as string).trim();
  if (/[\s\u00a0\u202f\u2009']/.test(text)) {
    if (!/^\d{1,3}(?:[\s\u00a0\u202f\u2009']\d{3})+(?:[.,]\d+)?$/.test(text)) return 'number_malformed';
    text = text.replace(GROUP_SPACE, '');
    return exact(text.replace(',', '.'), negative);
  }
  if (!/^[\d.,]+$/.test(text) || !/\d/.test(text)) return 'number_malformed';
  const marks = text.replace(/\d/g, '');
  if (marks === '') return exact(text, negative);
  if (marks.length === 1) return oneMark(text, marks as '.' | ',', decimal, negative);
  return manyMarks(text, marks, decimal, negative);
}

function oneMark(text: string, mark: '.' | ',', decimal: '.' | ',' | undefined, negative: boolean): Ratio | NumberProblem {
  const [whole = '', fraction = ''] = text.split(mark);
  if (whole === '' || fraction === '') return 'number_malformed';
  const couldGroup = fraction.length === 3 && whole.length <= 3 && whole !== '0';
  if (decimal === mark || (decimal === undefined && !couldGroup)) return exact(`${whole}.${fraction}`, negative);
  if (decimal !== undefined && couldGroup) return exact(whole + fraction, negative);
  return couldGroup ? 'number_ambiguous' : 'number_malformed';
}

function manyMarks(text: string, marks: string, decimal: '.' | ',' | undefined, negative: boolean): Ratio | NumberProblem {
  const last = marks.at(-1) as string;
  const first = marks[0] as string;
  if (first === last) {
    // 2,024,994: one mark only, so it groups – unless a locale round trip made it of 2024.994. Only a declaration decides.
    if (![...marks].every((mark) => mark === first) || !new RegExp(`^\\d{1,3}(?:\\${first}\\d{3})+$`).test(text)) return 'number_malformed';
    return decimal !== undefined && decimal !== first ? exact(text.replaceAll(first, ''), negative) : 'number_ambiguous';
  }
  if (decimal !== undefined && decimal !== last) return 'number_malformed';
  if (!new RegExp(`^\\d{1,3}(?:\\${first}\\d{3})+\\${last}\\d+$`).test(text)) return 'number_malformed';
  return exact(text.replaceAll(first, '').replace(last, '.'), negative);
}

function exact(text: string, negative: boolean): Ratio | NumberProblem {
  const [whole = '', fraction = ''] = text.split('.');
  if (whole.length + fraction.length > DIGITS_MAX || !/^\d+$/.test(whole + fraction)) return 'number_malformed';
  const n = BigInt(whole + fraction);
  return ratio(negative ? -n : n, 10n ** BigInt(fraction.length));
}
