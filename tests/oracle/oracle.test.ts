import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseMechanic, type Mechanic } from '@premia/algebra';
import { dice, type Dice } from '@premia/kernel';
import type pg from 'pg';
import { anInstallation, type Installation, type TestContext } from '../support/installation.ts';
import { aProgram, aWorld, type SaleGiven } from '../support/world.ts';
import { oracle, type OracleWorld } from './oracle.ts';
import { PRODUCTS, randomMechanic } from './random-program.ts';

/*
 * The oracle for the algebra: random mechanics over random facts, each compared row by row with the naive evaluator. Facts arrive
 * in several calls, so that what is compared is the settled state, not one computation. ORACLE_SEED and ORACLE_PROGRAMS replay.
 */
const SEED = Number(process.env['ORACLE_SEED'] ?? 1);
const PROGRAMS = Number(process.env['ORACLE_PROGRAMS'] ?? 90);
const MECHANICS = 12;

let installation: Installation;
beforeAll(async () => { installation = await anInstallation({ verifyAtEnd: false }); });
afterAll(() => installation.close());

const tally = { cases: 0, awards: 0, nothing: 0, rows: 0, nodes: new Map<string, number>(), whys: new Map<string, number>() };

function countNodes(value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null) return;
  const node = (value as { is?: string }).is;
  if (node !== undefined) tally.nodes.set(`${path}:${node}`, (tally.nodes.get(`${path}:${node}`) ?? 0) + 1);
  for (const [name, item] of Object.entries(value)) {
    if (Array.isArray(item)) for (const inner of item) countNodes(inner, name);
    else countNodes(item, name);
  }
}

const DAYS = ['2024-02-28', '2024-02-29', '2024-03-01', '2024-12-31', '2025-01-01', '2025-01-31', '2025-02-09', '2025-02-10', '2025-02-28', '2025-03-01', '2025-03-02', '2025-03-03', '2025-04-15', '2025-06-30', '2025-12-29', '2025-12-31', '2026-01-01', '2026-02-14', '2026-02-15', '2026-03-15', '2026-03-16', '2026-03-31', '2026-04-01'];

function randomSales(d: Dice): SaleGiven[] {
  const sales: SaleGiven[] = [];
  for (let n = 0; n < 45; n += 1) {
    const on = d.pick(DAYS);
    const number = `D${n}`;
    const [buyer, rep] = [d.pick(['a', 'b', 'c']), d.next() < 0.7 ? d.pick(['a', 'r1', 'r2']) : undefined];
    const lines = d.between(1, 3);
    for (let line = 1; line <= lines; line += 1) {
      sales.push(without({ on, number, line: String(line), buyer, rep, net: d.pick(['100.00', '50.00', '349.90', '250.00', '0.00', '1000.00', '99.99', '-30.00']), qty: d.pick(['1', '2', '5', '0.5', '0']), product: d.next() < 0.85 ? d.pick(PRODUCTS) : undefined,
        hour: d.next() < 0.6 ? d.pick([7, 8, 12, 18, 23]) : undefined, channel: d.next() < 0.5 ? d.pick(['shop', 'web']) : undefined, attributes: d.next() < 0.3 ? { promo: d.pick(['x', 'y']) } : undefined }));
    }
    if (d.next() < 0.35) sales.push(without({ on: d.pick(DAYS), number: `K${n}`, base: number, baseLine: d.next() < 0.8 ? '1' : undefined, buyer, rep, net: d.pick(['-100.00', '-50.00', '-20.00', '10.00']), qty: d.pick(['-1', '0', '-2']), kind: 'correction' as const, product: d.next() < 0.5 ? d.pick(PRODUCTS) : undefined }));
  }
  return sales;
}
const without = (value: { [K in keyof SaleGiven]: SaleGiven[K] | undefined }): SaleGiven => Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as unknown as SaleGiven;

