/** Real tasks on real hosts of a whole server: what they may read, and what is left of it. Plain Python, no Spark. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client, RunDocument } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProcessesOf, waitUntil } from '../../support/census.ts';
import { createRealBackend } from '../../support/real-backend.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { addUser, base64, findInTables, type TestUser } from './support.ts';

const patienceMs = 120_000;

let folder: string;
let server: TestServer;
let ada: TestUser;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'hr-secret-tasks-'));
  server = await startTestServer({ backend: createRealBackend(folder) });
  ada = await addUser(server, 'ada');
  await ada.client.secretScopesCreate({ scope: 'of-ada' });
  await ada.client.secretsPut({ scope: 'of-ada', key: 'password', string_value: 'hunter2-of-ada' });
});
afterAll(async () => {
  await server.dispose();
  for (const line of await findProcessesOf(folder)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
  await fs.rm(folder, { recursive: true, force: true });
});

async function runTask(
  client: Client,
  script: string,
  cluster?: Record<string, unknown>,
): Promise<{ run: RunDocument; log: string }> {
  const file = `/Shared/${Math.random().toString(36).slice(2)}.py`;
  await server.client.workspaceImport({ path: file, content: base64(script), format: 'AUTO' });
  const task = {
    task_key: 't',
    spark_python_task: { python_file: file },
    ...(cluster ? { new_cluster: cluster } : {}),
  };
  const { run_id } = await client.runsSubmit({ tasks: [task] });
  let run = await client.runsGet({ run_id });
  await waitUntil(
    'the run has ended',
    async () => {
      run = await client.runsGet({ run_id });
      return run.state?.result_state !== undefined;
    },
    patienceMs,
  );
  const taskRunId = run.tasks?.[0]?.run_id ?? 0;
  const { log } = await client.taskLog({ run_id, task_run_id: taskRunId });
  return { run, log };
}

const showAll = `
import sys, os, base64, time
value = dbutils.secrets.get("of-ada", "password")
print("read", len(value), value)
for part in (value[:5], value[5:9], value[9:] + "\\n"):
    sys.stdout.write(part); sys.stdout.flush(); time.sleep(0.05)
os.system(f"echo from a program: '{value}'")
print(base64.b64encode(value.encode()).decode(), repr(value), file=sys.stderr)
`;

test('a task reads what its run’s owner may read, and its log does not show it', async () => {
  const { run, log } = await runTask(ada.client, showAll);

  expect(run.state?.result_state, log).toBe('SUCCESS');
  expect(log.split('\n').sort()).toEqual(
    ['read 14 [REDACTED]', '[REDACTED]', 'from a program: [REDACTED]', "[REDACTED]= '[REDACTED]'", ''].sort(),
  );
});

test('a task of somebody else may not read it', async () => {
  const bob = await addUser(server, 'bob');

  const { run, log } = await runTask(bob.client, showAll);

  expect(run.state?.result_state).toBe('FAILED');
  expect(log).toContain('PermissionError: bob does not have READ permission on scope of-ada');
});

test('an error shows no secret, in no place', async () => {
  const { run, log } = await runTask(
    ada.client,
    'value = dbutils.secrets.get("of-ada", "password")\nraise ValueError("cannot sign in with " + value)\n',
  );

  const taskRunId = run.tasks?.[0]?.run_id ?? 0;
  const output = await ada.client.runsGetOutput({ run_id: taskRunId });
  expect(output.error).toBe('ValueError: cannot sign in with [REDACTED]');
  expect(JSON.stringify([run, output, log])).not.toContain('hunter2');
});

const cluster = {
  num_workers: 0,
  spark_conf: { 'spark.my.password': '{{secrets/of-ada/password}}' },
  spark_env_vars: { MY_PASSWORD: '{{secrets/of-ada/password}}', PLAIN: 'plain' },
};

test('a cluster gets values in the place of references, and shows them nowhere', async () => {
  const script = `
import os, json, glob
value = os.environ["MY_PASSWORD"]
print(os.environ["PLAIN"], len(value), value)
def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""  # it ended meanwhile
lines = [read(path) for path in glob.glob("/proc/[0-9]*/cmdline")]
assert any(b"headrace_runtime" in line for line in lines) and not any(value.encode() in line for line in lines)
assert not [name for name in os.environ if "SECRET" in name or "REDACT" in name], list(os.environ)
`;
  const { run, log } = await runTask(ada.client, script, cluster);

  expect(run.state?.result_state, log).toBe('SUCCESS');
  expect(log).toBe('plain 14 [REDACTED]\n');
  const output = await ada.client.runsGetOutput({ run_id: run.tasks?.[0]?.run_id ?? 0 });
  expect(JSON.stringify([run, output])).not.toContain('hunter2');
  const { clusters = [] } = await ada.client.clustersList({});
  expect(JSON.stringify(clusters)).not.toContain('hunter2');
});

test.each([
  ['its owner may not read', 'of-admin', /does not have READ permission on scope of-admin/],
  ['does not exist', 'of-nobody', /Scope of-nobody does not exist/],
])('a cluster with a secret that %s does not start, and the task says why', async (_what, scope, reason) => {
  await server.client.secretScopesCreate({ scope: 'of-admin' }).catch(() => undefined);
  const withIt = { num_workers: 0, spark_env_vars: { X: `{{secrets/${scope}/password}}` } };

  const { run } = await runTask(ada.client, 'print("never")', withIt);

  const output = await ada.client.runsGetOutput({ run_id: run.tasks?.[0]?.run_id ?? 0 });
  expect(output.error).toMatch(reason);
});

test('after all this no value stands in the database, nor in a file that others may read', async () => {
  await expect.poll(() => findInTables(server, 'hunter2')).toEqual([]);

  const places = [server.stateDir, folder];
  const entries = await Promise.all(
    places.map((place) => fs.readdir(place, { recursive: true, withFileTypes: true })),
  );
  for (const entry of entries.flat().filter((found) => found.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    const content = await fs.readFile(file).catch(() => Buffer.alloc(0));
    if (!content.includes('hunter2') && !content.includes(base64('hunter2-of-ada'))) continue;
    // What a host was started with.
    expect(entry.name).toBe('config.json');
    expect((await fs.stat(file)).mode & 0o777).toBe(0o600);
  }
});
