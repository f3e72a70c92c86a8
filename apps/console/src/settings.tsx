import { Alert, Button, Checkbox, FileButton, Group, SegmentedControl, Select, Stack, Switch, Tabs, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, applyLook, day, locale, moment, said, signInCall, t } from '@premia/ui';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { DataTable } from './data-table.tsx';
import { Bones, Card, Empty, Failed, Forbidden, Head, State, told, useGuard, useUnsaved, whoDid, Wide } from './parts.tsx';
import { useHere, useMay } from './place.ts';

/** Who works here and how, how it looks, what members agree to, and who did what. */
export function Settings({ id = 'me' }: { id?: string }) {
  const may = useMay();
  const [, go] = useLocation();
  return (
    <>
      <Head title={t('Ustawienia', 'Settings')} />
      <Tabs value={id} onChange={(value) => go(`/settings/${value}`)} keepMounted={false}>
        <Tabs.List mb="sm"><Tabs.Tab value="me">{t('Moje logowanie', 'My sign-in')}</Tabs.Tab>{may('people:write') ? <Tabs.Tab value="people">{t('Ludzie i role', 'People and roles')}</Tabs.Tab> : null}{may('members:write') ? <Tabs.Tab value="invitations">{t('Zaproszenia', 'Invitations')}</Tabs.Tab> : null}{may('keys:write') ? <Tabs.Tab value="keys">{t('Klucze API', 'API keys')}</Tabs.Tab> : null}<Tabs.Tab value="look">{t('Wygląd', 'Look')}</Tabs.Tab><Tabs.Tab value="terms">{t('Regulamin', 'Terms')}</Tabs.Tab>{may('audit:read') ? <Tabs.Tab value="jobs">{t('Praca w tle', 'Background work')}</Tabs.Tab> : null}{may('audit:read') ? <Tabs.Tab value="audit">{t('Dziennik', 'Audit')}</Tabs.Tab> : null}</Tabs.List>
        <Tabs.Panel value="me"><Me /></Tabs.Panel><Tabs.Panel value="people"><Only permission="people:write"><People /></Only></Tabs.Panel><Tabs.Panel value="invitations"><Only permission="members:write"><Invitations /></Only></Tabs.Panel><Tabs.Panel value="keys"><Only permission="keys:write"><Keys /></Only></Tabs.Panel><Tabs.Panel value="look"><LookPanel /></Tabs.Panel><Tabs.Panel value="terms"><Terms /></Tabs.Panel><Tabs.Panel value="jobs"><Only permission="audit:read"><Jobs /></Only></Tabs.Panel><Tabs.Panel value="audit"><Only permission="audit:read"><Audit /></Only></Tabs.Panel>
      </Tabs>
    </>
  );
}

/** A part of the settings for those whose role covers it; others read why it is not there. */
function Only({ permission, children }: { permission: string; children: React.ReactNode }) {
  const may = useMay();
  return may(permission) ? children : <Forbidden />;
}

