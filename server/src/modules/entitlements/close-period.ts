import { crashPoint } from '../../platform/crash-point.ts';
import { createHash } from 'node:crypto';
import { Refusal, isDay, must, phrase, type Day } from '@premia/kernel';
import { sql } from 'kysely';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { publishEvent } from '../../platform/outbox.ts';
import { audit } from '../identity/index.ts';
import { openGate } from '../ledger/index.ts';
import { findProgram, type Program } from '../members/index.ts';
import { lockAll } from './apply-program.ts';
import { openSettling } from './record-sales.ts';
import { settleStale } from './settle-pools.ts';

export type ClosedPeriod = { closeId: bigint; watermark: bigint; snapshot: { entitlements: number; amounts: { mechanic: string; unit: string; amount: string }[]; digest: string } };

/**
 * Closes a stretch of time: its pooled results are settled and frozen, its figures are kept with a digest, and what waited for the
 * close becomes available. Facts that come later move everything but ranks and budgets, with today's booking date.
 */
/** Announces a close: the last files are asked for, nothing is frozen yet. Saying it again changes nothing. */
export async function startClosing(context: Context, input: { program: string; from: Day; to: Day }): Promise<void> {
  if (!isDay(input.from) || !isDay(input.to) || input.to < input.from) throw new Refusal('period_malformed', 422, phrase('Nieprawidłowy okres.', 'Not a valid period.'));
  await context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    await refuseOverlap(tx, program, input);
    await sql`INSERT INTO entitlements.close (tenant_id, program_id, starts_on, ends_on, state, watermark, closed_by, closed_at) VALUES (${context.tenantId}, ${program.programId}, ${input.from}, ${input.to}, 'closing', 0, ${context.principal}, ${instant(context)}) ON CONFLICT (tenant_id, program_id, starts_on, ends_on) DO NOTHING`.execute(tx);
    await audit(tx, context, { action: 'period.closing', subject: `period:${input.from}/${input.to}`, programId: program.programId });
  });
}

/** A period that overlaps another, closing or closed, is refused; announcing and then closing the same one is not. */
async function refuseOverlap(tx: Tx, program: Program, input: { from: Day; to: Day }): Promise<void> {
  const overlapping = await rows(tx, sql`SELECT 1 FROM entitlements.close WHERE program_id = ${program.programId} AND starts_on <= ${input.to} AND ends_on >= ${input.from} AND NOT (state = 'closing' AND starts_on = ${input.from} AND ends_on = ${input.to})`);
  if (overlapping.length > 0) throw new Refusal('period_closed_already', 409, phrase('Ten okres jest już zamknięty albo zachodzi na inny.', 'This period is closed already, or overlaps another.'));
}

export type CloseRow = { close_id: bigint; starts_on: Day; ends_on: Day; state: string; snapshot: ClosedPeriod['snapshot'] | null; closed_by: string };

/** Periods closing and closed, newest first, each with its frozen figures. */
export async function listCloses(tx: Tx, program: Program): Promise<CloseRow[]> {
  return rows<CloseRow>(tx, sql`SELECT close_id, starts_on, ends_on, state, snapshot, closed_by FROM entitlements.close WHERE program_id = ${program.programId} ORDER BY starts_on DESC`);
}

export async function closePeriod(context: Context, input: { program: string; from: Day; to: Day }): Promise<ClosedPeriod> {
  if (!isDay(input.from) || !isDay(input.to) || input.to < input.from) throw new Refusal('period_malformed', 422, phrase('Nieprawidłowy okres.', 'Not a valid period.'));
  await settleStale(context, input.program);
  const closed = await context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const settling = await openSettling(tx, context, program);
    await lockAll(tx, context, program); // every run that could still move this period has ended, and the next ones see the close
    await refuseOverlap(tx, program, input);
    const lines = await rows<{ line: string }>(tx, sql`SELECT concat_ws('|', member_id, mechanic_id, window_start, subject_id, amount) AS line FROM entitlements.entitlement WHERE program_id = ${program.programId} AND window_end BETWEEN ${input.from} AND ${input.to} ORDER BY member_id, mechanic_id, window_start, subject_id`);
    const amounts = await rows<{ mechanic: string; unit: string; amount: string }>(tx, sql`SELECT m.key AS mechanic, u.key AS unit, sum(e.amount)::text AS amount FROM entitlements.entitlement AS e JOIN mechanics.mechanic AS m ON m.program_id = e.program_id AND m.mechanic_id = e.mechanic_id
      JOIN ledger.unit AS u ON u.program_id = e.program_id AND u.unit_id = e.unit_id WHERE e.program_id = ${program.programId} AND e.window_end BETWEEN ${input.from} AND ${input.to} GROUP BY 1, 2 ORDER BY 1, 2`);
    const snapshot = { entitlements: lines.length, amounts, digest: createHash('sha256').update(lines.map((item) => item.line).join('\n')).digest('hex') };
    const made = must(await row<{ close_id: bigint }>(tx, sql`INSERT INTO entitlements.close (tenant_id, program_id, starts_on, ends_on, state, watermark, snapshot, closed_by, closed_at)
      VALUES (${context.tenantId}, ${program.programId}, ${input.from}, ${input.to}, 'closed', ${settling.runSeq}, ${JSON.stringify(snapshot)}::jsonb, ${context.principal}, ${instant(context)})
      ON CONFLICT (tenant_id, program_id, starts_on, ends_on) DO UPDATE SET state = 'closed', watermark = excluded.watermark, snapshot = excluded.snapshot, closed_by = excluded.closed_by, closed_at = excluded.closed_at RETURNING close_id`), 'close');
    const gates = await rows<{ gate: string }>(tx, sql`SELECT DISTINCT gate FROM ledger.lot WHERE program_id = ${program.programId} AND remaining > 0 AND gate LIKE 'close:%' AND substr(gate, 7)::date BETWEEN ${input.from} AND ${input.to}`);
    for (const { gate } of gates) await openGate(tx, { tenantId: context.tenantId, programId: program.programId, bookedOn: settling.bookedOn, bookedAt: settling.bookedAt, runSeq: settling.runSeq }, gate);
    await publishEvent(tx, context, { type: 'period.closed', programId: program.programId, payload: { ...input, digest: snapshot.digest } });
    await audit(tx, context, { action: 'period.closed', subject: `close:${made.close_id}`, programId: program.programId, after: { ...input, digest: snapshot.digest } });
    crashPoint('close-before-commit');
    return { closeId: made.close_id, watermark: settling.runSeq, snapshot };
  });
  crashPoint('close-after-commit');
  return closed;
}
