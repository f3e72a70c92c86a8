import { z } from 'zod';
import { bands, calendar, net, preset, role, unit } from './preset.ts';

/** Volume rebate, each rate on its part. */
export const volumeRebateMarginal = preset({
  key: 'volume-rebate-marginal', name: { pl: 'Rabat wolumenowy krańcowy', en: 'Volume rebate, each rate on its part' },
  form: z.strictObject({ role, unit, window: calendar, bands }),
  make: (form) => ({ earner: { role: form.role }, measure: net, window: form.window, curve: { is: 'bands', mode: 'marginal', bands: form.bands }, award: { unit: form.unit } }),
});
