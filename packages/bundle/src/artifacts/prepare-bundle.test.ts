import { chmod } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { emptyState } from '../plan/deployment-state.ts';
import { aBundleFolder, type BundleFolder, resolve } from '../testing/bundle-folder.ts';
import { aPlannedWorld, type PlannedWorld } from '../testing/planned-world.ts';
import { prepareBundle } from './prepare-bundle.ts';

const ARTIFACTS = `bundle: {name: shop}
artifacts:
  wheel: {type: whl}
resources:
  jobs:
    daily:
      tasks:
        - task_key: load
          python_wheel_task: {package_name: my-shop, entry_point: load}
`;

/** Stands in for `python -m pip wheel`: the wheel is the source, and each build leaves a line. */
const PYTHON = `#!/bin/sh
for last; do :; done
test -f broken && { echo 'no such module'; exit 3; }
mkdir -p "$last" && cat shop.py > "$last/my_shop-1.0-py3-none-any.whl" && echo built >> "$(dirname "$0")/builds.log"
`;

async function aWheelFolder(files: Record<string, string> = {}): Promise<BundleFolder> {
  const folder = await aBundleFolder({
    'databricks.yml': ARTIFACTS,
    'shop.py': 'VERSION = 1\n',
    '.gitignore': 'bin/\ndist/\n',
    'bin/python': PYTHON,
    ...files,
  });
  await chmod(`${folder.folder}/bin/python`, 0o755);
  return folder;
}

async function deploy(folder: BundleFolder, world: PlannedWorld) {
  const built: string[] = [];
  const plan = await world.planFolder(folder, {
    python: `${folder.folder}/bin/python`,
    onBuild: (name) => built.push(name),
  });
  world.apply(plan);
  const jobs = [...world.remotes.values()] as { tasks?: Record<string, unknown>[] }[];
  return { built, plan, tasks: jobs.flatMap((job) => job.tasks ?? []) };
}

const wheelsOf = ({ state }: PlannedWorld) => state?.uploads.filter((file) => file.endsWith('.whl')) ?? [];

test('a wheel task without libraries gets the wheel of its package, below a folder named by its content', async () => {
  await using folder = await aWheelFolder();
  const world = aPlannedWorld();

  const { tasks } = await deploy(folder, world);

  const [path] = wheelsOf(world);
  expect(path).toMatch(/\/artifacts\/[0-9a-f]{16}\/my_shop-1\.0-py3-none-any\.whl$/);
  expect(tasks.map(({ libraries }) => libraries)).toEqual([[{ whl: path }]]);
});

const FOR_EACH = ARTIFACTS.replace(
  /- task_key: load[\s\S]*/,
  `- task_key: each
          for_each_task:
            inputs: [1]
            task:
              task_key: load
              python_wheel_task: {package_name: my-shop, entry_point: load}
`,
);

test('the task of a for-each gets wheels as any other task does', async () => {
  await using plain = await aWheelFolder({ 'databricks.yml': FOR_EACH });
  await using named = await aWheelFolder({
    'databricks.yml': `${FOR_EACH}              libraries: [{whl: ./dist/*.whl}]\n`,
  });
  for (const folder of [plain, named]) {
    const world = aPlannedWorld();

    const { tasks } = await deploy(folder, world);

    const [path] = wheelsOf(world);
    expect(path).toBeDefined();
    expect(tasks).toMatchObject([{ for_each_task: { task: { libraries: [{ whl: path }] } } }]);
  }
});

test('an unchanged source is neither built nor uploaded again, a changed one is, and the old wheel goes', async () => {
  await using folder = await aWheelFolder();
  const world = aPlannedWorld();
  await deploy(folder, world);

  const again = await deploy(folder, world);
  await folder.write({ 'shop.py': 'VERSION = 2\n' });
  const changed = await deploy(folder, world);

  expect(again).toMatchObject({ built: [], plan: { hasChanges: false } });
  expect(changed.built).toEqual(['wheel']);
  expect(changed.plan.actions).toMatchObject([
    { action: 'update', differences: [{ path: 'tasks[load].libraries[0].whl' }] },
  ]);
  expect(changed.plan.remove).toEqual(again.plan.state.uploads);
  expect(wheelsOf(world)).toHaveLength(1);
});

test('changing the bundle file or a notebook builds nothing', async () => {
  await using folder = await aWheelFolder();
  const world = aPlannedWorld();
  await deploy(folder, world);
  await folder.write({
    'databricks.yml': ARTIFACTS.replace('daily:', 'daily:\n      timeout_seconds: 9'),
    'n.py': '# Databricks notebook source\n',
  });

  expect((await deploy(folder, world)).built).toEqual([]);
});

test('a build command leaves its wheel in dist, which libraries name', async () => {
  const explicit = ARTIFACTS.replace(
    '{type: whl}',
    '{type: whl, build: mkdir -p dist && cp shop.py dist/my_shop-2.0-py3-none-any.whl}',
  ).replace(
    'entry_point: load}',
    'entry_point: load}\n          libraries:\n            - whl: ./dist/*.whl',
  );
  await using folder = await aWheelFolder({ 'databricks.yml': explicit });
  const world = aPlannedWorld();

  const { tasks } = await deploy(folder, world);

  const whl = expect.stringMatching(/my_shop-2\.0-py3-none-any\.whl$/) as string;
  expect(tasks).toMatchObject([{ libraries: [{ whl }] }]);
  expect((await deploy(folder, world)).plan.hasChanges).toBe(false);
});

test('a build that fails shows its last words at the artifact', async () => {
  await using folder = await aWheelFolder({ broken: '' });
  const { bundle } = await resolve(folder);

  await expect(
    prepareBundle(bundle, emptyState(bundle), { python: `${folder.folder}/bin/python` }),
  ).rejects.toThrow(
    /^error: databricks\.yml:3:3: artifact wheel: the build failed \(3\): .*\nno such module$/,
  );
});

test('a wheel task of an unknown package is refused before anything is sent', async () => {
  await using folder = await aWheelFolder({ 'databricks.yml': ARTIFACTS.replace('my-shop', 'other') });
  const { bundle } = await resolve(folder);

  await expect(
    prepareBundle(bundle, emptyState(bundle), { python: `${folder.folder}/bin/python` }),
  ).rejects.toThrow(
    "error: databricks.yml:9:45: no artifact builds package 'other' and the task names no libraries; artifacts build: my_shop",
  );
});

test('the task of a for-each that names an unknown package is refused too', async () => {
  await using folder = await aWheelFolder({ 'databricks.yml': FOR_EACH.replace('my-shop', 'other') });
  const { bundle } = await resolve(folder);

  await expect(
    prepareBundle(bundle, emptyState(bundle), { python: `${folder.folder}/bin/python` }),
  ).rejects.toThrow(/databricks\.yml:13:\d+: no artifact builds package 'other'/);
});

test('libraries that match nothing are refused', async () => {
  const yaml = ARTIFACTS.replace('artifacts:\n  wheel: {type: whl}\n', '').replace(
    'entry_point: load}',
    'entry_point: load}\n          libraries: [{whl: ./wheels/*.whl}]',
  );
  await using folder = await aWheelFolder({ 'databricks.yml': yaml });
  const { bundle } = await resolve(folder);

  await expect(prepareBundle(bundle, emptyState(bundle), { python: 'python3' })).rejects.toThrow(
    "no file matches 'wheels/*.whl'; build it first, or declare it under artifacts",
  );
});
