import { sql } from 'kysely';
import { rows, type Tx } from '../../platform/database.ts';
import { lasts } from './move-units.ts';
import type { Posting } from './post-differences.ts';

/** Shows in the books what has expired by date: every lot whose last day is past. Units on hold do not expire. Answers how many lots. */
export async function expireLots(tx: Tx, posting: Posting): Promise<number> {
  await sql`INSERT INTO platform.member_lock (tenant_id, member_id, taken) SELECT DISTINCT ${posting.tenantId}::bigint, member_id, 1 FROM ledger.lot AS l WHERE program_id = ${posting.programId} AND remaining > 0 AND NOT ${lasts(posting.bookedOn)} ORDER BY member_id
    ON CONFLICT (tenant_id, member_id) DO UPDATE SET taken = platform.member_lock.taken + 1`.execute(tx);
  const expired = await rows(tx, sql`
    WITH due AS (SELECT member_id, unit_id, lot_id, remaining, expires_on FROM ledger.lot AS l WHERE program_id = ${posting.programId} AND remaining > 0 AND NOT ${lasts(posting.bookedOn)}),
    emptied AS (UPDATE ledger.lot AS l SET expired = l.expired + l.remaining, remaining = 0 FROM due WHERE l.program_id = ${posting.programId} AND l.member_id = due.member_id AND l.lot_id = due.lot_id RETURNING 1),
    wallets AS (UPDATE ledger.wallet AS w SET balance = w.balance - d.amount FROM (SELECT member_id, unit_id, sum(remaining)::bigint AS amount FROM due GROUP BY 1, 2) AS d
      WHERE w.program_id = ${posting.programId} AND w.member_id = d.member_id AND w.unit_id = d.unit_id RETURNING 1)
    INSERT INTO ledger.transfer (tenant_id, program_id, member_id, unit_id, debit, credit, amount, kind, booked_on, booked_at, reason, run_seq)
    SELECT ${posting.tenantId}::bigint, ${posting.programId}::bigint, member_id, unit_id, 'wallet', 'expired', remaining, 'expiry', ${posting.bookedOn}::date, ${posting.bookedAt}::timestamptz, CASE WHEN expires_on < ${posting.bookedOn}::date THEN 'valid until ' || expires_on ELSE 'inactive' END, ${posting.runSeq}::bigint FROM due ORDER BY member_id, lot_id RETURNING 1`);
  return expired.length;
}

/** Opens a gate, for all or for one member: what waited behind it moves into lots that can be spent. Answers how many lots. */
export async function openGate(tx: Tx, posting: Posting, gate: string, memberId: bigint | null = null): Promise<number> {
  const behind = sql`program_id = ${posting.programId} AND gate = ${gate} AND (${memberId}::bigint IS NULL OR member_id = ${memberId})`;
  await sql`INSERT INTO platform.member_lock (tenant_id, member_id, taken) SELECT DISTINCT ${posting.tenantId}::bigint, member_id, 1 FROM ledger.lot WHERE ${behind} AND remaining > 0 ORDER BY member_id
    ON CONFLICT (tenant_id, member_id) DO UPDATE SET taken = platform.member_lock.taken + 1`.execute(tx);
  const opened = await rows<{ member_id: bigint; unit_id: bigint; remaining: bigint; expires_on: string; lot_id: bigint }>(tx, sql`SELECT member_id, unit_id, lot_id, remaining, expires_on::text AS expires_on FROM ledger.lot WHERE ${behind} AND remaining > 0 ORDER BY member_id, lot_id`);
  await sql`INSERT INTO ledger.lot (tenant_id, program_id, member_id, unit_id, gate, available_on, expires_on, remaining)
    SELECT tenant_id, program_id, member_id, unit_id, '', available_on, expires_on, sum(remaining)::bigint FROM ledger.lot WHERE ${behind} AND remaining > 0 GROUP BY 1, 2, 3, 4, 6, 7
    ON CONFLICT (tenant_id, program_id, member_id, unit_id, gate, available_on, expires_on) DO UPDATE SET remaining = ledger.lot.remaining + excluded.remaining`.execute(tx);
  await sql`INSERT INTO ledger.transfer (tenant_id, program_id, member_id, unit_id, debit, credit, amount, kind, booked_on, booked_at, reason, run_seq)
    SELECT tenant_id, program_id, member_id, unit_id, 'wallet', 'wallet', remaining, 'gate_opened', ${posting.bookedOn}::date, ${posting.bookedAt}::timestamptz, ${gate}, ${posting.runSeq}::bigint FROM ledger.lot WHERE ${behind} AND remaining > 0`.execute(tx);
  await sql`UPDATE ledger.lot SET remaining = 0 WHERE ${behind} AND remaining > 0`.execute(tx);
  return opened.length;
}
