import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeApp, type AppOptions } from '../../server/src/make-app.ts';
import type { Installation } from './installation.ts';

/** The whole server over an installation, at the tests' usual moment; uploads go to a folder of its own. */
export const anApp = (installation: Installation, more: Partial<AppOptions> = {}): ReturnType<typeof makeApp> => makeApp({
  db: installation.db, url: installation.url, mailbox: true, requestsPerMinute: 10_000_000, uploads: mkdtempSync(join(tmpdir(), 'premia-uploads-')), now: () => Date.parse('2026-06-15T10:00:00Z'), ...more,
});
