import { z } from 'zod';
import { amount, cursor, day, key, memberReference, program, route, searched, sorted, type Route } from './route.ts';
import { consoleRoutes } from './routes-console.ts';
import { factRoutes, productDraft } from './routes-facts.ts';
import { ledgerRoutes } from './routes-ledger.ts';
import { rewardRoutes } from './routes-rewards.ts';
import { employerConsent, memberDraft, memberRoutes, stateDraft } from './routes-members.ts';

export const DOCUMENTS_PER_REQUEST_MAX = 1_000;
export const LINES_PER_DOCUMENT_MAX = 5_000;

const line = z.strictObject({
  line: z.string().min(1).max(64).optional(), product: z.string().min(1).max(100).optional(), product_name: z.string().max(300).optional(), quantity: amount.default('1'), net: amount, gross: amount.optional(),
  base_line: z.string().max(64).optional(), channel: z.string().max(64).optional(), attributes: z.record(key, z.string().max(300)).optional(),
  rep: memberReference.optional(), shares: z.array(z.strictObject({ member: memberReference, weight: z.number().int().min(0).max(1_000_000_000) })).min(1).max(20).optional(),
});
export const saleDocument = z.strictObject({
  number: z.string().min(1).max(200), kind: z.enum(['sale', 'return', 'correction']).default('sale'), occurred_on: day.optional(), occurred_at: z.iso.datetime({ offset: true }).optional(),
  base: z.string().max(200).optional(), currency: z.string().regex(/^[A-Z]{3}$/).optional(), buyer: memberReference.optional(), seller: memberReference.optional(), rep: memberReference.optional(),
  lines: z.array(line).min(1).max(LINES_PER_DOCUMENT_MAX),
});
const earned = z.array(z.object({ member: z.string(), unit: z.string(), amount: z.string() }));
const sales = z.strictObject({ source: key, documents: z.array(saleDocument).min(1).max(DOCUMENTS_PER_REQUEST_MAX) });
const saleOutcomes = z.object({ documents: z.array(z.object({ number: z.string(), recorded: z.number(), known: z.number(), conflict: z.number(), waiting: z.boolean(), earned })), earned_elsewhere: earned });
const planReply = z.object({ program: z.enum(['create', 'change', 'same']), changes: z.array(z.string()), mechanics: z.array(z.object({ key: z.string(), action: z.string(), from: z.string(), versions: z.number() })) });
const phrase = z.object({ pl: z.string(), en: z.string() });

const moved = { unit: z.string(), before: z.string(), after: z.string() };
const targetDraft = z.strictObject({ target: key, subject: z.string().min(1).max(200), window_start: day, value: amount, reason: z.string().max(500).optional() });
const change = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('recredit'), source: key, document: z.string().min(1).max(200), role: z.enum(['buyer', 'seller', 'rep']), member: memberReference }),
  z.strictObject({ kind: z.literal('merge'), member: memberReference, into: memberReference }),
  z.strictObject({ kind: z.literal('members'), members: z.array(memberDraft).min(1).max(1_000) }),
  z.strictObject({ kind: z.literal('states'), states: z.array(stateDraft).min(1).max(1_000) }),
  z.strictObject({ kind: z.literal('targets'), targets: z.array(targetDraft).min(1).max(5_000) }),
  z.strictObject({ kind: z.literal('products'), products: z.array(productDraft).min(1).max(1_000) }),
  z.strictObject({ kind: z.literal('employer_consent'), company: z.string().min(1).max(100), ...employerConsent }),
  z.strictObject({ kind: z.literal('product_map'), code: z.string().min(1).max(100), product: z.string().min(1).max(100) }),
]);
const preview = z.object({
  mechanics: z.array(z.object({ mechanic: z.string(), ...moved, changed: z.number() })), months: z.array(z.object({ month: z.string(), ...moved })), members: z.array(z.object({ member: z.string(), ...moved })),
  distribution: z.array(z.object({ unit: z.string(), members: z.number(), before: z.array(z.string()), after: z.array(z.string()) })),
  winners: z.number(), losers: z.number(), unchanged: z.number(),
});
const verification = z.object({ program: z.string(), differences: z.number(), seals: z.number(), head: z.string(), counts: z.record(z.string(), z.number()), faults: z.array(z.object({ check: z.string(), where: z.string(), expected: z.string(), found: z.string() })) });