function Me() {
  const { person } = useHere();
  const client = useQueryClient();
  const { failed } = useGuard();
  const sessions = useQuery({ queryKey: ['sessions'], queryFn: () => api.listSessions() });
  const end = useMutation({ mutationFn: (session: string) => api.endSession({ params: { session } }), onSuccess: () => client.invalidateQueries({ queryKey: ['sessions'] }), onError: (error) => failed(error) });
  const [setup, setSetup] = useState<{ uri: string; codes: string[] } | null>(null);
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const begin = async (): Promise<void> => { const { ok, data } = await signInCall('/two-factor/enable', password === '' ? {} : { password }); if (ok) setSetup({ uri: String(data['totpURI']), codes: data['backupCodes'] as string[] }); else failed(new Error('2fa')); };
  const confirm = async (): Promise<void> => { const { ok } = await signInCall('/two-factor/verify-totp', { code }); if (ok) { setSetup(null); told(t('Drugi składnik działa.', 'The second factor works.')); await client.invalidateQueries({ queryKey: ['session'] }); } else failed(new Error('code')); };
  return (
    <div className="grid">
      <Card title={t('Drugi składnik', 'Second factor')}>
        {person.two_factor ? <Text><State tone="good">{t('włączony', 'on')}</State> {person.strong ? t('Ta sesja jest nim potwierdzona.', 'This session is confirmed by it.') : t('Ta sesja poprosi o kod, gdy będzie trzeba.', 'This session will ask for a code when it is needed.')}</Text> : setup ? (
          <Stack><Text size="sm">{t('Dodaj ten klucz do aplikacji uwierzytelniającej i przepisz sześć cyfr.', 'Add this key to your authenticator app and type the six digits.')}</Text><code className="mono" style={{ overflowWrap: 'anywhere' }}>{new URL(setup.uri).searchParams.get('secret')}</code><label className="field">{t('Sześć cyfr', 'Six digits')}<input inputMode="numeric" value={code} onChange={(event) => setCode(event.target.value)} /></label><Button onClick={() => void confirm()}>{t('Potwierdź', 'Confirm')}</Button><Text size="sm">{t('Kody zapasowe – każdy działa raz:', 'Backup codes – each works once:')} <span className="mono">{setup.codes.join(' ')}</span></Text></Stack>
        ) : <Stack><Text size="sm">{t('Wymagany do zatwierdzania, zarządzania ludźmi i kluczami.', 'Needed to approve, and to manage people and keys.')}</Text><label className="field">{t('Twoje hasło', 'Your password')}<input type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} /></label><Button onClick={() => void begin()}>{t('Włącz drugi składnik', 'Turn on the second factor')}</Button></Stack>}
      </Card>
      <Card title={t('Gdzie jesteś zalogowany', 'Where you are signed in')}>{sessions.isPending ? <Bones rows={2} /> : sessions.isError ? <Failed error={sessions.error} /> : sessions.data.sessions.map((session) => <Group key={session.id} justify="space-between" wrap="nowrap" mb="xs"><Text size="sm">{session.agent?.slice(0, 60) ?? t('nieznane urządzenie', 'unknown device')}<br /><Text span size="xs" c="dimmed">{moment(session.since)}</Text></Text>{session.current ? <State tone="good">{t('tutaj', 'here')}</State> : <Button variant="default" size="compact-sm" style={{ flexShrink: 0 }} onClick={() => end.mutate(session.id)}>{t('Zakończ', 'End')}</Button>}</Group>)}</Card>
    </div>
  );
}

