import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { Refusal, must, phrase, type Locale } from '@premia/kernel';
import { instant, makeContext, type Context } from '../../platform/context.ts';
import { row, rows, type Database, type Tx } from '../../platform/database.ts';
import { keyset, likeOf, paged, type Sortable } from '../../platform/keyset.ts';
import type { Principal } from '../../platform/http.ts';
import type { Mailer } from '../../platform/mail.ts';
import { audit } from './identity.ts';
import { ROLE_PERMISSIONS, STAFF_ROLES, STRONG_PERMISSIONS, type Role } from './roles.ts';
import type { Person, SignIn } from './sign-in.ts';

const INVITATION_DAYS = 14;
export type Grant = { grantId: bigint; userId: string; role: Role; program: string | null; memberId: bigint | null; company: string | null };
type OwnGrant = { tenant_id: bigint; tenant: string; tenant_name: string; role: Role; program: string | null; member_id: bigint | null; company: string | null };

/** Everything a person may do, in every tenant. */
export const grantsOf = (db: Database, userId: string): Promise<OwnGrant[]> => rows<OwnGrant>(db.kysely, sql`SELECT * FROM identity.grants_of(${userId})`);

/**
 * What a signed-in person is in one tenant: the one they name, or the only one they have. Somebody else's tenant answers like none. What
 * asks for a second factor is kept apart where the session has not shown one.
 */
export async function principalOf(db: Database, person: Person, wanted: string | undefined): Promise<Principal | null> {
  const all = await grantsOf(db, person.userId);
  const tenants = [...new Set(all.map((grant) => grant.tenant))];
  const tenant = wanted ?? (tenants.length === 1 ? tenants[0] : undefined);
  const mine = all.filter((grant) => grant.tenant === tenant);
  const [first] = mine;
  if (!first) return null;
  const permissions = new Set<string>();
  const programs = new Map<string, Set<string>>();
  const self = new Map<string, { member: string; role: string; company: string | null }>();
  for (const grant of mine) {
    const into = grant.program === null ? permissions : programs.get(grant.program) ?? new Set<string>();
    for (const permission of ROLE_PERMISSIONS[grant.role]) into.add(permission);
    if (grant.program !== null) programs.set(grant.program, into);
    // A manager sees their people; they are a member like others otherwise.
    if (grant.member_id !== null && grant.program !== null && (self.get(grant.program)?.role ?? 'member') === 'member') self.set(grant.program, { member: `id:${grant.member_id}`, role: grant.role, company: grant.company });
  }
  const held = new Set<string>();
  if (!person.strong) for (const set of [permissions, ...programs.values()]) for (const permission of STRONG_PERMISSIONS) if (set.delete(permission)) held.add(permission);
  return { tenantId: first.tenant_id, name: `person:${person.userId}`, permissions, programs, self, held };
}

const grantColumns = sql`grant_id AS "grantId", user_id AS "userId", role, program, member_id AS "memberId", company`;
export const listGrants = (tx: Tx): Promise<Grant[]> => rows<Grant>(tx, sql`SELECT ${grantColumns} FROM identity.role_grant WHERE ended_at IS NULL ORDER BY grant_id`);
export const grantsOfMember = (tx: Tx, program: string, memberId: bigint): Promise<Grant[]> => rows<Grant>(tx, sql`SELECT ${grantColumns} FROM identity.role_grant WHERE ended_at IS NULL AND program = ${program} AND member_id = ${memberId} ORDER BY grant_id`);

/** Gives a role. The same role again changes nothing. */
export async function giveRole(tx: Tx, context: Context, given: { userId: string; role: Role; program?: string | null; memberId?: bigint | null; company?: string | null }): Promise<void> {
  const made = await rows(tx, sql`INSERT INTO identity.role_grant (tenant_id, user_id, role, program, member_id, company, granted_by, granted_at)
    VALUES (${context.tenantId}, ${given.userId}, ${given.role}, ${given.program ?? null}, ${given.memberId ?? null}, ${given.company ?? null}, ${context.principal}, ${instant(context)}) ON CONFLICT DO NOTHING RETURNING grant_id`);
  if (made.length > 0) await audit(tx, context, { action: 'role.given', subject: `person:${given.userId}`, after: { role: given.role, program: given.program ?? null, member: given.memberId ?? null } });
}

