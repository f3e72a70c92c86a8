import { Anchor, Button, Drawer, Group, Select, Stack, Tabs, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, count, day, moment, money, t } from '@premia/ui';
import { useRef, useState, type ReactNode } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { DataTable } from './data-table.tsx';
import { BATCH_STATES, BatchState, FORMATS, download, kindWord } from './order-words.tsx';
import { Bones, Card, Confirm, Failed, Forbidden, Head, State, told, useGuard, Wide } from './parts.tsx';
import { useHere, useMay } from './place.ts';

type Batch = Awaited<ReturnType<typeof api.listBatches>>['batches'][number];

/** Batches of money on its way out: who made, approved and exported each, and what came of it. */
export function Payouts() {
  const { program } = useHere();
  const may = useMay();
  const [open, setOpen] = useState(false);
  const [params, setParams] = useSearchParams();
  const tab = params.get('tab') ?? 'batches';
  return (
    <>
      <Head title={t('Wypłaty', 'Payouts')} quiet={t('trzy osoby: przygotowuje, zatwierdza, eksportuje', 'three people: one makes, one approves, one exports')} action={may('payouts:propose') ? <Button onClick={() => setOpen(true)}>{t('Przygotuj paczkę', 'Make a batch')}</Button> : null} />
      <Tabs value={tab} onChange={(value) => setParams(value === 'cards' ? { tab: value } : {})} keepMounted={false}>
        <Tabs.List mb="sm"><Tabs.Tab value="batches">{t('Paczki', 'Batches')}</Tabs.Tab>{may('members:read') ? <Tabs.Tab value="cards">{t('Karty przedpłacone', 'Prepaid cards')}</Tabs.Tab> : null}</Tabs.List>
        <Tabs.Panel value="batches"><DataTable<Batch> name="batches" file={`/v1/programs/${program.key}/batches`} keyOf={(row) => row.id} to={(row) => `/payouts/${row.id}`} empty={t('Nie ma jeszcze paczek. Gdy jakieś wypłaty będą zatwierdzone, przygotuj pierwszą.', 'There are no batches yet. Once payouts are approved, make the first.')}
        filters={[{ name: 'search', word: t('Numer lub plik', 'Number or file') }, { name: 'state', word: t('Stan', 'State'), options: Object.entries(BATCH_STATES).map(([value, word]) => ({ value, label: word()[1] })) }]}
        ask={async (page) => { const { batches, next } = await api.listBatches({ params: { program: program.key }, query: page as never }); return { rows: batches, next }; }}
        columns={[{ key: 'id', sorts: true, word: t('Nr', 'No.'), show: (row) => row.id }, { key: 'rail', sorts: true, word: t('Rodzaj', 'Kind'), show: (row) => kindWord(row.rail) }, { key: 'format', sorts: true, word: t('Plik', 'File'), show: (row) => FORMATS[row.format] ?? row.format }, { key: 'state', sorts: true, word: t('Stan', 'State'), show: (row) => <BatchState state={row.state} /> }, { key: 'execute_on', sorts: true, word: t('Na dzień', 'For the day'), show: (row) => day(row.execute_on) }, { key: 'items', sorts: true, word: t('Pozycji', 'Items'), number: true, show: (row) => count(row.items) }, { key: 'total', sorts: true, word: t('Suma', 'Total'), number: true, show: (row) => money(row.total, program.currency) },
          { key: 'proposed_by', word: t('Przygotował', 'Made by'), show: (row) => row.proposed_by }, { key: 'approved_by', word: t('Zatwierdził', 'Approved by'), show: (row) => row.approved_by ?? '–' }, { key: 'exported_by', word: t('Wyeksportował', 'Exported by'), show: (row) => row.exported_by ?? '–', hidden: true }]} /></Tabs.Panel>
        <Tabs.Panel value="cards"><Cards /></Tabs.Panel>
      </Tabs>
      <NewBatch open={open} close={() => setOpen(false)} />
    </>
  );
}

