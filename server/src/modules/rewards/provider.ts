import { sql } from 'kysely';
import { Refusal, formatMinor } from '@premia/kernel';
import { crashPoint } from '../../platform/crash-point.ts';
import { instant, type Context } from '../../platform/context.ts';
import { rows } from '../../platform/database.ts';
import { cardOf } from './cards.ts';
import { openAccount } from './accounts.ts';
import { atDesk } from './decide-items.ts';
import { externalIdOf, lockItems, moveItem, type Desk, type Item } from './items.ts';
import { fixedTaxOf } from './tax-table.ts';

/** What a provider says of a payout it knows by our id. `unknown`: it has never heard of it. */
export type Outcome = { is: 'done'; reference: string } | { is: 'refused'; reason: string } | { is: 'working' } | { is: 'unknown' };
export type Payout = { externalId: string; amount: string; currency: string; to: string };

/**
 * A way to pay that answers at once, beside the files of batches. `send` is the provider's to make harmless twice, by `externalId`; who
 * gets no answer to it never sends again before `ask` has said that nothing is known.
 */
export type Provider = { send(payout: Payout): Promise<Outcome>; ask(externalId: string): Promise<Outcome> };

const TIMEOUT_MS = 10_000;

/** A provider behind an HTTP interface: PUT and GET of /payouts/:id. */
export function httpProvider(baseUrl: string, fetcher: typeof fetch = fetch, timeoutMs = TIMEOUT_MS): Provider {
  const call = async (externalId: string, init: RequestInit): Promise<Outcome> => {
    const answer = await fetcher(`${baseUrl}/payouts/${encodeURIComponent(externalId)}`, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    if (answer.status === 404) return { is: 'unknown' };
    if (!answer.ok) throw new Error(`provider answered ${answer.status}`);
    const said = await answer.json() as { status?: string; reference?: string; reason?: string };
    return said.status === 'done' ? { is: 'done', reference: String(said.reference ?? '') } : said.status === 'refused' ? { is: 'refused', reason: String(said.reason ?? '') } : { is: 'working' };
  };
  return { send: (payout) => call(payout.externalId, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(payout) }), ask: (externalId) => call(externalId, { method: 'GET' }) };
}

/** For so long an item on its way is its taker's own: many times longer than any call may last. */
export const LEASE_MS = 120_000;
const AT_A_TIME = 200;

/**
 * Pays, through a provider, approved payouts whose reward names one. That an item is on its way is committed before the provider is
 * called; what then has no outcome is asked about, and sent again only when the provider has never heard of it. So whoever dies
 * anywhere in between, each payout is carried out once.
 */
export async function sendPayouts(context: Context, programKey: string, provider: Provider): Promise<{ done: number; refused: number; open: number }> {
  const counted = { done: 0, refused: 0, open: 0 };
  for (const itemId of await waiting(context, programKey)) {
    const known = await begin(context, programKey, itemId);
    if (known === null) continue;
    crashPoint('provider-before-call');
    const outcome = await askOrSend(provider, known);
    crashPoint('provider-after-call');
    if (outcome.is === 'working' || outcome.is === 'unknown') { counted.open += 1; continue; }
    counted[await end(context, programKey, itemId, outcome) ? outcome.is : 'open'] += 1;
  }
  return counted;
}

const waiting = (context: Context, programKey: string): Promise<bigint[]> => atDesk(context, programKey, async ({ tx, program }) => (await rows<{ id: bigint }>(tx, sql`SELECT i.item_id AS id FROM rewards.item AS i JOIN rewards.reward AS r ON r.tenant_id = i.tenant_id AND r.program_id = i.program_id AND r.reward_id = i.reward_id
  WHERE i.program_id = ${program.programId} AND (i.state = 'sent' OR (i.state = 'approved' AND r.provider IS NOT NULL)) ORDER BY i.item_id LIMIT ${AT_A_TIME}`)).map((item) => item.id));

/** `payout` is null where it must not be sent any more: there is no card or account, or not the one that was approved. It may have been paid before, so it is asked about all the same. */
type Known = { externalId: string; payout: Payout | null; first: boolean };

async function begin(context: Context, programKey: string, itemId: bigint): Promise<Known | null> {
  return atDesk(context, programKey, async (desk) => {
    const [item] = await lockItems(desk, [itemId]);
    if (!item || (item.state !== 'approved' && item.state !== 'sent')) return null;
    const payout = await payoutOf(desk, item).catch((error: unknown) => { if (error instanceof Refusal) return null; throw error; }); // no card or account any more: a person looks at it
    if (payout === null && item.state === 'approved') return null;
    if (!(await take(desk, item))) return null;
    if (item.state === 'approved') await moveItem(desk, item, 'send');
    return { externalId: externalIdOf(desk.program.programId, item.itemId), payout, first: item.state === 'approved' };
  });
}

/** Two who come at once do not both call: the second would ask before the first has spoken, hear of nothing, and send again. */
async function take({ tx, context, program }: Desk, item: Item): Promise<boolean> {
  const free = new Date(context.now() - LEASE_MS).toISOString();
  return (await rows(tx, sql`UPDATE rewards.item SET asked_at = ${instant(context)} WHERE program_id = ${program.programId} AND item_id = ${item.itemId} AND (asked_at IS NULL OR asked_at <= ${free}::timestamptz) RETURNING 1`)).length > 0;
}

async function payoutOf({ tx, context, program }: Desk, item: Item): Promise<Payout | null> {
  const tax = await fixedTaxOf(tx, program, item.itemId);
  const card = item.kind === 'prepaid' ? await cardOf(tx, program, item.memberId) : null;
  if (!tax || (item.kind === 'prepaid' && !card)) return null;
  const account = card ? null : await openAccount(tx, context, program, item.memberId);
  if (account && !(await wasApproved({ tx, program }, item, account.mark))) return null;
  const to = card ? context.db.vault.open(context.tenantId, card.proxy).toString() : account?.iban ?? '';
  return { externalId: externalIdOf(program.programId, item.itemId), amount: formatMinor(tax.pay, program.currencyScale), currency: program.currency, to };
}

/** Whether the account of today is the one that the approver saw. */
const wasApproved = async ({ tx, program }: Pick<Desk, 'tx' | 'program'>, item: Item, mark: Buffer): Promise<boolean> => (await rows(tx, sql`SELECT 1 FROM rewards.item WHERE program_id = ${program.programId} AND item_id = ${item.itemId} AND account_mark = ${mark}`)).length > 0;

/** An item that was on its way before is asked about first. No answer is no outcome: the next round asks again. */
async function askOrSend(provider: Provider, { externalId, payout, first }: Known): Promise<Outcome> {
  try {
    const said = first ? { is: 'unknown' as const } : await provider.ask(externalId);
    if (said.is !== 'unknown') return said;
    return payout === null ? { is: 'refused', reason: 'account' } : await provider.send(payout);
  } catch { return { is: 'working' }; }
}

async function end(context: Context, programKey: string, itemId: bigint, outcome: Extract<Outcome, { is: 'done' | 'refused' }>): Promise<boolean> {
  return atDesk(context, programKey, async (desk) => {
    const [item] = await lockItems(desk, [itemId]);
    if (!item || item.state !== 'sent') return false; // another process was first
    await moveItem(desk, item, outcome.is === 'done' ? 'deliver' : 'fail', outcome.is === 'done' ? { providerRef: outcome.reference } : { reason: outcome.reason });
    return true;
  });
}
