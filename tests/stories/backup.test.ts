import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordSales, sealTail } from '../../server/src/modules/entitlements/index.ts';
import { readBalances } from '../../server/src/modules/ledger/index.ts';
import { findProgram } from '../../server/src/modules/members/index.ts';
import { backUp, headsMissing, restore, type Manifest } from '../../server/src/platform/backup.ts';
import { makeContext, type Context } from '../../server/src/platform/context.ts';
import { openDatabase, rows } from '../../server/src/platform/database.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../server/src/platform/embedded-postgres.ts';
import { migrate, prepareDatabase } from '../../server/src/platform/migrate.ts';
import { verifyAll } from '../../server/src/verify.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aSale, aWorld, perHundred, sealed, type World } from '../support/world.ts';

/** Battery C7: a copy made under load, restored into another cluster: the same balances, 0 differences, the chain whole – and it goes on. */
let installation: Installation;
let elsewhere: EmbeddedPostgres;
let world: World;
let url = '';
const home = mkdtempSync(join(tmpdir(), 'premia-elsewhere-'));
const folders: string[] = [];
const folder = (): string => { const made = mkdtempSync(join(tmpdir(), 'premia-backup-')); folders.push(made); return made; };
const quiet = (): void => undefined;
const balancesOf = (context: Context): Promise<string> => context.transaction(async (tx) => JSON.stringify((await readBalances(tx, (await findProgram(tx, 'p')).programId, '2026-06-15')).map((item) => [item.member, item.unit, String(item.total), String(item.held)])));

async function anEmptyOne(name: string): Promise<string> {
  await prepareDatabase(elsewhere.superuserUrl, name);
  const made = new URL(elsewhere.superuserUrl);
  made.pathname = `/${name}`;
  await migrate(made.toString());
  return made.toString();
}

beforeAll(async () => {
  installation = await anInstallation();
  world = await aWorld(await installation.tenant('kept'), aProgram([perHundred, { ...perHundred, key: 'month', window: 'month', curve: { is: 'steps', steps: [{ reach: 1_000, units: 40 }] } }]));
  await world.sell(...Array.from({ length: 40 }, (_, n) => ({ number: `B${n}`, on: `2026-0${1 + (n % 5)}-10`, net: `${100 + n * 7}.00`, buyer: `shop${n % 6}` })));
  // The cluster restored into is younger: its transactions begin below the sealed ones.
  const admin = new pg.Client({ connectionString: installation.url });
  await admin.connect();
  await admin.query(`DO $$ BEGIN FOR n IN 1..6000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$`);
  await admin.end();
  await world.sell({ number: 'LATE', on: '2026-05-20', net: '500.00', buyer: 'shop1' });
  await sealed(world.context, async () => BigInt((await installation.admin<{ xid: string }>('SELECT max(xid)::text AS xid FROM facts.fact'))[0]?.xid ?? 0));
  chmodSync(home, 0o755);
  elsewhere = await startEmbeddedPostgres(home, { own: true });
  url = await anEmptyOne('restored');
});
afterAll(async () => { await elsewhere?.stop(); await installation.close(); for (const path of [home, ...folders]) rmSync(path, { recursive: true, force: true }); });

let kept: string;
let manifest: Manifest;

