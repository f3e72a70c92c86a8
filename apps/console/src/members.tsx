import { Button, Checkbox, Drawer, Group, Radio, Select, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, codeOf, count, moment, said, t } from '@premia/ui';
import { useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { DataTable } from './data-table.tsx';
import { Bones, Card, Failed, Head, State, told, useGuard, useUnsaved } from './parts.tsx';
import { useHere, useMay } from './place.ts';
import { PartPanel } from './program-file.tsx';

type Row = Awaited<ReturnType<typeof api.listMembers>>['members'][number];
export const STATES: Record<string, () => [tone: 'good' | 'bad' | 'care' | 'plain', word: string]> = { active: () => ['good', t('aktywny', 'active')], invited: () => ['plain', t('zaproszony', 'invited')], suspended: () => ['care', t('zawieszony', 'suspended')], left: () => ['bad', t('odszedł', 'left')] };
export const MemberState = ({ state }: { state: string }) => { const [tone, word] = STATES[state]?.() ?? ['plain', state]; return <State tone={tone}>{word}</State>; };

export function Members() {
  const { program } = useHere();
  const may = useMay();
  const [params, setParams] = useSearchParams();
  return (
    <>
      <Head title={t('Uczestnicy', 'Members')} action={may('members:write') ? <><Button variant="default" onClick={() => setParams({ panel: 'invite' })}>{t('Zaproś', 'Invite')}</Button><Button onClick={() => setParams({ panel: 'new' })}>{t('Dodaj uczestnika', 'Add a member')}</Button></> : null} />
      {may('members:write') ? <Registrations /> : null}
      <DataTable<Row> name="members" file={`/v1/programs/${program.key}/members`} keyOf={(row) => row.code} to={(row) => `/members/${encodeURIComponent(row.code)}`} empty={t('Nie ma jeszcze uczestników. Dodaj pierwszego albo zaimportuj sprzedaż.', 'There are no members yet. Add the first, or import sales.')}
        filters={[{ name: 'search', word: t('Kod, nazwa, NIP, e-mail', 'Code, name, tax id, e-mail') }, { name: 'state', word: t('Stan', 'State'), options: Object.entries(STATES).map(([value, word]) => ({ value, label: word()[1] })) }]}
        ask={async (page) => { const { members, next } = await api.listMembers({ params: { program: program.key }, query: page as never }); return { rows: members, next }; }}
        columns={[{ key: 'code', sorts: true, word: t('Kod', 'Code'), show: (row) => row.code }, { key: 'name', sorts: true, word: t('Nazwa', 'Name'), show: (row) => row.name ?? '–' }, { key: 'kind', sorts: true, word: t('Kto', 'Who'), show: (row) => (row.kind === 'person' ? t('osoba', 'person') : t('firma', 'company')) }, { key: 'state', sorts: true, word: t('Stan', 'State'), show: (row) => <MemberState state={row.state} /> }, { key: 'company', sorts: true, word: t('Firma', 'Company'), show: (row) => row.company ?? '–', hidden: true }, { key: 'team', sorts: true, word: t('Zespół', 'Team'), show: (row) => row.team ?? '–' }, { key: 'territory', sorts: true, word: t('Region', 'Territory'), show: (row) => row.territory ?? '–' }]} />
      <NewMember open={params.get('panel') === 'new'} close={() => setParams({})} />
      <Invite open={params.get('panel') === 'invite'} close={() => setParams({})} member={params.get('member') ?? ''} />
    </>
  );
}

type Registration = Awaited<ReturnType<typeof api.listRegistrations>>['registrations'][number];
/** Who asks to take part; each is accepted as the member that their code means, or as another, or turned down. */
function Registrations() {
  const { program, tenant } = useHere();
  const client = useQueryClient();
  const { failed } = useGuard();
  const found = useQuery({ queryKey: ['registrations', tenant.key, program.key], queryFn: () => api.listRegistrations({ params: { program: program.key }, query: { state: 'open', limit: 50 } }) });
  const decide = useMutation({ mutationFn: (given: { id: string; member: string | null }) => api.decideRegistration({ params: { program: program.key, registration: given.id }, body: { member: given.member } }), onSuccess: async (done) => { told(done.state === 'accepted' ? t('Przyjęte. Zaproszenie wysłane.', 'Accepted. The invitation is sent.') : t('Odrzucone.', 'Turned down.')); await client.invalidateQueries(); }, onError: (error) => failed(error) });
  if (!found.data || found.data.registrations.length === 0) return null;
  return <Card title={t('Prośby o dołączenie', 'Requests to take part')}>{found.data.registrations.map((one) => <RegistrationRow key={one.id} one={one} busy={decide.isPending} decide={(member) => decide.mutate({ id: one.id, member })} />)}</Card>;
}

function RegistrationRow({ one, decide, busy }: { one: Registration; decide: (member: string | null) => void; busy: boolean }) {
  const [member, setMember] = useState(one.member ?? '');
  return <Group justify="space-between" align="flex-end" mb="xs"><Text size="sm">{one.name}, {one.email}<br /><Text span size="xs" c="dimmed">{t('podał', 'gave')} {one.reference}{one.member ? ` = ${one.member_name ?? one.member}` : ` – ${t('nieznany', 'unknown')}`} · {moment(one.asked_at)}</Text></Text><Group gap="xs" align="flex-end"><label className="field">{t('Jako uczestnik', 'As the member')}<input value={member} onChange={(event) => setMember(event.target.value)} /></label><Button size="compact-md" disabled={busy || member === ''} onClick={() => decide(member)}>{t('Przyjmij', 'Accept')}</Button><Button size="compact-md" variant="default" disabled={busy} onClick={() => decide(null)}>{t('Odrzuć', 'Turn down')}</Button></Group></Group>;
}

function NewMember({ open, close }: { open: boolean; close: () => void }) {
  const { program } = useHere();
  const client = useQueryClient();
  const [, go] = useLocation();
  const { failed } = useGuard();
  const [draft, setDraft] = useState({ code: '', name: '', email: '', nip: '', team: '', territory: '' });
  const [kind, setKind] = useState<'person' | 'company'>('person');
  useUnsaved(open && draft.code !== '');
  const save = useMutation({ mutationFn: () => api.saveMembers({ params: { program: program.key }, body: { members: [{ kind, ...Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== '')) } as { code: string; kind: 'person' }] } }), onSuccess: async () => { const { code } = draft; setDraft({ code: '', name: '', email: '', nip: '', team: '', territory: '' }); told(t('Zapisany.', 'Saved.')); await client.invalidateQueries({ queryKey: ['list'] }); go(`/members/${encodeURIComponent(code)}`); }, onError: (error) => failed(error) });
  const words: [keyof typeof draft, string][] = [['code', t('Kod', 'Code')], ['name', t('Nazwa', 'Name')], ['email', t('E-mail', 'E-mail')], ['nip', t('NIP', 'Tax id (NIP)')], ['team', t('Zespół', 'Team')], ['territory', t('Region', 'Territory')]];
  return (
    <Drawer opened={open} onClose={close} position="right" title={t('Nowy uczestnik', 'A new member')} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}>
      <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}><Stack>
        <Select label={t('Kto', 'Who')} data={[{ value: 'person', label: t('osoba', 'person') }, { value: 'company', label: t('firma', 'company') }]} value={kind} onChange={(value) => setKind(value as 'person')} allowDeselect={false} />
        {words.map(([name, word]) => <label key={name} className="field">{word}<input required={name === 'code'} type={name === 'email' ? 'email' : 'text'} value={draft[name]} onChange={(event) => setDraft({ ...draft, [name]: event.target.value })} /></label>)}
        <Button type="submit" loading={save.isPending}>{t('Zapisz uczestnika', 'Save the member')}</Button>
      </Stack></form>
    </Drawer>
  );
}

