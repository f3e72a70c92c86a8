import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordMembers, recordSales } from '../../server/src/modules/entitlements/index.ts';
import { anApp } from '../support/http.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aPerson } from '../support/people.ts';
import { PROFILE } from '../support/reward-world.ts';
import { aProgram, aSale, aWorld, perHundred } from '../support/world.ts';

/** Battery G1: a person with canaries in every place that can hold one; after erasure none is found anywhere, and the books do not notice. */
let installation: Installation;
let app: Awaited<ReturnType<typeof anApp>>;
beforeAll(async () => { installation = await anInstallation(); app = await anApp(installation); });
afterAll(async () => { await app.close(); await installation.close(); });

const CODE = 'JAN-KANAREK-77';
const CANARIES = ['Kanarkowski', 'kanarek@ptaki.example', '5260001246', CODE];

/** Where in the whole database a text still is. */
async function found(text: string): Promise<string[]> {
  const tables = await installation.admin<{ name: string }>(`SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`);
  const hits: string[] = [];
  for (const { name } of tables) if ((await installation.admin(`SELECT 1 FROM ${name} AS t WHERE t::text ILIKE '%' || $1 || '%' LIMIT 1`, [text])).length > 0) hits.push(name);
  return hits;
}

test('twelve places, no trace; balances, tiers and seals as before; a later file does not bring the person back', async () => {
  const context = await installation.tenant('erasing');
  const world = await aWorld(context, aProgram([perHundred]));
  await recordMembers(context, { program: 'p', members: [{ code: CODE, kind: 'person', name: 'Jan Kanarkowski', email: 'kanarek@ptaki.example', nip: '5260001246' }] });
  const { browser: jan } = await aPerson(app, context, { email: 'kanarek@ptaki.example', role: 'member', program: 'p', member: CODE });
  const { browser: owner } = await aPerson(app, context, { email: 'owner-g1@x.example', role: 'owner', strong: true });
  await world.sell({ number: 'G1', on: '2026-03-31', net: '349.90', buyer: CODE }, { number: 'G2', on: '2026-03-31', net: '100.00', buyer: 'shop' }, { number: 'G3', on: '2026-03-31', net: '700.00', buyer: 'shop', rep: CODE });
  await world.sell({ number: 'G1', on: '2026-03-31', net: '400.00', buyer: CODE }); // a conflict keeps what came
  await owner.ask('POST', '/v1/programs/p/invitations', { people: [{ member: CODE, email: 'kanarek@ptaki.example', name: 'Jan Kanarkowski' }] });
  await jan.ask('POST', '/v1/me/p/inquiries', { subject: 'Kanarkowski pyta', body: 'Tu Jan Kanarkowski.' });
  await jan.ask('POST', '/v1/me/p/consents', { channel: 'email', given: true, wording: 'Tak.' });
  await owner.ask('POST', `/v1/programs/p/members/${CODE}/notes`, { body: 'Dzwonił Kanarkowski' });
  await owner.ask('POST', '/v1/programs/p/recalculations', { reason: 'dla Kanarkowskiego', change: { kind: 'recredit', source: 'erp', document: 'G2', role: 'buyer', member: CODE } });
  await owner.ask('POST', '/v1/programs/p/members', { members: [{ code: CODE, kind: 'person', name: 'Jan B. Kanarkowski' }] });
  await jan.ask('POST', '/v1/me/p/account', { iban: 'PL27114020040000300201355387', holder: 'Jan Kanarkowski' });
  await jan.ask('POST', '/v1/me/p/tax-profile', { ...PROFILE, last_name: 'Kanarkowski' });
  await owner.ask('POST', '/v1/programs/p/rewards', { key: 'kettle', kind: 'goods', state: 'active', name: { pl: 'Czajnik', en: 'Kettle' }, unit: 'points', price: '5', worth: '5.00' });
  expect((await jan.ask('POST', '/v1/me/p/orders', { reference: 'g1', lines: [{ reward: 'kettle' }], address: { name: 'Jan Kanarkowski', street: 'Ptasia 1', postcode: '00-001', city: 'Warszawa' } })).statusCode).toBe(200);
  await world.verified();
  const before = await world.balance(CODE);
  for (const canary of CANARIES) expect((await found(canary)).length, `${canary} is nowhere, so this proves nothing`).toBeGreaterThan(0);
  expect((await found('Kanarkowski')).length).toBeGreaterThan(6);

  const preview = (await owner.ask('GET', `/v1/programs/p/members/${CODE}/erasure`)).json<{ goes: { count: number }[]; stays: { count: number; why: { pl: string } }[] }>();
  expect([preview.goes.map((item) => item.count), preview.stays.every((item) => item.why.pl.length > 20)]).toEqual([[1, 3, 1, 1, 1, 1, 1], true]);
  expect((await owner.ask('POST', `/v1/programs/p/members/${CODE}/erasure`, { confirm: 'x' })).json()).toMatchObject({ code: 'not_confirmed' });
  const { pseudonym } = (await owner.ask('POST', `/v1/programs/p/members/${CODE}/erasure`, { confirm: CODE })).json<{ pseudonym: string }>();
  for (const canary of CANARIES) expect([canary, await found(canary)]).toEqual([canary, []]);
  const kept = await installation.admin<{ n: number }>(`SELECT (SELECT count(*) FROM rewards.account WHERE tenant_id = $1)::int + (SELECT count(*) FROM rewards.tax_profile WHERE tenant_id = $1)::int + (SELECT count(*) FROM rewards.reward_order WHERE tenant_id = $1 AND address IS NOT NULL)::int AS n`, [context.tenantId]);
  expect(kept).toEqual([{ n: 0 }]); // nothing was paid, so nothing has to be told to anybody
  expect((await jan.ask('GET', '/v1/session')).statusCode).toBe(401);
  expect(await world.balance(pseudonym)).toEqual({ ...before, member: pseudonym });
  await world.verified();

  // The same file again, and a new line of the same buyer: known stays known, nobody comes back.
  const again = await recordSales(context, { program: 'p', source: 'erp', lines: [aSale({ number: 'G1', on: '2026-03-31', net: '349.90', buyer: CODE }), aSale({ number: 'G9', on: '2026-04-01', net: '500.00', buyer: CODE })] });
  expect(again.map((outcome) => [outcome.number, outcome.known, outcome.recorded])).toEqual([['G1', 1, 0], ['G9', 0, 1]]);
  expect(await installation.admin(`SELECT 1 FROM members.member WHERE code = $1`, [CODE])).toEqual([]);
  expect((await world.balance(pseudonym)).total).toBe(before.total);
  // A correction of an old line still finds who that was credited to.
  await world.sell({ number: 'K1', on: '2026-04-05', net: '-200.00', buyer: CODE, base: 'G1', baseLine: '1' });
  expect((await world.balance(pseudonym)).total).toBe(before.total - 10n);
  await world.verified();
});

