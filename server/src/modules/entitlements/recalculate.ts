import { crashPoint } from '../../platform/crash-point.ts';
import { Refusal, must, phrase } from '@premia/kernel';
import { sql } from 'kysely';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { publishEvent } from '../../platform/outbox.ts';
import { audit } from '../identity/index.ts';
import { findProgram, type Program } from '../members/index.ts';
import { exportProgram, planProgram, readProgram, saveProgram, type ProgramFile } from '../mechanics/index.ts';
import { publishStep, settleAll } from './apply-program.ts';
import { applyChange, isInputChange, type InputChange } from './change-inputs.ts';
import { openSettling } from './record-sales.ts';
import { listStale, settleWindow } from './settle-pools.ts';

/** What a change would move: per mechanic and unit, per month, and for whom. Amounts in the unit's smallest units, as text. */
export type Preview = {
  mechanics: { mechanic: string; unit: string; before: string; after: string; changed: number }[];
  months: { month: string; unit: string; before: string; after: string }[];
  members: { member: string; unit: string; before: string; after: string }[];
  /** What members have in all, before and after: the least of the upper 90, 75, 50, 25 and 10 percent, and the most. */
  distribution: { unit: string; members: number; before: string[]; after: string[] }[];
  winners: number; losers: number; unchanged: number;
};
export const PREVIEW_MEMBERS_MAX = 200;

/**
 * Publishes a file whatever it moves, settles everything under it and says what differs. The caller's transaction decides whether it
 * stays: a simulation and a preview take it back, an approved recalculation keeps it. It is the same SQL as production's, because it is production's.
 */
async function publishAndSettle(tx: Tx, context: Context, file: ProgramFile): Promise<{ program: Program; preview: Preview }> {
  const plan = await planProgram(tx, file);
  await rememberEntitled(tx, (await findProgram(tx, file.key)).programId);
  const program = await saveProgram(tx, context, file);
  for (const step of plan.mechanics) if (step.action !== 'same') await publishStep(tx, context, program, step);
  await settleAll(tx, context, program);
  for (const window of await listStale(tx, program)) await settleWindow(tx, await openSettling(tx, context, program), window);
  return { program, preview: await comparePreview(tx, program) };
}

async function rememberEntitled(tx: Tx, programId: bigint): Promise<void> {
  await sql.raw('CREATE TEMP TABLE IF NOT EXISTS entitled_before (member_id bigint, mechanic text, unit text, month text, amount bigint) ON COMMIT DELETE ROWS').execute(tx);
  await sql.raw(`INSERT INTO pg_temp.entitled_before ${entitled(programId)}`).execute(tx);
}

async function changeAndSettle(tx: Tx, context: Context, change: InputChange): Promise<{ program: Program; preview: Preview }> {
  const program = await findProgram(tx, change.program);
  const settling = await openSettling(tx, context, program);
  await rememberEntitled(tx, program.programId);
  await applyChange(tx, context, program, { ...settling, lateApproved: true }, change);
  for (const window of await listStale(tx, program)) await settleWindow(tx, await openSettling(tx, context, program), window);
  return { program, preview: await comparePreview(tx, program) };
}

/** Proposes a change of what rules read: a document credited to another member, a merge, members, targets, products. Previewed like every change of the past, decided by a second person. */
export async function proposeChange(context: Context, input: { change: InputChange; reason: string }): Promise<{ recalculationId: bigint; preview: Preview }> {
  const preview = await context.rehearse(async (tx) => (await changeAndSettle(tx, context, input.change)).preview);
  return keepProposal(context, input.change.program, input.change, preview, input.reason);
}

const entitled = (programId: bigint): string => `SELECT e.member_id, m.key, u.key, to_char(LEAST(e.window_end, '2100-12-31'), 'YYYY-MM'), sum(e.amount)::bigint FROM entitlements.entitlement AS e
  JOIN mechanics.mechanic AS m ON m.tenant_id = e.tenant_id AND m.program_id = e.program_id AND m.mechanic_id = e.mechanic_id
  JOIN ledger.unit AS u ON u.tenant_id = e.tenant_id AND u.program_id = e.program_id AND u.unit_id = e.unit_id
  WHERE e.program_id = ${programId} AND e.amount <> 0 GROUP BY 1, 2, 3, 4`;

