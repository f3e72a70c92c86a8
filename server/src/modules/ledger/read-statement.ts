import { sql } from 'kysely';
import { rows, type Tx } from '../../platform/database.ts';

export type StatementEntry = {
  transferId: bigint; bookedOn: string; kind: string; unit: string; scale: number; amount: bigint; balance: bigint; mechanic: string | null; windowStart: string | null; document: string | null; reason: string | null; reference: string | null;
};

/** A member's entries in one order, each with the balance after it (wallet − debt + held) and why it is there. Newest last. */
export async function readStatement(tx: Tx, programId: bigint, memberId: bigint, page: { after?: bigint; limit: number }): Promise<StatementEntry[]> {
  const found = await rows<{ transfer_id: bigint; booked_on: string; kind: string; unit: string; scale: number; amount: bigint; balance: bigint; mechanic: string | null; window_start: string | null; document: string | null; reason: string | null; reference: string | null }>(tx, sql`
    SELECT * FROM (
      SELECT t.transfer_id, t.booked_on, t.kind, u.key AS unit, u.scale, t.signed::bigint AS amount, (sum(t.signed) OVER (PARTITION BY t.unit_id ORDER BY t.transfer_id))::bigint AS balance,
        m.key AS mechanic, t.window_start, d.number AS document, t.reason, t.reference
      FROM (SELECT t.*, CASE WHEN t.kind IN ('debt', 'debt_settled') THEN 0 WHEN t.credit IN ('wallet', 'held') AND t.debit IN ('wallet', 'held') THEN 0
          WHEN t.credit = 'wallet' THEN t.amount WHEN t.debit IN ('wallet', 'held') THEN -t.amount WHEN t.credit = 'debt' THEN t.amount ELSE -t.amount END AS signed
        FROM ledger.transfer AS t WHERE t.program_id = ${programId} AND t.member_id = ${memberId}) AS t
      JOIN ledger.unit AS u ON u.tenant_id = t.tenant_id AND u.program_id = t.program_id AND u.unit_id = t.unit_id
      LEFT JOIN mechanics.mechanic AS m ON m.tenant_id = t.tenant_id AND m.program_id = t.program_id AND m.mechanic_id = t.mechanic_id
      LEFT JOIN facts.document AS d ON d.tenant_id = t.tenant_id AND d.program_id = t.program_id AND d.document_id = t.subject_id
    ) AS s WHERE s.transfer_id > ${page.after ?? 0n} ORDER BY s.transfer_id LIMIT ${page.limit}`);
  return found.map((item) => ({
    transferId: item.transfer_id, bookedOn: item.booked_on, kind: item.kind, unit: item.unit, scale: item.scale, amount: item.amount, balance: item.balance,
    mechanic: item.mechanic, windowStart: item.window_start, document: item.document, reason: item.reason, reference: item.reference,
  }));
}
