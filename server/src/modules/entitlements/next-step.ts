import { measureScale, measureWords, sayUnits, type Rule, type Vocabulary } from '@premia/algebra';
import { compareRatio, minusRatio, printRatio, ratio, timesRatio, type Day, type Locale, type Ratio } from '@premia/kernel';
import { sql } from 'kysely';
import type { Context } from '../../platform/context.ts';
import { row, type Tx } from '../../platform/database.ts';
import type { Member, Program } from '../members/index.ts';
import { vocabularyOf } from './explain.ts';
import { loadPlan } from './plan.ts';

export type NextStep = { mechanic: string; name: string; now: string; missing: string; brings: string; sentence: string };

/** For each mechanic of a member on a day: how far the next step is, in the measure's own unit, and what reaching it brings. */
export async function nextSteps(tx: Tx, context: Context, program: Program, member: Member, on: Day, locale: Locale): Promise<NextStep[]> {
  const plan = await loadPlan(tx, context.tenantId, program);
  const words = await vocabularyOf(tx, program);
  const steps: NextStep[] = [];
  for (const rule of plan.rules) {
    if (rule.startsOn > on || (rule.endsOn !== 'infinity' && rule.endsOn <= on) || rule.mechanic.curve.is === 'rank' || rule.mechanic.window === 'document' || rule.mechanic.window === 'line') continue;
    const found = await row<{ measured_n: string; measured_d: string; base_n: string | null; base_d: string | null }>(tx, sql`SELECT measured_n, measured_d, base_n, base_d FROM entitlements.entitlement WHERE program_id = ${program.programId} AND member_id = ${member.memberId}
      AND mechanic_id = ${rule.mechanicId} AND window_start <= ${on} AND window_end >= ${on}`);
    const step = found ? stepOf(rule, found, measureScale(rule, plan.options), locale, words) : null;
    if (step) steps.push(step);
  }
  return steps;
}

function stepOf(rule: Rule, found: { measured_n: string; measured_d: string; base_n: string | null; base_d: string | null }, scale: bigint, locale: Locale, words: Vocabulary): NextStep | null {
  const { mechanic } = rule;
  const measured = ratio(BigInt(found.measured_n), BigInt(found.measured_d) * scale);
  const base = found.base_n === null ? null : ratio(BigInt(found.base_n), BigInt(found.base_d ?? '1') * scale);
  const asRatio = mechanic.base?.as === 'ratio';
  if (mechanic.base && (base === null || (asRatio && base.n <= 0n))) return null;
  const x = !mechanic.base || !base ? measured : asRatio ? ratio(measured.n * base.d, measured.d * base.n) : minusRatio(measured, base);
  const next = nextOf(mechanic.curve, x);
  if (!next) return null;
  const gap = minusRatio(next.at, x);
  const missing = asRatio && base ? timesRatio(gap, base) : gap; // in the measure itself: złoty that are missing, not percent
  const plain = { ...mechanic, base: undefined } as Rule['mechanic'];
  const unit = words.unit(mechanic.award.unit);
  const [said, then, threshold] = [measureWords(plain, missing, locale, words), sayUnits(printRatio(next.brings), unit, locale), measureWords(mechanic, next.at, locale, words)];
  return {
    mechanic: mechanic.key, name: mechanic.name?.[locale] ?? mechanic.key, now: measureWords(mechanic, x, locale, words), missing: said, brings: then,
    sentence: locale === 'pl' ? `Brakuje ${said} do progu ${threshold}, wtedy razem ${then}.` : `${said} more to reach ${threshold}, then ${then} in all.`,
  };
}

/** The nearest point above x at which the curve gives more, and what it then gives in all. */
function nextOf(curve: Rule['mechanic']['curve'], x: Ratio): { at: Ratio; brings: Ratio } | null {
  switch (curve.is) {
    case 'per': {
      const full = ratio(x.n * curve.every.d, x.d * curve.every.n);
      const next = ratio((full.n < 0n ? 0n : full.n / full.d) + 1n);
      return { at: timesRatio(next, curve.every), brings: timesRatio(next, curve.units) };
    }
    case 'steps': { const step = curve.steps.find((item) => compareRatio(x, item.reach) < 0); return step ? { at: step.reach, brings: step.units } : null; }
    case 'linear': { const point = curve.points.find((item) => compareRatio(x, item.x) < 0); return point ? { at: point.x, brings: point.units } : null; }
    case 'bands': { const band = curve.bands.find((item) => compareRatio(x, item.from) < 0); return band && curve.mode === 'retrospective' && !curve.times ? { at: band.from, brings: timesRatio(band.rate, band.from) } : null; }
    case 'rank': return null;
  }
}
