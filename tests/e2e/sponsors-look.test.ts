import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settled } from '../support/browser.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';

describe.skipIf(noBrowser)('a sponsor’s look', () => {
  let stage: Stage;
  beforeAll(async () => { stage = await aStage(); await stage.person('member', { member: 'S0001' }); await stage.person('operator'); });
  afterAll(() => stage?.close());

  test('a colour that cannot be read is refused with its ratio; a good one is in both applications', async () => {
    const { page, problems } = await stage.enter('operator@stage.example', { width: 1440, to: '/console' });
    await page.goto('/console/settings/look');
    await settled(page);
    await page.getByLabel('Kolor wiodący').fill('#ffd84d');
    await page.getByRole('button', { name: 'Zapisz wygląd' }).click();
    await page.getByText(/potrzeba co najmniej 4,5 : 1/).waitFor();
    await page.getByLabel('Kolor wiodący').fill('#7a1f5c');
    await page.getByRole('button', { name: 'Zapisz wygląd' }).click();
    await page.getByText(/Obie aplikacje już tak wyglądają/).waitFor();
    const accentOf = `getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()`;
    await page.reload();
    await settled(page);
    expect(await page.evaluate(accentOf)).toBe('#7a1f5c');
    const { page: member } = await stage.enter('member@stage.example', { width: 360 });
    expect(await member.evaluate(accentOf)).toBe('#7a1f5c');

    // A program has its own sponsor's look, until it looks like its organization again.
    await page.locator('.mantine-SegmentedControl-root label').nth(1).click();
    await page.getByText(/Zapisz, żeby miał wygląd swojego sponsora/).waitFor();
    await page.getByLabel('Kolor wiodący').fill('#1d4ed8');
    await page.getByRole('button', { name: 'Zapisz wygląd' }).click();
    await page.getByRole('button', { name: 'Jak organizacja' }).waitFor();
    await member.reload();
    await settled(member);
    expect(await member.evaluate(accentOf)).toBe('#1d4ed8');
    await page.getByRole('button', { name: 'Jak organizacja' }).click();
    await page.getByText(/Zapisz, żeby miał wygląd swojego sponsora/).waitFor();
    await member.reload();
    await settled(member);
    expect(await member.evaluate(accentOf)).toBe('#7a1f5c');
    expect(problems).toEqual([]);
  });
});
