import { afterAll, beforeAll, expect, test } from 'vitest';
import { peopleRoutes, routes, type Route } from '@premia/contract';
import { recordMembers } from '../../server/src/modules/entitlements/index.ts';
import { ROLES, ROLE_PERMISSIONS, STRONG_PERMISSIONS, type Role } from '../../server/src/modules/identity/index.ts';
import { anApp } from '../support/http.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { AUTHENTICATOR, Browser, PASSWORD, aPerson, codeNow } from '../support/people.ts';
import { aProgram, aWorld, perHundred } from '../support/world.ts';

/** Battery A1–A7, A10, A12 and T1 for people: who comes in, how, and what each role may ask for. */
let installation: Installation;
let app: Awaited<ReturnType<typeof anApp>>;
let hashed = 0;
beforeAll(async () => {
  installation = await anInstallation();
  app = await anApp(installation, { now: Date.now, hash: { counted: () => { hashed += 1; } } });
});
afterAll(async () => { await app.close(); await installation.close(); });

const mailbox = async (): Promise<{ to: string; link: string | null; body: string }[]> => (await new Browser(app).ask('GET', '/v1/mailbox')).json<{ mail: { to: string; link: string | null; body: string }[] }>().mail;
async function mailTo(email: string): Promise<{ link: string; body: string }> {
  for (let tries = 0; tries < 50; tries += 1) {
    const found = (await mailbox()).find((mail) => mail.to === email);
    if (found?.link) return { link: found.link, body: found.body };
    await new Promise((done) => { setTimeout(done, 20); });
  }
  throw new Error(`no mail to ${email}`);
}

test('password, wrong password, empty password, nobody: one answer to all that fail', async () => {
  const context = await installation.tenant();
  await aPerson(app, context, { email: 'a1@x.example', role: 'operator' });
  const plain = async (email: string, password: string) => {
    const before = hashed;
    const answer = await new Browser(app).signIn(email, password); return [answer.statusCode, answer.body, Object.keys(answer.headers).filter((name) => !/date|request|ratelimit|x-request/.test(name)).sort().join(), answer.cookies.length, hashed - before]; };
  const wrong = await plain('a1@x.example', 'wrong password');
  expect(wrong[0]).toBe(401);
  expect(await plain('nobody@x.example', 'wrong password')).toEqual(wrong);
  expect(await plain('a1@x.example', '')).toEqual(wrong);
  expect(await plain('nobody@x.example', '')).toEqual(wrong);
  expect(wrong[4]).toBe(1); // the hash is computed once on every path
  await Promise.all(Array.from({ length: 11 }, () => new Browser(app).signIn('a1@x.example', 'wrong password')));
  expect(await plain('a1@x.example', PASSWORD)).toEqual(wrong); // locked
});

test('a hundred tries at once and one by one: ten are checked, then the right one is wrong too; mail still lets the person in; an operator lifts the lock', async () => {
  const context = await installation.tenant('locks');
  const { userId } = await aPerson(app, context, { email: 'a2@x.example', role: 'viewer' });
  const support = await aPerson(app, context, { email: 'a2-help@x.example', role: 'support' });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => new Browser(app).signIn('a2@x.example', n % 2 === 0 ? `wrong ${n}` : 'worse')));
  expect(new Set(answers.map((answer) => answer.statusCode))).toEqual(new Set([401]));
  expect((await new Browser(app).signIn('a2@x.example')).statusCode).toBe(401);
  const [counted] = await installation.admin<{ tries: number }>(`SELECT tries FROM auth.try_count WHERE email_hash = sha256('a2@x.example')`);
  expect(counted?.tries).toBe(101);
  const other = new Browser(app);
  expect((await other.ask('POST', '/api/auth/sign-in/magic-link', { email: 'a2@x.example', callbackURL: '/console' })).statusCode).toBe(200);
  const token = new URL((await mailTo('a2@x.example')).link).searchParams.get('token');
  expect((await other.ask('GET', `/api/auth/magic-link/verify?token=${token}&callbackURL=/console`)).statusCode).toBe(302);
  expect((await other.ask('GET', '/v1/session')).json<{ person: { email: string } }>().person.email).toBe('a2@x.example');
  await Promise.all(Array.from({ length: 12 }, () => new Browser(app).signIn('a2@x.example', 'wrong')));
  expect((await new Browser(app).signIn('a2@x.example')).statusCode).toBe(401);
  expect((await support.browser.ask('POST', `/v1/people/${userId}/unlock`)).json()).toEqual({ unlocked: true });
  expect((await new Browser(app).signIn('a2@x.example')).statusCode).toBe(200);
});

