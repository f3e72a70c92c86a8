import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/*
 * `npm run -s battery`: the proofs at the length of a night instead of a commit. Prints each proof, how long it ran, and how it ended; the
 * last words of what failed go to stderr, with the seed to replay it. `npm run -s battery -- short` runs each at a tenth.
 */
const share = process.argv.includes('short') ? 10 : 1;
const of = (length: number): string => String(Math.ceil(length / share));
const PROOFS: { name: string; test: string; env: Record<string, string> }[] = [
  { name: 'M1 commands against a model', test: 'tests/property/model.test.ts', env: { MODEL_RUNS: of(3_000), MODEL_SEED: '1' } },
  { name: 'worlds beside an auditor', test: 'tests/simulation', env: { SIMULATION_SEEDS: of(2_000), SIMULATION_FROM: '1001' } },
  { name: 'F1 requests from our own OpenAPI', test: 'tests/property/fuzz.test.ts', env: { FUZZ_REQUESTS: of(40_000), FUZZ_SEED: '2' } },
  { name: 'the compiler against a naive oracle', test: 'tests/oracle', env: { ORACLE_PROGRAMS: of(900) } },
  { name: 'C1 the database killed', test: 'tests/stories/kill-database.test.ts', env: { KILLS: of(100) } },
  { name: 'C2 the server killed in an import', test: 'tests/stories/kill-server.test.ts', env: { KILL_LINES: of(400_000), KILLS: of(20) } },
  { name: 'C3 named points', test: 'tests/stories/crash-points.test.ts', env: {} },
  { name: 'C4 replies to COMMIT lost', test: 'tests/stories/reply-dropped.test.ts', env: { REPLIES: of(1_000) } },
  { name: 'C7 a copy restored elsewhere', test: 'tests/stories/backup.test.ts', env: {} },
  { name: 'R2–R9 races', test: 'tests/stories/races.test.ts', env: { RACE_ROUNDS: of(200) } },
  { name: 'every screen, every combination', test: 'tests/e2e', env: { WALK: 'all' } },
  { name: 'L3 sealed columns edited', test: 'tests/property/seals.test.ts', env: {} },
];

const ROOT = join(import.meta.dirname, '..');
let failed = 0;
for (const proof of PROOFS) {
  const started = performance.now();
  const done = spawnSync(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--root', ROOT, '--project', 'full', '--project', 'screens', '--testTimeout', '7200000', proof.test], { cwd: ROOT, encoding: 'utf8', env: { ...process.env, ...proof.env, NO_COLOR: '1' } });
  const counted = /Tests\s+(.*)/.exec(done.stdout)?.[1] ?? 'did not run';
  if (done.status !== 0) { failed += 1; process.stderr.write(`${done.stdout.slice(-3_000)}\n`); }
  process.stdout.write(`${done.status === 0 ? 'held  ' : 'FAILED'}  ${proof.name.padEnd(38)} ${String(Math.round((performance.now() - started) / 1_000)).padStart(6)} s  ${counted.trim()}  ${Object.entries(proof.env).map(([key, value]) => `${key}=${value}`).join(' ')}\n`);
}
process.exitCode = failed === 0 ? 0 : 1;
