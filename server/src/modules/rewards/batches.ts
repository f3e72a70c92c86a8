import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { must, phrase, type Day, type RefusalPlace } from '@premia/kernel';
import { crashPoint } from '../../platform/crash-point.ts';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { keyset, likeOf, paged, type Sortable } from '../../platform/keyset.ts';
import { audit } from '../identity/index.ts';
import type { Program } from '../members/index.ts';
import { openAccount } from './accounts.ts';
import { cardOf } from './cards.ts';
import { atDesk } from './decide-items.ts';
import { elixirFile } from './files/elixir.ts';
import { painFile } from './files/pain.ts';
import { readStatusFile, topupFile, type StatusRow } from './files/topup.ts';
import { externalIdOf, lockItems, moveHeld, moveItem, type Desk, type Item } from './items.ts';
import { refuse } from './refusals.ts';

export const BATCH_ITEMS_MAX = 2_000;
export type Rail = 'prepaid' | 'transfer';
export type Format = 'topup' | 'elixir0' | 'pain001';
export type Batch = { batchId: bigint; rail: Rail; format: Format; state: 'proposed' | 'approved' | 'exported' | 'closed' | 'cancelled'; executeOn: Day; items: number; total: bigint; proposedBy: string; approvedBy: string | null; exportedBy: string | null; fileName: string | null; sha256: string | null; proposedAt: Date; exportedAt: Date | null };
export type BatchLine = { itemId: bigint; line: number; amount: bigint; live: boolean; outcome: 'loaded' | 'rejected' | 'taken_out' | null; providerRef: string | null; reason: string | null; member: string; name: string | null };

const columns = sql`batch_id AS "batchId", rail, format, state, execute_on AS "executeOn", items, total_minor AS total, proposed_by AS "proposedBy", approved_by AS "approvedBy", exported_by AS "exportedBy", file_name AS "fileName", sha256, proposed_at AS "proposedAt", exported_at AS "exportedAt"`;
const FORMATS: Record<Rail, readonly Format[]> = { prepaid: ['topup'], transfer: ['elixir0', 'pain001'] };

const SORTED: Sortable = { id: ['batch_id', 'number', 'batchId'], rail: ['rail', 'word'], format: ['format', 'word'], state: ['state', 'word'], execute_on: ['execute_on', 'day', 'executeOn'], items: ['items', 'number'], total: ['total_minor', 'number', 'total'] };

/** Batches, newest first or as asked. `search` is a batch's number or part of its file's name. */
export async function listBatches(tx: Tx, program: Program, page: { state?: string; search?: string; sort?: string; after?: string; limit: number }): Promise<{ rows: Batch[]; next: string | null }> {
  const { beyond, order, cursor } = keyset<Batch>(SORTED, 'id', { sort: page.sort ?? '-id', after: page.after });
  const found = await rows<Batch>(tx, sql`SELECT ${columns} FROM rewards.batch WHERE program_id = ${program.programId} AND (${page.state ?? null}::text IS NULL OR state = ${page.state ?? null})
    AND (${page.search ?? null}::text IS NULL OR batch_id::text = ${page.search ?? null} OR file_name ILIKE ${likeOf(page.search)}) AND ${beyond} ORDER BY ${order} LIMIT ${page.limit + 1}`);
  return paged(found, page.limit, cursor);
}

export async function findBatch(tx: Tx, program: Program, batchId: bigint): Promise<Batch> {
  const found = await row<Batch>(tx, sql`SELECT ${columns} FROM rewards.batch WHERE program_id = ${program.programId} AND batch_id = ${batchId}`);
  if (!found) throw refuse('batch_not_found');
  return found;
}
export const linesOfBatch = (tx: Tx, program: Program, batchId: bigint): Promise<BatchLine[]> => rows<BatchLine>(tx, sql`SELECT b.item_id AS "itemId", b.line, b.amount_minor AS amount, b.live, b.outcome, b.provider_ref AS "providerRef", b.reason, m.code AS member, p.name FROM rewards.batch_item AS b JOIN rewards.item AS i ON i.tenant_id = b.tenant_id AND i.program_id = b.program_id AND i.item_id = b.item_id
  JOIN members.member AS m ON m.tenant_id = i.tenant_id AND m.program_id = i.program_id AND m.member_id = i.member_id LEFT JOIN members.person AS p ON p.tenant_id = m.tenant_id AND p.program_id = m.program_id AND p.member_id = m.member_id WHERE b.program_id = ${program.programId} AND b.batch_id = ${batchId} ORDER BY b.line`);

