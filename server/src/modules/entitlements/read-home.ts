import { sayUnits, type Rule, type Vocabulary } from '@premia/algebra';
import { addDays, addMonths, formatMinor, printRatio, ratio, timesRatio, windowStart, workingDaysLeft, type Day, type Locale } from '@premia/kernel';
import { sql } from 'kysely';
import { must } from '@premia/kernel';
import type { Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { lotsOf, newestEntries, readBalances, type Balance, type LedgerEntry } from '../ledger/index.ts';
import { dueTerms, employerBars, readMember, stateOn, type Member, type Program } from '../members/index.ts';
import { vocabularyOf } from './explain.ts';
import { heldTier } from './read-benefits.ts';
import { nextSteps, type NextStep } from './next-step.ts';
import { loadPlan } from './plan.ts';
import { BP, targetScale } from './read-targets.ts';

const RECENT = 6;
const EXPIRING_DAYS = 60;
/** A member's statement and home show business days back this far at most in one answer. */
export const HISTORY_WINDOWS = 12;

export const balanceView = (item: Balance): Record<string, string> => ({ unit: item.unit, available: formatMinor(item.available, item.scale), pending: formatMinor(item.pending, item.scale), held: formatMinor(item.held, item.scale), debt: formatMinor(item.debt, item.scale), total: formatMinor(item.total, item.scale) });
export const entryView = (item: LedgerEntry): Record<string, unknown> => ({ id: item.transferId, booked_on: item.bookedOn, kind: item.kind, unit: item.unit, amount: formatMinor(item.amount, item.scale), mechanic: item.mechanic, window: item.windowStart, document: item.document, reason: item.reason, name: item.mechanicName ?? null });

/** Units as the program names them: the main one first. */
export const inOrder = <T extends { unit: string }>(program: Program, units: readonly T[]): T[] => { const order = ((program.settings['units'] ?? []) as { key: string }[]).map((unit) => unit.key); return units.toSorted((a, b) => order.indexOf(a.unit) - order.indexOf(b.unit)); };

/** What a member's first screen answers: how much, how far to the next thing, what is new. */
export async function readHome(tx: Tx, context: Context, program: Program, member: Member, userId: string, on: Day, locale: Locale): Promise<unknown> {
  const person = await readMember(tx, program, member.memberId);
  const lots = await lotsOf(tx, program.programId, member.memberId, on);
  const steps = await nextSteps(tx, context, program, member, on, locale);
  const coming = lots.filter((lot) => lot.gate !== '' || lot.availableOn > on);
  const expiring = lots.filter((lot) => lot.gate === '' && lot.availableOn <= on && lot.expiresOn <= addDays(on, EXPIRING_DAYS));
  const inquiries = must(await row<{ n: number }>(tx, sql`SELECT count(*)::int AS n FROM members.inquiry WHERE program_id = ${program.programId} AND member_id = ${member.memberId} AND state = 'answered'`), 'count');
  return {
    on, member: member.code, name: person.name, state: await stateOn(tx, program, member.memberId, on), balances: inOrder(program, await readBalances(tx, program.programId, on, { memberId: member.memberId })).map(balanceView),
    coming: coming.map((lot) => ({ unit: lot.unit, amount: formatMinor(lot.amount, lot.scale), on: lot.gate === '' ? lot.availableOn : null })), expiring: expiring.map((lot) => ({ unit: lot.unit, amount: formatMinor(lot.amount, lot.scale), on: lot.expiresOn })),
    steps, targets: await targetsOf(tx, context, program, member, on, locale, steps), tiers: await tiersOf(tx, context, program, member, on, locale),
    recent: (await newestEntries(tx, program.programId, { memberId: member.memberId, limit: RECENT })).rows.map(entryView), terms_due: await dueTerms(tx, program, member.memberId, userId, on), open_inquiries: inquiries.n, employer: await employerBars(tx, program, member.memberId, on),
  };
}

async function tiersOf(tx: Tx, context: Context, program: Program, member: Member, on: Day, locale: Locale): Promise<unknown[]> {
  const plan = await loadPlan(tx, context.tenantId, program);
  const shown: unknown[] = [];
  for (const { tierSetId, tierSet } of plan.strata.flatMap((stratum) => stratum.tierSets)) {
    const held = await heldTier(tx, program, member, tierSetId, on);
    if (held) shown.push({ set: tierSet.key, name: tierSet.tiers.find((tier) => tier.key === held.tier)?.name?.[locale] ?? held.tier, since: held.valid_from });
  }
  return shown;
}

/** The targets of the windows that hold this day: what was measured, and the marks on the way with what each brings. */
async function targetsOf(tx: Tx, context: Context, program: Program, member: Member, on: Day, locale: Locale, steps: readonly NextStep[]): Promise<unknown[]> {
  const plan = await loadPlan(tx, context.tenantId, program);
  const words = await vocabularyOf(tx, program);
  const shown: unknown[] = [];
  for (const target of (program.settings['targets'] ?? []) as { key: string; window: string; name?: Record<Locale, string> }[]) {
    if (target.window === 'program') continue;
    const start = windowStart(on, target.window as 'month');
    const set = await row<{ value: bigint }>(tx, sql`SELECT value FROM mechanics.target WHERE program_id = ${program.programId} AND current AND target_key = ${target.key} AND subject = ${`member:${member.memberId}`} AND window_start = ${start}`);
    const rule = plan.rules.findLast(({ mechanic, startsOn, endsOn }) => mechanic.base?.is === 'target' && mechanic.base.target === target.key && mechanic.pool === undefined && startsOn <= on && (endsOn === 'infinity' || endsOn > on));
    if (!set || !rule || set.value <= 0n) continue;
    const measured = await row<{ n: string; d: string; window_end: Day }>(tx, sql`SELECT measured_n::text AS n, measured_d::text AS d, window_end FROM entitlements.entitlement WHERE program_id = ${program.programId} AND member_id = ${member.memberId} AND mechanic_id = ${rule.mechanicId} AND window_start = ${start} AND subject_id = 0`);
    const [n, d] = [BigInt(measured?.n ?? '0'), BigInt(measured?.d ?? '1')];
    const scale = targetScale(program, target.key);
    const end = measured?.window_end ?? addDays(addMonths(start, target.window === 'quarter' ? 3 : target.window === 'year' ? 12 : 1), -1);
    shown.push({ key: target.key, name: target.name?.[locale] ?? target.key, window_start: start, window_end: end, value: formatMinor(set.value, scale), measured: formatMinor(n / d, scale), bp: Number((n * BigInt(BP)) / (d * set.value)), working_days_left: workingDaysLeft(on, end),
      marks: marksOf(rule, locale, words), step: steps.find((step) => step.mechanic === rule.mechanic.key) ?? null });
  }
  return shown;
}

function marksOf({ mechanic }: Rule, locale: Locale, words: Vocabulary): { bp: number; brings: string }[] {
  if (mechanic.curve.is !== 'steps' || mechanic.base?.as !== 'ratio') return [];
  return mechanic.curve.steps.map((step) => { const bp = timesRatio(step.reach, ratio(BigInt(BP))); return { bp: Number(bp.n / bp.d), brings: sayUnits(printRatio(step.units), words.unit(mechanic.award.unit), locale) }; });
}

/** Windows of one mechanic that gave or took something, newest first. */
export const historyOf = async (tx: Tx, program: Program, member: Member, rule: Rule): Promise<{ window_start: Day; amount: string }[]> => (await rows<{ window_start: Day; amount: bigint }>(tx, sql`SELECT window_start, sum(amount)::bigint AS amount FROM entitlements.entitlement WHERE program_id = ${program.programId} AND member_id = ${member.memberId} AND mechanic_id = ${rule.mechanicId} GROUP BY 1 HAVING sum(amount) <> 0 ORDER BY 1 DESC LIMIT ${HISTORY_WINDOWS}`))
  .map((item) => ({ window_start: item.window_start, amount: formatMinor(item.amount, rule.unitScale) }));
