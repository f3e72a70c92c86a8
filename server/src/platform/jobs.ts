import { Logger, run, runMigrations, type Runner, type TaskList } from 'graphile-worker';
import { sql } from 'kysely';
import { openDatabase, rows, type Database, type Tx } from './database.ts';

/*
 * Jobs live in the database: added inside the transaction that needs them, taken by whichever process is free, tried again when they
 * fail. A job may run twice; every task here is harmless twice. Pooled windows need no job of their own: the mark of a stale window is
 * written with the facts, and a job row that every sale replaced would be a row that every sale waits for.
 */
export type JobPayload = { tenant: string; program: string; [more: string]: string };
export type Tasks = Record<string, (payload: JobPayload) => Promise<unknown>>;

const CONCURRENCY = 2;
// UTC. By date nothing waits for these: lots expire and become available by themselves; a job only shows it in the books.
const CRONTAB = ['* * * * * settle_pools', '* * * * * deliver_outbox', '* * * * * send_payouts', '*/10 * * * * seal', '17 2 * * * expire_lots', '37 2 * * * refresh_segments', '7 3 * * * purge', '47 3 * * * verify'].join('\n');

/** The worker's own tables, made by the owner. */
export async function migrateJobs(databaseUrl: string): Promise<void> {
  const database = openDatabase(databaseUrl, 'premia_owner', { max: 1 });
  try { await runMigrations({ pgPool: database.pool, logger: new Logger(() => () => undefined) }); } finally { await database.close(); }
}

/** Adds a job to this transaction: it runs if the transaction commits. One key is one waiting job. */
export async function addJob(tx: Tx, task: string, payload: JobPayload, key: string, afterSeconds = 0): Promise<void> {
  await sql`SELECT platform.add_job(${task}, ${JSON.stringify(payload)}::json, ${key}, ${afterSeconds})`.execute(tx);
}

export type FailedJob = { job_id: bigint; task: string; program: string | null; tries: number; tries_max: number; next_try: Date | null; error: string };

/** Jobs of the tenant, and those of no tenant (`error` empty: it may speak of others), that failed: waiting for their next try, or given up (`next_try` null). */
export const listFailedJobs = (tx: Tx): Promise<FailedJob[]> => rows<FailedJob>(tx, sql`SELECT * FROM platform.failed_jobs()`);

/** Runs jobs in this process until stopped. Stopping waits for those that have begun. */
export async function startJobs(databaseUrl: string, tasks: Tasks, onError: (task: string, error: unknown) => void): Promise<{ stop(): Promise<void> }> {
  const database: Database = openDatabase(databaseUrl, 'premia_owner', { max: CONCURRENCY + 2, idsAsText: true });
  const taskList: TaskList = Object.fromEntries(Object.entries(tasks).map(([name, work]) => [name, async (payload: unknown) => {
    try { await work(payload as JobPayload); } catch (error) { onError(name, error); throw error; }
  }]));
  const runner: Runner = await run({ pgPool: database.pool, taskList, crontab: CRONTAB, concurrency: CONCURRENCY, noHandleSignals: true, pollInterval: 10_000, logger: new Logger(() => () => undefined) });
  return { stop: async () => { await runner.stop().catch(() => undefined); await database.close(); } };
}
