import { Button, Group, Tabs, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { amount, api, count, day, said, t } from '@premia/ui';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { DataTable } from './data-table.tsx';
import { Bones, Card, Confirm, Empty, Failed, Head, State, told, useGuard, Wide } from './parts.tsx';
import { useHere, useMay } from './place.ts';

type Product = Awaited<ReturnType<typeof api.listProducts>>['products'][number];
type Tier = { key: string; from: string | number; name?: { pl: string; en: string }; benefits?: { key: string; pl: string; en: string }[] };
type File = { tier_sets?: { key: string; period?: string; role?: string; tiers: Tier[] }[]; units?: { key: string; scale: number; names: { pl: { one: string; few: string; many: string; short: string } } ; smallest_redemption?: number; grace_days?: number }[]; periods?: { calendar: string; name: string; starts_on: string; ends_on: string }[]; sources?: { key: string; documents?: string; unknown?: string; mapping?: Record<string, unknown> }[] };

/** What rules refer to: products and their unknown codes, tiers, periods, units, sources. */
export function Catalogue({ id = 'products' }: { id?: string }) {
  const { program } = useHere();
  const [, go] = useLocation();
  const file = useQuery({ queryKey: ['program', program.key], queryFn: () => api.exportProgram({ params: { program: program.key } }) as Promise<File> });
  return (
    <>
      <Head title={t('Słowniki', 'Catalogue')} />
      <Tabs value={id} onChange={(value) => go(`/catalogue/${value}`)} keepMounted={false}>
        <Tabs.List mb="sm"><Tabs.Tab value="products">{t('Produkty', 'Products')}</Tabs.Tab><Tabs.Tab value="tiers">{t('Poziomy', 'Tiers')}</Tabs.Tab><Tabs.Tab value="periods">{t('Okresy', 'Periods')}</Tabs.Tab><Tabs.Tab value="units">{t('Jednostki', 'Units')}</Tabs.Tab><Tabs.Tab value="sources">{t('Źródła', 'Sources')}</Tabs.Tab><Tabs.Tab value="segments">{t('Segmenty', 'Segments')}</Tabs.Tab></Tabs.List>
        <Tabs.Panel value="products"><Products /></Tabs.Panel>
        {file.isPending ? <Bones /> : file.isError ? <Failed error={file.error} again={() => void file.refetch()} /> : (
          <>
            <Tabs.Panel value="tiers">{(file.data.tier_sets ?? []).length === 0 ? <Empty>{t('Program nie ma poziomów.', 'The program has no tiers.')}</Empty> : (file.data.tier_sets ?? []).map((set) => <Card key={set.key} title={set.key}><table className="sheet"><thead><tr><th scope="col">{t('Poziom', 'Tier')}</th><th scope="col">{t('Od', 'From')}</th><th scope="col">{t('Co daje', 'What it gives')}</th></tr></thead><tbody>{set.tiers.map((tier) => <tr key={tier.key}><td>{tier.name ? said(tier.name) : tier.key}</td><td>{amount(String(tier.from))}</td><td>{(tier.benefits ?? []).map((benefit) => said(benefit)).join(', ') || '–'}</td></tr>)}</tbody></table></Card>)}</Tabs.Panel>
            <Tabs.Panel value="periods"><Periods named={file.data.periods ?? []} /></Tabs.Panel>
            <Tabs.Panel value="units"><Card><Wide><table className="sheet"><thead><tr><th scope="col">{t('Jednostka', 'Unit')}</th><th scope="col">{t('Po polsku', 'In Polish')}</th><th scope="col">{t('Miejsc po przecinku', 'Decimal places')}</th><th scope="col">{t('Najmniejsze wydanie', 'Smallest redemption')}</th></tr></thead><tbody>{(file.data.units ?? []).map((unit) => <tr key={unit.key}><td>{unit.key}</td><td>{unit.names.pl.one}, {unit.names.pl.few}, {unit.names.pl.many} ({unit.names.pl.short})</td><td>{unit.scale}</td><td>{count(unit.smallest_redemption ?? 0)}</td></tr>)}</tbody></table></Wide></Card></Tabs.Panel>
            <Tabs.Panel value="sources">{(file.data.sources ?? []).map((source) => <Card key={source.key} title={source.key}><Text size="sm">{t('Nieznani uczestnicy', 'Unknown members')}: {source.unknown ?? '–'}</Text>{source.mapping ? <dl className="pairs">{Object.entries(source.mapping).map(([field, column]) => [<dt key={`${field}t`}>{field}</dt>, <dd key={field}>{typeof column === 'string' ? column : JSON.stringify(column)}</dd>])}</dl> : <Text c="dimmed" size="sm">{t('Bez zapisanego mapowania kolumn.', 'No saved mapping of columns.')}</Text>}</Card>)}</Tabs.Panel>
          </>
        )}
        <Tabs.Panel value="segments"><Segments /></Tabs.Panel>
      </Tabs>
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
        columns={[{ key: 'sku', word: t('Kod', 'Code'), show: (row) => row.sku }, { key: 'name', word: t('Nazwa', 'Name'), show: (row) => row.name ?? '–' }, { key: 'category', word: t('Kategoria', 'Category'), show: (row) => row.category ?? '–' }, { key: 'brand', word: t('Marka', 'Brand'), show: (row) => row.brand ?? '–' }, { key: 'groups', word: t('Grupy', 'Groups'), show: (row) => row.groups.join(', '), hidden: true }, { key: 'gtin', word: 'GTIN', show: (row) => row.gtin ?? '–', hidden: true }, { key: 'known', word: t('Stan', 'State'), show: (row) => (row.same_as ? `= ${row.same_as}` : row.known ? t('znany', 'known') : <State tone="care">{t('nieznany', 'unknown')}</State>) }, { key: 'lines', word: t('Pozycji', 'Lines'), number: true, show: (row) => count(row.lines) }]}
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

function Periods({ named }: { named: NonNullable<File['periods']> }) {
  const { program } = useHere();
  const may = useMay();
  const client = useQueryClient();
  const { failed, asking } = useGuard();
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [sure, setSure] = useState(false);
  const closes = useQuery({ queryKey: ['closes', program.key], queryFn: () => api.listCloses({ params: { program: program.key } }) });
  const close = useMutation({ mutationFn: () => api.closePeriod({ params: { program: program.key }, body: { from, to } }), onSuccess: async (done) => { setSure(false); told(t(`Zamknięty: ${count(done.entitlements)} należności.`, `Closed: ${count(done.entitlements)} entitlements.`)); await client.invalidateQueries(); }, onError: (error) => { setSure(false); failed(error, () => close.mutate()); } });
  return (
    <>{asking}
      <Card title={t('Zamknięte okresy', 'Closed periods')}>{closes.isPending ? <Bones rows={2} /> : closes.isError ? <Failed error={closes.error} /> : closes.data.closes.length === 0 ? <Text c="dimmed">{t('Żaden okres nie jest zamknięty.', 'No period is closed.')}</Text> : <table className="sheet"><thead><tr><th scope="col">{t('Okres', 'Period')}</th><th scope="col">{t('Stan', 'State')}</th></tr></thead><tbody>{closes.data.closes.map((item) => <tr key={item.id}><td>{day(item.from)} – {day(item.to)}</td><td>{item.state === 'closed' ? t('zamknięty', 'closed') : t('zamykany', 'closing')}</td></tr>)}</tbody></table>}</Card>
      {may('rules:approve') ? <Card title={t('Zamknij okres', 'Close a period')}><Group align="flex-end"><label className="field">{t('Od', 'From')}<input type="date" value={from} onChange={(event) => setFrom(event.target.value)} /></label><label className="field">{t('Do', 'To')}<input type="date" value={to} onChange={(event) => setTo(event.target.value)} /></label><Button disabled={from === '' || to === ''} onClick={() => setSure(true)}>{t('Zamknij okres', 'Close the period')}</Button></Group></Card> : null}
      {named.length > 0 ? <Card title={t('Nazwane okresy', 'Named periods')}><table className="sheet"><tbody>{named.map((period) => <tr key={`${period.calendar}${period.starts_on}`}><td>{period.name}</td><td>{period.calendar}</td><td>{day(period.starts_on)} – {day(period.ends_on)}</td></tr>)}</tbody></table></Card> : null}
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
