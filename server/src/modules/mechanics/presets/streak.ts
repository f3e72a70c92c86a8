import { z } from 'zod';
import { number, preset, role, unit } from './preset.ts';

/** Streak of k active months. */
export const streak = preset({
  key: 'streak', name: { pl: 'Ciąg k aktywnych miesięcy', en: 'Streak of k active months' },
  form: z.strictObject({ role, unit, months: z.number().int().min(2).max(60), units: number }),
  make: (form) => ({ earner: { role: form.role }, measure: { is: 'streak', of: 'month', each: form.months }, window: 'program', curve: { is: 'per', units: form.units, every: 1 }, award: { unit: form.unit } }),
});
