import { cpSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dayAt, dice } from '@premia/kernel';
import { recordSales } from '../../server/src/modules/entitlements/index.ts';
import type { LineDraft } from '../../server/src/modules/facts/index.ts';
import { captureHold, findUnit, holdUnits, openPosting, readBalances, readStatement, refundHold, transferUnits, type Command } from '../../server/src/modules/ledger/index.ts';
import { findMember, findProgram } from '../../server/src/modules/members/index.ts';
import type { Tx } from '../../server/src/platform/database.ts';
import { MIGRATIONS, migrate, prepareDatabase } from '../../server/src/platform/migrate.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred, type World } from '../support/world.ts';

/** Battery L5–L15 on the real database; conservation and projections (L1, L4, L7, L8, L11) are what `verify` computes after every file of tests. */
let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const inTx = <T>(world: World, work: (tx: Tx, command: Command) => Promise<T>, member = 'shop'): Promise<T> => world.context.transaction(async (tx) => {
  const program = await findProgram(tx, 'p');
  const unit = await findUnit(tx, program.programId, 'points');
  return work(tx, { ...(await openPosting(tx, world.context, program)), memberId: (await findMember(tx, program, member)).memberId, unitId: unit.unitId });
});
const hold = (world: World, amount: bigint, reference: string) => inTx(world, async (tx, command) => holdUnits(tx, command, await findUnit(tx, command.programId, 'points'), { amount, reference }));

test('L6: 300 sales at once to one member add up exactly', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await Promise.all(Array.from({ length: 300 }, (_, n) => world.sell({ number: `S${n}`, on: '2026-03-31', net: '100.00' })));
  expect(await world.total()).toBe(1_500n);
});

test('L14: a member’s entries are numbered in the order in which they happened, whichever connection wrote them', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  for (let n = 1; n <= 24; n += 1) await Promise.all([world.sell({ on: '2026-03-31', net: `${n}00.00` }), ...Array.from({ length: 7 }, (_, other) => world.sell({ on: '2026-03-31', net: '100.00', buyer: `other-${other}` }))]);
  const entries = await world.context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); return readStatement(tx, program.programId, (await findMember(tx, program, 'shop')).memberId, { limit: 100 }); });
  expect(entries.map((entry) => entry.amount)).toEqual(Array.from({ length: 24 }, (_, n) => BigInt((n + 1) * 5)));
});

test('L9: 40 holds of 5 race for 100: exactly 20 win; L15: a refused one sent again is refused again', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-03-31', net: '2000.00' });
  const outcomes = await Promise.all(Array.from({ length: 40 }, (_, n) => hold(world, 5n, `H${n}`).then(() => 'held', (error: { code?: string }) => error.code)));
  expect([outcomes.filter((outcome) => outcome === 'held').length, outcomes.filter((outcome) => outcome === 'balance_too_low').length]).toEqual([20, 20]);
  await expect(hold(world, 5n, `H${outcomes.indexOf('balance_too_low')}`)).rejects.toMatchObject({ code: 'balance_too_low' });
  expect((await hold(world, 5n, `H${outcomes.indexOf('held')}`)).state).toBe('held');
  expect(await world.balance()).toMatchObject({ available: 0n, held: 100n });
});

test('L10: a thousand movements of the smallest unit lose nothing', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-03-31', net: '200.00' }, { on: '2026-03-31', net: '200.00', buyer: 'friend' });
  for (let n = 0; n < 1_000; n += 1) {
    await inTx(world, async (tx, command) => { const program = await findProgram(tx, 'p'); const ids = [await findMember(tx, program, 'shop'), await findMember(tx, program, 'friend')]; await transferUnits(tx, command, { from: ids[n % 2]?.memberId ?? 0n, to: ids[(n + 1) % 2]?.memberId ?? 0n, unitId: command.unitId }, { amount: 1n, reason: 'back and forth', reference: `t${n}` }); });
  }
  expect([await world.total(), await world.total('friend')]).toEqual([10n, 10n]);
});

test('L12: twenty refunds of one order at once give back once', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-03-31', net: '400.00' });
  const { holdId } = await hold(world, 20n, 'order');
  await inTx(world, (tx, command) => captureHold(tx, command, holdId));
  await Promise.all(Array.from({ length: 20 }, () => inTx(world, (tx, command) => refundHold(tx, command, holdId, 30))));
  expect(await world.balance()).toMatchObject({ available: 20n });
  const [refunds] = await installation.admin<{ n: string }>(`SELECT count(*)::text AS n FROM ledger.transfer WHERE tenant_id = $1 AND kind = 'refund'`, [world.context.tenantId]);
  expect(refunds?.n).toBe('1');
});

