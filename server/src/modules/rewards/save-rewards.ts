import { parse } from 'csv-parse/sync';
import { sql } from 'kysely';
import { parseMinor, parseRatio, phrase, roundRatio, timesRatio, ratio, Refusal, isDay, type Phrase, type RefusalPlace } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { rows, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import { findUnit } from '../ledger/index.ts';
import type { Program } from '../members/index.ts';
import { KINDS, railOf, type Kind } from './machine.ts';
import { refuse } from './refusals.ts';
import type { Audience, LimitWindow } from './reward.ts';

export const REWARDS_PER_FILE_MAX = 2_000;
/** A reward as people write it: amounts as decimals of the unit and of the currency. A stock or picture that is not said stays: members order while operators write. */
export type RewardDraft = {
  key: string; kind: Kind; state: 'draft' | 'active' | 'archived'; name: Phrase; description: Phrase; category: string; picture?: string | null; unit: string; price: string; worth: string; co_pay: string; least: string | null; most: string | null; stock?: number | null; limit: { count: number; window: LimitWindow } | null;
  valid_from: string | null; valid_to: string | null; audience: Audience; approval: 'policy' | 'always'; provider: 'simulated' | null; cost: string; vat_rate: string; vat_kind: 'none' | 'spv' | 'mpv'; vat_deducted: boolean; low_value_register: boolean; supplier: string; least_days: number; low_stock: number;
};

const positive = (value: bigint, name: string): bigint => { if (value <= 0n) throw new Refusal('amount_malformed', 422, phrase(`${name}: musi być dodatnie.`, `${name}: must be above zero.`)); return value; };

/** Makes or changes a reward by its key. What was ordered already keeps the price it was ordered at. */
export async function saveReward(tx: Tx, context: Context, program: Program, draft: RewardDraft): Promise<void> {
  const unit = await findUnit(tx, program.programId, draft.unit);
  const money = (text: string, what: string): bigint => { const minor = parseMinor(text, program.currencyScale, what); if (minor < 0n) throw refuse('amount_not_offered', { pl: what, en: what }); return minor; };
  const [least, most] = [draft.least === null ? null : positive(money(draft.least, 'least'), 'least'), draft.most === null ? null : positive(money(draft.most, 'most'), 'most')];
  if ((least === null) !== (most === null) || (least !== null && most !== null && (least > most || money(draft.worth, 'worth') === 0n))) throw refuse('amount_not_offered', { pl: 'Kwota dowolna ma najmniejszą, największą i wartość większą od zera.', en: 'An open amount has a least, a most and a worth above zero.' });
  if (railOf(draft.kind) === 'money' && money(draft.worth, 'worth') === 0n) throw refuse('amount_not_offered', { pl: 'Wypłata musi być coś warta.', en: 'A payout must be worth something.' });
  await sql`INSERT INTO rewards.reward AS r (tenant_id, program_id, key, kind, state, names, descriptions, category, picture, unit_id, price, worth_minor, co_pay_minor, least_minor, most_minor, stock, limit_count, limit_window, valid_from, valid_to, audience, approval, provider, cost_minor, vat_rate, vat_kind, vat_deducted, low_value_register, supplier, least_days, low_stock, changed_at)
    VALUES (${context.tenantId}, ${program.programId}, ${draft.key}, ${draft.kind}, ${draft.state}, ${JSON.stringify(draft.name)}::jsonb, ${JSON.stringify(draft.description)}::jsonb, ${draft.category}, ${draft.picture ?? null}, ${unit.unitId}, ${positive(parseMinor(draft.price, unit.scale, 'price'), 'price')}, ${money(draft.worth, 'worth')}, ${money(draft.co_pay, 'co_pay')}, ${least}, ${most},
      ${draft.stock ?? null}, ${draft.limit?.count ?? null}, ${draft.limit?.window ?? null}, ${draft.valid_from ?? '-infinity'}, ${draft.valid_to ?? 'infinity'}, ${JSON.stringify(draft.audience)}::jsonb, ${draft.approval}, ${draft.provider}, ${money(draft.cost, 'cost')}, ${draft.vat_rate}, ${draft.vat_kind}, ${draft.vat_deducted}, ${draft.low_value_register}, ${draft.supplier}, ${draft.least_days}, ${draft.low_stock}, ${instant(context)})
    ON CONFLICT (tenant_id, program_id, key) DO UPDATE SET kind = excluded.kind, state = excluded.state, names = excluded.names, descriptions = excluded.descriptions, category = excluded.category, picture = ${draft.picture === undefined ? sql`r.picture` : sql`excluded.picture`}, unit_id = excluded.unit_id, price = excluded.price, worth_minor = excluded.worth_minor, co_pay_minor = excluded.co_pay_minor,
      least_minor = excluded.least_minor, most_minor = excluded.most_minor, stock = ${draft.stock === undefined ? sql`r.stock` : sql`excluded.stock`}, limit_count = excluded.limit_count, limit_window = excluded.limit_window, valid_from = excluded.valid_from, valid_to = excluded.valid_to, audience = excluded.audience, approval = excluded.approval, provider = excluded.provider, cost_minor = excluded.cost_minor, vat_rate = excluded.vat_rate,
      vat_kind = excluded.vat_kind, vat_deducted = excluded.vat_deducted, low_value_register = excluded.low_value_register, supplier = excluded.supplier, least_days = excluded.least_days, low_stock = excluded.low_stock, changed_at = excluded.changed_at`.execute(tx);
  const { picture: _, ...shown } = draft;
  await audit(tx, context, { action: 'reward.saved', subject: `reward:${draft.key}`, programId: program.programId, after: shown });
}

const COLUMNS = ['key', 'kind', 'name_pl', 'name_en', 'category', 'unit', 'price', 'worth', 'cost', 'stock'] as const;
const OPTIONAL = ['description_pl', 'description_en', 'supplier', 'valid_from', 'valid_to', 'state', 'co_pay', 'least', 'most', 'limit_count', 'limit_window'] as const;

/** Reads a catalogue from CSV; every fault has its row, and a faulty file changes nothing. */
export async function importRewards(tx: Tx, context: Context, program: Program, text: string): Promise<number> {
  let table: Record<string, string>[];
  try { table = parse(text.replace(/^\uFEFF/, ''), { delimiter: [';', ',', '\t'], columns: (head: string[]) => head.map((name) => name.trim().toLowerCase()), skip_empty_lines: true, trim: true, relax_column_count: true, max_record_size: 20_000 }); } catch (error) { throw refuse('file_malformed', { pl: (error as Error).message, en: (error as Error).message }); }
  const missing = COLUMNS.filter((name) => table[0] === undefined || !Object.hasOwn(table[0], name));
  if (missing.length > 0) throw refuse('file_malformed', { pl: `Brakuje kolumn: ${missing.join(', ')}.`, en: `Columns are missing: ${missing.join(', ')}.` });
  if (table.length > REWARDS_PER_FILE_MAX) throw refuse('file_malformed', { pl: `Najwyżej ${REWARDS_PER_FILE_MAX} nagród.`, en: `At most ${REWARDS_PER_FILE_MAX} rewards.` });
  const faults: RefusalPlace[] = [];
  for (const [index, record] of table.entries()) {
    const get = (name: (typeof COLUMNS)[number] | (typeof OPTIONAL)[number]): string => record[name] ?? '';
    const wrong = (column: string, pl: string, en: string): void => { faults.push({ pointer: `/${index + 2}/${column}`, code: 'malformed', message: phrase(pl, en) }); };
    const decimal = (name: (typeof COLUMNS)[number] | (typeof OPTIONAL)[number]): string => get(name).replace(/\s/g, '').replace(',', '.');
    if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(get('key'))) wrong('key', 'klucz: małe litery, cyfry, . _ -', 'a key: lower case letters, digits, . _ -');
    if (!(KINDS as readonly string[]).includes(get('kind'))) wrong('kind', `rodzaj: ${KINDS.join(', ')}`, `kind: ${KINDS.join(', ')}`);
    for (const name of ['price', 'worth', 'cost'] as const) if (!/^\d{1,12}(\.\d{1,6})?$/.test(decimal(name))) wrong(name, 'to nie jest liczba', 'this is not a number');
    if (get('stock') !== '' && !/^\d{1,9}$/.test(get('stock'))) wrong('stock', 'to nie jest liczba sztuk', 'this is not a number of pieces');
    for (const name of ['valid_from', 'valid_to'] as const) if (get(name) !== '' && !isDay(get(name))) wrong(name, 'nie ma takiego dnia', 'there is no such day');
    if (faults.length > 0) continue;
    const draft: RewardDraft = {
      key: get('key'), kind: get('kind') as Kind, state: get('state') === 'active' ? 'active' : 'draft', name: { pl: get('name_pl'), en: get('name_en') || get('name_pl') }, description: { pl: get('description_pl'), en: get('description_en') || get('description_pl') }, category: get('category'), unit: get('unit'), price: decimal('price'), worth: decimal('worth'), co_pay: decimal('co_pay') || '0', least: decimal('least') || null, most: decimal('most') || null,
      stock: get('stock') === '' ? null : Number(get('stock')), limit: /^\d{1,6}$/.test(get('limit_count')) ? { count: Number(get('limit_count')), window: (get('limit_window') || 'program') as LimitWindow } : null, valid_from: get('valid_from') || null, valid_to: get('valid_to') || null, audience: {}, approval: 'policy', provider: null, cost: decimal('cost'), vat_rate: '23%', vat_kind: 'none', vat_deducted: false, low_value_register: false, supplier: get('supplier'), least_days: 30, low_stock: 0,
    };
    try { await saveReward(tx, context, program, draft); } catch (error) { if (!(error instanceof Refusal)) throw error; faults.push({ pointer: `/${index + 2}`, code: error.code, message: error.phrase }); }
  }
  if (faults.length > 0) throw refuse('file_malformed', undefined, faults.slice(0, 100));
  return table.length;
}

