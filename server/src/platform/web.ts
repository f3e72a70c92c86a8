import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';

const YEAR_S = 31_536_000;
const NOT_BUILT = '<!doctype html><meta charset="utf-8"><title>Premia</title><p>The screens are not built. Run <code>npm start</code>, or <code>npm run build</code>. / Ekrany nie są zbudowane.</p>';

/**
 * Serves the two applications from where they were built: the portal at /, the console at /console/. Every address of theirs that is not
 * a file answers with their page, which finds its own way. Files with a hash in their name may be kept for ever, pages never.
 */
export async function serveScreens(app: FastifyInstance, root: string): Promise<void> {
  const apps = [{ prefix: '/console/', folder: join(root, 'console') }, { prefix: '/', folder: join(root, 'portal') }];
  for (const [index, { prefix, folder }] of apps.entries()) {
    if (!existsSync(folder)) continue;
    await app.register(fastifyStatic, { root: folder, prefix, index: false, wildcard: false, preCompressed: true, decorateReply: index === 0, setHeaders: (reply, path) => { void reply.header('Cache-Control', path.includes('/assets/') ? `public, max-age=${YEAR_S}, immutable` : 'no-cache'); } });
  }
  const page = (folder: string) => (_request: unknown, reply: FastifyReply): FastifyReply => {
    const file = join(folder, 'index.html');
    return reply.type('text/html; charset=utf-8').header('Cache-Control', 'no-cache').send(existsSync(file) ? readFileSync(file, 'utf8') : NOT_BUILT);
  };
  const [consolePage, portalPage] = [page(join(root, 'console')), page(join(root, 'portal'))];
  for (const url of ['/console', '/console/', '/console/*']) app.get(url, consolePage);
  for (const url of ['/', '/earn', '/rewards', '/rewards/*', '/activity', '/activity/*', '/me', '/me/*', '/sign-in', '/join', '/register/*', '/link', '/new-password', '/mailbox']) app.get(url, portalPage);
}