export const ROLE_WORDS: Record<string, () => string> = { owner: () => t('właściciel', 'owner'), operator: () => t('operator', 'operator'), approver: () => t('zatwierdzający', 'approver'), support: () => t('obsługa uczestników', 'support'), viewer: () => t('podgląd sponsora', 'sponsor’s viewer'), member: () => t('uczestnik', 'member'), manager: () => t('kierownik firmy', 'company manager') };
function People() {
  const { tenant } = useHere();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const found = useQuery({ queryKey: ['people'], queryFn: () => api.listPeople() });
  const [draft, setDraft] = useState({ email: '', name: '', role: 'operator', program: '' });
  const [link, setLink] = useState('');
  const [wanted, setWanted] = useState('');
  const shown = (found.data?.people ?? []).filter((person) => `${person.name} ${person.email} ${person.roles.map((role) => ROLE_WORDS[role.role]?.() ?? role.role).join(' ')}`.toLowerCase().includes(wanted.toLowerCase())).sort((a, b) => a.name.localeCompare(b.name, locale()));
  const invite = useMutation({ mutationFn: () => api.invitePerson({ body: { email: draft.email, name: draft.name, role: draft.role as 'owner', locale: 'pl', ...(draft.program === '' ? {} : { program: draft.program }) } }), onSuccess: (done) => { setLink(done.link); setDraft({ ...draft, email: '', name: '' }); told(t('Zaproszenie wysłane.', 'The invitation is sent.')); }, onError: (error) => failed(error, () => invite.mutate()) });
  const end = useMutation({ mutationFn: (grant: string) => api.endRole({ params: { grant } }), onSuccess: () => client.invalidateQueries({ queryKey: ['people'] }), onError: (error, grant) => failed(error, () => end.mutate(grant)) });
  const unlock = useMutation({ mutationFn: (person: string) => api.unlockPerson({ params: { person } }), onSuccess: () => client.invalidateQueries({ queryKey: ['people'] }), onError: (error) => failed(error) });
  return (
    <>{asking}
      <Card title={t('Zaproś do zespołu', 'Invite to the team')}><form onSubmit={(event) => { event.preventDefault(); invite.mutate(); }}><Group align="flex-end"><label className="field">{t('E-mail', 'E-mail')}<input type="email" required value={draft.email} onChange={(event) => setDraft({ ...draft, email: event.target.value })} /></label><label className="field">{t('Imię i nazwisko', 'Name')}<input required value={draft.name} onChange={(event) => setDraft({ ...draft, name: event.target.value })} /></label><Select label={t('Rola', 'Role')} data={['owner', 'operator', 'approver', 'support', 'viewer'].map((value) => ({ value, label: ROLE_WORDS[value]?.() ?? value }))} value={draft.role} onChange={(value) => setDraft({ ...draft, role: value ?? 'operator' })} allowDeselect={false} /><Select label={t('Gdzie', 'Where')} data={[{ value: '', label: t('wszystkie programy', 'all programs') }, ...tenant.programs.map((program) => ({ value: program.key, label: said(program.name) }))]} value={draft.program} onChange={(value) => setDraft({ ...draft, program: value ?? '' })} allowDeselect={false} /><Button type="submit" loading={invite.isPending}>{t('Wyślij zaproszenie', 'Send the invitation')}</Button></Group></form>{link ? <Text size="sm" mt="xs" className="mono">{link}</Text> : null}</Card>
      {found.isPending ? <Bones /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : <Card title={t('Zespół', 'The team')}><label className="field" style={{ maxWidth: 320, marginBottom: 8 }}>{t('Kto, rola', 'Who, role')}<input type="search" value={wanted} onChange={(event) => setWanted(event.target.value)} /></label>{shown.length === 0 ? <Empty>{t('Nikt taki tu nie pracuje.', 'Nobody like that works here.')}</Empty> : null}<Wide><table className="sheet"><thead><tr><th scope="col">{t('Kto', 'Who')}</th><th scope="col">{t('Role', 'Roles')}</th><th scope="col">{t('Logowanie', 'Sign-in')}</th></tr></thead><tbody>{shown.map((person) => <tr key={person.person}><td>{person.name}<br /><Text span size="xs" c="dimmed">{person.email}</Text></td><td>{person.roles.map((role) => <Group key={role.grant} gap="xs" justify="flex-end">{ROLE_WORDS[role.role]?.() ?? role.role}{role.program ? ` · ${role.program}` : ''}<Button variant="default" size="compact-xs" onClick={() => end.mutate(role.grant)}>{t('Odbierz', 'Take back')}</Button></Group>)}</td><td>{person.two_factor ? <State tone="good">{t('drugi składnik', 'second factor')}</State> : <State>{t('samo hasło', 'password only')}</State>} {person.locked ? <Button size="compact-xs" onClick={() => unlock.mutate(person.person)}>{t('Odblokuj hasło', 'Unlock the password')}</Button> : null}</td></tr>)}</tbody></table></Wide></Card>}
    </>
  );
}

