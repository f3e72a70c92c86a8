import { Refusal, phrase, type Day } from '@premia/kernel';
import { sql } from 'kysely';
import { instant, today, type Context } from '../../platform/context.ts';
import { rows, runText, type Tx } from '../../platform/database.ts';
import { lockMembers } from '../../platform/member-lock.ts';
import { audit } from '../identity/index.ts';
import { findSource, mapProduct, mergeFacts, recreditDocument, saveProducts, type ProductDraft } from '../facts/index.ts';
import { mergeWallets } from '../ledger/index.ts';
import { employerPolicy, findMember, findProgram, listPrograms, markMerged, peopleOf, recordEmployerConsent, recountDays, saveMembers, saveStates, type CreditedRole, type EmployerConsent, type MemberDraft, type Program, type StateDraft } from '../members/index.ts';
import { saveTargets } from '../mechanics/index.ts';
import { openSettling } from './record-sales.ts';
import { settle, type Settling } from './settle.ts';
import { listStale } from './settle-pools.ts';
import * as q from './queries.ts';

/**
 * Everything beside facts that rules read, as data: it can be recorded at once, or – where it moves results of the past – proposed,
 * previewed and approved by a second person. One way in for both, so that a preview cannot differ from what follows.
 */
export type InputChange = { program: string } & (
  | { kind: 'members'; members: MemberDraft[] }
  | { kind: 'states'; states: StateDraft[] }
  | { kind: 'targets'; targets: { target: string; subject: string; window_start: Day; value: string; reason?: string }[] }
  | { kind: 'products'; products: ProductDraft[] }
  | { kind: 'product_map'; code: string; product: string }
  | { kind: 'recredit'; source: string; document: string; role: CreditedRole; member: string }
  | { kind: 'merge'; member: string; into: string }
  | { kind: 'employer_consent' } & EmployerConsent
);
const KINDS = new Set(['members', 'states', 'targets', 'products', 'product_map', 'recredit', 'merge', 'employer_consent']);
export const isInputChange = (change: unknown): change is InputChange => typeof change === 'object' && change !== null && KINDS.has(String((change as { kind?: unknown }).kind));

/** Records a change and settles what reads it, in the caller's transaction. Answers how many members, targets or products it changed. */
export async function applyChange(tx: Tx, context: Context, program: Program, settling: Settling, change: InputChange): Promise<number> {
  const changed = await record(tx, context, program, settling, change);
  await settle(tx, settling);
  if (change.kind === 'merge') await joinWallets(tx, program, settling, change);
  await audit(tx, context, { action: `${change.kind}.recorded`, subject: `program:${program.key}`, programId: program.programId, after: 'members' in change ? { members: change.members.length, changed } : 'targets' in change ? { targets: change.targets.length, changed } : change });
  return changed;
}

async function record(tx: Tx, context: Context, program: Program, settling: Settling, change: InputChange): Promise<number> {
  const { tenantId } = context;
  switch (change.kind) {
    case 'members': return touchMembers(tx, settling, await saveMembers(tx, tenantId, program, change.members, settling.bookedOn));
    case 'states': return touchMembers(tx, settling, await saveStates(tx, tenantId, program, change.states));
    case 'targets': {
      const moved = await saveTargets(tx, tenantId, program, change.targets.map((target) => ({ ...target, value: BigInt(target.value) })), { principal: context.principal, at: instant(context) });
      await lockMembers(tx, tenantId, [...new Set(moved.map((item) => item.memberId))]);
      await sql`INSERT INTO pg_temp.touch (member_id, day) SELECT * FROM unnest(${moved.map((item) => item.memberId)}::bigint[], ${moved.map((item) => item.day)}::date[])`.execute(tx);
      return moved.length;
    }
    case 'products': return saveProducts(tx, tenantId, program, change.products);
    case 'product_map': await mapProduct(tx, { tenantId, program, recordedSeq: settling.runSeq, today: settling.bookedOn }, change); return 1;
    case 'recredit': {
      const { memberId } = await findMember(tx, program, change.member);
      await recreditDocument(tx, { tenantId, program, source: await findSource(tx, program, change.source), number: change.document, role: change.role, memberId, recordedSeq: settling.runSeq });
      return 1;
    }
    case 'merge': {
      const [from, to] = [await findMember(tx, program, change.member), await findMember(tx, program, change.into)];
      if (from.memberId === to.memberId) throw new Refusal('same_member', 422, phrase('To ten sam uczestnik.', 'This is the same member.'));
      await lockMembers(tx, tenantId, [from.memberId, to.memberId]);
      await mergeFacts(tx, { tenantId, program, from: from.memberId, to: to.memberId, recordedSeq: settling.runSeq });
      return 1;
    }
    case 'employer_consent': {
      await recordEmployerConsent(tx, context, program, change);
      return touchPeopleOf(tx, program, settling, change.company);
    }
  }
}

async function touchMembers(tx: Tx, settling: Settling, memberIds: readonly bigint[]): Promise<number> {
  await lockMembers(tx, settling.tenantId, memberIds);
  await runText(tx, q.TOUCH_MEMBERS, [settling.tenantId, settling.program.programId, memberIds]);
  return memberIds.length;
}

/** People of a company whose counted days its word as employer has moved. */
const touchPeopleOf = async (tx: Tx, program: Program, settling: Settling, company: string): Promise<number> => touchMembers(tx, settling, await recountDays(tx, program, await peopleOf(tx, program, company)));

