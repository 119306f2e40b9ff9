/** PostgreSQL that breaks off while an attempt is being prepared is no fault of the task: it waits, and does not fail. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { type PostgresProxy, startPostgresProxy } from '../../support/postgres-proxy.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask } from '../runs/engine.ts';

/** What only the preparation of a claim asks. */
const statement = { name: 'list-catalogs', words: '%from catalogs where%' };

let server: TestServer;
let proxy: PostgresProxy;
beforeAll(async () => {
  server = await startTestServer({
    wrapDatabase: async (url) => {
      proxy = await startPostgresProxy(url);
      return proxy.url;
    },
  });
});
afterAll(async () => {
  await server.dispose();
  await proxy.close();
});

test('an attempt whose preparation loses its connection is prepared again and runs once', async () => {
  let hasTripped = false;
  proxy.arm({
    side: 'after',
    matches: ({ name }) => name === statement.name,
    onTrip() {
      hasTripped = true;
      void endBackendsThatAsked();
    },
  });

  const { run_id } = await server.client.runsSubmit({
    run_name: 'work',
    tasks: [fakeTask('first'), { ...fakeTask('second'), depends_on: [{ task_key: 'first' }] }],
  });
  await waitUntil('the run has ended', async () => {
    const run = await server.client.runsGet({ run_id });
    return run.status.state === 'TERMINATED';
  });
  const run = await server.client.runsGet({ run_id });

  expect(hasTripped).toBe(true);
  expect(run.tasks?.map(({ attempt_number, state }) => [attempt_number, state.result_state])).toEqual([
    [0, 'SUCCESS'],
    [0, 'SUCCESS'],
  ]);
});

async function endBackendsThatAsked(): Promise<void> {
  await server.database.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and query like $1`,
    [statement.words],
  );
}
