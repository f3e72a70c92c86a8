import { QueryClient } from '@tanstack/react-query';
import { PremiaProblem } from '@premia/sdk/transport';
import { createClient } from './client.ts';
import { fetchOrEarly } from './early.ts';
import { locale, t } from './words.ts';

const KEPT = 'premia.tenant';
let tenant: string | null = localStorage.getItem(KEPT);
export const tenantNow = (): string | null => tenant;
export function setTenant(key: string): void { tenant = key; localStorage.setItem(KEPT, key); }

/** The whole API with the browser's session, in the reader's language and for the chosen organization. */
export const callHeaders = (): Record<string, string> => ({ 'accept-language': locale(), ...(tenant === null ? {} : { 'x-premia-tenant': tenant }) });
export const api = createClient({ baseUrl: location.origin, retries: 1, headers: callHeaders, fetch: fetchOrEarly });

/** Whether the server can be reached is found out by asking it: a browser without the internet calls itself offline beside a server in the same house, and would hold every question back. */
export const queries = new QueryClient({ defaultOptions: { mutations: { networkMode: 'always' }, queries: { networkMode: 'always', staleTime: 15_000, retry: (times, error) => times < 1 && !(error instanceof PremiaProblem && error.status < 500), refetchOnWindowFocus: false } } });

/** What went wrong, as the reader can use it. */
export function whatWentWrong(error: unknown): string {
  if (error instanceof PremiaProblem) return [error.message.replace(/^\w+: /, ''), ...error.places.slice(0, 5).map((place) => `${place.pointer.replace(/^\//, '')}: ${place.message}`)].join(' ');
  return t('Nie ma połączenia z serwerem. Spróbuj za chwilę; nic nie zginęło.', 'The server cannot be reached. Try again shortly; nothing is lost.');
}
export const codeOf = (error: unknown): string => (error instanceof PremiaProblem ? error.code : 'offline');

/** Asks the sign-in library. Its own texts are English and for programmers; screens say what is meant. */
export async function signInCall(path: string, body?: unknown): Promise<{ ok: boolean; status: number; data: Record<string, unknown> }> {
  const answer = await fetch(`/api/auth${path}`, { method: body === undefined ? 'GET' : 'POST', headers: { 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { ok: answer.ok, status: answer.status, data: await answer.json().catch(() => ({})) as Record<string, unknown> };
}
export { PremiaProblem };
