import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

const PLACES = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** Where this machine has a Chromium, or null. */
export const findChromium = (): string | null => PLACES.find((place) => place !== undefined && existsSync(place)) ?? null;

export async function openBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error('no Chromium here: install Debian’s package “chromium”, or name one in CHROMIUM');
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-dev-shm-usage'] });
}

export type Size = 360 | 1440;
export type Seen = { page: Page; problems: string[]; close(): Promise<void> };

/** A page of its own session, in one language, at one width; what the browser complains about is collected. */
export async function openPage(browser: Browser, given: { baseUrl: string; language: 'pl' | 'en' | 'xx'; width: Size; dark?: boolean }): Promise<Seen> {
  const context = await browser.newContext({ baseURL: given.baseUrl, viewport: { width: given.width, height: given.width === 360 ? 740 : 900 }, locale: given.language === 'pl' ? 'pl-PL' : 'en-GB', timezoneId: 'Europe/Warsaw', colorScheme: given.dark ? 'dark' : 'light', reducedMotion: 'reduce', serviceWorkers: 'block', ...(given.width === 360 ? { hasTouch: true, isMobile: true } : {}) });
  if (given.language !== 'xx') await context.addInitScript((language) => { localStorage.setItem('premia.language', language); }, given.language);
  const page = await context.newPage();
  const problems: string[] = [];
  const count = { open: 0 };
  asking.set(page, count);
  page.on('request', () => { count.open += 1; });
  for (const end of ['requestfinished', 'requestfailed'] as const) page.on(end as 'requestfinished', () => { count.open -= 1; });
  page.on('pageerror', (error) => problems.push(`${page.url()}: ${error.message}`));
  page.on('console', (message) => { if (message.type() === 'error' && !/401|404|422|403|409/.test(message.text())) problems.push(`${page.url()}: ${message.text()}`); });
  return { page, problems, close: () => context.close() };
}

/** Signs in at the door everybody comes through. A second factor's code is asked of `code`. */
export async function signIn(page: Page, email: string, password: string, to: string, code?: () => Promise<string>): Promise<void> {
  await page.goto(`/sign-in?to=${to}`);
  await page.locator('input[type=email]').fill(email);
  await page.locator('input[type=password]').fill(password);
  await page.locator('form button[type=submit]').click();
  if (code) { const field = page.locator('input[autocomplete="one-time-code"]'); await field.fill(await code()); await page.locator('form button[type=submit]').click(); }
  await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'));
  await settled(page);
}

const asking = new WeakMap<Page, { open: number }>();

/** Nothing is asked of the server and nothing is drawn as loading, twice in a row: what comes first may ask for more. */
export async function settled(page: Page): Promise<void> {
  for (let quiet = 0, tries = 0; quiet < 2; tries += 1) {
    if (tries > 1_000) throw new Error(`${page.url()} is still loading`);
    const idle = (asking.get(page)?.open ?? 0) === 0 && (await page.evaluate<boolean>(`document.readyState === 'complete' && (document.getElementById('root')?.childElementCount ?? 0) > 0 && document.querySelector('.bone, .mantine-Skeleton-root, .mantine-Loader-root') === null`).catch(() => false));
    quiet = idle ? quiet + 1 : 0;
    await new Promise((done) => { setTimeout(done, 60); });
  }
}
