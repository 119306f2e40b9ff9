/** Jobs with libraries on a whole server with real tasks: what their runs say when it works, and when it does not. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { JobSettings, RunDocument } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProcessesOf, waitUntil } from '../../support/census.ts';
import { createRealBackend } from '../../support/real-backend.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { makeWheel } from './support.ts';

const patienceMs = 120_000;

let folder: string;
let server: TestServer;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'hr-library-jobs-'));
  const backend = createRealBackend(folder);
  server = await startTestServer({ backend });
  await upload('/Shared/use.py', 'import toolbox\nprint(toolbox.VERSION)\n');
  for (const version of ['1.0', '2.0']) {
    const files = { 'toolbox.py': `VERSION = "toolbox ${version}"\n` };
    const wheel = makeWheel({ folder, name: 'toolbox', version, files });
    await upload(`/Shared/${path.basename(wheel)}`, await fs.readFile(wheel));
  }
  await upload('/Shared/base.txt', './toolbox-2.0-py3-none-any.whl\n');
});
afterAll(async () => {
  await server.dispose();
  for (const line of await findProcessesOf(folder)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
  await fs.rm(folder, { recursive: true, force: true });
});

async function upload(file: string, content: string | Buffer): Promise<void> {
  await server.client.workspaceImport({
    path: file,
    content: Buffer.from(content).toString('base64'),
    format: 'AUTO',
    overwrite: true,
  });
}

async function runJob(settings: JobSettings): Promise<RunDocument> {
  const { job_id } = await server.client.jobsCreate(settings);
  const { run_id } = await server.client.jobsRunNow({ job_id });
  await waitUntil(
    'the run has ended',
    async () => (await server.client.runsGet({ run_id })).state?.result_state !== undefined,
    patienceMs,
  );
  return server.client.runsGet({ run_id, include_history: true });
}

async function logOf(run: RunDocument, taskKey: string): Promise<string[]> {
  const task = run.tasks?.find((each) => each.task_key === taskKey);
  const { log } = await server.client.taskLog({
    run_id: run.run_id,
    task_run_id: task?.run_id ?? 0,
  });
  return log.split('\n').filter((line) => line !== '' && !line.startsWith('[libraries] '));
}

const use = { spark_python_task: { python_file: '/Shared/use.py' } };

test('tasks of one run have the libraries of their own environments', async () => {
  const run = await runJob({
    name: 'two environments',
    environments: [
      {
        environment_key: 'one',
        spec: { client: '2', dependencies: ['/Shared/toolbox-1.0-py3-none-any.whl'] },
      },
      { environment_key: 'two', spec: { environment_version: '2', dependencies: ['-r /Shared/base.txt'] } },
    ],
    tasks: [
      { task_key: 'one', environment_key: 'one', ...use },
      { task_key: 'two', environment_key: 'two', ...use },
      {
        task_key: 'three',
        libraries: [{ whl: '/Workspace/Shared/toolbox-1.0-py3-none-any.whl' }],
        ...use,
      },
    ],
  });

  expect(run.state?.result_state).toBe('SUCCESS');
  expect(await Promise.all(['one', 'two', 'three'].map((key) => logOf(run, key)))).toEqual([
    ['toolbox 1.0'],
    ['toolbox 2.0'],
    ['toolbox 1.0'],
  ]);
});

test('a library that cannot be had fails its task before user code, as often as its policy says', async () => {
  const run = await runJob({
    name: 'broken',
    tasks: [
      {
        task_key: 'broken',
        libraries: [{ whl: '/Shared/nothing-1.0-py3-none-any.whl' }],
        max_retries: 1,
        ...use,
      },
      {
        task_key: 'fine',
        libraries: [{ requirements: '/Shared/base.txt' }],
        ...use,
      },
    ],
  });

  const broken = run.tasks?.filter((task) => task.task_key === 'broken') ?? [];
  expect(broken.map(({ attempt_number }) => attempt_number).sort()).toEqual([0, 1]);
  expect(broken[0]).toMatchObject({
    state: {
      life_cycle_state: 'INTERNAL_ERROR',
      result_state: 'FAILED',
      state_message: expect.stringContaining('/Shared/nothing-1.0-py3-none-any.whl'),
    },
    status: { termination_details: { code: 'LIBRARY_INSTALLATION_ERROR' } },
  });
  expect(run.tasks?.find((task) => task.task_key === 'fine')?.state?.result_state).toBe('SUCCESS');
});

test('an environment that the job does not declare is refused when it is saved', async () => {
  await expect(
    server.client.jobsCreate({ name: 'x', tasks: [{ task_key: 'a', environment_key: 'gone', ...use }] }),
  ).rejects.toThrow("names the environment 'gone'");
});