test('a link by mail: none to nobody, the same answer; good once, whoever of ten comes first', async () => {
  await aPerson(app, await installation.tenant(), { email: 'link@x.example', role: 'viewer' });
  const [known, unknown] = [await new Browser(app).ask('POST', '/api/auth/sign-in/magic-link', { email: 'link@x.example' }), await new Browser(app).ask('POST', '/api/auth/sign-in/magic-link', { email: 'ghost@x.example' })];
  expect([unknown.statusCode, unknown.body]).toEqual([known.statusCode, known.body]);
  const token = new URL((await mailTo('link@x.example')).link).searchParams.get('token');
  expect((await mailbox()).some((mail) => mail.to === 'ghost@x.example')).toBe(false);
  const users = await Promise.all(Array.from({ length: 10 }, async () => { const browser = new Browser(app); await browser.ask('GET', `/api/auth/magic-link/verify?token=${token}&callbackURL=/`); return (await browser.ask('GET', '/v1/session')).statusCode; }));
  expect(users.filter((status) => status === 200)).toHaveLength(1);
  for (const to of ['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)', 'http://localhost.evil.example/']) {
    expect([to, (await new Browser(app).ask('POST', '/api/auth/sign-in/magic-link', { email: 'link@x.example', callbackURL: to })).statusCode]).toEqual([to, 403]);
  }
});

test('a new password by mail ends every session; the token works once', async () => {
  const { browser } = await aPerson(app, await installation.tenant(), { email: 'reset@x.example', role: 'viewer' });
  const [known, unknown] = [await new Browser(app).ask('POST', '/api/auth/request-password-reset', { email: 'reset@x.example' }), await new Browser(app).ask('POST', '/api/auth/request-password-reset', { email: 'ghost2@x.example' })];
  expect([unknown.statusCode, unknown.body]).toEqual([known.statusCode, known.body]);
  const token = new URL((await mailTo('reset@x.example')).link).searchParams.get('token');
  const guessed = await new Browser(app).ask('POST', '/api/auth/reset-password', { newPassword: 'Password1', token });
  expect([guessed.statusCode, guessed.json<{ code: string }>().code]).toEqual([422, 'PASSWORD_COMMON']); // and the link is as good as before
  const tries = await Promise.all(Array.from({ length: 5 }, (_, n) => new Browser(app).ask('POST', '/api/auth/reset-password', { newPassword: `another one ${n}`, token })));
  expect(tries.filter((answer) => answer.statusCode === 200)).toHaveLength(1);
  expect((await browser.ask('GET', '/v1/session')).statusCode).toBe(401);
  expect((await new Browser(app).signIn('reset@x.example')).statusCode).toBe(401);
});

test('nobody signs up, and the session after signing in is another than before', async () => {
  expect((await new Browser(app).ask('POST', '/api/auth/sign-up/email', { email: 'new@x.example', password: PASSWORD, name: 'N' })).statusCode).toBe(404);
  await aPerson(app, await installation.tenant(), { email: 'fix@x.example', role: 'viewer' });
  const browser = new Browser(app);
  browser.cookies.set('premia.session_token', 'planted.by-somebody');
  expect((await browser.signIn('fix@x.example')).statusCode).toBe(200);
  expect(browser.cookies.get('premia.session_token')).not.toBe('planted.by-somebody');
  expect((await browser.ask('POST', '/api/auth/sign-out')).statusCode).toBe(200);
  const [left] = await installation.admin<{ n: number }>(`SELECT count(*)::int AS n FROM auth."session" AS s JOIN auth."user" AS u ON u.id = s."userId" WHERE u.email = 'fix@x.example' AND u."createdAt" < s."createdAt" AND s."expiresAt" > now()`);
  expect(left?.n).toBeLessThanOrEqual(1); // the one of aPerson's browser
});

