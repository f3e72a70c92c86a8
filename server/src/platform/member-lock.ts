import { sql } from 'kysely';
import type { Tx } from './database.ts';

/** Locks members, all at once and in id order, before anything they own is read: a twin must wait, then see what we wrote. */
export async function lockMembers(tx: Tx, tenantId: bigint, memberIds: readonly bigint[]): Promise<void> {
  if (memberIds.length === 0) return;
  await sql`INSERT INTO platform.member_lock (tenant_id, member_id, taken) SELECT DISTINCT ${tenantId}::bigint, id, 1 FROM unnest(${[...memberIds]}::bigint[]) AS ids(id) ORDER BY id
    ON CONFLICT (tenant_id, member_id) DO UPDATE SET taken = platform.member_lock.taken + 1`.execute(tx);
}
