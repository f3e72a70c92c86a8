import { compile, measureScale, measureWords, parseMechanic, toWords, type Vocabulary } from '@premia/algebra';
import { addDays, addMonths, formatMinor, must, ratio, windowStart, type Day, type Locale } from '@premia/kernel';
import { sql } from 'kysely';
import { z } from 'zod';
import { today, type Context } from '../../platform/context.ts';
import { row, rows, runText, type Tx } from '../../platform/database.ts';
import { emptyRun } from '../../platform/run-tables.ts';
import { findProgram, type Program } from '../members/index.ts';
import { PRESETS, expandPreset, exportProgram, liveVersions, planProgram, readProgram, type ProgramFile } from '../mechanics/index.ts';
import { publishStep, settleAll } from './apply-program.ts';
import { vocabularyOf } from './explain.ts';
import { openSettling } from './record-sales.ts';
import { listStale, settleWindow } from './settle-pools.ts';

const SAMPLES = 10;
const MONTHS_SHOWN = 3;
const PEOPLE_SHOWN = 20;
const sentenceOf = (definition: unknown, words: Vocabulary): Record<Locale, string> => { const mechanic = parseMechanic(definition); return { pl: toWords(mechanic, 'pl', words), en: toWords(mechanic, 'en', words) }; };

/** Every mechanic with its sentence in both languages and its versions, as they hold on a day. */
export async function listMechanics(tx: Tx, program: Program, on: Day): Promise<unknown[]> {
  const words = await vocabularyOf(tx, program);
  const order = await rows<{ key: string }>(tx, sql`SELECT key FROM mechanics.mechanic WHERE program_id = ${program.programId} ORDER BY mechanic_id`);
  const live = await liveVersions(tx, program);
  return order.flatMap(({ key }) => {
    const versions = live.get(key) ?? [];
    const current = versions.findLast((version) => version.startsOn <= on) ?? versions[0];
    const last = versions.at(-1);
    if (!current || !last) return [];
    const { definition } = current;
    return [{
      key, name: definition.name ?? { pl: key, en: key }, sentence: sentenceOf(definition, words), unit: parseMechanic(definition).award.unit, clause: definition.clause ?? null,
      state: current.startsOn > on ? 'coming' : last.endsOn !== 'infinity' && last.endsOn <= on ? 'ended' : 'live',
      versions: versions.map((version) => ({ number: version.number, from: version.startsOn, to: version.endsOn === 'infinity' ? null : version.endsOn, sentence: sentenceOf(version.definition, words), definition: version.definition })),
    }];
  });
}

type Moved = { unit: string; before: string; after: string };
export type Trial = { sentence: Record<Locale, string>; definition: unknown; months: (Moved & { month: string })[]; members: (Moved & { member: string })[]; winners: number; losers: number; unchanged: number; touched: number; samples: { member: string; document: string | null; window_start: Day; measured: string; amount: string; unit: string }[] };

/**
 * A draft over the recorded facts: what it says, what it would have given in the last three months and to whom, and ten real windows it
 * touches – beside what the live mechanic of its key gives. Computed by the SQL that production would run, in a transaction that is taken
 * back; a pooled rule (team, ranking) settles the whole program for that and takes as long as a simulation.
 */
