import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readBalances } from '../../server/src/modules/ledger/index.ts';
import { findProgram } from '../../server/src/modules/members/index.ts';
import { findTenant } from '../../server/src/modules/identity/index.ts';
import { makeContext } from '../../server/src/platform/context.ts';
import { CRASH_POINTS } from '../../server/src/platform/crash-point.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { verifyAll } from '../../server/src/verify.ts';

/** Battery C3: death at a named point, then the same work again with the same keys; the end equals a clean run. */
const DRIVER = join(import.meta.dirname, '../support/crash-driver.ts');

async function work(crashAt: string | null): Promise<{ died: boolean; end: string }> {
  const installation: Installation = await anInstallation();
  try {
    const folder = mkdtempSync(join(tmpdir(), 'premia-crash-'));
    const drive = (at: string | null) => spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', DRIVER, installation.url, folder], { encoding: 'utf8', env: { ...process.env, ...(at === null ? {} : { CRASH_AT: at }) } });
    const first = drive(crashAt);
    const died = first.signal === 'SIGKILL';
    const last = died ? drive(null) : first;
    expect(last.status, `${crashAt}: ${last.stderr}`).toBe(0);
    const context = makeContext({ db: installation.db, tenantId: await findTenant(installation.db, 'crash') ?? 0n, principal: 'test', now: () => Date.parse('2026-06-15T10:00:00Z') });
    expect((await verifyAll(context, 'p')).differences).toBe(0);
    const balances = await context.transaction(async (tx) => readBalances(tx, (await findProgram(tx, 'p')).programId, '2026-06-15'));
    const counts = await installation.admin<{ text: string }>(`SELECT concat_ws(' ', (SELECT count(*) FROM facts.fact), (SELECT count(*) FROM facts.line), (SELECT count(*) FROM ledger.hold), (SELECT count(*) FROM ledger.transfer WHERE kind IN ('hold', 'capture')), (SELECT count(*) FROM entitlements.close), (SELECT count(*) FROM platform.outbox WHERE sent_at IS NULL AND type <> 'sales.recorded')) AS text`);
    const heard = readFileSync(join(folder, 'heard'), 'utf8').trim().split('\n');
    const [told] = await installation.admin<{ n: number }>(`SELECT count(*)::int AS n FROM platform.outbox`);
    expect(new Set(heard).size, 'every event was heard').toBe(told?.n);
    return { died, end: `${balances.map((item) => `${item.member} ${item.unit} ${item.available} ${item.held} ${item.debt}`).join('\n')}\n${counts[0]?.text}` };
  } finally {
    await installation.close();
  }
}

let clean = '';
beforeAll(async () => { clean = (await work(null)).end; });

test.each(CRASH_POINTS)('killed at “%s”, the work is begun again and ends like a clean run', async (point) => {
  const { died, end } = await work(point);
  expect(died, `nobody died at ${point}: this proved nothing`).toBe(true);
  expect(end).toBe(clean);
});
