import { Refusal, isDay, isNip, phrase, type Day } from '@premia/kernel';
import { runText, type Tx } from '../../platform/database.ts';
import { countsFrom } from './enrol.ts';
import { employerPolicy } from './employers.ts';
import type { Program } from './program.ts';
import { recountDays } from './save-states.ts';

/** A member as an import names it. Its profile and assignment hold from `from`, and an earlier one ends there; without it, what is first said holds from the program's start, a change from today. */
export type MemberDraft = {
  code: string; kind: 'person' | 'company'; name?: string; email?: string; nip?: string; from?: Day;
  company_type?: string; attributes?: Record<string, string>; company?: string; role?: string; territory?: string; team?: string;
};
export const MEMBERS_PER_CALL_MAX = 10_000;

/** Makes or changes members. Answers the ids of those whose dated inputs changed, so that what reads them is settled again. */
export async function saveMembers(tx: Tx, tenantId: bigint, program: Program, drafts: readonly MemberDraft[], today: Day): Promise<bigint[]> {
  if (drafts.length > MEMBERS_PER_CALL_MAX) throw new Refusal('too_many_members', 413, phrase(`Najwyżej ${MEMBERS_PER_CALL_MAX} uczestników naraz.`, `At most ${MEMBERS_PER_CALL_MAX} members at a time.`));
  for (const [index, draft] of drafts.entries()) {
    if (draft.code.trim() === '' || (draft.from !== undefined && !isDay(draft.from)) || (draft.nip !== undefined && !isNip(draft.nip))) throw new Refusal('member_malformed', 422, phrase('Nieprawidłowy uczestnik.', 'Not a valid member.'), [{ pointer: `/${index}`, code: 'member_malformed', message: phrase('kod, NIP lub data', 'code, NIP or date') }]);
  }
  const repeated = firstRepeated(drafts.map((draft) => draft.code));
  if (repeated !== -1) throw new Refusal('member_malformed', 422, phrase('Ten sam kod dwa razy.', 'The same code twice.'), [{ pointer: `/${repeated}/code`, code: 'member_repeated', message: phrase(drafts[repeated]?.code ?? '', drafts[repeated]?.code ?? '') }]);
  const historied = await withHistory(tx, tenantId, program, drafts.map((draft) => draft.code));
  const list = JSON.stringify(drafts.map((draft) => ({ ...draft, from: draft.from ?? (historied.has(draft.code) ? today : program.settings.starts_on) })));
  const known = [tenantId, program.programId, list];
  const source = `jsonb_to_recordset($3::jsonb) AS r(code text, kind text, name text, email text, nip text, "from" date, company_type text, attributes jsonb, company text, role text, territory text, team text)`;
  await runText(tx, `INSERT INTO members.member (tenant_id, program_id, kind, code, enrolled_on, counts_from) SELECT $1::bigint, $2::bigint, r.kind, r.code, $4::date, $5::date FROM ${source} ORDER BY r.code ON CONFLICT (tenant_id, program_id, code) DO NOTHING`, [...known, today, countsFrom(program, today)]);
  const of = `FROM ${source} JOIN members.member AS m ON m.tenant_id = $1 AND m.program_id = $2 AND m.code = r.code`;
  const clashes = await runText<{ reference: string }>(tx, `SELECT x.reference ${of} CROSS JOIN LATERAL (VALUES ('code:' || r.code), ('nip:' || r.nip), ('email:' || lower(r.email))) AS x(reference)
    JOIN members.member_key AS k ON k.tenant_id = $1 AND k.program_id = $2 AND k.reference = x.reference WHERE k.member_id <> m.member_id LIMIT 20`, known);
  if (clashes.length > 0) throw new Refusal('member_key_taken', 409, phrase('Ten identyfikator należy już do innego uczestnika.', 'This identifier belongs to another member already.'), clashes.map((clash) => ({ pointer: `/${clash.reference}`, code: 'member_key_taken', message: phrase(clash.reference, clash.reference) })));
  await runText(tx, `INSERT INTO members.member_key (tenant_id, program_id, reference, member_id) SELECT $1::bigint, $2::bigint, x.reference, m.member_id ${of}
    CROSS JOIN LATERAL (VALUES ('code:' || r.code), ('nip:' || r.nip), ('email:' || lower(r.email))) AS x(reference) WHERE x.reference IS NOT NULL ORDER BY x.reference ON CONFLICT DO NOTHING`, known);
  await runText(tx, `INSERT INTO members.person (tenant_id, program_id, member_id, name, email) SELECT $1::bigint, $2::bigint, m.member_id, r.name, r.email ${of} WHERE r.name IS NOT NULL
    ON CONFLICT (tenant_id, program_id, member_id) DO UPDATE SET name = excluded.name, email = excluded.email`, known);
  await runText(tx, `INSERT INTO members.member_state (tenant_id, program_id, member_id, state, valid_from) SELECT $1::bigint, $2::bigint, m.member_id, 'active', $4::date ${of}
    WHERE NOT EXISTS (SELECT 1 FROM members.member_state AS s WHERE s.tenant_id = $1 AND s.program_id = $2 AND s.member_id = m.member_id)`, [...known, today]);
  const profiles = await dated(tx, known, 'members.profile', of, `(r.company_type IS NOT NULL OR r.attributes IS NOT NULL)`, 'company_type, attributes', `r.company_type, COALESCE(r.attributes, '{}')`);
  const assignments = await dated(tx, known, 'members.assignment', of, `(r.company IS NOT NULL OR r.team IS NOT NULL OR r.territory IS NOT NULL)`, 'company, role, territory, team', `r.company, COALESCE(r.role, 'rep'), r.territory, r.team`);
  if (employerPolicy(program) === 'block_earn') await recountDays(tx, program, assignments);
  return [...new Set([...profiles, ...assignments])];
}

