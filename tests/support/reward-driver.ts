import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { makeContext, type Context } from '../../server/src/platform/context.ts';
import { openDatabase } from '../../server/src/platform/database.ts';
import { createTenant } from '../../server/src/modules/identity/index.ts';
import { approveBatch, approveItems, confirmBatch, exportBatch, placeOrder, proposeBatch, sendPayouts, type Outcome, type Payout } from '../../server/src/modules/rewards/index.ts';
import { findProgram } from '../../server/src/modules/members/index.ts';
import { crashPoint } from '../../server/src/platform/crash-point.ts';
import { revealCode } from '../../server/src/modules/rewards/vouchers.ts';
import { aReward, aShop } from './reward-world.ts';

/*
 * A day of orders and payouts that, told to die somewhere in it, begins again from the top and goes on from what it finds – as people
 * do who see on their screens what is still to be done. Arguments: database, folder. What the provider did is kept in a file of its own.
 */
const [url = '', folder = ''] = process.argv.slice(2);
const db = openDatabase(url, 'premia_app', { max: 4, secret: 'a secret for tests' });
const started = existsSync(join(folder, 'tries')) ? Number(readFileSync(join(folder, 'tries'), 'utf8')) : 0;
writeFileSync(join(folder, 'tries'), String(started + 1));
const clock = { at: `2026-06-15T1${started}:00:00Z` };
const context = Object.assign(makeContext({ db, tenantId: await createTenant(db, 'crash', 'Crash', clock.at), principal: 'driver', now: () => Date.parse(clock.at) }), { clock });
const as = (principal: string): Context => ({ ...context, principal });

const ready = join(folder, 'ready');
if (!existsSync(ready)) {
  const shop = await aShop(context, {}, { approval: { kinds: ['prepaid'], from_minor: 500_000, new_account_days: 0 } });
  await shop.offer(aReward('bon', { kind: 'voucher', price: '50', worth: '50.00' }), aReward('card', { kind: 'prepaid', price: '10', worth: '1.00', least: '1.00', most: '900.00' }), aReward('cash', { kind: 'transfer', price: '10', worth: '1.00', least: '1.00', most: '900.00', provider: 'simulated' }));
  await shop.codes('bon', 1);
  await shop.earn('ala', 2_000);
  await shop.ready('ala');
  writeFileSync(ready, '');
}
const order = (reference: string, reward: string, amount: bigint | null): ReturnType<typeof placeOrder> => placeOrder(as('person:ala'), { program: 'p', member: 'ala', reference, lines: [{ reward, quantity: 1, amount }], address: null });
const stateOf = async (item: bigint): Promise<string> => (await context.transaction(async (tx) => (await sql<{ state: string }>`SELECT state FROM rewards.item WHERE item_id = ${item}`.execute(tx)).rows))[0]?.state ?? '';

const [voucher, card] = [(await order('1', 'bon', null)).items[0], (await order('2', 'card', 2_000n)).items[0]];
await order('3', 'cash', 3_000n);
if (!voucher || !card) throw new Error('no items');
const seen = await context.transaction(async (tx) => { const { code } = await revealCode(tx, as('person:ala'), await findProgram(tx, 'p'), voucher.itemId); crashPoint('reveal-before-commit'); return code; });
crashPoint('reveal-after-commit');
writeFileSync(join(folder, 'seen'), seen);
if ((await stateOf(card.itemId)) === 'requested') await approveItems(as('adam'), 'p', [card.itemId]);
if ((await stateOf(card.itemId)) === 'approved') await proposeBatch(as('olga'), 'p', { rail: 'prepaid', format: 'topup', executeOn: '2026-06-16' });
const batches = await context.transaction(async (tx) => (await sql<{ batch_id: bigint; state: string }>`SELECT batch_id, state FROM rewards.batch ORDER BY batch_id`.execute(tx)).rows);
for (const { batch_id: batch, state } of batches) {
  if (state === 'proposed') await approveBatch(as('adam'), 'p', batch);
  if (state === 'proposed' || state === 'approved') await exportBatch(as('wiktor'), 'p', batch);
  await confirmBatch(as('olga'), 'p', batch, { rest: 'loaded' });
}
const paidFile = join(folder, 'paid');
const paid = (): string[] => (existsSync(paidFile) ? readFileSync(paidFile, 'utf8').split('\n').filter((line) => line !== '') : []);
const known = (id: string): Outcome => (paid().includes(id) ? { is: 'done', reference: id } : { is: 'unknown' });
await sendPayouts(as('job'), 'p', { send: async ({ externalId }: Payout) => { writeFileSync(paidFile, `${externalId}\n`, { flag: 'a' }); return known(externalId); }, ask: async (id: string) => known(id) });
await db.close();
