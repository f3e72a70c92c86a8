import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settled } from '../support/browser.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';
import { axeFaults } from '../support/walk.ts';

describe.skipIf(noBrowser)('the manager sets targets by paste', () => {
  let stage: Stage;
  beforeAll(async () => { stage = await aStage(); await stage.person('operator'); });
  afterAll(() => stage?.close());

  test('a range of a spreadsheet lands in its cells, is saved with its reason, and attainment follows', async () => {
    const { page, problems } = await stage.enter('operator@stage.example', { width: 1440, to: '/console' });
    await page.goto('/console/targets?from=2026-11-01');
    await settled(page);
    const first = page.locator('[data-cell="0-1"]');
    await first.focus();
    await page.evaluate(`(() => { const data = new DataTransfer(); data.setData('text', '12 500,50\\t13000\\r\\n14 000\\t15000\\r\\n'); document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })); })()`);
    expect(await page.locator('[data-cell="0-1"]').inputValue()).toBe('12500.50');
    expect(await page.locator('[data-cell="1-2"]').inputValue()).toBe('15000');
    await page.getByRole('button', { name: /Zapisz cele \(4\)/ }).click();
    await page.getByLabel(/Powód/).fill('plan na święta');
    await page.getByRole('dialog').getByRole('button', { name: 'Zapisz cele' }).click();
    await page.getByText('Zapisane: 4 cele.').waitFor();
    const saved = await stage.installation.admin(`SELECT m.code, t.window_start::text, t.value::text, t.reason FROM mechanics.target AS t JOIN members.member AS m ON t.subject = 'member:' || m.member_id WHERE t.current AND t.reason IS NOT NULL ORDER BY 1, 2`);
    expect(saved).toEqual([['R001', '2026-12-01', '1250050'], ['R001', '2027-01-01', '1300000'], ['R002', '2026-12-01', '1400000'], ['R002', '2027-01-01', '1500000']].map(([code, window_start, value]) => ({ code, window_start, value, reason: 'plan na święta' })));
    const file = (text: string): Promise<void> => page.locator('input[type=file]').setInputFiles({ name: 'cele.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    await file('kod;2026-12;2027-01\nR001;13 000,00;nie wiem\n');
    await page.getByText('wiersz 2: R001, nie wiem').waitFor();
    expect(await page.getByRole('button', { name: 'Zapisz cele' }).isDisabled()).toBe(true);
    await file('kto;miesiąc;wartość\nR001;12.2026;13 000,00\nR002;2026-12;14500\n');
    await page.getByText('Wczytane: 2 cele. Sprawdź i zapisz.').waitFor();
    expect(await page.locator('[data-cell="0-1"]').inputValue()).toBe('13000.00');
    await page.getByRole('button', { name: /Zapisz cele \(2\)/ }).click();
    await page.getByLabel(/Powód/).fill('po rozmowie');
    await page.getByRole('dialog').getByRole('button', { name: 'Zapisz cele' }).click();
    await page.getByText('Zapisane: 2 cele.').waitFor();
    await settled(page);
    await page.getByRole('button', { name: /historia celu: .*grudzień 2026/ }).first().click();
    const history = (await page.getByRole('dialog').getByRole('table').innerText()).replaceAll(/[\s\u00a0]+/g, ' ');
    expect(history).toMatch(/13 000(,00)? .*po rozmowie 12 500,5\d? .*plan na święta/);
    expect(await axeFaults(page)).toEqual([]);
    expect(problems).toEqual([]);
  });
});
