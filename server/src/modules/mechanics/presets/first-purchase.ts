import { z } from 'zod';
import { number, preset, role, unit } from './preset.ts';

/** First purchase bonus. */
export const firstPurchase = preset({
  key: 'first-purchase', name: { pl: 'Premia za pierwszy zakup', en: 'First purchase bonus' },
  form: z.strictObject({ role, unit, units: number }),
  make: (form) => ({ earner: { role: form.role }, measure: { is: 'count', of: 'documents' }, window: 'program', curve: { is: 'steps', steps: [{ reach: 1, units: form.units }] }, award: { unit: form.unit } }),
});
