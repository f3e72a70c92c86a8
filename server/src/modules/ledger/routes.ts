import { formatMinor } from '@premia/kernel';
import type { Handler } from '../../platform/http.ts';
import { today } from '../../platform/context.ts';
import { findMember, findProgram } from '../members/index.ts';
import { readBalances } from './read-balances.ts';
import { readStatement } from './read-statement.ts';

export const ledgerHandlers: Record<'readBalances' | 'readStatement', Handler> = {
  readBalances: (context, { params, query }) => context.transaction(async (tx) => {
    const program = await findProgram(tx, params['program'] as string);
    const { limit, after, unit, as_of: asOf } = query as { limit: number; after?: string; unit?: string; as_of?: string };
    const found = await readBalances(tx, program.programId, asOf ?? today(context, program.zone), { limit: limit + 1, ...(after === undefined ? {} : { after }), ...(unit === undefined ? {} : { unit }) });
    // A page never ends inside a member: with several units its last, incomplete member moves to the next page.
    const page = found.length > limit ? found.filter((item) => item.member !== found.at(-1)?.member) : found;
    const shown = page.length > 0 ? page : found.slice(0, limit);
    return { balances: shown.map((item) => ({ member: item.member, unit: item.unit, ...Object.fromEntries((['available', 'pending', 'held', 'debt', 'total'] as const).map((name) => [name, formatMinor(item[name], item.scale)])) })),
      next: found.length > limit ? shown.at(-1)?.member ?? null : null };
  }),
  readStatement: (context, { params, query }) => context.transaction(async (tx) => {
    const program = await findProgram(tx, params['program'] as string);
    const member = await findMember(tx, program, params['member'] as string);
    const { limit, after } = query as { limit: number; after?: string };
    const found = await readStatement(tx, program.programId, member.memberId, { limit: limit + 1, after: /^\d{1,18}$/.test(after ?? '') ? BigInt(after as string) : 0n });
    const page = found.slice(0, limit);
    return { entries: page.map((item) => ({ id: item.transferId, booked_on: item.bookedOn, kind: item.kind, unit: item.unit, amount: formatMinor(item.amount, item.scale), balance: formatMinor(item.balance, item.scale), mechanic: item.mechanic, window: item.windowStart, document: item.document, reason: item.reason })),
      next: found.length > limit ? String(page.at(-1)?.transferId) : null };
  }),
};
