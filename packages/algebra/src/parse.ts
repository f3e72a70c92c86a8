import { Refusal, phrase, type RefusalPlace } from '@premia/kernel';
import type { z } from 'zod';
import { CONDITION_DEPTH_MAX, mechanicShape, type Condition, type Leaf, type Mechanic } from './mechanic.ts';

export const MECHANIC_BYTES_MAX = 64 * 1024;

/** Reads a mechanic strictly. What does not belong is refused with the path of the offending node. */
export function parseMechanic(value: unknown, at = ''): Mechanic {
  if (JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item))?.length > MECHANIC_BYTES_MAX) {
    throw refused([{ pointer: at || '/', code: 'too_large', message: phrase('Mechanika jest za długa.', 'The mechanic is too long.') }]);
  }
  if (depthOf(value) > CONDITION_DEPTH_MAX * 2 + 8) {
    throw refused([{ pointer: at || '/', code: 'too_deep', message: phrase('Warunki są zagnieżdżone zbyt głęboko.', 'The conditions are nested too deeply.') }]);
  }
  const mechanic = parseShape(mechanicShape, value, at);
  const places = meaningless(mechanic).map(([pointer, pl, en]) => ({ pointer: at + pointer, code: 'meaningless', message: phrase(pl, en) }));
  if (places.length > 0) throw refused(places);
  return mechanic;
}

/** Reads a value by its shape, with JSON pointers to what is wrong. */
export function parseShape<T extends z.ZodType>(shape: T, value: unknown, at = ''): z.output<T> {
  const read = shape.safeParse(value);
  if (read.success) return read.data;
  throw refused(read.error.issues.slice(0, 20).flatMap((issue) => places(issue, at)));
}

function places(issue: z.core.$ZodIssue, at: string): RefusalPlace[] {
  const pointer = at + issue.path.map((part) => `/${String(part)}`).join('');
  // A union says only that nothing fitted; what the nearest alternative lacked is the useful part.
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const nearest = issue.errors.toSorted((a, b) => a.length - b.length || deepest(b) - deepest(a))[0] ?? [];
    const inner = nearest.flatMap((nested) => places(nested as z.core.$ZodIssue, pointer));
    if (inner.length > 0) return inner;
  }
  return [{ pointer: pointer || '/', code: issue.code, message: phrase(`nieprawidłowa wartość (${issue.message})`, issue.message) }];
}
const deepest = (issues: readonly { path: readonly PropertyKey[] }[]): number => Math.max(0, ...issues.map((issue) => issue.path.length));

function refused(at: RefusalPlace[]): Refusal {
  return new Refusal('mechanic_malformed', 422, phrase('Definicja jest nieprawidłowa.', 'The definition is not valid.'), at);
}

function depthOf(value: unknown, depth = 0): number {
  if (depth > 64 || typeof value !== 'object' || value === null) return depth;
  return Math.max(depth, ...Object.values(value).map((item) => depthOf(item, depth + 1)));
}

type Fault = [pointer: string, pl: string, en: string];

