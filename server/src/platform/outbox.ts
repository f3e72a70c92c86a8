import { crashPoint } from './crash-point.ts';
import { sql } from 'kysely';
import { instant, type Context } from './context.ts';
import { rows, type Tx } from './database.ts';

export type OutboxEvent = { eventId: bigint; programId: bigint | null; type: string; payload: Record<string, unknown> };
const BATCH = 500;

/** Tells the world, if this transaction commits. Amounts and ids as text. */
export async function publishEvent(tx: Tx, context: Context, event: { type: string; programId: bigint; payload: Record<string, unknown> }): Promise<void> {
  await sql`INSERT INTO platform.outbox (tenant_id, program_id, type, payload, recorded_at) VALUES (${context.tenantId}, ${event.programId}, ${event.type}, ${JSON.stringify(event.payload, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item))}::jsonb, ${instant(context)})`.execute(tx);
}

/**
 * Hands every event that was not handed over yet to whoever cares, in recorded order, at least once: what fails stays and is handed over
 * again. Events are found by not being marked, never by a position in a sequence, so that one whose transaction ends late is not missed.
 */
export async function deliverOutbox(context: Context, deliver: (event: OutboxEvent) => Promise<void>): Promise<number> {
  for (let delivered = 0; ;) {
    const events = await context.transaction((tx) => rows<{ event_id: bigint; program_id: bigint | null; type: string; payload: Record<string, unknown> }>(tx, sql`SELECT event_id, program_id, type, payload FROM platform.outbox WHERE tenant_id = ${context.tenantId} AND sent_at IS NULL ORDER BY event_id LIMIT ${BATCH}`));
    for (const event of events) {
      crashPoint('event-before-send');
      await deliver({ eventId: event.event_id, programId: event.program_id, type: event.type, payload: event.payload });
      crashPoint('event-after-send');
      await context.transaction((tx) => sql`UPDATE platform.outbox SET sent_at = ${instant(context)} WHERE tenant_id = ${context.tenantId} AND event_id = ${event.event_id}`.execute(tx));
      delivered += 1;
    }
    if (events.length < BATCH) return delivered;
  }
}
