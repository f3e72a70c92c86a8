import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MINOR_MAX, addMonths, formatMinor, momentInZone, nextWindowStart, parseMinor, parseRatio, printRatio, ratio, roundRatio, split, windowStart, type Rounding } from './index.ts';

describe('decimals', () => {
  test('what is printed is read back, at every scale (10,000 cases)', () => {
    fc.assert(fc.property(fc.bigInt({ min: -MINOR_MAX, max: MINOR_MAX }), fc.integer({ min: 0, max: 6 }), (minor, scale) => parseMinor(formatMinor(minor, scale), scale) === minor), { numRuns: 10_000 });
  });
  test('fractions print exactly', () => {
    expect([printRatio(ratio(1n, 3n)), printRatio(ratio(5n, 4n)), printRatio(ratio(-1n, 200n)), printRatio(ratio(100n))]).toEqual(['1/3', '1.25', '-0.005', '100']);
    fc.assert(fc.property(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.bigInt({ min: 1n, max: 10n ** 6n }), (n, d) => { const value = ratio(n, d); expect(parseRatio(printRatio(value))).toEqual(value); }));
  });
  test.each(['1e3', 'NaN', 'Infinity', '0x10', '1,5', '', ' 1', '1.', '.5', '--1', '1/0'])('“%s” is no number', (text) => { expect(parseRatio(text)).toBeNull(); });
  test('too many decimals are refused, never cut', () => { expect(() => parseMinor('1.005', 2)).toThrow(/amount_malformed/); });
  test.each<[Rounding, bigint[]]>([['down', [2n, 2n, -2n, -2n, 3n]], ['floor', [2n, 2n, -3n, -3n, 3n]], ['half_up', [3n, 3n, -3n, -3n, 4n]], ['half_even', [2n, 3n, -2n, -3n, 4n]]])('%s: 2.5, 2.6, −2.5, −2.6, 3.5', (rounding, expected) => {
    expect([ratio(5n, 2n), ratio(26n, 10n), ratio(-5n, 2n), ratio(-26n, 10n), ratio(7n, 2n)].map((value) => roundRatio(value, rounding))).toEqual(expected);
  });
  test('shares sum exactly and follow their weights (10,000 cases)', () => {
    fc.assert(fc.property(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), fc.array(fc.bigInt({ min: 0n, max: 1_000n }), { minLength: 1, maxLength: 20 }).filter((weights) => weights.some((weight) => weight > 0n)), (total, weights) => {
      const shares = split(total, weights);
      const sum = weights.reduce((a, b) => a + b, 0n);
      expect(shares.reduce((a, b) => a + b, 0n)).toBe(total);
      for (const [index, share] of shares.entries()) { const exact = (total * (weights[index] as bigint)) / sum; const off = share - exact; expect(off >= -1n && off <= 1n).toBe(true); }
    }), { numRuns: 10_000 });
  });
});

describe('days', () => {
  test.each([['2026-03-31', 'quarter', '2026-01-01', '2026-04-01'], ['2026-12-31', 'week', '2026-12-28', '2027-01-04'], ['2024-02-29', 'month', '2024-02-01', '2024-03-01'], ['2020-12-31', 'year', '2020-01-01', '2021-01-01']] as const)('%s in a %s: %s to before %s', (day, window, start, next) => {
    expect([windowStart(day, window), nextWindowStart(day, window)]).toEqual([start, next]);
  });
  test.each([['2024-02-29', 24, '2026-02-28'], ['2022-02-28', 24, '2024-02-28'], ['2026-01-31', 1, '2026-02-28'], ['2026-03-31', -1, '2026-02-28']] as const)('%s and %i months is %s', (day, months, expected) => { expect(addMonths(day, months)).toBe(expected); });
  test.each([['Europe/Warsaw', '2026-01-01', 0], ['UTC', '2025-12-31', 23], ['America/St_Johns', '2025-12-31', 20], ['Asia/Kathmandu', '2026-01-01', 5], ['Pacific/Kiritimati', '2026-01-01', 13]] as const)('2025-12-31T23:30Z in %s is %s', (zone, day, hour) => {
    expect(momentInZone('2025-12-31T23:30:00Z', zone)).toMatchObject({ day, hour });
  });
  test('an hour that does not exist, or exists twice, is never guessed', () => {
    expect(momentInZone('2026-03-29T02:30:00', 'Europe/Warsaw')).toEqual({ reason: 'does_not_exist' });
    expect(momentInZone('2026-10-25T02:30:00', 'Europe/Warsaw')).toEqual({ reason: 'exists_twice' });
    expect(momentInZone('2026-06-30T23:59:60Z', 'Europe/Warsaw')).toEqual({ reason: 'malformed' });
    expect(momentInZone('2026-01-06T24:00:00', 'Europe/Warsaw')).toEqual({ reason: 'malformed' });
  });
});
