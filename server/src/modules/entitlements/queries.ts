import type { Compiled } from '@premia/algebra';

/** Every statement of settling. $1 tenant, $2 program. */

const KEY = ['mechanic_id', 'member_id', 'window_start', 'subject_id'] as const;

/** The stored entitlements that stand against what was computed: those of the affected windows, or all of these mechanics. */
function stored(compiled: Compiled, mode: 'touched' | 'all', mechanicIds: readonly bigint[]): string {
  if (mode === 'all') return `SELECT e.* FROM entitlements.entitlement AS e WHERE e.tenant_id = $1 AND e.program_id = $2 AND e.mechanic_id = ANY(ARRAY[${mechanicIds.join(', ')}]::bigint[])`;
  const classes = compiled.classOf.filter((of) => mechanicIds.includes(of.mechanicId)).map((of) => `(${of.mechanicId}::bigint, ${of.versionId}::bigint, ${of.class})`).join(', ');
  return `SELECT e.* FROM pg_temp.affected AS a JOIN (VALUES ${classes}) AS m(mechanic_id, version_id, class) ON m.class = a.class
    CROSS JOIN LATERAL (SELECT e.* FROM entitlements.entitlement AS e WHERE e.tenant_id = $1 AND e.program_id = $2 AND e.member_id = a.member_id AND e.mechanic_id = m.mechanic_id AND e.window_start = a.window_start AND e.version_id = m.version_id OFFSET 0) AS e`;
}

/** What is owed now; a window that vanished is owed nothing, and keeps its row: what was granted and taken back stays to be explained. */
const NOW = `c.mechanic_id IS NULL, COALESCE(c.version_id, e.version_id), COALESCE(c.window_end, e.window_end), COALESCE(c.facts, 0), COALESCE(c.measured_n, 0), COALESCE(c.measured_d, e.measured_d),
    CASE WHEN c.mechanic_id IS NULL THEN e.base_n ELSE c.base_n END, CASE WHEN c.mechanic_id IS NULL THEN e.base_d ELSE c.base_d END, CASE WHEN c.mechanic_id IS NULL THEN 'gone' ELSE c.why END`;

/** What differs between what is owed now and what is stored. A window that vanished is owed nothing. */
export const fillChanges = (compiled: Compiled, mode: 'touched' | 'all', mechanicIds: readonly bigint[]): string => `
  INSERT INTO pg_temp.change (mechanic_id, member_id, window_start, subject_id, gone, version_id, window_end, facts, measured_n, measured_d, base_n, base_d, why, uncapped, old_uncapped, old_amount,
    unit_id, gate, available_on, expires_on, old_unit_id, old_gate, old_available_on, old_expires_on)
  SELECT ${KEY.map((name) => `COALESCE(c.${name}, e.${name})`).join(', ')}, ${NOW},
    COALESCE(c.uncapped, 0), COALESCE(e.uncapped, 0), COALESCE(e.amount, 0), COALESCE(c.unit_id, e.unit_id), COALESCE(c.gate, e.gate), COALESCE(c.available_on, e.available_on), COALESCE(c.expires_on, e.expires_on),
    e.unit_id, e.gate, e.available_on, e.expires_on
  FROM pg_temp.computed AS c FULL JOIN (${stored(compiled, mode, mechanicIds)}) AS e ON ${KEY.map((name) => `c.${name} = e.${name}`).join(' AND ')}
  WHERE c.mechanic_id IS NULL OR e.mechanic_id IS NULL
    OR (c.uncapped, c.version_id, c.facts, c.measured_n, c.measured_d, c.unit_id, c.gate, c.available_on, c.expires_on, c.window_end) <> (e.uncapped, e.version_id, e.facts, e.measured_n, e.measured_d, e.unit_id, e.gate, e.available_on, e.expires_on, e.window_end)
    OR (c.base_n, c.base_d, c.why) IS DISTINCT FROM (e.base_n, e.base_d, e.why)`;

