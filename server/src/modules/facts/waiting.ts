import { sql } from 'kysely';
import { Refusal, phrase, type Day } from '@premia/kernel';
import { row, rows, runText, type Tx } from '../../platform/database.ts';
import { keyset, likeOf, paged, type Sortable } from '../../platform/keyset.ts';
import type { Program } from '../members/index.ts';
import { LOCK_LINE_PARTIES, CREDIT_GIVEN_UP } from './queries.ts';
import { creditFacts, type Recording } from './record-lines.ts';

export type WaitingDocument = { source: string; number: string; base: string; kind: string; occurred_on: Day; net_minor: bigint; document_id: bigint };

const NET = `(SELECT COALESCE(sum(l.net_minor), 0)::bigint FROM facts.line AS l WHERE l.tenant_id = d.tenant_id AND l.program_id = d.program_id AND l.document_id = d.document_id)`;
const SORTED: Sortable = { id: ['d.document_id', 'number', 'document_id'], number: ['d.number', 'word'], base: ['w.base_number', 'word'], source: ['s.key', 'word'], occurred_on: ['d.occurred_on', 'day'], net: [NET, 'number', 'net_minor'] };

/** Corrections that wait for the document they correct, the longest first or as asked: recorded, moving nothing. `search` looks into both numbers. */
export async function listWaiting(tx: Tx, program: Program, page: { search?: string; sort?: string; after?: string; limit: number }): Promise<{ rows: WaitingDocument[]; next: string | null }> {
  const { beyond, order, cursor } = keyset<WaitingDocument>(SORTED, 'id', page);
  const like = likeOf(page.search);
  const found = await rows<WaitingDocument>(tx, sql`SELECT s.key AS source, d.number, w.base_number AS base, d.kind, d.occurred_on, d.document_id, ${sql.raw(NET)} AS net_minor
    FROM facts.waiting AS w JOIN facts.document AS d ON d.tenant_id = w.tenant_id AND d.program_id = w.program_id AND d.document_id = w.document_id
    JOIN facts.source AS s ON s.tenant_id = w.tenant_id AND s.program_id = w.program_id AND s.source_id = w.source_id
    WHERE w.program_id = ${program.programId} AND (${like}::text IS NULL OR d.number ILIKE ${like} OR w.base_number ILIKE ${like}) AND ${beyond} ORDER BY ${order} LIMIT ${page.limit + 1}`);
  return paged(found, page.limit, cursor);
}

/**
 * Gives up the wait for a base, by a person's decision: the correction counts as free-standing, on its own date, and so does whatever
 * waited for it. Should the base come later, the decision stands.
 */
export async function giveUpWait(tx: Tx, recording: Recording, given: { number: string; reason: string; principal: string }): Promise<void> {
  const { tenantId, program, source, recordedSeq } = recording;
  const document = await row<{ document_id: bigint }>(tx, sql`SELECT w.document_id FROM facts.waiting AS w JOIN facts.document AS d ON d.tenant_id = w.tenant_id AND d.program_id = w.program_id AND d.document_id = w.document_id
    WHERE w.program_id = ${program.programId} AND w.source_id = ${source.sourceId} AND d.number = ${given.number}`);
  if (!document) throw new Refusal('document_not_waiting', 404, phrase(`Dokument „${given.number}” na nic nie czeka.`, `Document “${given.number}” waits for nothing.`));
  await runText(tx, LOCK_LINE_PARTIES, [tenantId, program.programId, document.document_id]);
  const gone = await rows(tx, sql`DELETE FROM facts.waiting WHERE program_id = ${program.programId} AND source_id = ${source.sourceId} AND document_id = ${document.document_id} RETURNING 1`);
  if (gone.length === 0) return; // its base has come while we waited for the lock
  await sql`INSERT INTO facts.wait_given_up (tenant_id, program_id, document_id, reason, decided_by, recorded_seq) VALUES (${tenantId}, ${program.programId}, ${document.document_id}, ${given.reason}, ${given.principal}, ${recordedSeq})`.execute(tx);
  await runText(tx, CREDIT_GIVEN_UP, [tenantId, program.programId, document.document_id]);
  await creditFacts(tx, recording);
}
