import { createHash } from 'node:crypto';
import iconv from 'iconv-lite';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Refusal } from '@premia/kernel';
import { applyProgram, recordInput, refreshSegments } from '../../server/src/modules/entitlements/index.ts';
import { readXlsx } from 'hucre/xlsx';
import { giveRole } from '../../server/src/modules/identity/index.ts';
import { tellMember } from '../../server/src/modules/rewards/index.ts';
import { printSettlement, settlementSheet } from '../../server/src/modules/rewards/print-settlement.ts';
import { readProgram } from '../../server/src/modules/mechanics/index.ts';
import { saveProfile } from '../../server/src/modules/rewards/profiles.ts';
import { deliverOutbox } from '../../server/src/platform/outbox.ts';
import { holdOf, lotsOf } from '../../server/src/modules/ledger/index.ts';
import { findMember, findProgram, saveStates } from '../../server/src/modules/members/index.ts';
import { approveBatch, approveItems, cancelBatch, confirmBatch, deposit, downloadBatch, exportBatch, moveItems, proposeBatch, saveAccount, saveBudget } from '../../server/src/modules/rewards/index.ts';
import { saveRule } from '../../server/src/modules/rewards/company-pays.ts';
import { listRewards } from '../../server/src/modules/rewards/reward.ts';
import { importShipments, listShipments } from '../../server/src/modules/rewards/shipments.ts';
import { cancelOwn, recallItems, atDesk } from '../../server/src/modules/rewards/decide-items.ts';
import { repriceRewards, importRewards } from '../../server/src/modules/rewards/save-rewards.ts';
import { readSettlement } from '../../server/src/modules/rewards/settlement.ts';
import { readSettings } from '../../server/src/modules/rewards/settings.ts';
import { makeTaxForm, openTaxForm, listTaxForms, readTaxYear } from '../../server/src/modules/rewards/tax-forms.ts';
import { listOrders, readEvidence } from '../../server/src/modules/rewards/read-orders.ts';
import { revealCode } from '../../server/src/modules/rewards/vouchers.ts';
import { anInstallation, type Installation, type TestContext } from '../support/installation.ts';
import { PROFILE, aReward, aShop, type Shop } from '../support/reward-world.ts';
import { aProgram, perHundred } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const shop = async (more: object = {}, settings: object = {}): Promise<Shop> => aShop(await installation.tenant(), more, settings);
const refused = async (work: Promise<unknown>): Promise<string> => { try { await work; return 'done'; } catch (error) { if (error instanceof Refusal) return error.code; throw error; } };
const within = <T>(world: Shop, work: (tx: Parameters<Parameters<Shop['context']['transaction']>[0]>[0], program: Awaited<ReturnType<typeof findProgram>>) => Promise<T>): Promise<T> => world.context.transaction(async (tx) => work(tx, await findProgram(tx, 'p')));
const ids = (placed: { items: { itemId: bigint }[] }): bigint[] => placed.items.map((item) => item.itemId);
const rowsOf = (world: Shop) => within(world, (tx, program) => listOrders(tx, program, { limit: 200 }));

test('goods: three pieces hold their units, one is taken back, one is shipped and comes back; every unit returns to the lot it came from', async () => {
  const world = await shop();
  await world.offer(aReward('kettle', { price: '100', stock: 5 }));
  await world.earn('shop', 450);
  const lots = () => within(world, async (tx, program) => lotsOf(tx, program.programId, (await findMember(tx, program, 'shop')).memberId, '2026-06-15'));
  const before = await lots();
  const placed = await world.order('shop', [{ reward: 'kettle', quantity: 3 }]);
  expect(placed.items.map((item) => [item.state, item.units])).toEqual([['approved', 100n], ['approved', 100n], ['approved', 100n]]);
  expect(await world.balance('shop')).toMatchObject({ available: 150n, held: 300n, total: 450n });
  const [first = 0n, second = 0n, third = 0n] = ids(placed);
  const memberId = (await world.balance('shop')).memberId;
  expect((await cancelOwn(world.context, { program: 'p', memberId, itemId: first })).state).toBe('cancelled');
  expect(await world.balance('shop')).toMatchObject({ available: 250n, held: 200n });
  await moveItems(world.as('olga'), 'p', [second, third], 'ship', { carrier: 'InPost', tracking: '6200' });
  expect(await world.balance('shop')).toMatchObject({ available: 250n, held: 0n, total: 250n });
  await moveItems(world.as('olga'), 'p', [second], 'deliver', {});
  await moveItems(world.as('olga'), 'p', [third], 'return', { reason: 'uszkodzony' });
  expect(await world.balance('shop')).toMatchObject({ available: 350n, total: 350n });
  await moveItems(world.as('olga'), 'p', [second], 'return', { reason: 'nie ten kolor' });
  expect(await lots()).toEqual(before);
  expect(await refused(cancelOwn(world.context, { program: 'p', memberId, itemId: first }))).toBe('action_not_possible');
  expect((await within(world, async (tx, program) => (await sql<{ stock: bigint }>`SELECT stock FROM rewards.reward WHERE program_id = ${program.programId}`.execute(tx)).rows))[0]?.stock).toBe(3n); // what was shipped and came back is looked at first
  await world.verified();
});

