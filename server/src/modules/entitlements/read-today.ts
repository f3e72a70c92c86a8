import { sql } from 'kysely';
import { addDays, addMonths, daysBetween, formatMinor, windowStart, type Day } from '@premia/kernel';
import { must } from '@premia/kernel';
import { row, rows, type Tx } from '../../platform/database.ts';
import { readLiability } from '../ledger/index.ts';
import { companiesWithoutConsent, type Program } from '../members/index.ts';
import { listLate } from './approve-awards.ts';
import { inOrder } from './read-home.ts';
import { attainmentRule, BP } from './read-targets.ts';
import { today, type Context } from '../../platform/context.ts';

const MONTHS_SHOWN = 13;
const BANDS = [0, 5_000, 8_000, 10_000, 12_000] as const;
/** What waits in modules above this one. */
export type MoreWaits = (tx: Tx, program: Program) => Promise<Record<string, number>>;
export type Waits = Record<'imports' | 'conflicts' | 'quarantined' | 'corrections' | 'unknown_products' | 'recalculations' | 'adjustments' | 'awards' | 'late' | 'inquiries' | 'registrations' | 'employers' | 'differences' | 'jobs', number>;

/** How much waits for somebody, by kind. */
export async function readWaits(tx: Tx, context: Context, program: Program): Promise<Waits> {
  const { programId } = program;
  const waits = must(await row<Waits>(tx, sql`SELECT
    (SELECT count(*)::int FROM facts.import WHERE program_id = ${programId} AND state = 'staged') AS imports, (SELECT count(*)::int FROM facts.conflict WHERE program_id = ${programId} AND state = 'open') AS conflicts,
    (SELECT COALESCE(sum((counts ->> 'quarantined')::int), 0)::int FROM facts.import WHERE program_id = ${programId} AND state IN ('staged', 'recorded')) AS quarantined, (SELECT count(*)::int FROM facts.waiting WHERE program_id = ${programId}) AS corrections,
    (SELECT count(*)::int FROM facts.product WHERE program_id = ${programId} AND NOT known AND same_as IS NULL) AS unknown_products, (SELECT count(*)::int FROM entitlements.recalculation WHERE program_id = ${programId} AND state = 'proposed') AS recalculations,
    (SELECT count(*)::int FROM ledger.adjustment WHERE program_id = ${programId} AND state = 'proposed') AS adjustments, (SELECT count(DISTINCT gate)::int FROM ledger.lot WHERE program_id = ${programId} AND gate LIKE 'approval:%' AND remaining > 0) AS awards,
    0 AS late, (SELECT count(*)::int FROM members.inquiry WHERE program_id = ${programId} AND state = 'open') AS inquiries,
    (SELECT count(*)::int FROM members.registration WHERE program_id = ${programId} AND state = 'open') AS registrations,
    COALESCE((SELECT differences FROM entitlements.verification WHERE program_id = ${programId} ORDER BY verification_id DESC LIMIT 1), 0) AS differences, 0 AS employers, (SELECT count(*)::int FROM platform.failed_jobs() AS j WHERE j.program IS NULL OR j.program = ${program.key}) AS jobs`), 'counts');
  return { ...waits, late: program.settings.late_in_closed === 'approve' ? (await listLate(tx, context, program, { limit: 1_000 })).length : 0, employers: (await companiesWithoutConsent(tx, program, today(context, program.zone))).length };
}

