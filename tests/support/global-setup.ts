import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../server/src/platform/embedded-postgres.ts';
import { migrate, prepareDatabase } from '../../server/src/platform/migrate.ts';

declare module 'vitest' {
  export interface ProvidedContext { adminUrl: string }
}

/** One PostgreSQL for the whole run, with a migrated template; every test file works in a copy of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['DATABASE_URL'];
  if (given) {
    await prepareTemplate(given);
    project.provide('adminUrl', given);
    return async () => {};
  }
  const folder = mkdtempSync(join(tmpdir(), 'premia-test-'));
  chmodSync(folder, 0o755); // a closed folder would move the database elsewhere, where nobody cleans up after a test
  const postgres = await startEmbeddedPostgres(folder, { own: true });
  await prepareTemplate(postgres.superuserUrl);
  project.provide('adminUrl', postgres.superuserUrl);
  return async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}

async function prepareTemplate(adminUrl: string): Promise<void> {
  await prepareDatabase(adminUrl, 'premia_template');
  const url = new URL(adminUrl);
  url.pathname = '/premia_template';
  await migrate(url.toString());
}
