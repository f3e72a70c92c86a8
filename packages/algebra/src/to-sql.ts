import { ratio, timesRatio, windowStart, type Day } from '@premia/kernel';
import { conditionToSql, dated, did, memberFields, tierOn, type Fields, type Names } from './condition-to-sql.ts';
import { curveToSql } from './curve-to-sql.ts';
import { atomsOf, conditionsOf, leavesOf } from './parse.ts';
import type { Base, Condition, Leaf, Mechanic, Window } from './mechanic.ts';
import { atLeastRatio, commonDenominator, dayLiteral, literal, whole, type SqlRatio } from './sql-text.ts';

/*
 * Compiles the mechanics of one stratum of a program into one statement: a single enriched pass over the affected facts, one
 * aggregation per window class shared by all mechanics that measure over it, then a few rows of arithmetic per entitlement.
 * This file is long once, on purpose: it is the engine's heart, and the parts only make sense together.
 *
 * Parameters of every text: $1 tenant, $2 program. Mode `touched` reads pg_temp.touch (member, day) and computes just the
 * windows those days move; mode `all` computes everything (verify, simulation, recalculation).
 */

export type Rule = {
  mechanicId: bigint;
  versionId: bigint;
  mechanic: Mechanic;
  /** The version holds for windows that begin in [startsOn, endsOn); facts count in [countsFrom, countsUntil) of the mechanic. */
  startsOn: Day;
  endsOn: Day;
  countsFrom: Day;
  countsUntil: Day;
  unitId: bigint;
  unitScale: number;
  /** For a measure over awarded units. */
  awardedUnit?: { unitId: bigint; scale: number };
};

export type CompileOptions = Names & {
  mode: 'touched' | 'all';
  /** Whether a correction is placed by its own date; then a base document's facts may lie in several windows. */
  correctionPeriod: boolean;
};

export type Compiled = {
  /** Fills pg_temp.affected; empty in mode `all`. */
  affected: string;
  /** Fills pg_temp.computed, and pg_temp.computed_partial for pooled mechanics. */
  compute: string[];
  /** Which class every version's windows are of. */
  classOf: readonly { mechanicId: bigint; versionId: bigint; class: number }[];
};

/**
 * A join with a large table by its key. Where only touched windows are computed it is a look-up from each of the few rows, fenced off
 * (OFFSET 0) so that it stays one when the run forbids other nested loops: those turn quadratic as soon as an estimate is too low.
 */
function lookUp(mode: CompileOptions['mode'], join: 'JOIN' | 'LEFT JOIN', table: string, alias: string, where: string): string {
  return mode === 'all' ? `${join} ${table} AS ${alias} ON ${where}` : `${join} LATERAL (SELECT ${alias}.* FROM ${table} AS ${alias} WHERE ${where} OFFSET 0) AS ${alias} ON TRUE`;
}

const INFINITY = 'infinity';
type Shift = { interval: string; key: string };
type WindowClass = { id: number; window: Window; pool: 'none' | 'company' | 'team'; rule: Rule; rules: Rule[]; shifts: Map<string, Shift> };

const perThing = (window: Window): window is 'document' | 'line' => window === 'document' || window === 'line';

export function compile(rules: readonly Rule[], options: CompileOptions): Compiled {
  const classes = classify(rules);
  const classOf = classes.flatMap((found) => found.rules.map((rule) => ({ mechanicId: rule.mechanicId, versionId: rule.versionId, class: found.id })));
  if (rules.length === 0) return { affected: '', compute: [], classOf };
  const wide = classes.filter((found) => found.window === 'program');
  const narrow = classes.filter((found) => found.window !== 'program');
  const compute = [narrow, wide].filter((group) => group.length > 0).flatMap((group) => computeGroup(group, options));
  return { affected: options.mode === 'touched' ? affected(classes) : '', compute, classOf };
}

/**
 * Windows of the whole program read a member's whole history; the others a year at most. Each group has a pass of its own, over the
 * roles and kinds it counts, so that one program-long quiz does not make every sale read two years of sales.
 */
function computeGroup(classes: readonly WindowClass[], options: CompileOptions): string[] {
  const pass = new Pass(options, classes);
  const grains = classes.map((found) => new Grain(found, pass, options));
  const entitled: string[] = [];
  const partial: string[] = [];
  for (const grain of grains) {
    for (const rule of grain.windowClass.rules) (rule.mechanic.pool ? partial : entitled).push(emit(rule, grain, options));
  }
  const ctes = grains.flatMap((grain) => grain.ctes());
  const body = `WITH ${[...pass.ctes(), ...ctes].join(',\n')}\n`;
  const compute: string[] = [];
  if (entitled.length > 0) compute.push(`INSERT INTO pg_temp.computed (mechanic_id, version_id, member_id, window_start, subject_id, window_end, facts, measured_n, measured_d, base_n, base_d, why, uncapped, unit_id, gate, available_on, expires_on)\n${body}${entitled.join('\nUNION ALL\n')}`);
  if (partial.length > 0) compute.push(`INSERT INTO pg_temp.computed_partial (mechanic_id, version_id, member_id, window_start, pool, window_end, facts, measured_n, measured_d, base_n, base_d, passed)\n${body}${partial.join('\nUNION ALL\n')}`);
  return compute;
}

/** Which facts a group of classes can count at all, as SQL over f. */
function countable(classes: readonly WindowClass[]): string {
  const pairs = new Set(classes.flatMap((found) => found.rules).flatMap((rule) => {
    const gates = rule.mechanic.gates.flatMap((gate) => (gate.is === 'reach' ? [gate.measure] : []));
    return leavesOf(rule.mechanic).filter((leaf) => leaf.is !== 'awarded').map((leaf) => {
      const { kind } = leafConditions(rule, leaf, gates.includes(leaf));
      return `(${literal(kind === 'sale' ? rule.mechanic.earner.role : 'self')}, ${literal(kind)})`;
    });
  }));
  return pairs.size === 0 ? 'FALSE' : `(f.role, f.kind) IN (${[...pairs].join(', ')})`;
}

