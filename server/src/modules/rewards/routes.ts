import type { rewardRoutes } from '@premia/contract';
import { formatMinor, parseMinor, type Day, type Locale } from '@premia/kernel';
import { Readable } from 'node:stream';
import { today, type Context } from '../../platform/context.ts';
import type { Tx } from '../../platform/database.ts';
import { numberedCursor, type Handled, type Handler } from '../../platform/http.ts';
import { audit } from '../identity/index.ts';
import { findMember, findProgram, type Program } from '../members/index.ts';
import { approveBatch, cancelBatch, confirmBatch, downloadBatch, exportBatch, findBatch, linesOfBatch, listBatches, proposeBatch, type BatchLine, type Format, type Rail } from './batches.ts';
import { deposit, listBudgets, saveBudget } from './budgets.ts';
import { issueCard, listCards, setCardState } from './cards.ts';
import { approveItems, moveItems, type HandAction } from './decide-items.ts';
import type { Item } from './items.ts';
import { placeOrder, type Address, type OrderLine, type Placed } from './place-order.ts';
import { printSettlement, settlementSheet } from './print-settlement.ts';
import { profileOf, saveStatus } from './profiles.ts';
import { addressOf, listOrders, pageOrders, readEvidence, stepsOf, type OrderRow } from './read-orders.ts';
import { refuse } from './refusals.ts';
import { findReward, listRewards } from './reward.ts';
import { importRewards, repriceRewards, saveReward, type RewardDraft } from './save-rewards.ts';
import { readSettings, saveSettings, settingsShape } from './settings.ts';
import { readMoneyLiability, readSettlement, type Settlement } from './settlement.ts';
import { importShipments, listShipments } from './shipments.ts';
import { confirmTaxRule, listTaxRules, saveTaxRule } from './tax-table.ts';
import { listTaxForms, makeTaxForm, openTaxForm, readTaxYear } from './tax-forms.ts';
import { FORMS, formDue, type Form, type Status, type TaxRule } from './tax.ts';
import { batchLineView, batchView, called, calledOrNull, orderRowView, orderView, rewardView, type Names } from './views.ts';
import { importCodes, listCodes, voidCode } from './vouchers.ts';

const text = ({ params }: Handled, name: string): string => params[name] as string;
const numberOf = (given: Handled, name: string): bigint => BigInt(text(given, name));
/** One program, one transaction. */
const within = <T>(context: Context, given: Handled, work: (tx: Tx, program: Program) => Promise<T>): Promise<T> => context.transaction(async (tx) => work(tx, await findProgram(tx, text(given, 'program'))));
const pageOf = ({ query }: Handled): { limit: number; after: string | undefined } => query as { limit: number; after: string | undefined };
const nextOf = (found: readonly unknown[], limit: number, last: bigint | undefined): string | null => (found.length > limit && last !== undefined ? String(last) : null);
export const placedView = (placed: Placed): unknown => ({ order: placed.orderId, items: placed.items.map((item) => ({ item: item.itemId, reward: item.reward, state: item.state, units: formatMinor(item.units, item.scale), unit: item.unit })) });
export const linesIn = (lines: readonly { reward: string; quantity: number; amount: string | null }[], scale: number): OrderLine[] => lines.map((line) => ({ reward: line.reward, quantity: line.quantity, amount: line.amount === null ? null : parseMinor(line.amount, scale, 'amount') }));
const movedView = (items: readonly Item[]): unknown => ({ items: items.map((item) => ({ item: item.itemId, state: item.state })) });

export type NamesOf = (ids: string[]) => Promise<ReadonlyMap<string, { name: string }>>;