export async function tryMechanic(context: Context, key: string, draft: Record<string, unknown>, locale: Locale): Promise<Trial> {
  return context.rehearse(async (tx) => {
    const before = await findProgram(tx, key);
    const on = today(context, before.zone);
    const definition = expandPreset(draft, '/mechanic') as { key: string };
    const file = await exportProgram(tx, key) as { mechanics: { key: string }[] };
    const wanted = readProgram({ ...file, mechanics: [...file.mechanics.filter((mechanic) => mechanic.key !== definition.key), definition] });
    const words = await vocabularyOf(tx, before);
    const { from, to } = { from: addMonths(windowStart(on, 'month'), 1 - MONTHS_SHOWN), to: addDays(addMonths(windowStart(on, 'month'), 1), -1) };
    await rememberGiven(tx, before, definition.key, from, to);
    const mechanicId = await computeDraft(tx, context, wanted, definition.key);
    const settling = await openSettling(tx, context, await findProgram(tx, key));
    const rule = must(settling.plan.rules.findLast((item) => item.mechanicId === mechanicId), 'the draft');
    const both = sql`(SELECT COALESCE(a.member_id, b.member_id) AS member_id, COALESCE(a.month, b.month) AS month, COALESCE(b.amount, 0) AS before, COALESCE(a.amount, 0) AS after
      FROM (SELECT member_id, to_char(window_end, 'YYYY-MM') AS month, sum(uncapped)::bigint AS amount FROM pg_temp.computed WHERE mechanic_id = ${mechanicId} AND window_end BETWEEN ${from} AND ${to} AND uncapped <> 0 GROUP BY 1, 2) AS a
      FULL JOIN pg_temp.given_before AS b ON b.member_id = a.member_id AND b.month = a.month)`;
    const money = (amount: bigint): string => formatMinor(amount, rule.unitScale);
    const unit = rule.mechanic.award.unit;
    const months = await rows<{ month: string; before: bigint; after: bigint }>(tx, sql`SELECT month, sum(before)::bigint AS before, sum(after)::bigint AS after FROM ${both} AS d GROUP BY 1 ORDER BY 1`);
    const members = await rows<{ member: string; before: bigint; after: bigint }>(tx, sql`SELECT m.code AS member, sum(d.before)::bigint AS before, sum(d.after)::bigint AS after FROM ${both} AS d JOIN members.member AS m ON m.program_id = ${before.programId} AND m.member_id = d.member_id GROUP BY 1 ORDER BY abs(sum(d.after) - sum(d.before)) DESC, sum(d.after) DESC, 1`);
    const samples = await rows<{ member: string; document: string | null; window_start: Day; n: string; d: string; amount: bigint; touched: bigint }>(tx, sql`SELECT m.code AS member, d.number AS document, c.window_start, c.measured_n::text AS n, c.measured_d::text AS d, c.uncapped AS amount, count(*) OVER () AS touched FROM pg_temp.computed AS c
      JOIN members.member AS m ON m.program_id = ${before.programId} AND m.member_id = c.member_id LEFT JOIN facts.document AS d ON d.program_id = ${before.programId} AND d.document_id = c.subject_id
      WHERE c.mechanic_id = ${mechanicId} AND c.uncapped <> 0 AND c.window_start <= ${on} ORDER BY c.window_start DESC, m.code LIMIT ${SAMPLES}`);
    const scale = measureScale(rule, settling.plan.options);
    const plain = { ...rule.mechanic, base: undefined } as typeof rule.mechanic;
    return {
      sentence: sentenceOf(definition, words), definition, touched: Number(samples[0]?.touched ?? 0n),
      months: months.map((item) => ({ month: item.month, unit, before: money(item.before), after: money(item.after) })), members: members.slice(0, PEOPLE_SHOWN).map((item) => ({ member: item.member, unit, before: money(item.before), after: money(item.after) })),
      winners: members.filter((item) => item.after > item.before).length, losers: members.filter((item) => item.after < item.before).length, unchanged: members.filter((item) => item.after === item.before).length,
      samples: samples.map((item) => ({ member: item.member, document: item.document, window_start: item.window_start, measured: measureWords(plain, ratio(BigInt(item.n), BigInt(item.d) * scale), locale, words), amount: money(item.amount), unit })),
    };
  });
}

async function rememberGiven(tx: Tx, program: Program, key: string, from: Day, to: Day): Promise<void> {
  await sql.raw('CREATE TEMP TABLE IF NOT EXISTS given_before (member_id bigint, month text, amount bigint) ON COMMIT DELETE ROWS').execute(tx);
  await sql`INSERT INTO pg_temp.given_before SELECT e.member_id, to_char(e.window_end, 'YYYY-MM'), sum(e.uncapped)::bigint FROM entitlements.entitlement AS e JOIN mechanics.mechanic AS k ON k.tenant_id = e.tenant_id AND k.program_id = e.program_id AND k.mechanic_id = e.mechanic_id
    WHERE e.program_id = ${program.programId} AND k.key = ${key} AND e.window_end BETWEEN ${from} AND ${to} AND e.uncapped <> 0 GROUP BY 1, 2`.execute(tx);
}

/** Publishes the draft and leaves what it owes in pg_temp.computed. Answers its mechanic's id. */
async function computeDraft(tx: Tx, context: Context, file: ProgramFile, key: string): Promise<bigint> {
  const plan = await planProgram(tx, file);
  const step = plan.mechanics.find((item) => item.key === key);
  const program = await findProgram(tx, file.key);
  if (step && step.action !== 'same') await publishStep(tx, context, program, step);
  const settling = await openSettling(tx, context, program);
  const mine = must(await row<{ mechanic_id: bigint }>(tx, sql`SELECT mechanic_id FROM mechanics.mechanic WHERE program_id = ${program.programId} AND key = ${key}`), 'mechanic').mechanic_id;
  const rules = settling.plan.rules.filter((rule) => rule.mechanicId === mine);
  if (rules.some((rule) => rule.mechanic.pool)) {
    await settleAll(tx, context, program);
    for (const window of await listStale(tx, program)) if (window.mechanic_id === mine) await settleWindow(tx, settling, window);
    await emptyRun(tx, 'computed');
    await sql`INSERT INTO pg_temp.computed SELECT e.mechanic_id, e.version_id, e.member_id, e.window_start, e.subject_id, e.window_end, e.facts, e.measured_n, e.measured_d, e.base_n, e.base_d, e.why, e.uncapped, e.unit_id, e.gate, e.available_on, e.expires_on FROM entitlements.entitlement AS e WHERE e.program_id = ${program.programId} AND e.mechanic_id = ${mine}`.execute(tx);
    return mine;
  }
  await emptyRun(tx, 'computed', 'computed_partial');
  for (const text of compile(rules, { ...settling.plan.options, mode: 'all' }).compute) await runText(tx, text, [context.tenantId, program.programId]);
  return mine;
}

/** Every preset: its names, and the form that fills it, as JSON Schema. */
export const listPresets = (): unknown[] => PRESETS.map((preset) => ({ key: preset.key, name: preset.name, form: z.toJSONSchema(preset.form as z.ZodType, { io: 'input', unrepresentable: 'any' }) }));
