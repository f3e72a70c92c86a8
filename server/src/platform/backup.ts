import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { Refusal, must, phrase } from '@premia/kernel';

/*
 * A backup of our own, since the embedded server comes without pg_dump, and since a dump would not carry on the numbers of transactions that
 * seals rest on. A folder: one compressed COPY a table, and a manifest that names every table with its rows and its SHA-256.
 */
type Table = { name: string; columns: string[]; rows: number; sha256: string };
export type Manifest = { premia: 1; made_at: string; migrations: string[]; xid: string; tables: Table[]; sequences: { name: string; value: string; called: boolean }[]; heads: { tenant: string; seal: string; head: string }[] };

const MANIFEST = 'manifest.json';
/** Ended sessions must not come to life again, and links in old mails not work again: whoever was signed in signs in anew. */
const LEFT_OUT = new Set(['auth.session', 'auth.verification']);
const OURS = `n.nspname NOT IN ('pg_catalog', 'information_schema', 'migration') AND n.nspname NOT LIKE 'pg\\_%' AND NOT (n.nspname = 'graphile_worker' AND c.relname = 'migrations')`;
const XID_MARGIN = 1_000n;

const refuse = (code: string, pl: string, en: string): Refusal => new Refusal(code, 409, phrase(pl, en));
const quoted = (name: string): string => name.split('.').map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
const fileOf = (folder: string, table: string): string => join(folder, `${table}.copy.gz`);

async function open(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'premia backup' });
  await client.connect();
  const { rows: [who] } = await client.query<{ all: boolean }>('SELECT rolsuper AS all FROM pg_roles WHERE rolname = current_user');
  if (!who?.all) { await client.end(); throw refuse('superuser_needed', 'Kopia czyta i pisze wiersze wszystkich organizacji: potrzebny jest login administratora bazy.', 'A backup reads and writes the rows of every tenant: it needs a superuser’s login.'); }
  return client;
}

const tablesOf = async (client: pg.Client): Promise<{ name: string; columns: string[] }[]> => (await client.query<{ name: string; columns: string[] }>(`SELECT n.nspname || '.' || c.relname AS name, ARRAY(SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum) AS columns
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND ${OURS} ORDER BY 1`)).rows;
const migrationsOf = async (client: pg.Client): Promise<string[]> => (await client.query<{ name: string }>('SELECT name FROM migration.kysely_migration ORDER BY name')).rows.map((item) => item.name);
const headsOf = async (client: pg.Client): Promise<Manifest['heads']> => (await client.query<{ tenant: string; seal: string; head: string }>(`SELECT DISTINCT ON (tenant_id) tenant_id::text AS tenant, seal_no::text AS seal, encode(head, 'hex') AS head FROM ledger.seal ORDER BY tenant_id, seal_no DESC`)).rows;

/** Counts lines and bytes on their way; COPY writes a row a line. */
function counted(hash: Hash, count: (rows: number) => void): Transform {
  return new Transform({ transform(chunk: Buffer, _, done) { hash.update(chunk); let rows = 0; for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) rows += 1; count(rows); done(null, chunk); } });
}

/**
 * Writes everything of a database, as it is at one moment, into an empty folder, beside whatever goes on. It holds personal data and sealed
 * secrets, not the data secret: keep the two apart. Answers the manifest.
 */
export async function backUp(url: string, folder: string, say: (text: string) => void): Promise<Manifest> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length > 0) throw refuse('folder_not_empty', `Folder ${folder} nie jest pusty.`, `The folder ${folder} is not empty.`);
  const client = await open(url);
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows: [moment] } = await client.query<{ xid: string }>('SELECT (pg_snapshot_xmax(pg_current_snapshot())::text::bigint + platform.xid_shift())::text AS xid');
    const tables: Table[] = [];
    for (const { name, columns } of await tablesOf(client)) {
      if (LEFT_OUT.has(name)) continue;
      const hash = createHash('sha256');
      let rows = 0;
      await pipeline(client.query(copyTo(`COPY (SELECT ${columns.map(quoted).join(', ')} FROM ${quoted(name)}) TO STDOUT`)), counted(hash, (more) => { rows += more; }), createGzip({ level: 1 }), createWriteStream(fileOf(folder, name), { mode: 0o600 }));
      tables.push({ name, columns, rows, sha256: hash.digest('hex') });
      if (rows > 0) say(`  ${name}: ${rows}`);
    }
    const { rows: sequences } = await client.query<{ name: string; value: string; called: boolean }>(`SELECT schemaname || '.' || sequencename AS name, COALESCE(last_value, start_value)::text AS value, last_value IS NOT NULL AS called FROM pg_sequences WHERE schemaname IN (SELECT DISTINCT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND ${OURS}) ORDER BY 1`);
    const manifest: Manifest = { premia: 1, made_at: new Date().toISOString(), migrations: await migrationsOf(client), xid: must(moment, 'moment').xid, tables, sequences, heads: await headsOf(client) };
    await client.query('COMMIT');
    writeFileSync(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 }); // last: a folder without it is no backup
    return manifest;
  } finally {
    await client.end();
  }
}

