import { afterAll, beforeAll, expect, test } from 'vitest';
import { anInstallation, type Installation } from '../../../../tests/support/installation.ts';
import { aProgram, aWorld, perHundred } from '../../../../tests/support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

test('a sale earns, sent again it changes nothing, sent again changed it is a conflict', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  const sale = { on: '2026-03-31', net: '349.90', number: 'FV/1' };
  const [first] = await world.sell(sale);
  expect(first?.earned).toEqual([{ member: 'shop', unit: 'points', amount: 15n }]);
  const [again] = await world.sell(sale);
  expect(again).toMatchObject({ recorded: 0, known: 1, conflict: 0, earned: [] });
  const [changed] = await world.sell({ ...sale, net: '949.90' });
  expect(changed).toMatchObject({ recorded: 0, conflict: 1, earned: [] });
  expect(await world.total()).toBe(15n);
  await world.verified();
});

test('the story of house.md: one bag comes back, linked to its sale, and 5 points go', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-03-31', net: '349.90', qty: '4', number: 'FV/1' });
  await world.sell({ on: '2026-04-09', net: '-87.48', qty: '-1', base: 'FV/1', baseLine: '1' });
  expect(await world.total()).toBe(10n);
  await world.verified();
});

test('a correction whose base is not here yet moves nothing and settles with it', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  const [waiting] = await world.sell({ on: '2026-04-09', net: '-87.48', base: 'FV/1', baseLine: '1', number: 'KOR/1' });
  expect(waiting).toMatchObject({ recorded: 1, waiting: true, earned: [] });
  await world.sell({ on: '2026-03-31', net: '349.90', number: 'FV/1' });
  expect(await world.total()).toBe(10n);
  await world.verified();
});

test('a free return leaves a debt that the next earning settles', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred]));
  await world.sell({ on: '2026-03-01', net: '-200.00', kind: 'return' });
  expect(await world.balance()).toMatchObject({ available: 0n, debt: 10n, total: -10n });
  await world.sell({ on: '2026-03-02', net: '300.00' });
  expect(await world.balance()).toMatchObject({ available: 5n, debt: 0n, total: 5n });
  await world.verified();
});
