import { conditionToSql, conditionToWords, gateWords, leafConditions, mainLeaves, measureScale, measureWords, sayMoney, sayNumber, sayUnits, toWords, type Rule, type UnitWords, type Vocabulary } from '@premia/algebra';
import { Refusal, compareRatio, formatMinor, parseRatio, phrase, printRatio, ratio, timesRatio, type Locale, type Ratio } from '@premia/kernel';
import { sql } from 'kysely';
import type { Context } from '../../platform/context.ts';
import { row, rows, runText, type Tx } from '../../platform/database.ts';
import type { Member, Program } from '../members/index.ts';
import { loadPlan, type Plan } from './plan.ts';
import { factFields } from './tiers.ts';

export type NotCounted = { because: string; lines: number; net: string };
export type Explanation = {
  mechanic: string; name: string; version: number; clause: string | null; rule: string; window: { from: string; to: string; document: string | null } | null;
  counted: { document: string; on: string; net: string; quantity: string }[]; not_counted: NotCounted[];
  measured: string | null; against: string | null; amount: string; unit: string; booked: string; decided_by: string | null; arithmetic: { factors: string[]; result: string } | null; sentences: string[];
};

type Asked = { document?: string; mechanic?: string; on?: string; locale: Locale };
type EntitlementRow = { window_start: string; window_end: string; subject_id: bigint; facts: bigint; measured_n: string; measured_d: string; base_n: string | null; base_d: string | null; why: string | null; uncapped: bigint; amount: bigint; version_id: bigint; number: string | null };

export const EXPLAINED_MAX = 500;

/**
 * What every mechanic made of a document, or of the window that holds a day – "nothing, because …" included: at most three sentences
 * per mechanic (the rule; the arithmetic; what did not count and why), and the same as data.
 */
export async function explain(tx: Tx, context: Context, program: Program, member: Member, asked: Asked): Promise<Explanation[]> {
  const plan = await loadPlan(tx, context.tenantId, program);
  const words = await vocabularyOf(tx, program);
  const document = asked.document === undefined ? null : await findDocument(tx, program, asked.document);
  const on = asked.on ?? document?.occurred_on ?? null;
  const rules = plan.rules.filter((rule) => (asked.mechanic === undefined || rule.mechanic.key === asked.mechanic) && (on === null || (rule.startsOn <= on && (rule.endsOn === 'infinity' || on < rule.endsOn)) || (rule.startsOn > on && rule.startsOn === rule.countsFrom && document !== null)));
  const numbers = new Map((await rows<{ version_id: bigint; number: number }>(tx, sql`SELECT version_id, number FROM mechanics.mechanic_version WHERE program_id = ${program.programId}`)).map((item) => [item.version_id, item.number]));
  const found: Explanation[] = [];
  for (const rule of rules) found.push(await explainRule(tx, { context, program, member, plan, rule, words, locale: asked.locale, document, on, number: numbers.get(rule.versionId) ?? 1 }));
  return found;
}

type Job = { context: Context; program: Program; member: Member; plan: Plan; rule: Rule; words: Vocabulary; locale: Locale; document: { document_id: bigint; base_document_id: bigint; number: string; occurred_on: string } | null; on: string | null; number: number };

async function findDocument(tx: Tx, program: Program, number: string): Promise<NonNullable<Job['document']>> {
  const found = await row<NonNullable<Job['document']>>(tx, sql`SELECT d.document_id, COALESCE((SELECT f.base_document_id FROM facts.fact AS f WHERE f.program_id = d.program_id AND f.document_id = d.document_id LIMIT 1), d.document_id) AS base_document_id, d.number, d.occurred_on
    FROM facts.document AS d WHERE d.program_id = ${program.programId} AND d.number = ${number} ORDER BY d.document_id LIMIT 1`);
  if (!found) throw new Refusal('document_not_found', 404, phrase(`Nie ma dokumentu „${number}”.`, `There is no document “${number}”.`));
  return found;
}

export async function vocabularyOf(tx: Tx, program: Program): Promise<Vocabulary> {
  const units = new Map((await rows<{ key: string; names: UnitWords }>(tx, sql`SELECT key, names FROM ledger.unit WHERE program_id = ${program.programId}`)).map((unit) => [unit.key, unit.names]));
  return { currency: program.currency, unit: (key) => units.get(key) };
}