type InvitationRow = Awaited<ReturnType<typeof api.listInvitations>>['invitations'][number];
const INVITATION_STATES: Record<string, () => string> = { open: () => t('otwarte', 'open'), accepted: () => t('przyjęte', 'accepted'), expired: () => t('wygasło', 'expired'), revoked: () => t('zastąpione', 'replaced') };
const Invitations = () => <DataTable<InvitationRow> name="invitations" file="/v1/invitations" keyOf={(row) => row.id} empty={t('Nikogo jeszcze nie zaproszono.', 'Nobody has been invited yet.')} filters={[{ name: 'search', word: t('Imię, nazwisko, e-mail', 'Name, e-mail') }, { name: 'state', word: t('Stan', 'State'), options: Object.entries(INVITATION_STATES).map(([value, word]) => ({ value, label: word() })) }]} ask={async (page) => { const { invitations, next } = await api.listInvitations({ query: page as never }); return { rows: invitations, next }; }} columns={[{ key: 'name', sorts: true, word: t('Kto', 'Who'), show: (row) => row.name }, { key: 'email', sorts: true, word: t('E-mail', 'E-mail'), show: (row) => row.email }, { key: 'role', sorts: true, word: t('Rola', 'Role'), show: (row) => ROLE_WORDS[row.role]?.() ?? row.role }, { key: 'program', sorts: true, word: t('Program', 'Program'), show: (row) => row.program ?? '–' }, { key: 'state', sorts: true, word: t('Stan', 'State'), show: (row) => INVITATION_STATES[row.state]?.() ?? row.state }, { key: 'made_at', sorts: true, word: t('Wysłane', 'Sent'), show: (row) => moment(row.made_at) }]} />;

const KEY_PERMISSIONS = ['programs:read', 'programs:write', 'members:read', 'members:write', 'facts:read', 'facts:write', 'imports:approve', 'rules:propose', 'rules:approve', 'ledger:read', 'ledger:adjust', 'ledger:approve', 'ledger:hold', 'audit:read'];
function Keys() {
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const found = useQuery({ queryKey: ['keys'], queryFn: () => api.listKeys() });
  const [name, setName] = useState('');
  const [permissions, setPermissions] = useState<string[]>(['programs:read', 'facts:write']);
  const [secret, setSecret] = useState('');
  const make = useMutation({ mutationFn: () => api.createKey({ body: { name, permissions } }), onSuccess: async (done) => { setSecret(done.secret); setName(''); await client.invalidateQueries({ queryKey: ['keys'] }); }, onError: (error) => failed(error, () => make.mutate()) });
  const revoke = useMutation({ mutationFn: (key: string) => api.revokeKey({ params: { key } }), onSuccess: () => client.invalidateQueries({ queryKey: ['keys'] }), onError: (error, key) => failed(error, () => revoke.mutate(key)) });
  return (
    <>{asking}
      <Card title={t('Nowy klucz', 'A new key')}><form onSubmit={(event) => { event.preventDefault(); make.mutate(); }}><Stack><label className="field" style={{ maxWidth: 320 }}>{t('Nazwa', 'Name')}<input required value={name} onChange={(event) => setName(event.target.value)} /></label><Checkbox.Group label={t('Co może', 'What it may do')} value={permissions} onChange={setPermissions}><Group gap="sm" mt="xs">{KEY_PERMISSIONS.map((permission) => <Checkbox key={permission} value={permission} label={permission} />)}</Group></Checkbox.Group><Group><Button type="submit" disabled={permissions.length === 0} loading={make.isPending}>{t('Utwórz klucz', 'Make the key')}</Button></Group></Stack></form>{secret ? <Alert variant="outline" mt="sm" title={t('Zapisz go teraz – więcej się nie pokaże', 'Save it now – it is not shown again')}><code className="mono" style={{ overflowWrap: 'anywhere' }}>{secret}</code></Alert> : null}</Card>
      {found.isPending ? <Bones /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : <Card title={t('Klucze', 'Keys')}><Wide><table className="sheet"><thead><tr><th scope="col">{t('Nazwa', 'Name')}</th><th scope="col">{t('Początek', 'Begins with')}</th><th scope="col">{t('Uprawnień', 'Permissions')}</th><th scope="col"><span className="visually-hidden">{t('Działania', 'Actions')}</span></th></tr></thead><tbody>{found.data.keys.map((key) => <tr key={key.id}><td>{key.name}</td><td className="mono">{key.prefix}…</td><td title={key.permissions.join(', ')}>{key.permissions.length}</td><td>{key.revoked ? <State tone="bad">{t('unieważniony', 'revoked')}</State> : <Button variant="default" size="compact-xs" onClick={() => revoke.mutate(key.id)}>{t('Unieważnij', 'Revoke')}</Button>}</td></tr>)}</tbody></table></Wide></Card>}
    </>
  );
}

