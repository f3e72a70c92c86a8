import { z } from 'zod';
import { calendar, net, number, preset, role, unit } from './preset.ts';

/** Growth over last year. */
export const growthBonus = preset({
  key: 'growth-bonus', name: { pl: 'Premia za wzrost rok do roku', en: 'Growth over last year' },
  form: z.strictObject({ role, unit, window: calendar, units: number, every: number }),
  make: (form) => ({ earner: { role: form.role }, measure: net, window: form.window, base: { is: 'earlier', years: 1, as: 'difference' }, curve: { is: 'per', units: form.units, every: form.every }, award: { unit: form.unit } }),
});
