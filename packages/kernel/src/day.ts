import { Temporal } from 'temporal-polyfill';

/** A business date, 'YYYY-MM-DD', in the program's zone. Compares as text. */
export type Day = string;

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
export const DAY_MIN: Day = '1990-01-01';
export const DAY_MAX: Day = '2100-12-31';

/** Whether the text names a day that exists and lies where Premia keeps its calendar (1990–2100). */
export function isDay(text: string): boolean {
  const match = DAY.exec(text);
  if (!match) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && text >= DAY_MIN && text <= DAY_MAX;
}

const epochDays = (day: Day): number => Date.UTC(Number(day.slice(0, 4)), Number(day.slice(5, 7)) - 1, Number(day.slice(8))) / 86_400_000;

export function addDays(day: Day, count: number): Day {
  return new Date((epochDays(day) + count) * 86_400_000).toISOString().slice(0, 10);
}

/** Days from a to b: 0 for the same day. */
export const daysBetween = (a: Day, b: Day): number => epochDays(b) - epochDays(a);

/** Adds months; a day that the target month lacks becomes its last. */
export function addMonths(day: Day, count: number): Day {
  return Temporal.PlainDate.from(day).add({ months: count }).toString();
}

export type CalendarWindow = 'day' | 'week' | 'month' | 'quarter' | 'year';

/** First day of the window that holds the day. Weeks are ISO weeks: they begin on Monday. */
export function windowStart(day: Day, window: CalendarWindow): Day {
  switch (window) {
    case 'day': return day;
    case 'week': return addDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));
    case 'month': return `${day.slice(0, 7)}-01`;
    case 'quarter': return `${day.slice(0, 4)}-${String(Math.floor((Number(day.slice(5, 7)) - 1) / 3) * 3 + 1).padStart(2, '0')}-01`;
    case 'year': return `${day.slice(0, 4)}-01-01`;
  }
}

/** First day after the window that holds the day. */
export function nextWindowStart(day: Day, window: CalendarWindow): Day {
  const start = windowStart(day, window);
  switch (window) {
    case 'day': return addDays(start, 1);
    case 'week': return addDays(start, 7);
    case 'month': return addMonths(start, 1);
    case 'quarter': return addMonths(start, 3);
    case 'year': return addMonths(start, 12);
  }
}

/** Whether the zone is one the installed time zone data knows. */
export function isZone(zone: string): boolean {
  try { new Intl.DateTimeFormat('en', { timeZone: zone }); return true; } catch { return false; }
}

export type LocalMoment = { day: Day; hour: number; at: string };

/**
 * The business day and hour of a moment in a zone. `text` is ISO 8601: with an offset it is an instant; without one it is
 * local time, and one that does not exist or exists twice there (the clock change) is answered with a reason, never guessed.
 */
export function momentInZone(text: string, zone: string): LocalMoment | { reason: 'malformed' | 'does_not_exist' | 'exists_twice' } {
  if (/T24|:60(\.\d+)?(Z|[+-]|$)/.test(text)) return { reason: 'malformed' };
  try {
    if (/(Z|[+-]\d{2}:?\d{2})$/.test(text)) return local(Temporal.Instant.from(text).toZonedDateTimeISO(zone));
    const plain = Temporal.PlainDateTime.from(text.replace(' ', 'T'));
    const [early, late] = [plain.toZonedDateTime(zone, { disambiguation: 'earlier' }), plain.toZonedDateTime(zone, { disambiguation: 'later' })];
    if (early.epochMilliseconds === late.epochMilliseconds) return local(early);
    return { reason: early.toPlainDateTime().equals(plain) ? 'exists_twice' : 'does_not_exist' };
  } catch {
    return { reason: 'malformed' };
  }
}

function local(moment: Temporal.ZonedDateTime): LocalMoment {
  return { day: moment.toPlainDate().toString(), hour: moment.hour, at: moment.toInstant().toString() };
}

/** Today in the zone, by the given clock (milliseconds since 1970). */
export function dayAt(epochMs: number, zone: string): Day {
  return Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(zone).toPlainDate().toString();
}
