import { parse } from 'csv-parse/sync';
import { sql } from 'kysely';
import { phrase, type Phrase, type RefusalPlace } from '@premia/kernel';
import type { Context } from '../../platform/context.ts';
import { rows, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import type { Program } from '../members/index.ts';
import { atDesk } from './decide-items.ts';
import { lockItems, moveItem } from './items.ts';
import type { Address } from './place-order.ts';
import { refuse } from './refusals.ts';

export type Shipment = { item: bigint; order: bigint; reward: string; reward_name: Phrase; supplier: string; name: string; street: string; postcode: string; city: string; phone: string };
const SHIPMENTS_PER_FILE_MAX = 2_000;

/** Goods that were approved and are to be sent, with where to: what a supplier needs, and no more. */
export async function listShipments(tx: Tx, context: Context, program: Program, page: { supplier?: string; after: bigint; limit: number }): Promise<Shipment[]> {
  const found = await rows<{ item: bigint; order: bigint; reward: string; reward_name: Phrase; supplier: string; address: Buffer | null }>(tx, sql`SELECT i.item_id AS item, i.order_id AS order, r.key AS reward, r.names AS reward_name, r.supplier, o.address FROM rewards.item AS i JOIN rewards.reward AS r ON r.tenant_id = i.tenant_id AND r.program_id = i.program_id AND r.reward_id = i.reward_id
    JOIN rewards.reward_order AS o ON o.tenant_id = i.tenant_id AND o.program_id = i.program_id AND o.order_id = i.order_id WHERE i.program_id = ${program.programId} AND i.kind = 'goods' AND i.state = 'approved' AND i.item_id > ${page.after} AND (${page.supplier ?? null}::text IS NULL OR r.supplier = ${page.supplier ?? null}) ORDER BY i.item_id LIMIT ${page.limit}`);
  if (found.length > 0) await audit(tx, context, { action: 'shipments.listed', subject: `program:${program.key}`, programId: program.programId, after: { items: found.length } });
  return found.map(({ address, ...item }) => { const to = address ? JSON.parse(context.db.vault.open(context.tenantId, address).toString()) as Address : null; return { ...item, name: to?.name ?? '', street: to?.street ?? '', postcode: to?.postcode ?? '', city: to?.city ?? '', phone: to?.phone ?? '' }; });
}

/** Takes a supplier's answer: what was sent, by whom, under which number. The same file again changes nothing; a fault, and nothing of it is taken. */
export async function importShipments(context: Context, programKey: string, text: string): Promise<{ shipped: number; already: number }> {
  let table: Record<string, string>[];
  try { table = parse(text.replace(/^\uFEFF/, ''), { delimiter: [';', ',', '\t'], columns: (head: string[]) => head.map((name) => name.trim().toLowerCase()), skip_empty_lines: true, trim: true, relax_column_count: true, max_record_size: 5_000 }); } catch (error) { throw refuse('file_malformed', { pl: (error as Error).message, en: (error as Error).message }); }
  if (table.length === 0 || table.length > SHIPMENTS_PER_FILE_MAX || !table.every((row) => ['item', 'carrier', 'tracking'].every((name) => Object.hasOwn(row, name)))) throw refuse('file_malformed', { pl: 'Kolumny: item;carrier;tracking.', en: 'Columns: item;carrier;tracking.' });
  const faults = table.flatMap((row, index): RefusalPlace[] => [...(/^\d{1,18}$/.test(row['item'] ?? '') ? [] : [{ pointer: `/${index + 2}/item`, code: 'malformed', message: phrase('to nie jest numer pozycji', 'this is not a piece’s number') }]), ...((row['carrier'] ?? '') === '' ? [{ pointer: `/${index + 2}/carrier`, code: 'missing', message: phrase('brak przewoźnika', 'no carrier') }] : [])]);
  if (faults.length > 0) throw refuse('file_malformed', undefined, faults.slice(0, 100));
  return atDesk(context, programKey, async (desk) => {
    const told = new Map(table.map((row) => [BigInt(row['item'] as string), row]));
    let already = 0;
    for (const item of await lockItems(desk, [...told.keys()])) {
      const row = told.get(item.itemId) as Record<string, string>;
      if (item.state === 'shipped' && item.tracking === (row['tracking'] || null)) { already += 1; continue; }
      await moveItem(desk, item, 'ship', { carrier: row['carrier'] as string, ...(row['tracking'] ? { tracking: row['tracking'] } : {}) });
    }
    await audit(desk.tx, context, { action: 'shipments.imported', subject: `program:${desk.program.key}`, programId: desk.program.programId, after: { items: told.size, already } });
    return { shipped: told.size - already, already };
  });
}