test('what forbids an order says why, in its order; nothing of a refused order stays', async () => {
  const world = await shop({ employer_consent: 'block_payout' });
  await world.earn('shop', 500);
  await world.offer(aReward('kettle', { price: '100', stock: 1 }), aReward('draft', { state: 'draft' }), aReward('past', { valid_to: '2026-06-14' }), aReward('people', { audience: { tiers: ['gold'] } }), aReward('cash', { kind: 'transfer', price: '10', worth: '1.00', least: '10.00', most: '100.00' }), aReward('card', { kind: 'prepaid', price: '10', worth: '1.00' }), aReward('limited', { limit: { count: 2, window: 'month' } }), aReward('dear', { price: '501' }), aReward('voucher', { kind: 'voucher' }));
  const say = (reward: string, more: object = {}) => refused(world.order('shop', [{ reward, ...more }]));
  expect(await say('nothing')).toBe('reward_not_found');
  expect([await say('draft'), await say('past')]).toEqual(['reward_not_offered', 'reward_not_offered']);
  expect(await say('people')).toBe('reward_not_for_you');
  expect([await say('cash'), await say('cash', { amount: 999n }), await say('cash', { amount: 10_001n })]).toEqual(['amount_not_offered', 'amount_not_offered', 'amount_not_offered']);
  expect([await say('cash', { amount: 1_000n }), await say('card')]).toEqual(['account_missing', 'card_missing']);
  expect(await refused(world.order('shop', [{ reward: 'kettle' }], { address: null }))).toBe('address_missing');
  expect([await say('limited', { quantity: 3 }), await say('limited', { quantity: 2 }), await say('limited')]).toEqual(['limit_reached', 'done', 'limit_reached']);
  expect(await say('dear')).toBe('balance_too_low');
  expect([await say('kettle', { quantity: 2 }), await say('kettle'), await say('kettle')]).toEqual(['out_of_stock', 'done', 'out_of_stock']);
  expect(await say('voucher')).toBe('out_of_stock');
  expect(await world.balance('shop')).toMatchObject({ available: 380n, held: 120n });
  await recordInput(world.context, { kind: 'states', program: 'p', states: [{ member: 'shop', state: 'suspended', from: '2026-06-15' }] });
  expect(await say('limited')).toBe('member_cannot_order');
  await world.verified();
});

test('where the policy lets suspended members order, a person approves what an active one would have at once', async () => {
  const world = await shop({}, { approval: { kinds: [], from_minor: 50_000, new_account_days: 0, member_states: ['suspended'] } });
  await world.offer(aReward('kettle', { price: '10' }));
  await world.earn('shop', 100);
  expect((await world.order('shop', [{ reward: 'kettle' }])).items[0]?.state).toBe('approved');
  (world.context as TestContext).clock.at = '2026-06-20T10:00:00Z';
  await recordInput(world.context, { kind: 'states', program: 'p', states: [{ member: 'shop', state: 'suspended', from: '2026-06-20' }] });
  expect((await world.order('shop', [{ reward: 'kettle' }])).items[0]?.state).toBe('requested');
  await recordInput(world.context, { kind: 'states', program: 'p', states: [{ member: 'shop', state: 'left', from: '2026-06-20' }] });
  expect(await refused(world.order('shop', [{ reward: 'kettle' }]))).toBe('member_cannot_order');
});

test('the same reference is the same order; two at once are one', async () => {
  const world = await shop();
  await world.offer(aReward('kettle', { price: '100' }));
  await world.earn('shop', 1_000);
  const all = await Promise.all(Array.from({ length: 12 }, () => world.order('shop', [{ reward: 'kettle', quantity: 2 }], { reference: 'one' })));
  expect(new Set(all.map((placed) => placed.orderId)).size).toBe(1);
  expect(await world.balance('shop')).toMatchObject({ available: 800n, held: 200n });
});

test('a code is given out at once, the earliest to end first and none that ends too soon; seen it is in the audit, replaced it is void, returned it is nobody’s', async () => {
  const world = await shop();
  await world.offer(aReward('bon', { kind: 'voucher', price: '50', worth: '50.00', least_days: 30 }));
  await world.codes('bon', 1, '2026-06-20');
  await world.codes('bon', 2, '2027-12-31');
  await world.codes('bon', 1, '2026-12-31');
  await world.earn('shop', 500);
  const [item] = ids(await world.order('shop', [{ reward: 'bon' }]));
  if (item === undefined) throw new Error('no item');
  expect(await world.balance('shop')).toMatchObject({ available: 450n, held: 0n });
  const look = () => within(world, (tx, program) => revealCode(tx, world.as('person:shop'), program, item));
  const first = await look();
  expect(first.validTo).toBe('2026-12-31');
  expect(await look()).toEqual(first);
  const looks = await within(world, async (tx) => (await sql<{ after: unknown }>`SELECT after FROM identity.audit WHERE action = 'code.revealed'`.execute(tx)).rows);
  expect([looks.length, JSON.stringify(looks).includes(first.code)]).toEqual([2, false]);
  expect((await installation.admin<{ n: number }>(`SELECT count(*)::int AS n FROM rewards.voucher AS v WHERE encode(code, 'escape') LIKE $1`, [`%${first.code}%`]))[0]?.n).toBe(0);
  await moveItems(world.as('olga'), 'p', [item], 'replace_code', { reason: 'nie działa' });
  const second = await look();
  expect([second.code === first.code, second.validTo]).toEqual([false, '2027-12-31']);
  await moveItems(world.as('olga'), 'p', [item], 'return', { reason: 'reklamacja' });
  expect(await refused(look())).toBe('code_not_ready');
  expect(await world.balance('shop')).toMatchObject({ available: 500n });
  expect(await refused(world.codes('bon', 1).then(() => world.order('shop', [{ reward: 'bon', quantity: 4 }])))).toBe('out_of_stock');
  expect(await world.balance('shop')).toMatchObject({ available: 500n, held: 0n });
  await world.verified();
});

