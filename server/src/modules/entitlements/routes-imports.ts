import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Refusal, phrase } from '@premia/kernel';
import { numberedCursor, type Handled, type Handler } from '../../platform/http.ts';
import { addPart, closeUpload, findSource, findUpload, lookAtFile, mendImport, openUpload, proposeMapping, readQuarantine, sourceShape, stageImport, type Mend } from '../facts/index.ts';
import { findProgram } from '../members/index.ts';
import { approveImport, findImport, listImports, previewAwards, recordImport, rejectImport } from './approve-import.ts';
import { settleSoon } from './settle-pools.ts';

const inputOf = ({ params }: Handled): { program: string; importId: bigint } => ({ program: params['program'] as string, importId: BigInt(params['import'] as string) });
const SAMPLE_ROWS = 10;
const empty = (): Refusal => new Refusal('file_empty', 422, phrase('Plik jest pusty.', 'The file is empty.'));

/** Files and what becomes of them. `place` is where uploads are kept until they are staged, and which login COPY may use. */
export function importHandlers(place: { uploads: string; loadUrl: string }): Record<'stageImport' | 'sampleFile' | 'openUpload' | 'addPart' | 'stageUpload' | 'readQuarantine' | 'mendImport' | 'previewImport' | 'listImports' | 'approveImport' | 'rejectImport', Handler> {
  const keep = async (upload: Readable | null): Promise<string> => {
    if (!upload) throw empty();
    mkdirSync(place.uploads, { recursive: true });
    const path = join(place.uploads, randomUUID());
    try { await pipeline(upload, createWriteStream(path, { mode: 0o600 })); } catch (error) { rmSync(path, { force: true }); throw error; }
    return path;
  };
  return {
    stageImport: async (context, { params, query, upload }) => {
      await context.transaction(async (tx) => findSource(tx, await findProgram(tx, params['program'] as string), query['source'] as string)); // before a byte is kept
      const path = await keep(upload);
      try {
        const staged = await stageImport(context, place.loadUrl, { program: params['program'] as string, source: query['source'] as string, parts: [{ path, name: query['name'] as string }] });
        return { import: staged.importId, state: 'staged', counts: staged.counts, mapping: staged.mapping };
      } finally {
        rmSync(path, { force: true });
      }
    },
    sampleFile: async (context, { params, query, upload }) => {
      await context.transaction(async (tx) => findSource(tx, await findProgram(tx, params['program'] as string), params['source'] as string));
      const path = await keep(upload);
      try {
        const { name, encoding } = query as { name: string; encoding?: string };
        const found = await lookAtFile({ path, name, sample: SAMPLE_ROWS, saved: encoding === undefined ? {} : { encoding: encoding as never } });
        return { ...found, mapping: proposeMapping(found.headers, found.rows) };
      } finally {
        rmSync(path, { force: true });
      }
    },
    openUpload: (context, { params, body }) => context.transaction(async (tx) => {
      const program = await findProgram(tx, params['program'] as string);
      return { upload: await openUpload(tx, context, program, await findSource(tx, program, (body as { source: string }).source)) };
    }),
    addPart: async (context, { params, query, upload }) => {
      const [program, uploadId] = [params['program'] as string, params['upload'] as string];
      await context.transaction(async (tx) => findUpload(tx, await findProgram(tx, program), uploadId)); // before a byte is kept
      const path = await keep(upload);
      try {
        return { parts: await context.transaction(async (tx) => addPart(tx, await findProgram(tx, program), uploadId, { path, name: query['name'] as string })) };
      } catch (error) { rmSync(path, { force: true }); throw error; }
    },
    stageUpload: async (context, { params }) => {
      const [key, uploadId] = [params['program'] as string, params['upload'] as string];
      const upload = await context.transaction(async (tx) => findUpload(tx, await findProgram(tx, key), uploadId));
      if (upload.importId !== null) throw new Refusal('upload_staged', 409, phrase('Ta wysyłka jest już wczytana.', 'This upload is staged already.'));
      if (upload.parts.length === 0) throw empty();
      const staged = await stageImport(context, place.loadUrl, { program: key, source: upload.sourceKey, parts: upload.parts });
      await context.transaction(async (tx) => closeUpload(tx, await findProgram(tx, key), uploadId, staged.importId));
      for (const part of upload.parts) rmSync(part.path, { force: true });
      return { import: staged.importId, state: 'staged', counts: staged.counts, mapping: staged.mapping };
    },
    readQuarantine: (context, given) => context.transaction(async (tx) => {
      const program = await findProgram(tx, inputOf(given).program);
      const found = await findImport(tx, program, inputOf(given).importId);
      const { limit, after } = given.query as { limit: number; after?: string };
      const rows = await readQuarantine(tx, found.import_id, { limit: limit + 1, after: numberedCursor(after) ?? 0n });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return { rows: page.map((row) => ({ part: row.part, line: row.row_no, column: row.problem.column, value: row.problem.value, reason: row.problem.reason, raw: row.raw })), next: rows.length > limit && last ? String(BigInt(last.part) * 1_099_511_627_776n + last.row_no) : null };
    }),
    mendImport: (context, given) => context.transaction(async (tx) => {
      const program = await findProgram(tx, inputOf(given).program);
      const found = await findImport(tx, program, inputOf(given).importId);
      const mends = (given.body as { rows: { part: number; line: string; values: Record<string, string> }[] }).rows.map((row): Mend => ({ ...row, line: BigInt(row.line) }));
      return mendImport(tx, context, { program, source: { sourceId: found.source_id, key: found.key, settings: sourceShape.parse(found.settings) }, importId: found.import_id, mends });
    }),
    previewImport: async (context, given) => ({ awards: await previewAwards(context, inputOf(given)) }),
    listImports: (context, { params, query }) => context.transaction(async (tx) => {
      const found = await listImports(tx, await findProgram(tx, params['program'] as string), query as Parameters<typeof listImports>[2]);
      return { imports: found.rows.map((item) => ({ id: item.import_id, source: item.source, state: item.state, parts: item.parts, counts: item.counts, staged_by: item.staged_by, approved_by: item.approved_by })), next: found.next };
    }),
    approveImport: async (context, given) => {
      await approveImport(context, inputOf(given));
      const { importId: _, ...result } = await recordImport(context, inputOf(given));
      void settleSoon(context, inputOf(given).program);
      return result;
    },
    rejectImport: async (context, given) => { await rejectImport(context, { ...inputOf(given), reason: (given.body as { reason: string }).reason }); return { state: 'rejected' }; },
  };
}
