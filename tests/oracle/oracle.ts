import { addDays, addMonths, compareRatio, daysBetween, minusRatio, nextWindowStart, plusRatio, ratio, roundRatio, timesRatio, windowStart, type CalendarWindow, type Day, type Ratio } from '@premia/kernel';
import type { AmountField, Condition, Leaf, Mechanic, WordField } from '@premia/algebra';

/*
 * The naive evaluator: one member, one mechanic, one window at a time, in exact fractions, with no SQL. Slow and plain on purpose;
 * it exists so that the compiled engine can be compared with something that shares none of its code. Never used in production.
 */

export type OracleFact = {
  memberId: bigint; role: string; kind: string; earnedOn: Day; baseOn: Day; documentId: bigint; lineId: bigint; hour: number | null; product: string | null; partner: string | null; channel: string | null;
  attributes: Record<string, string> | null; quantityMilli: bigint; netMinor: bigint; grossMinor: bigint;
};
export type OracleWorld = {
  facts: OracleFact[];
  classes: Map<string, { category: string | null; brand: string | null; groups: string[] }>;
  profiles: Map<bigint, { from: Day; to: string; companyType: string | null; attributes: Record<string, string> }[]>;
  members: Map<bigint, { countsFrom: Day; countsUntil: string }>;
  targets: Map<string, bigint>;
  periods: { calendar: string; from: Day; to: Day }[];
  awarded: { memberId: bigint; unit: string; on: Day; amount: bigint }[];
  currencyScale: number;
  unitScale(key: string): number;
};
export type OracleRow = { memberId: bigint; start: Day; subject: bigint; uncapped: bigint; why: string | null; facts: number; available: string; expires: string };

const ZERO = ratio(0n);

export function oracle(mechanic: Mechanic, world: OracleWorld): OracleRow[] {
  const rows: OracleRow[] = [];
  for (const memberId of world.members.keys()) {
    const windows = new Map<string, { start: Day; end: string; subject: bigint; facts: number }>();
    for (const leaf of mainLeaves(mechanic)) {
      if (leaf.is === 'awarded') {
        for (const award of world.awarded.filter((item) => item.memberId === memberId && item.unit === leaf.unit && item.on >= mechanic.from && (mechanic.until === undefined || item.on <= mechanic.until))) {
          note(windows, windowOf(mechanic, award.on, 0n, 0n, world), 1);
        }
        continue;
      }
      for (const fact of counted(mechanic, leaf, memberId, world, false)) note(windows, windowOf(mechanic, perThing(mechanic) ? fact.baseOn : fact.earnedOn, fact.documentId, fact.lineId, world), 1);
    }
    for (const window of windows.values()) rows.push(evaluate(mechanic, memberId, window, world));
  }
  return rows;
}

type OracleWindow = { start: Day; end: string; subject: bigint; facts: number };
function note(windows: Map<string, OracleWindow>, window: Omit<OracleWindow, 'facts'> | null, n: number): void {
  if (!window) return;
  const key = `${window.start}/${window.subject}`;
  const known = windows.get(key) ?? { ...window, facts: 0 };
  known.facts += n;
  windows.set(key, known);
}

const perThing = (mechanic: Mechanic): boolean => mechanic.window === 'document' || mechanic.window === 'line';
const mainLeaves = (mechanic: Mechanic): Leaf[] => (mechanic.measure.is === 'blend' ? mechanic.measure.parts.map((part) => part.measure) : [mechanic.measure]);

function windowOf(mechanic: Mechanic, on: Day, documentId: bigint, lineId: bigint, world: OracleWorld): Omit<OracleWindow, 'facts'> | null {
  const { window } = mechanic;
  if (window === 'document') return { start: on, end: on, subject: documentId };
  if (window === 'line') return { start: on, end: on, subject: lineId };
  if (window === 'program') return { start: mechanic.from, end: mechanic.until ?? 'infinity', subject: 0n };
  if (typeof window === 'object') {
    const period = world.periods.find((item) => item.calendar === window.periods && item.from <= on && on <= item.to);
    return period ? { start: period.from, end: period.to, subject: 0n } : null;
  }
  return { start: windowStart(on, window), end: addDays(nextWindowStart(on, window), -1), subject: 0n };
}

