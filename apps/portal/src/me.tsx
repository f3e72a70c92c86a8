import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, day, inUnit, moment, queries, said, schemeNow, setLanguage, setScheme, signInCall, t, useLanguage, whatWentWrong, type Language, type Scheme } from '@premia/ui';
import { useState } from 'react';
import { Link } from 'wouter';
import { CHANNELS, channelName, wordingOf } from './consents.ts';
import { Empty, Failed, Loading } from './faces.tsx';
import { forgetKept } from './kept.ts';
import { AccountForm, TaxForm } from './payout-forms.tsx';
import { useHere } from './place.ts';
import { TermsBody } from './terms.tsx';

/** Me, and everything about me that I may see or change. */
export function Me({ part }: { part: string | undefined }) {
  if (part === 'help') return <Help />;
  if (part === 'terms') return <MyTerms />;
  if (part === 'consents') return <Consents />;
  if (part === 'security') return <Security />;
  if (part === 'company') return <Company />;
  if (part === 'payouts') return <Payouts />;
  return <Profile />;
}

const Back = () => <p><Link href="/me">‹ {t('Ja', 'Me')}</Link></p>;
const useProfile = () => { const { program } = useHere(); return useQuery({ queryKey: ['profile', program.key], queryFn: () => api.readProfile({ params: { program: program.key } }) }); };

function Profile() {
  const { program, permissions } = useHere();
  const language = useLanguage();
  const profile = useProfile();
  const [scheme, choose] = useState<Scheme>(schemeNow());
  const leave = async (): Promise<void> => { await signInCall('/sign-out', {}); forgetKept(); queries.clear(); location.assign('/sign-in'); };
  const download = async (): Promise<void> => {
    const file = URL.createObjectURL(new Blob([JSON.stringify(await api.exportMe({ params: { program: program.key } }), null, 2)], { type: 'application/json' }));
    const link = Object.assign(document.createElement('a'), { href: file, download: `premia-${program.key}.json` });
    link.click();
    URL.revokeObjectURL(file);
  };
  if (profile.isPending) return <Loading />;
  return (
    <>
      <h1>{t('Ja', 'Me')}</h1>
      {profile.isError ? <Failed error={profile.error} again={() => void profile.refetch()} /> : (
        <section className="card"><h2>{profile.data.name ?? profile.data.member}</h2>
          <dl><dt>{t('Kod uczestnika', 'Member code')}</dt><dd>{profile.data.member}</dd>{profile.data.email ? <><dt>{t('E-mail', 'E-mail')}</dt><dd>{profile.data.email}</dd></> : null}{profile.data.company ? <><dt>{t('Firma', 'Company')}</dt><dd>{profile.data.company}</dd></> : null}{profile.data.team ? <><dt>{t('Zespół', 'Team')}</dt><dd>{profile.data.team}</dd></> : null}<dt>{t('W programie od', 'In the program since')}</dt><dd>{day(profile.data.enrolled_on)}</dd>{profile.data.controller ? <><dt>{t('Administrator danych', 'Data controller')}</dt><dd>{profile.data.controller}</dd></> : null}</dl></section>
      )}
      <nav className="card menu" aria-label={t('Moje sprawy', 'My affairs')}>
        {permissions.includes('company:read') ? <Link href="/me/company">{t('Firma i ludzie', 'Company and people')}</Link> : null}
        <Link href="/me/payouts">{t('Konto, karta i podatek', 'Account, card and tax')}</Link><Link href="/me/help">{t('Pomoc i zgłoszenia', 'Help and inquiries')}</Link><Link href="/me/terms">{t('Regulamin', 'Terms')}</Link><Link href="/me/consents">{t('Zgody', 'Consents')}</Link><Link href="/me/security">{t('Logowanie i sesje', 'Sign-in and sessions')}</Link>
      </nav>
      <section className="card stack">
        <label>{t('Język', 'Language')}<select value={language} onChange={(event) => { setLanguage(event.target.value as Language); if (event.target.value !== 'xx') void api.setLocale({ body: { locale: event.target.value as 'pl' | 'en' } }).catch(() => undefined); }}><option value="pl">Polski</option><option value="en">English</option></select></label>
        <label>{t('Wygląd', 'Appearance')}<select value={scheme} onChange={(event) => { setScheme(event.target.value as Scheme); choose(event.target.value as Scheme); }}><option value="auto">{t('jak w urządzeniu', 'as the device')}</option><option value="light">{t('jasny', 'light')}</option><option value="dark">{t('ciemny', 'dark')}</option></select></label>
        <button type="button" className="button second wide" onClick={() => void download()}>{t('Pobierz moje dane', 'Download my data')}</button>
        <button type="button" className="button second wide" onClick={() => void leave()}>{t('Wyloguj się', 'Sign out')}</button>
      </section>
    </>
  );
}

