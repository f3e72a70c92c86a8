import { sql } from 'kysely';
import { addDays, must, type Day } from '@premia/kernel';
import { row, rows, type Tx } from '../../platform/database.ts';
import type { Program } from '../members/index.ts';
import type { PayoutSettings } from './settings.ts';

/** One unit's movements in a period. opening + granted + adjusted + moved − redeemed + returned − expired = closing, each in smallest units. */
export type UnitMoves = { unit: string; scale: number; opening: bigint; granted: bigint; adjusted: bigint; moved: bigint; redeemed: bigint; returned: bigint; expired: bigint; closing: bigint };
/** Money of a kind of reward, given less returned in the period, in grosze. */
export type KindMoney = { kind: string; pieces: number; returned: number; worth: bigint; paid: bigint; tax: bigint; extra: bigint; cost: bigint };
export type Settlement = { from: Day; to: Day; units: UnitMoves[]; kinds: KindMoney[]; totals: { worth: bigint; paid: bigint; tax: bigint; extra: bigint; cost: bigint; fee: bigint; due: bigint } };

const signed = (plus: string, minus: string) => sql.raw(`(CASE WHEN ${plus} THEN t.amount ELSE 0 END - CASE WHEN ${minus} THEN t.amount ELSE 0 END)`);
/** What members have, owe and hold, as one sum: wallet + held − debt. */
const ALL = signed(`t.credit IN ('wallet', 'held') AND t.debit NOT IN ('wallet', 'held', 'debt') OR (t.credit = 'debt' AND t.debit NOT IN ('wallet', 'held', 'debt'))`, `t.debit IN ('wallet', 'held') AND t.credit NOT IN ('wallet', 'held', 'debt') OR (t.debit = 'debt' AND t.credit NOT IN ('wallet', 'held', 'debt'))`);
const between = (from: Day, to: Day) => sql`t.booked_on BETWEEN ${from}::date AND ${to}::date`;

/** What a sponsor is told of a period, read from the ledger's transfers and the payouts' entries themselves, so that it cannot differ from them. */
export async function readSettlement(tx: Tx, program: Program, settings: PayoutSettings, from: Day, to: Day): Promise<Settlement> {
  const units = await rows<UnitMoves>(tx, sql`SELECT u.key AS unit, u.scale, COALESCE(sum(${ALL}) FILTER (WHERE t.booked_on < ${from}::date), 0)::bigint AS opening,
      COALESCE(sum(${signed("t.debit = 'issued'", "t.credit = 'issued'")}) FILTER (WHERE ${between(from, to)}), 0)::bigint AS granted, COALESCE(sum(${signed("t.debit = 'adjusted'", "t.credit = 'adjusted'")}) FILTER (WHERE ${between(from, to)}), 0)::bigint AS adjusted,
      COALESCE(sum(${signed("t.debit = 'clearing'", "t.credit = 'clearing'")}) FILTER (WHERE ${between(from, to)}), 0)::bigint AS moved, COALESCE(sum(t.amount) FILTER (WHERE t.credit = 'spent' AND ${between(from, to)}), 0)::bigint AS redeemed,
      COALESCE(sum(t.amount) FILTER (WHERE t.debit = 'spent' AND ${between(from, to)}), 0)::bigint AS returned, COALESCE(sum(${signed("t.credit = 'expired'", "t.debit = 'expired'")}) FILTER (WHERE ${between(from, to)}), 0)::bigint AS expired, COALESCE(sum(${ALL}) FILTER (WHERE t.booked_on <= ${to}::date), 0)::bigint AS closing
    FROM ledger.unit AS u LEFT JOIN ledger.transfer AS t ON t.tenant_id = u.tenant_id AND t.program_id = u.program_id AND t.unit_id = u.unit_id WHERE u.program_id = ${program.programId} GROUP BY u.key, u.scale ORDER BY u.key`);
  const kinds = await rows<KindMoney>(tx, sql`SELECT i.kind, count(*) FILTER (WHERE e.kind = 'payment')::int AS pieces, count(*) FILTER (WHERE e.kind = 'correction')::int AS returned, sum(s.sign * i.worth_minor)::bigint AS worth, sum(s.sign * x.pay_minor)::bigint AS paid, sum(s.sign * x.tax_minor)::bigint AS tax, sum(s.sign * x.extra_minor)::bigint AS extra, sum(s.sign * i.cost_minor)::bigint AS cost
    FROM rewards.tax_entry AS e JOIN rewards.item AS i ON i.tenant_id = e.tenant_id AND i.program_id = e.program_id AND i.item_id = e.item_id JOIN rewards.item_tax AS x ON x.tenant_id = i.tenant_id AND x.program_id = i.program_id AND x.item_id = i.item_id CROSS JOIN LATERAL (SELECT CASE e.kind WHEN 'payment' THEN 1 ELSE -1 END AS sign) AS s
    WHERE e.program_id = ${program.programId} AND e.booked_on BETWEEN ${from}::date AND ${to}::date GROUP BY i.kind ORDER BY i.kind`);
  const sum = (pick: (kind: KindMoney) => bigint): bigint => kinds.reduce((total, kind) => total + pick(kind), 0n);
  const cost = sum((kind) => kind.cost);
  const fee = (cost * BigInt(settings.fee_bp) + 5_000n) / 10_000n;
  const totals = { worth: sum((kind) => kind.worth), paid: sum((kind) => kind.paid), tax: sum((kind) => kind.tax), extra: sum((kind) => kind.extra), cost, fee, due: cost + sum((kind) => kind.extra) + fee };
  return { from, to, units, kinds, totals };
}

