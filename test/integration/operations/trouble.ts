/** A database that can be cut off, made slow or silent: a proxy on this machine between the server and PostgreSQL. */
import net from 'node:net';

export interface TroubledDatabase {
  readonly url: string;
  /** Open connections break, new ones are refused. */
  refuse(): Promise<void>;
  /** Each packet waits so long, both ways together. */
  delay(ms: number): void;
  /** Connections stay open and carry nothing. */
  silence(): void;
  /** All is well again. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

type Mode =
  | { readonly kind: 'well' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'slow'; readonly ms: number };

export async function putProxyBefore(databaseUrl: string): Promise<TroubledDatabase> {
  const target = new URL(databaseUrl);
  let mode: Mode = { kind: 'well' };
  const sockets = new Set<net.Socket>();
  let server = createProxy();
  const port = await listen(server, 0);
  const url = new URL(databaseUrl);
  url.port = String(port);

  function createProxy(): net.Server {
    return net.createServer((client) => {
      const database = net.connect(Number(target.port), target.hostname);
      for (const [from, to] of [
        [client, database],
        [database, client],
      ] as const) {
        sockets.add(from);
        from.on('data', (bytes) => pass(bytes, to));
        from.on('error', () => {});
        from.on('close', () => {
          sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  function pass(bytes: Buffer, to: net.Socket): void {
    if (mode.kind === 'silent') return;
    if (mode.kind === 'well') to.write(bytes);
    else setTimeout(() => to.writable && to.write(bytes), mode.ms / 2);
  }

  async function closeAll(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }

  return {
    url: url.href,
    refuse: closeAll,
    delay: (ms) => {
      mode = { kind: 'slow', ms };
    },
    silence: () => {
      mode = { kind: 'silent' };
    },
    async heal() {
      const wasSilent = mode.kind === 'silent';
      mode = { kind: 'well' };
      // What was swallowed is lost: such connections cannot go on.
      if (wasSilent) for (const socket of sockets) socket.destroy();
      if (server.listening) return;
      server = createProxy();
      await listen(server, port);
    },
    close: closeAll,
  };
}

async function listen(server: net.Server, port: number): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return (server.address() as net.AddressInfo).port; // TCP, as it listens on a port.
}