async function comparePreview(tx: Tx, program: Program): Promise<Preview> {
  const both = sql.raw(`(SELECT COALESCE(a.member_id, b.member_id) AS member_id, COALESCE(a.mechanic, b.mechanic) AS mechanic, COALESCE(a.unit, b.unit) AS unit, COALESCE(a.month, b.month) AS month, COALESCE(b.amount, 0) AS before, COALESCE(a.amount, 0) AS after
    FROM (SELECT * FROM (${entitled(program.programId)}) AS x(member_id, mechanic, unit, month, amount)) AS a FULL JOIN pg_temp.entitled_before AS b ON a.member_id = b.member_id AND a.mechanic = b.mechanic AND a.unit = b.unit AND a.month = b.month)`);
  const mechanics = await rows<Preview['mechanics'][number] & { changed: bigint }>(tx, sql`SELECT mechanic, unit, sum(before)::text AS before, sum(after)::text AS after, count(DISTINCT member_id) FILTER (WHERE before <> after) AS changed FROM ${both} AS d GROUP BY 1, 2 ORDER BY 1, 2`);
  const months = await rows<Preview['months'][number]>(tx, sql`SELECT month, unit, sum(before)::text AS before, sum(after)::text AS after FROM ${both} AS d GROUP BY 1, 2 ORDER BY 1, 2`);
  const members = await rows<{ member: string; unit: string; before: string; after: string }>(tx, sql`SELECT m.code AS member, d.unit, sum(d.before)::text AS before, sum(d.after)::text AS after FROM ${both} AS d
    JOIN members.member AS m ON m.program_id = ${program.programId} AND m.member_id = d.member_id GROUP BY 1, 2 ORDER BY abs(sum(d.after) - sum(d.before)) DESC, 1, 2`);
  const spread = (column: string) => sql.raw(`(percentile_disc(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9, 1]) WITHIN GROUP (ORDER BY ${column}))::text[]`);
  const distribution = await rows<Preview['distribution'][number] & { members: bigint }>(tx, sql`SELECT unit, count(*) AS members, ${spread('before')} AS before, ${spread('after')} AS after FROM (SELECT member_id, unit, sum(before)::bigint AS before, sum(after)::bigint AS after FROM ${both} AS d GROUP BY 1, 2) AS m GROUP BY 1 ORDER BY 1`);
  const sign = (item: { before: string; after: string }): number => (BigInt(item.after) > BigInt(item.before) ? 1 : BigInt(item.after) < BigInt(item.before) ? -1 : 0);
  return {
    mechanics: mechanics.map((item) => ({ ...item, changed: Number(item.changed) })), months, distribution: distribution.map((item) => ({ ...item, members: Number(item.members) })), members: members.filter((item) => sign(item) !== 0).slice(0, PREVIEW_MEMBERS_MAX),
    winners: members.filter((item) => sign(item) > 0).length, losers: members.filter((item) => sign(item) < 0).length, unchanged: members.filter((item) => sign(item) === 0).length,
  };
}

/** Draft rules over the real facts: what they would have cost, month by month, and for whom. Nothing is posted. */
export async function simulate(context: Context, file: ProgramFile): Promise<Preview> {
  return context.rehearse(async (tx) => (await publishAndSettle(tx, context, file)).preview);
}

/** Proposes a change of the past: its preview is made now and kept, for a second person to decide. */
export async function proposeRecalculation(context: Context, input: { file: unknown; reason: string }): Promise<{ recalculationId: bigint; preview: Preview }> {
  const file = readProgram(input.file);
  const plan = await context.transaction((tx) => planProgram(tx, file));
  const change: FileChange = { file: input.file as ProgramValue, parts: plan.changes, mechanics: plan.mechanics.filter((step) => step.action !== 'same').map((step) => step.key) };
  const preview = await simulate(context, file);
  return keepProposal(context, file.key, change, preview, input.reason);
}

type ProgramValue = Record<string, unknown> & { mechanics?: { key: string }[] };
/** A proposed file with what of it differed when it was proposed: the parts it changes, and the mechanics. */
type FileChange = { file: ProgramValue; parts: string[]; mechanics: string[] };

/** The program as it is now with what the proposal changes: what others have changed meanwhile stays. */
async function proposedFile(tx: Tx, program: Program, change: unknown): Promise<ProgramFile> {
  if (!('file' in (change as object))) return readProgram(change); // proposed before proposals said what they change
  const { file, parts, mechanics } = change as FileChange;
  const now = await exportProgram(tx, program.key) as ProgramValue;
  const isProposed = (item: { key: string }): boolean => mechanics.includes(item.key);
  const settings = Object.fromEntries([...Object.keys(now), ...parts].map((part) => [part, parts.includes(part) ? file[part] : now[part]]).filter(([, value]) => value !== undefined));
  return readProgram({ ...settings, mechanics: [...(now.mechanics ?? []).filter((item) => !isProposed(item)), ...(file.mechanics ?? []).filter(isProposed)] });
}

