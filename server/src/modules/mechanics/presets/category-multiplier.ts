import { z } from 'zod';
import { multiplied, net, number, preset, role, unit } from './preset.ts';

/** Category multiplier. */
export const categoryMultiplier = preset({
  key: 'category-multiplier', name: { pl: 'Mnożnik za kategorię', en: 'Category multiplier' },
  form: z.strictObject({ role, unit, category: z.string(), units: number, every: number, times: z.number().int().min(2).max(20) }),
  make: (form) => ({ earner: { role: form.role }, facts: { where: { is: 'oneOf', field: 'category', values: [form.category] } }, measure: net, window: 'document', curve: { is: 'per', units: multiplied(form.units, form.times - 1), every: form.every }, award: { unit: form.unit } }),
});
