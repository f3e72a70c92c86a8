import { afterAll, beforeAll, expect, test } from 'vitest';
import { readXlsx } from 'hucre/xlsx';
import { PERMISSIONS, createApiKey } from '../../server/src/modules/identity/index.ts';
import { anApp } from '../support/http.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred } from '../support/world.ts';

let installation: Installation;
let app: Awaited<ReturnType<typeof anApp>>;
beforeAll(async () => { installation = await anInstallation(); app = await anApp(installation); });
afterAll(async () => { await app.close(); await installation.close(); });

test('a list of 450 as CSV and XLSX: every row once, chosen columns under their words, no text becomes a formula', async () => {
  const context = await installation.tenant();
  const world = await aWorld(context, aProgram([perHundred]));
  const { secret } = await createApiKey(context, { name: 'k', permissions: PERMISSIONS });
  const ask = (path: string) => app.inject({ method: 'GET', url: `/v1/programs/p/${path}`, headers: { authorization: `Bearer ${secret}` } });
  await world.sell(...Array.from({ length: 450 }, (_, n) => ({ number: n === 7 ? '=1+2|cmd' : `D${n}`, on: '2026-03-31', net: `${n + 1}.50` })));
  const csv = await ask(`documents.csv?columns=${encodeURIComponent('number:Numer,net:Netto')}`);
  expect([csv.statusCode, csv.headers['content-type'], csv.headers['content-disposition']]).toEqual([200, 'text/csv; charset=utf-8', 'attachment; filename="documents.csv"']);
  const lines = csv.body.replace('\uFEFF', '').trim().split('\r\n');
  expect([lines[0], lines.length, new Set(lines).size]).toEqual(['Numer,Netto', 451, 451]);
  expect(lines).toContain("'=1+2|cmd,8.50");
  const book = await readXlsx((await ask('documents.xlsx?columns=number:Numer,net:Netto')).rawPayload);
  const rows = book.sheets[0]?.rows ?? [];
  expect([rows.length, rows[0]]).toEqual([451, ['Numer', 'Netto']]);
  expect(rows.find((row) => row[1] === 8.5)?.[0]).toBe('=1+2|cmd');
  expect((await ask('documents.csv?kind=nonsense')).statusCode).toBe(422);
  const none = (await createApiKey(context, { name: 'none', permissions: ['audit:read'] })).secret;
  expect((await app.inject({ method: 'GET', url: '/v1/programs/p/documents.csv', headers: { authorization: `Bearer ${none}` } })).statusCode).toBe(403);
});

test('members and documents in every order, page by page: each once, in that order, the same as all at once', async () => {
  const context = await installation.tenant();
  const world = await aWorld(context, aProgram([perHundred]));
  const { secret } = await createApiKey(context, { name: 'k', permissions: PERMISSIONS });
  const ask = async (url: string) => (await app.inject({ method: 'GET', url: `/v1/programs/p/${url}`, headers: { authorization: `Bearer ${secret}` } })).json<Record<string, unknown>>();
  await world.sell(...Array.from({ length: 23 }, (_, n) => ({ number: `N${(n * 7) % 23}:x`, on: `2026-03-${10 + (n % 5)}`, net: '100.00', buyer: `b${(n * 5) % 11}` })));
  await context.transaction(async (tx) => { const { sql } = await import('kysely'); await sql`INSERT INTO members.person (tenant_id, program_id, member_id, name) SELECT tenant_id, program_id, member_id, CASE WHEN code > 'b5' THEN 'Same: name' ELSE 'Zed ' || code END FROM members.member WHERE code <> 'b3'`.execute(tx); });
  for (const [list, key, columns] of [['members', 'code', ['code', 'name', 'kind', 'state', 'company', 'team', 'territory']], ['documents', 'number', ['occurred_on', 'number']]] as const) for (const column of columns) for (const sort of [column, `-${column}`]) {
    const all = (await ask(`${list}?sort=${sort}&limit=200`))[list] as Record<string, string | null>[];
    const paged: Record<string, string | null>[] = [];
    for (let next: string | null = ''; next !== null;) { const page = await ask(`${list}?sort=${sort}&limit=4${next === '' ? '' : `&after=${encodeURIComponent(next)}`}`); paged.push(...page[list] as typeof paged); next = page['next'] as string | null; }
    expect([sort, paged.map((row) => row[key])]).toEqual([sort, all.map((row) => row[key])]);
    expect(new Set(paged.map((row) => row[key])).size).toBe(paged.length);
    const values = all.map((row) => row[column] ?? '');
    expect([sort, sort.startsWith('-') ? values.toReversed() : values].join()).toBe([sort, values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))].join());
  }
});
