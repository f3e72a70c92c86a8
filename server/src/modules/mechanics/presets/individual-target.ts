import { z } from 'zod';
import { calendar, net, preset, role, steps, unit } from './preset.ts';

/** Individual target with steps. */
export const individualTarget = preset({
  key: 'individual-target', name: { pl: 'Cel indywidualny z progami', en: 'Individual target with steps' },
  form: z.strictObject({ role, unit, target: z.string(), window: calendar, steps }),
  make: (form) => ({ earner: { role: form.role }, measure: net, window: form.window, base: { is: 'target', target: form.target }, curve: { is: 'steps', steps: form.steps }, award: { unit: form.unit } }),
});
