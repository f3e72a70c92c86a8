import { afterAll, beforeAll, expect, test } from 'vitest';
import { dice } from '@premia/kernel';
import { sealTail, verifyProgram } from '../../server/src/modules/entitlements/index.ts';
import { deliverOutbox } from '../../server/src/platform/outbox.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred, sealed, type World } from '../support/world.ts';

/** Battery L3, design §7: the chain of seals. */
let installation: Installation;
beforeAll(async () => { installation = await anInstallation({ verifyAtEnd: false }); });
afterAll(() => installation.close());

async function aBusyWorld(): Promise<World> {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred, { ...perHundred, key: 'pool', limits: { budget: 'b' } }], { budgets: [{ key: 'b', size: 50, unit: 'points' }] }));
  for (let n = 0; n < 12; n += 1) {
    await world.sell({ number: `S${n}`, on: '2026-03-31', net: `${n + 1}00.00`, buyer: `m${n % 4}`, product: 'x' }, { number: `T${n}`, on: '2026-04-01', net: '250.00', buyer: `m${n % 3}` });
    if (n % 4 === 0) { await world.did(`m${n % 4}`, 'quiz_passed', '2026-03-31'); await sealTail(world.context); }
  }
  await sealedNow(world);
  return world;
}

/** The newest transaction that wrote anything sealed of this tenant is under a seal. */
const sealedNow = (world: World): Promise<void> => sealed(world.context, async () => BigInt((await installation.admin<{ x: string }>(`SELECT GREATEST((SELECT max(xid) FROM ledger.transfer WHERE tenant_id = $1), (SELECT max(xid) FROM facts.fact WHERE tenant_id = $1), (SELECT max(xid) FROM identity.audit WHERE tenant_id = $1 AND action <> 'seal.made'), (SELECT max(xid) FROM entitlements.allocation WHERE tenant_id = $1))::text AS x`, [world.context.tenantId]))[0]?.x ?? 0));

