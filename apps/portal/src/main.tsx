import '@fontsource-variable/inter/wght.css';
import '@premia/ui/base.css';
import './portal.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { applyScheme, queries } from '@premia/ui';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';

applyScheme();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', applyScheme);
createRoot(document.getElementById('root') as HTMLElement).render(<QueryClientProvider client={queries}><App /></QueryClientProvider>);
if ('serviceWorker' in navigator && import.meta.env.PROD) void navigator.serviceWorker.register('/sw.js');