const STATUSES: Record<string, () => string> = { CONSUMER: () => t('osoba prywatna', 'private person'), PARTNER_EMPLOYEE: () => t('pracownik firmy partnerskiej', 'employee of a partner company'), OWN_EMPLOYEE: () => t('pracownik organizatora', 'the organizer’s employee'), SOLE_TRADER: () => t('działalność gospodarcza', 'sole trader'), COMPANY: () => t('firma', 'company') };
function Payouts() {
  const { program } = useHere();
  const found = useQuery({ queryKey: ['payout-data', program.key], queryFn: () => api.myPayoutData({ params: { program: program.key } }) });
  if (found.isPending) return <Loading />;
  if (found.isError) return <><Back /><Failed error={found.error} again={() => void found.refetch()} /></>;
  const { account, card, tax } = found.data;
  return (
    <><Back /><h1>{t('Konto, karta i podatek', 'Account, card and tax')}</h1>
      <section className="card"><h2>{t('Konto do przelewów', 'Account for transfers')}</h2><p>{account ? <><strong className="figures">… {account.last4}</strong> <span className="quiet">{t('od', 'since')} {day(account.saved_on)}</span></> : t('Nie podano.', 'Not given.')}</p><details><summary>{account ? t('Zmień konto', 'Change the account') : t('Podaj konto', 'Give an account')}</summary><AccountForm /></details></section>
      <section className="card"><h2>{t('Karta przedpłacona', 'Prepaid card')}</h2><p>{card ? <><strong className="figures">… {card.last4}</strong> <span className="quiet">{card.state === 'active' ? t('aktywna', 'active') : t('wydana', 'issued')}</span></> : t('Organizator nie wydał Ci karty.', 'The organizer has issued no card to you.')}</p></section>
      <section className="card"><h2>{t('Podatek', 'Tax')}</h2><p>{t('Rozliczamy Cię jako:', 'You are settled as:')} <strong>{STATUSES[tax.status]?.() ?? tax.status}</strong></p><p>{tax.kept ? t(`Dane do urzędu mamy (${tax.last_name ?? ''}).`, `We have the data for the tax office (${tax.last_name ?? ''}).`) : t('Poprosimy o nie dopiero przy wypłacie, która tego wymaga.', 'We ask for them only with a payout that needs them.')}</p><details><summary>{tax.kept ? t('Zmień dane', 'Change the data') : t('Podaj teraz', 'Give them now')}</summary><TaxForm /></details></section></>
  );
}

function MyTerms() {
  const profile = useProfile();
  if (profile.isPending) return <Loading />;
  if (profile.isError) return <><Back /><Failed error={profile.error} again={() => void profile.refetch()} /></>;
  const { terms } = profile.data;
  return <><Back /><h1>{t('Regulamin', 'Terms')}</h1>{terms === null ? <Empty>{t('Ten program nie ma jeszcze regulaminu w portalu.', 'This program has no terms in the portal yet.')}</Empty> : <section className="card"><p className="quiet">{t('Wersja', 'Version')} {terms.version}, {t('od', 'from')} {day(terms.effective_on)}{terms.accepted_at ? ` · ${t('zaakceptowany', 'accepted')} ${moment(terms.accepted_at)}` : ''}</p><TermsBody terms={terms} /></section>}</>;
}

