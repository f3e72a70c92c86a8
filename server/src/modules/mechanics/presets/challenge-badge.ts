import { z } from 'zod';
import { net, number, preset, role } from './preset.ts';

/** Challenge with a badge. */
export const challengeBadge = preset({
  key: 'challenge-badge', name: { pl: 'Wyzwanie z odznaką', en: 'Challenge with a badge' },
  form: z.strictObject({ role, badge: z.string(), reach: number, category: z.string().optional() }),
  make: (form) => ({ earner: { role: form.role }, ...(form.category === undefined ? {} : { facts: { where: { is: 'oneOf', field: 'category', values: [form.category] } } }), measure: net, window: 'program', curve: { is: 'steps', steps: [{ reach: form.reach, units: 1 }] }, award: { unit: form.badge } }),
});
