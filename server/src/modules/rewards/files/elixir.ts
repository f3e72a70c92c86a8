import { z } from 'zod';
import type { Day } from '@premia/kernel';
import { refuse } from '../refusals.ts';
import { ENCODINGS, encode, plainLetters } from './encode.ts';

/** How one bank wants its Elixir-0 (domain.md §3.1): banks differ in these, and only in these. */
export const bankProfileShape = z.strictObject({
  encoding: z.enum(ENCODINGS).default('windows-1250'), order_type: z.string().regex(/^\d{3}$/).default('110'), classification: z.string().regex(/^\d{2}$/).default('51'),
  beneficiary_sort_code: z.enum(['code', 'zero', 'empty']).default('code'), transliterate: z.boolean().default(false), forbidden: z.string().max(50).default(''),
});
export type BankProfile = z.infer<typeof bankProfileShape>;

/** `name` and `title`: lines as a person writes them. Amounts in grosze; accounts as 26 digits. */
export type ElixirOrder = { executeOn: Day; amount: bigint; payerAccount: string; payerName: readonly string[]; account: string; name: readonly string[]; title: readonly string[]; reference?: string; classification?: string };

const [PIECE, PIECES] = [35, 4];

/** Up to four pieces of 35 characters, no character lost; a longer text is refused, never cut short. */
export function pieces(lines: readonly string[], what: { pl: string; en: string }): string[] {
  const cut = lines.filter((line) => line !== '').flatMap((line) => Array.from({ length: Math.ceil([...line].length / PIECE) }, (_, n) => [...line].slice(n * PIECE, (n + 1) * PIECE).join('')));
  if (cut.length > PIECES) throw refuse('text_not_encodable', { pl: `Za długie: ${what.pl} (najwyżej 4 × 35 znaków).`, en: `Too long: ${what.en} (at most 4 × 35 characters).` });
  return [...cut, ...Array.from({ length: PIECES - cut.length }, () => '')];
}

/** One transfer as one line of 16 fields. Quotes and bars would end a field: they become spaces. */
export function elixirLine(order: ElixirOrder, profile: BankProfile): string {
  const clean = (text: string): string => [...(profile.transliterate ? plainLetters(text) : text)].map((char) => (char === '"' || char === '|' || char < ' ' || profile.forbidden.includes(char) ? ' ' : char)).join('');
  const joined = (lines: readonly string[], what: { pl: string; en: string }): string => `"${pieces(lines.map(clean), what).join('|')}"`;
  const sortCode = order.account.slice(2, 10);
  const field11 = { code: sortCode, zero: '0', empty: '' }[profile.beneficiary_sort_code];
  return [profile.order_type, order.executeOn.replaceAll('-', ''), order.amount, order.payerAccount.slice(2, 10), 0, `"${order.payerAccount}"`, `"${order.account}"`, joined(order.payerName, { pl: 'nazwa płatnika', en: 'payer’s name' }), joined(order.name, { pl: 'nazwa odbiorcy', en: 'beneficiary’s name' }),
    0, field11, joined(order.title, { pl: 'tytuł', en: 'title' }), '""', '""', `"${order.classification ?? profile.classification}"`, `"${clean(order.reference ?? '')}"`].join(',');
}

export const elixirFile = (orders: readonly ElixirOrder[], profile: BankProfile): Buffer => encode(orders.map((order) => `${elixirLine(order, profile)}\r\n`).join(''), profile.encoding);

/** The title of a split payment, for paying an invoice – never for a prize: tax, who, which invoice, free text; class 53. */
export const splitPaymentTitle = (of: { vat: string; nip: string; invoice: string; text: string }): string[] => [`/VAT/${of.vat}/IDC/${of.nip}/INV/${of.invoice}/TXT/${of.text}`];
