import { z } from 'zod';
import { number, preset, unit } from './preset.ts';

/** Referral. */
export const referral = preset({
  key: 'referral', name: { pl: 'Polecenie', en: 'Referral' },
  form: z.strictObject({ unit, units: number, most_total: number.optional() }),
  make: (form) => ({ earner: { role: 'self' }, facts: { kind: 'referral_activated' }, measure: { is: 'sum', of: 'quantity' }, window: 'program', curve: { is: 'per', units: form.units, every: 1 }, ...(form.most_total === undefined ? {} : { limits: { most_total: form.most_total } }), award: { unit: form.unit } }),
});
