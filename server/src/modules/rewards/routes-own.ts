import type { ownRewardRoutes } from '@premia/contract';
import { Refusal, formatMinor, parseMinor, phrase } from '@premia/kernel';
import { sql } from 'kysely';
import { crashPoint } from '../../platform/crash-point.ts';
import { today, type Context } from '../../platform/context.ts';
import { rows, type Tx } from '../../platform/database.ts';
import type { Handled, Handler } from '../../platform/http.ts';
import { readBalances } from '../ledger/index.ts';
import { ownMember, type Member, type Program } from '../members/index.ts';
import { accountOf, saveAccount } from './accounts.ts';
import { cardOf } from './cards.ts';
import { ruleOf, saveRule, type CompanyRule } from './company-pays.ts';
import { atDesk, cancelOwn, recallItems } from './decide-items.ts';
import { placeOrder, quoteOrder, type Address } from './place-order.ts';
import { profileOf, saveProfile, type ProfileData } from './profiles.ts';
import { addressOf, listOrders, pageOrders, stepsOf } from './read-orders.ts';
import { refuse } from './refusals.ts';
import { findReward, listRewards, type Reward } from './reward.ts';
import { linesIn, placedView } from './routes.ts';
import { readSettings } from './settings.ts';
import { orderRowView, orderView, shownReward } from './views.ts';
import { revealCode } from './vouchers.ts';

type Own = { program: Program; member: Member };
const own = <T>(context: Context, given: Handled, work: (tx: Tx, of: Own) => Promise<T>): Promise<T> => context.transaction(async (tx) => work(tx, await ownMember(tx, given)));
const programKey = ({ params }: Handled): string => params['program'] as string;
type Lines = { pay_from: 'own' | 'company'; reference: string; lines: { reward: string; quantity: number; amount: string | null }[]; address: Address | null };
/** A member sees that it was they, or that somebody else did it; not who. */
const NOBODY = new Map<string, string>();

/** A company's manager, about that company. */
const managed = <T>(context: Context, given: Handled, work: (tx: Tx, of: { program: Program; company: string }) => Promise<T>): Promise<T> => context.transaction(async (tx) => {
  const { program, company } = await ownMember(tx, given);
  if (company === null) throw new Refusal('program_not_found', 404, phrase('Nie prowadzisz tu żadnej firmy.', 'You manage no company here.'));
  return work(tx, { program, company });
});
/** A rule's limit is in the program's first unit. */
const unitScale = async (tx: Tx, program: Program): Promise<number> => (await rows<{ scale: number }>(tx, sql`SELECT scale FROM ledger.unit WHERE program_id = ${program.programId} ORDER BY unit_id LIMIT 1`))[0]?.scale ?? 0;
const ruleView = (rule: CompanyRule, scale: number): unknown => ({ pays: rule.pays, monthly: rule.monthly === null ? null : formatMinor(rule.monthly, scale), categories: rule.categories });