/** Both applications are drawn in it at once; a colour that cannot be read is refused with its ratio. */
/** The organization's look, and – where a sponsor wants its own – a program's. */
function LookPanel() {
  const { tenant, program } = useHere();
  const [whose, setWhose] = useState<'program' | 'tenant'>(tenant.permissions.includes('settings:write') ? 'tenant' : 'program');
  return (
    <Card title={t('Wygląd', 'Look')}><Stack maw={420}>
      <SegmentedControl aria-label={t('Czyj wygląd', 'Whose look')} value={whose} onChange={(value) => { setWhose(value as 'program'); applyLook(program.look ?? tenant.look); }} data={[{ value: 'tenant', label: t('Organizacja', 'Organization') }, { value: 'program', label: said(program.name) }]} />
      <LookForm key={`${whose}${program.look === null}`} whose={whose} />
    </Stack></Card>
  );
}

function LookForm({ whose }: { whose: 'program' | 'tenant' }) {
  const { tenant, program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const kept = whose === 'program' ? program.look ?? tenant.look : tenant.look;
  const shown = program.look ?? tenant.look;
  const allowed = whose === 'program' ? may('settings:write') : tenant.permissions.includes('settings:write');
  const [look, setLook] = useState(kept);
  useUnsaved(JSON.stringify(look) !== JSON.stringify(kept));
  const save = useMutation({
    mutationFn: async (wanted: typeof look | null) => { if (whose === 'program') await api.saveProgramLook({ params: { program: program.key }, body: { look: wanted } }); else if (wanted) await api.saveLook({ body: wanted }); },
    onSuccess: async () => { told(t('Zapisany. Obie aplikacje już tak wyglądają.', 'Saved. Both applications look like this now.')); await client.invalidateQueries({ queryKey: ['session'] }); }, onError: (error, wanted) => { applyLook(shown); failed(error, () => save.mutate(wanted)); },
  });
  const change = (next: typeof look): void => { setLook(next); applyLook(next); };
  const read = async (file: File | undefined): Promise<void> => { if (!file) return; const bytes = await file.arrayBuffer(); change({ ...look, logo: `data:${file.type};base64,${btoa(String.fromCharCode(...new Uint8Array(bytes)))}` }); };
  return (
    <>{asking}
      {whose === 'program' && program.look === null ? <Text size="sm" c="dimmed">{t('Program wygląda jak organizacja. Zapisz, żeby miał wygląd swojego sponsora.', 'The program looks like the organization. Save to give it its sponsor’s look.')}</Text> : null}
      {whose === 'tenant' && program.look !== null ? <Text size="sm" c="dimmed">{t('Ten program ma własny wygląd: zmiana dotyczy pozostałych.', 'This program has a look of its own: a change is for the others.')}</Text> : null}
      <label className="field">{t('Kolor wiodący', 'Accent colour')}<input type="color" disabled={!allowed} value={look.accent} onChange={(event) => change({ ...look, accent: event.target.value })} /></label>
      <label className="field">{t('Zaokrąglenie rogów', 'Corner radius')} ({look.radius})<input type="range" min={0} max={16} disabled={!allowed} value={look.radius} onChange={(event) => change({ ...look, radius: Number(event.target.value) })} /></label>
      <Group><FileButton onChange={(file) => void read(file ?? undefined)} accept="image/png,image/jpeg,image/webp" disabled={!allowed}>{(props) => <Button variant="default" {...props} disabled={!allowed}>{t('Wybierz logo', 'Choose a logo')}</Button>}</FileButton><Text size="sm" c="dimmed">{t('PNG, JPEG lub WebP, do 100 kB', 'PNG, JPEG or WebP, up to 100 kB')}</Text></Group>
      {look.logo ? <Group><img src={look.logo} alt={tenant.name} height={36} />{allowed ? <Button variant="default" size="compact-sm" onClick={() => change({ ...look, logo: null })}>{t('Usuń logo', 'Remove the logo')}</Button> : null}</Group> : null}
      {allowed ? <Group><Button onClick={() => save.mutate(look)} loading={save.isPending}>{t('Zapisz wygląd', 'Save the look')}</Button><Button variant="default" onClick={() => { setLook(kept); applyLook(shown); }}>{t('Przywróć', 'Restore')}</Button>{whose === 'program' && program.look !== null ? <Button variant="default" disabled={save.isPending} onClick={() => save.mutate(null)}>{t('Jak organizacja', 'Like the organization')}</Button> : null}</Group> : null}
    </>
  );
}

function Terms() {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed } = useGuard();
  const found = useQuery({ queryKey: ['terms', program.key], queryFn: () => api.listTerms({ params: { program: program.key } }) });
  const [draft, setDraft] = useState({ pl: '', en: '', effective_on: '', material: true });
  const publish = useMutation({ mutationFn: () => api.publishTerms({ params: { program: program.key }, body: { effective_on: draft.effective_on, material: draft.material, body: { pl: draft.pl, en: draft.en } } }), onSuccess: async (done) => { told(t(`Wersja ${done.version} opublikowana.`, `Version ${done.version} is published.`)); setDraft({ pl: '', en: '', effective_on: '', material: true }); await client.invalidateQueries({ queryKey: ['terms'] }); }, onError: (error) => failed(error) });
  return (
    <>
      {found.isPending ? <Bones /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : found.data.terms.length === 0 ? <Empty>{t('Program nie ma jeszcze regulaminu.', 'The program has no terms yet.')}</Empty> : found.data.terms.map((item) => <Card key={item.version} title={`${t('Wersja', 'Version')} ${item.version} · ${day(item.effective_on)}`} action={item.material ? <State tone="care">{t('pyta o zgodę ponownie', 'asks again')}</State> : <State>{t('redakcyjna', 'editorial')}</State>}><Text size="sm">{t('zaakceptowało', 'accepted by')}: {item.accepted}</Text><details><summary>{t('Treść', 'Text')}</summary><Text size="sm" style={{ whiteSpace: 'pre-wrap' }}>{said(item.body)}</Text></details></Card>)}
      {may('settings:write') ? <Card title={t('Nowa wersja', 'A new version')}><form onSubmit={(event) => { event.preventDefault(); publish.mutate(); }}><Stack><label className="field">{t('Po polsku', 'In Polish')}<textarea rows={8} required value={draft.pl} onChange={(event) => setDraft({ ...draft, pl: event.target.value })} /></label><label className="field">{t('Po angielsku', 'In English')}<textarea rows={8} required value={draft.en} onChange={(event) => setDraft({ ...draft, en: event.target.value })} /></label><Group align="flex-end"><label className="field">{t('Obowiązuje od', 'In force from')}<input type="date" required value={draft.effective_on} onChange={(event) => setDraft({ ...draft, effective_on: event.target.value })} /></label><Switch label={t('Istotna zmiana: zapytaj każdego ponownie', 'A material change: ask everybody again')} checked={draft.material} onChange={(event) => setDraft({ ...draft, material: event.currentTarget.checked })} /></Group><Group><Button type="submit" loading={publish.isPending}>{t('Opublikuj regulamin', 'Publish the terms')}</Button></Group></Stack></form></Card> : null}
    </>
  );
}

