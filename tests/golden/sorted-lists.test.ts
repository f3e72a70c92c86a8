import { afterAll, beforeAll, expect, test } from 'vitest';
import { dice } from '@premia/kernel';
import { recordMembers } from '../../server/src/modules/entitlements/index.ts';
import { listImports } from '../../server/src/modules/entitlements/approve-import.ts';
import { listDocuments, listProducts, listWaiting } from '../../server/src/modules/facts/index.ts';
import { listAudit, listInvitations } from '../../server/src/modules/identity/index.ts';
import { newestEntries } from '../../server/src/modules/ledger/index.ts';
import { listBatches } from '../../server/src/modules/rewards/batches.ts';
import { issueCard, listCards } from '../../server/src/modules/rewards/cards.ts';
import { findMember, findProgram, listCompanies, listInquiries, listMembers, saveCompanies } from '../../server/src/modules/members/index.ts';
import { anInstallation, type Installation, type TestContext } from '../support/installation.ts';
import { aProgram, aWorld, perHundred } from '../support/world.ts';

/** Battery M3: every list, in every order, paged, is what sorting everything at once gives; rows that come meanwhile neither repeat nor skip any. */
let installation: Installation;
let context: TestContext;
const d = dice(11);
const NAMES = ['Żaba', 'ąkacja', 'Łapa', 'zebra', 'Adam', '', 'Ćma', 'łapa', 'ogon', "O'Neil", '100%', 'a_b'];
const pick = (): string => d.pick(NAMES);

beforeAll(async () => {
  installation = await anInstallation();
  const products = Array.from({ length: 40 }, (_, n) => ({ sku: `S${d.below(1_000)}-${n}`, name: pick(), ...(n % 3 === 0 ? {} : { category: pick() || 'none' }), ...(n % 4 === 0 ? {} : { brand: pick() || 'none' }) }));
  const world = await aWorld(await installation.tenant(), aProgram([perHundred], { products }));
  context = world.context;
  await world.sell(...Array.from({ length: 60 }, (_, n) => ({ on: '2026-03-01', net: '10.00', product: products[d.below(12)]?.sku as string, buyer: `shop${n % 7}` })));
  await context.transaction((tx) => saveCompanies(tx, context.tenantId, Array.from({ length: 30 }, (_, n) => ({ code: `C${n}`, name: pick() || 'none', ...(n % 2 ? { type: pick() || 'none' } : {}) }))));
  await recordMembers(context, { program: 'p', members: Array.from({ length: 30 }, (_, n) => ({ code: `M${n}`, kind: 'person' as const, name: pick() || 'none', assignments: [{ role: 'rep', company: `C${n % 5}`, from: '2026-01-01' }] })) as never });
  await world.sell(...Array.from({ length: 25 }, (_, n) => ({ on: `2026-04-0${1 + (n % 5)}`, net: `-${1 + (n % 3)}.00`, buyer: 'shop1', base: `none-${n % 4}`, kind: n % 2 ? 'return' as const : 'correction' as const })));
  await fillTables();
  for (let n = 0; n < 7; n += 1) await context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); await issueCard(tx, context, program, { memberId: (await findMember(tx, program, `shop${n}`)).memberId, proxy: `PROXY-${n}`, last4: `77${n % 3}0`, on: `2026-05-0${1 + (n % 2)}` }); });
});
afterAll(async () => {
  await installation.admin('DELETE FROM rewards.batch'); // which no order made: the books would not verify with them
  await installation.close();
});

