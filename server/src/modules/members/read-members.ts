import { sql } from 'kysely';
import type { Day } from '@premia/kernel';
import { must } from '@premia/kernel';
import { row, rows, type Tx } from '../../platform/database.ts';
import { columnsOf, keyset, likeOf, paged } from '../../platform/keyset.ts';
import type { Program } from './program.ts';

export type MemberRow = { code: string; kind: string; name: string | null; state: string; company: string | null; team: string | null; territory: string | null };
const SORTED = columnsOf('listed', { code: 'text', name: 'text', kind: 'text', state: 'text', company: 'text', team: 'text', territory: 'text' });

export type MemberCard = {
  code: string; kind: string; name: string | null; email: string | null; keys: string[]; enrolled_on: Day; counts_from: string; counts_until: string; aliases: string[];
  states: { state: string; from: Day; reason: string | null }[];
  profiles: { from: Day; to: string; company_type: string | null; attributes: Record<string, string> }[];
  assignments: { from: Day; to: string; company: string | null; role: string; territory: string | null; team: string | null }[];
  segments: { segment: string; from: Day; to: string }[];
};

/** Members by code, as they are on a day. `search` looks into codes, names, NIPs and e-mail addresses. */
export async function listMembers(tx: Tx, program: Program, on: Day, page: { search?: string; state?: string; sort?: string; after?: string; limit: number }): Promise<{ rows: MemberRow[]; next: string | null }> {
  const { beyond, order, cursor } = keyset<MemberRow>(SORTED, 'code', page);
  const like = likeOf(page.search);
  const found = await rows<MemberRow>(tx, sql`SELECT * FROM (
    SELECT m.code, m.kind, p.name, COALESCE(s.state, 'invited') AS state, a.company, a.team, a.territory FROM members.member AS m
    LEFT JOIN members.person AS p ON p.tenant_id = m.tenant_id AND p.program_id = m.program_id AND p.member_id = m.member_id
    LEFT JOIN LATERAL (SELECT state FROM members.member_state AS s WHERE s.tenant_id = m.tenant_id AND s.program_id = m.program_id AND s.member_id = m.member_id AND s.valid_from <= ${on} ORDER BY s.valid_from DESC, s.recorded_seq DESC LIMIT 1) AS s ON TRUE
    LEFT JOIN LATERAL (SELECT company, team, territory FROM members.assignment AS a WHERE a.tenant_id = m.tenant_id AND a.program_id = m.program_id AND a.member_id = m.member_id AND a.valid_from <= ${on} AND a.valid_to > ${on} ORDER BY a.valid_from DESC, a.recorded_seq DESC LIMIT 1) AS a ON TRUE
    WHERE m.program_id = ${program.programId} AND m.merged_into IS NULL
      AND (${like}::text IS NULL OR m.code ILIKE ${like} OR p.name ILIKE ${like} OR EXISTS (SELECT 1 FROM members.member_key AS k WHERE k.tenant_id = m.tenant_id AND k.program_id = m.program_id AND k.member_id = m.member_id AND k.reference ILIKE ${like}))
  ) AS listed WHERE (${page.state ?? null}::text IS NULL OR state = ${page.state ?? null}) AND ${beyond} ORDER BY ${order} LIMIT ${page.limit + 1}`);
  return paged(found, page.limit, cursor);
}

/** Everything recorded about one member, with its dates. */
export async function readMember(tx: Tx, program: Program, memberId: bigint): Promise<MemberCard> {
  const where = sql`program_id = ${program.programId} AND member_id = ${memberId}`;
  const [head, keys, aliases, states, profiles, assignments, segments] = [
    must(await row<Pick<MemberCard, 'code' | 'kind' | 'name' | 'email' | 'enrolled_on' | 'counts_from' | 'counts_until'>>(tx, sql`SELECT m.code, m.kind, p.name, p.email, m.enrolled_on, m.counts_from::text AS counts_from, m.counts_until::text AS counts_until FROM members.member AS m
      LEFT JOIN members.person AS p ON p.tenant_id = m.tenant_id AND p.program_id = m.program_id AND p.member_id = m.member_id WHERE m.program_id = ${program.programId} AND m.member_id = ${memberId}`), 'member'),
    await rows<{ reference: string }>(tx, sql`SELECT reference FROM members.member_key WHERE ${where} ORDER BY reference`),
    await rows<{ code: string }>(tx, sql`SELECT code FROM members.member WHERE program_id = ${program.programId} AND merged_into = ${memberId} ORDER BY code`),
    await rows<MemberCard['states'][number]>(tx, sql`SELECT state, valid_from AS from, reason FROM members.member_state WHERE ${where} ORDER BY valid_from, recorded_seq`),
    await rows<MemberCard['profiles'][number]>(tx, sql`SELECT valid_from AS from, valid_to::text AS to, company_type, attributes FROM members.profile WHERE ${where} ORDER BY valid_from, recorded_seq`),
    await rows<MemberCard['assignments'][number]>(tx, sql`SELECT valid_from AS from, valid_to::text AS to, company, role, territory, team FROM members.assignment WHERE ${where} ORDER BY valid_from, recorded_seq`),
    await rows<MemberCard['segments'][number]>(tx, sql`SELECT s.key AS segment, m.valid_from AS from, m.valid_to::text AS to FROM members.segment_member AS m JOIN members.segment AS s ON s.tenant_id = m.tenant_id AND s.program_id = m.program_id AND s.segment_id = m.segment_id
      WHERE m.program_id = ${program.programId} AND m.member_id = ${memberId} ORDER BY s.key, m.valid_from`),
  ];
  return { ...head, keys: keys.map((item) => item.reference), aliases: aliases.map((item) => item.code), states, profiles, assignments, segments };
}