/** Locks a batch and holds it to the states in which this may be done. */
async function lockBatch({ tx, program }: Desk, batchId: bigint, states: readonly Batch['state'][]): Promise<Batch> {
  const found = await row<Batch>(tx, sql`SELECT ${columns} FROM rewards.batch WHERE program_id = ${program.programId} AND batch_id = ${batchId} FOR UPDATE`);
  if (!found) throw refuse('batch_not_found');
  if (!states.includes(found.state)) throw refuse('batch_not_open');
  return found;
}

/** Puts approved payouts of one kind into a batch, the longest waiting first. An item is in one live batch at most: the database holds that. */
export async function proposeBatch(context: Context, programKey: string, given: { rail: Rail; format: Format; executeOn: Day }): Promise<bigint> {
  return atDesk(context, programKey, async (desk) => {
    const { tx, program } = desk;
    if (!FORMATS[given.rail].includes(given.format)) throw refuse('nothing_to_pay');
    const waiting = await rows<{ id: bigint }>(tx, sql`SELECT i.item_id AS id FROM rewards.item AS i JOIN rewards.reward AS r ON r.tenant_id = i.tenant_id AND r.program_id = i.program_id AND r.reward_id = i.reward_id WHERE i.program_id = ${program.programId} AND i.kind = ${given.rail} AND i.state = 'approved' AND r.provider IS NULL ORDER BY i.item_id LIMIT ${BATCH_ITEMS_MAX}`);
    const items = (await lockItems(desk, waiting.map((item) => item.id))).filter((item) => item.state === 'approved'); // those that another batch took meanwhile are its own
    if (items.length === 0) throw refuse('nothing_to_pay');
    const { batch_id: batchId } = must(await row<{ batch_id: bigint }>(tx, sql`INSERT INTO rewards.batch (tenant_id, program_id, rail, format, state, execute_on, items, total_minor, proposed_by, proposed_at) VALUES (${context.tenantId}, ${program.programId}, ${given.rail}, ${given.format}, 'proposed', ${given.executeOn}, 0, 0, ${context.principal}, ${instant(context)}) RETURNING batch_id`), 'batch');
    await sql`INSERT INTO rewards.batch_item (tenant_id, program_id, batch_id, item_id, line, amount_minor) SELECT t.tenant_id, t.program_id, ${batchId}, t.item_id, row_number() OVER (ORDER BY t.item_id), t.pay_minor FROM rewards.item_tax AS t WHERE t.program_id = ${program.programId} AND t.item_id = ANY(${items.map((item) => String(item.itemId))}::bigint[])`.execute(tx);
    const made = must(await row<{ items: number; total: bigint }>(tx, sql`UPDATE rewards.batch AS b SET items = s.n, total_minor = s.total FROM (SELECT count(*)::int AS n, sum(amount_minor)::bigint AS total FROM rewards.batch_item WHERE program_id = ${program.programId} AND batch_id = ${batchId}) AS s WHERE b.program_id = ${program.programId} AND b.batch_id = ${batchId} RETURNING b.items, b.total_minor AS total`), 'batch');
    if (made.items !== items.length) throw new Error('an approved payout without its tax');
    await moveHeld(desk, items, 'batch');
    await audit(tx, context, { action: 'batch.proposed', subject: `batch:${batchId}`, programId: program.programId, after: { ...given, ...made } });
    return batchId;
  });
}

/** Another person than the one who made it approves a batch: its count and sum. */
export async function approveBatch(context: Context, programKey: string, batchId: bigint): Promise<void> {
  await atDesk(context, programKey, async (desk) => {
    const batch = await lockBatch(desk, batchId, ['proposed']);
    if (desk.program.settings.four_eyes.payouts && batch.proposedBy === context.principal) throw refuse('second_person_needed');
    await assertUnchanged(desk, batch);
    await sql`UPDATE rewards.batch SET state = 'approved', approved_by = ${context.principal}, approved_at = ${instant(context)} WHERE program_id = ${desk.program.programId} AND batch_id = ${batchId}`.execute(desk.tx);
    await audit(desk.tx, context, { action: 'batch.approved', subject: `batch:${batchId}`, programId: desk.program.programId, after: { items: batch.items, total: batch.total } });
  });
}

