import { routes, type Route, type RouteName } from '@premia/contract';
import { aProgram, perHundred } from './world.ts';
import type { Installation, TestContext } from './installation.ts';

/** What earlier calls answered, by name: later calls take ids from it. */
export type Answer = Record<string, string>;
export type Call = { route: RouteName; params?: Record<string, string>; query?: string; body?: unknown; file?: string };
const EXTRA = { four_eyes: { imports: false, rules: false, adjustments: false, payouts: false }, late_in_closed: 'approve', targets: [{ key: 't', of: 'net', window: 'month' }], segments: [{ key: 's', members: ['shop'] }] };
const MECHANICS = [perHundred, { ...perHundred, key: 'bonus', window: 'month', award: { unit: 'points', available: 'approval' } }];
export const PROGRAM = aProgram(MECHANICS, EXTRA);
const sale = (number: string, net: string, more: Record<string, unknown> = {}, day = '2026-03-31') => ({ number, occurred_on: day, buyer: 'shop', lines: [{ line: '1', net, product: 'X' }], ...more });
const sell = (...documents: unknown[]): Call => ({ route: 'recordSales', body: { source: 'erp', documents } });
export const CSV = 'invoice;date;net;buyer\nF1;2026-03-01;100,00;shop\nF2;2026-13-01;100,00;shop\n';

/** What later calls take from an answer: its texts, and those of the first thing in each of its lists. */
export function remember(past: Answer, answer: Record<string, unknown>): void {
  for (const value of Object.values(answer)) if (Array.isArray(value) && typeof value[0] === 'object' && value[0] !== null) remember(past, value[0] as Record<string, unknown>);
  for (const [name, value] of Object.entries(answer)) if (typeof value === 'string') past[name] = value;
}

const reward = (key: string, kind: string, more: object = {}) => ({ key, kind, state: 'active', name: { pl: key, en: key }, unit: 'points', price: '5', worth: '5.00', cost: '4.00', ...more });
const order = (reference: string, line: object): Call => ({ route: 'placeOrderFor', params: { member: 'shop' }, body: { reference, lines: [line], address: { name: 'Sklep', street: 'Polna 2', postcode: '60-001', city: 'Poznań' } } });
const topup = { rail: 'prepaid', format: 'topup', execute_on: '2026-06-16' };
/** Rewards: a catalogue, orders of every kind, two batches, tax and money. */
export const REWARD_LIFE: ((past: Answer) => Call)[] = [
  () => ({ route: 'saveTaxRule', params: {}, body: { code: 'T-COMPANY', valid_from: '2020-01-01', match: { legal_form: '*', status: ['COMPANY'], kind: '*' }, bearer: 'PARTICIPANT', form: 'NONE', legal_basis: 'a test' } }),
  (past) => ({ route: 'confirmTaxRule', params: { rule: past['id'] as string }, body: {} }),
  () => ({ route: 'savePayoutSettings', body: { payer: { name: 'Łapa', nip: '5213017228' } } }),
  () => ({ route: 'saveBudget', body: { key: 'main', name: 'Budżet' } }),
  () => ({ route: 'deposit', params: { budget: 'main' }, body: { amount: '1000.00', note: 'first' } }),
  () => ({ route: 'saveReward', body: reward('kettle', 'goods', { stock: 3 }) }),
  () => ({ route: 'importRewards', body: { text: 'key;kind;name_pl;name_en;category;unit;price;worth;cost;stock;state\nbon;voucher;Bon;Voucher;bony;points;2;2;2;;active\n' } }),
  () => ({ route: 'importCodes', params: { reward: 'bon' }, body: { lot: 'one', text: 'AAA;2027-12-31\nBBB;2027-12-31\nCCC;2027-12-31' } }),
  () => ({ route: 'voidCode', params: { code: 'first' }, body: { reason: 'a test' } }),
  () => ({ route: 'repriceRewards', body: { category: 'bony', percent: '150%' } }),
  () => ({ route: 'saveReward', body: reward('card', 'prepaid', { price: '1', worth: '1.00', least: '1.00', most: '50.00' }) }),
  () => ({ route: 'setTaxStatus', params: { member: 'shop' }, body: { status: 'COMPANY' } }),
  () => ({ route: 'issueCard', params: { member: 'shop' }, body: { proxy: 'PROXY-1', last4: '7788' } }),
  () => order('w1', { reward: 'bon' }),
  () => order('w2', { reward: 'kettle' }),
  (past) => ({ route: 'moveItems', body: { items: [past['item'] as string], action: 'ship', carrier: 'InPost', tracking: '1' } }),
  () => order('w2b', { reward: 'kettle' }),
  (past) => ({ route: 'importShipments', body: { text: `item;carrier;tracking\n${past['item'] as string};DPD;77` } }),
  () => order('w3', { reward: 'card', amount: '2.00' }),
  (past) => ({ route: 'approveItems', body: { items: [past['item'] as string] } }),
  () => ({ route: 'proposeBatch', body: topup }),
  (past) => ({ route: 'cancelBatch', params: { batch: past['batch'] as string }, body: {} }),
  () => ({ route: 'proposeBatch', body: topup }),
  (past) => ({ route: 'approveBatch', params: { batch: past['batch'] as string }, body: {} }),
  (past) => ({ route: 'exportBatch', params: { batch: past['batch'] as string }, body: {} }),
  (past) => ({ route: 'confirmBatch', params: { batch: past['batch'] as string }, body: { rest: 'loaded' } }),
  () => order('w4', { reward: 'card', amount: '3.00' }),
  (past) => ({ route: 'rejectItems', body: { items: [past['item'] as string], reason: 'a test' } }),
  () => ({ route: 'makeTaxForm', params: { year: '2026' }, body: { form: 'PIT-11' } }),
  (past) => ({ route: 'setCardState', params: { card: past['card'] as string }, body: { state: 'blocked' } }),
];