function firstRepeated(codes: readonly string[]): number {
  const seen = new Set<string>();
  return codes.findIndex((code) => seen.size === seen.add(code).size);
}

/** Which of these members have a profile or an assignment already. */
async function withHistory(tx: Tx, tenantId: bigint, program: Program, codes: readonly string[]): Promise<Set<string>> {
  const found = await runText<{ code: string }>(tx, `SELECT m.code FROM members.member AS m WHERE m.tenant_id = $1 AND m.program_id = $2 AND m.code = ANY($3::text[]) AND (EXISTS (SELECT 1 FROM members.profile AS d WHERE d.tenant_id = $1 AND d.program_id = $2 AND d.member_id = m.member_id)
    OR EXISTS (SELECT 1 FROM members.assignment AS d WHERE d.tenant_id = $1 AND d.program_id = $2 AND d.member_id = m.member_id))`, [tenantId, program.programId, codes]);
  return new Set(found.map((item) => item.code));
}

/** Ends what holds on the day and adds what holds from then, where the two differ. */
async function dated(tx: Tx, known: readonly unknown[], table: string, of: string, present: string, columns: string, values: string): Promise<bigint[]> {
  const differs = `${present} AND NOT EXISTS (SELECT 1 FROM ${table} AS d WHERE d.tenant_id = $1 AND d.program_id = $2 AND d.member_id = m.member_id AND d.valid_from <= r."from" AND d.valid_to > r."from" AND (${columns.split(', ').map((name) => `d.${name}`).join(', ')}) IS NOT DISTINCT FROM (${values}))`;
  const changed = await runText<{ member_id: bigint }>(tx, `SELECT m.member_id ${of} WHERE ${differs}`, known);
  const ids = changed.map((item) => item.member_id);
  if (ids.length === 0) return [];
  await runText(tx, `UPDATE ${table} AS d SET valid_to = x."from" FROM (SELECT m.member_id, r."from" ${of}) AS x WHERE d.tenant_id = $1 AND d.program_id = $2 AND d.member_id = x.member_id AND x.member_id = ANY($4::bigint[]) AND d.valid_from < x."from" AND d.valid_to > x."from"`, [...known, ids]);
  await runText(tx, `INSERT INTO ${table} (tenant_id, program_id, member_id, valid_from, ${columns}) SELECT $1::bigint, $2::bigint, m.member_id, r."from", ${values} ${of} WHERE m.member_id = ANY($4::bigint[])`, [...known, ids]);
  return ids;
}
