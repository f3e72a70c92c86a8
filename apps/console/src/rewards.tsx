import { Button, Drawer, FileButton, Group, Image, Modal, NumberInput, Select, Stack, Switch, Text, TextInput, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, count, day, inUnit, moment, money, said, t } from '@premia/ui';
import { useEffect, useState } from 'react';
import { useSearchParams } from 'wouter';
import { DataTable } from './data-table.tsx';
import { kindOptions, kindWord } from './order-words.tsx';
import { Bones, Card, Failed, Head, State, told, useGuard, useUnsaved } from './parts.tsx';
import { useHere, useMay } from './place.ts';

type Row = Awaited<ReturnType<typeof api.listRewards>>['rewards'][number];
type Draft = Parameters<typeof api.saveReward>[0]['body'];
const STATES: Record<string, () => ['good' | 'bad' | 'plain', string]> = { active: () => ['good', t('w ofercie', 'on offer')], draft: () => ['plain', t('szkic', 'draft')], archived: () => ['bad', t('archiwum', 'archived')] };
const POOLED = new Set(['voucher', 'code']);
const left = (row: Row): string => (row.free === null ? t('bez limitu', 'no limit') : count(row.free));
const isLow = (row: Row): boolean => row.free !== null && row.low_stock > 0 && row.free < row.low_stock;

/** The catalogue of rewards: what is on offer, for how much, how many are left. */
export function Rewards({ id }: { id?: string }) {
  const { program } = useHere();
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const [repricing, setRepricing] = useState(false);
  if (id !== undefined) return <Pool reward={id} />;
  const panel = params.get('panel');
  const open = (key: string | null): void => setParams((now) => { const next = new URLSearchParams(now); if (key === null) next.delete('panel'); else next.set('panel', key); return next; });
  return (
    <>
      <Head title={t('Nagrody', 'Rewards')} action={may('rewards:write') ? <><Import /><Button variant="default" onClick={() => setRepricing(true)}>{t('Zmień ceny', 'Change prices')}</Button><Button onClick={() => open('new')}>{t('Dodaj nagrodę', 'Add a reward')}</Button></> : null} />
      <DataTable<Row> name="rewards" file={`/v1/programs/${program.key}/rewards`} keyOf={(row) => row.key} empty={t('Katalog jest pusty. Dodaj pierwszą nagrodę albo wczytaj plik CSV.', 'The catalogue is empty. Add the first reward, or read a CSV file.')}
        filters={[{ name: 'search', word: t('Nazwa, klucz, kategoria', 'Name, key, category') }, { name: 'kind', word: t('Rodzaj', 'Kind'), options: kindOptions() }, { name: 'state', word: t('Stan', 'State'), options: Object.entries(STATES).map(([value, word]) => ({ value, label: word()[1] })) }]}
        ask={async (page) => { const { rewards, next } = await api.listRewards({ params: { program: program.key }, query: page as never }); return { rows: rewards, next }; }}
        columns={[{ key: 'name', word: t('Nazwa', 'Name'), sorts: true, show: (row) => <>{said(row.name)}<Text span size="xs" c="dimmed" display="block">{row.key}</Text></> }, { key: 'kind', word: t('Rodzaj', 'Kind'), sorts: true, show: (row) => kindWord(row.kind) }, { key: 'category', word: t('Kategoria', 'Category'), sorts: true, show: (row) => row.category || '–' }, { key: 'price', word: t('Cena', 'Price'), number: true, sorts: true, show: (row) => <>{inUnit(row.price, row.unit, program.units)}{row.least === null ? '' : ` = ${money(row.worth, program.currency)}`}{Number(row.co_pay) > 0 ? ` + ${money(row.co_pay, program.currency)}` : ''}</> },
          { key: 'worth', word: t('Wartość', 'Worth'), number: true, show: (row) => money(row.worth, program.currency), hidden: true }, { key: 'cost', word: t('Koszt', 'Cost'), number: true, sorts: true, show: (row) => money(row.cost, program.currency) }, { key: 'free', word: t('Zostało', 'Left'), number: true, show: (row) => (isLow(row) ? <State tone="care">{t('mało', 'low')}: {left(row)}</State> : left(row)) }, { key: 'supplier', word: t('Dostawca', 'Supplier'), show: (row) => row.supplier || '–', hidden: true }, { key: 'state', word: t('Stan', 'State'), sorts: true, show: (row) => { const [tone, word] = STATES[row.state]?.() ?? ['plain' as const, row.state]; return <State tone={tone}>{word}</State>; } }]}
        lastColumn={(row) => <Group gap="xs" justify="flex-end" wrap="nowrap">{POOLED.has(row.kind) ? <Button component="a" href={`/console/rewards/${row.key}`} variant="default" size="compact-sm" aria-label={t(`Kody: ${said(row.name)}`, `Codes: ${said(row.name)}`)}>{t('Kody', 'Codes')}</Button> : null}{may('rewards:write') ? <Button variant="default" size="compact-sm" aria-label={t(`Zmień: ${said(row.name)}`, `Change: ${said(row.name)}`)} onClick={() => open(row.key)}>{t('Zmień', 'Change')}</Button> : null}</Group>} />
      {panel === null ? null : <Edit reward={panel === 'new' ? null : panel} close={() => open(null)} />}
      <Reprice open={repricing} close={() => setRepricing(false)} />
    </>
  );
}

