import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { settled } from './browser.ts';
import type { Stage } from './stage.ts';

export type Group = { name: string; email: string | null; to: string; screens: readonly string[] };
/** Light and dark, both languages, narrow and wide: two combinations at every change, all of them with WALK=all. */
export const CELLS = ([['pl', 360, false], ['en', 1440, true], ...(process.env['WALK'] === 'all' ? [['pl', 1440, true], ['en', 360, false], ['pl', 1440, false], ['en', 360, true]] as const : [])] as const).map(([language, width, dark]) => ({ language, width, dark }));

/** A document that R001 was credited with, to fill in addresses. */
export async function aDocument(stage: Stage): Promise<(screen: string) => string> {
  const [found] = await stage.installation.admin<{ id: string; number: string }>(`SELECT document_id::text AS id, number FROM facts.document WHERE kind = 'sale' AND document_id IN (SELECT f.document_id FROM facts.fact AS f JOIN members.member AS m ON m.member_id = f.member_id WHERE m.code = 'R001') ORDER BY occurred_on DESC, document_id LIMIT 1`);
  const [order] = await stage.installation.admin<{ id: string }>(`SELECT order_id::text AS id FROM rewards.item AS i JOIN members.member AS m USING (tenant_id, program_id, member_id) WHERE m.code = 'R001' ORDER BY item_id LIMIT 1`);
  const [batch] = await stage.installation.admin<{ id: string }>(`SELECT batch_id::text AS id FROM rewards.batch ORDER BY batch_id LIMIT 1`);
  return (screen) => screen.replace(':order', order?.id ?? '').replace(':batch', batch?.id ?? '').replace(':documentId', found?.id ?? '').replace(':document', encodeURIComponent(found?.number ?? '')).replace(':member', 'R001');
}

/** What axe finds on a page as it is now: WCAG 2.2 AA and good practice. */
export async function axeFaults(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  return found.violations.map((violation) => `${violation.id}: ${violation.nodes.slice(0, 2).map((node) => `${node.target.join(' ')} ${node.failureSummary?.split('\n')[1] ?? ''}`).join(' | ')}`);
}

/** Visits every screen of a group in one combination: what axe finds, what sticks out, what shows that should not, what the browser complained about. */
export async function walk(stage: Stage, group: Group, cell: (typeof CELLS)[number]): Promise<string[]> {
  const address = await aDocument(stage);
  const { page, problems, close } = await stage.enter(group.email, { ...cell, to: group.to });
  const faults: string[] = [];
  for (const screen of group.screens) {
    await page.goto(address(screen));
    await settled(page);
    for (const fault of await axeFaults(page)) faults.push(`${screen}: ${fault}`);
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    if (wide > 0) faults.push(`${screen}: ${wide} px too wide`);
    const text = await page.locator('body').innerText();
    for (const odd of ['undefined', '[object', 'NaN', '⟦']) if (text.includes(odd)) faults.push(`${screen}: shows “${odd}”`);
  }
  await close();
  return [...new Set([...faults, ...problems])];
}

/** What a screen says by itself – headings, labels, buttons, places – that is not marked in the pseudo language. */
export async function rawText(stage: Stage, group: Group): Promise<string[]> {
  const chrome = 'h1, h2, h3, th, label, legend, summary, nav a, button, [role=tab], .mantine-NavLink-label, dt';
  const address = await aDocument(stage);
  const raw: string[] = [];
  const { page, close } = await stage.enter(group.email, { width: 1440, language: 'xx', to: group.to });
  for (const screen of group.screens) {
    const to = address(screen);
    await page.goto(`${to}${to.includes('?') ? '&' : '?'}lang=xx`);
    await settled(page);
    for (const text of await page.locator(chrome).allInnerTexts()) if (/\p{L}{2,}/u.test(text) && !text.includes('⟦') && !isData(text)) raw.push(`${screen}: ${text.slice(0, 80)}`);
  }
  await close();
  return [...new Set(raw)];
}

/** What the program, its people and its data are called, and names of languages, files and permissions, are said as they are. */
const DATA = [/^(Bony|Dla sklepu|Do domu|Dobry uczynek|Pieniądze|Rozwój|Shopping voucher 50 PLN|Card top-up|Steel kettle 1\.7 l|City backpack 25 l|Nagrody: konto sponsora|PIT-11|PIT-8AR|BIC|SHA-256)\b/, /^(organizer|Osoba|Joanna)/, /^[\d,]+.(pts|bdg)$/, /^(Polski|English|Premia|CSV|XLSX|GTIN|PDF)$/, /^Osoba /, /^\w+_by$/, /^attributes$/, /^Paw program/, /^\w[\w-]*:\w+$/, /^(FV|KOR)\//, /^(buyer|rep|points|badges|klub|distributor|academy|monthly|document|line|date|product|quantity|net|decimal|base|unit|units|every|times)$/i, /Ctrl K/, /^[\p{Lu}][\p{Ll}ł]+ [\p{Lu}][\p{L}]+( [A-Z]\d+)?$/u, /^\w+ 20\d\d$/, /\p{L}+\u00a020\d\d/u, /Rep|Kowalska|R001/, /^(Points for purchases|Double points|Broad basket|Monthly target|Quarterly growth|Quiz: litter|Podium of the month|Treats challenge)/];
const isData = (text: string): boolean => DATA.some((pattern) => pattern.test(text.trim()));
