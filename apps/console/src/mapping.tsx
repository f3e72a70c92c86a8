import { Button, Drawer, Group, Select, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, t } from '@premia/ui';
import { useState } from 'react';
import { Bones, Wide, told, useGuard } from './parts.tsx';
import { useHere } from './place.ts';

type Mapping = Record<string, unknown>;
type Sample = { name: string; headers: string[]; rows: string[][]; delimiter: string };
const SAMPLE_BYTES = 256 * 1024;

/** Which column is what: needed first. */
export const FIELDS = (): [name: string, word: string, needed?: true][] => [
  ['document', t('Numer dokumentu', 'Document number'), true], ['date', t('Data', 'Date'), true], ['buyer', t('Kupujący', 'Buyer')], ['rep', t('Przedstawiciel', 'Rep')], ['seller', t('Sprzedający', 'Seller')], ['product', t('Kod produktu', 'Product code')], ['product_name', t('Nazwa produktu', 'Product name')], ['quantity', t('Ilość', 'Quantity')],
  ['net', t('Wartość netto', 'Net')], ['unit_price', t('Cena', 'Unit price')], ['gross', t('Wartość brutto', 'Gross')], ['line', t('Numer pozycji', 'Line number')], ['base_document', t('Koryguje dokument', 'Corrects document')], ['currency', t('Waluta', 'Currency')], ['channel', t('Kanał', 'Channel')],
];

