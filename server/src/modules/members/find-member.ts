import { sql } from 'kysely';
import { Refusal, phrase } from '@premia/kernel';
import { row, type Tx } from '../../platform/database.ts';
import type { Program } from './program.ts';

export type Member = { memberId: bigint; code: string; kind: string; countsFrom: string; countsUntil: string };

/** A member by code, 'nip:…', 'email:…' or 'id:…'. A merged member answers as the one it became. */
export async function findMember(tx: Tx, program: Program, reference: string): Promise<Member> {
  const id = /^id:(\d+)$/.exec(reference)?.[1];
  const wanted = /^(code|nip|email):/.test(reference) ? reference : `code:${reference}`;
  const found = await row<{ member_id: bigint; code: string; kind: string; counts_from: string; counts_until: string }>(tx, sql`
    SELECT m.member_id, m.code, m.kind, m.counts_from, m.counts_until::text AS counts_until FROM members.member AS m WHERE m.program_id = ${program.programId} AND m.member_id = COALESCE(
      (SELECT COALESCE(x.merged_into, x.member_id) FROM members.member AS x WHERE x.program_id = ${program.programId} AND x.member_id = ${id ?? null}::bigint),
      (SELECT COALESCE(x.merged_into, x.member_id) FROM members.member_key AS k JOIN members.member AS x ON x.program_id = k.program_id AND x.member_id = k.member_id WHERE k.program_id = ${program.programId} AND k.reference = ${wanted}))`);
  if (!found) throw new Refusal('member_not_found', 404, phrase(`Nie ma uczestnika „${reference}”.`, `There is no member “${reference}”.`));
  return { memberId: found.member_id, code: found.code, kind: found.kind, countsFrom: found.counts_from, countsUntil: found.counts_until };
}