/** Changes prices in units of many rewards at once, by a factor, rounded up to a step. Answers what each was and is. */
export async function repriceRewards(tx: Tx, context: Context, program: Program, given: { category?: string | undefined; kind?: string | undefined; percent: string; step: number }): Promise<{ key: string; before: bigint; after: bigint; scale: number }[]> {
  const factor = parseRatio(given.percent);
  if (!factor || factor.n <= 0n) throw refuse('amount_not_offered');
  const found = await rows<{ reward_id: bigint; key: string; price: bigint; scale: number }>(tx, sql`SELECT r.reward_id, r.key, r.price, u.scale FROM rewards.reward AS r JOIN ledger.unit AS u ON u.tenant_id = r.tenant_id AND u.program_id = r.program_id AND u.unit_id = r.unit_id
    WHERE r.program_id = ${program.programId} AND r.state <> 'archived' AND (${given.category ?? null}::text IS NULL OR r.category = ${given.category ?? null}) AND (${given.kind ?? null}::text IS NULL OR r.kind = ${given.kind ?? null}) ORDER BY r.reward_id FOR UPDATE OF r`);
  const changed = found.map((reward) => {
    const step = BigInt(given.step) * 10n ** BigInt(reward.scale);
    const steps = timesRatio(timesRatio(factor, ratio(reward.price)), ratio(1n, step));
    const up = -roundRatio(ratio(-steps.n, steps.d), 'floor');
    return { ...reward, after: up * step };
  });
  for (const reward of changed) await sql`UPDATE rewards.reward SET price = ${reward.after}, changed_at = ${instant(context)} WHERE program_id = ${program.programId} AND reward_id = ${reward.reward_id}`.execute(tx);
  await audit(tx, context, { action: 'rewards.repriced', subject: `program:${program.key}`, programId: program.programId, after: { ...given, rewards: changed.length } });
  return changed.map((reward) => ({ key: reward.key, before: reward.price, after: reward.after, scale: reward.scale }));
}
