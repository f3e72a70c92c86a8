import type { PeopleRouteName } from '@premia/contract';
import { Refusal, formatMinor, phrase, type Day, type Locale } from '@premia/kernel';
import { sql } from 'kysely';
import { today, type Context } from '../../platform/context.ts';
import { rows, type Tx } from '../../platform/database.ts';
import type { Handled, Handler } from '../../platform/http.ts';
import { listDocuments, readDocument } from '../facts/index.ts';
import { lotsOf, newestEntries, readBalances, type EntriesPage } from '../ledger/index.ts';
import { currentTerms, findMember, findProgram, listAccepted, listConsents, listInquiries, listNotes, messagesOf, ownMember, readMember, type EmployerConsent, type Member, type Program } from '../members/index.ts';
import { targetHistory } from '../mechanics/index.ts';
import { recordEmployerWord } from './change-inputs.ts';
import { explain } from './explain.ts';
import { listMechanics, listPresets, tryMechanic } from './list-mechanics.ts';
import { balanceView, entryView, inOrder, readHome } from './read-home.ts';
import { readBoards, readRules } from './read-rules.ts';
import { readTargets, targetScale } from './read-targets.ts';
import { lastVerification } from './verify.ts';
import { readToday, readWaits, type MoreWaits } from './read-today.ts';

const programOf = ({ params }: Handled): string => params['program'] as string;
const localeOf = ({ query }: Handled): Locale => (query as { locale: Locale }).locale;
const EXPORT_MAX = 50_000;

type ConsolePart = 'readToday' | 'readWaits' | 'listDocuments' | 'readDocument' | 'listMechanics' | 'listPresets' | 'tryMechanic' | 'listTargets' | 'targetHistory' | 'memberBalances' | 'newestEntries' | 'saveEmployerConsent' | 'readVerification';

/** What the console's screens read. */
export const deskHandlers = (more: MoreWaits, names: (ids: readonly string[]) => Promise<ReadonlyMap<string, { name: string }>>): Record<ConsolePart, Handler> => ({
  readWaits: (context, given) => context.transaction(async (tx) => { const program = await findProgram(tx, programOf(given)); return { ...await readWaits(tx, context, program), ...await more(tx, program) }; }),
  readToday: (context, given) => context.transaction(async (tx) => { const program = await findProgram(tx, programOf(given)); return readToday(tx, context, program, today(context, program.zone), more); }),
  readVerification: async (context, given) => {
    const last = await context.transaction(async (tx) => lastVerification(tx, await findProgram(tx, programOf(given))));
    if (!last) return { last: null };
    const person = last.verified_by.startsWith('person:') ? last.verified_by.slice(7) : null;
    return { last: { ...last.result, at: last.verified_at.toISOString(), by: (person && (await names([person])).get(person)?.name) ?? last.verified_by } };
  },
  listDocuments: (context, given) => context.transaction(async (tx) => {
    const { member, ...page } = given.query as { limit: number; after?: string; member?: string };
    const program = await findProgram(tx, programOf(given));
    return listDocuments(tx, program, { ...page, ...(member === undefined ? {} : { memberId: (await findMember(tx, program, member)).memberId }) });
  }),
  saveEmployerConsent: async (context, given) => {
    const { program = null, ...said } = given.body as { program?: string } & Omit<EmployerConsent, 'company'>;
    return { consent: await recordEmployerWord(context, program, { ...said, company: given.params['company'] as string }) };
  },
  readDocument: (context, given) => context.transaction(async (tx) => readDocument(tx, await findProgram(tx, programOf(given)), BigInt(given.params['document'] as string))),
  listMechanics: (context, given) => context.transaction(async (tx) => { const program = await findProgram(tx, programOf(given)); return { mechanics: await listMechanics(tx, program, today(context, program.zone)) }; }),
  listPresets: async () => ({ presets: listPresets() }),
  tryMechanic: (context, given) => tryMechanic(context, programOf(given), (given.body as { mechanic: Record<string, unknown> }).mechanic, localeOf(given)),
  listTargets: (context, given) => context.transaction(async (tx) => readTargets(tx, context, await findProgram(tx, programOf(given)), given.query as { target: string; from: Day; to: Day; limit: number })),
  targetHistory: (context, given) => context.transaction(async (tx) => {
    const program = await findProgram(tx, programOf(given));
    const { target, member, window_start: windowStart } = given.query as { target: string; member: string; window_start: Day };
    const scale = targetScale(program, target);
    const found = await targetHistory(tx, program, { target, memberId: (await findMember(tx, program, member)).memberId, windowStart });
    const called = await names([...new Set(found.flatMap((item) => (item.recorded_by.startsWith('person:') ? [item.recorded_by.slice(7)] : [])))]);
    return { changes: found.map((item) => ({ value: formatMinor(item.value, scale), reason: item.reason, by: called.get(item.recorded_by.slice(7))?.name ?? item.recorded_by, at: item.recorded_at?.toISOString() ?? null })) };
  }),
  memberBalances: (context, given) => context.transaction(async (tx) => {
    const program = await findProgram(tx, programOf(given));
    const { memberId } = await findMember(tx, program, given.params['member'] as string);
    const on = today(context, program.zone);
    return {
      balances: inOrder(program, await readBalances(tx, program.programId, on, { memberId })).map(balanceView),
      lots: (await lotsOf(tx, program.programId, memberId, on)).map((lot) => ({ unit: lot.unit, amount: formatMinor(lot.amount, lot.scale), available_on: lot.availableOn, expires_on: lot.expiresOn === 'infinity' ? null : lot.expiresOn, waits: lot.gate !== '' || lot.availableOn > on })),
    };
  }),
  newestEntries: (context, given) => context.transaction(async (tx) => {
    const { member, ...page } = given.query as EntriesPage & { member?: string };
    const program = await findProgram(tx, programOf(given));
    const found = await newestEntries(tx, program.programId, { ...page, ...(member === undefined ? {} : { memberId: (await findMember(tx, program, member)).memberId }) });
    return { entries: found.rows.map((item) => { const { name: mechanic_name, ...entry } = entryView(item); return { ...entry, mechanic_name, member: item.member, name: item.name }; }), next: found.next };
  }),
});

