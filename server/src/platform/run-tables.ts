import type { Tx } from './database.ts';
import { sql } from 'kysely';

/*
 * One run's working tables: session temporary tables, emptied by each commit. A run's data never travel to Node and back.
 * They hold one tenant's rows, inside one transaction; the schema is made once per connection.
 */
const TABLES = `
CREATE TEMP TABLE IF NOT EXISTS incoming (
  place bigint NOT NULL, number text NOT NULL, kind text NOT NULL, occurred_on date NOT NULL, occurred_at timestamptz, hour smallint,
  base_number text, base_line_key text, line_key text NOT NULL, content_hash text NOT NULL, product_code text, product_name text,
  quantity_milli bigint NOT NULL, net_minor bigint NOT NULL, gross_minor bigint, currency text NOT NULL, original jsonb,
  buyer text, seller text, rep text, shares jsonb, channel text, attributes jsonb,
  document_id bigint, document_new boolean, outcome text, line_id bigint, product_id bigint
) ON COMMIT DELETE ROWS;
CREATE INDEX IF NOT EXISTS incoming_place ON pg_temp.incoming (place);
CREATE TEMP TABLE IF NOT EXISTS party (reference text PRIMARY KEY, member_id bigint) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS credit (line_id bigint PRIMARY KEY, document_id bigint NOT NULL, base_document_id bigint NOT NULL, base_line_id bigint NOT NULL, base_line_document_id bigint NOT NULL, base_on date NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS credited (line_id bigint NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS touch (member_id bigint NOT NULL, day date NOT NULL) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS affected (class smallint NOT NULL, member_id bigint NOT NULL, window_start date NOT NULL, low date NOT NULL, high date NOT NULL) ON COMMIT DELETE ROWS;
CREATE INDEX IF NOT EXISTS affected_key ON pg_temp.affected (member_id, window_start, class);
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

/** Makes the run's tables if this connection has none yet. */
export async function openRun(tx: Tx): Promise<void> {
  await sql.raw(`SET LOCAL client_min_messages = error`).execute(tx);
  const found = await sql<{ there: boolean }>`SELECT to_regclass('pg_temp.wallet_move') IS NOT NULL AS there`.execute(tx);
  if (!found.rows[0]?.there) await sql.raw(TABLES).execute(tx);
}

/** Empties the named run tables, for a second pass inside one transaction. */
export async function emptyRun(tx: Tx, ...tables: string[]): Promise<void> {
  await sql.raw(tables.map((table) => `DELETE FROM pg_temp.${table}`).join('; ')).execute(tx);
}

const MANY = 300;

/** Figures for the planner about a run table that has become large: without them joins over it are planned as nested loops (15 s a month of the demo instead of 1). */
export async function countIn(tx: Tx, table: string): Promise<void> {
  const found = await sql<{ many: boolean }>`SELECT count(*) > ${MANY} AS many FROM (SELECT 1 FROM ${sql.raw(`pg_temp.${table}`)} LIMIT ${MANY + 1}) AS found`.execute(tx);
  if (found.rows[0]?.many) await sql.raw(`ANALYZE pg_temp.${table}`).execute(tx);
}
