import { sql } from 'kysely';
import { Refusal, phrase } from '@premia/kernel';
import { row, rows, type Tx } from '../../platform/database.ts';

export type CreditedRole = 'buyer' | 'seller' | 'rep';

/** What a program's file says beside its mechanics, as the engine reads it. */
export type ProgramSettings = {
  name: { pl: string; en: string };
  starts_on: string;
  rewards: CreditedRole[];
  corrections: 'original_period' | 'correction_period';
  counts: 'program_start' | 'enrolment' | { days_before: number };
  four_eyes: { imports: boolean; rules: boolean; adjustments: boolean; payouts: boolean };
  late_in_closed: 'post' | 'approve';
  [other: string]: unknown;
};

export type Program = { programId: bigint; key: string; zone: string; currency: string; currencyScale: number; settings: ProgramSettings };

type ProgramRow = { program_id: bigint; key: string; zone: string; currency: string; currency_scale: number; settings: ProgramSettings };

/** The program of that key in this tenant, or a refusal that a stranger's program gets too. */
export async function findProgram(tx: Tx, key: string): Promise<Program> {
  const found = await row<ProgramRow>(tx, sql`SELECT program_id, key, zone, currency, currency_scale, settings FROM members.program WHERE key = ${key}`);
  if (!found) throw new Refusal('program_not_found', 404, phrase(`Nie ma programu „${key}”.`, `There is no program “${key}”.`));
  return { programId: found.program_id, key: found.key, zone: found.zone, currency: found.currency, currencyScale: found.currency_scale, settings: found.settings };
}

export async function listPrograms(tx: Tx): Promise<{ key: string; name: unknown }[]> {
  return rows(tx, sql`SELECT key, settings -> 'name' AS name FROM members.program ORDER BY key`);
}
