import { Button, Group, Tabs, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { amount, api, count, day, said, t } from '@premia/ui';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { DataTable } from './data-table.tsx';
import { Bones, Card, Confirm, Empty, Failed, Head, State, told, useGuard, Wide } from './parts.tsx';
import { DOCUMENTS, DOWNGRADES, PeriodForm, SourceForm, TIER_PERIODS, TierForm, UNKNOWN, UnitForm } from './catalogue-forms.tsx';
import { FIELDS } from './mapping.tsx';
import { useHere, useMay } from './place.ts';
import type { Period, ProgramParts, SourceFile, TierSet, Unit } from './program-file.tsx';

type Product = Awaited<ReturnType<typeof api.listProducts>>['products'][number];
/** What rules refer to: products and their unknown codes, tiers, periods, units, sources. */
export function Catalogue({ id = 'products' }: { id?: string }) {
  const { program } = useHere();
  const [, go] = useLocation();
  const file = useQuery({ queryKey: ['program', program.key], queryFn: () => api.exportProgram({ params: { program: program.key } }) as Promise<ProgramParts> });
  return (
    <>
      <Head title={t('Słowniki', 'Catalogue')} />
      <Tabs value={id} onChange={(value) => go(`/catalogue/${value}`)} keepMounted={false}>
        <Tabs.List mb="sm"><Tabs.Tab value="products">{t('Produkty', 'Products')}</Tabs.Tab><Tabs.Tab value="tiers">{t('Poziomy', 'Tiers')}</Tabs.Tab><Tabs.Tab value="periods">{t('Okresy', 'Periods')}</Tabs.Tab><Tabs.Tab value="units">{t('Jednostki', 'Units')}</Tabs.Tab><Tabs.Tab value="sources">{t('Źródła', 'Sources')}</Tabs.Tab><Tabs.Tab value="segments">{t('Segmenty', 'Segments')}</Tabs.Tab></Tabs.List>
        <Tabs.Panel value="products"><Products /></Tabs.Panel>
        {file.isPending ? <Bones /> : file.isError ? <Failed error={file.error} again={() => void file.refetch()} /> : (
          <>
            <Tabs.Panel value="tiers"><Tiers sets={file.data.tier_sets ?? []} /></Tabs.Panel>
            <Tabs.Panel value="periods"><Periods named={file.data.periods ?? []} /></Tabs.Panel>
            <Tabs.Panel value="units"><Units units={file.data.units ?? []} /></Tabs.Panel>
            <Tabs.Panel value="sources"><Sources sources={file.data.sources ?? []} /></Tabs.Panel>
          </>
        )}
        <Tabs.Panel value="segments"><Segments /></Tabs.Panel>
      </Tabs>
    </>
  );
}

const wordOf = (list: { value: string; label: string }[], value: string | undefined): string => list.find((item) => item.value === value)?.label ?? list[0]?.label ?? '';

function Tiers({ sets }: { sets: readonly TierSet[] }) {
  const may = useMay();
  const [editing, setEditing] = useState<TierSet | 'new' | null>(null);
  const add = may('programs:write') ? <Button variant="default" onClick={() => setEditing('new')}>{t('Nowa drabina', 'A new ladder')}</Button> : null;
  return (
    <>
      {sets.length === 0 ? <Empty action={add}>{t('Program nie ma poziomów. Poziom to próg obrotu, po którym uczestnik coś dostaje na stałe: rabat, dostęp, usługę.', 'The program has no tiers. A tier is a line of turnover past which a member gets something lasting: a discount, access, a service.')}</Empty> : <Group justify="flex-end" mb="sm">{add}</Group>}
      {sets.map((set) => <Card key={set.key} title={set.key} action={may('programs:write') ? <Button variant="default" size="compact-md" onClick={() => setEditing(set)}>{t('Zmień', 'Change')}</Button> : null}><Text size="sm" c="dimmed" mb="xs">{t('liczy się przez', 'counted within a')} {wordOf(TIER_PERIODS(), set.period ?? 'year')}; {t('przy przeglądzie spada', 'at a review it falls')} {wordOf(DOWNGRADES(), set.downgrade)}</Text><Wide><table className="sheet words"><thead><tr><th scope="col">{t('Poziom', 'Tier')}</th><th scope="col" className="number">{t('Od', 'From')}</th><th scope="col">{t('Co daje', 'What it gives')}</th></tr></thead><tbody>{set.tiers.map((tier) => <tr key={tier.key}><td>{tier.name ? said(tier.name) : tier.key}</td><td className="number">{amount(String(tier.from))}</td><td>{(tier.benefits ?? []).map((benefit) => said(benefit)).join(', ') || '–'}</td></tr>)}</tbody></table></Wide></Card>)}
      {editing === null ? null : <TierForm set={editing === 'new' ? null : editing} close={() => setEditing(null)} />}
    </>
  );
}

function Units({ units }: { units: readonly Unit[] }) {
  const may = useMay();
  const [editing, setEditing] = useState<Unit | 'new' | null>(null);
  return (
    <>
      <Card title={t('Jednostki', 'Units')} action={may('programs:write') ? <Button variant="default" size="compact-md" onClick={() => setEditing('new')}>{t('Nowa jednostka', 'A new unit')}</Button> : null}><Wide><table className="sheet words"><thead><tr><th scope="col">{t('Jednostka', 'Unit')}</th><th scope="col">{t('Po polsku', 'In Polish')}</th><th scope="col">{t('Po angielsku', 'In English')}</th><th scope="col">{t('Miejsc po przecinku', 'Decimal places')}</th><th scope="col">{t('Najmniejsze wydanie', 'Smallest redemption')}</th><th scope="col"><span className="visually-hidden">{t('Działania', 'Actions')}</span></th></tr></thead><tbody>{units.map((unit) => <tr key={unit.key}><td>{unit.key}</td><td>{unit.names.pl.one}, {unit.names.pl.few}, {unit.names.pl.many} ({unit.names.pl.short})</td><td>{unit.names.en.one}, {unit.names.en.other} ({unit.names.en.short})</td><td>{unit.scale}</td><td>{count(unit.smallest_redemption ?? 0)}</td><td>{may('programs:write') ? <Button variant="default" size="compact-sm" aria-label={t(`Zmień: ${unit.key}`, `Change: ${unit.key}`)} onClick={() => setEditing(unit)}>{t('Zmień', 'Change')}</Button> : null}</td></tr>)}</tbody></table></Wide></Card>
      {editing === null ? null : <UnitForm unit={editing === 'new' ? null : editing} close={() => setEditing(null)} />}
    </>
  );
}

function Sources({ sources }: { sources: readonly SourceFile[] }) {
  const may = useMay();
  const [editing, setEditing] = useState<SourceFile | 'new' | null>(null);
  const add = may('programs:write') ? <Button variant="default" onClick={() => setEditing('new')}>{t('Nowe źródło', 'A new source')}</Button> : null;
  return (
    <>
      {sources.length === 0 ? <Empty action={add}>{t('Program nie ma źródeł. Źródło to dystrybutor, sklep albo system, z którego przychodzą dane.', 'The program has no sources. A source is a distributor, a shop or a system that data come from.')}</Empty> : <Group justify="flex-end" mb="sm">{add}</Group>}
      {sources.map((source) => <Card key={source.key} title={source.name ? said(source.name) : source.key} action={may('programs:write') ? <Button variant="default" size="compact-md" aria-label={t(`Zmień: ${source.key}`, `Change: ${source.key}`)} onClick={() => setEditing(source)}>{t('Zmień', 'Change')}</Button> : null}><Text size="sm">{t('Klucz', 'Key')}: {source.key}. {t('Dokumenty przychodzą', 'Documents come')} {wordOf(DOCUMENTS(), source.documents ?? 'lines')}. {t('Kogo program nie zna', 'Whom the program does not know')}: {wordOf(UNKNOWN(), source.unknown ?? 'wait')}.</Text>{source.mapping ? <><Text size="sm" fw={600} mt="xs">{t('Kolumny plików', 'Columns of its files')}</Text><dl className="pairs narrow">{FIELDS().flatMap(([field, word]) => (typeof source.mapping?.[field] === 'string' ? [<dt key={`${field}t`}>{word}</dt>, <dd key={field}>{source.mapping[field] as string}</dd>] : []))}</dl></> : <Text c="dimmed" size="sm">{t('Bez zapisanego mapowania kolumn.', 'No saved mapping of columns.')}</Text>}</Card>)}
      {editing === null ? null : <SourceForm source={editing === 'new' ? null : editing} close={() => setEditing(null)} />}
    </>
  );
}

function Products() {
  const { program } = useHere();
  const may = useMay();
  const [mapping, setMapping] = useState<string | null>(null);
  return (
    <>
      <DataTable<Product> name="products" file={`/v1/programs/${program.key}/products`} keyOf={(row) => row.sku} empty={t('Nie ma jeszcze produktów.', 'There are no products yet.')} filters={[{ name: 'search', word: t('Kod lub nazwa', 'Code or name') }, { name: 'unknown', word: t('Które', 'Which'), options: [{ value: 'true', label: t('nieznane', 'unknown') }, { value: 'false', label: t('znane', 'known') }] }]}
        ask={async (page) => { const { products, next } = await api.listProducts({ params: { program: program.key }, query: page as never }); return { rows: products, next }; }}
        columns={[{ key: 'sku', word: t('Kod', 'Code'), sorts: true, show: (row) => row.sku }, { key: 'name', word: t('Nazwa', 'Name'), sorts: true, show: (row) => row.name ?? '–' }, { key: 'category', word: t('Kategoria', 'Category'), sorts: true, show: (row) => row.category ?? '–' }, { key: 'brand', word: t('Marka', 'Brand'), sorts: true, show: (row) => row.brand ?? '–' }, { key: 'groups', word: t('Grupy', 'Groups'), show: (row) => row.groups.join(', '), hidden: true }, { key: 'gtin', word: 'GTIN', show: (row) => row.gtin ?? '–', hidden: true }, { key: 'known', word: t('Stan', 'State'), show: (row) => (row.same_as ? `= ${row.same_as}` : row.known ? t('znany', 'known') : <State tone="care">{t('nieznany', 'unknown')}</State>) }, { key: 'lines', word: t('Pozycji', 'Lines'), sorts: true, number: true, show: (row) => count(row.lines) }]}
        {...(may('programs:write') ? { lastColumn: (row: Product) => (row.known || row.same_as ? null : <Button variant="default" size="compact-sm" onClick={() => setMapping(row.sku)}>{t('To jest …', 'This is …')}</Button>) } : {})} />
      {mapping === null ? null : <MapProduct code={mapping} close={() => setMapping(null)} />}
    </>
  );
}

function MapProduct({ code, close }: { code: string; close: () => void }) {
  const { program } = useHere();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [product, setProduct] = useState('');
  const save = useMutation({ mutationFn: () => api.mapProduct({ params: { program: program.key }, body: { code, product } }), onSuccess: async (done) => { told(t(`Zapisane. Zmieniło wyników: ${count(done.changed)}.`, `Saved. Results changed: ${count(done.changed)}.`)); await client.invalidateQueries(); close(); }, onError: (error) => failed(error) });
  return <Confirm open close={close} title={t(`Czym jest ${code}?`, `What is ${code}?`)} word={t('Zapisz', 'Save')} act={() => save.mutate()} busy={save.isPending}><label className="field">{t('Kod produktu', 'Product code')}<input value={product} onChange={(event) => setProduct(event.target.value)} /></label><Text size="sm" c="dimmed">{t('Zapisana sprzedaż tego kodu zostanie policzona jako ten produkt.', 'Recorded sales of this code will count as this product.')}</Text></Confirm>;
}

function Periods({ named }: { named: readonly Period[] }) {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [sure, setSure] = useState(false);
  const [editing, setEditing] = useState<Period | 'new' | null>(null);
  const closes = useQuery({ queryKey: ['closes', program.key], queryFn: () => api.listCloses({ params: { program: program.key } }) });
  const close = useMutation({ mutationFn: () => api.closePeriod({ params: { program: program.key }, body: { from, to } }), onSuccess: async (done) => { setSure(false); told(t(`Zamknięty: ${count(done.entitlements)} należności.`, `Closed: ${count(done.entitlements)} entitlements.`)); await client.invalidateQueries(); }, onError: (error) => { setSure(false); failed(error, () => close.mutate()); } });
  return (
    <>{asking}
      <Card title={t('Zamknięte okresy', 'Closed periods')}>{closes.isPending ? <Bones rows={2} /> : closes.isError ? <Failed error={closes.error} /> : closes.data.closes.length === 0 ? <Text c="dimmed">{t('Żaden okres nie jest zamknięty.', 'No period is closed.')}</Text> : <table className="sheet words"><thead><tr><th scope="col">{t('Okres', 'Period')}</th><th scope="col">{t('Stan', 'State')}</th></tr></thead><tbody>{closes.data.closes.map((item) => <tr key={item.id}><td>{day(item.from)} – {day(item.to)}</td><td>{item.state === 'closed' ? t('zamknięty', 'closed') : t('zamykany', 'closing')}</td></tr>)}</tbody></table>}</Card>
      {may('rules:approve') ? <Card title={t('Zamknij okres', 'Close a period')}><Group align="flex-end"><label className="field">{t('Od', 'From')}<input type="date" value={from} onChange={(event) => setFrom(event.target.value)} /></label><label className="field">{t('Do', 'To')}<input type="date" value={to} onChange={(event) => setTo(event.target.value)} /></label><Button disabled={from === '' || to === ''} onClick={() => setSure(true)}>{t('Zamknij okres', 'Close the period')}</Button></Group></Card> : null}
      <Card title={t('Nazwane okresy', 'Named periods')} action={may('programs:write') ? <Button variant="default" size="compact-md" onClick={() => setEditing('new')}>{t('Nowy okres', 'A new period')}</Button> : null}>{named.length === 0 ? <Text c="dimmed">{t('Sezony i kampanie, które nie trzymają się miesięcy, zapisuje się tutaj; reguła wskazuje ich kalendarz.', 'Seasons and campaigns that do not keep to months are kept here; a rule names their calendar.')}</Text> : <Wide><table className="sheet words"><thead><tr><th scope="col">{t('Okres', 'Period')}</th><th scope="col">{t('Kalendarz', 'Calendar')}</th><th scope="col">{t('Od – do', 'From – to')}</th><th scope="col"><span className="visually-hidden">{t('Działania', 'Actions')}</span></th></tr></thead><tbody>{named.map((period) => <tr key={`${period.calendar}${period.starts_on}`}><td>{period.name}</td><td>{period.calendar}</td><td>{day(period.starts_on)} – {day(period.ends_on)}</td><td>{may('programs:write') ? <Button variant="default" size="compact-sm" aria-label={t(`Zmień: ${period.name}`, `Change: ${period.name}`)} onClick={() => setEditing(period)}>{t('Zmień', 'Change')}</Button> : null}</td></tr>)}</tbody></table></Wide>}</Card>
      {editing === null ? null : <PeriodForm period={editing === 'new' ? null : editing} calendars={[...new Set(named.map((item) => item.calendar))]} close={() => setEditing(null)} />}
      <Confirm open={sure} close={() => setSure(false)} title={t('Zamknąć okres?', 'Close the period?')} word={t('Zamknij okres', 'Close the period')} act={() => close.mutate()} busy={close.isPending}><Text>{t(`Wyniki od ${day(from)} do ${day(to)} zostaną zamrożone. Tego nie można cofnąć; późniejsze korekty trafią do bieżącego okresu.`, `Results from ${day(from)} to ${day(to)} will be frozen. This cannot be undone; later corrections go to the current period.`)}</Text></Confirm>
    </>
  );
}

function Segments() {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed } = useGuard();
  const found = useQuery({ queryKey: ['segments', program.key], enabled: may('members:read'), queryFn: () => api.listSegments({ params: { program: program.key } }) });
  const refresh = useMutation({ mutationFn: () => api.refreshSegments({ params: { program: program.key } }), onSuccess: async () => { told(t('Policzone na nowo.', 'Computed anew.')); await client.invalidateQueries({ queryKey: ['segments'] }); }, onError: (error) => failed(error) });
  if (!may('members:read')) return <Empty>{t('Twoja rola nie obejmuje segmentów.', 'Your role does not cover segments.')}</Empty>;
  if (found.isPending) return <Bones />;
  if (found.isError) return <Failed error={found.error} again={() => void found.refetch()} />;
  return found.data.segments.length === 0 ? <Empty>{t('Program nie ma segmentów.', 'The program has no segments.')}</Empty> : <Card title={t('Segmenty', 'Segments')} action={may('members:write') ? <Button size="compact-md" variant="default" loading={refresh.isPending} onClick={() => refresh.mutate()}>{t('Policz na nowo', 'Compute anew')}</Button> : null}><table className="sheet"><tbody>{found.data.segments.map((segment) => <tr key={segment.key}><td>{segment.key}</td><td>{count(segment.members)}</td></tr>)}</tbody></table></Card>;
}
