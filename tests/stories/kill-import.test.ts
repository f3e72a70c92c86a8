import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resumeImports } from '../../server/src/modules/entitlements/index.ts';
import { findTenant } from '../../server/src/modules/identity/index.ts';
import { makeContext } from '../../server/src/platform/context.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { SAMPLES } from '../support/samples.ts';

const SAMPLE = join(SAMPLES, 'wholesaler/sales-2010-12_2011-01.csv.gz');
const ROOT = join(import.meta.dirname, '../..');

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const cli = (...args: string[]): { args: string[]; options: { cwd: string; env: NodeJS.ProcessEnv; encoding: 'utf8' } } => ({ args: ['--disable-warning=ExperimentalWarning', join(ROOT, 'server/src/cli.ts'), ...args], options: { cwd: ROOT, env: { ...process.env, DATA_SECRET: 'a secret for tests', DATABASE_URL: installation.url }, encoding: 'utf8' } });
const premia = (...args: string[]): { status: number | null; stdout: string; stderr: string } => { const { args: all, options } = cli(...args); return spawnSync(process.execPath, all, options); };
const recorded = async (): Promise<number> => Number((await installation.admin<{ n: string }>('SELECT count(*)::text AS n FROM facts.line'))[0]?.n ?? 0);

describe.skipIf(!existsSync(SAMPLE))('the command line, killed in the middle of an import', () => {
  test('loses nothing, doubles nothing, and the next start finishes the work', async () => {
    expect(premia('program', 'apply', join(ROOT, 'examples/wholesaler/program.yaml'))).toMatchObject({ status: 0 });
    const { args, options } = cli('import', SAMPLE, '--program', 'wholesaler', '--source', 'sales', '--approve');
    const running = spawn(process.execPath, args, { cwd: options.cwd, env: options.env, stdio: 'ignore' });
    const ended = new Promise<void>((done) => { running.on('exit', () => done()); });
    for (let waited = 0; waited < 120_000 && (await recorded()) === 0; waited += 20) await new Promise((done) => setTimeout(done, 20));
    running.kill('SIGKILL');
    await ended;
    const left = await recorded();
    expect(left, 'the kill came too late or too early, so it proved nothing').toBeGreaterThan(0);
    expect(left, 'the kill came too late or too early, so it proved nothing').toBeLessThan(77_628);

    const context = makeContext({ db: installation.db, tenantId: (await findTenant(installation.db, 'main')) as bigint, principal: 'test' });
    expect(await resumeImports(context)).toBe(1);
    expect(await recorded()).toBe(77_628);
    const again = premia('import', SAMPLE, '--program', 'wholesaler', '--source', 'sales', '--approve', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ recorded: 0, known: 77_628, conflict: 0 });
    const balances = JSON.parse(premia('balances', '--program', 'wholesaler', '--json').stdout) as { balances: { total: string }[] };
    expect(balances.balances.reduce((sum, item) => sum + Number(item.total), 0)).toBe(1_028_857);
    expect(balances.balances).toHaveLength(1_369);
    expect(premia('verify', '--program', 'wholesaler')).toMatchObject({ status: 0, stdout: expect.stringContaining('0 differences') });
  });
});
