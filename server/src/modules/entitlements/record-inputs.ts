import type { Context } from '../../platform/context.ts';
import { audit } from '../identity/index.ts';
import { decideConflict, findSource, giveUpWait, sourceOfConflict, type ConflictDecision } from '../facts/index.ts';
import { findProgram, type MemberDraft } from '../members/index.ts';
import type { TargetDraft } from '../mechanics/index.ts';
import { recordInput } from './change-inputs.ts';
import { openSettling } from './record-sales.ts';
import { settle } from './settle.ts';

/** Makes or changes members; everything that reads what changed about them is settled in the same transaction. */
export async function recordMembers(context: Context, input: { program: string; members: readonly MemberDraft[] }): Promise<{ saved: number; settled: number }> {
  const { changed } = await recordInput(context, { kind: 'members', program: input.program, members: [...input.members] });
  return { saved: input.members.length, settled: changed };
}

/** Sets targets and settles the windows they measure. */
export async function recordTargets(context: Context, input: { program: string; targets: readonly TargetDraft[] }): Promise<{ changed: number }> {
  return recordInput(context, { kind: 'targets', program: input.program, targets: input.targets.map((target) => ({ ...target, value: String(target.value) })) });
}

/** Decides a document that came again changed, and settles what the decision moves. */
export async function recordConflictDecision(context: Context, input: { program: string } & Omit<ConflictDecision, 'principal'>): Promise<void> {
  await context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const settling = await openSettling(tx, context, program);
    const source = await findSource(tx, program, await sourceOfConflict(tx, program, input.conflictId));
    await decideConflict(tx, { tenantId: context.tenantId, program, source, recordedSeq: settling.runSeq, today: settling.bookedOn }, { ...input, principal: context.principal });
    await settle(tx, settling);
    await audit(tx, context, { action: `conflict.${input.decision === 'keep' ? 'kept' : 'accepted'}`, subject: `conflict:${input.conflictId}`, programId: program.programId, after: { reason: input.reason } });
  });
}

/** Gives up the wait of a correction for its base, and settles it as a document of its own. */
export async function recordWaitGivenUp(context: Context, input: { program: string; source: string; number: string; reason: string }): Promise<void> {
  await context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const settling = await openSettling(tx, context, program);
    await giveUpWait(tx, { tenantId: context.tenantId, program, source: await findSource(tx, program, input.source), recordedSeq: settling.runSeq, today: settling.bookedOn }, { ...input, principal: context.principal });
    await settle(tx, settling);
    await audit(tx, context, { action: 'wait.given_up', subject: `document:${input.number}`, programId: program.programId, after: { source: input.source, reason: input.reason } });
  });
}
