import { Alert, Button, Group, Select, Stack, Tabs, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, day, inUnit, locale, moment, money, percent, said, t, useLanguage } from '@premia/ui';
import { useState } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { DataTable } from './data-table.tsx';
import { Entries } from './entries.tsx';
import { Explained } from './explained.tsx';
import { Bones, Card, Confirm, Failed, Head, State, told, useGuard, Wide } from './parts.tsx';
import { MemberRewards } from './member-rewards.tsx';
import { useHere, useMay } from './place.ts';
import { Invite, MemberState } from './members.tsx';
import { KINDS } from './sales.tsx';

type DocumentRow = Awaited<ReturnType<typeof api.listDocuments>>['documents'][number];

/** Everything about one member, and what may be done about it. */
export function Member({ id = '' }: { id?: string }) {
  const { program } = useHere();
  const may = useMay();
  const language = useLanguage();
  const [params, setParams] = useSearchParams();
  const card = useQuery({ queryKey: ['member', program.key, id], queryFn: () => api.readMember({ params: { program: program.key, member: id } }) });
  const money1 = useQuery({ queryKey: ['member-balances', program.key, id], queryFn: () => api.memberBalances({ params: { program: program.key, member: id } }), enabled: may('ledger:read') });
  const steps = useQuery({ queryKey: ['next-steps', program.key, id, language], queryFn: () => api.nextSteps({ params: { program: program.key, member: id }, query: { locale: locale() } }), enabled: may('ledger:read') });
  const benefits = useQuery({ queryKey: ['benefits', program.key, id, language], queryFn: () => api.readBenefits({ params: { program: program.key, member: id }, query: { locale: locale() } }), enabled: may('ledger:read') });
  const [doing, setDoing] = useState<'' | 'adjust' | 'merge' | 'state' | 'invite' | 'erase'>('');
  if (card.isPending) return <Bones />;
  if (card.isError) return <Failed error={card.error} again={() => void card.refetch()} />;
  const one = card.data;
  const state = one.states.at(-1)?.state ?? 'invited';
  const place = one.assignments.at(-1);
  const tab = params.get('tab') ?? 'overview';
  return (
    <>
      <Head title={one.name ?? one.code} trail={[['/members', t('Uczestnicy', 'Members')]]} quiet={<>{one.code} · <MemberState state={state} /></>} action={<>
        {may('members:write') ? <><Button variant="default" onClick={() => setDoing('invite')}>{t('Zaproś', 'Invite')}</Button><Button variant="default" onClick={() => setDoing('state')}>{t('Zmień stan', 'Change the state')}</Button></> : null}
        {may('rules:propose') ? <Button variant="default" onClick={() => setDoing('merge')}>{t('Połącz z innym', 'Merge into another')}</Button> : null}
        {may('ledger:adjust') ? <Button onClick={() => setDoing('adjust')}>{t('Skoryguj saldo', 'Correct the balance')}</Button> : null}</>} />
      {one.aliases.length > 0 ? <Alert variant="outline" mb="md">{t('Połączono tu:', 'Merged into this one:')} {one.aliases.join(', ')}</Alert> : null}
      <div className="grid">
        <Card title={t('Saldo', 'Balance')}>{money1.isPending ? <Bones rows={2} /> : money1.isError ? <Failed error={money1.error} /> : <dl className="pairs">{money1.data.balances.flatMap((item) => [<dt key={`${item.unit}a`}>{t('dostępne', 'available')}</dt>, <dd key={`${item.unit}b`}><strong>{inUnit(item.available, item.unit, program.units)}</strong></dd>, ...([['pending', t('czeka', 'pending')], ['held', t('zablokowane', 'held')], ['debt', t('do odliczenia', 'debt')]] as const).filter(([name]) => item[name] !== '0').flatMap(([name, word]) => [<dt key={`${item.unit}${name}t`}>{word}</dt>, <dd key={`${item.unit}${name}`}>{inUnit(item[name], item.unit, program.units)}</dd>])])}</dl>}</Card>
        <Card title={t('Następny krok', 'Next step')}>{steps.data?.steps.length ? steps.data.steps.map((step) => <div key={step.mechanic}><Text size="sm" fw={600}>{step.name}</Text><Text size="sm">{step.sentence}</Text></div>) : <Text c="dimmed" size="sm">{t('Nie ma teraz następnego progu.', 'There is no next step now.')}</Text>}</Card>
        <Card title={t('Poziomy', 'Tiers')}>{benefits.data?.tiers.some((tier) => tier.tier) ? benefits.data.tiers.filter((tier) => tier.tier).map((tier) => <div key={tier.set}><Text fw={600}>{tier.name}</Text><Text size="sm" c="dimmed">{t('od', 'since')} {day(tier.since)}{tier.benefits.length > 0 ? ` · ${tier.benefits.map((benefit) => benefit.text).join(', ')}` : ''}</Text></div>) : <Text c="dimmed" size="sm">{t('Bez poziomu.', 'No tier.')}</Text>}</Card>
        <Card title={t('Kim jest', 'Who it is')}><dl className="pairs"><dt>{t('Rodzaj', 'Kind')}</dt><dd>{one.kind === 'person' ? t('osoba', 'person') : t('firma', 'company')}</dd>{one.email ? <><dt>{t('E-mail', 'E-mail')}</dt><dd>{one.email}</dd></> : null}{place?.company ? <><dt>{t('Firma', 'Company')}</dt><dd>{place.company}</dd></> : null}{place?.team ? <><dt>{t('Zespół', 'Team')}</dt><dd>{place.team}</dd></> : null}{place?.territory ? <><dt>{t('Region', 'Territory')}</dt><dd>{place.territory}</dd></> : null}<dt>{t('W programie od', 'Enrolled')}</dt><dd>{day(one.enrolled_on)}</dd></dl></Card>
      </div>
      <Tabs value={tab} onChange={(value) => setParams(value === null || value === 'overview' ? {} : { tab: value })} keepMounted={false}>
        <Tabs.List mb="sm"><Tabs.Tab value="overview">{t('Zapisy', 'Entries')}</Tabs.Tab><Tabs.Tab value="sales">{t('Sprzedaż', 'Sales')}</Tabs.Tab><Tabs.Tab value="rewards">{t('Nagrody i podatek', 'Rewards and tax')}</Tabs.Tab><Tabs.Tab value="why">{t('Dlaczego', 'Why')}</Tabs.Tab><Tabs.Tab value="targets">{t('Cele', 'Targets')}</Tabs.Tab><Tabs.Tab value="lots">{t('Partie', 'Lots')}</Tabs.Tab><Tabs.Tab value="agreements">{t('Zgody i logowanie', 'Consents and sign-in')}</Tabs.Tab><Tabs.Tab value="history">{t('Historia przypisań', 'Assignments')}</Tabs.Tab><Tabs.Tab value="notes">{t('Notatki i zgłoszenia', 'Notes and inquiries')}</Tabs.Tab></Tabs.List>
        <Tabs.Panel value="overview"><Entries member={one.code} /></Tabs.Panel>
        <Tabs.Panel value="sales"><DataTable<DocumentRow> name="member-documents" keyOf={(row) => row.id} to={(row) => `/sales/${row.id}`} fixed={{ member: one.code }} file={`/v1/programs/${program.key}/documents`} empty={t('Nie ma sprzedaży zapisanej na tego uczestnika.', 'No sale is credited to this member.')} filters={[{ name: 'search', word: t('Numer', 'Number') }]} ask={async (page) => { const { documents, next } = await api.listDocuments({ params: { program: program.key }, query: page as never }); return { rows: documents, next }; }} columns={[{ key: 'number', sorts: true, word: t('Numer', 'Number'), show: (row) => row.number }, { key: 'kind', sorts: true, word: t('Rodzaj', 'Kind'), show: (row) => KINDS[row.kind]?.() ?? row.kind }, { key: 'occurred_on', sorts: true, word: t('Data', 'Date'), show: (row) => day(row.occurred_on) }, { key: 'net', word: t('Netto', 'Net'), number: true, show: (row) => money(row.net, program.currency) }]} /></Tabs.Panel>
        <Tabs.Panel value="rewards"><MemberRewards member={one.code} /></Tabs.Panel>
        <Tabs.Panel value="why"><WhyNot member={one.code} /></Tabs.Panel>
        <Tabs.Panel value="targets"><MemberTargets member={one.code} /></Tabs.Panel>
        <Tabs.Panel value="lots"><Card><Wide><table className="sheet"><thead><tr><th scope="col">{t('Ile', 'Amount')}</th><th scope="col">{t('Od', 'From')}</th><th scope="col">{t('Ważne do', 'Valid until')}</th></tr></thead><tbody>{(money1.data?.lots ?? []).map((lot, index) => <tr key={index}><td>{inUnit(lot.amount, lot.unit, program.units)}{lot.waits ? <> <State tone="care">{t('czeka', 'pending')}</State></> : null}</td><td>{day(lot.available_on)}</td><td>{day(lot.expires_on)}</td></tr>)}</tbody></table></Wide></Card></Tabs.Panel>
        <Tabs.Panel value="agreements"><Agreements member={one.code} /><Group mt="md"><Button variant="default" onClick={() => void download(program.key, one.code)}>{t('Wszystkie dane o tej osobie', 'All data about this person')}</Button>{may('people:write') ? <Button variant="default" onClick={() => setDoing('erase')}>{t('Usuń dane osoby', 'Erase the person’s data')}</Button> : null}</Group></Tabs.Panel>
        <Tabs.Panel value="history"><Card><Wide><table className="sheet"><thead><tr><th scope="col">{t('Co', 'What')}</th><th scope="col">{t('Od', 'From')}</th><th scope="col">{t('Do', 'To')}</th></tr></thead><tbody>{one.assignments.map((item, index) => <tr key={`a${index}`}><td>{[item.role, item.company, item.team, item.territory].filter((part) => part !== null).join(' · ')}</td><td>{day(item.from)}</td><td>{day(item.to)}</td></tr>)}{one.states.map((item, index) => <tr key={`s${index}`}><td><MemberState state={item.state} /> {item.reason}</td><td>{day(item.from)}</td><td /></tr>)}{one.profiles.map((item, index) => <tr key={`p${index}`}><td>{[item.company_type, ...Object.entries(item.attributes).map(([key, value]) => `${key}: ${value}`)].filter((part) => part !== null).join(' · ')}</td><td>{day(item.from)}</td><td>{day(item.to)}</td></tr>)}{one.segments.map((item, index) => <tr key={`g${index}`}><td>{t('segment', 'segment')} {item.segment}</td><td>{day(item.from)}</td><td>{day(item.to)}</td></tr>)}</tbody></table></Wide></Card></Tabs.Panel>
        <Tabs.Panel value="notes"><Notes member={one.code} /></Tabs.Panel>
      </Tabs>
      {doing === 'adjust' ? <Adjust member={one.code} close={() => setDoing('')} /> : null}
      {doing === 'merge' ? <Merge member={one.code} close={() => setDoing('')} /> : null}
      {doing === 'state' ? <ChangeState member={one.code} close={() => setDoing('')} /> : null}
      {doing === 'erase' ? <Erase member={one.code} close={() => setDoing('')} /> : null}
      <Invite open={doing === 'invite'} close={() => setDoing('')} member={one.code} />
    </>
  );
}

