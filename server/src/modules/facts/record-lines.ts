import { crashPoint } from '../../platform/crash-point.ts';
import { countIn, emptyRun } from '../../platform/run-tables.ts';
import { readAll, rows, runText, writeAll, type Tx } from '../../platform/database.ts';
import { sql } from 'kysely';
import type { Program } from '../members/index.ts';
import type { Source } from './source-settings.ts';
import { enrolUnknown } from '../members/index.ts';
import { assert, type Day } from '@premia/kernel';
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
  await enrolParties(tx, recording, known);
  const [, , , looks] = await readAll<{ again: boolean; corrects: boolean; splits: boolean; awaited: boolean }>(tx,
    [[q.LOCK_BASES, sourced], [q.LOCK_MEMBERS, sourced], [q.INSERT_DOCUMENTS, [...sourced, recordedSeq]], [q.FIND_DOCUMENTS, sourced]]);
  const look = looks?.[0];
  assert(look !== undefined, 'what came in was looked at');
  if (look.again) await classify(tx, recording, known, sourced);
  if (await productsUnknown(tx, sourced)) {
    await runText(tx, q.UNKNOWN_PRODUCTS, sourced);
    await productsUnknown(tx, sourced);
  }
  await writeAll(tx, [[q.INSERT_LINES, [...known, recordedSeq]], [q.FIND_LINES, known]]);
  crashPoint('lines-recorded');
  await writeAll(tx, [...(look.corrects ? [[q.INSERT_WAITING, sourced] as const] : []), [q.insertPlainFacts(program.settings.rewards), [...known, recordedSeq]], [q.touchPlain(program.settings.rewards), []]]);
  if (look.corrects || look.splits || look.awaited) {
    await emptyRun(tx, 'credit', 'credited');
    await runText(tx, q.CREDIT_SPLIT);
    await creditFacts(tx, recording);
  }
  crashPoint('facts-recorded');
  return outcomes(tx, known);
}

async function enrolParties(tx: Tx, { tenantId, program, source, today }: Recording, known: readonly unknown[]): Promise<void> {
  const [found] = await runText<{ parties: number; unknown: boolean }>(tx, q.fillParties(program.settings.rewards), known);
  await countIn(tx, 'party', found?.parties ?? 0);
  if (found?.unknown && source.settings.unknown === 'enrol') await enrolUnknown(tx, tenantId, program, today);
}

/** What was sent before, or twice: known, or in conflict. */
async function classify(tx: Tx, { source, recordedSeq }: Recording, known: readonly unknown[], sourced: readonly unknown[]): Promise<void> {
  await writeAll(tx, [[q.CLASSIFY_LINES, known], [q.CLASSIFY_REPEATED, []], ...(source.settings.documents === 'whole' ? [[q.CLASSIFY_WHOLE, known] as const] : []),
    [q.CLASSIFY_DECIDED, sourced], [q.KEEP_CONFLICTS, [...sourced, recordedSeq]]]);
}

async function productsUnknown(tx: Tx, sourced: readonly unknown[]): Promise<boolean> {
  return (await runText<{ unknown: boolean }>(tx, q.FIND_PRODUCTS, sourced))[0]?.unknown === true;
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

async function outcomes(tx: Tx, known: readonly unknown[]): Promise<DocumentOutcome[]> {
  const found = await runText<{ number: string; new: bigint; known: bigint; conflict: bigint; document_id: bigint; waiting: boolean }>(tx, q.OUTCOMES, known);
  return found.map((row) => ({ number: row.number, documentId: row.document_id, recorded: Number(row.new), known: Number(row.known), conflict: Number(row.conflict), waiting: row.waiting }));
}
