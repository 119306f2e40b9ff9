// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a shell's words
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { emptyState } from '../plan/deployment-state.ts';
import { aBundleFolder, type BundleFolder, resolve } from '../testing/bundle-folder.ts';
import { prepareBundle } from './prepare-bundle.ts';

const run = promisify(execFile);

async function prepare(folder: BundleFolder, target?: string) {
  const { bundle } = await resolve(folder, target === undefined ? {} : { target });
  const builds: string[] = [];
  const prepared = await prepareBundle(bundle, emptyState(bundle), {
    python: 'python3',
    environment: { PATH: process.env.PATH, SECRET_TOKEN: 'hidden' },
    onBuild: (name) => builds.push(name),
  });
  const files = prepared.artifacts.flatMap((artifact) => artifact.files);
  return { ...prepared, builds, files, names: files.map((file) => file.file_name) };
}

const JAR = `bundle: {name: shop}
artifacts:
  engine:
    type: jar
    path: engine
    build: |
      mkdir -p target
      cp Main.java target/engine-1.jar
resources:
  jobs:
    run:
      tasks:
        - task_key: run
          spark_jar_task: {main_class_name: Main}
          libraries: [{jar: ./engine/target/engine-1.jar}]
targets:
  dev: {default: true}
  prod:
    artifacts: {engine: {build: mkdir -p target && echo prod > target/engine-1.jar}}
`;

test('a jar is built by its command, and a library that names it means what was built', async () => {
  await using folder = await aBundleFolder({ 'databricks.yml': JAR, 'engine/Main.java': 'class Main {}' });

  const { names, libraries } = await prepare(folder);

  expect(names).toEqual(['engine-1.jar']);
  expect([...libraries].map(([text, [library]]) => [text, library?.remote_path])).toEqual([
    [
      './engine/target/engine-1.jar',
      expect.stringMatching(/\/artifacts\/[0-9a-f]{16}\/engine-1\.jar$/) as string,
    ],
  ]);
});

test('a target’s settings of an artifact come over those of the bundle', async () => {
  await using folder = await aBundleFolder({ 'databricks.yml': JAR, 'engine/Main.java': 'class Main {}' });

  const { files } = await prepare(folder, 'prod');

  expect(Buffer.from(files[0]?.bytes ?? []).toString()).toBe('prod\n');
});

test('what a build leaves is no reason to build again, a source that changes is', async () => {
  await using folder = await aBundleFolder({ 'databricks.yml': JAR, 'engine/Main.java': 'class Main {}' });

  const first = await prepare(folder);
  const second = await prepare(folder);
  await folder.write({ 'engine/Main.java': 'class Main { }' });
  const third = await prepare(folder);

  expect([first.builds, second.builds, third.builds]).toEqual([['engine'], [], ['engine']]);
  expect(second.files[0]?.bytes).toEqual(first.files[0]?.bytes);
});

test('the cache of builds is no part of the bundle', async () => {
  await using folder = await aBundleFolder({ 'databricks.yml': JAR, 'engine/Main.java': 'class Main {}' });
  await prepare(folder);

  const { bundle } = await prepare(folder);

  expect(bundle.files.map(({ local }) => local.path).filter((file) => file.startsWith('.'))).toEqual([]);
});

test('a build of several lines ends with the first that fails, and shows the last words', async () => {
  const broken = JAR.replace('mkdir -p target\n', "echo one; echo 'no such class' >&2; false\n");
  await using folder = await aBundleFolder({ 'databricks.yml': broken, 'engine/Main.java': '' });

  await expect(prepare(folder)).rejects.toThrow(
    /databricks\.yml:3:3: artifact engine: the build failed \(1\): [\s\S]*one\nno such class$/,
  );
});

test('a build runs in the shell that it names, and sees no token', async () => {
  const bash = JAR.replace('type: jar', 'type: jar\n    executable: bash').replace(
    'cp Main.java target/engine-1.jar',
    'words=(a b); echo "${words[1]} [$SECRET_TOKEN]" > target/engine-1.jar',
  );
  await using folder = await aBundleFolder({ 'databricks.yml': bash, 'engine/Main.java': '' });

  const { files } = await prepare(folder);

  expect(Buffer.from(files[0]?.bytes ?? []).toString()).toBe('b []\n');
});

