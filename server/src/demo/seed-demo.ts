import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Day } from '@premia/kernel';
import { addDays, addMonths, dayAt } from '@premia/kernel';
import type { Context } from '../platform/context.ts';
import { rows } from '../platform/database.ts';
import { applyProgram, recordMemberActivities, recordMembers, recordSales, recordTargets, settleStale } from '../modules/entitlements/index.ts';
import { listPrograms } from '../modules/members/index.ts';
import { parseProgram } from '../modules/mechanics/index.ts';
import { DEMO_SEED, generateDemo } from './generate-demo.ts';

const FILE = join(import.meta.dirname, '../../../examples/pet-goods/program.yaml');
const LINES_PER_STEP = 4_000;
const DONE = 'demo.seeded';
/** Files come in early in the month after; nothing comes from the future. */
const asOf = (context: Context, day: Day, anchor: Day): Context => ({ ...context, now: () => Math.min(context.now(), Date.parse(`${day < anchor ? day : anchor}T09:00:00Z`)) });

/**
 * Seeds the demo once. The anchor – the day of the first start – is kept in the audit with the seed, so that a start cut short goes
 * on with the same data: everything is recorded by natural keys, and what is there already changes nothing.
 */
export async function seedDemo(context: Context, options: { say: (text: string) => void; anchor?: Day }): Promise<void> {
  const known = await context.transaction((tx) => rows<{ action: string; anchor: Day }>(tx, sql`SELECT action, after ->> 'anchor' AS anchor FROM identity.audit WHERE action IN ('demo.started', ${DONE}) ORDER BY audit_id`));
  if (known.some((entry) => entry.action === DONE)) return;
  const others = await context.transaction(listPrograms);
  if (known.length === 0 && others.length > 0) return; // a real installation gets no demo later
  const anchor = known[0]?.anchor ?? options.anchor ?? dayAt(context.now(), 'Europe/Warsaw');
  const note = (action: string): Promise<unknown> => context.transaction((tx) => sql`INSERT INTO identity.audit (tenant_id, at, principal, action, subject, after) VALUES (${context.tenantId}, ${new Date(context.now()).toISOString()}, ${context.principal}, ${action}, 'program:lapa', ${JSON.stringify({ anchor, seed: DEMO_SEED })}::jsonb)`.execute(tx));
  if (known.length === 0) await note('demo.started');
  options.say('Making the demo program: two years of 120 reps and 1,800 shops. This happens once and takes about a minute.');
  const demo = generateDemo(anchor);
  await applyProgram(context, parseProgram(readFileSync(FILE, 'utf8')));
  const [firstMonth] = demo.months;
  const before = asOf(context, firstMonth?.month ?? anchor, anchor);
  await recordMembers(before, { program: 'lapa', members: demo.members });
  await recordTargets(before, { program: 'lapa', targets: demo.targets });
  await recordMemberActivities(before, { program: 'lapa', source: 'academy', drafts: demo.activities });
  for (const [index, { month, lines }] of demo.months.entries()) {
    for (let at = 0; at < lines.length; at += LINES_PER_STEP) await recordSales(asOf(context, addDays(addMonths(month, 1), 1), anchor), { program: 'lapa', source: 'distributor', lines: lines.slice(at, at + LINES_PER_STEP) });
    await settleStale(asOf(context, addDays(addMonths(month, 1), 1), anchor), 'lapa');
    if (((index + 1) & index) === 0) await context.transaction((tx) => sql`SELECT platform.refresh_statistics()`.execute(tx));
    options.say(`  ${month.slice(0, 7)}: ${lines.length} lines (${index + 1} of ${demo.months.length})`);
  }
  options.say('  settling the podiums …');
  await settleStale(context, 'lapa');
  await note(DONE);
}