/** Why, or why not: any invoice number, answered rule by rule. */
function WhyNot({ member }: { member: string }) {
  const { program } = useHere();
  const language = useLanguage();
  const [number, setNumber] = useState('');
  const [asked, setAsked] = useState('');
  const found = useQuery({ queryKey: ['why', program.key, member, asked, language], enabled: asked !== '', queryFn: () => api.explain({ params: { program: program.key, member }, query: { document: asked, locale: locale() } }) });
  return <Card title={t('Dlaczego, albo dlaczego nie', 'Why, or why not')}><form onSubmit={(event) => { event.preventDefault(); setAsked(number.trim()); }}><Group align="flex-end" mb="md"><label className="field">{t('Numer dokumentu', 'Document number')}<input value={number} onChange={(event) => setNumber(event.target.value)} /></label><Button type="submit">{t('Sprawdź', 'Check')}</Button></Group></form>{asked === '' ? <Text c="dimmed">{t('Wpisz numer faktury: każda zasada powie, co z niej zrobiła i czego zabrakło.', 'Type an invoice number: every rule says what it made of it, and what was missing.')}</Text> : found.isPending ? <Bones rows={3} /> : found.isError ? <Failed error={found.error} /> : <Explained all={found.data.explanations} />}</Card>;
}

function MemberTargets({ member }: { member: string }) {
  const { program } = useHere();
  const file = useQuery({ queryKey: ['program', program.key], queryFn: () => api.exportProgram({ params: { program: program.key } }) });
  const target = ((file.data?.['targets'] ?? []) as { key: string }[])[0]?.key;
  const found = useQuery({ queryKey: ['member-targets', program.key, member, target], enabled: target !== undefined, queryFn: () => api.listTargets({ params: { program: program.key }, query: { target: target ?? '', from: '1990-01-01', to: '2100-12-31', search: member, limit: 5 } }) });
  const windows = found.data?.rows.find((row) => row.subject === member)?.windows ?? [];
  if (found.isError) return <Failed error={found.error} />;
  return <Card>{windows.length === 0 ? <Text c="dimmed">{t('Nie ma celów.', 'There are no targets.')}</Text> : <Wide><table className="sheet"><thead><tr><th scope="col">{t('Okres od', 'Period from')}</th><th scope="col">{t('Cel', 'Target')}</th><th scope="col">{t('Wynik', 'Measured')}</th><th scope="col">{t('Realizacja', 'Attainment')}</th></tr></thead><tbody>{windows.toReversed().map((window) => <tr key={window.window_start}><td>{day(window.window_start)}</td><td>{money(window.value, program.currency)}</td><td>{window.measured === null ? '–' : money(window.measured, program.currency)}</td><td>{window.bp === null ? '–' : percent(window.bp)}</td></tr>)}</tbody></table></Wide>}</Card>;
}

