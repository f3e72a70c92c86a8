import { crashPoint } from '../../platform/crash-point.ts';
import { sql } from 'kysely';
import { Refusal, phrase } from '@premia/kernel';
import { type Context } from '../../platform/context.ts';
import { planBlindly, row, rows, runText, type Tx } from '../../platform/database.ts';
import { keyset, likeOf, paged, type Sortable } from '../../platform/keyset.ts';
import { countRun, emptyRun } from '../../platform/run-tables.ts';
import { IMPORT_LANES, LOAD_CHUNK, MAKE_PRODUCTS_OF_IMPORT, OPEN_CHUNKS, STORE_OUTCOMES, recordLines, sourceShape, type Source } from '../facts/index.ts';
import { addJob } from '../../platform/jobs.ts';
import { publishEvent } from '../../platform/outbox.ts';
import { audit } from '../identity/index.ts';
import { findProgram, type Program } from '../members/index.ts';
import { earnedInRun, openSettling, type Earned } from './record-sales.ts';
import { settle, type Settling } from './settle.ts';

type ImportRow = { import_id: bigint; state: string; staged_by: string; approved_by: string | null; counts: Record<string, number>; source_id: bigint; key: string; settings: unknown };

export async function findImport(tx: Tx, program: Program, importId: bigint): Promise<ImportRow> {
  const found = await row<ImportRow>(tx, sql`SELECT i.import_id, i.state, i.staged_by, i.approved_by, i.counts, i.source_id, s.key, s.settings FROM facts.import AS i
    JOIN facts.source AS s ON s.tenant_id = i.tenant_id AND s.program_id = i.program_id AND s.source_id = i.source_id WHERE i.program_id = ${program.programId} AND i.import_id = ${importId}`);
  if (!found) throw new Refusal('import_not_found', 404, phrase('Nie ma takiego importu.', 'There is no such import.'));
  return found;
}

/** Approves a staged import; by default not by who staged it. Recording follows, in resumable steps. */
export async function approveImport(context: Context, input: { program: string; importId: bigint }): Promise<void> {
  await context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const found = await findImport(tx, program, input.importId);
    if (found.state === 'approved' || found.state === 'recorded') return;
    if (found.state !== 'staged') throw new Refusal('import_not_staged', 409, phrase('Ten import nie czeka na zatwierdzenie.', 'This import does not wait for approval.'));
    if (program.settings.four_eyes.imports && found.staged_by === context.principal) {
      throw new Refusal('second_person_needed', 403, phrase('Import musi zatwierdzić inna osoba niż ta, która go wgrała.', 'An import must be approved by another person than the one who loaded it.'));
    }
    await sql`UPDATE facts.import SET state = 'approved', approved_by = ${context.principal} WHERE import_id = ${input.importId}`.execute(tx);
    // Whoever approves usually records at once; should that process die, another goes on.
    await addJob(tx, 'record_import', { tenant: String(context.tenantId), program: program.key, import: String(input.importId) }, `import/${input.importId}`, RECORD_AFTER_SECONDS);
    await audit(tx, context, { action: 'import.approved', subject: `import:${input.importId}`, programId: program.programId, after: found.counts });
  });
}

const RECORD_AFTER_SECONDS = 120;

/** Turns a staged import down: nothing of it is recorded. One that was recorded and mended keeps what is recorded. */
export async function rejectImport(context: Context, input: { program: string; importId: bigint; reason: string }): Promise<void> {
  await context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const found = await findImport(tx, program, input.importId);
    if (found.state !== 'staged') throw new Refusal('import_not_staged', 409, phrase('Ten import nie czeka na zatwierdzenie.', 'This import does not wait for approval.'));
    await sql`UPDATE facts.import SET state = 'rejected', approved_by = ${context.principal} WHERE program_id = ${program.programId} AND import_id = ${input.importId} AND state = 'staged'`.execute(tx);
    await audit(tx, context, { action: 'import.rejected', subject: `import:${input.importId}`, programId: program.programId, after: { reason: input.reason } });
  });
}

