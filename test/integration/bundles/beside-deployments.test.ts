/** What comes to a deployment from its side: jobs made by hand, files sent without it. The commands, on a real server. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  aBundleFolder,
  type BundleFolder,
  NOTEBOOK,
} from '../../../packages/bundle/src/testing/bundle-folder.ts';
import { callCli } from '../../../packages/cli/src/testing/call-cli.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.dispose());

const MAIN = 'bundle: {name: adopted}\ninclude: [resources/*.yml]\ntargets: {dev: {default: true}}\n';

function call({ folder }: BundleFolder, ...args: readonly string[]) {
  const environment = {
    HEADRACE_HOST: server.url,
    HEADRACE_TOKEN: server.token,
    PATH: process.env.PATH ?? '',
  };
  return callCli(['bundle', ...args], { environment, folder });
}

async function makeJobByHand(): Promise<number> {
  const { client } = server;
  await client.workspaceMkdirs({ path: '/Shared/etl' });
  await client.workspaceImport({
    path: '/Shared/etl/load',
    format: 'SOURCE',
    language: 'PYTHON',
    content: Buffer.from('# Databricks notebook source\nprint(1)\n').toString('base64'),
    overwrite: true,
  });
  const job = await client.jobsCreate({
    name: 'Orders: daily',
    tags: { team: 'data' },
    parameters: [{ name: 'day', default: '1' }],
    tasks: [
      { task_key: 'load', notebook_task: { notebook_path: '/Shared/etl/load' }, max_retries: 2 },
      {
        task_key: 'after',
        depends_on: [{ task_key: 'load' }],
        notebook_task: { notebook_path: '/Shared/etl/load' },
      },
    ],
  });
  return job.job_id;
}

test('a job made by hand is generated, bound, deployed under its id, and let go', async () => {
  await using folder = await aBundleFolder({ 'databricks.yml': MAIN });
  const id = await makeJobByHand();

  const generated = await call(folder, 'generate', 'job', '--existing-job-id', String(id));
  expect(generated).toMatchObject({ exitCode: 0, stderr: '' });
  expect(generated.stdout).toContain(`headrace bundle deployment bind orders_daily ${id}`);
  expect(await readFile(path.join(folder.folder, 'src/load.py'), 'utf8')).toContain('print(1)');
  expect(await call(folder, 'validate')).toMatchObject({ exitCode: 0 });

  const bound = await call(folder, 'deployment', 'bind', 'orders_daily', String(id), '--auto-approve');
  expect(bound).toMatchObject({ exitCode: 0 });
  const plan = JSON.parse((await call(folder, 'plan', '-o', 'json')).stdout);
  expect(plan.actions).toMatchObject([{ action: 'update', resource: 'jobs.orders_daily', id: String(id) }]);
  expect(plan.actions[0].differences.map((each: { path: string }) => each.path)).toEqual([
    'deployment',
    'tasks[load].notebook_task.notebook_path',
    'tasks[after].notebook_task.notebook_path',
  ]);

  expect(await call(folder, 'deploy', '--auto-approve')).toMatchObject({ exitCode: 0 });
  const { settings } = await server.client.jobsGet({ job_id: id });
  expect(settings).toMatchObject({ name: 'Orders: daily', deployment: { kind: 'BUNDLE' } });
  expect((await call(folder, 'plan')).stdout).toContain('nothing to do');

  const unbound = await call(folder, 'deployment', 'unbind', 'orders_daily');
  expect(unbound).toMatchObject({ exitCode: 0 });
  expect((await server.client.jobsGet({ job_id: id })).settings.name).toBe('Orders: daily');
  const next = JSON.parse((await call(folder, 'plan', '-o', 'json')).stdout);
  expect(next.actions).toMatchObject([{ action: 'create', resource: 'jobs.orders_daily' }]);
});

test('files that were sent without a deployment are put in their places by the next one', async () => {
  const yaml = 'bundle: {name: synced}\ntargets: {dev: {default: true}}\n';
  await using folder = await aBundleFolder({ 'databricks.yml': yaml, 'one.py': '1', 'load.py': NOTEBOOK });
  const root = '/Users/admin/.bundle/synced/dev/files';
  const read = async (name: string) => {
    const { objects = [] } = await server.client.workspaceList({ path: root });
    if (!objects.some((object) => object.path.endsWith(`/${name}`))) return null;
    const { bytes } = await server.client.workspaceExport({ path: `${root}/${name}`, direct_download: true });
    return Buffer.from(bytes).toString('utf8');
  };
  expect(await call(folder, 'deploy')).toMatchObject({ exitCode: 0 });
  await folder.write({ 'one.py': '2', 'extra.py': 'x' });
  await folder.remove('load.py');

  const synced = await call(folder, 'sync');
  expect(synced).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('sent 2 files, removed 1') });
  expect([await read('one.py'), await read('extra.py'), await read('load')]).toEqual(['2', 'x', null]);
  await folder.write({ 'one.py': '1', 'load.py': NOTEBOOK });
  await folder.remove('extra.py');
  expect(await call(folder, 'deploy')).toMatchObject({ exitCode: 0 });

  expect([await read('one.py'), await read('extra.py'), await read('load')]).toEqual(['1', null, NOTEBOOK]);
  expect((await call(folder, 'plan')).stdout).toContain('nothing to do');
  expect((await call(folder, 'sync')).stdout).toContain('nothing to send');
});
