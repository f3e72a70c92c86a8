import { Button, Group, Select, Tabs, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { amount, api, count, day, money, t } from '@premia/ui';
import { useRef, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { DataTable } from './data-table.tsx';
import { Card, Empty, Failed, Bones, Head, Reasoned, State, told, useGuard, Wide } from './parts.tsx';
import { MappingPanel } from './mapping.tsx';
import { useHere, useMay } from './place.ts';

export const IMPORT_STATES: Record<string, () => [tone: 'good' | 'bad' | 'care' | 'plain', word: string]> = {
  staging: () => ['plain', t('wczytywany', 'being read')], staged: () => ['care', t('do zatwierdzenia', 'to approve')], approved: () => ['plain', t('zapisywany', 'being recorded')], recorded: () => ['good', t('zapisany', 'recorded')], rejected: () => ['bad', t('odrzucony', 'rejected')], failed: () => ['bad', t('przerwany', 'failed')],
};
export const ImportState = ({ state }: { state: string }) => { const [tone, word] = IMPORT_STATES[state]?.() ?? ['plain', state]; return <State tone={tone}>{word}</State>; };
type Row = Awaited<ReturnType<typeof api.listImports>>['imports'][number];

/** Files on their way in: drop, watch, decide; what came changed and what waits for its invoice. */
export function Imports() {
  const { program } = useHere();
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const tab = params.get('tab') ?? 'imports';
  return (
    <>
      <Head title={t('Importy', 'Imports')} />
      {may('facts:write') ? <Drop /> : null}
      <Tabs value={tab} onChange={(value) => setParams(value === 'imports' || value === null ? {} : { tab: value })} mt="md" keepMounted={false}>
        <Tabs.List mb="sm"><Tabs.Tab value="imports">{t('Pliki', 'Files')}</Tabs.Tab><Tabs.Tab value="conflicts">{t('Konflikty', 'Conflicts')}</Tabs.Tab><Tabs.Tab value="waiting">{t('Korekty bez faktury', 'Corrections without their invoice')}</Tabs.Tab></Tabs.List>
        <Tabs.Panel value="imports">
          <DataTable<Row> name="imports" file={`/v1/programs/${program.key}/imports`} keyOf={(row) => row.id} to={(row) => `/imports/${row.id}`} empty={t('Jeszcze nie było importu. Upuść wyżej plik od dystrybutora.', 'No import yet. Drop a distributor’s file above.')}
            filters={[{ name: 'search', word: t('Plik lub numer', 'File or number') }, { name: 'state', word: t('Stan', 'State'), options: Object.keys(IMPORT_STATES).map((value) => ({ value, label: IMPORT_STATES[value]?.()[1] ?? value })) }]}
            ask={async (page) => { const { imports, next } = await api.listImports({ params: { program: program.key }, query: page as never }); return { rows: imports, next }; }}
            columns={[{ key: 'parts', sorts: true, word: t('Plik', 'File'), show: (row) => row.parts.join(', ') || `#${row.id}` }, { key: 'source', sorts: true, word: t('Źródło', 'Source'), show: (row) => row.source }, { key: 'state', sorts: true, word: t('Stan', 'State'), show: (row) => <ImportState state={row.state} /> }, { key: 'rows', sorts: true, word: t('Wierszy', 'Rows'), number: true, show: (row) => count(row.counts['rows'] ?? 0) }, { key: 'new', word: t('Nowych', 'New'), number: true, show: (row) => count(row.counts['new'] ?? 0) }, { key: 'known', word: t('Już zapisanych', 'Known'), number: true, show: (row) => count(row.counts['known'] ?? 0) }, { key: 'quarantined', sorts: true, word: t('W kwarantannie', 'Set aside'), number: true, show: (row) => count(row.counts['quarantined'] ?? 0) }]} />
        </Tabs.Panel>
        <Tabs.Panel value="conflicts"><Conflicts /></Tabs.Panel>
        <Tabs.Panel value="waiting"><Waiting /></Tabs.Panel>
      </Tabs>
    </>
  );
}

function Drop() {
  const { program } = useHere();
  const may = useMay();
  const [, go] = useLocation();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const file = useQuery({ queryKey: ['program', program.key], queryFn: () => api.exportProgram({ params: { program: program.key } }) });
  const declared = (file.data?.['sources'] ?? []) as { key: string; mapping?: Record<string, unknown> }[];
  const sources = declared.map((item) => item.key);
  const [reading, setReading] = useState(false);
  const [source, setSource] = useState<string | null>(null);
  const [over, setOver] = useState(false);
  const [busy, setBusy] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const from = source ?? sources[0] ?? null;
  const send = async (files: readonly File[]): Promise<void> => {
    if (files.length === 0 || from === null) return;
    try {
      let id = '';
      if (files.length === 1 && files[0]) { setBusy(files[0].name); id = (await api.stageImport({ params: { program: program.key }, query: { source: from, name: files[0].name }, file: files[0] })).import; }
      else {
        const { upload } = await api.openUpload({ params: { program: program.key }, body: { source: from } });
        for (const [index, one] of files.entries()) { setBusy(`${one.name} (${index + 1}/${files.length})`); await api.addPart({ params: { program: program.key, upload }, query: { name: one.name }, file: one }); }
        setBusy(t('sprawdzam', 'checking'));
        id = (await api.stageUpload({ params: { program: program.key, upload } })).import;
      }
      await client.invalidateQueries({ queryKey: ['today'] });
      go(`/imports/${id}`);
    } catch (error) { failed(error); }
    setBusy('');
  };
  return (
    <section className={`drop${over ? ' over' : ''}`} aria-label={t('Nowy import', 'A new import')} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={(event) => { event.preventDefault(); setOver(false); void send([...event.dataTransfer.files]); }}>
      <Group justify="center" align="flex-end">
        <Select label={t('Źródło', 'Source')} data={sources} value={from} onChange={setSource} allowDeselect={false} w={200} />
        <Button onClick={() => input.current?.click()} loading={busy !== ''}>{t('Wybierz pliki', 'Choose files')}</Button>
        {may('programs:write') && from !== null ? <Button variant="default" onClick={() => setReading(true)}>{t('Jak czytać kolumny', 'How to read columns')}</Button> : null}
        <input ref={input} type="file" multiple hidden accept=".csv,.gz,.xlsx,.txt" aria-label={t('Pliki', 'Files')} onChange={(event) => { void send([...event.target.files ?? []]); event.target.value = ''; }} />
      </Group>
      <Text mt="xs" c="dimmed" aria-live="polite">{busy === '' ? t('albo upuść tu pliki CSV, CSV.gz lub XLSX – kilka naraz to jeden import', 'or drop CSV, CSV.gz or XLSX files here – several at once are one import') : `${t('Wczytuję:', 'Reading:')} ${busy}`}</Text>{asking}
      {from === null ? null : <MappingPanel key={from} source={from} saved={declared.find((item) => item.key === from)?.mapping} open={reading} close={() => setReading(false)} />}
    </section>
  );
}

type Conflict = Awaited<ReturnType<typeof api.listConflicts>>['conflicts'][number];
/** What a document's lines come to, exactly: every line has as many decimals as the program's currency. */
function netOf({ lines }: Conflict['sent']): string {
  const scale = (lines[0]?.net.split('.')[1] ?? '').length;
  const sum = lines.reduce((total, line) => total + BigInt(line.net.replace('.', '')), 0n);
  const digits = String(sum < 0n ? -sum : sum).padStart(scale + 1, '0');
  return `${sum < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}${scale > 0 ? `.${digits.slice(-scale)}` : ''}`;
}

function Conflicts() {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const [deciding, setDeciding] = useState<{ conflict: Conflict; decision: 'keep' | 'accept' } | null>(null);
  const found = useInfiniteQuery({ queryKey: ['conflicts', program.key], initialPageParam: undefined as string | undefined, queryFn: ({ pageParam }) => api.listConflicts({ params: { program: program.key }, query: { limit: 20, ...(pageParam === undefined ? {} : { after: pageParam }) } }), getNextPageParam: (page) => page.next ?? undefined });
  const decide = useMutation({ mutationFn: (given: { conflict: string; decision: 'keep' | 'accept'; reason: string }) => api.decideConflict({ params: { program: program.key, conflict: given.conflict }, body: { decision: given.decision, reason: given.reason } }), onSuccess: async () => { setDeciding(null); told(t('Rozstrzygnięte.', 'Decided.')); await client.invalidateQueries(); }, onError: (error, given) => failed(error, () => decide.mutate(given)) });
  if (found.isPending) return <Bones />;
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  const conflicts = found.data.pages.flatMap((page) => page.conflicts);
  if (conflicts.length === 0) return <Empty>{t('Żaden dokument nie przyszedł inny niż zapisany.', 'No document came again changed.')}</Empty>;
  const [now, then] = deciding ? [netOf(deciding.conflict.recorded), netOf(deciding.conflict.sent)] : ['0', '0'];
  return (
    <>{asking}{conflicts.map((conflict) => (
      <Card key={conflict.id} title={`${conflict.number} · ${conflict.source}`} action={may('imports:approve') ? <Group gap="xs"><Button variant="default" size="compact-md" onClick={() => setDeciding({ conflict, decision: 'keep' })}>{t('Zostaw zapisany', 'Keep the recorded one')}</Button><Button size="compact-md" onClick={() => setDeciding({ conflict, decision: 'accept' })}>{t('Przyjmij nowy', 'Accept the new one')}</Button></Group> : null}>
        <div className="grid">{([[t('Zapisany', 'Recorded'), conflict.recorded], [t('Przysłany', 'Sent'), conflict.sent]] as const).map(([word, side]) => (
          <div key={word}><strong>{word}</strong> <Text span c="dimmed">{day(side.occurred_on)}, {side.currency}</Text>
            <Wide><table className="sheet"><thead><tr><th>{t('Poz.', 'Line')}</th><th>{t('Produkt', 'Product')}</th><th>{t('Ilość', 'Quantity')}</th><th>{t('Netto', 'Net')}</th></tr></thead><tbody>{side.lines.map((line) => <tr key={line.line}><td>{line.line}</td><td>{line.product ?? '–'}</td><td>{amount(line.quantity.replace(/\.?0+$/, ''))}</td><td>{money(line.net, side.currency)}</td></tr>)}</tbody></table></Wide></div>))}</div>
      </Card>))}
      {found.hasNextPage ? <Group justify="center"><Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{t('Pokaż następne', 'Show more')}</Button></Group> : null}
      {deciding ? (
        <Reasoned title={`${deciding.conflict.number} · ${deciding.conflict.source}`} word={deciding.decision === 'keep' ? t('Zostaw zapisany', 'Keep the recorded one') : t('Przyjmij nowy', 'Accept the new one')} close={() => setDeciding(null)} busy={decide.isPending} act={(reason) => decide.mutate({ conflict: deciding.conflict.id, decision: deciding.decision, reason })}>
          <Text size="sm">{deciding.decision === 'keep' ? t(`Nic się nie zmieni: zostaje ${money(now, deciding.conflict.recorded.currency)}.`, `Nothing changes: ${money(now, deciding.conflict.recorded.currency)} stays.`) : t(`Netto zmieni się z ${money(now, deciding.conflict.recorded.currency)} na ${money(then, deciding.conflict.sent.currency)}, jako korekta zapisanego dokumentu. Należności przeliczą się od razu.`, `The net changes from ${money(now, deciding.conflict.recorded.currency)} to ${money(then, deciding.conflict.sent.currency)}, as a correction of the recorded document. Entitlements are computed again at once.`)}</Text>
        </Reasoned>
      ) : null}</>
  );
}

type WaitingRow = Awaited<ReturnType<typeof api.listWaiting>>['documents'][number];
function Waiting() {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const [ending, setEnding] = useState<WaitingRow | null>(null);
  const giveUp = useMutation({ mutationFn: ({ row, reason }: { row: WaitingRow; reason: string }) => api.giveUpWait({ params: { program: program.key }, body: { source: row.source, document: row.number, reason } }), onSuccess: async () => { setEnding(null); told(t('Korekta liczy się teraz z własną datą.', 'The correction now counts on its own date.')); await client.invalidateQueries(); }, onError: (error, given) => failed(error, () => giveUp.mutate(given)) });
  return <>{asking}{ending ? <Reasoned title={t(`Nie czekać dłużej na ${ending.base}?`, `Stop waiting for ${ending.base}?`)} word={t('Nie czekaj dłużej', 'Stop waiting')} close={() => setEnding(null)} busy={giveUp.isPending} act={(reason) => giveUp.mutate({ row: ending, reason })}><Text size="sm">{t(`Korekta ${ending.number} na ${money(ending.net, program.currency)} zacznie się liczyć z własną datą, ${day(ending.occurred_on)}.`, `Correction ${ending.number} of ${money(ending.net, program.currency)} will count on its own date, ${day(ending.occurred_on)}.`)}</Text></Reasoned> : null}<DataTable<WaitingRow> name="waiting" file={`/v1/programs/${program.key}/waiting`} keyOf={(row) => `${row.source}/${row.number}`} filters={[{ name: 'search', word: t('Numer', 'Number') }]} empty={t('Każda korekta ma swoją fakturę.', 'Every correction has its invoice.')} ask={async (page) => { const { documents, next } = await api.listWaiting({ params: { program: program.key }, query: page as never }); return { rows: documents, next }; }}
    columns={[{ key: 'number', sorts: true, word: t('Korekta', 'Correction'), show: (row) => row.number }, { key: 'base', sorts: true, word: t('Czeka na', 'Waits for'), show: (row) => row.base }, { key: 'source', sorts: true, word: t('Źródło', 'Source'), show: (row) => row.source }, { key: 'occurred_on', sorts: true, word: t('Data', 'Date'), show: (row) => day(row.occurred_on) }, { key: 'net', sorts: true, word: t('Netto', 'Net'), number: true, show: (row) => money(row.net, program.currency) }]}
    {...(may('imports:approve') ? { lastColumn: (row: WaitingRow) => <Button variant="default" size="compact-sm" onClick={() => setEnding(row)}>{t('Nie czekaj dłużej', 'Stop waiting')}</Button> } : {})} /></>;
}
