import { measureWords, toWords, type Rule } from '@premia/algebra';
import { addDays, minusRatio, ratio, type Day, type Locale, type Ratio } from '@premia/kernel';
import { sql } from 'kysely';
import type { Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import type { Member, Program } from '../members/index.ts';
import { vocabularyOf } from './explain.ts';
import { nextSteps } from './next-step.ts';
import { loadPlan, type Plan } from './plan.ts';
import { addressed, heldTier } from './read-benefits.ts';
import { historyOf } from './read-home.ts';

const NEIGHBOURS = 3;
const isLive = (rule: Rule, on: Day): boolean => rule.startsOn <= on && (rule.endsOn === 'infinity' || rule.endsOn > on);

/** Every rule that means a member, in words, with the next step and what it gave before; and the levels with what they give. */
export async function readRules(tx: Tx, context: Context, program: Program, member: Member, on: Day, locale: Locale): Promise<unknown> {
  const plan = await loadPlan(tx, context.tenantId, program);
  const words = await vocabularyOf(tx, program);
  const steps = await nextSteps(tx, context, program, member, on, locale);
  const shown: unknown[] = [];
  const live = plan.rules.filter((rule) => isLive(rule, on));
  const meant = await addressed(tx, context, program, plan, member, on, live);
  for (const rule of live.filter((_, index) => meant[index])) {
    shown.push({ mechanic: rule.mechanic.key, name: rule.mechanic.name?.[locale] ?? rule.mechanic.key, sentence: toWords(rule.mechanic, locale, words), until: rule.countsUntil === 'infinity' ? null : addDays(rule.countsUntil, -1),
      step: steps.find((step) => step.mechanic === rule.mechanic.key) ?? null, history: await historyOf(tx, program, member, rule), unit: rule.mechanic.award.unit });
  }
  return { rules: shown, tiers: await levels(tx, program, plan, member, on, locale) };
}

async function levels(tx: Tx, program: Program, plan: Plan, member: Member, on: Day, locale: Locale): Promise<unknown[]> {
  const words = await vocabularyOf(tx, program);
  const shown: unknown[] = [];
  for (const { tierSetId, tierSet } of plan.strata.flatMap((stratum) => stratum.tierSets)) {
    const role = await row(tx, sql`SELECT 1 FROM facts.fact WHERE program_id = ${program.programId} AND member_id = ${member.memberId} AND role = ${tierSet.role} LIMIT 1`);
    if (!role) continue;
    const held = await heldTier(tx, program, member, tierSetId, on);
    shown.push({ set: tierSet.key, since: held?.valid_from ?? null, levels: tierSet.tiers.map((tier) => ({ key: tier.key, name: tier.name?.[locale] ?? tier.key, from: measureWords({ measure: tierSet.measure } as Rule['mechanic'], tier.from, locale, words), held: tier.key === held?.tier, benefits: tier.benefits.map((benefit) => benefit[locale]) })) });
  }
  return shown;
}

type Part = { member_id: bigint; name: string | null; code: string; kind: string; pool: string; n: string; d: string; base_n: string | null; base_d: string | null; window_start: Day; window_end: Day };

/** The running leaderboards that a member stands in: their place and three neighbours on either side, in their own pool. People show first name and initial. */
export async function readBoards(tx: Tx, context: Context, program: Program, member: Member, on: Day, locale: Locale): Promise<unknown> {
  const plan = await loadPlan(tx, context.tenantId, program);
  const words = await vocabularyOf(tx, program);
  const boards: unknown[] = [];
  for (const rule of plan.rules.filter((item) => item.mechanic.curve.is === 'rank' && isLive(item, on))) {
    const parts = await rows<Part>(tx, sql`SELECT e.member_id, p.name, m.code, m.kind, e.pool, e.measured_n::text AS n, e.measured_d::text AS d, e.base_n::text AS base_n, e.base_d::text AS base_d, e.window_start, e.window_end FROM entitlements.partial AS e
      JOIN members.member AS m ON m.tenant_id = e.tenant_id AND m.program_id = e.program_id AND m.member_id = e.member_id LEFT JOIN members.person AS p ON p.tenant_id = e.tenant_id AND p.program_id = e.program_id AND p.member_id = e.member_id
      WHERE e.program_id = ${program.programId} AND e.mechanic_id = ${rule.mechanicId} AND e.window_start <= ${on} AND e.window_end >= ${on} AND e.passed`);
    const own = parts.find((part) => part.member_id === member.memberId);
    if (!own) continue;
    const asRatio = rule.mechanic.base?.as === 'ratio';
    const valueOf = (part: Part): Ratio | null => {
      const measured = ratio(BigInt(part.n), BigInt(part.d));
      if (!rule.mechanic.base) return measured;
      if (part.base_n === null || part.base_d === null) return null;
      const base = ratio(BigInt(part.base_n), BigInt(part.base_d));
      return asRatio ? (base.n <= 0n ? null : ratio(measured.n * base.d, measured.d * base.n)) : minusRatio(measured, base);
    };
    const ranked = parts.filter((part) => part.pool === own.pool).flatMap((part) => { const value = valueOf(part); return value === null ? [] : [{ part, value }]; }).sort((a, b) => { const [x, y] = [b.value.n * a.value.d, a.value.n * b.value.d]; return x > y ? 1 : x < y ? -1 : a.part.code < b.part.code ? -1 : 1; });
    const at = ranked.findIndex(({ part }) => part.member_id === member.memberId);
    const placed = ranked.map((item) => ({ ...item, place: ranked.findIndex((other) => other.value.n * item.value.d === item.value.n * other.value.d) + 1 }));
    boards.push({ mechanic: rule.mechanic.key, name: rule.mechanic.name?.[locale] ?? rule.mechanic.key, window_start: own.window_start, window_end: own.window_end, band: own.pool, of: ranked.length, me: at === -1 ? null : placed[at]?.place ?? null,
      rows: placed.slice(Math.max(0, at - NEIGHBOURS), at === -1 ? 0 : at + NEIGHBOURS + 1).map(({ part, place, value }) => ({ place, name: part.kind === 'person' ? discreet(part.name ?? part.code) : part.name ?? part.code, value: measureWords(rule.mechanic, value, locale, words), me: part.member_id === member.memberId })) });
  }
  return { boards };
}

const discreet = (name: string): string => { const [first = '', ...rest] = name.split(' '); const last = rest.at(-1); return last ? `${first} ${last.slice(0, 1)}.` : first; };
