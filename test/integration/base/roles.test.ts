/** Servers that share the work. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ config: { roles: ['api'] } });
});
afterAll(() => server.dispose());

test('a server that only answers has no worker, and turns no loop but those that tell it what it must know', async () => {
  const status = await server.client.status({});

  expect(status.workers).toEqual([]);
  expect(status.loops.map(({ name }) => name).sort()).toEqual(['clock', 'neighbours', 'shared-cluster']);
});
