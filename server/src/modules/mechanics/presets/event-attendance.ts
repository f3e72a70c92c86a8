import { z } from 'zod';
import { number, preset, unit } from './preset.ts';

/** Event attendance. */
export const eventAttendance = preset({
  key: 'event-attendance', name: { pl: 'Udział w wydarzeniu', en: 'Event attendance' },
  form: z.strictObject({ unit, units: number }),
  make: (form) => ({ earner: { role: 'self' }, facts: { kind: 'event_attended' }, measure: { is: 'sum', of: 'quantity' }, window: 'month', curve: { is: 'per', units: form.units, every: 1 }, award: { unit: form.unit } }),
});
