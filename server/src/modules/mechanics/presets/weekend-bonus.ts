import { z } from 'zod';
import { net, number, preset, role, unit } from './preset.ts';

/** Weekend bonus. */
export const weekendBonus = preset({
  key: 'weekend-bonus', name: { pl: 'Premia za weekend', en: 'Weekend bonus' },
  form: z.strictObject({ role, unit, units: number, every: number }),
  make: (form) => ({ earner: { role: form.role }, facts: { where: { is: 'atLeast', field: 'weekday', value: 6 } }, measure: net, window: 'document', curve: { is: 'per', units: form.units, every: form.every }, award: { unit: form.unit } }),
});
