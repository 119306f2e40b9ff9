/** What is wanted of a cluster outlives whoever was about to do it: servers, workers and hosts that go at any moment. */
import { createFakeBackend, type FakeBackend } from '@headrace/worker';
import { afterEach, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { makeWorkerToken, shortLeaseMs, startRemoteWorker } from '../workers/support.ts';
import { aSpec, eventTypes, startedCluster, waitForState } from './support.ts';

const clock = { nowMs: () => Date.now() };
let server: TestServer;
afterEach(() => server.dispose());

const keyOf = (backend: FakeBackend, cluster_id: string) =>
  [...backend.hosts.keys()].find((key) => backend.hosts.get(key)?.connect().clusterId === cluster_id) ?? '';

test('a server that goes in the middle of a start leaves a cluster that its next life starts', async () => {
  const backend = createFakeBackend({ clock, startMs: 1_000 });
  server = await startTestServer({ backend });
  const { cluster_id } = await server.client.clustersCreate(aSpec);
  expect((await server.client.clustersGet({ cluster_id })).state).toBe('PENDING');

  server = await server.restart();

  await waitForState(server, cluster_id, 'RUNNING');
});

test('a cluster that ran is there again after a restart of the server', async () => {
  server = await startTestServer();
  const cluster_id = await startedCluster(server);

  server = await server.restart();

  await waitUntil('its host runs again', async () => {
    const { hosts } = await server.client.status({});
    return hosts.some((host) => host.cluster_id === cluster_id && host.state === 'running');
  });
  await waitForState(server, cluster_id, 'RUNNING');
});

test('a cluster is started again when its host dies, and given up when it dies again and again', async () => {
  const backend = createFakeBackend({ clock });
  server = await startTestServer({ backend });
  const cluster_id = await startedCluster(server);

  const died = new Set<string>();
  await waitUntil('it is given up', async () => {
    const key = keyOf(backend, cluster_id);
    if (key !== '' && !died.has(key)) {
      died.add(key);
      backend.kill(key);
    }
    return (await server.client.clustersGet({ cluster_id })).state === 'TERMINATED';
  });

  const { termination_reason } = await server.client.clustersGet({ cluster_id });
  expect(termination_reason).toMatchObject({ code: 'DRIVER_UNEXPECTED_FAILURE', type: 'SERVICE_FAULT' });
  expect(died.size).toBe(4);
  const types = await eventTypes(server, cluster_id);
  expect(types.filter((type) => type === 'DRIVER_UNAVAILABLE')).toHaveLength(4);
});

test('a cluster moves to another worker when the one that has it is not heard of', async () => {
  server = await startTestServer({ backend: null, config: { workerLeaseMs: shortLeaseMs } });
  const token = await makeWorkerToken(server);
  const one = await startRemoteWorker(server, token, { workerId: 'one' });
  const cluster_id = await startedCluster(server);
  const other = await startRemoteWorker(server, token, { workerId: 'other' });

  // It says no more, as when its machine is gone.
  one.source.close();
  await one.stop();

  await waitUntil('the other worker has it', async () => {
    const { hosts } = await server.client.status({});
    return hosts.some((host) => host.worker_id === 'other' && host.cluster_id === cluster_id);
  });
  await waitForState(server, cluster_id, 'RUNNING');
  expect(await eventTypes(server, cluster_id)).toContain('NODES_LOST');
  await other.stop();
});

test('a cluster that nothing uses terminates by itself, whatever restarts in between', async () => {
  server = await startTestServer();
  const cluster_id = await startedCluster(server, { autotermination_minutes: 10 });
  const used = await startedCluster(server, { autotermination_minutes: 0 });
  const { pool } = server.database;
  await pool.query(`update clusters set active_at_ms = active_at_ms - 9 * 60000 where kind = 'all_purpose'`);

  server = await server.restart();
  await waitForState(server, cluster_id, 'RUNNING');
  await pool.query(`update clusters set active_at_ms = active_at_ms - 11 * 60000 where kind = 'all_purpose'`);

  const ended = await waitForState(server, cluster_id, 'TERMINATED');
  expect(ended.termination_reason).toMatchObject({
    ...{ code: 'INACTIVITY', type: 'SUCCESS', parameters: { inactivity_duration_min: '10' } },
  });
  expect((await server.client.clustersGet({ cluster_id: used })).state).not.toBe('TERMINATED');
});

test('what a worker reported and the server never heard is told again with its heartbeat', async () => {
  server = await startTestServer({ backend: null });
  const token = await makeWorkerToken(server);
  const far = await startRemoteWorker(server, token, { workerId: 'far' });
  far.source.reportHost = () => Promise.reject(new Error('the answer was lost'));

  const cluster_id = await startedCluster(server);
  const { cluster_id: refused } = await server.client.clustersCreate({
    ...aSpec,
    init_scripts: [{ workspace: { destination: '/Shared/fails.sh' } }],
  });

  const ended = await waitForState(server, refused, 'TERMINATED');
  expect(ended.termination_reason).toMatchObject({ code: 'INIT_SCRIPT_FAILURE' });
  await server.client.clustersDelete({ cluster_id });
  await waitUntil('its host is gone', () => keyOf(far.backend, cluster_id) === '');
  await far.stop();
});

test('a worker that could not renew because the server was away keeps its cluster', async () => {
  server = await startTestServer({ backend: null, config: { workerLeaseMs: 20_000 } });
  const token = await makeWorkerToken(server);
  const far = await startRemoteWorker(server, token, { workerId: 'far' });
  const cluster_id = await startedCluster(server);
  const { pool } = server.database;
  const turns = async () => {
    const { loops } = await server.client.status({});
    return loops.find(({ name }) => name === 'clusters')?.last_turn_at_ms ?? 0;
  };

  // As after a night without a server: the lease is long over when the loop looks first.
  await pool.query('update workers set lease_expires_at_ms = 1');
  server = await server.restart();
  await pool.query('update workers set lease_expires_at_ms = 1');
  const first = await turns();
  await waitUntil('the loop has looked again', async () => (await turns()) > first);

  await waitForState(server, cluster_id, 'RUNNING');
  expect(await eventTypes(server, cluster_id)).not.toContain('NODES_LOST');
  await far.stop();
});