function Agreements({ member }: { member: string }) {
  const { program } = useHere();
  const found = useQuery({ queryKey: ['agreements', program.key, member], queryFn: () => api.memberAgreements({ params: { program: program.key, member } }) });
  if (found.isPending) return <Bones />;
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  const { accepted, consents, people, employer } = found.data;
  const none = <Text c="dimmed" size="sm">{t('Nic.', 'Nothing.')}</Text>;
  return (
    <div className="grid">
      <Card title={t('Kto się tu loguje', 'Who signs in')}>{people.length === 0 ? none : people.map((person) => <Text key={person.email} size="sm">{person.name}, {person.email}{person.seen ? ` · ${moment(person.seen)}` : ''} {person.locked ? <State tone="bad">{t('hasło zablokowane', 'password locked')}</State> : null}</Text>)}</Card>
      <Card title={t('Regulamin', 'Terms')}>{accepted.length === 0 ? none : accepted.map((item, index) => <Text key={index} size="sm">{t('wersja', 'version')} {item.version} · {moment(item.at)} · {item.by}</Text>)}</Card>
      <Card title={t('Zgody', 'Consents')}>{consents.length === 0 ? none : consents.map((item, index) => <Text key={index} size="sm"><State tone={item.given ? 'good' : 'plain'}>{item.given ? t('dana', 'given') : t('wycofana', 'taken back')}</State> {item.channel} · {moment(item.at)}<br /><Text span c="dimmed" size="xs">{item.wording}</Text></Text>)}</Card>
      <Card title={t('Zgoda pracodawcy', 'Employer’s consent')}>{employer.length === 0 ? none : employer.map((item, index) => <Text key={index} size="sm">{item.company}: {item.given ? t('dana', 'given') : t('wycofana', 'ended')} {t('od', 'from')} {day(item.valid_from)} · {item.given_by} · {item.document}</Text>)}</Card>
    </div>
  );
}