/** Facts a leaf counts. A baseline asks neither membership nor the mechanic's life. */
function counted(mechanic: Mechanic, leaf: Exclude<Leaf, { is: 'awarded' }>, memberId: bigint, world: OracleWorld, own: boolean, baseline = false): OracleFact[] {
  const member = world.members.get(memberId) as { countsFrom: Day; countsUntil: string };
  const kind = leaf.kind ?? (own ? 'sale' : mechanic.facts.kind);
  const role = kind === 'sale' ? mechanic.earner.role : 'self';
  return world.facts.filter((fact) => {
    if (fact.memberId !== memberId || fact.kind !== kind || fact.role !== role) return false;
    if (!baseline) {
      const on = perThing(mechanic) ? fact.baseOn : fact.earnedOn;
      if (fact.baseOn < member.countsFrom || (member.countsUntil !== 'infinity' && fact.baseOn >= member.countsUntil)) return false;
      if (on < mechanic.from || (mechanic.until !== undefined && on > mechanic.until)) return false;
    }
    const conditions = [mechanic.earner.who, own ? undefined : mechanic.facts.where, leaf.where].filter((item) => item !== undefined);
    return conditions.every((condition) => holds(condition, { fact, memberId, on: fact.baseOn }, world));
  });
}

type About = { fact: OracleFact | null; memberId: bigint; on: string };

function holds(condition: Condition, about: About, world: OracleWorld): boolean {
  switch (condition.is) {
    case 'all': return condition.of.every((item) => holds(item, about, world));
    case 'any': return condition.of.some((item) => holds(item, about, world));
    case 'not': return !holds(condition.of, about, world);
    case 'oneOf': { const value = word(condition.field, about, world); return Array.isArray(value) ? value.some((item) => condition.values.includes(item)) : value !== null && condition.values.includes(value); }
    case 'atLeast': { const value = amount(condition.field, about, world); return value !== null && compareRatio(value, condition.value) >= 0; }
    case 'below': { const value = amount(condition.field, about, world); return value !== null && compareRatio(value, condition.value) < 0; }
    case 'did': return did(condition.activity, condition.code, about.memberId, about.on, world);
  }
}

function did(activity: string, code: string | undefined, memberId: bigint, on: string, world: OracleWorld): boolean {
  const done = world.facts.filter((fact) => fact.memberId === memberId && fact.kind === activity && (on === 'infinity' || fact.earnedOn <= on) && (code === undefined || fact.attributes?.['code'] === code));
  return done.reduce((sum, fact) => sum + fact.quantityMilli, 0n) > 0n;
}

function word(field: WordField, { fact, memberId, on }: About, world: OracleWorld): string | string[] | null {
  const profile = (world.profiles.get(memberId) ?? []).filter((item) => item.from <= on && (item.to === 'infinity' || item.to > on)).at(-1);
  if (field === 'company_type') return profile?.companyType ?? null;
  if (field.startsWith('member.')) return profile?.attributes[field.slice(7)] ?? null;
  if (!fact) return null;
  const known = fact.product === null ? undefined : world.classes.get(fact.product);
  if (field === 'product') return fact.product;
  if (field === 'category') return known?.category ?? null;
  if (field === 'brand') return known?.brand ?? null;
  if (field === 'group') return known?.groups ?? null;
  if (field === 'channel') return fact.channel;
  if (field === 'partner') return fact.partner;
  if (field.startsWith('attribute.')) return fact.attributes?.[field.slice(10)] ?? null;
  return null;
}

function amount(field: AmountField, { fact }: About, world: OracleWorld): Ratio | null {
  if (!fact) return null;
  if (field === 'weekday') return ratio(BigInt(((new Date(`${fact.baseOn}T00:00:00Z`).getUTCDay() + 6) % 7) + 1));
  if (field === 'hour') return fact.hour === null ? null : ratio(BigInt(fact.hour));
  const [grain, what] = field.split('_') as ['line' | 'document', 'net' | 'gross' | 'quantity'];
  const own = world.facts.filter((item) => item.memberId === fact.memberId && item.role === fact.role && (grain === 'line' ? item.lineId === fact.lineId : item.documentId === fact.documentId));
  const sum = own.reduce((total, item) => total + (what === 'net' ? item.netMinor : what === 'gross' ? item.grossMinor : item.quantityMilli), 0n);
  return ratio(sum, what === 'quantity' ? 1_000n : 10n ** BigInt(world.currencyScale));
}

