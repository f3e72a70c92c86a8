import type { PeopleRouteName } from '@premia/contract';
import { Refusal, phrase, type Locale } from '@premia/kernel';
import { sql } from 'kysely';
import { makeContext, today } from '../../platform/context.ts';
import { row, rows, type Database, type Tx } from '../../platform/database.ts';
import { numberedCursor, type Handled, type Handler, type SignedIn } from '../../platform/http.ts';
import { listMail, type Mailer } from '../../platform/mail.ts';
import { acceptInvitation, endRole, grantsOf, grantsOfMember, invite, isCommonPassword, listGrants, listInvitations, openInvitation, principalOf, programLook, programLooks, readLook, saveLook, saveProgramLook, DEFAULT_LOOK, type Look, type Role, type SignIn } from '../identity/index.ts';
import { currentConsents, listConsents, saveConsent, type Channel } from './consents.ts';
import { employerConsentsOf } from './employers.ts';
import { eraseMember, previewErasure, type ErasedElsewhere } from './erase-member.ts';
import { findMember, type Member } from './find-member.ts';
import { addNote, listInquiries, listNotes, messagesOf, openInquiry, readInquiry, sayMore, type Inquiry, type Message } from './inquiries.ts';
import { findProgram, type Program } from './program.ts';
import { readMember } from './read-members.ts';
import { welcomePack } from './welcome-pack.ts';
import { decideRegistration, listRegistrations, openProgram, register } from './registrations.ts';
import { acceptTerms, currentTerms, listAccepted, listTerms, publishTerms, type Terms } from './terms.ts';

export type PeopleOutside = { signIn: SignIn; mailer: Mailer; publicUrl: string; db: Database; now: () => number; mailbox: boolean; /** What modules above keep of people. */ elsewhere: readonly ErasedElsewhere[]; /** Codes of authenticators that the demo made. */ codes?: () => Promise<{ email: string; code: string }[]> };
const CHANNELS_SHOWN: readonly Channel[] = ['email', 'sms', 'phone'];
const WORDS_CHARS_MAX = 200;

const text = (given: Handled, name: string): string => given.params[name] as string;
const at = (moment: Date): string => moment.toISOString();
/** What is kept as evidence of a click: when is in the row, with what is here; no address of the network is needed for it. */
const evidenceOf = ({ headers }: Handled): unknown => ({ agent: (headers?.['user-agent'] ?? '').slice(0, WORDS_CHARS_MAX), how: 'portal' });
const inquiryView = (inquiry: Inquiry): Record<string, unknown> => ({ id: inquiry.inquiry_id, member: inquiry.member, name: inquiry.name, subject: inquiry.subject, document: inquiry.document, mechanic: inquiry.mechanic, state: inquiry.state, opened_at: at(inquiry.opened_at), changed_at: at(inquiry.changed_at) });

/** The program, and the member of it that the signed-in person is. */
export async function ownMember(tx: Tx, given: Handled): Promise<{ program: Program; member: Member; userId: string; role: string; company: string | null }> {
  const program = await findProgram(tx, text(given, 'program'));
  const { self, person } = given;
  if (!self || !person) throw new Refusal('program_not_found', 404, phrase(`Nie ma programu „${program.key}”.`, `There is no program “${program.key}”.`));
  return { program, member: await findMember(tx, program, self.member), userId: person.userId, role: self.role, company: self.company };
}

type MembersPart = 'readSession' | 'setLocale' | 'listSessions' | 'endSession' | 'readInvitation' | 'acceptInvitation' | 'listPeople' | 'invitePerson' | 'endRole' | 'unlockPerson' | 'acceptTerms' | 'readProfile' | 'saveConsent' | 'myInquiries' | 'openInquiry' | 'addMessage' | 'readMailbox' | 'printWelcome' | 'previewErasure' | 'eraseMember' | 'readRegistration' | 'registerSelf';

