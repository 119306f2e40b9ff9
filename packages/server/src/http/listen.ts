import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { StartError } from '../start-error.ts';

export interface Listening {
  readonly port: number;
}

/** `port` 0: the kept one when it is free, else any free one. */
export async function listen(
  http: FastifyInstance,
  { host, port, keptPort }: { host: string; port: number; keptPort: number | undefined },
): Promise<Listening> {
  for (const candidate of port === 0 && keptPort !== undefined ? [keptPort, 0] : [port]) {
    try {
      await http.listen({ host, port: candidate });
      return { port: (http.server.address() as AddressInfo).port }; // An address of TCP, as we listen on no path.
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
export function urlOf(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
