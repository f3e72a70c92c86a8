import { z } from 'zod';
import { net, number, preset, role, unit } from './preset.ts';

/** Hour bonus. */
export const hourBonus = preset({
  key: 'hour-bonus', name: { pl: 'Premia za godziny', en: 'Hour bonus' },
  form: z.strictObject({ role, unit, units: number, every: number, from_hour: z.number().int().min(0).max(23), until_hour: z.number().int().min(1).max(24) }),
  make: (form) => ({ earner: { role: form.role }, facts: { where: { is: 'all', of: [{ is: 'atLeast', field: 'hour', value: form.from_hour }, { is: 'below', field: 'hour', value: form.until_hour }] } }, measure: net, window: 'document', curve: { is: 'per', units: form.units, every: form.every }, award: { unit: form.unit } }),
});
