/** Ends the HTTP server: every request under way is answered, and then no connection is waited for. */
import type { FastifyInstance } from 'fastify';

const lookMs = 25;

/**
 * To be called before the server listens. Clients keep spare connections open, and one that has never carried a request
 * counts as busy for Node: alone it would hold up a stop until the time-out for headers.
 */
export function createHttpCloser(http: FastifyInstance): () => Promise<void> {
  let underWay = 0;
  http.server.on('request', (_request, response) => {
    underWay += 1;
    response.once('close', () => {
      underWay -= 1;
    });
  });
  return async () => {
    const closed = http.close();
    const timer = setInterval(() => {
      if (underWay === 0) http.server.closeAllConnections();
    }, lookMs);
    try {
      await closed;
    } finally {
      clearInterval(timer);
    }
  };
}
