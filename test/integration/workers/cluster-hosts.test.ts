/** A cluster has a host of its own on each worker: none speaks for another, and none outlives its worker on paper. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask } from '../runs/engine.ts';
import { makeWorkerToken, shortLeaseMs, startRemoteWorker } from './support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ backend: null, config: { workerLeaseMs: shortLeaseMs } });
});
afterAll(() => server.dispose());

const hosts = async () =>
  (await server.client.status({})).hosts.map(({ worker_id, state }) => `${worker_id} ${state}`);

test('two workers have a host of one cluster each, and the loss of one leaves the other', async () => {
  const token = await makeWorkerToken(server);
  const one = await startRemoteWorker(server, token, { workerId: 'one', slots: 1 });
  const other = await startRemoteWorker(server, token, { workerId: 'other', slots: 1 });
  const tasks = ['a', 'b'].map((key) => fakeTask(key, { fake: { kind: 'hang' } }));
  const { run_id } = await server.client.runsSubmit({ run_name: 'pair', tasks });
  const bothRun = async () => (await hosts()).sort().join() === 'one running,other running';
  await waitUntil('both hosts run', bothRun);

  // It says no more, as when its machine is gone.
  one.source.close();
  await one.stop();

  await waitUntil('the host of the lost worker is gone', async () => (await hosts()).length === 1);
  expect(await hosts()).toEqual(['other running']);
  await server.client.runsCancel({ run_id });
  await other.stop();
});

test('a host that runs speaks for its cluster, whatever another worker reported since', async () => {
  const { pool } = server.database;
  await pool.query(`
    insert into clusters values ('c', 'c', 'job', 1, '{}', '[]', 'ada', 1)`);
  await pool.query(`
    insert into cluster_hosts values
      ('c', 'k', 'w1', 'running', 'ready', 1, 'fine', 1, 1),
      ('c', 'k', 'w2', 'failed', 'none', null, 'broken', 1, 9)`);

  const { state, state_message } = await server.client.clustersGet({ cluster_id: 'c' });

  expect({ state, state_message }).toEqual({ state: 'RUNNING', state_message: 'fine' });
});