test('a code that is a number, and part of others’ codes, takes nothing else with it', async () => {
  const context = await installation.tenant('numbers');
  const world = await aWorld(context, aProgram([perHundred], { segments: [{ key: 's', members: ['178', '1785'] }] }));
  const { browser: owner } = await aPerson(app, context, { email: 'owner-g2@x.example', role: 'owner', strong: true });
  await world.sell({ number: 'N1', on: '2026-03-31', net: '3560.00', buyer: '178' }, { number: 'N2', on: '2026-03-31', net: '178.00', buyer: '1785' });
  await world.sell({ number: 'N1', on: '2026-03-31', net: '178.00', buyer: '178' });
  await owner.ask('POST', '/v1/programs/p/recalculations', { reason: 'about the other', change: { kind: 'recredit', source: 'erp', document: 'N1', role: 'buyer', member: '1785' } });
  await owner.ask('POST', '/v1/programs/p/members/1785/notes', { body: 'about 178' });
  const previews = () => installation.admin<{ preview: { mechanics: unknown }; change: unknown; reason: string }>(`SELECT preview, change, reason FROM entitlements.recalculation WHERE tenant_id = $1`, [context.tenantId]);
  const [before] = await previews();
  const { pseudonym } = (await owner.ask('POST', '/v1/programs/p/members/178/erasure', { confirm: '178' })).json<{ pseudonym: string }>();
  const [after] = await previews();
  expect([after?.change, after?.reason, after?.preview.mechanics]).toEqual([before?.change, 'about the other', before?.preview.mechanics]); // 178 is an amount here, 1785 another member
  expect(JSON.stringify(after?.preview)).toContain(`"member":"${pseudonym}"`);
  expect((await installation.admin<{ rule: { members: string[] } }>(`SELECT rule FROM members.segment WHERE tenant_id = $1`, [context.tenantId]))[0]?.rule.members).toEqual([pseudonym, '1785']);
  expect(await installation.admin(`SELECT body FROM members.note WHERE tenant_id = $1`, [context.tenantId])).toEqual([{ body: 'about 178' }]);
  expect((await world.balance('1785')).total).toBe(5n);
  await world.verified();
});
