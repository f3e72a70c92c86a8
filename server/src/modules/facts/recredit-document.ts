import { sql } from 'kysely';
import { Refusal, must, phrase } from '@premia/kernel';
import { row, runText, type Tx } from '../../platform/database.ts';
import { lockMembers } from '../../platform/member-lock.ts';
import type { CreditedRole, Program } from '../members/index.ts';
import * as q from './queries.ts';
import type { Source } from './source-settings.ts';

export type Recrediting = { tenantId: bigint; program: Program; source: Source; number: string; role: CreditedRole; memberId: bigint; recordedSeq: bigint };

/**
 * Credits a document, with its corrections, to another member in one role: minus facts for whoever had it, plus facts for the new one.
 * Nothing is rewritten; corrections that come later follow the decision. Touches the days that move. Locks everybody concerned first.
 */
export async function recreditDocument(tx: Tx, given: Recrediting): Promise<void> {
  const { tenantId, program, source, role } = given;
  if (!program.settings.rewards.includes(role)) throw new Refusal('role_not_rewarded', 422, phrase('Program nie nagradza tej roli.', 'The program does not reward this role.'));
  const document = await row<{ document_id: bigint; base_number: string | null }>(tx, sql`SELECT document_id, base_number FROM facts.document WHERE program_id = ${program.programId} AND source_id = ${source.sourceId} AND number = ${given.number}`);
  if (!document) throw new Refusal('document_not_found', 404, phrase(`Nie ma dokumentu „${given.number}”.`, `There is no document “${given.number}”.`));
  if (document.base_number !== null) throw new Refusal('document_is_correction', 422, phrase('Korekta idzie za swoim dokumentem: przypisz dokument pierwotny.', 'A correction follows its document: credit the original.'));
  const where = [tenantId, program.programId, document.document_id, role];
  const before = must((await runText<{ next: number; members: bigint[] | null }>(tx, q.CREDITED_NOW, where))[0], 'crediting');
  await lockMembers(tx, tenantId, [...(before.members ?? []), given.memberId]);
  const { next } = must((await runText<{ next: number }>(tx, q.CREDITED_NOW, where))[0], 'crediting'); // again, now that nobody else can
  const numbered = [...where, next, given.recordedSeq];
  await runText(tx, q.MINUS_FACTS, numbered);
  await runText(tx, q.PLUS_FACTS, [...numbered, given.memberId]);
  await runText(tx, q.PLUS_UNCREDITED, [...numbered, given.memberId, program.settings.corrections === 'correction_period']);
  await sql`INSERT INTO facts.recredit (tenant_id, program_id, document_id, role, member_id, recorded_seq) VALUES (${tenantId}, ${program.programId}, ${document.document_id}, ${role}, ${given.memberId}, ${given.recordedSeq})`.execute(tx);
  await runText(tx, q.TOUCH_RECREDITED, [...where, next]);
}
