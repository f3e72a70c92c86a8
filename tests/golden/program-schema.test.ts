import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';

const ROOT = join(import.meta.dirname, '../..');
const valid = new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(readFileSync(join(ROOT, 'docs/program.schema.json'), 'utf8')) as object);

test.each(readdirSync(join(ROOT, 'examples')))('the published schema takes examples/%s, and not with an unknown key in a mechanic', (name) => {
  const file = parseYaml(readFileSync(join(ROOT, 'examples', name, 'program.yaml'), 'utf8')) as { mechanics: Record<string, unknown>[] };
  expect(valid(file) ? null : valid.errors?.slice(0, 3)).toBeNull();
  expect(valid({ ...file, mechanics: [{ ...file.mechanics[0], surprise: 1 }] })).toBe(false);
});
