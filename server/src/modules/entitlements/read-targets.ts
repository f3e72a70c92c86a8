import type { Rule } from '@premia/algebra';
import { sql } from 'kysely';
import { Refusal, formatMinor, phrase, type Day } from '@premia/kernel';
import type { Context } from '../../platform/context.ts';
import { rows, type Tx } from '../../platform/database.ts';
import { likeOf } from '../../platform/keyset.ts';
import type { Program } from '../members/index.ts';
import { loadPlan } from './plan.ts';

/** A whole, in basis points. */
export const BP = 10_000;
type Page = { target: string; from: Day; to: Day; after?: string; limit: number; search?: string };

/** The rule that measures against this target and counts today; what it measured is what attainment is of. */
export async function attainmentRule(tx: Tx, context: Context, program: Program, target: string): Promise<Rule | undefined> {
  const plan = await loadPlan(tx, context.tenantId, program);
  return plan.rules.findLast(({ mechanic }) => mechanic.base?.is === 'target' && mechanic.base.target === target && mechanic.curve.is !== 'rank' && mechanic.pool === undefined)
    ?? plan.rules.findLast(({ mechanic }) => mechanic.base?.is === 'target' && mechanic.base.target === target && mechanic.pool === undefined);
}

export const targetScale = (program: Program, key: string): number => {
  const found = ((program.settings['targets'] ?? []) as { key: string; of: string }[]).find((item) => item.key === key);
  if (!found) throw new Refusal('target_malformed', 422, phrase(`Nieznany cel „${key}”.`, `Unknown target “${key}”.`));
  return found.of === 'quantity' ? 3 : found.of === 'count' ? 0 : program.currencyScale;
};

/** Members by code with their targets in the windows that begin in a stretch, and what was measured; `bp` is attainment in basis points, rounded down, for display. */
export async function readTargets(tx: Tx, context: Context, program: Program, page: Page): Promise<{ rows: unknown[]; next: string | null }> {
  const scale = targetScale(program, page.target);
  const rule = await attainmentRule(tx, context, program, page.target);
  const like = likeOf(page.search);
  const found = await rows<{ code: string; name: string | null; windows: { window_start: Day; value: string; measured_n: string | null; measured_d: string | null; reason: string | null }[] }>(tx, sql`SELECT m.code, p.name, w.windows FROM members.member AS m
    LEFT JOIN members.person AS p ON p.tenant_id = m.tenant_id AND p.program_id = m.program_id AND p.member_id = m.member_id
    JOIN LATERAL (SELECT jsonb_agg(jsonb_build_object('window_start', t.window_start, 'value', t.value::text, 'reason', t.reason, 'measured_n', e.measured_n::text, 'measured_d', e.measured_d::text) ORDER BY t.window_start) AS windows FROM mechanics.target AS t
      LEFT JOIN entitlements.entitlement AS e ON e.tenant_id = t.tenant_id AND e.program_id = t.program_id AND e.member_id = m.member_id AND e.mechanic_id = ${rule?.mechanicId ?? null}::bigint AND e.window_start = t.window_start AND e.subject_id = 0
      WHERE t.tenant_id = m.tenant_id AND t.program_id = m.program_id AND t.current AND t.target_key = ${page.target} AND t.subject = 'member:' || m.member_id AND t.window_start BETWEEN ${page.from} AND ${page.to}) AS w ON w.windows IS NOT NULL
    WHERE m.program_id = ${program.programId} AND m.merged_into IS NULL AND (${page.after ?? null}::text IS NULL OR m.code > ${page.after ?? null}) AND (${like}::text IS NULL OR m.code ILIKE ${like} OR p.name ILIKE ${like}) ORDER BY m.code LIMIT ${page.limit + 1}`);
  return {
    rows: found.slice(0, page.limit).map((item) => ({ subject: item.code, name: item.name, windows: item.windows.map((window) => shown(window, scale)) })),
    next: found.length > page.limit ? found[page.limit - 1]?.code ?? null : null,
  };
}

/** measured_n / measured_d is in the target's smallest units. */
function shown(window: { window_start: Day; value: string; measured_n: string | null; measured_d: string | null; reason: string | null }, scale: number): unknown {
  const { window_start, value, measured_n: n, measured_d: d, reason } = window;
  const measured = n === null || d === null ? null : BigInt(n) / BigInt(d);
  return { window_start, value: formatMinor(BigInt(value), scale), measured: measured === null ? null : formatMinor(measured, scale), bp: n === null || d === null || BigInt(value) <= 0n ? null : Number((BigInt(n) * BigInt(BP)) / (BigInt(d) * BigInt(value))), reason };
}