/** Two members with cards, accounts and data, who asked for a payout each that a person approved. */
async function paid(kind: 'prepaid' | 'transfer', amount = 50_000n): Promise<{ world: Shop; items: bigint[] }> {
  const world = await shop();
  await world.offer(aReward('pay', { kind, price: '10', worth: '1.00', cost: '1.00', least: '10.00', most: '5000.00' }));
  const items: bigint[] = [];
  for (const member of ['ala', 'ola']) {
    await world.earn(member, 6_000);
    await world.ready(member);
    const placed = await world.order(member, [{ reward: 'pay', amount }]);
    expect(placed.items.map((item) => [item.state, item.units])).toEqual([['requested', amount / 10n + (amount % 10n === 0n ? 0n : 1n)]]);
    items.push(...ids(placed));
  }
  return { world, items };
}

test('a top-up of 500 zł: approved by another, batched, exported by a third, one loaded and one rejected – whose units are back, with the reason', async () => {
  const { world, items } = await paid('prepaid');
  expect(await refused(approveItems(world.as('person:ala'), 'p', items.slice(0, 1)))).toBe('second_person_needed');
  await approveItems(world.as('adam'), 'p', items);
  expect(await refused(approveItems(world.as('adam'), 'p', items))).toBe('action_not_possible');
  const batch = await proposeBatch(world.as('olga'), 'p', { rail: 'prepaid', format: 'topup', executeOn: '2026-06-16' });
  expect(await refused(proposeBatch(world.as('olga'), 'p', { rail: 'prepaid', format: 'topup', executeOn: '2026-06-16' }))).toBe('nothing_to_pay');
  expect([await refused(exportBatch(world.as('wiktor'), 'p', batch)), await refused(approveBatch(world.as('olga'), 'p', batch))]).toEqual(['batch_not_open', 'second_person_needed']);
  await approveBatch(world.as('adam'), 'p', batch);
  expect([await refused(exportBatch(world.as('adam'), 'p', batch)), await refused(exportBatch(world.as('olga'), 'p', batch))]).toEqual(['second_person_needed', 'second_person_needed']);
  const made = await exportBatch(world.as('wiktor'), 'p', batch);
  const [file, again] = [await downloadBatch(world.as('wiktor'), 'p', batch), await downloadBatch(world.as('wiktor'), 'p', batch)];
  expect([file.bytes.equals(again.bytes), createHash('sha256').update(file.bytes).digest('hex')]).toEqual([true, made.sha256]);
  const lines = file.bytes.toString().trim().split('\r\n').map((line) => line.split(';'));
  expect(lines.map((line) => [line[1], line[2], line[8], line[9]])).toEqual([['line_no', 'participant_ref', 'amount', 'currency'], ['1', 'ala', '500,00', 'PLN'], ['2', 'ola', '500,00', 'PLN']]);
  const reference = lines[1]?.[0];
  const status = `order_ref;line_no;status;provider_ref;reason;loaded_at\n${reference};1;LOADED;EDN-1;;2026-06-16\n${reference};2;REJECTED;;karta zablokowana;\n`;
  expect(await refused(confirmBatch(world.as('olga'), 'p', batch, { text: status.replace(';2;', ';7;') }))).toBe('file_malformed');
  expect(await world.balance('ola')).toMatchObject({ available: 1_000n, held: 5_000n });
  expect(await confirmBatch(world.as('olga'), 'p', batch, { text: status })).toEqual({ loaded: 1, rejected: 1, already: 0, open: 0 });
  expect(await confirmBatch(world.as('olga'), 'p', batch, { text: status })).toEqual({ loaded: 0, rejected: 0, already: 2, open: 0 });
  expect(await refused(confirmBatch(world.as('olga'), 'p', batch, { text: status.replace('1;LOADED;EDN-1;', '1;REJECTED;;nie') }))).toBe('file_malformed');
  expect([await world.balance('ala'), await world.balance('ola')]).toMatchObject([{ available: 1_000n, held: 0n, total: 1_000n }, { available: 6_000n, held: 0n, total: 6_000n }]);
  expect((await rowsOf(world)).map((row) => [row.member, row.state, row.reason, row.form, row.pay])).toEqual([['ola', 'failed', 'karta zablokowana', 'NONE', 50_000n], ['ala', 'delivered', null, 'NONE', 50_000n]]);
  await world.verified();
});

