/** Clusters whose executors a real Spark master gives, on a whole server. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ClusterEvent, JobSettings, RunDocument } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSparkStandaloneBackend } from '../../../packages/worker/src/hosts/spark-standalone/spark-standalone-backend.ts';
import { findProcessesOf, waitUntil } from '../../support/census.ts';
import { realBackendOptions } from '../../support/real-backend.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { SparkCluster } from '../../support/spark-cluster.ts';
import { waitForState } from './support.ts';

/** Several JVMs on a busy machine; alone on it, all of this takes a minute. */
const patienceMs = 900_000;
/** Of executors that fit the workers below. */
const small = {
  'spark.executor.cores': '1',
  'spark.executor.memory': '512m',
  'spark.driver.memory': '512m',
  'spark.headrace.executorWait': '600s',
};

let folder: string;
let spark: SparkCluster;
let server: TestServer;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'hr-standalone-'));
  spark = new SparkCluster(path.join(folder, 'spark'));
  await spark.startMaster();
  await spark.startWorkers(2, { cores: 1, memory: '512m' });
  const options = realBackendOptions(folder, { hasSpark: true });
  const backend = createSparkStandaloneBackend({ ...options, master: spark.url });
  server = await startTestServer({ backend, config: { stateDir: folder } });
}, patienceMs);
afterAll(async () => {
  await server?.dispose();
  await spark?.end();
  for (const line of await findProcessesOf(folder)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
  await fs.rm(folder, { recursive: true, force: true });
}, patienceMs);

type Task = NonNullable<JobSettings['tasks']>[number];

/** A task that runs this Python text. */
async function aTask(task_key: string, script: string, more: Partial<Task> = {}): Promise<Task> {
  const file = `/Shared/${task_key}.py`;
  const text = `from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n${script}`;
  await server.client.workspaceImport({
    ...{ path: file, format: 'AUTO', overwrite: true },
    content: Buffer.from(text).toString('base64'),
  });
  return { task_key, spark_python_task: { python_file: file }, ...more };
}

async function start(...tasks: Task[]): Promise<number> {
  const { run_id } = await server.client.runsSubmit({ run_name: 'executors', tasks });
  return run_id;
}

async function ended(run_id: number): Promise<RunDocument> {
  const read = () => server.client.runsGet({ run_id });
  await waitUntil(
    'the run has ended',
    async () => (await read()).state?.result_state !== undefined,
    patienceMs,
  );
  return read();
}

async function logOf(run_id: number, taskKey: string): Promise<string> {
  const run = await server.client.runsGet({ run_id });
  const task = run.tasks?.find(({ task_key }) => task_key === taskKey);
  if (task === undefined) return '';
  return (await server.client.taskLog({ run_id, task_run_id: task.run_id })).log;
}

async function eventsOf(run: RunDocument, taskKey: string): Promise<ClusterEvent[]> {
  const task = run.tasks?.find(({ task_key }) => task_key === taskKey);
  const cluster_id = task?.cluster_instance?.cluster_id ?? '';
  return (await server.client.clustersEvents({ cluster_id, order: 'ASC' })).events;
}

/** The process of the host whose cluster's id begins like this. */
async function hostOf(clusterId: string): Promise<number> {
  for (const name of await fs.readdir(path.join(folder, 'hosts'))) {
    const text = await fs.readFile(path.join(folder, 'hosts', name, 'host.json'), 'utf8').catch(() => '{}');
    const record = JSON.parse(text) as { readonly cluster_id?: string; readonly pid: number };
    if (record.cluster_id?.startsWith(clusterId)) return record.pid;
  }
  throw new Error(`there is no host of ${clusterId}`);
}

const untilFree = () =>
  waitUntil('the master has its cores back', async () => (await spark.page()).coresused === 0, patienceMs);

/** As many at a time as there are cores; of each, the process that worked on it. */
const spread = (seconds: number) => `
import os, time
from pyspark.sql.functions import udf
def work(n):
    time.sleep(${seconds})
    return os.getppid()
def pids():
    rows = spark.range(0, 8, 1, 8).select(udf(work, "long")("id")).collect()
    return {row[0] for row in rows}
`;

test(
  'executors do the work of a cluster, come as it is needed, and write what a local cluster reads',
  async () => {
    const run_id = await start(
      await aTask(
        'write',
        `${spread(2)}
print("beside the driver:", os.getpid() not in pids())
deadline = time.time() + 600
while len(spark.sparkContext._jsc.sc().statusTracker().getExecutorInfos()) < 3 and time.time() < deadline:
    pids()
print("executors", len(spark.sparkContext._jsc.sc().statusTracker().getExecutorInfos()) - 1)
print("environment", spark.range(1).select(udf(lambda _: os.environ.get("STAGE"))("id")).first()[0])
spark.range(0, 1000, 1, 4).write.saveAsTable("main.default.made")
`,
        {
          new_cluster: {
            ...{ spark_version: 'x', autoscale: { min_workers: 1, max_workers: 2 } },
            spark_conf: { ...small, 'spark.dynamicAllocation.schedulerBacklogTimeout': '1s' },
            spark_env_vars: { STAGE: 'test' },
          },
        },
      ),
      await aTask(
        'read',
        `print("master", spark.sparkContext.master)
print("rows", spark.table("main.default.made").count())`,
        {
          depends_on: [{ task_key: 'write' }],
          new_cluster: { spark_version: 'x', num_workers: 0, spark_conf: { 'spark.driver.memory': '512m' } },
        },
      ),
    );

    const run = await ended(run_id);

    const written = await logOf(run_id, 'write');
    expect(run.state?.result_state, written).toBe('SUCCESS');
    expect(written).toContain('beside the driver: True');
    expect(written).toContain('executors 2');
    expect(written).toContain('environment test');
    const read = await logOf(run_id, 'read');
    expect(read).toContain('master local[');
    expect(read).toContain('rows 1000');
    const grown = (await eventsOf(run, 'write')).filter(({ type }) => type === 'UPSIZE_COMPLETED');
    expect(grown.map(({ details }) => details?.current_num_workers)).toEqual([1, 2]);
    expect(grown[0]?.details).toMatchObject({
      spark_master: spark.url,
      target_num_workers: { min_workers: 1, max_workers: 2 },
    });
  },
  patienceMs,
);

test(
  'a host that is killed gives its executors back',
  async () => {
    await untilFree();
    const run_id = await start(
      await aTask('long', `${spread(600)}\npids()`, {
        new_cluster: { spark_version: 'x', num_workers: 1, spark_conf: small },
      }),
    );
    await waitUntil('it has an executor', async () => (await spark.page()).coresused === 1, patienceMs);

    process.kill(await hostOf(`job-${run_id}-`), 'SIGKILL');

    await untilFree();
    expect((await spark.page()).activeapps).toEqual([]);
    expect((await ended(run_id)).state?.result_state).toBe('FAILED');
  },
  patienceMs,
);

test(
  'a master without what is wanted, or without an answer, fails the task in a sentence',
  async () => {
    await untilFree();
    const large = { ...small, 'spark.executor.memory': '64g', 'spark.headrace.executorWait': '3s' };
    const nowhere = { ...small, 'spark.master': 'spark://127.0.0.1:1' };
    const run_id = await start(
      await aTask('large', 'spark.range(10).count()', {
        new_cluster: { spark_version: 'x', num_workers: 2, spark_conf: large },
      }),
      await aTask('nowhere', 'spark.range(10).count()', {
        new_cluster: { spark_version: 'x', num_workers: 2, spark_conf: nowhere },
      }),
    );

    const { cluster_id } = await server.client.clustersCreate({
      ...{ cluster_name: 'nowhere', spark_version: 'x', num_workers: 2, spark_conf: nowhere },
    });

    const run = await ended(run_id);

    const errors = await Promise.all(
      (run.tasks ?? []).map(
        async (task) => (await server.client.runsGetOutput({ run_id: task.run_id })).error,
      ),
    );
    expect(errors[0]).toContain(`Spark's master ${spark.url} gave no executor within 3 s.`);
    expect(errors[0]).toContain('Wanted: 2 executors of 1 core and 64g each.');
    expect(errors[0]).toContain('It has 2 workers, with 2 of 2 cores and 1024 of 1024 MiB free.');
    expect(errors[0]).toContain('None of them is large enough for one.');
    expect(errors[1]).toContain("Spark's master spark://127.0.0.1:1 cannot be reached");
    const { termination_reason: reason } = await waitForState(server, cluster_id, 'TERMINATED');
    expect(reason?.code).toBe('DRIVER_UNREACHABLE');
    expect(reason?.parameters?.error_message).toContain('is it running, and its port open?');
  },
  patienceMs,
);

test(
  'executors are free after a cancel, outlive their master, and are new after its return',
  async () => {
    await untilFree();
    const { cluster_id } = await server.client.clustersCreate({
      ...{ cluster_name: 'kept', spark_version: 'x', num_workers: 1 },
      spark_conf: small,
    });
    const place = { existing_cluster_id: cluster_id };
    // Its one core is free for the next only when the work of the cancelled one has ended.
    const cancelled = await start(
      await aTask('cancelled', `${spread(600)}\nprint("begun", flush=True)\npids()`, place),
    );
    await waitUntil(
      'it works',
      async () => (await logOf(cancelled, 'cancelled')).includes('begun'),
      patienceMs,
    );
    await waitUntil('it has an executor', async () => (await spark.page()).coresused === 1, patienceMs);
    await server.client.runsCancel({ run_id: cancelled });
    expect((await ended(cancelled)).state?.result_state).toBe('CANCELED');
    const first = await start(
      await aTask(
        'during',
        `${spread(1)}\nprint("begun", len(pids()), flush=True)\npids()\nprint("done")`,
        place,
      ),
    );
    await waitUntil('it works', async () => (await logOf(first, 'during')).includes('begun 1'), patienceMs);

    await spark.killMaster();

    expect((await ended(first)).state?.result_state, await logOf(first, 'during')).toBe('SUCCESS');
    await spark.startMaster();
    await waitUntil('its workers came back', async () => (await spark.page()).aliveworkers === 2, patienceMs);
    const second = await start(
      await aTask('after', 'print("rows", spark.range(10).count())', { ...place, max_retries: 3 }),
    );
    expect((await ended(second)).state?.result_state, await logOf(second, 'after')).toBe('SUCCESS');
  },
  patienceMs,
);
