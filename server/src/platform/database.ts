import { CompiledQuery, Kysely, PostgresDialect, sql, type RawBuilder, type Transaction } from 'kysely';
import pg from 'pg';

/** Tables are named only in the modules' `queries.ts`, each statement with its own row type. */
export type Schema = Record<string, never>;
export type Tx = Transaction<Schema>;
export type Role = 'premia_app' | 'premia_load' | 'premia_owner';

// Money, quantities and ids are bigint from the database to the screen; dates stay text, since a Date has a time zone.
pg.types.setTypeParser(pg.types.builtins.INT8, BigInt);
pg.types.setTypeParser(pg.types.builtins.DATE, (text: string) => text);
pg.types.setTypeParser(pg.types.builtins.NUMERIC, (text: string) => text);
pg.types.setTypeParser(1_016 as never, (text: string) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(BigInt)) as never);

/** For libraries that write their ids into JSON, which has no bigint. */
const textIds = ((oid: number, format?: 'text') => (oid === pg.types.builtins.INT8 ? String : pg.types.getTypeParser(oid, format))) as typeof pg.types.getTypeParser;

type Isolation = 'read committed' | 'repeatable read';
const RETRY_MAX = 8;
const RETRYABLE = new Set(['40001', '40P01']);

export type Database = {
  readonly kysely: Kysely<Schema>;
  readonly pool: pg.Pool;
  /** One unit of work of one tenant: everything in it sees only that tenant's rows. Deadlocks are retried. */
  transaction<T>(tenantId: bigint, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** The same, always undone: what would have happened. With `snapshot` it sees one moment throughout. */
  rehearse<T>(tenantId: bigint, work: (tx: Tx) => Promise<T>, options?: { snapshot: boolean }): Promise<T>;
  close(): Promise<void>;
};

class Undo<T> extends Error {
  readonly value: T;
  constructor(value: T) { super('rehearsal'); this.value = value; }
}

/**
 * Opens a pool whose connections act as one database role. The role's name goes into the start-up packet, so that no
 * statement ever runs as the login that opened the connection.
 */
export function openDatabase(connectionString: string, role: Role, options: { max?: number; idsAsText?: boolean } = {}): Database {
  const pool = new pg.Pool({
    ...(options.idsAsText ? { types: { getTypeParser: textIds } } : {}),
    connectionString, max: options.max ?? 10, application_name: 'premia', options: `-c role=${role} -c search_path=pg_catalog -c plan_cache_mode=force_custom_plan`,
  });
  pool.on('error', () => {}); // an idle connection lost with its server: the next use opens another
  pool.on('connect', (client) => { client.on('error', () => {}); }); // one lost while in use says so to whoever uses it
  const kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  const once = <T>(tenantId: bigint, work: (tx: Tx) => Promise<T>, isolation: Isolation): Promise<T> => kysely.transaction().setIsolationLevel(isolation).execute(async (tx) => {
    await sql`SELECT set_config('app.tenant', ${String(tenantId)}, true)`.execute(tx);
    return work(tx);
  });
  const transaction = async <T>(tenantId: bigint, work: (tx: Tx) => Promise<T>, isolation: Isolation = 'read committed'): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await once(tenantId, work, isolation);
      } catch (error) {
        if (tries >= RETRY_MAX || !RETRYABLE.has((error as { code?: string }).code ?? '')) throw error;
        await new Promise((done) => setTimeout(done, 5 * 2 ** tries));
      }
    }
  };
  return {
    kysely, pool, transaction: (tenantId, work) => transaction(tenantId, work),
    rehearse: async <T>(tenantId: bigint, work: (tx: Tx) => Promise<T>, given?: { snapshot: boolean }): Promise<T> => {
      try {
        return await transaction<T>(tenantId, async (tx) => { throw new Undo(await work(tx)); }, given?.snapshot ? 'repeatable read' : 'read committed');
      } catch (error) {
        if (error instanceof Undo) return error.value as T;
        throw error;
      }
    },
    close: async () => {
      await kysely.destroy();
      if (!pool.ended) await pool.end(); // Kysely leaves a pool alone that it never used
    },
  };
}

/** Runs a statement and answers its rows. */
export async function rows<Row>(tx: Kysely<Schema>, statement: RawBuilder<unknown>): Promise<Row[]> {
  return (await statement.execute(tx)).rows as Row[];
}

/** The first row, or undefined. */
export async function row<Row>(tx: Kysely<Schema>, statement: RawBuilder<unknown>): Promise<Row | undefined> {
  return (await rows<Row>(tx, statement))[0];
}

/** Runs a compiled text with parameters, as it is. */
export async function runText<Row>(tx: Kysely<Schema>, text: string, parameters: readonly unknown[] = []): Promise<Row[]> {
  return (await tx.executeQuery<Row>(CompiledQuery.raw(text, [...parameters]))).rows;
}
