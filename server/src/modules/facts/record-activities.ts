import { createHash } from 'node:crypto';
import { Refusal, phrase, type Day } from '@premia/kernel';
import { rows, runText, type Tx } from '../../platform/database.ts';
import { sql } from 'kysely';
import type { Program } from '../members/index.ts';
import type { Source } from './source-settings.ts';

/** A non-sales thing a member did. `reference` is the source's own id of it: recorded once, whatever comes again. */
export type ActivityDraft = { reference: string; member: string; kind: string; occurredOn: Day; quantityMilli: bigint; amountMinor: bigint; attributes: Record<string, string> };
export type ActivityOutcome = { reference: string; outcome: 'recorded' | 'known' | 'conflict' };

export const ACTIVITIES_MAX = 10_000;

/** Records activities once and touches their days. Locks their members first. */
export async function recordActivities(tx: Tx, given: { tenantId: bigint; program: Program; source: Source; recordedSeq: bigint; drafts: readonly ActivityDraft[] }): Promise<ActivityOutcome[]> {
  const { tenantId, program, source, recordedSeq, drafts } = given;
  if (drafts.length > ACTIVITIES_MAX) throw new Refusal('too_many_activities', 413, phrase(`Najwyżej ${ACTIVITIES_MAX} aktywności naraz.`, `At most ${ACTIVITIES_MAX} activities at a time.`));
  const list = JSON.stringify(drafts.map((draft, place) => ({
    place, reference: draft.reference, member: draft.member, kind: draft.kind, occurred_on: draft.occurredOn, quantity: String(draft.quantityMilli), amount: String(draft.amountMinor), attributes: draft.attributes,
    hash: createHash('sha256').update(JSON.stringify([draft.member, draft.kind, draft.occurredOn, String(draft.quantityMilli), String(draft.amountMinor), Object.entries(draft.attributes).sort()])).digest('base64url').slice(0, 32),
  })));
  const parsed = `jsonb_to_recordset($3::jsonb) AS r(place int, reference text, member text, kind text, occurred_on date, quantity bigint, amount bigint, attributes jsonb, hash text)`;
  const missing = await runText<{ member: string }>(tx, `SELECT DISTINCT r.member FROM ${parsed} WHERE NOT EXISTS (SELECT 1 FROM members.member_key AS k WHERE k.tenant_id = $1 AND k.program_id = $2 AND k.reference = r.member) LIMIT 20`, [tenantId, program.programId, list]);
  if (missing.length > 0) {
    throw new Refusal('member_not_found', 422, phrase('Nieznany uczestnik.', 'Unknown member.'), missing.map((item) => ({ pointer: `/${item.member}`, code: 'member_not_found', message: phrase(`nie ma uczestnika ${item.member}`, `there is no member ${item.member}`) })));
  }
  await runText(tx, `INSERT INTO platform.member_lock (tenant_id, member_id, taken) SELECT $1::bigint, member_id, 1 FROM (
      SELECT DISTINCT COALESCE(m.merged_into, m.member_id) AS member_id FROM ${parsed} JOIN members.member_key AS k ON k.tenant_id = $1 AND k.program_id = $2 AND k.reference = r.member
      JOIN members.member AS m ON m.tenant_id = $1 AND m.program_id = $2 AND m.member_id = k.member_id) AS moved ORDER BY member_id
    ON CONFLICT (tenant_id, member_id) DO UPDATE SET taken = platform.member_lock.taken + 1`, [tenantId, program.programId, list]);
  const added = await runText<{ reference: string }>(tx, `
    INSERT INTO facts.activity (tenant_id, program_id, source_id, reference, member_id, kind, occurred_on, content_hash, recorded_seq)
    SELECT DISTINCT ON (r.reference) $1::bigint, $2::bigint, $4::bigint, r.reference, COALESCE(m.merged_into, m.member_id), r.kind, r.occurred_on, r.hash, $5::bigint
    FROM ${parsed} JOIN members.member_key AS k ON k.tenant_id = $1 AND k.program_id = $2 AND k.reference = r.member
    JOIN members.member AS m ON m.tenant_id = $1 AND m.program_id = $2 AND m.member_id = k.member_id ORDER BY r.reference, r.place
    ON CONFLICT DO NOTHING RETURNING reference`, [tenantId, program.programId, list, source.sourceId, recordedSeq]);
  await runText(tx, `
    INSERT INTO facts.fact (tenant_id, program_id, member_id, line_id, role, crediting, sign, kind, earned_on, occurred_on, document_id, base_on, base_document_id, base_line_id, attributes, quantity_milli, net_minor, gross_minor, recorded_seq)
    SELECT $1::bigint, $2::bigint, a.member_id, a.line_id, 'self', 1, 1, a.kind, a.occurred_on, a.occurred_on, a.line_id, a.occurred_on, a.line_id, a.line_id, r.attributes, r.quantity, r.amount, r.amount, $5::bigint
    FROM ${parsed} JOIN facts.activity AS a ON a.tenant_id = $1 AND a.program_id = $2 AND a.source_id = $4 AND a.reference = r.reference AND a.recorded_seq = $5 AND a.content_hash = r.hash
    ON CONFLICT DO NOTHING`, [tenantId, program.programId, list, source.sourceId, recordedSeq]);
  await sql`INSERT INTO pg_temp.touch (member_id, day) SELECT member_id, occurred_on FROM facts.activity WHERE tenant_id = ${tenantId} AND program_id = ${program.programId} AND recorded_seq = ${recordedSeq}`.execute(tx);
  const fresh = new Set(added.map((item) => item.reference));
  const known = await rows<{ reference: string; same: boolean }>(tx, sql`SELECT r.reference, a.content_hash = r.hash AS same FROM jsonb_to_recordset(${list}::jsonb) AS r(place int, reference text, hash text)
    JOIN facts.activity AS a ON a.tenant_id = ${tenantId} AND a.program_id = ${program.programId} AND a.source_id = ${source.sourceId} AND a.reference = r.reference ORDER BY r.place`);
  return known.map((item) => ({ reference: item.reference, outcome: !item.same ? 'conflict' : fresh.has(item.reference) ? 'recorded' : 'known' }));
}
