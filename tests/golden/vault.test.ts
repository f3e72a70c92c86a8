import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertVault } from '../../server/src/modules/rewards/index.ts';
import { openDatabase } from '../../server/src/platform/database.ts';
import { NO_VAULT, makeVault } from '../../server/src/platform/vault.ts';
import { anInstallation, type Installation } from '../support/installation.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

test('what was sealed opens for its tenant and secret alone, never twice the same, and not when a bit has changed', () => {
  const [vault, other] = [makeVault('one'), makeVault('two')];
  const sealed = vault.seal(1n, 'PL61109010140000071219812874');
  expect(vault.open(1n, sealed).toString()).toBe('PL61109010140000071219812874');
  expect(vault.seal(1n, 'PL61109010140000071219812874').equals(sealed)).toBe(false);
  for (const wrong of [() => other.open(1n, sealed), () => vault.open(2n, sealed), () => vault.open(1n, Buffer.concat([Buffer.from([9]), sealed.subarray(1)]))]) expect(wrong).toThrow();
  for (let at = 1; at < sealed.length; at += 1) { const changed = Buffer.from(sealed); changed[at] = (changed[at] ?? 0) ^ 1; expect(() => vault.open(1n, changed), `byte ${at}`).toThrow(); }
  expect(sealed.includes(Buffer.from('10901014'))).toBe(false);
  expect(() => NO_VAULT.seal(1n, 'x')).toThrow(/data secret/);
});

test('marks find duplicates within a tenant and purpose, and say nothing across them', () => {
  const vault = makeVault('one');
  const mark = vault.mark(1n, 'voucher', 'ABC');
  expect(vault.mark(1n, 'voucher', 'ABC').equals(mark)).toBe(true);
  for (const other of [vault.mark(2n, 'voucher', 'ABC'), vault.mark(1n, 'card', 'ABC'), vault.mark(1n, 'voucher', 'ABD'), makeVault('two').mark(1n, 'voucher', 'ABC')]) expect(other.equals(mark)).toBe(false);
});

test('an installation that comes with another secret is turned away at the door', async () => {
  await installation.tenant();
  await assertVault(installation.db);
  await assertVault(installation.db);
  const stranger = openDatabase(installation.url, 'premia_app', { max: 1, secret: 'another' });
  try { await expect(assertVault(stranger)).rejects.toThrow(/another data secret/); } finally { await stranger.close(); }
});
