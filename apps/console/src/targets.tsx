import { Alert, Button, Group, Modal, Select, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { amount, api, codeOf, moment, month, percent, plural, said, t } from '@premia/ui';
import { useRef, useState, type ClipboardEvent } from 'react';
import { useSearchParams } from 'wouter';
import { Bones, Card, Confirm, Empty, Failed, Head, told, useGuard, useUnsaved, Wide } from './parts.tsx';
import { useHere, useMay } from './place.ts';
import { readNumber, readTargetsFile } from './targets-file.ts';

const monthsFrom = (first: string, n: number): string[] => Array.from({ length: n }, (_, index) => { const at = new Date(Date.UTC(Number(first.slice(0, 4)), Number(first.slice(5, 7)) - 1 + index, 1)); return at.toISOString().slice(0, 10); });
const COLUMNS = 6;

/** People × months, as a spreadsheet: typed or pasted, with attainment beside each value. */
export function Targets() {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [params, setParams] = useSearchParams();
  const file = useQuery({ queryKey: ['program', program.key], queryFn: () => api.exportProgram({ params: { program: program.key } }) });
  const targets = (file.data?.['targets'] ?? []) as { key: string; window: string; name?: { pl: string; en: string } }[];
  const target = params.get('target') ?? targets[0]?.key;
  const now = new Date().toISOString().slice(0, 7);
  const first = params.get('from') ?? monthsFrom(`${now}-01`, 1).map(() => { const at = new Date(Date.UTC(Number(now.slice(0, 4)), Number(now.slice(5, 7)) - COLUMNS + 1, 1)); return at.toISOString().slice(0, 10); })[0] ?? `${now}-01`;
  const columns = monthsFrom(first, COLUMNS);
  const search = params.get('search') ?? '';
  const after = params.get('after');
  const found = useQuery({ queryKey: ['targets', program.key, target, first, search, after], enabled: target !== undefined, queryFn: () => api.listTargets({ params: { program: program.key }, query: { target: target ?? '', from: columns[0] ?? first, to: columns.at(-1) ?? first, limit: 50, ...(search ? { search } : {}), ...(after ? { after } : {}) } }) });
  const [changed, setChanged] = useState<Record<string, string>>({});
  const [saving, setSaving] = useState(false);
  const [history, setHistory] = useState<{ subject: string; name: string; start: string } | null>(null);
  const [bad, setBad] = useState<string[]>([]);
  const picked = useRef<HTMLInputElement>(null);
  const table = useRef<HTMLTableElement>(null);
  useUnsaved(Object.keys(changed).length > 0);
  const rows = found.data?.rows ?? [];
  const paste = (event: ClipboardEvent<HTMLInputElement>, row: number, column: number): void => {
    const lines = event.clipboardData.getData('text').replace(/\r?\n$/, '').split(/\r?\n/).map((line) => line.split('\t'));
    if (lines.length === 1 && lines[0]?.length === 1) return;
    event.preventDefault();
    const next = { ...changed };
    for (const [down, line] of lines.entries()) for (const [right, value] of line.entries()) { const [at, start] = [rows[row + down], columns[column + right]]; if (at && start && value.trim() !== '') next[`${at.subject}/${start}`] = readNumber(value); }
    setChanged(next);
  };
  const load = async (chosen: File | undefined): Promise<void> => {
    if (!chosen) return;
    const read = await readTargetsFile(await chosen.text());
    setBad(read.bad);
    if (read.bad.length > 0) return;
    setChanged((old) => ({ ...old, ...read.values }));
    told(t(`Wczytane: ${plural(Object.keys(read.values).length, ['cel', 'cele', 'celów'], ['', ''])}. Sprawdź i zapisz.`, `Read: ${plural(Object.keys(read.values).length, ['', '', ''], ['target', 'targets'])}. Check and save.`));
  };
  const move = (row: number, column: number): void => { table.current?.querySelector<HTMLInputElement>(`[data-cell="${row}-${column}"]`)?.focus(); };
  const set = (key: string, value: string | null): void => setParams((old) => { const next = new URLSearchParams(old); if (value) next.set(key, value); else next.delete(key); if (key !== 'after') next.delete('after'); return next; });
  if (file.isPending) return <Bones />;
  if (file.isError) return <Failed error={file.error} again={() => void file.refetch()} />;
  const edit = may('rules:propose');
  const shift = (by: number): void => { const at = new Date(Date.UTC(Number(first.slice(0, 4)), Number(first.slice(5, 7)) - 1 + by, 1)); set('from', at.toISOString().slice(0, 10)); };
  return (
    <>
      <Head title={t('Cele', 'Targets')} action={edit ? <><Button variant="default" onClick={() => picked.current?.click()}>{t('Wczytaj z pliku', 'Read from a file')}</Button><input ref={picked} type="file" hidden accept=".csv,.txt" aria-label={t('Plik CSV z celami', 'A CSV file of targets')} onChange={(event) => { void load(event.target.files?.[0]); event.target.value = ''; }} /><Button disabled={Object.keys(changed).length === 0} onClick={() => setSaving(true)}>{t('Zapisz cele', 'Save the targets')}{Object.keys(changed).length > 0 ? ` (${Object.keys(changed).length})` : ''}</Button></> : null} />
      {bad.length > 0 ? <Alert color="red" variant="outline" mb="sm" role="alert" title={t('Pliku nie wczytano', 'The file was not read')} withCloseButton closeButtonLabel={t('Zamknij', 'Close')} onClose={() => setBad([])}><Text size="sm">{t('Kody w pierwszej kolumnie i miesiące (2026-11) w nagłówku, albo trzy kolumny: kto, miesiąc, wartość. Nie da się odczytać:', 'Codes in the first column and months (2026-11) in the header, or three columns: who, month, value. What cannot be read:')}</Text><ul className="plain">{bad.slice(0, 10).map((item) => <li key={item}>{item}</li>)}</ul>{bad.length > 10 ? <Text size="sm">{t(`i ${bad.length - 10} więcej`, `and ${bad.length - 10} more`)}</Text> : null}</Alert> : null}
      {targets.length === 0 ? <Empty>{t('Program nie ma zdefiniowanego celu.', 'The program declares no target.')}</Empty> : (
        <Card>
          <Group mb="sm" align="flex-end"><Select label={t('Cel', 'Target')} data={targets.map((item) => ({ value: item.key, label: item.name ? said(item.name) : item.key }))} value={target ?? null} onChange={(value) => set('target', value)} allowDeselect={false} /><label className="field">{t('Szukaj', 'Search')}<input type="search" value={search} onChange={(event) => set('search', event.target.value)} /></label>
            <Group gap="xs"><Button variant="default" onClick={() => shift(-COLUMNS)} aria-label={t('Wcześniejsze miesiące', 'Earlier months')}>‹</Button><Button variant="default" onClick={() => shift(COLUMNS)} aria-label={t('Późniejsze miesiące', 'Later months')}>›</Button></Group></Group>
          {found.isPending ? <Bones /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : rows.length === 0 ? <Empty>{t('Nikt nie ma celu w tych miesiącach.', 'Nobody has a target in these months.')}</Empty> : (
            <>
              {edit ? <Text size="sm" c="dimmed" mb="xs">{t('Wklej zakres z arkusza w pierwszą komórkę. Strzałki i Enter przechodzą między komórkami.', 'Paste a range from a spreadsheet into the first cell. Arrows and Enter move between cells.')}</Text> : null}
              <Wide><table className="sheet" ref={table}><thead><tr><th scope="col">{t('Kto', 'Who')}</th>{columns.map((start) => <th scope="col" key={start}>{month(start)}</th>)}</tr></thead>
                <tbody>{rows.map((row, r) => <tr key={row.subject}><td>{row.name ?? row.subject} <Text span size="xs" c="dimmed">{row.subject}</Text></td>{columns.map((start, c) => { const window = row.windows.find((item) => item.window_start === start); const key = `${row.subject}/${start}`; return (
                  <td key={start}>{edit ? <input data-cell={`${r}-${c}`} aria-label={`${row.name ?? row.subject}, ${month(start)}`} className={changed[key] === undefined ? '' : 'changed'} value={changed[key] ?? (window ? amount(window.value) : '')} onFocus={(event) => event.target.select()} onPaste={(event) => paste(event, r, c)} onKeyDown={(event) => { if (event.key === 'Enter' || event.key === 'ArrowDown') move(r + 1, c); else if (event.key === 'ArrowUp') move(r - 1, c); }} onChange={(event) => setChanged({ ...changed, [key]: readNumber(event.target.value) })} /> : window ? amount(window.value) : '–'}
                    {window ? <button type="button" className="sorter cell-note" aria-label={t(`${window.bp === null ? '–' : percent(window.bp)}, historia celu: ${row.name ?? row.subject}, ${month(start)}`, `${window.bp === null ? '–' : percent(window.bp)}, history of the target: ${row.name ?? row.subject}, ${month(start)}`)} onClick={() => setHistory({ subject: row.subject, name: row.name ?? row.subject, start })}>{window.bp === null ? '–' : percent(window.bp)}</button> : <Text size="xs">{'\u00a0'}</Text>}</td>); })}</tr>)}</tbody></table></Wide>
              {found.data.next || after ? <Group justify="flex-end" mt="sm">{after ? <Button variant="default" size="compact-md" onClick={() => set('after', null)}>{t('Na początek', 'To the first page')}</Button> : null}{found.data.next ? <Button variant="default" size="compact-md" onClick={() => set('after', found.data.next)}>{t('Następna strona', 'Next page')}</Button> : null}</Group> : null}
            </>
          )}
        </Card>
      )}
      {history && target !== undefined ? <History target={target} {...history} close={() => setHistory(null)} /> : null}
      {saving ? <Save changed={changed} target={target ?? ''} close={() => setSaving(false)} done={async () => { setChanged({}); setSaving(false); await client.invalidateQueries(); }} failed={failed} /> : null}
    </>
  );
}

/** Every value one target had, with who set it and why. */
function History({ target, subject, name, start, close }: { target: string; subject: string; name: string; start: string; close: () => void }) {
  const { program } = useHere();
  const found = useQuery({ queryKey: ['target-history', program.key, target, subject, start], queryFn: () => api.targetHistory({ params: { program: program.key }, query: { target, member: subject, window_start: start } }) });
  return (
    <Modal opened onClose={close} size="lg" title={`${name}, ${month(start)}`} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}>
      {found.isPending ? <Bones rows={2} /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : <Wide><table className="sheet words"><thead><tr><th scope="col" className="number">{t('Cel', 'Target')}</th><th scope="col">{t('Kto', 'Who')}</th><th scope="col">{t('Kiedy', 'When')}</th><th scope="col">{t('Powód', 'Reason')}</th></tr></thead><tbody>{found.data.changes.map((item, index) => <tr key={index}><td className="number">{amount(item.value)}</td><td>{item.by}</td><td>{item.at === null ? '–' : moment(item.at)}</td><td>{item.reason ?? '–'}</td></tr>)}</tbody></table></Wide>}
    </Modal>
  );
}

