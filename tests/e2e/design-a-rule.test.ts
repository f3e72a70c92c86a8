import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settled } from '../support/browser.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';
import { axeFaults } from '../support/walk.ts';

describe.skipIf(noBrowser)('the designer tries a rule and publishes it', () => {
  let stage: Stage;
  beforeAll(async () => { stage = await aStage(); await stage.person('operator'); });
  afterAll(() => stage?.close());

  test('preset, live panel with real cases, conditions, publication for the future; the past is a proposal', async () => {
    const { page, problems } = await stage.enter('operator@stage.example', { width: 1440, to: '/console' });
    await page.goto('/console/mechanics/new');
    await settled(page);
    await page.getByRole('combobox', { name: 'Wzór' }).click();
    await page.getByRole('option', { name: 'Punkty za każde pełne n zł' }).click();
    await page.getByLabel(/^Klucz/).fill('zwirek');
    await page.getByLabel('Nazwa').fill('Żwirek bonus');
    await page.getByLabel('Od dnia').fill('2026-09-01');
    await page.getByLabel(/^Ile punktów/).fill('3');
    await page.getByLabel(/^Za każde/).fill('50');
    await page.getByText('3 punkty za każde pełne 50').first().waitFor();
    await settled(page);
    const panel = page.locator('section.card', { hasText: 'Gdyby działała' });
    expect(await panel.innerText()).toMatch(/Prawdziwe przypadki \(\d[\d\s]* razem\)/);
    expect(await panel.locator('tbody').nth(1).locator('tr').count()).toBe(10);
    await page.getByRole('tab', { name: 'Co się liczy' }).click();
    await page.getByRole('button', { name: '+ warunek' }).click();
    await page.locator('.rule-value').fill('żwirek');
    await page.getByText('kategoria: żwirek').first().waitFor();
    await settled(page);
    await page.getByRole('button', { name: 'Opublikuj' }).click();
    await page.getByRole('dialog').getByLabel('Obowiązuje od').fill('2026-12-01');
    expect(await axeFaults(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Opublikuj' }).click();
    await page.waitForURL(/\/console\/mechanics$/);
    await page.getByRole('link', { name: 'Żwirek bonus' }).waitFor();
    const [version] = await stage.installation.admin<{ starts_on: string; where: unknown }>(`SELECT v.starts_on::text, v.definition -> 'facts' -> 'where' AS where FROM mechanics.mechanic_version AS v JOIN mechanics.mechanic AS m ON m.mechanic_id = v.mechanic_id WHERE m.key = 'zwirek'`);
    expect(version).toEqual({ starts_on: '2026-12-01', where: { is: 'oneOf', field: 'category', values: ['żwirek'] } });
    expect(problems).toEqual([]);
  });
});
