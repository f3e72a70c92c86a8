import { runText, type Tx } from '../../platform/database.ts';
import type { Program } from '../members/index.ts';
import { MERGE_FACTS, TOUCH_RUN } from './queries.ts';

/** Re-credits everything one member holds to another, by minus and plus facts. Touches the days that move. Both must be locked. */
export async function mergeFacts(tx: Tx, given: { tenantId: bigint; program: Program; from: bigint; to: bigint; recordedSeq: bigint }): Promise<void> {
  await runText(tx, MERGE_FACTS, [given.tenantId, given.program.programId, given.from, given.to, given.recordedSeq]);
  await runText(tx, TOUCH_RUN, [given.tenantId, given.program.programId, given.recordedSeq, [given.from, given.to]]);
}
