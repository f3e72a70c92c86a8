import type { Day } from '@premia/kernel';
import { sql } from 'kysely';
import { rows, type Tx } from '../../platform/database.ts';

export type Balance = { member: string; memberId: bigint; unit: string; scale: number; available: bigint; pending: bigint; held: bigint; debt: bigint; total: bigint };

/** Balances of every member with a fact or a wallet, zeros included, as of a day. total = available + pending + held − debt. */
export async function readBalances(tx: Tx, programId: bigint, asOf: Day, filter: { unit?: string; memberId?: bigint; memberIds?: readonly bigint[]; after?: string; limit?: number } = {}): Promise<Balance[]> {
  const found = await rows<{ member: string; member_id: bigint; unit: string; scale: number; available: bigint; pending: bigint; held: bigint; debt: bigint }>(tx, sql`
    SELECT m.code AS member, m.member_id, u.key AS unit, u.scale, COALESCE(l.available, 0)::bigint AS available, COALESCE(l.pending, 0)::bigint AS pending, COALESCE(w.held, 0)::bigint AS held, COALESCE(w.debt, 0)::bigint AS debt
    FROM members.member AS m
    JOIN ledger.unit AS u ON u.program_id = m.program_id
    LEFT JOIN ledger.wallet AS w ON w.tenant_id = m.tenant_id AND w.program_id = m.program_id AND w.member_id = m.member_id AND w.unit_id = u.unit_id
    LEFT JOIN LATERAL (
      SELECT sum(remaining) FILTER (WHERE gate = '' AND available_on <= ${asOf}::date) AS available, sum(remaining) FILTER (WHERE NOT (gate = '' AND available_on <= ${asOf}::date)) AS pending
      FROM ledger.lot AS l WHERE l.tenant_id = m.tenant_id AND l.program_id = m.program_id AND l.member_id = m.member_id AND l.unit_id = u.unit_id AND ledger.last_day(l.expires_on, u.idle_months, COALESCE(w.active_on, '-infinity')) >= ${asOf}::date
    ) AS l ON TRUE
    WHERE m.program_id = ${programId} AND m.merged_into IS NULL
      AND (w.member_id IS NOT NULL OR EXISTS (SELECT 1 FROM facts.fact AS f WHERE f.tenant_id = m.tenant_id AND f.program_id = m.program_id AND f.member_id = m.member_id))
      AND (${filter.unit ?? null}::text IS NULL OR u.key = ${filter.unit ?? null}) AND (${filter.memberId ?? null}::bigint IS NULL OR m.member_id = ${filter.memberId ?? null}) AND (${filter.memberIds?.map(String) ?? null}::bigint[] IS NULL OR m.member_id = ANY(${filter.memberIds?.map(String) ?? null}::bigint[]))
      AND (${filter.after ?? null}::text IS NULL OR m.code > ${filter.after ?? null})
    ORDER BY m.code, u.key LIMIT ${filter.limit ?? null}::bigint`);
  return found.map((item) => ({
    member: item.member, memberId: item.member_id, unit: item.unit, scale: item.scale, available: item.available, pending: item.pending, held: item.held, debt: item.debt,
    total: item.available + item.pending + item.held - item.debt,
  }));
}