async function liveIds({ tx, program }: Desk, batchId: bigint): Promise<bigint[]> {
  return (await rows<{ id: bigint }>(tx, sql`SELECT item_id AS id FROM rewards.batch_item WHERE program_id = ${program.programId} AND batch_id = ${batchId} AND live ORDER BY line`)).map((item) => item.id);
}

/** What was approved is what goes out: same lines, same sum. */
async function assertUnchanged({ tx, program }: Desk, batch: Batch): Promise<void> {
  const now = must(await row<{ n: number; total: bigint }>(tx, sql`SELECT count(*)::int AS n, COALESCE(sum(amount_minor), 0)::bigint AS total FROM rewards.batch_item WHERE program_id = ${program.programId} AND batch_id = ${batch.batchId} AND live`), 'sum');
  if (now.n !== batch.items || now.total !== batch.total) throw refuse('batch_changed');
}

/** Gives a batch up before it was handed over: its items wait for another. */
export async function cancelBatch(context: Context, programKey: string, batchId: bigint): Promise<void> {
  await atDesk(context, programKey, async (desk) => {
    await lockBatch(desk, batchId, ['proposed', 'approved']);
    const items = await lockItems(desk, await liveIds(desk, batchId));
    await moveHeld(desk, items, 'unbatch');
    await sql`UPDATE rewards.batch_item SET live = false, outcome = 'taken_out' WHERE program_id = ${desk.program.programId} AND batch_id = ${batchId} AND live`.execute(desk.tx);
    await sql`UPDATE rewards.batch SET state = 'cancelled' WHERE program_id = ${desk.program.programId} AND batch_id = ${batchId}`.execute(desk.tx);
    await audit(desk.tx, context, { action: 'batch.cancelled', subject: `batch:${batchId}`, programId: desk.program.programId });
  });
}

/** A third person makes the file. It is written once, kept sealed with its hash, and any later download gives the same bytes. */
export async function exportBatch(context: Context, programKey: string, batchId: bigint): Promise<{ sha256: string; fileName: string; bytes: number }> {
  return atDesk(context, programKey, async (desk) => {
    const batch = await lockBatch(desk, batchId, ['approved']);
    const { principal } = context;
    if (desk.program.settings.four_eyes.payouts && (batch.proposedBy === principal || batch.approvedBy === principal)) throw refuse('second_person_needed');
    await assertUnchanged(desk, batch);
    const items = await lockItems(desk, await liveIds(desk, batchId));
    const { bytes, fileName } = await fileOf(desk, batch, items);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await sql`UPDATE rewards.batch SET state = 'exported', exported_by = ${principal}, exported_at = ${instant(context)}, file = ${context.db.vault.seal(context.tenantId, bytes)}, file_name = ${fileName}, sha256 = ${sha256} WHERE program_id = ${desk.program.programId} AND batch_id = ${batchId}`.execute(desk.tx);
    await moveHeld(desk, items, 'export');
    await audit(desk.tx, context, { action: 'batch.exported', subject: `batch:${batchId}`, programId: desk.program.programId, after: { sha256, items: batch.items, total: batch.total } });
    crashPoint('export-before-commit');
    return { sha256, fileName, bytes: bytes.length };
  }).then((made) => { crashPoint('export-after-commit'); return made; });
}

/** How an order of top-ups names itself to its provider, and a title to the bank. */
export const orderReference = (programId: bigint, batchId: bigint): string => `TOPUP-${programId}-${batchId}`;