/** Whoever is signed in, by invitation or as a member: sessions, roles, terms, consents, questions. */
export const peopleHandlers = (outside: PeopleOutside): Record<Extract<PeopleRouteName, MembersPart>, Handler> => ({
  readSession: (_context, { person }) => readSession(outside, person as SignedIn),
  setLocale: async (_context, { person, body }) => { const { locale } = body as { locale: Locale }; await outside.signIn.setLocale((person as SignedIn).userId, locale); return { locale }; },
  listSessions: async (_context, { person }) => ({ sessions: (await outside.signIn.sessionsOf((person as SignedIn).userId)).map((session) => ({ id: session.id, current: session.id === person?.sessionId, agent: session.agent, since: at(session.since), seen: at(session.seen) })) }),
  endSession: async (_context, given) => ({ ended: await outside.signIn.endSession((given.person as SignedIn).userId, text(given, 'session')) }),
  readInvitation: async (_context, given) => {
    const { context, found } = await openInvitation(outside.db, text(given, 'code'), outside.now);
    return context.transaction(async (tx) => {
      const program = found.program === null ? null : await findProgram(tx, found.program);
      const tenant = await row<{ name: string }>(tx, sql`SELECT name FROM identity.tenant`);
      const terms = program && found.member_id !== null ? await currentTerms(tx, program, today(context, program.zone)) : undefined;
      return { email: found.email, name: found.name, role: found.role, tenant: tenant?.name ?? '', program: program && { key: program.key, name: program.settings.name }, known: (await outside.signIn.findPerson(found.email)) !== null, look: await readLook(tx, program?.key), terms: terms ?? null };
    });
  },
  acceptInvitation: (_context, given) => join(outside, given),
  readRegistration: async (_context, given) => { const { program, look } = await openProgram(outside.db, { tenant: text(given, 'tenant'), program: text(given, 'program') }, outside.now); return { name: program.settings.name, look }; },
  registerSelf: async (_context, given) => {
    const { context, program } = await openProgram(outside.db, { tenant: text(given, 'tenant'), program: text(given, 'program') }, outside.now);
    await register(context, program, given.body as { email: string; name: string; reference: string; locale: Locale });
    return { received: true };
  },
  listPeople: async (context) => {
    const grants = (await context.transaction(listGrants)).filter((grant) => grant.memberId === null);
    const names = await outside.signIn.namesOf([...new Set(grants.map((grant) => grant.userId))]);
    return { people: [...names].map(([person, known]) => ({ person, name: known.name, email: known.email, two_factor: known.twoFactor, locked: known.locked, seen: known.seen && at(known.seen), roles: grants.filter((grant) => grant.userId === person).map((grant) => ({ grant: grant.grantId, role: grant.role, program: grant.program })) })) };
  },
  invitePerson: async (context, { body }) => {
    const draft = body as { email: string; name: string; role: Role; program?: string; locale: Locale };
    const program = draft.program === undefined ? undefined : await context.transaction((tx) => findProgram(tx, draft.program as string));
    const { code, link } = await invite(context, { ...outside, ...(program ? { programName: program.settings.name[draft.locale] } : {}) }, draft);
    return { code, link };
  },
  endRole: async (context, given) => { await endRole(context, outside.signIn, BigInt(text(given, 'grant'))); return { ended: true }; },
  unlockPerson: async (context, given) => {
    const person = (await outside.signIn.namesOf([text(given, 'person')])).get(text(given, 'person'));
    const known = await context.transaction(async (tx) => (await listGrants(tx)).some((grant) => grant.userId === text(given, 'person')));
    if (!person || !known) throw new Refusal('person_not_found', 404, phrase('Nie ma takiej osoby.', 'There is no such person.'));
    await outside.signIn.unlock(person.email);
    return { unlocked: true };
  },
  acceptTerms: (context, given) => context.transaction(async (tx) => {
    const { program, member, userId } = await ownMember(tx, given);
    const { version } = given.body as { version: number };
    await acceptTerms(tx, context, program, { memberId: member.memberId, userId, version, evidence: evidenceOf(given) }, today(context, program.zone));
    return { accepted: version };
  }),
  readProfile: (context, given) => context.transaction(async (tx) => {
    const { program, member, userId, role, company } = await ownMember(tx, given);
    const [card, terms, consents] = [await readMember(tx, program, member.memberId), await currentTerms(tx, program, today(context, program.zone)), await currentConsents(tx, program, member.memberId)];
    const accepted = (await listAccepted(tx, program, member.memberId)).find((item) => item.version === terms?.version && item.by === userId);
    const place = card.assignments.at(-1);
    return { member: card.code, kind: card.kind, name: card.name, email: card.email, company: company ?? place?.company ?? null, team: place?.team ?? null, territory: place?.territory ?? null, enrolled_on: card.enrolled_on, role, controller: String(program.settings['controller'] ?? ''),
      terms: terms ? { ...terms, accepted_at: accepted ? at(accepted.at) : null } : null, consents: CHANNELS_SHOWN.map((channel) => { const said = consents.find((item) => item.channel === channel); return { channel, given: said?.given ?? false, at: said ? at(said.at) : null }; }) };
  }),
  saveConsent: (context, given) => context.transaction(async (tx) => {
    const { program, member, userId } = await ownMember(tx, given);
    const said = given.body as { channel: Channel; given: boolean; wording: string };
    await saveConsent(tx, context, program, { ...said, memberId: member.memberId, userId, evidence: evidenceOf(given) });
    return { given: said.given };
  }),
  myInquiries: (context, given) => context.transaction(async (tx) => {
    const { program, member } = await ownMember(tx, given);
    const { rows: found } = await listInquiries(tx, program, { memberId: member.memberId, sort: '-opened_at', limit: 200 });
    const messages = await messagesOf(tx, program, found.map((item) => item.inquiry_id));
    return { inquiries: found.map((item) => ({ ...inquiryView(item), messages: messageViews(messages.filter((message) => message.inquiry_id === item.inquiry_id), new Map()) })) };
  }),
  openInquiry: (context, given) => context.transaction(async (tx) => {
    const { program, member } = await ownMember(tx, given);
    return { inquiry: await openInquiry(tx, context, program, { memberId: member.memberId, ...(given.body as { subject: string; body: string }) }) };
  }),
  addMessage: (context, given) => context.transaction(async (tx) => {
    const { program, member } = await ownMember(tx, given);
    return { state: await sayMore(tx, context, program, BigInt(text(given, 'inquiry')), { fromMember: true, memberId: member.memberId, ...(given.body as { body: string }) }) };
  }),
  previewErasure: (context, given) => context.transaction(async (tx) => { const { program, member } = await memberOf(tx, given); return previewErasure(tx, program, member, outside.elsewhere); }),
  eraseMember: (context, given) => eraseMember(context, outside.signIn, { program: text(given, 'program'), member: text(given, 'member'), confirm: (given.body as { confirm: string }).confirm }, outside.elsewhere),
  printWelcome: async (context, given) => {
    const program = await context.transaction((tx) => findProgram(tx, text(given, 'program')));
    return welcomePack(program.settings.name, outside.publicUrl, (given.body as { people: { name: string; code: string; link: string }[] }).people);
  },
  readMailbox: async () => {
    if (!outside.mailbox) throw new Refusal('mailbox_off', 404, phrase('Tu nie ma skrzynki: poczta wychodzi przez serwer pocztowy.', 'There is no mailbox here: mail goes out through a mail server.'));
    const mail: Record<string, unknown>[] = [];
    const tenants = [0n, ...(await rows<{ id: bigint }>(outside.db.kysely, sql`SELECT id FROM identity.list_tenants() AS id`)).map((item) => item.id)];
    for (const tenantId of tenants) for (const item of await listMail(makeContext({ db: outside.db, tenantId, principal: 'mailbox', now: outside.now }))) mail.push({ id: `${tenantId}-${item.mail_id}`, to: item.recipient, subject: item.subject, body: item.body, link: item.link, at: at(item.sent_at) });
    return { mail: mail.sort((a, b) => String(b['at']).localeCompare(String(a['at']))).slice(0, 50), codes: await outside.codes?.() ?? [] };
  },
});

