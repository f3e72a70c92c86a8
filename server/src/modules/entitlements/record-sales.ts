import { crashPoint } from '../../platform/crash-point.ts';
import { assert, type Day } from '@premia/kernel';
import { instant, today, type Context } from '../../platform/context.ts';
import type { Tx } from '../../platform/database.ts';
import { publishEvent } from '../../platform/outbox.ts';
import { countRun, openRun } from '../../platform/run-tables.ts';
import { fillIncoming, findSource, nextRecordedSeq, recordActivities, recordLines, type ActivityDraft, type ActivityOutcome, type DocumentOutcome, type LineDraft } from '../facts/index.ts';
import { markTransfers } from '../ledger/index.ts';
import { findProgram, type Program } from '../members/index.ts';
import { sql } from 'kysely';
import { rows } from '../../platform/database.ts';
import { loadPlan } from './plan.ts';
import { settle, type Settling } from './settle.ts';

export const DOCUMENTS_PER_REQUEST_MAX = 1_000;
export const LINES_PER_REQUEST_MAX = 20_000;
/** Up to so many lines a run keeps its plans and sends its steps together. */
const LINES_SMALL = 1_500;

export type Earned = { member: string; unit: string; amount: bigint };
/** `elsewhere`: what the same call moved in windows larger than a document. */
export type SaleOutcome = DocumentOutcome & { earned: Earned[]; elsewhere: Earned[] };

/** Everything a run needs to settle, at this moment. */
export async function openSettling(tx: Tx, context: Context, program: Program, small = false): Promise<Settling> {
  await openRun(tx, { small });
  return {
    small,
    tenantId: context.tenantId, program, plan: await loadPlan(tx, context.tenantId, program), bookedOn: today(context, program.zone), bookedAt: instant(context), runSeq: await nextRecordedSeq(tx), transfersAfter: await markTransfers(tx),
  };
}

/** Records each sale once and settles what it moves, in one transaction. Sending it again is harmless; sent again changed, it is reported, never merged. */
export async function recordSales(context: Context, input: { program: string; source: string; lines: readonly LineDraft[] }): Promise<SaleOutcome[]> {
  assert(input.lines.length <= LINES_PER_REQUEST_MAX, 'too many lines in one call');
  const outcomes = await context.transaction(async (tx) => {
    const found = await recordAndSettle(tx, context, input);
    crashPoint('sales-before-commit');
    return found;
  });
  crashPoint('sales-after-commit');
  return outcomes;
}

/** The same for calls of several senders in one transaction: what each document's own members earned elsewhere is told with that document. */
export async function recordSalesApart(context: Context, input: { program: string; source: string; lines: readonly LineDraft[] }): Promise<SaleOutcome[]> {
  return context.transaction(async (tx) => {
    const outcomes = await recordAndSettle(tx, context, input);
    const members = await rows<{ document_id: bigint; members: string[] }>(tx, sql`SELECT named.document_id, array_agg(DISTINCT m.code) AS members FROM (
        SELECT i.document_id, r.reference FROM pg_temp.incoming AS i CROSS JOIN LATERAL (VALUES (i.buyer), (i.seller), (i.rep)) AS r(reference) WHERE r.reference IS NOT NULL
        UNION SELECT i.document_id, share ->> 'ref' FROM pg_temp.incoming AS i CROSS JOIN LATERAL jsonb_array_elements(i.shares) AS share WHERE i.shares IS NOT NULL
      ) AS named JOIN pg_temp.party AS p ON p.reference = named.reference
      CROSS JOIN LATERAL (SELECT m.code FROM members.member AS m WHERE m.tenant_id = ${context.tenantId} AND m.program_id = ${(await findProgram(tx, input.program)).programId} AND m.member_id = p.member_id OFFSET 0) AS m GROUP BY 1`);
    const own = new Map(members.map((item) => [item.document_id, new Set(item.members)]));
    return outcomes.map((outcome) => ({ ...outcome, elsewhere: outcome.elsewhere.filter((earned) => own.get(outcome.documentId)?.has(earned.member) === true) }));
  });
}

