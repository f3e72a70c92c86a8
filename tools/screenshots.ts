import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openBrowser, openPage, settled, signIn, type Size } from '../tests/support/browser.ts';
import { CONSOLE_SCREENS, OPEN_SCREENS, PORTAL_SCREENS } from '../tests/support/screens.ts';

/*
 * Pictures of every screen of a running demo, at 360 and 1440 pixels, in both languages: `npm run -s screenshots -- [http://localhost:3000] [part of an address]`.
 * They go to .tmp/screenshots, to be looked at.
 */
const [baseUrl = 'http://localhost:3000', part = ''] = process.argv.slice(2);
const PASSWORD = 'lapa-demo-2026';
const folder = join(import.meta.dirname, '..', '.tmp', 'screenshots');
mkdirSync(folder, { recursive: true });
const browser = await openBrowser();
const problems: string[] = [];
let made = 0;

for (const language of (process.env['LANGUAGES'] ?? 'pl,en').split(',') as ('pl' | 'en')[]) for (const width of [360, 1440] as Size[]) for (const dark of [false, ...(process.env['DARK'] ? [true] : [])]) {
  const groups = [{ screens: OPEN_SCREENS, email: null, to: '/' }, { screens: PORTAL_SCREENS, email: 'joanna@lapa.example', to: '/' }, { screens: CONSOLE_SCREENS, email: 'olga@lapa.example', to: '/console' }, { screens: ['/', '/earn'], email: 'sklep@lapa.example', to: '/', name: 'shop' }];
  for (const { screens, email, to, name = '' } of groups) {
    const wanted = screens.filter((screen) => screen.includes(part));
    if (wanted.length === 0) continue;
    const { page, problems: found, close } = await openPage(browser, { baseUrl, language, width, dark });
    if (email !== null) await signIn(page, email, PASSWORD, to);
    const list = await page.evaluate(async () => { const answer = await fetch('/v1/programs/lapa/documents?limit=1', { headers: { 'x-premia-tenant': 'main' } }); return answer.ok ? await answer.json() as { documents: { id: string }[] } : { documents: [] }; }).catch(() => ({ documents: [] as { id: string }[] }));
    const mine = await page.evaluate(async () => { const answer = await fetch('/v1/me/lapa/entries?limit=20', { headers: { 'x-premia-tenant': 'main' } }); return answer.ok ? ((await answer.json()) as { entries: { document: string | null }[] }).entries.find((entry) => entry.document !== null)?.document ?? '' : ''; }).catch(() => '');
    const orders = await page.evaluate(async (ask) => { const answer = await fetch(ask, { headers: { 'x-premia-tenant': 'main' } }); return answer.ok ? ((await answer.json()) as { orders: { order: string }[] }).orders.map((item) => item.order) : []; }, to === '/console' ? '/v1/programs/lapa/orders?limit=1&state=delivered' : '/v1/me/lapa/orders?limit=1').catch(() => [] as string[]);
    for (const screen of wanted) {
      await page.goto(screen.replace(':documentId', list.documents[0]?.id ?? '1').replace(':document', encodeURIComponent(mine || 'FV/2026-11/S0001/1')).replace(':member', 'R001').replace(':order', orders[0] ?? '1').replace(':batch', '1'));
      await settled(page).catch(() => problems.push(`${screen} does not settle`));
      const file = `${language}-${width}${dark ? '-dark' : ''}-${name}${screen.replaceAll(/[^\w]+/g, '_').replace(/^_|_$/g, '') || 'home'}.png`;
      await page.screenshot({ path: join(folder, file), fullPage: width === 1440 });
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      if (wide > 0) problems.push(`${screen} at ${width} is ${wide} px too wide`);
      made += 1;
    }
    problems.push(...found);
    await close();
  }
}
await browser.close();
process.stderr.write(`${made} pictures in ${folder}\n${problems.map((problem) => `  ${problem}\n`).join('')}`);
process.exit(problems.length > 0 ? 1 : 0);
