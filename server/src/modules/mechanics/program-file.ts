import { MECHANIC_BYTES_MAX, conditionShape, decimalShape, leafShape, mechanicShape, parseMechanic, parseShape, type Mechanic, type MechanicInput } from '@premia/algebra';
import { Refusal, isZone, phrase } from '@premia/kernel';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { tierSetShape } from './tier-set.ts';
import { sourceShape } from '../facts/index.ts';
import { PRESETS, expandPreset } from './presets/index.ts';

const key = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/);
const phraseShape = z.strictObject({ pl: z.string().min(1).max(500), en: z.string().min(1).max(500) });

const unitShape = z.strictObject({
  key, scale: z.number().int().min(0).max(6).default(0),
  names: z.strictObject({ pl: z.strictObject({ one: z.string(), few: z.string(), many: z.string(), short: z.string() }), en: z.strictObject({ one: z.string(), other: z.string(), short: z.string() }) }),
  smallest_redemption: z.number().int().min(0).default(0), grace_days: z.number().int().min(0).max(365).default(30),
  debt: z.enum(['carry', 'write_off']).default('carry'),
});

const fourEyes = z.strictObject({ imports: z.boolean().default(true), rules: z.boolean().default(true), adjustments: z.boolean().default(true), payouts: z.boolean().default(true) });
const productShape = z.strictObject({ sku: z.string().min(1).max(100), name: z.string().max(300).optional(), gtin: z.string().optional(), category: z.string().optional(), brand: z.string().optional(), groups: z.array(z.string()).default([]) });

export const segmentShape = z.strictObject({
  key, name: phraseShape.optional(),
  /** By list: codes, 'nip:…' or 'email:…'; `from` is the day from which they belong, else the day of refreshing. */
  members: z.array(z.string()).max(50_000).optional(), from: z.iso.date().optional(),
  rule: z.strictObject({
    who: conditionShape.optional(), role: z.enum(['buyer', 'seller', 'rep', 'self']).default('buyer'),
    measure: leafShape.refine((leaf) => leaf.is === 'sum' || leaf.is === 'count', 'a segment measures a sum or a count').optional(), window: z.enum(['month', 'quarter', 'year', 'program']).default('program'), at_least: decimalShape.optional(),
  }).optional(),
});

export type SegmentRule = z.infer<typeof segmentShape>;
export const parseSegment = (value: unknown): SegmentRule => parseShape(segmentShape, value, '/segments');

export const programShape = z.strictObject({
  premia: z.literal(1),
  key, name: phraseShape,
  legal_form: z.enum(['premium_sale', 'contest', 'incentive', 'loyalty', 'permitted_lottery']),
  accounting: z.enum(['marketing_cost', 'revenue_reduction', 'cost_of_sales']).default('marketing_cost'),
  remitter: z.enum(['sponsor', 'agency']).default('sponsor'),
  controller: z.string().max(300).default(''),
  permit: z.string().max(200).optional(),
  /** What a person of a partner company cannot do while the company, as employer, has not agreed (domain §5): earn, spend, or – with a reminder – everything is possible. */
  employer_consent: z.enum(['block_earn', 'block_payout', 'remind']).default('block_payout'),
  /** Whether people may ask to take part by themselves; an operator decides. */
  registration: z.boolean().optional(),
  zone: z.string(), currency: z.string().regex(/^[A-Z]{3}$/), currency_scale: z.number().int().min(0).max(4).default(2),
  starts_on: z.iso.date(),
  rewards: z.array(z.enum(['buyer', 'seller', 'rep'])).min(1),
  corrections: z.enum(['original_period', 'correction_period']).default('original_period'),
  counts: z.union([z.enum(['program_start', 'enrolment']), z.strictObject({ days_before: z.number().int().min(0).max(3_660) })]).default('program_start'),
  four_eyes: fourEyes.default({ imports: true, rules: true, adjustments: true, payouts: true }),
  late_in_closed: z.enum(['post', 'approve']).default('post'),
  units: z.array(unitShape).min(1).max(20),
  budgets: z.array(z.strictObject({ key, size: decimalShape, unit: key })).max(50).default([]),
  products: z.array(productShape).max(50_000).default([]),
  sources: z.array(sourceShape).max(50).default([]),
  terms: z.array(z.strictObject({ clause: z.string().min(1).max(50), pl: z.string().max(5_000), en: z.string().max(5_000) })).max(500).default([]),
  periods: z.array(z.strictObject({ calendar: key, name: z.string().min(1).max(100), starts_on: z.iso.date(), ends_on: z.iso.date() })).max(1_000).default([]),
  targets: z.array(z.strictObject({ key, of: z.enum(['net', 'gross', 'quantity', 'count']), window: z.enum(['day', 'week', 'month', 'quarter', 'year', 'program']), name: phraseShape.optional() })).max(50).default([]),
  segments: z.array(segmentShape).max(200).default([]),
  tier_sets: z.array(tierSetShape).max(10).default([]),
  mechanics: z.array(z.unknown()).max(200).default([]),
});
export type ProgramFile = Omit<z.infer<typeof programShape>, 'mechanics'> & { mechanics: { input: MechanicInput; mechanic: Mechanic }[] };

export const PROGRAM_BYTES_MAX = 4 * 1024 * 1024;

