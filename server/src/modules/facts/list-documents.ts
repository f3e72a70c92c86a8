import { sql } from 'kysely';
import { Refusal, formatMinor, phrase, printRatio, ratio, type Day } from '@premia/kernel';
import { row, rows, type Tx } from '../../platform/database.ts';
import { keyset, likeOf, paged, type Sortable } from '../../platform/keyset.ts';
import type { Program } from '../members/index.ts';

export type DocumentView = { id: bigint; source: string; number: string; kind: string; occurred_on: Day; currency: string; base: string | null; waiting: boolean; buyer: string | null; rep: string | null; lines: number; net: string };
export type DocumentPage = { search?: string; kind?: string; source?: string; memberId?: bigint; from?: Day; to?: Day; sort?: string; after?: string; limit: number };
type Row = Omit<DocumentView, 'net' | 'id'> & { document_id: bigint; net_minor: bigint };

const shown = (program: Program, { document_id: id, net_minor: net, ...rest }: Row): DocumentView => ({ id, ...rest, net: formatMinor(net, program.currencyScale) });

const COLUMNS = sql`d.document_id, s.key AS source, d.number, d.kind, d.occurred_on, d.currency, d.base_number AS base,
  EXISTS (SELECT 1 FROM facts.waiting AS w WHERE w.tenant_id = d.tenant_id AND w.program_id = d.program_id AND w.document_id = d.document_id) AS waiting, l.buyer, l.rep, COALESCE(l.lines, 0)::int AS lines, COALESCE(l.net_minor, 0)::bigint AS net_minor`;
const FROM = sql`facts.document AS d JOIN facts.source AS s ON s.tenant_id = d.tenant_id AND s.program_id = d.program_id AND s.source_id = d.source_id
  LEFT JOIN LATERAL (SELECT min(l.buyer) AS buyer, min(l.rep) AS rep, count(*) AS lines, sum(l.net_minor) AS net_minor FROM facts.line AS l WHERE l.tenant_id = d.tenant_id AND l.program_id = d.program_id AND l.document_id = d.document_id) AS l ON TRUE`;

const SORTED: Sortable = { id: ['d.document_id', 'number', 'document_id'], number: ['d.number', 'word'], kind: ['d.kind', 'word'], occurred_on: ['d.occurred_on', 'day'], source: ['s.key', 'word'] };

/** Documents by day, newest first, or as asked. */
export async function listDocuments(tx: Tx, program: Program, page: DocumentPage): Promise<{ documents: DocumentView[]; next: string | null }> {
  const { beyond, order, cursor } = keyset<Row>(SORTED, 'id', { sort: page.sort ?? '-occurred_on', after: page.after });
  const like = likeOf(page.search);
  const found = await rows<Row>(tx, sql`SELECT ${COLUMNS} FROM ${FROM} WHERE d.program_id = ${program.programId}
    AND ${beyond} AND (${page.kind ?? null}::text IS NULL OR d.kind = ${page.kind ?? null}) AND (${page.source ?? null}::text IS NULL OR s.key = ${page.source ?? null})
    AND (${page.from ?? null}::date IS NULL OR d.occurred_on >= ${page.from ?? null}::date) AND (${page.to ?? null}::date IS NULL OR d.occurred_on <= ${page.to ?? null}::date)
    AND (${like}::text IS NULL OR d.number ILIKE ${like} OR d.base_number ILIKE ${like})
    AND (${page.memberId ?? null}::bigint IS NULL OR d.document_id IN (SELECT f.document_id FROM facts.fact AS f WHERE f.program_id = ${program.programId} AND f.member_id = ${page.memberId ?? null}::bigint))
    ORDER BY ${order} LIMIT ${page.limit + 1}`);
  const { rows: documents, next } = paged(found, page.limit, cursor);
  return { documents: documents.map((item) => shown(program, item)), next };
}

type Item = { line: string; product: string | null; name: string | null; quantity: string; net: string; gross: string | null; channel: string | null };
export type DocumentCard = DocumentView & { items: Item[]; corrections: DocumentView[]; corrected: DocumentView | null; credited: { member: string; name: string | null; role: string; net: string }[] };

/** One document with its lines, what it corrects and what corrects it, and who was credited with how much of it, corrections apart. */
export async function readDocument(tx: Tx, program: Program, documentId: bigint): Promise<DocumentCard> {
  const one = await row<Row>(tx, sql`SELECT ${COLUMNS} FROM ${FROM} WHERE d.program_id = ${program.programId} AND d.document_id = ${documentId}`);
  if (!one) throw new Refusal('document_not_found', 404, phrase('Nie ma takiego dokumentu.', 'There is no such document.'));
  const head = shown(program, one);
  const money = (minor: bigint): string => formatMinor(minor, program.currencyScale);
  const items = await rows<{ line: string; product: string | null; name: string | null; quantity_milli: bigint; net_minor: bigint; gross_minor: bigint | null; channel: string | null }>(tx, sql`SELECT l.line_key AS line, p.sku AS product, p.name, l.quantity_milli, l.net_minor, l.gross_minor, l.channel FROM facts.line AS l
    LEFT JOIN facts.product AS p ON p.tenant_id = l.tenant_id AND p.program_id = l.program_id AND p.product_id = l.product_id WHERE l.program_id = ${program.programId} AND l.document_id = ${documentId} ORDER BY l.line_id LIMIT 5000`);
  const related = await rows<Row>(tx, sql`SELECT ${COLUMNS} FROM ${FROM} WHERE d.program_id = ${program.programId} AND s.key = ${head.source} AND (d.base_number = ${head.number} OR d.number = ${head.base}) AND d.document_id <> ${documentId} ORDER BY d.occurred_on LIMIT 200`);
  const credited = await rows<{ member: string; name: string | null; role: string; net_minor: bigint }>(tx, sql`SELECT m.code AS member, p.name, f.role, sum(f.net_minor)::bigint AS net_minor FROM facts.fact AS f JOIN members.member AS m ON m.tenant_id = f.tenant_id AND m.program_id = f.program_id AND m.member_id = f.member_id
    LEFT JOIN members.person AS p ON p.tenant_id = f.tenant_id AND p.program_id = f.program_id AND p.member_id = f.member_id WHERE f.program_id = ${program.programId} AND f.document_id = ${documentId} GROUP BY 1, 2, 3 HAVING sum(f.sign) <> 0 OR sum(f.net_minor) <> 0 ORDER BY 3, 1`);
  return {
    ...head, items: items.map((item) => ({ line: item.line, product: item.product, name: item.name, quantity: printRatio(ratio(item.quantity_milli, 1_000n)), net: money(item.net_minor), gross: item.gross_minor === null ? null : money(item.gross_minor), channel: item.channel })),
    corrections: related.filter((item) => item.base === head.number).map((item) => shown(program, item)), corrected: related.filter((item) => item.number === head.base).map((item) => shown(program, item))[0] ?? null,
    credited: credited.map((item) => ({ member: item.member, name: item.name, role: item.role, net: money(item.net_minor) })),
  };
}
