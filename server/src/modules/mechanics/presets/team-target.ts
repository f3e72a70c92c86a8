import { z } from 'zod';
import { calendar, net, preset, role, steps, unit } from './preset.ts';

/** Team target shared in proportion. */
export const teamTarget = preset({
  key: 'team-target', name: { pl: 'Cel zespołu dzielony proporcjonalnie', en: 'Team target shared in proportion' },
  form: z.strictObject({ role: role.default('rep'), unit, target: z.string(), window: calendar, steps }),
  make: (form) => ({ earner: { role: form.role }, measure: net, window: form.window, pool: { by: 'team', received: 'in_proportion' }, base: { is: 'target', target: form.target }, curve: { is: 'steps', steps: form.steps }, award: { unit: form.unit } }),
});
