import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { approveRecalculation, closePeriod, proposeRecalculation, recordInput } from '../../server/src/modules/entitlements/index.ts';
import { approveAdjustment, captureHold, expireLots, findUnit, holdUnits, openPosting, proposeAdjustment, readBalances, refundHold, releaseHold, transferUnits, type Command } from '../../server/src/modules/ledger/index.ts';
import { findMember, findProgram } from '../../server/src/modules/members/index.ts';
import type { Tx } from '../../server/src/platform/database.ts';
import { Refusal, addDays, type Day } from '@premia/kernel';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aWorld, perHundred, type World } from '../support/world.ts';

/**
 * Battery M1: random sequences of commands against a model that knows nothing of windows, lots or SQL: it keeps the sales as told, owes by
 * plain loops, and adds up. MODEL_RUNS and MODEL_SEED replay or lengthen a run.
 */
const RUNS = Number(process.env['MODEL_RUNS'] ?? 300);
const SEED = Number(process.env['MODEL_SEED'] ?? 20_260_615);

let installation: Installation;
beforeAll(async () => { installation = await anInstallation({ verifyAtEnd: false }); });
afterAll(() => installation.close());

type Sale = { number: string; buyer: string; on: Day; net: number; base: string | null; waits: boolean };
type Held = { holdId: bigint; member: string; amount: number; state: 'held' | 'captured' | 'gone' };
class Model {
  rate = 5;
  sales: Sale[] = [];
  moved = new Map<string, number>();
  holds: Held[] = [];
  alias = new Map<string, string>();
  away: { member: string; from: Day; to: Day }[] = [];
  closed = new Set<string>();
  next = 1;

  of(member: string): string { const into = this.alias.get(member); return into === undefined ? member : this.of(into); }
  move(member: string, amount: number): void { this.moved.set(this.of(member), (this.moved.get(this.of(member)) ?? 0) + amount); }
  root(sale: Sale): Sale { const base = sale.base === null ? undefined : this.sales.find((item) => item.number === sale.base); return base ? this.root(base) : sale; }

  /** 5 (or as ruled) for every full 100 zł of a document after its corrections; 40 for a month of at least 1,000 zł. */
  owed(member: string): number {
    const counting = this.sales.filter((sale) => !sale.waits && this.of(this.root(sale).buyer) === member && !this.away.some((item) => this.of(item.member) === member && this.root(sale).on >= item.from && this.root(sale).on < item.to));
    const sum = (key: (sale: Sale) => string): Map<string, number> => counting.reduce((sums, sale) => sums.set(key(sale), (sums.get(key(sale)) ?? 0) + sale.net), new Map<string, number>());
    const documents = [...sum((sale) => this.root(sale).number).values()].reduce((total, net) => total + this.rate * Math.trunc(net / 100), 0);
    const months = [...sum((sale) => this.root(sale).on.slice(0, 7)).values()].filter((net) => net >= 1_000).length * 40;
    return documents + months;
  }

  held(member: string): number { return this.holds.filter((hold) => hold.state === 'held' && this.of(hold.member) === member).reduce((sum, hold) => sum + hold.amount, 0); }
  total(member: string): number { return this.owed(member) + (this.moved.get(member) ?? 0); }
}

class Real {
  readonly world: World;
  constructor(world: World) { this.world = world; }
  inTx<T>(member: string, work: (tx: Tx, command: Command) => Promise<T>): Promise<T> {
    return this.world.context.transaction(async (tx) => {
      const program = await findProgram(tx, 'p');
      const unit = await findUnit(tx, program.programId, 'points');
      return work(tx, { ...(await openPosting(tx, this.world.context, program)), memberId: (await findMember(tx, program, member)).memberId, unitId: unit.unitId });
    });
  }

  /** Every balance equals the model's, nothing is below zero, available and debt never meet. */
  async compare(model: Model): Promise<void> {
    const balances = (await this.world.context.transaction(async (tx) => readBalances(tx, (await findProgram(tx, 'p')).programId, '2026-06-15', { unit: 'points' }))).map((item) => ({ member: item.member, total: Number(item.total), held: Number(item.held), fine: item.available >= 0n && item.debt >= 0n && !(item.available > 0n && item.debt > 0n) }));
    expect(balances).toEqual(balances.map(({ member }) => ({ member, total: model.total(member), held: model.held(member), fine: true })));
    for (const member of MEMBERS) if (model.of(member) === member && !balances.some((item) => item.member === member)) expect([member, model.total(member)]).toEqual([member, 0]);
  }
}

