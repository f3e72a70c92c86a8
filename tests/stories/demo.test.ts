import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seedDemo } from '../../server/src/demo/seed-demo.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { verifyAll } from '../../server/src/verify.ts';

const GOLDEN = join(import.meta.dirname, 'demo-totals.json');

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

test('the demo of a given anchor day gives the totals of the golden file, and verifies', async () => {
  const context = await installation.tenant();
  context.clock.at = '2026-11-01T10:00:00Z';
  await seedDemo(context, { say: () => {}, anchor: '2026-11-01' });
  const totals = await installation.admin(`SELECT k.key AS mechanic, u.key AS unit, count(*)::int AS entitlements, count(DISTINCT e.member_id)::int AS members, sum(e.amount)::text AS amount FROM entitlements.entitlement AS e
    JOIN mechanics.mechanic AS k ON k.tenant_id = e.tenant_id AND k.mechanic_id = e.mechanic_id JOIN ledger.unit AS u ON u.tenant_id = e.tenant_id AND u.unit_id = e.unit_id WHERE e.tenant_id = $1 AND e.amount <> 0 GROUP BY 1, 2 ORDER BY 1, 2`, [context.tenantId]);
  const tiers = await installation.admin(`SELECT tier, count(DISTINCT member_id)::int AS members FROM entitlements.tier_interval WHERE tenant_id = $1 AND valid_from <= '2026-11-01' AND valid_to > '2026-11-01' GROUP BY 1 ORDER BY 1`, [context.tenantId]);
  const [lines] = await installation.admin(`SELECT count(*)::int AS lines, sum(net_minor)::text AS net_minor FROM facts.line WHERE tenant_id = $1`, [context.tenantId]);
  const found = { lines, totals, tiers };
  if (!existsSync(GOLDEN) && process.env['CI'] === undefined) writeFileSync(GOLDEN, `${JSON.stringify(found, null, 2)}\n`);
  expect(found).toEqual(JSON.parse(readFileSync(GOLDEN, 'utf8')));
  expect(await verifyAll(context, 'lapa')).toMatchObject({ differences: 0 });
});
