import { z } from 'zod';
import { number, preset, role, unit } from './preset.ts';

/** Stamp card: every n-th. */
export const stampCard = preset({
  key: 'stamp-card', name: { pl: 'Karta pieczątek', en: 'Stamp card: every n-th' },
  form: z.strictObject({ role, unit, every: z.number().int().min(2).max(1_000), units: number }),
  make: (form) => ({ earner: { role: form.role }, measure: { is: 'count', of: 'documents' }, window: 'program', curve: { is: 'per', units: form.units, every: form.every }, award: { unit: form.unit } }),
});