/** Rows of the lists that only ever grow in many steps of work: put straight into their tables. */
async function fillTables(): Promise<void> {
  const { programId } = await context.transaction((tx) => findProgram(tx, 'p'));
  const own = `${context.tenantId}, ${programId}`;
  const series = 'FROM generate_series(1, 30) AS n';
  const one = (...from: string[]): string => `(ARRAY['${from.join("','")}'])[1 + (n * 7) % ${from.length}]`;
  const shop = `(SELECT min(member_id) FROM members.member WHERE tenant_id = ${context.tenantId} AND program_id = ${programId})`;
  for (const text of [
    `INSERT INTO facts.import (tenant_id, program_id, source_id, state, parts, staged_by, counts, created_at) SELECT ${own}, (SELECT source_id FROM facts.source WHERE tenant_id = ${context.tenantId} AND program_id = ${programId}), ${one('staged', 'recorded', 'failed')}, CASE WHEN n % 5 = 0 THEN '[]'::jsonb ELSE jsonb_build_array(${one('Ąę.csv', 'b.csv', 'B.xlsx')}) END, 'x', CASE WHEN n % 4 = 0 THEN '{}'::jsonb ELSE jsonb_build_object('rows', n % 6, 'quarantined', n % 3) END, now() ${series}`,
    `INSERT INTO members.inquiry (tenant_id, program_id, member_id, subject, document, state, opened_at, changed_at) SELECT ${own}, ${shop}, ${one('Żal', 'brak', 'Brak')}, CASE WHEN n % 2 = 0 THEN 'FV/' || n % 4 END, ${one('open', 'answered')}, now(), now() ${series}`,
    `INSERT INTO rewards.batch (tenant_id, program_id, rail, format, state, execute_on, items, total_minor, proposed_by, proposed_at) SELECT ${own}, 'transfer', ${one('elixir0', 'pain001')}, ${one('proposed', 'cancelled')}, '2026-06-01'::date + n % 5, n % 4, 100 * (n % 3), 'x', now() ${series}`,
    `INSERT INTO identity.invitation (tenant_id, email, name, role, program, locale, code_hash, made_by, made_at, expires_at, revoked_at) SELECT ${context.tenantId}, 'e' || n % 9 || '@x.example', ${one('Żuk', 'adam', 'Adam')}, ${one('member', 'operator')}, CASE WHEN n % 2 = 0 THEN 'p' END, 'pl', decode(md5(${context.tenantId} || '-' || n), 'hex'), 'x', '2026-06-01', '2026-07-01', CASE WHEN n % 3 = 0 THEN now() END ${series}`,
  ]) await installation.admin(text);
}

type Page = { rows: Record<string, unknown>[]; next: string | null };
const lists: Record<string, { key: string; columns: string[]; ask: (page: { sort: string; after?: string; limit: number }) => Promise<Page> }> = {
  products: { key: 'sku', columns: ['sku', 'name', 'category', 'brand', 'lines'], ask: (page) => context.transaction(async (tx) => listProducts(tx, await findProgram(tx, 'p'), page)) },
  companies: { key: 'code', columns: ['code', 'name', 'type', 'members'], ask: (page) => context.transaction((tx) => listCompanies(tx, page)) },
  members: { key: 'code', columns: ['code', 'name', 'kind', 'state', 'company'], ask: (page) => context.transaction(async (tx) => listMembers(tx, await findProgram(tx, 'p'), '2026-06-15', page)) },
  documents: { key: 'id', columns: ['id', 'number', 'kind', 'occurred_on', 'source'], ask: (page) => context.transaction(async (tx) => { const { documents, next } = await listDocuments(tx, await findProgram(tx, 'p'), page); return { rows: documents, next }; }) },
  waiting: { key: 'document_id', columns: ['id', 'number', 'base', 'source', 'occurred_on', 'net'], ask: (page) => context.transaction(async (tx) => listWaiting(tx, await findProgram(tx, 'p'), page)) },
  entries: { key: 'transferId', columns: ['id', 'booked_on', 'kind', 'amount'], ask: (page) => context.transaction(async (tx) => newestEntries(tx, (await findProgram(tx, 'p')).programId, page)) },
  imports: { key: 'import_id', columns: ['id', 'source', 'state', 'parts', 'rows', 'quarantined'], ask: (page) => context.transaction(async (tx) => listImports(tx, await findProgram(tx, 'p'), page)) },
  inquiries: { key: 'inquiry_id', columns: ['opened_at', 'subject', 'name', 'document', 'state'], ask: (page) => context.transaction(async (tx) => listInquiries(tx, await findProgram(tx, 'p'), page)) },
  batches: { key: 'batchId', columns: ['id', 'rail', 'format', 'state', 'execute_on', 'items', 'total'], ask: (page) => context.transaction(async (tx) => listBatches(tx, await findProgram(tx, 'p'), page)) },
  cards: { key: 'card_id', columns: ['id', 'name', 'member', 'last4', 'state', 'issued_on'], ask: (page) => context.transaction(async (tx) => listCards(tx, await findProgram(tx, 'p'), page)) },
  invitations: { key: 'invitation_id', columns: ['made_at', 'name', 'email', 'role', 'program', 'state'], ask: (page) => listInvitations(context, page) },
  audit: { key: 'audit_id', columns: ['at', 'principal', 'action', 'subject'], ask: (page) => context.transaction((tx) => listAudit(tx, page)) },
};
/** Under what name a row has what a list is sorted by, where that is another: '' is its key. */
const NAMES_OF: Record<string, string> = { net: 'net_minor', booked_on: 'bookedOn', execute_on: 'executeOn', id: '', opened_at: '', made_at: '', at: '' };
const NUMBERS = new Set(['lines', 'members', 'net', 'amount', 'rows', 'quarantined', 'items', 'total']);

