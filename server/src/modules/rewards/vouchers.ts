import { parse } from 'csv-parse/sync';
import { sql } from 'kysely';
import { isDay, phrase, type Day, type RefusalPlace } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { keyset, likeOf, paged, type Sortable } from '../../platform/keyset.ts';
import { audit } from '../identity/index.ts';
import type { Program } from '../members/index.ts';
import { refuse } from './refusals.ts';
import { freeCodes, type Reward } from './reward.ts';

export const CODES_PER_FILE_MAX = 20_000;
const CODE_CHARS_MAX = 200;

/** Takes a file of codes into a pool: `code;valid_to`, one a row. A fault or a code that is there already, in the file or in the pool, and nothing is taken. */
export async function importCodes(tx: Tx, context: Context, program: Program, reward: Reward, given: { lot: string; text: string }): Promise<number> {
  let table: string[][];
  try { table = parse(given.text.replace(/^\uFEFF/, ''), { delimiter: [';', ',', '\t'], relax_column_count: true, skip_empty_lines: true, trim: true, max_record_size: 1_000 }); } catch (error) { throw refuse('file_malformed', { pl: (error as Error).message, en: (error as Error).message }); }
  const body = table[0]?.[0]?.toLowerCase() === 'code' ? table.slice(1) : table;
  if (body.length === 0 || body.length > CODES_PER_FILE_MAX) throw refuse('file_malformed', { pl: `Kodów: ${body.length}, może być od 1 do ${CODES_PER_FILE_MAX}.`, en: `Codes: ${body.length}; 1 to ${CODES_PER_FILE_MAX} are possible.` });
  const faults: RefusalPlace[] = [];
  const seen = new Set<string>();
  const first = table.length - body.length + 1;
  for (const [index, [code = '', validTo = '']] of body.entries()) {
    const fault = (kind: string, pl: string, en: string): void => { faults.push({ pointer: `/${index + first}`, code: kind, message: phrase(pl, en) }); };
    if (code === '' || code.length > CODE_CHARS_MAX) fault('code_malformed', 'brak kodu albo za długi', 'no code, or too long');
    if (validTo !== '' && !isDay(validTo)) fault('date_malformed', 'nie ma takiego dnia', 'there is no such day');
    if (seen.has(code)) fault('code_twice', 'ten kod jest w pliku dwa razy', 'this code is in the file twice');
    seen.add(code);
  }
  if (faults.length > 0) throw refuse('file_malformed', undefined, faults.slice(0, 100));
  const { vault } = context.db;
  const marks = body.map(([code = '']) => vault.mark(context.tenantId, 'voucher', code));
  const made = await rows<{ code_mark: Buffer }>(tx, sql`INSERT INTO rewards.voucher (tenant_id, program_id, reward_id, code, code_mark, lot, valid_to)
    SELECT ${context.tenantId}, ${program.programId}, ${reward.rewardId}, c.code, c.mark, ${given.lot}, c.valid_to FROM unnest(${body.map(([code = '']) => vault.seal(context.tenantId, code))}::bytea[], ${marks}::bytea[], ${body.map(([, validTo = '']) => validTo || 'infinity')}::date[]) AS c(code, mark, valid_to) ON CONFLICT DO NOTHING RETURNING code_mark`);
  if (made.length < body.length) {
    const taken = new Set(made.map((item) => item.code_mark.toString('hex')));
    const known = marks.flatMap((mark, index) => (taken.has(mark.toString('hex')) ? [] : [{ pointer: `/${index + first}`, code: 'code_known', message: phrase('ten kod już jest w puli', 'this code is in the pool already') }]));
    throw refuse('code_known', undefined, known.slice(0, 100));
  }
  await audit(tx, context, { action: 'codes.imported', subject: `reward:${reward.key}`, programId: program.programId, after: { lot: given.lot, codes: body.length } });
  return body.length;
}

/** Sets one code aside for an item: the one that ends first, of those that last long enough. Two who ask at once never get the same; who finds none is told so. */
export async function reserveCode(tx: Tx, program: Program, reward: Reward, itemId: bigint, on: Day): Promise<boolean> {
  const taken = await rows<{ voucher_id: bigint }>(tx, sql`UPDATE rewards.voucher SET state = 'reserved', item_id = ${itemId} WHERE program_id = ${program.programId} AND voucher_id = (
    SELECT v.voucher_id FROM rewards.reward AS r, ${freeCodes(on)} AND r.program_id = ${program.programId} AND r.reward_id = ${reward.rewardId} ORDER BY v.valid_to, v.voucher_id LIMIT 1 FOR UPDATE OF v SKIP LOCKED) RETURNING voucher_id`);
  return taken.length > 0;
}

