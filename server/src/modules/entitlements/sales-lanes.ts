import { availableParallelism } from 'node:os';
import type { LineDraft } from '../facts/index.ts';
import type { Context } from '../../platform/context.ts';
import { recordSales, recordSalesApart, type SaleOutcome } from './record-sales.ts';

/*
 * Micro-batches without a timer: calls that arrive while a lane is busy are recorded together in its next transaction, at most so many
 * documents. One alone waits for nothing. A transaction has a fixed cost of many statements; shared by twenty sales it is a twentieth
 * (bench/online.ts has the figures). Calls that name the same document or the same party never share a transaction, so that each answer
 * says what its own sale earned.
 */
export const LANES = Math.max(2, availableParallelism());
export const BATCH_DOCUMENTS_MAX = 256;

type Input = { program: string; source: string; lines: readonly LineDraft[] };
type Waiting = { context: Context; input: Input; names: ReadonlySet<string>; documents: number; done(outcomes: SaleOutcome[]): void; failed(error: unknown): void };
type Lane = { queue: Waiting[]; running: boolean };

const lanes = new Map<string, Lane>();

/** Records sales like `recordSales`, together with whatever else waits in the same lane of this process. */
export function recordSalesTogether(context: Context, input: Input): Promise<SaleOutcome[]> {
  const names = namesOf(input.lines);
  const key = `${context.tenantId}/${input.program}/${input.source}/${laneOf(input.lines)}`;
  const lane = lanes.get(key) ?? { queue: [], running: false };
  lanes.set(key, lane);
  return new Promise((done, failed) => {
    lane.queue.push({ context, input, names, documents: new Set(input.lines.map((line) => line.number)).size, done, failed });
    if (!lane.running) void work(key, lane);
  });
}

/** Documents, bases and parties that a call names: two calls that share one are kept apart. */
function namesOf(lines: readonly LineDraft[]): Set<string> {
  const names = new Set<string>();
  for (const line of lines) {
    names.add(`document ${line.number}`);
    if (line.baseNumber !== null) names.add(`document ${line.baseNumber}`);
    for (const party of [line.buyer, line.seller, line.rep, ...(line.shares ?? []).map((share) => share.ref)]) if (party !== null) names.add(party);
  }
  return names;
}

/** One member's sales go to one lane, where they wait in their order instead of for each other's locks: the member who sells to many, if there is one. */
function laneOf(lines: readonly LineDraft[]): number {
  const name = lines[0]?.rep ?? lines[0]?.seller ?? lines[0]?.buyer ?? lines[0]?.number ?? '';
  let hash = 0;
  for (let at = 0; at < name.length; at += 1) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) | 0;
  return Math.abs(hash) % LANES;
}

async function work(key: string, lane: Lane): Promise<void> {
  lane.running = true;
  while (lane.queue.length > 0) await settleBatch(takeBatch(lane));
  lane.running = false;
  lanes.delete(key);
}

/** The calls that can share the next transaction, in their order; the others stay in theirs. */
function takeBatch(lane: Lane): Waiting[] {
  const [taken, left, names]: [Waiting[], Waiting[], Set<string>] = [[], [], new Set()];
  let documents = 0;
  for (const waiting of lane.queue) {
    const fits = taken.length === 0 || (documents + waiting.documents <= BATCH_DOCUMENTS_MAX && names.isDisjointFrom(waiting.names));
    for (const name of waiting.names) names.add(name); // what waits behind one that was left waits too
    if (!fits) { left.push(waiting); continue; }
    taken.push(waiting);
    documents += waiting.documents;
  }
  lane.queue = left;
  return taken;
}

/** A call's own documents, with what their members earned in larger windows said once. */
function answerOf(waiting: Waiting, byNumber: ReadonlyMap<string, SaleOutcome>): SaleOutcome[] {
  const own = [...new Set(waiting.input.lines.map((line) => line.number))].flatMap((number) => byNumber.get(number) ?? []);
  const elsewhere = [...new Map(own.flatMap((outcome) => outcome.elsewhere).map((earned) => [`${earned.member} ${earned.unit}`, earned])).values()];
  return own.map((outcome) => ({ ...outcome, elsewhere }));
}

async function settleBatch(batch: readonly Waiting[]): Promise<void> {
  const [first] = batch;
  if (!first) return;
  if (batch.length > 1) {
    const outcomes = await recordSalesApart(first.context, { ...first.input, lines: batch.flatMap((waiting) => waiting.input.lines) }).catch(() => null);
    if (outcomes) {
      const byNumber = new Map(outcomes.map((outcome) => [outcome.number, outcome]));
      for (const waiting of batch) waiting.done(answerOf(waiting, byNumber));
      return;
    }
  }
  // Alone, or after a batch that one call spoiled: each call stands or falls by itself.
  for (const waiting of batch) await recordSales(waiting.context, waiting.input).then(waiting.done, waiting.failed);
}
