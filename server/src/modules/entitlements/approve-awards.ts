import { formatMinor, Refusal, phrase, type Day } from '@premia/kernel';
import { sql } from 'kysely';
import type { Context } from '../../platform/context.ts';
import { rows, runText, type Tx } from '../../platform/database.ts';
import { emptyRun } from '../../platform/run-tables.ts';
import { lockMembers } from '../../platform/member-lock.ts';
import { audit } from '../identity/index.ts';
import { openGate, postDifferences } from '../ledger/index.ts';
import { findMember, findProgram, type Program } from '../members/index.ts';
import { openSettling } from './record-sales.ts';
import { settle, totalLimits, type Settling } from './settle.ts';
import * as q from './queries.ts';

export type WaitingAward = { member: string; mechanic: string; window: Day; unit: string; amount: string };
export type LateDifference = WaitingAward & { booked: string; owed: string };

/** Awards that are granted but wait behind the approval their rule asks for. */
export async function listWaitingAwards(tx: Tx, program: Program, page: { limit: number }): Promise<WaitingAward[]> {
  const found = await rows<Omit<WaitingAward, 'amount'> & { amount: bigint; scale: number }>(tx, sql`
    SELECT m.code AS member, k.key AS mechanic, e.window_start AS window, u.key AS unit, u.scale, sum(l.remaining)::bigint AS amount
    FROM (SELECT tenant_id, program_id, member_id, unit_id, gate, sum(remaining) AS remaining FROM ledger.lot WHERE program_id = ${program.programId} AND gate LIKE 'approval:%' AND remaining > 0 GROUP BY 1, 2, 3, 4, 5) AS l
    JOIN (SELECT DISTINCT tenant_id, program_id, member_id, mechanic_id, window_start, gate FROM entitlements.entitlement WHERE program_id = ${program.programId} AND gate LIKE 'approval:%') AS e ON e.member_id = l.member_id AND e.gate = l.gate
    JOIN members.member AS m ON m.program_id = l.program_id AND m.member_id = l.member_id JOIN mechanics.mechanic AS k ON k.program_id = l.program_id AND k.mechanic_id = e.mechanic_id
    JOIN ledger.unit AS u ON u.program_id = l.program_id AND u.unit_id = l.unit_id GROUP BY 1, 2, 3, 4, 5 ORDER BY 3, 2, 1 LIMIT ${page.limit}`);
  return found.map(({ scale, ...item }) => ({ ...item, amount: formatMinor(item.amount, scale) }));
}

/** Approves awards of one mechanic and window, of the named members or of all: what waited can be spent. Answers how many lots opened. */
export async function approveAwards(context: Context, input: { program: string; mechanic: string; window: Day; members?: readonly string[] }): Promise<number> {
  return context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const settling = await openSettling(tx, context, program);
    const ids = await idsOf(tx, program, input.members);
    const gates = await rows<{ gate: string; member_id: bigint }>(tx, sql`SELECT DISTINCT e.gate, e.member_id FROM entitlements.entitlement AS e JOIN mechanics.mechanic AS k ON k.program_id = e.program_id AND k.mechanic_id = e.mechanic_id
      WHERE e.program_id = ${program.programId} AND k.key = ${input.mechanic} AND e.window_start = ${input.window} AND e.gate LIKE 'approval:%' AND (${ids}::bigint[] IS NULL OR e.member_id = ANY(${ids}::bigint[])) ORDER BY e.member_id, e.gate`);
    if (gates.length === 0) throw new Refusal('award_not_waiting', 404, phrase('Nic tu nie czeka na zatwierdzenie.', 'Nothing waits for approval here.'));
    let opened = 0;
    for (const { gate, member_id: memberId } of gates) opened += await openGate(tx, postingOf(settling), gate, memberId);
    await audit(tx, context, { action: 'awards.approved', subject: `mechanic:${input.mechanic}`, programId: program.programId, after: { window: input.window, members: input.members ?? 'all', lots: opened } });
    return opened;
  });
}

async function idsOf(tx: Tx, program: Program, members: readonly string[] | undefined): Promise<bigint[] | null> {
  if (members === undefined) return null;
  const ids: bigint[] = [];
  for (const member of members) ids.push((await findMember(tx, program, member)).memberId);
  return ids;
}

const postingOf = (settling: Settling) => ({ tenantId: settling.tenantId, programId: settling.program.programId, bookedOn: settling.bookedOn, bookedAt: settling.bookedAt, runSeq: settling.runSeq });

/** Limits in total and budgets are decided over all windows at once and never wait. */
const neverLate = (settling: Settling): bigint[] => [...totalLimits(settling.plan.rules).map((limit) => limit.mechanicId), ...settling.plan.rules.filter((rule) => rule.mechanic.limits.budget !== undefined).map((rule) => rule.mechanicId)];

/** What late facts moved in closed periods and nobody has approved yet. */
export async function listLate(tx: Tx, context: Context, program: Program, page: { limit: number }): Promise<LateDifference[]> {
  const settling = await openSettling(tx, context, program);
  const found = await runText<{ member: string; mechanic: string; window: Day; unit: string; scale: number; amount: bigint; uncapped: bigint }>(tx, `
    SELECT m.code AS member, k.key AS mechanic, e.window_start AS window, u.key AS unit, u.scale, e.amount, e.uncapped FROM (${q.LATE}) AS e
    JOIN members.member AS m ON m.program_id = e.program_id AND m.member_id = e.member_id JOIN mechanics.mechanic AS k ON k.program_id = e.program_id AND k.mechanic_id = e.mechanic_id
    JOIN ledger.unit AS u ON u.program_id = e.program_id AND u.unit_id = e.unit_id ORDER BY e.window_start, k.key, m.code LIMIT $4`, [settling.tenantId, program.programId, neverLate(settling), page.limit]);
  return found.map((item) => ({ member: item.member, mechanic: item.mechanic, window: item.window, unit: item.unit, booked: formatMinor(item.amount, item.scale), owed: formatMinor(item.uncapped, item.scale), amount: formatMinor(item.uncapped - item.amount, item.scale) }));
}

/** Approves what late facts moved in closed periods, of the named members or of all: the differences are posted with today's date. Answers how many. */
export async function approveLate(context: Context, input: { program: string; members?: readonly string[] }): Promise<number> {
  return context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const settling = { ...(await openSettling(tx, context, program)), lateApproved: true };
    const ids = await idsOf(tx, program, input.members);
    const known = [settling.tenantId, program.programId];
    const late = await runText<{ member_id: bigint }>(tx, `SELECT DISTINCT member_id FROM (${q.LATE}) AS late WHERE $4::bigint[] IS NULL OR member_id = ANY($4::bigint[])`, [...known, neverLate(settling), ids]);
    await lockMembers(tx, settling.tenantId, late.map((item) => item.member_id));
    await emptyRun(tx, 'change', 'difference', 'touch');
    await runText(tx, q.LATE_DIFFERENCES, [...known, neverLate(settling), ids]);
    const posted = await rows<{ mechanic_id: bigint }>(tx, sql`SELECT mechanic_id FROM pg_temp.difference`);
    await postDifferences(tx, postingOf(settling));
    if (posted.length > 0) await runText(tx, q.storeDecided([...new Set(posted.map((item) => item.mechanic_id))]), [...known, settling.runSeq]);
    await runText(tx, q.TOUCH_CHANGED, known);
    await settle(tx, settling);
    await audit(tx, context, { action: 'late.approved', subject: `program:${program.key}`, programId: program.programId, after: { members: input.members ?? 'all', differences: posted.length } });
    return posted.length;
  });
}
