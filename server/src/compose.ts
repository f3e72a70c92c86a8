import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './platform/embedded-postgres.ts';
import { assertDurable, migrate, prepareDatabase, prepareExisting } from './platform/migrate.ts';
import { openDatabase, type Database } from './platform/database.ts';

export type Installation = { db: Database; url: string; dataDir: string; close(): Promise<void> };

/**
 * Opens the installation: the database of DATABASE_URL, or our own PostgreSQL in the data folder, migrated to this version. `own`
 * says whether closing stops the embedded database; the command line leaves a running server's alone.
 */
export async function openInstallation(options: { own: boolean; say: (text: string) => void; dataDir?: string }): Promise<Installation> {
  const dataDir = resolve(options.dataDir ?? process.env['DATA_DIR'] ?? join(import.meta.dirname, '..', '..', 'data'));
  mkdirSync(dataDir, { recursive: true });
  const given = process.env['DATABASE_URL'];
  const { url, postgres } = given === undefined ? await openEmbedded(dataDir, options) : { url: await openGiven(given), postgres: null };
  const applied = await migrate(url);
  if (applied.length > 0) options.say(`Database brought up to date: ${applied.length} migration${applied.length === 1 ? '' : 's'}.`);
  await assertDurable(url);
  const db = openDatabase(url, 'premia_app', { max: 20, secret: findOrMakeSecret(join(dataDir, 'data-secret'), 'DATA_SECRET') });
  return { db, url, dataDir, close: async () => { await db.close(); await postgres?.stop(); } };
}

/** A secret of the environment, or made once and kept in the data folder, readable by its owner only. */
export function findOrMakeSecret(file: string, name: string): string {
  const given = process.env[name];
  if (given !== undefined) return given;
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

async function openGiven(url: string): Promise<string> {
  await prepareExisting(url);
  return url;
}

async function openEmbedded(dataDir: string, options: { own: boolean; say: (text: string) => void }): Promise<{ url: string; postgres: EmbeddedPostgres }> {
  const postgres = await startEmbeddedPostgres(dataDir, options);
  await prepareDatabase(postgres.superuserUrl, 'premia');
  const url = new URL(postgres.superuserUrl);
  url.pathname = '/premia';
  return { url: url.toString(), postgres };
}
