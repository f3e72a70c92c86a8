import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** What is kept so that a copy of the database alone does not tell it: codes, account numbers, tax identifiers, payout files. */
export type Vault = {
  seal(tenantId: bigint, secret: string | Buffer): Buffer;
  open(tenantId: bigint, sealed: Buffer): Buffer;
  /** The same text always has the same mark, within a tenant and purpose: duplicates are found without opening anything. */
  mark(tenantId: bigint, purpose: string, text: string): Buffer;
};

const VERSION = 1;
const [NONCE, TAG] = [12, 16];

/** AES-256-GCM under a key of each tenant's own, derived from the installation's data secret (HKDF, RFC 5869). What was changed does not open. */
export function makeVault(secret: string): Vault {
  const keys = new Map<string, Buffer>();
  const keyOf = (info: string): Buffer => {
    const known = keys.get(info) ?? Buffer.from(hkdfSync('sha256', secret, 'premia vault', info, 32));
    keys.set(info, known);
    return known;
  };
  return {
    seal(tenantId, given) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', keyOf(`seal ${tenantId}`), nonce);
      const body = Buffer.concat([cipher.update(given), cipher.final()]);
      return Buffer.concat([Buffer.from([VERSION]), nonce, cipher.getAuthTag(), body]);
    },
    open(tenantId, sealed) {
      if (sealed[0] !== VERSION) throw new Error('sealed by a version that is not known here');
      const cipher = createDecipheriv('aes-256-gcm', keyOf(`seal ${tenantId}`), sealed.subarray(1, 1 + NONCE));
      cipher.setAuthTag(sealed.subarray(1 + NONCE, 1 + NONCE + TAG));
      return Buffer.concat([cipher.update(sealed.subarray(1 + NONCE + TAG)), cipher.final()]);
    },
    mark: (tenantId, purpose, text) => createHmac('sha256', keyOf(`mark ${tenantId} ${purpose}`)).update(text).digest(),
  };
}

const unset = (): never => { throw new Error('this database was opened without the installation’s data secret'); };
/** Where nothing is to be opened: owners' connections, tools. */
export const NO_VAULT: Vault = { seal: unset, open: unset, mark: unset };
