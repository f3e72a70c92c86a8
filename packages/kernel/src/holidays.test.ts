import { expect, test } from 'vitest';
import { easter, isPolishHoliday, workingDaysLeft } from './index.ts';

test('Easter falls where the calendar has it', () => {
  expect([2024, 2025, 2026, 2027, 2038].map(easter)).toEqual(['2024-03-31', '2025-04-20', '2026-04-05', '2027-03-28', '2038-04-25']);
});

test('days off work in Poland, movable ones and Christmas Eve since 2025 among them', () => {
  for (const day of ['2026-01-06', '2026-04-06', '2026-05-24', '2026-06-04', '2026-11-11', '2026-12-24']) expect([day, isPolishHoliday(day)]).toEqual([day, true]);
  for (const day of ['2024-12-24', '2026-04-07', '2026-06-05', '2026-12-31']) expect([day, isPolishHoliday(day)]).toEqual([day, false]);
});

test('working days left in November 2026, from the 10th on: the 11th is off', () => {
  // 12, 13 · 16–20 · 23–27 · 30: 2 + 5 + 5 + 1 = 13
  expect(workingDaysLeft('2026-11-10', '2026-11-30')).toBe(13);
  expect(workingDaysLeft('2026-11-30', '2026-11-30')).toBe(0);
});
