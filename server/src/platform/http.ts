import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import scalar from '@scalar/fastify-api-reference';
import { openapi, type Route } from '@premia/contract';
import { LOCALES, Refusal, phrase, type Locale } from '@premia/kernel';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { makeContext, type Context } from './context.ts';
import type { Database } from './database.ts';
import { EXPORT_TYPES, exportList, listOf, type Formats } from './export-list.ts';
import { onceByKey } from './idempotency.ts';

export type Self = { member: string; role: string; company: string | null };
export type SignedIn = { userId: string; email: string; name: string; locale: Locale; strong: boolean; twoFactor: boolean; sessionId: string };
/** `self`: the member whose own things a person asks for; `person`: who is signed in, where the route is for people. */
export type Handled = { params: Record<string, string>; query: Record<string, unknown>; body: unknown; upload: Readable | null; self?: Self; person?: SignedIn | null; headers?: IncomingHttpHeaders };
export type Handler = (context: Context, given: Handled) => Promise<unknown>;
/** `programs`: what is allowed in one program only; `self`: which member of a program this is; `held`: what waits for a second factor. */
export type Principal = { tenantId: bigint; name: string; permissions: ReadonlySet<string>; programs?: ReadonlyMap<string, ReadonlySet<string>>; self?: ReadonlyMap<string, Self>; held?: ReadonlySet<string>; person?: SignedIn };
/** How people come in: the library's own addresses, whose session a request carries, and what that person is in a tenant. */
export type PeopleDoor = { handle(request: Request): Promise<Response>; personOf(headers: Headers): Promise<SignedIn | null>; principalOf(person: SignedIn, tenant: string | undefined): Promise<Principal | null> };
export type HttpOptions = {
  db: Database; routes: Record<string, Route>; handlers: Record<string, Handler>; authenticate(secret: string): Promise<Principal | null>; ready(): Promise<boolean>;
  people?: PeopleDoor; publicUrl?: string; log: boolean; now?: () => number; requestsPerMinute?: number; uploadBytesMax?: number; requestMsMax?: number;
};

export const BODY_BYTES_MAX = 8 * 1024 * 1024;
export const UPLOAD_BYTES_MAX = 512 * 1024 * 1024;
/** A request that has not arrived whole by then is cut off, however slowly it goes on. */
export const REQUEST_MS_MAX = 15 * 60_000;
const POLICY = { defaultSrc: ["'self'"], styleSrc: ["'self'", "'unsafe-inline'"], imgSrc: ["'self'", 'data:'], frameAncestors: ["'none'"] };
/** Only the documentation's page starts itself by a script of its own. */
const DOCS = /^\/docs(\/|$|\?)/;

/** The HTTP edge: every route of the contract with its permission, validation, idempotency and refusals; nothing of the business. */
export async function makeHttp(options: HttpOptions): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX, requestTimeout: options.requestMsMax ?? REQUEST_MS_MAX, http: { connectionsCheckingInterval: Math.min(30_000, options.requestMsMax ?? 30_000) }, genReqId: () => randomUUID(), trustProxy: false, routerOptions: { maxParamLength: 16_384 },
    logger: options.log ? { level: 'info', redact: ['req.headers.authorization', 'req.headers.cookie'], serializers: { req: (request: FastifyRequest) => ({ method: request.method, route: request.routeOptions?.url, id: request.id }) } } : false,
  });
  await app.register(helmet, { contentSecurityPolicy: { directives: { ...POLICY, scriptSrc: ["'self'"] } }, strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: true } });
  await app.register(rateLimit, { max: options.requestsPerMinute ?? 6_000, timeWindow: 60_000, enableDraftSpec: true, keyGenerator: (request) => request.headers.authorization ?? request.ip });
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => { done(null, payload); });
  app.addContentTypeParser('text/csv', (_request, payload, done) => { done(null, payload); });
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error));
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, new Refusal('route_not_found', 404, phrase('Nie ma takiego adresu.', 'There is no such address.'))));
  app.addHook('onSend', async (request, reply) => {
    if (DOCS.test(request.url)) reply.header('Content-Security-Policy', String(reply.getHeader('content-security-policy')).replace("script-src 'self'", "script-src 'self' 'unsafe-inline'"));
    reply.header('X-Request-Id', request.id);
    if (!reply.hasHeader('Cache-Control')) reply.header('Cache-Control', 'no-store');
  });
  addOperations(app, options);
  if (options.people) addSignIn(app, options.people, options.publicUrl);
  for (const [name, route] of Object.entries(options.routes)) {
    const handler = options.handlers[name];
    if (!handler) throw new Error(`no handler for route ${name}`);
    app.route({ method: route.method, url: route.path, ...(route.upload ? { bodyLimit: options.uploadBytesMax ?? UPLOAD_BYTES_MAX } : {}), handler: (request, reply) => answer(options, route, handler, request, reply) });
    const list = listOf(route);
    const own = new Set(Object.values(options.routes).map((item) => item.path));
    if (list !== null) for (const format of ['csv', 'xlsx'] as const) if (!own.has(`${route.path}.${format}`)) app.route({ method: 'GET', url: `${route.path}.${format}`, handler: (request, reply) => exported(options, { route, handler, list, format }, request, reply) });
  }
  return app;
}

