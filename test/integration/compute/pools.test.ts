/** Instance pools, on fake hosts: what they keep ready, who takes it, and who waits. */
import type { InstancePoolDocument } from '@headrace/api';
import { createFakeBackend } from '@headrace/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { aSpec, startedCluster, waitForEnd, waitForState } from './support.ts';

const backend = createFakeBackend({ clock: { nowMs: () => Date.now() } });
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ backend });
});
afterAll(() => server.dispose());

let made = 0;

async function aPool(fields: object = {}): Promise<string> {
  made += 1;
  const pool = { instance_pool_name: `pool ${made}`, node_type_id: 'i3.xlarge', ...fields };
  return (await server.client.instancePoolsCreate(pool)).instance_pool_id;
}

async function waitForStats(
  instance_pool_id: string,
  wanted: Partial<InstancePoolDocument['stats']>,
): Promise<void> {
  let stats = {};
  await waitUntil(`pool ${instance_pool_id} has ${JSON.stringify(wanted)}`, async () => {
    ({ stats } = await server.client.instancePoolsGet({ instance_pool_id }));
    return Object.entries(wanted).every(([name, count]) => stats[name as keyof typeof stats] === count);
  });
}

async function toldOf(cluster_id: string, type: string): Promise<string[]> {
  const { events } = await server.client.clustersEvents({ cluster_id, order: 'ASC', event_types: [type] });
  return events.map(({ details }) => String(details.driver_state_message));
}

const sparesOf = () => [...backend.hosts.keys()].filter((key) => /-\d+$/.test(key));

const aTask = (new_cluster: object) => ({
  task_key: 'step',
  spark_python_task: { python_file: '/Shared/step.py', parameters: ['--', '{}'] },
  new_cluster: { ...aSpec, node_type_id: undefined, ...new_cluster },
});

test('a pool is made under the id that it is given, shown, changed and gone', async () => {
  const { client } = server;
  const written = {
    instance_pool_name: 'seed pool',
    instance_pool_id: 'pool-seed-01',
    node_type_id: 'i3.xlarge',
    min_idle_instances: 0,
    max_capacity: 10,
    idle_instance_autotermination_minutes: 10,
    aws_attributes: { availability: 'SPOT' },
  };

  const { instance_pool_id } = await client.instancePoolsCreate(written);
  const shown = await client.instancePoolsGet({ instance_pool_id });
  const again = await client.instancePoolsCreate(written).catch((error) => error);
  const change = {
    instance_pool_id,
    instance_pool_name: 'renamed',
    node_type_id: 'i3.xlarge',
    max_capacity: '3',
  };
  await client.instancePoolsEdit(change);
  const { instance_pools: pools } = await client.instancePoolsList({});
  await client.instancePoolsDelete({ instance_pool_id });

  expect(instance_pool_id).toBe('pool-seed-01');
  expect(shown).toMatchObject({ ...written, state: 'ACTIVE', stats: { used_count: 0, idle_count: 0 } });
  expect(again).toMatchObject({ code: 'RESOURCE_ALREADY_EXISTS' });
  const edited = pools.find((pool) => pool.instance_pool_id === instance_pool_id);
  expect(edited).toMatchObject({
    instance_pool_name: 'renamed',
    max_capacity: 3,
    aws_attributes: { availability: 'SPOT' },
  });
  expect(edited).not.toHaveProperty('min_idle_instances');
  await expect(client.instancePoolsGet({ instance_pool_id })).rejects.toMatchObject({
    code: 'RESOURCE_DOES_NOT_EXIST',
  });
});

test.each<[string, object, RegExp]>([
  ['no name', { instance_pool_name: undefined }, /^instance_pool_name/],
  ['no node type', { node_type_id: undefined }, /^node_type_id/],
  [
    'more idle hosts than it may have',
    { min_idle_instances: 3, max_capacity: 2 },
    /^min_idle_instances: 3 hosts/,
  ],
  ['a negative number', { min_idle_instances: -1 }, /^min_idle_instances/],
  ['room for none', { max_capacity: 0 }, /^max_capacity/],
  ['an id with a slash', { instance_pool_id: 'a/b' }, /^instance_pool_id/],
])('a pool with %s is refused', async (_what, fields, message) => {
  await expect(aPool(fields)).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
    message: expect.stringMatching(message),
  });
});

test('the node type of a pool cannot be changed', async () => {
  const instance_pool_id = await aPool();
  const change = { instance_pool_id, instance_pool_name: 'x', node_type_id: 'm5.large' };

  await expect(server.client.instancePoolsEdit(change)).rejects.toThrow('it is i3.xlarge');
});

