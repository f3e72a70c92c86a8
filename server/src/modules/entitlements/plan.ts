import { compile, mainLeaves, parseMechanic, readsOf, type Compiled, type CompileOptions, type Mechanic, type Rule } from '@premia/algebra';
import { Refusal, phrase } from '@premia/kernel';
import { sql } from 'kysely';
import { rows, type Tx } from '../../platform/database.ts';
import type { Program } from '../members/index.ts';
import { parseTierSet, type TierSet } from '../mechanics/index.ts';

/** A program as the engine runs it: strata in the order in which they build on each other, each compiled to one text per mode. */
export type Plan = {
  rules: Rule[];
  strata: Stratum[];
  options: Omit<CompileOptions, 'mode'>;
  reads: ReturnType<typeof readsOf>;
};
export type Stratum = { rules: Rule[]; tierSets: { tierSetId: bigint; tierSet: TierSet }[]; touched: Compiled; all: Compiled };

type VersionRow = { mechanic_id: bigint; version_id: bigint; definition: unknown; starts_on: string; ends_on: string; counts_from: string; counts_until: string };
type UnitRow = { unit_id: bigint; key: string; scale: number };

const cache = new Map<string, { fingerprint: string; plan: Plan }>();
const CACHE_MAX = 50;

/** The program's plan, compiled again only when a version, tier set, segment or unit changed. */
export async function loadPlan(tx: Tx, tenantId: bigint, program: Program): Promise<Plan> {
  const [print] = await rows<{ fingerprint: string }>(tx, sql`SELECT concat_ws(':',
    (SELECT string_agg(concat_ws(',', version_id, starts_on, ends_on, replaced), ';' ORDER BY version_id) FROM mechanics.mechanic_version WHERE program_id = ${program.programId}),
    (SELECT string_agg(tier_set_id || md5(definition::text), ';' ORDER BY tier_set_id) FROM mechanics.tier_set WHERE program_id = ${program.programId}),
    (SELECT string_agg(segment_id::text, ';' ORDER BY segment_id) FROM members.segment WHERE program_id = ${program.programId}),
    (SELECT count(*) FROM ledger.unit WHERE program_id = ${program.programId}), ${program.settings.corrections}::text) AS fingerprint`);
  const key = `${tenantId}/${program.programId}`;
  const found = cache.get(key);
  if (found && found.fingerprint === print?.fingerprint) return found.plan;
  const plan = makePlan(await loadRules(tx, program), await loadTierSets(tx, program), await loadOptions(tx, program));
  if (cache.size >= CACHE_MAX) cache.delete(cache.keys().next().value as string);
  cache.set(key, { fingerprint: print?.fingerprint ?? '', plan });
  return plan;
}

async function loadRules(tx: Tx, program: Program): Promise<Rule[]> {
  const versions = await rows<VersionRow>(tx, sql`SELECT v.mechanic_id, v.version_id, v.definition, v.starts_on, v.ends_on,
    min(v.starts_on) OVER (PARTITION BY v.mechanic_id) AS counts_from, max(v.ends_on) OVER (PARTITION BY v.mechanic_id) AS counts_until
    FROM mechanics.mechanic_version AS v WHERE v.program_id = ${program.programId} AND NOT v.replaced ORDER BY v.mechanic_id, v.starts_on`);
  const units = await loadUnits(tx, program);
  return versions.map((version) => makeRule(version, parseMechanic(version.definition), units));
}

export async function loadUnits(tx: Tx, program: Program): Promise<Map<string, UnitRow>> {
  const found = await rows<UnitRow>(tx, sql`SELECT unit_id, key, scale FROM ledger.unit WHERE program_id = ${program.programId}`);
  return new Map(found.map((unit) => [unit.key, unit]));
}

function makeRule(version: VersionRow, mechanic: Mechanic, units: Map<string, UnitRow>): Rule {
  const unit = unitOf(units, mechanic.award.unit);
  const [main] = mainLeaves(mechanic);
  const awarded = main?.is === 'awarded' ? unitOf(units, main.unit) : null;
  return {
    mechanicId: version.mechanic_id, versionId: version.version_id, mechanic, startsOn: version.starts_on, endsOn: version.ends_on,
    countsFrom: version.counts_from, countsUntil: version.counts_until, unitId: unit.unit_id, unitScale: unit.scale,
    ...(awarded ? { awardedUnit: { unitId: awarded.unit_id, scale: awarded.scale } } : {}),
  };
}