function classKey(rule: Rule): string {
  const { window, pool } = rule.mechanic;
  const pooled = pool && pool.by !== 'everyone' ? pool.by : 'none';
  const named = window === 'program' ? `program:${rule.startsOn}:${rule.endsOn}` : typeof window === 'object' ? `periods:${window.periods}` : window;
  return `${named}|${pooled}`;
}

function classify(rules: readonly Rule[]): WindowClass[] {
  const found = new Map<string, WindowClass>();
  for (const rule of rules) {
    const key = classKey(rule);
    const { window, pool, base } = rule.mechanic;
    const windowClass: WindowClass = found.get(key) ?? {
      id: found.size, window, pool: pool && pool.by !== 'everyone' ? pool.by : 'none', rule, rules: [], shifts: new Map(),
    };
    windowClass.rules.push(rule);
    const shift = shiftOf(base, window);
    if (shift) windowClass.shifts.set(shift.key, shift);
    found.set(key, windowClass);
  }
  return [...found.values()];
}

/** How far before a window the one lies that it is compared with. */
function shiftOf(base: Base | undefined, window: Window): Shift | null {
  if (base?.is !== 'earlier' || typeof window === 'object') return null;
  const unit = { day: '1 day', week: '7 days', month: '1 month', quarter: '3 months', year: '1 year' }[window as string] ?? '1 day';
  const interval = base.years === undefined ? `${base.windows ?? 1} * interval '${unit}'`
    : window === 'week' ? `${base.years} * interval '364 days'` : `${base.years} * interval '1 year'`;
  return { interval, key: `${base.years ?? 0}y${base.windows ?? 0}w` };
}

/** First and last day of the class's window that holds a day, given the calendar row (and period row) of that day. */
function bounds(windowClass: WindowClass, calendar: string, period: string, on: string): { start: string; end: string } {
  const { window, rule } = windowClass;
  if (perThing(window)) return { start: on, end: on };
  if (window === 'program') return { start: dayLiteral(rule.startsOn), end: rule.endsOn === INFINITY ? `'infinity'::date` : `(${dayLiteral(rule.endsOn)} - 1)` };
  if (typeof window === 'object') return { start: `${period}.starts_on`, end: `${period}.ends_on` };
  if (window === 'day') return { start: on, end: on };
  const start = `${calendar}.${window}_start`;
  return { start, end: windowEnd(window, start) };
}

function windowEnd(window: Exclude<Window, object>, start: string): string {
  const length = { week: '7 days', month: '1 month', quarter: '3 months', year: '1 year' }[window as string];
  return length ? `((${start} + interval '${length}')::date - 1)` : start;
}

/** Which windows the touched days move: their own, and later ones that compare with them. */
function affected(classes: readonly WindowClass[]): string {
  const parts = classes.map((windowClass) => {
    const { start } = bounds(windowClass, 'c', 'p', 't.day');
    const shifts = [...windowClass.shifts.values()];
    const starts = [`(${start})`, ...shifts.map((shift) => `((${start} + ${shift.interval})::date)`)];
    const inRange = windowClass.window === 'program' ? `WHERE t.day >= ${dayLiteral(windowClass.rule.startsOn)} AND t.day < ${dayLiteral(windowClass.rule.endsOn)}` : '';
    const end = perThing(windowClass.window) || windowClass.window === 'day' ? 's.w'
      : windowClass.window === 'program' ? bounds(windowClass, '', '', '').end
        : typeof windowClass.window === 'object' ? 'p.ends_on' : windowEnd(windowClass.window, 's.w');
    const low = shifts.length === 0 ? 's.w' : `LEAST(${['s.w', ...shifts.map((shift) => `(s.w - ${shift.interval})::date`)].join(', ')})`;
    return `SELECT DISTINCT ${windowClass.id}, t.member_id, s.w, ${low}, ${end}
      FROM pg_temp.touch AS t ${lookUp('touched', 'JOIN', 'platform.calendar', 'c', 'c.day = t.day')}
      ${typeof windowClass.window === 'object' ? periodJoin(windowClass.window.periods, 't.day', 'p', 'JOIN') : ''}
      CROSS JOIN LATERAL (VALUES ${starts.join(', ')}) AS s(w) ${inRange}`;
  });
  return `INSERT INTO pg_temp.affected (class, member_id, window_start, low, high) ${parts.join('\nUNION ALL\n')}`;
}

function periodJoin(calendar: string, on: string, alias: string, join: 'JOIN' | 'LEFT JOIN'): string {
  return `${join} mechanics.period AS ${alias} ON ${alias}.tenant_id = $1 AND ${alias}.program_id = $2 AND ${alias}.calendar = ${literal(calendar)}
    AND ${on} BETWEEN ${alias}.starts_on AND ${alias}.ends_on`;
}

/** Which columns conditions read decides which look-ups the pass makes. */
function wordColumn(field: string): string {
  if (field.startsWith('attribute.')) return `(f.attributes ->> ${literal(field.slice(10))})`;
  if (field.startsWith('member.')) return `(profile.attributes ->> ${literal(field.slice(7))})`;
  if (field.startsWith('tier.')) return `tier_${field.slice(5).replaceAll('-', '_')}.tier`;
  return { product: 'product.sku', category: 'class.category', brand: 'class.brand', group: 'class.groups', channel: 'f.channel', partner: 'f.partner',
    company_type: 'profile.company_type', company: 'assignment.company', territory: 'assignment.territory', team: 'assignment.team' }[field] ?? 'NULL::text';
}

/** The one enriched pass over facts: every condition of every mechanic becomes one boolean column. */
class Pass {
  readonly #options: CompileOptions;
  readonly #flags = new Map<string, string>();
  readonly #fields: Fields;
  readonly #used = new Set<string>();
  readonly #classes: readonly WindowClass[];

