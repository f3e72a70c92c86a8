import { sql } from 'kysely';
import { PERMISSIONS, createApiKey } from '../../server/src/modules/identity/index.ts';
import { confirmTaxRule, importCodes, issueCard, listTaxRules, placeOrder, findReward, saveAccount, saveProfile, saveReward, saveSettings, settingsShape, type OrderDraft, type RewardDraft } from '../../server/src/modules/rewards/index.ts';
import { findMember, findProgram } from '../../server/src/modules/members/index.ts';
import type { Context } from '../../server/src/platform/context.ts';
import type { TestContext } from './installation.ts';
import { aProgram, aWorld, perHundred, type World } from './world.ts';

export const TODAY = '2026-06-15';
export const PROFILE = { first_name: 'Jan', last_name: 'Kowalski', identifier: '44051401359', birth_date: '1944-05-14', street: 'ul. Polna 2', postcode: '60-001', city: 'Poznań', tax_office: 'Urząd Skarbowy Poznań-Grunwald', resident: true };
export const ADDRESS = { name: 'Jan Kowalski', street: 'ul. Polna 2', postcode: '60-001', city: 'Poznań', phone: '' };
const IBAN = 'PL27114020040000300201355387';

const BASE: RewardDraft = { key: 'x', kind: 'goods', state: 'active', name: { pl: 'Nagroda', en: 'Reward' }, description: { pl: '', en: '' }, category: 'dom', unit: 'points', price: '10', worth: '10.00', co_pay: '0', least: null, most: null, stock: null, limit: null, valid_from: null, valid_to: null, audience: {}, approval: 'policy', provider: null, cost: '8.00', vat_rate: '23%', vat_kind: 'none', vat_deducted: false, low_value_register: false, supplier: 'Hurt', least_days: 30, low_stock: 0 };
export const aReward = (key: string, more: Partial<RewardDraft> = {}): RewardDraft => ({ ...BASE, key, ...more });

export type Shop = World & {
  offer(...rewards: RewardDraft[]): Promise<void>;
  earn(member: string, points: number): Promise<void>;
  order(member: string, lines: { reward: string; quantity?: number; amount?: bigint }[], more?: Partial<OrderDraft> & { by?: string }): ReturnType<typeof placeOrder>;
  codes(reward: string, count: number, validTo?: string): Promise<void>;
  /** Gives a member what payouts need: account, card, data for the tax office. */
  ready(member: string): Promise<void>;
  as(principal: string): Context;
  states(): Promise<Record<string, number>>;
};

let counter = 0;

/** A program with rewards: a catalogue, a confirmed tax table, a payer; members are companies unless said otherwise. */
export async function aShop(context: TestContext, more: object = {}, settings: object = {}): Promise<Shop> {
  const world = await aWorld(context, { ...(aProgram([perHundred]) as object), four_eyes: { imports: false, rules: false, adjustments: false, payouts: true }, ...more });
  const as = (principal: string): Context => ({ ...context, principal });
  const within = <T>(work: (tx: Parameters<Parameters<Context['transaction']>[0]>[0], program: Awaited<ReturnType<typeof findProgram>>) => Promise<T>): Promise<T> => context.transaction(async (tx) => work(tx, await findProgram(tx, 'p')));
  await within(async (tx, program) => {
    for (const rule of await listTaxRules(tx, context)) await confirmTaxRule(tx, as('lawyer'), rule.ruleId);
    await saveSettings(tx, context, program, settingsShape.parse({ payer: { name: 'Łapa sp. z o.o.', nip: '5213017228', address: ['ul. Testowa 1', '00-001 Warszawa'], account: '61109010140000071219812874', bic: 'WBKPPLPP' }, approval: { kinds: ['transfer', 'prepaid'], from_minor: 50_000, new_account_days: 7 }, unit_costs: { points: '0.02' }, ...settings }));
  });
  return {
    ...world, as,
    offer: (...rewards) => within(async (tx, program) => { for (const reward of rewards) await saveReward(tx, context, program, reward); }),
    earn: async (member, points) => { counter += 1; await world.sell({ number: `EARN-${counter}`, on: '2026-03-31', net: `${(BigInt(points) * 20n)}.00`, buyer: member }); },
    order: (member, lines, given = {}) => { counter += 1; const { by, ...rest } = given; return placeOrder(as(by ?? `person:${member}`), { program: 'p', member, reference: `o-${counter}`, lines: lines.map((line) => ({ quantity: 1, amount: null, ...line })), address: ADDRESS, ...rest }); },
    codes: (reward, count, validTo = '2027-12-31') => within(async (tx, program) => { counter += 1; await importCodes(tx, context, program, await findReward(tx, program.programId, reward, TODAY), { lot: `lot-${counter}`, text: Array.from({ length: count }, (_, n) => `C${counter}-${n};${validTo}`).join('\n') }); }),
    ready: (member) => within(async (tx, program) => {
      const { memberId } = await findMember(tx, program, member);
      counter += 1;
      await saveAccount(tx, as(`person:${member}`), program, { memberId, iban: IBAN, holder: 'Jan Kowalski', on: '2026-05-01' });
      await issueCard(tx, context, program, { memberId, proxy: `PROXY-${counter}`, last4: '7788', on: '2026-05-01' });
      await saveProfile(tx, context, program, memberId, PROFILE);
    }),
    states: async () => { const found = await context.transaction(async (tx) => { return (await sql<{ state: string; n: number }>`SELECT state, count(*)::int AS n FROM rewards.item GROUP BY 1`.execute(tx)).rows; }); return Object.fromEntries(found.map((item) => [item.state, item.n])); },
  };
}

/** A key that may do everything, for going through the API. */
export const aKey = async (context: Context): Promise<string> => (await createApiKey(context, { name: 'test', permissions: PERMISSIONS })).secret;