test('a code of an authenticator is good once, and what approvers do asks for it', async () => {
  const context = await installation.tenant();
  await aWorld(context, aProgram([perHundred]));
  const { browser } = await aPerson(app, context, { email: 'otp@x.example', role: 'approver' });
  expect((await browser.ask('POST', '/v1/programs/p/imports/1/approve')).json()).toMatchObject({ code: 'second_factor_needed' });
  await app.signIn.plantAuthenticator((await app.signIn.findPerson('otp@x.example'))?.userId as string, AUTHENTICATOR);
  const code = await codeNow();
  const tries = await Promise.all(Array.from({ length: 4 }, async () => { const each = new Browser(app); const first = await each.signIn('otp@x.example'); expect(first.json()).toMatchObject({ twoFactorRedirect: true }); expect((await each.ask('GET', '/v1/session')).statusCode).toBe(401); return (await each.ask('POST', '/api/auth/two-factor/verify-totp', { code })).statusCode; }));
  expect(tries.filter((status) => status === 200)).toHaveLength(1);
  expect((await new Browser(app).signIn('otp@x.example')).json()).toMatchObject({ twoFactorRedirect: true });
});

test('a session by link is weak until a code is shown in it; then the same session may approve', async () => {
  const context = await installation.tenant('weak');
  await aWorld(context, aProgram([perHundred]));
  const { userId } = await aPerson(app, context, { email: 'weak@x.example', role: 'approver' });
  await app.signIn.plantAuthenticator(userId, 'another secret of another app');
  const browser = new Browser(app, 'weak');
  await browser.ask('POST', '/api/auth/sign-in/magic-link', { email: 'weak@x.example', callbackURL: '/console' });
  await browser.ask('GET', `/api/auth/magic-link/verify?token=${new URL((await mailTo('weak@x.example')).link).searchParams.get('token')}&callbackURL=/console`);
  const approve = async () => (await browser.ask('POST', '/v1/programs/p/imports/1/approve')).json<{ code: string }>().code;
  expect(await approve()).toBe('second_factor_needed');
  expect((await browser.ask('POST', '/api/auth/two-factor/verify-totp', { code: '000000' })).statusCode).toBe(401);
  expect(await approve()).toBe('second_factor_needed');
  expect((await browser.ask('POST', '/api/auth/two-factor/verify-totp', { code: await codeNow('another secret of another app') })).statusCode).toBe(200);
  expect(await approve()).toBe('import_not_found');
});

test('what changes something must come from our own page', async () => {
  const context = await installation.tenant();
  await aWorld(context, aProgram([perHundred]));
  const { browser } = await aPerson(app, context, { email: 'csrf@x.example', role: 'operator' });
  for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { origin: '', 'sec-fetch-site': 'cross-site' }]) {
    const changes = (Object.values({ ...routes, ...peopleRoutes }) as Route[]).filter((route) => route.method === 'POST' && route.permission !== 'public');
    for (const route of changes) expect([route.name, (await browser.ask('POST', route.path.replace(':program', 'p').replace(/:\w+/g, '1'), {}, headers)).json<{ code: string }>().code]).toEqual([route.name, 'origin_foreign']);
  }
});