function NewBatch({ open, close }: { open: boolean; close: () => void }) {
  const { program } = useHere();
  const client = useQueryClient();
  const [, go] = useLocation();
  const { failed, asking } = useGuard();
  const [format, setFormat] = useState<'topup' | 'elixir0' | 'pain001'>('topup');
  const [on, setOn] = useState(new Date().toISOString().slice(0, 10));
  const make = useMutation({ mutationFn: () => api.proposeBatch({ params: { program: program.key }, body: { rail: format === 'topup' ? 'prepaid' : 'transfer', format, execute_on: on } }), onSuccess: async ({ batch }) => { close(); await client.invalidateQueries(); go(`/payouts/${batch}`); }, onError: (error) => failed(error, () => make.mutate()) });
  return (
    <Drawer opened={open} onClose={close} position="right" title={t('Nowa paczka wypłat', 'A new batch of payouts')} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}>{asking}
      <form onSubmit={(event) => { event.preventDefault(); make.mutate(); }}><Stack>
        <Select label={t('Co i jakim plikiem', 'What, and by which file')} value={format} onChange={(value) => setFormat((value ?? 'topup') as 'topup')} allowDeselect={false} data={[{ value: 'topup', label: t('Doładowania kart – szablon CSV', 'Card top-ups – CSV template') }, { value: 'elixir0', label: t('Przelewy – Elixir-0', 'Transfers – Elixir-0') }, { value: 'pain001', label: t('Przelewy – pain.001', 'Transfers – pain.001') }]} />
        <label className="field">{t('Na dzień', 'For the day')}<input type="date" required value={on} onChange={(event) => setOn(event.target.value)} /></label>
        <Text size="sm" c="dimmed">{t('Do paczki wejdą wszystkie zatwierdzone wypłaty tego rodzaju, najdłużej czekające pierwsze.', 'All approved payouts of this kind go in, the longest waiting first.')}</Text>
        <Button type="submit" loading={make.isPending}>{t('Przygotuj paczkę', 'Make the batch')}</Button>
      </Stack></form>
    </Drawer>
  );
}

const OUTCOMES: Record<string, () => ['good' | 'bad' | 'plain', string]> = { loaded: () => ['good', t('wykonane', 'carried out')], rejected: () => ['bad', t('odrzucone', 'rejected')], taken_out: () => ['plain', t('wyjęte', 'taken out')] };