type AuditRow = Awaited<ReturnType<typeof api.listAudit>>['entries'][number];
const Audit = () => <DataTable<AuditRow> name="audit" file="/v1/audit" keyOf={(row) => row.id} empty={t('Dziennik jest pusty.', 'The audit is empty.')} filters={[{ name: 'search', word: t('Czego dotyczy', 'About') }, { name: 'action', word: t('Działanie', 'Action') }, { name: 'principal', word: t('Kto', 'Who') }]} ask={async (page) => { const { entries, next } = await api.listAudit({ query: page as never }); return { rows: entries, next }; }} columns={[{ key: 'at', sorts: true, word: t('Kiedy', 'When'), show: (row) => moment(row.at) }, { key: 'principal', sorts: true, word: t('Kto', 'Who'), show: (row) => row.by ?? whoDid(row.principal) }, { key: 'action', sorts: true, word: t('Działanie', 'Action'), show: (row) => row.action }, { key: 'subject', sorts: true, word: t('Czego dotyczy', 'About'), show: (row) => row.subject }, { key: 'before', word: t('Przed', 'Before'), show: (row) => <span className="raw">{shown(row.before)}</span> }, { key: 'after', word: t('Po', 'After'), show: (row) => <span className="raw">{shown(row.after)}</span> }]} />;
const shown = (value: unknown): string => (value === null || value === undefined ? '' : JSON.stringify(value).slice(0, 160));

