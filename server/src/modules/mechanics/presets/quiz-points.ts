import { z } from 'zod';
import { number, preset, unit } from './preset.ts';

/** Quiz points. */
export const quizPoints = preset({
  key: 'quiz-points', name: { pl: 'Punkty za quiz', en: 'Quiz points' },
  form: z.strictObject({ unit, quiz: z.string(), units: number }),
  make: (form) => ({ earner: { role: 'self' }, facts: { kind: 'quiz_passed', where: { is: 'oneOf', field: 'attribute.code', values: [form.quiz] } }, measure: { is: 'sum', of: 'quantity' }, window: 'program', curve: { is: 'steps', steps: [{ reach: 1, units: form.units }] }, award: { unit: form.unit } }),
});