async function aRandomWorld(context: TestContext, d: Dice): Promise<Mechanic[]> {
  const inputs = Array.from({ length: MECHANICS }, (_, index) => randomMechanic(d, index));
  inputs.push({ key: 'meta', from: '2024-01-01', earner: { role: 'buyer' }, measure: { is: 'awarded', unit: 'points' }, window: d.pick(['month', 'quarter', 'program']), curve: { is: 'per', units: 1, every: d.pick(['1', '10']) }, award: { unit: 'stars' } });
  for (const input of inputs) countNodes(input, 'mechanic');
  const corrections = d.next() < 0.3 ? 'correction_period' : 'original_period';
  const world = await aWorld(context, aProgram(inputs, {
    starts_on: '2024-01-01', corrections, targets: [{ key: 'net', of: 'net', window: 'month' }, { key: 'many', of: 'count', window: 'month' }],
    products: PRODUCTS.slice(0, 4).map((sku, index) => ({ sku, ...(index === 3 ? {} : { category: ['feed', 'litter', 'toys'][index] }), ...(index === 1 ? {} : { brand: ['lapa', 'ogon'][index % 2] }), groups: index === 0 ? ['new', 'eco'] : index === 2 ? ['eco'] : [] })),
    periods: [{ calendar: 'season', name: 'winter', starts_on: '2024-12-15', ends_on: '2025-02-20' }, { calendar: 'season', name: 'spring', starts_on: '2025-03-01', ends_on: '2025-06-29' }, { calendar: 'season', name: 'late', starts_on: '2026-01-01', ends_on: '2026-03-31' }],
  }));
  await world.sell({ on: '2023-06-01', net: '0.00', qty: '0', buyer: 'a', rep: 'r1' }, { on: '2023-06-01', net: '0.00', qty: '0', buyer: 'b', rep: 'r2' }, { on: '2023-06-01', net: '0.00', qty: '0', buyer: 'c' });
  await recordInputs(context, d);
  const sales = d.shuffle(randomSales(d));
  for (let at = 0; at < sales.length; at += 20) {
    await world.sell(...sales.slice(at, at + 20));
    if (d.next() < 0.5) await world.did(d.pick(['a', 'b', 'r1']), 'training_passed', d.pick(DAYS), { attributes: { code: d.pick(['x', 'y']) } });
  }
  await world.verified();
  return inputs.map((input) => parseMechanic(input));
}

/** Targets, profiles and memberships, with gaps: recorded before the facts, straight into the tables of this tenant. */
async function recordInputs(context: TestContext, d: Dice): Promise<void> {
  const members = await installation.admin<{ member_id: string; code: string }>('SELECT member_id::text, code FROM members.member WHERE tenant_id = $1 ORDER BY member_id', [context.tenantId]);
  const program = (await installation.admin<{ program_id: string }>('SELECT program_id::text FROM members.program WHERE tenant_id = $1', [context.tenantId]))[0]?.program_id;
  for (const member of members) {
    for (const month of ['2024-02-01', '2024-12-01', '2025-01-01', '2025-02-01', '2025-03-01', '2025-12-01', '2026-02-01', '2026-03-01']) {
      for (const key of ['net', 'many']) if (d.next() < 0.7) await installation.admin(`INSERT INTO mechanics.target (tenant_id, program_id, target_key, subject, window_start, value, recorded_by) VALUES ($1, $2, $3, $4, $5, $6, 'test')`, [context.tenantId, program, key, `member:${member.member_id}`, month, key === 'net' ? d.pick(['10000', '50000', '0', '35000']) : d.pick(['1', '2', '3'])]);
    }
    if (d.next() < 0.8) {
      const cut = d.pick(['2025-02-10', '2025-03-02']);
      await installation.admin(`INSERT INTO members.profile (tenant_id, program_id, member_id, valid_from, valid_to, company_type, attributes) VALUES ($1, $2, $3, '2024-01-01', $4, $5, $6), ($1, $2, $3, $4, 'infinity', $7, $8)`,
        [context.tenantId, program, member.member_id, cut, d.pick(['shop', 'chain', null]), JSON.stringify(d.next() < 0.7 ? { size: d.pick(['s', 'm']) } : {}), d.pick(['shop', 'chain', null]), JSON.stringify(d.next() < 0.7 ? { size: d.pick(['l', 'm']) } : {})]);
    }
    if (d.next() < 0.4) await installation.admin('UPDATE members.member SET counts_from = $3, counts_until = $4 WHERE tenant_id = $1 AND member_id = $2', [context.tenantId, member.member_id, d.pick(['2025-02-10', '2024-01-01', '2025-03-02']), d.pick(['2026-02-15', 'infinity'])]);
  }
}

