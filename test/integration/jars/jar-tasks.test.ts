/** JAR and spark-submit tasks on a whole server: a JVM of their own for each, and what their runs say of it. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { JobSettings, RunDocument } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProcessesOf, waitUntil } from '../../support/census.ts';
import { createRealBackend } from '../../support/real-backend.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { compileJar } from './compile.ts';

/** Several JVMs one after the other on a busy machine. */
const patienceMs = 900_000;

let folder: string;
let server: TestServer;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'hr-jars-'));
  const backend = createRealBackend(folder, { hasSpark: true });
  server = await startTestServer({ backend, config: { stateDir: folder } });
  const jar = await fs.readFile(compileJar(path.join(folder, 'built')));
  await upload('/Shared/demo.jar', jar);
  await upload('/Shared/text.jar', Buffer.from('no archive'));
  await fs.mkdir(path.join(folder, 'data/volumes/main/default/libs'), { recursive: true });
  await fs.writeFile(path.join(folder, 'data/volumes/main/default/libs/demo.jar'), jar);
  await fs.mkdir(path.join(folder, 'data/dbfs/jars'), { recursive: true });
  await fs.writeFile(path.join(folder, 'data/dbfs/jars/demo.jar'), jar);
}, patienceMs);
afterAll(async () => {
  await server?.dispose();
  for (const line of await findProcessesOf(folder)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
  await fs.rm(folder, { recursive: true, force: true });
});

async function upload(file: string, content: Buffer): Promise<void> {
  await server.client.workspaceImport({
    ...{ path: file, format: 'AUTO', overwrite: true },
    content: content.toString('base64'),
  });
}

async function start(settings: JobSettings): Promise<number> {
  const { job_id } = await server.client.jobsCreate(settings);
  const { run_id } = await server.client.jobsRunNow({ job_id });
  return run_id;
}

async function ended(run_id: number): Promise<RunDocument> {
  const read = () => server.client.runsGet({ run_id, include_resolved_values: true });
  await waitUntil(
    'the run has ended',
    async () => (await read()).state?.result_state !== undefined,
    patienceMs,
  );
  return read();
}

async function outcomesOf(tasks: NonNullable<JobSettings['tasks']>) {
  // One after the other, whatever comes of each: one JVM at a time.
  const chained = tasks.map((task, index) => {
    const before = tasks[index - 1];
    return before === undefined
      ? task
      : { ...task, depends_on: [{ task_key: before.task_key }], run_if: 'ALL_DONE' as const };
  });
  const run = await ended(await start({ name: 'jars', tasks: chained }));
  return Object.fromEntries(
    await Promise.all(
      (run.tasks ?? []).map(async (task) => {
        const ids = { run_id: run.run_id, task_run_id: task.run_id };
        const { log } = await server.client.taskLog(ids);
        const output = await server.client.runsGetOutput({ run_id: task.run_id });
        return [task.task_key, { task, log, error: output.error, trace: output.error_trace ?? '' }];
      }),
    ),
  );
}

const jarTask = (main: string, parameters: string[] = [], jar = '/Shared/demo.jar') => ({
  spark_jar_task: { main_class_name: `demo.${main}`, parameters },
  libraries: [{ jar }],
});

test(
  'main classes run in JVMs of their own, wherever their JAR is, and how they end is told',
  async () => {
    const tasks = await outcomesOf([
      {
        task_key: 'count',
        ...jarTask('Count', ['a b', '{{job.id}}'], 'dbfs:/jars/demo.jar'),
        new_cluster: { num_workers: 0, spark_version: 'x', spark_conf: { 'spark.headrace.test': 'mine' } },
      },
      { task_key: 'zero', ...jarTask('Exit', ['0'], '/Volumes/main/default/libs/demo.jar') },
      { task_key: 'three', ...jarTask('Exit', ['3']) },
      { task_key: 'fail', ...jarTask('Fail') },
      { task_key: 'memory', ...jarTask('Eat') },
      { task_key: 'absent', ...jarTask('Absent') },
      { task_key: 'no_main', ...jarTask('NoMain') },
      { task_key: 'text', ...jarTask('Count', [], '/Shared/text.jar') },
      { task_key: 'nowhere', ...jarTask('Count', [], '/Shared/nowhere.jar') },
      {
        task_key: 'uri',
        spark_jar_task: { main_class_name: 'demo.Exit', parameters: ['0'], jar_uri: 'dbfs:/jars/demo.jar' },
      },
    ]);

    const { job_id } = (await server.client.jobsList({})).jobs?.[0] ?? {};
    expect(tasks.count?.log).toMatch(new RegExp(`^a b\\|${job_id} 10$`, 'm'));
    expect(tasks.count?.log).toContain('mine\n');
    expect(tasks.count?.log).toContain('to standard error\n');
    expect(tasks.count?.log).not.toContain(' INFO ');
    expect(tasks.count?.task).toMatchObject({
      spark_jar_task: { main_class_name: 'demo.Count', parameters: ['a b', '{{job.id}}'] },
      resolved_values: { spark_jar_task: { parameters: ['a b', String(job_id)] } },
      state: { result_state: 'SUCCESS' },
    });
    expect(tasks.zero?.task.state?.result_state).toBe('SUCCESS');
    expect(tasks.uri?.task.state?.result_state).toBe('SUCCESS');
    expect(tasks.three?.error).toBe('the main class exited with code 3');
    expect(tasks.three?.trace).toContain('leaving with 3');
    expect(tasks.fail?.error).toBe('java.lang.IllegalStateException: the outer one');
    expect(tasks.fail?.trace).toMatch(/^\tat demo\.Fail\$\.main\(Demo\.scala/m);
    expect(tasks.fail?.trace).toContain('Caused by: java.lang.RuntimeException: the inner one');
    expect(tasks.memory?.error).toContain('Java ran out of memory');
    expect(tasks.absent?.error).toBe("the main class demo.Absent is in none of the task's JARs: demo.jar");
    expect(tasks.no_main?.error).toContain('class demo.NoMain has no method main(String[])');
    expect(tasks.text?.error).toContain('is not a JAR');
    expect(tasks.nowhere?.error).toContain('/Shared/nowhere.jar');
  },
  patienceMs,
);

const application = `
import sys
from pyspark.sql import SparkSession
import helping
spark = SparkSession.builder.getOrCreate()
print("rows", spark.table(sys.argv[1]).count(), spark.conf.get("spark.headrace.test"), helping.WORD)
raise ValueError("a bad row")
`;

test(
  'spark-submit takes JARs and Python files; tables of three-level names are the same for all',
  async () => {
    await server.client.catalogsCreate({ name: 'shop' });
    await server.client.schemasCreate({ catalog_name: 'shop', name: 'jars' });
    await upload('/Shared/app.py', Buffer.from(application));
    await upload('/Shared/helping.py', Buffer.from('WORD = "helped"\n'));
    const read = `from pyspark.sql import SparkSession
print("found", SparkSession.builder.getOrCreate().table("shop.jars.numbers").count())
`;
    await upload('/Shared/read.py', Buffer.from(read));
    const python = ['--conf', 'spark.headrace.test=given', '--py-files', '/Shared/helping.py'];
    const submit = (...parameters: string[]) => ({ spark_submit_task: { parameters } });

    const tasks = await outcomesOf([
      {
        task_key: 'write',
        ...submit('--class', 'demo.Write', '--name=writer', 'dbfs:/jars/demo.jar', 'shop.jars.numbers'),
      },
      { task_key: 'python', ...submit(...python, '/Shared/app.py', 'shop.jars.numbers') },
      { task_key: 'read', spark_python_task: { python_file: '/Shared/read.py' } },
      { task_key: 'nothing', ...submit('--class', 'demo.Write') },
      { task_key: 'nowhere', ...submit('/Shared/nowhere.py') },
      { task_key: 'no_class', ...submit('/Shared/demo.jar') },
    ]);

    expect(tasks.write?.log).toContain('written 7');
    expect(tasks.write?.task.state?.result_state).toBe('SUCCESS');
    expect(tasks.write?.task).toMatchObject({
      spark_submit_task: { parameters: expect.arrayContaining(['demo.Write']) },
    });
    expect(tasks.python?.log).toContain('rows 7 given helped');
    expect(tasks.python?.error).toBe('ValueError: a bad row');
    expect(tasks.python?.trace).toContain('Traceback (most recent call last):');
    expect(tasks.read?.log).toContain('found 7');
    expect(tasks.nothing?.error).toContain('no application follows the options');
    expect(tasks.nowhere?.error).toBe('spark-submit: /Shared/nowhere.py does not exist');
    expect(tasks.no_class?.error).toMatch(/main class/i);
  },
  patienceMs,
);

test(
  'a cancel ends the JVM of a task',
  async () => {
    const run_id = await start({ name: 'sleep', tasks: [{ task_key: 'sleep', ...jarTask('Sleep') }] });
    const logOf = async () => {
      const task = (await server.client.runsGet({ run_id })).tasks?.[0];
      return (await server.client.taskLog({ run_id, task_run_id: task?.run_id ?? 0 })).log;
    };
    await waitUntil(
      'the main class has begun',
      async () => (await logOf().catch(() => '')).includes('begun'),
      patienceMs,
    );
    const jvms = async () => (await findProcessesOf(folder)).filter((line) => line.includes('demo.Sleep'));
    expect(await jvms()).toHaveLength(1);

    await server.client.runsCancel({ run_id });

    expect((await ended(run_id)).state?.result_state).toBe('CANCELED');
    expect(await jvms()).toEqual([]);
  },
  patienceMs,
);

test('what can never run is refused when it is saved', async () => {
  const refusal = async (task: object) => {
    const settings = { name: 'refused', tasks: [{ task_key: 'a', ...task }] };
    return server.client.jobsCreate(settings).then(
      () => 'saved',
      (error: Error) => error.message,
    );
  };

  expect(await refusal({ spark_jar_task: { parameters: [] } })).toContain('main_class_name');
  expect(await refusal({ spark_jar_task: { main_class_name: 'a.B' } })).toContain(
    'no JAR holds the main class',
  );
  expect(await refusal({ spark_submit_task: {} })).toContain('what would follow spark-submit');
  expect(await refusal({ spark_submit_task: { parameters: ['--master', 'yarn', 'a.jar'] } })).toContain(
    "--master cannot be given: the task's cluster decides it",
  );
  const onCluster = { spark_jar_task: { main_class_name: 'a.B' }, existing_cluster_id: 'any' };
  expect(await refusal(onCluster)).toBe('saved');
});