/** The same for one pooled window: $3 mechanic, $4 its first day. */
export const fillPoolChanges = `
  INSERT INTO pg_temp.change (mechanic_id, member_id, window_start, subject_id, gone, version_id, window_end, facts, measured_n, measured_d, base_n, base_d, why, uncapped, old_uncapped, old_amount,
    unit_id, gate, available_on, expires_on, old_unit_id, old_gate, old_available_on, old_expires_on)
  SELECT ${KEY.map((name) => `COALESCE(c.${name}, e.${name})`).join(', ')}, ${NOW},
    COALESCE(c.uncapped, 0), COALESCE(e.uncapped, 0), COALESCE(e.amount, 0), COALESCE(c.unit_id, e.unit_id), COALESCE(c.gate, e.gate), COALESCE(c.available_on, e.available_on), COALESCE(c.expires_on, e.expires_on),
    e.unit_id, e.gate, e.available_on, e.expires_on
  FROM pg_temp.computed AS c FULL JOIN (SELECT * FROM entitlements.entitlement WHERE tenant_id = $1 AND program_id = $2 AND mechanic_id = $3 AND window_start = $4::date) AS e ON ${KEY.map((name) => `c.${name} = e.${name}`).join(' AND ')}
  WHERE c.mechanic_id IS NULL OR e.mechanic_id IS NULL OR (c.uncapped, c.version_id, c.facts, c.measured_n, c.measured_d, c.expires_on) <> (e.uncapped, e.version_id, e.facts, e.measured_n, e.measured_d, e.expires_on)
    OR (c.base_n, c.base_d, c.why) IS DISTINCT FROM (e.base_n, e.base_d, e.why)`;

/**
 * Takes and gives back of one budget in this run: gives back first free what is needed, then rises take in member order what is left.
 * $3 budget, $4 its size, $5 run. Rises of earlier runs that found nothing left ask again whenever their entitlement moves.
 */
export const allocate = (mechanicIds: readonly bigint[]): string => `
  WITH asked AS (
    SELECT e.member_id, e.mechanic_id, e.window_start, e.subject_id, e.unit_id, e.gate, e.available_on, e.expires_on, e.uncapped, e.amount, e.uncapped - e.amount AS wish
    FROM entitlements.entitlement AS e WHERE e.tenant_id = $1 AND e.program_id = $2 AND e.mechanic_id = ANY(ARRAY[${mechanicIds.join(', ')}]::bigint[])
      AND (e.member_id, e.mechanic_id, e.window_start, e.subject_id) IN (SELECT member_id, mechanic_id, window_start, subject_id FROM pg_temp.change) AND e.uncapped <> e.amount
  ), used AS (
    SELECT COALESCE(sum(delta), 0)::bigint AS taken FROM entitlements.allocation WHERE tenant_id = $1 AND program_id = $2 AND budget = $3
  ), left_over AS (
    SELECT $4::bigint - used.taken - COALESCE((SELECT sum(wish) FROM asked WHERE wish < 0), 0)::bigint AS size FROM used
  ), granted AS (
    SELECT a.*, CASE WHEN a.wish < 0 THEN a.wish ELSE GREATEST(0, LEAST(a.wish, l.size - COALESCE(sum(a.wish) FILTER (WHERE a.wish > 0) OVER (ORDER BY a.member_id, a.mechanic_id, a.window_start, a.subject_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))) END::bigint AS delta
    FROM asked AS a CROSS JOIN left_over AS l
  ), noted AS (
    INSERT INTO entitlements.allocation (tenant_id, program_id, budget, member_id, mechanic_id, window_start, subject_id, delta, recorded_seq)
    SELECT $1::bigint, $2::bigint, $3::text, member_id, mechanic_id, window_start, subject_id, delta, $5::bigint FROM granted WHERE delta <> 0 ORDER BY member_id
  )
  INSERT INTO pg_temp.difference (member_id, unit_id, mechanic_id, window_start, subject_id, delta, gate, available_on, expires_on)
  SELECT member_id, unit_id, mechanic_id, window_start, subject_id, delta, gate, available_on, expires_on FROM granted WHERE delta <> 0`;

/** Writes the changed entitlements. Those under a limit in total or a budget keep their amount here; it is decided next. */
export const storeChanges = (later: readonly bigint[]): string => `
  INSERT INTO entitlements.entitlement (tenant_id, program_id, member_id, mechanic_id, window_start, subject_id, window_end, version_id, facts, measured_n, measured_d, base_n, base_d, why,
    uncapped, amount, unit_id, gate, available_on, expires_on, settled_seq)
  SELECT $1::bigint, $2::bigint, member_id, mechanic_id, window_start, subject_id, window_end, version_id, facts, measured_n, measured_d, base_n, base_d, why,
    uncapped, ${decided(later)}, unit_id, gate, available_on, expires_on, $3::bigint
  FROM pg_temp.change ORDER BY member_id, mechanic_id, window_start, subject_id
  ON CONFLICT (tenant_id, program_id, member_id, mechanic_id, window_start, subject_id) DO UPDATE SET
    window_end = excluded.window_end, version_id = excluded.version_id, facts = excluded.facts, measured_n = excluded.measured_n, measured_d = excluded.measured_d,
    base_n = excluded.base_n, base_d = excluded.base_d, why = excluded.why, uncapped = excluded.uncapped, amount = excluded.amount, unit_id = excluded.unit_id,
    gate = excluded.gate, available_on = excluded.available_on, expires_on = excluded.expires_on, settled_seq = excluded.settled_seq`;