export type ImportListRow = { import_id: bigint; source: string; state: string; parts: string[]; counts: Record<string, number>; staged_by: string; approved_by: string | null };
const FILES = `(SELECT string_agg(part, ', ') FROM jsonb_array_elements_text(i.parts) AS part)`;
const counted = (what: string): string => `(i.counts ->> '${what}')::bigint`;
const SORTED: Sortable = { id: ['i.import_id', 'number', 'import_id'], source: ['s.key', 'word'], state: ['i.state', 'word'], parts: [FILES, 'text', 'files'], rows: [counted('rows'), 'number', 'rows'], quarantined: [counted('quarantined'), 'number', 'quarantined'] };

/** Imports, newest first or as asked. `search` looks for a file's name or the import's number. */
export async function listImports(tx: Tx, program: Program, page: { state?: string; search?: string; sort?: string; after?: string; limit: number }): Promise<{ rows: ImportListRow[]; next: string | null }> {
  const { beyond, order, cursor } = keyset<ImportListRow>(SORTED, 'id', { sort: page.sort ?? '-id', after: page.after });
  const like = likeOf(page.search);
  const found = await rows<ImportListRow>(tx, sql`SELECT i.import_id, s.key AS source, i.state, i.parts, i.counts, i.staged_by, i.approved_by, ${sql.raw(FILES)} AS files, ${sql.raw(counted('rows'))} AS rows, ${sql.raw(counted('quarantined'))} AS quarantined FROM facts.import AS i JOIN facts.source AS s ON s.tenant_id = i.tenant_id AND s.program_id = i.program_id AND s.source_id = i.source_id
    WHERE i.program_id = ${program.programId} AND (${page.state ?? null}::text IS NULL OR i.state = ${page.state ?? null}) AND (${like}::text IS NULL OR ${sql.raw(FILES)} ILIKE ${like} OR i.import_id::text = ${page.search ?? null}) AND ${beyond} ORDER BY ${order} LIMIT ${page.limit + 1}`);
  return paged(found, page.limit, cursor);
}

export type ImportResult = { importId: bigint; recorded: number; known: number; conflict: number; quarantined: number };

/**
 * Records an approved import chunk by chunk; each chunk – whole documents – is one transaction with its settlement and its own mark,
 * so that a crash loses nothing and repeats nothing. Lanes work side by side; two recorders of one chunk take turns. `signal` ends it after
 * the chunks under way; whoever calls next goes on.
 */
export async function recordImport(context: Context, input: { program: string; importId: bigint; onProgress?: (done: number, of: number) => void; signal?: AbortSignal }): Promise<ImportResult> {
  crashPoint('import-approved');
  const chunks = await context.transaction(async (tx) => {
    const program = await findProgram(tx, input.program);
    const found = await findImport(tx, program, input.importId);
    if (found.state === 'recorded') return [];
    if (found.state !== 'approved') throw new Refusal('import_not_approved', 409, phrase('Import nie jest zatwierdzony.', 'The import is not approved.'));
    await sql`SELECT ${planBlindly}`.execute(tx);
    await runText(tx, MAKE_PRODUCTS_OF_IMPORT, [context.tenantId, program.programId, found.source_id, input.importId]);
    return (await runText<{ chunk: number }>(tx, OPEN_CHUNKS, [program.programId, input.importId])).map((item) => item.chunk);
  });
  let done = 0;
  const recordLane = async (lane: number): Promise<void> => {
    for (const chunk of chunks.filter((item) => item % IMPORT_LANES === lane)) {
      input.signal?.throwIfAborted();
      await context.transaction(async (tx) => { await recordChunk(tx, context, input, chunk); crashPoint('chunk-before-commit'); });
      crashPoint('chunk-after-commit');
      done += 1;
      // After 1, 2, 4, 8 … chunks: a plan made for an empty table costs seconds on a full one.
      if ((done & (done - 1)) === 0) await context.transaction(async (tx) => { await sql`SELECT platform.refresh_statistics()`.execute(tx); });
      input.onProgress?.(done, chunks.length);
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: IMPORT_LANES }, (_, lane) => recordLane(lane)));
  for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason;
  return context.transaction(async (tx) => {
    const done = await rows(tx, sql`UPDATE facts.import SET state = 'recorded' WHERE import_id = ${input.importId} AND state = 'approved' RETURNING 1`);
    const result = await importResult(tx, input.importId);
    if (done.length > 0) await publishEvent(tx, context, { type: 'import.recorded', programId: (await findProgram(tx, input.program)).programId, payload: { program: input.program, ...result } });
    return result;
  });
}