/** Everything people in the console, and integrators, do with rewards. */
export const rewardHandlers = (namesOf: NamesOf): Record<keyof typeof rewardRoutes, Handler> => {
  const names = async (principals: readonly (string | null)[]): Promise<Names> => {
    const found = await namesOf([...new Set(principals.flatMap((name) => (name?.startsWith('person:') ? [name.slice(7)] : [])))]);
    return new Map([...found].map(([id, person]) => [`person:${id}`, person.name]));
  };
  const whoOf = (rows: readonly OrderRow[]): Promise<Names> => names(rows.flatMap((row) => [row.placedBy, row.approvedBy]));
  return {
    listRewards: (context, given) => within(context, given, async (tx, program) => {
      const { rows, next } = await listRewards(tx, program.programId, today(context, program.zone), given.query as { limit: number; after?: string; sort?: string; search?: string; kind?: string; category?: string; state?: string });
      return { rewards: rows.map((reward) => rewardView(program, reward)), next };
    }),
    saveReward: (context, given) => within(context, given, async (tx, program) => { const draft = given.body as RewardDraft; await saveReward(tx, context, program, draft); return { key: draft.key }; }),
    importRewards: (context, given) => within(context, given, async (tx, program) => { const rewards = await importRewards(tx, context, program, (given.body as { text: string }).text); await audit(tx, context, { action: 'rewards.imported', subject: `program:${program.key}`, programId: program.programId, after: { rewards } }); return { rewards }; }),
    repriceRewards: (context, given) => within(context, given, async (tx, program) => ({ rewards: (await repriceRewards(tx, context, program, given.body as { category?: string; kind?: string; percent: string; step: number })).map((item) => ({ key: item.key, before: formatMinor(item.before, item.scale), after: formatMinor(item.after, item.scale) })) })),
    listCodes: (context, given) => within(context, given, async (tx, program) => {
      const found = await listCodes(tx, program, await findReward(tx, program.programId, text(given, 'reward'), today(context, program.zone)), given.query as Parameters<typeof listCodes>[3]);
      return { codes: found.rows.map((code) => ({ id: code.voucher_id, lot: code.lot, valid_to: code.valid_to, state: code.state, item: code.item_id, revealed_at: code.revealed_at?.toISOString() ?? null })), next: found.next };
    }),
    importCodes: (context, given) => within(context, given, async (tx, program) => ({ codes: await importCodes(tx, context, program, await findReward(tx, program.programId, text(given, 'reward'), today(context, program.zone)), given.body as { lot: string; text: string }) })),
    voidCode: (context, given) => within(context, given, async (tx, program) => { await voidCode(tx, context, program, numberOf(given, 'code'), (given.body as { reason: string }).reason); return { state: 'void' }; }),
    listOrders: (context, given) => within(context, given, async (tx, program) => {
      const { open, member, ...page } = given.query as { state?: string; kind?: string; search?: string; sort?: string; after?: string; limit: number; open?: string; member?: string };
      const { rows, next } = await pageOrders(tx, program, { ...page, open: open === 'true', ...(member === undefined ? {} : { memberId: (await findMember(tx, program, member)).memberId }) });
      const who = await whoOf(rows);
      return { orders: rows.map((row) => orderRowView(program, row, who)), next };
    }),
    readOrder: (context, given) => within(context, given, async (tx, program) => {
      const rows = (await listOrders(tx, program, { orderId: numberOf(given, 'order'), limit: 200 })).toReversed();
      if (rows.length === 0) throw refuse('order_not_found');
      const steps = await stepsOf(tx, program, rows.map((row) => row.itemId));
      return orderView(program, rows, steps, await names([...rows.flatMap((row) => [row.placedBy, row.approvedBy]), ...steps.map((step) => step.by)]), await addressOf(tx, context, program, numberOf(given, 'order')));
    }),
    placeOrderFor: async (context, given) => {
      const { reference, lines, address } = given.body as { reference: string; lines: { reward: string; quantity: number; amount: string | null }[]; address: Address | null };
      const scale = await within(context, given, async (_tx, program) => program.currencyScale);
      return placedView(await placeOrder(context, { program: text(given, 'program'), member: text(given, 'member'), reference, lines: linesIn(lines, scale), address }));
    },
    approveItems: async (context, given) => movedView(await approveItems(context, text(given, 'program'), (given.body as { items: string[] }).items.map(BigInt))),
    rejectItems: async (context, given) => { const { items, reason } = given.body as { items: string[]; reason: string }; return movedView(await moveItems(context, text(given, 'program'), items.map(BigInt), 'reject', { reason })); },
    moveItems: async (context, given) => { const { items, action, ...change } = given.body as { items: string[]; action: HandAction; reason?: string; carrier?: string; tracking?: string }; return movedView(await moveItems(context, text(given, 'program'), items.map(BigInt), action, change)); },
    listShipments: (context, given) => within(context, given, async (tx, program) => {
      const { limit, after } = pageOf(given);
      const { supplier } = given.query as { supplier?: string };
      const found = await listShipments(tx, context, program, { ...(supplier === undefined ? {} : { supplier }), after: numberedCursor(after) ?? 0n, limit: limit + 1 });
      return { shipments: found.slice(0, limit), next: nextOf(found, limit, found[limit - 1]?.item) };
    }),
    importShipments: (context, given) => importShipments(context, text(given, 'program'), (given.body as { text: string }).text),
    readEvidence: (context, given) => within(context, given, (tx, program) => readEvidence(tx, program, numberOf(given, 'item'))),
    listBatches: (context, given) => within(context, given, async (tx, program) => {
      const { rows: page, next } = await listBatches(tx, program, given.query as Parameters<typeof listBatches>[2]);
      const who = await names(page.flatMap((batch) => [batch.proposedBy, batch.approvedBy, batch.exportedBy]));
      return { batches: page.map((batch) => batchView(program, batch, who)), next };
    }),
    proposeBatch: async (context, given) => { const { rail, format, execute_on: executeOn } = given.body as { rail: Rail; format: Format; execute_on: Day }; return { batch: await proposeBatch(context, text(given, 'program'), { rail, format, executeOn }) }; },
    readBatch: (context, given) => within(context, given, async (tx, program) => {
      const batch = await findBatch(tx, program, numberOf(given, 'batch'));
      const lines = await linesOfBatch(tx, program, batch.batchId);
      const sum = (of: (line: BatchLine) => boolean): string => formatMinor(lines.filter(of).reduce((total, line) => total + line.amount, 0n), program.currencyScale);
      return { ...batchView(program, batch, await names([batch.proposedBy, batch.approvedBy, batch.exportedBy])), sums: { loaded: sum((line) => line.outcome === 'loaded'), rejected: sum((line) => line.outcome === 'rejected'), taken_out: sum((line) => line.outcome === 'taken_out'), open: sum((line) => line.outcome === null) },
        lines: lines.map((line) => batchLineView(program, line)) };
    }),
    listBatchLines: (context, given) => within(context, given, async (tx, program) => {
      const { limit, after } = pageOf(given);
      const lines = (await linesOfBatch(tx, program, (await findBatch(tx, program, numberOf(given, 'batch'))).batchId)).filter((line) => line.line > Number(numberedCursor(after) ?? 0n));
      return { lines: lines.slice(0, limit).map((line) => batchLineView(program, line)), next: lines.length > limit ? String(lines[limit - 1]?.line) : null };
    }),
    approveBatch: async (context, given) => { await approveBatch(context, text(given, 'program'), numberOf(given, 'batch')); return { state: 'approved' }; },
    cancelBatch: async (context, given) => { await cancelBatch(context, text(given, 'program'), numberOf(given, 'batch')); return { state: 'cancelled' }; },
    exportBatch: async (context, given) => { const made = await exportBatch(context, text(given, 'program'), numberOf(given, 'batch')); return { sha256: made.sha256, file_name: made.fileName, bytes: made.bytes }; },
    downloadBatch: async (context, given) => Readable.from([(await downloadBatch(context, text(given, 'program'), numberOf(given, 'batch'))).bytes]),
    confirmBatch: (context, given) => confirmBatch(context, text(given, 'program'), numberOf(given, 'batch'), given.body as { text: string } | { rest: 'loaded' }),
    listCards: (context, given) => within(context, given, async (tx, program) => {
      const found = await listCards(tx, program, given.query as Parameters<typeof listCards>[2]);
      return { cards: found.rows.map(({ card_id: id, ...card }) => ({ id, ...card })), next: found.next };
    }),
    issueCard: (context, given) => within(context, given, async (tx, program) => ({ card: await issueCard(tx, context, program, { ...(given.body as { proxy: string; last4: string }), memberId: (await findMember(tx, program, text(given, 'member'))).memberId, on: today(context, program.zone) }) })),
    setCardState: (context, given) => within(context, given, async (tx, program) => { const { state } = given.body as { state: string }; await setCardState(tx, context, program, numberOf(given, 'card'), state); return { state }; }),
    readPayoutSettings: (context, given) => within(context, given, async (tx, program) => ({ settings: await readSettings(tx, program), accounting: String(program.settings['accounting'] ?? 'marketing_cost'), remitter: String(program.settings['remitter'] ?? 'sponsor') })),
    savePayoutSettings: (context, given) => within(context, given, async (tx, program) => {
      const read = settingsShape.safeParse(given.body);
      if (!read.success) throw refuse('settings_malformed', undefined, read.error.issues.slice(0, 50).map((issue) => ({ pointer: `/${issue.path.map(String).join('/')}`, code: issue.code, message: { pl: `nieprawidłowe: ${issue.message}`, en: issue.message } })));
      await saveSettings(tx, context, program, read.data);
      return { saved: true };
    }),
    setTaxStatus: (context, given) => within(context, given, async (tx, program) => { const { status } = given.body as { status: Status }; await saveStatus(tx, context, program, (await findMember(tx, program, text(given, 'member'))).memberId, status); return { status }; }),
    readTaxProfile: (context, given) => within(context, given, async (tx, program) => {
      const { memberId } = await findMember(tx, program, text(given, 'member'));
      const { status, declared, data } = await profileOf(tx, context, program, memberId, today(context, program.zone));
      await audit(tx, context, { action: 'tax_profile.read', subject: `member:${memberId}`, programId: program.programId });
      return { status, declared, data };
    }),
    listTaxRules: (context) => context.transaction(async (tx) => {
      const rules = await listTaxRules(tx, context);
      const who = await names(rules.map((rule) => rule.confirmedBy));
      return { rules: rules.map((rule) => ({ id: rule.ruleId, version: rule.version, confirmed_by: calledOrNull(who, rule.confirmedBy), confirmed_at: rule.confirmedAt?.toISOString() ?? null, rule: rule.rule })) };
    }),
    saveTaxRule: (context, given) => context.transaction(async (tx) => { const { ruleId, version } = await saveTaxRule(tx, context, given.body as TaxRule); return { id: ruleId, version }; }),
    confirmTaxRule: (context, given) => context.transaction(async (tx) => { await confirmTaxRule(tx, context, numberOf(given, 'rule')); return { confirmed: true }; }),
    readTaxYear: (context, given) => within(context, given, async (tx, program) => {
      const year = Number(text(given, 'year'));
      const people = await readTaxYear(tx, context, program, year);
      const money = (minor: bigint): string => formatMinor(minor, program.currencyScale);
      return { year, people: people.map((person) => ({ member: person.member, name: person.name, form: person.form, income: money(person.income), tax: money(person.tax), corrected: money(person.corrected), after_form: person.afterForm, profile: person.profile })), due: Object.fromEntries(FORMS.flatMap((form) => { const due = formDue(form, year); return due ? [[form, due]] : []; })) };
    }),
    makeTaxForm: (context, given) => within(context, given, async (tx, program) => { const { formId, ...made } = await makeTaxForm(tx, context, program, { year: Number(text(given, 'year')), form: (given.body as { form: Form }).form }); return { form: formId, ...made }; }),
    listTaxForms: (context, given) => within(context, given, async (tx, program) => { const forms = await listTaxForms(tx, program); const who = await names(forms.map((form) => form.madeBy)); return { forms: forms.map(({ formId, madeAt, madeBy, ...form }) => ({ id: formId, ...form, made_at: madeAt.toISOString(), made_by: called(who, madeBy) })) }; }),
    downloadTaxForm: (context, given) => within(context, given, async (tx, program) => Readable.from([await openTaxForm(tx, context, program, numberOf(given, 'form'))])),
    listBudgets: (context, given) => within(context, given, async (tx, program) => {
      const money = (minor: bigint): string => formatMinor(minor, program.currencyScale);
      return { budgets: (await listBudgets(tx, program)).map((budget) => { const used = budget.committed + budget.spent; return { key: budget.key, name: budget.name, sponsor: budget.program === null, policy: budget.policy, warn_percent: budget.warnPercent, deposited: money(budget.deposited), committed: money(budget.committed), spent: money(budget.spent), left: money(budget.deposited - used), low: used * 100n > budget.deposited * BigInt(budget.warnPercent) }; }) };
    }),
    saveBudget: (context, given) => within(context, given, async (tx, program) => { const { key, name, sponsor, policy, warn_percent: warnPercent } = given.body as { key: string; name: string; sponsor: boolean; policy: string; warn_percent: number }; await saveBudget(tx, context, program, { key, name, sponsor, policy, warnPercent }); return { key }; }),
    deposit: (context, given) => within(context, given, async (tx, program) => {
      const { amount, note } = given.body as { amount: string; note: string };
      const minor = parseMinor(amount, program.currencyScale, 'amount');
      if (minor === 0n) throw refuse('amount_not_offered');
      return { deposit: await deposit(tx, context, program, { budget: text(given, 'budget'), amount: minor, note, on: today(context, program.zone) }) };
    }),
    readSettlement: (context, given) => within(context, given, async (tx, program) => { const settings = await readSettings(tx, program); return settlementView(program, settings.payer.name, await settlementOf(tx, program, given)); }),
    printSettlement: (context, given) => within(context, given, async (tx, program) => printSettlement(program, await readSettings(tx, program), await settlementOf(tx, program, given), (given.query as { locale: Locale }).locale)),
    settlementSheet: (context, given) => within(context, given, async (tx, program) => settlementSheet(program, await settlementOf(tx, program, given), (given.query as { locale: Locale }).locale)),
    readMoneyLiability: (context, given) => within(context, given, async (tx, program) => {
      const asOf = (given.query as { as_of?: string }).as_of ?? today(context, program.zone);
      const money = (minor: bigint): string => formatMinor(minor, program.currencyScale);
      const units = await readMoneyLiability(tx, program, await readSettings(tx, program), asOf);
      return { as_of: asOf, currency: program.currency, accounting: String(program.settings['accounting'] ?? 'marketing_cost'), units: units.map((unit) => ({ unit: unit.unit, closing: formatMinor(unit.closing, unit.scale), pending: formatMinor(unit.pending, unit.scale), cost: unit.cost, face: money(unit.face), expected: money(unit.expected), breakage: money(unit.breakage), rate_bp: unit.rateBp, rate_from: unit.rateFrom, ageing: unit.ageing.map((band) => ({ days: band.days, amount: formatMinor(band.amount, unit.scale) })) })) };
    }),
  };
};

async function settlementOf(tx: Tx, program: Program, { query }: Handled): Promise<Settlement> {
  const { from, to } = query as { from: Day; to: Day };
  return readSettlement(tx, program, await readSettings(tx, program), from, to);
}

function settlementView(program: Program, payer: string, settlement: Settlement): unknown {
  const money = (minor: bigint): string => formatMinor(minor, program.currencyScale);
  const monies = <T extends Record<string, unknown>>(given: T): Record<string, unknown> => Object.fromEntries(Object.entries(given).map(([name, value]) => [name, typeof value === 'bigint' ? money(value) : value]));
  return { from: settlement.from, to: settlement.to, currency: program.currency, payer, units: settlement.units.map(({ scale, ...unit }) => Object.fromEntries(Object.entries(unit).map(([name, value]) => [name, typeof value === 'bigint' ? formatMinor(value, scale) : value]))), kinds: settlement.kinds.map(monies), totals: monies(settlement.totals) };
}
