import { parseRatio, type Ratio } from '@premia/kernel';
import { z } from 'zod';

/*
 * A mechanic is data: whose facts × which facts → measure → per window, pooled over whom → compared to what → through a
 * curve → behind gates, within limits → so many units. This file is the whole grammar, and the source of its JSON Schema.
 *
 * Numbers are exact decimals, written '0.5', '80%', 100: money in the program's currency, quantities in pieces (or kg …),
 * attainment as a fraction, awards in whole units of the unit (1.50 of a unit of scale 2).
 */

const key = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/);
const text = z.string().min(1).max(200);

/** A decimal kept exact: a number is taken by its shortest printed form, never computed with. */
const decimal = z.union([z.string().max(40), z.number()]).transform((given, context): Ratio => {
  const value = parseRatio(String(given));
  if (value) return value;
  context.addIssue({ code: 'custom', message: `not an exact decimal: ${given}` });
  return z.NEVER;
});
const positive = decimal.refine((value) => value.n > 0n, 'must be above zero');

export const ROLES = ['buyer', 'seller', 'rep', 'self'] as const;
export type EarnerRole = (typeof ROLES)[number];

/** Fields that hold words. `attribute.x` is a column of the sale, `member.x` of the member, `tier.x` the place in a tier set. */
const wordField = z.union([
  z.enum(['product', 'category', 'brand', 'group', 'channel', 'partner', 'company_type', 'segment', 'company', 'territory', 'team']),
  z.string().regex(/^(attribute|member|tier)\.[a-z0-9][a-z0-9_-]{0,63}$/),
]);
/** Fields that hold amounts. Line and document stand for what is left of them after all their corrections. */
const amountField = z.enum(['line_net', 'line_gross', 'line_quantity', 'document_net', 'document_gross', 'document_quantity', 'weekday', 'hour']);
export type WordField = z.infer<typeof wordField>;
export type AmountField = z.infer<typeof amountField>;

export type Condition =
  | { is: 'all'; of: Condition[] }
  | { is: 'any'; of: Condition[] }
  | { is: 'not'; of: Condition }
  | { is: 'oneOf'; field: WordField; values: string[] }
  | { is: 'atLeast'; field: AmountField; value: Ratio }
  | { is: 'below'; field: AmountField; value: Ratio }
  | { is: 'did'; activity: string; code?: string | undefined };

export const CONDITION_DEPTH_MAX = 8;
export const CONDITION_LIST_MAX = 100;
export const VALUES_MAX = 1_000;

const condition: z.ZodType<Condition> = z.lazy(() => z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('all'), of: z.array(condition).max(CONDITION_LIST_MAX) }),
  z.strictObject({ is: z.literal('any'), of: z.array(condition).max(CONDITION_LIST_MAX) }),
  z.strictObject({ is: z.literal('not'), of: condition }),
  z.strictObject({ is: z.literal('oneOf'), field: wordField, values: z.array(text).max(VALUES_MAX) }),
  z.strictObject({ is: z.literal('atLeast'), field: amountField, value: decimal }),
  z.strictObject({ is: z.literal('below'), field: amountField, value: decimal }),
  z.strictObject({ is: z.literal('did'), activity: key, code: text.optional() }),
]) as unknown as z.ZodType<Condition>);

const leafFacts = { kind: key.optional(), where: condition.optional() };
/** What is measured. A thing counts while its corrected net (or, without one, quantity) is above zero. */
const leaf = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('sum'), of: z.enum(['net', 'gross', 'quantity']), ...leafFacts }),
  z.strictObject({ is: z.literal('count'), of: z.enum(['documents', 'lines', 'products', 'categories', 'brands', 'partners', 'days']), ...leafFacts }),
  /** Active periods in a row: the longest run in the window, or, with `each`, how many complete runs of that length. */
  z.strictObject({ is: z.literal('streak'), of: z.enum(['day', 'week', 'month', 'quarter']), each: z.number().int().min(1).max(366).optional(), ...leafFacts }),
  z.strictObject({ is: z.literal('awarded'), unit: key }),
]);
export type Leaf = z.infer<typeof leaf>;

const measure = z.union([leaf, z.strictObject({
  is: z.literal('blend'),
  parts: z.array(z.strictObject({ weight: positive, measure: leaf, target: key })).min(1).max(10),
})]);
export type Measure = z.infer<typeof measure>;

const window = z.union([
  z.enum(['document', 'line', 'day', 'week', 'month', 'quarter', 'year', 'program']),
  z.strictObject({ periods: key }),
]);
export type Window = z.infer<typeof window>;