type OwnPart = 'readHome' | 'myEntries' | 'myExplain' | 'myRules' | 'myBoards' | 'exportMe' | 'exportMember' | 'readCompany';

/** What modules above this one have recorded about a member. */
export type MoreAbout = (tx: Tx, context: Context, program: Program, member: Member) => Promise<Record<string, unknown>>;

/** What a member sees of their own. */
export const ownHandlers = (more: MoreAbout): Record<Extract<PeopleRouteName, OwnPart>, Handler> => ({
  readHome: (context, given) => context.transaction(async (tx) => { const { program, member, userId } = await ownMember(tx, given); return readHome(tx, context, program, member, userId, today(context, program.zone), localeOf(given)); }),
  myEntries: (context, given) => context.transaction(async (tx) => {
    const { program, member } = await ownMember(tx, given);
    const found = await newestEntries(tx, program.programId, { ...given.query as EntriesPage, memberId: member.memberId });
    return { entries: found.rows.map(entryView), next: found.next };
  }),
  myExplain: (context, given) => context.transaction(async (tx) => {
    const { program, member } = await ownMember(tx, given);
    const asked = given.query as { document?: string; mechanic?: string; on?: string; locale: Locale };
    // A document of somebody else is not there: its number tells nothing.
    if (asked.document !== undefined && (await rows(tx, sql`SELECT 1 FROM facts.fact AS f JOIN facts.document AS d ON d.tenant_id = f.tenant_id AND d.program_id = f.program_id AND d.document_id = f.document_id WHERE f.program_id = ${program.programId} AND f.member_id = ${member.memberId} AND d.number = ${asked.document} LIMIT 1`)).length === 0) {
      throw new Refusal('document_not_found', 404, phrase(`Nie mamy u Ciebie dokumentu „${asked.document}”. Jeśli sprzedaż była niedawno, plik partnera mógł jeszcze nie dotrzeć.`, `We have no document “${asked.document}” of yours. If the sale is recent, the partner’s file may not be here yet.`));
    }
    return { explanations: await explain(tx, context, program, member, asked) };
  }),
  myRules: (context, given) => context.transaction(async (tx) => { const { program, member } = await ownMember(tx, given); return readRules(tx, context, program, member, today(context, program.zone), localeOf(given)); }),
  myBoards: (context, given) => context.transaction(async (tx) => { const { program, member } = await ownMember(tx, given); return readBoards(tx, context, program, member, today(context, program.zone), localeOf(given)); }),
  exportMe: (context, given) => context.transaction(async (tx) => { const { program, member, userId } = await ownMember(tx, given); return { person: { id: userId, email: given.person?.email, name: given.person?.name }, ...await everythingAbout(tx, context, program, member), ...await more(tx, context, program, member) }; }),
  exportMember: (context, given) => context.transaction(async (tx) => { const program = await findProgram(tx, programOf(given)); const member = await findMember(tx, program, given.params['member'] as string); return { ...await everythingAbout(tx, context, program, member), ...await more(tx, context, program, member) }; }),
  readCompany: (context, given) => context.transaction(async (tx) => {
    const { program, company } = await ownMember(tx, given);
    if (company === null) throw new Refusal('program_not_found', 404, phrase('Nie prowadzisz tu żadnej firmy.', 'You manage no company here.'));
    const on = today(context, program.zone);
    const people = await peopleOf(tx, program, company, on);
    const balances = inOrder(program, await readBalances(tx, program.programId, on, { memberIds: people.map((person) => person.member_id) }));
    return { company, members: people.map((person) => ({ member: person.code, kind: person.kind, name: person.name, state: person.state, balances: balances.filter((item) => item.memberId === person.member_id).map(balanceView) })) };
  }),
});