async function fileOf(desk: Desk, batch: Batch, items: readonly Item[]): Promise<{ bytes: Buffer; fileName: string }> {
  const { tx, context, program, settings } = desk;
  const amounts = new Map((await linesOfBatch(tx, program, batch.batchId)).map((line) => [line.itemId, line]));
  const of = (item: Item): BatchLine => must(amounts.get(item.itemId), 'line');
  const people = new Map((await rows<{ id: bigint; code: string; name: string | null; email: string | null }>(tx, sql`SELECT m.member_id AS id, m.code, p.name, p.email FROM members.member AS m LEFT JOIN members.person AS p ON p.tenant_id = m.tenant_id AND p.program_id = m.program_id AND p.member_id = m.member_id WHERE m.program_id = ${program.programId} AND m.member_id = ANY(${items.map((item) => String(item.memberId))}::bigint[])`)).map((person) => [person.id, person]));
  const inOrder = items.toSorted((a, b) => of(a).line - of(b).line);
  if (batch.format === 'topup') {
    const lines = [];
    for (const item of inOrder) {
      const card = await cardOf(tx, program, item.memberId);
      const person = people.get(item.memberId);
      if (!card) throw refuse('card_missing', { pl: `(${person?.code ?? ''})`, en: `(${person?.code ?? ''})` });
      const [first = '', ...rest] = (person?.name ?? '').split(' ');
      lines.push({ line: of(item).line, amount: of(item).amount, order_ref: orderReference(program.programId, batch.batchId), participant_ref: person?.code ?? '', first_name: first, last_name: rest.join(' '), email: person?.email ?? '', phone: '', card_ref: context.db.vault.open(context.tenantId, card.proxy).toString(), currency: program.currency, message: settings.topup.message, cost_centre: settings.topup.cost_centre });
    }
    return { bytes: topupFile(lines, settings.topup), fileName: `topup-${program.key}-${batch.batchId}.csv` };
  }
  if (batch.format === 'elixir0' && (program.currency !== 'PLN' || program.currencyScale !== 2)) throw refuse('settings_malformed', { pl: 'Elixir jest tylko w złotych.', en: 'Elixir is in złoty only.' });
  const { payer } = settings;
  if (payer.account === '' || payer.name === '') throw refuse('settings_malformed', { pl: 'Podaj nazwę i rachunek płatnika.', en: 'Give the payer’s name and account.' });
  const accounts = [];
  for (const item of inOrder) accounts.push({ item, line: of(item), ...(await openAccount(tx, context, program, item.memberId)) });
  const digits = payer.account.replace(/\D/g, '');
  if (batch.format === 'elixir0') {
    return { fileName: `elixir-${program.key}-${batch.batchId}.pli`, bytes: elixirFile(accounts.map(({ item, line, iban, holder }) => ({ executeOn: batch.executeOn, amount: line.amount, payerAccount: digits, payerName: [payer.name, ...payer.address], account: polishDigits(iban), name: [holder], title: [program.settings.name.pl, externalIdOf(program.programId, item.itemId)], reference: externalIdOf(program.programId, item.itemId) })), settings.bank) };
  }
  return { fileName: `pain001-${program.key}-${batch.batchId}.xml`, bytes: painFile({ messageId: `PRM${program.programId}B${batch.batchId}`, createdAt: new Date(context.now()), executeOn: batch.executeOn, payer: { name: payer.name, account: digits.length === 26 ? `PL${digits}` : payer.account, bic: payer.bic },
    orders: accounts.map(({ item, line, iban, holder }) => ({ amount: line.amount, currency: program.currency, account: iban, name: holder, title: `${program.settings.name.pl} ${externalIdOf(program.programId, item.itemId)}`, endToEnd: externalIdOf(program.programId, item.itemId) })) }) };
}

/** Elixir-0 knows Polish accounts only. */
function polishDigits(iban: string): string {
  if (!iban.startsWith('PL')) throw refuse('account_malformed', { pl: 'Elixir obsługuje tylko polskie rachunki; użyj pain.001.', en: 'Elixir takes Polish accounts only; use pain.001.' });
  return iban.slice(2);
}

/** The file as it was made. Its hash is checked on the way out; who took it is in the audit. */
export async function downloadBatch(context: Context, programKey: string, batchId: bigint): Promise<{ bytes: Buffer; fileName: string }> {
  return atDesk(context, programKey, async ({ tx, program }) => {
    const found = await row<{ file: Buffer | null; file_name: string | null; sha256: string | null }>(tx, sql`SELECT file, file_name, sha256 FROM rewards.batch WHERE program_id = ${program.programId} AND batch_id = ${batchId}`);
    if (!found) throw refuse('batch_not_found');
    if (!found.file) throw refuse('batch_not_open');
    const bytes = context.db.vault.open(context.tenantId, found.file);
    if (createHash('sha256').update(bytes).digest('hex') !== found.sha256) throw new Error(`batch ${batchId}: the kept file is not the one that was made`);
    await audit(tx, context, { action: 'batch.downloaded', subject: `batch:${batchId}`, programId: program.programId });
    return { bytes, fileName: found.file_name ?? 'batch' };
  });
}

