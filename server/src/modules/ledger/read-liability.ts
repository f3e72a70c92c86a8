import type { Day } from '@premia/kernel';
import { sql } from 'kysely';
import { rows, type Tx } from '../../platform/database.ts';

export type Liability = { unit: string; scale: number; available: bigint; pending: bigint; held: bigint; debt: bigint; byExpiry: { month: string; amount: bigint; lots: number; members: number }[] };

/**
 * What the program owes its members on a day, in units: available, pending and held, less debt – and the available and pending part by
 * the month in which it expires, 'never' last. Money comes with the rewards that the units buy.
 */
export async function readLiability(tx: Tx, programId: bigint, asOf: Day): Promise<Liability[]> {
  const lasts = sql`ledger.last_day(l.expires_on, u.idle_months, COALESCE(w.active_on, '-infinity'))`;
  const of = sql`ledger.lot AS l JOIN ledger.unit AS u ON u.tenant_id = l.tenant_id AND u.program_id = l.program_id AND u.unit_id = l.unit_id
    LEFT JOIN ledger.wallet AS w ON w.tenant_id = l.tenant_id AND w.program_id = l.program_id AND w.member_id = l.member_id AND w.unit_id = l.unit_id WHERE l.program_id = ${programId} AND l.remaining > 0 AND ${lasts} >= ${asOf}::date`;
  const units = await rows<{ unit: string; scale: number; available: bigint; pending: bigint; held: bigint; debt: bigint }>(tx, sql`
    SELECT u.key AS unit, u.scale, COALESCE(l.available, 0)::bigint AS available, COALESCE(l.pending, 0)::bigint AS pending, COALESCE(w.held, 0)::bigint AS held, COALESCE(w.debt, 0)::bigint AS debt FROM ledger.unit AS u
    LEFT JOIN (SELECT l.unit_id, sum(l.remaining) FILTER (WHERE l.gate = '' AND l.available_on <= ${asOf}::date) AS available, sum(l.remaining) FILTER (WHERE NOT (l.gate = '' AND l.available_on <= ${asOf}::date)) AS pending FROM ${of} GROUP BY 1) AS l ON l.unit_id = u.unit_id
    LEFT JOIN (SELECT unit_id, sum(held) AS held, sum(debt) AS debt FROM ledger.wallet WHERE program_id = ${programId} GROUP BY 1) AS w ON w.unit_id = u.unit_id
    WHERE u.program_id = ${programId} ORDER BY u.key`);
  const months = await rows<{ unit: string; month: string; amount: bigint; lots: bigint; members: bigint }>(tx, sql`
    SELECT u.key AS unit, CASE WHEN ${lasts} = 'infinity' THEN 'never' ELSE to_char(${lasts}, 'YYYY-MM') END AS month, sum(l.remaining)::bigint AS amount, count(*) AS lots, count(DISTINCT l.member_id) AS members FROM ${of} GROUP BY 1, 2 ORDER BY 1, 2`);
  return units.map((unit) => ({ ...unit, byExpiry: months.filter((month) => month.unit === unit.unit).map((month) => ({ month: month.month, amount: month.amount, lots: Number(month.lots), members: Number(month.members) })) }));
}
