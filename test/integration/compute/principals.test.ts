/** Who may change a cluster, and whose hosts end with it. */
import { createFakeBackend, type FakeBackend } from '@headrace/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask } from '../runs/engine.ts';
import { addUser, type TestUser } from '../secrets/support.ts';
import { aSpec, startedCluster, waitForEnd, waitForState } from './support.ts';

let backend: FakeBackend;
let server: TestServer;
let ada: TestUser;
let bob: TestUser;
beforeAll(async () => {
  backend = createFakeBackend({ clock: { nowMs: () => Date.now() } });
  server = await startTestServer({ backend, config: { unknownIds: 'refuse' } });
  ada = await addUser(server, 'ada');
  bob = await addUser(server, 'bob');
});
afterAll(() => server.dispose());

const hostsOf = (cluster_id: string) =>
  [...backend.hosts.values()].filter((host) => host.connect().clusterId === cluster_id);

test('a cluster is changed by its owner and administrators, and started by anybody', async () => {
  const cluster_id = await startedCluster(ada);
  const denied = { code: 'PERMISSION_DENIED' };

  for (const ask of [
    () => bob.client.clustersDelete({ cluster_id }),
    () => bob.client.clustersEdit({ ...aSpec, cluster_id }),
    () => bob.client.clustersPermanentDelete({ cluster_id }),
    () => bob.client.clustersRestart({ cluster_id: 'default' }),
    () => ada.client.clustersChangeOwner({ cluster_id, owner_username: 'bob' }),
  ]) {
    await expect(ask()).rejects.toMatchObject(denied);
  }
  await server.client.clustersDelete({ cluster_id });
  await waitForState(ada, cluster_id, 'TERMINATED');
  await server.client.clustersChangeOwner({ cluster_id, owner_username: 'bob' });
  await ada.client.clustersStart({ cluster_id });
  const changed = await waitForState(bob, cluster_id, 'RUNNING');

  expect(changed.creator_user_name).toBe('bob');
  await expect(ada.client.clustersPin({ cluster_id })).rejects.toMatchObject(denied);
  await bob.client.clustersPin({ cluster_id });
  await expect(
    server.client.clustersChangeOwner({ cluster_id, owner_username: 'carl' }),
  ).rejects.toMatchObject({ code: 'INVALID_STATE' });
});

test('a pool is made and changed by administrators, and used by anybody', async () => {
  const fields = { instance_pool_name: 'for all', node_type_id: 'i3.xlarge' };
  const denied = { code: 'PERMISSION_DENIED' };
  const { instance_pool_id } = await server.client.instancePoolsCreate(fields);

  for (const ask of [
    () => ada.client.instancePoolsCreate(fields),
    () => ada.client.instancePoolsEdit({ ...fields, instance_pool_id }),
    () => ada.client.instancePoolsDelete({ instance_pool_id }),
  ]) {
    await expect(ask()).rejects.toMatchObject(denied);
  }
  expect(await ada.client.instancePoolsGet({ instance_pool_id })).toMatchObject(fields);
  const cluster_id = await startedCluster(ada, { instance_pool_id });
  await ada.client.clustersDelete({ cluster_id });
});

test('each principal that runs tasks on a cluster has a host of its own, and all end with the cluster', async () => {
  const cluster_id = await startedCluster(ada);
  const tasks = [fakeTask('t', { existing_cluster_id: cluster_id })];
  const { run_id } = await bob.client.runsSubmit({ tasks });
  const run = await waitForEnd(bob, run_id);
  expect(run.tasks?.[0]?.cluster_instance).toMatchObject({ cluster_id });
  expect(hostsOf(cluster_id)).toHaveLength(2);

  await ada.client.clustersDelete({ cluster_id });

  await waitForState(ada, cluster_id, 'TERMINATED');
  expect(hostsOf(cluster_id)).toEqual([]);
});

test('where unknown ids are refused, a known one is taken and an unknown one is not', async () => {
  const cluster_id = await startedCluster(ada);
  const save = (existing_cluster_id: string) =>
    ada.client.jobsCreate({ name: 'j', tasks: [fakeTask('t', { existing_cluster_id })] });

  await save(cluster_id);
  await save('default');
  await expect(save('nowhere')).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
    message: 'tasks[0].existing_cluster_id: Cluster nowhere does not exist',
  });
});

test('a restart of the shared cluster ends its hosts, and the next task gets one with the new settings', async () => {
  const before = hostsOf('default');
  expect(before.length).toBeGreaterThan(0);

  await server.client.clustersEdit({ ...aSpec, cluster_id: 'default', spark_conf: { 'spark.x': '1' } });

  await waitUntil('they are gone', () => before.every((host) => !hostsOf('default').includes(host)));
  const run = await waitForEnd(ada, (await ada.client.runsSubmit({ tasks: [fakeTask('t')] })).run_id);
  expect(run.status.termination_details).toMatchObject({ code: 'SUCCESS' });
});
