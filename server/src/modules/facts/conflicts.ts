import { sql } from 'kysely';
import { Refusal, must, phrase, type Day } from '@premia/kernel';
import { row, rows, runText, type Tx } from '../../platform/database.ts';
import type { Program } from '../members/index.ts';
import { LINE_OF_ITS_OWN } from './queries.ts';
import { recordLines, type Recording } from './record-lines.ts';
import type { Source } from './source-settings.ts';

/** A line as pg_temp.incoming holds it; amounts are whole numbers of the smallest units. */
type StoredLine = {
  line_key: string; content_hash: string; occurred_at: string | null; hour: number | null; product_code: string | null; product_name: string | null; quantity_milli: string; net_minor: string; gross_minor: string | null;
  original: unknown; buyer: string | null; seller: string | null; rep: string | null; shares: unknown; channel: string | null; attributes: unknown; base_line_key: string | null;
};
type SentLine = StoredLine & { kind: string; occurred_on: Day; currency: string; base_number: string | null };
export type ConflictLine = { line: string; product: string | null; quantity_milli: bigint; net_minor: bigint; buyer: string | null; seller: string | null; rep: string | null };
export type Conflict = { conflictId: bigint; source: string; number: string; state: string; recorded: { kind: string; occurred_on: Day; currency: string; lines: ConflictLine[] }; sent: { kind: string; occurred_on: Day; currency: string; lines: ConflictLine[] } };

type ConflictRow = { conflict_id: bigint; source_id: bigint; source: string; number: string; state: string; sent: SentLine[] };

/** Documents that came again changed: what is recorded and what was sent, side by side. */
export async function listConflicts(tx: Tx, program: Program, page: { state?: string; after?: bigint; limit: number }): Promise<Conflict[]> {
  const found = await rows<ConflictRow>(tx, sql`SELECT c.conflict_id, c.source_id, s.key AS source, c.number, c.state, c.sent FROM facts.conflict AS c JOIN facts.source AS s ON s.tenant_id = c.tenant_id AND s.program_id = c.program_id AND s.source_id = c.source_id
    WHERE c.program_id = ${program.programId} AND (${page.state ?? null}::text IS NULL OR c.state = ${page.state ?? null}) AND c.conflict_id > ${page.after ?? 0n} ORDER BY c.conflict_id LIMIT ${page.limit}`);
  const shown: Conflict[] = [];
  for (const conflict of found) {
    const document = must(await findDocument(tx, program, conflict.source_id, conflict.number), 'document');
    const lines = await effectiveLines(tx, program, conflict.source_id, document, conflict.conflict_id);
    const [first] = conflict.sent;
    shown.push({
      conflictId: conflict.conflict_id, source: conflict.source, number: conflict.number, state: conflict.state,
      recorded: { kind: document.kind, occurred_on: document.occurred_on, currency: document.currency, lines: lines.map(({ line }) => shownLine(line)) },
      sent: { kind: first?.kind ?? '', occurred_on: first?.occurred_on ?? '', currency: first?.currency ?? '', lines: conflict.sent.map(shownLine) },
    });
  }
  return shown;
}

const shownLine = (line: StoredLine): ConflictLine => ({ line: line.line_key.replace(/^[nc]:/, ''), product: line.product_code, quantity_milli: BigInt(line.quantity_milli), net_minor: BigInt(line.net_minor), buyer: line.buyer, seller: line.seller, rep: line.rep });

type DocumentRow = { document_id: bigint; kind: string; occurred_on: Day; currency: string; base_number: string | null };
const findDocument = (tx: Tx, program: Program, sourceId: bigint, number: string): Promise<DocumentRow | undefined> => row<DocumentRow>(tx, sql`SELECT document_id, kind, occurred_on, currency, base_number FROM facts.document WHERE program_id = ${program.programId} AND source_id = ${sourceId} AND number = ${number}`);

