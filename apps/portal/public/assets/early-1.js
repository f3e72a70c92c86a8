/* Asks for what the first screen needs before the application itself has been read: on a slow phone that takes as long as the answers. A change needs another number in the name. */
(function () {
  try {
    var place = JSON.parse(localStorage.getItem('premia.place') || 'null');
    if (!place || location.pathname !== '/' || location.search !== '') return;
    var language = localStorage.getItem('premia.language') || (navigator.language.toLowerCase().indexOf('en') === 0 ? 'en' : 'pl');
    var ask = function (path) { return fetch(path, { headers: { 'x-premia-tenant': place.tenant, 'accept-language': language } }); };
    var home = '/v1/me/' + encodeURIComponent(place.program.key) + '?locale=' + language;
    window.premiaEarly = { '/v1/session': ask('/v1/session') };
    window.premiaEarly[home] = ask(home);
  } catch (error) { /* the application asks by itself */ }
})();
