import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A payment provider of the demo's own, on this machine only: it pays what it is told, once an id, and answers what became of it. */
export async function startSimulatedProvider(): Promise<{ url: string; stop(): void }> {
  const paid = new Map<string, string>();
  const server = createServer((request, response) => {
    const id = decodeURIComponent((request.url ?? '').split('/').at(-1) ?? '');
    if (request.method === 'PUT' && !paid.has(id)) paid.set(id, `SIM-${paid.size + 1}`);
    const reference = paid.get(id);
    response.statusCode = reference === undefined ? 404 : 200;
    request.resume();
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ status: 'done', reference }));
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => { server.closeAllConnections(); server.close(); } };
}
