import { sql } from 'kysely';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, runText, type Tx } from '../../platform/database.ts';
import { emptyRun } from '../../platform/run-tables.ts';
import { findProgram, type Program } from '../members/index.ts';
import { openSettling } from './record-sales.ts';
import { totalLimits, type Settling } from './settle.ts';
import { computeWindow, settleStale } from './settle-pools.ts';
import * as q from './queries.ts';
import { sealTail, verifySeals } from './seal-chain.ts';
import { storedTimelines, timelines } from './tiers.ts';

export type Fault = { check: string; where: string; expected: string; found: string };
export type Verification = { program: string; counts: { facts: number; entitlements: number; transfers: number; lots: number; wallets: number; members: number }; differences: number; seals: number; head: string; faults: Fault[] };

/** What a module above adds to verifying: its own stored states against the books. */
export type Check = (tx: Tx, context: Context, program: Program) => Promise<Fault[]>;

export const FAULTS_SHOWN_MAX = 100;

/**
 * Seals the tail, then recomputes everything of a program from its facts and compares: entitlements, tiers, conservation, balances, lots,
 * references – and the tenant's chain of seals.
 * Writes nothing that stays. Zero differences means: what is booked is what the rules say, and nothing else is booked.
 */
export async function verifyProgram(context: Context, key: string, checks: readonly Check[] = []): Promise<Verification> {
  await settleStale(context, key);
  const { seals, made, head } = await sealTail(context);
  return context.rehearse(async (tx) => {
    const program = await findProgram(tx, key);
    const settling = await openSettling(tx, context, program);
    // Whole tables against whole tables: an estimate too low once made a nested loop of 40,000 × 40,000 lines of it, which ran for minutes.
    await sql`SET LOCAL enable_nestloop = off`.execute(tx);
    const faults = [...(await verifyEntitlements(tx, settling)), ...(await verifyPools(tx, settling)), ...(await verifyBudgets(tx, settling)), ...(await verifyTiers(tx, settling)), ...(await verifyLedger(tx, program)), ...(await verifySeals(tx, context, made))];
    for (const check of checks) faults.push(...await check(tx, context, program));
    const differences = faults.reduce((sum, fault) => sum + (fault.check === 'more' ? Number(fault.found) : 1), 0);
    return { program: key, counts: await countAll(tx, program), differences, seals, head, faults: faults.slice(0, FAULTS_SHOWN_MAX) };
  }, { snapshot: true });
}

/** Keeps what a verification found. */
export async function keepVerification(context: Context, found: Verification): Promise<void> {
  await context.transaction(async (tx) => {
    const { programId } = await findProgram(tx, found.program);
    await sql`INSERT INTO entitlements.verification (tenant_id, program_id, verified_at, verified_by, differences, result) VALUES (${context.tenantId}, ${programId}, ${instant(context)}, ${context.principal}, ${found.differences}, ${JSON.stringify(found)}::jsonb)`.execute(tx);
  });
}

export type KeptVerification = { verified_at: Date; verified_by: string; result: Verification };

/** What the last verification of a program found, or undefined where there was none. */
export const lastVerification = (tx: Tx, program: Program): Promise<KeptVerification | undefined> => row<KeptVerification>(tx, sql`SELECT verified_at, verified_by, result FROM entitlements.verification WHERE program_id = ${program.programId} ORDER BY verification_id DESC LIMIT 1`);

async function countAll(tx: Tx, program: Program): Promise<Verification['counts']> {
  const [found] = await rows<Record<string, bigint>>(tx, sql`SELECT
    (SELECT count(*) FROM facts.fact WHERE program_id = ${program.programId}) AS facts, (SELECT count(*) FROM entitlements.entitlement WHERE program_id = ${program.programId}) AS entitlements,
    (SELECT count(*) FROM ledger.transfer WHERE program_id = ${program.programId}) AS transfers, (SELECT count(*) FROM ledger.lot WHERE program_id = ${program.programId}) AS lots,
    (SELECT count(*) FROM ledger.wallet WHERE program_id = ${program.programId}) AS wallets, (SELECT count(*) FROM members.member WHERE program_id = ${program.programId}) AS members`);
  const n = (name: string): number => Number(found?.[name] ?? 0n);
  return { facts: n('facts'), entitlements: n('entitlements'), transfers: n('transfers'), lots: n('lots'), wallets: n('wallets'), members: n('members') };
}

