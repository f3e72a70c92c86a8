import { z } from 'zod';
import { bands, calendar, net, preset, role, unit } from './preset.ts';

/** Target with accelerator bands. */
export const targetAccelerator = preset({
  key: 'target-accelerator', name: { pl: 'Cel z akceleratorem', en: 'Target with accelerator bands' },
  form: z.strictObject({ role, unit, target: z.string(), window: calendar, bands }),
  make: (form) => ({ earner: { role: form.role }, measure: net, window: form.window, base: { is: 'target', target: form.target }, curve: { is: 'bands', mode: 'marginal', bands: form.bands }, award: { unit: form.unit } }),
});
