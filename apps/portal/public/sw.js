/* Keeps the application itself for when there is no network. What is a member's own is kept by the pages, with its time, and goes when they sign out. */
// Raise the number when early.js changes: it is kept as it was, while the page is fetched anew behind every visit.
const SHELL = 'premia-shell-2';
self.addEventListener('install', (event) => { event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(['/', '/early.js'])).then(() => self.skipWaiting())); });
self.addEventListener('activate', (event) => { event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name !== SHELL).map((name) => caches.delete(name)))).then(() => self.clients.claim())); });
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin || /^\/(v1|api|docs|console|healthz|readyz|metrics|openapi\.json)(\/|$)/.test(url.pathname)) return;
  if (url.pathname.startsWith('/assets/')) {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request).then((answer) => { if (answer.ok) { const copy = answer.clone(); void caches.open(SHELL).then((cache) => cache.put(request, copy)); } return answer; })));
    return;
  }
  if (url.pathname === '/early.js') { event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request))); return; }
  // The page as it was kept, at once; the next visit gets the newer one, which is fetched meanwhile. It names its scripts by their contents.
  if (request.mode === 'navigate') {
    const fresh = fetch(request).then((answer) => { if (answer.ok) { const copy = answer.clone(); void caches.open(SHELL).then((cache) => cache.put('/', copy)); } return answer; });
    event.respondWith(caches.match('/').then((kept) => kept ?? fresh));
    event.waitUntil(fresh.catch(() => undefined));
  }
});
