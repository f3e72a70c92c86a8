import { sql } from 'kysely';
import { Refusal, must, phrase } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { keyset, likeOf, paged, type Sortable } from '../../platform/keyset.ts';
import { publishEvent } from '../../platform/outbox.ts';
import { audit } from '../identity/index.ts';
import type { Program } from './program.ts';

export type Inquiry = { inquiry_id: bigint; member_id: bigint; member: string; name: string | null; subject: string; document: string | null; mechanic: string | null; state: string; opened_at: Date; changed_at: Date };
export type Message = { inquiry_id: bigint; from_member: boolean; author: string; body: string; at: Date };
/** Questions one member may have open at once. */
export const OPEN_INQUIRIES_MAX = 20;

const notFound = (): Refusal => new Refusal('inquiry_not_found', 404, phrase('Nie ma takiego zgłoszenia.', 'There is no such inquiry.'));
const columns = sql`i.inquiry_id, i.member_id, m.code AS member, p.name, i.subject, i.document, i.mechanic, i.state, i.opened_at, i.changed_at`;
const from = sql`members.inquiry AS i JOIN members.member AS m ON m.tenant_id = i.tenant_id AND m.program_id = i.program_id AND m.member_id = i.member_id LEFT JOIN members.person AS p ON p.tenant_id = i.tenant_id AND p.program_id = i.program_id AND p.member_id = i.member_id`;

const SORTED: Sortable = { opened_at: ['i.inquiry_id', 'number', 'inquiry_id'], subject: ['i.subject', 'word'], name: ['p.name', 'text'], document: ['i.document', 'text'], state: ['i.state', 'word'] };

/** Questions in the order in which they were asked, or another. `search` looks into their subjects, documents and who asks. */
export async function listInquiries(tx: Tx, program: Program, page: { state?: string; memberId?: bigint; search?: string; sort?: string; after?: string; limit: number }): Promise<{ rows: Inquiry[]; next: string | null }> {
  const { beyond, order, cursor } = keyset<Inquiry>(SORTED, 'opened_at', page);
  const like = likeOf(page.search);
  const found = await rows<Inquiry>(tx, sql`SELECT ${columns} FROM ${from} WHERE i.program_id = ${program.programId} AND ${beyond} AND (${like}::text IS NULL OR i.subject ILIKE ${like} OR i.document ILIKE ${like} OR m.code ILIKE ${like} OR p.name ILIKE ${like})
  AND (${page.state ?? null}::text IS NULL OR i.state = ${page.state ?? null}) AND (${page.memberId ?? null}::bigint IS NULL OR i.member_id = ${page.memberId ?? null}) ORDER BY ${order} LIMIT ${page.limit + 1}`);
  return paged(found, page.limit, cursor);
}

export async function readInquiry(tx: Tx, program: Program, inquiryId: bigint): Promise<Inquiry> {
  const found = await row<Inquiry>(tx, sql`SELECT ${columns} FROM ${from} WHERE i.program_id = ${program.programId} AND i.inquiry_id = ${inquiryId}`);
  if (!found) throw notFound();
  return found;
}

export const messagesOf = (tx: Tx, program: Program, inquiryIds: readonly bigint[]): Promise<Message[]> => rows<Message>(tx, sql`SELECT inquiry_id, from_member, author, body, at FROM members.inquiry_message WHERE program_id = ${program.programId} AND inquiry_id = ANY(${inquiryIds.map(String)}::bigint[]) ORDER BY message_id`);

/** A member asks. */
export async function openInquiry(tx: Tx, context: Context, program: Program, asked: { memberId: bigint; subject: string; body: string; document?: string | undefined; mechanic?: string | undefined }): Promise<bigint> {
  const open = must(await row<{ n: number }>(tx, sql`SELECT count(*)::int AS n FROM members.inquiry WHERE program_id = ${program.programId} AND member_id = ${asked.memberId} AND state <> 'closed'`), 'count');
  if (open.n >= OPEN_INQUIRIES_MAX) throw new Refusal('too_many_inquiries', 409, phrase('Masz już dużo otwartych zgłoszeń. Dopisz do jednego z nich.', 'You have many open inquiries already. Add to one of them.'));
  const made = must(await row<{ inquiry_id: bigint }>(tx, sql`INSERT INTO members.inquiry (tenant_id, program_id, member_id, subject, document, mechanic, state, opened_at, changed_at)
    VALUES (${context.tenantId}, ${program.programId}, ${asked.memberId}, ${asked.subject}, ${asked.document ?? null}, ${asked.mechanic ?? null}, 'open', ${instant(context)}, ${instant(context)}) RETURNING inquiry_id`), 'inquiry');
  await addMessage(tx, context, program, made.inquiry_id, { fromMember: true, body: asked.body });
  return made.inquiry_id;
}

async function addMessage(tx: Tx, context: Context, program: Program, inquiryId: bigint, said: { fromMember: boolean; body: string }): Promise<void> {
  await sql`INSERT INTO members.inquiry_message (tenant_id, program_id, inquiry_id, from_member, author, body, at) VALUES (${context.tenantId}, ${program.programId}, ${inquiryId}, ${said.fromMember}, ${context.principal}, ${said.body}, ${instant(context)})`.execute(tx);
}

/** Says more: an operator's answer answers it, a member's word opens it again. A closed one is ended. */
export async function sayMore(tx: Tx, context: Context, program: Program, inquiryId: bigint, said: { fromMember: boolean; body: string; close?: boolean; memberId?: bigint }): Promise<string> {
  const found = await row<{ state: string; member_id: bigint }>(tx, sql`SELECT state, member_id FROM members.inquiry WHERE program_id = ${program.programId} AND inquiry_id = ${inquiryId} FOR UPDATE`);
  if (!found || (said.memberId !== undefined && found.member_id !== said.memberId)) throw notFound();
  if (found.state === 'closed') throw new Refusal('inquiry_closed', 409, phrase('To zgłoszenie jest zamknięte. Otwórz nowe.', 'This inquiry is closed. Open a new one.'));
  await addMessage(tx, context, program, inquiryId, said);
  const state = said.fromMember ? 'open' : said.close ? 'closed' : 'answered';
  await sql`UPDATE members.inquiry SET state = ${state}, changed_at = ${instant(context)} WHERE program_id = ${program.programId} AND inquiry_id = ${inquiryId}`.execute(tx);
  if (!said.fromMember) {
    await audit(tx, context, { action: 'inquiry.answered', subject: `inquiry:${inquiryId}`, programId: program.programId, before: { state: found.state }, after: { state } });
    await publishEvent(tx, context, { type: 'inquiry.answered', programId: program.programId, payload: { program: program.key, inquiry: inquiryId } });
  }
  return state;
}

export type Note = { note_id: bigint; author: string; body: string; at: Date };
export const listNotes = (tx: Tx, program: Program, memberId: bigint): Promise<Note[]> => rows<Note>(tx, sql`SELECT note_id, author, body, at FROM members.note WHERE program_id = ${program.programId} AND member_id = ${memberId} ORDER BY note_id DESC LIMIT 200`);
export async function addNote(tx: Tx, context: Context, program: Program, memberId: bigint, body: string): Promise<bigint> {
  return must(await row<{ note_id: bigint }>(tx, sql`INSERT INTO members.note (tenant_id, program_id, member_id, author, body, at) VALUES (${context.tenantId}, ${program.programId}, ${memberId}, ${context.principal}, ${body}, ${instant(context)}) RETURNING note_id`), 'note').note_id;
}
