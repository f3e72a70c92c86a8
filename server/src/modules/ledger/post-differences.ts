import type { Day } from '@premia/kernel';
import { runText, type Tx } from '../../platform/database.ts';
import { KEEP_ACTIVE, POST_DIFFERENCES } from './queries.ts';

export type Posting = { tenantId: bigint; programId: bigint; bookedOn: Day; bookedAt: string; runSeq: bigint };

/**
 * Posts pg_temp.difference: one transfer per difference, then the lots, the debt and the wallets of the members it names. All
 * set-based, whatever the mix: what a correction takes comes from its own lot, then from what of it has expired, then from
 * available lots (earliest expiry first), then from pending ones; the rest is debt, which the next earnings settle first.
 * The members must be locked.
 */
export async function postDifferences(tx: Tx, posting: Posting): Promise<void> {
  const { tenantId, programId, bookedOn, bookedAt, runSeq } = posting;
  const known: Record<string, unknown> = { tenant: tenantId, program: programId, day: bookedOn, at: bookedAt, run: runSeq };
  for (const { text, takes } of POST_DIFFERENCES) await runText(tx, text, takes.map((name) => known[name]));
}

/** Notes who was active on the days of pg_temp.touch: units that expire after inactivity are counted from there. */
export async function keepActive(tx: Tx, posting: Posting): Promise<void> {
  await runText(tx, KEEP_ACTIVE, [posting.tenantId, posting.programId, posting.bookedOn]);
}
