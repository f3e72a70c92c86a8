import { z } from 'zod';
import { number, preset, role, unit } from './preset.ts';

/** Product launch bonus. */
export const launchBonus = preset({
  key: 'launch-bonus', name: { pl: 'Premia za nowość', en: 'Product launch bonus' },
  form: z.strictObject({ role, unit, products: z.array(z.string()).min(1), units: number }),
  make: (form) => ({ earner: { role: form.role }, facts: { where: { is: 'oneOf', field: 'product', values: form.products } }, measure: { is: 'sum', of: 'quantity' }, window: 'document', curve: { is: 'per', units: form.units, every: 1 }, award: { unit: form.unit } }),
});