/** A document's lines as they stand after the changes accepted so far: each with the key under which it is recorded. */
async function effectiveLines(tx: Tx, program: Program, sourceId: bigint, document: DocumentRow, before: bigint): Promise<{ line: StoredLine; recordedKey: string }[]> {
  const original = await rows<StoredLine>(tx, sql`SELECT l.line_key, l.content_hash, l.occurred_at::text AS occurred_at, l.hour, p.sku AS product_code, p.name AS product_name, l.quantity_milli::text AS quantity_milli, l.net_minor::text AS net_minor, l.gross_minor::text AS gross_minor,
      l.original, l.buyer, l.seller, l.rep, l.shares, l.channel, l.attributes, l.base_line_key FROM facts.line AS l LEFT JOIN facts.product AS p ON p.tenant_id = l.tenant_id AND p.program_id = l.program_id AND p.product_id = l.product_id
    WHERE l.program_id = ${program.programId} AND l.document_id = ${document.document_id} ORDER BY l.line_id`);
  const standing = new Map(original.map((line) => [line.line_key, { line, recordedKey: line.line_key }]));
  const number = await row<{ number: string }>(tx, sql`SELECT number FROM facts.document WHERE program_id = ${program.programId} AND document_id = ${document.document_id}`);
  const accepted = await rows<{ conflict_id: bigint; sent: SentLine[]; whole: boolean }>(tx, sql`SELECT c.conflict_id, c.sent, COALESCE(s.settings ->> 'documents', 'lines') = 'whole' AS whole FROM facts.conflict AS c JOIN facts.source AS s ON s.tenant_id = c.tenant_id AND s.program_id = c.program_id AND s.source_id = c.source_id
    WHERE c.program_id = ${program.programId} AND c.source_id = ${sourceId} AND c.number = ${number?.number ?? ''} AND c.state = 'accepted' AND c.conflict_id < ${before} ORDER BY c.conflict_id`);
  for (const change of accepted) {
    const sent = new Map(change.sent.map((line) => [line.line_key, line]));
    if (change.whole) for (const key of standing.keys()) if (!sent.has(key)) standing.delete(key);
    for (const [key, line] of sent) if (standing.get(key)?.line.content_hash !== line.content_hash) standing.set(key, { line, recordedKey: `${key}~${change.conflict_id}` });
  }
  return [...standing.values()];
}

export type ConflictDecision = { conflictId: bigint; decision: 'keep' | 'accept'; reason: string; principal: string };

async function openConflict(tx: Tx, program: Program, conflictId: bigint): Promise<ConflictRow> {
  const found = await row<ConflictRow>(tx, sql`SELECT c.conflict_id, c.source_id, s.key AS source, c.number, c.state, c.sent FROM facts.conflict AS c JOIN facts.source AS s ON s.tenant_id = c.tenant_id AND s.program_id = c.program_id AND s.source_id = c.source_id
    WHERE c.program_id = ${program.programId} AND c.conflict_id = ${conflictId}`);
  if (!found) throw new Refusal('conflict_not_found', 404, phrase('Nie ma takiego konfliktu.', 'There is no such conflict.'));
  if (found.state !== 'open') throw new Refusal('conflict_not_open', 409, phrase('Ten konflikt jest już rozstrzygnięty.', 'This conflict is decided already.'));
  return found;
}

/** Which source a conflict is of. */
export const sourceOfConflict = async (tx: Tx, program: Program, conflictId: bigint): Promise<string> => (await openConflict(tx, program, conflictId)).source;

/**
 * Decides a conflict, once. Kept: what is recorded stands. Accepted: a linked correction takes back the lines that changed and records them
 * as they came, each answering for itself; nothing is overwritten. A document whose date, kind or currency changed cannot be corrected
 * in place and is refused: reverse it at the source.
 */