test('every route × every role: allowed where the one table says so, and nowhere else', async () => {
  const context = await installation.tenant();
  await aWorld(context, aProgram([perHundred])).then((world) => world.sell({ on: '2026-03-31', net: '100.00', buyer: 'shop' }));
  const all = Object.values({ ...routes, ...peopleRoutes }) as Route[];
  for (const role of ROLES) {
    const own = role === 'member' || role === 'manager';
    const { browser } = await aPerson(app, context, { email: `t1-${role}@x.example`, role, ...(own ? { program: 'p', member: 'shop', company: 'firm' } : { strong: true }) });
    const wide = new Set<string>(ROLE_PERMISSIONS[role as Role]);
    for (const route of all) {
      const answer = await browser.ask(route.method as 'GET', route.path.replace(':program', 'p').replace(/:(member)\b/, 'shop').replace(/:\w+/g, '999999'));
      const open = route.permission === 'public' || route.permission === 'person';
      const expected = open || (wide.has(route.permission) && (!own || route.path.includes(':program')));
      expect([role, route.name, ![401, 403].includes(answer.statusCode)]).toEqual([role, route.name, expected]);
      expect(answer.statusCode, `${role} ${route.name}: ${answer.body}`).toBeLessThan(500);
    }
  }
  expect([...STRONG_PERMISSIONS].every((permission) => all.some((route) => route.permission === permission))).toBe(true);
  const used = new Set(all.map((route) => route.permission));
  for (const permission of Object.values(ROLE_PERMISSIONS).flat()) expect([permission, used.has(permission)]).toEqual([permission, true]);
});

test('a role in one program is nothing in another, and another tenant is not there', async () => {
  const [ours, theirs] = [await installation.tenant('ours'), await installation.tenant('theirs')];
  await aWorld(ours, aProgram([perHundred]));
  await aWorld(ours, aProgram([perHundred], { key: 'other' }));
  await aWorld(theirs, aProgram([perHundred]));
  const { browser } = await aPerson(app, ours, { email: 'scoped@x.example', role: 'operator', program: 'p' });
  expect((await browser.ask('GET', '/v1/programs/p')).statusCode).toBe(200);
  const [foreign, never] = [await browser.ask('GET', '/v1/programs/other'), await browser.ask('GET', '/v1/programs/never')];
  expect([foreign.statusCode, foreign.json<{ code: string }>().code]).toEqual([404, never.json<{ code: string }>().code]);
  const [away, ghost] = [await browser.ask('GET', '/v1/programs/p', undefined, { 'x-premia-tenant': 'theirs' }), await browser.ask('GET', '/v1/programs/p', undefined, { 'x-premia-tenant': 'ghost' })];
  expect([away.statusCode, away.json<{ code: string }>().code, ghost.json<{ code: string }>().code]).toEqual([404, 'tenant_not_found', 'tenant_not_found']);
  const session = (await browser.ask('GET', '/v1/session')).json<{ tenants: { key: string; programs: { key: string }[] }[] }>();
  expect(session.tenants.map((tenant) => [tenant.key, tenant.programs.map((program) => program.key)])).toEqual([['ours', ['p']]]);
});