const TASKS: Record<string, () => string> = {
  record_import: () => t('Zapis zatwierdzonego importu', 'Recording an approved import'), settle_pools: () => t('Rozliczanie rankingów i zespołów', 'Settling rankings and teams'), deliver_outbox: () => t('Wysyłka zdarzeń', 'Sending events'), send_payouts: () => t('Wypłaty do dostawcy', 'Payouts to a provider'),
  seal: () => t('Pieczętowanie księgi', 'Sealing the books'), expire_lots: () => t('Utrata ważności', 'Expiry'), refresh_segments: () => t('Liczenie segmentów', 'Computing segments'), purge: () => t('Porządki', 'Cleaning up'),
};

/** What runs without anybody watching, where it failed. */
function Jobs() {
  const found = useQuery({ queryKey: ['jobs'], queryFn: () => api.listFailedJobs() });
  if (found.isPending) return <Bones />;
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  return found.data.jobs.length === 0 ? <Empty>{t('Nic nie stoi. Import, pieczęcie, wypłaty i porządki robią się same.', 'Nothing stands still. Imports, seals, payouts and cleaning run by themselves.')}</Empty> : (
    <Card title={t('Nie udało się', 'Failed')}><Text size="sm" mb="xs">{t('Nic nie zginęło: każde z tych zadań można powtórzyć bez szkody i ponawia się samo, aż do wyczerpania prób.', 'Nothing is lost: each of these may be repeated without harm, and is tried again by itself until its tries are used up.')}</Text>
      <Wide><table className="sheet words"><thead><tr><th scope="col">{t('Zadanie', 'Job')}</th><th scope="col">{t('Program', 'Program')}</th><th scope="col">{t('Próby', 'Tries')}</th><th scope="col">{t('Następna', 'Next')}</th><th scope="col">{t('Powód', 'Reason')}</th></tr></thead><tbody>{found.data.jobs.map((job) => <tr key={job.id}><td>{TASKS[job.task]?.() ?? job.task}</td><td>{job.program ?? '–'}</td><td>{job.tries} / {job.tries_max}</td><td>{job.next_try === null ? <State tone="bad">{t('porzucone', 'given up')}</State> : moment(job.next_try)}</td><td>{job.error === '' ? t('zadanie całej instalacji; szczegóły ma jej administrator w dzienniku serwera', 'a job of the whole installation; its administrator has the details in the server’s log') : <code className="mono">{job.error}</code>}</td></tr>)}</tbody></table></Wide></Card>
  );
}