/**
 * Fills an empty installation of the same version from a backup, all or nothing: every file must have the rows and the SHA-256 its manifest
 * names. Whoever calls then verifies; seals go on above the transactions that came along.
 */
export async function restore(url: string, folder: string, say: (text: string) => void): Promise<Manifest> {
  if (!existsSync(join(folder, MANIFEST))) throw refuse('no_backup', `W folderze ${folder} nie ma kopii.`, `There is no backup in the folder ${folder}.`);
  const manifest = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as Manifest;
  const client = await open(url);
  try {
    if (manifest.premia !== 1 || String(manifest.migrations) !== String(await migrationsOf(client))) throw refuse('other_version', `Kopia jest z innej wersji (${manifest.migrations.at(-1)}). Zainstaluj tę wersję, odtwórz, potem zaktualizuj.`, `The backup is of another version (${manifest.migrations.at(-1)}). Install that version, restore, then upgrade.`);
    const { rows: [used] } = await client.query<{ used: boolean }>('SELECT EXISTS (SELECT 1 FROM identity.tenant) AS used');
    if (used?.used) throw refuse('not_empty', 'Ta instalacja nie jest pusta. Kopię odtwarza się do nowej.', 'This installation is not empty. A backup is restored into a new one.');
    await client.query('BEGIN');
    await client.query(`SET LOCAL session_replication_role = 'replica'`); // references were whole when they were copied, and are copied whole
    const known = new Map((await tablesOf(client)).map((table) => [table.name, table.columns.join()]));
    await client.query(`TRUNCATE ${[...known.keys()].map(quoted).join(', ')}`);
    for (const table of manifest.tables) {
      if (known.get(table.name) !== table.columns.join()) throw refuse('other_version', `Tabela ${table.name} wygląda inaczej.`, `The table ${table.name} is another.`);
      const hash = createHash('sha256');
      let rows = 0;
      await pipeline(createReadStream(fileOf(folder, table.name)), createGunzip(), counted(hash, (more) => { rows += more; }), client.query(copyFrom(`COPY ${quoted(table.name)} (${table.columns.map(quoted).join(', ')}) FROM STDIN`)))
        .catch((error: Error) => { throw refuse('backup_damaged', `Pliku tabeli ${table.name} nie da się odczytać: ${error.message}`, `The file of the table ${table.name} cannot be read: ${error.message}`); });
      if (rows !== table.rows || hash.digest('hex') !== table.sha256) throw refuse('backup_damaged', `Plik tabeli ${table.name} nie zgadza się ze spisem.`, `The file of the table ${table.name} does not agree with the manifest.`);
      if (rows > 0) say(`  ${table.name}: ${rows}`);
    }
    for (const { name, value, called } of manifest.sequences) await client.query('SELECT setval($1::regclass, $2::bigint, $3)', [quoted(name), value, called]);
    const { rows: [now] } = await client.query<{ xid: string; database: string }>('SELECT pg_current_xact_id()::text AS xid, current_database() AS database');
    const shift = BigInt(manifest.xid) + XID_MARGIN - BigInt(must(now, 'now').xid);
    await client.query(`ALTER DATABASE ${quoted(must(now, 'now').database)} SET premia.xid_shift = '${shift > 0n ? shift : 0n}'`);
    await client.query('COMMIT');
    await client.query('ANALYZE');
    return manifest;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    await client.end();
  }
}

/** Whether the chains that were copied are there still: a head kept elsewhere may be compared with these too. */
export async function headsMissing(url: string, manifest: Manifest): Promise<string[]> {
  const client = await open(url);
  try {
    const { rows } = await client.query<{ tenant: string; seal: string; head: string }>(`SELECT tenant_id::text AS tenant, seal_no::text AS seal, encode(head, 'hex') AS head FROM ledger.seal`);
    const there = new Set(rows.map((item) => `${item.tenant} ${item.seal} ${item.head}`));
    return manifest.heads.filter((item) => !there.has(`${item.tenant} ${item.seal} ${item.head}`)).map((item) => `tenant ${item.tenant}, seal ${item.seal}`);
  } finally {
    await client.end();
  }
}