async function explainRule(tx: Tx, job: Job): Promise<Explanation> {
  const { rule, words, locale } = job;
  const entitlement = await findEntitlement(tx, job);
  const facts = await judgedFacts(tx, job, entitlement);
  const counted = facts.filter((fact) => fact.failed === 0);
  const notCounted = groupFailures(job, facts.filter((fact) => fact.failed > 0));
  const unit = words.unit(rule.mechanic.award.unit);
  const amount = formatMinor(entitlement?.amount ?? 0n, rule.unitScale);
  const scale = measureScale(rule, job.plan.options);
  const x = entitlement ? attained(rule, entitlement, scale) : null;
  const shared = rule.mechanic.pool !== undefined && rule.mechanic.pool.received !== 'each';
  const arithmetic = entitlement && x && !shared ? arithmeticOf(rule, x, entitlement, job) : null;
  const rule1 = toWords(rule.mechanic, locale, words);
  const booked = await bookedFor(tx, job, entitlement);
  const decidedBy = !entitlement ? null : entitlement.why ? whyWords(job, entitlement.why) : entitlement.amount !== entitlement.uncapped ? heldBackWords(job, entitlement) : await poolWords(tx, job, entitlement, scale);
  return {
    mechanic: rule.mechanic.key, name: rule.mechanic.name?.[locale] ?? rule.mechanic.key, version: job.number, clause: rule.mechanic.clause ?? null, rule: rule1,
    window: entitlement ? { from: entitlement.window_start, to: entitlement.window_end, document: entitlement.number } : null,
    counted: counted.slice(0, EXPLAINED_MAX).map((fact) => ({ document: fact.number ?? '', on: fact.earned_on, net: formatMinor(fact.net_minor, job.program.currencyScale), quantity: printRatio(ratio(fact.quantity_milli, 1_000n)) })),
    not_counted: notCounted, measured: entitlement && x ? measureWords({ ...rule.mechanic, base: undefined } as Rule['mechanic'], measuredOf(entitlement, scale), locale, words) : null,
    against: entitlement?.base_n ? measureWords({ ...rule.mechanic, base: undefined } as Rule['mechanic'], ratio(BigInt(entitlement.base_n), BigInt(entitlement.base_d ?? '1') * scale), locale, words) : null,
    amount, unit: rule.mechanic.award.unit, booked: formatMinor(booked, rule.unitScale), decided_by: decidedBy, arithmetic,
    sentences: sentencesOf(job, { rule1, amount, unit, arithmetic, x, entitlement, notCounted, decidedBy }),
  };
}

async function findEntitlement(tx: Tx, job: Job): Promise<EntitlementRow | null> {
  const perThing = job.rule.mechanic.window === 'document' || job.rule.mechanic.window === 'line';
  const on = job.on ?? '9999-12-31';
  const found = await row<EntitlementRow>(tx, sql`SELECT e.window_start, e.window_end::text AS window_end, e.subject_id, e.facts, e.measured_n, e.measured_d, e.base_n, e.base_d, e.why, e.uncapped, e.amount, e.version_id, d.number FROM entitlements.entitlement AS e
    LEFT JOIN facts.document AS d ON d.tenant_id = e.tenant_id AND d.program_id = e.program_id AND d.document_id = e.subject_id
    WHERE e.program_id = ${job.program.programId} AND e.member_id = ${job.member.memberId} AND e.mechanic_id = ${job.rule.mechanicId} AND e.version_id = ${job.rule.versionId}
      AND ${perThing && job.document ? sql`e.subject_id = ${job.document.base_document_id}` : sql`e.window_start <= ${on} AND e.window_end >= ${job.on ?? '1900-01-01'}`}
    ORDER BY e.window_start DESC, e.subject_id DESC LIMIT 1`);
  return found ?? null;
}

type Judged = { number: string | null; earned_on: string; net_minor: bigint; quantity_milli: bigint; failed: number };