function unitOf(units: Map<string, UnitRow>, key: string): UnitRow {
  const unit = units.get(key);
  if (!unit) throw new Refusal('unit_not_found', 422, phrase(`Nie ma jednostki „${key}”.`, `There is no unit “${key}”.`));
  return unit;
}

async function loadTierSets(tx: Tx, program: Program): Promise<{ tierSetId: bigint; tierSet: TierSet }[]> {
  const found = await rows<{ tier_set_id: bigint; definition: unknown }>(tx, sql`SELECT tier_set_id, definition FROM mechanics.tier_set WHERE program_id = ${program.programId} ORDER BY tier_set_id`);
  return found.map((set) => ({ tierSetId: set.tier_set_id, tierSet: parseTierSet(set.definition) }));
}

async function loadOptions(tx: Tx, program: Program): Promise<Omit<CompileOptions, 'mode'>> {
  const sets = await rows<{ key: string; tier_set_id: bigint }>(tx, sql`SELECT key, tier_set_id FROM mechanics.tier_set WHERE program_id = ${program.programId}`);
  const segments = await rows<{ key: string; segment_id: bigint }>(tx, sql`SELECT key, segment_id FROM members.segment WHERE program_id = ${program.programId}`);
  return {
    currencyScale: program.currencyScale, correctionPeriod: program.settings.corrections === 'correction_period',
    tierSets: new Map(sets.map((set) => [set.key, set.tier_set_id])), segments: new Map(segments.map((segment) => [segment.key, segment.segment_id])),
  };
}

type Node = { name: string; makes: string; needs: string[]; rule?: Rule; tierSet?: { tierSetId: bigint; tierSet: TierSet } };

export function makePlan(rules: Rule[], tierSets: { tierSetId: bigint; tierSet: TierSet }[], options: Omit<CompileOptions, 'mode'>): Plan {
  const nodes: Node[] = [
    ...rules.map((rule): Node => ({ name: rule.mechanic.key, makes: `unit:${rule.mechanic.award.unit}`, needs: needsOf(rule), rule })),
    ...tierSets.map((set): Node => ({
      name: set.tierSet.key, makes: `tier:${set.tierSet.key}`, tierSet: set, needs: set.tierSet.measure.is === 'awarded' ? [`unit:${set.tierSet.measure.unit}`] : [],
    })),
  ];
  const depth = depths(nodes);
  const most = Math.max(-1, ...depth.values());
  const strata = Array.from({ length: most + 1 }, (_, level) => {
    const here = nodes.filter((node) => depth.get(node) === level);
    const own = here.flatMap((node) => (node.rule ? [node.rule] : []));
    return {
      rules: own, tierSets: here.flatMap((node) => (node.tierSet ? [node.tierSet] : [])),
      touched: compile(own, { ...options, mode: 'touched' }), all: compile(own, { ...options, mode: 'all' }),
    };
  });
  return { rules, strata, options, reads: readsOf(rules) };
}

function needsOf(rule: Rule): string[] {
  const units = mainLeaves(rule.mechanic).flatMap((leaf) => (leaf.is === 'awarded' ? [`unit:${leaf.unit}`] : []));
  return [...units, ...[...readsOf([rule]).tierSets].map((set) => `tier:${set}`)];
}

/** How deep each node stands on the results of others. A circle is refused, with its path. */
function depths(nodes: readonly Node[]): Map<Node, number> {
  const depth = new Map<Node, number>();
  const visit = (node: Node, path: Node[]): number => {
    const known = depth.get(node);
    if (known !== undefined) return known;
    if (path.includes(node)) {
      const names = [...path.slice(path.indexOf(node)), node].map((item) => item.name).join(' → ');
      throw new Refusal('circle', 422, phrase(`Mechaniki budują na sobie w kółko: ${names}.`, `Mechanics build on each other in a circle: ${names}.`));
    }
    const below = node.needs.flatMap((need) => nodes.filter((other) => other.makes === need));
    const found = below.length === 0 ? 0 : 1 + Math.max(...below.map((other) => visit(other, [...path, node])));
    depth.set(node, found);
    return found;
  };
  for (const node of nodes) visit(node, []);
  return depth;
}
