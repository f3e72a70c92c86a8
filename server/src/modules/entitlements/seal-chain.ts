import { crashPoint } from '../../platform/crash-point.ts';
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, runText, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import type { Fault } from './verify.ts';

/*
 * Tamper evidence: what is only ever appended is hashed in batches into a chain, off the hot path. Canonical bytes hold no personal data:
 * of a line its content hash, of the audit who did what to what. A rewrite of the whole chain shows only against a head kept elsewhere:
 * the head is printed, audited and can be exported – keep it where the database's administrator cannot reach.
 */
type Part = { part: string; key: string; columns: string; name: string; except?: string };
const PARTS: readonly Part[] = [
  { part: 'ledger.transfer', key: 'transfer_id', columns: 'program_id, member_id, transfer_id, unit_id, debit, credit, amount, kind, booked_on, mechanic_id, window_start, subject_id, reference, reason, reverses, pair_id, run_seq', name: `'transfer ' || transfer_id` },
  { part: 'facts.document', key: 'document_id', columns: 'program_id, document_id, source_id, kind, occurred_on, currency, recorded_seq', name: `'document ' || document_id` },
  { part: 'facts.line', key: 'document_id, line_id', columns: 'program_id, document_id, line_key, line_id, content_hash, product_id, quantity_milli, net_minor, gross_minor, hour, channel, base_line_key, recorded_seq', name: `'line ' || line_id` },
  { part: 'facts.fact', key: 'member_id, line_id, role, crediting, sign', columns: 'program_id, member_id, line_id, role, crediting, sign, kind, earned_on, occurred_on, document_id, base_on, base_document_id, base_line_id, hour, product_id, channel, quantity_milli, net_minor, gross_minor, recorded_seq', name: `concat_ws(' ', 'fact of member', member_id, 'line', line_id, role, crediting, sign)` },
  { part: 'facts.activity', key: 'line_id', columns: 'program_id, line_id, member_id, kind, occurred_on, content_hash, recorded_seq', name: `'activity ' || line_id` },
  { part: 'entitlements.allocation', key: 'allocation_id', columns: 'program_id, allocation_id, budget, member_id, mechanic_id, window_start, subject_id, delta, recorded_seq', name: `'allocation ' || allocation_id` },
  { part: 'identity.audit', key: 'audit_id', columns: 'program_id, audit_id, at, principal, action, subject', name: `'audit entry ' || audit_id`, except: `action <> 'seal.made'` },
];
/** A batch holds about so many rows at most: a larger one is cut at a transaction. */
export const SEAL_ROWS_MAX = 200_000;
const LEAF_BYTES = 4;

/** NULL and text are told apart, and no column's end can be another's beginning. */
const canonical = (columns: string): string => `convert_to(jsonb_build_array(${columns})::text, 'UTF8')`;
const within = ({ part, except }: Part): string => `FROM ${part} WHERE tenant_id = $1 AND xid >= $2::bigint AND xid < $3::bigint${except ? ` AND ${except}` : ''}`;
const hashed = (part: Part): string => `SELECT count(*) AS rows, sha256(COALESCE(string_agg(h, ''::bytea ORDER BY ${part.key}), '')) AS hash, COALESCE(string_agg(substr(h, 1, ${LEAF_BYTES}), ''::bytea ORDER BY ${part.key}), '') AS leaves
  FROM (SELECT ${part.key}, sha256(${canonical(part.columns)}) AS h ${within(part)}) AS sealed`;

type Hashed = { rows: bigint; hash: Buffer; leaves: Buffer };
export type Seal = { seal_no: bigint; from_xid: string; to_xid: string; rows: Record<string, number>; batch: Buffer; head: Buffer; sealed_at: Date };
/** `made`: how many of the seals are of this call. */
export type ChainHead = { seals: number; made: number; head: string };

