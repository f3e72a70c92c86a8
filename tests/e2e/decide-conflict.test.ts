import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateDemo } from '../../server/src/demo/generate-demo.ts';
import { recordSales } from '../../server/src/modules/entitlements/index.ts';
import { settled } from '../support/browser.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';
import { axeFaults } from '../support/walk.ts';
import { verifyAll } from '../../server/src/verify.ts';

describe.skipIf(noBrowser)('a document comes again, changed', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await aStage();
    await stage.person('approver');
    const [first, second] = (generateDemo('2026-11-20').months.at(-1)?.lines ?? []).filter((line) => line.rep === 'code:R001' && line.kind === 'sale' && line.netMinor > 0n).filter((line, index, all) => all.findIndex((other) => other.number === line.number) === index);
    if (!first || !second) throw new Error('the demo has no two sales');
    for (const line of [first, second]) await recordSales(stage.context, { program: 'lapa', source: 'distributor', lines: [{ ...line, netMinor: line.netMinor + 100_010n }] });
  });
  afterAll(() => stage?.close());

  test('the approver sees both, what accepting does in numbers, and says why', async () => {
    const { page, problems } = await stage.enter('approver@stage.example', { width: 1440, to: '/console', strong: true });
    const states = (): Promise<{ state: string; n: number }[]> => stage.installation.admin(`SELECT state, count(*)::int AS n FROM facts.conflict GROUP BY 1 ORDER BY 1`);
    expect(await states()).toEqual([{ state: 'open', n: 2 }]);
    await page.goto('/console/imports?tab=conflicts');
    await settled(page);
    await page.getByRole('button', { name: 'Przyjmij nowy' }).first().click();
    const dialog = page.getByRole('dialog');
    const said = (await dialog.innerText()).replaceAll(/[\u00a0\u202f]/g, ' ');
    const [, before = '', after = ''] = /Netto zmieni się z ([\d ,]+) zł na ([\d ,]+) zł/.exec(said) ?? [];
    const minor = (text: string): bigint => BigInt(text.replaceAll(/[ ,]/g, ''));
    expect(minor(after)).not.toBe(minor(before));
    expect(await axeFaults(page)).toEqual([]);
    expect(await dialog.getByRole('button', { name: 'Przyjmij nowy' }).isDisabled()).toBe(true); // not without a reason
    await dialog.getByLabel(/Powód/).fill('dystrybutor poprawił cenę');
    await dialog.getByRole('button', { name: 'Przyjmij nowy' }).click();
    await page.getByText('Rozstrzygnięte.').first().waitFor();
    await settled(page);
    await page.getByRole('button', { name: 'Zostaw zapisany' }).click();
    await dialog.getByText(/Nic się nie zmieni/).waitFor();
    await dialog.getByLabel(/Powód/).fill('pomyłka po ich stronie');
    await dialog.getByRole('button', { name: 'Zostaw zapisany' }).click();
    await page.getByText('Żaden dokument nie przyszedł inny niż zapisany.').waitFor();
    expect(await states()).toEqual([{ state: 'accepted', n: 1 }, { state: 'kept', n: 1 }]);
    expect(JSON.stringify(await stage.installation.admin(`SELECT after FROM identity.audit WHERE action LIKE 'conflict.%' ORDER BY audit_id`))).toMatch(/dystrybutor poprawił cenę.*pomyłka po ich stronie/);
    expect((await verifyAll(stage.context, 'lapa')).differences).toBe(0);
    expect(problems).toEqual([]);
  });
});