function Consents() {
  const { program } = useHere();
  const client = useQueryClient();
  const profile = useProfile();
  const save = useMutation({ mutationFn: (said: { channel: (typeof CHANNELS)[number]; given: boolean }) => api.saveConsent({ params: { program: program.key }, body: { ...said, wording: wordingOf(said.channel) } }), onSuccess: () => client.invalidateQueries({ queryKey: ['profile'] }) });
  if (profile.isPending) return <Loading />;
  if (profile.isError) return <><Back /><Failed error={profile.error} again={() => void profile.refetch()} /></>;
  return (
    <><Back /><h1>{t('Zgody', 'Consents')}</h1><p className="quiet">{t('Każda zgoda jest osobna. Wycofasz ją tak samo łatwo, jak dasz.', 'Each consent is its own. Taking it back is as easy as giving it.')}</p>
      {save.isError ? <p role="alert" className="negative">{whatWentWrong(save.error)}</p> : null}
      <section className="card">{CHANNELS.map((channel) => { const now = profile.data.consents.find((item) => item.channel === channel); return <label key={channel} className="tick"><input type="checkbox" checked={now?.given ?? false} disabled={save.isPending} onChange={(event) => save.mutate({ channel, given: event.target.checked })} /> <span><strong>{channelName(channel)}.</strong> {wordingOf(channel)}{now?.at ? <span className="quiet small block">{now.given ? t('dana', 'given') : t('wycofana', 'taken back')} {moment(now.at)}</span> : null}</span></label>; })}</section></>
  );
}

function Security() {
  const client = useQueryClient();
  const sessions = useQuery({ queryKey: ['sessions'], queryFn: () => api.listSessions() });
  const end = useMutation({ mutationFn: (session: string) => api.endSession({ params: { session } }), onSuccess: () => client.invalidateQueries({ queryKey: ['sessions'] }) });
  const [passkey, setPasskey] = useState<'' | 'yes' | 'no'>('');
  const add = async (): Promise<void> => { const { addPasskey } = await import('./passkey.ts'); setPasskey(await addPasskey(navigator.platform) ? 'yes' : 'no'); };
  return (
    <><Back /><h1>{t('Logowanie i sesje', 'Sign-in and sessions')}</h1>
      <section className="card"><h2>{t('Klucz dostępu', 'Passkey')}</h2><p>{t('Wejdziesz odciskiem palca albo twarzą, bez hasła.', 'Enter with a fingerprint or your face, without a password.')}</p>
        {passkey === 'yes' ? <p role="status" className="notice good">{t('Dodany.', 'Added.')}</p> : passkey === 'no' ? <p role="alert" className="negative">{t('Nie udało się dodać klucza na tym urządzeniu.', 'The passkey could not be added on this device.')}</p> : null}
        <button type="button" className="button second" onClick={() => void add()}>{t('Dodaj klucz z tego urządzenia', 'Add a passkey of this device')}</button></section>
      <section className="card"><h2>{t('Gdzie jesteś zalogowany', 'Where you are signed in')}</h2>
        {sessions.isPending ? <Loading /> : sessions.isError ? <Failed error={sessions.error} again={() => void sessions.refetch()} /> : <ul className="plain">{sessions.data.sessions.map((session) => <li key={session.id} className="line"><span>{deviceOf(session.agent)}<span className="quiet small block">{t('od', 'since')} {moment(session.since)}</span></span>{session.current ? <span className="quiet">{t('tutaj', 'here')}</span> : <button type="button" className="button second" onClick={() => end.mutate(session.id)}>{t('Zakończ', 'End')}</button>}</li>)}</ul>}</section></>
  );
}
const deviceOf = (agent: string | null): string => [/(Firefox|Edg|Chrome|Safari)/.exec(agent ?? '')?.[1], /(Android|iPhone|iPad|Windows|Mac OS|Linux)/.exec(agent ?? '')?.[1]].filter((part) => part !== undefined).join(', ') || t('nieznane urządzenie', 'unknown device');

