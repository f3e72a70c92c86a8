import { sql } from 'kysely';
import type { Day } from '@premia/kernel';
import { rows, type Tx } from '../../platform/database.ts';
import type { Program } from './program.ts';

export type Segment = { segmentId: bigint; key: string; rule: unknown; members: bigint };

/** Every segment of a program, with how many belong to it on a day. */
export async function listSegments(tx: Tx, program: Program, on: Day): Promise<Segment[]> {
  const found = await rows<{ segment_id: bigint; key: string; rule: unknown; members: bigint }>(tx, sql`SELECT s.segment_id, s.key, s.rule,
    (SELECT count(*) FROM members.segment_member AS m WHERE m.tenant_id = s.tenant_id AND m.program_id = s.program_id AND m.segment_id = s.segment_id AND m.valid_from <= ${on} AND m.valid_to > ${on}) AS members
    FROM members.segment AS s WHERE s.program_id = ${program.programId} ORDER BY s.key`);
  return found.map((segment) => ({ segmentId: segment.segment_id, key: segment.key, rule: segment.rule, members: segment.members }));
}

/**
 * Records who belongs to a segment: intervals of newcomers open on `from`, those of leavers end today; what was recorded before stays as
 * it was. Answers who came and who left.
 */
export async function recordMembership(tx: Tx, tenantId: bigint, program: Program, segmentId: bigint, memberIds: readonly bigint[], days: { from: Day; on: Day }): Promise<{ came: bigint[]; left: bigint[] }> {
  const left = await rows<{ member_id: bigint }>(tx, sql`UPDATE members.segment_member SET valid_to = ${days.on} WHERE program_id = ${program.programId} AND segment_id = ${segmentId} AND valid_to = 'infinity'
    AND member_id <> ALL(${[...memberIds]}::bigint[]) RETURNING member_id`);
  const came = await rows<{ member_id: bigint }>(tx, sql`INSERT INTO members.segment_member (tenant_id, program_id, segment_id, member_id, valid_from)
    SELECT ${tenantId}::bigint, ${program.programId}::bigint, ${segmentId}::bigint, ids.id, ${days.from}::date FROM unnest(${[...memberIds]}::bigint[]) AS ids(id)
    WHERE NOT EXISTS (SELECT 1 FROM members.segment_member AS m WHERE m.program_id = ${program.programId} AND m.segment_id = ${segmentId} AND m.member_id = ids.id AND m.valid_to > ${days.on}) ORDER BY ids.id
    ON CONFLICT (tenant_id, program_id, segment_id, member_id, valid_from) DO UPDATE SET valid_to = 'infinity' RETURNING member_id`);
  return { came: came.map((item) => item.member_id), left: left.map((item) => item.member_id) };
}