/** Names of those who wrote, where they are known; a member's own words are theirs. */
const messageViews = (messages: readonly Message[], names: ReadonlyMap<string, string>): unknown[] => messages.map((message) => ({ from_member: message.from_member, author: names.get(message.author) ?? '', body: message.body, at: at(message.at) }));

async function namesFor(outside: PeopleOutside, principals: readonly string[]): Promise<Map<string, string>> {
  const found = await outside.signIn.namesOf([...new Set(principals.flatMap((name) => (name.startsWith('person:') ? [name.slice(7)] : [])))]);
  return new Map([...found].map(([id, person]) => [`person:${id}`, person.name]));
}

async function readSession(outside: PeopleOutside, person: SignedIn): Promise<unknown> {
  const grants = await grantsOf(outside.db, person.userId);
  const tenants: unknown[] = [];
  for (const key of new Set(grants.map((grant) => grant.tenant))) {
    const own = grants.filter((grant) => grant.tenant === key);
    const [first] = own;
    const principal = await principalOf(outside.db, person, key);
    if (!first || !principal) continue;
    const context = makeContext({ db: outside.db, tenantId: first.tenant_id, principal: principal.name, now: outside.now });
    tenants.push(await context.transaction(async (tx) => {
      const programs = await rows<{ program_id: bigint; key: string; name: unknown; zone: string; currency: string; currency_scale: number; units: unknown }>(tx, sql`SELECT p.program_id, p.key, p.settings -> 'name' AS name, p.zone, p.currency, p.currency_scale,
        COALESCE((SELECT jsonb_agg(jsonb_build_object('key', u.key, 'scale', u.scale, 'names', u.names) ORDER BY u.unit_id) FROM ledger.unit AS u WHERE u.tenant_id = p.tenant_id AND u.program_id = p.program_id), '[]') AS units FROM members.program AS p ORDER BY p.key`);
      const seen = programs.filter((program) => principal.permissions.size > 0 || principal.programs?.has(program.key));
      const looks = await programLooks(tx);
      const shown: unknown[] = [];
      for (const { program_id: _, ...program } of seen) {
        const self = principal.self?.get(program.key);
        const member = self ? await findMember(tx, await findProgram(tx, program.key), self.member) : null;
        const named = member ? await row<{ name: string | null }>(tx, sql`SELECT name FROM members.person WHERE member_id = ${member.memberId}`) : null;
        shown.push({ ...program, look: looks.get(program.key) ?? null, permissions: [...new Set([...principal.permissions, ...principal.programs?.get(program.key) ?? []])], self: member && self ? { member: member.code, name: named?.name ?? null, role: self.role, company: self.company } : null });
      }
      return { key, name: first.tenant_name, look: await readLook(tx), roles: own.map((grant) => ({ role: grant.role, program: grant.program })), permissions: [...principal.permissions], held: [...principal.held ?? []], programs: shown };
    }));
  }
  return { person: { name: person.name, email: person.email, locale: person.locale, strong: person.strong, two_factor: person.twoFactor }, tenants };
}

