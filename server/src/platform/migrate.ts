import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql, type Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import pg from 'pg';
import { openDatabase, type Schema } from './database.ts';
import { migrateJobs } from './jobs.ts';

export const MIGRATIONS = join(import.meta.dirname, '..', '..', 'migrations');

/** The migrations as Kysely wants them, made of `NNNN_name.sql` files. They only ever go forward. */
function provider(folder: string): { getMigrations(): Promise<Record<string, Migration>> } {
  const files = readdirSync(folder).filter((name) => name.endsWith('.sql')).sort();
  return {
    getMigrations: async () => Object.fromEntries(files.map((name) => [name.replace(/\.sql$/, ''), {
      up: async (db: Kysely<unknown>) => { await sql.raw(readFileSync(join(folder, name), 'utf8')).execute(db); },
    }])),
  };
}

/** The three roles, and a database that the owner role owns. Needs a login that may create roles and databases. */
export async function prepareDatabase(adminUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await createRoles(client);
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (!rowCount) await client.query(`CREATE DATABASE "${name}" OWNER premia_owner`);
  } finally {
    await client.end();
  }
}

async function createRoles(client: pg.Client): Promise<void> {
  for (const role of ['premia_owner', 'premia_app', 'premia_load']) {
    await client.query(`DO $$ BEGIN CREATE ROLE ${role} NOLOGIN NOSUPERUSER NOBYPASSRLS; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`);
    await client.query(`GRANT ${role} TO CURRENT_USER`);
  }
  await client.query('GRANT premia_load TO premia_owner');
}

/** Roles for a database that is there already (DATABASE_URL): the login must be able to create roles, or find them made. */
export async function prepareExisting(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await createRoles(client);
    await client.query('DO $$ BEGIN EXECUTE format(\'GRANT CREATE, TEMP ON DATABASE %I TO premia_owner\', current_database()); END $$');
  } finally {
    await client.end();
  }
}

/** Brings the database to the newest version. Answers the names of what was applied. */
export async function migrate(databaseUrl: string, folder = MIGRATIONS): Promise<string[]> {
  const database = openDatabase(databaseUrl, 'premia_owner', { max: 2 });
  try {
    await sql`CREATE SCHEMA IF NOT EXISTS migration`.execute(database.kysely);
    const migrator = new Migrator({ db: database.kysely as Kysely<unknown> as Kysely<Schema>, provider: provider(folder), migrationTableSchema: 'migration' });
    const { error, results } = await migrator.migrateToLatest();
    if (error) throw error;
    await migrateJobs(databaseUrl);
    return (results ?? []).filter((result) => result.status === 'Success').map((result) => result.migrationName);
  } finally {
    await database.close();
  }
}

/** Durability is never traded: a database that may lose what it confirmed is refused. */
export async function assertDurable(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (const [setting, wrong] of [['fsync', 'off'], ['full_page_writes', 'off'], ['synchronous_commit', 'off']] as const) {
      const { rows } = await client.query<{ value: string }>('SELECT current_setting($1) AS value', [setting]);
      if (rows[0]?.value === wrong) throw new Error(`PostgreSQL runs with ${setting} = off and may lose confirmed postings. Switch it on.`);
    }
  } finally {
    await client.end();
  }
}
