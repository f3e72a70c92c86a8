import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { approveRecalculation, proposeChange, recordConflictDecision, recordInput, recordSales, recordWaitGivenUp } from '../../server/src/modules/entitlements/index.ts';
import { REASONS, draftsOf, proposeMapping, findSource, listConflicts, listProducts, listWaiting, ratesFor, saveRates, type SaleDocument } from '../../server/src/modules/facts/index.ts';
import { findProgram } from '../../server/src/modules/members/index.ts';
import { makeContext } from '../../server/src/platform/context.ts';
import { csvRow } from '../../server/src/platform/csv.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred, type World } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const conflicts = (world: World, state = 'open') => world.context.transaction(async (tx) => listConflicts(tx, await findProgram(tx, 'p'), { state, limit: 20 }));
const decide = async (world: World, decision: 'keep' | 'accept'): Promise<void> => { for (const conflict of await conflicts(world)) await recordConflictDecision(world.context, { program: 'p', conflictId: conflict.conflictId, decision, reason: 'asked the distributor' }); };
const WHOLE = { sources: [{ key: 'erp', unknown: 'enrol', documents: 'whole' }] };

test('a document that comes again changed is kept beside the recorded one; keeping it changes nothing, and it is not asked again', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ number: 'A', on: '2026-03-02', net: '300.00', line: '1' });
  const again = { number: 'A', on: '2026-03-02', net: '500.00', line: '1' };
  expect(await world.sell(again)).toMatchObject([{ conflict: 1, recorded: 0, earned: [] }]);
  await world.sell(again); // the same change twice is one question
  expect(await conflicts(world)).toMatchObject([{ number: 'A', recorded: { lines: [{ line: '1', net_minor: 30_000n }] }, sent: { lines: [{ line: '1', net_minor: 50_000n }] } }]);
  expect(await world.total()).toBe(15n);
  await decide(world, 'keep');
  expect(await world.sell(again)).toMatchObject([{ conflict: 0, known: 1 }]);
  expect([await world.total(), (await conflicts(world)).length, (await conflicts(world, 'kept')).length]).toEqual([15n, 0, 1]);
  await world.verified();
});

test('accepted line by line: the change stands inside the same document, whoever it names, and later corrections follow', async () => {
  const basket = { ...perHundred, key: 'basket', curve: { is: 'steps' as const, steps: [{ reach: 700, units: 50 }] } };
  const world = await aWorld(await installation.tenant(), aProgram([perHundred, basket]));
  await world.sell({ number: 'A', on: '2026-03-02', net: '300.00', line: '1', product: 'x' }, { number: 'A', on: '2026-03-02', net: '200.00', line: '2', product: 'y' });
  expect(await world.total()).toBe(25n);
  await world.sell({ number: 'A', on: '2026-03-02', net: '520.00', line: '1', product: 'x' });
  await decide(world, 'accept');
  expect(await world.total()).toBe(85n); // 720: 7 × 5 + 50
  await world.verified();
  // Changed once more, from what stands now, and to another buyer.
  await world.sell({ number: 'A', on: '2026-03-02', net: '400.00', line: '1', product: 'x', buyer: 'other' });
  await decide(world, 'accept');
  expect([await world.total(), await world.total('other')]).toEqual([10n, 20n]);
  await world.sell({ number: 'K', on: '2026-03-09', net: '-100.00', base: 'A', baseLine: '2', product: 'y' });
  expect([await world.total(), await world.total('other')]).toEqual([5n, 20n]);
  await world.verified();
});

test('accepted whole: lines that are gone are taken back, new ones count', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred], WHOLE));
  await world.sell({ number: 'A', on: '2026-03-02', net: '300.00', line: '1' }, { number: 'A', on: '2026-03-02', net: '200.00', line: '2' });
  expect(await world.sell({ number: 'A', on: '2026-03-02', net: '300.00', line: '1' }, { number: 'A', on: '2026-03-02', net: '700.00', line: '3' })).toMatchObject([{ conflict: 2, recorded: 0 }]);
  expect(await world.total()).toBe(25n);
  await decide(world, 'accept');
  expect(await world.total()).toBe(50n); // 300 + 700
  await world.sell({ number: 'A', on: '2026-03-02', net: '300.00', line: '1' }); // and now only one line is left
  await decide(world, 'accept');
  expect(await world.total()).toBe(15n);
  await world.verified();
});

test('a changed date cannot be accepted as a correction; a decision is taken once', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ number: 'A', on: '2026-03-02', net: '300.00', line: '1' });
  await world.sell({ number: 'A', on: '2026-03-03', net: '300.00', line: '1' });
  await expect(decide(world, 'accept')).rejects.toMatchObject({ code: 'conflict_header' });
  const [open] = await conflicts(world);
  await decide(world, 'keep');
  await expect(recordConflictDecision(world.context, { program: 'p', conflictId: open?.conflictId ?? 0n, decision: 'accept', reason: 'x' })).rejects.toMatchObject({ code: 'conflict_not_open' });
});

