import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Refusal, formatMinor } from '@premia/kernel';
import { applyProgram, approveImport, recordImport } from '../../server/src/modules/entitlements/index.ts';
import { lookAtFile, readQuarantine, stageImport } from '../../server/src/modules/facts/index.ts';
import { readProgram } from '../../server/src/modules/mechanics/index.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { SAMPLES } from '../support/samples.ts';
import { aProgram, perHundred } from '../support/world.ts';

const FOLDER = join(SAMPLES, 'malformed');
type Verdict = { verdict: 'ok' | 'quarantine' | 'reject'; rows_ok: number | null; rows_bad: number | null; net_sum: string | null; why: string };
const manifest: Record<string, Verdict> = existsSync(FOLDER) ? JSON.parse(readFileSync(join(FOLDER, 'manifest.json'), 'utf8')) as Record<string, Verdict> : {};

/** Where another verdict is right, and why. */
const OTHERWISE: Record<string, { verdict: 'ok' | 'quarantine' | 'reject'; because: string }> = {
  '07-cp852.csv': { verdict: 'reject', because: 'one encoding holds for the whole file: it is asked for before any row is read, so no row can be set aside alone' },
  '97-hidden-sheet-first.xlsx': { verdict: 'reject', because: 'the mapping must name the sheet: the import is refused with that question, and nothing is staged' },
  '119-xml-utf16.xml': { verdict: 'reject', because: 'XML e-invoices are a source of their own, not a table; refused with that reason until it exists' },
  '125-cdata-split.xml': { verdict: 'reject', because: 'as 119' },
  '141-bigint-id-neighbour.json': { verdict: 'reject', because: 'JSON comes by the API, where ids are text; a JSON file is refused with that reason' },
};

let installation: Installation;
beforeAll(async () => { installation = await anInstallation(); });
afterAll(() => installation.close());

const MAPPING = { document: 'invoice', line: 'line', date: 'date', buyer: 'customer_nip', buyer_by: 'nip', product: 'sku', quantity: 'qty', net: 'net', currency: 'currency' };

describe.skipIf(!existsSync(FOLDER))('hostile and odd files', () => {
  test.each(Object.entries(manifest))('%s', async (name, listed) => {
    const wanted = OTHERWISE[name]?.verdict ?? listed.verdict;
    const context = await installation.tenant();
    context.clock.at = '2028-03-01T10:00:00Z'; // after 35c's 29 February 2028, which would be a sale of the future before
    await applyProgram(context, readProgram(aProgram([perHundred], { sources: [{ key: 'erp', unknown: 'enrol', mapping: MAPPING }], products: [{ sku: '0205', name: 'with a leading zero' }] })));
    const stage = () => stageImport(context, installation.url, { program: 'p', source: 'erp', parts: [{ path: join(FOLDER, name), name }] });
    if (wanted === 'reject') {
      const refusal = await stage().then(() => null, (error: unknown) => error);
      expect(refusal, `${name} was not refused`).toBeInstanceOf(Refusal);
      expect((refusal as Refusal).code).not.toBe('file_unreadable');
      expect((refusal as Refusal).phrase.pl.length).toBeGreaterThan(10);
    } else {
      const staged = await stage();
      const quarantine = await context.transaction((tx) => readQuarantine(tx, staged.importId, { limit: 200 }));
      await approveImport(context, { program: 'p', importId: staged.importId });
      const result = await recordImport(context, { program: 'p', importId: staged.importId });
      const [sum] = await installation.admin<{ net: string | null }>('SELECT sum(net_minor)::text AS net FROM facts.line WHERE tenant_id = $1', [context.tenantId]);
      for (const row of quarantine) { expect(row.problem.reason, name).toMatch(/^[a-z_]+$/); expect(row.problem.line, name).toBeGreaterThan(0); }
      if (wanted === 'ok') expect(quarantine.map((row) => row.problem), name).toEqual([]);
      else expect(quarantine.length, `${name} set nothing aside`).toBeGreaterThan(0);
      if (listed.rows_ok !== null && name !== '51-zero-width-key.csv') expect(result.recorded, name).toBe(listed.rows_ok);
      if (listed.rows_bad !== null) expect(quarantine.length, name).toBe(listed.rows_bad);
      if (listed.net_sum !== null) expect(formatMinor(BigInt(sum?.net ?? 0), 2), name).toBe(listed.net_sum);
      const again = await stageImport(context, installation.url, { program: 'p', source: 'erp', parts: [{ path: join(FOLDER, name), name }] });
      expect(again.counts.quarantined, `${name}, the second time`).toBe(staged.counts.quarantined);
      expect(again.counts.new).toBe(0);
    }
    // A look at the first rows, before anybody has said which column is what, is as safe: rows, or a designed refusal.
    const look = await lookAtFile({ path: join(FOLDER, name), name, sample: 10, saved: {} }).catch((error: unknown) => error);
    if (look instanceof Error) expect(look, `${name}, looked at`).toBeInstanceOf(Refusal);
    else expect((look as { rows: string[][] }).rows.length, `${name}, looked at`).toBeLessThanOrEqual(10);
    if (wanted === 'ok' && name.endsWith('.xlsx')) expect((look as { headers: string[] }).headers).toContain('invoice');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  }, 30_000);
});