/** One batch: its way through three pairs of hands, its file, what the bank or provider said, to the grosz. */
export function Payout({ id = '' }: { id?: string }) {
  const { program, tenant } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const [sure, setSure] = useState<'approve' | 'export' | 'cancel' | 'rest' | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const params = { program: program.key, batch: id };
  const found = useQuery({ queryKey: ['batch', program.key, id], queryFn: () => api.readBatch({ params }) });
  const act = useMutation({
    mutationFn: async (what: 'approve' | 'export' | 'cancel' | 'rest' | { text: string }): Promise<unknown> => {
      if (typeof what === 'object') { const said = await api.confirmBatch({ params, body: what }); told(t(`Wykonane: ${count(said.loaded)}, odrzucone: ${count(said.rejected)}, znane już: ${count(said.already)}, bez odpowiedzi: ${count(said.open)}.`, `Carried out: ${count(said.loaded)}, rejected: ${count(said.rejected)}, known already: ${count(said.already)}, unanswered: ${count(said.open)}.`)); return said; }
      if (what === 'approve') return api.approveBatch({ params });
      if (what === 'export') return api.exportBatch({ params });
      return what === 'cancel' ? api.cancelBatch({ params }) : api.confirmBatch({ params, body: { rest: 'loaded' } });
    },
    onSuccess: async () => { setSure(null); await client.invalidateQueries(); }, onError: (error, what) => { setSure(null); failed(error, () => act.mutate(what)); },
  });
  if (found.isPending) return <Bones />;
  if (found.isError) return <><Head title={t('Paczka', 'Batch')} trail={[['/payouts', t('Wypłaty', 'Payouts')]]} /><Failed error={found.error} again={() => void found.refetch()} /></>;
  const batch = found.data;
  const take = (): void => { void download(`/v1/programs/${program.key}/batches/${id}/file`, batch.file_name ?? 'batch', { 'x-premia-tenant': tenant.key }).catch((error: unknown) => failed(error)); };
  const read = async (file: File | undefined): Promise<void> => { if (file) act.mutate({ text: await file.text() }); if (input.current) input.current.value = ''; };
  const total = money(batch.total, program.currency);
  const sums: [string, string][] = [[t('w paczce', 'in the batch'), batch.total], [t('wykonane', 'carried out'), batch.sums.loaded], [t('odrzucone', 'rejected'), batch.sums.rejected], [t('wyjęte', 'taken out'), batch.sums.taken_out], [t('bez odpowiedzi', 'unanswered'), batch.sums.open]];
  return (
    <>
      {asking}
      <Head title={<>{t('Paczka', 'Batch')} {id} <BatchState state={batch.state} /></>} trail={[['/payouts', t('Wypłaty', 'Payouts')]]} quiet={`${kindWord(batch.rail)}, ${FORMATS[batch.format] ?? ''}, ${day(batch.execute_on)}`} action={<>
        {batch.state === 'proposed' && may('payouts:approve') ? <Button onClick={() => setSure('approve')}>{t('Zatwierdź paczkę', 'Approve the batch')}</Button> : null}
        {batch.state === 'approved' && may('payouts:export') ? <Button onClick={() => setSure('export')}>{t('Zrób plik', 'Make the file')}</Button> : null}
        {batch.sha256 && may('payouts:export') ? <Button variant="default" onClick={take}>{t('Pobierz plik', 'Download the file')}</Button> : null}
        {batch.state === 'exported' && may('payouts:propose') ? <><input ref={input} hidden type="file" accept=".csv,.txt" onChange={(event) => void read(event.target.files?.[0])} /><Button loading={act.isPending} onClick={() => input.current?.click()}>{t('Wczytaj statusy', 'Read the status file')}</Button><Button variant="default" onClick={() => setSure('rest')}>{t('Reszta wykonana', 'The rest is done')}</Button></> : null}
        {(batch.state === 'proposed' || batch.state === 'approved') && may('payouts:propose') ? <Button variant="default" onClick={() => setSure('cancel')}>{t('Odrzuć paczkę', 'Give it up')}</Button> : null}
      </>} />
      <div className="grid">
        <Card title={t('Ręce', 'Hands')}><dl className="pairs"><dt>{t('Przygotował', 'Made by')}</dt><dd>{batch.proposed_by}, {moment(batch.proposed_at)}</dd><dt>{t('Zatwierdził', 'Approved by')}</dt><dd>{batch.approved_by ?? '–'}</dd><dt>{t('Wyeksportował', 'Exported by')}</dt><dd>{batch.exported_by ?? '–'}{batch.exported_at ? `, ${moment(batch.exported_at)}` : ''}</dd></dl></Card>
        <Card title={t('Uzgodnienie', 'Reconciliation')}><dl className="pairs">{sums.map(([word, sum]) => [<dt key={`${word}t`}>{word}</dt>, <dd key={word}>{money(sum, program.currency)}</dd>])}</dl></Card>
        {batch.sha256 ? <Card title={t('Plik', 'File')}><Text size="sm">{batch.file_name}</Text><Text size="xs" className="mono" style={{ overflowWrap: 'anywhere' }}>SHA-256 {batch.sha256}</Text></Card> : null}
      </div>
      <Card title={t('Pozycje', 'Lines')} action={<Button size="compact-md" variant="default" onClick={() => void download(`/v1/programs/${program.key}/batches/${id}/lines.xlsx`, `batch-${id}.xlsx`, { 'x-premia-tenant': tenant.key }).catch((error: unknown) => failed(error))}>{t('Uzgodnienie XLSX', 'Reconciliation XLSX')}</Button>}><Wide least={520}><table className="sheet words" style={{ width: '100%' }}><thead><tr><th scope="col">{t('Wiersz', 'Line')}</th><th scope="col">{t('Uczestnik', 'Member')}</th><th scope="col" className="number">{t('Kwota', 'Amount')}</th><th scope="col">{t('Wynik', 'Outcome')}</th><th scope="col">{t('Uwaga', 'Note')}</th></tr></thead><tbody>{batch.lines.map((line) => { const [tone, word] = line.outcome === null ? ['plain' as const, t('czeka', 'waits')] : OUTCOMES[line.outcome]?.() ?? ['plain' as const, line.outcome]; return <tr key={line.item}><td>{line.line}</td><td><Anchor component={Link} href={`/members/${encodeURIComponent(line.member)}`}>{line.name ?? line.member}</Anchor></td><td className="number">{money(line.amount, program.currency)}</td><td><State tone={tone}>{word}</State></td><td>{line.reason ?? line.provider_ref ?? '–'}</td></tr>; })}</tbody></table></Wide></Card>
      <Confirm open={sure === 'approve'} close={() => setSure(null)} title={t('Zatwierdzić paczkę?', 'Approve the batch?')} word={t('Zatwierdź paczkę', 'Approve the batch')} act={() => act.mutate('approve')} busy={act.isPending}><Text>{t(`${count(batch.items)} poz., razem ${total}.`, `${count(batch.items)} lines, ${total} in all.`)}</Text></Confirm>
      <Confirm open={sure === 'export'} close={() => setSure(null)} title={t('Zrobić plik?', 'Make the file?')} word={t('Zrób plik', 'Make the file')} act={() => act.mutate('export')} busy={act.isPending}><Text>{t(`Plik na ${total} powstanie raz i nie zmieni się. Od tej chwili wypłat nie można wycofać.`, `The file of ${total} is made once and never changes. From then on the payouts cannot be taken back.`)}</Text></Confirm>
      <Confirm open={sure === 'cancel'} close={() => setSure(null)} title={t('Odrzucić paczkę?', 'Give the batch up?')} word={t('Odrzuć paczkę', 'Give it up')} act={() => act.mutate('cancel')} busy={act.isPending}><Text>{t('Wypłaty wrócą do zatwierdzonych i wejdą do następnej paczki.', 'Its payouts are approved again and go into the next batch.')}</Text></Confirm>
      <Confirm open={sure === 'rest'} close={() => setSure(null)} title={t('Reszta wykonana?', 'Is the rest done?')} word={t('Tak, wykonana', 'Yes, it is')} act={() => act.mutate('rest')} busy={act.isPending}><Text>{t(`${money(batch.sums.open, program.currency)} bez odpowiedzi zostanie uznane za wypłacone. To Twoje słowo; zostanie w dzienniku.`, `${money(batch.sums.open, program.currency)} without an answer will count as paid. It is your word, and stays in the audit.`)}</Text></Confirm>
    </>
  );
}