describe('a pool with idle hosts', () => {
  let pool: string;
  beforeEach(async () => {
    pool = await aPool({ min_idle_instances: 1, idle_instance_autotermination_minutes: 0 });
    await waitForStats(pool, { idle_count: 1, used_count: 0 });
  });

  test('gives one to a cluster that fits, and starts another', async () => {
    const before = sparesOf();

    const cluster_id = await startedCluster(server, {
      instance_pool_id: pool,
      spark_conf: { 'spark.sql.shuffle.partitions': '7' },
    });
    await waitForStats(pool, { idle_count: 1, used_count: 1 });

    expect(await toldOf(cluster_id, 'DRIVER_HEALTHY')).toEqual([
      expect.stringMatching(new RegExp(`^it took a waiting host of instance pool 'pool \\d+' \\(${pool}\\)`)),
    ]);
    expect(sparesOf()).not.toEqual(before);
    await server.client.clustersDelete({ cluster_id });
    await waitForState(server, cluster_id, 'TERMINATED');
    await waitForStats(pool, { idle_count: 1, used_count: 0 });
  });

  test.each([
    [
      'another configuration',
      { spark_conf: { 'spark.executor.memory': '2g' } },
      'spark.executor.memory is 2g, not left out',
    ],
    ['variables', { spark_env_vars: { A: 'b' } }, 'spark_env_vars.A is set'],
    [
      'init scripts',
      { init_scripts: [{ workspace: { destination: '/a.sh' } }] },
      'the cluster has init scripts',
    ],
  ])('lets a cluster with %s start cold, and says why', async (_what, fields, reason) => {
    const cluster_id = await startedCluster(server, { instance_pool_id: pool, ...fields });

    const [told] = await toldOf(cluster_id, 'DRIVER_HEALTHY');

    expect(told).toContain(`it started cold: the idle hosts of instance pool`);
    expect(told).toContain(reason);
    await server.client.clustersDelete({ cluster_id });
  });

  test('gives one to the cluster of a job', async () => {
    const { run_id } = await server.client.runsSubmit({ tasks: [aTask({ instance_pool_id: pool })] });

    const run = await waitForEnd(server, run_id);

    const cluster_id = run.tasks?.[0]?.cluster_instance?.cluster_id ?? '';
    expect(await toldOf(cluster_id, 'DRIVER_HEALTHY')).toEqual([
      expect.stringContaining('it took a waiting host'),
    ]);
  });

  test('keeps its hosts over a restart of the server, and those that clusters took', async () => {
    const cluster_id = await startedCluster(server, { instance_pool_id: pool });
    await waitForStats(pool, { idle_count: 1, used_count: 1 });

    server = await server.restart();
    await waitForState(server, cluster_id, 'RUNNING');
    await waitForStats(pool, { idle_count: 1, used_count: 1 });

    await server.client.clustersDelete({ cluster_id });
    await waitForState(server, cluster_id, 'TERMINATED');
  });

  test('ends them when it keeps fewer, and when it goes', async () => {
    const edit = { instance_pool_id: pool, instance_pool_name: 'fewer', node_type_id: 'i3.xlarge' };
    await server.client.instancePoolsEdit({ ...edit, idle_instance_autotermination_minutes: 0 });
    await waitForStats(pool, { idle_count: 0 });
    await server.client.instancePoolsEdit({ ...edit, min_idle_instances: 1 });
    await waitForStats(pool, { idle_count: 1 });
    const there = sparesOf().length;

    await server.client.instancePoolsDelete({ instance_pool_id: pool });

    await waitUntil('its host has ended', () => sparesOf().length < there);
  });
});

test('a cluster waits while its pool is full, and is told who has its hosts', async () => {
  const { client } = server;
  const pool = await aPool({ max_capacity: 1 });
  const first = await startedCluster(server, { instance_pool_id: pool });

  const { cluster_id } = await client.clustersCreate({ ...aSpec, instance_pool_id: pool });
  await waitUntil('it was told who holds it', async () => (await toldOf(cluster_id, 'STARTING')).length > 0);
  const { state } = await client.clustersGet({ cluster_id });
  const { run_id } = await client.runsSubmit({ tasks: [aTask({ instance_pool_id: pool })] });
  let sentence = '';
  await waitUntil('the task says what it waits for', async () => {
    sentence = JSON.stringify(await client.runsWhy({ run_id }));
    return sentence.includes('waits for instance pool');
  });
  await client.clustersDelete({ cluster_id: first });
  await waitForState(server, first, 'TERMINATED');
  await client.runsCancel({ run_id });
  await waitForState(server, cluster_id, 'RUNNING');

  expect(state).toBe('PENDING');
  expect((await toldOf(cluster_id, 'STARTING'))[0]).toContain(`held by cluster ${first}`);
  expect(sentence).toContain(`all 1 of its hosts are held by cluster ${first}`);
  await client.clustersDelete({ cluster_id });
});

test('a host that a cluster gave back is replaced by one that waits, for the idle time', async () => {
  const pool = await aPool({ idle_instance_autotermination_minutes: 10 });
  const cluster_id = await startedCluster(server, { instance_pool_id: pool });
  await waitForStats(pool, { idle_count: 0, used_count: 1 });

  await server.client.clustersDelete({ cluster_id });

  await waitForStats(pool, { idle_count: 1, used_count: 0 });
  await server.client.instancePoolsDelete({ instance_pool_id: pool });
});

test('an unknown pool means none, and the run says so; a server that refuses unknown ids refuses it', async () => {
  const { run_id } = await server.client.runsSubmit({ tasks: [aTask({ instance_pool_id: 'pool-none' })] });
  const strict = await startTestServer({ backend: null, config: { unknownIds: 'refuse' } });

  const refused = await strict.client
    .jobsCreate({ tasks: [aTask({ instance_pool_id: 'pool-none' })] })
    .catch((e) => e);
  const unmade = await strict.client.clustersCreate({ ...aSpec, instance_pool_id: 'x' }).catch((e) => e);
  const run = await waitForEnd(server, run_id);
  const cluster_id = await startedCluster(server, { instance_pool_id: 'pool-none' });
  const { events } = await server.client.clustersEvents({ cluster_id, event_types: ['CREATING'] });
  await strict.dispose();

  expect(unmade.message).toBe('instance_pool_id: Instance pool x does not exist');
  expect(JSON.stringify(events)).toContain('instance_pool_id: pool-none is unknown here');
  expect(run.status.termination_details?.code).toBe('SUCCESS');
  expect(refused.message).toBe(
    'tasks[0].new_cluster.instance_pool_id: Instance pool pool-none does not exist',
  );
});
