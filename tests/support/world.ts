import { parseMinor } from '@premia/kernel';
import type { MechanicInput } from '@premia/algebra';
import { applyProgram, listSeals, recordMemberActivities, recordSales, sealTail, type SaleOutcome } from '../../server/src/modules/entitlements/index.ts';
import type { LineDraft } from '../../server/src/modules/facts/index.ts';
import { readBalances, type Balance } from '../../server/src/modules/ledger/index.ts';
import { findProgram } from '../../server/src/modules/members/index.ts';
import { readProgram } from '../../server/src/modules/mechanics/index.ts';
import { today } from '../../server/src/platform/context.ts';
import { verifyAll } from '../../server/src/verify.ts';
import type { TestContext } from './installation.ts';

const names = (short: string) => ({ pl: { one: 'punkt', few: 'punkty', many: 'punktów', short }, en: { one: 'point', other: 'points', short } });

/** A small program in złoty with points, buyers and reps; whatever a test needs otherwise it says. */
export function aProgram(mechanics: unknown[], more: Record<string, unknown> = {}): unknown {
  return {
    premia: 1, key: 'p', name: { pl: 'Program', en: 'Program' }, legal_form: 'incentive', zone: 'Europe/Warsaw', currency: 'PLN', starts_on: '2020-01-01', rewards: ['buyer', 'rep'],
    four_eyes: { imports: false, rules: false, adjustments: false, payouts: false },
    units: [{ key: 'points', scale: 0, names: names('pkt') }, { key: 'pln', scale: 2, names: names('zł') }, { key: 'stars', scale: 0, names: names('★') }],
    sources: [{ key: 'erp', unknown: 'enrol' }],
    mechanics, ...more,
  };
}

export const perHundred: MechanicInput = {
  key: 'per-100', from: '2020-01-01', earner: { role: 'buyer' }, measure: { is: 'sum', of: 'net' }, window: 'document', curve: { is: 'per', units: 5, every: 100 }, award: { unit: 'points' },
};

export type SaleGiven = { on: string; net: string; number?: string; buyer?: string; rep?: string; qty?: string; product?: string; base?: string; baseLine?: string; line?: string; kind?: LineDraft['kind']; hour?: number; channel?: string; shares?: { ref: string; weight: string }[]; attributes?: Record<string, string> };
let counter = 0;

/** One line of a sale, in the words of a test. */
export function aSale(given: SaleGiven): LineDraft {
  counter += 1;
  return {
    number: given.number ?? `auto-${counter}`, kind: given.kind ?? (given.base === undefined ? 'sale' : 'correction'), occurredOn: given.on, occurredAt: null, hour: given.hour ?? null,
    baseNumber: given.base ?? null, baseLine: given.baseLine ?? null, lineNo: given.line ?? '1', productCode: given.product ?? null, productName: null,
    quantityMilli: parseMinor(given.qty ?? (given.net.startsWith('-') ? '-1' : '1'), 3), netMinor: parseMinor(given.net, 2), grossMinor: null, currency: 'PLN', original: null,
    buyer: given.buyer === undefined ? 'code:shop' : given.buyer === '' ? null : `code:${given.buyer}`, seller: null, rep: given.rep === undefined ? null : `code:${given.rep}`,
    shares: given.shares ?? null, channel: given.channel ?? null, attributes: given.attributes ?? null,
  };
}

export type World = {
  context: TestContext;
  sell(...sales: SaleGiven[]): Promise<SaleOutcome[]>;
  did(member: string, kind: string, on: string, more?: { reference?: string; qty?: string; attributes?: Record<string, string> }): Promise<void>;
  balance(member?: string, unit?: string): Promise<Balance>;
  total(member?: string, unit?: string): Promise<bigint>;
  verified(): Promise<void>;
};

/** A program that runs: sell, then look. */
export async function aWorld(context: TestContext, program: unknown): Promise<World> {
  const file = readProgram(program);
  await applyProgram(context, file);
  const balances = (): Promise<Balance[]> => context.transaction(async (tx) => {
    const found = await findProgram(tx, file.key);
    return readBalances(tx, found.programId, today(context, found.zone));
  });
  const balance = async (member = 'shop', unit = 'points'): Promise<Balance> => (await balances()).find((item) => item.member === member && item.unit === unit)
    ?? { member, memberId: 0n, unit, scale: 0, available: 0n, pending: 0n, held: 0n, debt: 0n, total: 0n };
  return {
    context,
    sell: (...sales) => recordSales(context, { program: file.key, source: 'erp', lines: sales.map(aSale) }),
    did: async (member, kind, on, more = {}) => {
      counter += 1;
      await recordMemberActivities(context, { program: file.key, source: 'erp', drafts: [{ reference: more.reference ?? `act-${counter}`, member: `code:${member}`, kind, occurredOn: on, quantityMilli: parseMinor(more.qty ?? '1', 3), amountMinor: 0n, attributes: more.attributes ?? {} }] });
    },
    balance, total: async (member, unit) => (await balance(member, unit)).total,
    verified: async () => {
      const result = await verifyAll(context, file.key);
      if (result.differences > 0) throw new Error(`verify: ${result.differences} differences\n${result.faults.slice(0, 10).map((fault) => JSON.stringify(fault)).join('\n')}`);
    },
  };
}

/** Seals what this tenant has written. A seal stops below the oldest transaction of the whole server, and other tests have theirs: it may have to wait. */
export async function sealed(context: TestContext, newest: () => Promise<bigint>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    await sealTail(context);
    const [last] = await context.transaction((tx) => listSeals(tx, { limit: 1 }));
    if (last && last.to > (await newest())) return;
    await new Promise((done) => { setTimeout(done, 100); });
  }
  throw new Error('something has held a transaction open for a minute');
}