/** Takes a role back. An owner cannot take the last owner's. The person's sessions end. */
export async function endRole(context: Context, signIn: SignIn, grantId: bigint): Promise<void> {
  const userId = await context.transaction(async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended('roles', ${context.tenantId}))`.execute(tx);
    const grants = await listGrants(tx);
    const grant = grants.find((item) => item.grantId === grantId);
    if (!grant) throw new Refusal('role_not_found', 404, phrase('Nie ma takiej roli.', 'There is no such role.'));
    if (grant.role === 'owner' && grants.filter((item) => item.role === 'owner').length === 1) throw new Refusal('last_owner', 409, phrase('To ostatni właściciel; najpierw nadaj tę rolę komuś innemu.', 'This is the last owner; give somebody else that role first.'));
    await sql`UPDATE identity.role_grant SET ended_by = ${context.principal}, ended_at = ${instant(context)} WHERE grant_id = ${grantId}`.execute(tx);
    await audit(tx, context, { action: 'role.ended', subject: `person:${grant.userId}`, before: { role: grant.role, program: grant.program, member: grant.memberId } });
    return grant.userId;
  });
  await signIn.endSessions(userId);
}

export type InvitationDraft = { email: string; name: string; role: Role; program?: string | undefined; memberId?: bigint | undefined; company?: string | undefined; locale: Locale };
export type InvitationRow = { invitation_id: bigint; email: string; name: string; role: Role; program: string | null; member_id: bigint | null; state: string; made_at: Date; expires_at: Date };
const hashOf = (code: string): Buffer => createHash('sha256').update(code).digest();
/** 80 bits in groups that can be typed from paper. */
const newCode = (): string => [...randomBytes(16)].map((byte) => 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'[byte % 32]).join('').replace(/(.{4})(?=.)/g, '$1-');

/** Invites by mail and answers the code, which is on the printed welcome too and never to be had again. An earlier open invitation to the same ends. */
export async function invite(context: Context, outside: { mailer: Mailer; publicUrl: string; programName?: string }, draft: InvitationDraft): Promise<{ invitationId: bigint; code: string; link: string }> {
  if (STAFF_ROLES.includes(draft.role) === (draft.memberId !== undefined)) throw new Refusal('role_unfit', 422, phrase('Ta rola nie pasuje do tego zaproszenia.', 'This role does not fit this invitation.'));
  const code = newCode();
  const link = `${outside.publicUrl}/join?code=${code}`;
  const email = draft.email.trim().toLowerCase();
  const invitationId = await context.transaction(async (tx) => {
    await sql`UPDATE identity.invitation SET revoked_at = ${instant(context)} WHERE email = ${email} AND role = ${draft.role} AND program IS NOT DISTINCT FROM ${draft.program ?? null} AND member_id IS NOT DISTINCT FROM ${draft.memberId ?? null}::bigint AND accepted_at IS NULL AND revoked_at IS NULL`.execute(tx);
    const made = must(await row<{ invitation_id: bigint }>(tx, sql`INSERT INTO identity.invitation (tenant_id, email, name, role, program, member_id, company, locale, code_hash, made_by, made_at, expires_at)
      VALUES (${context.tenantId}, ${email}, ${draft.name}, ${draft.role}, ${draft.program ?? null}, ${draft.memberId ?? null}, ${draft.company ?? null}, ${draft.locale}, ${hashOf(code)}, ${context.principal}, ${instant(context)}, ${instant(context)}::timestamptz + make_interval(days => ${INVITATION_DAYS})) RETURNING invitation_id`), 'invitation');
    await audit(tx, context, { action: 'person.invited', subject: `invitation:${made.invitation_id}`, after: { role: draft.role, program: draft.program ?? null, member: draft.memberId ?? null } });
    return made.invitation_id;
  });
  const where = outside.programName ?? 'Premia';
  const text = phrase(`${draft.name}, zapraszamy do „${where}”. Wejdź tym linkiem albo wpisz kod ${code} na stronie programu. Zaproszenie jest ważne ${INVITATION_DAYS} dni.`, `${draft.name}, you are invited to “${where}”. Use this link, or type the code ${code} on the program’s page. The invitation is good for ${INVITATION_DAYS} days.`);
  await outside.mailer(context, { to: email, subject: phrase(`Zaproszenie: ${where}`, `Invitation: ${where}`)[draft.locale], body: text[draft.locale], link });
  return { invitationId, code, link };
}

const SORTED: Sortable = { made_at: ['i.invitation_id', 'number', 'invitation_id'], name: ['i.name', 'word'], email: ['i.email', 'word'], role: ['i.role', 'word'], program: ['i.program', 'text'], state: ['i.state', 'word'] };

/** Invitations, newest first or as asked. `search` looks into names and addresses. */
export async function listInvitations(context: Context, page: { search?: string; state?: string; sort?: string; after?: string; limit: number }): Promise<{ rows: InvitationRow[]; next: string | null }> {
  const { beyond, order, cursor } = keyset<InvitationRow>(SORTED, 'made_at', { sort: page.sort ?? '-made_at', after: page.after });
  const like = likeOf(page.search);
  const found = await context.transaction((tx) => rows<InvitationRow>(tx, sql`SELECT * FROM (SELECT invitation_id, email, name, role, program, member_id, made_at, expires_at,
      CASE WHEN accepted_at IS NOT NULL THEN 'accepted' WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at <= ${instant(context)} THEN 'expired' ELSE 'open' END AS state FROM identity.invitation) AS i
    WHERE ${beyond} AND (${page.state ?? null}::text IS NULL OR i.state = ${page.state ?? null}) AND (${like}::text IS NULL OR i.name ILIKE ${like} OR i.email ILIKE ${like}) ORDER BY ${order} LIMIT ${page.limit + 1}`));
  return paged(found, page.limit, cursor);
}

type Found = { invitation_id: bigint; email: string; name: string; role: Role; program: string | null; member_id: bigint | null; company: string | null; locale: Locale };
const unknownCode = (): Refusal => new Refusal('invitation_not_found', 404, phrase('To zaproszenie już nie działa albo kod jest inny. Poproś o nowe.', 'This invitation no longer works, or the code is another one. Ask for a new one.'));

/** The open invitation of a code, and a context of its tenant. Expired, used and never made look the same. */
export async function openInvitation(db: Database, code: string, now: () => number): Promise<{ context: Context; found: Found }> {
  const hash = hashOf(code.trim().toUpperCase());
  const place = await row<{ tenant_id: bigint; invitation_id: bigint }>(db.kysely, sql`SELECT * FROM identity.invitation_by_code(${hash}, ${new Date(now()).toISOString()})`);
  if (!place) throw unknownCode();
  const context = makeContext({ db, tenantId: place.tenant_id, principal: `invitation:${place.invitation_id}`, now });
  const found = await context.transaction((tx) => row<Found>(tx, sql`SELECT invitation_id, email, name, role, program, member_id, company, locale FROM identity.invitation WHERE invitation_id = ${place.invitation_id}`));
  if (!found) throw unknownCode();
  return { context, found };
}

/** Whoever holds the code becomes the person it invites: a new one with their password, or the one of that address. Good once. */
export async function acceptInvitation(db: Database, signIn: SignIn, given: { code: string; name: string; password?: string | undefined }, now: () => number): Promise<{ email: string; known: boolean }> {
  const { context, found } = await openInvitation(db, given.code, now);
  const known = await signIn.findPerson(found.email);
  const userId = known?.userId ?? await signIn.createPerson({ email: found.email, name: given.name, locale: found.locale, ...(given.password === undefined ? {} : { password: given.password }) });
  await context.transaction(async (tx) => {
    const taken = await rows(tx, sql`UPDATE identity.invitation SET accepted_at = ${instant(context)} WHERE invitation_id = ${found.invitation_id} AND accepted_at IS NULL AND revoked_at IS NULL RETURNING invitation_id`);
    if (taken.length === 0) throw unknownCode(); // its twin was first
    await giveRole(tx, context, { userId, role: found.role, program: found.program, memberId: found.member_id, company: found.company });
  });
  return { email: found.email, known: known !== null };
}