/** How a source's files are read, beside ten of its own rows; kept for the next file. */
export function MappingPanel({ source, saved, open, close }: { source: string; saved: Mapping | undefined; open: boolean; close: () => void }) {
  const { program } = useHere();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [mapping, setMapping] = useState<Mapping>(saved ?? {});
  const [sample, setSample] = useState<Sample | null>(null);
  const [file, setFile] = useState<File | null>(null);
  const look = useMutation({
    mutationFn: async ({ chosen, encoding }: { chosen: File; encoding: unknown }) => ({ name: chosen.name, ...await api.sampleFile({ params: { program: program.key, source }, query: { name: chosen.name, ...(typeof encoding === 'string' ? { encoding: encoding as 'utf-8' } : {}) }, file: /\.(csv|txt)$/i.test(chosen.name) ? chosen.slice(0, SAMPLE_BYTES) : chosen }) }),
    // What the headers say is filled in; what a person chose stays.
    onSuccess: (found) => { setSample(found); setMapping((old) => ({ ...found.mapping, ...Object.fromEntries(Object.entries(old).filter(([name, value]) => !FIELDS().some(([field]) => field === name) || found.headers.includes(String(value)))) })); },
    onError: (error) => { setSample(null); failed(error); },
  });
  const read = (chosen: File | null, encoding: unknown): void => { setFile(chosen); if (chosen) look.mutate({ chosen, encoding }); };
  const set = (name: string, value: unknown): void => setMapping((old) => { const { [name]: _, ...rest } = old; return value === null || value === '' ? rest : { ...rest, [name]: value }; });
  const save = useMutation({ mutationFn: () => api.saveMapping({ params: { program: program.key, source }, body: { mapping } }), onSuccess: async () => { told(t('Zapisane. Następny plik tego źródła będzie tak czytany.', 'Saved. The next file of this source is read so.')); await client.invalidateQueries({ queryKey: ['program'] }); close(); }, onError: (error) => failed(error) });
  const columns = [...new Set([...sample?.headers ?? [], ...FIELDS().map(([name]) => mapping[name]).filter((value): value is string => typeof value === 'string')])].filter((name) => name !== '');
  const used = FIELDS().filter(([name]) => typeof mapping[name] === 'string');
  return (
    <Drawer opened={open} onClose={close} position="right" size="xl" title={`${t('Jak czytać pliki', 'How to read files')}: ${source}`} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}>
      <Stack>
        <label className="field">{t('Przykładowy plik CSV, CSV.gz lub XLSX – tylko do podejrzenia, nic się nie zapisze', 'A sample CSV, CSV.gz or XLSX file – only to look at, nothing is kept')}<input type="file" accept=".csv,.txt,.gz,.xlsx" onChange={(event) => read(event.target.files?.[0] ?? null, mapping['encoding'])} /></label>
        <div className="fields">
          <Select label={t('Kodowanie', 'Encoding')} data={['utf-8', 'windows-1250', 'iso-8859-2', 'utf-16le', 'utf-16be', 'cp852']} value={(mapping['encoding'] as string | undefined) ?? null} placeholder={t('rozpoznaj', 'recognize')} clearable clearButtonProps={{ 'aria-label': t('Wyczyść', 'Clear') }} onChange={(value) => { set('encoding', value); read(file, value); }} />
          <Select label={t('Znak dziesiętny', 'Decimal mark')} data={[{ value: ',', label: t('przecinek', 'comma') }, { value: '.', label: t('kropka', 'point') }]} value={(mapping['decimal'] as string | undefined) ?? null} placeholder={t('rozpoznaj', 'recognize')} clearable clearButtonProps={{ 'aria-label': t('Wyczyść', 'Clear') }} onChange={(value) => set('decimal', value)} />
          <Select label={t('Kolejność daty', 'Order of a date')} data={[{ value: 'ymd', label: t('rok-miesiąc-dzień', 'year-month-day') }, { value: 'dmy', label: t('dzień-miesiąc-rok', 'day-month-year') }, { value: 'mdy', label: t('miesiąc-dzień-rok', 'month-day-year') }]} value={(mapping['date_format'] as string | undefined) ?? null} placeholder={t('rozpoznaj', 'recognize')} clearable clearButtonProps={{ 'aria-label': t('Wyczyść', 'Clear') }} onChange={(value) => set('date_format', value)} />
        </div>
        <div className="grid">{FIELDS().map(([name, word, needed]) => <Select key={name} label={needed ? `${word} (${t('wymagane', 'required')})` : word} data={columns} searchable clearable clearButtonProps={{ 'aria-label': t('Wyczyść', 'Clear') }} value={typeof mapping[name] === 'string' ? mapping[name] : null} onChange={(value) => set(name, value)} nothingFoundMessage={t('Najpierw wybierz plik', 'Choose a file first')} />)}</div>
        {(['buyer', 'rep', 'seller'] as const).filter((role) => typeof mapping[role] === 'string').map((role) => <Select key={role} label={`${FIELDS().find(([name]) => name === role)?.[1]}: ${t('kolumna zawiera', 'the column holds')}`} data={[{ value: 'code', label: t('kod', 'a code') }, { value: 'nip', label: 'NIP' }, { value: 'email', label: t('e-mail', 'an e-mail address') }]} value={(mapping[`${role}_by`] as string | undefined) ?? 'code'} allowDeselect={false} onChange={(value) => set(`${role}_by`, value)} />)}
        {look.isPending ? <Bones rows={3} /> : sample && used.length > 0 ? (
          <section aria-label={t('Podgląd', 'Preview')}><Text fw={600} mb="xs">{sample.name}: {t('pierwsze wiersze tak, jak będą czytane', 'the first rows as they will be read')}</Text>
            <Wide><table className="sheet"><thead><tr>{used.map(([name, word]) => <th key={name} scope="col">{word}</th>)}</tr></thead><tbody>{sample.rows.map((row, index) => <tr key={index}>{used.map(([name]) => <td key={name}>{row[sample.headers.indexOf(mapping[name] as string)] ?? ''}</td>)}</tr>)}</tbody></table></Wide></section>
        ) : null}
        <Group><Button disabled={typeof mapping['document'] !== 'string' || typeof mapping['date'] !== 'string'} loading={save.isPending} onClick={() => save.mutate()}>{t('Zapisz mapowanie', 'Save the mapping')}</Button></Group>
      </Stack>
    </Drawer>
  );
}