/** A catalogue from a file; every fault has its row, and nothing is half taken. */
function Import() {
  const { program } = useHere();
  const client = useQueryClient();
  const { failed } = useGuard();
  const take = useMutation({ mutationFn: async (file: File) => api.importRewards({ params: { program: program.key }, body: { text: await file.text() } }), onSuccess: async (done) => { told(t(`Wczytano nagród: ${count(done.rewards)}.`, `Rewards read: ${count(done.rewards)}.`)); await client.invalidateQueries(); }, onError: (error) => failed(error) });
  return <FileButton onChange={(file) => { if (file) take.mutate(file); }} accept=".csv,text/csv">{(props) => <Button variant="default" loading={take.isPending} {...props}>{t('Wczytaj CSV', 'Read a CSV')}</Button>}</FileButton>;
}

function Reprice({ open, close }: { open: boolean; close: () => void }) {
  const { program } = useHere();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [draft, setDraft] = useState({ category: '', percent: '110', step: 10 });
  const change = useMutation({ mutationFn: () => api.repriceRewards({ params: { program: program.key }, body: { percent: `${draft.percent}%`, step: draft.step, ...(draft.category ? { category: draft.category } : {}) } }), onSuccess: async (done) => { told(t(`Zmieniono cen: ${count(done.rewards.length)}.`, `Prices changed: ${count(done.rewards.length)}.`)); close(); await client.invalidateQueries(); }, onError: (error) => failed(error) });
  return (
    <Modal opened={open} onClose={close} title={t('Zmień ceny w jednostkach', 'Change prices in units')} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}><form onSubmit={(event) => { event.preventDefault(); change.mutate(); }}><Stack>
      <TextInput label={t('Kategoria (puste: wszystkie)', 'Category (empty: all)')} value={draft.category} onChange={(event) => setDraft({ ...draft, category: event.currentTarget.value })} />
      <TextInput required label={t('Nowa cena jako procent obecnej', 'The new price as a percentage of the present one')} inputMode="decimal" pattern="[0-9]{1,5}([.][0-9]{1,4})?" value={draft.percent} onChange={(event) => setDraft({ ...draft, percent: event.currentTarget.value.replace(',', '.') })} />
      <NumberInput label={t('Zaokrąglij w górę do', 'Round up to')} min={1} value={draft.step} onChange={(value) => setDraft({ ...draft, step: Number(value) || 1 })} />
      <Text size="sm" c="dimmed">{t('Złożone zamówienia zachowują cenę, po której je złożono.', 'Orders that were placed keep the price they were placed at.')}</Text>
      <Group justify="flex-end"><Button variant="default" onClick={close}>{t('Wróć', 'Back')}</Button><Button type="submit" loading={change.isPending}>{t('Zmień ceny', 'Change prices')}</Button></Group>
    </Stack></form></Modal>
  );
}

