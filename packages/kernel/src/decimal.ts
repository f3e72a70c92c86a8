import { Refusal, phrase } from './refusal.ts';

/** An exact fraction in lowest terms with a positive denominator. */
export type Ratio = { readonly n: bigint; readonly d: bigint };

const DECIMAL = /^([+-]?)(\d{1,30})(?:\.(\d{1,12}))?$/;
const FRACTION = /^(-?\d{1,30})\/(\d{1,30})$/;

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** Reduces n/d. The denominator must not be zero. */
export function ratio(n: bigint, d: bigint = 1n): Ratio {
  if (d === 0n) throw new Error('a ratio over zero');
  const g = gcd(n, d) || 1n;
  return d < 0n ? { n: -n / g, d: -d / g } : { n: n / g, d: d / g };
}

/** Reads '12', '-0.5', '80%', '1/3' exactly. Answers null for anything else: floats, exponents, separators, spaces. */
export function parseRatio(text: string): Ratio | null {
  const asFraction = FRACTION.exec(text);
  if (asFraction && BigInt(asFraction[2] as string) > 0n) return ratio(BigInt(asFraction[1] as string), BigInt(asFraction[2] as string));
  const percent = text.endsWith('%');
  const match = DECIMAL.exec(percent ? text.slice(0, -1) : text);
  if (!match) return null;
  const [, sign, whole = '0', fraction = ''] = match;
  const n = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  return ratio(n, 10n ** BigInt(fraction.length) * (percent ? 100n : 1n));
}

/** Prints a ratio as a decimal where it is one, otherwise as n/d. */
export function printRatio({ n, d }: Ratio): string {
  let [scale, rest] = [0, d];
  while (rest % 10n === 0n) { rest /= 10n; scale += 1; }
  while (rest % 2n === 0n) { rest /= 2n; scale += 1; }
  while (rest % 5n === 0n) { rest /= 5n; scale += 1; }
  if (rest !== 1n) return `${n}/${d}`;
  return trimZeros(formatMinor((n * 10n ** BigInt(scale)) / d, scale));
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

export const timesRatio = (a: Ratio, b: Ratio): Ratio => ratio(a.n * b.n, a.d * b.d);
export const plusRatio = (a: Ratio, b: Ratio): Ratio => ratio(a.n * b.d + b.n * a.d, a.d * b.d);
export const minusRatio = (a: Ratio, b: Ratio): Ratio => ratio(a.n * b.d - b.n * a.d, a.d * b.d);
export const compareRatio = (a: Ratio, b: Ratio): number => {
  const difference = a.n * b.d - b.n * a.d;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

export type Rounding = 'down' | 'floor' | 'half_up' | 'half_even';

/** Rounds n/d (d > 0) to a whole number: `down` toward zero, `half_up` away from zero at the half. */
export function roundRatio({ n, d }: Ratio, rounding: Rounding): bigint {
  const down = n / d;
  const rest = n % d;
  if (rest === 0n) return down;
  const away = n < 0n ? -1n : 1n;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  switch (rounding) {
    case 'down': return down;
    case 'floor': return n < 0n ? down - 1n : down;
    case 'half_up': return twice >= d ? down + away : down;
    case 'half_even': return twice > d || (twice === d && down % 2n !== 0n) ? down + away : down;
  }
}

/** The most that one amount may be, in smallest units: far below 2^63, so that sums of many still fit. */
export const MINOR_MAX = 10n ** 15n;

/** '349.90' at scale 2 → 34990n. Refuses more decimals than the scale holds, and anything that is not a plain decimal. */
export function parseMinor(text: string, scale: number, what = 'amount'): bigint {
  const value = parseRatio(text);
  const scaled = value && ratio(value.n * 10n ** BigInt(scale), value.d);
  if (!scaled || scaled.d !== 1n || text.endsWith('%')) {
    throw new Refusal('amount_malformed', 422, phrase(
      `„${text}” (${what}) nie jest liczbą z najwyżej ${scale} miejscami po kropce.`,
      `“${text}” (${what}) is not a number with at most ${scale} decimals.`));
  }
  if (scaled.n > MINOR_MAX || scaled.n < -MINOR_MAX) throw new Refusal('amount_too_large', 422, phrase(`„${text}” (${what}) to za dużo.`, `“${text}” (${what}) is too large.`));
  return scaled.n;
}

/** 34990n at scale 2 → '349.90'. */
export function formatMinor(minor: bigint, scale: number): string {
  const negative = minor < 0n;
  const digits = (negative ? -minor : minor).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return `${negative ? '-' : ''}${whole}${scale > 0 ? `.${digits.slice(-scale)}` : ''}`;
}

/**
 * Shares follow the weights. What does not divide goes to the largest remainders, ties to the earlier one.
 * Weights must not be negative and not all zero; the shares sum to `total` exactly, also when it is negative.
 */
export function split(total: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((a, b) => a + b, 0n);
  if (sum <= 0n || weights.some((w) => w < 0n)) throw new Error('split needs weights that are not negative and not all zero');
  const sign = total < 0n ? -1n : 1n;
  const size = total * sign;
  const shares = weights.map((w) => (size * w) / sum);
  let left = size - shares.reduce((a, b) => a + b, 0n);
  const order = weights.map((w, index) => ({ index, rest: (size * w) % sum }))
    .sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1));
  for (const { index } of order) {
    if (left === 0n) break;
    shares[index] = (shares[index] ?? 0n) + 1n;
    left -= 1n;
  }
  return shares.map((share) => share * sign);
}
