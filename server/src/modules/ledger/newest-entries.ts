import { sql } from 'kysely';
import type { Day } from '@premia/kernel';
import { rows, type Tx } from '../../platform/database.ts';
import { keyset, likeOf, paged, type Sortable } from '../../platform/keyset.ts';

export type LedgerEntry = { transferId: bigint; member: string; name: string | null; bookedOn: Day; kind: string; unit: string; scale: number; amount: bigint; mechanic: string | null; mechanicName: unknown; windowStart: string | null; document: string | null; reason: string | null };

const AMOUNT = `CASE WHEN t.credit = 'wallet' THEN t.amount WHEN t.debit IN ('wallet', 'held') THEN -t.amount WHEN t.credit = 'debt' THEN t.amount ELSE -t.amount END`;
const SORTED: Sortable = { id: ['t.transfer_id', 'number', 'transferId'], booked_on: ['t.booked_on', 'day', 'bookedOn'], kind: ['t.kind', 'word'], amount: [AMOUNT, 'number'] };
export type EntriesPage = { memberId?: bigint; unit?: string; kind?: string; search?: string; sort?: string; after?: string; limit: number };

/** What changed somebody's units, newest first or as asked: of everybody or of one. Moves inside a wallet (holding, settling a debt) are not shown. */
export async function newestEntries(tx: Tx, programId: bigint, page: EntriesPage): Promise<{ rows: LedgerEntry[]; next: string | null }> {
  const like = likeOf(page.search);
  const { beyond, order, cursor } = keyset<LedgerEntry>(SORTED, 'id', { sort: page.sort ?? '-id', after: page.after });
  const found = await rows<LedgerEntry>(tx, sql`SELECT t.transfer_id AS "transferId", m.code AS member, p.name, t.booked_on AS "bookedOn", t.kind, u.key AS unit, u.scale,
      ${sql.raw(AMOUNT)} AS amount,
      x.key AS mechanic, v.name AS "mechanicName", t.window_start AS "windowStart", d.number AS document, t.reason
    FROM (SELECT * FROM ledger.transfer AS t WHERE t.program_id = ${programId} AND t.kind NOT IN ('debt', 'debt_settled') AND NOT (t.credit IN ('wallet', 'held') AND t.debit IN ('wallet', 'held'))
      AND (${page.memberId ?? null}::bigint IS NULL OR t.member_id = ${page.memberId ?? null}::bigint) AND (${page.kind ?? null}::text IS NULL OR t.kind = ${page.kind ?? null}) AND ${beyond}
      AND (${page.unit ?? null}::text IS NULL OR t.unit_id = (SELECT u.unit_id FROM ledger.unit AS u WHERE u.program_id = ${programId} AND u.key = ${page.unit ?? null}))
      ORDER BY ${order} LIMIT ${like === null ? page.limit + 1 : null}::bigint) AS t JOIN ledger.unit AS u ON u.tenant_id = t.tenant_id AND u.program_id = t.program_id AND u.unit_id = t.unit_id JOIN members.member AS m ON m.tenant_id = t.tenant_id AND m.program_id = t.program_id AND m.member_id = t.member_id
    LEFT JOIN members.person AS p ON p.tenant_id = t.tenant_id AND p.program_id = t.program_id AND p.member_id = t.member_id
    LEFT JOIN mechanics.mechanic AS x ON x.tenant_id = t.tenant_id AND x.program_id = t.program_id AND x.mechanic_id = t.mechanic_id
    LEFT JOIN LATERAL (SELECT v.definition -> 'name' AS name FROM mechanics.mechanic_version AS v WHERE v.tenant_id = t.tenant_id AND v.program_id = t.program_id AND v.mechanic_id = t.mechanic_id AND NOT v.replaced ORDER BY v.number DESC LIMIT 1) AS v ON TRUE
    LEFT JOIN facts.document AS d ON d.tenant_id = t.tenant_id AND d.program_id = t.program_id AND d.document_id = t.subject_id
    WHERE ${like}::text IS NULL OR d.number ILIKE ${like} OR t.reason ILIKE ${like} OR v.name::text ILIKE ${like}
    ORDER BY ${order} LIMIT ${page.limit + 1}`);
  return paged(found, page.limit, cursor);
}

export type LotView = { unit: string; scale: number; amount: bigint; availableOn: Day; expiresOn: string; gate: string };

/** A member's lots that are worth something on a day, in the order in which they are used up. */
export const lotsOf = (tx: Tx, programId: bigint, memberId: bigint, on: Day): Promise<LotView[]> => rows<LotView>(tx, sql`SELECT u.key AS unit, u.scale, l.remaining AS amount, l.available_on AS "availableOn", ledger.last_day(l.expires_on, u.idle_months, COALESCE(w.active_on, '-infinity'))::text AS "expiresOn", l.gate
  FROM ledger.lot AS l JOIN ledger.unit AS u ON u.tenant_id = l.tenant_id AND u.program_id = l.program_id AND u.unit_id = l.unit_id LEFT JOIN ledger.wallet AS w ON w.tenant_id = l.tenant_id AND w.program_id = l.program_id AND w.member_id = l.member_id AND w.unit_id = l.unit_id
  WHERE l.program_id = ${programId} AND l.member_id = ${memberId} AND l.remaining > 0 AND ledger.last_day(l.expires_on, u.idle_months, COALESCE(w.active_on, '-infinity')) >= ${on}::date ORDER BY l.expires_on, l.available_on, u.key LIMIT 500`);