async function verifyEntitlements(tx: Tx, settling: Settling): Promise<Fault[]> {
  const known = [settling.tenantId, settling.program.programId];
  const faults: Fault[] = [];
  for (const stratum of settling.plan.strata) {
    if (stratum.rules.length === 0) continue;
    await emptyRun(tx, 'computed', 'computed_partial', 'change');
    for (const text of stratum.all.compute) await runText(tx, text, known);
    const plain = stratum.rules.filter((rule) => !rule.mechanic.pool);
    const ids = [...new Set(plain.map((rule) => rule.mechanicId))];
    if (ids.length > 0) {
      await runText(tx, q.fillChanges(stratum.all, 'all', ids), known);
      faults.push(...await list(tx, `SELECT 'entitlement' AS "check", ${WHERE_ENTITLEMENT('c')}, c.uncapped::text || COALESCE(' (' || c.why || ')', '') AS expected, c.old_uncapped::text AS found
        FROM pg_temp.change AS c JOIN mechanics.mechanic AS k ON k.tenant_id = $1 AND k.program_id = $2 AND k.mechanic_id = c.mechanic_id
        WHERE NOT (c.gone AND EXISTS (SELECT 1 FROM entitlements.entitlement AS e WHERE e.tenant_id = $1 AND e.program_id = $2 AND e.member_id = c.member_id AND e.mechanic_id = c.mechanic_id AND e.window_start = c.window_start
          AND e.subject_id = c.subject_id AND e.why = 'gone' AND e.uncapped = 0 AND e.amount = 0))`, known));
      const totals = totalLimits(plain);
      const later = new Set([...totals.map((limit) => limit.mechanicId), ...plain.filter((rule) => rule.mechanic.limits.budget).map((rule) => rule.mechanicId)]);
      const direct = ids.filter((id) => !later.has(id));
      if (direct.length > 0) {
        faults.push(...await list(tx, `SELECT 'amount' AS "check", ${WHERE_ENTITLEMENT('c')}, c.uncapped::text AS expected, c.amount::text AS found FROM entitlements.entitlement AS c
          JOIN mechanics.mechanic AS k ON k.tenant_id = $1 AND k.program_id = $2 AND k.mechanic_id = c.mechanic_id
          WHERE c.tenant_id = $1 AND c.program_id = $2 AND c.mechanic_id = ANY(ARRAY[${direct.join(', ')}]::bigint[]) AND c.amount <> c.uncapped${settling.program.settings.late_in_closed === 'approve' ? ` AND NOT ${IN_CLOSED}` : ''}`, known));
      }
      if (totals.length > 0) {
        faults.push(...await list(tx, `SELECT 'limit in total' AS "check", ${WHERE_ENTITLEMENT('c')}, c.amount::text AS expected, c.old_amount::text AS found FROM (${q.capTotals(totals, 'all')}) AS c
          JOIN mechanics.mechanic AS k ON k.tenant_id = $1 AND k.program_id = $2 AND k.mechanic_id = c.mechanic_id WHERE c.amount <> c.old_amount`, known));
      }
    }
    const pooled = [...new Set(stratum.rules.filter((rule) => rule.mechanic.pool).map((rule) => rule.mechanicId))];
    if (pooled.length > 0) {
      faults.push(...await list(tx, `SELECT 'pool part' AS "check", concat_ws(' ', k.key, 'member ' || c.member_id, c.window_start, c.pool) AS "where", '' AS expected, '' AS found
        FROM (${q.differingPartials(stratum.all, 'all', pooled)}) AS c JOIN mechanics.mechanic AS k ON k.tenant_id = $1 AND k.program_id = $2 AND k.mechanic_id = c.mechanic_id`, known));
    }
  }
  return faults;
}

/** Differences of closed periods may wait for approval where the program says so. */
const IN_CLOSED = `EXISTS (SELECT 1 FROM entitlements.close AS x WHERE x.tenant_id = $1 AND x.program_id = $2 AND x.state = 'closed' AND c.window_end BETWEEN x.starts_on AND x.ends_on)`;
const WHERE_ENTITLEMENT = (alias: string): string => `concat_ws(' ', k.key, 'member ' || ${alias}.member_id, ${alias}.window_start, CASE WHEN ${alias}.subject_id <> 0 THEN 'subject ' || ${alias}.subject_id END) AS "where"`;

async function list(tx: Tx, text: string, known: readonly unknown[]): Promise<Fault[]> {
  const found = await runText<Fault & { total: bigint }>(tx, `SELECT x.*, count(*) OVER () AS total FROM (${text}) AS x LIMIT ${FAULTS_SHOWN_MAX}`, known);
  const more = Number(found[0]?.total ?? 0n) - found.length;
  const faults = found.map((fault) => ({ check: fault.check, where: fault.where, expected: fault.expected, found: fault.found }));
  return more > 0 ? [...faults, { check: 'more', where: found[0]?.check ?? '', expected: '0', found: String(more) }] : faults;
}

