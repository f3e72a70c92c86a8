import { z } from 'zod';
import { net, number, preset, role, unit } from './preset.ts';

/** Points for every full n of money. */
export const pointsPerAmount = preset({
  key: 'points-per-amount', name: { pl: 'Punkty za każde pełne n zł', en: 'Points for every full n of money' },
  form: z.strictObject({ role, unit, units: number, every: number, per: z.enum(['document', 'line', 'month']).default('document') }),
  make: (form) => ({ earner: { role: form.role }, measure: net, window: form.per, curve: { is: 'per', units: form.units, every: form.every }, award: { unit: form.unit } }),
});
