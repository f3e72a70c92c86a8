import { afterAll, beforeAll, expect, test } from 'vitest';
import { dice } from '@premia/kernel';
import { recordMembers } from '../../server/src/modules/entitlements/index.ts';
import { listProducts } from '../../server/src/modules/facts/index.ts';
import { findProgram, listCompanies, listMembers, saveCompanies } from '../../server/src/modules/members/index.ts';
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
});
afterAll(() => installation.close());

type Page = { rows: Record<string, unknown>[]; next: string | null };
const lists: Record<string, { key: string; columns: string[]; ask: (page: { sort: string; after?: string; limit: number }) => Promise<Page> }> = {
  products: { key: 'sku', columns: ['sku', 'name', 'category', 'brand', 'lines'], ask: (page) => context.transaction(async (tx) => listProducts(tx, await findProgram(tx, 'p'), page)) },
  companies: { key: 'code', columns: ['code', 'name', 'type', 'members'], ask: (page) => context.transaction((tx) => listCompanies(tx, page)) },
  members: { key: 'code', columns: ['code', 'name', 'kind', 'state', 'company'], ask: (page) => context.transaction(async (tx) => listMembers(tx, await findProgram(tx, 'p'), '2026-06-15', page)) },
};

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
    const values = rows.map((row) => (column === 'lines' || column === 'members' ? Number(row[column]) : String(row[column] ?? '')));
    for (let at = 1; at < values.length; at += 1) if (values[at] === values[at - 1]) expect(String(whole[at - 1]) < String(whole[at]), `${name} by ${column}: ${whole[at - 1]}, ${whole[at]}`).toBe(true);
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
