import { z } from 'zod';
import { number, preset, role, unit } from './preset.ts';

/** Points per kilogram. */
export const pointsPerKilogram = preset({
  key: 'points-per-kilogram', name: { pl: 'Punkty za kilogram', en: 'Points per kilogram' },
  form: z.strictObject({ role, unit, units: number, every: number, category: z.string() }),
  make: (form) => ({ earner: { role: form.role }, facts: { where: { is: 'oneOf', field: 'category', values: [form.category] } }, measure: { is: 'sum', of: 'quantity' }, window: 'document', curve: { is: 'per', units: form.units, every: form.every }, award: { unit: form.unit } }),
});
