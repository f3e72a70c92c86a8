import { planBlindly, write, writeAll, type Tx } from './database.ts';
import { sql } from 'kysely';

/*
 * One run's working tables: session temporary tables, emptied by each commit. A run's data never travel to Node and back. They hold one
 * tenant's rows, inside one transaction; the schema is made once per connection.
 *
 * A small run (a sale, a lane's batch) keeps its plans from one run to the next, which is most of its time. So its tables have no indexes:
 * emptying one rebuilds them, and that throws away every plan that reads the table. A large run plans each step anew, by fresh figures.
 */
const TABLES = `
CREATE TEMP TABLE IF NOT EXISTS incoming (
  place bigint NOT NULL, number text NOT NULL, kind text NOT NULL, occurred_on date NOT NULL, occurred_at timestamptz, hour smallint,
  base_number text, base_line_key text, line_key text NOT NULL, content_hash text NOT NULL, product_code text, product_name text,
  quantity_milli bigint NOT NULL, net_minor bigint NOT NULL, gross_minor bigint, currency text NOT NULL, original jsonb,
  buyer text, seller text, rep text, shares jsonb, channel text, attributes jsonb,
  document_id bigint, document_new boolean, outcome text, line_id bigint, product_id bigint
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS party (reference text NOT NULL, member_id bigint) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS credit (line_id bigint PRIMARY KEY, document_id bigint NOT NULL, base_document_id bigint NOT NULL, base_line_id bigint NOT NULL, base_line_document_id bigint NOT NULL, base_on date NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS credited (line_id bigint NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS touch (member_id bigint NOT NULL, day date NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS affected (class smallint NOT NULL, member_id bigint NOT NULL, window_start date NOT NULL, low date NOT NULL, high date NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS computed (
  mechanic_id bigint NOT NULL, version_id bigint NOT NULL, member_id bigint NOT NULL, window_start date NOT NULL, subject_id bigint NOT NULL, window_end date NOT NULL,
  facts bigint NOT NULL, measured_n numeric NOT NULL, measured_d numeric NOT NULL, base_n numeric, base_d numeric, why text, uncapped bigint NOT NULL,
  unit_id bigint NOT NULL, gate text NOT NULL, available_on date NOT NULL, expires_on date NOT NULL
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS computed_partial (
  mechanic_id bigint NOT NULL, version_id bigint NOT NULL, member_id bigint NOT NULL, window_start date NOT NULL, pool text NOT NULL, window_end date NOT NULL,
  facts bigint NOT NULL, measured_n numeric NOT NULL, measured_d numeric NOT NULL, base_n numeric, base_d numeric, passed boolean NOT NULL
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS change (
  mechanic_id bigint NOT NULL, member_id bigint NOT NULL, window_start date NOT NULL, subject_id bigint NOT NULL, gone boolean NOT NULL, version_id bigint, window_end date,
  facts bigint, measured_n numeric, measured_d numeric, base_n numeric, base_d numeric, why text, uncapped bigint NOT NULL, old_uncapped bigint NOT NULL, old_amount bigint NOT NULL,
  unit_id bigint NOT NULL, gate text NOT NULL, available_on date NOT NULL, expires_on date NOT NULL,
  old_unit_id bigint, old_gate text, old_available_on date, old_expires_on date, late boolean NOT NULL DEFAULT false
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS difference (
  member_id bigint NOT NULL, unit_id bigint NOT NULL, mechanic_id bigint NOT NULL, window_start date NOT NULL, subject_id bigint NOT NULL, delta bigint NOT NULL,
  gate text NOT NULL, available_on date NOT NULL, expires_on date NOT NULL
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS lot_take (member_id bigint NOT NULL, unit_id bigint NOT NULL, lot_id bigint, from_remaining bigint NOT NULL, from_expired bigint NOT NULL, need bigint NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS wallet_move (member_id bigint NOT NULL, unit_id bigint NOT NULL, delta bigint NOT NULL, revived bigint NOT NULL, debt_old bigint NOT NULL, debt_new bigint NOT NULL) ON COMMIT DELETE ROWS`;