const MEMBERS = ['a', 'b', 'c'];
const DAYS: Day[] = ['2026-03-05', '2026-03-20', '2026-04-05', '2026-04-28', '2026-05-10', '2026-06-02'];
const member = fc.constantFrom(...MEMBERS);
const refused = (error: unknown): Refusal => { if (error instanceof Refusal) return error; throw error; };

/** How often each command really ran: a run in which one hardly did proved little. */
const ran = new Map<string, number>();

abstract class Step implements fc.AsyncCommand<Model, Real> {
  check(_model: Readonly<Model>): boolean { return true; }
  abstract act(model: Model, real: Real): Promise<void>;
  async run(model: Model, real: Real): Promise<void> {
    ran.set(this.constructor.name, (ran.get(this.constructor.name) ?? 0) + 1);
    await this.act(model, real);
    await real.compare(model);
  }

  abstract toString(): string;
}

class Sell extends Step {
  readonly given: { member: string; net: number; day: number; twice: boolean };
  constructor(given: Sell['given']) { super(); this.given = given; }
  async act(model: Model, real: Real): Promise<void> {
    const sale: Sale = { number: `S${model.next += 1}`, buyer: this.given.member, on: DAYS[this.given.day] as Day, net: this.given.net, base: null, waits: false };
    model.sales.push(sale);
    for (const waiting of model.sales) if (waiting.waits && waiting.base === sale.number) waiting.waits = false;
    for (let times = this.given.twice ? 2 : 1; times > 0; times -= 1) await real.world.sell({ number: sale.number, buyer: sale.buyer, on: sale.on, net: `${sale.net}.00` });
  }

  toString(): string { return `sell(${JSON.stringify(this.given)})`; }
}

/** A correction of an earlier sale, or of one that will come next. */
class Correct extends Step {
  readonly given: { pick: number; part: number; early: boolean; day: number };
  constructor(given: Correct['given']) { super(); this.given = given; }
  override check(model: Readonly<Model>): boolean { return this.given.early || model.sales.some((sale) => sale.base === null); }
  async act(model: Model, real: Real): Promise<void> {
    const originals = model.sales.filter((sale) => sale.base === null);
    const base = this.given.early ? undefined : originals[this.given.pick % originals.length];
    const number = `K${model.next += 1}`;
    const net = base ? -Math.max(1, Math.trunc((base.net * this.given.part) / 100)) : -50;
    const sale: Sale = { number, buyer: base?.buyer ?? 'a', on: DAYS[this.given.day] as Day, net, base: base?.number ?? `S${model.next + 1}`, waits: !base };
    model.sales.push(sale);
    await real.world.sell({ number, buyer: sale.buyer, on: sale.on, net: `${net}.00`, base: sale.base as string, baseLine: '1' });
  }

  toString(): string { return `correct(${JSON.stringify(this.given)})`; }
}

class Hold extends Step {
  readonly given: { member: string; amount: number };
  constructor(given: Hold['given']) { super(); this.given = given; }
  async act(model: Model, real: Real): Promise<void> {
    const name = model.of(this.given.member);
    const known = model.sales.some((sale) => model.of(sale.buyer) === name);
    const made = await real.inTx(this.given.member, async (tx, command) => holdUnits(tx, command, await findUnit(tx, command.programId, 'points'), { amount: BigInt(this.given.amount), reference: `H${model.next += 1}` })).catch(refused);
    if (made instanceof Refusal) { expect(['balance_too_low', 'member_not_found']).toContain(made.code); if (known) expect(model.total(name) - model.held(name)).toBeLessThan(this.given.amount); return; }
    model.holds.push({ holdId: made.holdId, member: name, amount: this.given.amount, state: 'held' });
  }

  toString(): string { return `hold(${JSON.stringify(this.given)})`; }
}

class Settle extends Step {
  readonly given: { pick: number; how: 'capture' | 'release' | 'refund' };
  constructor(given: Settle['given']) { super(); this.given = given; }
  override check(model: Readonly<Model>): boolean { return model.holds.length > 0; }
  async act(model: Model, real: Real): Promise<void> {
    const hold = model.holds[this.given.pick % model.holds.length] as Held;
    const { how } = this.given;
    const done = await real.inTx(hold.member, (tx, command) => (how === 'capture' ? captureHold(tx, command, hold.holdId) : how === 'release' ? releaseHold(tx, command, hold.holdId, 30) : refundHold(tx, command, hold.holdId, 30))).catch(refused);
    const fits = how === 'refund' ? hold.state === 'captured' : hold.state === 'held';
    if (fits) expect(done).not.toBeInstanceOf(Refusal);
    if (done instanceof Refusal || !fits) return;
    if (how === 'capture') { hold.state = 'captured'; model.move(hold.member, -hold.amount); } else { hold.state = 'gone'; if (how === 'refund') model.move(hold.member, hold.amount); }
  }

