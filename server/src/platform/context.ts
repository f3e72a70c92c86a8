import { dayAt, type Day } from '@premia/kernel';
import type { Database, Tx } from './database.ts';

/** Everything a use case takes from outside: whose data, who asks, what time it is. Nothing else is injected. */
export type Context = {
  readonly db: Database;
  readonly tenantId: bigint;
  readonly principal: string;
  readonly requestId: string | null;
  /** Milliseconds since 1970. */
  now(): number;
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Does it and takes it back: what would have happened. */
  rehearse<T>(work: (tx: Tx) => Promise<T>, options?: { snapshot: boolean }): Promise<T>;
};

export function makeContext(given: { db: Database; tenantId: bigint; principal: string; requestId?: string | null; now?: () => number }): Context {
  return {
    db: given.db, tenantId: given.tenantId, principal: given.principal, requestId: given.requestId ?? null, now: given.now ?? Date.now,
    transaction: (work) => given.db.transaction(given.tenantId, work),
    rehearse: (work, options) => given.db.rehearse(given.tenantId, work, options),
  };
}

export const today = (context: Context, zone: string): Day => dayAt(context.now(), zone);
export const instant = (context: Context): string => new Date(context.now()).toISOString();