/** A leaf over some facts, in whole units. */
function measureOf(leaf: Exclude<Leaf, { is: 'awarded' }>, facts: readonly OracleFact[], world: OracleWorld): Ratio {
  if (leaf.is === 'sum') {
    const sum = facts.reduce((total, fact) => total + (leaf.of === 'net' ? fact.netMinor : leaf.of === 'gross' ? fact.grossMinor : fact.quantityMilli), 0n);
    return ratio(sum, leaf.of === 'quantity' ? 1_000n : 10n ** BigInt(world.currencyScale));
  }
  const things = new Map<string, { net: bigint; quantity: bigint }>();
  for (const fact of facts) {
    const thing = thingOf(leaf, fact, world);
    if (thing === null) continue;
    const sum = things.get(thing) ?? { net: 0n, quantity: 0n };
    things.set(thing, { net: sum.net + fact.netMinor, quantity: sum.quantity + fact.quantityMilli });
  }
  const active = [...things].filter(([, sum]) => sum.net > 0n || (sum.net === 0n && sum.quantity > 0n)).map(([thing]) => thing).sort();
  if (leaf.is === 'count') return ratio(BigInt(active.length));
  const runs: number[] = [];
  let before: string | null = null;
  for (const day of active) {
    if (before !== null && next(before, leaf.of) === day) runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
    else runs.push(1);
    before = day;
  }
  return leaf.each === undefined ? ratio(BigInt(Math.max(0, ...runs))) : ratio(BigInt(runs.reduce((sum, run) => sum + Math.floor(run / (leaf.each as number)), 0)));
}
const next = (day: Day, window: CalendarWindow): Day => nextWindowStart(day, window);

function thingOf(leaf: Extract<Leaf, { is: 'count' | 'streak' }>, fact: OracleFact, world: OracleWorld): string | null {
  if (leaf.is === 'streak') return windowStart(fact.earnedOn, leaf.of);
  const known = fact.product === null ? undefined : world.classes.get(fact.product);
  switch (leaf.of) {
    case 'documents': return String(fact.documentId);
    case 'lines': return String(fact.lineId);
    case 'products': return fact.product;
    case 'categories': return known?.category ?? null;
    case 'brands': return known?.brand ?? null;
    case 'partners': return fact.partner;
    case 'days': return fact.earnedOn;
  }
}

function inWindow(mechanic: Mechanic, window: OracleWindow, fact: OracleFact, world: OracleWorld): boolean {
  const own = windowOf(mechanic, perThing(mechanic) ? fact.baseOn : fact.earnedOn, fact.documentId, fact.lineId, world);
  return own !== null && own.start === window.start && own.subject === window.subject;
}

function leafValue(mechanic: Mechanic, leaf: Leaf, memberId: bigint, window: OracleWindow, world: OracleWorld, own = false): Ratio {
  if (leaf.is === 'awarded') {
    const sum = world.awarded.filter((item) => item.memberId === memberId && item.unit === leaf.unit && item.on >= mechanic.from && (mechanic.until === undefined || item.on <= mechanic.until)
      && windowOf(mechanic, item.on, 0n, 0n, world)?.start === window.start).reduce((total, item) => total + item.amount, 0n);
    return ratio(sum, 10n ** BigInt(world.unitScale(leaf.unit)));
  }
  return measureOf(leaf, counted(mechanic, leaf, memberId, world, own).filter((fact) => inWindow(mechanic, window, fact, world)), world);
}

const targetKey = (key: string, memberId: bigint, start: Day): string => `${key}/member:${memberId}/${start}`;