function addOperations(app: FastifyInstance, options: HttpOptions): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({ name: 'premia_http_seconds', help: 'Time to answer', labelNames: ['route', 'status'], registers: [registry], buckets: [0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5] });
  const refusals = new Counter({ name: 'premia_refusals_total', help: 'Designed refusals by status', labelNames: ['status'], registers: [registry] });
  app.addHook('onResponse', async (request, reply) => {
    durations.observe({ route: request.routeOptions?.url ?? 'none', status: String(reply.statusCode) }, reply.elapsedTime / 1_000);
    if (reply.statusCode >= 400) refusals.inc({ status: String(reply.statusCode) });
  });
  const document = openapi(options.routes);
  app.get('/openapi.json', async () => document);
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => ((await options.ready().catch(() => false)) ? { status: 'ready' } : reply.status(503).header('Retry-After', '2').send({ status: 'not ready' })));
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  void app.register(scalar, { routePrefix: '/docs', configuration: { content: document as Record<string, unknown>, withDefaultFonts: false } });
}

async function answer(options: HttpOptions, route: Route, handler: Handler, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { context, about } = await admit(options, route, request);
  const given: Handled = {
    ...about,
    params: (route.params ? read(route.params, request.params, 'path') : {}) as Record<string, string>,
    query: (route.query ? read(route.query, request.query, 'query') : {}) as Record<string, unknown>,
    body: route.upload || !route.body ? undefined : read(route.body, request.body ?? undefined, 'body'), upload: route.upload && request.body ? Readable.from(capped(request.body as Readable, options.uploadBytesMax ?? UPLOAD_BYTES_MAX)) : null,
  };
  const work = async (): Promise<{ status: number; body: unknown }> => ({ status: 200, body: toJson(await handler(context, given)) });
  if (route.download !== undefined) return reply.type(route.download).send(Readable.from(await handler(context, given) as AsyncIterable<string>));
  if (!route.idempotent) return (await work()).body;
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string' || key.length === 0 || key.length > 200) throw new Refusal('idempotency_key_missing', 400, phrase('Brakuje nagłówka Idempotency-Key.', 'The Idempotency-Key header is missing.'));
  const once = await onceByKey(context, { route: `${route.method} ${request.url}`, key: key.replace(/^"(.*)"$/, '$1'), body: route.upload ? '' : JSON.stringify(request.body ?? null) }, work);
  if (once.hit) reply.header('Idempotency-Hit', 'true');
  return reply.status(once.status).send(once.body);
}

type Admitted = { context: Context; about: Pick<Handled, 'self' | 'person' | 'headers'> };

/** Who asks, whether they may, and as whose member. */
async function admit(options: HttpOptions, route: Route, request: FastifyRequest): Promise<Admitted> {
  const principal = await identify(options, request, route);
  const { program } = (request.params ?? {}) as { program?: string };
  if (!isOpen(route)) assertAllowed(principal, route, program);
  const self = route.permission === 'self' || route.permission === 'company:read' ? principal.self?.get(program ?? '') : undefined;
  return {
    context: makeContext({ db: options.db, tenantId: principal.tenantId, principal: principal.name, requestId: request.id, ...(options.now ? { now: options.now } : {}) }),
    about: { ...(self ? { self } : {}), person: principal.person ?? null, headers: request.headers },
  };
}

/** A paged list as one file: the same route, its filters and its permission, page after page. `columns` chooses and names them. */
async function exported(options: HttpOptions, of: { route: Route; handler: Handler; list: string; format: Formats }, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { context, about } = await admit(options, of.route, request);
  const { columns, limit: _, after: __, ...query } = request.query as Record<string, string>;
  const params = (of.route.params ? read(of.route.params, request.params, 'path') : {}) as Record<string, string>;
  const page = async (after: string | undefined, limit: number): Promise<Record<string, unknown>> => toJson(await of.handler(context, { ...about, params, query: read(of.route.query as z.ZodType, { ...query, limit: String(limit), ...(after === undefined ? {} : { after }) }, 'query') as Record<string, unknown>, body: undefined, upload: null })) as Record<string, unknown>;
  await page(undefined, 1); // what is refused is refused before a file begins
  return reply.type(EXPORT_TYPES[of.format]).header('Content-Disposition', `attachment; filename="${of.list}.${of.format}"`).send(exportList(of.format, of.list, columns, localeOf(request), page));
}

