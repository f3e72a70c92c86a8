import { sql } from 'kysely';
import { addDays, dayAt, type Day } from '@premia/kernel';
import type { Context } from '../platform/context.ts';
import { row, rows } from '../platform/database.ts';
import { acceptTerms, findMember, findProgram } from '../modules/members/index.ts';
import { approveBatch, approveItems, confirmBatch, confirmTaxRule, deposit, downloadBatch, exportBatch, findReward, importCodes, issueCard, listTaxRules, moveItems, placeOrder, proposeBatch, saveAccount, saveBudget, saveProfile, saveReward, saveSettings, settingsShape, type RewardDraft } from '../modules/rewards/index.ts';

const DONE = 'demo.rewards';
const drawn = (colour: string, path: string): string => `data:image/svg+xml;base64,${Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 48"><rect width="64" height="48" fill="${colour}"/><g transform="translate(20 12)" fill="none" stroke="#fff" stroke-width="1.6" stroke-linejoin="round" stroke-linecap="round"><path d="${path}"/></g></svg>`).toString('base64')}`;
const PATHS = { card: 'M1 5h22v14H1zM1 10h22M4 15h6', bank: 'M2 9 12 3l10 6zM4 10v8m5-8v8m6-8v8m5-8v8M2 20h20', voucher: 'M1 6h22v4a2 2 0 0 0 0 4v4H1v-4a2 2 0 0 0 0-4zM15 6v12', kettle: 'M6 9h11l2 11H4zM17 11h3v6h-2M8 9c0-4 7-4 7 0M11 5V3', book: 'M3 4h7c1 0 2 1 2 2v14c0-1-1-2-2-2H3zM21 4h-7c-1 0-2 1-2 2v14c0-1 1-2 2-2h7z', heart: 'M12 20S3 14 3 8.500C3 5 8 3 12 8c4-5 9-3 9 .5C21 14 12 20 12 20z', tool: 'M14 6a5 5 0 0 1 7 6l-3-3-2 2 3 3a5 5 0 0 1-6-1L6 20l-3-3 7-7a5 5 0 0 1 1-6', ticket: 'M3 8l5-5 13 13-5 5zM9 9l6 6', bag: 'M5 8h14l1 12H4zM8 8a4 4 0 0 1 8 0' };

const base = { state: 'active', category: '', unit: 'points', co_pay: '0', least: null, most: null, limit: null, valid_from: null, valid_to: null, audience: {}, approval: 'policy', provider: null, vat_rate: '23%', vat_kind: 'none', vat_deducted: false, low_value_register: false, supplier: '', least_days: 30, low_stock: 0 } as const;
const reward = (key: string, kind: RewardDraft['kind'], names: [pl: string, en: string, plMore: string, enMore: string], more: Partial<RewardDraft> & Pick<RewardDraft, 'price' | 'worth' | 'cost'>): RewardDraft => ({ ...base, key, kind, name: { pl: names[0], en: names[1] }, description: { pl: names[2], en: names[3] }, ...more });
const CATALOGUE: readonly RewardDraft[] = [
  reward('doladowanie-karty', 'prepaid', ['Doładowanie karty', 'Card top-up', 'Pieniądze na Twojej karcie przedpłaconej, zwykle w dwa dni robocze.', 'Money on your prepaid card, usually within two working days.'], { category: 'Pieniądze', price: '10', worth: '1.00', cost: '1.00', least: '20.00', most: '2000.00', audience: { kinds: ['person'] }, picture: drawn('#0f6b62', PATHS.card) }),
  reward('przelew', 'transfer', ['Przelew na konto', 'Bank transfer', 'Przelew na konto, które podasz. Pierwszy na nowe konto zatwierdza człowiek.', 'A transfer to the account you give. The first to a new account is approved by a person.'], { category: 'Pieniądze', price: '10', worth: '1.00', cost: '1.00', least: '50.00', most: '3000.00', picture: drawn('#1f4e79', PATHS.bank) }),
  reward('bon-50', 'voucher', ['Bon zakupowy 50 zł', 'Shopping voucher 50 PLN', 'Kod do pokazania przy kasie, ważny co najmniej trzy miesiące.', 'A code to show at the till, valid for three months at least.'], { category: 'Bony', price: '500', worth: '50.00', cost: '48.50', vat_kind: 'mpv', least_days: 90, low_stock: 10, limit: { count: 4, window: 'month' }, supplier: 'Bony Wielkopolska', picture: drawn('#7a3e9d', PATHS.voucher) }),
  reward('kod-karmy', 'code', ['Kod −20 % na karmę Łapa', 'Code: 20 % off Łapa food', 'Jednorazowy kod do sklepu internetowego.', 'A single-use code for the online shop.'], { category: 'Bony', price: '200', worth: '0.00', cost: '0.00', picture: drawn('#7a3e9d', PATHS.ticket) }),
  reward('czajnik', 'goods', ['Czajnik stalowy 1,7 l', 'Steel kettle 1.7 l', 'Stal szczotkowana, dwa lata gwarancji.', 'Brushed steel, two years of guarantee.'], { category: 'Do domu', price: '1500', worth: '149.00', cost: '104.00', stock: 12, low_stock: 3, vat_deducted: true, supplier: 'AGD Hurt', picture: drawn('#8a5a00', PATHS.kettle) }),
  reward('plecak', 'goods', ['Plecak miejski 25 l', 'City backpack 25 l', 'Kieszeń na laptop, materiał z odzysku.', 'A laptop pocket; made of recycled material.'], { category: 'Do domu', price: '2200', worth: '219.00', cost: '151.00', stock: 1, vat_deducted: true, supplier: 'AGD Hurt', picture: drawn('#8a5a00', PATHS.bag) }),
  reward('rowerek', 'goods', ['Rower trekkingowy z dopłatą 400 zł', 'Trekking bike, with 400 PLN of your own', 'Punkty i 400 zł dopłaty przelewem.', 'Points and 400 PLN paid by transfer.'], { category: 'Do domu', price: '15000', worth: '1800.00', cost: '1390.00', co_pay: '400.00', stock: 3, supplier: 'Rowery Zachód', audience: { tiers: ['gold', 'platinum', 'zloty', 'platynowy'] }, picture: drawn('#8a5a00', PATHS.tool) }),
  reward('szkolenie', 'training', ['Szkolenie: żywienie kotów', 'Training: feeding cats', 'Dwa dni w Poznaniu, z certyfikatem.', 'Two days in Poznań, with a certificate.'], { category: 'Rozwój', price: '3000', worth: '600.00', cost: '420.00', stock: 20, picture: drawn('#285c2d', PATHS.book) }),
  reward('serwis-wagi', 'support', ['Legalizacja wagi sklepowej', 'Certification of a shop scale', 'Serwisant przyjedzie w umówionym terminie.', 'A technician comes when it suits you.'], { category: 'Dla sklepu', price: '1800', worth: '180.00', cost: '150.00', audience: { kinds: ['company'] }, picture: drawn('#285c2d', PATHS.tool) }),
  reward('schronisko', 'charity', ['50 zł dla schroniska', '50 PLN for an animal shelter', 'Przekażemy je schronisku w Twoim województwie.', 'We pass it on to a shelter in your province.'], { category: 'Dobry uczynek', price: '500', worth: '50.00', cost: '50.00', picture: drawn('#8f2d2d', PATHS.heart) }),
];
/** Made up: a checksum that is right, people who are not. */
const ACCOUNTS = ['PL61109010140000071219812874', 'PL27114020040000300201355387'];

type DemoStaff = { operator: string; approver: string; owner: string };
/** Rewards of the demo, once: a catalogue, codes, a confirmed tax table, money, and orders in every stage of their way. */
export async function seedRewards(context: Context, people: DemoStaff): Promise<void> {
  if ((await context.transaction((tx) => rows(tx, sql`SELECT 1 FROM identity.audit WHERE action = ${DONE} LIMIT 1`))).length > 0) return;
  const as = (person: string): Context => ({ ...context, principal: `person:${person}` });
  const today = dayAt(context.now(), 'Europe/Warsaw');
  await seedCatalogue(context, people);
  await seedOrders(context, as, people, today);
  await context.transaction((tx) => sql`INSERT INTO identity.audit (tenant_id, at, principal, action, subject) VALUES (${context.tenantId}, ${new Date(context.now()).toISOString()}, ${context.principal}, ${DONE}, 'program:lapa')`.execute(tx));
}

/** The catalogue, its codes, a confirmed tax table, payer and money. */
export async function seedCatalogue(context: Context, people: DemoStaff): Promise<void> {
  const as = (person: string): Context => ({ ...context, principal: `person:${person}` });
  const today = dayAt(context.now(), 'Europe/Warsaw');
  await context.transaction(async (tx) => {
    if ((await rows(tx, sql`SELECT 1 FROM rewards.reward LIMIT 1`)).length > 0) return;
    const program = await findProgram(tx, 'lapa');
    for (const rule of await listTaxRules(tx, context)) if (rule.confirmedBy === null) await confirmTaxRule(tx, as(people.owner), rule.ruleId);
    await saveSettings(tx, as(people.owner), program, settingsShape.parse({ payer: { name: 'Łapa sp. z o.o.', nip: '5213017228', address: ['ul. Psia 4', '60-101 Poznań'], account: '61109010140000071219812874', bic: 'WBKPPLPP' }, fee_bp: 400, unit_costs: { points: '0.1' }, topup: { message: 'Program Łapa', cost_centre: 'MKT-01' } }));
    for (const draft of CATALOGUE) await saveReward(tx, as(people.operator), program, draft);
    for (const [key, count] of [['bon-50', 24], ['kod-karmy', 60]] as const) await importCodes(tx, as(people.operator), program, await findReward(tx, program.programId, key, today), { lot: `${key}-2026`, text: Array.from({ length: count }, (_, n) => `${key === 'bon-50' ? 'BON' : 'LAPA'}-${String((n + 1) * 7_919).padStart(6, '0')}-${String((n * 104_729) % 9_973).padStart(4, '0')};${addDays(today, 200 + (n % 3) * 40)}`).join('\n') });
    await saveBudget(tx, as(people.owner), program, { key: 'nagrody', name: 'Nagrody: konto sponsora', sponsor: false, policy: 'block', warnPercent: 80 });
    await deposit(tx, as(people.owner), program, { budget: 'nagrody', amount: 4_000_000n, note: 'Wpłata sponsora', on: today });
  });
}

async function seedOrders(context: Context, as: (person: string) => Context, people: DemoStaff, today: Day): Promise<void> {
  if ((await context.transaction((tx) => rows(tx, sql`SELECT 1 FROM rewards.card LIMIT 1`))).length > 0) return; // a start cut short: what there is of it stays
  const rich = await context.transaction((tx) => rows<{ code: string; name: string }>(tx, sql`SELECT m.code, p.name FROM ledger.lot AS l JOIN members.member AS m ON m.tenant_id = l.tenant_id AND m.program_id = l.program_id AND m.member_id = l.member_id JOIN members.person AS p ON p.tenant_id = m.tenant_id AND p.program_id = m.program_id AND p.member_id = m.member_id JOIN ledger.unit AS u ON u.tenant_id = l.tenant_id AND u.program_id = l.program_id AND u.unit_id = l.unit_id
    WHERE m.kind = 'person' AND m.code <> 'R001' AND u.key = 'points' AND l.gate = '' AND l.available_on <= ${today}::date AND l.expires_on >= ${today}::date GROUP BY m.code, p.name HAVING sum(l.remaining) >= 6000 ORDER BY m.code LIMIT 8`));
  for (const [index, code] of ['R001', ...rich.map((rep) => rep.code)].entries()) {
    await context.transaction(async (tx) => {
      const program = await findProgram(tx, 'lapa');
      const { memberId } = await findMember(tx, program, code);
      const [first = 'Joanna', ...rest] = (rich[index - 1]?.name ?? 'Joanna Kowalska').split(' ');
      if (code !== 'R001') await acceptTerms(tx, context, program, { memberId, userId: `demo-${code}`, version: 1, evidence: { how: 'demo' } }, today);
      await issueCard(tx, as(people.operator), program, { memberId, proxy: `LAPA-${String(7_001 + index)}`, last4: String(2_200 + index * 37), on: addDays(today, -200) });
      await saveAccount(tx, context, program, { memberId, iban: ACCOUNTS[index % 2] as string, holder: `${first} ${rest.join(' ')}`, on: addDays(today, -90) });
      if (code !== 'R001') await saveProfile(tx, context, program, memberId, { first_name: first, last_name: rest.join(' ') || first, identifier: '44051401359', birth_date: '1944-05-14', street: `ul. Psia ${index + 1}`, postcode: '60-101', city: 'Poznań', tax_office: 'Urząd Skarbowy Poznań-Grunwald', resident: true });
    });
  }
  let orders = 0;
  const order = async (code: string, key: string, amount: bigint | null = null): Promise<bigint> => { orders += 1; return (await placeOrder(context, { program: 'lapa', member: code, reference: `demo-${orders}`, lines: [{ reward: key, quantity: 1, amount }], address: { name: code, street: 'ul. Psia 4', postcode: '60-101', city: 'Poznań', phone: '' } })).items[0]?.itemId ?? 0n; };
  const [a, b, c, d, e] = rich.map((rep) => rep.code);
  if (a === undefined || b === undefined || c === undefined || d === undefined || e === undefined) return;
  const paid = [await order(a, 'doladowanie-karty', 30_000n), await order(b, 'doladowanie-karty', 20_000n), await order(c, 'doladowanie-karty', 15_000n)];
  await approveItems(as(people.approver), 'lapa', paid);
  const batch = await proposeBatch(as(people.operator), 'lapa', { rail: 'prepaid', format: 'topup', executeOn: today });
  await approveBatch(as(people.approver), 'lapa', batch);
  await exportBatch(as(people.owner), 'lapa', batch);
  const reference = (await downloadBatch(as(people.owner), 'lapa', batch)).bytes.toString().split('\r\n')[1]?.split(';')[0] ?? '';
  await confirmBatch(as(people.operator), 'lapa', batch, { text: ['order_ref;line_no;status;provider_ref;reason;loaded_at', `${reference};1;LOADED;EDN-50017;;${today}`, `${reference};2;LOADED;EDN-50018;;${today}`, `${reference};3;REJECTED;;karta zablokowana przez posiadacza;${today}`].join('\n') });
  const kettle = await order(d, 'czajnik');
  await moveItems(as(people.operator), 'lapa', [kettle], 'ship', { carrier: 'InPost', tracking: '620011223344556677889900' });
  await order(d, 'czajnik');
  await order(e, 'bon-50');
  await order(d, 'doladowanie-karty', 40_000n);
  await order(e, 'przelew', 25_000n);
  await order('R001', 'kod-karmy');
  const shop = await context.transaction((tx) => row<{ code: string }>(tx, sql`SELECT m.code FROM ledger.lot AS l JOIN members.member AS m ON m.tenant_id = l.tenant_id AND m.program_id = l.program_id AND m.member_id = l.member_id JOIN ledger.unit AS u ON u.tenant_id = l.tenant_id AND u.program_id = l.program_id AND u.unit_id = l.unit_id WHERE m.kind = 'company' AND u.key = 'points' AND l.gate = '' AND l.available_on <= ${today}::date AND l.expires_on >= ${today}::date GROUP BY m.code HAVING sum(l.remaining) >= 2500 ORDER BY m.code LIMIT 1`));
  if (shop === undefined) return;
  await context.transaction(async (tx) => { const program = await findProgram(tx, 'lapa'); await acceptTerms(tx, context, program, { memberId: (await findMember(tx, program, shop.code)).memberId, userId: 'demo-shop', version: 1, evidence: { how: 'demo' } }, today); });
  await order(shop.code, 'serwis-wagi');
}