test('a transfer as Elixir-0 and as pain.001: the amounts are those approved, and the file names each payout as the ledger does', async () => {
  for (const format of ['elixir0', 'pain001'] as const) {
    const { world, items } = await paid('transfer', 12_345n);
    await approveItems(world.as('adam'), 'p', items);
    const batch = await proposeBatch(world.as('olga'), 'p', { rail: 'transfer', format, executeOn: '2026-06-16' });
    await approveBatch(world.as('adam'), 'p', batch);
    await exportBatch(world.as('wiktor'), 'p', batch);
    const { bytes, fileName } = await downloadBatch(world.as('wiktor'), 'p', batch);
    const text = iconv.decode(bytes, format === 'elixir0' ? 'windows-1250' : 'utf-8');
    if (format === 'elixir0') expect(text.split('\r\n')[0]).toMatch(/^110,20260616,12345,10901014,0,"61109010140000071219812874","27114020040000300201355387","Łapa sp\. z o\.o\.\|ul\. Testowa 1\|00-001 Warszawa\|","Jan Kowalski\|\|\|",0,11402004,"Program\|PRM-\d+-\d+\|\|","","","51","PRM-\d+-\d+"$/);
    else expect(text).toContain('<NbOfTxs>2</NbOfTxs><CtrlSum>246.90</CtrlSum>');
    expect(fileName).toMatch(format === 'elixir0' ? /\.pli$/ : /\.xml$/);
    expect(await confirmBatch(world.as('olga'), 'p', batch, { rest: 'loaded' })).toEqual({ loaded: 2, rejected: 0, already: 0, open: 0 });
    await moveItems(world.as('olga'), 'p', items.slice(1), 'return', { reason: 'rachunek zamknięty' });
    expect(await world.balance('ola')).toMatchObject({ available: 6_000n, total: 6_000n });
    await world.verified();
  }
});

test('a changed account sends an approved payout back to be approved, out of its batch; the batch as it was approved cannot be exported', async () => {
  const { world, items } = await paid('transfer');
  await approveItems(world.as('adam'), 'p', items);
  const batch = await proposeBatch(world.as('olga'), 'p', { rail: 'transfer', format: 'elixir0', executeOn: '2026-06-16' });
  await approveBatch(world.as('adam'), 'p', batch);
  const change = (iban: string) => atDesk(world.as('person:ala'), 'p', async (desk) => {
    const recalled = await saveAccount(desk.tx, desk.context, desk.program, { memberId: (await findMember(desk.tx, desk.program, 'ala')).memberId, iban, holder: 'Ala', on: '2026-06-15' });
    await recallItems(desk, recalled);
    return recalled.length;
  });
  expect(await change('PL27114020040000300201355387')).toBe(0); // the same account again
  expect(await change('DE89370400440532013000')).toBe(1);
  expect(await world.states()).toEqual({ requested: 1, batched: 1 });
  expect(await refused(exportBatch(world.as('wiktor'), 'p', batch))).toBe('batch_changed');
  await cancelBatch(world.as('olga'), 'p', batch);
  expect(await world.states()).toEqual({ requested: 1, approved: 1 });
  await world.verified();
});

test('an account of yesterday and a dear reward ask for a person; a cheap one does not', async () => {
  const world = await shop({}, { approval: { kinds: [], from_minor: 50_000, new_account_days: 7 } });
  await world.offer(aReward('cash', { kind: 'transfer', price: '10', worth: '1.00', least: '1.00', most: '900.00' }), aReward('cheap'), aReward('watched', { approval: 'always' }));
  await world.earn('ala', 20_000);
  await world.ready('ala');
  const state = async (reward: string, amount: bigint | null = null) => (await world.order('ala', [{ reward, amount: amount as bigint }])).items[0]?.state;
  expect([await state('cash', 49_999n), await state('cash', 50_000n), await state('cheap'), await state('watched')]).toEqual(['approved', 'requested', 'approved', 'requested']);
  await within(world, async (tx, program) => saveAccount(tx, world.context, program, { memberId: (await findMember(tx, program, 'ala')).memberId, iban: 'DE89370400440532013000', holder: 'Ala', on: '2026-06-14' }));
  expect(await state('cash', 1_000n)).toBe('requested');
});

