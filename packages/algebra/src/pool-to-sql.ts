import { ratio, timesRatio } from '@premia/kernel';
import { memberFields, type Names } from './condition-to-sql.ts';
import type { Mechanic } from './mechanic.ts';
import { awardColumns, defaultLeast, limitMinor, measureScale, settle, type Rule } from './to-sql.ts';
import { atLeastRatio, literal, whole } from './sql-text.ts';

/*
 * The second grain: a pooled window – team, company, everyone – is computed over its members' parts, which the first grain keeps
 * in entitlements.partial. Parameters: $1 tenant, $2 program, $3 the window's first day. Fills pg_temp.computed.
 */

/** The statement that computes one pooled window of a rule. */
export function poolToSql(rule: Rule, options: Names): string {
  const { pool } = rule.mechanic;
  if (!pool) throw new Error('not a pooled mechanic');
  const received = pool.by === 'everyone' ? rankOf(rule, options) : shareOf(rule, options);
  const award = awardColumns(rule, { window: '$3::date', subject: '0' });
  return `INSERT INTO pg_temp.computed (mechanic_id, version_id, member_id, window_start, subject_id, window_end, facts, measured_n, measured_d, base_n, base_d, why, uncapped, unit_id, gate, available_on, expires_on)
  SELECT ${rule.mechanicId}::bigint, ${rule.versionId}::bigint, q.member_id, $3::date, 0, q.window_end, q.facts, q.mn, q.md, q.bn, q.bd, q.why, q.amount, ${rule.unitId}::bigint, ${award.gate}, ${award.available}, ${award.expires}
  FROM (${received}) AS q`;
}

const parts = (rule: Rule): string => `SELECT p.* FROM entitlements.partial AS p WHERE p.tenant_id = $1 AND p.program_id = $2 AND p.mechanic_id = ${rule.mechanicId} AND p.version_id = ${rule.versionId} AND p.window_start = $3::date`;

function clamp(rule: Rule, y: string): string {
  const least = limitMinor(rule, 'least') ?? (defaultLeast(rule.mechanic) === null ? null : 0n);
  const most = limitMinor(rule, 'most');
  const low = least === null ? y : `GREATEST(${least}::bigint, ${y})`;
  return most === null ? low : `LEAST(${most}::bigint, ${low})`;
}

/** A team's or company's result, and what each of its people receives of it. Who fails a gate contributes, but receives nothing. */
function shareOf(rule: Rule, options: Names): string {
  const { mechanic } = rule;
  const pool = mechanic.pool as NonNullable<Mechanic['pool']>;
  const base = baseOfPool(rule, options);
  const { settled } = settle(rule, { measured: { n: 'r.mn', d: 'r.md' }, base: { n: 'r.bn', d: 'r.bd' }, times: null }, options);
  const y = `platform.round_ratio(y.n, y.d, ${literal(mechanic.rounding)})`;
  const groups = `SELECT r.*, CASE WHEN y.n IS NULL OR y.d IS NULL THEN NULL ELSE ${clamp(rule, y)} END AS total
    FROM (SELECT g.*, ${base.n} AS bn, ${base.d} AS bd FROM (
      SELECT p.pool, min(p.window_end) AS window_end, sum(p.measured_n) AS mn, 1::numeric AS md, sum(p.base_n) AS earlier FROM (${parts(rule)}) AS p GROUP BY p.pool) AS g ${base.join}) AS r
    CROSS JOIN LATERAL (SELECT ${settled.n} AS n, ${settled.d} AS d OFFSET 0) AS y`;
  const weights = pool.received === 'by_head' ? byHead(rule, pool.by) : `SELECT p.member_id, p.pool, p.facts, p.measured_n AS own, p.passed, ${pool.received === 'each' ? '1::numeric' : 'GREATEST(p.measured_n, 0)'} AS weight FROM (${parts(rule)}) AS p`;
  const amount = pool.received === 'each' ? 'w.total' : `(w.whole + CASE WHEN row_number() OVER (PARTITION BY w.pool ORDER BY w.rest DESC, w.member_id) <= abs(w.total) - sum(w.whole) OVER (PARTITION BY w.pool) THEN 1 ELSE 0 END) * sign(w.total)`;
  return `SELECT s.member_id, min(s.window_end) AS window_end, sum(s.facts)::bigint AS facts, sum(s.mn) AS mn, 1::numeric AS md, sum(s.bn) AS bn, CASE WHEN sum(s.bn) IS NULL THEN NULL ELSE 1::numeric END AS bd,
      CASE WHEN bool_and(s.total IS NULL) THEN 'no_base' WHEN NOT bool_or(s.passed) THEN 'gate:0' END AS why, COALESCE(sum(CASE WHEN s.passed THEN s.amount END), 0)::bigint AS amount
    FROM (
      SELECT w.*, CASE WHEN w.total IS NULL THEN 0 ELSE ${amount} END AS amount FROM (
        SELECT x.*, div(abs(x.total) * x.weight, NULLIF(x.weights, 0)) AS whole, mod(abs(x.total) * x.weight, NULLIF(x.weights, 0)) AS rest FROM (
          SELECT m.member_id, m.pool, m.facts, m.passed, m.weight, sum(m.weight) OVER (PARTITION BY m.pool) AS weights, g.window_end, g.mn, g.bn, g.total::numeric AS total
          FROM (${weights}) AS m JOIN (${groups}) AS g ON g.pool = m.pool
        ) AS x
      ) AS w
    ) AS s GROUP BY s.member_id`;
}

