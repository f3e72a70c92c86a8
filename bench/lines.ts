import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { addDays, type Dice } from '@premia/kernel';
import { approveImport, recordImport, settleStale } from '../server/src/modules/entitlements/index.ts';
import { mappingShape, stageImport } from '../server/src/modules/facts/index.ts';
import { rounded, type BenchWorld } from './bench-world.ts';

/** Generated files of a wholesaler's sales, and their way into a program as the application takes it. */
const MAPPING = mappingShape.parse({ document: 'document', line: 'line', date: 'date', product: 'product', quantity: 'quantity', net: 'net', buyer: 'buyer', rep: 'rep', base_document: 'base', base_line: 'base_line', kind: { column: 'kind', returns: ['return'] } });
export const SHOPS = 20_000;

export type Sold = { prefix: string; lines: number; from: string; days: number };

/** Five lines a document, evenly over the days; every fourth shop has a rep. */
export async function writeLines(path: string, d: Dice, sold: Sold): Promise<void> {
  const out = createWriteStream(path);
  out.write('document,kind,base,base_line,line,date,product,quantity,net,buyer,rep\n');
  for (let made = 0; made < sold.lines; made += 5) {
    const on = addDays(sold.from, Math.floor((made / sold.lines) * sold.days));
    const shop = d.below(SHOPS);
    const [buyer, rep] = [`m${shop}`, shop % 4 === 0 ? `r${shop % 400}` : '']; // a shop's rep is always the same
    let text = '';
    for (let line = 1; line <= Math.min(5, sold.lines - made); line += 1) {
      const quantity = d.between(1, 12);
      text += `${sold.prefix}${made},sale,,,${line},${on},p${d.below(50)},${quantity},${(quantity * d.between(100, 9_999) / 100).toFixed(2)},${buyer},${rep}\n`;
    }
    if (!out.write(text)) await new Promise<void>((done) => { out.once('drain', () => done()); });
  }
  out.end();
  await finished(out);
}

export type Imported = { lines: number; stage_s: number; record_s: number; lines_per_s: number; recorded: number; known: number };

/** Stages, approves and records a file, then settles its pools. */
export async function load(world: BenchWorld, path: string, lines: number): Promise<Imported> {
  const started = performance.now();
  const staged = await stageImport(world.context, world.url, { program: 'bench', source: 'erp', parts: [{ path, name: 'lines.csv' }], mapping: MAPPING });
  const ready = performance.now();
  await approveImport({ ...world.context, principal: 'another' }, { program: 'bench', importId: staged.importId });
  const result = await recordImport(world.context, { program: 'bench', importId: staged.importId, onProgress: (done, of) => process.stderr.write(`\r${done} of ${of} chunks`) });
  await settleStale(world.context, 'bench');
  const done = performance.now();
  process.stderr.write('\n');
  return { lines, stage_s: rounded((ready - started) / 1_000), record_s: rounded((done - ready) / 1_000), lines_per_s: Math.round(lines / ((done - started) / 1_000)), recorded: result.recorded, known: result.known };
}
