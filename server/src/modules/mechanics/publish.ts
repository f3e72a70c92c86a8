import { type Mechanic, type MechanicInput } from '@premia/algebra';
import { addDays, nextWindowStart, windowStart, type CalendarWindow, type Day } from '@premia/kernel';
import { sql } from 'kysely';
import { row, rows, type Tx } from '../../platform/database.ts';
import type { Program } from '../members/index.ts';

export type Version = { versionId: bigint; number: number; definition: MechanicInput; startsOn: Day; endsOn: Day };
export type Desired = { key: string; versions: { input: MechanicInput; mechanic: Mechanic }[] };
/** What publishing a mechanic would do: nothing, add versions from a day on, or rewrite from a day on. */
export type PublishStep = { key: string; action: 'create' | 'append' | 'rewrite' | 'same'; from: Day; versions: { input: MechanicInput; mechanic: Mechanic }[]; keep: Version[] };

const canonical = (value: unknown): string => JSON.stringify(value, (_, item: unknown) => (
  item && typeof item === 'object' && !Array.isArray(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item));

export async function liveVersions(tx: Tx, program: Program): Promise<Map<string, Version[]>> {
  const found = await rows<{ key: string; version_id: bigint; number: number; definition: MechanicInput; starts_on: Day; ends_on: Day }>(tx, sql`
    SELECT m.key, v.version_id, v.number, v.definition, v.starts_on, v.ends_on FROM mechanics.mechanic AS m
    JOIN mechanics.mechanic_version AS v ON v.tenant_id = m.tenant_id AND v.program_id = m.program_id AND v.mechanic_id = m.mechanic_id
    WHERE m.program_id = ${program.programId} AND NOT v.replaced ORDER BY m.mechanic_id, v.starts_on`);
  const byKey = new Map<string, Version[]>();
  for (const version of found) {
    byKey.set(version.key, [...(byKey.get(version.key) ?? []), { versionId: version.version_id, number: version.number, definition: version.definition, startsOn: version.starts_on, endsOn: version.ends_on }]);
  }
  return byKey;
}

/** Compares the versions wanted with the live ones: the longest equal beginning stays, the rest is published anew. */
export function planPublish(desired: Desired, live: readonly Version[]): PublishStep {
  const equal = desired.versions.findIndex((version, index) => canonical(version.input) !== canonical(live[index]?.definition));
  const kept = equal === -1 ? desired.versions.length : equal;
  const fresh = desired.versions.slice(kept);
  const first = fresh[0];
  if (!first && kept === live.length) return { key: desired.key, action: 'same', from: '', versions: [], keep: [...live] };
  const from = first ? effectiveFrom(first.mechanic, kept > 0) : live[kept]?.startsOn ?? '';
  return { key: desired.key, action: live.length === 0 ? 'create' : kept === live.length ? 'append' : 'rewrite', from, versions: fresh, keep: live.slice(0, kept) };
}

/** A first version holds from its own day; a later one from the next window's start, so that no window has two rules. */
export function effectiveFrom(mechanic: Mechanic, later: boolean): Day {
  const { window, from } = mechanic;
  if (!later || typeof window === 'object' || window === 'document' || window === 'line' || window === 'program') return from;
  return windowStart(from, window as CalendarWindow) === from ? from : nextWindowStart(from, window as CalendarWindow);
}

/** Writes the step: earlier versions end where the new ones begin; rewritten ones stay on record and count for nothing. */
export async function publish(tx: Tx, tenantId: bigint, program: Program, step: PublishStep, principal: string): Promise<bigint> {
  const mechanicId = await findMechanic(tx, tenantId, program, step.key);
  await sql`UPDATE mechanics.mechanic_version SET replaced = true WHERE program_id = ${program.programId} AND mechanic_id = ${mechanicId} AND NOT replaced
    AND version_id <> ALL(${step.keep.map((version) => version.versionId)}::bigint[])`.execute(tx);
  const last = step.keep.at(-1);
  const starts = step.versions.map((version, index) => effectiveFrom(version.mechanic, index > 0 || step.keep.length > 0));
  if (last) await sql`UPDATE mechanics.mechanic_version SET ends_on = ${starts[0] ?? endOf(undefined, last.definition.until)} WHERE program_id = ${program.programId} AND version_id = ${last.versionId}`.execute(tx);
  const numbers = await row<{ n: number }>(tx, sql`SELECT COALESCE(max(number), 0) AS n FROM mechanics.mechanic_version WHERE program_id = ${program.programId} AND mechanic_id = ${mechanicId}`);
  for (const [index, version] of step.versions.entries()) {
    await sql`INSERT INTO mechanics.mechanic_version (tenant_id, program_id, mechanic_id, number, definition, starts_on, ends_on, published_by)
      VALUES (${tenantId}, ${program.programId}, ${mechanicId}, ${(numbers?.n ?? 0) + index + 1}, ${JSON.stringify(version.input)}::jsonb, ${starts[index]}, ${endOf(starts[index + 1], version.mechanic.until)}, ${principal})`.execute(tx);
  }
  return mechanicId;
}

const endOf = (next: Day | undefined, until: Day | undefined): string => next ?? (until === undefined ? 'infinity' : addDays(until, 1));

async function findMechanic(tx: Tx, tenantId: bigint, program: Program, key: string): Promise<bigint> {
  await sql`INSERT INTO mechanics.mechanic (tenant_id, program_id, key) VALUES (${tenantId}, ${program.programId}, ${key}) ON CONFLICT DO NOTHING`.execute(tx);
  const found = await row<{ mechanic_id: bigint }>(tx, sql`SELECT mechanic_id FROM mechanics.mechanic WHERE program_id = ${program.programId} AND key = ${key}`);
  if (!found) throw new Error(`mechanic ${key} vanished`);
  return found.mechanic_id;
}
