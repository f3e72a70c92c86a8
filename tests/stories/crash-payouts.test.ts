import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { findTenant } from '../../server/src/modules/identity/index.ts';
import { readBalances } from '../../server/src/modules/ledger/index.ts';
import { findProgram } from '../../server/src/modules/members/index.ts';
import { makeContext } from '../../server/src/platform/context.ts';
import { PAYOUT_CRASH_POINTS } from '../../server/src/platform/crash-point.ts';
import { verifyAll } from '../../server/src/verify.ts';
import { anInstallation, type Installation } from '../support/installation.ts';

/** kill -9 anywhere between hold and capture, reveal, export, confirmation and a provider's call: begun again, nothing is lost and nothing doubled. */
const DRIVER = join(import.meta.dirname, '../support/reward-driver.ts');

async function work(crashAt: string | null): Promise<{ died: boolean; end: string }> {
  const installation: Installation = await anInstallation();
  try {
    const folder = mkdtempSync(join(tmpdir(), 'premia-crash-'));
    const drive = (at: string | null) => spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', DRIVER, installation.url, folder], { encoding: 'utf8', env: { ...process.env, ...(at === null ? {} : { CRASH_AT: at }) } });
    const first = drive(crashAt);
    const died = first.signal === 'SIGKILL';
    const last = died ? drive(null) : first;
    expect(last.status, `${crashAt}: ${last.stderr}`).toBe(0);
    const context = makeContext({ db: installation.db, tenantId: await findTenant(installation.db, 'crash') ?? 0n, principal: 'test', now: () => Date.parse('2026-06-15T15:00:00Z') });
    expect((await verifyAll(context, 'p')).faults).toEqual([]);
    const [ala] = (await context.transaction(async (tx) => readBalances(tx, (await findProgram(tx, 'p')).programId, '2026-06-15'))).filter((item) => item.unit === 'points');
    const [counts] = await installation.admin<{ text: string }>(`SELECT concat_ws(' ', (SELECT string_agg(i.kind || ':' || i.state, ',' ORDER BY item_id) FROM rewards.item AS i), (SELECT count(*) FROM rewards.reward_order), (SELECT string_agg(state || (item_id IS NOT NULL)::text, ',') FROM rewards.voucher), (SELECT string_agg(b.state || b.items, ',') FROM rewards.batch AS b), (SELECT count(*) FROM rewards.batch_item), (SELECT count(*) FROM rewards.tax_entry), (SELECT string_agg(kind || amount, ',' ORDER BY transfer_id) FROM ledger.transfer WHERE kind IN ('hold', 'capture', 'release'))) AS text`);
    const paid = readFileSync(join(folder, 'paid'), 'utf8').trim().split('\n');
    return { died, end: `${ala?.available} ${ala?.held} ${ala?.debt} | ${counts?.text} | paid ${paid.length} | seen ${readFileSync(join(folder, 'seen'), 'utf8').length > 0}` };
  } finally { await installation.close(); }
}

let clean = '';
beforeAll(async () => { clean = (await work(null)).end; });

test('a clean day pays everything once', () => {
  expect(clean).toContain('voucher:issued,prepaid:delivered,transfer:delivered');
  expect(clean).toContain('paid 1');
});

test.each(PAYOUT_CRASH_POINTS)('killed at “%s”, the day is begun again and ends like a clean one', async (point) => {
  const { died, end } = await work(point);
  expect(died, `nobody died at ${point}: this proved nothing`).toBe(true);
  expect(end).toBe(clean);
});
