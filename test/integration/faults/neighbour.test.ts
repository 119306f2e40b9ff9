/**
 * One task goes on while others of its host do what a host must bear: too much of everything, deafness, sudden death.
 * Each of them ends in the right state with a message that names what happened.
 */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client, NewCluster } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProcessesOf, waitUntil } from '../../support/census.ts';
import { createRealBackend } from '../../support/real-backend.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

type SubmitTask = NonNullable<Parameters<Client['runsSubmit']>[0]['tasks']>[number];

const patienceMs = 180_000;
const notebookHead = '# Databricks notebook source\n';
const nextCell = '\n# COMMAND ----------\n';

let folder: string;
let server: TestServer;
let neighbour: number;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'hr-neighbour-'));
  server = await startTestServer({ backend: createRealBackend(folder), config: { stateDir: folder } });
  neighbour = await start({
    spark_python_task: await aFile(`
import os, time
open("${folder}/neighbour", "w").close()
while not os.path.exists("${folder}/enough"):
    time.sleep(0.05)
print("went on")
`),
  });
  await waitUntil('the neighbour runs', () => exists('neighbour'), patienceMs);
}, patienceMs);
afterAll(async () => {
  await server.dispose();
  for (const line of await findProcessesOf(folder)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
  await fs.rm(folder, { recursive: true, force: true });
});

const exists = (name: string) =>
  fs.access(path.join(folder, name)).then(
    () => true,
    () => false,
  );

let files = 0;
async function upload(text: string, language?: 'PYTHON'): Promise<string> {
  files += 1;
  const file = `/Shared/neighbour-${files}${language === undefined ? '.py' : ''}`;
  await server.client.workspaceImport({
    ...{ path: file, content: Buffer.from(text).toString('base64'), overwrite: true },
    ...(language === undefined ? { format: 'AUTO' } : { format: 'SOURCE', language }),
  });
  return file;
}
const aFile = async (script: string) => ({ python_file: await upload(script) });
const aNotebook = async (cells: readonly string[]) => ({
  notebook_task: { notebook_path: await upload(notebookHead + cells.join(nextCell), 'PYTHON') },
});

async function start(task: Partial<SubmitTask>): Promise<number> {
  const { run_id } = await server.client.runsSubmit({ tasks: [{ task_key: 'fault', ...task }] });
  return run_id;
}

async function end(run_id: number) {
  const read = () => server.client.runsGet({ run_id });
  await waitUntil('the run ended', async () => (await read()).state?.result_state !== undefined, patienceMs);
  const run = await read();
  const task_run_id = run.tasks?.[0]?.run_id ?? 0;
  const output = await server.client.runsGetOutput({ run_id: task_run_id });
  const { log } = await server.client.taskLog({ run_id, task_run_id });
  return { state: run.state?.result_state, attempts: run.tasks?.length, log, output, task_run_id };
}

/** The neighbour runs still, in its first attempt. */
async function expectNeighbour(): Promise<void> {
  const { state, tasks } = await server.client.runsGet({ run_id: neighbour });
  expect([state?.life_cycle_state, tasks?.length]).toEqual(['RUNNING', 1]);
}

test(
  'a notebook of 10,000 cells runs to its end, and every cell can be read',
  async () => {
    const cells = Array.from({ length: 10_000 }, (_, index) => `x = ${index}`);

    const ended = await end(await start(await aNotebook([...cells, 'raise ValueError(x)'])));

    expect([ended.state, ended.output.error]).toEqual(['FAILED', 'ValueError: 9999']);
    const { views } = await server.client.runsExport({ run_id: ended.task_run_id, views_to_export: 'CODE' });
    expect(views?.[0]?.content).toContain('x = 9999');
    await expectNeighbour();
  },
  patienceMs,
);

const huge = '"x" * (100 * 2**20)';
const hugeResults: readonly [name: string, cell: string, state: string, message: RegExp][] = [
  [
    'exit value',
    `dbutils.notebook.exit(${huge})`,
    'FAILED',
    /exit value has 104857600 bytes and the limit is/,
  ],
  ['task value', `dbutils.jobs.taskValues.set("v", ${huge})`, 'FAILED', /'v' has 104857602 bytes as JSON/],
  ['exception', `raise ValueError(${huge})`, 'FAILED', /^ValueError: xxx/],
  ['line', `print(${huge})`, 'SUCCESS', /^$/],
  ['page', `displayHTML(${huge})`, 'SUCCESS', /^$/],
  ['value of a cell', huge, 'SUCCESS', /^$/],
];
test.each(hugeResults)(
  'a result of 100 MB is cut, or refused with its size: %s',
  async (_name, cell, state, message) => {
    const ended = await end(await start(await aNotebook([cell])));

    expect(ended.state).toBe(state);
    expect(ended.output.error ?? '').toMatch(message);
    expect(JSON.stringify(ended.output).length).toBeLessThan(10 * 2 ** 20);
    await expectNeighbour();
  },
  patienceMs,
);

test(
  'a task that is deaf to SIGTERM is cancelled all the same',
  async () => {
    const run_id = await start({
      spark_python_task: await aFile(`
import os, signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP})
os.fork()
open("${folder}/deaf-%d" % os.getpid(), "w").close()
while True:
    time.sleep(1)
`),
    });
    const deaf = async () => (await fs.readdir(folder)).filter((name) => name.startsWith('deaf-'));
    await waitUntil('both are deaf', async () => (await deaf()).length === 2, patienceMs);

    await server.client.runsCancel({ run_id });

    expect((await end(run_id)).state).toBe('CANCELED');
    for (const name of await deaf()) {
      expect(() => process.kill(Number(name.slice('deaf-'.length)), 0)).toThrow('ESRCH');
    }
    await expectNeighbour();
  },
  patienceMs,
);

test(
  'a task that fills the disk is ended at its limit',
  async () => {
    // What lies outside of the workspace runs in the folder of its attempt.
    await fs.mkdir(path.join(folder, 'data/dbfs'), { recursive: true });
    const script = 'import time\nopen("big", "wb").write(bytes(200 * 2**20))\ntime.sleep(600)';
    await fs.writeFile(path.join(folder, 'data/dbfs/fill.py'), script);

    const ended = await end(
      await start({ spark_python_task: { python_file: 'dbfs:/fill.py' }, headrace: { disk_mb: 100 } }),
    );

    expect(ended.state).toBe('FAILED');
    expect(ended.output.error).toMatch(/^The task used \d+ MB of disk, its limit is 100 MB/);
    await expectNeighbour();
  },
  patienceMs,
);

const aCluster: NewCluster = { spark_version: '16.4.x-scala2.13', num_workers: 0 };

test(
  'a cluster of an unknown node type runs on what there is, and says so',
  async () => {
    const new_cluster = { ...aCluster, node_type_id: 'quantum.9xlarge' };

    const ended = await end(
      await start({ new_cluster, spark_python_task: await aFile('print("on what there is")') }),
    );

    expect([ended.state, ended.log]).toEqual(['SUCCESS', 'on what there is\n']);
    const { clusters = [] } = await server.client.clustersList({});
    const all = await Promise.all(
      clusters.map(({ cluster_id }) => server.client.clustersEvents({ cluster_id: cluster_id ?? '' })),
    );
    expect(JSON.stringify(all)).toContain('node type quantum.9xlarge is not known here');
  },
  patienceMs,
);

test(
  'a host that its task kills takes that task along, and no other host',
  async () => {
    const script = `
import os, signal, time
zygote = os.getppid()
host = int(open(f"/proc/{zygote}/stat").read().rpartition(") ")[2].split()[1])
os.kill(host, signal.SIGKILL)
time.sleep(600)
`;

    const ended = await end(
      await start({ new_cluster: aCluster, spark_python_task: await aFile(script), max_retries: 0 }),
    );

    expect(ended.state).toBe('FAILED');
    expect(ended.output.error).toMatch(/host/);
    await expectNeighbour();
  },
  patienceMs,
);

test(
  'and through all of that the neighbour went on',
  async () => {
    await fs.writeFile(path.join(folder, 'enough'), '');

    expect(await end(neighbour)).toMatchObject({ state: 'SUCCESS', attempts: 1, log: 'went on\n' });
  },
  patienceMs,
);
