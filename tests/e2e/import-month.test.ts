import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settled } from '../support/browser.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';
import { axeFaults } from '../support/walk.ts';

describe.skipIf(noBrowser)('the operator imports the month, a second person approves', () => {
  let stage: Stage;
  beforeAll(async () => { stage = await aStage(); await stage.person('operator'); await stage.person('approver'); });
  afterAll(() => stage?.close());

  test('dropped, previewed, mended, approved by another, booked once', async () => {
    const { page, problems } = await stage.enter('operator@stage.example', { width: 1440, to: '/console' });
    await page.goto('/console/imports');
    await settled(page);
    const file = ['Faktura;Lp;Data;Sklep;Handlowiec;Indeks;Ilość;Netto', 'FV/E2E/1;1;2026-11-18;S0001;R001;KAR-PIES-10;2;229,80', 'FV/E2E/2;1;2026-11-18;S0002;R002;KAR-KOT-10;1;129,90', 'FV/E2E/3;1;2026-11-18;S0003;R003;KAR-KOT-10;1;sto złotych'].join('\n');
    await page.locator('input[type=file]').setInputFiles({ name: 'listopad.csv', mimeType: 'text/csv', buffer: Buffer.from(file) });
    await page.getByRole('heading', { name: 'listopad.csv' }).waitFor();
    await settled(page);
    expect(await page.locator('main').innerText()).toMatch(/nowych\s+2/);
    expect(await page.getByRole('button', { name: 'Zatwierdź import' }).count()).toBe(0); // who staged it does not even see the button
    expect(await axeFaults(page)).toEqual([]);
    await page.getByLabel(/Wartość, wiersz 4/).fill('129,90');
    await page.getByRole('button', { name: 'Popraw i sprawdź ponownie' }).click();
    await page.getByText('Naprawione: 1.').waitFor();
    await settled(page);
    expect(await page.locator('main').innerText()).toMatch(/nowych\s+3/);
    const address = page.url();

    const { page: second, problems: more } = await stage.enter('approver@stage.example', { width: 1440, to: '/console', strong: true });
    await second.goto('/console/approvals');
    await settled(second);
    await second.getByRole('link', { name: 'listopad.csv' }).click();
    await settled(second);
    await second.getByRole('button', { name: 'Zatwierdź import' }).click();
    expect((await second.getByRole('dialog').innerText()).replaceAll('\u00a0', ' ')).toContain('3 nowe wiersze z 3 dokumentów');
    expect(await axeFaults(second)).toEqual([]);
    await second.getByRole('dialog').getByRole('button', { name: 'Zatwierdź import' }).click();
    await second.getByText('Zapisano 3 wiersze.').waitFor();
    await page.goto(address);
    await settled(page);
    await page.getByText('zapisany', { exact: true }).waitFor();
    const [booked] = await stage.installation.admin<{ n: number }>(`SELECT count(*)::int AS n FROM ledger.transfer AS t JOIN facts.document AS d ON d.document_id = t.subject_id WHERE d.number LIKE 'FV/E2E/%' AND t.kind = 'grant'`);
    expect(booked?.n).toBeGreaterThanOrEqual(3);
    const [audited] = await stage.installation.admin<{ people: number }>(`SELECT count(DISTINCT principal)::int AS people FROM identity.audit WHERE action IN ('import.staged', 'import.approved')`);
    expect(audited?.people).toBe(2);
    expect([...problems, ...more]).toEqual([]);
  });
});
