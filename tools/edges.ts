/** Who may import whom: module or package → the doors it may open. An edge that nobody uses fails too. */
export const EDGES: Record<string, readonly string[]> = {
  'packages/kernel': [],
  'packages/algebra': ['packages/kernel'],
  'packages/contract': [],
  'packages/sdk': [],
  'packages/ui': ['packages/kernel'],
  'server/platform': ['packages/kernel', 'packages/contract'],
  'modules/identity': ['packages/kernel', 'server/platform'],
  'modules/members': ['packages/kernel', 'packages/contract', 'server/platform', 'modules/identity'],
  'modules/ledger': ['packages/kernel', 'server/platform', 'modules/identity', 'modules/members'],
  'modules/facts': ['packages/kernel', 'packages/algebra', 'packages/contract', 'server/platform', 'modules/identity', 'modules/members'],
  'modules/mechanics': ['packages/kernel', 'packages/algebra', 'server/platform', 'modules/identity', 'modules/members', 'modules/facts'],
  'modules/entitlements': ['packages/kernel', 'packages/algebra', 'packages/contract', 'server/platform', 'modules/identity', 'modules/members', 'modules/ledger', 'modules/facts', 'modules/mechanics'],
  'modules/rewards': ['packages/kernel', 'packages/contract', 'server/platform', 'modules/identity', 'modules/members', 'modules/ledger'],
  'server/demo': ['packages/kernel', 'server/platform', 'modules/identity', 'modules/facts', 'modules/ledger', 'modules/members', 'modules/mechanics', 'modules/entitlements', 'modules/rewards'],
};
