import { sql } from 'kysely';
import { makeContext, type Context } from './platform/context.ts';
import type { Database } from './platform/database.ts';
import type { Tasks } from './platform/jobs.ts';
import { deliverOutbox, type OutboxEvent } from './platform/outbox.ts';
import { recordImport, refreshSegments, sealTail, settleStale } from './modules/entitlements/index.ts';
import { listTenants } from './modules/identity/index.ts';
import { expireLots, openPosting } from './modules/ledger/index.ts';
import { sendPayouts, type Provider } from './modules/rewards/index.ts';
import { findProgram, listPrograms } from './modules/members/index.ts';
import { verifyAndKeep } from './verify.ts';

const KEPT_DAYS = 30;

/** `provider`: who pays at once what names a provider; `tell`: how a member is told. Without them payouts wait, and nobody is written to. */
type Outside = { provider?: Provider; tell?: (context: Context, event: OutboxEvent) => Promise<void> };

/** What jobs do. Every task is harmless twice and goes on where another stopped. */
export function makeTasks(db: Database, now: () => number = Date.now, signal?: AbortSignal, outside: Outside = {}): Tasks {
  const of = (tenantId: bigint): Context => makeContext({ db, tenantId, principal: 'job', now });
  const everyProgram = async (work: (context: Context, program: string) => Promise<unknown>): Promise<void> => {
    for (const tenantId of await listTenants(db)) {
      const context = of(tenantId);
      for (const { key } of await context.transaction(listPrograms)) await work(context, key);
    }
  };
  return {
    settle_pools: () => everyProgram(settleStale),
    seal: async () => { for (const tenantId of await listTenants(db)) await sealTail(of(tenantId)); },
    refresh_segments: () => everyProgram((context, program) => refreshSegments(context, { program })),
    verify: () => everyProgram(verifyAndKeep),
    expire_lots: () => everyProgram((context, key) => context.transaction(async (tx) => {
      const program = await findProgram(tx, key);
      return expireLots(tx, await openPosting(tx, context, program));
    })),
    deliver_outbox: async () => { for (const tenantId of await listTenants(db)) await deliverOutbox(of(tenantId), async (event) => { await hear(of(tenantId), event); await outside.tell?.(of(tenantId), event); }); },
    send_payouts: () => everyProgram(async (context, program) => (outside.provider ? sendPayouts(context, program, outside.provider) : undefined)),
    purge: () => db.transaction(0n, (tx) => sql`SELECT platform.purge(${new Date(now() - KEPT_DAYS * 86_400_000).toISOString()})`.execute(tx)),
    record_import: async ({ tenant, program, import: importId }) => { await recordImport(of(BigInt(tenant)), { program, importId: BigInt(importId as string), ...(signal ? { signal } : {}) }); },
  };
}

/** Who cares about which event. New sales may bring members into segments; webhooks come with the integrations. */
async function hear(context: Context, event: OutboxEvent): Promise<void> {
  if (event.type === 'import.recorded') await refreshSegments(context, { program: event.payload['program'] as string });
}

/** Everything a crash may have left undone, of every tenant. A large import takes long: the server answers meanwhile, and `signal` ends it between two chunks. */
export async function takeUp(db: Database, resume: (context: Context, signal?: AbortSignal) => Promise<unknown>, signal?: AbortSignal): Promise<void> {
  for (const tenantId of await listTenants(db)) {
    const context = makeContext({ db, tenantId, principal: 'installation' });
    await resume(context, signal);
    for (const { key } of await context.transaction(listPrograms)) await settleStale(context, key);
  }
}
