import { z } from 'zod';
import { calendar, net, number, preset, role, unit } from './preset.ts';

/** Leaderboard prizes by attainment. */
export const leaderboardAttainment = preset({
  key: 'leaderboard-attainment', name: { pl: 'Nagrody za miejsca według realizacji celu', en: 'Leaderboard prizes by attainment' },
  form: z.strictObject({ role: role.default('rep'), unit, window: calendar, target: z.string(), places: z.array(number).min(1).max(100), bands: z.string().optional() }),
  make: (form) => ({ earner: { role: form.role }, measure: net, window: form.window, base: { is: 'target', target: form.target }, pool: { by: 'everyone', ...(form.bands === undefined ? {} : { bands: form.bands }) }, curve: { is: 'rank', places: form.places }, award: { unit: form.unit } }),
});
