import { createOTP } from '@better-auth/utils/otp';
import { sql } from 'kysely';
import { dayAt } from '@premia/kernel';
import type { Context } from '../platform/context.ts';
import { rows } from '../platform/database.ts';
import { seedLife } from './seed-life.ts';
import { seedRewards } from './seed-rewards.ts';
import { giveRole, type Role, type SignIn } from '../modules/identity/index.ts';
import { acceptTerms, findMember, findProgram, publishTerms } from '../modules/members/index.ts';

/** Known to everybody who reads this: the demo's people are not in an installation without the demo. */
const PASSWORD = 'lapa-demo-2026';
const AUTHENTICATOR = 'the demo approver has no telephone';
type DemoPerson = { role: Role; email: string; name: string; member?: string; place: '/' | '/console' };
const PEOPLE: readonly DemoPerson[] = [
  { role: 'member', email: 'joanna@lapa.example', name: 'Joanna Kowalska', member: 'R001', place: '/' }, { role: 'member', email: 'sklep@lapa.example', name: 'Zoo Świat', member: 'S0001', place: '/' },
  { role: 'operator', email: 'olga@lapa.example', name: 'Olga Operator', place: '/console' }, { role: 'approver', email: 'adam@lapa.example', name: 'Adam Aprobata', place: '/console' },
  { role: 'viewer', email: 'wanda@lapa.example', name: 'Wanda Widz', place: '/console' }, { role: 'owner', email: 'wlasciciel@lapa.example', name: 'Wiktor Właściciel', place: '/console' },
];
const TERMS = {
  pl: 'Regulamin Programu Łapa\n\n§1. Organizatorem jest Łapa sp. z o.o.\n§2. Uczestnikami są sklepy i przedstawiciele handlowi zaproszeni przez organizatora.\n§3. Dane o sprzedaży przekazuje dystrybutor. Korekty i zwroty zmieniają saldo tak, jakby były znane od początku.\n§4.1. Sklep otrzymuje 1 punkt za każde pełne 10 zł zakupów netto na fakturze.\n§5.1. Przedstawiciel otrzymuje premię za realizację celu miesięcznego.\n§6. Każde naliczenie można wyjaśnić w portalu; zastrzeżenia zgłasza się przyciskiem „To się nie zgadza”.',
  en: 'Terms of the Paw program\n\n§1. The organizer is Łapa sp. z o.o.\n§2. Members are shops and sales reps invited by the organizer.\n§3. The distributor sends the sales data. Corrections and returns change the balance as if they had been known from the start.\n§4.1. A shop receives 1 point for every full 10 PLN net of an invoice.\n§5.1. A rep receives a bonus for attaining the monthly target.\n§6. Every award can be explained in the portal; objections are made with “This does not add up”.',
};

/** People to sign in as, once; terms they have accepted; and what waits on the desk. Answers who they are. */
export async function seedPeople(context: Context, signIn: SignIn, url: string): Promise<(DemoPerson & { password: string })[]> {
  const isDemo = await context.transaction((tx) => rows(tx, sql`SELECT 1 FROM identity.audit WHERE action = 'demo.seeded' LIMIT 1`));
  if (isDemo.length === 0) return [];
  await context.transaction(async (tx) => {
    const program = await findProgram(tx, 'lapa');
    if ((await rows(tx, sql`SELECT 1 FROM members.terms LIMIT 1`)).length === 0) await publishTerms(tx, context, program, { effective_on: dayAt(context.now(), 'Europe/Warsaw'), material: true, body: TERMS }, '1990-01-01');
  });
  for (const person of PEOPLE) {
    if (await signIn.findPerson(person.email)) continue;
    const userId = await signIn.createPerson({ email: person.email, name: person.name, locale: 'pl', password: PASSWORD });
    if (person.role === 'approver' || person.role === 'owner') await signIn.plantAuthenticator(userId, AUTHENTICATOR);
    await context.transaction(async (tx) => {
      const member = person.member === undefined ? null : await findMember(tx, await findProgram(tx, 'lapa'), person.member);
      await giveRole(tx, context, { userId, role: person.role, ...(member ? { program: 'lapa', memberId: member.memberId } : {}) });
      if (member) await acceptTerms(tx, context, await findProgram(tx, 'lapa'), { memberId: member.memberId, userId, version: 1, evidence: { how: 'demo' } }, dayAt(context.now(), 'Europe/Warsaw'));
    });
  }
  const operator = await signIn.findPerson('olga@lapa.example');
  if (operator) await seedLife(context, { url, operator: operator.userId });
  const [approver, owner] = [await signIn.findPerson('adam@lapa.example'), await signIn.findPerson('wlasciciel@lapa.example')];
  if (operator && approver && owner) await seedRewards(context, { operator: operator.userId, approver: approver.userId, owner: owner.userId });
  return PEOPLE.map((person) => ({ ...person, password: PASSWORD }));
}

/** Their password is known to everybody who reads this: where there is no demo they have no accounts. */
export async function removeDemoPeople(signIn: SignIn): Promise<void> {
  for (const { email } of PEOPLE) { const person = await signIn.findPerson(email); if (person) await signIn.deletePerson(person.userId); }
}

/** The codes that the demo's authenticators show now, for the mailbox page. */
export async function demoCodes(): Promise<{ email: string; code: string }[]> {
  const code = await createOTP(AUTHENTICATOR, { digits: 6, period: 30 }).totp();
  return PEOPLE.filter((person) => person.role === 'approver' || person.role === 'owner').map(({ email }) => ({ email, code }));
}
