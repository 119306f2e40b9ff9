/** Tasks that name an all-purpose cluster: they use it, start it, and end with it. */
import { createFakeBackend } from '@headrace/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resizeCluster } from '../../../packages/server/src/compute/change-cluster.ts';
import type { Principal } from '../../../packages/server/src/context.ts';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask } from '../runs/engine.ts';
import { aSpec, eventTypes, startedCluster, waitForEnd, waitForState } from './support.ts';

let server: TestServer;
beforeAll(async () => {
  const clock = { nowMs: () => Date.now() };
  server = await startTestServer({
    backend: createFakeBackend({ clock, refusedClusters: new Set(['refused']) }),
  });
});
afterAll(() => server.dispose());

async function submit(existing_cluster_id: string, task: object = {}) {
  const tasks = [fakeTask('t', { existing_cluster_id, ...task })];
  return (await server.client.runsSubmit({ run_name: 'on a cluster', tasks })).run_id;
}

const isRunning = async (run_id: number) => {
  const { tasks = [] } = await server.client.runsGet({ run_id });
  return tasks[0]?.status.state === 'RUNNING';
};

test('a task runs on the cluster that it names, and a terminated one is started for it', async () => {
  const cluster_id = await startedCluster(server);
  await server.client.clustersDelete({ cluster_id });
  await waitForState(server, cluster_id, 'TERMINATED');

  const run = await waitForEnd(server, await submit(cluster_id));

  expect(run.status.termination_details).toMatchObject({ code: 'SUCCESS' });
  expect(run.tasks?.[0]?.cluster_instance).toMatchObject({ cluster_id });
  await waitForState(server, cluster_id, 'RUNNING');
  const { events } = await server.client.clustersEvents({ cluster_id, event_types: ['STARTING'] });
  expect(events[0]?.details).toMatchObject({ cause: 'JOB_RUN', job_run_id: run.run_id, user: 'admin' });
});

test('a task on a cluster that is terminated fails with CLUSTER_ERROR and says by whom', async () => {
  const cluster_id = await startedCluster(server);
  const run_id = await submit(cluster_id, { fake: { kind: 'hang' } });
  await waitUntil('the task runs', () => isRunning(run_id));

  await server.client.clustersDelete({ cluster_id });

  const run = await waitForEnd(server, run_id);
  expect(run.tasks?.[0]?.status.termination_details).toMatchObject({
    code: 'CLUSTER_ERROR',
    message: expect.stringContaining(`Cluster ${cluster_id} was terminated by admin`),
  });
  await waitForState(server, cluster_id, 'TERMINATED');
});

test('a task on a cluster that restarts fails, and a retry runs on the new host', async () => {
  const cluster_id = await startedCluster(server);
  const run_id = await submit(cluster_id, { fake: { kind: 'succeed', afterMs: 1_500 }, max_retries: 1 });
  await waitUntil('the task runs', () => isRunning(run_id));

  await server.client.clustersRestart({ cluster_id });

  const run = await waitForEnd(server, run_id);
  expect(run.status.termination_details).toMatchObject({ code: 'SUCCESS' });
  expect(run.tasks?.map(({ attempt_number }) => attempt_number)).toContain(1);
});

test('a change that ends tasks says how many, and the events say so too', async () => {
  const cluster_id = await startedCluster(server);
  const run_id = await submit(cluster_id, { fake: { kind: 'hang' } });
  await waitUntil('the task runs', () => isRunning(run_id));

  const { headrace } = await server.client.clustersGet({ cluster_id });
  const restarted = await server.client.clustersRestart({ cluster_id });
  await waitForEnd(server, run_id);
  await waitForState(server, cluster_id, 'RUNNING');
  const ended = await server.client.clustersDelete({ cluster_id });

  expect(headrace).toEqual({ running_tasks: 1 });
  expect([restarted, ended]).toEqual([{ headrace: { interrupted_tasks: 1 } }, {}]);
  const { events } = await server.client.clustersEvents({ cluster_id, event_types: ['RESTARTING'] });
  expect(events[0]?.details).toMatchObject({ interrupted_tasks: 1 });
});

test('a resize waits for the task that runs, and is done after it', async () => {
  const cluster_id = await startedCluster(server, { num_workers: 0 });
  const run_id = await submit(cluster_id, { fake: { kind: 'succeed', afterMs: 1_500 } });
  await waitUntil('the task runs', () => isRunning(run_id));

  // As on a machine that has room for more threads.
  const principal = { id: 0, userName: 'admin', isAdmin: true } as Principal;
  await resizeCluster(
    { services: server.services, clusterId: cluster_id, principal },
    { num_workers: 64 },
    8,
  );
  const during = await server.client.clustersGet({ cluster_id });
  const run = await waitForEnd(server, run_id);
  const types = ['CREATING', 'RUNNING', 'RESIZING', 'RESIZING', 'UPSIZE_COMPLETED', 'RUNNING'];
  await waitUntil('it is done', async () => (await eventTypes(server, cluster_id)).length === types.length);

  expect(during).toMatchObject({ state: 'RUNNING', num_workers: 64 });
  expect(run.status.termination_details).toMatchObject({ code: 'SUCCESS' });
  expect(run.tasks?.map(({ attempt_number }) => attempt_number)).toEqual([0]);
  expect(await eventTypes(server, cluster_id)).toEqual(types);
  const { events } = await server.client.clustersEvents({ cluster_id, event_types: ['RESIZING'] });
  expect(events[1]?.details).toMatchObject({
    did_not_expand_reason: expect.stringContaining('tasks run on it'),
  });
});

