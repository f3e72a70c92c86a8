import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Refusal, addDays, dice, type Day, type Dice } from '@premia/kernel';
import { approveImport, approveRecalculation, closePeriod, dryRunSales, proposeRecalculation, recordImport, recordMembers, recordSales, recordSalesTogether, recordTargets, resumeImports, sealTail } from '../../server/src/modules/entitlements/index.ts';
import { stageImport, type LineDraft } from '../../server/src/modules/facts/index.ts';
import { captureHold, expireLots, findUnit, holdUnits, openPosting, releaseHold, type Command } from '../../server/src/modules/ledger/index.ts';
import { findMember, findProgram } from '../../server/src/modules/members/index.ts';
import type { Tx } from '../../server/src/platform/database.ts';
import { anInstallation, type Installation } from '../support/installation.ts';
import { aProgram, aSale, aWorld, perHundred, type World } from '../support/world.ts';
import { Auditor, lastDay, type Sale } from './auditor.ts';

/**
 * Worlds grown from seeds: members, sales and returns that arrive late, twice, in any order, in any batches, by call, by lane or by file;
 * targets, a corrected rule, closed months, holds, expiry, transactions that die before or after their commit, clocks that jump – beside
 * an auditor who knows none of that. SIMULATION_SEEDS and SIMULATION_FROM lengthen a run or replay one seed:
 * SIMULATION_FROM=17 SIMULATION_SEEDS=1.
 */
const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 70);
const FROM = Number(process.env['SIMULATION_FROM'] ?? 1);
const MEMBERS = ['ada', 'ben', 'cyd', 'dan', 'eve'];
const BESIDE = 3;

let installation: Installation;
beforeAll(async () => { installation = await anInstallation({ verifyAtEnd: false }); });
afterAll(() => installation.close());

const names = { pl: { one: 'punkt', few: 'punkty', many: 'punktów', short: 'pkt' }, en: { one: 'point', other: 'points', short: 'pts' } };
const program = (rate: number): unknown => aProgram([
  { ...perHundred, curve: { is: 'per', units: rate, every: 100 } },
  { key: 'target', from: '2020-01-01', earner: { role: 'buyer' }, measure: { is: 'sum', of: 'net' }, window: 'month', base: { is: 'target', target: 't' }, curve: { is: 'steps', steps: [{ reach: 1, units: 100 }, { reach: 1.2, units: 150 }] }, award: { unit: 'points' } },
  { key: 'quiz', from: '2020-01-01', earner: { role: 'self' }, facts: { kind: 'quiz_passed' }, measure: { is: 'sum', of: 'quantity' }, window: 'day', curve: { is: 'per', units: 1, every: 1 }, award: { unit: 'stars', expires: { months: 1, end: 'month' } } },
], { targets: [{ key: 't', of: 'net', window: 'month' }], units: [{ key: 'points', scale: 0, names }, { key: 'stars', scale: 0, grace_days: 0, names }] });

const monthOf = (day: Day): string => day.slice(0, 7);

/** What a run met: one in which nothing dangerous happened proves nothing. */
const met = new Map<string, number>();
const meet = (what: string): void => { met.set(what, (met.get(what) ?? 0) + 1); };

class Life {
  readonly d: Dice;
  readonly world: World;
  readonly auditor = new Auditor();
  today: Day = '2026-01-02';
  #queue: LineDraft[] = [];
  #quizzes: { reference: string; member: string; on: Day }[] = [];
  readonly #holds: { holdId: bigint; member: string; amount: number }[] = [];
  readonly #closed = new Set<string>();
  #made = 0;

  constructor(d: Dice, world: World) { this.d = d; this.world = world; }
  #pick<T>(items: readonly T[]): T { return items[this.d.below(items.length)] as T; }

