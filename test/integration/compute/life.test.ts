/** The life of an all-purpose cluster, on fake hosts: each request, its states, and what its events tell. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { aSpec, eventTypes, startedCluster, waitForState } from './support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.dispose());

test('a cluster is made, runs, is terminated and started again', async () => {
  const { cluster_id } = await server.client.clustersCreate({ ...aSpec, cluster_name: 'etl' });
  expect(cluster_id).toMatch(/^\d{4}-\d{6}-[a-z0-9]{8}$/);
  await waitForState(server, cluster_id, 'RUNNING');

  await server.client.clustersDelete({ cluster_id });
  const ended = await waitForState(server, cluster_id, 'TERMINATED');
  await server.client.clustersStart({ cluster_id });
  const again = await waitForState(server, cluster_id, 'RUNNING');

  expect(ended).toMatchObject({
    cluster_name: 'etl',
    autotermination_minutes: 120,
    cluster_cores: 4,
    terminated_time: expect.any(Number),
    termination_reason: { code: 'USER_REQUEST', type: 'SUCCESS', parameters: { username: 'admin' } },
  });
  expect(again).not.toHaveProperty('termination_reason');
  expect(await eventTypes(server, cluster_id)).toEqual([
    'CREATING',
    'RUNNING',
    'TERMINATING',
    'STARTING',
    'RUNNING',
  ]);
});

test('a restart replaces the host, and so does an edit of a cluster that runs', async () => {
  const cluster_id = await startedCluster(server);
  const hosts = async () =>
    (await server.client.status({})).hosts.filter((host) => host.cluster_id === cluster_id);
  const [first] = await hosts();

  await server.client.clustersRestart({ cluster_id });
  expect((await server.client.clustersGet({ cluster_id })).state).toBe('RESTARTING');
  await waitForState(server, cluster_id, 'RUNNING');
  await server.client.clustersEdit({ ...aSpec, cluster_id, spark_conf: { a: 'b' } });
  const edited = await waitForState(server, cluster_id, 'RUNNING');

  expect(edited).toMatchObject({ spark_conf: { a: 'b' }, last_restarted_time: expect.any(Number) });
  expect((await hosts()).map(({ pid }) => pid)).not.toContain(first?.pid);
  expect(await eventTypes(server, cluster_id)).toEqual([
    ...['CREATING', 'RUNNING', 'RESTARTING', 'RUNNING', 'EDITED', 'RESTARTING', 'RUNNING'],
  ]);
});

test('an update changes the fields that its mask names and no other', async () => {
  const cluster_id = await startedCluster(server, { custom_tags: { team: 'a' }, colour: 'blue' });
  await server.client.clustersDelete({ cluster_id });
  await waitForState(server, cluster_id, 'TERMINATED');

  await server.client.clustersUpdate({
    cluster_id,
    update_mask: 'num_workers,custom_tags',
    cluster: { num_workers: 7, spark_version: 'not named' },
  });

  const changed = await server.client.clustersGet({ cluster_id });
  expect(changed).toMatchObject({ state: 'TERMINATED', num_workers: 7, spark_version: aSpec.spark_version });
  expect(changed).toMatchObject({ colour: 'blue' });
  expect(changed.spec).not.toHaveProperty('custom_tags');
});

test('a request that does not fit the state is refused with the state in the message', async () => {
  const cluster_id = await startedCluster(server);

  await expect(server.client.clustersStart({ cluster_id })).rejects.toMatchObject({
    code: 'INVALID_STATE',
    message: expect.stringContaining('unexpected state RUNNING'),
  });
  await server.client.clustersDelete({ cluster_id });
  await server.client.clustersDelete({ cluster_id });
  await waitForState(server, cluster_id, 'TERMINATED');
  for (const ask of [
    () => server.client.clustersRestart({ cluster_id }),
    () => server.client.clustersResize({ cluster_id, num_workers: 2 }),
  ]) {
    await expect(ask()).rejects.toMatchObject({
      code: 'INVALID_STATE',
      message: expect.stringContaining('unexpected state TERMINATED'),
    });
  }
});

test('a cluster that is deleted for good is gone for everybody who asks', async () => {
  const cluster_id = await startedCluster(server);

  await server.client.clustersPermanentDelete({ cluster_id });

  for (const ask of [
    () => server.client.clustersGet({ cluster_id }),
    () => server.client.clustersStart({ cluster_id }),
    () => server.client.clustersEvents({ cluster_id }),
  ]) {
    await expect(ask()).rejects.toMatchObject({
      code: 'INVALID_PARAMETER_VALUE',
      message: `Cluster ${cluster_id} does not exist`,
    });
  }
  const { clusters } = await server.client.clustersList({ page_size: 100 });
  expect(clusters.map((cluster) => cluster.cluster_id)).not.toContain(cluster_id);
});

test('a resize in local mode replaces an idle host of another size, and tells so', async () => {
  const cluster_id = await startedCluster(server);

  await server.client.clustersResize({ cluster_id, autoscale: { min_workers: 1, max_workers: 64 } });
  const resized = await waitForState(server, cluster_id, 'RUNNING');

  expect(resized).toMatchObject({ autoscale: { min_workers: 1, max_workers: 64 }, num_workers: 1 });
  expect(resized.spec).not.toHaveProperty('num_workers');
  expect(await eventTypes(server, cluster_id)).toEqual([
    ...['CREATING', 'RUNNING', 'RESIZING', 'UPSIZE_COMPLETED', 'RUNNING'],
  ]);
});

test('lists filter by state, source and pin, sort by name, and page', async () => {
  const pinned = await startedCluster(server, { cluster_name: 'A pinned one' });
  await server.client.clustersPin({ cluster_id: pinned });
  await server.client.clustersPin({ cluster_id: pinned });
  const ids = async (request: Parameters<typeof server.client.clustersList>[0]) =>
    (await server.client.clustersList(request)).clusters.map(({ cluster_id }) => cluster_id);

  expect(await ids({ 'filter_by.is_pinned': true })).toEqual([pinned]);
  expect(await ids({ 'filter_by.cluster_sources': ['JOB'] })).toEqual([]);
  const running = await server.client.clustersList({ 'filter_by.cluster_states': ['RUNNING', 'RESIZING'] });
  expect(new Set(running.clusters.map(({ state }) => state))).toEqual(new Set(['RUNNING']));
  const [first] = await ids({ 'sort_by.field': 'CLUSTER_NAME', 'filter_by.cluster_states': ['RUNNING'] });
  expect(first).toMatch(/^\d{4}-/);

  const seen: string[] = [];
  for (let page_token = ''; ; ) {
    const page = await server.client.clustersList({ page_size: 1, page_token });
    seen.push(...page.clusters.map(({ cluster_id }) => cluster_id));
    if (!page.next_page_token) break;
    page_token = page.next_page_token;
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toEqual(await ids({ page_size: 100 }));
  expect(seen).toContain('default');
  expect(await eventTypes(server, pinned)).toEqual(['CREATING', 'RUNNING', 'PINNED']);
});

test('events come newest first, by kind and time, in pages that name the next', async () => {
  const cluster_id = await startedCluster(server);
  await server.client.clustersDelete({ cluster_id });
  const list = (request: object) => server.client.clustersEvents({ cluster_id, ...request });

  const first = await list({ limit: 2 });
  expect(first.events.map(({ type }) => type)).toEqual(['TERMINATING', 'RUNNING']);
  expect(first.total_count).toBe(3);
  const rest = await server.client.clustersEvents(first.next_page as { cluster_id: string });
  expect(rest.events.map(({ type }) => type)).toEqual(['CREATING']);
  expect(rest).not.toHaveProperty('next_page');
  expect((await list({ event_types: ['RUNNING'] })).total_count).toBe(1);
  expect((await list({ end_time: 1 })).events).toEqual([]);
});

test('the shared cluster can be edited and restarted, and neither ended nor deleted', async () => {
  const cluster_id = 'default';

  await server.client.clustersEdit({ ...aSpec, cluster_id, spark_conf: { 'spark.x': '1' } });
  await server.client.clustersRestart({ cluster_id });

  expect(await server.client.clustersGet({ cluster_id })).toMatchObject({
    ...{ state: 'RUNNING', cluster_name: 'Shared cluster', spark_conf: { 'spark.x': '1' } },
  });
  for (const ask of [
    () => server.client.clustersDelete({ cluster_id }),
    () => server.client.clustersPermanentDelete({ cluster_id }),
  ]) {
    await expect(ask()).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
  }
});

test.each([
  ['no version', {}, 'spark_version'],
  ['too short a time', { ...aSpec, autotermination_minutes: 5 }, 'autotermination_minutes'],
  ['a range upside down', { ...aSpec, autoscale: { min_workers: 4, max_workers: 2 } }, 'autoscale'],
  ['a negative number', { ...aSpec, num_workers: -1 }, 'num_workers'],
  [
    'a script of a cloud',
    { ...aSpec, init_scripts: [{ s3: { destination: 's3://a/b' } }] },
    'init_scripts[0]',
  ],
  ['a script nowhere', { ...aSpec, init_scripts: [{}] }, 'init_scripts[0]'],
  [
    'a path that leads out',
    { ...aSpec, init_scripts: [{ workspace: { destination: '/../x' } }] },
    'leads out',
  ],
  ['a variable of ours', { ...aSpec, spark_env_vars: { HEADRACE_TOKEN: 'x' } }, 'spark_env_vars'],
])('a cluster with %s is refused', async (_what, body, field) => {
  const response = await server.send('POST', '/api/2.1/clusters/create', {
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

  const answer = (await response.json()) as { error_code: string; message: string };
  expect({ status: response.status, code: answer.error_code }).toEqual({
    ...{ status: 400, code: 'INVALID_PARAMETER_VALUE' },
  });
  expect(answer.message).toContain(field);
});

test('an unknown node type is taken, with a warning on the cluster and in its event', async () => {
  const cluster_id = await startedCluster(server, { node_type_id: 'quantum.large' });

  const { events } = await server.client.clustersEvents({ cluster_id, event_types: ['CREATING'] });
  expect((await server.client.clustersGet({ cluster_id })).state_message).toContain('quantum.large');
  expect(JSON.stringify(events[0]?.details)).toContain('node type quantum.large is not known here');
});