/** Every pooled window that is not closed, computed again over its members' parts. */
async function verifyPools(tx: Tx, settling: Settling): Promise<Fault[]> {
  const faults: Fault[] = [];
  const pooled = new Set(settling.plan.rules.filter((rule) => rule.mechanic.pool).map((rule) => rule.mechanicId));
  if (pooled.size === 0) return faults;
  const windows = await rows<{ mechanic_id: bigint; window_start: string }>(tx, sql`SELECT DISTINCT p.mechanic_id, p.window_start FROM entitlements.partial AS p WHERE p.program_id = ${settling.program.programId}
    AND NOT EXISTS (SELECT 1 FROM entitlements.close AS c WHERE c.program_id = p.program_id AND c.state = 'closed' AND p.window_start BETWEEN c.starts_on AND c.ends_on) ORDER BY 1, 2`);
  for (const window of windows.filter((item) => pooled.has(item.mechanic_id))) {
    await computeWindow(tx, settling, window);
    faults.push(...await list(tx, `SELECT 'pool' AS "check", ${WHERE_ENTITLEMENT('c')}, c.uncapped::text || COALESCE(' (' || c.why || ')', '') AS expected, c.old_uncapped::text AS found
      FROM pg_temp.change AS c JOIN mechanics.mechanic AS k ON k.tenant_id = $1 AND k.program_id = $2 AND k.mechanic_id = c.mechanic_id WHERE NOT (c.gone AND c.old_amount = 0)`, [settling.tenantId, settling.program.programId]));
  }
  return faults;
}

/** Budgets: allocations equal the amounts, never pass the size, and nobody has more than the rule owes. */
async function verifyBudgets(tx: Tx, settling: Settling): Promise<Fault[]> {
  const ids = [...new Set(settling.plan.rules.filter((rule) => rule.mechanic.limits.budget !== undefined).map((rule) => rule.mechanicId))];
  if (ids.length === 0) return [];
  const known = [settling.tenantId, settling.program.programId];
  return list(tx, `SELECT 'budget' AS "check", ${WHERE_ENTITLEMENT('c')}, COALESCE(a.taken, 0)::text AS expected, c.amount::text AS found FROM entitlements.entitlement AS c
    JOIN mechanics.mechanic AS k ON k.tenant_id = $1 AND k.program_id = $2 AND k.mechanic_id = c.mechanic_id
    LEFT JOIN (SELECT member_id, mechanic_id, window_start, subject_id, sum(delta) AS taken FROM entitlements.allocation WHERE tenant_id = $1 AND program_id = $2 GROUP BY 1, 2, 3, 4) AS a ON (a.member_id, a.mechanic_id, a.window_start, a.subject_id) = (c.member_id, c.mechanic_id, c.window_start, c.subject_id)
    WHERE c.tenant_id = $1 AND c.program_id = $2 AND c.mechanic_id = ANY(ARRAY[${ids.join(', ')}]::bigint[]) AND (c.amount <> COALESCE(a.taken, 0) OR c.amount > GREATEST(c.uncapped, 0))`, known);
}

async function verifyTiers(tx: Tx, settling: Settling): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const set of settling.plan.strata.flatMap((stratum) => stratum.tierSets)) {
    const stored = await storedTimelines(tx, settling, set, []);
    const expected = await timelines(tx, settling, set, 'all');
    for (const memberId of new Set([...stored.keys(), ...expected.keys()])) {
      const [want, have] = [JSON.stringify(expected.get(memberId) ?? []), JSON.stringify(stored.get(memberId) ?? [])];
      if (want !== have) faults.push({ check: 'tier', where: `${set.tierSet.key} member ${memberId}`, expected: want, found: have });
    }
  }
  return faults;
}

