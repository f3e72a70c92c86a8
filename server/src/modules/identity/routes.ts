import { Refusal, phrase } from '@premia/kernel';
import type { Handler } from '../../platform/http.ts';
import { PERMISSIONS, createApiKey, listApiKeys, revokeApiKey, type Permission } from './identity.ts';

export const identityHandlers: Record<'listKeys' | 'createKey' | 'revokeKey', Handler> = {
  listKeys: async (context) => ({ keys: (await listApiKeys(context)).map((key) => ({ id: key.key_id, name: key.name, prefix: key.prefix, permissions: key.permissions, revoked: key.revoked })) }),
  createKey: async (context, { body }) => {
    const { name, permissions } = body as { name: string; permissions: string[] };
    for (const permission of permissions) if (!PERMISSIONS.includes(permission as Permission)) throw new Refusal('permission_unknown', 422, phrase(`Nieznane uprawnienie „${permission}”.`, `Unknown permission “${permission}”.`));
    const made = await createApiKey(context, { name, permissions: permissions as Permission[] });
    return { id: made.keyId, secret: made.secret };
  },
  revokeKey: async (context, { params }) => { await revokeApiKey(context, BigInt(params['key'] as string)); return { revoked: true }; },
};
