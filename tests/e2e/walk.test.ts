import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settled } from '../support/browser.ts';
import { CONSOLE_SCREENS, OPEN_SCREENS, PORTAL_SCREENS } from '../support/screens.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';

/** Every screen, in both languages, light and dark, wide and narrow: axe finds nothing, nothing sticks out, no key and no error shows. */
describe.skipIf(noBrowser)('every screen', () => {
  let stage: Stage;
  let document = { id: '', number: '' };
  beforeAll(async () => {
    stage = await aStage();
    await stage.person('member', { member: 'R001' });
    await stage.person('operator');
    document = (await stage.installation.admin<{ id: string; number: string }>(`SELECT document_id::text AS id, number FROM facts.document WHERE kind = 'sale' AND document_id IN (SELECT f.document_id FROM facts.fact AS f JOIN members.member AS m ON m.member_id = f.member_id WHERE m.code = 'R001') ORDER BY occurred_on DESC, document_id LIMIT 1`))[0] ?? document;
  });
  afterAll(() => stage?.close());

  const groups = [['open', null, '/', OPEN_SCREENS], ['portal', 'member@stage.example', '/', PORTAL_SCREENS], ['console', 'operator@stage.example', '/console', CONSOLE_SCREENS]] as const;
  const cells = groups.flatMap(([name, email, to, screens]) => ([['pl', 360, false], ['en', 1440, true], ['pl', 1440, false], ['en', 360, true]] as const).map(([language, width, dark]) => ({ name, email, to, screens, language, width, dark })));
  test.each(cells)('$name in $language at $width, dark: $dark', async ({ email, to, screens, language, width, dark }) => {
    const { page, problems, close } = await stage.enter(email, { language, width, dark, to });
    const faults: string[] = [];
    for (const screen of screens) {
      await page.goto(screen.replace(':documentId', document.id).replace(':document', encodeURIComponent(document.number)).replace(':member', 'R001'));
      await settled(page);
      const found = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
      for (const violation of found.violations) faults.push(`${screen}: ${violation.id}: ${violation.nodes.slice(0, 2).map((node) => `${node.target.join(' ')} ${node.failureSummary?.split('\n')[1] ?? ''}`).join(' | ')}`);
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      if (wide > 0) faults.push(`${screen}: ${wide} px too wide`);
      const text = await page.locator('body').innerText();
      for (const odd of ['undefined', '[object', 'NaN', '⟦']) if (text.includes(odd)) faults.push(`${screen}: shows “${odd}”`);
    }
    await close();
    expect([...new Set([...faults, ...problems])]).toEqual([]);
  });

  test('in the pseudo language everything a screen says by itself is marked: no raw text', async () => {
    const chrome = 'h1, h2, h3, th, label, legend, summary, nav a, button, [role=tab], .mantine-NavLink-label, dt';
    const raw: string[] = [];
    for (const [email, to, screens] of [[null, '/sign-in', OPEN_SCREENS], ['member@stage.example', '/', PORTAL_SCREENS], ['operator@stage.example', '/console', CONSOLE_SCREENS]] as const) {
      const { page, close } = await stage.enter(email, { width: 1440, language: 'xx', to });
      for (const screen of screens) {
        const address = screen.replace(':documentId', document.id).replace(':document', encodeURIComponent(document.number)).replace(':member', 'R001');
        await page.goto(`${address}${address.includes('?') ? '&' : '?'}lang=xx`);
        await settled(page);
        for (const text of await page.locator(chrome).allInnerTexts()) if (/\p{L}{2,}/u.test(text) && !text.includes('⟦') && !isData(text)) raw.push(`${screen}: ${text.slice(0, 80)}`);
      }
      await close();
    }
    expect([...new Set(raw)]).toEqual([]);
  });
});

/** What the program, its people and its data are called, and names of languages, files and permissions, are said as they are. */
const DATA = [/^(Polski|English|Premia|CSV|XLSX|GTIN|PDF)$/, /^Osoba /, /^Paw program/, /^\w[\w-]*:\w+$/, /^(FV|KOR)\//, /^(buyer|rep|points|badges|klub|distributor|academy|monthly|document|line|date|product|quantity|net|decimal|base|unit|units|every|times)$/i, /Ctrl K/, /^[\p{Lu}][\p{Ll}ł]+ [\p{Lu}][\p{L}]+( [A-Z]\d+)?$/u, /^\w+ 20\d\d$/, /\p{L}+\u00a020\d\d/u, /Rep|Kowalska|R001/, /^(Points for purchases|Double points|Broad basket|Monthly target|Quarterly growth|Quiz: litter|Podium of the month|Treats challenge)/];
const isData = (text: string): boolean => DATA.some((pattern) => pattern.test(text.trim()));