export async function importResult(tx: Tx, importId: bigint): Promise<ImportResult> {
  const found = await row<Record<string, bigint>>(tx, sql`SELECT count(*) FILTER (WHERE outcome = 'new') AS recorded, count(*) FILTER (WHERE outcome = 'known') AS known,
    count(*) FILTER (WHERE outcome = 'conflict') AS conflict, count(*) FILTER (WHERE problem IS NOT NULL) AS quarantined FROM staging.staged WHERE import_id = ${importId}`);
  const n = (name: string): number => Number(found?.[name] ?? 0n);
  return { importId, recorded: n('recorded'), known: n('known'), conflict: n('conflict'), quarantined: n('quarantined') };
}

async function recordChunk(tx: Tx, context: Context, input: { program: string; importId: bigint }, chunk: number): Promise<Settling> {
  const program = await findProgram(tx, input.program);
  const found = await findImport(tx, program, input.importId);
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`import ${input.importId} chunk ${chunk}`}, 11))`.execute(tx);
  const settling = await openSettling(tx, context, program);
  const source: Source = { sourceId: found.source_id, key: found.key, settings: sourceShape.parse(found.settings) };
  await emptyRun(tx, 'incoming', 'party', 'credit', 'credited', 'touch'); // a preview goes through all chunks in one transaction
  await runText(tx, LOAD_CHUNK, [context.tenantId, program.programId, input.importId, program.currency, chunk]);
  await countRun(tx, 'incoming');
  await recordLines(tx, { tenantId: context.tenantId, program, source, recordedSeq: settling.runSeq, today: settling.bookedOn });
  await runText(tx, STORE_OUTCOMES, [program.programId, input.importId, chunk]);
  await settle(tx, settling);
  return settling;
}

export const PREVIEW_LINES_MAX = 250_000;

/** What recording the import would award, by unit: the same work, taken back. */
export async function previewAwards(context: Context, input: { program: string; importId: bigint }): Promise<{ unit: string; amount: bigint; members: number }[]> {
  return context.rehearse(async (tx) => {
    const program = await findProgram(tx, input.program);
    const found = await findImport(tx, program, input.importId);
    if ((found.counts['ready'] ?? 0) > PREVIEW_LINES_MAX) throw new Refusal('preview_too_large', 422, phrase('Import jest za duży na podgląd nagród.', 'The import is too large to preview its awards.'));
    const totals = new Map<string, { amount: bigint; members: Set<string> }>();
    for (const { chunk } of await runText<{ chunk: number }>(tx, OPEN_CHUNKS, [program.programId, input.importId])) {
      const settling = await recordChunk(tx, context, input, chunk);
      for (const earned of [...(await earnedInRun(tx, settling)).values()].flat()) addEarned(totals, earned);
    }
    return [...totals].map(([unit, total]) => ({ unit, amount: total.amount, members: total.members.size }));
  });
}

function addEarned(totals: Map<string, { amount: bigint; members: Set<string> }>, earned: Earned): void {
  const total = totals.get(earned.unit) ?? { amount: 0n, members: new Set<string>() };
  total.amount += earned.amount;
  total.members.add(earned.member);
  totals.set(earned.unit, total);
}

/** Goes on with imports that were approved but not recorded to the end: a crash needs no human. */
export async function resumeImports(context: Context, signal?: AbortSignal): Promise<number> {
  const open = await context.transaction((tx) => rows<{ import_id: bigint; key: string }>(tx, sql`SELECT i.import_id, p.key FROM facts.import AS i
    JOIN members.program AS p ON p.tenant_id = i.tenant_id AND p.program_id = i.program_id WHERE i.state = 'approved' ORDER BY i.import_id`));
  for (const { import_id: importId, key } of open) await recordImport(context, { program: key, importId, ...(signal ? { signal } : {}) });
  return open.length;
}