/** Liability in units and money (domain.md §6): closing units at their cost, what of it is expected to be redeemed, what is not; and what waits behind a date or gate, apart. */
export type MoneyLiability = { unit: string; scale: number; closing: bigint; pending: bigint; cost: string | null; face: bigint; expected: bigint; breakage: bigint; rateBp: number; rateFrom: 'cohorts' | 'settings'; ageing: { days: string; amount: bigint }[] };

/** face × rate, to the grosz, half up; the rest is breakage. */
export function expectedOf(face: bigint, rateBp: number): { expected: bigint; breakage: bigint } {
  const expected = face >= 0n ? (face * BigInt(rateBp) + 5_000n) / 10_000n : face;
  return { expected, breakage: face - expected };
}

/** Units at a cost of so much of the currency each, in its smallest units, half up. */
export function faceOf(amount: bigint, scale: number, cost: string, currencyScale: number): bigint {
  const [whole = '0', fraction = ''] = cost.split('.');
  const [n, d] = [BigInt(whole + fraction) * 10n ** BigInt(currencyScale), 10n ** BigInt(fraction.length + scale)];
  const twice = 2n * amount * n + d;
  return twice >= 0n ? twice / (2n * d) : -((-twice + 2n * d) / (2n * d));
}

/** Without a rate of the program's own: redeemed to date of what was issued a year ago or longer; where there is nothing to learn from, everything is expected. */
const MATURE_AFTER_MONTHS = 12;
const ALL_BP = 10_000;
const BANDS: [name: string, from: number, to: number][] = [['0-30', -100_000, 30], ['31-90', 31, 90], ['91-180', 91, 180], ['181-365', 181, 365], ['366+', 366, 1_000_000]];

/** As of a day by the ledger's transfers; the ages are those of the lots as they lie now. */
export async function readMoneyLiability(tx: Tx, program: Program, settings: PayoutSettings, asOf: Day): Promise<MoneyLiability[]> {
  const { units } = await readSettlement(tx, program, settings, asOf, asOf);
  const found: MoneyLiability[] = [];
  for (const unit of units) {
    const { id } = must(await row<{ id: bigint }>(tx, sql`SELECT unit_id AS id FROM ledger.unit WHERE program_id = ${program.programId} AND key = ${unit.unit}`), 'unit');
    const mature = must(await row<{ issued: bigint; redeemed: bigint }>(tx, sql`SELECT COALESCE(sum(${signed("t.debit = 'issued'", "t.credit = 'issued'")}) FILTER (WHERE t.booked_on <= ${addDays(asOf, -31 * MATURE_AFTER_MONTHS)}::date), 0)::bigint AS issued, COALESCE(sum(${signed("t.credit = 'spent'", "t.debit = 'spent'")}), 0)::bigint AS redeemed FROM ledger.transfer AS t WHERE t.program_id = ${program.programId} AND t.unit_id = ${id} AND t.booked_on <= ${asOf}::date`), 'cohorts');
    const cost = settings.unit_costs[unit.unit] ?? null;
    const lots = await rows<{ days: number | null; amount: bigint; pending: boolean }>(tx, sql`SELECT CASE WHEN l.expires_on = 'infinity' THEN NULL ELSE l.expires_on - ${asOf}::date END AS days, sum(l.remaining)::bigint AS amount, (l.gate <> '' OR l.available_on > ${asOf}::date) AS pending FROM ledger.lot AS l WHERE l.program_id = ${program.programId} AND l.unit_id = ${id} AND l.remaining > 0 AND l.expires_on >= ${asOf}::date GROUP BY 1, 3`);
    const face = cost === null ? 0n : faceOf(unit.closing, unit.scale, cost, program.currencyScale);
    const estimated = mature.issued > 0n && mature.redeemed <= mature.issued ? Number((mature.redeemed * 10_000n) / mature.issued) : ALL_BP;
    const rateBp = settings.redemption_rate_bp ?? estimated;
    found.push({ unit: unit.unit, scale: unit.scale, closing: unit.closing, pending: lots.filter((lot) => lot.pending).reduce((sum, lot) => sum + lot.amount, 0n), cost, face, ...expectedOf(face, rateBp), rateBp, rateFrom: settings.redemption_rate_bp === null ? 'cohorts' : 'settings',
      ageing: [...BANDS.map(([days, low, high]) => ({ days, amount: lots.filter((lot) => lot.days !== null && lot.days >= low && lot.days <= high).reduce((sum, lot) => sum + lot.amount, 0n) })), { days: 'never', amount: lots.filter((lot) => lot.days === null).reduce((sum, lot) => sum + lot.amount, 0n) }] });
  }
  return found;
}

/** IFRS 15 B39–B42 (example 52): the price of a sale is split by stand-alone prices; revenue of the points follows what was redeemed of what is expected to be. Whole units of currency, half up. */
export function contractLiability(given: { sales: bigint; expected: bigint }): { revenueAtSale: bigint; deferred: bigint } {
  const standAlone = given.sales + given.expected;
  const deferred = (2n * given.sales * given.expected + standAlone) / (2n * standAlone);
  return { revenueAtSale: given.sales - deferred, deferred };
}
export const recognised = (deferred: bigint, redeemedSoFar: bigint, expectedTotal: bigint): bigint => (2n * deferred * redeemedSoFar + expectedTotal) / (2n * expectedTotal);
