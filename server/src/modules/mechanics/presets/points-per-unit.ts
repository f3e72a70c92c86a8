import { z } from 'zod';
import { number, preset, role, unit } from './preset.ts';

/** Points per piece. */
export const pointsPerUnit = preset({
  key: 'points-per-unit', name: { pl: 'Punkty za sztukę', en: 'Points per piece' },
  form: z.strictObject({ role, unit, units: number, products: z.array(z.string()).default([]) }),
  make: (form) => ({ earner: { role: form.role }, ...(form.products.length > 0 ? { facts: { where: { is: 'oneOf', field: 'product', values: form.products } } } : {}), measure: { is: 'sum', of: 'quantity' }, window: 'line', curve: { is: 'per', units: form.units, every: 1 }, award: { unit: form.unit } }),
});
