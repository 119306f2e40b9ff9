/** Init scripts on real hosts: what a task sees of them, and what is left where one fails or hangs. No Spark. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProcessesOf, waitUntil } from '../../support/census.ts';
import { createRealBackend } from '../../support/real-backend.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { aSpec, waitForEnd, waitForState } from './support.ts';

let folder: string;
let server: TestServer;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'hr-init-'));
  server = await startTestServer({ backend: createRealBackend(folder) });
  // Hosts read the server's files there.
  await fs.symlink(path.join(server.stateDir, 'data'), path.join(folder, 'data'));
});
afterAll(async () => {
  await server.dispose();
  for (const line of await findProcessesOf(folder)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
  await fs.rm(folder, { recursive: true, force: true });
});

async function addFile(name: string, text: string): Promise<string> {
  const content = Buffer.from(text).toString('base64');
  await server.client.workspaceImport({ path: `/Shared/${name}`, content, format: 'AUTO', overwrite: true });
  return `/Shared/${name}`;
}

const withScript = (destination: string) => ({ init_scripts: [{ workspace: { destination } }] });

test('a task on a named cluster finds what the init script and the variables of its cluster left', async () => {
  const script = await addFile(
    'ready.sh',
    `#!/bin/bash\necho "$STAGE $DB_CLUSTER_ID" > ${folder}/mark\necho done\n`,
  );
  const python_file = await addFile(
    'show.py',
    `import os\nprint(open('${folder}/mark').read(), os.environ['STAGE'])`,
  );
  const { cluster_id } = await server.client.clustersCreate({
    ...{ ...aSpec, ...withScript(script), spark_env_vars: { STAGE: 'dev' } },
    cluster_log_conf: { dbfs: { destination: 'dbfs:/logs' } },
  });
  await waitForState(server, cluster_id, 'RUNNING');

  const tasks = [{ task_key: 't', existing_cluster_id: cluster_id, spark_python_task: { python_file } }];
  const run = await waitForEnd(server, (await server.client.runsSubmit({ tasks })).run_id);

  const { log } = await server.client.taskLog({
    ...{ run_id: run.run_id, task_run_id: run.tasks?.[0]?.run_id ?? 0 },
  });
  expect(log).toContain(`dev ${cluster_id}\n dev`);
  const logs = path.join(server.stateDir, 'data/dbfs/logs', cluster_id, 'init_scripts');
  const [file = ''] = await fs.readdir(logs);
  expect(await fs.readFile(path.join(logs, file), 'utf8')).toBe('done\n');
});

test('a script that fails fails the task of its cluster with its last lines', async () => {
  const script = await addFile('bad.sh', 'echo no such package >&2\nexit 7\n');
  const python_file = await addFile('never.py', 'print(1)');
  const task = {
    task_key: 't',
    new_cluster: { ...aSpec, ...withScript(script) },
    spark_python_task: { python_file },
  };

  const run = await waitForEnd(server, (await server.client.runsSubmit({ tasks: [task] })).run_id);

  expect(run.tasks?.[0]?.status.termination_details).toMatchObject({
    code: 'CLUSTER_ERROR',
    message: expect.stringContaining('/Workspace/Shared/bad.sh ended with code 7: no such package'),
  });
});

test('a cluster whose script hangs can be terminated, and nothing of it is left', async () => {
  const script = await addFile('hang.sh', `setsid sleep 6543 &\ntouch ${folder}/hangs\nwait\n`);
  const { cluster_id } = await server.client.clustersCreate({ ...aSpec, ...withScript(script) });
  const begun = path.join(folder, 'hangs');
  await waitUntil('the script runs', () =>
    fs.access(begun).then(
      () => true,
      () => false,
    ),
  );

  await server.client.clustersDelete({ cluster_id });

  const ended = await waitForState(server, cluster_id, 'TERMINATED');
  expect(ended.termination_reason).toMatchObject({ code: 'USER_REQUEST' });
  await waitUntil('its processes are gone', async () => (await sleepers()).length === 0);
});

async function sleepers(): Promise<string[]> {
  const found = await findProcessesOf(folder);
  return found.filter((line) => line.includes('sleep 6543'));
}