type Invited = Awaited<ReturnType<typeof api.inviteMembers>>['invited'][number];
/** One person, or a CSV of many: code; e-mail; name. The codes are shown once, with a welcome page a person to print. */
export function Invite({ open, close, member }: { open: boolean; close: () => void; member: string }) {
  const { program } = useHere();
  const { failed } = useGuard();
  const [text, setText] = useState('');
  const [role, setRole] = useState<'member' | 'manager'>('member');
  const [made, setMade] = useState<readonly Invited[]>([]);
  const people = text.split(/\r?\n/).map((line) => line.split(/[;,\t]/).map((part) => part.trim())).filter((parts) => parts.length >= 2 && (parts[1] ?? '').includes('@')).map(([code = '', email = '', name = '']) => ({ member: code, email, name: name || code, role, locale: 'pl' as const }));
  const send = useMutation({ mutationFn: () => api.inviteMembers({ params: { program: program.key }, body: { people } }), onSuccess: (done) => { setMade(done.invited); told(t(`Wysłane: ${count(done.invited.length)}.`, `Sent: ${count(done.invited.length)}.`)); }, onError: (error) => failed(error) });
  const print = async (): Promise<void> => {
    const answer = await fetch(`/v1/programs/${program.key}/welcome-pack`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-premia-tenant': localStorage.getItem('premia.tenant') ?? '' }, body: JSON.stringify({ people: made.map(({ name, code, link }) => ({ name, code, link })) }) });
    if (!answer.ok) { failed(new Error('pdf')); return; }
    window.open(URL.createObjectURL(await answer.blob()));
  };
  return (
    <Drawer opened={open} onClose={() => { setMade([]); close(); }} position="right" size="lg" title={t('Zaproś do portalu', 'Invite to the portal')} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}>
      <Stack>
        {made.length > 0 ? (
          <><Text>{t('Zaproszenia wysłane. Kody widać tylko teraz.', 'Invitations sent. The codes are shown only now.')}</Text><table className="sheet"><thead><tr><th scope="col">{t('Kto', 'Who')}</th><th scope="col">{t('Kod', 'Code')}</th></tr></thead><tbody>{made.map((item) => <tr key={item.code}><td>{item.name} ({item.member})</td><td className="mono">{item.code}</td></tr>)}</tbody></table><Button onClick={() => void print()}>{t('Wydrukuj listy powitalne (PDF)', 'Print welcome letters (PDF)')}</Button></>
        ) : (
          <form onSubmit={(event) => { event.preventDefault(); send.mutate(); }}><Stack>
            <label className="field">{t('Wklej wiersze: kod uczestnika; e-mail; imię i nazwisko', 'Paste rows: member code; e-mail; name')}<textarea rows={10} className="mono" value={text === '' && member ? `${member};` : text} onChange={(event) => setText(event.target.value)} /></label>
            <Select label={t('Jako', 'As')} data={[{ value: 'member', label: t('uczestnik', 'member') }, { value: 'manager', label: t('kierownik firmy', 'company manager') }]} value={role} onChange={(value) => setRole(value as 'member')} allowDeselect={false} />
            <Button type="submit" disabled={people.length === 0} loading={send.isPending}>{t(`Wyślij zaproszenia: ${count(people.length)}`, `Send invitations: ${count(people.length)}`)}</Button>
          </Stack></form>
        )}
      </Stack>
    </Drawer>
  );
}

