import { CompiledQuery, Kysely, PostgresDialect, sql, type QueryResult, type RawBuilder, type Transaction } from 'kysely';
import pg from 'pg';
import { NO_VAULT, makeVault, type Vault } from './vault.ts';

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
  /** Seals what a copy of the database alone must not tell. */
  readonly vault: Vault;
  /** One unit of work of one tenant: everything in it sees only that tenant's rows. Deadlocks are retried. */
  transaction<T>(tenantId: bigint, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** The same, always undone: what would have happened. With `snapshot` it sees one moment throughout. */
  rehearse<T>(tenantId: bigint, work: (tx: Tx) => Promise<T>, options?: { snapshot: boolean }): Promise<T>;
  close(): Promise<void>;
};

const KEPT_MAX = 400;

/**
 * Keeps a statement prepared from its second time on a connection, the least used giving way: most of what the engine sends are the same
 * few long texts, and parsing them costs more than running them over one sale. Whether a plan is kept as well is each run's choice.
 */
function keepStatements(client: pg.Client): void {
  const send = client.query.bind(client) as (...given: unknown[]) => Promise<unknown>;
  const { connection } = client as unknown as { connection: { parsedStatements: Record<string, string>; submittedNamedStatements: Record<string, string> } };
  const kept = new Map<string, string | null>();
  let names = 0;
  const nameOf = (text: string): { name?: string } => {
    const known = kept.get(text);
    kept.delete(text);
    const name = known === undefined ? null : known ?? `kept_${names += 1}`;
    kept.set(text, name);
    if (kept.size > KEPT_MAX) forget();
    return name === null ? {} : { name };
  };
  const forget = (): void => {
    const [text, name] = kept.entries().next().value as [string, string | null];
    kept.delete(text);
    if (name === null) return;
    delete connection.parsedStatements[name];
    delete connection.submittedNamedStatements[name];
    void send(`DEALLOCATE ${name}`).catch(() => {}); // refused in a failed transaction: it stays, under a name that is never used again
  };
  client.query = ((...given: unknown[]) => {
    const [text, values] = given;
    if (typeof text !== 'string' || !Array.isArray(values) || values.length === 0 || typeof given[2] === 'function') return send(...given);
    return send({ text, values, ...nameOf(text) });
  }) as typeof client.query;
}

class Undo<T> extends Error {
  readonly value: T;
  constructor(value: T) { super('rehearsal'); this.value = value; }
}

/**
 * Opens a pool whose connections act as one database role. The role's name goes into the start-up packet, so that no
 * statement ever runs as the login that opened the connection.
 */
export function openDatabase(connectionString: string, role: Role, options: { max?: number; idsAsText?: boolean; searchPath?: 'auth'; secret?: string } = {}): Database {
  const pool = new pg.Pool({
    ...(options.idsAsText ? { types: { getTypeParser: textIds } } : {}),
    connectionString, pipeline: true, max: options.max ?? 10, application_name: 'premia', options: `-c role=${role} -c search_path=${options.searchPath ?? 'pg_catalog'}`,
  });
  pool.on('error', () => {}); // an idle connection lost with its server: the next use opens another
  pool.on('connect', keepStatements);
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
    kysely, pool, vault: options.secret === undefined ? NO_VAULT : makeVault(options.secret), transaction: (tenantId, work) => transaction(tenantId, work),
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

/** Runs a compiled text with parameters, as it is, and answers how many rows it wrote. */
export async function write(tx: Kysely<Schema>, text: string, parameters: readonly unknown[] = []): Promise<number> {
  return Number((await tx.executeQuery(CompiledQuery.raw(text, [...parameters]))).numAffectedRows ?? 0n);
}

type Statement = readonly [text: string, parameters: readonly unknown[]];

/** Runs texts that do not wait for each other's answers, one after the other in one round trip. Answers how many rows each wrote. */
export async function writeAll(tx: Kysely<Schema>, statements: readonly Statement[]): Promise<number[]> {
  return (await inOneTrip(tx, statements)).map((result) => Number(result.numAffectedRows ?? 0n));
}

/** The same; answers the rows of each. */
export async function readAll<Row>(tx: Kysely<Schema>, statements: readonly Statement[]): Promise<Row[][]> {
  return (await inOneTrip(tx, statements)).map((result) => result.rows as Row[]);
}

const inOneTrip = (tx: Kysely<Schema>, statements: readonly Statement[]): Promise<QueryResult<unknown>[]> =>
  tx.getExecutor().provideConnection((connection) => Promise.all(statements.map(([text, parameters]) => connection.executeQuery(CompiledQuery.raw(text, [...parameters])))));

/** Runs a compiled text with parameters, as it is. */
export async function runText<Row>(tx: Kysely<Schema>, text: string, parameters: readonly unknown[] = []): Promise<Row[]> {
  return (await tx.executeQuery<Row>(CompiledQuery.raw(text, [...parameters]))).rows;
}

/**
 * To the end of the transaction plans do not see the tenant's or program's number: of one that came after the last figures were made the
 * planner would assume that it has no rows, and loop over all of them (2 s for a look at 1,700 staged rows beside 77,000 lines).
 */
export const planBlindly = sql<string>`set_config('plan_cache_mode', 'force_generic_plan', true)`;