test('giving up the wait for a base: the correction counts on its own date, with whatever waited for it', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ number: 'A', on: '2026-04-01', net: '1000.00' });
  await world.sell({ number: 'K1', on: '2026-04-09', net: '-200.00', base: 'lost' }, { number: 'K2', on: '2026-04-10', net: '-100.00', base: 'K1' });
  expect(await world.total()).toBe(50n);
  expect(await world.context.transaction(async (tx) => (await listWaiting(tx, await findProgram(tx, 'p'), { limit: 10 })).rows)).toMatchObject([{ number: 'K1', base: 'lost', net_minor: -20_000n }, { number: 'K2', base: 'K1' }]);
  await recordWaitGivenUp(world.context, { program: 'p', source: 'erp', number: 'K1', reason: 'the sale was never reported' });
  expect(await world.total()).toBe(35n);
  await world.verified();
  await world.sell({ number: 'lost', on: '2026-03-31', net: '200.00' }); // it comes after all: the decision stands
  expect(await world.total()).toBe(45n);
  await world.verified();
  await expect(recordWaitGivenUp(world.context, { program: 'p', source: 'erp', number: 'K1', reason: 'again' })).rejects.toMatchObject({ code: 'document_not_waiting' });
});

test('foreign currency by API: the rate of the day or of the week before, the original beside it; a recorded rate stays', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  const rates = (...given: { day: string; rate: string }[]) => world.context.transaction(async (tx) => saveRates(tx, world.context.tenantId, await findProgram(tx, 'p'), given.map((rate) => ({ currency: 'EUR', origin: 'NBP', ...rate }))));
  const sell = async (number: string, on: string): Promise<void> => {
    const documents = [{ number, kind: 'sale', occurred_on: on, currency: 'EUR', buyer: 'shop', lines: [{ line: '1', net: '100.00', quantity: '1' }] }] as SaleDocument[];
    const lines = await world.context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); const source = await findSource(tx, program, 'erp'); return draftsOf(documents, program, source, await ratesFor(tx, documents, program, source)); });
    await recordSales(world.context, { program: 'p', source: 'erp', lines });
  };
  await expect(sell('A', '2026-03-06')).rejects.toMatchObject({ places: [{ code: 'rate_missing' }] });
  expect(await rates({ day: '2026-03-06', rate: '4.2517' }, { day: '2026-03-06', rate: '4.25170' })).toBe(1);
  await expect(rates({ day: '2026-03-06', rate: '4.3' })).rejects.toMatchObject({ places: [{ code: 'rate_fixed' }] });
  await sell('A', '2026-03-08'); // a Sunday: Friday's rate, 425.17 zł
  await expect(sell('B', '2026-03-14')).rejects.toMatchObject({ places: [{ code: 'rate_missing' }] });
  expect(await world.total()).toBe(20n);
  await rates({ day: '2026-03-07', rate: '9.99' }); // a rate that comes late changes nothing that is recorded
  await sell('A', '2026-03-08');
  expect([await world.total(), (await conflicts(world)).length]).toEqual([20n, 0]);
  const [line] = await installation.admin<{ net_minor: string; original: unknown }>('SELECT net_minor::text, original FROM facts.line WHERE tenant_id = $1', [world.context.tenantId]);
  expect(line).toEqual({ net_minor: '42517', original: { currency: 'EUR', netMinor: '10000', grossMinor: null, rate: '42517/10000', rateOn: '2026-03-06', origin: 'NBP' } });
  await world.verified();
});

test('an unknown product is accepted and marked; mapped later, the past follows by approval, and so do late corrections', async () => {
  const food = { ...perHundred, key: 'food', facts: { where: { is: 'oneOf' as const, field: 'category' as const, values: ['food'] } } };
  const bag = { ...perHundred, key: 'bag', curve: { is: 'per' as const, units: 1, every: 1 }, measure: { is: 'sum' as const, of: 'quantity' as const, where: { is: 'oneOf' as const, field: 'product' as const, values: ['BAG-4KG'] } } };
  const world = await aWorld(await installation.tenant(), aProgram([food, bag], { products: [{ sku: 'BAG-4KG', category: 'food' }], four_eyes: { imports: false, rules: true, adjustments: false, payouts: false } }));
  await world.sell({ number: 'A', on: '2026-03-02', net: '300.00', product: 'BAG 4 KG', qty: '3', line: '1' }, { number: 'B', on: '2026-03-03', net: '100.00', product: 'BAG-4KG', qty: '1' });
  expect(await world.total()).toBe(6n);
  expect((await world.context.transaction(async (tx) => listProducts(tx, await findProgram(tx, 'p'), { unknown: true, limit: 10 }))).rows).toMatchObject([{ sku: 'BAG 4 KG', known: false, lines: 1n }]);
  const change = { kind: 'product_map' as const, program: 'p', code: 'BAG 4 KG', product: 'BAG-4KG' };
  await expect(recordInput(world.context, change)).rejects.toMatchObject({ code: 'recalculation_needed' });
  const { recalculationId } = await proposeChange(world.context, { change, reason: 'their code for our bag' });
  await approveRecalculation(makeContext({ db: installation.db, tenantId: world.context.tenantId, principal: 'second', now: world.context.now }), { program: 'p', recalculationId });
  expect(await world.total()).toBe(24n); // 3 × 5 + 3, and 5 + 1
  await world.sell({ number: 'K', on: '2026-04-01', net: '-100.00', qty: '-1', base: 'A', baseLine: '1', product: 'BAG 4 KG' }, { number: 'C', on: '2026-06-15', net: '100.00', product: 'BAG 4 KG', qty: '1' });
  expect(await world.total()).toBe(24n); // −5 −1 +5 +1
  await world.verified();
  await expect(recordInput(world.context, { ...change, code: 'BAG-4KG', product: 'BAG 4 KG' })).rejects.toMatchObject({ code: 'product_not_mappable' });
});