type Company = Awaited<ReturnType<typeof api.listCompanies>>['companies'][number];
export function Companies() {
  const { program } = useHere();
  const may = useMay();
  const [consent, setConsent] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Head title={t('Firmy', 'Companies')} action={may('programs:write') ? <Button variant="default" onClick={() => setAsking(true)}>{t('Bez zgody pracodawcy…', 'Without an employer’s consent…')}</Button> : null} />
      {asking ? <ConsentPolicy close={() => setAsking(false)} /> : null}
      <DataTable<Company> name="companies" file="/v1/companies" keyOf={(row) => row.code} empty={t('Nie ma jeszcze firm partnerskich.', 'There are no partner companies yet.')} filters={[{ name: 'search', word: t('Kod, nazwa, NIP', 'Code, name, tax id') }, { name: 'without_consent', word: t('Zgoda pracodawcy', 'Employer’s consent'), options: [{ value: program.key, label: t('brakuje', 'missing') }] }]} ask={async (page) => { const { companies, next } = await api.listCompanies({ query: page as never }); return { rows: companies, next }; }}
        columns={[{ key: 'code', word: t('Kod', 'Code'), sorts: true, show: (row) => row.code }, { key: 'name', word: t('Nazwa', 'Name'), sorts: true, show: (row) => row.name }, { key: 'vat', word: t('NIP / VAT UE', 'Tax id / EU VAT'), show: (row) => row.vat ?? '–' }, { key: 'type', word: t('Rodzaj', 'Type'), sorts: true, show: (row) => row.type ?? '–' }, { key: 'path', word: t('Miejsce w drzewie', 'Place in the tree'), show: (row) => row.path.join(' › ') }, { key: 'members', word: t('Uczestników', 'Members'), sorts: true, number: true, show: (row) => count(row.members) }]}
        {...(may('members:write') ? { lastColumn: (row: Company) => <Button variant="default" size="compact-sm" onClick={() => setConsent(row.code)}>{t('Zgoda pracodawcy', 'Employer’s consent')}</Button> } : {})} />
      <EmployerConsent company={consent} close={() => setConsent(null)} />
    </>
  );
}

