import { sql } from 'kysely';
import { formatMinor, type Locale, type Phrase } from '@premia/kernel';
import type { Context } from '../../platform/context.ts';
import { row } from '../../platform/database.ts';
import type { Mailer } from '../../platform/mail.ts';
import type { OutboxEvent } from '../../platform/outbox.ts';
import { grantsOfMember } from '../identity/index.ts';
import { STATE_WORDS, type State } from './machine.ts';

/** What a member is written about: what came of it, and what they have to do. The steps in between show in the portal. */
const TOLD: readonly State[] = ['awaiting_payment', 'issued', 'shipped', 'delivered', 'rejected', 'failed', 'returned'];

type Told = { memberId: bigint; programKey: string; reward: Phrase; program: Phrase; units: bigint; scale: number; reason: string | null; tracking: string | null };
export type Telling = { mailer: Mailer; publicUrl: string; people(ids: readonly string[]): Promise<ReadonlyMap<string, { email: string; locale: Locale }>> };

/** Writes to whoever signs in as the member of an order what has become of it. A code is never in a mail: it is shown after signing in. */
export async function tellMember(context: Context, event: OutboxEvent, outside: Telling): Promise<void> {
  const state = event.payload['state'] as State;
  if (event.type !== 'order.moved' || !TOLD.includes(state)) return;
  const found = await context.transaction(async (tx) => {
    const told = await row<Told>(tx, sql`SELECT COALESCE(m.merged_into, m.member_id) AS "memberId", g.key AS "programKey", r.names AS reward, g.settings -> 'name' AS program, i.units, u.scale, i.reason, i.tracking FROM rewards.item AS i JOIN rewards.reward AS r ON r.tenant_id = i.tenant_id AND r.program_id = i.program_id AND r.reward_id = i.reward_id
      JOIN ledger.unit AS u ON u.tenant_id = i.tenant_id AND u.program_id = i.program_id AND u.unit_id = i.unit_id JOIN members.program AS g ON g.tenant_id = i.tenant_id AND g.program_id = i.program_id JOIN members.member AS m ON m.tenant_id = i.tenant_id AND m.program_id = i.program_id AND m.member_id = i.member_id WHERE i.item_id = ${String(event.payload['item'])}::bigint`);
    return told && { ...told, users: (await grantsOfMember(tx, told.programKey, told.memberId)).map((grant) => grant.userId) };
  });
  if (!found) return;
  for (const { email, locale } of (await outside.people(found.users)).values()) {
    const say = (pl: string, en: string): string => (locale === 'pl' ? pl : en);
    const lines = [`${found.reward[locale]} (${formatMinor(found.units, found.scale)}): ${STATE_WORDS[state][locale]}.`, ...(found.reason === null ? [] : [`${say('Powód', 'Reason')}: ${found.reason === 'account' ? say('zmieniło się konto albo karta', 'the account or card has changed') : found.reason}`]), ...(found.tracking === null ? [] : [`${say('Numer przesyłki', 'Shipment')}: ${found.tracking}`])];
    await outside.mailer(context, { to: email, subject: `${found.program[locale]}: ${found.reward[locale]} – ${STATE_WORDS[state][locale]}`, body: lines.join('\n'), link: `${outside.publicUrl}/rewards/orders/${String(event.payload['order'])}` });
  }
}
