import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordSales } from '../../server/src/modules/entitlements/index.ts';
import { settled } from '../support/browser.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';
import { aSale } from '../support/world.ts';

describe.skipIf(noBrowser)('a shop owner comes in by a link on a small screen and understands +15', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await aStage();
    await stage.person('member', { member: 'S0001', email: 'sklep@stage.example' });
    await recordSales(stage.context, { program: 'lapa', source: 'distributor', lines: [aSale({ number: 'FV/15', on: '2026-11-19', net: '155.90', buyer: 'S0001' })] });
  });
  afterAll(() => stage?.close());

  test('link, home, receipt, question', async () => {
    const { page, problems } = await stage.enter(null, { width: 360 });
    await page.goto('/');
    await page.waitForURL(/sign-in/);
    await page.getByLabel('E-mail').fill('sklep@stage.example');
    await page.getByRole('button', { name: 'Wyślij mi link do wejścia' }).click();
    await page.getByRole('status').waitFor();
    await page.goto('/mailbox');
    await page.getByRole('link', { name: 'Otwórz link' }).first().click();
    await page.getByRole('link', { name: 'Wejdź' }).click();
    await page.getByRole('heading', { name: 'Co nowego' }).waitFor();
    await settled(page);
    const entry = page.getByRole('link', { name: /\+15.*FV\/15/ });
    expect(await entry.innerText()).toMatch(/\+15\spkt/);
    await entry.click();
    await settled(page);
    const receipt = await page.locator('main').innerText();
    expect(receipt).toContain('1 punkt za każde pełne 10 zł'.replaceAll(' zł', '\u00a0zł').replace('1 punkt', '1\u00a0punkt'));
    expect(receipt).toMatch(/15 × 1 = 15/);
    expect(receipt).toContain('§4.1');
    await page.getByRole('button', { name: 'To się nie zgadza?' }).click();
    await page.getByLabel('Co się nie zgadza?').fill('Miało być 16.');
    await page.getByRole('button', { name: 'Wyślij do organizatora' }).click();
    await page.getByText('Wysłane.').waitFor();
    expect((await stage.installation.admin(`SELECT subject, document FROM members.inquiry`))[0]).toEqual({ subject: 'FV/15', document: 'FV/15' });
    const small = await page.evaluate<string[]>(`[...document.querySelectorAll('nav a, button, .button')].filter((item) => item.getClientRects().length > 0 && item.getBoundingClientRect().height < 44).map((item) => item.textContent)`);
    expect(small).toEqual([]);
    expect(problems).toEqual([]);
  });
});
