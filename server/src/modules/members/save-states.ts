import { sql } from 'kysely';
import { Refusal, isDay, phrase, type Day } from '@premia/kernel';
import { row, rows, type Tx } from '../../platform/database.ts';
import { countsFrom } from './enrol.ts';
import { unagreedDays } from './employers.ts';
import { findMember } from './find-member.ts';
import type { Program } from './program.ts';

export type MemberState = 'invited' | 'active' | 'suspended' | 'left';
/** A state that holds from a day until the next one's. */
export type StateDraft = { member: string; state: MemberState; from: Day; reason?: string };
export const STATES_PER_CALL_MAX = 1_000;

type Step = { state: MemberState; from: Day };
export type Counting = { from: Day | 'infinity'; until: Day | 'infinity'; gaps: [Day, Day][] };

/**
 * On which days facts count, from a member's states: by the program's own rule from the first day of being active, until leaving;
 * not while suspended, and not between leaving and coming back. Who was never active counts on no day.
 */
export function countingOf(program: Program, states: readonly Step[]): Counting {
  const steps = [...states].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const first = steps.findIndex((step) => step.state === 'active');
  const joined = steps[first];
  if (!joined) return { from: 'infinity', until: 'infinity', gaps: [] };
  const gaps: [Day, Day][] = [];
  let away: Day | null = null;
  for (const step of steps.slice(first + 1)) {
    if (step.state === 'active') { if (away !== null && away < step.from) gaps.push([away, step.from]); away = null; } else away ??= step.from;
  }
  return { from: countsFrom(program, joined.from), until: away ?? 'infinity', gaps };
}

/** Records states and what they mean for counting. Answers the members for whom that changed. */
export async function saveStates(tx: Tx, tenantId: bigint, program: Program, drafts: readonly StateDraft[]): Promise<bigint[]> {
  if (drafts.length > STATES_PER_CALL_MAX) throw new Refusal('too_many_states', 413, phrase(`Najwyżej ${STATES_PER_CALL_MAX} stanów naraz.`, `At most ${STATES_PER_CALL_MAX} states at a time.`));
  const said = new Set<bigint>();
  for (const [index, draft] of drafts.entries()) {
    if (!isDay(draft.from)) throw new Refusal('state_malformed', 422, phrase('Nieprawidłowy stan.', 'Not a valid state.'), [{ pointer: `/${index}/from`, code: 'date_malformed', message: phrase('data', 'date') }]);
    const { memberId } = await findMember(tx, program, draft.member);
    await sql`INSERT INTO members.member_state (tenant_id, program_id, member_id, state, valid_from, reason) VALUES (${tenantId}, ${program.programId}, ${memberId}, ${draft.state}, ${draft.from}, ${draft.reason ?? null})`.execute(tx);
    said.add(memberId);
  }
  return recountDays(tx, program, [...said]);
}

/** Works out anew on which days members' facts count: from their states, and from what their employers have said. Answers those for whom that changed. */
export async function recountDays(tx: Tx, program: Program, memberIds: readonly bigint[]): Promise<bigint[]> {
  const states = await rows<Step & { member: bigint }>(tx, sql`SELECT DISTINCT ON (member_id, valid_from) member_id AS member, state, valid_from AS from FROM members.member_state WHERE program_id = ${program.programId} AND member_id = ANY(${memberIds}::bigint[]) ORDER BY member_id, valid_from, recorded_seq DESC`);
  const counted = [...Map.groupBy(states, (step) => step.member)].map(([member, steps]) => {
    const { from, until, gaps } = countingOf(program, steps);
    return { member: String(member), from, until, gaps: `{${gaps.map(([start, end]) => `[${start},${end})`).join(',')}}` };
  });
  const moved = await rows<{ member_id: bigint }>(tx, sql`UPDATE members.member AS m SET counts_from = r."from", counts_until = r.until, gaps = r.gaps + r.days, unagreed = r.days
    FROM (SELECT d.member, d."from", d.until, d.gaps, COALESCE(u.days, '{}') AS days FROM jsonb_to_recordset(${JSON.stringify(counted)}::jsonb) AS d(member bigint, "from" date, until date, gaps datemultirange) LEFT JOIN ${unagreedDays(program, memberIds)} AS u ON u.member_id = d.member) AS r
    WHERE m.program_id = ${program.programId} AND m.member_id = r.member AND (m.counts_from, m.counts_until, m.gaps, m.unagreed) <> (r."from", r.until, r.gaps + r.days, r.days) RETURNING m.member_id`);
  return moved.map((item) => item.member_id);
}

/** What a member is on a day. Who has no state yet is invited. */
export async function stateOn(tx: Tx, program: Program, memberId: bigint, day: Day): Promise<MemberState> {
  const found = await row<{ state: MemberState }>(tx, sql`SELECT state FROM members.member_state WHERE program_id = ${program.programId} AND member_id = ${memberId} AND valid_from <= ${day} ORDER BY valid_from DESC, recorded_seq DESC LIMIT 1`);
  return found?.state ?? 'invited';
}
