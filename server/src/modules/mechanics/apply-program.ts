import { Refusal, phrase, printRatio, type Day } from '@premia/kernel';
import { sql } from 'kysely';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import { findProgram, peopleOf, recountDays, type Program } from '../members/index.ts';
import { idleOf, type ProgramFile } from './program-file.ts';
import { liveVersions, planPublish, type Desired, type PublishStep } from './publish.ts';

export type ProgramPlan = { program: 'create' | 'change' | 'same'; changes: string[]; mechanics: PublishStep[] };

/** The parts of a file that are kept as settings, beside mechanics, which have versions. */
export function settingsOf(file: ProgramFile): Record<string, unknown> {
  const { mechanics: _, premia: __, ...settings } = file;
  return JSON.parse(JSON.stringify(settings, (_key, value: unknown) => (isRatio(value) ? printRatio(value) : value))) as Record<string, unknown>;
}
const isRatio = (value: unknown): value is { n: bigint; d: bigint } => typeof value === 'object' && value !== null && typeof (value as { n?: unknown }).n === 'bigint';

const sorted = (value: unknown): string => JSON.stringify(value, (_, item: unknown) => (
  item && typeof item === 'object' && !Array.isArray(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item));

/** What applying the file would change. Writes nothing. */
export async function planProgram(tx: Tx, file: ProgramFile): Promise<ProgramPlan> {
  const found = await row<{ program_id: bigint; settings: Record<string, unknown> }>(tx, sql`SELECT program_id, settings FROM members.program WHERE key = ${file.key}`);
  const desired = desiredOf(file);
  if (!found) return { program: 'create', changes: [], mechanics: desired.map((item) => planPublish(item, [])) };
  const program = await findProgram(tx, file.key);
  const settings = settingsOf(file);
  const changes = [...new Set([...Object.keys(settings), ...Object.keys(found.settings)])].filter((name) => sorted(settings[name]) !== sorted(found.settings[name])).sort();
  const live = await liveVersions(tx, program);
  const mechanics = [...desired.map((item) => planPublish(item, live.get(item.key) ?? [])),
    ...[...live].filter(([key]) => !desired.some((item) => item.key === key)).map(([key, versions]) => planPublish({ key, versions: [] }, versions))];
  return { program: changes.length === 0 && mechanics.every((step) => step.action === 'same') ? 'same' : 'change', changes, mechanics };
}

function desiredOf(file: ProgramFile): Desired[] {
  const byKey = new Map<string, Desired>();
  for (const version of file.mechanics) {
    const desired = byKey.get(version.mechanic.key) ?? { key: version.mechanic.key, versions: [] };
    desired.versions.push(version);
    byKey.set(version.mechanic.key, desired);
  }
  for (const desired of byKey.values()) desired.versions.sort((a, b) => (a.mechanic.from < b.mechanic.from ? -1 : 1));
  return [...byKey.values()];
}

const FIXED = ['zone', 'currency', 'currency_scale', 'corrections', 'rewards', 'counts'] as const;

/** Writes everything of a file but its mechanics' versions, which are published by the caller. Answers the program. */
export async function saveProgram(tx: Tx, context: Context, file: ProgramFile): Promise<Program> {
  const before = await row<{ program_id: bigint; settings: Record<string, unknown> }>(tx, sql`SELECT program_id, settings FROM members.program WHERE key = ${file.key}`);
  const settings = settingsOf(file);
  if (before && (await hasFacts(tx, before.program_id))) {
    for (const name of FIXED) {
      if (sorted(before.settings[name]) !== sorted(settings[name])) {
        throw new Refusal('setting_fixed', 409, phrase(`„${name}” nie może się zmienić, odkąd program ma zapisane fakty.`, `“${name}” cannot change once the program has facts.`), [{ pointer: `/${name}`, code: 'setting_fixed', message: phrase('ustalone', 'fixed') }]);
      }
    }
  }
  await sql`INSERT INTO members.program (tenant_id, key, zone, currency, currency_scale, settings, created_at)
    VALUES (${context.tenantId}, ${file.key}, ${file.zone}, ${file.currency}, ${file.currency_scale}, ${JSON.stringify(settings)}::jsonb, ${instant(context)})
    ON CONFLICT (tenant_id, key) DO UPDATE SET settings = excluded.settings, zone = excluded.zone, currency = excluded.currency, currency_scale = excluded.currency_scale`.execute(tx);
  const program = await findProgram(tx, file.key);
  await saveParts(tx, context, program, file);
  if (letsEarn(before?.settings) !== letsEarn(settings)) await recountDays(tx, program, await peopleOf(tx, program, null));
  await audit(tx, context, { action: before ? 'program.changed' : 'program.created', subject: `program:${file.key}`, programId: program.programId, before: before?.settings, after: settings });
  return program;
}

const letsEarn = (settings: Record<string, unknown> | undefined): boolean => settings?.['employer_consent'] !== 'block_earn';

/**
 * Settings that rules read as recorded inputs: what of them lies over recorded facts changes only by a recalculation, since their results
 * would otherwise say one thing and the rules another. A tier's name and benefits are words; so is a period's name. Answers the first such place.
 */
export async function movedInputs(tx: Tx, file: ProgramFile): Promise<string | null> {
  const before = await row<{ program_id: bigint; settings: Record<string, unknown> }>(tx, sql`SELECT program_id, settings FROM members.program WHERE key = ${file.key}`);
  if (!before) return null;
  if (letsEarn(before.settings) !== letsEarn(settingsOf(file)) && await hasFacts(tx, before.program_id)) return '/employer_consent';
  const [old, now] = [before.settings, settingsOf(file)] as Record<'tier_sets' | 'periods', Record<string, unknown>[] | undefined>[];
  const sets = ({ tier_sets: list = [] }: typeof old = {} as never): Map<string, string> => new Map(list.map(({ tiers, ...set }) => [set['key'] as string, sorted({ ...set, tiers: (tiers as { key: string; from: unknown }[]).map(({ key, from }) => ({ key, from })) })]));
  const [setsBefore, setsNow] = [sets(old), sets(now)];
  const set = [...new Set([...setsBefore.keys(), ...setsNow.keys()])].find((key) => setsBefore.get(key) !== setsNow.get(key));
  if (set !== undefined && await hasFacts(tx, before.program_id)) return `/tier_sets/${set}`;
  const periods = ({ periods: list = [] }: typeof old = {} as never): Map<string, string> => new Map(list.map((period) => [`${period['calendar']} ${period['starts_on']}`, String(period['ends_on'])]));
  const [periodsBefore, periodsNow] = [periods(old), periods(now)];
  for (const key of new Set([...periodsBefore.keys(), ...periodsNow.keys()])) {
    const [calendar = '', startsOn = ''] = key.split(' ');
    if (periodsBefore.get(key) !== periodsNow.get(key) && await hasFacts(tx, before.program_id, startsOn)) return `/periods/${calendar}`;
  }
  return null;
}

export async function hasFacts(tx: Tx, programId: bigint, from: Day = '1900-01-01'): Promise<boolean> {
  return (await rows(tx, sql`SELECT 1 FROM facts.fact WHERE program_id = ${programId} AND earned_on >= ${from} LIMIT 1`)).length > 0;
}

async function saveParts(tx: Tx, context: Context, program: Program, file: ProgramFile): Promise<void> {
  const [t, p] = [context.tenantId, program.programId];
  for (const unit of file.units) {
    const found = await row<{ scale: number }>(tx, sql`SELECT scale FROM ledger.unit WHERE program_id = ${p} AND key = ${unit.key}`);
    if (found && found.scale !== unit.scale) throw new Refusal('unit_scale_fixed', 409, phrase(`Skala jednostki „${unit.key}” jest niezmienna.`, `The scale of unit “${unit.key}” cannot change.`));
    await sql`INSERT INTO ledger.unit (tenant_id, program_id, key, scale, names, smallest_redemption, grace_days, debt_policy, idle_months)
      VALUES (${t}, ${p}, ${unit.key}, ${unit.scale}, ${JSON.stringify(unit.names)}::jsonb, ${unit.smallest_redemption}, ${unit.grace_days}, ${unit.debt}, ${Math.max(0, ...file.mechanics.filter((item) => item.mechanic.award.unit === unit.key).map((item) => idleOf(item.mechanic)))})
      ON CONFLICT (tenant_id, program_id, key) DO UPDATE SET names = excluded.names, smallest_redemption = excluded.smallest_redemption, grace_days = excluded.grace_days, debt_policy = excluded.debt_policy, idle_months = excluded.idle_months`.execute(tx);
  }
  for (const source of file.sources) {
    await sql`INSERT INTO facts.source (tenant_id, program_id, key, settings) VALUES (${t}, ${p}, ${source.key}, ${JSON.stringify(source)}::jsonb)
      ON CONFLICT (tenant_id, program_id, key) DO UPDATE SET settings = excluded.settings`.execute(tx);
  }
  await saveProducts(tx, t, p, file.products);
  const periods = sql`jsonb_to_recordset(${JSON.stringify(file.periods)}::jsonb) AS r(calendar text, name text, starts_on date, ends_on date)`;
  await sql`DELETE FROM mechanics.period AS d WHERE d.program_id = ${p} AND NOT EXISTS (SELECT 1 FROM ${periods} WHERE r.calendar = d.calendar AND r.starts_on = d.starts_on)`.execute(tx);
  await sql`INSERT INTO mechanics.period (tenant_id, program_id, calendar, name, starts_on, ends_on) SELECT ${t}::bigint, ${p}::bigint, r.calendar, r.name, r.starts_on, r.ends_on FROM ${periods}
    ON CONFLICT (tenant_id, program_id, calendar, starts_on) DO UPDATE SET name = excluded.name, ends_on = excluded.ends_on`.execute(tx);
  for (const set of file.tier_sets) {
    await sql`INSERT INTO mechanics.tier_set (tenant_id, program_id, key, definition) VALUES (${t}, ${p}, ${set.key}, ${JSON.stringify(set, decimals)}::jsonb)
      ON CONFLICT (tenant_id, program_id, key) DO UPDATE SET definition = excluded.definition`.execute(tx);
  }
  for (const segment of file.segments) {
    await sql`INSERT INTO members.segment (tenant_id, program_id, key, rule) VALUES (${t}, ${p}, ${segment.key}, ${JSON.stringify(segment, decimals)}::jsonb)
      ON CONFLICT (tenant_id, program_id, key) DO UPDATE SET rule = excluded.rule`.execute(tx);
  }
}

/** Exact numbers go to JSON as n/d text and are read back by the same shape. */
function decimals(_key: string, value: unknown): unknown {
  return isRatio(value) ? printRatio(value) : value;
}

/** Products and their classification from the beginning of time; a later change of the past is a recalculation. */
export async function saveProducts(tx: Tx, tenantId: bigint, programId: bigint, products: ProgramFile['products']): Promise<void> {
  if (products.length === 0) return;
  const list = JSON.stringify(products);
  await sql`INSERT INTO facts.product (tenant_id, program_id, sku, name, gtin, known)
    SELECT ${tenantId}::bigint, ${programId}::bigint, r.sku, r.name, r.gtin, true FROM jsonb_to_recordset(${list}::jsonb) AS r(sku text, name text, gtin text)
    ON CONFLICT (tenant_id, program_id, sku) DO UPDATE SET name = excluded.name, gtin = excluded.gtin, known = true`.execute(tx);
  await sql`INSERT INTO facts.product_class (tenant_id, program_id, product_id, category, brand, groups)
    SELECT ${tenantId}::bigint, ${programId}::bigint, p.product_id, r.category, r.brand, COALESCE(r.groups, '{}')
    FROM jsonb_to_recordset(${list}::jsonb) AS r(sku text, category text, brand text, groups text[])
    JOIN facts.product AS p ON p.tenant_id = ${tenantId} AND p.program_id = ${programId} AND p.sku = r.sku
    WHERE NOT EXISTS (SELECT 1 FROM facts.product_class AS c WHERE c.tenant_id = p.tenant_id AND c.program_id = p.program_id AND c.product_id = p.product_id)`.execute(tx);
}
