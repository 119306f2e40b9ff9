/** Jobs of a whole server whose hosts are Pods: from a request to the result of a task, and to the reason of a failure. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { usePodBench } from './support.ts';

const bench = usePodBench();
let server: TestServer;
beforeEach(async () => {
  const times = { pendingMsMax: 2_000, slowMsMax: 200, greetMsMax: 60_000 };
  const backend = bench().makeBackend({ times });
  server = await startTestServer({ backend, config: { stateDir: bench().folder } });
});
afterEach(() => server.dispose());

const newCluster = { spark_version: '17.3.x-scala2.13', node_type_id: 'm5.xlarge', num_workers: 0 };

async function run(script: string): Promise<{ readonly runId: number; readonly taskRunId: number }> {
  await server.client.workspaceImport({
    ...{ path: '/Shared/task.py', format: 'AUTO', overwrite: true },
    content: Buffer.from(script).toString('base64'),
  });
  const task = { spark_python_task: { python_file: '/Shared/task.py' }, new_cluster: newCluster };
  const { run_id: runId } = await server.client.runsSubmit({
    run_name: 'on Pods',
    tasks: [{ task_key: 'load', ...task }],
  });
  const read = () => server.client.runsGet({ run_id: runId });
  await waitUntil('the run has ended', async () => (await read()).state?.result_state !== undefined);
  return { runId, taskRunId: (await read()).tasks?.[0]?.run_id ?? 0 };
}

test('a task of a job runs in a Pod of the size of its node type, and its result comes back', async () => {
  const { runId, taskRunId } = await run('print("hello from a Pod")');

  expect(await server.client.runsGet({ run_id: runId })).toMatchObject({
    state: { result_state: 'SUCCESS' },
  });
  const { log } = await server.client.taskLog({ run_id: runId, task_run_id: taskRunId });
  expect(log).toBe('hello from a Pod\n');
  const pod = [...bench().api.pods.values()].find(
    ({ metadata }) => metadata?.labels?.['headrace.io/run-id'] === String(runId),
  );
  expect(pod?.spec?.containers[0]?.resources).toEqual({
    requests: { cpu: '4', memory: '16384Mi' },
    limits: { memory: '16384Mi' },
  });
  expect(JSON.stringify(pod)).not.toContain('api_token');
});

test('a cluster whose image cannot be pulled fails its task with the reason', async () => {
  bench().node.fate = { kind: 'waiting', reason: 'ImagePullBackOff', message: 'not found' };

  const { runId } = await run('print("never")');

  const { tasks } = await server.client.runsGet({ run_id: runId });
  expect(tasks?.[0]?.state).toMatchObject({
    result_state: 'FAILED',
    state_message: expect.stringContaining('image headrace:test cannot be pulled (ImagePullBackOff)'),
  });
});

test('an all-purpose cluster that finds no room ends with a reason that clients know', async () => {
  bench().node.fate = { kind: 'unschedulable', message: '3 Insufficient memory.' };

  const { cluster_id } = await server.client.clustersCreate({ cluster_name: 'wide', ...newCluster });

  await waitUntil('it is given up', async () => {
    const { state } = await server.client.clustersGet({ cluster_id });
    return state === 'TERMINATED';
  });
  expect((await server.client.clustersGet({ cluster_id })).termination_reason).toMatchObject({
    code: 'CLOUD_PROVIDER_RESOURCE_STOCKOUT',
    type: 'CLOUD_FAILURE',
    parameters: { error_message: expect.stringContaining('3 Insufficient memory') },
  });
});
