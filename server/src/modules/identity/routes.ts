import { Refusal, phrase } from '@premia/kernel';
import type { Handler } from '../../platform/http.ts';
import { listFailedJobs } from '../../platform/jobs.ts';
import { createApiKey, listApiKeys, listAudit, revokeApiKey } from './identity.ts';
import { PERMISSIONS, type Permission } from './roles.ts';

/** `names`: what people are called; the identity module alone knows that. */
export const identityHandlers = (names: (ids: readonly string[]) => Promise<ReadonlyMap<string, { name: string }>>): Record<'listKeys' | 'createKey' | 'revokeKey' | 'listAudit' | 'listFailedJobs', Handler> => ({
  listFailedJobs: async (context) => ({ jobs: (await context.transaction(listFailedJobs)).map(({ job_id: id, next_try: next, ...job }) => ({ id, ...job, next_try: next?.toISOString() ?? null })) }),
  listAudit: async (context, { query }) => {
    const { rows: found, next } = await context.transaction((tx) => listAudit(tx, query as Parameters<typeof listAudit>[1]));
    const called = await names([...new Set(found.flatMap((entry) => (entry.principal.startsWith('person:') ? [entry.principal.slice(7)] : [])))]);
    return { entries: found.map((entry) => ({ id: entry.audit_id, at: entry.at.toISOString(), principal: entry.principal, by: called.get(entry.principal.slice(7))?.name ?? null, action: entry.action, subject: entry.subject, before: entry.before, after: entry.after, request: entry.request_id })), next };
  },
  listKeys: async (context) => ({ keys: (await listApiKeys(context)).map((key) => ({ id: key.key_id, name: key.name, prefix: key.prefix, permissions: key.permissions, revoked: key.revoked })) }),
  createKey: async (context, { body }) => {
    const { name, permissions } = body as { name: string; permissions: string[] };
    for (const permission of permissions) if (!PERMISSIONS.includes(permission as Permission)) throw new Refusal('permission_unknown', 422, phrase(`Nieznane uprawnienie „${permission}”.`, `Unknown permission “${permission}”.`));
    const made = await createApiKey(context, { name, permissions: permissions as Permission[] });
    return { id: made.keyId, secret: made.secret };
  },
  revokeKey: async (context, { params }) => { await revokeApiKey(context, BigInt(params['key'] as string)); return { revoked: true }; },
});
