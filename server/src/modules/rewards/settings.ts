import { sql } from 'kysely';
import { z } from 'zod';
import { isNip, phrase } from '@premia/kernel';
import type { Context } from '../../platform/context.ts';
import { row, type Tx } from '../../platform/database.ts';
import { audit } from '../identity/index.ts';
import type { Program } from '../members/index.ts';
import { isAccount } from './account-number.ts';
import { bankProfileShape } from './files/elixir.ts';
import { topupTemplateShape } from './files/topup.ts';
import { KINDS } from './machine.ts';
import { refuse } from './refusals.ts';

/** How a program orders and pays out. Amounts in grosze. What is absent is as here. */
export const settingsShape = z.strictObject({
  ordering: z.enum(['open', 'closed']).default('open'),
  payer: z.strictObject({ name: z.string().max(200).default(''), nip: z.string().max(10).default(''), address: z.array(z.string().max(100)).max(3).default([]), account: z.string().max(34).default(''), bic: z.string().max(11).default('') }).prefault({}),
  approval: z.strictObject({ kinds: z.array(z.enum(KINDS)).default(['transfer', 'prepaid']), from_minor: z.number().int().min(0).default(50_000), new_account_days: z.number().int().min(0).max(365).default(7), /** Members in these states may order too, but a person approves. */ member_states: z.array(z.enum(['suspended', 'invited'])).default([]) }).prefault({}),
  bank: bankProfileShape.prefault({}), topup: topupTemplateShape.prefault({}),
  fee_bp: z.number().int().min(0).max(10_000).default(0), redemption_rate_bp: z.number().int().min(0).max(10_000).nullable().default(8_500), unit_costs: z.record(z.string(), z.string().regex(/^\d{1,9}(\.\d{1,8})?$/)).default({}),
});
export type PayoutSettings = z.infer<typeof settingsShape>;

export async function readSettings(tx: Tx, program: Program): Promise<PayoutSettings> {
  return settingsShape.parse((await row<{ body: unknown }>(tx, sql`SELECT body FROM rewards.settings WHERE program_id = ${program.programId}`))?.body ?? {});
}

/** Who pays, for the tax office: by tax number, so that programs of one sponsor add up. */
export const payerOf = (program: Program, settings: PayoutSettings): string => settings.payer.nip || `program:${program.key}`;

export async function saveSettings(tx: Tx, context: Context, program: Program, settings: PayoutSettings): Promise<void> {
  const { payer } = settings;
  const faults = [...(payer.nip === '' || isNip(payer.nip) ? [] : [{ pointer: '/payer/nip', code: 'nip_malformed', message: phrase('to nie jest NIP', 'this is not a NIP') }]), ...(payer.account === '' || isAccount(payer.account) ? [] : [{ pointer: '/payer/account', code: 'account_malformed', message: phrase('to nie jest numer rachunku', 'this is not an account number') }])];
  if (faults.length > 0) throw refuse('settings_malformed', undefined, faults);
  const before = await readSettings(tx, program);
  await sql`INSERT INTO rewards.settings (tenant_id, program_id, body) VALUES (${context.tenantId}, ${program.programId}, ${JSON.stringify(settings)}::jsonb) ON CONFLICT (tenant_id, program_id) DO UPDATE SET body = excluded.body`.execute(tx);
  await audit(tx, context, { action: 'payouts.settings', subject: `program:${program.key}`, programId: program.programId, before, after: settings });
}
