import { addDays, type Day } from '@premia/kernel';
import { runText, type Tx } from '../../platform/database.ts';
import type { Program } from './program.ts';

/** From which day facts count for somebody who enrols today, by the program's own rule. */
export function countsFrom(program: Program, enrolledOn: Day): Day {
  const { counts, starts_on: startsOn } = program.settings;
  if (counts === 'program_start') return startsOn;
  if (counts === 'enrolment') return enrolledOn;
  return addDays(enrolledOn, -counts.days_before);
}

/** Makes a member of every party in pg_temp.party that is not one yet. Two runs at once make each of them once. */
export async function enrolUnknown(tx: Tx, tenantId: bigint, program: Program, enrolledOn: Day): Promise<void> {
  const known = [tenantId, program.programId];
  await runText(tx, ENROL, [...known, enrolledOn, countsFrom(program, enrolledOn)]);
  await runText(tx, ENROL_KEYS, known);
  await runText(tx, ENROL_STATES, [...known, enrolledOn]);
  await runText(tx, FIND_ENROLLED, known);
}

/** Whoever was erased is not made anew by a file that still names them. */
const ALIVE = `NOT EXISTS (SELECT 1 FROM members.tombstone AS t WHERE t.tenant_id = $1 AND t.program_id = $2 AND t.reference_hash = members.reference_hash($1, p.reference))`;
const CODE = `regexp_replace(p.reference, '^(code|nip|email):', '')`;
const ENROL = `
  INSERT INTO members.member (tenant_id, program_id, kind, code, enrolled_on, counts_from)
  SELECT $1::bigint, $2::bigint, CASE WHEN p.reference LIKE 'email:%' THEN 'person' ELSE 'company' END, ${CODE}, $3::date, $4::date
  FROM pg_temp.party AS p WHERE p.member_id IS NULL AND ${ALIVE} ORDER BY p.reference ON CONFLICT (tenant_id, program_id, code) DO NOTHING`;
const ENROL_KEYS = `
  INSERT INTO members.member_key (tenant_id, program_id, reference, member_id)
  SELECT $1::bigint, $2::bigint, refs.reference, m.member_id FROM pg_temp.party AS p
  CROSS JOIN LATERAL (SELECT m.member_id, m.code FROM members.member AS m WHERE m.tenant_id = $1 AND m.program_id = $2 AND m.code = ${CODE} OFFSET 0) AS m
  CROSS JOIN LATERAL (VALUES (p.reference), ('code:' || m.code)) AS refs(reference)
  WHERE p.member_id IS NULL AND ${ALIVE} ORDER BY refs.reference ON CONFLICT DO NOTHING`;
const ENROL_STATES = `
  INSERT INTO members.member_state (tenant_id, program_id, member_id, state, valid_from, reason)
  SELECT $1::bigint, $2::bigint, k.member_id, 'active', $3::date, 'named by a source' FROM pg_temp.party AS p
  CROSS JOIN LATERAL (SELECT k.member_id FROM members.member_key AS k WHERE k.tenant_id = $1 AND k.program_id = $2 AND k.reference = p.reference OFFSET 0) AS k WHERE p.member_id IS NULL`;
const FIND_ENROLLED = `
  UPDATE pg_temp.party AS p SET member_id = (SELECT k.member_id FROM members.member_key AS k WHERE k.tenant_id = $1 AND k.program_id = $2 AND k.reference = p.reference) WHERE p.member_id IS NULL`;
