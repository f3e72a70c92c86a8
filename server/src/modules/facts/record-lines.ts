import { crashPoint } from '../../platform/crash-point.ts';
import { countIn, emptyRun } from '../../platform/run-tables.ts';
import { rows, runText, type Tx } from '../../platform/database.ts';
import { sql } from 'kysely';
import type { Program } from '../members/index.ts';
import type { Source } from './source-settings.ts';
import { enrolUnknown } from '../members/index.ts';
import type { Day } from '@premia/kernel';
import * as q from './queries.ts';

export type Recording = { tenantId: bigint; program: Program; source: Source; recordedSeq: bigint; today: Day };
export type DocumentOutcome = { number: string; documentId: bigint; recorded: number; known: number; conflict: number; waiting: boolean };

/**
 * Records what lies in pg_temp.incoming, once: documents, lines, and a fact for each party that is a member. What was recorded
 * before changes nothing; what comes again changed is in conflict and changes nothing either. Fills pg_temp.touch with the days
 * that moved. Members are locked before anything is read that a twin run could be writing.
 */
export async function recordLines(tx: Tx, recording: Recording): Promise<DocumentOutcome[]> {
  const { tenantId, program, source, recordedSeq } = recording;
  const known = [tenantId, program.programId] as const;
  const sourced = [...known, source.sourceId] as const;
  await countIn(tx, 'incoming');
  await runText(tx, q.fillParties(program.settings.rewards), known);
  await countIn(tx, 'party');
  if (source.settings.unknown === 'enrol') await enrolUnknown(tx, tenantId, program, recording.today);
  await lock(tx, known, sourced);
  await runText(tx, q.INSERT_DOCUMENTS, [...sourced, recordedSeq]);
  await runText(tx, q.FIND_DOCUMENTS, sourced);
  await runText(tx, q.CLASSIFY_LINES, known);
  await runText(tx, q.CLASSIFY_REPEATED);
  if (source.settings.documents === 'whole') await runText(tx, q.CLASSIFY_WHOLE, known);
  await runText(tx, q.CLASSIFY_DECIDED, sourced);
  await runText(tx, q.KEEP_CONFLICTS, [...sourced, recordedSeq]);
  await runText(tx, q.UNKNOWN_PRODUCTS, sourced);
  await runText(tx, q.FIND_PRODUCTS, sourced);
  await runText(tx, q.INSERT_LINES, [...known, recordedSeq]);
  crashPoint('lines-recorded');
  await runText(tx, q.INSERT_WAITING, sourced);
  await emptyRun(tx, 'credit');
  await runText(tx, q.insertPlainFacts(program.settings.rewards), [...known, recordedSeq]);
  await runText(tx, q.touchPlain(program.settings.rewards));
  await runText(tx, q.CREDIT_SPLIT);
  await creditFacts(tx, recording);
  crashPoint('facts-recorded');
  return outcomes(tx, known);
}

/** Facts for pg_temp.credit, then for the corrections that this lets go, until none is left to release. */
export async function creditFacts(tx: Tx, recording: Recording): Promise<void> {
  const { tenantId, program, source, recordedSeq } = recording;
  const facts = q.insertFacts(program.settings.rewards, program.settings.corrections === 'correction_period');
  for (let waiting = await rows(tx, sql`SELECT 1 FROM pg_temp.credit LIMIT 1`); ;) {
    if (waiting.length > 0) {
      await runText(tx, facts, [tenantId, program.programId, recordedSeq]);
      await runText(tx, q.TOUCH_NEW, [tenantId, program.programId]);
    }
    waiting = await releaseCorrections(tx, tenantId, program.programId, source.sourceId);
    if (waiting.length === 0) return;
  }
}

/** Moves pg_temp.credit on to the corrections whose base now stands. Answers one of their lines, or none. */
async function releaseCorrections(tx: Tx, tenantId: bigint, programId: bigint, sourceId: bigint): Promise<unknown[]> {
  await runText(tx, 'INSERT INTO pg_temp.credited SELECT line_id FROM pg_temp.credit');
  await runText(tx, q.CREDIT_CORRECTIONS, [tenantId, programId, sourceId]);
  await runText(tx, 'DELETE FROM pg_temp.credit WHERE line_id IN (SELECT line_id FROM pg_temp.credited)');
  return rows(tx, sql`SELECT 1 FROM pg_temp.credit LIMIT 1`);
}

async function lock(tx: Tx, known: readonly unknown[], sourced: readonly unknown[]): Promise<void> {
  const buckets = await runText<{ bucket: bigint; alone: boolean }>(tx, q.BASE_BUCKETS, known);
  for (const { bucket, alone } of buckets) {
    const key = BigInt(sourced[2] as bigint) * 64n + bucket;
    await sql`SELECT ${sql.raw(alone ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared')}(${key})`.execute(tx);
  }
  await runText(tx, q.LOCK_MEMBERS, sourced);
}

async function outcomes(tx: Tx, known: readonly unknown[]): Promise<DocumentOutcome[]> {
  const found = await runText<{ number: string; new: bigint; known: bigint; conflict: bigint; document_id: bigint; waiting: boolean }>(tx, q.OUTCOMES, known);
  return found.map((row) => ({ number: row.number, documentId: row.document_id, recorded: Number(row.new), known: Number(row.known), conflict: Number(row.conflict), waiting: row.waiting }));
}