async function readWorld(context: TestContext): Promise<OracleWorld> {
  const all = <T extends pg.QueryResultRow>(text: string): Promise<T[]> => installation.admin<T>(text, [context.tenantId]);
  const facts = await all<Record<string, never>>(`SELECT f.member_id::text AS m, f.role, f.kind, f.earned_on::text AS e, f.base_on::text AS b, f.base_document_id::text AS d, f.base_line_id::text AS l, f.hour, p.sku, f.partner, f.channel, f.attributes, f.quantity_milli::text AS q, f.net_minor::text AS n, f.gross_minor::text AS g
    FROM facts.fact AS f LEFT JOIN facts.product AS p ON p.tenant_id = f.tenant_id AND p.product_id = f.product_id WHERE f.tenant_id = $1`);
  const classes = await all<{ sku: string; category: string | null; brand: string | null; groups: string[] }>('SELECT p.sku, c.category, c.brand, c.groups FROM facts.product_class AS c JOIN facts.product AS p ON p.tenant_id = c.tenant_id AND p.product_id = c.product_id WHERE c.tenant_id = $1');
  const profiles = await all<{ m: string; f: string; t: string; company_type: string | null; attributes: Record<string, string> }>('SELECT member_id::text AS m, valid_from::text AS f, valid_to::text AS t, company_type, attributes FROM members.profile WHERE tenant_id = $1 ORDER BY valid_from');
  const members = await all<{ m: string; f: string; t: string }>('SELECT member_id::text AS m, counts_from::text AS f, counts_until::text AS t FROM members.member WHERE tenant_id = $1');
  const targets = await all<{ k: string; v: string }>(`SELECT target_key || '/' || subject || '/' || window_start::text AS k, value::text AS v FROM mechanics.target WHERE tenant_id = $1 AND current`);
  const periods = await all<{ calendar: string; f: string; t: string }>('SELECT calendar, starts_on::text AS f, ends_on::text AS t FROM mechanics.period WHERE tenant_id = $1');
  const awarded = await all<{ m: string; key: string; on: string; a: string }>(`SELECT e.member_id::text AS m, u.key, e.window_end::text AS "on", e.amount::text AS a FROM entitlements.entitlement AS e JOIN ledger.unit AS u ON u.tenant_id = e.tenant_id AND u.unit_id = e.unit_id WHERE e.tenant_id = $1 AND e.amount <> 0 AND e.window_end < 'infinity'`);
  const profilesOf = new Map<bigint, OracleWorld['profiles'] extends Map<bigint, infer P> ? P : never>();
  for (const item of profiles) profilesOf.set(BigInt(item.m), [...(profilesOf.get(BigInt(item.m)) ?? []), { from: item.f, to: item.t, companyType: item.company_type, attributes: item.attributes }]);
  return {
    facts: facts.map((f) => ({ memberId: BigInt(f['m'] as never), role: f['role'] as never, kind: f['kind'] as never, earnedOn: f['e'] as never, baseOn: f['b'] as never, documentId: BigInt(f['d'] as never), lineId: BigInt(f['l'] as never), hour: f['hour'] as never, product: f['sku'] as never, partner: f['partner'] as never, channel: f['channel'] as never, attributes: f['attributes'] as never, quantityMilli: BigInt(f['q'] as never), netMinor: BigInt(f['n'] as never), grossMinor: BigInt(f['g'] as never) })),
    classes: new Map(classes.map((item) => [item.sku, item])), profiles: profilesOf, members: new Map(members.map((item) => [BigInt(item.m), { countsFrom: item.f, countsUntil: item.t }])),
    targets: new Map(targets.map((item) => [item.k, BigInt(item.v)])), periods: periods.map((item) => ({ calendar: item.calendar, from: item.f, to: item.t })),
    awarded: awarded.map((item) => ({ memberId: BigInt(item.m), unit: item.key, on: item.on, amount: BigInt(item.a) })), currencyScale: 2, unitScale: (key) => (key === 'pln' ? 2 : 0),
  };
}