/** A file's bytes up to the limit; one byte more ends it while it is still coming. The request itself stays open: it is still to be answered. */
async function* capped(upload: Readable, most: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of upload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw new Refusal('body_too_large', 413, phrase('Plik jest za duży.', 'The file is too large.'));
    yield chunk;
  }
}

const NOBODY: Principal = { tenantId: 0n, name: 'nobody', permissions: new Set() };
/** Routes for everybody, and for whoever is signed in, whatever they may do. */
const isOpen = (route: Route): boolean => route.permission === 'public' || route.permission === 'person';

async function identify(options: HttpOptions, request: FastifyRequest, route: Route): Promise<Principal> {
  const secret = /^Bearer (\S{1,200})$/.exec(request.headers.authorization ?? '')?.[1];
  const principal = secret !== undefined ? await options.authenticate(secret) : request.headers.cookie !== undefined && options.people ? await identifyPerson(options.people, options, request, route) : null;
  if (principal && (route.permission !== 'person' || principal.person)) return principal;
  if (route.permission === 'public') return NOBODY;
  throw new Refusal('not_authenticated', 401, phrase('Zaloguj się albo podaj ważny klucz API.', 'Sign in, or give a valid API key.'));
}

/** A session's cookie comes along by itself, so what changes something must come from our own pages. */
async function identifyPerson(people: PeopleDoor, options: HttpOptions, request: FastifyRequest, route: Route): Promise<Principal | null> {
  if (route.method !== 'GET' && !isOwnPage(request, options.publicUrl)) throw new Refusal('origin_foreign', 403, phrase('To żądanie przyszło z obcej strony.', 'This request came from a foreign page.'));
  const person = await people.personOf(headersOf(request));
  if (!person) return null;
  if (isOpen(route)) return { ...NOBODY, name: `person:${person.userId}`, person };
  const tenant = request.headers['x-premia-tenant'];
  const principal = await people.principalOf(person, typeof tenant === 'string' ? tenant : undefined);
  if (!principal) throw new Refusal('tenant_not_found', 404, phrase('Nie masz dostępu do tej organizacji.', 'You have no access to this organization.'));
  return { ...principal, person };
}

function isOwnPage(request: FastifyRequest, publicUrl: string | undefined): boolean {
  const { origin } = request.headers;
  if (typeof origin === 'string') return publicUrl !== undefined && origin === new URL(publicUrl).origin;
  return request.headers['sec-fetch-site'] === 'same-origin';
}

const headersOf = (request: FastifyRequest): Headers => new Headers(Object.entries(request.headers).flatMap(([name, value]): [string, string][] => (typeof value === 'string' ? [[name, value]] : [])));

/** A person's program that is not theirs is not there at all: its name is nobody's business. */
function assertAllowed(principal: Principal, route: Route, program: string | undefined): void {
  const here = program === undefined ? undefined : principal.programs?.get(program);
  if (principal.permissions.has(route.permission) || here?.has(route.permission)) return;
  if (principal.held?.has(route.permission)) throw new Refusal('second_factor_needed', 403, phrase('To wymaga drugiego składnika: wpisz kod z aplikacji albo użyj klucza dostępu.', 'This asks for a second factor: enter a code from your app or use a passkey.'));
  if (principal.person && program !== undefined && principal.permissions.size === 0 && !here) throw new Refusal('program_not_found', 404, phrase(`Nie ma programu „${program}”.`, `There is no program “${program}”.`));
  throw new Refusal('permission_missing', 403, principal.person ? phrase('Twoja rola na to nie pozwala.', 'Your role does not allow this.') : phrase(`Ten klucz nie ma uprawnienia „${route.permission}”.`, `This key lacks the permission “${route.permission}”.`));
}

