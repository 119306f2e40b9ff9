import { expect, test } from 'vitest';
import { prepareBundle } from '../artifacts/prepare-bundle.ts';
import { planBundle } from '../plan/plan-bundle.ts';
import { aBundleFolder, type BundleFolder, jobYaml, NOTEBOOK, resolve } from '../testing/bundle-folder.ts';
import { aFakeWorkspace, type FakeWorkspace } from '../testing/fake-workspace.ts';
import { bindResource, findResource, planBinding, unbindResource } from './bind-resource.ts';
import { deployBundle } from './deploy-bundle.ts';
import { readDeployment } from './read-deployment.ts';

const TWO = `${jobYaml()}    second: {name: second, tasks: [{task_key: a, notebook_task: {notebook_path: ./load.py}}]}\n`;
const FILES = { 'databricks.yml': TWO, 'load.py': NOTEBOOK };

async function plan(folder: BundleFolder, workspace: FakeWorkspace) {
  const { bundle } = await resolve(folder);
  const deployed = await readDeployment(bundle, workspace.client);
  return planBundle(await prepareBundle(bundle, deployed.state, { python: 'python3' }), deployed);
}

async function bind(folder: BundleFolder, { client }: FakeWorkspace, key: string, id: string) {
  const { bundle } = await resolve(folder);
  const { state } = await readDeployment(bundle, client);
  const binding = await planBinding(findResource(bundle, key), id, { state, client });
  await bindResource(bundle, binding, { client, lock: {} });
}

async function aJobByHand({ client }: FakeWorkspace): Promise<string> {
  return String((await client.jobsCreate({ name: 'by hand', tasks: [] })).job_id);
}

test('what is bound is changed by the first deployment of all, and no other is made', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  const id = await aJobByHand(workspace);

  await bind(folder, workspace, 'daily', id);
  await deployBundle(await plan(folder, workspace), workspace.client);

  expect([...workspace.jobs].map(([each, { name }]) => [String(each), name])).toEqual([
    [id, 'daily'],
    [expect.any(String), 'second'],
  ]);
});

test('what is let go stays, also where others of the deployment stay with it', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await deployBundle(await plan(folder, workspace), workspace.client);
  const { bundle } = await resolve(folder);

  await unbindResource(bundle, 'jobs.daily', { client: workspace.client, lock: {} });

  expect(workspace.jobs.size).toBe(2);
  const next = await plan(folder, workspace);
  expect(next.actions.map(({ action, resource }) => `${action} ${resource}`)).toEqual([
    'create jobs.daily',
    'unchanged jobs.second',
  ]);
  expect(next.upload.files).toEqual([]);
});

test('what was bound and not yet deployed is let go as well', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await bind(folder, workspace, 'jobs.daily', await aJobByHand(workspace));
  const { bundle } = await resolve(folder);

  await unbindResource(bundle, 'jobs.daily', { client: workspace.client, lock: {} });

  expect((await readDeployment(bundle, workspace.client)).state.resources).toEqual({});
  expect(workspace.jobs.size).toBe(1);
});

test('a key has one resource, and a resource one key', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  const id = await aJobByHand(workspace);
  await bind(folder, workspace, 'daily', id);
  const other = await aJobByHand(workspace);

  await expect(bind(folder, workspace, 'daily', other)).rejects.toThrow(`jobs.daily is ${id} already`);
  await expect(bind(folder, workspace, 'second', id)).rejects.toThrow(`${id} is jobs.daily already`);
  await expect(bind(folder, workspace, 'second', '77')).rejects.toThrow('there is no job 77');
  await expect(bind(folder, workspace, 'dayly', id)).rejects.toThrow('the bundle has no resource dayly');
});