const GENESIS = Buffer.alloc(32);
const sha256 = (...parts: (Buffer | string)[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const batchOf = (parts: readonly { part: string; hash: Buffer }[]): Buffer => sha256(...parts.flatMap(({ part, hash }) => [`${part}:`, hash]));

const lastSeal = (tx: Tx): Promise<Seal | undefined> => row<Seal>(tx, sql`SELECT seal_no, from_xid::text AS from_xid, to_xid::text AS to_xid, rows, batch, head, sealed_at FROM ledger.seal ORDER BY seal_no DESC LIMIT 1`);

/**
 * Seals what every transaction that has ended has written since the last seal, in as many batches as it takes. It stops below the oldest
 * transaction still running: what that one writes belongs to a later seal. Answers the head.
 */
export async function sealTail(context: Context): Promise<ChainHead> {
  for (let made = 0; ; made += 1) {
    const done = await context.transaction(async (tx) => {
      await sql`SELECT pg_advisory_xact_lock(hashtextextended('seal', ${context.tenantId}))`.execute(tx);
      const last = await lastSeal(tx);
      const from = last?.to_xid ?? '0';
      const [now] = await rows<{ xmin: string }>(tx, sql`SELECT platform.oldest_xid()::text AS xmin`);
      const to = await cut(tx, context, from, now?.xmin ?? from);
      const parts = await hashParts(tx, context, from, to);
      const total = parts.reduce((sum, part) => sum + part.rows, 0n);
      if (total === 0n) return { again: false, sealed: false, seals: Number(last?.seal_no ?? 0n), head: last?.head ?? GENESIS };
      const [number, batch] = [(last?.seal_no ?? 0n) + 1n, batchOf(parts)];
      const head = sha256(last?.head ?? GENESIS, batch);
      await sql`INSERT INTO ledger.seal (tenant_id, seal_no, from_xid, to_xid, rows, batch, head, sealed_at) VALUES (${context.tenantId}, ${number}, ${from}::bigint, ${to}::bigint, ${JSON.stringify(Object.fromEntries(parts.map((part) => [part.part, Number(part.rows)])))}::jsonb, ${batch}, ${head}, ${instant(context)})`.execute(tx);
      for (const part of parts) await sql`INSERT INTO ledger.seal_part (tenant_id, seal_no, part, rows, hash, leaves) VALUES (${context.tenantId}, ${number}, ${part.part}, ${part.rows}, ${part.hash}, ${part.leaves})`.execute(tx);
      crashPoint('seal-before-commit');
      await audit(tx, context, { action: 'seal.made', subject: `seal:${number}`, after: { head: head.toString('hex'), rows: Number(total) } });
      return { again: to !== now?.xmin, sealed: true, seals: Number(number), head };
    });
    if (!done.again) return { seals: done.seals, made: made + (done.sealed ? 1 : 0), head: done.head.toString('hex') };
  }
}

/** The end of the next batch: halfway back as often as the batch would be too large, never inside a transaction. */
async function cut(tx: Tx, context: Context, from: string, limit: string): Promise<string> {
  const rowsUntil = async (to: string): Promise<bigint> => {
    const [found] = await runText<{ n: bigint }>(tx, PARTS.map((part) => `SELECT count(*) AS n ${within(part)}`).join(' UNION ALL ').replace(/^/, 'SELECT sum(n)::bigint AS n FROM (').concat(') AS counts'), [context.tenantId, from, to]);
    return found?.n ?? 0n;
  };
  let to = BigInt(limit);
  const first = await runText<{ xid: string }>(tx, `SELECT min(x)::text AS xid FROM (${PARTS.map((part) => `SELECT min(xid) AS x ${within(part)}`).join(' UNION ALL ')}) AS firsts`, [context.tenantId, from, limit]);
  const low = BigInt(first[0]?.xid ?? limit);
  while (to > low + 1n && (await rowsUntil(String(to))) > BigInt(SEAL_ROWS_MAX)) to = low + (to - low) / 2n;
  return String(to);
}

async function hashParts(tx: Tx, context: Context, from: string, to: string): Promise<(Hashed & { part: string })[]> {
  const found: (Hashed & { part: string })[] = [];
  for (const part of PARTS) {
    const [one] = await runText<Hashed>(tx, hashed(part), [context.tenantId, from, to]);
    if (one) found.push({ ...one, part: part.part });
  }
  return found;
}

/**
 * Computes every batch again and follows the chain. A row that was changed is named; one that is gone or new is named by its neighbour.
 * Rows of the last `fresh` seals are not read again: they were hashed by the same call, a moment ago.
 */
export async function verifySeals(tx: Tx, context: Context, fresh = 0): Promise<Fault[]> {
  const faults: Fault[] = [];
  let [before, end]: [Buffer, string] = [GENESIS, '0'];
  const seals = await rows<Seal>(tx, sql`SELECT seal_no, from_xid::text AS from_xid, to_xid::text AS to_xid, rows, batch, head, sealed_at FROM ledger.seal ORDER BY seal_no`);
  for (const [index, seal] of seals.entries()) {
    const where = `seal ${seal.seal_no}`;
    if (seal.seal_no !== BigInt(index + 1) || seal.from_xid !== end) faults.push({ check: 'seal order', where, expected: `${index + 1} from ${end}`, found: `${seal.seal_no} from ${seal.from_xid}` });
    const kept = await rows<Hashed & { part: string }>(tx, sql`SELECT part, rows, hash, leaves FROM ledger.seal_part WHERE seal_no = ${seal.seal_no}`);
    const ordered = PARTS.flatMap((part) => kept.find((item) => item.part === part.part) ?? []);
    const head = sha256(before, batchOf(ordered));
    if (!batchOf(ordered).equals(seal.batch) || !head.equals(seal.head)) faults.push({ check: 'seal', where, expected: head.toString('hex'), found: seal.head.toString('hex') });
    for (const now of index < seals.length - fresh ? await hashParts(tx, context, seal.from_xid, seal.to_xid) : []) {
      const then = kept.find((item) => item.part === now.part);
      if (!then || !then.hash.equals(now.hash)) faults.push(...await nameRows(tx, context, seal, now, then));
    }
    [before, end] = [seal.head, seal.to_xid];
  }
  return faults;
}

const NAMED_MAX = 20;

async function nameRows(tx: Tx, context: Context, seal: Seal, now: Hashed & { part: string }, then: Hashed | undefined): Promise<Fault[]> {
  const part = PARTS.find((item) => item.part === now.part) as Part;
  const names = (await runText<{ name: string }>(tx, `SELECT ${part.name} AS name ${within(part)} ORDER BY ${part.key}`, [context.tenantId, seal.from_xid, seal.to_xid])).map((item) => item.name);
  const leaf = (leaves: Buffer | undefined, index: number): string => leaves?.subarray(index * LEAF_BYTES, (index + 1) * LEAF_BYTES).toString('hex') ?? '';
  const where = `${now.part} in seal ${seal.seal_no}`;
  if (then && then.rows === now.rows) {
    const changed = names.flatMap((name, index) => (leaf(then.leaves, index) === leaf(now.leaves, index) ? [] : [{ check: 'sealed row changed', where: `${name} (${where})`, expected: leaf(then.leaves, index), found: leaf(now.leaves, index) }]));
    if (changed.length > 0) return changed.slice(0, NAMED_MAX);
  }
  const at = names.findIndex((_, index) => leaf(then?.leaves, index) !== leaf(now.leaves, index));
  return [{ check: Number(then?.rows ?? 0n) > names.length ? 'sealed row gone' : 'row added under a seal', where: `near ${names[at === -1 ? names.length - 1 : at] ?? 'its beginning'} (${where})`, expected: String(then?.rows ?? 0n), found: String(now.rows) }];
}

/** The chain's seals, newest first: what an auditor keeps elsewhere. */
export async function listSeals(tx: Tx, page: { before?: bigint; limit: number }): Promise<{ seal: bigint; to: bigint; head: string; rows: Record<string, number>; sealed_at: string }[]> {
  const found = await rows<Seal>(tx, sql`SELECT seal_no, from_xid::text AS from_xid, to_xid::text AS to_xid, rows, batch, head, sealed_at FROM ledger.seal WHERE (${page.before ?? null}::bigint IS NULL OR seal_no < ${page.before ?? null}) ORDER BY seal_no DESC LIMIT ${page.limit}`);
  return found.map((seal) => ({ seal: seal.seal_no, to: BigInt(seal.to_xid), head: seal.head.toString('hex'), rows: seal.rows, sealed_at: seal.sealed_at.toISOString() }));
}
