import { z } from 'zod';

const key = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/);

/** Which column of a file holds what. Columns are named by their header, or by their number from 1. */
export const mappingShape = z.strictObject({
  document: z.string(), line: z.string().optional(), date: z.string(),
  date_format: z.enum(['ymd', 'dmy', 'mdy']).optional(),
  decimal: z.enum(['.', ',']).optional(),
  encoding: z.enum(['utf-8', 'utf-16le', 'utf-16be', 'windows-1250', 'iso-8859-2', 'cp852']).optional(),
  delimiter: z.enum([';', ',', '\t', '|']).optional(),
  sheet: z.string().optional(),
  kind: z.strictObject({ column: z.string().optional(), returns: z.array(z.string()).default([]), corrections: z.array(z.string()).default([]), return_prefix: z.string().optional(), correction_prefix: z.string().optional() }).optional(),
  base_document: z.string().optional(), base_line: z.string().optional(),
  buyer: z.string().optional(), seller: z.string().optional(), rep: z.string().optional(),
  buyer_by: z.enum(['code', 'nip', 'email']).default('code'), seller_by: z.enum(['code', 'nip', 'email']).default('code'), rep_by: z.enum(['code', 'nip', 'email']).default('code'),
  /** A column such as `anna:60;jan:40`: reps and their weights. */
  shares: z.string().optional(),
  product: z.string().optional(), product_name: z.string().optional(), quantity: z.string().optional(), unit_price: z.string().optional(), net: z.string().optional(), gross: z.string().optional(),
  currency: z.string().optional(), channel: z.string().optional(),
  attributes: z.record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/), z.string()).default({}),
});
export type Mapping = z.infer<typeof mappingShape>;

/** Where data come from, and how that source writes them. */
export const sourceShape = z.strictObject({
  key, name: z.strictObject({ pl: z.string().max(500), en: z.string().max(500) }).optional(),
  documents: z.enum(['lines', 'whole']).default('lines'),
  unknown: z.enum(['enrol', 'wait', 'quarantine']).default('wait'),
  codes: z.strictObject({ strip_decimal_zero: z.boolean().default(false), upper: z.boolean().default(false) }).default({ strip_decimal_zero: false, upper: false }),
  verified: z.boolean().default(true),
  earliest: z.iso.date().default('2000-01-01'),
  rounding: z.enum(['half_up', 'half_even', 'down']).default('half_up'),
  default_currency: z.string().regex(/^[A-Z]{3}$/).optional(),
  mapping: mappingShape.optional(),
});

export type SourceSettings = z.infer<typeof sourceShape>;
export type Source = { sourceId: bigint; key: string; settings: SourceSettings };
