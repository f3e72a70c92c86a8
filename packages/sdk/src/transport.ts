/** How one route is called. */
export type Operation = { method: 'GET' | 'POST' | 'DELETE'; path: string; idempotent: boolean; upload: boolean; download: boolean };
/** A file: text, bytes, or a stream, which can be sent once only. */
export type FileBody = string | Uint8Array<ArrayBuffer> | Blob | ReadableStream;
export type Input = { params?: Record<string, string>; query?: Record<string, string | number | boolean | undefined>; body?: unknown; file?: FileBody; idempotencyKey?: string };
/** Without a `key` the calls go with the browser’s session. */
export type ClientOptions = { baseUrl: string; key?: string; headers?: () => Record<string, string>; locale?: 'pl' | 'en'; retries?: number; fetch?: typeof fetch };

/** A designed "no" of the server (RFC 9457): its code is stable, its text is in the language asked for. */
export class PremiaProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly places: readonly { pointer: string; code: string; message: string }[];
  readonly requestId: string | undefined;
  constructor(problem: { status: number; code: string; title: string; errors?: { pointer: string; code: string; message: string }[]; instance?: string }) {
    super(`${problem.code}: ${problem.title}`);
    this.name = 'PremiaProblem';
    this.status = problem.status;
    this.code = problem.code;
    this.places = problem.errors ?? [];
    this.requestId = problem.instance;
  }
}

const RETRIES = 3;
const wait = (seconds: number): Promise<void> => new Promise((done) => { setTimeout(done, seconds * 1_000); });

/** Sends one call, again with the same key where that is safe. A file can be sent once only, unless it can be read again. */
export async function send(options: ClientOptions, operation: Operation, input: Input): Promise<unknown> {
  const url = new URL(operation.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(input.params?.[name] ?? '')), options.baseUrl);
  for (const [name, value] of Object.entries(input.query ?? {})) if (value !== undefined) url.searchParams.set(name, String(value));
  const headers: Record<string, string> = { ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }), 'accept-language': options.locale ?? 'en', ...options.headers?.() };
  if (operation.idempotent) headers['idempotency-key'] = input.idempotencyKey ?? crypto.randomUUID();
  if (operation.upload) headers['content-type'] = 'application/octet-stream';
  else if (operation.method !== 'GET') headers['content-type'] = 'application/json';
  const body = operation.upload ? input.file ?? null : operation.method === 'GET' ? null : JSON.stringify(input.body ?? {});
  const again = operation.method === 'GET' || operation.idempotent;
  const once = typeof ReadableStream !== 'undefined' && body instanceof ReadableStream;
  for (let tries = 0; ; tries += 1) {
    const answer = await (options.fetch ?? fetch)(url, { method: operation.method, headers, body }).catch((error: unknown) => error as Error);
    const last = once || !again || tries >= (options.retries ?? RETRIES);
    if (answer instanceof Error) { if (last) throw answer; await wait(0.2 * 2 ** tries); continue; }
    if (!last && (answer.status === 429 || answer.status === 503)) { await wait(Number(answer.headers.get('retry-after') ?? 0.2 * 2 ** tries)); continue; }
    if (!answer.ok) throw new PremiaProblem(await answer.json().catch(() => ({ status: answer.status, code: 'unexpected', title: answer.statusText })) as ConstructorParameters<typeof PremiaProblem>[0]);
    return operation.download ? answer.text() : answer.json();
  }
}
