import { addDays, daysBetween, type Day } from './day.ts';

/** Easter Sunday by the Gregorian calendar (Meeus, Jones and Butcher). */
export function easter(year: number): Day {
  const [a, b, c] = [year % 19, Math.floor(year / 100), year % 100];
  const [d, e] = [Math.floor(b / 4), b % 4];
  const g = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - d - g + 15) % 30;
  const [i, k] = [Math.floor(c / 4), c % 4];
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const n = h + l - 7 * m + 114;
  return `${year}-${String(Math.floor(n / 31)).padStart(2, '0')}-${String((n % 31) + 1).padStart(2, '0')}`;
}

const FIXED = ['01-01', '01-06', '05-01', '05-03', '08-15', '11-01', '11-11', '12-25', '12-26'];

/** Days off work in Poland: the act of 18 January 1951 on days free from work, as amended; 24 December since 2025. */
export function isPolishHoliday(day: Day): boolean {
  const year = Number(day.slice(0, 4));
  if (FIXED.includes(day.slice(5)) || (day.slice(5) === '12-24' && year >= 2025)) return true;
  return [0, 1, 49, 60].includes(daysBetween(easter(year), day));
}

/** Monday to Friday without holidays, from the day after `from` to `to`, both counted by date. */
export function workingDaysLeft(from: Day, to: Day): number {
  let count = 0;
  for (let day = addDays(from, 1); day <= to; day = addDays(day, 1)) {
    const weekday = (((daysBetween('1990-01-01', day) % 7) + 7) % 7) + 1; // 1 January 1990 was a Monday
    if (weekday <= 5 && !isPolishHoliday(day)) count += 1;
  }
  return count;
}