const NAMES = [...TABLES.matchAll(/TABLE IF NOT EXISTS (\w+)/g)].map((found) => `pg_temp.${found[1]}`);
/** Text and numeric columns of tables whose rows are short: without a TOAST table, emptying is cheaper. */
const PLAIN: Record<string, readonly string[]> = {
  party: ['reference'], affected: [], computed: ['measured_n', 'measured_d', 'base_n', 'base_d', 'why', 'gate'], computed_partial: ['measured_n', 'measured_d', 'base_n', 'base_d', 'pool'],
  change: ['measured_n', 'measured_d', 'base_n', 'base_d', 'why', 'gate', 'old_gate'], difference: ['gate'],
};
const LARGE_INDEXES = `CREATE INDEX IF NOT EXISTS incoming_place ON pg_temp.incoming (place); CREATE INDEX IF NOT EXISTS affected_key ON pg_temp.affected (member_id, window_start, class); CREATE INDEX IF NOT EXISTS party_key ON pg_temp.party (reference)`;

/**
 * Makes the run's tables if this connection has none yet. They are analyzed while they are empty: the planner then goes by the pages they
 * fill, instead of the 2,040 rows it assumes of a table it knows nothing about. `small`: a run of few documents.
 */
export async function openRun(tx: Tx, given: { small: boolean }): Promise<void> {
  const gear = sql`set_config('client_min_messages', 'error', true), ${planBlindly}, set_config('random_page_cost', ${given.small ? '1.1' : '2'}, true)`;
  const [found] = (await sql<{ made: boolean; indexed: boolean }>`SELECT ${gear}, to_regclass('pg_temp.wallet_move') IS NOT NULL AS made, to_regclass('pg_temp.affected_key') IS NOT NULL AS indexed`.execute(tx)).rows;
  if (!found?.made) {
    const plain = Object.entries(PLAIN).flatMap(([table, columns]) => columns.map((column) => `ALTER TABLE pg_temp.${table} ALTER COLUMN ${column} SET STORAGE PLAIN`));
    await sql.raw(`${[TABLES, ...plain].join('; ')}; ANALYZE ${NAMES.join(', ')}`).execute(tx);
  }
  if (given.small && found?.indexed) await sql.raw('DROP INDEX pg_temp.incoming_place, pg_temp.affected_key, pg_temp.party_key').execute(tx);
  if (!given.small && !found?.indexed) await sql.raw(LARGE_INDEXES).execute(tx);
}

/** Empties the named run tables, for a second pass inside one transaction. */
export async function emptyRun(tx: Tx, ...tables: string[]): Promise<void> {
  await sql.raw(tables.map((table) => `DELETE FROM pg_temp.${table}`).join('; ')).execute(tx);
}

/** A statement of a run. `fills`: the run table that grows by it. */
export type Step = { text: string; parameters: readonly unknown[]; fills?: string };

/** Runs the steps in order: those of a small run in one round trip; after those of others the planner learns what they filled. */
export async function runSteps(tx: Tx, small: boolean, steps: readonly Step[]): Promise<void> {
  if (small) { await writeAll(tx, steps.map((step) => [step.text, step.parameters])); return; }
  for (const { text, parameters, fills } of steps) {
    const written = await write(tx, text, parameters);
    if (fills) await countIn(tx, fills, written);
  }
}

const MANY = 2_000;

/** Figures for the planner about a run table that has become large: without them joins over it are planned as nested loops (15 s a month of the demo instead of 1). */
export async function countIn(tx: Tx, table: string, rows: number): Promise<void> {
  if (rows > MANY) await sql.raw(`ANALYZE pg_temp.${table}`).execute(tx);
}

/** The same for a table that several steps filled. */
export async function countRun(tx: Tx, table: string): Promise<void> {
  const [found] = (await sql<{ rows: number }>`SELECT count(*)::int AS rows FROM ${sql.raw(`pg_temp.${table}`)}`.execute(tx)).rows;
  await countIn(tx, table, found?.rows ?? 0);
}
