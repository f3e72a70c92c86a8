import { z } from 'zod';
import { net, number, preset, role, unit } from './preset.ts';

/** Points with a monthly cap. */
export const monthlyCap = preset({
  key: 'monthly-cap', name: { pl: 'Punkty z limitem miesięcznym', en: 'Points with a monthly cap' },
  form: z.strictObject({ role, unit, units: number, every: number, most: number }),
  make: (form) => ({ earner: { role: form.role }, measure: net, window: 'month', curve: { is: 'per', units: form.units, every: form.every }, limits: { most: form.most }, award: { unit: form.unit } }),
});