function scaleOf(leaf: Leaf | undefined, world: OracleWorld): bigint {
  if (leaf?.is === 'awarded') return 10n ** BigInt(world.unitScale(leaf.unit));
  if (leaf?.is !== 'sum') return 1n;
  return leaf.of === 'quantity' ? 1_000n : 10n ** BigInt(world.currencyScale);
}

function evaluate(mechanic: Mechanic, memberId: bigint, window: OracleWindow, world: OracleWorld): OracleRow {
  const unit = 10n ** BigInt(world.unitScale(mechanic.award.unit));
  const { measured, base } = measuredAndBase(mechanic, memberId, window, world);
  const x = measured === null ? null : against(mechanic, measured, base);
  const row = (uncapped: bigint, why: string | null): OracleRow => ({ memberId, start: window.start, subject: window.subject, uncapped, why, facts: window.facts, ...lotOf(mechanic, window.end) });
  const y = x === null || measured === null ? null : curve(mechanic, x, measured, base, memberId, window, world);
  if (y === null) return row(0n, 'no_base');
  for (const [index, gate] of mechanic.gates.entries()) {
    const open = gate.is === 'reach' ? compareRatio(leafValue(mechanic, gate.measure, memberId, window, world, true), gate.at_least) >= 0
      : gate.is === 'did' ? did(gate.activity, gate.code, memberId, window.end, world) : holds(gate.who, { fact: null, memberId, on: window.end }, world);
    if (!open) return row(0n, `gate:${index}`);
  }
  const rounded = mechanic.curve.is === 'per' ? roundRatio(timesRatio(y, ratio(unit)), mechanic.rounding) : roundRatio(timesRatio(y, ratio(unit)), mechanic.rounding);
  const { least, most } = mechanic.limits;
  const signed = mechanic.curve.is === 'per' || (mechanic.curve.is === 'bands' && mechanic.curve.mode === 'marginal');
  const floor = least ? roundRatio(timesRatio(least, ratio(unit)), 'down') : signed && perThing(mechanic) ? null : 0n;
  const cap = most ? roundRatio(timesRatio(most, ratio(unit)), 'down') : null;
  if (cap !== null && rounded > cap) return row(cap, 'most');
  if (floor !== null && rounded < floor) return row(cap !== null && floor > cap ? cap : floor, 'least');
  return row(rounded, null);
}

function measuredAndBase(mechanic: Mechanic, memberId: bigint, window: OracleWindow, world: OracleWorld): { measured: Ratio | null; base: Ratio | null } {
  const { measure, base } = mechanic;
  if (measure.is === 'blend') {
    let sum: Ratio = ZERO;
    for (const part of measure.parts) {
      const target = world.targets.get(targetKey(part.target, memberId, window.start));
      if (target === undefined || target <= 0n) return { measured: null, base: null };
      const value = timesRatio(leafValue(mechanic, part.measure, memberId, window, world), ratio(scaleOf(part.measure, world)));
      sum = plusRatio(sum, timesRatio(part.weight, timesRatio(value, ratio(1n, target))));
    }
    return { measured: sum, base: null };
  }
  const measured = leafValue(mechanic, measure, memberId, window, world);
  if (!base) return { measured, base: null };
  if (base.is === 'fixed') return { measured, base: base.value };
  if (base.is === 'earlier') {
    if (measure.is === 'awarded') throw new Error('refused by the parser');
    const earlier = { ...window, start: shifted(mechanic, window.start, -1) };
    const facts = counted(mechanic, measure, memberId, world, false, true).filter((fact) => inWindow(mechanic, earlier, fact, world));
    return { measured, base: measureOf(measure, facts, world) };
  }
  const target = world.targets.get(targetKey(base.target, memberId, window.start));
  if (target === undefined) return { measured, base: null };
  let value = ratio(target, scaleOf(measure, world));
  if (base.pro_rata) {
    const member = world.members.get(memberId) as { countsFrom: Day; countsUntil: string };
    const [from, to] = [member.countsFrom > window.start ? member.countsFrom : window.start, member.countsUntil !== 'infinity' && member.countsUntil <= window.end ? member.countsUntil : addDays(window.end, 1)];
    value = timesRatio(value, ratio(BigInt(Math.max(0, daysBetween(from, to))), BigInt(daysBetween(window.start, window.end) + 1)));
  }
  return { measured, base: value };
}