test('L13: every recorded line, recorded again into an empty program, gives the same balances to the byte', async () => {
  const mechanics = [perHundred, { ...perHundred, key: 'month', window: 'month' as const, curve: { is: 'steps' as const, steps: [{ reach: 700, units: 40 }] } }];
  const world = await aWorld(await installation.tenant(), aProgram(mechanics));
  const d = dice(13);
  for (let n = 0; n < 120; n += 1) {
    const buyer = `m${d.below(9)}`;
    await world.sell({ number: `S${n}`, on: `2026-0${d.between(1, 5)}-1${d.below(9)}`, net: `${d.between(1, 900)}.${d.between(10, 99)}`, buyer });
    if (d.below(3) === 0) await world.sell({ number: `K${n}`, on: '2026-06-01', net: `-${d.between(1, 300)}.00`, base: `S${d.below(n + 1)}`, baseLine: '1', buyer });
  }
  const lines = await installation.admin<Record<string, string | null>>(`SELECT d.number, d.kind, d.occurred_on::text AS on, d.base_number, d.currency, l.line_key, l.base_line_key, l.quantity_milli::text AS quantity, l.net_minor::text AS net, l.buyer FROM facts.line AS l
    JOIN facts.document AS d ON d.tenant_id = l.tenant_id AND d.document_id = l.document_id WHERE l.tenant_id = $1 ORDER BY md5(l.line_id::text)`, [world.context.tenantId]);
  const again = await aWorld(await installation.tenant(), aProgram(mechanics));
  const drafts = lines.map((line): LineDraft => ({ number: line['number'] as string, kind: line['kind'] as LineDraft['kind'], occurredOn: line['on'] as string, occurredAt: null, hour: null, baseNumber: line['base_number'] ?? null, baseLine: line['base_line_key']?.slice(2) ?? null, lineNo: (line['line_key'] as string).slice(2),
    productCode: null, productName: null, quantityMilli: BigInt(line['quantity'] as string), netMinor: BigInt(line['net'] as string), grossMinor: null, currency: line['currency'] as string, original: null, buyer: line['buyer'] ?? null, seller: null, rep: null, shares: null, channel: null, attributes: null }));
  await recordSales(again.context, { program: 'p', source: 'erp', lines: drafts });
  const dump = (of: World) => of.context.transaction(async (tx) => (await readBalances(tx, (await findProgram(tx, 'p')).programId, '2026-06-15')).map((item) => [item.member, item.unit, item.available, item.pending, item.held, item.debt, item.total].join(' ')).join('\n'));
  expect(lines.length).toBeGreaterThan(130);
  expect(await dump(again)).toBe(await dump(world));
});

test('Z7: the program’s zone means the same to Node and to PostgreSQL, at 1,000 random instants each', async () => {
  const d = dice(7);
  for (const zone of ['Europe/Warsaw', 'UTC', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Kiritimati']) {
    const instants = Array.from({ length: 1_000 }, () => 1_000_000_000_000 + d.below(800_000_000) * 1_000);
    const days = await installation.admin<{ day: string }>(`SELECT (to_timestamp(x / 1000.0) AT TIME ZONE $1)::date::text AS day FROM unnest($2::bigint[]) WITH ORDINALITY AS u(x, n) ORDER BY n`, [zone, instants]);
    expect(days.map((item) => item.day), zone).toEqual(instants.map((instant) => dayAt(instant, zone)));
  }
});

const CATALOG = `SELECT string_agg(line, E'\\n' ORDER BY line) AS text FROM (
  SELECT format('column %s.%s.%s %s %s %s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) AS line FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname = ANY($1)
  UNION ALL SELECT format('constraint %s.%s %s', n.nspname, c.conname, pg_get_constraintdef(c.oid)) FROM pg_constraint AS c JOIN pg_namespace AS n ON n.oid = c.connamespace WHERE n.nspname = ANY($1)
  UNION ALL SELECT format('index %s', indexdef) FROM pg_indexes WHERE schemaname = ANY($1)
  UNION ALL SELECT format('policy %s.%s %s %s %s', schemaname, tablename, policyname, qual, with_check) FROM pg_policies WHERE schemaname = ANY($1)
  UNION ALL SELECT format('function %s', pg_get_functiondef(p.oid)) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = ANY($1) AND p.prokind = 'f'
  UNION ALL SELECT format('grant %s.%s %s %s', n.nspname, c.relname, c.relacl::text, a.attacl::text) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attacl IS NOT NULL WHERE n.nspname = ANY($1)
) AS lines`;
const SCHEMAS = ['platform', 'identity', 'members', 'ledger', 'facts', 'mechanics', 'entitlements', 'staging'];

test('a database brought up one migration at a time, with rows in it, equals a fresh one', async () => {
  const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql')).sort();
  const made: string[] = [];
  const grow = async (name: string, steps: readonly number[]): Promise<string> => {
    await prepareDatabase(installation.adminUrl, name);
    made.push(name);
    const url = new URL(installation.adminUrl);
    url.pathname = `/${name}`;
    for (const step of steps) {
      const folder = mkdtempSync(join(tmpdir(), 'premia-migrations-'));
      for (const file of files.slice(0, step)) cpSync(join(MIGRATIONS, file), join(folder, file));
      await migrate(url.toString(), folder);
      if (step === 7) {
        const client = new pg.Client({ connectionString: url.toString() });
        await client.connect();
        await client.query(`INSERT INTO members.member (tenant_id, program_id, kind, code, enrolled_on, counts_from) VALUES (1, 1, 'company', 'x', '2026-01-01', '2026-01-01'); INSERT INTO ledger.unit (tenant_id, program_id, key, scale, names) VALUES (1, 1, 'points', 0, '{}');
          INSERT INTO ledger.wallet (tenant_id, program_id, member_id, unit_id, balance) VALUES (1, 1, 1, 1, 5)`);
        await client.end();
      }
    }
    const client = new pg.Client({ connectionString: url.toString() });
    await client.connect();
    const { rows } = await client.query<{ text: string }>(CATALOG, [SCHEMAS]);
    await client.end();
    return rows[0]?.text ?? '';
  };
  try {
    const [fresh, upgraded] = [await grow('premia_fresh', [files.length]), await grow('premia_upgraded', files.map((_, index) => index + 1))];
    expect(fresh.length).toBeGreaterThan(20_000);
    expect(upgraded).toBe(fresh);
  } finally {
    const client = new pg.Client({ connectionString: installation.adminUrl });
    await client.connect();
    for (const name of made) await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await client.end();
  }
});
