/** Libraries of an all-purpose cluster reach the tasks that name it, before their own. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask } from '../runs/engine.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.dispose());

const wheel = { whl: '/Workspace/Shared/etl-1.0-py3-none-any.whl' };
const polars = { pypi: { package: 'polars==1.9' } };

async function aCluster(): Promise<string> {
  const { cluster_id } = await server.client.clustersCreate({
    cluster_name: 'shared by a team',
    spark_version: 'any',
    num_workers: 0,
  });
  return cluster_id;
}

async function runOn(cluster_id: string, options: Parameters<typeof fakeTask>[1] = {}) {
  const { run_id } = await server.client.runsSubmit({
    tasks: [fakeTask('a', { existing_cluster_id: cluster_id, ...options })],
  });
  await expect
    .poll(async () => (await server.client.runsGet({ run_id })).status.state, { timeout: 30_000 })
    .toBe('TERMINATED');
  return run_id;
}

function librariesOf(runId: number): unknown {
  const folder = path.join(server.stateDir, 'data/attempts', String(runId));
  const attempt = fs.readdirSync(folder).at(-1) ?? '';
  const text = fs.readFileSync(path.join(folder, attempt, 'attempt.json'), 'utf8');
  return (JSON.parse(text) as { libraries: unknown }).libraries;
}

const statusOf = async (cluster_id: string) =>
  (await server.client.librariesClusterStatus({ cluster_id })).library_statuses;

test('tasks that name the cluster get its libraries, and keep their own', async () => {
  const cluster_id = await aCluster();
  await server.client.librariesInstall({ cluster_id, libraries: [wheel, polars] });
  await server.client.librariesInstall({ cluster_id, libraries: [polars] });

  const run = await runOn(cluster_id, { libraries: [{ requirements: '/Shared/base.txt' }] });

  expect(librariesOf(run)).toEqual([
    wheel,
    { pypi: { ...polars.pypi, repo: null } },
    { requirements: '/Shared/base.txt' },
  ]);
  // That its cluster runs is recorded a moment after its first task.
  await expect
    .poll(async () => (await statusOf(cluster_id)).map(({ library, status }) => ({ library, status })))
    .toEqual([
      { library: wheel, status: 'INSTALLED' },
      { library: polars, status: 'INSTALLED' },
    ]);
  await server.client.librariesUninstall({ cluster_id, libraries: [wheel] });
  expect(librariesOf(await runOn(cluster_id))).toEqual([{ pypi: { ...polars.pypi, repo: null } }]);
});

test('a library that a task could not install is shown as failed, with what the task was told', async () => {
  const cluster_id = await aCluster();
  await server.client.librariesInstall({ cluster_id, libraries: [wheel, polars] });
  const message = 'library polars==1.9 could not be installed: there is none';
  await runOn(cluster_id, {
    fake: { kind: 'fail', failure: { code: 'LIBRARY_INSTALLATION_ERROR', message } },
  });

  await expect
    .poll(() => statusOf(cluster_id), { timeout: 30_000 })
    .toMatchObject([{ status: 'INSTALLED' }, { status: 'FAILED', messages: [message] }]);
  const { statuses } = await server.client.librariesAllClusterStatuses({});
  expect(statuses.find((each) => each.cluster_id === cluster_id)?.library_statuses).toHaveLength(2);
});

test('what cannot be installed, or not there, is refused', async () => {
  const cluster_id = await aCluster();
  const install = (libraries: Record<string, string>[], on = cluster_id) =>
    server.client.librariesInstall({ cluster_id: on, libraries });

  await expect(install([{ egg: '/a.egg' }])).rejects.toThrow('build a wheel');
  await expect(install([{}])).rejects.toThrow('of one kind');
  await expect(install([wheel], 'default')).rejects.toThrow('only all-purpose clusters');
  await expect(install([wheel], 'nothing')).rejects.toThrow('nothing');
  await expect(server.client.librariesClusterStatus({ cluster_id: 'nothing' })).rejects.toThrow('nothing');
  expect(await statusOf(cluster_id)).toEqual([]);
});
