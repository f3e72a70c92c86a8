import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { approveImport } from '../../server/src/modules/entitlements/index.ts';
import { stageImport } from '../../server/src/modules/facts/index.ts';
import { onceByKey } from '../../server/src/platform/idempotency.ts';
import { listFailedJobs, startJobs, type Tasks } from '../../server/src/platform/jobs.ts';
import { deliverOutbox, publishEvent } from '../../server/src/platform/outbox.ts';
import { makeTasks, takeUp } from '../../server/src/tasks.ts';
import { resumeImports } from '../../server/src/modules/entitlements/index.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const until = async (found: () => Promise<boolean>): Promise<void> => { for (let tries = 0; !(await found()); tries += 1) { if (tries > 200) throw new Error('it did not happen'); await new Promise((done) => setTimeout(done, 50)); } };
const MAPPING = { document: 'invoice', date: 'date', net: 'net', buyer: 'buyer', buyer_by: 'code' as const, seller_by: 'code' as const, rep_by: 'code' as const, attributes: {} };
async function anApprovedImport(): Promise<{ world: Awaited<ReturnType<typeof aWorld>>; importId: bigint }> {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  const path = join(mkdtempSync(join(tmpdir(), 'premia-jobs-')), 'f.csv');
  writeFileSync(path, 'invoice;date;net;buyer\nF1;2026-03-01;100,00;shop\n');
  const { importId } = await stageImport(world.context, installation.url, { program: 'p', source: 'erp', parts: [{ path, name: 'f.csv' }], mapping: MAPPING });
  await approveImport(world.context, { program: 'p', importId });
  return { world, importId };
}

test('an import whose approver died is recorded by a job of its own, once, and its event is heard', async () => {
  const { world } = await anApprovedImport();
  expect(await world.total()).toBe(0n);
  await installation.admin(`UPDATE graphile_worker._private_jobs SET run_at = now()`);
  const jobs = await startJobs(installation.url, makeTasks(installation.db, world.context.now), () => undefined);
  try { await until(async () => (await world.total()) === 5n); } finally { await jobs.stop(); }
  const events: string[] = [];
  await deliverOutbox(world.context, async (event) => { events.push(event.type); });
  expect(events).toContain('import.recorded');
  await world.verified();
});

test('what a crash left undone, of every tenant, is taken up at start', async () => {
  const [one, two] = [await anApprovedImport(), await anApprovedImport()];
  await takeUp(installation.db, resumeImports);
  expect([await one.world.total(), await two.world.total()]).toEqual([5n, 5n]);
});

test('an event is handed over at least once: after a failure again, after success never; a rolled-back sale tells nobody', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-03-31', net: '100.00' }, { on: '2026-03-31', net: '100.00' });
  await world.context.rehearse(async (tx) => { await publishEvent(tx, world.context, { type: 'never', programId: 1n, payload: {} }); });
  const heard: string[] = [];
  await expect(deliverOutbox(world.context, async () => { throw new Error('receiver down'); })).rejects.toThrow('receiver down');
  expect(await deliverOutbox(world.context, async (event) => { heard.push(`${event.type} ${String(event.payload['documents'])}`); })).toBe(1);
  expect(await deliverOutbox(world.context, async (event) => { heard.push(event.type); })).toBe(0);
  expect(heard).toEqual(['sales.recorded 2']);
});

test('a job that fails is tried again; stopping waits for what has begun', async () => {
  let tries = 0;
  const errors: unknown[] = [];
  const tasks: Tasks = { ...makeTasks(installation.db), record_import: async () => { tries += 1; if (tries === 1) throw new Error('once'); await new Promise((done) => setTimeout(done, 300)); tries = 10; } };
  await anApprovedImport();
  await installation.admin(`UPDATE graphile_worker._private_jobs SET run_at = now()`);
  const jobs = await startJobs(installation.url, tasks, (_, error) => { errors.push(error); void installation.admin(`UPDATE graphile_worker._private_jobs SET run_at = now()`); });
  await until(async () => { await installation.admin(`UPDATE graphile_worker._private_jobs SET run_at = now() WHERE attempts > 0 AND locked_at IS NULL`); return tries >= 2; });
  await jobs.stop();
  expect([tries, errors.length]).toEqual([10, 1]);
});

test('idempotency keys are kept 30 days, then purged; what they protected still knows', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  let calls = 0;
  const call = () => onceByKey(world.context, { route: 'POST /x', key: 'k', body: '{}' }, async () => { calls += 1; return { status: 200, body: { calls } }; });
  expect([(await call()).hit, (await call()).hit]).toEqual([false, true]);
  await makeTasks(installation.db, () => world.context.now() + 29 * 86_400_000)['purge']?.({ tenant: '', program: '' });
  expect((await call()).hit).toBe(true);
  await makeTasks(installation.db, () => world.context.now() + 31 * 86_400_000)['purge']?.({ tenant: '', program: '' });
  expect([(await call()).hit, calls]).toEqual([false, 2]);
});

test('what failed is shown to whose it is, with its reason and next try, and nobody else', async () => {
  const [one, two] = [await anApprovedImport(), await anApprovedImport()];
  const failing: Tasks = { ...makeTasks(installation.db), record_import: async (payload) => { if (payload.tenant === String(one.world.context.tenantId)) throw new Error('the disk is full\nand more'); } };
  await installation.admin(`UPDATE graphile_worker._private_jobs SET run_at = now()`);
  const jobs = await startJobs(installation.url, failing, () => undefined);
  const failedOf = (world: typeof one.world) => world.context.transaction(listFailedJobs);
  try { await until(async () => (await failedOf(one.world)).length > 0); } finally { await jobs.stop(); }
  expect(await failedOf(one.world)).toMatchObject([{ task: 'record_import', program: 'p', tries: 1, error: 'the disk is full' }]);
  expect((await failedOf(one.world))[0]?.next_try?.getTime()).toBeGreaterThan(0);
  expect(await failedOf(two.world)).toEqual([]);
  // A job that goes through all tenants is shown to each, without words that may be about another.
  await installation.admin(`SELECT graphile_worker.add_job('seal')`);
  await installation.admin(`UPDATE graphile_worker._private_jobs SET attempts = 1, last_error = 'member secret-of-one is odd' WHERE task_id = (SELECT id FROM graphile_worker._private_tasks WHERE identifier = 'seal')`);
  expect(await failedOf(two.world)).toMatchObject([{ task: 'seal', program: null, error: '' }]);
  await installation.admin(`DELETE FROM graphile_worker._private_jobs WHERE last_error LIKE 'member%'`);
});