const CARD_STATES: Record<string, () => string> = { issued: () => t('wydana', 'issued'), active: () => t('aktywna', 'active'), blocked: () => t('zablokowana', 'blocked'), closed: () => t('zamknięta', 'closed') };
type CardRow = Awaited<ReturnType<typeof api.listCards>>['cards'][number];
/** Cards by their last four digits; one is given to a person here. */
function Cards() {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [draft, setDraft] = useState({ member: '', proxy: '', last4: '' });
  const issue = useMutation({ mutationFn: () => api.issueCard({ params: { program: program.key, member: draft.member }, body: { proxy: draft.proxy, last4: draft.last4 } }), onSuccess: async () => { setDraft({ member: '', proxy: '', last4: '' }); told(t('Karta wydana.', 'The card is issued.')); await client.invalidateQueries(); }, onError: (error) => failed(error) });
  const set = useMutation({ mutationFn: (given: { card: string; state: 'active' | 'blocked' | 'closed' }) => api.setCardState({ params: { program: program.key, card: given.card }, body: { state: given.state } }), onSuccess: () => client.invalidateQueries(), onError: (error) => failed(error) });
  if (!may('members:read')) return <Forbidden />;
  const actions = (card: CardRow): ReactNode => (card.state === 'closed' ? null : <Group gap="xs" justify="flex-end" wrap="nowrap"><Button size="compact-sm" variant="default" aria-label={`${card.state === 'blocked' ? t('Odblokuj', 'Unblock') : t('Zablokuj', 'Block')} ${card.last4}`} onClick={() => set.mutate({ card: card.id, state: card.state === 'blocked' ? 'active' : 'blocked' })}>{card.state === 'blocked' ? t('Odblokuj', 'Unblock') : t('Zablokuj', 'Block')}</Button><Button size="compact-sm" variant="default" aria-label={`${t('Zamknij kartę', 'Close the card')} ${card.last4}`} onClick={() => set.mutate({ card: card.id, state: 'closed' })}>{t('Zamknij kartę', 'Close the card')}</Button></Group>);
  return (
    <>
      <DataTable<CardRow> name="cards" file={`/v1/programs/${program.key}/cards`} keyOf={(row) => row.id} empty={t('Nikt nie ma jeszcze karty.', 'Nobody has a card yet.')}
        filters={[{ name: 'search', word: t('Kto, ostatnie cyfry', 'Who, last digits') }, { name: 'state', word: t('Stan', 'State'), options: Object.entries(CARD_STATES).map(([value, word]) => ({ value, label: word() })) }]}
        ask={async (page) => { const { cards, next } = await api.listCards({ params: { program: program.key }, query: page as never }); return { rows: cards, next }; }}
        columns={[{ key: 'name', word: t('Kto', 'Who'), sorts: true, show: (row) => row.name ?? row.member }, { key: 'member', word: t('Kod', 'Code'), sorts: true, show: (row) => row.member }, { key: 'last4', word: t('Karta', 'Card'), sorts: true, show: (row) => `… ${row.last4}` }, { key: 'state', word: t('Stan', 'State'), sorts: true, show: (row) => CARD_STATES[row.state]?.() ?? row.state }, { key: 'issued_on', word: t('Od', 'Since'), sorts: true, show: (row) => day(row.issued_on) }]}
        {...(may('rewards:write') ? { lastColumn: actions } : {})} />
      {may('rewards:write') ? <Card title={t('Wydaj kartę', 'Issue a card')}><form onSubmit={(event) => { event.preventDefault(); issue.mutate(); }}><Group align="flex-end" mt="sm"><label className="field">{t('Kod uczestnika', 'Member code')}<input required value={draft.member} onChange={(event) => setDraft({ ...draft, member: event.target.value })} /></label><label className="field">{t('Numer nadany przez dostawcę', 'The provider’s own number')}<input required minLength={4} maxLength={60} value={draft.proxy} onChange={(event) => setDraft({ ...draft, proxy: event.target.value })} /></label><label className="field">{t('Ostatnie cztery cyfry', 'Last four digits')}<input required pattern="[0-9]{4}" value={draft.last4} onChange={(event) => setDraft({ ...draft, last4: event.target.value })} /></label><Button type="submit" loading={issue.isPending}>{t('Wydaj kartę', 'Issue a card')}</Button></Group></form></Card> : null}
    </>
  );
}