  toString(): string { return `settle(${JSON.stringify(this.given)})`; }
}

class Move extends Step {
  readonly given: { from: string; to: string; amount: number };
  constructor(given: Move['given']) { super(); this.given = given; }
  async act(model: Model, real: Real): Promise<void> {
    const [from, to] = [model.of(this.given.from), model.of(this.given.to)];
    const done = await real.inTx(from, async (tx, command) => transferUnits(tx, command, { from: command.memberId, to: (await findMember(tx, await findProgram(tx, 'p'), to)).memberId, unitId: command.unitId }, { amount: BigInt(this.given.amount), reason: 'gift', reference: `T${model.next += 1}` })).catch(refused);
    if (done instanceof Refusal) { expect(['same_member', 'balance_too_low', 'member_not_found']).toContain(done.code); return; }
    model.move(from, -this.given.amount);
    model.move(to, this.given.amount);
  }

  toString(): string { return `move(${JSON.stringify(this.given)})`; }
}

class Adjust extends Step {
  readonly given: { member: string; amount: number };
  constructor(given: Adjust['given']) { super(); this.given = given; }
  override check(model: Readonly<Model>): boolean { return model.sales.some((sale) => sale.buyer === this.given.member); }
  async act(model: Model, real: Real): Promise<void> {
    await real.inTx(this.given.member, async (tx, command) => approveAdjustment(tx, command, await proposeAdjustment(tx, command, { amount: BigInt(this.given.amount), reason: 'a call', principal: 'one' }), 'two', true));
    model.move(this.given.member, this.given.amount);
  }

  toString(): string { return `adjust(${JSON.stringify(this.given)})`; }
}

class ChangeRule extends Step {
  readonly rate: number;
  constructor(rate: number) { super(); this.rate = rate; }
  async act(model: Model, real: Real): Promise<void> {
    const { recalculationId } = await proposeRecalculation(real.world.context, { file: program(this.rate), reason: 'a wrong rate' });
    await approveRecalculation(real.world.context, { program: 'p', recalculationId });
    model.rate = this.rate;
  }

  toString(): string { return `rule(${this.rate})`; }
}

class Suspend extends Step {
  readonly given: { member: string; day: number };
  constructor(given: Suspend['given']) { super(); this.given = given; }
  override check(model: Readonly<Model>): boolean { return model.alias.size === 0 && model.sales.some((sale) => sale.buyer === this.given.member) && !model.away.some((item) => item.member === this.given.member); }
  async act(model: Model, real: Real): Promise<void> {
    const from = DAYS[this.given.day] as Day;
    const to = addDays(from, 20);
    const done = await recordInput(real.world.context, { kind: 'states', program: 'p', states: [{ member: this.given.member, state: 'active', from: '2020-01-01' }, { member: this.given.member, state: 'suspended', from }, { member: this.given.member, state: 'active', from: to }] }).catch(refused);
    if (done instanceof Refusal) { expect([done.code, model.closed.size > 0]).toEqual(['recalculation_needed', true]); return; }
    model.away.push({ member: this.given.member, from, to });
  }

  toString(): string { return `suspend(${JSON.stringify(this.given)})`; }
}

class Merge extends Step {
  readonly given: { from: string; to: string };
  constructor(given: Merge['given']) { super(); this.given = given; }
  override check(model: Readonly<Model>): boolean { const known = (name: string): boolean => model.sales.some((sale) => sale.buyer === name); return model.away.length === 0 && model.of(this.given.from) !== model.of(this.given.to) && known(this.given.from) && known(this.given.to); }
  async act(model: Model, real: Real): Promise<void> {
    const [from, to] = [model.of(this.given.from), model.of(this.given.to)];
    const done = await recordInput(real.world.context, { kind: 'merge', program: 'p', member: from, into: to }).catch(refused);
    if (done instanceof Refusal) { expect([done.code, model.closed.size > 0]).toEqual(['recalculation_needed', true]); return; }
    const spent = model.moved.get(from) ?? 0;
    model.moved.delete(from);
    model.alias.set(from, to);
    model.move(to, spent);
    model.holds = await Promise.all(model.holds.map(async (hold) => (hold.member === from && hold.state === 'held' ? { ...hold, member: to, holdId: await movedHold(real, hold) } : { ...hold, ...(hold.member === from ? { state: 'gone' as const } : {}) })));
  }