async function keepProposal(context: Context, programKey: string, change: unknown, preview: Preview, reason: string): Promise<{ recalculationId: bigint; preview: Preview }> {
  return context.transaction(async (tx) => {
    const program = await findProgram(tx, programKey);
    const made = must(await row<{ recalculation_id: bigint }>(tx, sql`INSERT INTO entitlements.recalculation (tenant_id, program_id, change, preview, reason, proposed_by, created_at)
      VALUES (${context.tenantId}, ${program.programId}, ${JSON.stringify(change)}::jsonb, ${JSON.stringify(preview)}::jsonb, ${reason}, ${context.principal}, ${instant(context)}) RETURNING recalculation_id`), 'recalculation');
    await audit(tx, context, { action: 'recalculation.proposed', subject: `recalculation:${made.recalculation_id}`, programId: program.programId, after: { reason, mechanics: preview.mechanics } });
    return { recalculationId: made.recalculation_id, preview };
  });
}

/** Applies a proposed recalculation: publishes, settles, posts compensating transfers. Where the program asks for four eyes, not by its proposer. */
export async function approveRecalculation(context: Context, input: { program: string; recalculationId: bigint }): Promise<Preview> {
  return context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const found = await row<{ change: unknown; state: string; proposed_by: string }>(tx, sql`SELECT change, state, proposed_by FROM entitlements.recalculation WHERE program_id = ${program.programId} AND recalculation_id = ${input.recalculationId} FOR UPDATE`);
    if (!found) throw new Refusal('recalculation_not_found', 404, phrase('Nie ma takiego przeliczenia.', 'There is no such recalculation.'));
    if (found.state !== 'proposed') throw new Refusal('recalculation_not_open', 409, phrase('To przeliczenie jest już rozstrzygnięte.', 'This recalculation is decided already.'));
    if (program.settings.four_eyes.rules && found.proposed_by === context.principal) throw new Refusal('second_person_needed', 403, phrase('Przeliczenie musi zatwierdzić inna osoba.', 'Another person must approve the recalculation.'));
    await sql`UPDATE entitlements.recalculation SET state = 'applied', decided_by = ${context.principal} WHERE program_id = ${program.programId} AND recalculation_id = ${input.recalculationId}`.execute(tx);
    const { preview } = isInputChange(found.change) ? await changeAndSettle(tx, context, found.change) : await publishAndSettle(tx, context, await proposedFile(tx, program, found.change));
    crashPoint('recalculation-before-commit');
    await publishEvent(tx, context, { type: 'recalculation.applied', programId: program.programId, payload: { program: program.key, recalculation: input.recalculationId } });
    await audit(tx, context, { action: 'recalculation.applied', subject: `recalculation:${input.recalculationId}`, programId: program.programId, after: { mechanics: preview.mechanics } });
    return preview;
  });
}

/** Turns a proposed recalculation down. Nothing was posted, nothing is. */
export async function rejectRecalculation(context: Context, input: { program: string; recalculationId: bigint }): Promise<void> {
  await context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const found = await rows(tx, sql`SELECT 1 FROM entitlements.recalculation WHERE program_id = ${program.programId} AND recalculation_id = ${input.recalculationId}`);
    if (found.length === 0) throw new Refusal('recalculation_not_found', 404, phrase('Nie ma takiego przeliczenia.', 'There is no such recalculation.'));
    const done = await rows(tx, sql`UPDATE entitlements.recalculation SET state = 'rejected', decided_by = ${context.principal} WHERE program_id = ${program.programId} AND recalculation_id = ${input.recalculationId} AND state = 'proposed' RETURNING 1`);
    if (done.length === 0) throw new Refusal('recalculation_not_open', 409, phrase('To przeliczenie nie czeka na decyzję.', 'This recalculation does not wait for a decision.'));
    await audit(tx, context, { action: 'recalculation.rejected', subject: `recalculation:${input.recalculationId}`, programId: program.programId });
  });
}

export type RecalculationRow = { recalculation_id: bigint; change: unknown; state: string; preview: Preview; reason: string; proposed_by: string; decided_by: string | null };

/** Recalculations, newest first, with the preview that was made when they were proposed. */
export async function listRecalculations(tx: Tx, program: Program, page: { state?: string; after?: bigint; limit: number }): Promise<RecalculationRow[]> {
  return rows<RecalculationRow>(tx, sql`SELECT recalculation_id, change, state, preview, reason, proposed_by, decided_by FROM entitlements.recalculation WHERE program_id = ${program.programId} AND (${page.state ?? null}::text IS NULL OR state = ${page.state ?? null})
    AND (${page.after ?? null}::bigint IS NULL OR recalculation_id < ${page.after ?? null}) ORDER BY recalculation_id DESC LIMIT ${page.limit}`);
}
