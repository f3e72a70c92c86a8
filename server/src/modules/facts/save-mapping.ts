import { sql } from 'kysely';
import { Refusal, phrase } from '@premia/kernel';
import type { Tx } from '../../platform/database.ts';
import type { Program } from '../members/index.ts';
import { mappingShape, sourceShape, type Mapping } from './source-settings.ts';
import { findSource } from './sources.ts';

/** Keeps how a source's columns are read – in the source, and in the program's file, so that an export says it too. */
export async function saveMapping(tx: Tx, program: Program, sourceKey: string, given: unknown): Promise<Mapping> {
  const read = mappingShape.safeParse(given);
  if (!read.success) throw new Refusal('mapping_malformed', 422, phrase('Nieprawidłowe mapowanie kolumn.', 'Not a valid mapping of columns.'), read.error.issues.slice(0, 20).map((issue) => ({ pointer: `/${issue.path.map(String).join('/')}`, code: issue.code ?? 'invalid', message: phrase(issue.message, issue.message) })));
  const source = await findSource(tx, program, sourceKey);
  const settings = sourceShape.parse({ ...source.settings, mapping: read.data });
  await sql`UPDATE facts.source SET settings = ${JSON.stringify(settings)}::jsonb WHERE program_id = ${program.programId} AND source_id = ${source.sourceId}`.execute(tx);
  const sources = ((program.settings['sources'] ?? []) as { key: string }[]).map((item) => (item.key === sourceKey ? settings : item));
  await sql`UPDATE members.program SET settings = settings || jsonb_build_object('sources', ${JSON.stringify(sources)}::jsonb) WHERE program_id = ${program.programId}`.execute(tx);
  return read.data;
}
