import type { Dice } from '@premia/kernel';

/** Random values of the algebra, and random sales for them: small worlds in which thresholds are often met exactly. */

const CATEGORIES = ['feed', 'litter', 'toys'];
const BRANDS = ['lapa', 'ogon'];
export const PRODUCTS = ['p1', 'p2', 'p3', 'p4', 'p5'];
const AMOUNTS = ['0', '50', '100', '100.50', '250', '349.90', '500', '-100', '-50.25', '0.01', '1000'];

const maybe = <T>(d: Dice, chance: number, value: () => T): T | undefined => (d.next() < chance ? value() : undefined);
const defined = (value: Record<string, unknown>): Record<string, unknown> => Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));

export function randomCondition(d: Dice, depth = 0): unknown {
  const kind = depth < 2 ? d.below(10) : 3 + d.below(7);
  if (kind === 0) return { is: 'all', of: Array.from({ length: d.below(3) }, () => randomCondition(d, depth + 1)) };
  if (kind === 1) return { is: 'any', of: Array.from({ length: d.below(3) }, () => randomCondition(d, depth + 1)) };
  if (kind === 2) return { is: 'not', of: randomCondition(d, depth + 1) };
  if (kind < 6) {
    const [field, values] = d.pick<[string, string[]]>([['product', PRODUCTS], ['category', CATEGORIES], ['brand', BRANDS], ['group', ['new', 'eco']], ['channel', ['shop', 'web']], ['partner', ['code:a', 'code:b']], ['company_type', ['shop', 'chain']], ['member.size', ['s', 'm', 'l']], ['attribute.promo', ['x', 'y']]]);
    return { is: 'oneOf', field, values: d.shuffle(values).slice(0, d.between(1, 2)) };
  }
  if (kind === 6) return { is: 'did', activity: 'training_passed', ...defined({ code: maybe(d, 0.5, () => 'x') }) };
  const [field, values] = d.pick<[string, unknown[]]>([['weekday', [1, 3, 6, 7]], ['hour', [8, 12, 18]], ['line_net', AMOUNTS], ['line_quantity', [1, 2, 5]], ['document_net', AMOUNTS], ['document_quantity', [2, 5, 10]], ['line_gross', AMOUNTS], ['document_gross', AMOUNTS]]);
  return { is: d.next() < 0.6 ? 'atLeast' : 'below', field, value: d.pick(values) };
}

function randomLeaf(d: Dice, where = true): Record<string, unknown> {
  const more = where ? defined({ where: maybe(d, 0.3, () => randomCondition(d, 1)) }) : {};
  const kind = d.below(10);
  if (kind < 6) return { is: 'sum', of: d.pick(['net', 'net', 'gross', 'quantity']), ...more };
  if (kind < 9) return { is: 'count', of: d.pick(['documents', 'lines', 'products', 'categories', 'brands', 'partners', 'days']), ...more };
  return { is: 'streak', of: d.pick(['day', 'week', 'month', 'quarter']), ...defined({ each: maybe(d, 0.5, () => d.between(1, 2)) }), ...more };
}

const isMoney = (leaf: Record<string, unknown>): boolean => leaf['is'] === 'sum' && leaf['of'] !== 'quantity';

function randomCurve(d: Dice, asRatio: boolean, leaf: Record<string, unknown>, blend: boolean): Record<string, unknown> {
  const ladder = asRatio ? ['0', '50%', '80%', '100%', '120%', '150%'] : isMoney(leaf) ? ['0', '0.01', '100', '250', '349.90', '500', '1000'] : ['0', '1', '2', '3', '5', '10'];
  const some = (n: number): string[] => { const start = d.below(ladder.length - n + 1); return ladder.slice(start, start + n); };
  const units = (): string => d.pick(['0', '1', '5', '10.5', '100', '-3']);
  const kind = d.below(blend ? 3 : 5);
  if (kind === 0) return { is: 'per', units: units(), every: asRatio ? '10%' : isMoney(leaf) ? d.pick(['100', '7', '0.5']) : d.pick(['1', '2', '0.5']) };
  if (kind === 1) return { is: 'steps', steps: some(d.between(1, 3)).map((reach) => ({ reach, units: units() })) };
  if (kind === 2) return { is: 'linear', points: some(d.between(1, 3)).map((x) => ({ x, units: units() })) };
  const mode = kind === 3 ? 'marginal' : 'retrospective';
  return { is: 'bands', mode, bands: some(d.between(1, 3)).map((from) => ({ from, rate: d.pick(['0.5%', '1', '0.1', '0', '3%']) })), ...(mode === 'retrospective' ? defined({ times: maybe(d, 0.3, () => ({ is: 'sum', of: 'net' })) }) : {}) };
}