test('an invitation: the code works once, by whoever of five is first; terms are accepted, consents are only what was ticked', async () => {
  const context = await installation.tenant('inviting');
  await aWorld(context, aProgram([perHundred])).then((world) => world.sell({ on: '2026-03-31', net: '300.00', buyer: 'shop' }));
  const { browser: operator } = await aPerson(app, context, { email: 'op-inv@x.example', role: 'operator' });
  const day = new Date().toISOString().slice(0, 10);
  expect((await operator.ask('POST', '/v1/programs/p/terms', { effective_on: day, material: true, body: { pl: 'Regulamin', en: 'Terms' } })).json()).toEqual({ version: 1 });
  const [made] = (await operator.ask('POST', '/v1/programs/p/invitations', { people: [{ member: 'shop', email: 'Ewa@X.example', name: 'Ewa', role: 'member' }] })).json<{ invited: { code: string; link: string }[] }>().invited;
  const code = made?.code as string;
  const letters = await operator.ask('POST', '/v1/programs/p/welcome-pack', { people: [{ name: 'Ewa Żółć', code, link: made?.link }, { name: 'Jan', code: 'X', link: 'http://localhost/join?code=X' }] });
  expect([letters.statusCode, letters.headers['content-type'], letters.rawPayload.subarray(0, 5).toString(), [...letters.rawPayload.toString('latin1').matchAll(/\/Type \/Page\b/g)].length]).toEqual([200, 'application/pdf', '%PDF-', 2]);
  const guest = new Browser(app);
  expect((await guest.ask('GET', `/v1/join/${code.toLowerCase()}`)).json()).toMatchObject({ email: 'ewa@x.example', known: false, program: { key: 'p' }, terms: { version: 1 } });
  expect((await guest.ask('POST', `/v1/join/${code}`, { name: 'Ewa', password: PASSWORD })).json()).toMatchObject({ code: 'terms_not_accepted' });
  expect((await guest.ask('POST', `/v1/join/${code}`, { name: 'Ewa', password: 'qwerty123', accepts: 1 })).json()).toMatchObject({ code: 'password_common' });
  const joins = await Promise.all(Array.from({ length: 5 }, () => new Browser(app).ask('POST', `/v1/join/${code}`, { name: 'Ewa', password: PASSWORD, accepts: 1, consents: [{ channel: 'email', wording: 'Tak, piszcie.' }] })));
  expect(joins.map((answer) => answer.statusCode).sort()).toEqual([200, 404, 404, 404, 404]);
  const { browser } = { browser: new Browser(app) };
  await browser.signIn('ewa@x.example');
  const home = (await browser.ask('GET', '/v1/me/p')).json<{ balances: { available: string; unit: string }[]; terms_due: unknown }>();
  expect([home.balances.find((item) => item.unit === 'points')?.available, home.terms_due]).toEqual(['15', null]);
  expect((await browser.ask('GET', '/v1/me/p/profile')).json()).toMatchObject({ terms: { version: 1 }, consents: [{ channel: 'email', given: true }, { channel: 'sms', given: false }, { channel: 'phone', given: false }] });
  await browser.ask('POST', '/v1/me/p/consents', { channel: 'email', given: false, wording: 'Już nie.' });
  expect((await operator.ask('GET', '/v1/programs/p/members/shop/agreements')).json()).toMatchObject({ accepted: [{ version: 1, by: 'Ewa' }], consents: [{ given: false }, { given: true }], people: [{ email: 'ewa@x.example', role: 'member' }] });
  // A new material version asks again; one that is not, does not.
  await operator.ask('POST', '/v1/programs/p/terms', { effective_on: day, material: false, body: { pl: 'Literówka', en: 'A typo' } });
  expect((await browser.ask('GET', '/v1/me/p')).json()).toMatchObject({ terms_due: null });
  await operator.ask('POST', '/v1/programs/p/terms', { effective_on: day, material: true, body: { pl: 'Nowy', en: 'New' } });
  expect((await browser.ask('GET', '/v1/me/p')).json()).toMatchObject({ terms_due: { version: 3 } });
  expect((await browser.ask('POST', '/v1/me/p/terms', { version: 2 })).json()).toMatchObject({ code: 'terms_not_current' });
  expect((await browser.ask('POST', '/v1/me/p/terms', { version: 3 })).statusCode).toBe(200);
  expect((await browser.ask('GET', '/v1/me/p')).json()).toMatchObject({ terms_due: null });
});

