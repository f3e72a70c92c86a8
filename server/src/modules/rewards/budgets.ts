import { sql, type RawBuilder } from 'kysely';
import { must, type Day } from '@premia/kernel';
import type { Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { publishEvent } from '../../platform/outbox.ts';
import { audit } from '../identity/index.ts';
import type { Program } from '../members/index.ts';
import { refuse } from './refusals.ts';

/** `committed`: ordered and not yet given; `spent`: given and not returned; both at what the rewards cost, with the tax the payer adds. */
export type Budget = { budgetId: bigint; key: string; name: string; program: string | null; policy: 'warn' | 'block'; warnPercent: number; deposited: bigint; committed: bigint; spent: bigint };

const costOf = (states: RawBuilder<unknown>): RawBuilder<unknown> => sql`COALESCE((SELECT sum(i.cost_minor + COALESCE(t.extra_minor, 0)) FROM rewards.item AS i LEFT JOIN rewards.item_tax AS t ON t.tenant_id = i.tenant_id AND t.program_id = i.program_id AND t.item_id = i.item_id
  WHERE i.tenant_id = b.tenant_id AND (b.program_id IS NULL OR i.program_id = b.program_id) AND i.state IN (${states})), 0)::bigint`;
const columns = sql`b.budget_id AS "budgetId", b.key, b.name, p.key AS program, b.policy, b.warn_percent AS "warnPercent", COALESCE((SELECT sum(d.amount_minor) FROM rewards.deposit AS d WHERE d.tenant_id = b.tenant_id AND d.budget_id = b.budget_id), 0)::bigint AS deposited,
  ${costOf(sql`'requested', 'awaiting_payment', 'approved', 'batched', 'exported', 'sent'`)} AS committed, ${costOf(sql`'issued', 'shipped', 'delivered'`)} AS spent`;

/** Budgets that pay for a program: its own, and the sponsor's over all programs. */
export const listBudgets = (tx: Tx, program: Program): Promise<Budget[]> => rows<Budget>(tx, sql`SELECT ${columns} FROM rewards.budget AS b LEFT JOIN members.program AS p ON p.tenant_id = b.tenant_id AND p.program_id = b.program_id WHERE b.program_id = ${program.programId} OR b.program_id IS NULL ORDER BY b.budget_id`);

export async function saveBudget(tx: Tx, context: Context, program: Program, given: { key: string; name: string; sponsor: boolean; policy: string; warnPercent: number }): Promise<void> {
  await sql`INSERT INTO rewards.budget (tenant_id, key, name, program_id, policy, warn_percent) VALUES (${context.tenantId}, ${given.key}, ${given.name}, ${given.sponsor ? null : program.programId}, ${given.policy}, ${given.warnPercent})
    ON CONFLICT (tenant_id, key) DO UPDATE SET name = excluded.name, policy = excluded.policy, warn_percent = excluded.warn_percent`.execute(tx);
  await audit(tx, context, { action: 'budget.saved', subject: `budget:${given.key}`, programId: program.programId, after: given });
}

export async function deposit(tx: Tx, context: Context, program: Program, given: { budget: string; amount: bigint; note: string; on: Day }): Promise<bigint> {
  const made = await row<{ deposit_id: bigint }>(tx, sql`INSERT INTO rewards.deposit (tenant_id, budget_id, amount_minor, note, booked_on, booked_by) SELECT tenant_id, budget_id, ${given.amount}, ${given.note}, ${given.on}, ${context.principal} FROM rewards.budget WHERE key = ${given.budget} AND (program_id = ${program.programId} OR program_id IS NULL) RETURNING deposit_id`);
  if (!made) throw refuse('budget_not_found');
  await audit(tx, context, { action: 'budget.deposit', subject: `budget:${given.budget}`, programId: program.programId, after: { amount: given.amount, note: given.note } });
  return must(made, 'deposit').deposit_id;
}

/**
 * After an order's items are written: a budget that blocks must still cover them, one that warns says so once a line is passed. Orders
 * that a blocking budget pays for come one after another, so that two never share its last złoty.
 */
export async function checkBudgets(tx: Tx, context: Context, program: Program, ordered: bigint): Promise<void> {
  if (ordered === 0n) return;
  await sql`UPDATE rewards.budget SET taken = taken + 1 WHERE budget_id IN (SELECT budget_id FROM rewards.budget WHERE policy = 'block' AND (program_id = ${program.programId} OR program_id IS NULL) ORDER BY budget_id FOR UPDATE)`.execute(tx);
  for (const budget of await listBudgets(tx, program)) {
    const used = budget.committed + budget.spent;
    if (budget.policy === 'block' && used > budget.deposited) throw refuse('budget_used_up');
    const line = (budget.deposited * BigInt(budget.warnPercent)) / 100n;
    if (used > line && used - ordered <= line) await publishEvent(tx, context, { type: 'budget.low', programId: program.programId, payload: { program: program.key, budget: budget.key, used, deposited: budget.deposited } });
  }
}
