import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { Refusal, must, phrase, type Phrase } from '@premia/kernel';
import { instant, type Context } from '../../platform/context.ts';
import { row, type Tx } from '../../platform/database.ts';
import { audit, grantsOf, grantsOfMember, type SignIn } from '../identity/index.ts';
import { findMember, type Member } from './find-member.ts';
import { findProgram, type Program } from './program.ts';
import { readMember } from './read-members.ts';

export type Erasure = { goes: { what: Phrase; count: number }[]; stays: { what: Phrase; why: Phrase; count: number }[] };

/** What a module above keeps of a person, and takes away with the rest, in the same transaction. */
export type ErasedElsewhere = { preview(tx: Tx, program: Program, member: Member): Promise<Erasure>; erase(tx: Tx, program: Program, member: Member): Promise<void> };

/** What erasing would take away, and what stays under a pseudonym, with the reason why. */
export async function previewErasure(tx: Tx, program: Program, member: Member, elsewhere: readonly ErasedElsewhere[]): Promise<Erasure> {
  const more = [];
  for (const place of elsewhere) more.push(await place.preview(tx, program, member));
  const of = sql`program_id = ${program.programId} AND member_id = ${member.memberId}`;
  const n = must(await row<Record<'person' | 'keys' | 'notes' | 'inquiries' | 'consents' | 'lines' | 'transfers' | 'entitlements' | 'accepted' | 'reasons', number>>(tx, sql`SELECT (SELECT count(*)::int FROM members.person WHERE ${of}) AS person, (SELECT count(*)::int FROM members.member_key WHERE ${of}) AS keys,
    (SELECT count(*)::int FROM members.note WHERE ${of}) AS notes, (SELECT count(*)::int FROM members.inquiry WHERE ${of}) AS inquiries, (SELECT count(*)::int FROM members.consent WHERE ${of}) AS consents, (SELECT count(*)::int FROM members.acceptance WHERE ${of}) AS accepted,
    (SELECT count(DISTINCT line_id)::int FROM facts.fact WHERE ${of}) AS lines, (SELECT count(*)::int FROM ledger.transfer WHERE ${of}) AS transfers, (SELECT count(*)::int FROM entitlements.entitlement WHERE ${of}) AS entitlements, (SELECT count(*)::int FROM ledger.transfer WHERE ${of} AND reason IS NOT NULL) AS reasons`), 'counts');
  const books = phrase('Księga i rozliczenia muszą się zgadzać; zostaje numer, z którego nikt nie odczyta osoby (RODO art. 17 ust. 3 lit. b i e).', 'The books and settlements must add up; a number stays from which nobody can be read (GDPR Art. 17(3)(b) and (e)).');
  return {
    goes: [{ what: phrase('nazwisko i e-mail', 'name and e-mail'), count: n.person }, { what: phrase('kody, NIP i inne odniesienia', 'codes, tax number and other references'), count: n.keys }, { what: phrase('notatki', 'notes'), count: n.notes }, { what: phrase('treść zgłoszeń', 'texts of inquiries'), count: n.inquiries }, { what: phrase('konto do logowania w tym programie', 'sign-in for this program'), count: (await grantsOfMember(tx, program.key, member.memberId)).length }, ...more.flatMap((place) => place.goes)],
    stays: [{ what: phrase('pozycje sprzedaży pod pseudonimem', 'lines of sales under a pseudonym'), why: books, count: n.lines }, { what: phrase('należności', 'entitlements'), why: books, count: n.entitlements }, { what: phrase('zapisy w księdze', 'ledger entries'), why: books, count: n.transfers },
      { what: phrase('powody korekt ręcznych, tak jak je zaksięgowano', 'reasons of manual corrections, as they were booked'), why: phrase('są pod pieczęcią; nie wpisuj w nie danych osób', 'they are under seal; do not write people’s data into them'), count: n.reasons },
      { what: phrase('fakt i chwila zgód oraz akceptacji regulaminu', 'that and when consents and terms were accepted'), why: phrase('dowód do czasu przedawnienia roszczeń (RODO art. 17 ust. 3 lit. e)', 'evidence until claims lapse (GDPR Art. 17(3)(e))'), count: n.consents + n.accepted }, ...more.flatMap((place) => place.stays)],
  };
}

/**
 * Erases a person: what names them goes from everywhere it is kept, the rest stays under a pseudonym, and a keyed hash remembers that
 * they are not to come back with a later file. The books do not change by a unit. It cannot be taken back.
 */
export async function eraseMember(context: Context, signIn: SignIn, given: { program: string; member: string; confirm: string }, elsewhere: readonly ErasedElsewhere[]): Promise<{ pseudonym: string }> {
  const { pseudonym, people } = await context.transaction(async (tx) => {
    const program = await findProgram(tx, given.program);
    const member = await findMember(tx, program, given.member);
    if (given.confirm !== member.code) throw new Refusal('not_confirmed', 422, phrase(`Żeby usunąć, przepisz kod uczestnika: ${member.code}.`, `To erase, type the member’s code: ${member.code}.`));
    const card = await readMember(tx, program, member.memberId);
    const grants = await grantsOfMember(tx, program.key, member.memberId);
    const persons = await signIn.namesOf(grants.map((grant) => grant.userId));
    const name = `erased-${member.memberId}`;
    const codes = [...new Set([card.code, ...card.aliases, ...card.keys.filter((key) => key.startsWith('code:')).map((key) => key.slice(5))])];
    const names = [...new Set([card.name, card.email, ...card.keys.filter((key) => !key.startsWith('code:')).map((key) => key.replace(/^\w+:/, '')), ...[...persons.values()].flatMap((person) => [person.name, person.email])].filter((text): text is string => text !== null && text !== ''))];
    await sql`INSERT INTO members.erasure_key (tenant_id, key) VALUES (${context.tenantId}, ${randomBytes(32).toString('base64url')}) ON CONFLICT DO NOTHING`.execute(tx);
    await sql`INSERT INTO members.tombstone (tenant_id, program_id, reference_hash, erased_at) SELECT ${context.tenantId}::bigint, ${program.programId}::bigint, members.reference_hash(${context.tenantId}, reference), ${instant(context)} FROM unnest(${card.keys}::text[]) AS reference ON CONFLICT DO NOTHING`.execute(tx);
    await sql`UPDATE identity.role_grant SET ended_by = ${context.principal}, ended_at = ${instant(context)} WHERE program = ${program.key} AND member_id = ${member.memberId} AND ended_at IS NULL`.execute(tx);
    for (const place of elsewhere) await place.erase(tx, program, member);
    await sql`SELECT members.erase(${program.programId}, ${member.memberId}, ${card.keys}::text[], ${codes}::text[], ${names}::text[], ${name})`.execute(tx);
    await audit(tx, context, { action: 'member.erased', subject: `member:${member.memberId}`, programId: program.programId, after: { pseudonym: name } });
    return { pseudonym: name, people: grants.map((grant) => grant.userId) };
  });
  // A person with nothing left to do anywhere has no account either.
  for (const userId of people) if ((await grantsOf(context.db, userId)).length === 0) await signIn.deletePerson(userId);
  return { pseudonym };
}