describe(`random mechanics over random facts (seed ${SEED})`, () => {
  test.each(Array.from({ length: PROGRAMS }, (_, index) => index))('program %i agrees with the oracle', async (index) => {
    const d = dice(SEED * 10_000 + index);
    const context = await installation.tenant();
    const mechanics = await aRandomWorld(context, d);
    const world = await readWorld(context);
    const stored = await installation.admin<{ key: string; m: string; w: string; s: string; u: string; why: string | null; f: string; a: string; x: string }>(`SELECT k.key, e.member_id::text AS m, e.window_start::text AS w, e.subject_id::text AS s, e.uncapped::text AS u, e.why, e.facts::text AS f, e.available_on::text AS a, e.expires_on::text AS x
      FROM entitlements.entitlement AS e JOIN mechanics.mechanic AS k ON k.tenant_id = e.tenant_id AND k.mechanic_id = e.mechanic_id WHERE e.tenant_id = $1 AND e.why IS DISTINCT FROM 'gone'`, [context.tenantId]);
    for (const mechanic of mechanics) {
      const expected = oracle(mechanic, world).map((item) => `${item.memberId} ${item.start} ${item.subject} = ${item.uncapped} ${item.why ?? ''} (${item.facts}) ${item.available} ${item.expires}`).sort();
      const found = stored.filter((item) => item.key === mechanic.key).map((item) => `${item.m} ${item.w} ${item.s} = ${item.u} ${item.why ?? ''} (${item.f}) ${item.a} ${item.x}`).sort();
      expect(found, `seed ${SEED}, program ${index}, ${JSON.stringify(mechanic, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v))}`).toEqual(expected);
      tally.cases += 1;
      tally.rows += expected.length;
      const mine = stored.filter((item) => item.key === mechanic.key);
      if (mine.some((item) => item.u !== '0')) tally.awards += 1; else tally.nothing += 1;
      for (const item of mine) tally.whys.set(item.why ?? 'none', (tally.whys.get(item.why ?? 'none') ?? 0) + 1);
    }
  });

  test('was dangerous: enough cases, awards and nothings, every node often', () => {
    console.info(`oracle: ${tally.cases} mechanics, ${tally.rows} entitlements, ${tally.awards} award something, ${tally.nothing} nothing`, Object.fromEntries(tally.whys));
    expect(tally.rows).toBeGreaterThan(1_000);
    if (PROGRAMS >= 90) {
      expect(tally.cases).toBeGreaterThanOrEqual(1_000);
      expect(tally.awards / tally.cases).toBeGreaterThan(0.3);
      for (const why of ['no_base', 'most', 'least', 'gate:0', 'none']) expect(tally.whys.get(why) ?? 0, why).toBeGreaterThanOrEqual(20);
      for (const node of ['all', 'any', 'not', 'oneOf', 'atLeast', 'below', 'did', 'sum', 'count', 'streak', 'blend', 'target', 'earlier', 'fixed', 'per', 'steps', 'bands', 'linear', 'reach', 'member']) {
        const times = [...tally.nodes].filter(([name]) => name.endsWith(`:${node}`)).reduce((sum, [, n]) => sum + n, 0);
        expect(times, node).toBeGreaterThanOrEqual(20);
      }
    }
  });
});
