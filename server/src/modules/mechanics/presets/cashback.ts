import { z } from 'zod';
import { net, number, preset, role, unit } from './preset.ts';

/** Cashback. */
export const cashback = preset({
  key: 'cashback', name: { pl: 'Zwrot części wartości', en: 'Cashback' },
  form: z.strictObject({ role, unit, rate: number, most: number.optional() }),
  make: (form) => ({ earner: { role: form.role }, measure: net, window: 'document', curve: { is: 'bands', mode: 'marginal', bands: [{ from: 0, rate: form.rate }] }, rounding: 'half_up', ...(form.most === undefined ? {} : { limits: { most: form.most } }), award: { unit: form.unit } }),
});