/** A code set aside goes back to the pool; one that was issued, and may have been seen, is void. */
export async function releaseCode(tx: Tx, program: Program, itemId: bigint): Promise<void> {
  await sql`UPDATE rewards.voucher SET state = CASE state WHEN 'reserved' THEN 'available' ELSE 'void' END, item_id = CASE state WHEN 'reserved' THEN NULL ELSE item_id END WHERE program_id = ${program.programId} AND item_id = ${itemId} AND state IN ('reserved', 'issued')`.execute(tx);
}

export async function issueCode(tx: Tx, program: Program, itemId: bigint): Promise<void> {
  if ((await rows<{ n: bigint }>(tx, sql`UPDATE rewards.voucher SET state = 'issued' WHERE program_id = ${program.programId} AND item_id = ${itemId} AND state = 'reserved' RETURNING voucher_id AS n`)).length === 0) throw refuse('out_of_stock');
}

/** Gives another code for an item whose code did not work: the old one is void, and both are in the audit. */
export async function replaceCode(tx: Tx, context: Context, program: Program, reward: Reward, given: { itemId: bigint; reason: string; on: Day }): Promise<void> {
  const old = await row<{ voucher_id: bigint }>(tx, sql`UPDATE rewards.voucher SET state = 'void' WHERE program_id = ${program.programId} AND item_id = ${given.itemId} AND state = 'issued' RETURNING voucher_id`);
  if (!old) throw refuse('code_not_ready');
  if (!(await reserveCode(tx, program, reward, given.itemId, given.on))) throw refuse('out_of_stock');
  await issueCode(tx, program, given.itemId);
  await audit(tx, context, { action: 'code.replaced', subject: `item:${given.itemId}`, programId: program.programId, before: { voucher: old.voucher_id }, after: { reason: given.reason } });
}

/** Opens an issued code for its member. Every look is in the audit; the code itself never is. */
export async function revealCode(tx: Tx, context: Context, program: Program, itemId: bigint): Promise<{ code: string; validTo: string }> {
  const found = await row<{ voucher_id: bigint; code: Buffer; valid_to: string; revealed_at: Date | null }>(tx, sql`SELECT voucher_id, code, valid_to::text AS valid_to, revealed_at FROM rewards.voucher WHERE program_id = ${program.programId} AND item_id = ${itemId} AND state = 'issued'`);
  if (!found) throw refuse('code_not_ready');
  if (found.revealed_at === null) await sql`UPDATE rewards.voucher SET revealed_at = ${instant(context)} WHERE program_id = ${program.programId} AND voucher_id = ${found.voucher_id}`.execute(tx);
  await audit(tx, context, { action: 'code.revealed', subject: `item:${itemId}`, programId: program.programId, after: { voucher: found.voucher_id } });
  return { code: context.db.vault.open(context.tenantId, found.code).toString(), validTo: found.valid_to };
}

export async function voidCode(tx: Tx, context: Context, program: Program, voucherId: bigint, reason: string): Promise<void> {
  if ((await rows<{ voucher_id: bigint }>(tx, sql`UPDATE rewards.voucher SET state = 'void' WHERE program_id = ${program.programId} AND voucher_id = ${voucherId} AND state = 'available' RETURNING voucher_id`)).length === 0) throw refuse('code_not_ready');
  await audit(tx, context, { action: 'code.voided', subject: `voucher:${voucherId}`, programId: program.programId, after: { reason } });
}

export type PoolRow = { voucher_id: bigint; lot: string; valid_to: string; state: string; item_id: bigint | null; revealed_at: Date | null };
const SORTED: Sortable = { id: ['voucher_id', 'number', 'voucher_id'], lot: ['lot', 'word'], valid_to: ['valid_to', 'day'], state: ['state', 'word'], item: ['item_id', 'number', 'item_id'] };

/** The codes of a pool in the order in which they came, or another. `search` is a lot, or the number of a piece that has one. */
export async function listCodes(tx: Tx, program: Program, reward: Reward, page: { state?: string; search?: string; sort?: string; after?: string; limit: number }): Promise<{ rows: PoolRow[]; next: string | null }> {
  const { beyond, order, cursor } = keyset<PoolRow>(SORTED, 'id', page);
  const found = await rows<PoolRow>(tx, sql`SELECT voucher_id, lot, valid_to::text AS valid_to, state, item_id, revealed_at FROM rewards.voucher WHERE program_id = ${program.programId} AND reward_id = ${reward.rewardId}
    AND (${page.state ?? null}::text IS NULL OR state = ${page.state ?? null}) AND (${page.search ?? null}::text IS NULL OR lot ILIKE ${likeOf(page.search)} OR item_id::text = ${page.search ?? null}) AND ${beyond} ORDER BY ${order} LIMIT ${page.limit + 1}`);
  return paged(found, page.limit, cursor);
}
