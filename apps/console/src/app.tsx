import { Button, Center, Loader, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, applyLook, codeOf, setTenant, t, tenantNow, whatWentWrong } from '@premia/ui';
import { Suspense, lazy, useEffect, useState, type ComponentType } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { Frame } from './frame.tsx';
import { Place, useMay, type Here } from './place.ts';

const page = (load: () => Promise<Record<string, unknown>>, name: string) => lazy(async () => ({ default: (await load())[name] as ComponentType<{ id?: string }> }));
const Today = page(() => import('./today.tsx'), 'Today');
const Imports = page(() => import('./imports.tsx'), 'Imports');
const Import = page(() => import('./import.tsx'), 'Import');
const Sales = page(() => import('./sales.tsx'), 'Sales');
const Document = page(() => import('./sales.tsx'), 'Document');
const Members = page(() => import('./members.tsx'), 'Members');
const Companies = page(() => import('./members.tsx'), 'Companies');
const Member = page(() => import('./member.tsx'), 'Member');
const Mechanics = page(() => import('./mechanics.tsx'), 'Mechanics');
const Builder = page(() => import('./builder.tsx'), 'Builder');
const Targets = page(() => import('./targets.tsx'), 'Targets');
const Catalogue = page(() => import('./catalogue.tsx'), 'Catalogue');
const Rewards = page(() => import('./rewards.tsx'), 'Rewards');
const Orders = page(() => import('./orders.tsx'), 'Orders');
const Order = page(() => import('./orders.tsx'), 'Order');
const Payouts = page(() => import('./payouts.tsx'), 'Payouts');
const Payout = page(() => import('./payouts.tsx'), 'Payout');
const Money = page(() => import('./money.tsx'), 'Money');
const Ledger = page(() => import('./ledger.tsx'), 'Ledger');
const Approvals = page(() => import('./approvals.tsx'), 'Approvals');
const Inquiries = page(() => import('./inquiries.tsx'), 'Inquiries');
const Settings = page(() => import('./settings.tsx'), 'Settings');

/** The screens, each with the permission without which it shows why it does not. */
const SCREENS: [path: string, screen: ComponentType<{ id?: string }>, permission: string][] = [
  ['/', Today, 'programs:read'], ['/imports', Imports, 'facts:read'], ['/imports/:id', Import, 'facts:read'], ['/sales', Sales, 'facts:read'], ['/sales/:id', Document, 'facts:read'], ['/members', Members, 'members:read'], ['/members/:id', Member, 'members:read'], ['/companies', Companies, 'members:read'],
  ['/mechanics', Mechanics, 'programs:read'], ['/mechanics/:id', Builder, 'programs:read'], ['/targets', Targets, 'ledger:read'], ['/catalogue/:id?', Catalogue, 'programs:read'], ['/rewards', Rewards, 'programs:read'], ['/rewards/:id', Rewards, 'programs:read'], ['/orders', Orders, 'ledger:read'], ['/orders/:id', Order, 'members:read'], ['/payouts', Payouts, 'ledger:read'], ['/payouts/:id', Payout, 'ledger:read'], ['/money/:id?', Money, 'ledger:read'], ['/ledger/:id?', Ledger, 'ledger:read'], ['/approvals', Approvals, 'ledger:read'], ['/inquiries', Inquiries, 'members:read'], ['/inquiries/:id', Inquiries, 'members:read'], ['/settings/:id?', Settings, 'programs:read'],
];

export function App() {
  const session = useQuery({ queryKey: ['session'], queryFn: () => api.readSession(), staleTime: 60_000 });
  const [chosen, choose] = useState(() => localStorage.getItem('premia.console') ?? '');
  const places: Here[] = (session.data?.tenants ?? []).flatMap((tenant) => tenant.programs.filter((program) => program.permissions.some((permission) => permission.endsWith(':read') && permission !== 'company:read')).map((program) => ({ person: session.data?.person as Here['person'], tenant, program, held: tenant.held })));
  const here = places.find((place) => `${place.tenant.key}/${place.program.key}` === chosen) ?? places[0];
  useEffect(() => { if (here) applyLook(here.program.look ?? here.tenant.look); }, [here]);
  if (here && tenantNow() !== here.tenant.key) setTenant(here.tenant.key);
  if (session.isPending) return <Center h="100dvh"><Loader aria-label={t('Wczytuję', 'Loading')} /></Center>;
  if (session.isError && codeOf(session.error) === 'not_authenticated') { location.assign(`/sign-in?to=${encodeURIComponent(location.pathname)}`); return null; }
  if (session.isError) return <Alone title={t('Nie udało się wczytać', 'Could not be loaded')} text={whatWentWrong(session.error)} action={t('Spróbuj jeszcze raz', 'Try again')} act={() => void session.refetch()} />;
  if (!here) return <Alone title={t('Nie masz dostępu do konsoli', 'You have no access to the console')} text={t('Konsola jest dla operatorów. Twoje punkty są w portalu.', 'The console is for operators. Your points are in the portal.')} action={t('Otwórz portal', 'Open the portal')} act={() => location.assign('/')} />;
  return (
    <Place.Provider value={here}>
      <Frame places={places} change={(key) => { localStorage.setItem('premia.console', key); choose(key); }}>
        <Suspense fallback={<Center mih={240}><Loader aria-label={t('Wczytuję', 'Loading')} /></Center>}>
          <Switch key={`${here.tenant.key}/${here.program.key}`}>
            {SCREENS.map(([path, Screen, permission]) => <Route key={path} path={path}>{(params: Record<string, string | undefined>) => <Guarded permission={permission}><Screen {...(params['id'] === undefined ? {} : { id: decodeURIComponent(params['id']) })} /></Guarded>}</Route>)}
            <Route><Redirect to="/" /></Route>
          </Switch>
        </Suspense>
      </Frame>
    </Place.Provider>
  );
}

function Guarded({ permission, children }: { permission: string; children: React.ReactNode }) {
  const may = useMay();
  return may(permission) ? children : <Stack p="lg"><Title order={1}>{t('Nie masz uprawnienia', 'You lack the permission')}</Title><Text>{t('Twoja rola nie obejmuje tego ekranu. Właściciel organizacji może ją zmienić w Ustawieniach.', 'Your role does not cover this screen. The organization’s owner can change it in Settings.')}</Text></Stack>;
}

const Alone = ({ title, text, action, act }: { title: string; text: string; action: string; act: () => void }) => <Center h="100dvh" p="md"><main><Stack maw={420}><Title order={1}>{title}</Title><Text>{text}</Text><Button onClick={act}>{action}</Button></Stack></main></Center>;
