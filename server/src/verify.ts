import { keepVerification, verifyProgram, type Verification } from './modules/entitlements/index.ts';
import { verifyRewards } from './modules/rewards/index.ts';
import type { Context } from './platform/context.ts';

/** Everything that can be checked about a program: entitlements, ledger and seals – and the rewards that units were turned into. */
export const verifyAll = (context: Context, program: string): Promise<Verification> => verifyProgram(context, program, [verifyRewards]);

/** The same, and what it found is kept, with when and by whom. */
export async function verifyAndKeep(context: Context, program: string): Promise<Verification> {
  const found = await verifyAll(context, program);
  await keepVerification(context, found);
  return found;
}