/** One life of a program, in an order in which every call has something to do. Answers of earlier calls feed later ones. */
export const LIFE: ((past: Answer) => Call)[] = [
  () => ({ route: 'applyProgram', params: {}, body: aProgram(MECHANICS, { ...EXTRA, key: 'q' }) }),
  () => ({ route: 'saveMembers', body: { members: [{ code: 'shop', kind: 'company' }, { code: 'friend', kind: 'company' }, { code: 'twin', kind: 'company' }] } }),
  () => ({ route: 'saveCompanies', params: {}, body: { companies: [{ code: 'chain', name: 'Sieć', vat: 'PL5260001246' }] } }),
  () => ({ route: 'saveProducts', body: { products: [{ sku: 'BAG', category: 'food' }] } }),
  () => ({ route: 'saveRates', body: { rates: [{ currency: 'EUR', day: '2026-03-31', rate: '4.25', origin: 'NBP' }] } }),
  () => sell(sale('A', '1000.00'), sale('T', '100.00', { buyer: 'twin' }), sale('E', '100.00', { currency: 'EUR' })),
  () => ({ route: 'dryRunSales', body: { source: 'erp', documents: [sale('dry', '100.00')] } }),
  () => ({ route: 'recordActivities', body: { source: 'erp', activities: [{ reference: 'a1', member: 'shop', kind: 'quiz_passed', occurred_on: '2026-03-31' }] } }),
  () => ({ route: 'saveTargets', body: { targets: [{ target: 't', subject: 'shop', window_start: '2026-03-01', value: '500' }] } }),
  () => ({ route: 'mapProduct', body: { code: 'X', product: 'BAG' } }),
  () => sell(sale('A', '1200.00')),
  () => ({ route: 'decideConflict', params: { conflict: 'first' }, body: { decision: 'accept', reason: 'asked' } }),
  () => sell(sale('K', '-50.00', { base: 'lost', kind: 'correction' })),
  () => ({ route: 'giveUpWait', body: { source: 'erp', document: 'K', reason: 'never came' } }),
  () => ({ route: 'saveStates', body: { states: [{ member: 'friend', state: 'suspended', from: '2026-06-15' }] } }),
  () => ({ route: 'refreshSegments', body: {} }),
  () => ({ route: 'saveMapping', params: { source: 'erp' }, body: { mapping: { document: 'invoice', date: 'date', net: 'net', buyer: 'buyer' } } }),
  () => ({ route: 'sampleFile', params: { source: 'erp' }, query: '?name=f.csv', file: CSV }),
  () => ({ route: 'stageImport', query: '?source=erp&name=f.csv', file: CSV }),
  (past) => ({ route: 'mendImport', params: { import: past['import'] as string }, body: { rows: [{ part: 1, line: '3', values: { date: '2026-03-02' } }] } }),
  (past) => ({ route: 'approveImport', params: { import: past['import'] as string }, body: {} }),
  () => ({ route: 'openUpload', body: { source: 'erp' } }),
  (past) => ({ route: 'addPart', params: { upload: past['upload'] as string }, query: '?name=1.csv', file: CSV.replaceAll('F', 'G') }),
  (past) => ({ route: 'addPart', params: { upload: past['upload'] as string }, query: '?name=2.csv', file: CSV.replaceAll('F', 'H') }),
  (past) => ({ route: 'stageUpload', params: { upload: past['upload'] as string }, body: {} }),
  (past) => ({ route: 'rejectImport', params: { import: past['import'] as string }, body: { reason: 'a test' } }),
  () => ({ route: 'holdUnits', params: { member: 'shop' }, body: { unit: 'points', amount: '10', reference: 'o1' } }),
  (past) => ({ route: 'captureHold', params: { member: 'shop', hold: past['hold'] as string }, body: {} }),
  (past) => ({ route: 'refundHold', params: { member: 'shop', hold: past['hold'] as string }, body: {} }),
  () => ({ route: 'holdUnits', params: { member: 'shop' }, body: { unit: 'points', amount: '10', reference: 'o2' } }),
  (past) => ({ route: 'releaseHold', params: { member: 'shop', hold: past['hold'] as string }, body: {} }),
  () => ({ route: 'proposeAdjustment', params: { member: 'shop' }, body: { unit: 'points', amount: '5', reason: 'a call' } }),
  (past) => ({ route: 'approveAdjustment', params: { adjustment: past['adjustment'] as string }, body: {} }),
  () => ({ route: 'proposeAdjustment', params: { member: 'shop' }, body: { unit: 'points', amount: '5', reason: 'a call' } }),
  (past) => ({ route: 'rejectAdjustment', params: { adjustment: past['adjustment'] as string }, body: {} }),
  () => ({ route: 'transferUnits', body: { from: 'shop', to: 'friend', unit: 'points', amount: '3', reason: 'a gift', reference: 'g1' } }),
  () => ({ route: 'expireLots', body: {} }),
  () => ({ route: 'approveAwards', body: { mechanic: 'bonus', window: '2026-03-01' } }),
  ...REWARD_LIFE,
  () => ({ route: 'proposeRecalculation', body: { reason: 'twice', change: { kind: 'merge', member: 'twin', into: 'shop' } } }),
  (past) => ({ route: 'approveRecalculation', params: { recalculation: past['recalculation'] as string }, body: {} }),
  () => ({ route: 'proposeRecalculation', body: { reason: 'other', change: { kind: 'recredit', source: 'erp', document: 'A', role: 'buyer', member: 'friend' } } }),
  (past) => ({ route: 'rejectRecalculation', params: { recalculation: past['recalculation'] as string }, body: {} }),
  () => ({ route: 'simulate', params: {}, body: PROGRAM }),
  () => ({ route: 'planProgram', params: {}, body: PROGRAM }),
  () => ({ route: 'tryMechanic', body: { mechanic: { ...perHundred, key: 'draft' } } }),
  () => ({ route: 'publishTerms', body: { effective_on: '2026-06-15', material: true, body: { pl: 'Regulamin', en: 'Terms' } } }),
  () => ({ route: 'addNote', params: { member: 'shop' }, body: { body: 'called' } }),
  () => ({ route: 'inviteMembers', body: { people: [{ member: 'shop', email: 'ewa@x.example', name: 'Ewa' }] } }),
  () => ({ route: 'saveEmployerConsent', params: { company: 'chain' }, body: { given: true, given_by: 'J. Nowak', scope: 'sales program', document: 'annex 1', valid_from: '2026-01-01' } }),
  () => ({ route: 'saveProgramLook', body: { look: { accent: '#4c1d81', radius: 4, logo: null } } }),
  () => ({ route: 'saveLook', params: {}, body: { accent: '#0f4c81', radius: 8, logo: null } }),
  () => ({ route: 'startClosing', body: { from: '2026-03-01', to: '2026-03-31' } }),
  () => ({ route: 'closePeriod', body: { from: '2026-03-01', to: '2026-03-31' } }),
  () => sell(sale('late', '100.00')),
  () => ({ route: 'approveLate', body: {} }),
  () => ({ route: 'createKey', params: {}, body: { name: 'other', permissions: ['audit:read'] } }),
  (past) => ({ route: 'revokeKey', params: { key: past['id'] as string }, body: {} }),
];

/** Where a call of the life goes. */
export function urlOf(call: Call, more: Record<string, string> = {}): string {
  const params: Record<string, string> = { program: 'p', ...call.params, ...more };
  return `${(routes[call.route] as Route).path.replace(/:(\w+)/g, (_, name: string) => params[name] ?? '')}${call.query ?? ''}`;
}

/** How many rows a tenant has in each table, but for the answers kept under its keys. */
export async function rowsOf(installation: Installation, context: TestContext): Promise<Record<string, string>> {
  const tables = await installation.admin<{ name: string }>(`SELECT n.nspname || '.' || c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' WHERE c.relkind = 'r' AND c.relname <> 'idempotency'`);
  const counted = await installation.admin<{ name: string; n: string }>(tables.map(({ name }) => `SELECT '${name}' AS name, count(*)::text AS n FROM ${name} WHERE tenant_id = ${context.tenantId}`).join(' UNION ALL '));
  return Object.fromEntries(counted.map((table) => [table.name, table.n]));
}