function Notes({ member }: { member: string }) {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [body, setBody] = useState('');
  const notes = useQuery({ queryKey: ['notes', program.key, member], queryFn: () => api.listNotes({ params: { program: program.key, member } }) });
  const inquiries = useQuery({ queryKey: ['member-inquiries', program.key, member], queryFn: () => api.listInquiries({ params: { program: program.key }, query: { member } }) });
  const add = useMutation({ mutationFn: () => api.addNote({ params: { program: program.key, member }, body: { body } }), onSuccess: async () => { setBody(''); await client.invalidateQueries({ queryKey: ['notes'] }); }, onError: (error) => failed(error) });
  return (
    <div className="grid">
      <Card title={t('Notatki', 'Notes')}>{may('inquiries:write') ? <form onSubmit={(event) => { event.preventDefault(); add.mutate(); }}><Stack gap="xs" mb="md"><label className="field">{t('Nowa notatka – uczestnik jej nie widzi', 'A new note – the member does not see it')}<textarea rows={2} required value={body} onChange={(event) => setBody(event.target.value)} /></label><Group><Button type="submit" size="compact-md" loading={add.isPending}>{t('Zapisz notatkę', 'Save the note')}</Button></Group></Stack></form> : null}<ul className="talk">{(notes.data?.notes ?? []).map((note) => <li key={note.id}><p>{note.body}</p><Text size="xs" c="dimmed">{note.author}, {moment(note.at)}</Text></li>)}</ul></Card>
      <Card title={t('Zgłoszenia', 'Inquiries')}>{inquiries.data?.inquiries.length ? inquiries.data.inquiries.map((item) => <Text key={item.id} size="sm"><Link href={`/inquiries/${item.id}`}>{item.subject}</Link> · {moment(item.opened_at)}</Text>) : <Text c="dimmed" size="sm">{t('Ten uczestnik o nic nie pytał.', 'This member has not asked anything.')}</Text>}</Card>
    </div>
  );
}