test('a product has aliases of its own in each source; a code means one product there', async () => {
  const food = { ...perHundred, key: 'food', facts: { where: { is: 'oneOf' as const, field: 'category' as const, values: ['food'] } } };
  const world = await aWorld(await installation.tenant(), aProgram([food]));
  const save = (sku: string, code: string) => recordInput(world.context, { kind: 'products', program: 'p', products: [{ sku, category: 'food', aliases: { erp: [code] } }] });
  await save('BAG', '0017');
  await world.sell({ on: '2026-06-15', net: '100.00', product: '0017' });
  expect(await world.total()).toBe(5n);
  await expect(save('TIN', '0017')).rejects.toMatchObject({ places: [{ pointer: '/0/aliases/erp' }] });
});

test('columns are proposed from headers and content: NIPs, e-mails and the order of a date are seen, not guessed', () => {
  const headers = ['Nr faktury', 'Data', 'Netto', 'Klient', 'Handlowiec'];
  const rows = [['1', '03.04.2026', '10', '5260001246', 'anna@example.com'], ['2', '31.03.2026', '10', 'PL 526-000-12-46', 'jan@example.com']];
  expect(proposeMapping(headers, rows)).toEqual({ document: 'Nr faktury', date: 'Data', net: 'Netto', buyer: 'Klient', rep: 'Handlowiec', buyer_by: 'nip', rep_by: 'email', date_format: 'dmy' });
  expect(proposeMapping(headers, [['1', '03.04.2026', '10', 'K-17', 'anna']])).toEqual({ document: 'Nr faktury', date: 'Data', net: 'Netto', buyer: 'Klient', rep: 'Handlowiec' });
});

test('a classification holds from its day; GTINs are checked by their last digit', async () => {
  const food = { ...perHundred, key: 'food', facts: { where: { is: 'oneOf' as const, field: 'category' as const, values: ['food'] } } };
  const world = await aWorld(await installation.tenant(), aProgram([food]));
  await world.sell({ number: 'A', on: '2026-03-02', net: '100.00', product: 'X' }, { number: 'B', on: '2026-04-02', net: '100.00', product: 'X' });
  const classify = (product: Record<string, unknown>) => recordInput(world.context, { kind: 'products', program: 'p', products: [{ sku: 'X', ...product }] });
  expect(await classify({ category: 'food', from: '2026-04-01', gtin: '5901234123457' })).toEqual({ changed: 1 });
  expect(await classify({ category: 'food', from: '2026-04-01' })).toEqual({ changed: 0 });
  expect(await world.total()).toBe(5n);
  await expect(classify({ gtin: '5901234123458' })).rejects.toMatchObject({ code: 'product_malformed' });
  await world.verified();
});

test('every reason for setting a row aside has words in both languages, and no words are left over', () => {
  const folder = join(import.meta.dirname, '../../server/src/modules/facts/import');
  const text = readdirSync(folder).filter((name) => name !== 'reasons.ts').map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  for (const code of Object.keys(REASONS)) expect(text, code).toContain(`'${code}'`);
  const used = [...text.matchAll(/(?:reason: |bad\([^()]*, |problem\([^()]*, |`)'([a-z]+(?:_[a-z]+)+)'/g)].map((match) => match[1] as string);
  expect(used.length).toBeGreaterThan(15);
  for (const code of used) expect(REASONS[code], code).toBeDefined();
});

test('a CSV of ours never begins a cell like a formula, unless it is a number we wrote', () => {
  expect(csvRow(['=1+1', '+48 600', '-10.00', '@cmd', '\tx', 'a,b', 'say "hi"', null, -5, 'line\nbreak'])).toBe(`'=1+1,'+48 600,-10.00,'@cmd,'\tx,"a,b","say ""hi""",,-5,"line\nbreak"\r\n`);
});