test('a copy made while sales come in is one moment: restored elsewhere its books verify, balances are those of the sales it holds', async () => {
  kept = folder();
  let selling = true;
  let sold = 0;
  const seller = (async () => { while (selling) { await recordSales(world.context, { program: 'p', source: 'erp', lines: [aSale({ number: `L${sold}`, on: '2026-06-01', net: '120.00', buyer: `shop${sold % 6}` })] }); sold += 1; } })();
  manifest = await backUp(installation.url, kept, quiet);
  selling = false;
  await seller;
  expect(sold, 'nothing was sold meanwhile: this proved nothing').toBeGreaterThan(3);
  expect(manifest.heads).toHaveLength(1);
  expect(manifest.tables.map((table) => table.name)).not.toContain('auth.session');

  await restore(url, kept, quiet);
  const db = openDatabase(url, 'premia_app', { max: 4, secret: 'a secret for tests' });
  const there = makeContext({ db, tenantId: world.context.tenantId, principal: 'test', now: world.context.now });
  try {
    expect((await verifyAll(there, 'p')).faults).toEqual([]);
    expect(await headsMissing(url, manifest)).toEqual([]);
    const documents = Number((await there.transaction((tx) => rows<{ n: bigint }>(tx, sql`SELECT count(*) AS n FROM facts.document`)))[0]?.n);
    expect(documents).toBe(manifest.tables.find((table) => table.name === 'facts.document')?.rows);
    // The same sales again: what the copy holds is known, what came after it is new; then both are the same books.
    const lines = Array.from({ length: sold }, (_, n) => aSale({ number: `L${n}`, on: '2026-06-01', net: '120.00', buyer: `shop${n % 6}` }));
    await recordSales(there, { program: 'p', source: 'erp', lines });
    expect(await balancesOf(there)).toBe(await balancesOf(world.context));
    // It goes on: new rows are sealed above the old ones, and the chain holds.
    expect((await sealTail(there)).made).toBeGreaterThan(0);
    expect((await verifyAll(there, 'p')).differences).toBe(0);
  } finally {
    await db.close();
  }
});

test('without the shift of transaction numbers new rows would slip under old seals, and verify says so', async () => {
  const bare = await anEmptyOne('bare');
  await restore(bare, kept, quiet);
  const admin = new pg.Client({ connectionString: elsewhere.superuserUrl });
  await admin.connect();
  await admin.query('ALTER DATABASE bare RESET premia.xid_shift');
  await admin.end();
  const db = openDatabase(bare, 'premia_app', { max: 2, secret: 'a secret for tests' });
  const there = makeContext({ db, tenantId: world.context.tenantId, principal: 'test', now: world.context.now });
  await recordSales(there, { program: 'p', source: 'erp', lines: [aSale({ number: 'SLIPPED', on: '2026-06-02', net: '120.00', buyer: 'shop1' })] });
  expect((await verifyAll(there, 'p')).faults.some((fault) => fault.check === 'row added under a seal')).toBe(true);
  await db.close();
});

test('a copy that was touched, is of another version or meets a used installation is refused, and nothing is written', async () => {
  await expect(restore(url, kept, quiet)).rejects.toMatchObject({ code: 'not_empty' });
  await expect(backUp(installation.url, kept, quiet)).rejects.toMatchObject({ code: 'folder_not_empty' });
  await expect(restore(url, folder(), quiet)).rejects.toMatchObject({ code: 'no_backup' });
  const empty = await anEmptyOne('empty');
  const altered = async (change: (made: string) => void): Promise<unknown> => {
    const made = folder();
    cpSync(kept, made, { recursive: true });
    change(made);
    return restore(empty, made, quiet).then(() => 'restored', (error: { code: string }) => error.code);
  };
  const rewrite = (file: string, by: (text: string) => string) => (made: string) => { const path = join(made, file); writeFileSync(path, gzipSync(by(gunzipSync(readFileSync(path)).toString('utf8')))); };
  expect(await altered(rewrite('ledger.transfer.copy.gz', (text) => text.replace(/\t5\t/, '\t9\t')))).toBe('backup_damaged');
  expect(await altered(rewrite('facts.fact.copy.gz', (text) => text.split('\n').slice(1).join('\n')))).toBe('backup_damaged');
  expect(await altered((made) => writeFileSync(join(made, 'members.member.copy.gz'), 'not gzip'))).toBe('backup_damaged');
  expect(await altered((made) => writeFileSync(join(made, 'manifest.json'), JSON.stringify({ ...manifest, migrations: manifest.migrations.slice(0, -1) })))).toBe('other_version');
  expect(await altered(() => undefined)).toBe('restored'); // after all those it is still empty
});