test('files that are there already are taken by their patterns, and are always looked at', async () => {
  const yaml = `bundle: {name: shop}\nartifacts: {model: {type: other, files: [{source: models/*.bin}]}}\n`;
  await using folder = await aBundleFolder({
    'databricks.yml': yaml,
    'models/a.bin': 'a',
    'models/b.bin': 'b',
  });
  const first = await prepare(folder);
  await folder.write({ 'models/b.bin': 'c' });
  const second = await prepare(folder);

  expect(first.names).toEqual(['a.bin', 'b.bin']);
  expect(first.builds).toEqual([]);
  expect(second.files[0]?.remote_path).toBe(first.files[0]?.remote_path);
  expect(second.files[1]?.remote_path).not.toBe(first.files[1]?.remote_path);
});

test.each([
  ['{type: other, build: "true"}', /artifact x: it names no files; write which/],
  [
    '{type: other, build: "true", files: [{source: out/*.bin}]}',
    /artifact x: the build left no file that matches out/,
  ],
  ['{type: jar}', /artifact x: no file matches target\/\*\.jar, .*; build it first/],
])('an artifact without files is refused: %s', async (settings, message) => {
  await using folder = await aBundleFolder({
    'databricks.yml': `bundle: {name: shop}\nartifacts:\n  x: ${settings}\n`,
  });

  await expect(prepare(folder)).rejects.toThrow(message);
});

/** A wheel by the standard, made without any build tool. */
const MAKE_WHEEL = `
import zipfile, os
os.makedirs("dist", exist_ok=True)
with zipfile.ZipFile("dist/shop-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("shop/__init__.py", open("shop.py").read())
    wheel.writestr("shop-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: shop\\nVersion: 1.0\\n\\nVersion: of the text\\n")
    wheel.writestr("shop-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr("shop-1.0.dist-info/RECORD", "shop/__init__.py,,\\nshop-1.0.dist-info/METADATA,,\\nshop-1.0.dist-info/RECORD,,\\n")
`;

test('a dynamic version names the source, in a wheel that pip takes and checks', async () => {
  const yaml = `bundle: {name: shop}
artifacts: {wheel: {type: whl, build: python3 make.py, dynamic_version: true}}
resources:
  jobs:
    run:
      tasks:
        - {task_key: a, python_wheel_task: {package_name: shop, entry_point: a}, libraries: [{whl: ./dist/shop-1.0-py3-none-any.whl}]}
`;
  await using folder = await aBundleFolder({
    'databricks.yml': yaml,
    'make.py': MAKE_WHEEL,
    'shop.py': 'A = 1\n',
  });

  const first = await prepare(folder);
  await folder.write({ 'shop.py': 'A = 2\n' });
  const second = await prepare(folder);

  const version = /^shop-1\.0\+b[0-9a-f]{12}-py3-none-any\.whl$/;
  expect(first.names[0]).toMatch(version);
  expect(second.names[0]).toMatch(version);
  expect(second.names[0]).not.toBe(first.names[0]);
  expect([...second.libraries.values()].flat().map((library) => library.file_name)).toEqual(second.names);
  const wheel = path.join(folder.folder, second.names[0] ?? '');
  await writeFile(wheel, second.files[0]?.bytes ?? '');
  const parts = ['-m', 'pip', 'install', '--no-index', '--no-deps', '--no-compile', '--quiet', '--target'];
  const installed = path.join(folder.folder, 'installed');
  await run('python3', [...parts, installed, wheel]);
  const { stdout } = await run(
    'python3',
    ['-c', 'import shop, importlib.metadata as m; print(shop.A, m.version("shop"))'],
    {
      env: { PYTHONPATH: installed, PATH: process.env.PATH },
    },
  );
  expect(stdout.trim()).toBe(`2 ${second.names[0]?.split('-')[1]}`);
});