/** The conditions of the rule's sentence in their order, each with its words; a fact fails at the first that does not hold. */
function conditionsOf(job: Job): { sql: string; words: string }[] {
  const { rule, plan, locale, words } = job;
  const [leaf] = mainLeaves(rule.mechanic);
  if (!leaf || leaf.is === 'awarded') return [];
  const fields = factFields({ plan });
  const { kind, conditions } = leafConditions(rule, leaf, false);
  const role = kind === 'sale' ? rule.mechanic.earner.role : 'self';
  const pl = locale === 'pl';
  const day = rule.mechanic.window === 'document' || rule.mechanic.window === 'line' ? 'f.base_on' : 'f.earned_on';
  return [
    { sql: `f.kind = '${kind.replaceAll("'", "''")}'`, words: pl ? 'to inny rodzaj zdarzenia' : 'it is another kind of fact' },
    { sql: `f.role = '${role}'`, words: pl ? 'masz w tej sprzedaży inną rolę' : 'your role in this sale is another' },
    { sql: `f.base_on >= m.counts_from`, words: pl ? 'to sprzed dołączenia do programu' : 'it is from before you joined' },
    { sql: `f.base_on < m.counts_until`, words: pl ? 'to po odejściu z programu' : 'it is from after you left' },
    { sql: `NOT m.unagreed @> f.base_on`, words: pl ? 'Twoja firma nie zgodziła się jeszcze wtedy na Twój udział' : 'your company had not agreed to your taking part by then' },
    { sql: `NOT m.gaps @> f.base_on`, words: pl ? 'wtedy Twój udział był zawieszony albo przerwany' : 'your membership was suspended or interrupted then' },
    { sql: `${day} >= '${rule.countsFrom}'`, words: pl ? 'to sprzed początku tej zasady' : 'it is from before this rule began' },
    { sql: `${day} < '${rule.countsUntil}'`, words: pl ? 'to po zakończeniu tej zasady' : 'it is from after this rule ended' },
    ...conditions.flatMap((condition) => (condition.is === 'all' ? condition.of : [condition])).map((condition) => ({ sql: conditionToSql(condition, fields, plan.options), words: `${pl ? 'nie spełnia' : 'it does not meet'}: ${conditionToWords(condition, locale, words)}` })),
  ];
}

async function judgedFacts(tx: Tx, job: Job, entitlement: EntitlementRow | null): Promise<Judged[]> {
  const conditions = conditionsOf(job);
  if (conditions.length === 0) return [];
  const failed = `CASE ${conditions.map((condition, index) => `WHEN NOT (${condition.sql}) THEN ${index + 1}`).join(' ')} ELSE 0 END`;
  const perThing = job.rule.mechanic.window === 'document' || job.rule.mechanic.window === 'line';
  const within = job.document ? `f.base_document_id = ${job.document.base_document_id}`
    : perThing && entitlement ? `f.base_document_id = ${entitlement.subject_id}` : entitlement ? `f.earned_on BETWEEN '${entitlement.window_start}' AND '${entitlement.window_end}'` : job.on !== null ? `f.earned_on = '${job.on}'` : 'TRUE';
  const kinds = job.document ? '' : `AND f.kind = '${(leafConditions(job.rule, mainLeaves(job.rule.mechanic)[0] as never, false).kind).replaceAll("'", "''")}'`;
  return runText(tx, `SELECT d.number, f.earned_on, f.net_minor, f.quantity_milli, ${failed} AS failed FROM facts.fact AS f
    JOIN members.member AS m ON m.tenant_id = $1 AND m.program_id = $2 AND m.member_id = f.member_id
    LEFT JOIN facts.document AS d ON d.tenant_id = $1 AND d.program_id = $2 AND d.document_id = f.document_id
    WHERE f.tenant_id = $1 AND f.program_id = $2 AND f.member_id = $3 AND ${within} ${kinds} ORDER BY f.earned_on, f.line_id, f.role LIMIT 5000`, [job.context.tenantId, job.program.programId, job.member.memberId]);
}

function groupFailures(job: Job, facts: readonly Judged[]): NotCounted[] {
  const conditions = conditionsOf(job);
  return conditions.flatMap((condition, index) => {
    const own = facts.filter((fact) => fact.failed === index + 1);
    return own.length === 0 ? [] : [{ because: condition.words, lines: own.length, net: formatMinor(own.reduce((sum, fact) => sum + fact.net_minor, 0n), job.program.currencyScale) }];
  });
}

