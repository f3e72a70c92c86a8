import { peopleRoutes, routes } from '@premia/contract';
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { makeHandlers } from './handlers.ts';
import { authenticate, makeSignIn, principalOf, type SignIn } from './modules/identity/index.ts';
import { rewardsErasure } from './modules/rewards/index.ts';
import type { Database } from './platform/database.ts';
import { makeHttp, type HttpOptions } from './platform/http.ts';
import { makeMailer } from './platform/mail.ts';
import { serveScreens } from './platform/web.ts';

/** `url`: the database; `publicUrl`: where people's browsers find this server; `secret`: signs sessions; `screens`: the folder of the built applications. */
export type AppOptions = Pick<HttpOptions, 'requestsPerMinute' | 'uploadBytesMax' | 'requestMsMax'> & {
  db: Database; url: string; uploads: string; publicUrl?: string; secret?: string; smtpUrl?: string; mailFrom?: string; screens?: string; log?: boolean; now?: () => number; hash?: { counted(): void };
  /** Whether mail can be read on a page: in development and in the demo, never where people's links are. */
  mailbox?: boolean; codes?: () => Promise<{ email: string; code: string }[]>;
};
const TEST_SECRET = 'a secret for tests and benches, never for a server that people reach';

/** The whole server over one database: the API, sign-in and the screens. Closing it closes what it opened. */
export async function makeApp(options: AppOptions): Promise<FastifyInstance & { signIn: SignIn }> {
  const { db, log = false, now = Date.now, publicUrl = 'http://localhost' } = options;
  const mailer = makeMailer(options.smtpUrl, options.mailFrom ?? 'premia@localhost');
  const signIn = makeSignIn({ url: options.url, publicUrl, secret: options.secret ?? TEST_SECRET, mailer, db, now, ...(options.hash ? { hash: options.hash } : {}) });
  const outside = { signIn, mailer, publicUrl, db, now, mailbox: options.mailbox ?? false, elsewhere: [rewardsErasure], ...(options.codes ? { codes: options.codes } : {}) };
  const app = await makeHttp({
    ...options, log, publicUrl, routes: { ...routes, ...peopleRoutes }, handlers: makeHandlers({ uploads: options.uploads, loadUrl: options.url }, outside),
    authenticate: (given) => authenticate(db, given), ready: async () => { await sql`SELECT 1`.execute(db.kysely); return true; },
    people: { handle: (request) => signIn.handle(request), personOf: (headers) => signIn.personOf(headers), principalOf: (person, tenant) => principalOf(db, person, tenant) },
  });
  if (options.screens !== undefined) await serveScreens(app, options.screens);
  app.addHook('onClose', () => signIn.close());
  return Object.assign(app, { signIn });
}
