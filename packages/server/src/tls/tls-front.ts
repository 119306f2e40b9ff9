/**
 * Takes TLS connections and hands what is inside to the HTTP server, which itself listens to processes of this machine
 * only: tasks, Spark and the command need no trust in anything, and what leaves the machine is encrypted.
 */
import type http from 'node:http';
import type net from 'node:net';
import tls from 'node:tls';
import type { ServerTls } from './open-tls.ts';

/** As Node's own HTTPS server allows, and less: whoever connects and says nothing holds a socket. */
const handshakeMsMax = 20_000;

export interface TlsFront {
  readonly server: tls.Server;
  close(): Promise<void>;
}

export function createTlsFront(http: http.Server, source: ServerTls): TlsFront {
  const { cert, key } = source.pair();
  const options = { minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] } as const;
  const server = tls.createServer({ ...options, cert, key, handshakeTimeout: handshakeMsMax }, (socket) => {
    http.emit('connection', socket);
  });
  source.onChange((pair) => server.setSecureContext({ ...options, cert: pair.cert, key: pair.key }));
  // Somebody who does not trust us, or does not speak TLS, is no news.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const raw = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    raw.add(socket);
    socket.once('close', () => raw.delete(socket));
  });
  return {
    server,
    close: () =>
      new Promise((resolve) => {
        source.stop();
        server.close(() => resolve());
        // The HTTP server has answered what was under way.
        for (const socket of raw) socket.destroy();
      }),
  };
}
