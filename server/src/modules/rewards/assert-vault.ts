import { sql } from 'kysely';
import { row, type Database } from '../../platform/database.ts';
import { listTenants } from '../identity/index.ts';

const WORD = 'premia';

/** Holds an installation to the data secret its codes, accounts and files were sealed with: another one would neither open the old nor be opened by the others. */
export async function assertVault(db: Database): Promise<void> {
  for (const tenantId of await listTenants(db)) {
    const kept = await db.transaction(tenantId, async (tx) => {
      await sql`INSERT INTO rewards.vault_word (tenant_id, sealed) VALUES (${tenantId}, ${db.vault.seal(tenantId, WORD)}) ON CONFLICT DO NOTHING`.execute(tx);
      return row<{ sealed: Buffer }>(tx, sql`SELECT sealed FROM rewards.vault_word`);
    });
    if (!kept || !opens(db, tenantId, kept.sealed)) throw new Error('This database was sealed with another data secret. Give DATA_SECRET, or the file data-secret of its data folder.');
  }
}

function opens(db: Database, tenantId: bigint, sealed: Buffer): boolean {
  try { return db.vault.open(tenantId, sealed).toString() === WORD; } catch { return false; }
}
