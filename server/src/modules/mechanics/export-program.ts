import { sql } from 'kysely';
import { rows, type Tx } from '../../platform/database.ts';
import { findProgram } from '../members/index.ts';
import { liveVersions } from './publish.ts';

/** A program as the file that makes it: settings and every live version. Applying it changes nothing. */
export async function exportProgram(tx: Tx, key: string): Promise<Record<string, unknown>> {
  const program = await findProgram(tx, key);
  const live = await liveVersions(tx, program);
  const order = await rows<{ key: string }>(tx, sql`SELECT key FROM mechanics.mechanic WHERE program_id = ${program.programId} ORDER BY mechanic_id`);
  return { premia: 1, ...program.settings, mechanics: order.flatMap(({ key: mechanic }) => (live.get(mechanic) ?? []).map((version) => version.definition)) };
}
