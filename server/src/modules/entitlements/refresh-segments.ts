import { conditionToSql, literal, memberFields, whole, type Leaf } from '@premia/algebra';
import { ratio, timesRatio, windowStart, type Day } from '@premia/kernel';
import { sql } from 'kysely';
import { today, type Context } from '../../platform/context.ts';
import { rows, runText, type Tx } from '../../platform/database.ts';
import { lockMembers } from '../../platform/member-lock.ts';
import { audit } from '../identity/index.ts';
import { findProgram, listSegments, recordMembership, type Program } from '../members/index.ts';
import { parseSegment, type SegmentRule } from '../mechanics/index.ts';
import { refusePast, staleNow } from './change-inputs.ts';
import { openSettling } from './record-sales.ts';
import { settle, type Settling } from './settle.ts';
import { factFields } from './tiers.ts';
import * as q from './queries.ts';

export type Refreshed = { segment: string; members: number; came: number; left: number };

/**
 * Computes who belongs to each segment today – by list, by a condition on the member, by a measure over a window – and records who came
 * and who left. The past of a segment is a record of decisions and stays as it is; rules that read it are settled for what follows.
 */
export async function refreshSegments(context: Context, input: { program: string; segment?: string }): Promise<Refreshed[]> {
  return context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const settling = { ...(await openSettling(tx, context, program)), lateApproved: true };
    const stale = await staleNow(tx, program);
    const on = today(context, program.zone);
    const done: Refreshed[] = [];
    for (const segment of await listSegments(tx, program, on)) {
      if (input.segment !== undefined && segment.key !== input.segment) continue;
      const rule = parseSegment(segment.rule);
      const members = await membersOf(tx, settling, rule, on);
      const from = rule.members && rule.from !== undefined && rule.from < on ? rule.from : on;
      const { came, left } = await recordMembership(tx, context.tenantId, program, segment.segmentId, members, { from, on });
      await touchFrom(tx, settling, [...came, ...left], from);
      done.push({ segment: segment.key, members: members.length, came: came.length, left: left.length });
    }
    await settle(tx, settling);
    await refusePast(tx, context, program, settling, stale);
    await audit(tx, context, { action: 'segments.refreshed', subject: `program:${program.key}`, programId: program.programId, after: done });
    return done;
  });
}

async function touchFrom(tx: Tx, settling: Settling, memberIds: readonly bigint[], day: Day): Promise<void> {
  if (memberIds.length === 0) return;
  await lockMembers(tx, settling.tenantId, memberIds);
  await runText(tx, q.TOUCH_MEMBERS_FROM, [settling.tenantId, settling.program.programId, memberIds, day]);
}

async function membersOf(tx: Tx, settling: Settling, segment: SegmentRule, on: Day): Promise<bigint[]> {
  if (segment.members) return listed(tx, settling.program, segment.members);
  const rule = segment.rule;
  if (!rule) return [];
  const who = rule.who ? conditionToSql(rule.who, memberFields('m.member_id', `'${on}'::date`, settling.plan.options), settling.plan.options) : 'TRUE';
  const measured = rule.measure && rule.at_least ? measuredSql(settling, rule.measure, rule, on) : 'TRUE';
  const found = await runText<{ member_id: bigint }>(tx, `SELECT m.member_id FROM members.member AS m WHERE m.tenant_id = $1 AND m.program_id = $2 AND m.merged_into IS NULL AND ${who} AND ${measured} ORDER BY 1`, [settling.tenantId, settling.program.programId]);
  return found.map((item) => item.member_id);
}

async function listed(tx: Tx, program: Program, codes: readonly string[]): Promise<bigint[]> {
  const found = await rows<{ member_id: bigint }>(tx, sql`SELECT DISTINCT COALESCE(m.merged_into, m.member_id) AS member_id FROM members.member_key AS k JOIN members.member AS m ON m.program_id = k.program_id AND m.member_id = k.member_id
    WHERE k.program_id = ${program.programId} AND k.reference = ANY(${codes.map((code) => (/^(code|nip|email):/.test(code) ? code : `code:${code}`))}::text[]) ORDER BY 1`);
  return found.map((item) => item.member_id);
}

/** Whether a member's measure over the window that holds the day has reached the line. A thing counts while its corrected net is above zero. */
function measuredSql(settling: Settling, leaf: Extract<Leaf, { is: 'sum' | 'count' }>, rule: NonNullable<SegmentRule['rule']>, on: Day): string {
  const kind = leaf.kind ?? 'sale';
  const from = rule.window === 'program' ? '-infinity' : windowStart(on, rule.window);
  const fields = factFields(settling);
  const where = `f.tenant_id = $1 AND f.program_id = $2 AND f.member_id = m.member_id AND f.role = ${literal(kind === 'sale' ? rule.role : 'self')} AND f.kind = ${literal(kind)} AND f.earned_on BETWEEN '${from}'::date AND '${on}'::date
    AND f.base_on >= m.counts_from AND f.base_on < m.counts_until AND NOT m.gaps @> f.base_on${leaf.where ? ` AND ${conditionToSql(leaf.where, fields, settling.plan.options)}` : ''}`;
  const scale = leaf.is === 'count' ? 1n : leaf.of === 'quantity' ? 1_000n : 10n ** BigInt(settling.program.currencyScale);
  const line = timesRatio(rule.at_least ?? ratio(0n), ratio(scale));
  const thing = leaf.is === 'count' ? { documents: 'f.base_document_id::text', lines: 'f.base_line_id::text', products: 'f.product_id::text', partners: 'f.partner', days: 'f.earned_on::text', categories: fields.word('category'), brands: fields.word('brand') }[leaf.of] : '';
  const value = leaf.is === 'sum' ? `(SELECT COALESCE(platform.sum8(f.${leaf.of === 'quantity' ? 'quantity_milli' : `${leaf.of}_minor`}), 0) FROM facts.fact AS f WHERE ${where})`
    : `(SELECT count(*) FROM (SELECT ${thing} AS thing FROM facts.fact AS f WHERE ${where} GROUP BY 1 HAVING platform.sum8(f.net_minor) > 0 OR (platform.sum8(f.net_minor) = 0 AND platform.sum8(f.quantity_milli) > 0)) AS things WHERE thing IS NOT NULL)`;
  return `${value}::numeric * ${whole(line.d)} >= ${whole(line.n)}`;
}
