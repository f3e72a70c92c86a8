import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settled } from '../support/browser.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';
import { axeFaults } from '../support/walk.ts';

describe.skipIf(noBrowser)('an operator keeps what rules refer to', () => {
  let stage: Stage;
  beforeAll(async () => { stage = await aStage(); await stage.person('operator'); });
  afterAll(() => stage?.close());

  test('a season, a unit’s names and a source are changed at once; a tier’s line becomes a proposal', async () => {
    const { page, problems } = await stage.enter('operator@stage.example', { width: 1440, to: '/console' });
    const file = async (): Promise<Record<string, Record<string, unknown>[]>> => (await stage.installation.admin<{ settings: Record<string, Record<string, unknown>[]> }>(`SELECT settings FROM members.program WHERE key = 'lapa'`))[0]?.settings ?? {};
    const panel = page.getByRole('dialog');
    const save = async (): Promise<void> => { await panel.getByRole('button', { name: 'Zapisz' }).click(); await page.getByText('Zapisane.', { exact: true }).last().waitFor(); await panel.waitFor({ state: 'hidden' }); };

    await page.goto('/console/catalogue/periods');
    await settled(page);
    await page.getByRole('button', { name: 'Nowy okres' }).click();
    await panel.getByLabel('Kalendarz (klucz)').fill('sezony');
    await panel.getByLabel('Nazwa').fill('Święta 2027');
    await panel.getByLabel('Od', { exact: true }).fill('2027-12-24');
    await panel.getByLabel('Do', { exact: true }).fill('2027-12-01');
    await panel.getByRole('button', { name: 'Zapisz' }).click();
    await page.getByText(/okres kończy się, zanim się zacznie/).waitFor();
    await panel.getByLabel('Od', { exact: true }).fill('2027-12-01');
    await panel.getByLabel('Do', { exact: true }).fill('2027-12-31');
    expect(await axeFaults(page)).toEqual([]);
    await save();
    await page.getByRole('cell', { name: 'Święta 2027', exact: true }).waitFor();

    await page.goto('/console/catalogue/units');
    await settled(page);
    await page.getByRole('button', { name: /^Zmień: / }).first().click();
    await panel.getByLabel('skrót (pkt)').fill('p.');
    expect(await axeFaults(page)).toEqual([]);
    await save();

    await page.goto('/console/catalogue/sources');
    await settled(page);
    await page.getByRole('button', { name: 'Zmień: distributor' }).click();
    await panel.getByLabel('Nazwa po polsku').fill('Hurtownia Ogon');
    expect(await axeFaults(page)).toEqual([]);
    await save();
    expect(await file()).toMatchObject({ periods: expect.arrayContaining([expect.objectContaining({ calendar: 'sezony', starts_on: '2027-12-01' })]), sources: expect.arrayContaining([expect.objectContaining({ key: 'distributor', name: { pl: 'Hurtownia Ogon', en: 'Hurtownia Ogon' } })]) });
    expect((await file())['units']?.[0]).toMatchObject({ names: { pl: { short: 'p.' } } });

    await page.goto('/console/catalogue/tiers');
    await settled(page);
    const before = (await file())['tier_sets'];
    await page.getByRole('button', { name: 'Zmień', exact: true }).first().click();
    await panel.getByLabel('Od (w mierze drabiny)').first().fill('1');
    expect(await axeFaults(page)).toEqual([]);
    await panel.getByRole('button', { name: 'Zapisz' }).click();
    await panel.getByText('Ta zmiana dotyczy zapisanej sprzedaży').waitFor();
    await panel.getByLabel(/Powód/).fill('niższy próg na start');
    await panel.getByRole('button', { name: 'Zaproponuj przeliczenie' }).click();
    await page.getByText('Druga osoba zobaczy skutki w liczbach i zdecyduje.').waitFor();
    expect((await file())['tier_sets']).toEqual(before); // nothing has happened yet
    expect(await stage.installation.admin(`SELECT state, reason FROM entitlements.recalculation`)).toEqual([{ state: 'proposed', reason: 'niższy próg na start' }]);
    expect(problems.filter((problem) => !/409|422/.test(problem))).toEqual([]);
  });
});
