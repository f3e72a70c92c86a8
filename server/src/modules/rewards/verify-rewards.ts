import { createHash } from 'node:crypto';
import { sql, type RawBuilder } from 'kysely';
import type { Context } from '../../platform/context.ts';
import { rows, type Tx } from '../../platform/database.ts';
import type { Program } from '../members/index.ts';

type Fault = { check: string; where: string; expected: string; found: string };
const SHOWN_MAX = 100;

/**
 * Orders against the ledger, codes, batches and tax: an item's units are where its state says, nobody's code is given twice, a batch is the
 * sum of its lines and its file is the one that was made, and what was given is income exactly once.
 */
export async function verifyRewards(tx: Tx, context: Context, program: Program): Promise<Fault[]> {
  const list = (statement: RawBuilder<unknown>): Promise<Fault[]> => rows<Fault>(tx, sql`SELECT x.* FROM (${statement}) AS x LIMIT ${SHOWN_MAX}`);
  const id = program.programId;
  return [
    ...await list(sql`SELECT 'order units' AS "check", 'item ' || i.item_id AS "where", w.units AS expected, COALESCE(h.state, 'none') || ' ' || COALESCE(h.amount, 0) || '/' || i.units AS found FROM rewards.item AS i
      CROSS JOIN LATERAL (SELECT CASE WHEN i.state IN ('requested', 'awaiting_payment', 'approved', 'batched', 'exported', 'sent') THEN 'held' WHEN i.state IN ('issued', 'shipped', 'delivered') THEN 'captured' WHEN i.state = 'returned' THEN 'refunded' ELSE 'released' END AS units) AS w
      LEFT JOIN ledger.hold AS h ON h.tenant_id = i.tenant_id AND h.program_id = i.program_id AND h.reference = 'item:' || i.item_id AND h.state <> 'moved' WHERE i.program_id = ${id} AND (h.state IS DISTINCT FROM w.units OR h.amount IS DISTINCT FROM i.units)`),
    ...await list(sql`SELECT 'order' AS "check", 'hold ' || h.hold_id AS "where", 'an item' AS expected, 'none' AS found FROM ledger.hold AS h WHERE h.program_id = ${id} AND h.reference ~ '^item:[0-9]+$' AND NOT EXISTS (SELECT 1 FROM rewards.item AS i WHERE i.tenant_id = h.tenant_id AND i.program_id = h.program_id AND 'item:' || i.item_id = h.reference)`),
    ...await list(sql`SELECT 'code' AS "check", 'item ' || i.item_id AS "where", CASE WHEN i.state = 'issued' THEN 'issued' ELSE 'reserved' END AS expected, COALESCE(v.state, 'none') AS found FROM rewards.item AS i LEFT JOIN rewards.voucher AS v ON v.tenant_id = i.tenant_id AND v.program_id = i.program_id AND v.item_id = i.item_id AND v.state IN ('reserved', 'issued')
      WHERE i.program_id = ${id} AND i.kind IN ('voucher', 'code') AND CASE WHEN i.state = 'issued' THEN v.state IS DISTINCT FROM 'issued' WHEN i.state IN ('requested', 'awaiting_payment', 'approved') THEN v.state IS DISTINCT FROM 'reserved' ELSE v.state IS NOT NULL END`),
    ...await list(sql`SELECT 'batch sum' AS "check", 'batch ' || b.batch_id AS "where", b.items || '/' || b.total_minor AS expected, s.n || '/' || s.total AS found FROM rewards.batch AS b CROSS JOIN LATERAL (SELECT count(*) AS n, COALESCE(sum(l.amount_minor), 0) AS total FROM rewards.batch_item AS l WHERE l.tenant_id = b.tenant_id AND l.program_id = b.program_id AND l.batch_id = b.batch_id) AS s
      WHERE b.program_id = ${id} AND (s.n <> b.items OR s.total <> b.total_minor)`),
    ...await list(sql`SELECT 'payout' AS "check", 'item ' || l.item_id AS "where", i.state AS expected, COALESCE(l.outcome, 'open') AS found FROM rewards.batch_item AS l JOIN rewards.item AS i ON i.tenant_id = l.tenant_id AND i.program_id = l.program_id AND i.item_id = l.item_id
      WHERE l.program_id = ${id} AND ((l.outcome = 'loaded' AND i.state NOT IN ('delivered', 'returned')) OR (l.outcome = 'rejected' AND i.state <> 'failed'))`),
    ...await list(sql`SELECT 'payout amount' AS "check", 'item ' || l.item_id AS "where", t.pay_minor::text AS expected, l.amount_minor::text AS found FROM rewards.batch_item AS l LEFT JOIN rewards.item_tax AS t ON t.tenant_id = l.tenant_id AND t.program_id = l.program_id AND t.item_id = l.item_id WHERE l.program_id = ${id} AND l.amount_minor IS DISTINCT FROM t.pay_minor`),
    ...await list(sql`SELECT 'income' AS "check", 'item ' || i.item_id AS "where", CASE WHEN i.state = 'returned' THEN 0 ELSE t.income_minor END::text AS expected, COALESCE(e.income, 0)::text AS found FROM rewards.item AS i JOIN rewards.item_tax AS t ON t.tenant_id = i.tenant_id AND t.program_id = i.program_id AND t.item_id = i.item_id
      LEFT JOIN LATERAL (SELECT sum(e.income_minor) AS income FROM rewards.tax_entry AS e WHERE e.tenant_id = i.tenant_id AND e.program_id = i.program_id AND e.item_id = i.item_id) AS e ON TRUE
      WHERE i.program_id = ${id} AND COALESCE(e.income, 0) <> CASE WHEN i.state IN ('issued', 'shipped', 'delivered') THEN t.income_minor ELSE 0 END`),
    ...await list(sql`SELECT 'stock' AS "check", 'reward ' || r.key AS "where", '>= 0' AS expected, r.stock::text AS found FROM rewards.reward AS r WHERE r.program_id = ${id} AND r.stock < 0`),
    ...await files(tx, context, program),
  ];
}

async function files(tx: Tx, context: Context, program: Program): Promise<Fault[]> {
  const kept = await rows<{ batch_id: bigint; file: Buffer; sha256: string }>(tx, sql`SELECT batch_id, file, sha256 FROM rewards.batch WHERE program_id = ${program.programId} AND file IS NOT NULL ORDER BY batch_id`);
  return kept.flatMap(({ batch_id: id, file, sha256 }): Fault[] => {
    const found = hashOf(context, file);
    return found === sha256 ? [] : [{ check: 'batch file', where: `batch ${id}`, expected: sha256, found }];
  });
}

function hashOf(context: Context, file: Buffer): string {
  try { return createHash('sha256').update(context.db.vault.open(context.tenantId, file)).digest('hex'); } catch { return 'does not open'; }
}
