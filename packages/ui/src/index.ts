export * from './words.ts';
export * from './api.ts';
export { forgetEarly, keepEarly } from './early.ts';
export * from './look.ts';
export type { Client } from './client.ts';
