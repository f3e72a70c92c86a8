import { useQuery } from '@tanstack/react-query';
import { api, applyLook, codeOf, setTenant, t, tenantNow, useLanguage } from '@premia/ui';
import { Suspense, lazy, useEffect, useState } from 'react';
import { Redirect, Route, Switch, useLocation } from 'wouter';
import { Place, type Here } from './place.ts';
import { Shell } from './shell.tsx';
import { Failed, Loading } from './faces.tsx';
import { Home } from './home.tsx';

const SignIn = lazy(() => import('./sign-in.tsx').then((page) => ({ default: page.SignIn })));
const Link = lazy(() => import('./sign-in.tsx').then((page) => ({ default: page.LinkPage })));
const NewPassword = lazy(() => import('./sign-in.tsx').then((page) => ({ default: page.NewPassword })));
const Join = lazy(() => import('./join.tsx').then((page) => ({ default: page.Join })));
const Register = lazy(() => import('./register.tsx').then((page) => ({ default: page.Register })));
const Mailbox = lazy(() => import('./mailbox.tsx').then((page) => ({ default: page.Mailbox })));
const Earn = lazy(() => import('./earn.tsx').then((page) => ({ default: page.Earn })));
const Rewards = lazy(() => import('./rewards.tsx').then((page) => ({ default: page.Rewards })));
const Activity = lazy(() => import('./activity.tsx').then((page) => ({ default: page.Activity })));
const Me = lazy(() => import('./me.tsx').then((page) => ({ default: page.Me })));

export function App() {
  useLanguage();
  return (
    <Suspense fallback={<Loading />}>
      <Switch>
        <Route path="/sign-in"><SignIn /></Route>
        <Route path="/link"><Link /></Route>
        <Route path="/new-password"><NewPassword /></Route>
        <Route path="/join"><Join /></Route>
        <Route path="/register/:tenant/:program">{({ tenant, program }) => <Register tenant={tenant} program={program} />}</Route>
        <Route path="/mailbox"><Mailbox /></Route>
        <Route><Member /></Route>
      </Switch>
    </Suspense>
  );
}

/** Everything behind the door: whose member the person is, in which program, and how it looks there. */
function Member() {
  const [path] = useLocation();
  const session = useQuery({ queryKey: ['session'], queryFn: () => api.readSession() });
  const [chosen, choose] = useState<string | null>(() => localStorage.getItem('premia.program'));
  const places: Here[] = (session.data?.tenants ?? []).flatMap((tenant) => tenant.programs.flatMap((program) => (program.self ? [{ tenant: tenant.key, look: program.look ?? tenant.look, program, self: program.self, permissions: program.permissions }] : [])));
  const kept = keptPlace();
  const here = places.find((place) => `${place.tenant}/${place.program.key}` === chosen) ?? places[0] ?? (session.isPending || (session.isError && codeOf(session.error) === 'offline') ? kept : undefined);
  useEffect(() => { if (here) { applyLook(here.look); document.title = here.program.name[document.documentElement.lang === 'en' ? 'en' : 'pl']; localStorage.setItem('premia.place', JSON.stringify(here)); } }, [here]);
  if (here && tenantNow() !== here.tenant) setTenant(here.tenant);
  if (session.isPending && !here) return <Loading />; // a place known from the last visit is asked about while the session is looked up
  if (session.isError && codeOf(session.error) === 'not_authenticated') return <Redirect to={`/sign-in?to=${encodeURIComponent(path)}`} />;
  if (!here && session.isError) return <Failed error={session.error} again={() => void session.refetch()} />;
  if (!here) return <NoMembership staff={(session.data?.tenants.length ?? 0) > 0} />;
  const change = (key: string): void => { localStorage.setItem('premia.program', key); choose(key); };
  return (
    <Place.Provider value={here}>
      <Shell places={places} change={change}>
        <Suspense fallback={<Loading />}>
          <Switch>
            <Route path="/"><Home /></Route>
            <Route path="/earn"><Earn /></Route>
            <Route path="/rewards/:part?/:id?">{({ part, id }) => <Rewards part={part} id={id} />}</Route>
            <Route path="/activity"><Activity /></Route>
            <Route path="/me/:part?">{({ part }) => <Me part={part} />}</Route>
            <Route><Redirect to="/" /></Route>
          </Switch>
        </Suspense>
      </Shell>
    </Place.Provider>
  );
}

function keptPlace(): Here | undefined {
  try { return JSON.parse(localStorage.getItem('premia.place') ?? 'null') as Here ?? undefined; } catch { return undefined; }
}

function NoMembership({ staff }: { staff: boolean }) {
  return (
    <main className="page narrow">
      <h1>{t('Nie jesteś tu uczestnikiem', 'You are not a member here')}</h1>
      <p>{staff ? t('Twoje konto służy do pracy w konsoli.', 'Your account is for working in the console.') : t('Poproś organizatora programu o zaproszenie.', 'Ask the program’s organizer for an invitation.')}</p>
      {staff ? <p><a className="button" href="/console">{t('Otwórz konsolę', 'Open the console')}</a></p> : null}
      <p><a href="/sign-in">{t('Zaloguj się inaczej', 'Sign in as somebody else')}</a></p>
    </main>
  );
}
