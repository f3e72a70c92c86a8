/* Runs before the application, which it must precede: asks for what the first screen shows while the application is still being read: on a middling phone that takes as long as the answer. What to ask was written down by the last visit, and is taken up by packages/ui/src/early.ts. */
(() => {
  try {
    const { urls, headers } = JSON.parse(localStorage.getItem('premia.early') ?? 'null') ?? {};
    if (!urls || location.pathname !== '/') return;
    window.premiaEarly = { at: performance.now(), answers: Object.fromEntries(urls.map((url) => [url, fetch(url, { headers })])) };
    for (const answer of Object.values(window.premiaEarly.answers)) answer.catch(() => undefined);
  } catch { /* the application asks for itself */ }
})();
