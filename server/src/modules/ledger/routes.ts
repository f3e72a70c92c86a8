import { crashPoint } from '../../platform/crash-point.ts';
import { formatMinor, must, parseMinor } from '@premia/kernel';
import { sql } from 'kysely';
import type { Handled, Handler } from '../../platform/http.ts';
import { instant, today, type Context } from '../../platform/context.ts';
import { row, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import { employerBars, findMember, findProgram, stateOn, type Program } from '../members/index.ts';
import { approveAdjustment, listAdjustments, proposeAdjustment, rejectAdjustment, type AdjustmentKind } from './adjust-units.ts';
import { expireLots } from './expire-lots.ts';
import { captureHold, holdUnits, refundHold, releaseHold, type Hold } from './hold-units.ts';
import { findUnit } from './move-units.ts';
import type { Posting } from './post-differences.ts';
import { readBalances } from './read-balances.ts';
import { readLiability } from './read-liability.ts';
import { readStatement } from './read-statement.ts';
import { refuse } from './refusals.ts';
import { transferUnits } from './transfer-units.ts';

type Name = 'readBalances' | 'readStatement' | 'holdUnits' | 'captureHold' | 'releaseHold' | 'refundHold' | 'proposeAdjustment' | 'approveAdjustment' | 'rejectAdjustment' | 'listAdjustments' | 'transferUnits' | 'expireLots' | 'readLiability';

/** Where and when a command is booked. */
export async function openPosting(tx: Tx, context: Context, program: Program): Promise<Posting> {
  const { seq } = must(await row<{ seq: bigint }>(tx, sql`SELECT nextval('platform.recorded_seq') AS seq`), 'sequence');
  return { tenantId: context.tenantId, programId: program.programId, bookedOn: today(context, program.zone), bookedAt: instant(context), runSeq: seq };
}

/** One command on one program, in one transaction. */
const command = <T>(context: Context, { params }: Handled, work: (tx: Tx, program: Program, posting: Posting) => Promise<T>): Promise<T> => context.transaction(async (tx) => {
  const program = await findProgram(tx, params['program'] as string);
  const done = await work(tx, program, await openPosting(tx, context, program));
  crashPoint('hold-before-commit');
  return done;
}).then((done) => { crashPoint('hold-after-commit'); return done; });

async function activeMember(tx: Tx, program: Program, posting: Posting, reference: string): Promise<bigint> {
  const { memberId } = await findMember(tx, program, reference);
  if ((await stateOn(tx, program, memberId, posting.bookedOn)) !== 'active') throw refuse('member_not_active');
  return memberId;
}

const settleHold = (settle: (tx: Tx, posting: Posting & { memberId: bigint }, holdId: bigint, graceDays: number) => Promise<Hold>): Handler => (context, given) => command(context, given, async (tx, program, posting) => {
  const { memberId } = await findMember(tx, program, given.params['member'] as string);
  const hold = await settle(tx, { ...posting, memberId }, BigInt(given.params['hold'] as string), await graceOf(tx, program, memberId, BigInt(given.params['hold'] as string)));
  await audit(tx, context, { action: `hold.${hold.state}`, subject: `hold:${hold.holdId}`, programId: program.programId });
  return { hold: hold.holdId, state: hold.state };
});

async function graceOf(tx: Tx, program: Program, memberId: bigint, holdId: bigint): Promise<number> {
  const found = await row<{ grace_days: number }>(tx, sql`SELECT u.grace_days FROM ledger.hold AS h JOIN ledger.unit AS u ON u.program_id = h.program_id AND u.unit_id = h.unit_id WHERE h.program_id = ${program.programId} AND h.member_id = ${memberId} AND h.hold_id = ${holdId}`);
  return found?.grace_days ?? 0;
}

export const ledgerHandlers: Record<Name, Handler> = {
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
  holdUnits: (context, given) => command(context, given, async (tx, program, posting) => {
    const { unit: key, amount, reference } = given.body as { unit: string; amount: string; reference: string };
    if (reference.startsWith('item:')) throw refuse('reference_used'); // those are the orders' own
    const unit = await findUnit(tx, program.programId, key);
    const memberId = await activeMember(tx, program, posting, given.params['member'] as string);
    if (await employerBars(tx, program, memberId, posting.bookedOn) !== null) throw refuse('employer_consent_missing');
    const hold = await holdUnits(tx, { ...posting, memberId, unitId: unit.unitId }, unit, { amount: parseMinor(amount, unit.scale, 'amount'), reference });
    await audit(tx, context, { action: 'hold.made', subject: `hold:${hold.holdId}`, programId: program.programId, after: { unit: key, amount, reference } });
    return { hold: hold.holdId, state: hold.state };
  }),
  captureHold: settleHold(captureHold),
  releaseHold: settleHold(releaseHold),
  refundHold: settleHold(refundHold),
  proposeAdjustment: (context, given) => command(context, given, async (tx, program, posting) => {
    const { unit: key, amount, reason, kind } = given.body as { unit: string; amount: string; reason: string; kind: AdjustmentKind };
    const unit = await findUnit(tx, program.programId, key);
    const { memberId } = await findMember(tx, program, given.params['member'] as string);
    const adjustment = await proposeAdjustment(tx, { ...posting, memberId, unitId: unit.unitId }, { kind, amount: parseMinor(amount, unit.scale, 'amount'), reason, principal: context.principal });
    await audit(tx, context, { action: 'adjustment.proposed', subject: `adjustment:${adjustment}`, programId: program.programId, after: { kind, unit: key, amount, reason } });
    return { adjustment, state: 'proposed' };
  }),
  approveAdjustment: (context, given) => command(context, given, async (tx, program, posting) => {
    const id = BigInt(given.params['adjustment'] as string);
    await approveAdjustment(tx, posting, id, context.principal, program.settings.four_eyes.adjustments);
    await audit(tx, context, { action: 'adjustment.posted', subject: `adjustment:${id}`, programId: program.programId });
    return { adjustment: id, state: 'posted' };
  }),
  rejectAdjustment: (context, given) => command(context, given, async (tx, program, posting) => {
    const id = BigInt(given.params['adjustment'] as string);
    await rejectAdjustment(tx, posting, id, context.principal);
    await audit(tx, context, { action: 'adjustment.rejected', subject: `adjustment:${id}`, programId: program.programId });
    return { adjustment: id, state: 'rejected' };
  }),
  listAdjustments: (context, { params, query }) => context.transaction(async (tx) => {
    const program = await findProgram(tx, params['program'] as string);
    const { limit, after, state } = query as { limit: number; after?: string; state?: string };
    const found = await listAdjustments(tx, program.programId, { limit: limit + 1, ...(state === undefined ? {} : { state }), ...(/^\d{1,18}$/.test(after ?? '') ? { after: BigInt(after as string) } : {}) });
    return { adjustments: found.slice(0, limit).map((item) => ({ id: item.adjustmentId, member: item.member, unit: item.unit, kind: item.kind, amount: formatMinor(item.amount, item.scale), reason: item.reason, proposed_by: item.proposedBy, decided_by: item.approvedBy, state: item.state })),
      next: found.length > limit ? String(found[limit - 1]?.adjustmentId) : null };
  }),
  transferUnits: (context, given) => command(context, given, async (tx, program, posting) => {
    const { from, to, unit: key, amount, reason, reference } = given.body as Record<'from' | 'to' | 'unit' | 'amount' | 'reason' | 'reference', string>;
    const unit = await findUnit(tx, program.programId, key);
    const between = { from: await activeMember(tx, program, posting, from), to: (await findMember(tx, program, to)).memberId, unitId: unit.unitId };
    const moved = await transferUnits(tx, posting, between, { amount: parseMinor(amount, unit.scale, 'amount'), reason, reference });
    await audit(tx, context, { action: 'units.transferred', subject: `pair:${moved.pairId}`, programId: program.programId, after: { from, to, unit: key, amount, reason, reference } });
    return { pair: moved.pairId, amount: formatMinor(moved.amount, unit.scale) };
  }),
  expireLots: (context, given) => command(context, given, async (tx, program, posting) => {
    const lots = await expireLots(tx, posting);
    await audit(tx, context, { action: 'lots.expired', subject: `program:${program.key}`, programId: program.programId, after: { lots } });
    return { lots };
  }),
  readLiability: (context, { params, query }) => context.transaction(async (tx) => {
    const program = await findProgram(tx, params['program'] as string);
    const asOf = (query as { as_of?: string }).as_of ?? today(context, program.zone);
    return { as_of: asOf, units: (await readLiability(tx, program.programId, asOf)).map((item) => ({ unit: item.unit, available: formatMinor(item.available, item.scale), pending: formatMinor(item.pending, item.scale), held: formatMinor(item.held, item.scale), debt: formatMinor(item.debt, item.scale),
      total: formatMinor(item.available + item.pending + item.held - item.debt, item.scale), by_expiry: item.byExpiry.map((month) => ({ ...month, amount: formatMinor(month.amount, item.scale) })) })) };
  }),
};