/** The sign-in library answers its own addresses; only its answers pass, never a page. */
function addSignIn(app: FastifyInstance, people: PeopleDoor, publicUrl: string | undefined): void {
  app.route({ method: ['GET', 'POST'], url: '/api/auth/*', handler: async (request, reply) => {
    const body = request.method === 'POST' ? JSON.stringify(request.body ?? {}) : null;
    const headers = headersOf(request);
    headers.delete('content-length');
    const answer = await people.handle(new Request(new URL(request.url, publicUrl ?? 'http://localhost'), { method: request.method, headers, ...(body === null ? {} : { body }) }));
    reply.status(answer.status);
    for (const [name, value] of answer.headers) if (name !== 'set-cookie') reply.header(name, value);
    for (const cookie of answer.headers.getSetCookie()) reply.header('set-cookie', cookie);
    return reply.send(answer.body === null ? null : Buffer.from(await answer.arrayBuffer()));
  } });
}

/** Where text that no database column can hold – NUL, or half of a surrogate pair – stands in a value, or null. */
function unstorable(value: unknown, path: string): string | null {
  if (typeof value === 'string') return value.includes('\u0000') || !value.isWellFormed() ? path : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, item] of Object.entries(value)) {
    const found = unstorable(key, `${path}/…`) ?? unstorable(item, `${path}/${key}`);
    if (found !== null) return found;
  }
  return null;
}

function read(shape: z.ZodType, value: unknown, where: string): unknown {
  const place = unstorable(value, `/${where}`);
  if (place !== null) throw new Refusal('request_malformed', 422, phrase('Żądanie jest nieprawidłowe.', 'The request is not valid.'), [{ pointer: place.toWellFormed().replaceAll('\u0000', '␀'), code: 'character_forbidden', message: phrase('niedozwolony znak', 'a forbidden character') }]);
  const found = shape.safeParse(value);
  if (found.success) return found.data;
  throw new Refusal('request_malformed', 422, phrase('Żądanie jest nieprawidłowe.', 'The request is not valid.'), found.error.issues.slice(0, 20).map((issue) => ({
    pointer: `/${[where, ...issue.path.map(String)].join('/')}`, code: issue.code ?? 'invalid', message: phrase(`nieprawidłowa wartość (${issue.message})`, issue.message),
  })));
}

/** A cursor that is a number, or null: what anybody else wrote there begins at the beginning. */
export const numberedCursor = (after: string | undefined): bigint | null => (/^\d{1,18}$/.test(after ?? '') ? BigInt(after as string) : null);

export const toJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? {}, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item))) as unknown;

function localeOf(request: FastifyRequest): Locale {
  const wanted = (request.headers['accept-language'] ?? '').toLowerCase();
  return LOCALES.find((locale) => wanted.startsWith(locale)) ?? 'en';
}

/** RFC 9457, in the reader's language. What was not designed says nothing of itself but its id. */
function sendProblem(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const refusal = error instanceof Refusal ? error : fromFastify(error);
  if (refusal.status >= 500) request.log.error({ err: error, id: request.id }, 'unexpected');
  const locale = localeOf(request);
  if (refusal.status === 413) reply.header('Connection', 'close'); // what is still coming is not read
  return reply.status(refusal.status).type('application/problem+json').header('Content-Language', locale).send({
    type: `https://premia.dev/problems/${refusal.code}`, title: refusal.phrase[locale], status: refusal.status, code: refusal.code, instance: request.id,
    ...(refusal.places.length > 0 ? { errors: refusal.places.map((place) => ({ pointer: place.pointer, code: place.code, message: place.message[locale] })) } : {}),
  });
}

function fromFastify(error: unknown): Refusal {
  const { statusCode, code } = error as { statusCode?: number; code?: string };
  if (statusCode === 413) return new Refusal('body_too_large', 413, phrase('Treść żądania jest za duża.', 'The body is too large.'));
  if (statusCode === 415) return new Refusal('media_type', 415, phrase('Ten typ treści nie jest obsługiwany.', 'This content type is not supported.'));
  if (statusCode === 429) return new Refusal('too_many_requests', 429, phrase('Za dużo żądań; spróbuj za chwilę.', 'Too many requests; try again shortly.'));
  if (statusCode !== undefined && statusCode < 500) return new Refusal('request_malformed', statusCode, phrase('Żądanie jest nieprawidłowe.', 'The request is not valid.'));
  if (code === '22003') return new Refusal('amount_too_large', 422, phrase('Suma kwot jest za duża.', 'The sum of the amounts is too large.'));
  if (code === 'ECONNREFUSED' || code === '57P01' || code === '57P03') return new Refusal('database_away', 503, phrase('Baza danych jest chwilowo niedostępna.', 'The database is away for a moment.'));
  return new Refusal('unexpected', 500, phrase('Coś poszło nie tak. Zapisaliśmy to pod tym numerem.', 'Something went wrong. It is on record under this id.'));
}
