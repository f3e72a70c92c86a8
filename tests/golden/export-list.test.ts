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
