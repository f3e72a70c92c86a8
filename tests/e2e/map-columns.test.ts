import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settled } from '../support/browser.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';
import { axeFaults } from '../support/walk.ts';

describe.skipIf(noBrowser)('an operator says how a source’s columns are read', () => {
  let stage: Stage;
  beforeAll(async () => { stage = await aStage(); await stage.person('operator'); });
  afterAll(() => stage?.close());

  test('beside its own rows, in its own encoding; kept, and the next file is read so', async () => {
    const { page, problems } = await stage.enter('operator@stage.example', { width: 1440, to: '/console' });
    await page.goto('/console/imports');
    await settled(page);
    await page.getByRole('combobox', { name: 'Źródło' }).click();
    await page.getByRole('option', { name: 'academy' }).click();
    await page.getByRole('button', { name: 'Jak czytać kolumny' }).click();
    const text = 'Papier|Kiedy|Sklep|Wartość żwirku\nP/1|2026-11-18|S0001|120,00\nP/2|2026-11-18|S0002|80,50\n';
    const windows1250 = Buffer.from([...text].map((letter) => ({ ś: 0x9c, ć: 0xe6, ż: 0xbf })[letter] ?? letter.charCodeAt(0)));
    const panel = page.getByRole('dialog');
    await panel.locator('input[type=file]').setInputFiles({ name: 'probka.csv', mimeType: 'text/csv', buffer: windows1250 });
    const choose = async (label: string | RegExp, option: string): Promise<void> => { await panel.getByRole('combobox', { name: label }).click(); await page.getByRole('option', { name: option, exact: true }).click(); };
    await choose('Kodowanie', 'windows-1250');
    await choose(/^Numer dokumentu/, 'Papier');
    await choose(/^Data/, 'Kiedy');
    await choose('Kupujący', 'Sklep');
    await choose('Wartość netto', 'Wartość żwirku');
    await choose('Znak dziesiętny', 'przecinek');
    expect((await panel.getByRole('table').innerText()).replaceAll(/\s+/g, ' ')).toContain('P/1 2026-11-18 S0001 120,00 P/2 2026-11-18 S0002 80,50');
    expect(await axeFaults(page)).toEqual([]);
    await panel.getByRole('button', { name: 'Zapisz mapowanie' }).click();
    await page.getByText('Następny plik tego źródła będzie tak czytany.').waitFor();
    await page.getByRole('combobox', { name: 'Źródło' }).click();
    await page.getByRole('option', { name: 'academy' }).click();
    await page.locator('section.drop input[type=file]').setInputFiles({ name: 'academy.csv', mimeType: 'text/csv', buffer: windows1250 });
    await page.getByRole('heading', { name: 'academy.csv' }).waitFor();
    await settled(page);
    expect(await page.locator('main').innerText()).toMatch(/nowych\s+2/);
    expect(problems).toEqual([]);
  });
});