export async function decideConflict(tx: Tx, recording: Recording, given: ConflictDecision): Promise<void> {
  const { program, source } = recording;
  const conflict = await openConflict(tx, program, given.conflictId);
  const taken = await rows(tx, sql`UPDATE facts.conflict SET state = ${given.decision === 'keep' ? 'kept' : 'accepted'}, reason = ${given.reason}, decided_by = ${given.principal} WHERE program_id = ${program.programId} AND conflict_id = ${given.conflictId} AND state = 'open' RETURNING 1`);
  if (taken.length === 0) throw new Refusal('conflict_not_open', 409, phrase('Ten konflikt jest już rozstrzygnięty.', 'This conflict is decided already.'));
  if (given.decision === 'keep') return;
  const document = must(await findDocument(tx, program, conflict.source_id, conflict.number), 'document');
  const header = conflict.sent[0] as SentLine;
  if (header.kind !== document.kind || header.occurred_on !== document.occurred_on || header.currency !== document.currency || (header.base_number ?? null) !== document.base_number) {
    throw new Refusal('conflict_header', 422, phrase('Zmieniła się data, rodzaj, waluta albo dokument bazowy: takiej zmiany nie da się przyjąć jako korekty. Odwróć dokument u źródła.', 'The date, kind, currency or base changed: this cannot be accepted as a correction. Reverse the document at its source.'));
  }
  const standing = await effectiveLines(tx, program, conflict.source_id, document, conflict.conflict_id);
  await runText(tx, FILL_CHANGE, [JSON.stringify(changeLines(conflict, standing, source, document))]);
  await recordLines(tx, recording);
}

function changeLines(conflict: ConflictRow, standing: { line: StoredLine; recordedKey: string }[], source: Source, document: DocumentRow): unknown[] {
  const sent = new Map(conflict.sent.map((line) => [line.line_key, line]));
  const replaced = standing.filter(({ line }) => { const other = sent.get(line.line_key); return other ? other.content_hash !== line.content_hash : source.settings.documents === 'whole'; });
  const fresh = conflict.sent.filter((line) => !standing.some((item) => item.line.line_key === line.line_key && item.line.content_hash === line.content_hash));
  const head = { number: `${conflict.number}~${conflict.conflict_id}`, kind: 'correction', occurred_on: document.occurred_on, base_number: conflict.number, currency: document.currency };
  const minus = (value: string | null): string | null => (value === null ? null : String(-BigInt(value)));
  return [
    ...replaced.map(({ line, recordedKey }) => ({ ...line, ...head, line_key: `-${recordedKey}`, content_hash: `-${line.content_hash}`, base_line_key: recordedKey, quantity_milli: minus(line.quantity_milli), net_minor: minus(line.net_minor), gross_minor: minus(line.gross_minor) })),
    ...fresh.map((line) => ({ ...line, ...head, line_key: `${line.line_key}~${conflict.conflict_id}`, base_line_key: LINE_OF_ITS_OWN })),
  ].map((line, place) => ({ ...line, place }));
}

const FILL_CHANGE = `
  INSERT INTO pg_temp.incoming (place, number, kind, occurred_on, occurred_at, hour, base_number, base_line_key, line_key, content_hash, product_code, product_name,
    quantity_milli, net_minor, gross_minor, currency, original, buyer, seller, rep, shares, channel, attributes)
  SELECT place, number, kind, occurred_on, occurred_at, hour, base_number, base_line_key, line_key, content_hash, product_code, product_name,
    quantity_milli, net_minor, gross_minor, currency, NULLIF(original, 'null'::jsonb), buyer, seller, rep, NULLIF(shares, 'null'::jsonb), channel, NULLIF(attributes, 'null'::jsonb)
  FROM jsonb_to_recordset($1::jsonb) AS r(place bigint, number text, kind text, occurred_on date, occurred_at timestamptz, hour smallint, base_number text, base_line_key text, line_key text,
    content_hash text, product_code text, product_name text, quantity_milli bigint, net_minor bigint, gross_minor bigint, currency text, original jsonb, buyer text, seller text, rep text,
    shares jsonb, channel text, attributes jsonb)`;