/** Reads a program's file, JSON or YAML, strictly. Presets are expanded; every fault has its path. */
export function parseProgram(text: string): ProgramFile {
  if (text.length > PROGRAM_BYTES_MAX) throw new Refusal('program_too_large', 413, phrase('Plik programu jest za duży.', 'The program file is too large.'));
  let value: unknown;
  try { value = parseYaml(text, { maxAliasCount: 100, schema: 'core' }); } catch (error) {
    throw new Refusal('program_unreadable', 422, phrase(`Pliku nie da się odczytać: ${(error as Error).message}`, `The file cannot be read: ${(error as Error).message}`));
  }
  return readProgram(value);
}

export function readProgram(value: unknown): ProgramFile {
  const file = parseShape(programShape, value);
  const mechanics = file.mechanics.map((given, index) => {
    const input = expandPreset(given, `/mechanics/${index}`) as MechanicInput;
    return { input, mechanic: parseMechanic(input, `/mechanics/${index}`) };
  });
  const faults = faultsOf(file, mechanics.map((item) => item.mechanic));
  if (faults.length > 0) throw new Refusal('program_inconsistent', 422, phrase('Plik programu jest niespójny.', 'The program file is not consistent.'), faults);
  return { ...file, mechanics };
}

function faultsOf(file: z.infer<typeof programShape>, mechanics: readonly Mechanic[]): { pointer: string; code: string; message: { pl: string; en: string } }[] {
  const units = new Set(file.units.map((unit) => unit.key));
  const targets = new Set(file.targets.map((target) => target.key));
  const clauses = new Set(file.terms.map((term) => term.clause));
  const budgets = new Set(file.budgets.map((budget) => budget.key));
  const unknown = (pointer: string, what: string): { pointer: string; code: string; message: { pl: string; en: string } } => ({ pointer, code: 'unknown_name', message: phrase(`nieznana nazwa „${what}”`, `unknown name “${what}”`) });
  return [
    ...(isZone(file.zone) ? [] : [unknown('/zone', file.zone)]),
    ...(file.legal_form === 'permitted_lottery' && file.permit === undefined ? [{ pointer: '/permit', code: 'missing', message: phrase('loteria wymaga numeru zezwolenia', 'a lottery needs the number of its permit') }] : []),
    ...file.periods.flatMap((period, index) => [
      ...(period.starts_on <= period.ends_on ? [] : [{ pointer: `/periods/${index}/ends_on`, code: 'period_malformed', message: phrase('okres kończy się, zanim się zacznie', 'the period ends before it begins') }]),
      ...(file.periods.some((other, at) => at < index && other.calendar === period.calendar && other.starts_on <= period.ends_on && period.starts_on <= other.ends_on) ? [{ pointer: `/periods/${index}`, code: 'periods_overlap', message: phrase(`okresy kalendarza „${period.calendar}” zachodzą na siebie`, `periods of calendar “${period.calendar}” overlap`) }] : []),
    ]),
    ...mechanics.flatMap((mechanic, index) => [
      ...(units.has(mechanic.award.unit) ? [] : [unknown(`/mechanics/${index}/award/unit`, mechanic.award.unit)]),
      ...(mechanic.base?.is === 'target' && !targets.has(mechanic.base.target) ? [unknown(`/mechanics/${index}/base/target`, mechanic.base.target)] : []),
      ...(mechanic.measure.is === 'blend' ? mechanic.measure.parts.filter((part) => !targets.has(part.target)).map((part) => unknown(`/mechanics/${index}/measure/parts`, part.target)) : []),
      ...(idleOf(mechanic) === idleOf(mechanics.find((other) => other.award.unit === mechanic.award.unit) ?? mechanic) ? [] : [{ pointer: `/mechanics/${index}/award/expires`, code: 'inactivity_differs', message: phrase('utrata ważności po braku aktywności musi być taka sama dla wszystkich nagród w tej jednostce', 'expiry after inactivity must be the same for every award of the unit') }]),
      ...(mechanic.clause !== undefined && !clauses.has(mechanic.clause) ? [unknown(`/mechanics/${index}/clause`, mechanic.clause)] : []),
      ...(mechanic.limits.budget !== undefined && !budgets.has(mechanic.limits.budget) ? [unknown(`/mechanics/${index}/limits/budget`, mechanic.limits.budget)] : []),
    ]),
  ];
}

/** After how many months without activity a mechanic's units expire; 0 is never. */
export const idleOf = (mechanic: Mechanic): number => (typeof mechanic.award.expires === 'object' && 'inactive_months' in mechanic.award.expires ? mechanic.award.expires.inactive_months : 0);

/** The published JSON Schema of a program's file, printed from the shapes that read it: a mechanic is a value of the algebra or a preset's short form. */
export function programSchema(): unknown {
  const short = PRESETS.map((preset) => z.strictObject({ preset: z.literal(preset.key), key, from: z.iso.date(), until: z.iso.date().optional(), name: phraseShape.optional(), clause: z.string().optional(), with: preset.form as z.ZodType }).meta({ title: preset.name.en, description: preset.name.pl }));
  const whole = programShape.extend({ mechanics: z.array(z.union([mechanicShape.meta({ title: 'A mechanic, as the algebra says it' }), ...short])).max(200).default([]) });
  return { title: 'A Premia program', ...z.toJSONSchema(whole, { io: 'input', unrepresentable: 'any', override: ({ jsonSchema }) => { if (jsonSchema.format === 'date') delete jsonSchema.pattern; } }) };
}
export { MECHANIC_BYTES_MAX };
