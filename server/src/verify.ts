import { verifyProgram, type Verification } from './modules/entitlements/index.ts';
import { verifyRewards } from './modules/rewards/index.ts';
import type { Context } from './platform/context.ts';

/** Everything that can be checked about a program: entitlements, ledger and seals – and the rewards that units were turned into. */
export const verifyAll = (context: Context, program: string): Promise<Verification> => verifyProgram(context, program, [verifyRewards]);
