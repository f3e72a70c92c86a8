import { createHash } from 'node:crypto';
import { passkey } from '@better-auth/passkey';
import { betterAuth } from 'better-auth';
import { APIError, createAuthMiddleware } from 'better-auth/api';
import { hashPassword, symmetricEncrypt, verifyPassword } from 'better-auth/crypto';
import { magicLink, twoFactor } from 'better-auth/plugins';
import { sql } from 'kysely';
import { phrase, type Locale, type Phrase } from '@premia/kernel';
import { makeContext } from '../../platform/context.ts';
import { openDatabase, row, rows, type Database } from '../../platform/database.ts';
import type { Mailer } from '../../platform/mail.ts';
import { isCommonPassword } from './common-passwords.ts';

/** Tries of one account's password in one stretch, wherever they come from. A link by mail works all the time. */
export const PASSWORD_TRIES_MAX = 10;
export const LOCKED_MINUTES = 15;
const LINK_MINUTES = 15;
/** Links and new passwords that are mailed to one address in one stretch. More are not sent, and nobody is told. */
export const MAILS_MAX = 5;
const RESET_MINUTES = 60;
const SESSION_DAYS = 14;
/** Where a session begins that has shown a second factor. */
const STRONG_PATHS = new Set(['/two-factor/verify-totp', '/two-factor/verify-backup-code', '/passkey/verify-authentication']);

export type Person = { userId: string; email: string; name: string; locale: Locale; strong: boolean; twoFactor: boolean; sessionId: string };
export type SignIn = {
  /** The library's own addresses, under /api/auth. */
  handle(request: Request): Promise<Response>;
  personOf(headers: Headers): Promise<Person | null>;
  findPerson(email: string): Promise<{ userId: string; name: string } | null>;
  createPerson(person: { email: string; name: string; locale: Locale; password?: string }): Promise<string>;
  namesOf(userIds: readonly string[]): Promise<Map<string, { name: string; email: string; locale: Locale; locked: boolean; twoFactor: boolean; seen: Date | null }>>;
  /** Lifts the lock on a password. */
  unlock(email: string): Promise<void>;
  sessionsOf(userId: string): Promise<{ id: string; agent: string | null; since: Date; seen: Date }[]>;
  endSession(userId: string, sessionId: string): Promise<boolean>;
  endSessions(userId: string): Promise<void>;
  /** The account goes, with its password, sessions, authenticator and passkeys. */
  deletePerson(userId: string): Promise<void>;
  setLocale(userId: string, locale: Locale): Promise<void>;
  /** Sets up a known authenticator: for the demo and for tests, never for people. */
  plantAuthenticator(userId: string, secret: string): Promise<void>;
  close(): Promise<void>;
};

/** Where a person goes after signing in: a page of ours, by its path. */
const RETURNS = ['callbackURL', 'errorCallbackURL', 'newUserCallbackURL', 'redirectTo'] as const;
const OWN_PATH = /^\/(?![/\\])[\w\-./?=&%]*$/;

const hashOf = (text: string): Buffer => createHash('sha256').update(text.trim().toLowerCase()).digest();
const wrong = (): APIError => new APIError('UNAUTHORIZED', { message: 'Invalid email or password', code: 'INVALID_EMAIL_OR_PASSWORD' });

