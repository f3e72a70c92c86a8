import { sql } from 'kysely';
import type { Day } from '@premia/kernel';
import type { Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { keyset, likeOf, paged, type Sortable } from '../../platform/keyset.ts';
import { audit } from '../identity/index.ts';
import type { Program } from '../members/index.ts';
import { refuse } from './refusals.ts';

export type Card = { card_id: bigint; member: string; name: string | null; last4: string; state: string; issued_on: Day };

/** Whether a text is a number as printed on payment cards: 13 to 19 digits that pass Luhn (ISO/IEC 7812-1). Such a number is never kept here. */
export function isPan(text: string): boolean {
  const digits = text.replace(/[\s-]/g, '');
  if (!/^\d{13,19}$/.test(digits)) return false;
  return [...digits].reverse().reduce((sum, digit, index) => sum + (index % 2 === 0 ? Number(digit) : [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][Number(digit)] as number), 0) % 10 === 0;
}

/** Gives a person a card by the number its provider knows it under. One live card a person, one person a card. */
export async function issueCard(tx: Tx, context: Context, program: Program, given: { memberId: bigint; proxy: string; last4: string; on: Day }): Promise<bigint> {
  if (isPan(given.proxy)) throw refuse('card_malformed');
  const { vault } = context.db;
  const made = await row<{ card_id: bigint }>(tx, sql`INSERT INTO rewards.card (tenant_id, program_id, member_id, proxy, proxy_mark, last4, state, issued_on)
    VALUES (${context.tenantId}, ${program.programId}, ${given.memberId}, ${vault.seal(context.tenantId, given.proxy)}, ${vault.mark(context.tenantId, 'card', given.proxy)}, ${given.last4}, 'active', ${given.on}) ON CONFLICT DO NOTHING RETURNING card_id`);
  if (!made) throw refuse('card_known');
  await audit(tx, context, { action: 'card.issued', subject: `member:${given.memberId}`, programId: program.programId, after: { card: made.card_id, last4: given.last4 } });
  return made.card_id;
}

export async function setCardState(tx: Tx, context: Context, program: Program, cardId: bigint, state: string): Promise<void> {
  const changed = await rows<{ card_id: bigint }>(tx, sql`UPDATE rewards.card SET state = ${state} WHERE program_id = ${program.programId} AND card_id = ${cardId} AND state <> 'closed' RETURNING card_id`);
  if (changed.length === 0) throw refuse('card_not_found');
  await audit(tx, context, { action: 'card.state', subject: `card:${cardId}`, programId: program.programId, after: { state } });
}

const SORTED: Sortable = { id: ['c.card_id', 'number', 'card_id'], name: ['p.name', 'text'], member: ['m.code', 'word'], last4: ['c.last4', 'word'], state: ['c.state', 'word'], issued_on: ['c.issued_on', 'day'] };

/** Cards in the order in which they were issued, or another. `search` looks for who holds one, and for its last digits. */
export async function listCards(tx: Tx, program: Program, page: { state?: string; search?: string; sort?: string; after?: string; limit: number }): Promise<{ rows: Card[]; next: string | null }> {
  const { beyond, order, cursor } = keyset<Card>(SORTED, 'id', page);
  const like = likeOf(page.search);
  const found = await rows<Card>(tx, sql`SELECT c.card_id, m.code AS member, p.name, c.last4, c.state, c.issued_on FROM rewards.card AS c JOIN members.member AS m ON m.tenant_id = c.tenant_id AND m.program_id = c.program_id AND m.member_id = c.member_id
    LEFT JOIN members.person AS p ON p.tenant_id = c.tenant_id AND p.program_id = c.program_id AND p.member_id = c.member_id WHERE c.program_id = ${program.programId} AND (${page.state ?? null}::text IS NULL OR c.state = ${page.state ?? null})
      AND (${like}::text IS NULL OR m.code ILIKE ${like} OR p.name ILIKE ${like} OR c.last4 ILIKE ${like}) AND ${beyond} ORDER BY ${order} LIMIT ${page.limit + 1}`);
  return paged(found, page.limit, cursor);
}

/** A member's live card: its last four digits for people, its provider's number for the order. */
export async function cardOf(tx: Tx, program: Program, memberId: bigint): Promise<{ last4: string; state: string; proxy: Buffer } | null> {
  return (await row<{ last4: string; state: string; proxy: Buffer }>(tx, sql`SELECT last4, state, proxy FROM rewards.card WHERE program_id = ${program.programId} AND member_id = ${memberId} AND state IN ('issued', 'active') ORDER BY card_id DESC LIMIT 1`)) ?? null;
}
