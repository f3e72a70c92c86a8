import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GENERATED } from '../../tools/generate.ts';

test.each(Object.entries(GENERATED))('%s is current (npm run generate)', (path, print) => {
  expect(readFileSync(join(import.meta.dirname, '../..', path), 'utf8') === print()).toBe(true);
});
