import { Refusal, phrase } from '@premia/kernel';
import { sql } from 'kysely';
import type { Context } from '../../platform/context.ts';
import { rows, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import { hasFacts, movedInputs, planProgram, publish, saveProgram, type ProgramFile, type ProgramPlan, type PublishStep } from '../mechanics/index.ts';
import type { Program } from '../members/index.ts';
import { makePlan } from './plan.ts';
import { openSettling } from './record-sales.ts';
import { settle } from './settle.ts';

/** Publishes a program's file. A change that would move results already settled is refused: it belongs into a recalculation. */
export async function applyProgram(context: Context, file: ProgramFile): Promise<ProgramPlan> {
  return context.transaction(async (tx) => {
    const plan = await planProgram(tx, file);
    if (plan.program === 'same') return plan;
    const moved = await movedInputs(tx, file);
    if (moved !== null) {
      throw new Refusal('recalculation_needed', 409, phrase('Ta zmiana dotyczy zapisanych faktów: zaproponuj przeliczenie.', 'This change touches recorded facts: propose a recalculation.'), [{ pointer: moved, code: 'recalculation_needed', message: phrase('przeszłość', 'the past') }]);
    }
    const program = await saveProgram(tx, context, file);
    for (const step of plan.mechanics) {
      if (step.action === 'same') continue;
      if (await movesThePast(tx, program, step)) {
        throw new Refusal('recalculation_needed', 409, phrase(
          `Zmiana mechaniki „${step.key}” od ${step.from} dotyczy zapisanych faktów: zaproponuj przeliczenie.`,
          `Changing mechanic “${step.key}” from ${step.from} touches recorded facts: propose a recalculation.`), [{ pointer: `/mechanics/${step.key}`, code: 'recalculation_needed', message: phrase('przeszłość', 'the past') }]);
      }
      await publishStep(tx, context, program, step);
    }
    await refuseCircles(tx, context, program);
    return plan;
  });
}

async function movesThePast(tx: Tx, program: Program, step: PublishStep): Promise<boolean> {
  return step.from !== '' && hasFacts(tx, program.programId, step.from);
}

export async function publishStep(tx: Tx, context: Context, program: Program, step: PublishStep): Promise<void> {
  await publish(tx, context.tenantId, program, step, context.principal);
  await audit(tx, context, { action: 'mechanic.published', subject: `mechanic:${step.key}`, programId: program.programId, after: { from: step.from, action: step.action, versions: step.versions.map((version) => version.input) } });
}

/** A program whose mechanics build on each other in a circle must not be published; making its plan says so, with the path. */
async function refuseCircles(tx: Tx, context: Context, program: Program): Promise<void> {
  const settling = await openSettling(tx, context, program);
  makePlan(settling.plan.rules, settling.plan.strata.flatMap((stratum) => stratum.tierSets), settling.plan.options);
}

/** Settles everything of a program from its facts. Locks all its members. */
export async function settleAll(tx: Tx, context: Context, program: Program): Promise<void> {
  const settling = await openSettling(tx, context, program);
  await lockAll(tx, context, program);
  await settle(tx, { ...settling, lateApproved: true }, 'all');
}

export async function lockAll(tx: Tx, context: Context, program: Program): Promise<void> {
  await rows(tx, sql`INSERT INTO platform.member_lock (tenant_id, member_id, taken) SELECT ${context.tenantId}::bigint, member_id, 1 FROM members.member WHERE program_id = ${program.programId} ORDER BY member_id
    ON CONFLICT (tenant_id, member_id) DO UPDATE SET taken = platform.member_lock.taken + 1`);
}