/** The books alone: every stored sum against its transfers. */
export async function verifyLedger(tx: Tx, program: Program): Promise<Fault[]> {
  const known = [program.programId];
  const account = (name: string, sign: string): string => `sum(CASE WHEN t.credit = '${name}' THEN t.amount ELSE 0 END - CASE WHEN t.debit = '${name}' THEN t.amount ELSE 0 END) * ${sign}`;
  return [
    ...await list(tx, `SELECT 'wallet' AS "check", concat_ws(' ', 'member', COALESCE(w.member_id, t.member_id), u.key) AS "where",
        concat_ws('/', COALESCE(t.balance, 0), COALESCE(t.held, 0), COALESCE(t.debt, 0)) AS expected, concat_ws('/', COALESCE(w.balance, 0), COALESCE(w.held, 0), COALESCE(w.debt, 0)) AS found
      FROM (SELECT * FROM ledger.wallet WHERE program_id = $1) AS w
      FULL JOIN (SELECT t.member_id, t.unit_id, ${account('wallet', '1')} AS balance, ${account('held', '1')} AS held, ${account('debt', '-1')} AS debt FROM ledger.transfer AS t WHERE t.program_id = $1 GROUP BY 1, 2) AS t
        ON t.member_id = w.member_id AND t.unit_id = w.unit_id
      JOIN ledger.unit AS u ON u.program_id = $1 AND u.unit_id = COALESCE(w.unit_id, t.unit_id)
      WHERE (COALESCE(t.balance, 0), COALESCE(t.held, 0), COALESCE(t.debt, 0)) <> (COALESCE(w.balance, 0), COALESCE(w.held, 0), COALESCE(w.debt, 0))`, known),
    ...await list(tx, `SELECT 'lots' AS "check", concat_ws(' ', 'member', COALESCE(w.member_id, l.member_id), u.key) AS "where", COALESCE(w.balance, 0)::text AS expected, COALESCE(l.remaining, 0)::text AS found
      FROM (SELECT * FROM ledger.wallet WHERE program_id = $1) AS w
      FULL JOIN (SELECT member_id, unit_id, sum(remaining) AS remaining FROM ledger.lot WHERE program_id = $1 GROUP BY 1, 2) AS l ON l.member_id = w.member_id AND l.unit_id = w.unit_id
      JOIN ledger.unit AS u ON u.program_id = $1 AND u.unit_id = COALESCE(w.unit_id, l.unit_id) WHERE COALESCE(w.balance, 0) <> COALESCE(l.remaining, 0)`, known),
    ...await list(tx, `SELECT 'granted' AS "check", concat_ws(' ', k.key, 'member ' || COALESCE(e.member_id, t.member_id), COALESCE(e.window_start, t.window_start), COALESCE(e.subject_id, t.subject_id)) AS "where",
        COALESCE(e.amount, 0)::text AS expected, COALESCE(t.granted, 0)::text AS found
      FROM (SELECT * FROM entitlements.entitlement WHERE program_id = $1) AS e
      FULL JOIN (SELECT member_id, mechanic_id, window_start, subject_id, sum(CASE WHEN credit = 'wallet' THEN amount ELSE -amount END) AS granted FROM ledger.transfer
        WHERE program_id = $1 AND mechanic_id IS NOT NULL GROUP BY 1, 2, 3, 4) AS t USING (member_id, mechanic_id, window_start, subject_id)
      JOIN mechanics.mechanic AS k ON k.program_id = $1 AND k.mechanic_id = COALESCE(e.mechanic_id, t.mechanic_id) WHERE COALESCE(e.amount, 0) <> COALESCE(t.granted, 0)`, known),
    ...await list(tx, `SELECT 'hold' AS "check", concat_ws(' ', 'member', w.member_id, w.unit_id) AS "where", COALESCE(h.amount, 0)::text AS expected, w.held::text AS found FROM ledger.wallet AS w
      LEFT JOIN (SELECT member_id, unit_id, sum(amount) AS amount FROM ledger.hold WHERE program_id = $1 AND state = 'held' GROUP BY 1, 2) AS h ON h.member_id = w.member_id AND h.unit_id = w.unit_id
      WHERE w.program_id = $1 AND w.held <> COALESCE(h.amount, 0)`, known),
    ...await list(tx, `SELECT 'debt beside available' AS "check", concat_ws(' ', 'member', w.member_id, w.unit_id) AS "where", '0' AS expected, w.balance::text AS found FROM ledger.wallet AS w WHERE w.program_id = $1 AND w.debt > 0 AND w.balance > 0
        AND EXISTS (SELECT 1 FROM ledger.lot AS l WHERE l.program_id = $1 AND l.member_id = w.member_id AND l.unit_id = w.unit_id AND l.remaining > 0 AND l.expires_on = 'infinity')`, known),
    ...await list(tx, `SELECT 'clearing' AS "check", 'unit ' || t.unit_id AS "where", '0' AS expected, sum(CASE WHEN credit = 'clearing' THEN amount ELSE -amount END)::text AS found FROM ledger.transfer AS t
      WHERE t.program_id = $1 AND 'clearing' IN (t.debit, t.credit) GROUP BY t.unit_id HAVING sum(CASE WHEN credit = 'clearing' THEN amount ELSE -amount END) <> 0`, known),
    ...await list(tx, `SELECT 'recorded line' AS "check", 'line ' || f.line_id AS "where", concat_ws('/', l.net_minor, l.quantity_milli) AS expected, concat_ws('/', sum(f.net_minor), sum(f.quantity_milli)) AS found
      FROM facts.fact AS f JOIN facts.line AS l ON l.program_id = $1 AND l.document_id = f.document_id AND l.line_id = f.line_id WHERE f.program_id = $1 AND f.kind = 'sale'
      GROUP BY f.line_id, f.role, l.net_minor, l.quantity_milli HAVING sum(f.net_minor) NOT IN (l.net_minor, 0) OR sum(f.quantity_milli) NOT IN (l.quantity_milli, 0)`, known),
  ];
}