const pool = z.strictObject({
  by: z.enum(['company', 'team', 'everyone']),
  /** For `everyone` with a rank: leagues by an attribute of the member on the window's last day. */
  bands: z.string().regex(/^member\.[a-z0-9][a-z0-9_-]{0,63}$/).optional(),
  received: z.enum(['each', 'in_proportion', 'by_head']).default('each'),
});
export type Pool = z.infer<typeof pool>;

const as = z.enum(['ratio', 'difference']);
const base = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('target'), target: key, as: as.default('ratio'), pro_rata: z.boolean().default(false) }),
  z.strictObject({ is: z.literal('earlier'), years: z.number().int().min(1).max(5).optional(), windows: z.number().int().min(1).max(60).optional(), as: as.default('difference') })
    .refine((value) => (value.years === undefined) !== (value.windows === undefined), 'say either years or windows'),
  z.strictObject({ is: z.literal('fixed'), value: positive, as: as.default('difference') }),
]);
export type Base = z.infer<typeof base>;

const rising = (values: readonly Ratio[]): boolean => values.every((value, index) => {
  const before = values[index - 1];
  return before === undefined || before.n * value.d < value.n * before.d;
});
const curve = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('per'), units: decimal, every: positive }),
  z.strictObject({ is: z.literal('steps'), steps: z.array(z.strictObject({ reach: decimal, units: decimal })).min(1).max(50).refine((steps) => rising(steps.map((step) => step.reach)), 'steps must rise') }),
  z.strictObject({
    is: z.literal('bands'), mode: z.enum(['marginal', 'retrospective']),
    bands: z.array(z.strictObject({ from: decimal, rate: decimal })).min(1).max(50).refine((bands) => rising(bands.map((band) => band.from)), 'bands must rise'),
    /** What the rate of the reached band multiplies, when it is not the measure itself. */
    times: leaf.optional(),
  }),
  z.strictObject({ is: z.literal('linear'), points: z.array(z.strictObject({ x: decimal, units: decimal })).min(1).max(50).refine((points) => rising(points.map((point) => point.x)), 'points must rise') }),
  z.strictObject({ is: z.literal('rank'), places: z.array(decimal).min(1).max(100), ties: z.enum(['share', 'higher', 'member']).default('share'), at_least: decimal.optional() }),
]);
export type Curve = z.infer<typeof curve>;

const gate = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('reach'), measure: leaf, at_least: decimal }),
  z.strictObject({ is: z.literal('did'), activity: key, code: text.optional() }),
  z.strictObject({ is: z.literal('member'), who: condition }),
]);
export type Gate = z.infer<typeof gate>;

const expiry = z.union([
  z.literal('never'),
  z.strictObject({ months: z.number().int().min(1).max(600), end: z.enum(['day', 'month', 'quarter', 'year']).default('day'), day: z.string().regex(/^\d{2}-\d{2}$/).optional() }),
  z.strictObject({ on: z.iso.date() }),
  /** After so many months in which its holder did nothing at all; the same for every award of the unit. */
  z.strictObject({ inactive_months: z.number().int().min(1).max(120) }),
]);
const award = z.strictObject({
  unit: key,
  available: z.union([z.enum(['at_once', 'period_close', 'approval']), z.strictObject({ after_days: z.number().int().min(1).max(3_660) })]).default('at_once'),
  expires: expiry.default('never'),
  funded_by: text.optional(),
});
export type Award = z.infer<typeof award>;

const limits = z.strictObject({ least: decimal.optional(), most: decimal.optional(), most_total: decimal.optional(), budget: key.optional() });
const phrase = z.strictObject({ pl: z.string().max(200), en: z.string().max(200) });

export const mechanicShape = z.strictObject({
  key,
  name: phrase.optional(),
  clause: text.optional(),
  from: z.iso.date(),
  until: z.iso.date().optional(),
  earner: z.strictObject({ role: z.enum(ROLES), who: condition.optional() }),
  facts: z.strictObject({ kind: key.default('sale'), where: condition.optional() }).default({ kind: 'sale' }),
  measure,
  window,
  pool: pool.optional(),
  base: base.optional(),
  curve,
  gates: z.array(gate).max(10).default([]),
  limits: limits.default({}),
  rounding: z.enum(['down', 'floor', 'half_up', 'half_even']).default('down'),
  award,
});
export type Mechanic = z.infer<typeof mechanicShape>;
/** As a person writes it, before defaults and exact numbers. */
export type MechanicInput = z.input<typeof mechanicShape>;
export { condition as conditionShape, leaf as leafShape, decimal as decimalShape };
