import { sql } from 'kysely';
import { Refusal, isDay, isGtin, must, phrase, type Day } from '@premia/kernel';
import { row, rows, runText, type Tx } from '../../platform/database.ts';
import { columnsOf, keyset, likeOf, paged } from '../../platform/keyset.ts';
import type { Program } from '../members/index.ts';
import { LOCK_PRODUCT_MEMBERS, MOVE_PRODUCT, TOUCH_PRODUCTS, TOUCH_RUN } from './queries.ts';
import type { Recording } from './record-lines.ts';
import { findSource } from './sources.ts';

/** A product and what it is from a day on. `aliases`: by source, the codes under which it comes from there, for lines to come. */
export type ProductDraft = { sku: string; name?: string; gtin?: string; category?: string; brand?: string; groups?: string[]; from?: Day; aliases?: Record<string, string[]> };
export type ProductRow = { sku: string; name: string | null; gtin: string | null; known: boolean; same_as: string | null; category: string | null; brand: string | null; groups: string[]; lines: bigint };
export const PRODUCTS_PER_CALL_MAX = 5_000;

const refused = (index: number, field: string, pl: string, en: string): Refusal => new Refusal('product_malformed', 422, phrase('Nieprawidłowy produkt.', 'Not a valid product.'), [{ pointer: `/${index}/${field}`, code: 'product_malformed', message: phrase(pl, en) }]);

/** Makes or classifies products, and touches the facts that a changed classification may move. Without `from` it holds from the beginning. */
export async function saveProducts(tx: Tx, tenantId: bigint, program: Program, drafts: readonly ProductDraft[]): Promise<number> {
  if (drafts.length > PRODUCTS_PER_CALL_MAX) throw new Refusal('too_many_products', 413, phrase(`Najwyżej ${PRODUCTS_PER_CALL_MAX} produktów naraz.`, `At most ${PRODUCTS_PER_CALL_MAX} products at a time.`));
  let changed = 0;
  for (const [index, draft] of drafts.entries()) {
    if (draft.gtin !== undefined && !isGtin(draft.gtin)) throw refused(index, 'gtin', `nieprawidłowy GTIN „${draft.gtin}”`, `not a valid GTIN: “${draft.gtin}”`);
    if (draft.from !== undefined && !isDay(draft.from)) throw refused(index, 'from', 'data', 'date');
    const product = must(await row<{ product_id: bigint }>(tx, sql`INSERT INTO facts.product (tenant_id, program_id, sku, name, gtin, known) VALUES (${tenantId}, ${program.programId}, ${draft.sku}, ${draft.name ?? null}, ${draft.gtin ?? null}, true)
      ON CONFLICT (tenant_id, program_id, sku) DO UPDATE SET name = COALESCE(excluded.name, facts.product.name), gtin = COALESCE(excluded.gtin, facts.product.gtin), known = true RETURNING product_id`), 'product').product_id;
    await saveAliases(tx, tenantId, program, index, product, draft.aliases ?? {});
    const from = draft.from ?? '-infinity';
    const same = await rows(tx, sql`SELECT 1 FROM (SELECT category, brand, groups FROM facts.product_class WHERE program_id = ${program.programId} AND product_id = ${product} AND valid_from <= ${from}::date AND valid_to > ${from}::date ORDER BY valid_from DESC, recorded_seq DESC LIMIT 1) AS c
      WHERE (c.category, c.brand, c.groups) IS NOT DISTINCT FROM (${draft.category ?? null}::text, ${draft.brand ?? null}::text, ${draft.groups ?? []}::text[])`);
    if (same.length > 0) continue;
    await sql`INSERT INTO facts.product_class (tenant_id, program_id, product_id, valid_from, category, brand, groups) VALUES (${tenantId}, ${program.programId}, ${product}, ${from}::date, ${draft.category ?? null}, ${draft.brand ?? null}, ${draft.groups ?? []})`.execute(tx);
    await runText(tx, LOCK_PRODUCT_MEMBERS, [tenantId, program.programId, [product]]);
    await runText(tx, TOUCH_PRODUCTS, [tenantId, program.programId, [product], from]);
    changed += 1;
  }
  return changed;
}

/** A code of one source means one product. What was recorded under it before stays: mapping the past is `mapProduct`. */
async function saveAliases(tx: Tx, tenantId: bigint, program: Program, index: number, productId: bigint, aliases: Record<string, string[]>): Promise<void> {
  for (const [key, codes] of Object.entries(aliases)) {
    const source = await findSource(tx, program, key);
    for (const code of codes) {
      await sql`INSERT INTO facts.product_alias (tenant_id, program_id, source_id, code, product_id) VALUES (${tenantId}, ${program.programId}, ${source.sourceId}, ${code}, ${productId}) ON CONFLICT DO NOTHING`.execute(tx);
      const owner = await row<{ product_id: bigint }>(tx, sql`SELECT product_id FROM facts.product_alias WHERE program_id = ${program.programId} AND source_id = ${source.sourceId} AND code = ${code}`);
      if (owner?.product_id !== productId) throw refused(index, `aliases/${key}`, `kod „${code}” oznacza tam już inny produkt`, `“${code}” means another product there already`);
    }
  }
}

