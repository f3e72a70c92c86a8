import { sql } from 'kysely';
import { Refusal, phrase } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { row, rows, type Tx } from '../../platform/database.ts';
import { audit } from './identity.ts';

export type Look = { accent: string; radius: number; logo: string | null };
export const DEFAULT_LOOK: Look = { accent: '#0f6b62', radius: 8, logo: null };
/** WCAG 2.2, 1.4.3: text against its ground. */
export const CONTRAST_MIN = 4.5;
export const LOGO_BYTES_MAX = 100_000;

const channel = (value: number): number => (value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
/** Relative luminance of `#rrggbb`, WCAG 2.2. */
const luminance = (colour: string): number => [1, 3, 5].reduce((sum, at, index) => sum + channel(Number.parseInt(colour.slice(at, at + 2), 16) / 255) * ([0.2126, 0.7152, 0.0722][index] as number), 0);
/** (lighter + 0.05) / (darker + 0.05), WCAG 2.2. */
export function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** How a tenant's screens look; those of one of its programs, where one is named. */
export const readLook = async (tx: Tx, program?: string): Promise<Look> => (program === undefined ? null : await programLook(tx, program)) ?? (await row<Look>(tx, sql`SELECT accent, radius, logo FROM identity.look`)) ?? DEFAULT_LOOK;

/** A program's own look, as its sponsor wants it, or null where it looks like its organization. */
export const programLook = async (tx: Tx, program: string): Promise<Look | null> => (await row<Look>(tx, sql`SELECT accent, radius, logo FROM identity.program_look WHERE program = ${program}`)) ?? null;

/** The programs that have a look of their own, by key. */
export const programLooks = async (tx: Tx): Promise<ReadonlyMap<string, Look>> => new Map((await rows<Look & { program: string }>(tx, sql`SELECT program, accent, radius, logo FROM identity.program_look`)).map(({ program, ...look }) => [program, look]));

/** Changes how a tenant's screens look. An accent on which white cannot be read is refused, with the ratio. */
export async function saveLook(context: Context, look: Look): Promise<void> {
  refuseUnreadable(look);
  await context.transaction(async (tx) => {
    const before = await readLook(tx);
    await sql`INSERT INTO identity.look (tenant_id, accent, radius, logo, changed_by, changed_at) VALUES (${context.tenantId}, ${look.accent}, ${look.radius}, ${look.logo}, ${context.principal}, ${instant(context)})
      ON CONFLICT (tenant_id) DO UPDATE SET accent = EXCLUDED.accent, radius = EXCLUDED.radius, logo = EXCLUDED.logo, changed_by = EXCLUDED.changed_by, changed_at = EXCLUDED.changed_at`.execute(tx);
    await audit(tx, context, { action: 'look.changed', subject: 'tenant', before: coloursOf(before), after: coloursOf(look) });
  });
}

/** The same for one program; null takes its own look away, and it looks like its organization again. */
export async function saveProgramLook(tx: Tx, context: Context, program: { key: string; programId: bigint }, look: Look | null): Promise<void> {
  if (look) refuseUnreadable(look);
  const before = await programLook(tx, program.key);
  if (look) {
    await sql`INSERT INTO identity.program_look (tenant_id, program, accent, radius, logo, changed_by, changed_at) VALUES (${context.tenantId}, ${program.key}, ${look.accent}, ${look.radius}, ${look.logo}, ${context.principal}, ${instant(context)})
      ON CONFLICT (tenant_id, program) DO UPDATE SET accent = EXCLUDED.accent, radius = EXCLUDED.radius, logo = EXCLUDED.logo, changed_by = EXCLUDED.changed_by, changed_at = EXCLUDED.changed_at`.execute(tx);
  } else await sql`DELETE FROM identity.program_look WHERE program = ${program.key}`.execute(tx);
  await audit(tx, context, { action: 'look.changed', subject: `program:${program.key}`, programId: program.programId, before: before && coloursOf(before), after: look && coloursOf(look) });
}

const coloursOf = ({ accent, radius }: Look): unknown => ({ accent, radius });

function refuseUnreadable(look: Look): void {
  const ratio = contrast(look.accent, '#ffffff');
  const shown = { pl: ratio.toFixed(1).replace('.', ','), en: ratio.toFixed(1) };
  if (ratio < CONTRAST_MIN) throw new Refusal('contrast_too_low', 422, phrase(`Biały tekst na tym kolorze ma kontrast ${shown.pl} : 1; potrzeba co najmniej 4,5 : 1. Wybierz ciemniejszy.`, `White text on this colour has a contrast of ${shown.en} : 1; at least 4.5 : 1 is needed. Choose a darker one.`));
}
