import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql } from 'kysely';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred, sealed } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

/** Tables without row-level security, each with its reason. */
const ALLOWED = new Map([
  ['platform.calendar', 'days and their windows, the same for everybody'],
  ['staging.staged_row', 'COPY goes only here; the application reads it through a view of one tenant'],
  ['migration.kysely_migration', 'which migrations ran'], ['migration.kysely_migration_lock', 'the migrator’s lock'],
]);
const SCHEMAS = `('platform', 'identity', 'members', 'ledger', 'facts', 'mechanics', 'entitlements', 'rewards', 'staging', 'migration')`;

test('every table has row-level security enabled and forced, with USING and WITH CHECK', async () => {
  const tables = await installation.admin<{ name: string; enabled: boolean; forced: boolean; policies: number }>(`SELECT n.nspname || '.' || c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
    (SELECT count(*)::int FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL) AS policies FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname IN ${SCHEMAS}`);
  expect(tables.length).toBeGreaterThan(30);
  for (const table of tables) {
    if (ALLOWED.has(table.name)) continue;
    expect(table, table.name).toMatchObject({ enabled: true, forced: true });
    expect(table.policies, table.name).toBeGreaterThan(0);
  }
});

test('every key begins with the tenant', async () => {
  const keys = await installation.admin<{ name: string; first: string }>(`SELECT n.nspname || '.' || c.relname AS name, a.attname AS first FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] WHERE i.indisunique AND n.nspname IN ${SCHEMAS}`);
  // A tenant's own key is the one name that is unique in the installation, and an API key's hash is looked up before a tenant is known.
  for (const key of keys) if (!ALLOWED.has(key.name) && !['identity.tenant', 'identity.api_key'].includes(key.name)) expect(key.first, key.name).toBe('tenant_id');
});

test('the application owns nothing, bypasses nothing, and cannot rewrite what is only appended', async () => {
  const [role] = await installation.admin<{ rolsuper: boolean; rolbypassrls: boolean; owned: number }>(`SELECT rolsuper, rolbypassrls, (SELECT count(*)::int FROM pg_class WHERE relowner = r.oid) AS owned FROM pg_roles AS r WHERE rolname = 'premia_app'`);
  expect(role).toEqual({ rolsuper: false, rolbypassrls: false, owned: 0 });
  for (const table of ['ledger.transfer', 'facts.fact', 'facts.line', 'facts.document', 'facts.activity', 'identity.audit', 'entitlements.allocation', 'members.terms', 'members.acceptance', 'members.consent', 'members.employer_consent']) {
    for (const act of [`UPDATE ${table} SET tenant_id = tenant_id`, `DELETE FROM ${table}`, `TRUNCATE ${table}`]) {
      await expect(installation.db.transaction(1n, (tx) => sql.raw(act).execute(tx)), act).rejects.toMatchObject({ code: '42501' });
    }
  }
});

test('one tenant sees and touches nothing of another, and without a tenant there is nothing at all', async () => {
  const mine = await aWorld(await installation.tenant(), aProgram([perHundred]));
  const theirs = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await mine.sell({ on: '2026-03-31', net: '349.90' });
  await theirs.sell({ on: '2026-03-31', net: '1000.00' });
  const tables = await installation.admin<{ name: string }>(`SELECT n.nspname || '.' || c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname IN ${SCHEMAS}`);
  let filled = 0;
  for (const { name } of tables.filter((table) => !ALLOWED.has(table.name))) {
    const own = await installation.db.transaction(mine.context.tenantId, (tx) => sql<{ t: bigint }>`SELECT DISTINCT tenant_id AS t FROM ${sql.raw(name)}`.execute(tx));
    if (own.rows.length > 0) filled += 1;
    expect(own.rows.every((row) => row.t === mine.context.tenantId), name).toBe(true);
    const nobody = await installation.db.kysely.connection().execute((db) => sql`SELECT 1 FROM ${sql.raw(name)} LIMIT 1`.execute(db));
    expect(nobody.rows, name).toEqual([]);
  }
  expect(filled).toBeGreaterThan(12);
  await expect(installation.db.transaction(mine.context.tenantId, (tx) => sql`INSERT INTO ledger.reference (tenant_id, program_id, reference, member_id) VALUES (${theirs.context.tenantId}, 1, 'x', 1)`.execute(tx))).rejects.toMatchObject({ code: '42501' });
});

test('a tampered row is found and named', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-03-31', net: '349.90' });
  await sealed(world.context, async () => BigInt((await installation.admin<{ x: string }>(`SELECT GREATEST((SELECT max(xid) FROM ledger.transfer WHERE tenant_id = $1), (SELECT max(xid) FROM facts.fact WHERE tenant_id = $1))::text AS x`, [world.context.tenantId]))[0]?.x ?? 0)); // from now on a change shows
  const tampers = [['ledger.transfer', 'amount', 1], ['ledger.wallet', 'balance', 1], ['ledger.lot', 'remaining', 1], ['entitlements.entitlement', 'amount', 1], ['entitlements.entitlement', 'uncapped', 1], ['facts.fact', 'net_minor', 10_000], ['facts.line', 'net_minor', 1]] as const;
  for (const [table, column, by] of tampers) {
    await installation.admin(`UPDATE ${table} SET ${column} = ${column} + ${by} WHERE tenant_id = $1`, [world.context.tenantId]);
    await expect(world.verified(), `${table}.${column}`).rejects.toThrow(/verify: \d+ differences/);
    await installation.admin(`UPDATE ${table} SET ${column} = ${column} - ${by} WHERE tenant_id = $1`, [world.context.tenantId]);
    await world.verified();
  }
});

test('functions that act as the owner are on a list, each with a pinned search path; jobs’ own tables are closed to the application', async () => {
  const found = await installation.admin<{ name: string; config: string[] | null }>(`SELECT n.nspname || '.' || p.proname AS name, p.proconfig AS config FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE p.prosecdef AND n.nspname IN ${SCHEMAS} ORDER BY 1`);
  expect(found.map((item) => item.name)).toEqual(['identity.authenticate', 'identity.create_tenant', 'identity.grants_of', 'identity.invitation_by_code', 'identity.list_tenants', 'identity.tenant_by_key', 'members.erase', 'platform.add_job', 'platform.failed_jobs', 'platform.purge', 'platform.refresh_statistics', 'rewards.erase']);
  for (const item of found) expect(item.config, item.name).toContain('search_path=pg_catalog');
  const [open] = await installation.admin<{ app: boolean; load: boolean }>(`SELECT has_schema_privilege('premia_app', 'graphile_worker', 'USAGE') AS app, has_schema_privilege('premia_load', 'graphile_worker', 'USAGE') AS load`);
  expect(open).toEqual({ app: false, load: false });
});