async function join(outside: PeopleOutside, given: Handled): Promise<unknown> {
  const said = given.body as { name: string; password?: string; accepts?: number; consents: { channel: Channel; wording: string }[] };
  const { context, found } = await openInvitation(outside.db, text(given, 'code'), outside.now);
  const known = await outside.signIn.findPerson(found.email);
  if (!known && said.password === undefined) throw new Refusal('password_missing', 422, phrase('Ustaw hasło (co najmniej 8 znaków).', 'Set a password (at least 8 characters).'));
  if (!known && said.password !== undefined && await isCommonPassword(said.password)) throw new Refusal('password_common', 422, phrase('To hasło jest na liście najczęściej zgadywanych. Wymyśl inne.', 'This password is among those that are guessed first. Think of another.'));
  const asMember = async (tx: Tx): Promise<{ program: Program; terms: Terms | undefined } | null> => {
    if (found.program === null || found.member_id === null) return null;
    const program = await findProgram(tx, found.program);
    return { program, terms: await currentTerms(tx, program, today(context, program.zone)) };
  };
  const place = await context.transaction(asMember);
  if (place?.terms && said.accepts !== place.terms.version) throw new Refusal('terms_not_accepted', 422, phrase('Żeby dołączyć, zaakceptuj regulamin.', 'To join, accept the terms.'));
  const accepted = await acceptInvitation(outside.db, outside.signIn, { code: text(given, 'code'), name: said.name, ...(said.password === undefined ? {} : { password: said.password }) }, outside.now);
  const person = await outside.signIn.findPerson(found.email);
  if (place && person) await context.transaction(async (tx) => {
    const memberId = found.member_id as bigint;
    if (place.terms) await acceptTerms(tx, context, place.program, { memberId, userId: person.userId, version: place.terms.version, evidence: evidenceOf(given) }, today(context, place.program.zone));
    for (const consent of said.consents) await saveConsent(tx, context, place.program, { ...consent, given: true, memberId, userId: person.userId, evidence: evidenceOf(given) });
  });
  return accepted;
}