const measuredOf = (entitlement: EntitlementRow, scale: bigint): Ratio => ratio(BigInt(entitlement.measured_n), BigInt(entitlement.measured_d) * scale);

/** x of the curve: the measure, or the measure against its base. */
function attained(rule: Rule, entitlement: EntitlementRow, scale: bigint): Ratio | null {
  const measured = measuredOf(entitlement, scale);
  if (!rule.mechanic.base || rule.mechanic.measure.is === 'blend') return entitlement.why === 'no_base' ? null : measured;
  if (entitlement.base_n === null || entitlement.base_d === null) return null;
  const base = ratio(BigInt(entitlement.base_n), BigInt(entitlement.base_d) * scale);
  if (rule.mechanic.base.as === 'ratio') return base.n <= 0n ? null : ratio(measured.n * base.d, measured.d * base.n);
  return ratio(measured.n * base.d - base.n * measured.d, measured.d * base.d);
}

/** The curve's last step, re-addable: what was multiplied or reached, and what it gives before gates and limits. */
function arithmeticOf(rule: Rule, x: Ratio, entitlement: EntitlementRow, job: Job): Explanation['arithmetic'] {
  const { curve } = rule.mechanic;
  const { locale, words } = job;
  const said = (value: Ratio): string => measureWords(rule.mechanic, value, locale, words);
  const result = formatMinor(entitlement.uncapped, rule.unitScale);
  if (entitlement.why?.startsWith('gate')) return null;
  if (curve.is === 'per') {
    const units = timesRatio(curve.units, ratio(1n));
    const full = units.n === 0n ? ratio(0n) : ratio(entitlement.uncapped * units.d, units.n * 10n ** BigInt(rule.unitScale));
    return entitlement.why === null ? { factors: [printRatio(full), printRatio(units)], result } : { factors: [result], result };
  }
  if (curve.is === 'steps') {
    const step = curve.steps.findLast((item) => compareRatio(x, item.reach) >= 0);
    return { factors: [step ? printRatio(step.units) : '0'], result };
  }
  if (curve.is === 'bands' && curve.mode === 'retrospective') {
    const band = curve.bands.findLast((item) => compareRatio(x, item.from) >= 0);
    return band ? { factors: [said(x), printRatio(band.rate)], result } : { factors: ['0'], result };
  }
  return { factors: [said(x)], result };
}

function whyWords(job: Job, why: string): string {
  const pl = job.locale === 'pl';
  const gate = /^gate:(\d+)$/.exec(why)?.[1];
  if (gate !== undefined) {
    const found = job.rule.mechanic.gates[Number(gate)];
    return `${pl ? 'niespełniony warunek' : 'a condition was not met'}: ${found ? gateWords(found, job.locale, job.words) : ''}`;
  }
  const place = /^place:(\d+)$/.exec(why)?.[1];
  if (place !== undefined) return pl ? `to miejsce ${place}. w rankingu` : `it is place ${place} in the ranking`;
  return { below: pl ? 'to za mało, by zająć miejsce w rankingu' : 'it is not enough for a place in the ranking', no_base: pl ? 'nie ma celu ani podstawy porównania' : 'there is no target or base to compare with', most: pl ? 'zadziałał limit górny' : 'the upper limit applied', least: pl ? 'zadziałało minimum' : 'the minimum applied', gone: pl ? 'w tym oknie nic się już nie liczy' : 'nothing counts in this window any more' }[why] ?? why;
}

/** Why less is granted than the window is worth: a budget, a limit in total, or an approval that is waited for. */
function heldBackWords(job: Job, entitlement: EntitlementRow): string {
  const pl = job.locale === 'pl';
  const worth = sayUnits(formatMinor(entitlement.uncapped, job.rule.unitScale), job.words.unit(job.rule.mechanic.award.unit), job.locale);
  if (job.rule.mechanic.limits.budget !== undefined) return pl ? `z ${worth} tyle zostało w puli` : `of ${worth} this was left of the budget`;
  if (job.rule.mechanic.limits.most_total) return pl ? `z ${worth} tyle zostało do łącznego limitu` : `of ${worth} this was left of the limit in total`;
  return pl ? `${worth} czeka na zatwierdzenie, bo okres jest zamknięty` : `${worth} waits for approval, since the period is closed`;
}