function Save({ changed, target, close, done, failed }: { changed: Record<string, string>; target: string; close: () => void; done: () => Promise<void>; failed: (error: unknown) => void }) {
  const { program } = useHere();
  const [reason, setReason] = useState('');
  const [past, setPast] = useState(false);
  const drafts = Object.entries(changed).map(([key, value]) => { const at = key.lastIndexOf('/'); return { target, subject: key.slice(0, at), window_start: key.slice(at + 1), value, ...(reason === '' ? {} : { reason }) }; });
  const save = useMutation({ mutationFn: () => api.saveTargets({ params: { program: program.key }, body: { targets: drafts } }), onSuccess: async (saved) => { told(t(`Zapisane: ${plural(saved.changed, ['cel', 'cele', 'celów'], ['', ''])}.`, `Saved: ${plural(saved.changed, ['', '', ''], ['target', 'targets'])}.`)); await done(); }, onError: (error) => { if (codeOf(error) === 'recalculation_needed') setPast(true); else failed(error); } });
  const propose = useMutation({ mutationFn: () => api.proposeRecalculation({ params: { program: program.key }, body: { reason: reason || t('zmiana celów', 'a change of targets'), change: { kind: 'targets', targets: drafts } } }), onSuccess: async () => { told(t('Zaproponowane. Druga osoba zobaczy skutki i zdecyduje.', 'Proposed. A second person sees the consequence and decides.')); await done(); }, onError: failed });
  return (
    <Confirm open close={close} title={t('Zapisz cele', 'Save the targets')} word={past ? t('Zaproponuj zmianę przeszłości', 'Propose a change of the past') : t('Zapisz cele', 'Save the targets')} act={() => (past ? propose.mutate() : save.mutate())} busy={save.isPending || propose.isPending}>
      <Text>{t(`Zmieniasz ${plural(drafts.length, ['cel', 'cele', 'celów'], ['', ''])}. Wyniki przeliczą się od razu.`, `You change ${plural(drafts.length, ['', '', ''], ['target', 'targets'])}. Results are computed again at once.`)}</Text>
      <label className="field">{t('Powód (zostaje w historii)', 'Reason (stays in the history)')}<textarea rows={2} value={reason} onChange={(event) => setReason(event.target.value)} /></label>
      {past ? <Text c="var(--caution)">{t('Część tych okresów jest już rozliczona. Zmianę przeszłości zatwierdza inna osoba.', 'Some of these periods are settled already. A change of the past is approved by another person.')}</Text> : null}
    </Confirm>
  );
}