/** What the program keeps people from while their employer has not agreed. */
const POLICIES: Record<string, () => string> = { block_earn: () => t('nie zdobywają punktów', 'they earn nothing'), block_payout: () => t('zdobywają, ale nie wydają', 'they earn, and do not spend'), remind: () => t('mogą wszystko; operator widzi, kogo brakuje', 'they may do everything; the operator sees who is missing') };
function ConsentPolicy({ close }: { close: () => void }) {
  const { program } = useHere();
  const file = useQuery({ queryKey: ['program', program.key], queryFn: () => api.exportProgram({ params: { program: program.key } }) });
  const kept = String(file.data?.['employer_consent'] ?? 'remind');
  const [wanted, setWanted] = useState<string | null>(null);
  return (
    <PartPanel title={t('Bez zgody pracodawcy', 'Without an employer’s consent')} close={close} dirty={wanted !== null && wanted !== kept} change={(before) => ({ ...before, employer_consent: wanted ?? kept })}>
      {file.isPending ? <Bones rows={2} /> : file.isError ? <Failed error={file.error} again={() => void file.refetch()} /> : <Radio.Group label={t('Pracownicy firm, które się nie zgodziły:', 'People of companies that have not agreed:')} value={wanted ?? kept} onChange={setWanted}><Stack gap="xs" mt="xs">{Object.entries(POLICIES).map(([value, word]) => <Radio key={value} value={value} label={word()} />)}</Stack></Radio.Group>}
      <Text size="sm" c="dimmed">{t('Ludzie firm publicznych i ochrony zdrowia nie wydają punktów bez zgody w żadnym z tych wypadków.', 'People of public buyers and of health care spend nothing without consent in any of these cases.')}</Text>
    </PartPanel>
  );
}

const NOTHING_SAID = { given_by: '', scope: '', document: '', valid_from: '' };

/** A company's word as employer. What it moves of the past waits for a second person. */
function EmployerConsent({ company, close }: { company: string | null; close: () => void }) {
  const { program, tenant } = useHere();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [draft, setDraft] = useState(NOTHING_SAID);
  const [everywhere, setEverywhere] = useState(false);
  const [past, setPast] = useState<boolean | null>(null);
  useUnsaved(company !== null && Object.values(draft).some((value) => value !== ''));
  const end = (): void => { setDraft(NOTHING_SAID); setPast(null); close(); };
  const save = useMutation({ mutationFn: (given: boolean) => api.saveEmployerConsent({ params: { company: company ?? '' }, body: { given, ...draft, ...(everywhere ? {} : { program: program.key }) } }), onSuccess: async () => { told(t('Zapisane z dowodem.', 'Recorded with its evidence.')); end(); await client.invalidateQueries(); }, onError: (error, given) => { if (codeOf(error) === 'recalculation_needed') setPast(given); else failed(error); } });
  const propose = useMutation({ mutationFn: (given: boolean) => api.proposeRecalculation({ params: { program: program.key }, body: { reason: `${company ?? ''}: ${draft.document}`, change: { kind: 'employer_consent', company: company ?? '', given, ...draft } } }), onSuccess: async () => { told(t('Zaproponowane. Czeka na drugą osobę.', 'Proposed. It waits for a second person.')); end(); await client.invalidateQueries(); }, onError: (error) => failed(error) });
  const words: [keyof typeof draft, string][] = [['given_by', t('Kto podpisał', 'Who signed')], ['scope', t('Zakres', 'Scope')], ['document', t('Dokument', 'Document')], ['valid_from', t('Od dnia', 'From')]];
  return (
    <Drawer opened={company !== null} onClose={end} position="right" title={`${t('Zgoda pracodawcy', 'Employer’s consent')}: ${company ?? ''}`} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}>
      <form onSubmit={(event) => { event.preventDefault(); save.mutate((event.nativeEvent as SubmitEvent).submitter?.getAttribute('value') !== 'end'); }}><Stack>
        {words.map(([name, word]) => <label key={name} className="field">{word}<input required type={name === 'valid_from' ? 'date' : 'text'} value={draft[name]} onChange={(event) => { setPast(null); setDraft({ ...draft, [name]: event.target.value }); }} /></label>)}
        {tenant.programs.length > 1 ? <Checkbox label={t('dotyczy wszystkich programów', 'about all programs')} checked={everywhere} onChange={(event) => { setPast(null); setEverywhere(event.currentTarget.checked); }} /> : null}
        {past === null
          ? <Group><Button type="submit" loading={save.isPending}>{t('Zapisz zgodę', 'Record the consent')}</Button><Button type="submit" value="end" variant="default" disabled={save.isPending}>{t('Zapisz wycofanie', 'Record its end')}</Button></Group>
          : <><Text size="sm" role="alert">{t(`To porusza wyniki z przeszłości w programie „${said(program.name)}”: punkty zmienią się dopiero, gdy zatwierdzi to inna osoba i zobaczy skutek w liczbach.`, `This moves results of the past in the program “${said(program.name)}”: points change when another person approves it, seeing the consequence in numbers.`)}</Text><Group><Button loading={propose.isPending} onClick={() => propose.mutate(past)}>{t('Zaproponuj zmianę', 'Propose the change')}</Button><Button variant="default" onClick={() => setPast(null)}>{t('Wróć', 'Back')}</Button></Group></>}
      </Stack></form>
    </Drawer>
  );
}