/** Heads on the window's last day: whoever is assigned to the pool then, with or without a contribution. */
function byHead(rule: Rule, by: string): string {
  return `SELECT a.member_id, a.${by} AS pool, COALESCE(p.facts, 0) AS facts, COALESCE(p.measured_n, 0) AS own, COALESCE(p.passed, ${rule.mechanic.gates.length === 0 ? 'true' : 'false'}) AS passed, 1::numeric AS weight
    FROM (SELECT DISTINCT g.pool, g.window_end FROM (${parts(rule)}) AS g) AS ends
    JOIN members.assignment AS a ON a.tenant_id = $1 AND a.program_id = $2 AND a.${by} = ends.pool AND a.valid_from <= ends.window_end AND a.valid_to > ends.window_end
    LEFT JOIN (${parts(rule)}) AS p ON p.member_id = a.member_id AND p.pool = ends.pool`;
}

function baseOfPool(rule: Rule, options: Names): { n: string; d: string; join: string } {
  const { base, pool } = rule.mechanic;
  if (!base) return { n: 'NULL::numeric', d: 'NULL::numeric', join: '' };
  if (base.is === 'earlier') return { n: 'COALESCE(g.earlier, 0)', d: '1::numeric', join: '' };
  if (base.is === 'fixed') {
    const value = timesRatio(base.value, ratio(measureScale(rule, options)));
    return { n: whole(value.n), d: whole(value.d), join: '' };
  }
  return { n: 't.value::numeric', d: '1::numeric', join: `LEFT JOIN mechanics.target AS t ON t.tenant_id = $1 AND t.program_id = $2 AND t.current AND t.target_key = ${literal(base.target)}
    AND t.subject = ${literal(`${pool?.by ?? ''}:`)} || g.pool AND t.window_start = $3::date` };
}

/**
 * Places by measure or attainment, in leagues where the rule has bands. Fractions are compared exactly: with 60 decimals two that
 * differ cannot look equal while their denominators stay below 10^29.
 */
function rankOf(rule: Rule, options: Names): string {
  const { mechanic } = rule;
  const curve = mechanic.curve;
  if (curve.is !== 'rank') throw new Error('the pool “everyone” needs a rank');
  const places = curve.places.map((place) => { const scaled = timesRatio(place, ratio(10n ** BigInt(rule.unitScale))); return scaled.d === 1n ? scaled.n : scaled.n / scaled.d; });
  const table = `(VALUES ${places.map((units, index) => `(${index + 1}, ${units}::bigint)`).join(', ')}) AS place(n, units)`;
  const { x } = settle({ ...rule, mechanic: { ...mechanic, curve: { is: 'per', units: ratio(1n), every: ratio(1n) } } }, { measured: { n: 'p.measured_n', d: 'p.measured_d' }, base: { n: 'p.base_n', d: 'p.base_d' }, times: null }, options);
  const asRatio = mechanic.base?.as === 'ratio' || mechanic.measure.is === 'blend';
  const floor = curve.at_least ? timesRatio(curve.at_least, ratio(asRatio ? 1n : measureScale(rule, options))) : null;
  const band = mechanic.pool?.bands === undefined ? `''` : `COALESCE(${memberFields('p.member_id', 'p.window_end', options).word(mechanic.pool.bands as never)}, '')`;
  const scored = `SELECT p.*, ${band} AS band, ${x.n} AS xn, ${x.d} AS xd FROM (${parts(rule)}) AS p`;
  const eligible = `s.passed AND s.facts > 0 AND s.xn IS NOT NULL AND s.xd IS NOT NULL${floor ? ` AND ${atLeastRatio({ n: 's.xn', d: 's.xd' }, floor)}` : ''}`;
  const order = `e.score DESC${curve.ties === 'member' ? ', e.member_id' : ''}`;
  const ranked = `SELECT e.*, rank() OVER (PARTITION BY e.band ORDER BY ${order}) AS place, count(*) OVER (PARTITION BY e.band, e.score) AS tied, row_number() OVER (PARTITION BY e.band, e.score ORDER BY e.member_id) AS nth
    FROM (SELECT s.*, div(s.xn * 1e60, s.xd) AS score FROM (${scored}) AS s WHERE ${eligible}) AS e`;
  const units = curve.ties === 'share'
    ? `(SELECT div(COALESCE(sum(place.units), 0), r.tied) + CASE WHEN r.nth <= mod(COALESCE(sum(place.units), 0), r.tied) THEN 1 ELSE 0 END FROM ${table} WHERE place.n BETWEEN r.place AND r.place + r.tied - 1)::bigint`
    : `COALESCE((SELECT place.units FROM ${table} WHERE place.n = r.place), 0)`;
  return `SELECT s.member_id, s.window_end, s.facts, s.measured_n AS mn, s.measured_d AS md, s.base_n AS bn, s.base_d AS bd,
      CASE WHEN s.xn IS NULL OR s.xd IS NULL THEN 'no_base' WHEN NOT s.passed THEN 'gate:0' WHEN r.place IS NULL THEN 'below' ELSE 'place:' || r.place END AS why, COALESCE(${units}, 0) AS amount
    FROM (${scored}) AS s LEFT JOIN (${ranked}) AS r ON r.member_id = s.member_id`;
}

