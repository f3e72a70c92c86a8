import { Refusal, isDay, phrase, type Day } from '@premia/kernel';
import { runText, type Tx } from '../../platform/database.ts';
import type { Program } from '../members/index.ts';

/** A value set for a member (its code), a team or a company in a window; `value` in the measure's smallest units. */
export type TargetDraft = { target: string; subject: string; window_start: Day; value: bigint; reason?: string };
export const TARGETS_PER_CALL_MAX = 50_000;

/** Records targets, keeping what they replace. Answers which members' windows moved; those of teams and companies are marked stale. */
export async function saveTargets(tx: Tx, tenantId: bigint, program: Program, drafts: readonly TargetDraft[], by: { principal: string; at: string }): Promise<{ memberId: bigint; day: Day }[]> {
  if (drafts.length > TARGETS_PER_CALL_MAX) throw new Refusal('too_many_targets', 413, phrase(`Najwyżej ${TARGETS_PER_CALL_MAX} celów naraz.`, `At most ${TARGETS_PER_CALL_MAX} targets at a time.`));
  const declared = new Set(((program.settings['targets'] ?? []) as { key: string }[]).map((target) => target.key));
  for (const [index, draft] of drafts.entries()) {
    if (!declared.has(draft.target)) throw refused(index, `nieznany cel „${draft.target}”`, `unknown target “${draft.target}”`);
    if (!isDay(draft.window_start) || draft.value < 0n) throw refused(index, 'nieprawidłowa data lub wartość', 'not a valid date or value');
  }
  const list = JSON.stringify(drafts.map((draft) => ({ ...draft, value: String(draft.value) })));
  const known = [tenantId, program.programId, list];
  const resolved = `(SELECT r.*, CASE WHEN r.subject ~ '^(team|company):' THEN r.subject ELSE 'member:' || m.member_id END AS found, m.member_id
    FROM jsonb_to_recordset($3::jsonb) AS r(target text, subject text, window_start date, value bigint, reason text)
    LEFT JOIN members.member_key AS k ON k.tenant_id = $1 AND k.program_id = $2 AND k.reference = 'code:' || regexp_replace(r.subject, '^code:', '')
    LEFT JOIN members.member AS m ON m.tenant_id = $1 AND m.program_id = $2 AND m.member_id = k.member_id)`;
  const missing = await runText<{ subject: string }>(tx, `SELECT DISTINCT subject FROM ${resolved} AS r WHERE r.found IS NULL LIMIT 20`, known);
  if (missing.length > 0) throw new Refusal('member_not_found', 422, phrase('Nieznany uczestnik.', 'Unknown member.'), missing.map((item) => ({ pointer: `/${item.subject}`, code: 'member_not_found', message: phrase(item.subject, item.subject) })));
  const changed = await runText<{ found: string; member_id: bigint | null; window_start: Day }>(tx, `SELECT r.found, r.member_id, r.window_start FROM ${resolved} AS r LEFT JOIN mechanics.target AS t ON t.tenant_id = $1 AND t.program_id = $2 AND t.current
    AND t.target_key = r.target AND t.subject = r.found AND t.window_start = r.window_start WHERE t.value IS DISTINCT FROM r.value`, known);
  await runText(tx, `UPDATE mechanics.target AS t SET current = false FROM ${resolved} AS r WHERE t.tenant_id = $1 AND t.program_id = $2 AND t.current AND t.target_key = r.target AND t.subject = r.found AND t.window_start = r.window_start AND t.value <> r.value`, known);
  await runText(tx, `INSERT INTO mechanics.target (tenant_id, program_id, target_key, subject, window_start, value, reason, recorded_by, recorded_at)
    SELECT DISTINCT ON (r.target, r.found, r.window_start) $1::bigint, $2::bigint, r.target, r.found, r.window_start, r.value, r.reason, $4::text, $5::timestamptz FROM ${resolved} AS r
    WHERE NOT EXISTS (SELECT 1 FROM mechanics.target AS t WHERE t.tenant_id = $1 AND t.program_id = $2 AND t.current AND t.target_key = r.target AND t.subject = r.found AND t.window_start = r.window_start)`, [...known, by.principal, by.at]);
  await runText(tx, `INSERT INTO entitlements.stale_window (tenant_id, program_id, mechanic_id, window_start) SELECT DISTINCT p.tenant_id, p.program_id, p.mechanic_id, p.window_start FROM entitlements.partial AS p
    JOIN ${resolved} AS r ON r.window_start = p.window_start WHERE p.tenant_id = $1 AND p.program_id = $2 ON CONFLICT DO NOTHING`, known);
  return changed.flatMap((item) => (item.member_id === null ? [] : [{ memberId: item.member_id, day: item.window_start }]));
}

export type TargetChange = { value: bigint; reason: string | null; recorded_by: string; recorded_at: Date | null };

/** Every value a member's target had in a window, newest first. */
export const targetHistory = (tx: Tx, program: Program, of: { target: string; memberId: bigint; windowStart: Day }): Promise<TargetChange[]> => runText<TargetChange>(tx, `SELECT value, reason, recorded_by, recorded_at FROM mechanics.target
  WHERE program_id = $1 AND target_key = $2 AND subject = 'member:' || $3::bigint AND window_start = $4 ORDER BY recorded_seq DESC LIMIT 200`, [program.programId, of.target, of.memberId, of.windowStart]);

const refused = (index: number, pl: string, en: string): Refusal => new Refusal('target_malformed', 422, phrase('Nieprawidłowy cel.', 'Not a valid target.'), [{ pointer: `/${index}`, code: 'target_malformed', message: phrase(pl, en) }]);
