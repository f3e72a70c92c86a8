import { createOTP } from '@better-auth/utils/otp';
import type { LightMyRequestResponse } from 'fastify';
import { giveRole, type Role } from '../../server/src/modules/identity/index.ts';
import { findMember, findProgram } from '../../server/src/modules/members/index.ts';
import type { anApp } from './http.ts';
import type { TestContext } from './installation.ts';

type App = Awaited<ReturnType<typeof anApp>>;
export const PASSWORD = 'correct horse battery';
export const ORIGIN = 'http://localhost';
export const AUTHENTICATOR = 'a secret that an app would hold';

/** A browser of one person: keeps cookies, comes from our own page. */
export class Browser {
  cookies = new Map<string, string>();
  private asked = 0;
  private readonly app: App;
  private readonly tenant: string | undefined;
  constructor(app: App, tenant?: string) { this.app = app; this.tenant = tenant; }
  async ask(method: 'GET' | 'POST', url: string, payload?: unknown, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    this.asked += 1;
    const answer = await this.app.inject({ method, url, headers: { origin: ORIGIN, ...(this.cookies.size > 0 ? { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') } : {}), ...(this.tenant === undefined ? {} : { 'x-premia-tenant': this.tenant }), 'idempotency-key': `b${this.asked}-${Math.trunc(performance.now() * 1_000)}`, ...headers }, ...(method === 'GET' ? {} : { payload: (payload ?? {}) as object }) });
    for (const cookie of answer.cookies) { if (cookie.value === '' || cookie.maxAge === 0) this.cookies.delete(cookie.name); else this.cookies.set(cookie.name, encodeURIComponent(cookie.value)); }
    return answer;
  }
  signIn(email: string, password = PASSWORD): Promise<LightMyRequestResponse> { return this.ask('POST', '/api/auth/sign-in/email', { email, password }); }
}

export const codeNow = (secret = AUTHENTICATOR): Promise<string> => createOTP(secret, { digits: 6, period: 30 }).totp();

/** A person with a role, signed in; with `strong`, by their authenticator too. */
export async function aPerson(app: App, context: TestContext, given: { email: string; role: Role; program?: string; member?: string; company?: string; strong?: boolean; tenant?: string }): Promise<{ browser: Browser; userId: string }> {
  const known = await app.signIn.findPerson(given.email);
  const userId = known?.userId ?? await app.signIn.createPerson({ email: given.email, name: given.email.split('@')[0] as string, locale: 'pl', password: PASSWORD });
  await context.transaction(async (tx) => {
    const member = given.member === undefined ? null : await findMember(tx, await findProgram(tx, given.program ?? 'p'), given.member);
    await giveRole(tx, context, { userId, role: given.role, program: given.program ?? null, memberId: member?.memberId ?? null, company: given.company ?? null });
  });
  const browser = new Browser(app, given.tenant);
  if (given.strong) await app.signIn.plantAuthenticator(userId, AUTHENTICATOR);
  const signedIn = await browser.signIn(given.email);
  if (signedIn.statusCode !== 200) throw new Error(`${given.email} cannot sign in: ${signedIn.body}`);
  if (given.strong) {
    const answer = await browser.ask('POST', '/api/auth/two-factor/verify-totp', { code: await codeNow() });
    if (answer.statusCode !== 200) throw new Error(`${given.email} has no second factor: ${answer.body}`);
  }
  return { browser, userId };
}
