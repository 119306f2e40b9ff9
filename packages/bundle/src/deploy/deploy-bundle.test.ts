// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prepareBundle } from '../artifacts/prepare-bundle.ts';
import { planBundle } from '../plan/plan-bundle.ts';
import type { Plan } from '../plan/planned-action.ts';
import { aBundleFolder, type BundleFolder, jobYaml, NOTEBOOK, resolve } from '../testing/bundle-folder.ts';
import { aFakeWorkspace, type FakeWorkspace } from '../testing/fake-workspace.ts';
import { deployBundle } from './deploy-bundle.ts';
import { destroyBundle } from './destroy-bundle.ts';
import { readDeployment } from './read-deployment.ts';

const TWO_JOBS = `${jobYaml('schedule: {quartz_cron_expression: "0 0 2 * * ?", timezone_id: UTC}')}    after:
      name: after
      tasks:
        - task_key: start
          run_job_task: {job_id: "\${resources.jobs.second.id}"}
    second:
      name: second
      tasks:
        - task_key: only
          spark_python_task: {python_file: ./plain.py}
targets: {dev: {mode: development}}
`;
const FILES = { 'databricks.yml': TWO_JOBS, 'load.py': NOTEBOOK, 'plain.py': 'print(1)\n' };

async function plan(folder: BundleFolder, workspace: FakeWorkspace): Promise<Plan> {
  const { bundle, findings } = await resolve(folder);
  expect(findings.filter((finding) => finding.startsWith('error'))).toEqual([]);
  const deployed = await readDeployment(bundle, workspace.client);
  return planBundle(await prepareBundle(bundle, deployed.state, { python: 'python3' }), deployed);
}

const kinds = ({ actions }: Plan) => actions.map((action) => `${action.action} ${action.resource}`);

test('what is new is created, parents of references first', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();

  const first = await plan(folder, workspace);
  await deployBundle(first, workspace.client);

  expect(kinds(first)).toEqual(['create jobs.daily', 'create jobs.second', 'create jobs.after']);
  const byName = new Map([...workspace.jobs].map(([id, job]) => [job.name, { id, job }]));
  expect(byName.get('[dev jane_doe] after')?.job.tasks?.[0]?.run_job_task?.job_id).toBe(
    byName.get('[dev jane_doe] second')?.id,
  );
  const root = '/Workspace/Users/jane.doe@example.com/.bundle/shop/dev';
  expect([...workspace.files.keys()].sort()).toEqual([
    `${root}/files/databricks.yml`,
    `${root}/files/load`,
    `${root}/files/plain.py`,
    `${root}/state/deployment.json`,
  ]);
  expect(byName.get('[dev jane_doe] daily')?.job.deployment).toMatchObject({
    kind: 'BUNDLE',
    metadata_file_path: `${root}/state/deployment.json`,
  });
});

test('a second plan finds nothing, and its deployment asks for nothing', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await deployBundle(await plan(folder, workspace), workspace.client);
  workspace.calls.length = 0;

  const second = await plan(folder, workspace);
  await deployBundle(second, workspace.client);

  expect(second.hasChanges).toBe(false);
  expect(workspace.calls).toEqual([]);
});

test('a changed field is named, sent, and then no difference any more', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await deployBundle(await plan(folder, workspace), workspace.client);
  await folder.write({
    'databricks.yml': TWO_JOBS.replace('task_key: load', 'task_key: load\n          timeout_seconds: 60'),
  });

  const changed = await plan(folder, workspace);
  await deployBundle(changed, workspace.client);

  expect(changed.actions[0]).toMatchObject({
    action: 'update',
    differences: [{ path: 'tasks[load].timeout_seconds', before: undefined, after: 60 }],
  });
  expect((await plan(folder, workspace)).hasChanges).toBe(false);
});

