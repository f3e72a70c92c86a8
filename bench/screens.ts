import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { BrowserContext } from 'playwright-core';
import { dice } from '@premia/kernel';
import { recordSales } from '../server/src/modules/entitlements/index.ts';
import { giveRole } from '../server/src/modules/identity/index.ts';
import { findMember, findProgram } from '../server/src/modules/members/index.ts';
import { makeApp } from '../server/src/make-app.ts';
import { openBrowser } from '../tests/support/browser.ts';
import { aLine, budget, percentile, rounded, withBenchWorld, type Budget } from './bench-world.ts';

/**
 * The portal on a middling phone: a CPU slowed four times, 1.6 Mbit/s and 150 ms a round trip, by Chromium's own means. Cold: nothing kept.
 * Repeat: the service worker and the session are there. Usable: the balance can be read. Beside it the weight of the first load's scripts.
 */
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const NETWORK = { offline: false, latency: 150, downloadThroughput: (1.6 * 1024 * 1024) / 8, uploadThroughput: (1.6 * 1024 * 1024) / 8 };
const PASSWORD = 'a bench password';
const DIST = join(import.meta.dirname, '../dist/portal');

/** Scripts that the first page pulls in before anything is tapped: those its HTML names, and what these import at once. */
function firstLoad(): string[] {
  const seen = new Set<string>();
  const follow = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const [, next = ''] of readFileSync(join(DIST, 'assets', name), 'utf8').matchAll(/(?:^|[;\s}])import\s*(?:[\w${},*\s]+from)?\s*"\.\/([\w.-]+\.js)"/g)) follow(next);
  };
  for (const [, name = ''] of readFileSync(join(DIST, 'index.html'), 'utf8').matchAll(/\/assets\/([\w.-]+\.js)/g)) follow(name);
  return [...seen];
}

async function visit(context: BrowserContext, baseUrl: string): Promise<number> {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', NETWORK);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  const started = performance.now();
  await page.goto(baseUrl, { waitUntil: 'commit' });
  await page.locator('.big.figures').waitFor();
  const took = performance.now() - started;
  await page.waitForLoadState('networkidle');
  await page.close();
  return took;
}

export async function run(): Promise<Record<string, unknown>> {
  const names = firstLoad();
  const bytes = names.map((name) => readFileSync(join(DIST, 'assets', name)));
  const gzipped = bytes.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0);
  return withBenchWorld({ mechanics: 4 }, async ({ db, context, url }) => {
    const d = dice(4);
    await recordSales(context, { program: 'bench', source: 'erp', lines: Array.from({ length: 400 }, (_, n) => aLine(d, { number: `S${n}`, line: 1, on: '2026-01-10', buyer: `code:m${n % 20}` })) });
    const port = 41_000 + (process.pid % 1_000);
    const baseUrl = `http://localhost:${port}`;
    const app = await makeApp({ db, url, uploads: '/tmp', publicUrl: baseUrl, screens: join(import.meta.dirname, '../dist'), now: () => context.now(), requestsPerMinute: 1_000_000 });
    await app.listen({ host: '127.0.0.1', port });
    const userId = await app.signIn.createPerson({ email: 'm@bench.example', name: 'M', locale: 'pl', password: PASSWORD });
    await context.transaction(async (tx) => giveRole(tx, context, { userId, role: 'member', program: 'bench', memberId: (await findMember(tx, await findProgram(tx, 'bench'), 'm0')).memberId }));
    const browser = await openBrowser();
    const [cold, repeat]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      const browsing = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'pl-PL', isMobile: true, hasTouch: true });
      await browsing.request.post(`${baseUrl}/api/auth/sign-in/email`, { data: { email: 'm@bench.example', password: PASSWORD }, headers: { origin: baseUrl } });
      cold.push(await visit(browsing, baseUrl));
      repeat.push(await visit(browsing, baseUrl));
      await browsing.close();
    }
    await browser.close();
    await app.close();
    const budgets: Budget[] = [
      budget('portal, scripts of the first load, kB gzipped', gzipped / 1_024, 120, 90, 'lower'), budget('portal usable, cold, median, s', percentile(cold, 0.5) / 1_000, 3, 2, 'lower'), budget('portal usable, repeat visit, median, s', percentile(repeat, 0.5) / 1_000, 1, 0.7, 'lower'),
    ];
    return { benchmark: 'screens', rounds: ROUNDS, scripts: names, gzip_bytes: gzipped, brotli_bytes: bytes.reduce((sum, file) => sum + brotliCompressSync(file).length, 0), cold_ms: cold.map((value) => rounded(value, 0)), repeat_ms: repeat.map((value) => rounded(value, 0)), budgets };
  });
}
