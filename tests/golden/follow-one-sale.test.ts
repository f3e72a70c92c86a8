import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { approveImport, explain, recordImport } from '../../server/src/modules/entitlements/index.ts';
import { readQuarantine, stageImport } from '../../server/src/modules/facts/index.ts';
import { findMember, findProgram } from '../../server/src/modules/members/index.ts';
import { makeContext } from '../../server/src/platform/context.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred } from '../support/world.ts';

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

test('docs/follow-one-sale.md, performed', async () => {
  const world = await aWorld(await installation.tenant(), aProgram([perHundred], {
    four_eyes: { imports: true, rules: true, adjustments: true, payouts: true },
    sources: [{ key: 'erp', unknown: 'enrol', mapping: { document: 'Faktura', line: 'Lp', date: 'Data', buyer: 'Sklep', quantity: 'Ilość', net: 'Netto', decimal: ',', base_document: 'Koryguje', base_line: 'Poz' } }],
  }));
  const folder = mkdtempSync(join(tmpdir(), 'premia-follow-'));
  const load = async (name: string, rows: string[]): Promise<{ importId: bigint }> => {
    const path = join(folder, name);
    writeFileSync(path, ['Faktura;Lp;Data;Sklep;Ilość;Netto;Koryguje;Poz', ...rows, ''].join('\r\n'));
    return stageImport(world.context, installation.url, { program: 'p', source: 'erp', parts: [{ path, name }] });
  };
  const march = await load('march.csv', ['FV/1;1;2026-03-31;shop;4;349,90;;']);
  expect(await world.context.transaction((tx) => readQuarantine(tx, march.importId, { limit: 10 }))).toEqual([]);
  await expect(approveImport(world.context, { program: 'p', importId: march.importId })).rejects.toMatchObject({ code: 'second_person_needed' });
  const second = makeContext({ db: installation.db, tenantId: world.context.tenantId, principal: 'second', now: world.context.now });
  await approveImport(second, { program: 'p', importId: march.importId });
  expect(await recordImport(second, { program: 'p', importId: march.importId })).toMatchObject({ recorded: 1, quarantined: 0 });
  expect(await world.total()).toBe(15n);
  const [why] = await world.context.transaction(async (tx) => { const program = await findProgram(tx, 'p'); return explain(tx, world.context, program, await findMember(tx, program, 'shop'), { document: 'FV/1', locale: 'pl' }); });
  expect(why?.sentences[1]).toContain('3 × 5 = 15\u00a0punktów');
  const april = await load('april.csv', ['KOR/1;1;2026-04-09;shop;-1;-87,48;FV/1;1']);
  await approveImport(second, { program: 'p', importId: april.importId });
  await recordImport(second, { program: 'p', importId: april.importId });
  expect(await world.total()).toBe(10n);
  await world.verified();
});
