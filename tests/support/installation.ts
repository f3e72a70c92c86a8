import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { makeContext, type Context } from '../../server/src/platform/context.ts';
import { openDatabase, type Database } from '../../server/src/platform/database.ts';
import { createTenant, listTenants } from '../../server/src/modules/identity/index.ts';
import { listPrograms } from '../../server/src/modules/members/index.ts';
import { verifyAll } from '../../server/src/verify.ts';

export type Installation = {
  db: Database;
  adminUrl: string;
  url: string;
  /** A context of a fresh tenant of its own, with a clock that stands still until it is set. */
  tenant(key?: string): Promise<TestContext>;
  admin<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<T[]>;
  close(): Promise<void>;
};
export type TestContext = Context & { clock: { at: string } };

/** A database of this test file's own, copied from the migrated template, used as the application's role. */
export async function anInstallation(options: { verifyAtEnd: boolean } = { verifyAtEnd: true }): Promise<Installation> {
  const adminUrl = inject('adminUrl');
  const name = `premia_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await retried(() => admin.query(`CREATE DATABASE ${name} TEMPLATE premia_template OWNER premia_owner`));
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const db = openDatabase(url.toString(), 'premia_app', { max: 8, secret: 'a secret for tests' });
  const inside = new pg.Client({ connectionString: url.toString() });
  await inside.connect();
  let made = 0;
  return {
    db, adminUrl, url: url.toString(),
    tenant: async (key) => {
      made += 1;
      const clock = { at: '2026-06-15T10:00:00Z' };
      const tenantId = await createTenant(db, key ?? `tenant-${made}-${name}`, 'Test', clock.at);
      return Object.assign(makeContext({ db, tenantId, principal: 'test', now: () => Date.parse(clock.at) }), { clock });
    },
    admin: async (text, values) => (await inside.query(text, values)).rows,
    close: async () => {
      const faults = options.verifyAtEnd ? await verifyEverything(db) : [];
      await inside.end();
      await db.close();
      await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await admin.end();
      if (faults.length > 0) throw new Error(`the books do not verify after the tests: ${faults.join('; ')}`);
    },
  };
}

async function retried(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try { await work(); return; } catch (error) {
      if (tries >= 20) throw error;
      await new Promise((done) => setTimeout(done, 100 * tries));
    }
  }
}

/** Battery L, after every test file: everything its tests left in the books is computed again and compared. */
async function verifyEverything(db: Database): Promise<string[]> {
  const faults: string[] = [];
  for (const tenantId of await listTenants(db)) {
    const context = makeContext({ db, tenantId, principal: 'end of tests', now: () => Date.parse('2026-06-15T10:00:00Z') });
    for (const { key } of await context.transaction(listPrograms)) faults.push(...(await verifyAll(context, key)).faults.map((fault) => `${key}: ${JSON.stringify(fault)}`));
  }
  return faults.slice(0, 5);
}