const ANSWERS: (() => [question: string, answer: string])[] = [
  () => [t('Dlaczego nie widzę faktury?', 'Why is an invoice missing?'), t('Sprzedaż przychodzi w plikach partnerów, zwykle raz w tygodniu lub w miesiącu. W Historii wpisz numer faktury: zobaczysz, co każda zasada z niej zrobiła, albo że pliku jeszcze nie ma.', 'Sales come in partners’ files, mostly weekly or monthly. In Activity, type the invoice’s number: you will see what every rule made of it, or that the file is not here yet.')],
  () => [t('Dlaczego punktów ubyło?', 'Why are there fewer points?'), t('Zwrot lub korekta faktury zmienia wynik tak, jakby była znana od początku. Dotknij zapisu, żeby zobaczyć rachunek.', 'A return or a correction changes the result as if it had been known from the start. Tap the entry to see the arithmetic.')],
  () => [t('Kiedy punkty tracą ważność?', 'When do points expire?'), t('To zależy od zasady. Start pokazuje punkty, które wygasną w ciągu 60 dni.', 'That depends on the rule. Home shows points that expire within 60 days.')],
];
const STATES: Record<string, () => string> = { open: () => t('czeka na odpowiedź', 'waits for an answer'), answered: () => t('odpowiedź', 'answered'), closed: () => t('zamknięte', 'closed') };

function Help() {
  const { program } = useHere();
  const client = useQueryClient();
  const found = useQuery({ queryKey: ['inquiries', program.key], queryFn: () => api.myInquiries({ params: { program: program.key } }) });
  const [subject, setSubject] = useState('');
  const [body, setBody] = useState('');
  const open = useMutation({ mutationFn: () => api.openInquiry({ params: { program: program.key }, body: { subject, body } }), onSuccess: async () => { setSubject(''); setBody(''); await client.invalidateQueries({ queryKey: ['inquiries'] }); } });
  return (
    <><Back /><h1>{t('Pomoc', 'Help')}</h1>
      <section className="card">{ANSWERS.map((make) => { const [question, answer] = make(); return <details key={question}><summary>{question}</summary><p>{answer}</p></details>; })}</section>
      <h2>{t('Moje zgłoszenia', 'My inquiries')}</h2>
      {found.isPending ? <Loading /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : found.data.inquiries.length === 0 ? <Empty>{t('Nie masz zgłoszeń. Jeśli coś się nie zgadza, napisz – odpowiedź zobaczysz tutaj.', 'You have no inquiries. If something does not add up, write – the answer will be here.')}</Empty> : found.data.inquiries.map((inquiry) => <Inquiry key={inquiry.id} inquiry={inquiry} />)}
      <form className="card ask" onSubmit={(event) => { event.preventDefault(); open.mutate(); }}><h2>{t('Nowe zgłoszenie', 'A new inquiry')}</h2>
        <label>{t('Temat', 'Subject')}<input required maxLength={200} value={subject} onChange={(event) => setSubject(event.target.value)} /></label>
        <label>{t('O co chodzi', 'What it is about')}<textarea required rows={4} maxLength={5_000} value={body} onChange={(event) => setBody(event.target.value)} /></label>
        {open.isError ? <p role="alert" className="negative">{whatWentWrong(open.error)}</p> : null}
        <button className="button" type="submit" disabled={open.isPending}>{t('Wyślij', 'Send')}</button></form></>
  );
}

type InquiryView = Awaited<ReturnType<typeof api.myInquiries>>['inquiries'][number];
function Inquiry({ inquiry }: { inquiry: InquiryView }) {
  const { program } = useHere();
  const client = useQueryClient();
  const [body, setBody] = useState('');
  const say = useMutation({ mutationFn: () => api.addMessage({ params: { program: program.key, inquiry: inquiry.id }, body: { body } }), onSuccess: async () => { setBody(''); await client.invalidateQueries({ queryKey: ['inquiries'] }); } });
  return (
    <article className="card"><header className="line"><h3>{inquiry.subject}</h3><span className="state">{STATES[inquiry.state]?.() ?? inquiry.state}</span></header>
      <ol className="talk">{inquiry.messages.map((message, index) => <li key={index} className={message.from_member ? 'mine' : ''}><p>{message.body}</p><span className="quiet small">{message.from_member ? t('Ty', 'You') : message.author || said(program.name)}, {moment(message.at)}</span></li>)}</ol>
      {inquiry.state === 'closed' ? null : <form className="ask" onSubmit={(event) => { event.preventDefault(); say.mutate(); }}><label htmlFor={`say-${inquiry.id}`}>{t('Dopisz', 'Add')}</label><textarea id={`say-${inquiry.id}`} rows={2} required value={body} onChange={(event) => setBody(event.target.value)} />{say.isError ? <p role="alert" className="negative">{whatWentWrong(say.error)}</p> : null}<button type="submit" className="button second" disabled={say.isPending}>{t('Wyślij', 'Send')}</button></form>}
    </article>
  );
}

