import { z } from 'zod';
import { multiplied, net, number, preset, role, unit } from './preset.ts';

/** Brand multiplier. */
export const brandMultiplier = preset({
  key: 'brand-multiplier', name: { pl: 'Mnożnik za markę', en: 'Brand multiplier' },
  form: z.strictObject({ role, unit, brand: z.string(), units: number, every: number, times: z.number().int().min(2).max(20) }),
  make: (form) => ({ earner: { role: form.role }, facts: { where: { is: 'oneOf', field: 'brand', values: [form.brand] } }, measure: net, window: 'document', curve: { is: 'per', units: multiplied(form.units, form.times - 1), every: form.every }, award: { unit: form.unit } }),
});