function shifted(mechanic: Mechanic, start: Day, direction: number): Day {
  const { base, window } = mechanic;
  if (base?.is !== 'earlier') return start;
  if (base.years !== undefined) return window === 'week' ? addDays(start, direction * 364 * base.years) : addMonths(start, direction * 12 * base.years);
  const n = direction * (base.windows ?? 1);
  switch (window) {
    case 'day': return addDays(start, n);
    case 'week': return addDays(start, 7 * n);
    case 'month': return addMonths(start, n);
    case 'quarter': return addMonths(start, 3 * n);
    default: return addMonths(start, 12 * n);
  }
}

function against(mechanic: Mechanic, measured: Ratio, base: Ratio | null): Ratio | null {
  if (!mechanic.base) return measured;
  if (base === null) return null;
  if (mechanic.base.as === 'difference') return minusRatio(measured, base);
  return base.n <= 0n ? null : ratio(measured.n * base.d, measured.d * base.n);
}

/** In whole units of the award. */
function curve(mechanic: Mechanic, x: Ratio, measured: Ratio, base: Ratio | null, memberId: bigint, window: OracleWindow, world: OracleWorld): Ratio | null {
  const { curve: given } = mechanic;
  switch (given.is) {
    case 'per': return timesRatio(given.units, ratio(roundRatio(ratio(x.n * given.every.d, x.d * given.every.n), mechanic.rounding)));
    case 'steps': return given.steps.findLast((step) => compareRatio(x, step.reach) >= 0)?.units ?? ZERO;
    case 'bands': {
      if (given.mode === 'retrospective') {
        const rate = given.bands.findLast((band) => compareRatio(x, band.from) >= 0)?.rate ?? ZERO;
        const times = given.times ? leafValue(mechanic, given.times, memberId, window, world) : mechanic.base?.as === 'difference' ? x : measured;
        return timesRatio(rate, times);
      }
      const size = x.n < 0n ? ratio(-x.n, x.d) : x;
      let sum: Ratio = ZERO;
      for (const [index, band] of given.bands.entries()) {
        const high = given.bands[index + 1]?.from;
        const reached = high && compareRatio(size, high) > 0 ? high : size;
        const part = minusRatio(reached, band.from);
        if (part.n > 0n) sum = plusRatio(sum, timesRatio(band.rate, part));
      }
      const scaled = mechanic.base?.as === 'ratio' && base ? timesRatio(sum, base) : sum;
      return x.n < 0n ? ratio(-scaled.n, scaled.d) : x.n === 0n ? ZERO : scaled;
    }
    case 'linear': {
      const index = given.points.findLastIndex((point) => compareRatio(x, point.x) >= 0);
      const [from, to] = [given.points[index], given.points[index + 1]];
      if (!from) return ZERO;
      if (!to) return from.units;
      const share = timesRatio(minusRatio(x, from.x), ratio(minusRatio(to.x, from.x).d, minusRatio(to.x, from.x).n));
      return plusRatio(from.units, timesRatio(share, minusRatio(to.units, from.units)));
    }
    case 'rank': throw new Error('ranks are compared elsewhere');
  }
}

function lotOf(mechanic: Mechanic, end: string): { available: string; expires: string } {
  const { available, expires } = mechanic.award;
  const from = typeof available === 'object' ? (end === 'infinity' ? 'infinity' : addDays(end, available.after_days)) : '-infinity';
  if (expires === 'never' || 'inactive_months' in expires) return { available: from, expires: 'infinity' };
  if ('on' in expires) return { available: from, expires: expires.on };
  if (end === 'infinity') return { available: from, expires: 'infinity' };
  const day = addMonths(end, expires.months);
  if (expires.day !== undefined) {
    const same = `${day.slice(0, 4)}-${expires.day}`;
    return { available: from, expires: same >= day ? same : `${Number(day.slice(0, 4)) + 1}-${expires.day}` };
  }
  return { available: from, expires: expires.end === 'day' ? day : addDays(nextWindowStart(day, expires.end), -1) };
}