  constructor(options: CompileOptions, classes: readonly WindowClass[]) {
    this.#options = options;
    this.#classes = classes;
    this.#fields = {
      member: 'f.member_id', on: 'f.base_on',
      word: (field) => { this.use(field); return wordColumn(field); },
      amount: (field) => { this.use(field); return field === 'weekday' ? 'base_day.weekday' : field === 'hour' ? 'f.hour' : `f.${field}`; },
    };
  }

  use(column: string): void { this.#used.add(column); }

  /** The column that says whether a fact counts for these conditions. */
  flag(parts: readonly string[]): string {
    const text = parts.length === 0 ? 'TRUE' : parts.join(' AND ');
    const found = this.#flags.get(text) ?? `c${this.#flags.size}`;
    this.#flags.set(text, found);
    return found;
  }

  condition(condition: Condition): string { return conditionToSql(condition, this.#fields, this.#options); }

  ctes(): string[] {
    const touched = this.#options.mode === 'touched';
    const dates = this.#options.correctionPeriod
      ? '(f.earned_on BETWEEN s.low AND s.high OR f.base_on BETWEEN s.low AND s.high)'
      : 'f.earned_on BETWEEN s.low AND s.high';
    const scope = touched ? [this.#scope()] : [];
    return [...scope, `f AS MATERIALIZED (
  SELECT f.*${this.#carried()}${[...this.#flags].map(([text, name]) => `,\n    (${text}) AS ${name}`).join('')}
  FROM (
    SELECT f.member_id, f.role, f.kind, f.earned_on, f.base_on, f.base_document_id, f.base_line_id, f.hour, f.product_id, f.partner, f.channel, f.attributes,
      f.quantity_milli, f.net_minor, f.gross_minor${this.#corrected()}
    FROM ${touched ? `scope AS s CROSS JOIN LATERAL (SELECT f.* FROM facts.fact AS f WHERE f.tenant_id = $1 AND f.program_id = $2 AND f.member_id = s.member_id AND ${dates} OFFSET 0) AS f` : 'facts.fact AS f'}
    WHERE f.tenant_id = $1 AND f.program_id = $2 AND ${countable(this.#classes)}
  ) AS f
  ${this.#joins()}
)`];
  }

  #scope(): string {
    const hull = `SELECT member_id, min(low) AS low, max(high) AS high FROM pg_temp.affected WHERE class = ANY(ARRAY[${this.#classes.map((found) => found.id).join(', ')}]::smallint[]) GROUP BY member_id`;
    if (!this.#options.correctionPeriod) return `scope AS MATERIALIZED (${hull})`;
    // A correction placed by its own date may correct a sale of another time; conditions on amounts need that sale whole.
    return `scope AS MATERIALIZED (SELECT h.member_id, LEAST(h.low, b.low) AS low, GREATEST(h.high, b.high) AS high FROM (${hull}) AS h
      CROSS JOIN LATERAL (SELECT min(x.base_on) AS low, max(x.base_on) AS high FROM facts.fact AS x WHERE x.tenant_id = $1 AND x.program_id = $2
        AND x.member_id = h.member_id AND x.earned_on BETWEEN h.low AND h.high) AS b)`;
  }

  /** Amounts of the line and the document after all their corrections, credited to this member in this role. */
  #corrected(): string {
    return (['line', 'document'] as const).flatMap((grain) => (['net', 'gross', 'quantity'] as const).filter((what) => this.#used.has(`${grain}_${what}`))
      .map((what) => `,\n      platform.sum8(f.${what === 'quantity' ? 'quantity_milli' : `${what}_minor`}) OVER (PARTITION BY f.member_id, f.role, f.base_${grain}_id) AS ${grain}_${what}`)).join('');
  }

  /** What windows and counts are taken over, beside the facts' own columns. */
  #carried(): string {
    const carried: Record<string, string> = { pool_company: 'assignment.company', pool_team: 'assignment.team', category: 'class.category', brand: 'class.brand' };
    return Object.entries(carried).filter(([name]) => this.#used.has(name)).map(([name, from]) => `, ${from} AS ${name}`).join('');
  }

  #joins(): string {
    const uses = (pattern: RegExp): boolean => [...this.#used].some((field) => pattern.test(field));
    const tiers = [...this.#used].filter((field) => field.startsWith('tier.')).map((field) => field.slice(5));
    const on = (calendar: string): string => `FROM ${calendar} AS d WHERE d.tenant_id = $1 AND d.program_id = $2`;
    const { mode } = this.#options;
    return [lookUp(mode, 'JOIN', 'members.member', 'member', 'member.tenant_id = $1 AND member.program_id = $2 AND member.member_id = f.member_id'),
      ...(uses(/^weekday$/) ? [lookUp(mode, 'JOIN', 'platform.calendar', 'base_day', 'base_day.day = f.base_on')] : []),
      ...(uses(/^product$/) ? [lookUp(mode, 'LEFT JOIN', 'facts.product', 'product', 'product.tenant_id = $1 AND product.program_id = $2 AND product.product_id = f.product_id')] : []),
      ...(uses(/^(category|brand|group)$/) ? [`LEFT JOIN LATERAL (SELECT d.category, d.brand, d.groups ${on('facts.product_class')} AND d.product_id = f.product_id
        AND d.valid_from <= f.base_on AND d.valid_to > f.base_on ORDER BY d.valid_from DESC, d.recorded_seq DESC LIMIT 1) AS class ON TRUE`] : []),
      ...(uses(/^(company_type|member\..*)$/) ? [`LEFT JOIN LATERAL (SELECT d.company_type, d.attributes ${on('members.profile')} AND d.member_id = f.member_id
        AND d.valid_from <= f.base_on AND d.valid_to > f.base_on ORDER BY d.valid_from DESC, d.recorded_seq DESC LIMIT 1) AS profile ON TRUE`] : []),
      ...(uses(/^(company|territory|team|pool_company|pool_team)$/) ? [`LEFT JOIN LATERAL (SELECT d.territory, d.team, d.company ${on('members.assignment')} AND d.member_id = f.member_id
        AND d.valid_from <= f.base_on AND d.valid_to > f.base_on ORDER BY d.valid_from DESC, d.recorded_seq DESC LIMIT 1) AS assignment ON TRUE`] : []),
      ...tiers.map((set) => `LEFT JOIN LATERAL (SELECT ${tierOn(this.#options.tierSets.get(set), 'f.member_id', 'f.base_on')} AS tier) AS tier_${set.replaceAll('-', '_')} ON TRUE`),
    ].join('\n  ');
  }

}

const DIMENSIONS = {
  documents: 'f.base_document_id', lines: 'f.base_line_id', products: 'f.product_id', partners: 'f.partner', days: 'f.earned_on', categories: 'class.category', brands: 'class.brand',
} as const;

/** How much a leaf's whole unit has of its smallest: 100 for złoty, 1000 for pieces, 1 for counts. */
function leafScale(leaf: Leaf, rule: Rule, options: CompileOptions): bigint {
  if (leaf.is === 'awarded') return 10n ** BigInt(rule.awardedUnit?.scale ?? 0);
  if (leaf.is !== 'sum') return 1n;
  return leaf.of === 'quantity' ? 1_000n : 10n ** BigInt(options.currencyScale);
}

/** The conditions a fact must meet for a leaf, in the order of the rule's sentence. `own`: a gate's leaf, free of the rule's `where`. */
export function leafConditions(rule: Rule, leaf: Leaf, own: boolean): { kind: string; conditions: Condition[] } {
  const { earner, facts } = rule.mechanic;
  const where = leaf.is !== 'awarded' ? leaf.where : undefined;
  const kind = (leaf.is !== 'awarded' ? leaf.kind : undefined) ?? (own ? 'sale' : facts.kind);
  return { kind, conditions: [earner.who, own ? undefined : facts.where, where].filter((found) => found !== undefined) };
}

/** One aggregation of the pass per window class, wide: a column for every leaf of every mechanic that measures over it. */
class Grain {
  readonly windowClass: WindowClass;
  readonly #pass: Pass;
  readonly #options: CompileOptions;
  readonly #columns = new Map<string, string>();
  readonly #counts = new Map<string, string>();
  readonly #side: { name: string; cte: string; columns: [from: string, to: string][] }[] = [];
  readonly #baseColumns = new Map<string, Map<string, string>>();
  #awarded: string[] = [];

  constructor(windowClass: WindowClass, pass: Pass, options: CompileOptions) {
    this.windowClass = windowClass;
    this.#pass = pass;
    this.#options = options;
    if (windowClass.pool !== 'none') pass.use(`pool_${windowClass.pool}`);
  }

  get name(): string { return `w${this.windowClass.id}`; }
  get pooled(): boolean { return this.windowClass.pool !== 'none'; }
  get #perThing(): boolean { return perThing(this.windowClass.window); }
  get #subject(): string { return this.windowClass.window === 'document' ? 'f.base_document_id' : this.windowClass.window === 'line' ? 'f.base_line_id' : '0::bigint'; }
  get #pool(): string { return this.windowClass.pool === 'company' ? 'f.pool_company' : this.windowClass.pool === 'team' ? 'f.pool_team' : `''`; }

  /** The pass joined with the calendar, and with the affected windows where only those are wanted. */
  #source(shift: Shift | null): { from: string; start: string } {
    const { window } = this.windowClass;
    const day = this.#perThing ? 'f.base_on' : 'f.earned_on';
    const plain = bounds(this.windowClass, 'c', 'p', day).start;
    const start = shift ? `((${plain} + ${shift.interval})::date)` : plain;
    const joins = [
      ...(typeof window === 'string' && ['week', 'month', 'quarter', 'year'].includes(window) ? [lookUp(this.#options.mode, 'JOIN', 'platform.calendar', 'c', 'c.day = f.earned_on')] : []),
      ...(typeof window === 'object' ? [periodJoin(window.periods, 'f.earned_on', 'p', 'JOIN')] : []),
      ...(this.#options.mode === 'touched' ? [`JOIN pg_temp.affected AS a ON a.class = ${this.windowClass.id} AND a.member_id = f.member_id AND a.window_start = ${start}`] : []),
    ];
    const wheres = [
      ...(window === 'program' ? [`f.earned_on >= ${dayLiteral(this.windowClass.rule.startsOn)} AND f.earned_on < ${dayLiteral(this.windowClass.rule.endsOn)}`] : []),
      ...(this.pooled ? [`${this.#pool} IS NOT NULL`] : []),
    ];
    return { from: `FROM f ${joins.join(' ')}${wheres.length > 0 ? ` WHERE ${wheres.join(' AND ')}` : ''}`, start };
  }

  /** The flag column for a leaf. Facts outside the membership or the mechanic's life earn nothing, but serve as baseline. */
  #flag(rule: Rule, leaf: Leaf, own: boolean, baseline: boolean): string {
    const { kind, conditions } = leafConditions(rule, leaf, own);
    const role = kind === 'sale' ? rule.mechanic.earner.role : 'self';
    const parts = [`f.role = ${literal(role)}`, `f.kind = ${literal(kind)}`];
    if (!baseline) {
      const day = this.#perThing ? 'f.base_on' : 'f.earned_on';
      parts.push(`f.base_on >= member.counts_from AND f.base_on < member.counts_until AND NOT (member.has_gaps AND member.gaps @> f.base_on)`);
      parts.push(`${day} >= ${dayLiteral(rule.countsFrom)}${rule.countsUntil === INFINITY ? '' : ` AND ${day} < ${dayLiteral(rule.countsUntil)}`}`);
    }
    return this.#pass.flag([...parts, ...conditions.map((condition) => this.#pass.condition(condition))]);
  }

  /** The column that holds a leaf's value for a window, in the leaf's smallest units. */
  value(rule: Rule, leaf: Leaf, own = false): string {
    if (leaf.is === 'awarded') return this.#awardedValue(rule);
    return this.#value(this.#flag(rule, leaf, own, false), leaf, null);
  }

  /** The same leaf in the window it is compared with. */
  baseValue(rule: Rule, leaf: Exclude<Leaf, { is: 'awarded' }>, shift: Shift): string {
    return this.#value(this.#flag(rule, leaf, false, true), leaf, shift);
  }

  #value(flag: string, leaf: Exclude<Leaf, { is: 'awarded' }>, shift: Shift | null): string {
    if (leaf.is === 'sum') {
      const column = leaf.of === 'quantity' ? 'quantity_milli' : `${leaf.of}_minor`;
      return this.#column(`platform.sum8(f.${column}) FILTER (WHERE f.${flag})`, shift);
    }
    return this.#sideColumn(flag, leaf, shift);
  }

  #column(expression: string, shift: Shift | null): string {
    if (!shift) {
      const found = this.#columns.get(expression) ?? `v${this.#columns.size}`;
      this.#columns.set(expression, found);
      return `k.${found}`;
    }
    const columns = this.#baseColumns.get(shift.key) ?? new Map<string, string>();
    this.#baseColumns.set(shift.key, columns);
    const found = columns.get(expression) ?? `b${columns.size}`;
    columns.set(expression, found);
    return `k.${this.#baseName(shift.key)}_${found}`;
  }

  #baseName(key: string): string { return `${this.name}_base_${key}`; }

  /** Distinct things and runs of periods: a grain below the window's. A thing counts while its corrected net is above zero. */
  #sideColumn(flag: string, leaf: Extract<Leaf, { is: 'count' | 'streak' }>, shift: Shift | null): string {
    const { from, start } = this.#source(shift);
    if (leaf.is === 'count' && (leaf.of === 'categories' || leaf.of === 'brands')) this.#pass.use(leaf.of === 'categories' ? 'category' : 'brand');
    const thing = leaf.is === 'streak' ? (leaf.of === 'day' ? 'f.earned_on' : `sc.${leaf.of}_start`) : DIMENSIONS[leaf.of].replace('class.', 'f.');
    const streakJoin = leaf.is === 'streak' && leaf.of !== 'day' ? from.replace('FROM f', `FROM f ${lookUp(this.#options.mode, 'JOIN', 'platform.calendar', 'sc', 'sc.day = f.earned_on')}`) : from;
    const name = `${this.name}_${leaf.is}_${leaf.of}${leaf.is === 'streak' ? (leaf.each ?? '') : ''}_${flag}${shift ? `_${shift.key}` : ''}`;
    const existing = this.#side.find((side) => side.name === name);
    if (!existing) {
      const hasWhere = streakJoin.includes(' WHERE ');
      const active = `SELECT f.member_id, ${this.#pool} AS pool, ${start} AS w, ${this.#subject} AS subject, ${thing} AS thing
        ${streakJoin}${hasWhere ? ' AND' : ' WHERE'} f.${flag} AND ${thing} IS NOT NULL GROUP BY 1, 2, 3, 4, 5
        HAVING platform.sum8(f.net_minor) > 0 OR (platform.sum8(f.net_minor) = 0 AND platform.sum8(f.quantity_milli) > 0)`;
      const cte = leaf.is === 'count'
        ? `SELECT member_id, pool, w, subject, count(*) AS v FROM (${active}) AS things GROUP BY 1, 2, 3, 4`
        : streakOver(active, leaf);
      this.#side.push({ name, cte: `${name} AS (${cte})`, columns: [['v', name]] });
    }
    return `k.${name}`;
  }

  #awardedValue(rule: Rule): string {
    const name = `${this.name}_awarded_${rule.mechanicId}_${rule.versionId}`;
    if (!this.#awarded.includes(name)) {
      const plain = bounds(this.windowClass, 'c', 'p', 'e.window_end');
      const window = this.windowClass.window;
      const cte = `SELECT e.member_id, '' AS pool, ${plain.start} AS w, 0::bigint AS subject, platform.sum8(e.amount) AS v, count(*) AS n
        FROM ${this.#options.mode === 'all' ? 'entitlements.entitlement AS e' : `(SELECT DISTINCT member_id FROM pg_temp.affected WHERE class = ${this.windowClass.id}) AS own
          CROSS JOIN LATERAL (SELECT e.* FROM entitlements.entitlement AS e WHERE e.tenant_id = $1 AND e.program_id = $2 AND e.member_id = own.member_id OFFSET 0) AS e`}
        ${lookUp(this.#options.mode, 'JOIN', 'platform.calendar', 'c', 'c.day = e.window_end')}
        ${typeof window === 'object' ? periodJoin(window.periods, 'e.window_end', 'p', 'JOIN') : ''}
        ${this.#options.mode === 'touched' ? `JOIN pg_temp.affected AS a ON a.class = ${this.windowClass.id} AND a.member_id = e.member_id AND a.window_start = ${plain.start}` : ''}
        WHERE e.tenant_id = $1 AND e.program_id = $2 AND e.unit_id = ${rule.awardedUnit?.unitId ?? 0n} AND e.amount <> 0
          AND e.window_end >= ${dayLiteral(rule.countsFrom)} AND e.window_end < ${dayLiteral(rule.countsUntil)} GROUP BY 1, 2, 3, 4`;
      this.#awarded.push(name);
      this.#side.push({ name, cte: `${name} AS (${cte})`, columns: [['v', name], ['n', `${name}_n`]] });
    }
    return `k.${name}`;
  }

  /** How many facts the main measure of a rule counted in a window. */
  facts(rule: Rule): string {
    const leaves = mainLeaves(rule.mechanic);
    const counts = leaves.map((leaf) => {
      if (leaf.is === 'awarded') { this.#awardedValue(rule); return `COALESCE(k.${this.name}_awarded_${rule.mechanicId}_${rule.versionId}_n, 0)`; }
      const flag = this.#flag(rule, leaf, false, false);
      const found = this.#counts.get(flag) ?? `n${this.#counts.size}`;
      this.#counts.set(flag, found);
      return `COALESCE(k.${found}, 0)`;
    });
    return counts.join(' + ');
  }

  from(): string { return `FROM ${this.name} AS k`; }

  ctes(): string[] {
    const { from, start } = this.#source(null);
    const keys = `f.member_id, ${this.#pool} AS pool, ${start} AS w, ${this.#subject} AS subject`;
    const columns = [...this.#columns].map(([text, name]) => `${text} AS ${name}`);
    const counts = [...this.#counts].map(([flag, name]) => `count(*) FILTER (WHERE f.${flag}) AS ${name}`);
    const filter = this.#counts.size > 0 && this.#awarded.length === 0 && !(this.pooled && this.windowClass.shifts.size > 0)
      ? `${from.includes(' WHERE ') ? ' AND' : ' WHERE'} (${[...this.#counts.keys()].map((flag) => `f.${flag}`).concat(this.#gateFlags()).join(' OR ')})` : '';
    const grain = `SELECT ${[keys, ...columns, ...counts].join(', ')} ${from}${filter} GROUP BY 1, 2, 3, 4`;
    const bases = [...this.#baseColumns].map(([key, found]) => {
      const source = this.#source(this.windowClass.shifts.get(key) ?? null);
      return `${this.#baseName(key)} AS (SELECT f.member_id, ${this.#pool} AS pool, ${source.start} AS w, ${this.#subject} AS subject, ${[...found].map(([text, name]) => `${text} AS ${name}`).join(', ')} ${source.from} GROUP BY 1, 2, 3, 4)`;
    });
    if (this.#side.length === 0 && bases.length === 0) return [`${this.name} AS (${grain})`];
    // Stacked and folded, never joined: the planner knows nothing of these rows' number, and a join it takes for one of single rows
    // was a nested loop over thousands (3.7 of 4.2 s). A window may also be there though no fact of this year is.
    const own = [...this.#columns.values(), ...this.#counts.values()];
    const parts = [
      { from: `${this.name}_facts`, columns: own.map((name): [string, string] => [name, name]) },
      ...this.#side.map((side) => ({ from: side.name, columns: side.columns })),
      ...[...this.#baseColumns].map(([key, found]) => ({ from: this.#baseName(key), columns: [...found.values()].map((name): [string, string] => [name, `${this.#baseName(key)}_${name}`]) })),
    ];
    const all = parts.flatMap((part) => part.columns.map(([, to]) => to));
    const stacked = parts.map((part) => `SELECT member_id, pool, w, subject, ${all.map((name) => { const found = part.columns.find(([, to]) => to === name); return found ? `${found[0]}::bigint AS ${name}` : `NULL::bigint AS ${name}`; }).join(', ')} FROM ${part.from}`);
    return [...bases, ...this.#side.map((side) => side.cte), `${this.name}_facts AS (${grain})`,
      `${this.name} AS (SELECT member_id, pool, w, subject, ${all.map((name) => `max(${name}) AS ${name}`).join(', ')} FROM (${stacked.join(' UNION ALL ')}) AS stacked GROUP BY 1, 2, 3, 4)`];
  }

  /** Gates and rates may read facts that the main measure does not count; their rows must not be filtered away. */
  #gateFlags(): string[] {
    return [...this.#columns.keys()].flatMap((text) => [...text.matchAll(/WHERE (f\.c\d+)\)/g)].map((match) => match[1] as string));
  }
}

/** Runs of consecutive active periods (gaps and islands). */
function streakOver(active: string, leaf: Extract<Leaf, { is: 'streak' }>): string {
  const index = {
    day: `(thing - DATE '1990-01-01')`, week: `((thing - DATE '1990-01-01') / 7)`,
    month: '(extract(year FROM thing)::int * 12 + extract(month FROM thing)::int)',
    quarter: '(extract(year FROM thing)::int * 4 + extract(quarter FROM thing)::int)',
  }[leaf.of];
  const runs = `SELECT member_id, pool, w, subject, count(*) AS length FROM (
    SELECT member_id, pool, w, subject, ${index} - row_number() OVER (PARTITION BY member_id, pool, w, subject ORDER BY thing) AS island FROM (${active}) AS active
  ) AS islands GROUP BY member_id, pool, w, subject, island`;
  const value = leaf.each === undefined ? 'max(length)' : `sum(length / ${leaf.each})::bigint`;
  return `SELECT member_id, pool, w, subject, ${value} AS v FROM (${runs}) AS runs GROUP BY 1, 2, 3, 4`;
}

export function mainLeaves(mechanic: Mechanic): Leaf[] {
  return mechanic.measure.is === 'blend' ? mechanic.measure.parts.map((part) => part.measure) : [mechanic.measure];
}

type Measured = { n: string; d: string; joins: string };

/** The measure as a fraction of smallest units; a blend as a sum of weighted attainments over one denominator. */
function measured(rule: Rule, grain: Grain, options: CompileOptions): Measured {
  const { measure } = rule.mechanic;
  if (measure.is !== 'blend') return { n: `COALESCE(${grain.value(rule, measure)}, 0)::numeric`, d: '1::numeric', joins: '' };
  const parts = measure.parts.map((part, index) => ({
    value: `COALESCE(${grain.value(rule, part.measure)}, 0)::numeric`, target: `NULLIF(GREATEST(target_${index}.value, 0), 0)::numeric`, weight: part.weight,
    join: targetJoin(options.mode, `target_${index}`, part.target, "'member:' || k.member_id"),
  }));
  const weightD = commonDenominator(parts.map((part) => part.weight));
  const product = (except: number): string => parts.filter((_, index) => index !== except).map((part) => part.target).join(' * ') || '1';
  const n = parts.map((part, index) => `${whole((part.weight.n * weightD) / part.weight.d)} * ${part.value} * ${product(index)}`).join(' + ');
  return { n: `(${n})`, d: `(${whole(weightD)} * ${product(-1)})`, joins: parts.map((part) => part.join).join(' ') };
}

function targetJoin(mode: CompileOptions['mode'], alias: string, key: string, subject: string): string {
  return lookUp(mode, 'LEFT JOIN', 'mechanics.target', alias, `${alias}.tenant_id = $1 AND ${alias}.program_id = $2 AND ${alias}.current
    AND ${alias}.target_key = ${literal(key)} AND ${alias}.subject = ${subject} AND ${alias}.window_start = k.w`);
}

/** The base of a member's window, as SQL over k; `none` for pooled targets, which belong to the pool. */
function baseOf(rule: Rule, grain: Grain, end: string, options: CompileOptions): { ratio: SqlRatio | null; joins: string } {
  const { base, pool } = rule.mechanic;
  if (!base) return { ratio: null, joins: '' };
  if (base.is === 'fixed') {
    const value = timesRatio(base.value, ratio(measureScale(rule, options)));
    return { ratio: { n: whole(value.n), d: whole(value.d) }, joins: '' };
  }
  if (base.is === 'earlier') {
    const shift = shiftOf(base, rule.mechanic.window);
    const leaf = mainLeaves(rule.mechanic)[0];
    if (!shift || !leaf || leaf.is === 'awarded') return { ratio: null, joins: '' };
    return { ratio: { n: `COALESCE(${grain.baseValue(rule, leaf, shift)}, 0)::numeric`, d: '1::numeric' }, joins: '' };
  }
  if (pool && pool.by !== 'everyone') return { ratio: null, joins: '' };
  const joins = targetJoin(options.mode, 'target', base.target, "'member:' || k.member_id");
  if (!base.pro_rata) return { ratio: { n: 'target.value::numeric', d: '1::numeric' }, joins };
  // Whole days of membership inside the window over the window's days: who joins on the 16th of 30 owes half the target.
  const away = `COALESCE((SELECT sum(upper(gap) - lower(gap)) FROM unnest(member.gaps * datemultirange(daterange(k.w, ${end} + 1))) AS gap), 0)`;
  const days = `(LEAST(${end} + 1, member.counts_until) - GREATEST(k.w, member.counts_from) - ${away})`;
  return {
    ratio: { n: `(target.value::numeric * GREATEST(${days}, 0))`, d: `(${end} + 1 - k.w)::numeric` },
    joins: `${joins} ${lookUp(options.mode, 'JOIN', 'members.member', 'member', 'member.tenant_id = $1 AND member.program_id = $2 AND member.member_id = k.member_id')}`,
  };
}

export function measureScale(rule: Rule, options: Names): bigint {
  const [first] = mainLeaves(rule.mechanic);
  return rule.mechanic.measure.is === 'blend' || !first ? 1n : leafScale(first, rule, options as CompileOptions);
}

/** One mechanic's rows: measure, base, curve, gates, limits, and where the award lands. */
function emit(rule: Rule, grain: Grain, options: CompileOptions): string {
  const { mechanic } = rule;
  const end = endOf(rule);
  const measure = measured(rule, grain, options);
  const base = baseOf(rule, grain, end, options);
  const facts = grain.facts(rule);
  const gates = mechanic.gates.map((gate) => gateToSql(gate, rule, grain, end, options));
  const times = mechanic.curve.is === 'bands' && mechanic.curve.times ? { n: `COALESCE(${grain.value(rule, mechanic.curve.times)}, 0)::numeric`, d: '1::numeric' } : null;
  const counted = grain.pooled && base.ratio ? `(${facts} > 0 OR ${base.ratio.n} <> 0)` : `${facts} > 0`;
  const inVersion = `k.w >= ${dayLiteral(versionStart(rule))}${rule.endsOn === INFINITY ? '' : ` AND k.w < ${dayLiteral(rule.endsOn)}`}`;
  const inner = `SELECT k.member_id, k.pool, k.w, k.subject, ${end} AS window_end, ${facts} AS facts, ${measure.n} AS mn, ${measure.d} AS md,
    ${base.ratio ? `${base.ratio.n} AS bn, ${base.ratio.d} AS bd` : 'NULL::numeric AS bn, NULL::numeric AS bd'}${times ? `, ${times.n} AS tn` : ''},
    ${gates.length === 0 ? 'NULL::text' : `CASE ${gates.map((gate, index) => `WHEN NOT (${gate}) THEN 'gate:${index}'`).join(' ')} END`} AS failed
  ${grain.from()} ${measure.joins} ${base.joins}
  WHERE ${counted} AND ${inVersion} OFFSET 0`; // OFFSET 0 keeps the planner from writing these expressions out many times over
  if (mechanic.pool) {
    return `SELECT ${rule.mechanicId}::bigint, ${rule.versionId}::bigint, r.member_id, r.w, r.pool, r.window_end, r.facts, COALESCE(r.mn, 0), COALESCE(r.md, 1), r.bn, r.bd, r.failed IS NULL AND r.mn IS NOT NULL AND r.md IS NOT NULL FROM (${inner}) AS r`;
  }
  const { settled } = settle(rule, { measured: { n: 'r.mn', d: 'r.md' }, base: { n: 'r.bn', d: 'r.bd' }, times: times ? { n: 'r.tn', d: '1::numeric' } : null }, options);
  const least = limitMinor(rule, 'least') ?? (defaultLeast(mechanic) === null ? null : 0n);
  const most = limitMinor(rule, 'most');
  const y = `platform.round_ratio(y.n, y.d, ${literal(mechanic.rounding)})`;
  const clamped = `${most === null ? '' : `LEAST(${most}::bigint, `}${least === null ? '' : `GREATEST(${least}::bigint, `}${y}${least === null ? '' : ')'}${most === null ? '' : ')'}`;
  const limitWhy = [...(most === null ? [] : [`WHEN ${y} > ${most} THEN 'most'`]), ...(least === null ? [] : [`WHEN ${y} < ${least} THEN 'least'`])].join(' ');
  const award = awardColumns(rule);
  return `SELECT ${rule.mechanicId}::bigint, ${rule.versionId}::bigint, q.member_id, q.w, q.subject, q.window_end, q.facts, COALESCE(q.mn, 0), COALESCE(q.md, 1), q.bn, q.bd, q.why, q.amount, ${rule.unitId}::bigint,
    ${award.gate}, ${award.available}, ${award.expires}
  FROM (
    SELECT r.*, CASE WHEN y.n IS NULL OR y.d IS NULL THEN 'no_base' WHEN r.failed IS NOT NULL THEN r.failed ${limitWhy} END AS why,
      CASE WHEN y.n IS NULL OR y.d IS NULL OR r.failed IS NOT NULL THEN 0::bigint ELSE ${clamped} END AS amount
    FROM (${inner}) AS r CROSS JOIN LATERAL (SELECT ${settled.n} AS n, ${settled.d} AS d OFFSET 0) AS y
  ) AS q`;
}

/** The first version's first window may begin before the mechanic does; its facts are clipped, the window is not moved. */
function versionStart(rule: Rule): Day | '-infinity' {
  const { window } = rule.mechanic;
  if (rule.startsOn !== rule.countsFrom || perThing(window) || window === 'program') return rule.startsOn;
  return typeof window === 'object' ? '-infinity' : windowStart(rule.startsOn, window);
}

function endOf(rule: Rule): string {
  const { window } = rule.mechanic;
  if (perThing(window) || window === 'day') return 'k.w';
  if (window === 'program') return rule.endsOn === INFINITY ? `'infinity'::date` : `(${dayLiteral(rule.endsOn)} - 1)`;
  if (typeof window === 'object') {
    return `(SELECT p.ends_on FROM mechanics.period AS p WHERE p.tenant_id = $1 AND p.program_id = $2 AND p.calendar = ${literal(window.periods)} AND p.starts_on = k.w)`;
  }
  return windowEnd(window, 'k.w');
}

function gateToSql(gate: Mechanic['gates'][number], rule: Rule, grain: Grain, end: string, options: CompileOptions): string {
  switch (gate.is) {
    case 'reach': {
      const value = timesRatio(gate.at_least, ratio(leafScale(gate.measure, rule, options)));
      return atLeastRatio({ n: `COALESCE(${grain.value(rule, gate.measure, true)}, 0)::numeric`, d: '1::numeric' }, value);
    }
    case 'did': return did(gate.activity, gate.code, 'k.member_id', end);
    case 'member': return conditionToSql(gate.who, memberFields('k.member_id', end, options), options);
  }
}

/** x and the curve over it, for a measure and a base given as SQL. The pool's second grain uses it too. */
export function settle(rule: Rule, given: { measured: SqlRatio; base: SqlRatio; times: SqlRatio | null }, options: Names): { x: SqlRatio; settled: SqlRatio } {
  const { base, curve } = rule.mechanic;
  const { measured: m, base: b } = given;
  const asRatio = base?.as === 'ratio' || rule.mechanic.measure.is === 'blend';
  const above = `NULLIF(GREATEST(${b.n}, 0), 0)`; // attainment against nothing is undefined, never infinite
  const x: SqlRatio = !base ? m : base.as === 'ratio' ? { n: `(${m.n} * ${b.d})`, d: `(${m.d} * ${above})` } : { n: `(${m.n} * ${b.d} - ${b.n} * ${m.d})`, d: `(${m.d} * ${b.d})` };
  const scale = measureScale(rule, options);
  const timesLeaf = curve.is === 'bands' ? curve.times : undefined;
  const settled = curveToSql(curve, {
    x, xScale: asRatio ? 1n : scale,
    times: given.times ?? (base?.as === 'difference' ? x : m), timesScale: timesLeaf ? leafScale(timesLeaf, rule, options as CompileOptions) : scale,
    base: base?.as === 'ratio' ? b : null, measureScale: scale, unitScale: 10n ** BigInt(rule.unitScale), rounding: rule.mechanic.rounding,
  });
  return { x, settled };
}

/** An award's limit in the smallest units; rounded inward so that a limit is never passed. */
export function limitMinor(rule: Rule, which: 'least' | 'most' | 'most_total'): bigint | null {
  const limit = rule.mechanic.limits[which];
  if (!limit) return null;
  const scaled = timesRatio(limit, ratio(10n ** BigInt(rule.unitScale)));
  return scaled.d === 1n ? scaled.n : scaled.n / scaled.d;
}

/** `least` defaults to none for `per` and marginal bands on a line or document, to 0 for everything else. */
export function defaultLeast(mechanic: Mechanic): 0 | null {
  const signed = mechanic.curve.is === 'per' || (mechanic.curve.is === 'bands' && mechanic.curve.mode === 'marginal');
  return signed && perThing(mechanic.window) ? null : 0;
}

/** Lot of the award: its gate, the first day it can be spent and the last. All from the window's date, never from the booking. */
export function awardColumns(rule: Rule, key: { window: string; subject: string } = { window: 'q.w', subject: 'q.subject' }): { gate: string; available: string; expires: string } {
  const { available, expires } = rule.mechanic.award;
  const gate = available === 'approval' ? `'approval:${rule.mechanicId}:' || ${key.window} || ':' || ${key.subject}` : available === 'period_close' ? `'close:' || q.window_end` : `''`;
  const from = typeof available === 'object' ? `(q.window_end + ${available.after_days})` : `'-infinity'::date`;
  return { gate: `${gate}::text`, available: from, expires: expiresOn(expires) };
}

function expiresOn(expires: Mechanic['award']['expires']): string {
  if (expires === 'never' || 'inactive_months' in expires) return `'infinity'::date`; // inactivity is the wallet's, not the lot's
  if ('on' in expires) return dayLiteral(expires.on);
  const day = `(q.window_end + interval '${expires.months} months')`;
  if (expires.day !== undefined) {
    const [month, date] = expires.day.split('-');
    const inYear = (year: string): string => `make_date(${year}, ${Number(month)}, ${Number(date)})`;
    const year = `extract(year FROM ${day})::int`;
    return `(CASE WHEN q.window_end = 'infinity' THEN 'infinity'::date WHEN ${inYear(year)} >= ${day}::date THEN ${inYear(year)} ELSE ${inYear(`${year} + 1`)} END)`;
  }
  if (expires.end === 'day') return `${day}::date`;
  const length = { month: '1 month', quarter: '3 months', year: '1 year' }[expires.end];
  return `((date_trunc('${expires.end}', ${day}) + interval '${length}')::date - 1)`;
}

/** What a set of rules reads beyond its own facts, so that a change there is known to touch them. */
export function readsOf(rules: readonly Rule[]): { activities: Set<string>; tierSets: Set<string>; segments: boolean } {
  const reads = { activities: new Set<string>(), tierSets: new Set<string>(), segments: false };
  for (const { mechanic } of rules) {
    for (const atom of conditionsOf(mechanic).flatMap(atomsOf)) {
      if (atom.is === 'did') reads.activities.add(atom.activity);
      if (atom.is === 'oneOf' && atom.field.startsWith('tier.')) reads.tierSets.add(atom.field.slice(5));
      if (atom.is === 'oneOf' && atom.field === 'segment') reads.segments = true;
    }
    for (const gate of mechanic.gates) if (gate.is === 'did') reads.activities.add(gate.activity);
  }
  return reads;
}

export { dated, leavesOf };
