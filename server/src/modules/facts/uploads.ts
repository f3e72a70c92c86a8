import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { Refusal, phrase } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { row, type Tx } from '../../platform/database.ts';
import type { Program } from '../members/index.ts';
import { PARTS_MAX, type ImportPart } from './import/stage-import.ts';
import type { Source } from './source-settings.ts';

/** An import on its way in, file by file. The files lie in the folder of the server that took them. */
export type Upload = { uploadId: string; sourceKey: string; parts: ImportPart[]; importId: bigint | null };

export async function openUpload(tx: Tx, context: Context, program: Program, source: Source): Promise<string> {
  const uploadId = randomUUID();
  await sql`INSERT INTO facts.upload (tenant_id, program_id, upload_id, source_id, created_by, created_at) VALUES (${context.tenantId}, ${program.programId}, ${uploadId}, ${source.sourceId}, ${context.principal}, ${instant(context)})`.execute(tx);
  return uploadId;
}

export async function findUpload(tx: Tx, program: Program, uploadId: string): Promise<Upload> {
  const found = await row<{ key: string; parts: ImportPart[]; import_id: bigint | null }>(tx, sql`SELECT s.key, u.parts, u.import_id FROM facts.upload AS u JOIN facts.source AS s ON s.tenant_id = u.tenant_id AND s.program_id = u.program_id AND s.source_id = u.source_id
    WHERE u.program_id = ${program.programId} AND u.upload_id = ${uploadId} FOR UPDATE OF u`);
  if (!found) throw new Refusal('upload_not_found', 404, phrase('Nie ma takiej wysyłki.', 'There is no such upload.'));
  return { uploadId, sourceKey: found.key, parts: found.parts, importId: found.import_id };
}

/** Adds a file. Parts keep the order in which they came. Answers how many there are. */
export async function addPart(tx: Tx, program: Program, uploadId: string, part: ImportPart): Promise<number> {
  const upload = await findUpload(tx, program, uploadId);
  if (upload.importId !== null) throw new Refusal('upload_staged', 409, phrase('Ta wysyłka jest już wczytana.', 'This upload is staged already.'));
  if (upload.parts.length >= PARTS_MAX) throw new Refusal('too_many_parts', 413, phrase(`Najwyżej ${PARTS_MAX} plików w imporcie.`, `At most ${PARTS_MAX} files in an import.`));
  await sql`UPDATE facts.upload SET parts = ${JSON.stringify([...upload.parts, part])}::jsonb WHERE program_id = ${program.programId} AND upload_id = ${uploadId}`.execute(tx);
  return upload.parts.length + 1;
}

export async function closeUpload(tx: Tx, program: Program, uploadId: string, importId: bigint): Promise<void> {
  await sql`UPDATE facts.upload SET import_id = ${importId} WHERE program_id = ${program.programId} AND upload_id = ${uploadId}`.execute(tx);
}