test('a question goes to the operator and comes back answered; another member’s is not there', async () => {
  const context = await installation.tenant('asking');
  await aWorld(context, aProgram([perHundred])).then((world) => world.sell({ number: 'FV/1', on: '2026-03-31', net: '349.90', buyer: 'shop' }, { number: 'FV/2', on: '2026-03-31', net: '100.00', buyer: 'friend' }));
  const [{ browser: shop }, { browser: friend }, { browser: support }] = [await aPerson(app, context, { email: 'q1@x.example', role: 'member', program: 'p', member: 'shop' }), await aPerson(app, context, { email: 'q2@x.example', role: 'member', program: 'p', member: 'friend' }), await aPerson(app, context, { email: 'q3@x.example', role: 'support' })];
  expect((await shop.ask('GET', '/v1/me/p/explain?document=FV/1')).json<{ explanations: { amount: string }[] }>().explanations[0]?.amount).toBe('15');
  expect((await shop.ask('GET', '/v1/me/p/explain?document=FV/2')).json()).toMatchObject({ code: 'document_not_found' });
  const { inquiry } = (await shop.ask('POST', '/v1/me/p/inquiries', { subject: 'FV/1', body: 'Powinno być 20.', document: 'FV/1' })).json<{ inquiry: string }>();
  expect((await support.ask('GET', '/v1/programs/p/today')).json()).toMatchObject({ waits: { inquiries: 1 } });
  expect((await friend.ask('POST', `/v1/me/p/inquiries/${inquiry}`, { body: 'Moje?' })).statusCode).toBe(404);
  expect((await support.ask('POST', `/v1/programs/p/inquiries/${inquiry}/answer`, { body: 'Za pełne 100 zł, więc 15.' })).json()).toEqual({ state: 'answered' });
  expect((await shop.ask('GET', '/v1/me/p/inquiries')).json()).toMatchObject({ inquiries: [{ state: 'answered', messages: [{ from_member: true }, { from_member: false, body: 'Za pełne 100 zł, więc 15.' }] }] });
  expect((await friend.ask('GET', '/v1/me/p/inquiries')).json()).toEqual({ inquiries: [] });
  expect((await shop.ask('GET', '/v1/me/p/export')).json()).toMatchObject({ member: { code: 'shop' }, documents: [{ number: 'FV/1' }] });
});

test('an accent on which white cannot be read is refused with its ratio', async () => {
  const { browser } = await aPerson(app, await installation.tenant(), { email: 'look@x.example', role: 'operator' });
  const refused = await browser.ask('POST', '/v1/look', { accent: '#ffcc00', radius: 8, logo: null }, { 'accept-language': 'pl' });
  expect([refused.statusCode, refused.json<{ code: string; title: string }>().title]).toEqual([422, expect.stringContaining('1,5 : 1')]);
  expect((await browser.ask('POST', '/v1/look', { accent: '#0f4c81', radius: 4, logo: null })).statusCode).toBe(200);
  expect((await browser.ask('GET', '/v1/look')).json()).toEqual({ accent: '#0f4c81', radius: 4, logo: null });
});

test('a company’s manager sees the people of that company, and nobody else’s', async () => {
  const context = await installation.tenant('managers');
  await aWorld(context, aProgram([perHundred]));
  await recordMembers(context, { program: 'p', members: [{ code: 'jan', kind: 'person', company: 'firma', name: 'Jan', from: '2026-01-01' }, { code: 'ola', kind: 'person', company: 'firma', name: 'Ola', from: '2026-01-01' }, { code: 'ewa', kind: 'person', company: 'inna', name: 'Ewa', from: '2026-01-01' }] });
  const { browser: manager } = await aPerson(app, context, { email: 'boss@x.example', role: 'manager', program: 'p', member: 'jan', company: 'firma' });
  const { browser: member } = await aPerson(app, context, { email: 'ola@x.example', role: 'member', program: 'p', member: 'ola' });
  expect((await manager.ask('GET', '/v1/me/p/company')).json()).toMatchObject({ company: 'firma', members: [{ member: 'jan' }, { member: 'ola' }] });
  expect((await member.ask('GET', '/v1/me/p/company')).statusCode).toBe(403);
  expect((await manager.ask('GET', '/v1/programs/p/members')).statusCode).toBe(403);
});