export const routes = {
  ...memberRoutes, ...factRoutes, ...ledgerRoutes, ...rewardRoutes, ...consoleRoutes,
  listPrograms: route({ name: 'listPrograms', method: 'GET', path: '/v1/programs', summary: 'Programs of the tenant', permission: 'programs:read', reply: z.object({ programs: z.array(z.object({ key: z.string(), name: z.unknown() })) }), refusals: [] }),
  planProgram: route({ name: 'planProgram', method: 'POST', path: '/v1/programs/plan', summary: 'What applying a program’s file would change', permission: 'programs:read', body: z.record(z.string(), z.unknown()), reply: planReply, refusals: ['program_inconsistent', 'mechanic_malformed'] }),
  applyProgram: route({ name: 'applyProgram', method: 'POST', path: '/v1/programs/apply', summary: 'Publish a program’s file', permission: 'programs:write', idempotent: true, body: z.record(z.string(), z.unknown()), reply: planReply, refusals: ['program_inconsistent', 'mechanic_malformed', 'recalculation_needed', 'setting_fixed', 'circle'] }),
  exportProgram: route({ name: 'exportProgram', method: 'GET', path: '/v1/programs/:program', summary: 'The program as the file that makes it', permission: 'programs:read', params: program, reply: z.record(z.string(), z.unknown()), refusals: ['program_not_found'] }),
  recordSales: route({ name: 'recordSales', method: 'POST', path: '/v1/programs/:program/sales', summary: 'Record up to 1,000 documents; each answers with what it earned', permission: 'facts:write', idempotent: true, params: program, body: sales, reply: saleOutcomes, refusals: ['program_not_found', 'source_not_found', 'rate_missing', 'amount_malformed'] }),
  dryRunSales: route({ name: 'dryRunSales', method: 'POST', path: '/v1/programs/:program/sales/dry-run', summary: 'What these sales would earn; nothing is recorded', permission: 'facts:read', params: program, body: sales, reply: saleOutcomes, refusals: ['program_not_found', 'source_not_found', 'rate_missing', 'amount_malformed'] }),
  recordActivities: route({
    name: 'recordActivities', method: 'POST', path: '/v1/programs/:program/activities', summary: 'Record what members did beside sales', permission: 'facts:write', idempotent: true, params: program,
    body: z.strictObject({ source: key, activities: z.array(z.strictObject({ reference: z.string().min(1).max(200), member: memberReference, kind: key, occurred_on: day, quantity: amount.default('1'), amount: amount.default('0'), attributes: z.record(key, z.string().max(300)).default({}) })).min(1).max(1_000) }),
    reply: z.object({ activities: z.array(z.object({ reference: z.string(), outcome: z.enum(['recorded', 'known', 'conflict']) })), earned }), refusals: ['program_not_found', 'source_not_found', 'member_not_found'],
  }),
  saveTargets: route({
    name: 'saveTargets', method: 'POST', path: '/v1/programs/:program/targets', summary: 'Set targets of members, teams and companies; a changed target recomputes', permission: 'rules:propose', idempotent: true, params: program,
    body: z.strictObject({ targets: z.array(targetDraft).min(1).max(5_000) }),
    reply: z.object({ changed: z.number() }), refusals: ['program_not_found', 'target_malformed', 'member_not_found', 'amount_malformed', 'recalculation_needed'],
  }),
  nextSteps: route({ name: 'nextSteps', method: 'GET', path: '/v1/programs/:program/members/:member/next-steps', summary: 'How far the next step is, and what it brings', permission: 'ledger:read', params: program.extend({ member: memberReference }), query: z.strictObject({ on: day.optional(), locale: z.enum(['pl', 'en']).default('en') }), reply: z.object({ steps: z.array(z.object({ mechanic: z.string(), name: z.string(), now: z.string(), missing: z.string(), brings: z.string(), sentence: z.string() })) }), refusals: ['program_not_found', 'member_not_found'] }),
  simulate: route({ name: 'simulate', method: 'POST', path: '/v1/programs/simulate', summary: 'What a program’s file would have given over the recorded facts; nothing is posted', permission: 'rules:propose', body: z.record(z.string(), z.unknown()), reply: preview, refusals: ['program_not_found', 'mechanic_malformed', 'program_inconsistent'] }),
  proposeRecalculation: route({ name: 'proposeRecalculation', method: 'POST', path: '/v1/programs/:program/recalculations', summary: 'Propose a change of the past: a program’s file, or what rules read', permission: 'rules:propose', idempotent: true, params: program, body: z.strictObject({ reason: z.string().min(1).max(500), file: z.record(z.string(), z.unknown()).optional(), change: change.optional() }), reply: z.object({ recalculation: z.string(), preview }), refusals: ['program_not_found', 'member_not_found', 'document_not_found', 'product_not_found', 'change_missing'] }),
  listRecalculations: route({ name: 'listRecalculations', method: 'GET', path: '/v1/programs/:program/recalculations', summary: 'Recalculations, newest first, with their previews', permission: 'ledger:read', params: program, query: cursor.extend({ state: z.enum(['proposed', 'applied', 'rejected']).optional() }), reply: z.object({ recalculations: z.array(z.object({ id: z.string(), state: z.string(), reason: z.string(), proposed_by: z.string(), decided_by: z.string().nullable(), change: z.unknown(), preview })), next: z.string().nullable() }), refusals: ['program_not_found'] }),
  rejectRecalculation: route({ name: 'rejectRecalculation', method: 'POST', path: '/v1/programs/:program/recalculations/:recalculation/reject', summary: 'Turn a proposed recalculation down', permission: 'rules:approve', idempotent: true, params: program.extend({ recalculation: z.string().regex(/^\d{1,18}$/) }), body: z.strictObject({}).optional(), reply: z.object({ state: z.string() }), refusals: ['program_not_found', 'recalculation_not_found', 'recalculation_not_open'] }),
  approveRecalculation: route({ name: 'approveRecalculation', method: 'POST', path: '/v1/programs/:program/recalculations/:recalculation/approve', summary: 'Apply a proposed recalculation; by default not by its proposer', permission: 'rules:approve', idempotent: true, params: program.extend({ recalculation: z.string().regex(/^\d{1,18}$/) }), body: z.strictObject({}).optional(), reply: preview, refusals: ['program_not_found', 'recalculation_not_found', 'recalculation_not_open', 'second_person_needed'] }),
  listCloses: route({ name: 'listCloses', method: 'GET', path: '/v1/programs/:program/closes', summary: 'Periods closing and closed, with their frozen figures', permission: 'ledger:read', params: program, reply: z.object({ closes: z.array(z.object({ id: z.string(), from: z.string(), to: z.string(), state: z.string(), snapshot: z.unknown(), closed_by: z.string() })) }), refusals: ['program_not_found'] }),
  startClosing: route({ name: 'startClosing', method: 'POST', path: '/v1/programs/:program/closes/start', summary: 'Announce a close; nothing is frozen yet', permission: 'rules:propose', idempotent: true, params: program, body: z.strictObject({ from: day, to: day }), reply: z.object({ state: z.string() }), refusals: ['program_not_found', 'period_malformed', 'period_closed_already'] }),
  listAudit: route({ name: 'listAudit', method: 'GET', path: '/v1/audit', summary: 'Who did what to what, newest first', permission: 'audit:read', query: cursor.extend({ action: z.string().max(100).optional(), principal: z.string().max(100).optional(), ...searched, sort: sorted(['at', 'principal', 'action', 'subject']) }), reply: z.object({ entries: z.array(z.object({ id: z.string(), at: z.string(), principal: z.string(), by: z.string().nullable(), action: z.string(), subject: z.string(), before: z.unknown(), after: z.unknown(), request: z.string().nullable() })), next: z.string().nullable() }), refusals: [] }),
  closePeriod: route({ name: 'closePeriod', method: 'POST', path: '/v1/programs/:program/closes', summary: 'Close a period: its pooled results are frozen, its figures kept with a digest', permission: 'rules:approve', idempotent: true, params: program, body: z.strictObject({ from: day, to: day }), reply: z.object({ close: z.string(), entitlements: z.number(), digest: z.string(), amounts: z.array(z.object({ mechanic: z.string(), unit: z.string(), amount: z.string() })) }), refusals: ['program_not_found', 'period_malformed', 'period_closed_already'] }),
  explain: route({ name: 'explain', method: 'GET', path: '/v1/programs/:program/members/:member/explain', summary: 'Why, or why not: what every mechanic made of a document, or of a window', permission: 'ledger:read', params: program.extend({ member: memberReference }), query: z.strictObject({ document: z.string().max(200).optional(), mechanic: key.optional(), on: day.optional(), locale: z.enum(['pl', 'en']).default('en') }), reply: z.object({ explanations: z.array(z.unknown()) }), refusals: ['program_not_found', 'member_not_found', 'document_not_found'] }),
  readVerification: route({ name: 'readVerification', method: 'GET', path: '/v1/programs/:program/verification', summary: 'What the last verification found; every night makes one', permission: 'ledger:read', params: program, reply: z.object({ last: verification.extend({ at: z.string(), by: z.string() }).nullable() }), refusals: ['program_not_found'] }),
  verify: route({ name: 'verify', method: 'GET', path: '/v1/programs/:program/verify', summary: 'Recompute everything and compare', permission: 'ledger:read', params: program, reply: verification, refusals: ['program_not_found'] }),
  listSeals: route({ name: 'listSeals', method: 'GET', path: '/v1/seals', summary: 'The chain of seals, newest first; keep the head where the database’s administrator cannot reach', permission: 'audit:read', query: cursor, reply: z.object({ seals: z.array(z.object({ seal: z.string(), to: z.string(), head: z.string(), rows: z.record(z.string(), z.number()), sealed_at: z.string() })), next: z.string().nullable() }), refusals: [] }),
  listKeys: route({ name: 'listKeys', method: 'GET', path: '/v1/keys', summary: 'API keys', permission: 'keys:write', reply: z.object({ keys: z.array(z.object({ id: z.string(), name: z.string(), prefix: z.string(), permissions: z.array(z.string()), revoked: z.boolean() })) }), refusals: [] }),
  createKey: route({ name: 'createKey', method: 'POST', path: '/v1/keys', summary: 'Make an API key; its secret is shown once', permission: 'keys:write', idempotent: true, body: z.strictObject({ name: z.string().min(1).max(100), permissions: z.array(z.string()).min(1).max(50) }), reply: z.object({ id: z.string(), secret: z.string() }), refusals: ['permission_unknown'] }),
  revokeKey: route({ name: 'revokeKey', method: 'POST', path: '/v1/keys/:key/revoke', summary: 'Revoke an API key', permission: 'keys:write', idempotent: true, params: z.strictObject({ key: z.string().regex(/^\d{1,18}$/) }), body: z.strictObject({}).optional(), reply: z.object({ revoked: z.boolean() }), refusals: ['key_not_found'] }),
} satisfies Record<string, Route>;
export type RouteName = keyof typeof routes;
export { phrase as phraseShape };
