import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordInput } from '../../server/src/modules/entitlements/index.ts';
import { saveCompanies } from '../../server/src/modules/members/index.ts';
import { settled } from '../support/browser.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';
import { axeFaults } from '../support/walk.ts';

describe.skipIf(noBrowser)('an employer’s word', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await aStage();
    await stage.person('operator');
    await stage.person('member', { member: 'R002', email: 'barbara@stage.example', name: 'Barbara Kowalska' });
    await stage.context.transaction((tx) => saveCompanies(tx, stage.context.tenantId, [{ code: 'HURT', name: 'Hurtownia Ogon' }]));
    await recordInput(stage.context, { kind: 'members', program: 'lapa', members: [{ code: 'R002', kind: 'person', company: 'HURT', from: '2026-11-20' }] });
  });
  afterAll(() => stage?.close());

  test('who lacks it is seen, the rep reads why; it is recorded with its document, and what it moves of the past waits for a second person', async () => {
    const { page: rep } = await stage.enter('barbara@stage.example', { width: 360 });
    await rep.getByText('punkty zbierasz, ale wydasz je dopiero potem').waitFor();
    expect(await axeFaults(rep)).toEqual([]);

    const { page, problems } = await stage.enter('operator@stage.example', { width: 1440, to: '/console' });
    await page.getByRole('link', { name: 'firmy bez zgody pracodawcy' }).click();
    await page.getByRole('cell', { name: 'Hurtownia Ogon' }).waitFor();
    const panel = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Zgoda pracodawcy' }).click();
    for (const [label, value] of [['Kto podpisał', 'A. Prezes'], ['Zakres', 'udział i nagrody'], ['Dokument', 'aneks 2'], ['Od dnia', '2026-11-01']] as const) await panel.getByLabel(label).fill(value);
    expect(await axeFaults(page)).toEqual([]);
    await panel.getByRole('button', { name: 'Zapisz zgodę' }).click();
    await page.getByText('Zapisane z dowodem.').waitFor();
    await page.getByText('Nic nie pasuje do tych filtrów.').waitFor();
    await rep.reload();
    await settled(rep);
    expect(await rep.getByText('punkty zbierasz').count()).toBe(0);

    // From now on nobody earns without it: that lies over recorded sales.
    await page.getByRole('button', { name: 'Bez zgody pracodawcy…' }).click();
    await panel.getByLabel('nie zdobywają punktów').check();
    expect(await axeFaults(page)).toEqual([]);
    await panel.getByRole('button', { name: 'Zapisz' }).click();
    await panel.getByText('Ta zmiana dotyczy zapisanej sprzedaży').waitFor();
    await panel.getByLabel(/Powód/).fill('opinia prawnika');
    await panel.getByRole('button', { name: 'Zaproponuj przeliczenie' }).click();
    await page.getByText('Druga osoba zobaczy skutki w liczbach i zdecyduje.').waitFor();
    expect(await stage.installation.admin(`SELECT settings ->> 'employer_consent' AS policy FROM members.program`)).toEqual([{ policy: 'block_payout' }]);
    expect(problems).toEqual([]);
  });
});
