import { parseShape } from '@premia/algebra';
import { Refusal, phrase } from '@premia/kernel';
import { z } from 'zod';
import type { Preset } from './preset.ts';
import { brandMultiplier } from './brand-multiplier.ts';
import { cashback } from './cashback.ts';
import { categoryMultiplier } from './category-multiplier.ts';
import { challengeBadge } from './challenge-badge.ts';
import { crossSell } from './cross-sell.ts';
import { eventAttendance } from './event-attendance.ts';
import { firstPurchase } from './first-purchase.ts';
import { growthBonus } from './growth-bonus.ts';
import { hourBonus } from './hour-bonus.ts';
import { individualTarget } from './individual-target.ts';
import { launchBonus } from './launch-bonus.ts';
import { leaderboard } from './leaderboard.ts';
import { leaderboardAttainment } from './leaderboard-attainment.ts';
import { monthlyCap } from './monthly-cap.ts';
import { pointsPerAmount } from './points-per-amount.ts';
import { pointsPerKilogram } from './points-per-kilogram.ts';
import { pointsPerUnit } from './points-per-unit.ts';
import { quizPoints } from './quiz-points.ts';
import { referral } from './referral.ts';
import { sponsorBudget } from './sponsor-budget.ts';
import { stampCard } from './stamp-card.ts';
import { streak } from './streak.ts';
import { targetAccelerator } from './target-accelerator.ts';
import { teamTarget } from './team-target.ts';
import { volumeRebateMarginal } from './volume-rebate-marginal.ts';
import { volumeRebateRetrospective } from './volume-rebate-retrospective.ts';
import { weekendBonus } from './weekend-bonus.ts';

/** Every preset: a short form for what the field knows by name. The engine knows only the algebra they make. */
export const PRESETS: readonly Preset[] = [pointsPerAmount, pointsPerUnit, pointsPerKilogram, categoryMultiplier, brandMultiplier, weekendBonus, hourBonus, firstPurchase, launchBonus, crossSell, individualTarget, targetAccelerator, teamTarget, growthBonus, volumeRebateMarginal, volumeRebateRetrospective, monthlyCap, stampCard, streak, referral, quizPoints, eventAttendance, challengeBadge, leaderboard, leaderboardAttainment, cashback, sponsorBudget] as never;

const envelope = z.looseObject({ preset: z.string(), key: z.string(), from: z.string(), until: z.string().optional(), name: z.unknown().optional(), clause: z.string().optional() });

/** `{ preset: …, key, from, with: {…} }` becomes the mechanic it stands for; anything else is a mechanic already. */
export function expandPreset(given: unknown, at: string): unknown {
  if (typeof given !== 'object' || given === null || !('preset' in given)) return given;
  const { preset: key, with: form = {}, ...rest } = parseShape(envelope, given, at) as { preset: string; with?: unknown } & Record<string, unknown>;
  const found = PRESETS.find((item) => item.key === key);
  if (!found) throw new Refusal('preset_unknown', 422, phrase(`Nieznany wzorzec „${key}”.`, `Unknown preset “${key}”.`), [{ pointer: `${at}/preset`, code: 'preset_unknown', message: phrase(PRESETS.map((item) => item.key).join(', '), PRESETS.map((item) => item.key).join(', ')) }]);
  return { name: found.name, ...rest, ...found.make(parseShape(found.form, form, `${at}/with`)) };
}
export type { Preset };