export type Confirmed = { loaded: number; rejected: number; already: number; open: number };

/**
 * Takes what the bank or provider says of a batch: what was carried out is done and its units are spent, what was not is failed and its
 * units come back, with the reason. The same word again changes nothing; another word about the same line is refused, and nothing is taken.
 */
export async function confirmBatch(context: Context, programKey: string, batchId: bigint, said: { text: string } | { rest: 'loaded' }): Promise<Confirmed> {
  return atDesk(context, programKey, async (desk) => {
    const { tx, program } = desk;
    await lockBatch(desk, batchId, ['exported', 'closed']);
    const lines = await linesOfBatch(tx, program, batchId);
    const reference = orderReference(program.programId, batchId);
    const told = 'text' in said ? readStatusFile(said.text) : lines.filter((line) => line.live && line.outcome === null).map((line): StatusRow => ({ line: line.line, order: reference, loaded: true, providerRef: '', reason: '' }));
    const byLine = new Map(lines.map((line) => [line.line, line]));
    const faults = told.flatMap((status, index): RefusalPlace[] => {
      const line = byLine.get(status.line);
      const fault = (code: string, pl: string, en: string): RefusalPlace[] => [{ pointer: `/${index + 2}`, code, message: phrase(pl, en) }];
      if (status.order !== reference) return fault('order_other', `to nie jest odpowiedź na ${reference}`, `this does not answer ${reference}`);
      if (!line || line.outcome === 'taken_out') return fault('line_unknown', `paczka nie ma wiersza ${status.line}`, `the batch has no line ${status.line}`);
      return line.outcome !== null && (line.outcome === 'loaded') !== status.loaded ? fault('outcome_other', `wiersz ${status.line} był już rozliczony inaczej`, `line ${status.line} was settled otherwise already`) : [];
    });
    if (faults.length > 0) throw refuse('file_malformed', undefined, faults.slice(0, 100));
    const fresh = told.filter((status) => byLine.get(status.line)?.outcome === null);
    await settleLines(desk, batchId, fresh.map((status) => ({ status, line: must(byLine.get(status.line), 'line') })));
    const open = lines.filter((line) => line.outcome === null).length - fresh.length;
    if (open === 0) await sql`UPDATE rewards.batch SET state = 'closed' WHERE program_id = ${program.programId} AND batch_id = ${batchId} AND state = 'exported'`.execute(tx);
    const rejected = fresh.filter((status) => !status.loaded).length;
    if (fresh.length > 0) await audit(tx, context, { action: 'batch.confirmed', subject: `batch:${batchId}`, programId: program.programId, after: { loaded: fresh.length - rejected, rejected, open, by: 'text' in said ? 'file' : 'hand' } });
    crashPoint('confirm-before-commit');
    return { loaded: fresh.length - rejected, rejected, already: told.length - fresh.length, open };
  }).then((done) => { crashPoint('confirm-after-commit'); return done; });
}

async function settleLines(desk: Desk, batchId: bigint, said: readonly { status: StatusRow; line: BatchLine }[]): Promise<void> {
  if (said.length === 0) return;
  const items = new Map((await lockItems(desk, said.map(({ line }) => line.itemId))).map((item) => [item.itemId, item]));
  for (const { status, line } of said) {
    await sql`UPDATE rewards.batch_item SET outcome = ${status.loaded ? 'loaded' : 'rejected'}, live = ${status.loaded}, provider_ref = ${status.providerRef || null}, reason = ${status.reason || null} WHERE program_id = ${desk.program.programId} AND batch_id = ${batchId} AND item_id = ${line.itemId}`.execute(desk.tx);
    await moveItem(desk, must(items.get(line.itemId), 'item'), status.loaded ? 'deliver' : 'fail', { ...(status.providerRef ? { providerRef: status.providerRef } : {}), ...(status.reason ? { reason: status.reason } : {}) });
  }
}