/** People's sign-in by better-auth on our database: password, link by mail, passkey, authenticator. Nobody signs up here: people are invited. */
export function makeSignIn(options: { url: string; publicUrl: string; secret: string; mailer: Mailer; db: Database; now?: () => number; hash?: { counted(): void } }): SignIn {
  const database = openDatabase(options.url, 'premia_app', { max: 4, searchPath: 'auth' });
  const now = options.now ?? Date.now;
  const { kysely } = database;
  const secure = options.publicUrl.startsWith('https:');
  const { hostname } = new URL(options.publicUrl);
  const mailContext = makeContext({ db: options.db, tenantId: 0n, principal: 'sign-in', now });
  const send = (to: { email: string; locale?: string | null }, subject: Phrase, body: Phrase, link: string): void => {
    const locale: Locale = to.locale === 'en' ? 'en' : 'pl';
    void options.mailer(mailContext, { to: to.email, subject: subject[locale], body: body[locale], link }).catch(() => undefined); // a lost mail is asked for again; waiting for it would tell who exists
  };
  const find = (email: string): Promise<{ id: string; name: string; email: string; locale: string | null } | undefined> => row(kysely, sql`SELECT id, name, email, locale FROM auth."user" WHERE email = ${email.trim().toLowerCase()}`);
  /** Counts one more of something that one person – whoever that is – may do so often in a stretch, in one step however many do it at once. */
  const countOne = async (of: string): Promise<number> => {
    const at = new Date(now()).toISOString();
    const [counted] = await rows<{ tries: number }>(kysely, sql`INSERT INTO auth.try_count AS t (email_hash, tries, since) VALUES (${hashOf(of)}, 1, ${at})
      ON CONFLICT (email_hash) DO UPDATE SET tries = CASE WHEN t.since < ${at}::timestamptz - make_interval(mins => ${LOCKED_MINUTES}) THEN 1 ELSE t.tries + 1 END, since = CASE WHEN t.since < ${at}::timestamptz - make_interval(mins => ${LOCKED_MINUTES}) THEN ${at} ELSE t.since END RETURNING tries`);
    return counted?.tries ?? 1;
  };

  /** A code is good once, however many use it at the same moment. */
  const firstUse = async (userId: string, code: string): Promise<boolean> => {
    const at = new Date(now()).toISOString();
    await sql`DELETE FROM auth.used_code WHERE user_id = ${userId} AND used_at < ${at}::timestamptz - interval '5 minutes'`.execute(kysely);
    return (await rows(kysely, sql`INSERT INTO auth.used_code (user_id, code_hash, used_at) VALUES (${userId}, ${hashOf(code)}, ${at}) ON CONFLICT DO NOTHING RETURNING user_id`)).length > 0;
  };

  const auth = betterAuth({
    baseURL: options.publicUrl, basePath: '/api/auth', secret: options.secret, trustedOrigins: [options.publicUrl], database: { db: kysely, type: 'postgres' },
    telemetry: { enabled: false }, logger: { disabled: true }, disabledPaths: ['/sign-up/email', '/update-user', '/change-email', '/delete-user'],
    advanced: { useSecureCookies: false, cookiePrefix: secure ? '__Host-premia' : 'premia', defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', secure, path: '/' }, ipAddress: { ipAddressHeaders: [] } },
    rateLimit: { enabled: false }, // counted by account, in the database, below: an address is cheap to change
    session: { expiresIn: SESSION_DAYS * 86_400, updateAge: 86_400, additionalFields: { strong: { type: 'boolean', required: false, defaultValue: false, input: false } } },
    user: { additionalFields: { locale: { type: 'string', required: false, input: false } } },
    emailAndPassword: {
      enabled: true, disableSignUp: true, password: { hash: (password) => { options.hash?.counted(); return hashPassword(password); }, verify: (given) => { options.hash?.counted(); return verifyPassword(given); } }, minPasswordLength: 8, maxPasswordLength: 128, revokeSessionsOnPasswordReset: true, resetPasswordTokenExpiresIn: RESET_MINUTES * 60,
      sendResetPassword: async ({ user, token }) => { void countOne(`mail to ${user.email}`).then((sent) => { if (sent <= MAILS_MAX) send(user, phrase('Nowe hasło do Premii', 'A new password for Premia'), phrase(`Ktoś poprosił o nowe hasło do tego adresu. Jeśli to nie Ty, nic nie rób. Link działa ${RESET_MINUTES} minut i jeden raz.`, `Somebody asked for a new password for this address. If it was not you, do nothing. The link works for ${RESET_MINUTES} minutes, once.`), `${options.publicUrl}/new-password?token=${token}`); }).catch(() => undefined); },
    },
    plugins: [
      magicLink({ disableSignUp: true, expiresIn: LINK_MINUTES * 60, storeToken: 'hashed', sendMagicLink: async ({ email, token, url }) => {
        const to = new URL(url).searchParams.get('callbackURL') ?? '/';
        void Promise.all([find(email), countOne(`mail to ${email}`)]).then(([user, sent]) => { if (user && sent <= MAILS_MAX) send(user, phrase('Wejście do Premii', 'Sign in to Premia'), phrase(`Oto link do wejścia. Działa ${LINK_MINUTES} minut i jeden raz.`, `Here is the link to sign in. It works for ${LINK_MINUTES} minutes, once.`), `${options.publicUrl}/link?token=${token}&to=${encodeURIComponent(to)}`); }).catch(() => undefined);
      } }),
      twoFactor({ issuer: 'Premia', allowPasswordless: true }),
      passkey({ rpID: hostname, rpName: 'Premia', origin: options.publicUrl }),
    ],
    databaseHooks: { session: { create: { before: async (session, ctx) => ({ data: { ...session, strong: STRONG_PATHS.has(ctx?.path ?? '') } }) } } },
    hooks: {
      before: createAuthMiddleware(async (ctx) => {
        for (const given of [ctx.body, ctx.query] as (Record<string, unknown> | undefined)[]) for (const name of RETURNS) if (given?.[name] !== undefined && !OWN_PATH.test(String(given[name]))) throw new APIError('FORBIDDEN', { message: 'Invalid callbackURL', code: 'INVALID_CALLBACK_URL' });
        const { newPassword } = (ctx.body ?? {}) as { newPassword?: unknown };
        if (typeof newPassword === 'string' && await isCommonPassword(newPassword)) throw new APIError('UNPROCESSABLE_ENTITY', { message: 'This password is among those that are tried first', code: 'PASSWORD_COMMON' });
        if (ctx.path === '/sign-in/email') {
          const { email, password } = (ctx.body ?? {}) as { email?: unknown; password?: unknown };
          if (typeof email !== 'string' || typeof password !== 'string') return;
          const tries = await countOne(email);
          if (password === '' || tries > PASSWORD_TRIES_MAX) {
            await ctx.context.password.hash(password.slice(0, 128)); // as long as a wrong one takes
            throw wrong();
          }
        }
      }),
      after: createAuthMiddleware(async (ctx) => {
        const made = ctx.context.newSession;
        if (made) await sql`DELETE FROM auth.try_count WHERE email_hash = ${hashOf(made.user.email)}`.execute(kysely);
        if (!STRONG_PATHS.has(ctx.path) || (ctx.context as { returned?: unknown }).returned instanceof APIError) return;
        const session = made?.session ?? ctx.context.session?.session;
        if (!session) return;
        if (ctx.path === '/two-factor/verify-totp' && !(await firstUse(session.userId, (ctx.body as { code: string }).code))) {
          if (made) await ctx.context.internalAdapter.deleteSession(session.token);
          throw new APIError('UNAUTHORIZED', { code: 'INVALID_CODE', message: 'Invalid code' });
        }
        await sql`UPDATE auth."session" SET strong = true WHERE token = ${session.token}`.execute(kysely);
      }),
    },
  });

  return {
    handle: (request) => auth.handler(request),
    personOf: async (headers) => {
      const found = await auth.api.getSession({ headers });
      if (!found) return null;
      const { user, session } = found;
      return { userId: user.id, email: user.email, name: user.name, locale: user.locale === 'en' ? 'en' : 'pl', strong: session.strong === true, twoFactor: user.twoFactorEnabled === true, sessionId: session.id };
    },
    findPerson: async (email) => { const found = await find(email); return found ? { userId: found.id, name: found.name } : null; },
    createPerson: async ({ email, name, locale, password }) => {
      const context = await auth.$context;
      const before = await find(email); // made by a twin a moment ago
      if (before) return before.id;
      const made = await context.internalAdapter.createUser({ email: email.trim().toLowerCase(), name, emailVerified: true, locale }, { method: 'invitation' } as never).catch(async (error: unknown) => { if (!(await find(email))) throw error; return null; });
      const user = made ?? await find(email);
      if (!user || !made) return user?.id ?? '';
      if (password !== undefined) await context.internalAdapter.linkAccount({ userId: user.id, accountId: user.id, providerId: 'credential', password: await context.password.hash(password) });
      return user.id;
    },
    namesOf: async (userIds) => {
      const found = await rows<{ id: string; name: string; email: string; locale: string | null; locked: boolean; two_factor: boolean; seen: Date | null }>(kysely, sql`SELECT u.id, u.name, u.email, u.locale, COALESCE(u."twoFactorEnabled", false) AS two_factor,
        EXISTS (SELECT 1 FROM auth.try_count AS t WHERE t.email_hash = sha256(convert_to(u.email, 'UTF8')) AND t.tries > ${PASSWORD_TRIES_MAX} AND t.since >= ${new Date(now()).toISOString()}::timestamptz - make_interval(mins => ${LOCKED_MINUTES})) AS locked,
        (SELECT max(s."updatedAt") FROM auth."session" AS s WHERE s."userId" = u.id) AS seen FROM auth."user" AS u WHERE u.id = ANY(${[...userIds]}::text[])`);
      return new Map(found.map((item) => [item.id, { name: item.name, email: item.email, locale: item.locale === 'en' ? 'en' : 'pl', locked: item.locked, twoFactor: item.two_factor, seen: item.seen }]));
    },
    unlock: async (email) => { await sql`DELETE FROM auth.try_count WHERE email_hash = ${hashOf(email)}`.execute(kysely); },
    sessionsOf: (userId) => rows(kysely, sql`SELECT id, "userAgent" AS agent, "createdAt" AS since, "updatedAt" AS seen FROM auth."session" WHERE "userId" = ${userId} AND "expiresAt" > ${new Date(now()).toISOString()} ORDER BY "updatedAt" DESC LIMIT 100`),
    endSession: async (userId, sessionId) => (await rows(kysely, sql`DELETE FROM auth."session" WHERE "userId" = ${userId} AND id = ${sessionId} RETURNING id`)).length > 0,
    setLocale: async (userId, locale) => { await sql`UPDATE auth."user" SET locale = ${locale} WHERE id = ${userId}`.execute(kysely); },
    deletePerson: async (userId) => { await sql`DELETE FROM auth."user" WHERE id = ${userId}`.execute(kysely); },
    endSessions: async (userId) => { await sql`DELETE FROM auth."session" WHERE "userId" = ${userId}`.execute(kysely); },
    plantAuthenticator: async (userId, secret) => {
      const context = await auth.$context;
      await context.adapter.create({ model: 'twoFactor', data: { userId, secret: await symmetricEncrypt({ key: context.secretConfig, data: secret }), backupCodes: await symmetricEncrypt({ key: context.secretConfig, data: '[]' }), verified: true } });
      await sql`UPDATE auth."user" SET "twoFactorEnabled" = true WHERE id = ${userId}`.execute(kysely);
    },
    close: () => database.close(),
  };
}