/** Members assigned to a company on a day. */
const peopleOf = (tx: Tx, program: Program, company: string, on: Day): Promise<{ member_id: bigint; code: string; kind: string; name: string | null; state: string }[]> => rows(tx, sql`SELECT m.member_id, m.code, m.kind, p.name, COALESCE(s.state, 'invited') AS state FROM members.member AS m
  LEFT JOIN members.person AS p ON p.tenant_id = m.tenant_id AND p.program_id = m.program_id AND p.member_id = m.member_id
  LEFT JOIN LATERAL (SELECT state FROM members.member_state AS s WHERE s.tenant_id = m.tenant_id AND s.program_id = m.program_id AND s.member_id = m.member_id AND s.valid_from <= ${on} ORDER BY s.valid_from DESC, s.recorded_seq DESC LIMIT 1) AS s ON TRUE
  WHERE m.program_id = ${program.programId} AND m.merged_into IS NULL AND EXISTS (SELECT 1 FROM members.assignment AS a WHERE a.tenant_id = m.tenant_id AND a.program_id = m.program_id AND a.member_id = m.member_id AND a.company = ${company} AND a.valid_from <= ${on} AND a.valid_to > ${on}) ORDER BY m.code LIMIT 500`);

/** Everything that is recorded about a member, for themselves and for whoever answers their request (GDPR Art. 15 and 20). */
async function everythingAbout(tx: Tx, context: Context, program: Program, member: Member): Promise<Record<string, unknown>> {
  const on = today(context, program.zone);
  const { rows: inquiries } = await listInquiries(tx, program, { memberId: member.memberId, limit: EXPORT_MAX });
  const { documents } = await listDocuments(tx, program, { memberId: member.memberId, limit: EXPORT_MAX });
  return {
    made_at: new Date(context.now()).toISOString(), program: { key: program.key, name: program.settings.name, controller: program.settings['controller'] }, member: await readMember(tx, program, member.memberId),
    terms: await currentTerms(tx, program, on) ?? null, accepted: await listAccepted(tx, program, member.memberId), consents: await listConsents(tx, program, member.memberId), inquiries: inquiries.map((item) => ({ ...item })), messages: await messagesOf(tx, program, inquiries.map((item) => item.inquiry_id)), notes: await listNotes(tx, program, member.memberId),
    balances: (await readBalances(tx, program.programId, on, { memberId: member.memberId })).map(balanceView), entries: (await newestEntries(tx, program.programId, { memberId: member.memberId, limit: EXPORT_MAX })).rows.map(entryView), documents,
  };
}
