import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OPEN_SCREENS, PORTAL_SCREENS } from '../support/screens.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';
import { someOrders } from '../support/stage-rewards.ts';
import { CELLS, rawText, walk, type Group } from '../support/walk.ts';

const GROUPS: Group[] = [{ name: 'the door', email: null, to: '/', screens: OPEN_SCREENS }, { name: 'a rep’s portal', email: 'member@stage.example', to: '/', screens: PORTAL_SCREENS }, { name: 'a shop’s portal', email: 'shop@stage.example', to: '/', screens: ['/', '/earn', '/activity'] }];

describe.skipIf(noBrowser)('every screen of the portal: axe finds nothing, nothing sticks out, no key and no error shows', () => {
  let stage: Stage;
  beforeAll(async () => { stage = await aStage(); await stage.person('member', { member: 'R001' }); await someOrders(stage); await stage.person('member', { member: 'S0001', email: 'shop@stage.example' }); });
  afterAll(() => stage?.close());

  test.each(GROUPS.flatMap((group) => CELLS.map((cell) => ({ ...cell, group, name: group.name }))))('$name in $language at $width, dark: $dark', async ({ group, ...cell }) => { expect(await walk(stage, group, cell)).toEqual([]); });
  test.each(GROUPS)('$name in the pseudo language has no raw text', async (group) => { expect(await rawText(stage, group)).toEqual([]); });
});