/** Whose result a pooled window is, and the member's own part in it. */
async function poolWords(tx: Tx, job: Job, entitlement: EntitlementRow, scale: bigint): Promise<string | null> {
  const { pool } = job.rule.mechanic;
  if (!pool || pool.by === 'everyone') return null;
  const own = await row<{ pool: string; n: string; d: string }>(tx, sql`SELECT pool, measured_n::text AS n, measured_d::text AS d FROM entitlements.partial WHERE program_id = ${job.program.programId} AND member_id = ${job.member.memberId} AND mechanic_id = ${job.rule.mechanicId} AND window_start = ${entitlement.window_start} ORDER BY measured_n DESC LIMIT 1`);
  const part = measureWords({ ...job.rule.mechanic, base: undefined } as Rule['mechanic'], own ? ratio(BigInt(own.n), BigInt(own.d) * scale) : ratio(0n), job.locale, job.words);
  const pl = job.locale === 'pl';
  const who = `${pool.by === 'team' ? (pl ? 'zespołu' : 'the team') : (pl ? 'firmy' : 'the company')}${own ? (pl ? ` „${own.pool}”` : ` “${own.pool}”`) : ''}`;
  const how = { each: pl ? 'każdy dostaje tyle samo' : 'each receives the same', in_proportion: pl ? 'dzielony w proporcji do wkładu' : 'shared in proportion to the parts', by_head: pl ? 'dzielony po równo' : 'shared by the head' }[pool.received];
  return pl ? `to wynik ${who} (Twój wkład: ${part}), ${how}` : `it is the result of ${who} (your part: ${part}), ${how}`;
}

async function bookedFor(tx: Tx, job: Job, entitlement: EntitlementRow | null): Promise<bigint> {
  if (!entitlement) return 0n;
  const found = await row<{ amount: bigint | null }>(tx, sql`SELECT sum(CASE WHEN credit = 'wallet' THEN amount ELSE -amount END)::bigint AS amount FROM ledger.transfer WHERE program_id = ${job.program.programId} AND member_id = ${job.member.memberId}
    AND mechanic_id = ${job.rule.mechanicId} AND window_start = ${entitlement.window_start} AND subject_id = ${entitlement.subject_id}`);
  return found?.amount ?? 0n;
}

type Said = { rule1: string; amount: string; unit: UnitWords | undefined; arithmetic: Explanation['arithmetic']; x: Ratio | null; entitlement: EntitlementRow | null; notCounted: NotCounted[]; decidedBy: string | null };

function sentencesOf(job: Job, said: Said): string[] {
  const { locale, words, rule } = job;
  const pl = locale === 'pl';
  const owed = sayUnits(said.amount, said.unit, locale);
  const sentences = [said.rule1];
  if (!said.entitlement || (said.entitlement.facts === 0n && said.entitlement.amount === 0n)) {
    sentences.push(pl ? `Ta zasada nic tu nie daje: ${said.notCounted[0] ? said.notCounted[0].because : 'nic się nie liczy'}.` : `This rule gives nothing here: ${said.notCounted[0] ? said.notCounted[0].because : 'nothing counts'}.`);
    return sentences;
  }
  const x = said.x ? measureWords(rule.mechanic, said.x, locale, words) : '–';
  const sum = said.arithmetic && said.arithmetic.factors.length === 2 && rule.mechanic.curve.is === 'per' ? ` ${said.arithmetic.factors.map((factor) => sayNumber(factor, locale)).join(' × ')} =` : '';
  sentences.push(pl ? `Liczy się ${x}:${sum} ${owed}${said.decidedBy ? `, bo ${said.decidedBy}` : ''}.` : `What counts is ${x}:${sum} ${owed}${said.decidedBy ? `, because ${said.decidedBy}` : ''}.`);
  if (said.notCounted.length > 0) {
    const list = said.notCounted.map((item) => `${sayMoney(parseRatio(item.net) ?? ratio(0n), words.currency, locale)} – ${item.because}`).join('; ');
    sentences.push(pl ? `Nie liczy się: ${list}.` : `Not counted: ${list}.`);
  }
  return sentences;
}
