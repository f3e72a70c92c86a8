import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile, rounded } from './bench-world.ts';

/** From starting the process to its first answer: the very first start, which makes the database, and later ones, on an embedded PostgreSQL without the demo. */
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 7);

const freePort = (): Promise<number> => new Promise((done) => { const server = createServer(); server.listen(0, '127.0.0.1', () => { const { port } = server.address() as AddressInfo; server.close(() => done(port)); }); });

async function start(folder: string): Promise<{ seconds: number; child: ChildProcess }> {
  const port = await freePort();
  const at = performance.now();
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '../server/src/main.ts')], { env: { ...process.env, PORT: String(port), PREMIA_DEMO: 'off', DATA_DIR: folder }, stdio: 'ignore' });
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/programs`).catch(() => null);
    if (answer?.status === 401) return { seconds: rounded((performance.now() - at) / 1_000), child };
    if (child.exitCode !== null) throw new Error('the server ended');
    await new Promise((done) => { setTimeout(done, 20); });
  }
}

const stop = (child: ChildProcess): Promise<void> => new Promise((done) => { child.once('exit', () => done()); child.kill('SIGTERM'); });

export async function run(): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'premia-start-'));
  chmodSync(folder, 0o755);
  try {
    const first = await start(folder);
    await stop(first.child);
    const later: number[] = [];
    for (let n = 0; n < ROUNDS; n += 1) { const { seconds, child } = await start(folder); later.push(seconds); await stop(child); }
    return { benchmark: 'start-up', first_s: first.seconds, later_s: later, later_median_s: percentile(later, 0.5), budgets: [] };
  } finally { rmSync(folder, { recursive: true, force: true }); }
}
