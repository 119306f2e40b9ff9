import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { StartError } from '../start-error.ts';

export interface Listening {
  readonly port: number;
}

/** Throws EADDRINUSE where another program listens. */
export type Listen = (at: { readonly host: string; readonly port: number }) => Promise<AddressInfo>;

// Addresses of TCP, as both listen on no path.
export function listenWith(http: FastifyInstance): Listen {
  return async (at) => {
    await http.listen(at);
    return http.server.address() as AddressInfo;
  };
}

export function listenPlainly(server: Server): Listen {
  return async (at) => {
    server.listen(at);
    await once(server, 'listening');
    return server.address() as AddressInfo;
  };
}

/** `port` 0: the kept one when it is free, else any free one. */
export async function listen(
  tryListen: Listen,
  { host, port, keptPort }: { host: string; port: number; keptPort: number | undefined },
): Promise<Listening> {
  for (const candidate of port === 0 && keptPort !== undefined ? [keptPort, 0] : [port]) {
    try {
      return { port: (await tryListen({ host, port: candidate })).port };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (candidate !== keptPort || port !== 0) {
        throw new StartError(
          `port ${candidate} of ${host} is taken by another program: choose another one, or 0 for any that is free`,
          { cause: error },
        );
      }
    }
  }
  throw new Error('no port is free');
}

/** How others reach what listens there. Wildcard addresses are for listening only. */
export function urlOf(scheme: 'http' | 'https', { host, port }: { host: string; port: number }): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
