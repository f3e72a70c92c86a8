export * from './words.ts';
export * from './api.ts';
export * from './look.ts';
export type { Client } from './client.ts';
