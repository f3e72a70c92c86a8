import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settled } from '../support/browser.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';

describe.skipIf(noBrowser)('a member adds a passkey and comes in by it', () => {
  let stage: Stage;
  beforeAll(async () => { stage = await aStage(); await stage.person('member', { member: 'S0001' }); });
  afterAll(() => stage?.close());

  test('added on the phone, then no password is needed', async () => {
    const { page, problems } = await stage.enter('member@stage.example', { width: 360 });
    const device = await page.context().newCDPSession(page);
    await device.send('WebAuthn.enable');
    await device.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
    await page.goto('/me/security');
    await settled(page);
    await page.getByRole('button', { name: 'Dodaj klucz z tego urządzenia' }).click();
    await page.getByText('Dodany.').waitFor();
    await page.goto('/me');
    await settled(page);
    await page.getByRole('button', { name: 'Wyloguj się' }).click();
    await page.waitForURL(/sign-in/);
    await page.getByRole('button', { name: 'Użyj klucza dostępu' }).click();
    await page.getByRole('heading', { name: 'Co nowego' }).waitFor();
    const [session] = await stage.installation.admin<{ strong: boolean }>(`SELECT strong FROM auth."session" ORDER BY "createdAt" DESC LIMIT 1`);
    expect(session?.strong).toBe(true);
    expect(problems).toEqual([]);
  });
});
