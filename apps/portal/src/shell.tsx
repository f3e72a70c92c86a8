import { said, t } from '@premia/ui';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { useHere, type Here } from './place.ts';

const ICONS: Record<string, string> = {
  '/': 'M4 11.5 12 5l8 6.5V20h-5v-5H9v5H4z', '/earn': 'M4 19V10m5 9V5m5 14v-7m5 7V8', '/rewards': 'M4 10h16v10H4zM3 6.5h18V10H3zM12 6.5V20M12 6.5C9 6.5 7 5.500 8 4s4 .5 4 2.500c0-2 3-4 4-2.500s-1 2.500-4 2.500',
  '/activity': 'M5 6h14M5 12h14M5 18h9', '/me': 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-7 8c.6-3.500 3.400-5 7-5s6.400 1.500 7 5',
};

/** Header, the five places, and room for one of them. */
export function Shell({ children, places, change }: { children: ReactNode; places: readonly Here[]; change: (key: string) => void }) {
  const { program, look, tenant } = useHere();
  const [path] = useLocation();
  const items: [string, string][] = [['/', t('Start', 'Home')], ['/earn', t('Zdobywaj', 'Earn')], ['/rewards', t('Nagrody', 'Rewards')], ['/activity', t('Historia', 'Activity')], ['/me', t('Ja', 'Me')]];
  return (
    <div className="shell">
      <a className="skip" href="#content">{t('Przejdź do treści', 'Skip to content')}</a>
      <header className="top">
        {look.logo ? <img src={look.logo} alt="" className="logo" /> : null}
        {places.length > 1 ? (
          <label><span className="visually-hidden">{t('Program', 'Program')}</span>
            <select value={`${tenant}/${program.key}`} onChange={(event) => change(event.target.value)}>{places.map((place) => <option key={`${place.tenant}/${place.program.key}`} value={`${place.tenant}/${place.program.key}`}>{said(place.program.name)}</option>)}</select>
          </label>
        ) : <strong>{said(program.name)}</strong>}
      </header>
      <nav className="places" aria-label={t('Główne miejsca', 'Main places')}>
        {items.map(([to, word]) => {
          const current = to === '/' ? path === '/' : path.startsWith(to);
          return <Link key={to} href={to} aria-current={current ? 'page' : undefined}><svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinejoin="round" strokeLinecap="round"><path d={ICONS[to]} /></svg>{word}</Link>;
        })}
      </nav>
      <main id="content" className="page" tabIndex={-1}>{children}</main>
    </div>
  );
}