function Company() {
  const { program } = useHere();
  const found = useQuery({ queryKey: ['company', program.key], queryFn: () => api.readCompany({ params: { program: program.key } }) });
  return (
    <><Back /><h1>{t('Firma i ludzie', 'Company and people')}</h1>
      {found.isPending ? <Loading /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : <section className="card"><h2>{found.data.company}</h2>{found.data.members.length === 0 ? <Empty>{t('Nikt nie jest teraz przypisany do tej firmy.', 'Nobody is assigned to this company now.')}</Empty> : <ul className="plain">{found.data.members.map((member) => <li key={member.member} className="line"><span>{member.name ?? member.member}<span className="quiet small block">{member.member}</span></span><strong className="figures">{member.balances[0] ? inUnit(member.balances[0].available, member.balances[0].unit, program.units) : '–'}</strong></li>)}</ul>}</section>}<CompanyPays /></>
  );
}

/** Whether the company's wallet pays for its people's rewards: its manager's rule. */
function CompanyPays() {
  const { program } = useHere();
  const client = useQueryClient();
  const known = useQuery({ queryKey: ['company-rule', program.key], queryFn: () => api.readCompanyRule({ params: { program: program.key } }) });
  const [draft, setDraft] = useState<{ pays: boolean; monthly: string; categories: string } | null>(null);
  const save = useMutation({ mutationFn: (rule: { pays: boolean; monthly: string; categories: string }) => api.saveCompanyRule({ params: { program: program.key }, body: { pays: rule.pays, monthly: rule.monthly.trim() === '' ? null : rule.monthly.replace(/\s/g, ''), categories: rule.categories.trim() === '' ? null : rule.categories.split(',').map((part) => part.trim()).filter((part) => part !== '') } }), onSuccess: async () => { setDraft(null); await client.invalidateQueries({ queryKey: ['company-rule'] }); } });
  if (known.isPending) return <Loading />;
  if (known.isError) return <Failed error={known.error} again={() => void known.refetch()} />;
  const rule = draft ?? { pays: known.data.pays, monthly: known.data.monthly ?? '', categories: (known.data.categories ?? []).join(', ') };
  return (
    <section className="card"><h2>{t('Nagrody na koszt firmy', 'Rewards at the company’s expense')}</h2>
      <form className="ask" onSubmit={(event) => { event.preventDefault(); save.mutate(rule); }}>
        <label className="tick"><input type="checkbox" checked={rule.pays} onChange={(event) => setDraft({ ...rule, pays: event.target.checked })} /> <span>{t('Ludzie firmy mogą zamawiać za jej punkty', 'The company’s people may order with its units')}</span></label>
        <label>{t('Najwyżej miesięcznie na osobę (puste: bez limitu)', 'At most a month for one person (empty: no limit)')}<input inputMode="numeric" value={rule.monthly} onChange={(event) => setDraft({ ...rule, monthly: event.target.value })} /></label>
        <label>{t('Tylko kategorie (po przecinku, puste: wszystkie)', 'Only categories (comma separated, empty: all)')}<input value={rule.categories} onChange={(event) => setDraft({ ...rule, categories: event.target.value })} /></label>
        {save.isError ? <p role="alert" className="negative">{whatWentWrong(save.error)}</p> : null}{save.isSuccess && draft === null ? <p role="status" className="notice good">{t('Zapisane.', 'Saved.')}</p> : null}
        <button className="button second" type="submit" disabled={save.isPending || draft === null}>{t('Zapisz zasadę', 'Save the rule')}</button>
      </form></section>
  );
}