const SORTED = columnsOf('listed', { sku: 'text', name: 'text', category: 'text', brand: 'text', lines: 'number' });

/** Products by code, or as asked; `unknown` narrows to codes that came in sales and nobody has classified or mapped. */
export async function listProducts(tx: Tx, program: Program, page: { unknown?: boolean; search?: string; sort?: string; after?: string; limit: number }): Promise<{ rows: ProductRow[]; next: string | null }> {
  const like = likeOf(page.search);
  const { beyond, order, cursor } = keyset<ProductRow>(SORTED, 'sku', page);
  const lines = sql`(SELECT count(*) FROM facts.line AS l WHERE l.tenant_id = p.tenant_id AND l.program_id = p.program_id AND l.product_id = p.product_id)`;
  // Lines are counted for the page alone, unless the list is sorted by them.
  const byLines = /^-?lines$/.test(page.sort ?? '');
  const found = await rows<ProductRow>(tx, sql`SELECT listed.sku, listed.name, listed.gtin, listed.known, listed.same_as, listed.category, listed.brand, listed.groups, ${byLines ? sql`listed.lines` : sql`(SELECT count(*) FROM facts.line AS l WHERE l.tenant_id = listed.tenant_id AND l.program_id = ${program.programId} AND l.product_id = listed.product_id) AS lines`} FROM (
      SELECT p.tenant_id, p.product_id, p.sku, p.name, p.gtin, p.known, s.sku AS same_as, c.category, c.brand, COALESCE(c.groups, '{}') AS groups${byLines ? sql`, ${lines} AS lines` : sql``} FROM facts.product AS p
      LEFT JOIN facts.product AS s ON s.tenant_id = p.tenant_id AND s.program_id = p.program_id AND s.product_id = p.same_as
      LEFT JOIN LATERAL (SELECT category, brand, groups FROM facts.product_class AS c WHERE c.tenant_id = p.tenant_id AND c.program_id = p.program_id AND c.product_id = p.product_id ORDER BY c.valid_from DESC, c.recorded_seq DESC LIMIT 1) AS c ON TRUE
      WHERE p.program_id = ${program.programId} AND (NOT ${page.unknown ?? false}::boolean OR (NOT p.known AND p.same_as IS NULL)) AND (${like}::text IS NULL OR p.sku ILIKE ${like} OR p.name ILIKE ${like} OR p.gtin ILIKE ${like})
    ) AS listed WHERE ${beyond} ORDER BY ${order} LIMIT ${page.limit + 1}`);
  return paged(found, page.limit, cursor);
}

/** Says that an unknown code is a known product: lines to come are recorded under it, and what was credited before moves by minus and plus facts. */
export async function mapProduct(tx: Tx, recording: Omit<Recording, 'source'>, given: { code: string; product: string }): Promise<void> {
  const { tenantId, program, recordedSeq } = recording;
  const products = await rows<{ product_id: bigint; sku: string; known: boolean; same_as: bigint | null }>(tx, sql`SELECT product_id, sku, known, same_as FROM facts.product WHERE program_id = ${program.programId} AND sku IN (${given.code}, ${given.product})`);
  const [from, to] = [given.code, given.product].map((sku) => products.find((product) => product.sku === sku));
  if (!from || !to) throw new Refusal('product_not_found', 404, phrase(`Nie ma produktu „${from ? given.product : given.code}”.`, `There is no product “${from ? given.product : given.code}”.`));
  if (from.product_id === to.product_id || to.same_as !== null || from.known) throw new Refusal('product_not_mappable', 422, phrase('Mapuje się nieznany kod na znany produkt, który sam nie jest zmapowany.', 'An unknown code is mapped to a known product that is not mapped itself.'));
  await runText(tx, LOCK_PRODUCT_MEMBERS, [tenantId, program.programId, [from.product_id]]);
  const members = await rows<{ member_id: bigint }>(tx, sql`SELECT DISTINCT member_id FROM facts.fact WHERE program_id = ${program.programId} AND product_id = ${from.product_id}`);
  await sql`UPDATE facts.product SET same_as = ${to.product_id} WHERE program_id = ${program.programId} AND product_id = ${from.product_id}`.execute(tx);
  await runText(tx, MOVE_PRODUCT, [tenantId, program.programId, from.product_id, to.product_id, recordedSeq]);
  await runText(tx, TOUCH_RUN, [tenantId, program.programId, recordedSeq, members.map((item) => item.member_id)]);
}
