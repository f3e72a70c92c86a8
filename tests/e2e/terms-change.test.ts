import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settled } from '../support/browser.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';

describe.skipIf(noBrowser)('the terms change', () => {
  let stage: Stage;
  beforeAll(async () => { stage = await aStage(); await stage.person('member', { member: 'S0001' }); await stage.person('operator'); });
  afterAll(() => stage?.close());

  test('a material version stands in front of the portal until it is accepted, with evidence', async () => {
    const { page: member } = await stage.enter('member@stage.example', { width: 360 });
    await member.getByRole('heading', { name: 'Co nowego' }).waitFor();
    const { page, problems } = await stage.enter('operator@stage.example', { width: 1440, to: '/console' });
    await page.goto('/console/settings/terms');
    await settled(page);
    await page.getByLabel('Po polsku').fill('Regulamin, wersja druga.\n§1. Punkty są za zakupy i za cele.');
    await page.getByLabel('Po angielsku').fill('Terms, second version.\n§1. Points are for purchases and targets.');
    await page.getByLabel('Obowiązuje od').fill('2026-11-20');
    await page.getByRole('button', { name: 'Opublikuj regulamin' }).click();
    await page.getByText('Wersja 2 opublikowana.').waitFor();
    await member.goto('/');
    await member.getByText('§1. Punkty są za zakupy i za cele.').waitFor();
    expect(await member.getByRole('button', { name: 'Akceptuję i wchodzę' }).isDisabled()).toBe(true);
    await member.getByLabel('Akceptuję regulamin programu.').check();
    await member.getByRole('button', { name: 'Akceptuję i wchodzę' }).click();
    await member.getByRole('heading', { name: 'Co nowego' }).waitFor();
    const accepted = await stage.installation.admin<{ version: number; agent: string }>(`SELECT version, evidence ->> 'agent' AS agent FROM members.acceptance ORDER BY version`);
    expect(accepted.map((row) => row.version)).toEqual([1, 2]);
    expect(accepted[1]?.agent).toContain('Mozilla');
    expect(problems).toEqual([]);
  });
});