test('what left the files leaves the workspace, files and jobs at once', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await deployBundle(await plan(folder, workspace), workspace.client);
  await folder.write({ 'databricks.yml': jobYaml() });
  await folder.remove('plain.py');
  await folder.write({ 'databricks.yml': `${jobYaml()}targets: {dev: {mode: development}}\n` });
  workspace.calls.length = 0;

  const less = await plan(folder, workspace);
  await deployBundle(less, workspace.client);

  expect(kinds(less)).toEqual(['update jobs.daily', 'delete jobs.after', 'delete jobs.second']);
  expect([...workspace.jobs.values()].map((job) => job.name)).toEqual(['[dev jane_doe] daily']);
  expect([...workspace.files.keys()].filter((file) => file.endsWith('plain.py'))).toEqual([]);
  // At once: who looks in between sees all of it, or nothing.
  expect(workspace.calls).toEqual(['bundlesLock', 'bundlesPutContents', 'bundlesCommit']);
});

test('a job that somebody deleted is created again, one that somebody changed is put right', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await deployBundle(await plan(folder, workspace), workspace.client);
  const [daily, second] = [...workspace.jobs.keys()];
  workspace.jobs.delete(second ?? 0);
  const job = workspace.jobs.get(daily ?? 0);
  if (job) job.timeout_seconds = 9;

  const repaired = await plan(folder, workspace);

  expect(kinds(repaired).slice(0, 2)).toEqual(['update jobs.daily', 'create jobs.second']);
});

test('a job that is created again gets another id, and the jobs that run it follow', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await deployBundle(await plan(folder, workspace), workspace.client);
  const [, second = 0, after = 0] = [...workspace.jobs.keys()];
  workspace.jobs.delete(second);

  const repaired = await plan(folder, workspace);
  await deployBundle(repaired, workspace.client);

  expect(repaired.actions.at(-1)).toMatchObject({
    action: 'update',
    resource: 'jobs.after',
    differences: [
      { path: 'tasks[start].run_job_task.job_id', before: second, after: '${resources.jobs.second.id}' },
    ],
  });
  expect(workspace.jobs.get(after)?.tasks?.[0]?.run_job_task?.job_id).toBe(
    Math.max(...workspace.jobs.keys()),
  );
  expect((await plan(folder, workspace)).hasChanges).toBe(false);
});

test('wherever a deployment breaks, the next one completes it and makes nothing twice', async () => {
  await using folder = await aBundleFolder(FILES);
  await fc.assert(
    fc.asyncProperty(fc.nat(2), fc.constantFrom('before' as const, 'after' as const), async (call, when) => {
      const workspace = aFakeWorkspace();
      workspace.breakAt(call, when);
      const broken = await deployBundle(await plan(folder, workspace), workspace.client).then(
        () => false,
        () => true,
      );

      workspace.breakAt(1_000, 'before');
      await deployBundle(await plan(folder, workspace), workspace.client);

      expect(broken).toBe(true);
      expect([...workspace.jobs.values()].map((job) => job.name).sort()).toEqual(
        ['after', 'daily', 'second'].map((name) => `[dev jane_doe] ${name}`),
      );
      expect((await plan(folder, workspace)).hasChanges).toBe(false);
    }),
    { numRuns: 20 },
  );
});

test('destroy takes everything away, also the second time', async () => {
  await using folder = await aBundleFolder(FILES);
  const workspace = aFakeWorkspace();
  await deployBundle(await plan(folder, workspace), workspace.client);
  const { bundle } = await resolve(folder);

  const destroyed = await destroyBundle(
    bundle,
    await readDeployment(bundle, workspace.client),
    workspace.client,
  );
  const again = await destroyBundle(bundle, await readDeployment(bundle, workspace.client), workspace.client);

  expect(destroyed.resources.map(({ resource }) => resource).sort()).toEqual([
    'jobs.after',
    'jobs.daily',
    'jobs.second',
  ]);
  expect(again.resources).toEqual([]);
  expect([...workspace.files.keys()]).toEqual([]);
  expect(workspace.jobs.size).toBe(0);
});

test('a state file of another version is named, not overwritten', async () => {
  await using folder = await aBundleFolder({ 'databricks.yml': jobYaml(), 'load.py': NOTEBOOK });
  const workspace = aFakeWorkspace();
  const { bundle } = await resolve(folder);
  workspace.files.set(`${bundle.workspace.statePath}/deployment.json`, Buffer.from('{"version": 99}'));

  await expect(readDeployment(bundle, workspace.client)).rejects.toThrow(
    /state\/deployment\.json:1:1: is not a deployment record this version understands/,
  );
});