type ConsolePart = 'listTerms' | 'publishTerms' | 'listInquiries' | 'readInquiry' | 'answerInquiry' | 'listNotes' | 'addNote' | 'memberAgreements' | 'inviteMembers' | 'listInvitations' | 'listRegistrations' | 'decideRegistration' | 'readLook' | 'readProgramLook' | 'saveProgramLook' | 'saveLook';
type Page = { limit: number; after?: string; state?: string; member?: string };

/** What operators do about people: terms, questions, notes, invitations, the look of the screens. */
export const memberDeskHandlers = (outside: PeopleOutside): Record<ConsolePart, Handler> => ({
  listTerms: (context, given) => context.transaction(async (tx) => ({ terms: (await listTerms(tx, await findProgram(tx, text(given, 'program')))).map((item) => ({ ...item, published_at: at(item.published_at) })) })),
  publishTerms: (context, given) => context.transaction(async (tx) => {
    const program = await findProgram(tx, text(given, 'program'));
    return { version: await publishTerms(tx, context, program, given.body as Terms, today(context, program.zone)) };
  }),
  listInquiries: (context, given) => context.transaction(async (tx) => {
    const { member, ...page } = given.query as Page;
    const program = await findProgram(tx, text(given, 'program'));
    const found = await listInquiries(tx, program, { ...page, ...(member === undefined ? {} : { memberId: (await findMember(tx, program, member)).memberId }) });
    return { inquiries: found.rows.map(inquiryView), next: found.next };
  }),
  readInquiry: async (context, given) => {
    const { inquiry, messages } = await context.transaction(async (tx) => {
      const program = await findProgram(tx, text(given, 'program'));
      const found = await readInquiry(tx, program, BigInt(text(given, 'inquiry')));
      return { inquiry: found, messages: await messagesOf(tx, program, [found.inquiry_id]) };
    });
    return { ...inquiryView(inquiry), messages: messageViews(messages, await namesFor(outside, messages.map((message) => message.author))) };
  },
  answerInquiry: (context, given) => context.transaction(async (tx) => {
    const { body, close } = given.body as { body: string; close: boolean };
    return { state: await sayMore(tx, context, await findProgram(tx, text(given, 'program')), BigInt(text(given, 'inquiry')), { fromMember: false, body, close }) };
  }),
  listNotes: async (context, given) => {
    const found = await context.transaction(async (tx) => { const { program, member } = await memberOf(tx, given); return listNotes(tx, program, member.memberId); });
    const names = await namesFor(outside, found.map((note) => note.author));
    return { notes: found.map((note) => ({ id: note.note_id, author: names.get(note.author) ?? note.author, body: note.body, at: at(note.at) })) };
  },
  addNote: (context, given) => context.transaction(async (tx) => { const { program, member } = await memberOf(tx, given); return { note: await addNote(tx, context, program, member.memberId, (given.body as { body: string }).body) }; }),
  memberAgreements: async (context, given) => {
    const found = await context.transaction(async (tx) => {
      const { program, member } = await memberOf(tx, given);
      return { accepted: await listAccepted(tx, program, member.memberId), consents: await listConsents(tx, program, member.memberId), employer: await employerConsentsOf(tx, program, member.memberId), grants: await grantsOfMember(tx, program.key, member.memberId) };
    });
    const names = await outside.signIn.namesOf([...found.grants.map((grant) => grant.userId), ...found.accepted.map((item) => item.by)]);
    return {
      accepted: found.accepted.map((item) => ({ version: item.version, at: at(item.at), by: names.get(item.by)?.name ?? '' })), consents: found.consents.map((item) => ({ ...item, at: at(item.at) })), employer: found.employer,
      people: found.grants.flatMap((grant) => { const person = names.get(grant.userId); return person ? [{ name: person.name, email: person.email, role: grant.role, seen: person.seen && at(person.seen), locked: person.locked }] : []; }),
    };
  },
  inviteMembers: async (context, given) => {
    const { people } = given.body as { people: { member: string; email: string; name: string; role: 'member' | 'manager'; locale: Locale }[] };
    const ready = await context.transaction(async (tx) => {
      const program = await findProgram(tx, text(given, 'program'));
      const found = [];
      for (const person of people) {
        const member = await findMember(tx, program, person.member);
        const company = person.role === 'manager' ? (await readMember(tx, program, member.memberId)).assignments.at(-1)?.company ?? null : null;
        if (person.role === 'manager' && company === null) throw new Refusal('company_missing', 422, phrase(`Uczestnik „${person.member}” nie należy do żadnej firmy, więc nie może jej prowadzić.`, `The member “${person.member}” belongs to no company, so cannot manage one.`));
        found.push({ ...person, program, memberId: member.memberId, code: member.code, company });
      }
      return found;
    });
    const invited = [];
    for (const person of ready) {
      const made = await invite(context, { ...outside, programName: person.program.settings.name[person.locale] }, { email: person.email, name: person.name, role: person.role, program: person.program.key, memberId: person.memberId, locale: person.locale, ...(person.company === null ? {} : { company: person.company }) });
      invited.push({ member: person.code, email: person.email, name: person.name, code: made.code, link: made.link });
    }
    return { invited };
  },
  listRegistrations: (context, given) => context.transaction(async (tx) => {
    const { limit, after, state } = given.query as Page;
    const found = await listRegistrations(tx, await findProgram(tx, text(given, 'program')), { limit: limit + 1, after: numberedCursor(after) ?? 0n, ...(state === undefined ? {} : { state }) });
    return { registrations: found.slice(0, limit).map(({ registration_id: id, asked_at: asked, ...item }) => ({ id, ...item, asked_at: at(asked) })), next: found.length > limit ? String(found[limit - 1]?.registration_id) : null };
  }),
  decideRegistration: async (context, given) => ({ state: await decideRegistration(context, outside, { program: text(given, 'program'), registrationId: BigInt(text(given, 'registration')), ...(given.body as { member: string | null }) }) }),
  listInvitations: async (context, { query }) => {
    const found = await listInvitations(context, query as Page);
    return { invitations: found.rows.map((item) => ({ id: item.invitation_id, email: item.email, name: item.name, role: item.role, program: item.program, state: item.state, made_at: at(item.made_at), expires_at: at(item.expires_at) })), next: found.next };
  },
  readLook: (context) => context.transaction((tx) => readLook(tx)),
  readProgramLook: (context, given) => context.transaction(async (tx) => { const { key } = await findProgram(tx, text(given, 'program')); return { ...await readLook(tx, key), own: await programLook(tx, key) !== null }; }),
  saveProgramLook: (context, given) => context.transaction(async (tx) => { const { look } = given.body as { look: Look | null }; await saveProgramLook(tx, context, await findProgram(tx, text(given, 'program')), look); return { own: look !== null }; }),
  saveLook: async (context, { body }) => { await saveLook(context, { ...DEFAULT_LOOK, ...(body as Look) }); return { accent: (body as Look).accent }; },
});

async function memberOf(tx: Tx, given: Handled): Promise<{ program: Program; member: Member }> {
  const program = await findProgram(tx, text(given, 'program'));
  return { program, member: await findMember(tx, program, text(given, 'member')) };
}
