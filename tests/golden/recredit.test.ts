import { afterAll, beforeAll, expect, test } from 'vitest';
import { approveRecalculation, proposeChange } from '../../server/src/modules/entitlements/index.ts';
import { makeContext } from '../../server/src/platform/context.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred, type World } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

async function recredit(world: World, document: string, role: 'buyer' | 'rep', member: string): Promise<{ winners: number; losers: number }> {
  const { recalculationId, preview } = await proposeChange(world.context, { change: { kind: 'recredit', program: 'p', source: 'erp', document, role, member }, reason: 'the wrong code on the invoice' });
  await approveRecalculation(makeContext({ db: installation.db, tenantId: world.context.tenantId, principal: 'second', now: world.context.now }), { program: 'p', recalculationId });
  return { winners: preview.winners, losers: preview.losers };
}

test('a document goes to another member with its corrections, and those that come later follow', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-03-31', net: '500.00', number: 'A', buyer: 'wrong' }, { on: '2026-03-31', net: '100.00', buyer: 'right' });
  await world.sell({ on: '2026-04-09', net: '-100.00', base: 'A', baseLine: '1', buyer: 'wrong' });
  expect([await world.total('wrong'), await world.total('right')]).toEqual([20n, 5n]);
  expect(await recredit(world, 'A', 'buyer', 'right')).toEqual({ winners: 1, losers: 1 });
  expect([await world.total('wrong'), await world.total('right')]).toEqual([0n, 25n]);
  await world.sell({ on: '2026-04-10', net: '-400.00', base: 'A', baseLine: '1', buyer: 'wrong' });
  expect([await world.total('wrong'), await world.total('right')]).toEqual([0n, 5n]);
  await world.verified();
  await recredit(world, 'A', 'buyer', 'wrong'); // and back: nothing is left of it for anybody
  expect([await world.total('wrong'), await world.total('right')]).toEqual([0n, 5n]);
  await world.verified();
});

test('a line that nobody was credited for is credited later, with the corrections that came meanwhile', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([{ ...perHundred, earner: { role: 'rep' } }]));
  await world.sell({ on: '2026-03-31', net: '500.00', number: 'A' }, { on: '2026-03-31', net: '100.00', rep: 'r' });
  await world.sell({ on: '2026-04-09', net: '-200.00', base: 'A', baseLine: '1' });
  expect(await world.total('r')).toBe(5n);
  await recredit(world, 'A', 'rep', 'r');
  expect(await world.total('r')).toBe(20n);
  await world.sell({ on: '2026-04-11', net: '-300.00', base: 'A', baseLine: '1' });
  expect(await world.total('r')).toBe(5n);
  await world.verified();
});