test('20 random edits of sealed columns by a superuser: 20 found and named', async () => {
  const world = await aBusyWorld();
  expect(await verifyProgram(world.context, 'p')).toMatchObject({ differences: 0 });
  const columns = { 'ledger.transfer': ['amount + 1', 'booked_on + 1', `reason || ''`, 'member_id', 'run_seq + 1', 'unit_id + 1', `COALESCE(reference, '') || 'x'`], 'facts.fact': ['net_minor + 1', 'earned_on - 1', 'quantity_milli * 2', 'recorded_seq + 1', 'hour'], 'facts.line': ['net_minor - 1', 'content_hash'], 'facts.document': ['occurred_on + 1'], 'facts.activity': ['occurred_on + 1'], 'entitlements.allocation': ['delta + 1'], 'identity.audit': [`principal || 'x'`, `subject || 'x'`] };
  const d = dice(20);
  let edits = 0;
  while (edits < 20) {
    const table = d.pick(Object.keys(columns)) as keyof typeof columns;
    const change = d.pick(columns[table]);
    const column = /^(?:COALESCE\()?(\w+)/.exec(change)?.[1] as string;
    const rows = await installation.admin<{ at: string; before: string | null }>(`SELECT ctid::text AS at, ${column}::text AS before FROM ${table} WHERE tenant_id = $1 ${table === 'identity.audit' ? `AND action <> 'seal.made'` : ''} ORDER BY xid, ctid`, [world.context.tenantId]);
    const row = d.pick(rows);
    if (row.before === null && !change.startsWith('COALESCE')) continue;
    const value = /[+\-*|]/.test(change) ? change : column === 'content_hash' ? `md5(${column})` : `${column} + 1`;
    const [edited] = await installation.admin<{ at: string }>(`UPDATE ${table} SET ${column} = ${value} WHERE tenant_id = $1 AND ctid = $2::tid RETURNING ctid::text AS at`, [world.context.tenantId, row.at]);
    const unchanged = (await installation.admin<{ now: string | null }>(`SELECT ${column}::text AS now FROM ${table} WHERE tenant_id = $1 AND ctid = $2::tid`, [world.context.tenantId, edited?.at])).every((item) => item.now === row.before);
    if (unchanged) continue;
    const result = await verifyProgram(world.context, 'p');
    const named = result.faults.filter((fault) => fault.check === 'sealed row changed');
    expect(named.map((fault) => fault.where).join(), `${table}.${column} of ${row.at}`).toMatch(new RegExp(`${table.replace('.', '\\.')} in seal \\d+`));
    expect(named).toHaveLength(1);
    await installation.admin(`UPDATE ${table} SET ${column} = (SELECT x FROM (SELECT $3::text) AS y(x))::${await typeOf(table, column)} WHERE tenant_id = $1 AND ctid = $2::tid`, [world.context.tenantId, edited?.at, row.before]);
    expect((await verifyProgram(world.context, 'p')).differences).toBe(0);
    edits += 1;
  }
});

async function typeOf(table: string, column: string): Promise<string> {
  const [found] = await installation.admin<{ type: string }>(`SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2`, [table, column]);
  return found?.type ?? 'text';
}

test('a row taken away, a row slipped in, a seal rewritten: each is found', async () => {
  const world = await aBusyWorld();
  const tenant = world.context.tenantId;
  const faults = async (): Promise<string[]> => (await verifyProgram(world.context, 'p')).faults.map((fault) => fault.check);
  await installation.admin(`CREATE TABLE IF NOT EXISTS public.taken AS SELECT * FROM identity.audit WHERE false`);
  await installation.admin(`WITH gone AS (DELETE FROM identity.audit WHERE tenant_id = $1 AND audit_id = (SELECT min(audit_id) FROM identity.audit WHERE tenant_id = $1) RETURNING *) INSERT INTO public.taken SELECT * FROM gone`, [tenant]);
  expect(await faults()).toContain('sealed row gone');
  await installation.admin(`INSERT INTO identity.audit OVERRIDING SYSTEM VALUE SELECT * FROM public.taken WHERE tenant_id = $1`, [tenant]);
  expect(await faults()).toEqual([]);
  await installation.admin(`INSERT INTO identity.audit (tenant_id, at, principal, action, subject, xid) SELECT tenant_id, at, 'nobody', action, subject, xid FROM identity.audit WHERE tenant_id = $1 LIMIT 1`, [tenant]);
  expect(await faults()).toContain('row added under a seal');
  await installation.admin(`DELETE FROM identity.audit WHERE tenant_id = $1 AND principal = 'nobody'`, [tenant]);
  expect(await faults()).toEqual([]);
  await installation.admin(`UPDATE ledger.seal SET head = sha256(head) WHERE tenant_id = $1 AND seal_no = 1`, [tenant]);
  expect(await faults()).toContain('seal');
});

test('readers by order stop below the oldest running transaction: what it writes is sealed and told later, and missed by nobody', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  let release = (): void => undefined;
  const started = Promise.withResolvers<void>();
  const slow = world.context.transaction(async (tx) => {
    const { sql } = await import('kysely');
    await sql`INSERT INTO identity.audit (tenant_id, at, principal, action, subject) VALUES (${world.context.tenantId}, now(), 'slow', 'test.slow', 'x')`.execute(tx);
    await sql`INSERT INTO platform.outbox (tenant_id, type, payload, recorded_at) VALUES (${world.context.tenantId}, 'slow', '{}', now())`.execute(tx);
    started.resolve();
    await new Promise<void>((done) => { release = done; });
  });
  await started.promise;
  await world.sell({ on: '2026-03-31', net: '100.00' });
  const early = await sealTail(world.context);
  const heard: string[] = [];
  await deliverOutbox(world.context, async (event) => { heard.push(event.type); });
  const [under] = await installation.admin<{ n: string }>(`SELECT COALESCE(sum((rows ->> 'facts.fact')::int), 0)::text AS n FROM ledger.seal WHERE tenant_id = $1`, [world.context.tenantId]);
  expect(under?.n).toBe('0'); // the sale's transaction is younger than the one still running
  release();
  await slow;
  await sealedNow(world);
  const late = await sealTail(world.context);
  await deliverOutbox(world.context, async (event) => { heard.push(event.type); });
  expect(late.seals).toBeGreaterThan(early.seals);
  expect(heard.sort()).toEqual(['sales.recorded', 'slow']);
  const [counted] = await installation.admin<{ facts: string; audit: string; slow: string }>(`SELECT sum((rows ->> 'facts.fact')::int)::text AS facts, sum((rows ->> 'identity.audit')::int)::text AS audit, (SELECT count(*)::text FROM identity.audit WHERE tenant_id = $1 AND action <> 'seal.made') AS slow FROM ledger.seal WHERE tenant_id = $1`, [world.context.tenantId]);
  expect([counted?.facts, counted?.audit]).toEqual(['1', counted?.slow]);
  await world.verified();
});