/** What the grammar lets through though it means nothing. */
function meaningless(mechanic: Mechanic): Fault[] {
  const faults: Fault[] = [];
  const { curve, measure, pool, window, base, limits, earner, facts, until, from } = mechanic;
  const perThing = window === 'document' || window === 'line';
  if (until !== undefined && until < from) faults.push(['/until', 'Ostatni dzień nie może poprzedzać pierwszego.', 'The last day cannot come before the first.']);
  if ((facts.kind === 'sale') === (earner.role === 'self')) {
    faults.push(['/earner/role', 'Rola „self” dotyczy aktywności, pozostałe – sprzedaży.', 'The role “self” belongs to activities, the others to sales.']);
  }
  if (curve.is === 'rank' && pool?.by !== 'everyone') faults.push(['/pool', 'Ranking wymaga puli „everyone”.', 'A rank needs the pool “everyone”.']);
  if (pool?.by === 'everyone' && curve.is !== 'rank') faults.push(['/curve', 'Pula „everyone” wymaga rankingu.', 'The pool “everyone” needs a rank.']);
  if (pool && perThing) faults.push(['/window', 'Pula wymaga okna w kalendarzu.', 'A pool needs a calendar window.']);
  if (pool && limits.most_total) faults.push(['/limits/most_total', 'Limit łączny nie łączy się z pulą.', 'A limit in total does not go with a pool.']);
  if (pool?.bands !== undefined && pool.by !== 'everyone') faults.push(['/pool/bands', 'Grupy dotyczą rankingu.', 'Bands belong to a rank.']);
  if (measure.is === 'blend' && base) faults.push(['/base', 'Mieszanka ma już cele w częściach.', 'A blend has its targets in its parts.']);
  if (measure.is === 'blend' && pool && pool.by !== 'everyone') faults.push(['/measure', 'Mieszanka nie łączy się z pulą zespołu.', 'A blend does not go with a team’s pool.']);
  if (perThing && base && base.is !== 'fixed') faults.push(['/base', 'Dokument lub pozycja nie ma celu ani poprzedniego okna.', 'A document or line has no target and no earlier window.']);
  if (perThing && (measure.is === 'awarded' || measure.is === 'streak' || measure.is === 'blend')) {
    faults.push(['/measure', 'Tej miary nie da się liczyć na dokument.', 'This measure needs a calendar window.']);
  }
  if (window === 'day' && base?.is === 'earlier' && base.years !== undefined) faults.push(['/base/years', 'Dzień porównuj przez liczbę okien (29 lutego nie ma co roku).', 'Compare days by a number of windows: 29 February does not come every year.']);
  if (typeof window === 'object' && base?.is === 'earlier') faults.push(['/base', 'Nazwane okresy nie mają wcześniejszego okna; użyj celu lub stałej bazy.', 'Named periods have no earlier window; use a target or a fixed base.']);
  if (window === 'program' && base?.is === 'earlier') faults.push(['/base', 'Cały program nie ma wcześniejszego okna.', 'The whole program has no earlier window.']);
  if (curve.is === 'bands' && curve.mode === 'marginal' && curve.times) faults.push(['/curve/times', 'Pasma krańcowe mnożą samą miarę.', 'Marginal bands multiply the measure itself.']);
  if (curve.is === 'bands' && measure.is === 'blend' && !curve.times) faults.push(['/curve', 'Pasma nad mieszanką potrzebują „times”.', 'Bands over a blend need “times”.']);
  if (measure.is === 'awarded' && base?.is === 'earlier') faults.push(['/base', 'Przyznane jednostki nie mają wcześniejszej bazy.', 'Units awarded have no earlier base.']);
  if (leavesOf(mechanic).slice(1).some((leaf) => leaf.is === 'awarded')) faults.push(['/measure', '„awarded” może być tylko główną miarą.', '“awarded” can only be the main measure.']);
  for (const condition of conditionsOf(mechanic)) {
    if (conditionDepth(condition) > CONDITION_DEPTH_MAX) faults.push(['/facts/where', 'Warunki są zagnieżdżone zbyt głęboko.', 'The conditions are nested too deeply.']);
  }
  return faults;
}

const conditionDepth = (condition: Condition): number => {
  if (condition.is === 'all' || condition.is === 'any') return 1 + Math.max(0, ...condition.of.map(conditionDepth));
  return condition.is === 'not' ? 1 + conditionDepth(condition.of) : 1;
};

/** Every leaf measure a mechanic reads; the main one (or the blend's parts) first. */
export function leavesOf(mechanic: Mechanic): Leaf[] {
  const main = mechanic.measure.is === 'blend' ? mechanic.measure.parts.map((part) => part.measure) : [mechanic.measure];
  const gates = mechanic.gates.flatMap((gate) => (gate.is === 'reach' ? [gate.measure] : []));
  const times = mechanic.curve.is === 'bands' && mechanic.curve.times ? [mechanic.curve.times] : [];
  return [...main, ...gates, ...times];
}

/** Every condition a mechanic holds. */
export function conditionsOf(mechanic: Mechanic): Condition[] {
  const leaves = leavesOf(mechanic).flatMap((leaf) => ('where' in leaf && leaf.where ? [leaf.where] : []));
  const gates = mechanic.gates.flatMap((gate) => (gate.is === 'member' ? [gate.who] : []));
  return [mechanic.earner.who, mechanic.facts.where, ...leaves, ...gates].filter((found) => found !== undefined);
}

/** Leaves of a condition, without its connectives. */
export function atomsOf(condition: Condition): Condition[] {
  if (condition.is === 'all' || condition.is === 'any') return condition.of.flatMap(atomsOf);
  return condition.is === 'not' ? atomsOf(condition.of) : [condition];
}
