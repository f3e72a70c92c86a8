import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP proxy before PostgreSQL that, armed, swallows the server's answer to the next COMMIT and hangs up: committed, but the client does not know. */
export type DroppingProxy = { url: string; arm(): void; dropped(): number; close(): Promise<void> };

const COMMITTED = Buffer.from('COMMIT\0');

export async function aDroppingProxy(databaseUrl: string): Promise<DroppingProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let [armed, dropped] = [0, 0];
  const server: Server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname);
    for (const socket of [client, database]) { sockets.add(socket); socket.on('error', () => {}); socket.on('close', () => { sockets.delete(socket); client.destroy(); database.destroy(); }); }
    client.on('data', (chunk) => { database.write(chunk); });
    database.on('data', (chunk) => {
      if (armed > 0 && chunk.includes(COMMITTED)) { armed -= 1; dropped += 1; client.destroy(); database.destroy(); return; }
      client.write(chunk);
    });
  });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  const url = new URL(databaseUrl);
  [url.hostname, url.port] = ['127.0.0.1', String((server.address() as AddressInfo).port)];
  return {
    url: url.toString(), arm: () => { armed = 1; }, dropped: () => dropped,
    close: async () => { for (const socket of sockets) socket.destroy(); await new Promise<void>((done) => { server.close(() => done()); }); },
  };
}