const PICTURE_BYTES_MAX = 100_000;
const blank = (unit: string): Draft => ({ key: '', kind: 'goods', state: 'draft', name: { pl: '', en: '' }, description: { pl: '', en: '' }, category: '', unit, price: '', worth: '', co_pay: '0', least: null, most: null, stock: null, limit: null, valid_from: null, valid_to: null, audience: {}, approval: 'policy', provider: null, cost: '0', vat_rate: '23%', vat_kind: 'none', vat_deducted: false, low_value_register: false, supplier: '', least_days: 30, low_stock: 0 });

/** A reward in a side panel; what is not touched – stock, picture – is not sent, since members order meanwhile. */
function Edit({ reward, close }: { reward: string | null; close: () => void }) {
  const { program } = useHere();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [draft, setDraft] = useState<Draft | null>(reward === null ? blank(program.units[0]?.key ?? 'points') : null);
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const known = useQuery({ queryKey: ['reward', program.key, reward], enabled: reward !== null, queryFn: async () => { for (let after: string | undefined; ;) { const page = await api.listRewards({ params: { program: program.key }, query: { search: reward as string, limit: 200, ...(after === undefined ? {} : { after }) } }); const found = page.rewards.find((row) => row.key === reward); if (found || page.next === null) return found ?? null; after = page.next; } } });
  useEffect(() => { if (known.data && draft === null) { const { free: _, limit, audience, ...row } = known.data; setDraft({ ...row, limit: limit as Draft['limit'], audience: audience as Draft['audience'] } as Draft); } }, [known.data]);
  useUnsaved(touched.size > 0);
  const save = useMutation({
    mutationFn: (given: Draft) => { const { stock, picture, ...rest } = given; return api.saveReward({ params: { program: program.key }, body: { ...rest, ...(touched.has('stock') || reward === null ? { stock } : {}), ...(touched.has('picture') ? { picture } : {}) } as Draft }); },
    onSuccess: async () => { setTouched(new Set()); told(t('Zapisana.', 'Saved.')); close(); await client.invalidateQueries(); }, onError: (error) => failed(error),
  });
  const set = (changes: Partial<Draft>): void => { setDraft((now) => (now === null ? null : { ...now, ...changes })); setTouched((now) => new Set([...now, ...Object.keys(changes)])); };
  const decimal = (text: string): string => text.replace(/\s/g, '').replace(',', '.');
  const readPicture = async (file: File | null): Promise<void> => {
    if (!file) return;
    if (file.size > PICTURE_BYTES_MAX) { failed(new Error('size')); return; }
    const bytes = new Uint8Array(await file.arrayBuffer());
    set({ picture: `data:${file.type};base64,${btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join(''))}` });
  };
  return (
    <Drawer opened onClose={close} position="right" size="lg" title={reward === null ? t('Nowa nagroda', 'A new reward') : t('Nagroda', 'Reward')} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}>
      {known.isError ? <Failed error={known.error} /> : draft === null ? <Bones /> : (
        <form onSubmit={(event) => { event.preventDefault(); save.mutate(draft); }}><Stack>
          <Group grow><TextInput required label={t('Klucz', 'Key')} pattern="[a-z0-9][a-z0-9._\-]{0,63}" disabled={reward !== null} value={draft.key} onChange={(event) => set({ key: event.currentTarget.value })} /><Select label={t('Rodzaj', 'Kind')} data={kindOptions()} allowDeselect={false} value={draft.kind} onChange={(value) => set({ kind: (value ?? 'goods') as Draft['kind'] })} /></Group>
          <Group grow align="flex-start"><TextInput required label={t('Nazwa po polsku', 'Name in Polish')} maxLength={200} value={draft.name.pl} onChange={(event) => set({ name: { ...draft.name, pl: event.currentTarget.value } })} /><TextInput required label={t('Nazwa po angielsku', 'Name in English')} maxLength={200} value={draft.name.en} onChange={(event) => set({ name: { ...draft.name, en: event.currentTarget.value } })} /></Group>
          <Textarea label={t('Opis po polsku', 'Description in Polish')} autosize minRows={2} value={draft.description?.pl ?? ''} onChange={(event) => set({ description: { pl: event.currentTarget.value, en: draft.description?.en ?? '' } })} />
          <Textarea label={t('Opis po angielsku', 'Description in English')} autosize minRows={2} value={draft.description?.en ?? ''} onChange={(event) => set({ description: { pl: draft.description?.pl ?? '', en: event.currentTarget.value } })} />
          <Group grow><TextInput label={t('Kategoria', 'Category')} value={draft.category ?? ''} onChange={(event) => set({ category: event.currentTarget.value })} /><Select label={t('Stan', 'State')} allowDeselect={false} data={Object.entries(STATES).map(([value, word]) => ({ value, label: word()[1] }))} value={draft.state ?? 'draft'} onChange={(value) => set({ state: (value ?? 'draft') as Draft['state'] })} /></Group>
          <Group grow><Select label={t('Jednostka', 'Unit')} allowDeselect={false} data={program.units.map((unit) => ({ value: unit.key, label: unit.key }))} value={draft.unit} onChange={(value) => set({ unit: value ?? draft.unit })} /><TextInput required label={t('Cena w jednostkach', 'Price in units')} inputMode="decimal" value={draft.price} onChange={(event) => set({ price: decimal(event.currentTarget.value) })} /></Group>
          <Group grow><TextInput required label={t(`Wartość (${program.currency})`, `Worth (${program.currency})`)} inputMode="decimal" value={draft.worth} onChange={(event) => set({ worth: decimal(event.currentTarget.value) })} /><TextInput label={t('Koszt zakupu', 'Purchase cost')} inputMode="decimal" value={draft.cost ?? '0'} onChange={(event) => set({ cost: decimal(event.currentTarget.value) })} /><TextInput label={t('Dopłata członka', 'The member’s payment')} inputMode="decimal" value={draft.co_pay ?? '0'} onChange={(event) => set({ co_pay: decimal(event.currentTarget.value) })} /></Group>
          {draft.kind === 'prepaid' || draft.kind === 'transfer' ? <Group grow><TextInput label={t('Najmniejsza kwota', 'Least amount')} inputMode="decimal" value={draft.least ?? ''} onChange={(event) => set({ least: decimal(event.currentTarget.value) || null })} /><TextInput label={t('Największa kwota', 'Greatest amount')} inputMode="decimal" value={draft.most ?? ''} onChange={(event) => set({ most: decimal(event.currentTarget.value) || null })} /></Group> : null}
          {POOLED.has(draft.kind) ? <Group grow><NumberInput label={t('Kod musi być ważny jeszcze (dni)', 'A code must last for (days)')} min={0} value={draft.least_days ?? 30} onChange={(value) => set({ least_days: Number(value) || 0 })} /><NumberInput label={t('Ostrzegaj poniżej', 'Warn below')} min={0} value={draft.low_stock ?? 0} onChange={(value) => set({ low_stock: Number(value) || 0 })} /></Group>
            : <Group grow><NumberInput label={t('Na stanie (puste: bez limitu)', 'In stock (empty: no limit)')} min={0} value={draft.stock ?? ''} onChange={(value) => set({ stock: value === '' ? null : Number(value) })} /><NumberInput label={t('Ostrzegaj poniżej', 'Warn below')} min={0} value={draft.low_stock ?? 0} onChange={(value) => set({ low_stock: Number(value) || 0 })} /></Group>}
          <Group grow><NumberInput label={t('Najwyżej na uczestnika (puste: bez limitu)', 'At most a member (empty: no limit)')} min={1} value={draft.limit?.count ?? ''} onChange={(value) => set({ limit: value === '' ? null : { count: Number(value), window: draft.limit?.window ?? 'month' } })} /><Select label={t('W okresie', 'In a period')} disabled={!draft.limit} allowDeselect={false} value={draft.limit?.window ?? 'month'} onChange={(value) => set({ limit: draft.limit ? { ...draft.limit, window: (value ?? 'month') as 'month' } : null })} data={[{ value: 'day', label: t('dzień', 'day') }, { value: 'week', label: t('tydzień', 'week') }, { value: 'month', label: t('miesiąc', 'month') }, { value: 'quarter', label: t('kwartał', 'quarter') }, { value: 'year', label: t('rok', 'year') }, { value: 'program', label: t('cały program', 'the whole program') }]} /></Group>
          <Group grow><TextInput type="date" label={t('W ofercie od', 'On offer from')} value={draft.valid_from ?? ''} onChange={(event) => set({ valid_from: event.currentTarget.value || null })} /><TextInput type="date" label={t('W ofercie do', 'On offer until')} value={draft.valid_to ?? ''} onChange={(event) => set({ valid_to: event.currentTarget.value || null })} /></Group>
          <TextInput label={t('Tylko dla poziomów (po przecinku)', 'Only for tiers (comma separated)')} value={(draft.audience?.tiers ?? []).join(', ')} onChange={(event) => set({ audience: { ...draft.audience, ...listOf('tiers', event.currentTarget.value) } })} />
          <TextInput label={t('Tylko dla segmentów (po przecinku)', 'Only for segments (comma separated)')} value={(draft.audience?.segments ?? []).join(', ')} onChange={(event) => set({ audience: { ...draft.audience, ...listOf('segments', event.currentTarget.value) } })} />
          <TextInput label={t('Tylko dla typów firm (po przecinku)', 'Only for company types (comma separated)')} value={(draft.audience?.company_types ?? []).join(', ')} onChange={(event) => set({ audience: { ...draft.audience, ...listOf('company_types', event.currentTarget.value) } })} />
          <Group grow><TextInput label={t('Dostawca', 'Supplier')} value={draft.supplier ?? ''} onChange={(event) => set({ supplier: event.currentTarget.value })} /><Select label={t('Bon w VAT', 'Voucher for VAT')} allowDeselect={false} value={draft.vat_kind ?? 'none'} onChange={(value) => set({ vat_kind: (value ?? 'none') as 'none' })} data={[{ value: 'none', label: t('nie dotyczy', 'not a voucher') }, { value: 'spv', label: 'SPV' }, { value: 'mpv', label: 'MPV' }]} /><TextInput label={t('Stawka VAT', 'VAT rate')} value={draft.vat_rate ?? '23%'} onChange={(event) => set({ vat_rate: event.currentTarget.value })} /></Group>
          <Switch label={t('VAT od zakupu odliczony', 'Input VAT was deducted')} checked={draft.vat_deducted ?? false} onChange={(event) => set({ vat_deducted: event.currentTarget.checked })} />
          <Switch label={t('Każde zamówienie zatwierdza człowiek', 'A person approves every order')} checked={draft.approval === 'always'} onChange={(event) => set({ approval: event.currentTarget.checked ? 'always' : 'policy' })} />
          <Group>{draft.picture ? <Image src={draft.picture} alt={t('Zdjęcie nagrody', 'The reward’s picture')} w={96} h={72} fit="cover" /> : null}<FileButton onChange={(file) => void readPicture(file)} accept="image/png,image/jpeg,image/webp">{(props) => <Button variant="default" size="compact-md" {...props}>{t('Zdjęcie (do 100 kB)', 'Picture (up to 100 kB)')}</Button>}</FileButton>{draft.picture ? <Button variant="default" size="compact-md" onClick={() => set({ picture: null })}>{t('Usuń zdjęcie', 'Remove the picture')}</Button> : null}</Group>
          <Group justify="flex-end"><Button variant="default" onClick={close}>{t('Wróć', 'Back')}</Button><Button type="submit" loading={save.isPending}>{t('Zapisz', 'Save')}</Button></Group>
        </Stack></form>
      )}
    </Drawer>
  );
}
const listOf = (name: 'tiers' | 'segments' | 'company_types', text: string): Record<string, string[] | undefined> => { const list = text.split(',').map((part) => part.trim()).filter((part) => part !== ''); return { [name]: list.length === 0 ? undefined : list }; };

