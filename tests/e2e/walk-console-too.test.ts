import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONSOLE_SCREENS } from '../support/screens.ts';
import { aStage, noBrowser, type Stage } from '../support/stage.ts';
import { someOrders } from '../support/stage-rewards.ts';
import { CELLS, rawText, walk, type Group } from '../support/walk.ts';

const GROUP: Group = { name: 'the console', email: 'operator@stage.example', to: '/console', screens: CONSOLE_SCREENS.filter((_, index) => index % 2 === 1) };

describe.skipIf(noBrowser)('the other half of the console’s screens: axe finds nothing, nothing sticks out, no key and no error shows', () => {
  let stage: Stage;
  beforeAll(async () => { stage = await aStage(); await stage.person('operator'); await someOrders(stage); });
  afterAll(() => stage?.close());

  test.each(CELLS)('in $language at $width, dark: $dark', async (cell) => { expect(await walk(stage, GROUP, cell)).toEqual([]); });
  test('in the pseudo language it has no raw text', async () => { expect(await rawText(stage, GROUP)).toEqual([]); });
});
