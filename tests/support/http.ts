import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { routes } from '@premia/contract';
import { makeHandlers } from '../../server/src/handlers.ts';
import { authenticate } from '../../server/src/modules/identity/index.ts';
import { makeHttp } from '../../server/src/platform/http.ts';
import type { Installation } from './installation.ts';

/** The whole API over an installation, at the tests' usual moment; uploads go to a folder of its own. */
export const anApp = (installation: Installation): Promise<FastifyInstance> => makeHttp({
  db: installation.db, routes, log: false, requestsPerMinute: 10_000_000, handlers: makeHandlers({ uploads: mkdtempSync(join(tmpdir(), 'premia-uploads-')), loadUrl: installation.url }),
  authenticate: (secret) => authenticate(installation.db, secret), ready: async () => true, now: () => Date.parse('2026-06-15T10:00:00Z'),
});