test('a consumer’s prize above 2 000 zł: from money the tax is kept, towards a thing it is paid first; a person’s form needs the person’s data', async () => {
  const world = await shop({ legal_form: 'premium_sale' });
  await world.offer(aReward('cash', { kind: 'transfer', price: '1', worth: '1.00', least: '1.00', most: '9000.00' }), aReward('bike', { price: '1', worth: '3500.00', cost: '3000.00' }), aReward('help', { kind: 'support', price: '1', worth: '2000.00' }));
  await within(world, async (tx) => { await sql`INSERT INTO members.member (tenant_id, program_id, kind, code, enrolled_on, counts_from) SELECT tenant_id, program_id, 'person', 'jan', '2026-01-01', '2026-01-01' FROM members.program`.execute(tx); await sql`INSERT INTO members.member_key (tenant_id, program_id, reference, member_id) SELECT tenant_id, program_id, 'code:jan', member_id FROM members.member WHERE code = 'jan'`.execute(tx); });
  await within(world, async (tx, program) => { await saveStates(tx, world.context.tenantId, program, [{ member: 'jan', state: 'active', from: '2026-01-01' }]); });
  await world.earn('jan', 10_000);
  expect(await refused(world.order('jan', [{ reward: 'bike' }]))).toBe('tax_profile_missing');
  expect((await world.order('jan', [{ reward: 'help' }])).items[0]?.state).toBe('requested'); // worth 2 000.00: exempt, but it is much
  await world.ready('jan');
  const bike = ids(await world.order('jan', [{ reward: 'bike' }]));
  const cash = ids(await world.order('jan', [{ reward: 'cash', amount: 250_449n }]));
  await approveItems(world.as('adam'), 'p', [...bike, ...cash]);
  const rows = await rowsOf(world);
  expect(rows.slice(0, 2).map((row) => [row.reward, row.state, row.code, row.tax, row.pay, row.reason])).toEqual([['cash', 'approved', 'PL-SPRZEDAZ-PREMIOWA-10', 25_000n, 225_449n, null], ['bike', 'awaiting_payment', 'PL-SPRZEDAZ-PREMIOWA-10', 35_000n, 315_000n, '350.00 PLN']]);
  expect(await refused(moveItems(world.as('olga'), 'p', bike, 'ship', {}))).toBe('action_not_possible');
  await moveItems(world.as('olga'), 'p', bike, 'pay', { reason: 'wpłata 350 zł' });
  await moveItems(world.as('olga'), 'p', bike, 'ship', { carrier: 'DPD', tracking: '1' });
  const batch = await proposeBatch(world.as('olga'), 'p', { rail: 'transfer', format: 'elixir0', executeOn: '2026-06-16' });
  await approveBatch(world.as('adam'), 'p', batch);
  await exportBatch(world.as('wiktor'), 'p', batch);
  await confirmBatch(world.as('olga'), 'p', batch, { rest: 'loaded' });
  const year = () => within(world, (tx, program) => readTaxYear(tx, world.context, program, 2026));
  expect(await year()).toMatchObject([{ member: 'jan', form: 'PIT-8AR', income: 600_449n, tax: 60_000n, corrected: 0n }]);
  const form = await within(world, (tx, program) => makeTaxForm(tx, world.as('adam'), program, { year: 2026, form: 'PIT-8AR' }));
  expect((await within(world, (tx, program) => openTaxForm(tx, world.as('adam'), program, form.formId))).toString().split('\r\n')[1]).toBe('PIT-8AR;2026;5213017228;44051401359;Jan;Kowalski;1944-05-14;ul. Polna 2;60-001;Poznań;Urząd Skarbowy Poznań-Grunwald;6004.49;600.00');
  expect(form.due).toEqual({ office: '2027-02-01', person: null });
  // what comes back after the form was made is an entry of its own, and asks for the form's next version
  await moveItems(world.as('olga'), 'p', bike, 'return', { reason: 'zwrot' });
  expect(await year()).toMatchObject([{ income: 250_449n, tax: 25_000n, corrected: -350_000n, afterForm: true }]);
  expect((await within(world, (tx, program) => listTaxForms(tx, program)))[0]?.outdated).toBe(true);
  expect((await within(world, (tx, program) => makeTaxForm(tx, world.as('adam'), program, { year: 2026, form: 'PIT-8AR' }))).version).toBe(2);
  const evidence = await within(world, (tx, program) => readEvidence(tx, program, bike[0] ?? 0n));
  expect(evidence).toMatchObject({ state: 'returned', approved_by: 'adam', tax: [{ code: 'PL-SPRZEDAZ-PREMIOWA-10', version: 1, inputs: { status: 'CONSUMER', worth_minor: '350000' } }], tax_entries: [{ kind: 'payment' }, { kind: 'correction', after_form: true }] });
  await world.verified();
});

test('without a confirmed row nothing is approved, by a person or by itself', async () => {
  const world = await shop();
  await world.offer(aReward('kettle'));
  await world.earn('shop', 100);
  await installation.admin(`UPDATE rewards.tax_rule SET confirmed_by = NULL WHERE tenant_id = $1`, [world.context.tenantId]);
  const placed = await world.order('shop', [{ reward: 'kettle' }]);
  expect(placed.items[0]?.state).toBe('requested');
  expect(await refused(approveItems(world.as('adam'), 'p', ids(placed)))).toBe('tax_row_missing');
});

test('a budget that blocks covers what was ordered and no grosz more; of orders at once, only as many as it can pay', async () => {
  const world = await shop();
  await world.offer(aReward('kettle', { price: '10', cost: '30.00' }));
  await within(world, async (tx, program) => { await saveBudget(tx, world.context, program, { key: 'main', name: 'Budżet', sponsor: false, policy: 'block', warnPercent: 50 }); await deposit(tx, world.context, program, { budget: 'main', amount: 10_000n, note: 'wpłata', on: '2026-06-15' }); });
  for (let n = 0; n < 8; n += 1) await world.earn(`m${n}`, 50);
  const outcomes = await Promise.all(Array.from({ length: 8 }, (_, n) => refused(world.order(`m${n}`, [{ reward: 'kettle' }]))));
  expect([outcomes.filter((outcome) => outcome === 'done').length, outcomes.filter((outcome) => outcome === 'budget_used_up').length]).toEqual([3, 5]);
  const told = await installation.admin<{ n: number }>(`SELECT count(*)::int AS n FROM platform.outbox WHERE tenant_id = $1 AND type = 'budget.low'`, [world.context.tenantId]);
  expect(told[0]?.n).toBe(1);
});

