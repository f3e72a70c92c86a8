import { AppShell, Badge, Burger, Button, Group, Menu, NavLink, ScrollArea, Select, Text } from '@mantine/core';
import { Spotlight, openSpotlight, type SpotlightActionData } from '@mantine/spotlight';
import { useQuery } from '@tanstack/react-query';
import { api, count, queries, said, schemeShown, setLanguage, setScheme, signInCall, t, useLanguage } from '@premia/ui';
import { useState, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { useHere, useMay, type Here } from './place.ts';

/** Left rail with words and what waits; the place above; one palette for everything. */
export function Frame({ children, places, change }: { children: ReactNode; places: readonly Here[]; change: (key: string) => void }) {
  const { person, tenant, program } = useHere();
  const may = useMay();
  const language = useLanguage();
  const [path, go] = useLocation();
  const [open, setOpen] = useState(false);
  const { data: waits } = useQuery({ queryKey: ['today', 'waits', tenant.key, program.key], queryFn: () => api.readWaits({ params: { program: program.key } }), refetchInterval: 60_000 });
  const items: { to: string; word: string; permission: string; waits?: number | undefined }[] = [
    { to: '/', word: t('Dziś', 'Today'), permission: 'programs:read', waits: waits && Object.values(waits).reduce((sum, n) => sum + n, 0) }, { to: '/imports', word: t('Importy', 'Imports'), permission: 'facts:read', waits: waits?.imports }, { to: '/sales', word: t('Sprzedaż', 'Sales'), permission: 'facts:read' },
    { to: '/members', word: t('Uczestnicy', 'Members'), permission: 'members:read' }, { to: '/companies', word: t('Firmy', 'Companies'), permission: 'members:read' }, { to: '/mechanics', word: t('Mechaniki', 'Mechanics'), permission: 'programs:read' }, { to: '/targets', word: t('Cele', 'Targets'), permission: 'ledger:read' },
    { to: '/catalogue', word: t('Słowniki', 'Catalogue'), permission: 'programs:read', waits: waits?.unknown_products }, { to: '/rewards', word: t('Nagrody', 'Rewards'), permission: 'programs:read', waits: waits?.low_stock }, { to: '/orders', word: t('Zamówienia', 'Orders'), permission: 'ledger:read', waits: waits && waits.orders + waits.to_send }, { to: '/payouts', word: t('Wypłaty', 'Payouts'), permission: 'ledger:read', waits: waits?.batches }, { to: '/money', word: t('Pieniądze i podatki', 'Money and tax'), permission: 'ledger:read' },
    { to: '/ledger', word: t('Księga', 'Ledger'), permission: 'ledger:read' }, { to: '/approvals', word: t('Do zatwierdzenia', 'Approvals'), permission: 'ledger:read', waits: waits && waits.recalculations + waits.adjustments + waits.awards + waits.late + waits.imports },
    { to: '/inquiries', word: t('Zgłoszenia', 'Inquiries'), permission: 'members:read', waits: waits?.inquiries }, { to: '/settings', word: t('Ustawienia', 'Settings'), permission: 'programs:read' },
  ];
  const shown = items.filter((item) => may(item.permission));
  const actions: SpotlightActionData[] = [
    ...shown.map((item) => ({ id: item.to, label: item.word, description: t('Przejdź', 'Go'), onClick: () => go(item.to) })),
    ...places.filter((place) => place.program.key !== program.key || place.tenant.key !== tenant.key).map((place) => ({ id: `${place.tenant.key}/${place.program.key}`, label: said(place.program.name), description: t('Zmień program', 'Change program'), onClick: () => change(`${place.tenant.key}/${place.program.key}`) })),
    { id: 'language', label: language === 'pl' ? 'English' : 'Polski', description: t('Język', 'Language'), onClick: () => setLanguage(language === 'pl' ? 'en' : 'pl') }, { id: 'scheme', label: t('Jasny lub ciemny', 'Light or dark'), description: t('Wygląd', 'Appearance'), onClick: toggleScheme },
  ];
  const { logo } = program.look ?? tenant.look;
  const leave = async (): Promise<void> => { await signInCall('/sign-out', {}); queries.clear(); location.assign('/sign-in?to=/console'); };
  return (
    <AppShell navbar={{ width: 216, breakpoint: 'md', collapsed: { mobile: !open } }} header={{ height: 52 }} padding="md">
      <a className="skip" href="#content">{t('Przejdź do treści', 'Skip to content')}</a>
      <AppShell.Header><Group h="100%" px="md" wrap="nowrap" justify="space-between">
        <Group wrap="nowrap" gap="xs"><Burger opened={open} onClick={() => setOpen(!open)} hiddenFrom="md" size="sm" aria-label={t('Menu', 'Menu')} />{logo ? <img src={logo} alt={tenant.name} height={28} /> : <Text fw={600} c="var(--accent-text)">Premia</Text>}</Group>
        <Group wrap="nowrap" gap="xs">
          <Button variant="default" size="compact-md" onClick={openSpotlight} visibleFrom="xs">{t('Szukaj i przejdź', 'Search and go')} <kbd className="kbd">Ctrl K</kbd></Button>
          <Menu position="bottom-end"><Menu.Target><Button variant="default" size="compact-md">{person.name}</Button></Menu.Target>
            <Menu.Dropdown><Menu.Label>{person.email}</Menu.Label><Menu.Item onClick={() => setLanguage(language === 'pl' ? 'en' : 'pl')}>{language === 'pl' ? 'English' : 'Polski'}</Menu.Item><Menu.Item onClick={toggleScheme}>{t('Jasny lub ciemny', 'Light or dark')}</Menu.Item><Menu.Item component={Link} href="/settings/me">{t('Moje logowanie', 'My sign-in')}</Menu.Item><Menu.Divider /><Menu.Item onClick={() => void leave()}>{t('Wyloguj się', 'Sign out')}</Menu.Item></Menu.Dropdown></Menu>
        </Group>
      </Group></AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={t('Ekrany', 'Screens')}>
        <Select aria-label={t('Program', 'Program')} data={places.map((place) => ({ value: `${place.tenant.key}/${place.program.key}`, label: places.some((other) => other.tenant.key !== place.tenant.key) ? `${place.tenant.name} · ${said(place.program.name)}` : said(place.program.name) }))} value={`${tenant.key}/${program.key}`} onChange={(key) => { if (key) change(key); }} allowDeselect={false} mb="xs" />
        <ScrollArea>{shown.map((item) => { const current = item.to === '/' ? path === '/' : path.startsWith(item.to); return <NavLink key={item.to} component={Link} href={item.to} label={item.word} active={current} aria-current={current ? 'page' : undefined} onClick={() => setOpen(false)} rightSection={item.waits ? <Badge variant="outline" color="gray" size="sm" className="waits">{count(item.waits)}</Badge> : null} />; })}</ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>{children}</AppShell.Main>
      <Spotlight actions={actions} shortcut={['mod + K']} nothingFound={t('Nic takiego', 'Nothing like that')} searchProps={{ placeholder: t('Dokąd?', 'Where to?'), 'aria-label': t('Dokąd?', 'Where to?') }} highlightQuery />
    </AppShell>
  );
}

function toggleScheme(): void {
  setScheme(schemeShown() === 'dark' ? 'light' : 'dark');
  dispatchEvent(new Event('premia-scheme'));
}
