import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settled } from '../support/browser.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';
import { axeFaults } from '../support/walk.ts';

describe.skipIf(noBrowser)('support answers “why not?”', () => {
  let stage: Stage;
  let number = '';
  beforeAll(async () => {
    stage = await aStage();
    await stage.person('member', { member: 'R002' });
    await stage.person('support');
    number = (await stage.installation.admin<{ number: string }>(`SELECT d.number FROM facts.document AS d JOIN facts.fact AS f ON f.document_id = d.document_id JOIN members.member AS m ON m.member_id = f.member_id WHERE m.code = 'R002' AND d.kind = 'sale' ORDER BY d.occurred_on DESC LIMIT 1`))[0]?.number ?? '';
  });
  afterAll(() => stage?.close());

  test('the rep asks about an invoice; support sees each rule’s reason and answers; the rep reads it', async () => {
    const { page: rep } = await stage.enter('member@stage.example', { width: 360 });
    await rep.goto('/activity');
    await settled(rep);
    await rep.getByLabel(/Nie widzisz faktury/).fill(number);
    await rep.getByRole('button', { name: 'Sprawdź' }).click();
    await settled(rep);
    expect(await rep.locator('main').innerText()).toContain('masz w tej sprzedaży inną rolę');
    await rep.getByRole('button', { name: 'To się nie zgadza?' }).click();
    await rep.getByLabel('Co się nie zgadza?').fill('Gdzie moje punkty za tę fakturę?');
    await rep.getByRole('button', { name: 'Wyślij do organizatora' }).click();
    await rep.getByText('Wysłane.').waitFor();

    const { page, problems } = await stage.enter('support@stage.example', { width: 1440, to: '/console' });
    await page.getByRole('link', { name: 'zgłoszenia bez odpowiedzi' }).click();
    await settled(page);
    await page.getByRole('link', { name: number }).first().click();
    await page.getByRole('dialog').getByRole('link', { name: 'sprawdź dlaczego' }).waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await page.getByLabel('Odpowiedź').fill('Za sprzedaż przedstawiciela liczy się cel miesięczny, nie pojedyncza faktura.');
    await page.getByRole('button', { name: 'Wyślij odpowiedź' }).click();
    await page.getByText('Odpowiedź wysłana.').waitFor();
    await rep.goto('/');
    await settled(rep);
    await rep.getByRole('link', { name: /odpowiedź na Twoje zgłoszenie/ }).click();
    await rep.getByText('liczy się cel miesięczny, nie pojedyncza faktura').waitFor();
    expect(problems).toEqual([]);
  });
});
