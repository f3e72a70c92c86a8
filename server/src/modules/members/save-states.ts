import { sql } from 'kysely';
import { Refusal, isDay, phrase, type Day } from '@premia/kernel';
import { row, rows, type Tx } from '../../platform/database.ts';
import { countsFrom } from './enrol.ts';
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
  const changed = new Set<bigint>();
  for (const [index, draft] of drafts.entries()) {
    if (!isDay(draft.from)) throw new Refusal('state_malformed', 422, phrase('Nieprawidłowy stan.', 'Not a valid state.'), [{ pointer: `/${index}/from`, code: 'date_malformed', message: phrase('data', 'date') }]);
    const { memberId } = await findMember(tx, program, draft.member);
    await sql`INSERT INTO members.member_state (tenant_id, program_id, member_id, state, valid_from, reason) VALUES (${tenantId}, ${program.programId}, ${memberId}, ${draft.state}, ${draft.from}, ${draft.reason ?? null})`.execute(tx);
    if (await recount(tx, program, memberId)) changed.add(memberId);
  }
  return [...changed];
}

async function recount(tx: Tx, program: Program, memberId: bigint): Promise<boolean> {
  const states = await rows<Step>(tx, sql`SELECT DISTINCT ON (valid_from) state, valid_from AS from FROM members.member_state WHERE program_id = ${program.programId} AND member_id = ${memberId} ORDER BY valid_from, recorded_seq DESC`);
  const counting = countingOf(program, states);
  const gaps = `{${counting.gaps.map(([from, to]) => `[${from},${to})`).join(',')}}`;
  const moved = await rows(tx, sql`UPDATE members.member SET counts_from = ${counting.from}, counts_until = ${counting.until}, gaps = ${gaps}::datemultirange WHERE program_id = ${program.programId} AND member_id = ${memberId}
    AND (counts_from, counts_until, gaps) <> (${counting.from}::date, ${counting.until}::date, ${gaps}::datemultirange) RETURNING 1`);
  return moved.length > 0;
}

/** What a member is on a day. Who has no state yet is invited. */
export async function stateOn(tx: Tx, program: Program, memberId: bigint, day: Day): Promise<MemberState> {
  const found = await row<{ state: MemberState }>(tx, sql`SELECT state FROM members.member_state WHERE program_id = ${program.programId} AND member_id = ${memberId} AND valid_from <= ${day} ORDER BY valid_from DESC, recorded_seq DESC LIMIT 1`);
  return found?.state ?? 'invited';
}