test('a catalogue comes by CSV, all of it or nothing; prices change in bulk, rounded up to a step', async () => {
  const world = await shop();
  const take = (text: string) => within(world, (tx, program) => importRewards(tx, world.context, program, text));
  expect(await take('key;kind;name_pl;name_en;category;unit;price;worth;cost;stock;state\nczajnik;goods;Czajnik;Kettle;dom;points;101;50,00;40,00;7;active\nbon;voucher;Bon;Voucher;bony;points;250;50;50;;active\n')).toBe(2);
  const faults = await take('key;kind;name_pl;name_en;category;unit;price;worth;cost;stock\nA B;goods;x;x;x;points;1;1;1;1\nok;boat;x;x;x;points;x;1;1;-2\n').catch((error: Refusal) => error.places.map((place) => place.pointer));
  expect(faults).toEqual(['/2/key', '/3/kind', '/3/price', '/3/stock']);
  expect(await refused(take('key;kind\nx;goods\n'))).toBe('file_malformed');
  const changed = await within(world, (tx, program) => repriceRewards(tx, world.context, program, { category: 'dom', percent: '110%', step: 10 }));
  expect(changed.map((reward) => [reward.key, reward.before, reward.after])).toEqual([['czajnik', 101n, 120n]]);
});

test('a statement of a period is the ledger’s own sums; opening and closing meet', async () => {
  const { world, items } = await paid('prepaid');
  await approveItems(world.as('adam'), 'p', items);
  const batch = await proposeBatch(world.as('olga'), 'p', { rail: 'prepaid', format: 'topup', executeOn: '2026-06-16' });
  await approveBatch(world.as('adam'), 'p', batch);
  await exportBatch(world.as('wiktor'), 'p', batch);
  await confirmBatch(world.as('olga'), 'p', batch, { rest: 'loaded' });
  const settle = (from: string, to: string) => within(world, async (tx, program) => readSettlement(tx, program, { ...(await readSettings(tx, program)), fee_bp: 500 }, from, to));
  const june = await settle('2026-06-01', '2026-06-30');
  expect(june.units.find((unit) => unit.unit === 'points')).toEqual({ unit: 'points', scale: 0, opening: 0n, granted: 12_000n, adjusted: 0n, moved: 0n, redeemed: 10_000n, returned: 0n, expired: 0n, closing: 2_000n });
  expect([june.kinds, june.totals]).toMatchObject([[{ kind: 'prepaid', pieces: 2, returned: 0, worth: 100_000n, paid: 100_000n, tax: 0n, cost: 100_000n }], { cost: 100_000n, fee: 5_000n, due: 105_000n }]);
  expect((await settle('2026-07-01', '2026-07-31')).units.find((unit) => unit.unit === 'points')).toMatchObject({ opening: 2_000n, granted: 0n, redeemed: 0n, closing: 2_000n });
});

test('verifying notices: units of an order gone astray, a code given twice, a batch’s file or sum changed, income booked twice', async () => {
  const { world, items } = await paid('prepaid');
  await approveItems(world.as('adam'), 'p', items);
  const batch = await proposeBatch(world.as('olga'), 'p', { rail: 'prepaid', format: 'topup', executeOn: '2026-06-16' });
  await approveBatch(world.as('adam'), 'p', batch);
  await exportBatch(world.as('wiktor'), 'p', batch);
  await world.verified();
  const tenant = world.context.tenantId;
  const harms: [check: string, harm: string, undo: string][] = [
    ['order units', `UPDATE rewards.item SET state = 'delivered' WHERE tenant_id = ${tenant} AND item_id = ${items[0]}`, `UPDATE rewards.item SET state = 'exported' WHERE tenant_id = ${tenant} AND item_id = ${items[0]}`],
    ['batch sum', `UPDATE rewards.batch SET total_minor = total_minor + 1 WHERE tenant_id = ${tenant}`, `UPDATE rewards.batch SET total_minor = total_minor - 1 WHERE tenant_id = ${tenant}`],
    ['payout amount', `UPDATE rewards.item_tax SET pay_minor = pay_minor + 1 WHERE tenant_id = ${tenant}`, `UPDATE rewards.item_tax SET pay_minor = pay_minor - 1 WHERE tenant_id = ${tenant}`],
    ['batch file', `UPDATE rewards.batch SET file = set_byte(file, 40, (get_byte(file, 40) + 1) % 256) WHERE tenant_id = ${tenant}`, `UPDATE rewards.batch SET file = set_byte(file, 40, (get_byte(file, 40) + 255) % 256) WHERE tenant_id = ${tenant}`],
    ['income', `INSERT INTO rewards.tax_entry (tenant_id, program_id, item_id, member_id, payer, year, form, kind, income_minor, tax_minor, booked_on, after_form) SELECT tenant_id, program_id, item_id, member_id, 'x', 2026, 'NONE', 'payment', 1, 0, '2026-06-15', false FROM rewards.item WHERE tenant_id = ${tenant} AND item_id = ${items[0]}`, `DELETE FROM rewards.tax_entry WHERE tenant_id = ${tenant}`],
    ['order', `INSERT INTO ledger.hold (tenant_id, program_id, member_id, unit_id, amount, state, reference) SELECT tenant_id, program_id, member_id, unit_id, 1, 'released', 'item:999999' FROM rewards.item WHERE tenant_id = ${tenant} LIMIT 1`, `DELETE FROM ledger.hold WHERE tenant_id = ${tenant} AND reference = 'item:999999'`],
  ];
  for (const [check, harm, undo] of harms) {
    await installation.admin(harm);
    await expect(world.verified(), check).rejects.toThrow(new RegExp(`"check":"${check}"`));
    await installation.admin(undo);
    await world.verified();
  }
  expect(await within(world, async (tx, program) => (await holdOf(tx, program.programId, `item:${items[0]}`))?.state)).toBe('held');
});

