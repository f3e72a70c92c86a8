import { z } from 'zod';
import { bands, calendar, net, preset, role, unit } from './preset.ts';

/** Volume rebate, the reached rate on everything. */
export const volumeRebateRetrospective = preset({
  key: 'volume-rebate-retrospective', name: { pl: 'Rabat wolumenowy od całości', en: 'Volume rebate, the reached rate on everything' },
  form: z.strictObject({ role, unit, window: calendar, bands }),
  make: (form) => ({ earner: { role: form.role }, measure: net, window: form.window, curve: { is: 'bands', mode: 'retrospective', bands: form.bands }, award: { unit: form.unit } }),
});