const decided = (later: readonly bigint[]): string => `CASE WHEN late${later.length === 0 ? '' : ` OR mechanic_id = ANY(ARRAY[${later.join(', ')}]::bigint[])`} THEN old_amount ELSE uncapped END`;

/** Where the program asks for it, what facts move in closed periods waits: the entitlement knows what is owed, the ledger follows on approval. Limits in total and budgets are walks over all windows and do not wait. */
export const HOLD_LATE = `
  UPDATE pg_temp.change AS c SET late = true FROM entitlements.close AS x WHERE x.tenant_id = $1 AND x.program_id = $2 AND x.state = 'closed' AND COALESCE(c.window_end, c.window_start) BETWEEN x.starts_on AND x.ends_on AND c.uncapped <> c.old_amount`;

/** Entitlements of closed periods whose difference waits for approval. */
export const LATE = `
  SELECT e.* FROM entitlements.entitlement AS e JOIN entitlements.close AS x ON x.tenant_id = e.tenant_id AND x.program_id = e.program_id AND x.state = 'closed' AND e.window_end BETWEEN x.starts_on AND x.ends_on
  WHERE e.tenant_id = $1 AND e.program_id = $2 AND e.amount <> e.uncapped AND e.mechanic_id <> ALL($3::bigint[])`;

/** The differences of those. $4 members, or NULL for all. */
export const LATE_DIFFERENCES = `
  INSERT INTO pg_temp.difference (member_id, unit_id, mechanic_id, window_start, subject_id, delta, gate, available_on, expires_on)
  SELECT member_id, unit_id, mechanic_id, window_start, subject_id, uncapped - amount, gate, available_on, expires_on FROM (${LATE}) AS late WHERE $4::bigint[] IS NULL OR member_id = ANY($4::bigint[])`;

/** One difference per entitlement, or two where its lot moved: all out of the old, all into the new. */
export const fillDifferences = (later: readonly bigint[]): string => `
  INSERT INTO pg_temp.difference (member_id, unit_id, mechanic_id, window_start, subject_id, delta, gate, available_on, expires_on)
  SELECT member_id, unit_id, mechanic_id, window_start, subject_id, delta, gate, available_on, expires_on FROM (
    SELECT c.*, (c.old_unit_id IS NULL OR (c.old_unit_id, c.old_gate, c.old_available_on, c.old_expires_on) = (c.unit_id, c.gate, c.available_on, c.expires_on)) AS same, ${decided(later)} AS amount
    FROM pg_temp.change AS c
  ) AS c
  CROSS JOIN LATERAL (
    SELECT c.amount - c.old_amount AS delta WHERE c.same
    UNION ALL SELECT c.amount WHERE NOT c.same
  ) AS now(delta) WHERE delta <> 0
  UNION ALL
  SELECT member_id, old_unit_id, mechanic_id, window_start, subject_id, -old_amount, old_gate, old_available_on, old_expires_on FROM pg_temp.change
  WHERE old_amount <> 0 AND (old_unit_id, old_gate, old_available_on, old_expires_on) <> (unit_id, gate, available_on, expires_on)`;

/**
 * Limits in total, along a member's windows in their order: what was granted up to window k is S_k − max(0, max over j ≤ k of
 * (S_j − limit)), where S is the running sum of the uncapped. It is the walk that never passes the limit, written as window functions.
 */