test('a company pays for its people by its manager’s rule: its wallet is held, up to so much a month; what comes back comes back to it', async () => {
  const world = await shop({ employer_consent: 'remind' });
  await world.offer(aReward('kettle', { price: '100' }), aReward('book', { price: '100', category: 'rozwój' }));
  await recordInput(world.context, { kind: 'members', program: 'p', members: [{ code: 'firma', kind: 'company', from: '2026-01-01' }, { code: 'jan', kind: 'person', name: 'Jan', from: '2026-01-01' }] } as never);
  await within(world, async (tx, program) => { await sql`INSERT INTO members.assignment (tenant_id, program_id, member_id, company, valid_from) SELECT tenant_id, program_id, member_id, 'firma', '2026-01-01' FROM members.member WHERE program_id = ${program.programId} AND code = 'jan'`.execute(tx); });
  await world.ready('jan');
  await world.earn('firma', 1_000);
  const asCompany = (reward: string, quantity = 1) => world.order('jan', [{ reward, quantity }], { payFrom: 'company' });
  expect(await refused(asCompany('kettle'))).toBe('company_does_not_pay');
  await within(world, (tx, program) => saveRule(tx, world.context, program, 'firma', { pays: true, monthly: 250n, categories: ['dom'] }));
  expect(await refused(asCompany('book'))).toBe('company_does_not_pay');
  const placed = await asCompany('kettle', 2);
  expect([await world.balance('firma'), await world.balance('jan')]).toMatchObject([{ available: 800n, held: 200n }, { available: 0n, held: 0n }]);
  expect(await refused(asCompany('kettle'))).toBe('company_limit_reached');
  const jan = await within(world, async (tx, program) => (await findMember(tx, program, 'jan')).memberId);
  await cancelOwn(world.as('person:jan'), { program: 'p', memberId: jan, itemId: ids(placed)[0] as bigint });
  expect(await world.balance('firma')).toMatchObject({ available: 900n, held: 100n });
  expect(await refused(asCompany('kettle'))).toBe('done'); // what was taken back does not count
  expect((await rowsOf(world)).every((row) => row.member === 'jan')).toBe(true);
  await world.verified();
});

test('a reward is seen by whom it is meant for: kind, segment and company type each decide', async () => {
  const world = await shop({ segments: [{ key: 'best', members: ['ala'] }] });
  await recordInput(world.context, { kind: 'members', program: 'p', members: [{ code: 'ala', kind: 'person', name: 'Ala', from: '2026-01-01' }, { code: 'chain', kind: 'company', from: '2026-01-01', company_type: 'chain' }] } as never);
  await refreshSegments(world.context, { program: 'p' });
  await world.offer(aReward('people', { audience: { kinds: ['person'] } }), aReward('best', { audience: { segments: ['best'] } }), aReward('chains', { audience: { company_types: ['chain'] } }), aReward('all'));
  const seen = (member: string) => within(world, async (tx, program) => (await listRewards(tx, program.programId, '2026-06-15', { forMember: (await findMember(tx, program, member)).memberId, limit: 50 })).rows.map((reward) => reward.key));
  expect(await seen('ala')).toEqual(['people', 'best', 'all']);
  expect((await seen('chain')).filter((key) => key !== 'chains')).toEqual(['all']);
});

test('goods go to a supplier as a list and come back as shipments: all of a file or nothing, and again changes nothing', async () => {
  const world = await shop();
  await world.offer(aReward('kettle', { price: '10' }));
  await world.earn('shop', 100);
  const items = ids(await world.order('shop', [{ reward: 'kettle', quantity: 2 }]));
  const listed = await within(world, (tx, program) => listShipments(tx, world.context, program, { after: 0n, limit: 10 }));
  expect(listed.map((item) => [item.item, item.supplier, item.city])).toEqual(items.map((item) => [item, 'Hurt', 'Poznań']));
  const text = `item;carrier;tracking\n${items[0]};InPost;A1\n${items[1]};DPD;\n`;
  expect(await refused(importShipments(world.as('olga'), 'p', `${text}99999;DPD;1\n`))).toBe('order_not_found');
  expect(await world.states()).toEqual({ approved: 2 });
  expect(await importShipments(world.as('olga'), 'p', text)).toEqual({ shipped: 2, already: 0 });
  expect(await importShipments(world.as('olga'), 'p', text)).toEqual({ shipped: 0, already: 2 });
  expect((await rowsOf(world)).map((row) => [row.state, row.carrier, row.tracking])).toEqual([['shipped', 'DPD', null], ['shipped', 'InPost', 'A1']]);
  await world.verified();
});

test('a sale returned after its reward was given is a debt that the next earnings pay, and shows as such', async () => {
  const world = await shop();
  await world.offer(aReward('kettle', { price: '100' }));
  await world.sell({ number: 'S1', on: '2026-03-31', net: '2000.00' });
  const placed = await world.order('shop', [{ reward: 'kettle' }]);
  await moveItems(world.as('olga'), 'p', ids(placed), 'ship', { carrier: 'DPD' });
  await world.sell({ number: 'K1', on: '2026-06-10', net: '-1000.00', base: 'S1', baseLine: '1' });
  expect(await world.balance('shop')).toMatchObject({ available: 0n, debt: 50n, total: -50n });
  expect(await refused(world.order('shop', [{ reward: 'kettle' }]))).toBe('balance_too_low');
  await world.sell({ number: 'S2', on: '2026-06-12', net: '3000.00' });
  expect(await world.balance('shop')).toMatchObject({ available: 100n, debt: 0n });
  await world.verified();
});

