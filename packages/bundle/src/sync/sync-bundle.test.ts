import { expect, test } from 'vitest';
import { prepareBundle } from '../artifacts/prepare-bundle.ts';
import { unbindResource } from '../deploy/bind-resource.ts';
import { deployBundle } from '../deploy/deploy-bundle.ts';
import { readDeployment } from '../deploy/read-deployment.ts';
import { planRollback, rollbackBundle } from '../deploy/rollback-bundle.ts';
import { planBundle } from '../plan/plan-bundle.ts';
import { aBundleFolder, type BundleFolder, jobYaml, NOTEBOOK, resolve } from '../testing/bundle-folder.ts';
import { aFakeWorkspace, type FakeWorkspace } from '../testing/fake-workspace.ts';
import { type SyncClient, type SyncOptions, syncBundle } from './sync-bundle.ts';

const ROOT = '/Workspace/Users/jane.doe@example.com/.bundle/shop/dev/files';
const FILES = {
  'databricks.yml': `${jobYaml()}targets: {dev: {}}\n`,
  'load.py': NOTEBOOK,
  'one.py': 'print(1)\n',
};

async function sync(folder: BundleFolder, workspace: FakeWorkspace, options: SyncOptions = {}) {
  const { bundle } = await resolve(folder);
  const { put, remove } = await syncBundle(bundle, workspace.client as unknown as SyncClient, options);
  return { put: put.map(({ local }) => local.path), remove };
}

async function plan(folder: BundleFolder, workspace: FakeWorkspace) {
  const { bundle } = await resolve(folder);
  const deployed = await readDeployment(bundle, workspace.client);
  return planBundle(await prepareBundle(bundle, deployed.state, { python: 'python3' }), deployed);
}

async function deploy(folder: BundleFolder, workspace: FakeWorkspace) {
  return deployBundle(await plan(folder, workspace), workspace.client);
}

const textOf = ({ files }: FakeWorkspace, name: string) => files.get(`${ROOT}/${name}`)?.toString();

test('sends what is not there, what changed, and takes away what it sent before', async () => {
  await using folder = await aBundleFolder({ ...FILES, '.gitignore': 'ignored.py\n', 'ignored.py': '' });
  const workspace = aFakeWorkspace();

  expect((await sync(folder, workspace)).put).toEqual(['.gitignore', 'databricks.yml', 'load.py', 'one.py']);
  workspace.files.set(`${ROOT}/of-somebody-else.py`, Buffer.from(''));
  await folder.write({ 'one.py': 'print(2)\n', 'two.py': '' });
  await folder.remove('load.py');
  await folder.write({ 'databricks.yml': 'bundle: {name: shop}\ntargets: {dev: {}}\n' });
  expect(await sync(folder, workspace)).toEqual({
    put: ['databricks.yml', 'one.py', 'two.py'],
    remove: [`${ROOT}/load`],
  });

  expect([...workspace.files.keys()].map((file) => file.slice(ROOT.length + 1)).sort()).toEqual([
    '.gitignore',
    'databricks.yml',
    'of-somebody-else.py',
    'one.py',
    'two.py',
  ]);
  expect(textOf(workspace, 'one.py')).toBe('print(2)\n');
  expect(workspace.jobs.size).toBe(0);
});

test('what nothing has changed sends nothing and takes no lock; --full sends all', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await deploy(folder, workspace);
  workspace.calls.length = 0;

  expect(await sync(folder, workspace)).toEqual({ put: [], remove: [] });
  expect(workspace.calls).toEqual([]);
  expect((await sync(folder, workspace, { sendsAll: true })).put).toHaveLength(3);
});

test('a dry run changes nothing', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();

  expect((await sync(folder, workspace, { isDryRun: true })).put).toHaveLength(3);

  expect([workspace.calls, workspace.files.size]).toEqual([[], 0]);
});

test('a deployment of files that went back to what it knows puts them in their places', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await deploy(folder, workspace);
  await folder.write({ 'one.py': 'print(2)\n', 'extra.py': '' });
  await folder.remove('load.py');
  await folder.write({ 'databricks.yml': 'bundle: {name: shop}\ntargets: {dev: {}}\n' });
  await sync(folder, workspace);
  expect(textOf(workspace, 'load')).toBeUndefined();
  await folder.remove('extra.py');
  await folder.write(FILES);

  expect((await plan(folder, workspace)).hasChanges).toBe(true);
  await deploy(folder, workspace);

  expect([textOf(workspace, 'one.py'), textOf(workspace, 'load')]).toEqual(['print(1)\n', NOTEBOOK]);
  expect(textOf(workspace, 'extra.py')).toBeUndefined();
  expect((await plan(folder, workspace)).hasChanges).toBe(false);
});

