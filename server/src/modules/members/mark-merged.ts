import { sql } from 'kysely';
import type { Tx } from '../../platform/database.ts';
import type { Program } from './program.ts';

/** From now on one member answers as another, and so does everybody who answered as it. Its names stay its own: they lead to the new one. */
export async function markMerged(tx: Tx, program: Program, from: bigint, into: bigint): Promise<void> {
  await sql`UPDATE members.member SET merged_into = ${into} WHERE program_id = ${program.programId} AND (member_id = ${from} OR merged_into = ${from})`.execute(tx);
}
