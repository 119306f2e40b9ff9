import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.dispose());

test('the parts meet: a job with two tasks runs on the worker of this server and ends well', async () => {
  const task = (task_key: string, after: string[] = []) => ({
    task_key,
    depends_on: after.map((key) => ({ task_key: key })),
    spark_python_task: { python_file: '/Shared/x.py' },
    job_cluster_key: 'etl',
  });
  const { job_id } = await server.client.jobsCreate({
    name: 'two',
    tasks: [task('a'), task('b', ['a'])],
    job_clusters: [{ job_cluster_key: 'etl', new_cluster: { num_workers: 2, spark_version: '15.4' } }],
  });

  const { run_id } = await server.client.jobsRunNow({ job_id });
  const seen: string[] = [];
  for await (const event of server.client.runEvents({ run_id }))
    seen.push(String(event.state?.life_cycle_state));

  const run = await server.client.runsGet({ run_id });
  expect(run.state).toMatchObject({ life_cycle_state: 'TERMINATED', result_state: 'SUCCESS' });
  expect(seen.at(-1)).toBe('TERMINATED');
  await waitUntil('the cluster of the job is listed', async () => {
    const { clusters } = await server.client.clustersList({});
    return clusters.some(({ cluster_name }) => cluster_name === `etl of run ${run_id}`);
  });
  const status = await server.client.status({});
  expect(status.runs).toEqual({ queued: 0, running: 0 });
  expect(status.workers).toHaveLength(1);
  expect(status.loops.every(({ last_error }) => last_error === null)).toBe(true);
});

test('a server that stops ends its event streams', async () => {
  const other = await startTestServer({ backend: null });
  const { job_id } = await other.client.jobsCreate({
    name: 'waits',
    tasks: [{ task_key: 'a', spark_python_task: { python_file: '/Shared/x.py' } }],
  });
  const { run_id } = await other.client.jobsRunNow({ job_id });
  const stream = other.client.runEvents({ run_id });
  expect((await stream.next()).done).toBe(false);

  await other.dispose();

  await expect(stream.next().then(({ done }) => done)).resolves.toBe(true);
});
