import { z } from 'zod';
import { number, preset, role, unit } from './preset.ts';

/** Basket of at least k categories. */
export const crossSell = preset({
  key: 'cross-sell', name: { pl: 'Koszyk co najmniej k kategorii', en: 'Basket of at least k categories' },
  form: z.strictObject({ role, unit, categories: z.number().int().min(2).max(100), units: number }),
  make: (form) => ({ earner: { role: form.role }, measure: { is: 'count', of: 'categories' }, window: 'document', curve: { is: 'steps', steps: [{ reach: form.categories, units: form.units }] }, award: { unit: form.unit } }),
});
