/** A TCP proxy that can be cut: while it is, bytes stop in both directions and nobody is told, as behind a dead cable. */
import net from 'node:net';

export interface CuttableProxy {
  readonly url: string;
  cut(): void;
  /** Old connections stay dead; new ones are taken. */
  heal(): void;
  close(): Promise<void>;
}

export async function startProxy(targetUrl: string): Promise<CuttableProxy> {
  const target = new URL(targetUrl);
  const sockets = new Set<net.Socket>();
  let isCut = false;
  const server = net.createServer((near) => {
    const far = net.connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => {
        if (!isCut && !to.destroyed) to.write(bytes);
      });
      from.on('close', () => {
        sockets.delete(from);
        if (!isCut) to.destroy();
      });
      from.on('error', () => undefined);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo; // It listens on TCP.
  return {
    url: `http://127.0.0.1:${port}`,
    cut() {
      isCut = true;
    },
    heal() {
      for (const socket of sockets) socket.destroy();
      isCut = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