test('a member is written to about what came of an order, in their language, never with the code; the steps in between are not mailed', async () => {
  const world = await shop();
  await world.offer(aReward('bon', { kind: 'voucher', price: '50', name: { pl: 'Bon', en: 'Voucher' } }), aReward('kettle', { name: { pl: 'Czajnik', en: 'Kettle' }, approval: 'always' }));
  await world.codes('bon', 1);
  await world.earn('shop', 500);
  await aSignIn(world);
  const items = [...ids(await world.order('shop', [{ reward: 'bon' }])), ...ids(await world.order('shop', [{ reward: 'kettle' }]))];
  await moveItems(world.as('adam'), 'p', items.slice(1), 'reject', { reason: 'nie ma już' });
  const mails: { to: string; subject: string; body: string; link?: string }[] = [];
  const outside = { mailer: async (_: unknown, mail: { to: string; subject: string; body: string }) => { mails.push(mail); }, publicUrl: 'https://x.example', people: async () => new Map([['u1', { email: 'ewa@x.example', locale: 'en' as const }]]) };
  await deliverOutbox(world.context, (event) => tellMember(world.context, event, outside));
  expect(mails.map((mail) => [mail.to, mail.subject])).toEqual([['ewa@x.example', 'Program: Voucher – code ready'], ['ewa@x.example', 'Program: Kettle – turned down, points returned']]);
  expect(mails[1]?.body).toContain('Reason: nie ma już');
  expect(JSON.stringify(mails)).not.toMatch(/C\d+-\d/);
  await deliverOutbox(world.context, (event) => tellMember(world.context, event, outside));
  expect(mails).toHaveLength(2);
});

const aSignIn = (world: Shop): Promise<void> => within(world, async (tx, program) => giveRole(tx, world.context, { userId: 'u1', role: 'member', program: 'p', memberId: (await findMember(tx, program, 'shop')).memberId }));

test('a statement prints as PDF and as XLSX with the same figures as on the screen', async () => {
  const { world, items } = await paid('prepaid', 12_345n);
  await approveItems(world.as('adam'), 'p', items);
  const [settings, settlement, program] = await within(world, async (tx, found) => [await readSettings(tx, found), await readSettlement(tx, found, await readSettings(tx, found), '2026-06-01', '2026-06-30'), found] as const);
  const pdf = await readWhole(await printSettlement(program, settings, settlement, 'pl'));
  expect([pdf.subarray(0, 5).toString(), pdf.length > 5_000]).toEqual(['%PDF-', true]);
  const [sheet] = (await readXlsx(await readWhole(settlementSheet(program, settlement, 'en')))).sheets;
  const rows = (sheet?.rows ?? []).map((row) => (row as unknown[]).map((cell) => (typeof cell === 'object' && cell !== null && 'value' in cell ? (cell as { value: unknown }).value : cell)));
  expect(rows.find((row) => row[0] === 'points')?.slice(1)).toEqual([0, 12_000, 0, 0, 0, 0, 0, 12_000]);
});

async function readWhole(stream: AsyncIterable<Buffer | Uint8Array>): Promise<Buffer> { const parts: Uint8Array[] = []; for await (const part of stream) parts.push(part); return Buffer.concat(parts); }

test('a person paid in two programs of one payer has one row in the form, with the sum of both', async () => {
  const world = await shop();
  await applyProgram(world.context, readProgram({ ...(aProgram([perHundred]) as object), key: 'q' }));
  const programs = await world.context.transaction(async (tx) => [await findProgram(tx, 'p'), await findProgram(tx, 'q')]);
  for (const [index, program] of programs.entries()) {
    await world.context.transaction(async (tx) => {
      const { rows: [member] } = await sql<{ member_id: bigint }>`INSERT INTO members.member (tenant_id, program_id, kind, code, enrolled_on, counts_from) VALUES (${world.context.tenantId}, ${program.programId}, 'person', 'jan', '2026-01-01', '2026-01-01') RETURNING member_id`.execute(tx);
      await saveProfile(tx, world.context, program, member?.member_id ?? 0n, PROFILE);
      await sql`INSERT INTO rewards.tax_entry (tenant_id, program_id, item_id, member_id, payer, year, form, kind, income_minor, tax_minor, booked_on, after_form) VALUES (${world.context.tenantId}, ${program.programId}, ${900 + index}, ${member?.member_id ?? 0n}, '5213017228', 2026, 'PIT-11', 'payment', ${10_050n + BigInt(index)}, 0, '2026-06-15', false)`.execute(tx);
    });
  }
  const made = await within(world, (tx, program) => makeTaxForm(tx, world.as('adam'), program, { year: 2026, form: 'PIT-11' }));
  const lines = (await within(world, (tx, program) => openTaxForm(tx, world.as('adam'), program, made.formId))).toString().trim().split('\r\n');
  expect([made.people, lines.length, lines[1]?.split(';').slice(-2)]).toEqual([1, 2, ['201.01', '0.00']]);
  expect(made.due).toEqual({ office: '2027-02-01', person: '2027-03-01' });
});
