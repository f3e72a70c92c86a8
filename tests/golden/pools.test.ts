import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordMembers, recordTargets, settleStale } from '../../server/src/modules/entitlements/index.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, type World } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const net = { is: 'sum', of: 'net' } as const;

async function aTeam(mechanic: Record<string, unknown>, more: Record<string, unknown> = {}): Promise<World> {
  const world = await aWorld(await installation.tenant(), aProgram([{ key: 'pool', from: '2025-01-01', earner: { role: 'rep' }, measure: net, award: { unit: 'points' }, ...mechanic }], { targets: [{ key: 't', of: 'net', window: 'month' }], ...more }));
  await recordMembers(world.context, { program: 'p', members: ['ala', 'bo', 'cy', 'dan'].map((code, index) => ({ code, kind: 'person' as const, team: index < 3 ? 'north' : 'south', attributes: { size: index % 2 === 0 ? 'big' : 'small' } })) });
  return world;
}

test('a team’s target is shared in proportion, to the last point', async () => {
  // North sells 600 + 300 + 100 = 1,000 of 1,000: 100 %, so 100 points: 60, 30, 10. South has no target: nothing.
  const world = await aTeam({ window: 'month', pool: { by: 'team', received: 'in_proportion' }, base: { is: 'target', target: 't' }, curve: { is: 'steps', steps: [{ reach: '100%', units: 100 }] } });
  await recordTargets(world.context, { program: 'p', targets: [{ target: 't', subject: 'team:north', window_start: '2026-03-01', value: 100_000n }] });
  await world.sell({ on: '2026-03-05', net: '600.00', rep: 'ala' }, { on: '2026-03-06', net: '300.00', rep: 'bo' }, { on: '2026-03-07', net: '100.00', rep: 'cy' }, { on: '2026-03-07', net: '900.00', rep: 'dan' });
  expect(await world.total('ala')).toBe(0n); // pooled windows are settled by a job, not by the sale
  expect(await settleStale(world.context, 'p')).toBeGreaterThan(0);
  expect([await world.total('ala'), await world.total('bo'), await world.total('cy'), await world.total('dan')]).toEqual([60n, 30n, 10n, 0n]);
  // One grosz of return breaks the 100 %: the team owes it all back.
  await world.sell({ on: '2026-03-20', net: '-0.01', kind: 'return', rep: 'cy' });
  await world.verified();
  expect(await world.total('ala')).toBe(0n);
});

test('what does not divide goes to the largest remainders, ties by member id', async () => {
  const world = await aTeam({ window: 'month', pool: { by: 'team', received: 'by_head' }, curve: { is: 'per', units: 100, every: 1_000 } });
  await world.sell({ on: '2026-03-05', net: '1000.00', rep: 'ala' });
  await world.verified();
  expect([await world.total('ala'), await world.total('bo'), await world.total('cy')]).toEqual([34n, 33n, 33n]);
});

test('the first three places, ties share the pool of their places, in bands', async () => {
  const world = await aTeam({ window: 'month', pool: { by: 'everyone', bands: 'member.size' }, curve: { is: 'rank', places: [1_000, 600, 300], ties: 'share' } });
  await world.sell({ on: '2026-03-05', net: '700.00', rep: 'ala' }, { on: '2026-03-05', net: '700.00', rep: 'cy' }, { on: '2026-03-05', net: '100.00', rep: 'bo' });
  await world.verified();
  // Big: ala and cy tie for places 1 and 2, (1000 + 600) / 2 = 800 each. Small: bo is alone and first.
  expect([await world.total('ala'), await world.total('cy'), await world.total('bo')]).toEqual([800n, 800n, 1_000n]);
});

test('a budget is given out until it is used up, and what falls is given back', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([{ key: 'b', from: '2025-01-01', earner: { role: 'buyer' }, measure: net, window: 'document', curve: { is: 'per', units: 1, every: 1 }, limits: { budget: 'pot' }, award: { unit: 'points' } }], { budgets: [{ key: 'pot', size: 100, unit: 'points' }] }));
  await world.sell({ on: '2026-03-01', net: '70.00', buyer: 'x', number: 'A' });
  await world.sell({ on: '2026-03-02', net: '70.00', buyer: 'y', number: 'B' });
  expect([await world.total('x'), await world.total('y')]).toEqual([70n, 30n]);
  await world.sell({ on: '2026-03-03', net: '-50.00', buyer: 'x', base: 'A', baseLine: '1' });
  expect([await world.total('x'), await world.total('y')]).toEqual([20n, 30n]);
  await world.sell({ on: '2026-03-04', net: '500.00', buyer: 'z' });
  expect([await world.total('x'), await world.total('y'), await world.total('z')]).toEqual([20n, 30n, 50n]);
  await world.verified();
});