function Adjust({ member, close }: { member: string; close: () => void }) {
  const { program } = useHere();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [amount, setAmount] = useState('');
  const [reason, setReason] = useState('');
  const [unit, setUnit] = useState(program.units[0]?.key ?? '');
  const propose = useMutation({ mutationFn: () => api.proposeAdjustment({ params: { program: program.key, member }, body: { unit, amount: amount.replace(',', '.'), reason, kind: 'adjustment' } }), onSuccess: async () => { told(t('Zaproponowana. Czeka na drugą osobę.', 'Proposed. It waits for a second person.')); await client.invalidateQueries({ queryKey: ['today'] }); close(); }, onError: (error) => failed(error) });
  return (
    <Confirm open close={close} title={t('Skoryguj saldo', 'Correct the balance')} word={t('Zaproponuj korektę', 'Propose the correction')} act={() => propose.mutate()} busy={propose.isPending}>
      <Text size="sm">{t('Najpierw sprawdź, czy nie wystarczy poprawić sprzedaży – wtedy punkty poprawią się same i wyjaśnią. Korektę ręczną zatwierdza inna osoba.', 'First see whether mending the sales is enough – then points mend and explain themselves. A manual correction is approved by another person.')}</Text>
      <Select label={t('Jednostka', 'Unit')} data={program.units.map((item) => ({ value: item.key, label: item.key }))} value={unit} onChange={(value) => setUnit(value ?? unit)} allowDeselect={false} />
      <label className="field">{t('Ile (minus odbiera)', 'How many (a minus takes away)')}<input inputMode="decimal" value={amount} onChange={(event) => setAmount(event.target.value)} /></label>
      <label className="field">{t('Powód – zobaczy go uczestnik', 'Reason – the member sees it')}<textarea rows={2} value={reason} onChange={(event) => setReason(event.target.value)} /></label>
    </Confirm>
  );
}

async function download(program: string, member: string): Promise<void> {
  const file = URL.createObjectURL(new Blob([JSON.stringify(await api.exportMember({ params: { program, member } }), null, 2)], { type: 'application/json' }));
  Object.assign(document.createElement('a'), { href: file, download: `${member}.json` }).click();
  URL.revokeObjectURL(file);
}

