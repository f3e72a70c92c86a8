import { sql } from 'kysely';
import { today, type Context } from '../../platform/context.ts';
import { runText, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import { findProgram, saveMembers, type MemberDraft } from '../members/index.ts';
import { saveTargets, type TargetDraft } from '../mechanics/index.ts';
import { openSettling } from './record-sales.ts';
import { settle } from './settle.ts';
import * as q from './queries.ts';

/** Makes or changes members; everything that reads what changed about them is settled in the same transaction. */
export async function recordMembers(context: Context, input: { program: string; members: readonly MemberDraft[] }): Promise<{ saved: number; settled: number }> {
  return context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const settling = await openSettling(tx, context, program);
    const changed = await saveMembers(tx, context.tenantId, program, input.members, today(context, program.zone));
    await lockMembers(tx, context.tenantId, changed);
    await runText(tx, q.TOUCH_MEMBERS, [context.tenantId, program.programId, changed]);
    await settle(tx, settling);
    await audit(tx, context, { action: 'members.saved', subject: `program:${input.program}`, programId: program.programId, after: { members: input.members.length, changed: changed.length } });
    return { saved: input.members.length, settled: changed.length };
  });
}

/** Sets targets and settles the windows they measure. */
export async function recordTargets(context: Context, input: { program: string; targets: readonly TargetDraft[] }): Promise<{ changed: number }> {
  return context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const settling = await openSettling(tx, context, program);
    const moved = await saveTargets(tx, context.tenantId, program, input.targets, context.principal);
    await lockMembers(tx, context.tenantId, [...new Set(moved.map((item) => item.memberId))]);
    await sql`INSERT INTO pg_temp.touch (member_id, day) SELECT * FROM unnest(${moved.map((item) => item.memberId)}::bigint[], ${moved.map((item) => item.day)}::date[])`.execute(tx);
    await settle(tx, settling);
    await audit(tx, context, { action: 'targets.set', subject: `program:${input.program}`, programId: program.programId, after: { targets: input.targets.length, changed: moved.length } });
    return { changed: moved.length };
  });
}

/** All at once, in id order, before reading what they own. */
export async function lockMembers(tx: Tx, tenantId: bigint, memberIds: readonly bigint[]): Promise<void> {
  if (memberIds.length === 0) return;
  await sql`INSERT INTO platform.member_lock (tenant_id, member_id, taken) SELECT ${tenantId}::bigint, id, 1 FROM unnest(${[...memberIds]}::bigint[]) AS ids(id) ORDER BY id
    ON CONFLICT (tenant_id, member_id) DO UPDATE SET taken = platform.member_lock.taken + 1`.execute(tx);
}
