import { z } from 'zod';
import { net, number, preset, role, unit } from './preset.ts';

/** Bonus from the sponsor’s pool. */
export const sponsorBudget = preset({
  key: 'sponsor-budget', name: { pl: 'Premia z puli sponsora', en: 'Bonus from the sponsor’s pool' },
  form: z.strictObject({ role, unit, units: number, every: number, budget: z.string() }),
  make: (form) => ({ earner: { role: form.role }, measure: net, window: 'document', curve: { is: 'per', units: form.units, every: form.every }, limits: { budget: form.budget }, award: { unit: form.unit, funded_by: 'sponsor' } }),
});
