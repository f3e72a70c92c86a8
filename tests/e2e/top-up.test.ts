import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from 'kysely';
import { approveAdjustment, findUnit, openPosting, proposeAdjustment } from '../../server/src/modules/ledger/index.ts';
import { recordEmployerWord } from '../../server/src/modules/entitlements/index.ts';
import { findMember, findProgram, saveCompanies } from '../../server/src/modules/members/index.ts';
import { placeOrder } from '../../server/src/modules/rewards/index.ts';
import { verifyAll } from '../../server/src/verify.ts';
import { settled } from '../support/browser.ts';
import { as, openCatalogue } from '../support/stage-rewards.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';
import { axeFaults } from '../support/walk.ts';

describe.skipIf(noBrowser)('a rep orders a top-up of 500 zł on a phone; it is approved, batched, exported; one comes back rejected, with its reason', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await aStage();
    await stage.person('member', { member: 'R001', email: 'joanna@stage.example', name: 'Joanna Kowalska' });
    await stage.person('operator', { name: 'Olga Operator' });
    await stage.person('approver', { name: 'Adam Aprobata' });
    await stage.person('owner', { name: 'Wiktor Właściciel' });
    await stage.person('manager', { member: 'S0001', email: 'szef@stage.example', name: 'Szef' });
    await stage.installation.admin(`UPDATE identity.role_grant SET company = 'S0001' WHERE role = 'manager'`);
    await openCatalogue(stage);
    await placeOrder(as(stage, 'r2'), { program: 'lapa', member: 'R002', reference: 'other', lines: [{ reward: 'doladowanie-karty', quantity: 1, amount: 20_000n }], address: null });
  });
  afterAll(() => stage?.close());

  test('from the catalogue to the points that are back', async () => {
    const { page, problems } = await stage.enter('joanna@stage.example', { width: 360, to: '/rewards' });
    await page.getByRole('link', { name: 'Doładowanie karty' }).click();
    await page.getByLabel(/^Kwota/).fill('500');
    await page.getByRole('button', { name: 'Do koszyka' }).click();
    // The tax office's data are asked for here, where a payout first needs them.
    await page.getByRole('heading', { name: 'Dane do podatku' }).waitFor();
    await settled(page);
    expect(await axeFaults(page)).toEqual([]);
    expect(await page.locator('main').innerText()).toContain('PIT-11');
    expect(await page.getByRole('button', { name: 'Zamawiam' }).isDisabled()).toBe(true);
    for (const [label, value] of [['PESEL albo NIP', '44051401358'], ['Data urodzenia', '1944-05-14'], ['Ulica i numer', 'Psia 4'], ['Kod pocztowy', '60-101'], ['Miejscowość', 'Poznań'], ['Urząd skarbowy', 'US Poznań']] as const) await page.getByLabel(label).fill(value);
    await page.getByRole('button', { name: 'Zapisz dane do podatku' }).click();
    await page.getByText('to nie jest PESEL ani NIP').waitFor();
    await page.getByLabel('PESEL albo NIP').fill('44051401359');
    await page.getByRole('button', { name: 'Zapisz dane do podatku' }).click();
    await page.getByRole('button', { name: 'Zamawiam' }).click();
    await page.getByRole('heading', { name: 'Zamówienie' }).waitFor();
    await page.getByText('czeka na zatwierdzenie').first().waitFor();
    expect(await axeFaults(page)).toEqual([]);

    const { page: desk } = await stage.enter('approver@stage.example', { width: 1440, to: '/console', strong: true });
    await desk.goto('/console/orders?state=requested');
    await desk.getByRole('row', { name: /Doładowanie karty/ }).nth(1).waitFor();
    for (const box of await desk.getByRole('checkbox', { name: /Wybierz/ }).all()) await box.check();
    await desk.getByRole('button', { name: 'Zatwierdź' }).click();
    await desk.getByRole('dialog').getByRole('button', { name: 'Zatwierdź' }).click();
    await desk.getByText('Nic nie pasuje do tych filtrów.').waitFor();

    const { page: olga } = await stage.enter('operator@stage.example', { width: 1440, to: '/console' });
    await olga.goto('/console/payouts');
    await olga.getByRole('button', { name: 'Przygotuj paczkę' }).click();
    await olga.getByRole('dialog').getByRole('button', { name: 'Przygotuj paczkę' }).click();
    await olga.getByRole('heading', { name: /Paczka/ }).waitFor();
    const address = olga.url();
    await desk.goto(address);
    await desk.getByRole('button', { name: 'Zatwierdź paczkę' }).click();
    await desk.getByRole('dialog').getByRole('button', { name: 'Zatwierdź paczkę' }).click();
    await desk.getByText('do eksportu').waitFor();
    const { page: wiktor } = await stage.enter('owner@stage.example', { width: 1440, to: '/console', strong: true });
    await wiktor.goto(address);
    await wiktor.getByRole('button', { name: 'Zrób plik' }).click();
    await wiktor.getByRole('dialog').getByRole('button', { name: 'Zrób plik' }).click();
    const [file] = await Promise.all([wiktor.waitForEvent('download'), wiktor.getByRole('button', { name: 'Pobierz plik' }).click()]);
    const text = await new Response((await file.createReadStream()) as never).text();
    const [reference = ''] = (text.split('\r\n')[1] ?? '').split(';');
    const line = text.split('\r\n').findIndex((row) => row.includes(';R001;'));
    expect(text).toContain(';500,00;PLN;');

    await olga.reload();
    await olga.locator('input[type=file]').setInputFiles({ name: 'status.csv', mimeType: 'text/csv', buffer: Buffer.from(`order_ref;line_no;status;reason\n${[1, 2].map((n) => `${reference};${n};${n === line ? 'REJECTED;karta zablokowana' : 'LOADED;'}`).join('\n')}\n`) });
    await olga.getByText('rozliczona').waitFor();
    await settled(olga);
    expect(await axeFaults(olga)).toEqual([]);

    await page.reload();
    await page.getByText('nie udało się, punkty wróciły').first().waitFor();
    expect(await page.locator('main').innerText()).toContain('Powód: karta zablokowana');
    await page.goto('/rewards');
    await settled(page);
    expect(await page.locator('.purse').innerText()).toMatch(/^(9|\d\d)\s?\d{3}/); // all 9 000 and more are there again
    expect([...problems]).toEqual([]);
    expect((await verifyAll(stage.context, 'lapa')).faults).toEqual([]);
  });

  test('a voucher is ordered with two kettles; one kettle is taken back, the code shows when asked', async () => {
    const { page, problems } = await stage.enter('joanna@stage.example', { width: 360, language: 'en', to: '/rewards' });
    await page.getByRole('button', { name: 'Bony' }).click();
    await page.getByRole('link', { name: 'Shopping voucher 50 PLN' }).click();
    await page.getByRole('button', { name: 'Add to basket' }).click();
    await page.goto('/rewards/czajnik');
    await page.getByLabel('Pieces').fill('2');
    await page.getByRole('button', { name: 'Add to basket' }).click();
    for (const [label, value] of [['Street and number', 'Psia 4'], ['Postcode', '60-101'], ['City', 'Poznań']] as const) await page.getByLabel(label).fill(value);
    await page.getByRole('button', { name: 'Order', exact: true }).click();
    await page.getByRole('button', { name: 'Show the code' }).click();
    await page.locator('.code code').waitFor();
    expect(await page.locator('.code code').innerText()).toMatch(/^BON-/);
    await page.getByRole('button', { name: /Take back – the units return: Steel kettle/ }).first().click();
    await page.getByRole('button', { name: 'Yes, take it back' }).click();
    await page.getByText('cancelled, points returned').first().waitFor();
    await settled(page);
    expect(await axeFaults(page)).toEqual([]);
    expect((await stage.installation.admin<{ states: string }>(`SELECT string_agg(i.kind || ':' || i.state, ',' ORDER BY i.item_id) AS states FROM rewards.item AS i JOIN members.member AS m USING (tenant_id, program_id, member_id) WHERE m.code = 'R001' AND i.kind <> 'prepaid'`))[0]?.states.split(',').sort()).toEqual(['goods:approved', 'goods:cancelled', 'voucher:issued']);
    expect([...problems]).toEqual([]);
    expect((await verifyAll(stage.context, 'lapa')).faults).toEqual([]);
  });

  test('a company’s manager lets its wallet pay; a rep orders with it; the operator ships a parcel and the phone shows its number', async () => {
    await stage.context.transaction(async (tx) => {
      const program = await findProgram(tx, 'lapa');
      const { memberId } = await findMember(tx, program, 'S0001');
      await sql`INSERT INTO members.assignment (tenant_id, program_id, member_id, company, valid_from) SELECT tenant_id, program_id, member_id, 'S0001', '2026-01-01' FROM members.member WHERE code = 'R001'`.execute(tx);
      const posting = await openPosting(tx, stage.context, program);
      const { unitId } = await findUnit(tx, program.programId, 'points');
      await approveAdjustment(tx, posting, await proposeAdjustment(tx, { ...posting, memberId, unitId }, { amount: 3_000n, reason: 'Bonus', principal: 'olga' }), 'adam', true);
    });
    await stage.context.transaction((tx) => saveCompanies(tx, stage.context.tenantId, [{ code: 'S0001', name: 'Zoo Świat' }]));
    await recordEmployerWord(stage.context, 'lapa', { company: 'S0001', given: true, given_by: 'Szef', scope: 'program', document: 'aneks 1', valid_from: '2026-01-01' });
    const { page: boss } = await stage.enter('szef@stage.example', { width: 360, to: '/me/company' });
    await boss.getByLabel('Ludzie firmy mogą zamawiać za jej punkty').check();
    await boss.getByLabel(/Najwyżej miesięcznie/).fill('1000');
    await boss.getByRole('button', { name: 'Zapisz zasadę' }).click();
    await boss.getByText('Zapisane.').waitFor();
    expect(await axeFaults(boss)).toEqual([]);

    const { page } = await stage.enter('joanna@stage.example', { width: 360, to: '/rewards/schronisko' });
    await page.getByRole('button', { name: 'Do koszyka' }).click();
    await page.getByLabel(/Punkty firmy/).check();
    await settled(page);
    expect(await axeFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Zamawiam' }).click();
    await page.getByRole('heading', { name: 'Zamówienie' }).waitFor();
    expect((await stage.installation.admin<{ held: string }>(`SELECT held::text FROM ledger.wallet AS w JOIN members.member AS m USING (tenant_id, program_id, member_id) JOIN ledger.unit AS u USING (tenant_id, program_id, unit_id) WHERE m.code = 'S0001' AND u.key = 'points'`))[0]?.held).toBe('500');

    const { page: olga } = await stage.enter('operator@stage.example', { width: 1440, to: '/console' });
    await olga.goto('/console/orders?state=approved&kind=goods');
    await olga.getByRole('checkbox', { name: /Wybierz/ }).first().check();
    await olga.getByRole('button', { name: 'Wyślij' }).click();
    await olga.getByLabel('Przewoźnik').fill('InPost');
    await olga.getByLabel('Numer przesyłki').fill('6200112233');
    await olga.getByRole('dialog').getByRole('button', { name: 'Wyślij' }).click();
    await olga.getByText('Nic nie pasuje do tych filtrów.').waitFor();
    await page.goto('/rewards/orders');
    await page.getByRole('link', { name: /Czajnik.*wysłane/ }).click();
    await page.getByText('6200112233').waitFor();
    expect((await verifyAll(stage.context, 'lapa')).faults).toEqual([]);
  });

  test('an operator changes a price and adds a reward in the side panel; the catalogue has both', async () => {
    const { page, problems } = await stage.enter('operator@stage.example', { width: 1440, language: 'en', to: '/console' });
    await page.goto('/console/rewards');
    await page.getByRole('button', { name: 'Change: City backpack 25 l' }).click();
    await page.getByLabel('Price in units').fill('2100');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('2,100 pts').waitFor();
    await page.getByRole('button', { name: 'Add a reward' }).click();
    for (const [label, value] of [['Key', 'kubek'], ['Name in Polish', 'Kubek'], ['Name in English', 'Mug'], ['Price in units', '300'], ['Worth (PLN)', '30']] as const) await page.getByRole('dialog').getByLabel(label).fill(value);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('cell', { name: /^Mug/ }).waitFor();
    expect(await stage.installation.admin(`SELECT key, price::text, stock::text, worth_minor::text FROM rewards.reward WHERE key IN ('plecak', 'kubek') ORDER BY key`)).toEqual([{ key: 'kubek', price: '300', stock: null, worth_minor: '3000' }, { key: 'plecak', price: '2100', stock: '1', worth_minor: '21900' }]);
    expect([...problems]).toEqual([]);
  });
});
