import { sql } from 'kysely';
import { Refusal, must, phrase } from '@premia/kernel';
import { row, type Tx } from '../../platform/database.ts';
import type { Program } from '../members/index.ts';
import { sourceShape, type Source } from './source-settings.ts';

export async function findSource(tx: Tx, program: Program, key: string): Promise<Source> {
  const found = await row<{ source_id: bigint; key: string; settings: unknown }>(tx, sql`SELECT source_id, key, settings FROM facts.source WHERE program_id = ${program.programId} AND key = ${key}`);
  if (!found) throw new Refusal('source_not_found', 404, phrase(`Program nie ma źródła „${key}”.`, `The program has no source “${key}”.`));
  return { sourceId: found.source_id, key: found.key, settings: sourceShape.parse(found.settings) };
}

/** The next place in the order in which everything is recorded. */
export async function nextRecordedSeq(tx: Tx): Promise<bigint> {
  return must(await row<{ n: bigint }>(tx, sql`SELECT nextval('platform.recorded_seq') AS n`), 'sequence').n;
}
