import '@fontsource-variable/inter/wght.css';
import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import '@mantine/spotlight/styles.css';
import '@premia/ui/base.css';
import './console.css';
import { MantineProvider, createTheme, type CSSVariablesResolver } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { applyScheme, queries, schemeShown, useLanguage } from '@premia/ui';
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Router } from 'wouter';
import { App } from './app.tsx';

const theme = createTheme({ respectReducedMotion: true, fontFamily: "'Inter Variable', system-ui, sans-serif", primaryColor: 'teal', defaultRadius: 'var(--radius)', focusRing: 'never', fontSizes: { xs: '12px', sm: '14px', md: '16px', lg: '20px', xl: '28px' }, headings: { fontWeight: '600', sizes: { h1: { fontSize: '20px' }, h2: { fontSize: '16px' }, h3: { fontSize: '14px' } } } });
/** The library's colours follow our roles, so that a sponsor's theme and the contrast we proved hold for it too. */
const roles = { '--mantine-primary-color-filled': 'var(--accent)', '--mantine-primary-color-filled-hover': 'color-mix(in oklab, var(--accent) 88%, #000)', '--mantine-primary-color-contrast': 'var(--on-accent)', '--mantine-primary-color-light': 'var(--accent-soft)', '--mantine-primary-color-light-hover': 'var(--accent-soft)', '--mantine-primary-color-light-color': 'var(--accent-text)',
  '--mantine-color-anchor': 'var(--accent-text)', '--mantine-color-dimmed': 'var(--text-quiet)', '--mantine-color-placeholder': 'var(--text-quiet)', '--mantine-color-error': 'var(--negative)', '--mantine-color-body': 'var(--surface)', '--mantine-color-text': 'var(--text)', '--mantine-color-default': 'var(--surface)', '--mantine-color-default-border': 'var(--line-strong)', '--mantine-color-default-color': 'var(--text)', '--mantine-color-disabled-color': 'var(--text-quiet)', '--mantine-color-default-hover': 'var(--accent-soft)' };
const resolver: CSSVariablesResolver = () => ({ variables: roles, light: roles, dark: roles });

function Root() {
  useLanguage();
  const [scheme, setShown] = useState(schemeShown());
  useEffect(() => {
    const follow = (): void => { applyScheme(); setShown(schemeShown()); };
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', follow);
    addEventListener('premia-scheme', follow);
    return () => { removeEventListener('premia-scheme', follow); };
  }, []);
  return <MantineProvider theme={theme} cssVariablesResolver={resolver} forceColorScheme={scheme}><Notifications position="bottom-right" /><Router base="/console"><App /></Router></MantineProvider>;
}
applyScheme();
createRoot(document.getElementById('root') as HTMLElement).render(<QueryClientProvider client={queries}><Root /></QueryClientProvider>);