/** What goes, what stays and why, before it happens; the code is typed by hand, since nothing brings it back. */
function Erase({ member, close }: { member: string; close: () => void }) {
  const { program } = useHere();
  const [, go] = useLocation();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const [confirm, setConfirm] = useState('');
  const preview = useQuery({ queryKey: ['erasure', program.key, member], queryFn: () => api.previewErasure({ params: { program: program.key, member } }) });
  const erase = useMutation({ mutationFn: () => api.eraseMember({ params: { program: program.key, member }, body: { confirm } }), onSuccess: async (done) => { told(t('Dane usunięte. Księga się nie zmieniła.', 'The data are erased. The books did not change.')); go(`/members/${done.pseudonym}`); await client.invalidateQueries(); }, onError: (error) => failed(error, () => erase.mutate()) });
  return (
    <Confirm open close={close} title={t('Usunąć dane tej osoby?', 'Erase this person’s data?')} word={t('Usuń na zawsze', 'Erase for good')} act={() => erase.mutate()} busy={erase.isPending}>{asking}
      {preview.isPending ? <Bones rows={4} /> : preview.isError ? <Failed error={preview.error} /> : (
        <><Text fw={600}>{t('Zniknie', 'Goes')}</Text><dl className="pairs">{preview.data.goes.map((item) => [<dt key={`${item.what.en}t`}>{said(item.what)}</dt>, <dd key={item.what.en}>{item.count}</dd>])}</dl>
          <Text fw={600}>{t('Zostanie, bez możliwości odczytania osoby', 'Stays, with nobody to be read from it')}</Text>{preview.data.stays.map((item) => <Text key={item.what.en} size="sm">{said(item.what)}: {item.count}<br /><Text span size="xs" c="dimmed">{said(item.why)}</Text></Text>)}</>
      )}
      <label className="field">{t(`Przepisz kod ${member}, żeby potwierdzić`, `Type the code ${member} to confirm`)}<input value={confirm} onChange={(event) => setConfirm(event.target.value)} /></label>
    </Confirm>
  );
}

function Merge({ member, close }: { member: string; close: () => void }) {
  const { program } = useHere();
  const [, go] = useLocation();
  const { failed } = useGuard();
  const [into, setInto] = useState('');
  const [reason, setReason] = useState('');
  const propose = useMutation({ mutationFn: () => api.proposeRecalculation({ params: { program: program.key }, body: { reason, change: { kind: 'merge', member, into } } }), onSuccess: () => { told(t('Zaproponowane. Czeka na drugą osobę.', 'Proposed. It waits for a second person.')); go('/approvals'); }, onError: (error) => failed(error) });
  return <Confirm open close={close} title={t(`Połącz ${member} z innym`, `Merge ${member} into another`)} word={t('Zaproponuj połączenie', 'Propose the merge')} act={() => propose.mutate()} busy={propose.isPending}><Text size="sm">{t('Sprzedaż i saldo przejdą na drugiego uczestnika, a ten kod stanie się jego aliasem. Podgląd skutków zobaczy osoba zatwierdzająca.', 'Sales and balance go to the other member and this code becomes its alias. Whoever approves it sees the consequence first.')}</Text><label className="field">{t('Kod uczestnika, który zostaje', 'Code of the member that stays')}<input value={into} onChange={(event) => setInto(event.target.value)} /></label><label className="field">{t('Powód', 'Reason')}<textarea rows={2} value={reason} onChange={(event) => setReason(event.target.value)} /></label></Confirm>;
}

function ChangeState({ member, close }: { member: string; close: () => void }) {
  const { program } = useHere();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [state, setState] = useState<string>('suspended');
  const [from, setFrom] = useState('');
  const [reason, setReason] = useState('');
  const save = useMutation({ mutationFn: () => api.saveStates({ params: { program: program.key }, body: { states: [{ member, state: state as 'active', from, ...(reason === '' ? {} : { reason }) }] } }), onSuccess: async () => { told(t('Zapisane.', 'Saved.')); await client.invalidateQueries({ queryKey: ['member'] }); close(); }, onError: (error) => failed(error) });
  return <Confirm open close={close} title={t('Zmień stan', 'Change the state')} word={t('Zapisz stan', 'Save the state')} act={() => save.mutate()} busy={save.isPending}><Select label={t('Stan', 'State')} data={[{ value: 'active', label: t('aktywny', 'active') }, { value: 'suspended', label: t('zawieszony', 'suspended') }, { value: 'left', label: t('odszedł', 'left') }]} value={state} onChange={(value) => setState(value ?? state)} allowDeselect={false} /><label className="field">{t('Od dnia', 'From')}<input type="date" value={from} onChange={(event) => setFrom(event.target.value)} /></label><label className="field">{t('Powód', 'Reason')}<input value={reason} onChange={(event) => setReason(event.target.value)} /></label></Confirm>;
}
