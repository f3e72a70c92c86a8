import type { Ratio } from '@premia/kernel';

/*
 * Compiled SQL is text with its constants inside, so that one program version is one text that a plan can be kept for. Every
 * constant goes through here and nowhere else.
 */

/** A text constant. Relies on standard_conforming_strings, which PostgreSQL has had on since 9.1. */
export function literal(value: string): string {
  if (value.includes('\0')) throw new Error('a text constant cannot hold NUL');
  return `'${value.replaceAll("'", "''")}'`;
}

/** A whole number as numeric, so that products cannot overflow. */
export const whole = (value: bigint): string => (value < 0n ? `(${value})::numeric` : `${value}::numeric`);

export const dayLiteral = (day: string): string => `${literal(day)}::date`;
export const textList = (values: readonly string[]): string => `ARRAY[${values.map(literal).join(', ')}]::text[]`;

/** A fraction in SQL: two numeric expressions holding whole numbers, the second above zero. */
export type SqlRatio = { n: string; d: string };

/** a >= b for a fraction in SQL and a constant, by cross-multiplication. */
export const atLeastRatio = (a: SqlRatio, b: Ratio): string => `(${a.n} * ${whole(b.d)} >= ${whole(b.n)} * ${a.d})`;

/** Least common denominator of constants. */
export function commonDenominator(values: readonly Ratio[]): bigint {
  const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b));
  return values.reduce((d, value) => (d / gcd(d, value.d)) * value.d, 1n);
}
