export type Look = { accent: string; radius: number; logo: string | null };

/** Puts a sponsor's colours on the page. Contrast was proved when they were saved. */
export function applyLook(look: Look): void {
  const root = document.documentElement.style;
  root.setProperty('--accent', look.accent);
  root.setProperty('--radius', `${look.radius}px`);
}

export type Scheme = 'light' | 'dark' | 'auto';
const KEPT = 'premia.scheme';
export const schemeNow = (): Scheme => { const kept = localStorage.getItem(KEPT); return kept === 'light' || kept === 'dark' ? kept : 'auto'; };
export function setScheme(scheme: Scheme): void {
  localStorage.setItem(KEPT, scheme);
  applyScheme();
}
/** What the page is drawn in now: the reader's choice, else the machine's. */
export const schemeShown = (): 'light' | 'dark' => { const chosen = schemeNow(); return chosen === 'auto' ? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light') : chosen; };
export function applyScheme(): void {
  document.documentElement.dataset['scheme'] = schemeShown();
  document.documentElement.dataset['mantineColorScheme'] = schemeShown();
}
