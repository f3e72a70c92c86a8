import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({ root: import.meta.dirname, base: '/console/', plugins: [react()], build: { outDir: '../../dist/console', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } }, server: { proxy: { '/v1': 'http://localhost:3000', '/api': 'http://localhost:3000' } } });