async function paged(name: string, sort: string, limit: number, between: () => Promise<unknown> = async () => undefined): Promise<string[]> {
  const { ask, key } = lists[name] as (typeof lists)[string];
  const seen: string[] = [];
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const { rows, next } = await ask({ sort, limit, ...(after === undefined ? {} : { after }) });
    expect(rows.length).toBeLessThanOrEqual(limit);
    seen.push(...rows.map((row) => String(row[key])));
    after = next ?? undefined;
    await between();
  }
  return seen;
}

test.each(Object.keys(lists))('%s: every order, up and down, in pages of any size, is one and the same list', async (name) => {
  const { ask, columns, key } = lists[name] as (typeof lists)[string];
  for (const column of columns) {
    const { rows, next } = await ask({ sort: column, limit: 200 });
    expect(next).toBeNull();
    const whole = rows.map((row) => String(row[key]));
    expect(new Set(whole).size).toBe(whole.length);
    // The values never fall; where they are equal, the key rises.
    const rises = (a: string, b: string): boolean => (/^\d+$/.test(a + b) ? BigInt(a) < BigInt(b) : a < b);
    const values = rows.map((row) => { const value = row[NAMES_OF[column] || (column in NAMES_OF ? key : column)]; return NUMBERS.has(column) ? Number(value ?? Number.MIN_SAFE_INTEGER) : String(value ?? ''); });
    for (let at = 1; at < values.length; at += 1) if (values[at] === values[at - 1]) expect(rises(String(whole[at - 1]), String(whole[at])), `${name} by ${column}: ${whole[at - 1]}, ${whole[at]}`).toBe(true);
    if (typeof values[0] === 'number') expect(values).toEqual([...values].sort((a, b) => Number(a) - Number(b)));
    for (const limit of [1, 7, 13]) expect(await paged(name, column, limit), `${name} by ${column} in pages of ${limit}`).toEqual(whole);
    expect(await paged(name, `-${column}`, 7)).toEqual(whole.toReversed());
  }
});

test('rows that come between two pages neither repeat nor skip any that were there; a cursor of somebody’s own is no error', async () => {
  const before = await paged('companies', 'name', 200);
  let made = 0;
  const seen = await paged('companies', 'name', 4, () => context.transaction((tx) => saveCompanies(tx, context.tenantId, [{ code: `new${made += 1}`, name: NAMES[made % NAMES.length] || 'none' }])));
  expect(new Set(seen).size).toBe(seen.length);
  expect(before.filter((code) => !seen.includes(code))).toEqual([]);
  for (const after of ['', '\u001f', 'x\u001f', "'; DROP TABLE", '9'.repeat(40), '5\u001fC1']) for (const [name, { columns, ask }] of Object.entries(lists)) for (const sort of [...columns, 'nothing', '-nothing', 'constructor']) expect(Array.isArray((await ask({ sort, after, limit: 3 })).rows), `${name} ${sort} ${after}`).toBe(true);
});
