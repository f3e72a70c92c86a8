import { afterAll, beforeAll, expect, test } from 'vitest';
import { lastVerification } from '../../server/src/modules/entitlements/index.ts';
import { readWaits } from '../../server/src/modules/entitlements/read-today.ts';
import { findProgram } from '../../server/src/modules/members/index.ts';
import { makeTasks } from '../../server/src/tasks.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

test('every night each program is verified; what was found is kept, and a difference waits for somebody', async () => {
  const context = await installation.tenant();
  const world = await aWorld(context, aProgram([perHundred]));
  await world.sell({ on: '2026-03-31', net: '500.00' });
  const night = () => makeTasks(installation.db, context.now)['verify']?.({ tenant: '', program: '' });
  const found = () => context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); return { last: await lastVerification(tx, program), waits: (await readWaits(tx, context, program)).differences }; });
  expect((await found()).last).toBeUndefined();
  await night();
  expect(await found()).toMatchObject({ last: { verified_by: 'job', result: { differences: 0, counts: { facts: 1 } } }, waits: 0 });
  await installation.admin(`UPDATE ledger.lot SET remaining = remaining - 1 WHERE tenant_id = ${context.tenantId}`);
  await night();
  const { last, waits } = await found();
  expect(waits).toBeGreaterThan(0);
  expect(last?.result.faults.length).toBeGreaterThan(0);
  await installation.admin(`UPDATE ledger.lot SET remaining = remaining + 1 WHERE tenant_id = ${context.tenantId}`);
  await night();
  expect((await found()).waits).toBe(0);
});
