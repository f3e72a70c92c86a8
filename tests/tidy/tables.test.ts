import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anInstallation, type Installation } from '../support/installation.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation({ verifyAtEnd: false }); });
afterAll(() => installation.close());

const COLUMN: Record<string, string> = { 'by member': 'member_id', 'by document': 'document_id', 'by reference': 'reference' };

test('the page of tables names every table once, and what is distributed by a column has it in its primary key', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/operations/tables.md'), 'utf8');
  const told = [...page.matchAll(/^\| (\w+\.\w+) \| ([\w ]+) \| (.+) \|$/gm)].map(([, name, lives, why]) => ({ name: name as string, lives: lives as string, why: why as string }));
  const tables = await installation.admin<{ name: string; key: string[] | null }>(`SELECT n.nspname || '.' || c.relname AS name, (SELECT array_agg(a.attname::text) FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary) AS key
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('auth', 'platform', 'identity', 'members', 'ledger', 'facts', 'mechanics', 'entitlements', 'rewards', 'staging')`);
  expect(told.map((row) => row.name).sort()).toEqual(tables.map((row) => row.name).sort());
  for (const { name, lives } of told) {
    expect([...Object.keys(COLUMN), 'reference', 'coordinator'], name).toContain(lives);
    const column = COLUMN[lives];
    if (column !== undefined) expect(tables.find((table) => table.name === name)?.key, name).toContain(column);
  }
});