export const capTotals = (limits: readonly { mechanicId: bigint; limit: bigint }[], scope: 'changed' | 'all'): string => `
  SELECT e.member_id, e.mechanic_id, e.window_start, e.subject_id, e.amount AS old_amount,
    (e.granted - COALESCE(lag(e.granted) OVER walk, 0))::bigint AS amount, e.unit_id, e.gate, e.available_on, e.expires_on
  FROM (
    SELECT s.*, s.total - GREATEST(0, max(s.total - s.most) OVER (PARTITION BY s.mechanic_id, s.member_id ORDER BY s.window_start, s.subject_id)) AS granted FROM (
      SELECT e.*, l.most, platform.sum8(e.uncapped) OVER (PARTITION BY e.mechanic_id, e.member_id ORDER BY e.window_start, e.subject_id) AS total
      FROM entitlements.entitlement AS e JOIN (VALUES ${limits.map((limit) => `(${limit.mechanicId}::bigint, ${limit.limit}::bigint)`).join(', ')}) AS l(mechanic_id, most) ON l.mechanic_id = e.mechanic_id
      WHERE e.tenant_id = $1 AND e.program_id = $2 ${scope === 'changed' ? 'AND (e.mechanic_id, e.member_id) IN (SELECT mechanic_id, member_id FROM pg_temp.change)' : ''}
    ) AS s
  ) AS e WINDOW walk AS (PARTITION BY e.mechanic_id, e.member_id ORDER BY e.window_start, e.subject_id)`;

export const differencesOfTotals = (limits: readonly { mechanicId: bigint; limit: bigint }[]): string => `
  INSERT INTO pg_temp.difference (member_id, unit_id, mechanic_id, window_start, subject_id, delta, gate, available_on, expires_on)
  SELECT member_id, unit_id, mechanic_id, window_start, subject_id, amount - old_amount, gate, available_on, expires_on FROM (${capTotals(limits, 'changed')}) AS t WHERE amount <> old_amount`;

/** Brings the amounts of later-decided mechanics in line with their differences. */
export const storeDecided = (mechanicIds: readonly bigint[]): string => `
  UPDATE entitlements.entitlement AS e SET amount = e.amount + d.delta, settled_seq = $3
  FROM (SELECT member_id, mechanic_id, window_start, subject_id, sum(delta)::bigint AS delta FROM pg_temp.difference WHERE mechanic_id = ANY(ARRAY[${mechanicIds.join(', ')}]::bigint[]) GROUP BY 1, 2, 3, 4) AS d
  WHERE e.tenant_id = $1 AND e.program_id = $2 AND e.member_id = d.member_id AND e.mechanic_id = d.mechanic_id AND e.window_start = d.window_start AND e.subject_id = d.subject_id`;

const PARTIAL_KEY = ['mechanic_id', 'member_id', 'window_start', 'pool'] as const;

function storedPartial(compiled: Compiled, mode: 'touched' | 'all', mechanicIds: readonly bigint[]): string {
  if (mode === 'all') return `SELECT e.* FROM entitlements.partial AS e WHERE e.tenant_id = $1 AND e.program_id = $2 AND e.mechanic_id = ANY(ARRAY[${mechanicIds.join(', ')}]::bigint[])`;
  const classes = compiled.classOf.filter((of) => mechanicIds.includes(of.mechanicId)).map((of) => `(${of.mechanicId}::bigint, ${of.versionId}::bigint, ${of.class})`).join(', ');
  return `SELECT e.* FROM pg_temp.affected AS a JOIN (VALUES ${classes}) AS m(mechanic_id, version_id, class) ON m.class = a.class
    JOIN entitlements.partial AS e ON e.tenant_id = $1 AND e.program_id = $2 AND e.member_id = a.member_id AND e.mechanic_id = m.mechanic_id AND e.window_start = a.window_start AND e.version_id = m.version_id`;
}

export const differingPartials = (compiled: Compiled, mode: 'touched' | 'all', mechanicIds: readonly bigint[]): string => `
  SELECT ${PARTIAL_KEY.map((name) => `COALESCE(c.${name}, e.${name}) AS ${name}`).join(', ')}
  FROM pg_temp.computed_partial AS c FULL JOIN (${storedPartial(compiled, mode, mechanicIds)}) AS e ON ${PARTIAL_KEY.map((name) => `c.${name} = e.${name}`).join(' AND ')}
  WHERE c.mechanic_id IS NULL OR e.mechanic_id IS NULL OR (c.version_id, c.facts, c.measured_n, c.measured_d, c.passed, c.window_end) <> (e.version_id, e.facts, e.measured_n, e.measured_d, e.passed, e.window_end)
    OR (c.base_n, c.base_d) IS DISTINCT FROM (e.base_n, e.base_d)`;