test('a cluster that cannot start ends terminated with the reason, and its task fails with it', async () => {
  const { cluster_id } = await server.client.clustersCreate({ ...aSpec, cluster_name: 'refused' });
  const ended = await waitForState(server, cluster_id, 'TERMINATED');

  const run = await waitForEnd(server, await submit(cluster_id));

  expect(ended.termination_reason).toMatchObject({
    ...{ code: 'DRIVER_UNREACHABLE', type: 'SERVICE_FAULT' },
    parameters: { error_message: 'the fake backend was told to refuse it' },
  });
  expect(run.tasks?.[0]?.status.termination_details).toMatchObject({
    code: 'CLUSTER_ERROR',
    message: expect.stringContaining('told to refuse it'),
  });
  await waitForState(server, cluster_id, 'TERMINATED');
  expect(await eventTypes(server, cluster_id)).toEqual([
    'CREATING',
    'TERMINATING',
    'STARTING',
    'TERMINATING',
  ]);
});

test('an init script that fails is the reason of the cluster and of its task', async () => {
  const spec = { init_scripts: [{ workspace: { destination: '/Shared/fails.sh' } }] };
  const { cluster_id } = await server.client.clustersCreate({ ...aSpec, ...spec });

  const ended = await waitForState(server, cluster_id, 'TERMINATED');

  expect(ended.termination_reason).toMatchObject({ code: 'INIT_SCRIPT_FAILURE', type: 'CLIENT_ERROR' });
  const types = await eventTypes(server, cluster_id);
  expect(types).toEqual(['CREATING', 'INIT_SCRIPTS_STARTED', 'INIT_SCRIPTS_FINISHED', 'TERMINATING']);
});

test('a task that names a deleted cluster fails with the words for an unknown one; saving it is refused', async () => {
  const cluster_id = await startedCluster(server);
  const settings = { name: 'late', tasks: [fakeTask('t', { existing_cluster_id: cluster_id })] };
  const { job_id } = await server.client.jobsCreate(settings);
  await server.client.clustersPermanentDelete({ cluster_id });

  const { run_id } = await server.client.jobsRunNow({ job_id });
  const run = await waitForEnd(server, run_id);

  const message = `Cluster ${cluster_id} does not exist`;
  expect(run.tasks?.[0]?.status.termination_details).toMatchObject({ code: 'CLUSTER_ERROR', message });
  await expect(server.client.jobsCreate(settings)).rejects.toMatchObject({
    message: `tasks[0].existing_cluster_id: ${message}`,
  });
});

test('an id that the server never knew means the shared cluster', async () => {
  const run = await waitForEnd(server, await submit('0101-000000-nowhere'));

  expect(run.tasks?.[0]?.cluster_instance).toMatchObject({ cluster_id: 'default' });
});

test('the cluster of a run shows its life and ends with the run', async () => {
  const tasks = [
    { ...fakeTask('a'), job_cluster_key: 'etl' },
    { ...fakeTask('b', { after: ['a'] }), job_cluster_key: 'etl' },
  ];
  const { job_id } = await server.client.jobsCreate({
    name: 'with a cluster',
    tasks,
    job_clusters: [{ job_cluster_key: 'etl', new_cluster: aSpec }],
  });
  const { run_id } = await server.client.jobsRunNow({ job_id });
  await waitForEnd(server, run_id);
  const { clusters } = await server.client.clustersList({ 'filter_by.cluster_sources': ['JOB'] });
  const [cluster] = clusters.filter(({ default_tags: tags }) => tags?.RunId === String(run_id));
  const cluster_id = cluster?.cluster_id ?? '';

  const ended = await waitForState(server, cluster_id, 'TERMINATED');

  expect(ended.termination_reason).toMatchObject({ code: 'JOB_FINISHED', type: 'SUCCESS' });
  await waitUntil('its end is told', async () =>
    (await eventTypes(server, cluster_id)).includes('TERMINATING'),
  );
  expect(await eventTypes(server, cluster_id)).toEqual(['CREATING', 'RUNNING', 'TERMINATING']);
  await expect(server.client.clustersDelete({ cluster_id })).rejects.toMatchObject({
    message: expect.stringContaining('was made for a run'),
  });
});