/** A member's own side of rewards. */
export const ownRewardHandlers: Record<keyof typeof ownRewardRoutes, Handler> = {
  myCatalogue: (context, given) => own(context, given, async (tx, { program, member }) => {
    const { limit, after, search, category, reward, wished } = given.query as { limit: number; after?: string; search?: string; category?: string; reward?: string; wished?: string };
    const on = today(context, program.zone);
    const { rows: offered, next } = await listRewards(tx, program.programId, on, { forMember: member.memberId, ...(search === undefined ? {} : { search }), ...(category === undefined ? {} : { category }), ...(reward === undefined ? {} : { key: reward }), ...(wished === 'true' ? { wishedBy: member.memberId } : {}), ...(after === undefined ? {} : { after }), limit });
    const wishes = new Set((await rows<{ id: bigint }>(tx, sql`SELECT reward_id AS id FROM rewards.wish WHERE program_id = ${program.programId} AND member_id = ${member.memberId}`)).map((wish) => wish.id));
    const balances = await readBalances(tx, program.programId, on, { memberId: member.memberId });
    const missing = (item: Reward): bigint => { const has = balances.find((balance) => balance.unit === item.unit)?.available ?? 0n; const least = item.least === null ? item.price : (item.least * item.price + item.worth - 1n) / item.worth; return least > has ? least - has : 0n; };
    const categories = await rows<{ category: string }>(tx, sql`SELECT DISTINCT category FROM rewards.reward WHERE program_id = ${program.programId} AND state = 'active' AND category <> '' ORDER BY category`);
    return { ordering: (await readSettings(tx, program)).ordering, categories: categories.map((item) => item.category), balances: balances.map((balance) => ({ unit: balance.unit, available: formatMinor(balance.available, balance.scale) })),
      rewards: offered.map((item) => ({ ...shownReward(program, item), missing: formatMinor(missing(item), item.scale), wished: wishes.has(item.rewardId) })), next };
  }),
  wish: (context, given) => own(context, given, async (tx, { program, member }) => {
    const { reward: key, wished } = given.body as { reward: string; wished: boolean };
    const reward = await findReward(tx, program.programId, key, today(context, program.zone));
    await (wished ? sql`INSERT INTO rewards.wish (tenant_id, program_id, member_id, reward_id) VALUES (${context.tenantId}, ${program.programId}, ${member.memberId}, ${reward.rewardId}) ON CONFLICT DO NOTHING` : sql`DELETE FROM rewards.wish WHERE program_id = ${program.programId} AND member_id = ${member.memberId} AND reward_id = ${reward.rewardId}`).execute(tx);
    return { wished };
  }),
  quoteOrder: (context, given) => own(context, given, async (tx, { program, member }) => {
    const { lines, address, pay_from: payFrom } = given.body as Lines;
    const quote = await quoteOrder(tx, context, program, member.memberId, { lines: linesIn(lines, program.currencyScale), address, payFrom });
    const money = (minor: bigint): string => formatMinor(minor, program.currencyScale);
    return { lines: quote.lines.map((line) => ({ reward: line.reward.key, name: line.reward.names, quantity: line.quantity, units: formatMinor(line.units, line.reward.scale), unit: line.reward.unit, worth: money(line.piece.worth), co_pay: money(line.reward.coPay), tax: line.taxed === null ? null : { form: line.taxed.row.rule.form, bearer: line.taxed.row.rule.bearer, tax: money(line.taxed.tax.tax), pay: money(line.taxed.tax.pay), extra: money(line.taxed.tax.extra) } })),
      needs: quote.needs, company: quote.company, totals: quote.totals.map((total) => ({ unit: total.unit, units: formatMinor(total.units, total.scale), available: formatMinor(total.available, total.scale), after: formatMinor(total.available - total.units, total.scale) })) };
  }),
  placeOrder: async (context, given) => {
    const { reference, lines, address, pay_from: payFrom } = given.body as Lines;
    const { scale, member } = await own(context, given, async (_tx, of) => ({ scale: of.program.currencyScale, member: of.member.memberId }));
    return placedView(await placeOrder(context, { program: programKey(given), member: `id:${member}`, reference, lines: linesIn(lines, scale), address, payFrom }));
  },
  myOrders: (context, given) => own(context, given, async (tx, { program, member }) => {
    const { limit, after } = given.query as { limit: number; after?: string };
    const { rows, next } = await pageOrders(tx, program, { memberId: member.memberId, after, limit });
    return { orders: rows.map((row) => orderRowView(program, row, NOBODY)).map(hidden), next };
  }),
  myOrder: (context, given) => own(context, given, async (tx, { program, member }) => {
    const orderId = BigInt(given.params['order'] as string);
    const found = (await listOrders(tx, program, { memberId: member.memberId, orderId, limit: 200 })).toReversed();
    if (found.length === 0) throw refuse('order_not_found');
    const view = orderView(program, found, await stepsOf(tx, program, found.map((row) => row.itemId)), NOBODY, await addressOf(tx, context, program, orderId));
    return { ...view, items: (view['items'] as Record<string, unknown>[]).map(hidden).map((item) => ({ ...item, steps: (item['steps'] as { by: string }[]).map((step) => ({ ...step, by: step.by === context.principal ? 'me' : '' })) })) };
  }),
  cancelMyItem: async (context, given) => {
    const memberId = await own(context, given, async (_tx, { member }) => member.memberId);
    return { state: (await cancelOwn(context, { program: programKey(given), memberId, itemId: BigInt(given.params['item'] as string) })).state };
  },
  revealCode: async (context, given) => {
    const seen = await own(context, given, async (tx, { program, member }) => {
      const itemId = BigInt(given.params['item'] as string);
      if ((await listOrders(tx, program, { memberId: member.memberId, itemId, limit: 1 })).length === 0) throw refuse('order_not_found');
      const { code, validTo } = await revealCode(tx, context, program, itemId);
      crashPoint('reveal-before-commit');
      return { code, valid_to: validTo };
    });
    crashPoint('reveal-after-commit'); // seen by nobody yet, and already in the audit: rather one look too many there than one too few
    return seen;
  },
  myPayoutData: (context, given) => own(context, given, async (tx, { program, member }) => {
    const [account, card, profile] = [await accountOf(tx, program, member.memberId), await cardOf(tx, program, member.memberId), await profileOf(tx, context, program, member.memberId, today(context, program.zone))];
    return { account: account && { last4: account.last4, saved_on: account.savedOn }, card: card && { last4: card.last4, state: card.state }, tax: { status: profile.status, kept: profile.data !== null, last_name: profile.data?.last_name ?? null } };
  }),
  saveAccount: async (context, given) => {
    const { iban, holder } = given.body as { iban: string; holder: string };
    const memberId = await own(context, given, async (_tx, { member }) => member.memberId);
    return atDesk(context, programKey(given), async (desk) => {
      const recalled = await saveAccount(desk.tx, context, desk.program, { memberId, iban, holder, on: desk.posting.bookedOn });
      if (recalled.length > 0) await recallItems(desk, recalled);
      return { last4: (await accountOf(desk.tx, desk.program, memberId))?.last4 ?? '', recalled: recalled.length };
    });
  },
  readCompanyRule: (context, given) => managed(context, given, async (tx, { program, company }) => { const rule = await ruleOf(tx, program, company); return ruleView(rule, await unitScale(tx, program)); }),
  saveCompanyRule: (context, given) => managed(context, given, async (tx, { program, company }) => {
    const { pays, monthly, categories } = given.body as { pays: boolean; monthly: string | null; categories: string[] | null };
    const scale = await unitScale(tx, program);
    const rule = { pays, monthly: monthly === null ? null : parseMinor(monthly, scale, 'monthly'), categories: categories?.length === 0 ? null : categories };
    if (rule.monthly !== null && rule.monthly <= 0n) throw refuse('amount_not_offered');
    await saveRule(tx, context, program, company, rule);
    return ruleView(rule, scale);
  }),
  saveTaxProfile: (context, given) => own(context, given, async (tx, { program, member }) => { await saveProfile(tx, context, program, member.memberId, given.body as ProfileData); return { kept: true }; }),
};

/** What it costs, who approved, and which batch, is the organizer's affair. */
const hidden = (row: Record<string, unknown>): Record<string, unknown> => ({ ...row, cost: null, placed_by: '', approved_by: null, batch: null });