/** What waits for somebody, and how the program does: sales by month, units granted, what is owed, how targets are met. */
export async function readToday(tx: Tx, context: Context, program: Program, on: Day, more: MoreWaits): Promise<unknown> {
  const { programId } = program;
  const month = windowStart(on, 'month');
  const since = addMonths(month, 1 - MONTHS_SHOWN);
  const money = (minor: bigint): string => formatMinor(minor, program.currencyScale);
  const months = await rows<{ month: Day; net: bigint; documents: number; active: number }>(tx, sql`SELECT c.month_start AS month, COALESCE(s.net, 0)::bigint AS net, COALESCE(s.documents, 0)::int AS documents, COALESCE(a.active, 0)::int AS active
    FROM (SELECT DISTINCT month_start FROM platform.calendar WHERE day BETWEEN ${since} AND ${on}) AS c
    LEFT JOIN (SELECT date_trunc('month', d.occurred_on)::date AS month, sum(l.net_minor) AS net, count(DISTINCT d.document_id) AS documents FROM facts.document AS d JOIN facts.line AS l ON l.tenant_id = d.tenant_id AND l.program_id = d.program_id AND l.document_id = d.document_id
      WHERE d.program_id = ${programId} AND d.occurred_on BETWEEN ${since} AND ${on} GROUP BY 1) AS s ON s.month = c.month_start
    LEFT JOIN (SELECT date_trunc('month', f.occurred_on)::date AS month, count(DISTINCT f.member_id) AS active FROM facts.fact AS f WHERE f.program_id = ${programId} AND f.occurred_on BETWEEN ${since} AND ${on} GROUP BY 1) AS a ON a.month = c.month_start ORDER BY 1`);
  // The month so far against as many days of the month before and of the year before: whole months would always look worse.
  const days = daysBetween(month, on);
  const stretch = (start: Day): { from: Day; to: Day } => ({ from: start, to: addDays(start, days) < addMonths(start, 1) ? addDays(start, days) : addDays(addMonths(start, 1), -1) });
  const [before, year] = [stretch(addMonths(month, -1)), stretch(addMonths(month, -12))];
  const same = must(await row<{ now: bigint; last_month: bigint; last_year: bigint }>(tx, sql`SELECT COALESCE(sum(l.net_minor) FILTER (WHERE d.occurred_on BETWEEN ${month} AND ${on}), 0)::bigint AS now, COALESCE(sum(l.net_minor) FILTER (WHERE d.occurred_on BETWEEN ${before.from} AND ${before.to}), 0)::bigint AS last_month,
    COALESCE(sum(l.net_minor) FILTER (WHERE d.occurred_on BETWEEN ${year.from} AND ${year.to}), 0)::bigint AS last_year FROM facts.document AS d JOIN facts.line AS l ON l.tenant_id = d.tenant_id AND l.program_id = d.program_id AND l.document_id = d.document_id
    WHERE d.program_id = ${programId} AND (d.occurred_on BETWEEN ${month} AND ${on} OR d.occurred_on BETWEEN ${before.from} AND ${before.to} OR d.occurred_on BETWEEN ${year.from} AND ${year.to})`), 'sales');
  const granted = await rows<{ month: string; unit: string; scale: number; amount: bigint }>(tx, sql`SELECT to_char(e.window_end, 'YYYY-MM') || '-01' AS month, u.key AS unit, u.scale, sum(e.amount)::bigint AS amount FROM entitlements.entitlement AS e JOIN ledger.unit AS u ON u.tenant_id = e.tenant_id AND u.program_id = e.program_id AND u.unit_id = e.unit_id
    WHERE e.program_id = ${programId} AND e.window_end BETWEEN ${since} AND (${addMonths(month, 1)}::date - 1) AND e.amount <> 0 GROUP BY 1, 2, 3 ORDER BY 1, 2`);
  const members = must(await row<{ n: number }>(tx, sql`SELECT count(*)::int AS n FROM members.member WHERE program_id = ${programId} AND merged_into IS NULL`), 'members');
  return {
    on, waits: { ...await readWaits(tx, context, program), ...await more(tx, program) }, months: months.map((item) => ({ ...item, net: money(item.net) })), granted: granted.map((item) => ({ month: item.month, unit: item.unit, amount: formatMinor(item.amount, item.scale) })),
    liability: inOrder(program, await readLiability(tx, programId, on)).map((unit) => ({ unit: unit.unit, amount: formatMinor(unit.available + unit.pending + unit.held - unit.debt, unit.scale) })),
    same_days: { from: month, to: on, net: money(same.now), last_month: money(same.last_month), last_year: money(same.last_year) }, members: members.n, attainment: await attainmentOf(tx, context, program, month),
  };
}

/** How many members stand in which part of their target this month. */
async function attainmentOf(tx: Tx, context: Context, program: Program, month: Day): Promise<unknown> {
  const [target] = (program.settings['targets'] ?? []) as { key: string; window: string }[];
  if (!target || target.window !== 'month') return null;
  const measured = await attainmentRule(tx, context, program, target.key);
  if (!measured) return null;
  const found = await rows<{ band: number; members: number }>(tx, sql`SELECT band, count(*)::int AS members FROM (SELECT (SELECT max(b) FROM unnest(${[...BANDS]}::int[]) AS b WHERE b <= GREATEST(0, div(e.measured_n * ${BP}, NULLIF(e.measured_d, 0) * GREATEST(t.value, 1)))) AS band FROM mechanics.target AS t
    JOIN entitlements.entitlement AS e ON e.program_id = t.program_id AND t.subject = 'member:' || e.member_id AND e.mechanic_id = ${measured.mechanicId} AND e.window_start = t.window_start
    WHERE t.program_id = ${program.programId} AND t.current AND t.target_key = ${target.key} AND t.window_start = ${month}) AS each_member GROUP BY 1`);
  return { target: target.key, month, of: found.reduce((sum, item) => sum + item.members, 0), bands: BANDS.map((from) => ({ from, members: found.find((item) => item.band === from)?.members ?? 0 })) };
}