export const storePartials = (compiled: Compiled, mode: 'touched' | 'all', mechanicIds: readonly bigint[]): string[] => [
  `INSERT INTO entitlements.stale_window (tenant_id, program_id, mechanic_id, window_start)
   SELECT DISTINCT $1::bigint, $2::bigint, mechanic_id, window_start FROM (${differingPartials(compiled, mode, mechanicIds)}) AS d ON CONFLICT DO NOTHING`,
  `DELETE FROM entitlements.partial AS p USING (${storedPartial(compiled, mode, mechanicIds)}) AS e
   WHERE p.tenant_id = $1 AND p.program_id = $2 AND ${PARTIAL_KEY.map((name) => `p.${name} = e.${name}`).join(' AND ')}
     AND NOT EXISTS (SELECT 1 FROM pg_temp.computed_partial AS c WHERE ${PARTIAL_KEY.map((name) => `c.${name} = e.${name}`).join(' AND ')})`,
  `INSERT INTO entitlements.partial (tenant_id, program_id, member_id, mechanic_id, window_start, pool, version_id, window_end, facts, measured_n, measured_d, base_n, base_d, passed)
   SELECT $1::bigint, $2::bigint, member_id, mechanic_id, window_start, pool, version_id, window_end, facts, measured_n, measured_d, base_n, base_d, passed FROM pg_temp.computed_partial
   ON CONFLICT (tenant_id, program_id, member_id, mechanic_id, window_start, pool) DO UPDATE SET version_id = excluded.version_id, window_end = excluded.window_end, facts = excluded.facts,
     measured_n = excluded.measured_n, measured_d = excluded.measured_d, base_n = excluded.base_n, base_d = excluded.base_d, passed = excluded.passed`,
];

/** Results that other strata read have moved – a limit in total moves later windows too: their days are touched for the next stratum. */
export const TOUCH_CHANGED = `
  INSERT INTO pg_temp.touch (member_id, day)
  SELECT c.member_id, COALESCE(c.window_end, c.window_start) FROM pg_temp.change AS c WHERE COALESCE(c.window_end, c.window_start) < 'infinity'
  UNION SELECT d.member_id, e.window_end FROM pg_temp.difference AS d JOIN entitlements.entitlement AS e ON e.tenant_id = $1 AND e.program_id = $2 AND e.member_id = d.member_id
    AND e.mechanic_id = d.mechanic_id AND e.window_start = d.window_start AND e.subject_id = d.subject_id WHERE e.window_end < 'infinity'`;

/** All days of members with facts on or after the day of a touched activity: what a rule asks "had done" of. */
export const touchAfterActivities = (kinds: readonly string[]): string => `
  INSERT INTO pg_temp.touch (member_id, day)
  SELECT DISTINCT f.member_id, x.day FROM (
    SELECT t.member_id, min(t.day) AS day FROM pg_temp.touch AS t JOIN facts.fact AS a ON a.tenant_id = $1 AND a.program_id = $2 AND a.member_id = t.member_id AND a.earned_on = t.day
      AND a.kind = ANY(ARRAY[${kinds.map((kind) => `'${kind.replaceAll("'", "''")}'`).join(', ')}]::text[]) GROUP BY t.member_id
  ) AS first JOIN facts.fact AS f ON f.tenant_id = $1 AND f.program_id = $2 AND f.member_id = first.member_id
  CROSS JOIN LATERAL (VALUES (f.earned_on), (f.base_on)) AS x(day)`;

/** Corrections placed by their own date: what moves a document's amount moves the windows of all its corrections. */
export const TOUCH_DOCUMENTS = `
  INSERT INTO pg_temp.touch (member_id, day)
  SELECT DISTINCT other.member_id, other.earned_on FROM (SELECT DISTINCT member_id, day FROM pg_temp.touch) AS t
  JOIN facts.fact AS f ON f.tenant_id = $1 AND f.program_id = $2 AND f.member_id = t.member_id AND f.earned_on = t.day
  JOIN facts.fact AS other ON other.tenant_id = $1 AND other.program_id = $2 AND other.base_document_id = f.base_document_id AND other.member_id = f.member_id
  WHERE other.earned_on <> other.base_on`;

export const TOUCH_MEMBERS = `
  INSERT INTO pg_temp.touch (member_id, day)
  SELECT DISTINCT f.member_id, x.day FROM facts.fact AS f CROSS JOIN LATERAL (VALUES (f.earned_on), (f.base_on)) AS x(day)
  WHERE f.tenant_id = $1 AND f.program_id = $2 AND f.member_id = ANY($3::bigint[])`;

/** The same from a day on: $4. */
export const TOUCH_MEMBERS_FROM = `${TOUCH_MEMBERS} AND f.base_on >= $4::date`;