test('a file that went back to what its version has is sent again', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await deploy(folder, workspace);
  await folder.write({ 'one.py': 'print(2)\n' });
  await sync(folder, workspace);
  await folder.write({ 'one.py': 'print(1)\n' });

  await deploy(folder, workspace);

  expect(textOf(workspace, 'one.py')).toBe('print(1)\n');
});

test('a deployment of what was sent makes a version of it', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await deploy(folder, workspace);
  await folder.write({ 'one.py': 'print(2)\n' });
  await sync(folder, workspace);

  const released = await deploy(folder, workspace);

  expect(released?.version).toBe(2);
  expect((await plan(folder, workspace)).hasChanges).toBe(false);
  expect(await sync(folder, workspace)).toEqual({ put: [], remove: [] });
});

test('sending what the version has leaves nothing for a deployment to do', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await deploy(folder, workspace);
  await folder.write({ 'one.py': 'print(2)\n' });
  await sync(folder, workspace);
  await folder.write({ 'one.py': 'print(1)\n' });

  expect((await sync(folder, workspace)).put).toEqual(['one.py']);

  expect((await plan(folder, workspace)).hasChanges).toBe(false);
});

test('wherever it breaks, the next deployment puts everything in its place', async () => {
  for (const when of ['before', 'after'] as const) {
    for (let call = 0; call < 5; call += 1) {
      await using folder = await aBundleFolder(FILES);
      const workspace = aFakeWorkspace();
      await deploy(folder, workspace);
      await folder.write({ 'one.py': 'print(2)\n', 'extra.py': '' });
      workspace.breakAt(call, when);
      await sync(folder, workspace).catch(() => undefined);
      await folder.remove('extra.py');
      await folder.write(FILES);

      await deployBundle(await plan(folder, workspace), workspace.client, { forceLock: true });

      expect([textOf(workspace, 'one.py'), textOf(workspace, 'extra.py')], `${when} ${call}`).toEqual([
        'print(1)\n',
        undefined,
      ]);
    }
  }
});

test('a rollback, and letting a resource go, put files in their places too', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await deploy(folder, workspace);
  await folder.write({ 'one.py': 'print(2)\n' });
  await deploy(folder, workspace);
  await folder.write({ 'one.py': 'print(3)\n', 'extra.py': '' });
  await sync(folder, workspace);
  const { bundle } = await resolve(folder);

  await rollbackBundle(await planRollback(bundle, workspace.client), workspace.client);
  expect([textOf(workspace, 'one.py'), textOf(workspace, 'extra.py')]).toEqual(['print(1)\n', undefined]);
  await sync(folder, workspace);
  await unbindResource(bundle, 'jobs.daily', { client: workspace.client, lock: {} });

  expect([textOf(workspace, 'one.py'), textOf(workspace, 'extra.py')]).toEqual(['print(1)\n', '']);
  await folder.remove('extra.py');
  expect((await sync(folder, workspace)).remove).toEqual([`${ROOT}/extra.py`]);
});

test('a deployment that takes the lock over meanwhile does not lose what was sent', async () => {
  await using folder = await aBundleFolder(FILES);
  await using other = await aBundleFolder({ ...FILES, 'one.py': 'print(4)\n' });
  const workspace = aFakeWorkspace();
  await deploy(folder, workspace);
  await folder.write({ 'one.py': 'print(2)\n' });
  const theirs = await plan(other, workspace);
  const mine = workspace.client as unknown as SyncClient;
  let isTakenOver = false;
  const workspaceImport: SyncClient['workspaceImport'] = async (request) => {
    if (!isTakenOver) await deployBundle(theirs, workspace.client, { forceLock: true });
    isTakenOver = true;
    return mine.workspaceImport(request);
  };
  const { bundle } = await resolve(folder);

  await syncBundle(bundle, { ...mine, workspaceImport });

  expect(textOf(workspace, 'one.py')).toBe('print(2)\n');
  await deploy(other, workspace);
  expect(textOf(workspace, 'one.py')).toBe('print(4)\n');
});
