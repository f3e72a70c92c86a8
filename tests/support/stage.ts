import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createOTP } from '@better-auth/utils/otp';
import type { Browser, Page, Request } from 'playwright-core';
import { onTestFailed } from 'vitest';
import { generateDemo } from '../../server/src/demo/generate-demo.ts';
import { applyProgram, recordMembers, recordSales, recordTargets, settleStale } from '../../server/src/modules/entitlements/index.ts';
import { giveRole, type Role } from '../../server/src/modules/identity/index.ts';
import { acceptTerms, findMember, findProgram, publishTerms } from '../../server/src/modules/members/index.ts';
import { parseProgram } from '../../server/src/modules/mechanics/index.ts';
import { findChromium, openBrowser, openPage, signIn, type Seen, type Size } from './browser.ts';
import { anApp } from './http.ts';
import { anInstallation, type Installation, type TestContext } from './installation.ts';

export const PASSWORD = 'a stage password';
const AUTHENTICATOR = 'what the approver holds in hand';
const ANCHOR = '2026-11-20';
const NOW = `${ANCHOR}T10:00:00Z`;
const REPS = ['R001', 'R002', 'R003'];
const FILE = join(import.meta.dirname, '../../examples/pet-goods/program.yaml');

/** Tests of the screens are left out, loudly, where there is no browser. */
export const noBrowser = findChromium() === null;
if (noBrowser) console.warn('No Chromium here: the tests of the screens are left out.');

export type Stage = {
  installation: Installation; context: TestContext; baseUrl: string; browser: Browser;
  /** A person with a role, who can sign in. */
  person(role: Role, given?: { email?: string; member?: string; name?: string; context?: TestContext }): Promise<string>;
  /** A page on which a person is signed in; approvers and owners by their code too. */
  enter(email: string | null, given: { width: Size; language?: 'pl' | 'en' | 'xx'; to?: string; dark?: boolean; strong?: boolean }): Promise<Seen>;
  close(): Promise<void>;
};

/** A server with screens over three reps, their 45 shops and three months of the demo, on a fixed day, and a browser. */
export async function aStage(): Promise<Stage> {
  const installation = await anInstallation();
  const context = await installation.tenant('main');
  context.clock.at = NOW;
  await fill(context);
  const baseUrl = `http://localhost:${await freePort()}`;
  const app = await anApp(installation, { publicUrl: baseUrl, now: () => Date.parse(NOW), screens: join(import.meta.dirname, '../../dist') });
  await app.listen({ host: '127.0.0.1', port: Number(new URL(baseUrl).port) });
  const browser = await openBrowser();
  const open: Seen[] = [];
  return {
    installation, context, baseUrl, browser,
    person: async (role, { email = `${role}@stage.example`, member, name = `Osoba ${role}`, context: of = context } = {}) => {
      const userId = (await app.signIn.findPerson(email))?.userId ?? await app.signIn.createPerson({ email, name, locale: 'pl', password: PASSWORD });
      if (role === 'approver' || role === 'owner') await app.signIn.plantAuthenticator(userId, AUTHENTICATOR);
      await of.transaction(async (tx) => {
        const program = await findProgram(tx, 'lapa');
        const found = member === undefined ? null : await findMember(tx, program, member);
        await giveRole(tx, of, { userId, role, ...(found ? { program: 'lapa', memberId: found.memberId } : {}) });
        if (found) await acceptTerms(tx, of, program, { memberId: found.memberId, userId, version: 1, evidence: {} }, ANCHOR).catch(() => undefined);
      });
      return email;
    },
    enter: async (email, { width, language = 'pl', to = '/', dark = false, strong = false }) => {
      const seen = await openPage(browser, { baseUrl, language, width, dark });
      open.push(seen);
      tellWhenFailed(seen.page, installation);
      await seen.page.clock.setFixedTime(NOW);
      if (email !== null) await signIn(seen.page, email, PASSWORD, to, strong ? () => createOTP(AUTHENTICATOR, { digits: 6, period: 30 }).totp() : undefined);
      if (language === 'xx') await seen.page.goto(`${to}?lang=xx`);
      return seen;
    },
    close: async () => {
      for (const seen of open) await seen.close().catch(() => undefined);
      await browser.close();
      await app.close();
      await installation.close();
    },
  };
}

const TOLD_CALLS = 15;
/** When its test fails, a page tells where it stood, what it showed, what the server had last answered, and what it still works on. */
function tellWhenFailed(page: Page, installation: Installation): void {
  const calls: string[] = [];
  const open = new Map<Request, string>();
  const tell = (line: string): void => { calls.push(line); if (calls.length > TOLD_CALLS) calls.shift(); };
  page.on('request', (request) => { if (/\/(v1|api)\//.test(request.url())) open.set(request, `${request.method()} ${new URL(request.url()).pathname}`); });
  page.on('response', (response) => { const line = open.get(response.request()); if (open.delete(response.request())) tell(`${line} ${response.status()}`); });
  page.on('requestfailed', (request) => { const line = open.get(request); if (open.delete(request)) tell(`${line} ${request.failure()?.errorText}`); });
  try {
    onTestFailed(async () => {
      const shown = page.isClosed() ? '(closed)' : (await page.locator('body').innerText({ timeout: 2_000 }).catch(() => '(nothing)')).slice(0, 1_500);
      const busy = page.isClosed() ? [] : await page.locator('[data-loading], [aria-busy=true], :disabled').allInnerTexts().catch(() => []);
      const working = await installation.admin<{ told: string }>(`SELECT concat_ws(' ', state, wait_event_type, wait_event, left(query, 300)) AS told FROM pg_catalog.pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()`).catch(() => []);
      console.error([`A page stood at ${page.url()}`, ...calls, ...[...open.values()].map((line) => `${line} (not answered)`), `Busy or closed to clicks: ${busy.join(', ')}`, ...working.map(({ told }) => `The database: ${told}`), shown].join('\n'));
    });
  } catch { /* opened outside a test */ }
}

export async function fill(context: TestContext): Promise<void> {
  const demo = generateDemo(ANCHOR);
  await applyProgram(context, parseProgram(readFileSync(FILE, 'utf8')));
  const shops = demo.members.filter((_, index) => index < 120 ? REPS.includes(demo.members[index]?.code ?? '') : (index - 120) % 120 < REPS.length);
  await recordMembers(context, { program: 'lapa', members: shops });
  await recordTargets(context, { program: 'lapa', targets: demo.targets.filter((target) => REPS.includes(target.subject) && target.window_start >= '2026-06-01') });
  for (const { lines } of demo.months.slice(-3)) await recordSales(context, { program: 'lapa', source: 'distributor', lines: lines.filter((line) => REPS.includes(String(line.rep).slice(5))) });
  await settleStale(context, 'lapa');
  await context.transaction(async (tx) => publishTerms(tx, context, await findProgram(tx, 'lapa'), { effective_on: ANCHOR, material: true, body: { pl: 'Regulamin Programu Łapa.\n§1. Punkty są za zakupy.', en: 'Terms of the Paw program.\n§1. Points are for purchases.' } }, ANCHOR));
}

const freePort = (): Promise<number> => new Promise((done) => { const server = createServer(); server.listen(0, '127.0.0.1', () => { const { port } = server.address() as AddressInfo; server.close(() => done(port)); }); });