type Code = Awaited<ReturnType<typeof api.listCodes>>['codes'][number];
const CODE_STATES: Record<string, () => string> = { available: () => t('wolny', 'free'), reserved: () => t('zarezerwowany', 'reserved'), issued: () => t('wydany', 'issued'), void: () => t('unieważniony', 'void') };

/** A pool of codes, without the codes themselves: how many are left, until when, who has which. */
function Pool({ reward }: { reward: string }) {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [lot, setLot] = useState('');
  const params = { program: program.key, reward };
  const take = useMutation({ mutationFn: async (file: File) => api.importCodes({ params, body: { lot: lot || file.name, text: await file.text() } }), onSuccess: async (done) => { told(t(`Wczytano kodów: ${count(done.codes)}.`, `Codes read: ${count(done.codes)}.`)); await client.invalidateQueries(); }, onError: (error) => failed(error) });
  const drop = useMutation({ mutationFn: (code: string) => api.voidCode({ params: { program: program.key, code }, body: { reason: 'console' } }), onSuccess: () => client.invalidateQueries(), onError: (error) => failed(error) });
  return (
    <>
      <Head title={t('Pula kodów', 'Pool of codes')} trail={[['/rewards', t('Nagrody', 'Rewards')]]} quiet={reward} />
      {may('rewards:write') ? <Card title={t('Wczytaj kody', 'Read codes')}><Group align="flex-end"><TextInput label={t('Partia (np. numer faktury)', 'Lot (such as the invoice’s number)')} value={lot} onChange={(event) => setLot(event.currentTarget.value)} /><FileButton onChange={(file) => { if (file) take.mutate(file); }} accept=".csv,.txt,text/csv">{(props) => <Button loading={take.isPending} {...props}>{t('Wybierz plik', 'Choose a file')}</Button>}</FileButton><Text size="sm" c="dimmed">{t('W wierszu: kod;ważny do. Kody są szyfrowane i nie pokazują się tutaj.', 'In a row: code;valid until. Codes are encrypted and never show here.')}</Text></Group></Card> : null}
      <DataTable<Code> name="codes" file={`/v1/programs/${program.key}/rewards/${reward}/codes`} keyOf={(row) => row.id} empty={t('Pula jest pusta.', 'The pool is empty.')} filters={[{ name: 'search', word: t('Partia lub pozycja', 'Lot or piece') }, { name: 'state', word: t('Stan', 'State'), options: Object.entries(CODE_STATES).map(([value, word]) => ({ value, label: word() })) }]}
        ask={async (page) => { const { codes, next } = await api.listCodes({ params, query: page as never }); return { rows: codes, next }; }}
        columns={[{ key: 'id', sorts: true, word: t('Nr', 'No.'), show: (row) => row.id }, { key: 'lot', sorts: true, word: t('Partia', 'Lot'), show: (row) => row.lot }, { key: 'valid_to', sorts: true, word: t('Ważny do', 'Valid until'), show: (row) => day(row.valid_to) }, { key: 'state', sorts: true, word: t('Stan', 'State'), show: (row) => CODE_STATES[row.state]?.() ?? row.state }, { key: 'item', sorts: true, word: t('Pozycja zamówienia', 'Piece of an order'), show: (row) => row.item ?? '–' }, { key: 'revealed_at', word: t('Pierwszy raz obejrzany', 'First seen'), show: (row) => (row.revealed_at ? moment(row.revealed_at) : '–') }]}
        {...(may('rewards:write') ? { lastColumn: (row: Code) => (row.state === 'available' ? <Button variant="default" size="compact-sm" aria-label={t(`Unieważnij kod ${row.id}`, `Void code ${row.id}`)} onClick={() => drop.mutate(row.id)}>{t('Unieważnij', 'Void')}</Button> : null) } : {})} />
    </>
  );
}