  /** Some days go by; sometimes many, and sometimes the clock of the machine stumbles back an hour. */
  async wait(): Promise<void> {
    this.today = addDays(this.today, this.d.below(12) === 0 ? 35 : this.d.between(1, 6));
    const stumbles = this.d.below(6) === 0;
    if (stumbles) meet('the clock stumbled');
    this.world.context.clock.at = `${this.today}T${stumbles ? '09' : '10'}:00:00Z`;
    if (this.d.below(3) === 0) { meet('expiry booked'); await this.#posting('ada', (tx, command) => expireLots(tx, command)).catch(() => {}); }
  }

  sell(): void {
    const earlier = this.auditor.sales.filter((sale) => sale.base === null);
    const returns = earlier.length > 0 && this.d.below(3) === 0;
    const base = returns ? this.#pick(earlier) : null;
    const left = base ? this.auditor.sales.filter((sale) => this.auditor.root(sale).number === base.number).reduce((sum, sale) => sum + sale.net, 0) : 0;
    if (base && left <= 0) return;
    const sale: Sale = { number: `${base ? 'K' : 'S'}${this.#made += 1}`, member: base?.member ?? this.#pick(MEMBERS), on: addDays(this.today, -this.d.below(20)), net: base ? -this.d.between(1, left) : this.d.between(1, 1_500), base: base?.number ?? null };
    this.auditor.sales.push(sale);
    const draft = aSale({ number: sale.number, buyer: sale.member, on: sale.on, net: `${sale.net}.00`, ...(base ? { base: base.number, baseLine: '1' } : {}) });
    this.#queue.push(draft);
    if (this.d.below(4) === 0) { meet('sent twice'); this.#queue.push(draft); }
  }

  pass(): void {
    const quiz = { reference: `q${this.#made += 1}`, member: this.#pick(MEMBERS), on: addDays(this.today, -this.d.below(10)) };
    this.auditor.quizzes.push(quiz);
    this.#quizzes.push(quiz, ...(this.d.below(4) === 0 ? [quiz] : []));
  }

  async target(): Promise<void> {
    const [member, month, value] = [this.#pick(MEMBERS), monthOf(addDays(this.today, -this.d.below(40))), this.d.between(2, 40) * 100];
    try {
      await recordTargets(this.world.context, { program: 'p', targets: [{ target: 't', subject: member, window_start: `${month}-01`, value: BigInt(value) * 100n, reason: 'agreed' }] });
      this.auditor.targets.set(`${member} ${month}`, value);
      meet('a target set');
    } catch (error) {
      if (!(error instanceof Refusal) || !['recalculation_needed', 'member_not_found'].includes(error.code)) throw error;
      if (error.code === 'recalculation_needed') { expect([...this.#closed], 'only closed months refuse').toContain(month); meet('a target of a closed month refused'); }
    }
  }

  async rule(): Promise<void> {
    const rate = this.d.between(3, 7);
    if (rate === this.auditor.rate) return;
    const { recalculationId } = await proposeRecalculation(this.world.context, { file: program(rate), reason: 'a wrong rate' });
    await approveRecalculation(this.world.context, { program: 'p', recalculationId });
    this.auditor.rate = rate;
    meet('a rule corrected');
  }

  async close(): Promise<void> {
    const month = monthOf(addDays(this.today, -35));
    if (this.#closed.has(month)) return;
    await closePeriod(this.world.context, { program: 'p', from: `${month}-01`, to: lastDay(`${month}-01`) });
    this.#closed.add(month);
    meet('a month closed');
  }

  /** Everything under way arrives: shuffled, in parts of any size, each by a road of its own, some of it dying on the way. */
  async arrive(): Promise<void> {
    const queue = this.#queue.map((line) => ({ line, at: this.d.below(1_000_000) })).sort((a, b) => a.at - b.at).map((item) => item.line);
    this.#queue = [];
    while (queue.length > 0) await this.#send(queue.splice(0, this.d.between(1, 8)));
    for (const quiz of this.#quizzes.sort(() => this.d.below(2) - 0.5)) await this.world.did(quiz.member, 'quiz_passed', quiz.on, { reference: quiz.reference });
    this.#quizzes = [];
  }

  async #send(lines: LineDraft[]): Promise<void> {
    const { context } = this.world;
    const input = { program: 'p', source: 'erp', lines: [...new Map(lines.map((line) => [line.number, line])).values()] };
    switch (this.d.below(8)) {
      case 0: meet('died before its commit'); await dryRunSales(context, input); return this.#send(lines);
      case 1: meet('died after its commit'); await recordSales(context, input); return this.#send(lines);
      case 2: case 3: meet('by lane'); await Promise.all(input.lines.map((line) => recordSalesTogether(context, { ...input, lines: [line] }))); return;
      case 4: if (this.d.below(4) === 0) { await this.#byFile(input.lines); return; } await recordSales(context, input); return;
      default: await recordSales(context, input);
    }
  }

  async #byFile(lines: readonly LineDraft[]): Promise<void> {
    const path = join(mkdtempSync(join(tmpdir(), 'premia-simulation-')), 'f.csv');
    writeFileSync(path, `document;line;date;net;quantity;buyer;kind;base;base_line\n${lines.map((line) => [line.number, '1', line.occurredOn, `${line.netMinor / 100n},00`, line.netMinor < 0n ? '-1' : '1', line.buyer?.slice(5), line.baseNumber === null ? 'sale' : 'correction', line.baseNumber ?? '', line.baseLine ?? ''].join(';')).join('\n')}\n`);
    const mapping = { document: 'document', line: 'line', date: 'date', net: 'net', quantity: 'quantity', buyer: 'buyer', buyer_by: 'code' as const, seller_by: 'code' as const, rep_by: 'code' as const, attributes: {}, kind: { column: 'kind', returns: [], corrections: ['correction'] }, base_document: 'base', base_line: 'base_line' };
    const { importId } = await stageImport(this.world.context, installation.url, { program: 'p', source: 'erp', parts: [{ path, name: 'f.csv' }], mapping });
    await approveImport(this.world.context, { program: 'p', importId });
    if (this.d.below(2) === 0) { meet('an import left behind'); await resumeImports(this.world.context); } else { meet('by file'); await recordImport(this.world.context, { program: 'p', importId }); }
  }

  #posting<T>(member: string, work: (tx: Tx, command: Command) => Promise<T>): Promise<T> {
    return this.world.context.transaction(async (tx) => {
      const found = await findProgram(tx, 'p');
      return work(tx, { ...(await openPosting(tx, this.world.context, found)), memberId: (await findMember(tx, found, member)).memberId, unitId: (await findUnit(tx, found.programId, 'points')).unitId });
    });
  }

  /** Everything has arrived: whoever asks for no more than there is gets it, whoever asks for more is refused. */
  async order(): Promise<void> {
    const [member, amount] = [this.#pick(MEMBERS), this.d.between(1, 120)];
    const free = this.auditor.total(member) - (this.auditor.held.get(member) ?? 0);
    const made = await this.#posting(member, async (tx, command) => holdUnits(tx, command, await findUnit(tx, command.programId, 'points'), { amount: BigInt(amount), reference: `o${this.#made += 1}` })).catch((error: unknown) => error);
    if (made instanceof Refusal) { expect(['balance_too_low', 'member_not_found']).toContain(made.code); expect(free).toBeLessThan(amount); meet('an order refused'); return; }
    if (made instanceof Error) throw made;
    expect(free).toBeGreaterThanOrEqual(amount);
    this.#holds.push({ holdId: (made as { holdId: bigint }).holdId, member, amount });
    this.auditor.held.set(member, (this.auditor.held.get(member) ?? 0) + amount);
  }

  async deliver(): Promise<void> {
    const hold = this.#holds.pop();
    if (!hold) return;
    const captured = this.d.below(3) > 0;
    await this.#posting(hold.member, async (tx, command): Promise<unknown> => (captured ? captureHold(tx, command, hold.holdId) : releaseHold(tx, command, hold.holdId, 30)));
    this.auditor.held.set(hold.member, (this.auditor.held.get(hold.member) ?? 0) - hold.amount);
    if (captured) { this.auditor.spent.set(hold.member, (this.auditor.spent.get(hold.member) ?? 0) + hold.amount); meet('an order delivered'); }
  }

  /** What the books say of each member is what the auditor says. */
  async audit(): Promise<void> {
    for (const member of MEMBERS) {
      const [points, stars] = [await this.world.balance(member, 'points'), await this.world.balance(member, 'stars')];
      if (points.debt > 0n) meet('somebody in debt');
      expect({ member, today: this.today, total: Number(points.total), held: Number(points.held), stars: Number(stars.available) }).toEqual({ member, today: this.today, total: this.auditor.total(member), held: this.auditor.held.get(member) ?? 0, stars: this.auditor.stars(member, this.today) });
    }
  }
}

async function live(seed: number): Promise<void> {
  const d = dice(seed);
  const life = new Life(d, await aWorld(await installation.tenant(), program(5)));
  await recordMembers(life.world.context, { program: 'p', members: MEMBERS.map((code) => ({ code, kind: 'company' as const, from: '2025-01-01' })) });
  for (let week = 0; week < 8; week += 1) {
    await life.wait();
    for (let n = d.between(1, 8); n > 0; n -= 1) life.sell();
    for (let n = d.below(3); n > 0; n -= 1) life.pass();
    if (d.below(2) === 0) await life.target();
    await life.arrive();
    if (d.below(2) === 0) await life.order();
    if (d.below(3) === 0) await life.deliver();
    if (d.below(4) === 0) await life.rule();
    if (d.below(3) === 0) await life.close();
    if (d.below(3) === 0) await sealTail(life.world.context);
    await life.audit();
  }
  await life.world.verified();
}

test(`${SEEDS} worlds from seed ${FROM} on agree with the auditor every week, and verify`, async () => {
  const seeds = Array.from({ length: SEEDS }, (_, n) => FROM + n);
  const worker = async (): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      await live(seed).catch((error: Error) => { seeds.length = 0; throw new Error(`seed ${seed} (replay: SIMULATION_FROM=${seed} SIMULATION_SEEDS=1): ${error.message}`, { cause: error }); });
    }
  };
  await Promise.all(Array.from({ length: BESIDE }, worker));
  if (SEEDS >= 50) for (const what of ['sent twice', 'died before its commit', 'died after its commit', 'by lane', 'by file', 'an import left behind', 'a target set', 'a target of a closed month refused', 'a rule corrected', 'a month closed', 'expiry booked', 'an order refused', 'an order delivered', 'somebody in debt', 'the clock stumbled']) expect([what, met.get(what) ?? 0], what).not.toEqual([what, 0]);
});
