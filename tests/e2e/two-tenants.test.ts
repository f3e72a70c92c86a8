import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settled } from '../support/browser.ts';
import { aStage, fill, noBrowser, type Stage } from '../support/stage.ts';

describe.skipIf(noBrowser)('two tenants never see each other', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await aStage();
    const other = await stage.installation.tenant('other');
    other.clock.at = '2026-11-20T10:00:00Z';
    await fill(other);
    await stage.installation.admin(`UPDATE members.person SET name = 'KANAREK' WHERE tenant_id = $1`, [other.tenantId]);
    await stage.installation.admin(`UPDATE identity.tenant SET name = 'Druga agencja' WHERE tenant_id = $1`, [other.tenantId]);
    await stage.person('operator');
    await stage.person('operator', { email: 'both@stage.example' });
    await stage.person('operator', { email: 'both@stage.example', context: other });
  });
  afterAll(() => stage?.close());

  test('by list, by address, by header; who works for both changes place and sees one at a time', async () => {
    const { page } = await stage.enter('operator@stage.example', { width: 1440, to: '/console' });
    const foreign = (await stage.installation.admin<{ id: string }>(`SELECT max(document_id)::text AS id FROM facts.document WHERE tenant_id = (SELECT tenant_id FROM identity.tenant WHERE key = 'other')`))[0]?.id ?? '';
    for (const address of ['/console', '/console/members', '/console/sales', '/console/ledger', '/console/mechanics', `/console/sales/${foreign}`]) {
      await page.goto(address);
      await settled(page);
      expect(await page.locator('body').innerText(), address).not.toContain('KANAREK');
    }
    expect(await page.locator('main').innerText()).toContain('Nie ma takiego dokumentu.');
    expect(await page.evaluate(`fetch('/v1/programs/lapa/members', { headers: { 'x-premia-tenant': 'other' } }).then((answer) => answer.status)`)).toBe(404);
    expect(await page.locator('body').innerText()).not.toContain('Druga agencja');

    const { page: both, problems } = await stage.enter('both@stage.example', { width: 1440, to: '/console' });
    await both.goto('/console/members');
    await settled(both);
    expect(await both.locator('main').innerText()).not.toContain('KANAREK');
    await both.getByRole('combobox', { name: 'Program' }).click();
    await both.getByRole('option', { name: /Druga agencja/ }).click();
    await both.getByText('KANAREK').first().waitFor();
    await settled(both);
    expect(await both.locator('main').innerText()).not.toContain('Kowalska');
    expect(problems).toEqual([]);
  });
});
