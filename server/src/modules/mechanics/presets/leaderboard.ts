import { z } from 'zod';
import { calendar, net, number, preset, role, unit } from './preset.ts';

/** Leaderboard prizes by rank. */
export const leaderboard = preset({
  key: 'leaderboard', name: { pl: 'Nagrody za miejsca', en: 'Leaderboard prizes by rank' },
  form: z.strictObject({ role: role.default('rep'), unit, window: calendar, places: z.array(number).min(1).max(100), ties: z.enum(['share', 'higher', 'member']).default('share') }),
  make: (form) => ({ earner: { role: form.role }, measure: net, window: form.window, pool: { by: 'everyone' }, curve: { is: 'rank', places: form.places, ties: form.ties }, award: { unit: form.unit } }),
});