/** What the same sales would earn: the same work, taken back. */
export async function dryRunSales(context: Context, input: { program: string; source: string; lines: readonly LineDraft[] }): Promise<SaleOutcome[]> {
  return context.rehearse((tx) => recordAndSettle(tx, context, input));
}

async function recordAndSettle(tx: Tx, context: Context, input: { program: string; source: string; lines: readonly LineDraft[] }): Promise<SaleOutcome[]> {
  const program = await findProgram(tx, input.program);
  const source = await findSource(tx, program, input.source);
  const settling = await openSettling(tx, context, program, input.lines.length <= LINES_SMALL);
  await fillIncoming(tx, input.lines);
  if (!settling.small) await countRun(tx, 'incoming');
  const outcomes = await recordLines(tx, { tenantId: context.tenantId, program, source, recordedSeq: settling.runSeq, today: settling.bookedOn });
  await settle(tx, settling);
  const earned = await earnedInRun(tx, settling);
  await publishEvent(tx, context, { type: 'sales.recorded', programId: program.programId, payload: { program: program.key, source: source.key, run: settling.runSeq, documents: outcomes.length, recorded: outcomes.reduce((sum, outcome) => sum + outcome.recorded, 0) } });
  return outcomes.map((outcome) => ({ ...outcome, earned: earned.get(outcome.documentId) ?? [], elsewhere: earned.get(0n) ?? [] }));
}

/** What this run's transfers granted or took back, per document where a document is the window; other windows under 0. */
export async function earnedInRun(tx: Tx, settling: Settling): Promise<Map<bigint, Earned[]>> {
  const found = await rows<{ subject_id: bigint; member: string; unit: string; amount: bigint }>(tx, sql`
    SELECT COALESCE(t.subject_id, 0) AS subject_id, m.code AS member, u.key AS unit, sum(CASE t.kind WHEN 'grant' THEN t.amount ELSE -t.amount END)::bigint AS amount
    FROM (SELECT DISTINCT member_id FROM pg_temp.touch) AS own
    CROSS JOIN LATERAL (SELECT t.* FROM ledger.transfer AS t WHERE t.tenant_id = ${settling.tenantId} AND t.program_id = ${settling.program.programId} AND t.member_id = own.member_id AND t.transfer_id > ${settling.transfersAfter} OFFSET 0) AS t
    CROSS JOIN LATERAL (SELECT m.code FROM members.member AS m WHERE m.tenant_id = t.tenant_id AND m.program_id = t.program_id AND m.member_id = t.member_id OFFSET 0) AS m
    JOIN ledger.unit AS u ON u.tenant_id = t.tenant_id AND u.program_id = t.program_id AND u.unit_id = t.unit_id
    WHERE t.run_seq = ${settling.runSeq} AND t.kind IN ('grant', 'takeback')
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`);
  const byDocument = new Map<bigint, Earned[]>();
  for (const item of found) byDocument.set(item.subject_id, [...(byDocument.get(item.subject_id) ?? []), { member: item.member, unit: item.unit, amount: item.amount }]);
  return byDocument;
}

/** Records activities once and settles what they move. */
export async function recordMemberActivities(context: Context, input: { program: string; source: string; drafts: readonly ActivityDraft[] }): Promise<{ outcomes: ActivityOutcome[]; earned: Earned[] }> {
  return context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const source = await findSource(tx, program, input.source);
    const settling = await openSettling(tx, context, program);
    const outcomes = await recordActivities(tx, { tenantId: context.tenantId, program, source, recordedSeq: settling.runSeq, drafts: input.drafts });
    await settle(tx, settling);
    await publishEvent(tx, context, { type: 'activities.recorded', programId: program.programId, payload: { program: program.key, run: settling.runSeq, activities: outcomes.length } });
    return { outcomes, earned: [...(await earnedInRun(tx, settling)).values()].flat() };
  });
}

export type { Day };
