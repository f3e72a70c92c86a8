import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { codeOf, forgetEarly } from '@premia/ui';

const PREFIX = 'premia.kept.';
export type Kept<T> = { data: T | undefined; keptAt: string | null; query: UseQueryResult<T> };

/** A query whose last answer stays readable without a network, with its time. */
export function useKept<T>(key: readonly string[], ask: () => Promise<T>): Kept<T> {
  const name = PREFIX + key.join('/');
  const query = useQuery<T>({ queryKey: key, queryFn: async () => { const data = await ask(); try { localStorage.setItem(name, JSON.stringify({ at: new Date().toISOString(), data })); } catch { /* full: the next visit needs the network */ } return data; } });
  if (query.data !== undefined && !query.isError) return { data: query.data, keptAt: null, query };
  if (query.isError && codeOf(query.error) === 'offline') {
    const text = localStorage.getItem(name);
    if (text !== null) { const kept = JSON.parse(text) as { at: string; data: T }; return { data: kept.data, keptAt: kept.at, query }; }
  }
  return { data: query.data, keptAt: null, query };
}

/** At the end of a session nothing of the member stays on the device. */
export function forgetKept(): void {
  forgetEarly();
  for (const name of Object.keys(localStorage)) if (name.startsWith(PREFIX) || name === 'premia.place' || name === 'premia.tenant' || name === 'premia.program') localStorage.removeItem(name);
}
