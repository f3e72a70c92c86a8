/** What may be done through the API. A route names the one it needs; `self` is a member looking at what is their own. */
export const PERMISSIONS = ['programs:read', 'programs:write', 'members:read', 'members:write', 'facts:read', 'facts:write', 'imports:approve', 'rules:propose', 'rules:approve',
  'ledger:read', 'ledger:adjust', 'ledger:approve', 'ledger:hold', 'keys:write', 'audit:read', 'people:write', 'settings:write', 'inquiries:write', 'rewards:write', 'payouts:propose', 'payouts:approve', 'payouts:export', 'payouts:settings', 'tax:read', 'tax:confirm', 'self', 'company:read'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Roles of people. The first five work in the console, for a whole tenant or for one program; the last two are members in the portal. */
export const ROLES = ['owner', 'operator', 'approver', 'support', 'viewer', 'manager', 'member'] as const;
export type Role = (typeof ROLES)[number];
export const STAFF_ROLES: readonly Role[] = ['owner', 'operator', 'approver', 'support', 'viewer'];

const READING: readonly Permission[] = ['programs:read', 'facts:read', 'ledger:read'];
const MEMBERS_OWN: readonly Permission[] = ['self'];

/** The one table from role to permission. Who proposes may not approve: no role but the owner's can do both, and four eyes hold for the owner too. */
export const ROLE_PERMISSIONS: Record<Role, readonly Permission[]> = {
  owner: PERMISSIONS.filter((permission) => permission !== 'self' && permission !== 'company:read'),
  operator: [...READING, 'programs:write', 'members:read', 'members:write', 'facts:write', 'rules:propose', 'ledger:adjust', 'audit:read', 'settings:write', 'inquiries:write', 'rewards:write', 'payouts:propose', 'payouts:export'],
  approver: [...READING, 'members:read', 'imports:approve', 'rules:approve', 'ledger:approve', 'audit:read', 'payouts:approve', 'payouts:settings', 'tax:read', 'tax:confirm'],
  support: [...READING, 'members:read', 'inquiries:write'],
  viewer: READING,
  manager: [...MEMBERS_OWN, 'company:read'],
  member: MEMBERS_OWN,
};

/** What asks for a second factor in the session that does it. */
export const STRONG_PERMISSIONS: ReadonlySet<string> = new Set<Permission>(['imports:approve', 'rules:approve', 'ledger:approve', 'people:write', 'keys:write', 'payouts:approve', 'payouts:export', 'payouts:settings', 'tax:read', 'tax:confirm']);
