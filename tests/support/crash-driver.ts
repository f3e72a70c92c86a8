import { existsSync, appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeApp } from '../../server/src/make-app.ts';
import { openDatabase } from '../../server/src/platform/database.ts';
import { makeContext } from '../../server/src/platform/context.ts';
import { deliverOutbox } from '../../server/src/platform/outbox.ts';
import { PERMISSIONS, createApiKey, createTenant } from '../../server/src/modules/identity/index.ts';
import { resumeImports, sealTail } from '../../server/src/modules/entitlements/index.ts';
import { takeUp } from '../../server/src/tasks.ts';
import { aProgram, perHundred } from './world.ts';

/*
 * A client that does a fixed day's work through the API and, told to die somewhere in it, begins again from the top with the same keys:
 * what a careful integrator does who was not told how the last call ended. Arguments: database, folder.
 */
const [url = '', folder = ''] = process.argv.slice(2);
const db = openDatabase(url, 'premia_app', { max: 4, secret: 'a secret for tests' });
const now = (): number => Date.parse('2026-06-15T10:00:00Z');
const context = makeContext({ db, tenantId: await createTenant(db, 'crash', 'Crash', '2026-06-15T10:00:00Z'), principal: 'driver', now });
const keyFile = join(folder, 'key');
if (!existsSync(keyFile)) writeFileSync(keyFile, (await createApiKey(context, { name: 'driver', permissions: PERMISSIONS })).secret);
await takeUp(db, resumeImports);
const app = await makeApp({ db, url, uploads: join(folder, 'uploads'), now });

async function call(key: string, path: string, payload: unknown, file = false): Promise<Record<string, string>> {
  for (;;) {
    const answer = await app.inject({ method: 'POST', url: `/v1/programs${path}`, headers: { authorization: `Bearer ${readFileSync(keyFile, 'utf8')}`, 'idempotency-key': key, 'content-type': file ? 'text/csv' : 'application/json' }, payload: payload as string });
    // The first try died in the middle: its key is free again after a while; a new key finds what the old one did.
    if (answer.statusCode === 409 && answer.json<{ code: string }>().code === 'idempotency_in_progress') return call(`${key}+`, path, payload, file);
    if (answer.statusCode !== 200 && !['period_closed_already', 'recalculation_not_open', 'import_not_staged'].includes(answer.json<{ code: string }>().code)) throw new Error(`${path}: ${answer.body}`);
    return answer.json();
  }
}

const month = { ...perHundred, key: 'month', window: 'month' as const, curve: { is: 'steps' as const, steps: [{ reach: 1_000, units: 40 }] } };
const sale = (number: string, net: string, more = {}) => ({ number, occurred_on: '2026-03-31', buyer: 'shop', lines: [{ line: '1', net }], ...more });
await call('program', '/apply', aProgram([perHundred, month]));
await call('sales', '/p/sales', { source: 'erp', documents: [sale('A', '900.00'), sale('B', '300.00', { buyer: 'friend' }), sale('K', '-100.00', { base: 'A', kind: 'correction', occurred_on: '2026-04-09' })] });
const { import: imported } = await call('file', '/p/imports?source=erp&name=f.csv', `invoice;date;net;buyer\n${Array.from({ length: 60 }, (_, n) => `F${n};2026-04-${10 + (n % 9)};${n + 50},00;m${n % 7}`).join('\n')}\n`, true);
await call('approve', `/p/imports/${imported}/approve`, {});
const { hold } = await call('hold', '/p/members/shop/holds', { unit: 'points', amount: '10', reference: 'order-1' });
await call('capture', `/p/members/shop/holds/${hold}/capture`, {});
await call('more', '/p/sales', { source: 'erp', documents: [sale('C', '500.00')] });
const { recalculation } = await call('propose', '/p/recalculations', { reason: 'six, not five', file: aProgram([{ ...perHundred, curve: { is: 'per', units: 6, every: 100 } }, month]) });
await call('recalculate', `/p/recalculations/${recalculation}/approve`, {});
await call('close', '/p/closes', { from: '2026-03-01', to: '2026-03-31' });
await deliverOutbox(context, async (event) => { appendFileSync(join(folder, 'heard'), `${event.eventId}\n`); });
// A transaction anywhere in the cluster – another test's, too – holds the sealing back: whoever is to die of it waits until there is something to seal.
const patience = process.env['CRASH_AT'] === 'seal-before-commit' ? 3_000 : 1;
for (let tries = 0; (await sealTail(context)).seals === 0 && tries < patience; tries += 1) await new Promise((resolve) => { setTimeout(resolve, 100); });
await app.close();
await db.close();
