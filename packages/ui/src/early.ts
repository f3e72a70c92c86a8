/*
 * A screen's first questions, written down so that the next visit asks them before the application is read (apps/portal/public/early.js).
 * An answer is taken once, only for exactly the same address, and only fresh: whoever asks later asks the server.
 */
const KEPT = 'premia.early';
const FRESH_MS = 10_000;
type Early = { at: number; answers: Record<string, Promise<Response>> };

export function keepEarly(urls: readonly string[], headers: Record<string, string>): void {
  try { localStorage.setItem(KEPT, JSON.stringify({ urls, headers })); } catch { /* full: the next visit asks a little later */ }
}
export const forgetEarly = (): void => localStorage.removeItem(KEPT);

/** What nobody asked for after all – another program was chosen, the session is over – is let go. */
function letGo(early: Early): void {
  for (const answer of Object.values(early.answers)) void answer.then((response) => response.body?.cancel()).catch(() => undefined);
  early.answers = {};
}
const begun = (globalThis as { premiaEarly?: Early }).premiaEarly;
if (begun) setTimeout(() => letGo(begun), FRESH_MS);

export const fetchOrEarly: typeof fetch = (url, init) => {
  const early = (globalThis as { premiaEarly?: Early }).premiaEarly;
  const key = url instanceof URL ? url.pathname + url.search : String(url);
  const answer = init?.method === 'GET' && early && performance.now() - early.at < FRESH_MS ? early.answers[key] : undefined;
  if (!answer || !early) return fetch(url, init);
  delete early.answers[key];
  return answer;
};