export function randomMechanic(d: Dice, index: number): Record<string, unknown> {
  const window = d.pick<unknown>(['document', 'line', 'day', 'week', 'month', 'month', 'quarter', 'year', 'program', { periods: 'season' }]);
  const perThing = window === 'document' || window === 'line';
  const blend = !perThing && typeof window === 'string' && window === 'month' && d.next() < 0.25;
  let leaf = randomLeaf(d);
  if (perThing && leaf['is'] === 'streak') leaf = { is: 'sum', of: 'net' };
  const measure = blend ? { is: 'blend', parts: Array.from({ length: d.between(1, 3) }, (_, part) => ({ weight: d.pick(['0.5', '1', '0.3']), measure: part === 0 ? { is: 'sum', of: 'net' } : randomLeaf(d), target: part === 0 ? 'net' : 'many' })) } : leaf;
  let base: Record<string, unknown> | undefined;
  const choice = d.below(6);
  if (!blend && choice === 0) base = { is: 'fixed', value: isMoney(leaf) ? '100' : '2', as: d.pick(['ratio', 'difference']) };
  if (!blend && choice === 1 && window === 'month') base = { is: 'target', target: isMoney(leaf) ? 'net' : 'many', as: d.pick(['ratio', 'ratio', 'difference']), pro_rata: d.next() < 0.4 };
  if (!blend && choice === 2 && !perThing && typeof window === 'string' && window !== 'program') base = { is: 'earlier', ...(window === 'day' || d.next() < 0.5 ? { windows: d.between(1, 2) } : { years: 1 }), as: d.pick(['ratio', 'difference']) };
  const curve = randomCurve(d, blend || base?.['as'] === 'ratio', leaf, blend);
  const gates = d.next() < 0.3 ? [d.pick<unknown>([{ is: 'did', activity: 'training_passed' }, { is: 'did', activity: 'training_passed', code: 'x' }, { is: 'reach', measure: randomGateLeaf(d, perThing), at_least: d.pick(['1', '2']) }, { is: 'member', who: { is: 'oneOf', field: d.pick(['company_type', 'member.size']), values: ['shop', 'm', 's'] } }])] : [];
  const limits = defined({ least: maybe(d, 0.15, () => d.pick(['0', '-5', '10'])), most: maybe(d, 0.2, () => d.pick(['20', '100', '7.5'])), most_total: maybe(d, 0.15, () => d.pick(['50', '15'])) });
  return defined({
    key: `m${index}`, from: d.pick(['2024-01-01', '2025-02-10', '2025-01-01']), until: maybe(d, 0.2, () => d.pick(['2025-12-31', '2026-03-15'])),
    earner: defined({ role: d.pick(['buyer', 'buyer', 'rep']), who: maybe(d, 0.2, () => ({ is: 'oneOf', field: d.pick(['company_type', 'member.size']), values: d.pick([['shop', 's'], ['chain', 'm', 'l']]) })) }),
    facts: defined({ where: maybe(d, 0.5, () => randomCondition(d)) }), measure, window, base, curve, gates, limits, rounding: d.pick(['down', 'down', 'floor', 'half_up', 'half_even']),
    award: { unit: d.pick(['points', 'pln']), available: d.pick<unknown>(['at_once', { after_days: 14 }]), expires: d.pick<unknown>(['never', { months: 12 }, { months: 1, end: 'month' }, { months: 6, end: 'quarter' }, { months: 36, day: '09-30' }, { on: '2027-12-31' }]) },
  });
}

function randomGateLeaf(d: Dice, perThing: boolean): Record<string, unknown> {
  const leaf = randomLeaf(d);
  return perThing && leaf['is'] === 'streak' ? { is: 'count', of: 'categories' } : leaf;
}