/** Once the old member is owed nothing, its wallets are emptied into the new one's, and its code becomes an alias. */
async function joinWallets(tx: Tx, program: Program, settling: Settling, change: Extract<InputChange, { kind: 'merge' }>): Promise<void> {
  const [from, to] = [await findMember(tx, program, change.member), await findMember(tx, program, change.into)];
  await mergeWallets(tx, { tenantId: settling.tenantId, programId: program.programId, bookedOn: settling.bookedOn, bookedAt: settling.bookedAt, runSeq: settling.runSeq }, from.memberId, to.memberId);
  await markMerged(tx, program, from.memberId, to.memberId);
}

/**
 * Records a change at once. Where it moves results of windows that have ended, it is refused: it belongs into a recalculation, where the
 * program asks for a second person – and for closed periods always.
 */
export async function recordInput(context: Context, change: InputChange): Promise<{ changed: number }> {
  return context.transaction(async (tx) => {
    const program = await findProgram(tx, change.program);
    // Posted at once whatever the policy for late facts says, so that what moved is seen – and refused where it must be.
    const settling = { ...(await openSettling(tx, context, program)), lateApproved: true };
    const stale = await staleNow(tx, program);
    const changed = await applyChange(tx, context, program, settling, change);
    await refusePast(tx, context, program, settling, stale);
    return { changed };
  });
}

/**
 * Records a company's word as employer about one program, or – without one – about all of the tenant's. Where a program lets nobody earn
 * without it, what it moves is settled at once, and refused like every other change of the past. Answers the consent's id.
 */
export async function recordEmployerWord(context: Context, programKey: string | null, said: EmployerConsent): Promise<bigint> {
  return context.transaction(async (tx) => {
    const about = programKey === null ? null : await findProgram(tx, programKey);
    const id = await recordEmployerConsent(tx, context, about, said);
    await audit(tx, context, { action: 'employer_consent.recorded', subject: `company:${said.company}`, ...(about ? { programId: about.programId } : {}), after: said });
    const programs = about ? [about] : await Promise.all((await listPrograms(tx)).map(({ key }) => findProgram(tx, key)));
    for (const program of programs.filter((each) => employerPolicy(each) === 'block_earn')) {
      const settling = { ...(await openSettling(tx, context, program)), lateApproved: true };
      const stale = await staleNow(tx, program);
      if ((await touchPeopleOf(tx, program, settling, said.company)) === 0) continue;
      await settle(tx, settling);
      await refusePast(tx, context, program, settling, stale);
    }
    return id;
  });
}

/** Which pooled windows wait to be settled at this moment. */
export async function staleNow(tx: Tx, program: Program): Promise<Set<string>> {
  return new Set((await listStale(tx, program)).map((window) => `${window.mechanic_id} ${window.window_start}`));
}

/** Refuses a run that moved results of the past: of ended windows where the program asks for a second person, of closed periods always. */
export async function refusePast(tx: Tx, context: Context, program: Program, settling: Settling, staleBefore: ReadonlySet<string>): Promise<void> {
  const moved = await movedPast(tx, program, settling, staleBefore, today(context, program.zone));
  if (moved === 'closed' || (moved === 'past' && program.settings.four_eyes.rules)) {
    throw new Refusal('recalculation_needed', 409, phrase('Ta zmiana porusza wyniki z przeszłości: zaproponuj przeliczenie.', 'This change moves results of the past: propose a recalculation.'));
  }
}

/** Whether this run moved anything of a window that has ended, or of a closed period. Pooled windows it marked count as moved. */
async function movedPast(tx: Tx, program: Program, settling: Settling, staleBefore: ReadonlySet<string>, on: Day): Promise<'no' | 'past' | 'closed'> {
  const moved = await rows<{ window_end: Day; closed: boolean }>(tx, sql`SELECT e.window_end::text AS window_end, EXISTS (SELECT 1 FROM entitlements.close AS c WHERE c.program_id = ${program.programId} AND c.state = 'closed' AND e.window_end BETWEEN c.starts_on AND c.ends_on) AS closed
    FROM entitlements.entitlement AS e WHERE e.program_id = ${program.programId} AND e.member_id IN (SELECT member_id FROM pg_temp.touch) AND e.window_end < ${on}
      AND EXISTS (SELECT 1 FROM ledger.transfer AS t WHERE t.program_id = e.program_id AND t.member_id = e.member_id AND t.mechanic_id = e.mechanic_id AND t.window_start = e.window_start AND t.subject_id = e.subject_id AND t.run_seq = ${settling.runSeq}) ORDER BY closed DESC LIMIT 1`);
  const pooled = (await rows<{ mechanic_id: bigint; window_start: string; past: boolean }>(tx, sql`SELECT w.mechanic_id, w.window_start, EXISTS (SELECT 1 FROM entitlements.partial AS p WHERE p.program_id = w.program_id AND p.mechanic_id = w.mechanic_id AND p.window_start = w.window_start AND p.window_end < ${on}) AS past
    FROM entitlements.stale_window AS w WHERE w.program_id = ${program.programId}`)).some((window) => window.past && !staleBefore.has(`${window.mechanic_id} ${window.window_start}`));
  return moved[0]?.closed ? 'closed' : moved.length > 0 || pooled ? 'past' : 'no';
}