test('asking to take part: one answer to everybody, an operator decides once, the invitation goes out; a closed program is not there', async () => {
  const context = await installation.tenant('asking-in');
  await aWorld(context, aProgram([perHundred], { registration: true })).then((world) => world.sell({ on: '2026-03-31', net: '300.00', buyer: 'shop' }));
  await aWorld(context, aProgram([perHundred], { key: 'closed' }));
  const { browser: operator } = await aPerson(app, context, { email: 'op-reg@x.example', role: 'operator' });
  const guest = new Browser(app);
  const ask = async (reference: string, email: string) => { const answer = await guest.ask('POST', '/v1/register/asking-in/p', { email, name: 'Zofia', reference }); return [answer.statusCode, answer.body]; };
  const known = await ask('shop', 'zofia@x.example');
  expect(known).toEqual([200, '{"received":true}']);
  expect(await ask('nobody', 'zenon@x.example')).toEqual(known);
  expect(await ask('shop', 'op-reg@x.example')).toEqual(known);
  expect(await ask('shop', 'zofia@x.example')).toEqual(known);
  for (const place of ['asking-in/closed', 'asking-in/never', 'never/p']) expect((await guest.ask('POST', `/v1/register/${place}`, { email: 'z@x.example', name: 'Z', reference: 'shop' })).json()).toMatchObject({ code: 'registration_closed' });
  const { registrations } = (await operator.ask('GET', '/v1/programs/p/registrations?state=open')).json<{ registrations: { id: string; email: string; member: string | null }[] }>();
  expect(registrations.map((item) => [item.email, item.member])).toEqual([['zofia@x.example', 'shop'], ['zenon@x.example', null], ['op-reg@x.example', 'shop']]);
  const [first, second] = registrations;
  const decided = await Promise.all(Array.from({ length: 4 }, () => operator.ask('POST', `/v1/programs/p/registrations/${first?.id}/decide`, { member: 'shop' })));
  expect(decided.map((answer) => answer.statusCode).sort()).toEqual([200, 409, 409, 409]);
  expect((await operator.ask('POST', `/v1/programs/p/registrations/${second?.id}/decide`, { member: null })).json()).toEqual({ state: 'refused' });
  const code = new URL((await mailTo('zofia@x.example')).link).searchParams.get('code');
  expect((await guest.ask('GET', `/v1/join/${code}`)).json()).toMatchObject({ email: 'zofia@x.example', program: { key: 'p' } });
  expect((await mailbox()).some((mail) => mail.to === 'zenon@x.example')).toBe(false);
});

test('where a program asks for the employer’s consent, a rep spends only while their company agrees; a shop needs nobody’s leave', async () => {
  const context = await installation.tenant('employers');
  const world = await aWorld(context, aProgram([perHundred], { employer_consent: 'block_payout' }));
  await world.sell({ on: '2026-03-31', net: '900.00', buyer: 'rep' }, { on: '2026-03-31', net: '900.00', buyer: 'shop' });
  const { browser } = await aPerson(app, context, { email: 'emp@x.example', role: 'owner', strong: true });
  await browser.ask('POST', '/v1/companies', { companies: [{ code: 'firma', name: 'Firma' }] });
  expect((await browser.ask('POST', '/v1/programs/p/members', { members: [{ code: 'jan', kind: 'person', company: 'firma', from: '2026-01-01' }] })).statusCode).toBe(200);
  await world.sell({ on: '2026-06-10', net: '900.00', buyer: 'jan' });
  let asked = 0;
  const hold = async (member: string) => { asked += 1; const answer = await browser.ask('POST', `/v1/programs/p/members/${member}/holds`, { unit: 'points', amount: '1', reference: `e${asked}` }); return answer.statusCode === 200 ? 'held' : answer.json<{ code: string }>().code; };
  const agree = (given: boolean) => browser.ask('POST', '/v1/companies/firma/employer-consents', { given, given_by: 'A. Prezes', scope: 'program', document: 'aneks 2', valid_from: '2026-01-01' });
  expect([await hold('jan'), await hold('shop')]).toEqual(['employer_consent_missing', 'held']);
  await agree(true);
  expect(await hold('jan')).toBe('held');
  await agree(false);
  expect(await hold('jan')).toBe('employer_consent_missing');
});
