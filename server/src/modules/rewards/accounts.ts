import { sql } from 'kysely';
import { daysBetween, type Day } from '@premia/kernel';
import type { Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import type { Program } from '../members/index.ts';
import { compactAccount, isAccount } from './account-number.ts';
import { ownItems } from './items.ts';
import { refuse } from './refusals.ts';

export type Account = { last4: string; mark: Buffer; savedOn: Day; savedBy: string };
type Sealed = Account & { iban: Buffer; holder: Buffer };
const sealedOf = (tx: Tx, program: Program, memberId: bigint): Promise<Sealed | undefined> => row<Sealed>(tx, sql`SELECT iban, holder, last4, mark, saved_on AS "savedOn", saved_by AS "savedBy" FROM rewards.account WHERE program_id = ${program.programId} AND member_id = ${memberId} ORDER BY account_id DESC LIMIT 1`);

/** A member's present account, by its last four digits. */
export const accountOf = async (tx: Tx, program: Program, memberId: bigint): Promise<Account | null> => (await sealedOf(tx, program, memberId)) ?? null;
export async function openAccount(tx: Tx, context: Context, program: Program, memberId: bigint): Promise<{ iban: string; holder: string; mark: Buffer }> {
  const found = await sealedOf(tx, program, memberId);
  if (!found) throw refuse('account_missing');
  return { iban: context.db.vault.open(context.tenantId, found.iban).toString(), holder: context.db.vault.open(context.tenantId, found.holder).toString(), mark: found.mark };
}
export const isNew = (account: Account, on: Day, days: number): boolean => daysBetween(account.savedOn, on) < days;

/**
 * Saves where money goes. Payouts approved for another account, and not handed over yet, go back to be approved: whoever approved them
 * saw the other one. Answers which items those are.
 */
export async function saveAccount(tx: Tx, context: Context, program: Program, given: { memberId: bigint; iban: string; holder: string; on: Day }): Promise<bigint[]> {
  if (!isAccount(given.iban)) throw refuse('account_malformed');
  const compact = compactAccount(given.iban);
  const { vault } = context.db;
  const mark = vault.mark(context.tenantId, 'account', compact);
  const before = await accountOf(tx, program, given.memberId);
  await sql`INSERT INTO rewards.account (tenant_id, program_id, member_id, iban, mark, last4, holder, saved_on, saved_by)
    VALUES (${context.tenantId}, ${program.programId}, ${given.memberId}, ${vault.seal(context.tenantId, compact)}, ${mark}, ${compact.slice(-4)}, ${vault.seal(context.tenantId, given.holder)}, ${given.on}, ${context.principal})`.execute(tx);
  await audit(tx, context, { action: 'account.saved', subject: `member:${given.memberId}`, programId: program.programId, before: before && { last4: before.last4 }, after: { last4: compact.slice(-4) } });
  return (await rows<{ item_id: bigint }>(tx, sql`SELECT item_id FROM rewards.item AS i WHERE program_id = ${program.programId} AND ${ownItems(given.memberId)} AND kind = 'transfer' AND state IN ('awaiting_payment', 'approved', 'batched') AND account_mark IS DISTINCT FROM ${mark} ORDER BY item_id`)).map((item) => item.item_id);
}
