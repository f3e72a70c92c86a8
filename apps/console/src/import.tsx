import { Alert, Button, Group, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, count, inUnit, locale, plural, t, tenantNow } from '@premia/ui';
import { useState } from 'react';
import { Bones, Card, Confirm, Failed, Head, told, useGuard, Wide } from './parts.tsx';
import { ImportState } from './imports.tsx';
import { useHere, useMay } from './place.ts';

/** One import: what is in it, what it would award, what was set aside and can be mended; then a second person decides. */
export function Import({ id = '' }: { id?: string }) {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const [sure, setSure] = useState(false);
  const [reason, setReason] = useState('');
  const list = useQuery({ queryKey: ['import', program.key, id], queryFn: async () => (await api.listImports({ params: { program: program.key }, query: { limit: 200 } })).imports.find((item) => item.id === id) ?? null, refetchInterval: (query) => (['staging', 'approved'].includes(query.state.data?.state ?? '') ? 1_500 : false) });
  const state = list.data?.state;
  const preview = useQuery({ queryKey: ['import-preview', program.key, id], enabled: state === 'staged', queryFn: () => api.previewImport({ params: { program: program.key, import: id } }) });
  const approve = useMutation({ mutationFn: () => api.approveImport({ params: { program: program.key, import: id } }), onSuccess: async (done) => { told(t(`Zapisano ${plural(done.recorded, ['wiersz', 'wiersze', 'wierszy'], ['', ''])}.`, `${plural(done.recorded, ['', '', ''], ['line', 'lines'])} recorded.`)); setSure(false); await client.invalidateQueries(); }, onError: (error) => { setSure(false); failed(error, () => approve.mutate()); } });
  const reject = useMutation({ mutationFn: () => api.rejectImport({ params: { program: program.key, import: id }, body: { reason: reason || t('odrzucony przez operatora', 'rejected by an operator') } }), onSuccess: async () => { told(t('Odrzucony. Nic nie zostało zapisane.', 'Rejected. Nothing was recorded.')); await client.invalidateQueries(); }, onError: (error) => failed(error, () => reject.mutate()) });
  if (list.isPending) return <Bones />;
  if (list.isError) return <Failed error={list.error} again={() => void list.refetch()} />;
  if (list.data === null) return <Head title={t('Nie ma takiego importu', 'There is no such import')} trail={[['/imports', t('Importy', 'Imports')]]} />;
  const { counts, parts, source, staged_by: by } = list.data;
  const n = (name: string): number => Number(counts[name] ?? 0);
  return (
    <>
      {asking}
      <Head title={parts.join(', ') || `#${id}`} trail={[['/imports', t('Importy', 'Imports')]]} quiet={<>{source} · <ImportState state={state ?? ''} /></>}
        action={state === 'staged' && may('imports:approve') ? <Button onClick={() => setSure(true)}>{t('Zatwierdź import', 'Approve the import')}</Button> : null} />
      {state === 'approved' || state === 'staging' ? <Alert variant="outline" mb="md" title={t('Praca trwa', 'At work')}>{t('Możesz zamknąć tę stronę; import sam dojdzie do końca.', 'You may leave this page; the import finishes by itself.')}</Alert> : null}
      <div className="grid">
        <Card title={t('W plikach', 'In the files')}><dl className="pairs">{([[t('wierszy', 'rows'), n('rows')], [t('dokumentów', 'documents'), n('documents')], [t('nowych', 'new'), n('new')], [t('już zapisanych', 'already recorded'), n('known')], [t('innych niż zapisane', 'differing from recorded ones'), n('conflict')], [t('w kwarantannie', 'set aside'), n('quarantined')]] as const).map(([word, value]) => [<dt key={`${word}t`}>{word}</dt>, <dd key={word} className="number">{count(value)}</dd>])}</dl></Card>
        {state === 'staged' ? <Card title={t('Co by przyniósł', 'What it would award')}>{preview.isPending ? <Bones rows={3} /> : preview.isError ? <Failed error={preview.error} again={() => void preview.refetch()} /> : <Awards preview={preview.data} />}</Card> : null}
      </div>
      {n('quarantined') > 0 ? <Quarantine id={id} open={state === 'staged' || state === 'recorded'} /> : null}
      {state === 'staged' && may('imports:approve') ? <Card title={t('Odrzuć', 'Reject')}><Group align="flex-end"><TextInput label={t('Powód', 'Reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} w={360} /><Button variant="default" onClick={() => reject.mutate()} loading={reject.isPending}>{t('Odrzuć import', 'Reject the import')}</Button></Group></Card> : null}
      {state === 'staged' ? <Text mt="md" size="sm" c="dimmed">{t('Przygotował:', 'Staged by:')} {by.startsWith('person:') ? t('osoba z zespołu', 'a person of the team') : by}. {t('Zatwierdza inna osoba niż ta, która przygotowała.', 'Another person than the one who staged it approves.')}</Text> : null}
      <Confirm open={sure} close={() => setSure(false)} title={t('Zatwierdzić import?', 'Approve the import?')} word={t('Zatwierdź import', 'Approve the import')} act={() => approve.mutate()} busy={approve.isPending}>
        <Text>{t(`Zapiszesz ${plural(n('new'), ['nowy wiersz', 'nowe wiersze', 'nowych wierszy'], ['', ''])} z ${plural(n('documents'), ['dokumentu', 'dokumentów', 'dokumentów'], ['', ''])}. Tego nie można cofnąć; korekty przychodzą jako nowe dokumenty.`, `You record ${plural(n('new'), ['', '', ''], ['new line', 'new lines'])} of ${plural(n('documents'), ['', '', ''], ['document', 'documents'])}. This cannot be undone; corrections come as new documents.`)}</Text>
      </Confirm>
    </>
  );
}

type Preview = Awaited<ReturnType<typeof api.previewImport>>;
function Awards({ preview }: { preview: Preview }) {
  const { program } = useHere();
  const totals = preview.awards;
  return totals.length === 0 ? <Text c="dimmed">{t('Nikt nic nie zyskuje ani nie traci.', 'Nobody gains or loses anything.')}</Text> : <dl className="pairs">{totals.map((item) => [<dt key={`${item.unit}t`}>{plural(item.members, ['uczestnik', 'uczestnicy', 'uczestników'], ['member', 'members'])}</dt>, <dd key={item.unit}><strong className="figures">{inUnit(item.amount, item.unit, program.units, true)}</strong></dd>])}</dl>;
}

/** Rows set aside: place, value, reason; mended in place and judged again. */
function Quarantine({ id, open }: { id: string; open: boolean }) {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const [mended, setMended] = useState<Record<string, string>>({});
  const found = useQuery({ queryKey: ['quarantine', program.key, id], queryFn: () => api.readQuarantine({ params: { program: program.key, import: id }, query: { limit: 100 } }) });
  const mend = useMutation({
    mutationFn: () => api.mendImport({ params: { program: program.key, import: id }, body: { rows: (found.data?.rows ?? []).filter((row) => mended[`${row.part}/${row.line}/${row.column}`] !== undefined).map((row) => ({ part: row.part, line: row.line, values: { [row.column]: mended[`${row.part}/${row.line}/${row.column}`] ?? '' } })) } }),
    onSuccess: async (done) => { setMended({}); told(t(`Naprawione: ${count(done.mended)}.`, `Mended: ${count(done.mended)}.`)); await client.invalidateQueries(); }, onError: (error) => failed(error),
  });
  const save = async (): Promise<void> => {
    const text = await (await fetch(`/v1/programs/${program.key}/imports/${id}/quarantine.csv?locale=${locale()}`, { headers: { 'x-premia-tenant': tenantNow() ?? '' } })).blob();
    const url = URL.createObjectURL(text);
    Object.assign(document.createElement('a'), { href: url, download: `quarantine-${id}.csv` }).click();
    URL.revokeObjectURL(url);
  };
  return (
    <Card title={t('Kwarantanna', 'Set aside')} action={<Group gap="xs"><Button variant="default" size="compact-md" onClick={() => void save()}>CSV</Button>{open && may('facts:write') ? <Button size="compact-md" disabled={Object.keys(mended).length === 0} loading={mend.isPending} onClick={() => mend.mutate()}>{t('Popraw i sprawdź ponownie', 'Mend and check again')}</Button> : null}</Group>}>
      {asking}
      {found.isPending ? <Bones rows={3} /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : (
        <Wide><table className="sheet"><thead><tr><th scope="col">{t('Plik, wiersz', 'File, row')}</th><th scope="col">{t('Kolumna', 'Column')}</th><th scope="col">{t('Wartość', 'Value')}</th><th scope="col">{t('Powód', 'Reason')}</th></tr></thead>
          <tbody>{found.data.rows.map((row) => { const key = `${row.part}/${row.line}/${row.column}`; return <tr key={key}><td>{row.part}, {row.line}</td><td>{row.column}</td><td>{open && may('facts:write') ? <input aria-label={`${t('Wartość, wiersz', 'Value, row')} ${row.line}, ${row.column}`} className={mended[key] === undefined ? '' : 'changed'} value={mended[key] ?? row.value} onChange={(event) => setMended({ ...mended, [key]: event.target.value })} /> : row.value}</td><td>{row.reason}</td></tr>; })}</tbody></table></Wide>
      )}
    </Card>
  );
}