  toString(): string { return `merge(${JSON.stringify(this.given)})`; }
}

/** A hold that a merge moved has a number of its own at the new member, and the old one's reference. */
async function movedHold(real: Real, hold: Held): Promise<bigint> {
  const [found] = await installation.admin<{ id: string }>(`SELECT b.hold_id::text AS id FROM ledger.hold AS a JOIN ledger.hold AS b ON b.tenant_id = a.tenant_id AND b.program_id = a.program_id AND b.reference = a.reference AND b.hold_id > a.hold_id AND b.state = 'held' WHERE a.tenant_id = ${real.world.context.tenantId} AND a.hold_id = ${hold.holdId}`);
  return BigInt(found?.id ?? 0);
}

class Close extends Step {
  readonly month: number;
  constructor(month: number) { super(); this.month = month; }
  override check(model: Readonly<Model>): boolean { return !model.closed.has(this.#from); }
  get #from(): Day { return (['2026-03-01', '2026-04-01'] as const)[this.month] as Day; }
  async act(model: Model, real: Real): Promise<void> { await closePeriod(real.world.context, { program: 'p', from: this.#from, to: this.month === 0 ? '2026-03-31' : '2026-04-30' }); model.closed.add(this.#from); }
  toString(): string { return `close(${this.#from})`; }
}

class Check extends Step {
  async act(_model: Model, real: Real): Promise<void> { await real.inTx('a', (tx, command) => expireLots(tx, command)).catch(refused); await real.world.verified(); }
  toString(): string { return 'verify()'; }
}

const program = (rate: number): unknown => aProgram([{ ...perHundred, curve: { is: 'per', units: rate, every: 100 } }, { ...perHundred, key: 'month', window: 'month', curve: { is: 'steps', steps: [{ reach: 1_000, units: 40 }] } }]);

const COMMANDS = [
  fc.record({ member, net: fc.integer({ min: 1, max: 1_500 }), day: fc.integer({ min: 0, max: 5 }), twice: fc.boolean() }).map((given) => new Sell(given)),
  fc.record({ member, net: fc.integer({ min: 1, max: 1_500 }), day: fc.integer({ min: 0, max: 5 }), twice: fc.constant(false) }).map((given) => new Sell(given)),
  fc.record({ pick: fc.nat(20), part: fc.integer({ min: 1, max: 100 }), early: fc.boolean(), day: fc.integer({ min: 0, max: 5 }) }).map((given) => new Correct(given)),
  fc.record({ pick: fc.nat(20), part: fc.integer({ min: 1, max: 100 }), early: fc.constant(false), day: fc.integer({ min: 0, max: 5 }) }).map((given) => new Correct(given)),
  fc.record({ member, amount: fc.integer({ min: 1, max: 60 }) }).map((given) => new Hold(given)),
  fc.record({ pick: fc.nat(20), how: fc.constantFrom('capture' as const, 'release' as const, 'refund' as const) }).map((given) => new Settle(given)),
  fc.record({ from: member, to: member, amount: fc.integer({ min: 1, max: 40 }) }).map((given) => new Move(given)),
  fc.record({ member, amount: fc.integer({ min: -50, max: 50 }).filter((amount) => amount !== 0) }).map((given) => new Adjust(given)),
  fc.integer({ min: 3, max: 7 }).map((rate) => new ChangeRule(rate)),
  fc.record({ member, day: fc.integer({ min: 0, max: 5 }) }).map((given) => new Suspend(given)),
  fc.record({ from: member, to: member }).map((given) => new Merge(given)),
  fc.record({ pick: fc.nat(20), how: fc.constantFrom('capture' as const, 'refund' as const) }).map((given) => new Settle(given)),
  fc.integer({ min: 0, max: 1 }).map((month) => new Close(month)),
  fc.constant(new Check()),
];

test(`${RUNS} random sequences of commands agree with a plain model after every command (seed ${SEED})`, async () => {
  await fc.assert(fc.asyncProperty(fc.commands<Model, Real, false>(COMMANDS, { maxCommands: 40, size: 'max' }), async (commands) => {
    const world = await aWorld(await installation.tenant(), program(5));
    await fc.asyncModelRun(() => ({ model: new Model(), real: new Real(world) }), commands);
    await world.verified();
  }), { numRuns: RUNS, seed: SEED, endOnFailure: process.env['MODEL_SHRINK'] === undefined });
  for (const kind of [Sell, Correct, Hold, Settle, Move, Adjust, ChangeRule, Suspend, Merge, Close, Check]) expect(ran.get(kind.name) ?? 0, kind.name).toBeGreaterThan(RUNS / 10);
});
