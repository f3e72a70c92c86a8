import { Button, Group, Select, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, day, said, t } from '@premia/ui';
import { Link, useSearchParams } from 'wouter';
import { Bones, Card, Empty, Failed, Head, State } from './parts.tsx';
import { useHere, useMay } from './place.ts';

export type MechanicView = Awaited<ReturnType<typeof api.listMechanics>>['mechanics'][number];
export const MECHANIC_STATES: Record<string, () => ['good' | 'plain' | 'care', string]> = { live: () => ['good', t('działa', 'live')], coming: () => ['care', t('zacznie działać', 'coming')], ended: () => ['plain', t('zakończona', 'ended')] };

/** What a mechanic is called, by its key. */
export function useMechanicNames(): (key: string) => string {
  const { program } = useHere();
  const found = useQuery({ queryKey: ['mechanics', program.key], queryFn: () => api.listMechanics({ params: { program: program.key } }), staleTime: 300_000 });
  return (key) => { const one = found.data?.mechanics.find((item) => item.key === key); return one ? said(one.name) : key; };
}

/** The rules of the program as sentences. */
export function Mechanics() {
  const { program } = useHere();
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const found = useQuery({ queryKey: ['mechanics', program.key], queryFn: () => api.listMechanics({ params: { program: program.key } }) });
  const search = (params.get('search') ?? '').toLowerCase();
  const state = params.get('state');
  const shown = (found.data?.mechanics ?? []).filter((item) => (state === null || item.state === state) && `${item.key} ${said(item.name)} ${said(item.sentence)}`.toLowerCase().includes(search));
  return (
    <>
      <Head title={t('Mechaniki', 'Mechanics')} action={may('rules:propose') ? <Button component={Link} href="/mechanics/new">{t('Nowa mechanika', 'A new mechanic')}</Button> : null} />
      <Group mb="sm" align="flex-end"><label className="field">{t('Szukaj', 'Search')}<input type="search" value={params.get('search') ?? ''} onChange={(event) => setParams((old) => { const next = new URLSearchParams(old); if (event.target.value) next.set('search', event.target.value); else next.delete('search'); return next; })} /></label>
        <Select label={t('Stan', 'State')} clearable clearButtonProps={{ 'aria-label': t('Wyczyść', 'Clear') }} w={180} value={state} data={Object.entries(MECHANIC_STATES).map(([value, word]) => ({ value, label: word()[1] }))} onChange={(value) => setParams((old) => { const next = new URLSearchParams(old); if (value) next.set('state', value); else next.delete('state'); return next; })} /></Group>
      {found.isPending ? <Bones /> : found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : shown.length === 0 ? <Empty>{found.data.mechanics.length === 0 ? t('Program nie ma jeszcze zasad. Zacznij od gotowego wzoru.', 'The program has no rules yet. Begin with a preset.') : t('Nic nie pasuje.', 'Nothing matches.')}</Empty> : (
        <div className="grid" style={{ gridTemplateColumns: 'minmax(0, 1fr)' }}>{shown.map((item) => { const [tone, word] = MECHANIC_STATES[item.state]?.() ?? ['plain', item.state]; return (
          <Card key={item.key} title={<Link href={`/mechanics/${item.key}`}>{said(item.name)}</Link>} action={<State tone={tone}>{word}</State>}><p className="sentence">{said(item.sentence)}</p><Text size="sm" c="dimmed">{[item.clause, `${t('wersji', 'versions')}: ${item.versions.length}`, `${t('od', 'from')} ${day(item.versions[0]?.from ?? null)}`].filter((part) => part !== null).join(' · ')}</Text></Card>); })}</div>
      )}
    </>
  );
}
