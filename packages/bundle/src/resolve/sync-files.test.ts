// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { aBundleFolder, NOTEBOOK, resolve } from '../testing/bundle-folder.ts';
import type { ResolveInputs } from './resolve-bundle.ts';

type Files = Parameters<typeof aBundleFolder>[0];

/** The bundle is in the folder `shop` of the files. */
async function sentFrom(files: Files, inputs: Partial<ResolveInputs> = {}) {
  await using around = await aBundleFolder(files);
  const { bundle, findings } = await resolve({ folder: path.join(around.folder, 'shop') }, inputs);
  const prefix = `${bundle.workspace.filePath}/`;
  const sent = bundle.files.map(({ remotePath }) => remotePath.replace(prefix, ''));
  return { bundle, findings, sent };
}

const main = (rest: string) => ({ 'shop/databricks.yml': `bundle: {name: shop}\n${rest}` });

test('rules of .gitignore: nested files, negation, folders, the repository above', async () => {
  const { sent } = await sentFrom({
    ...main(''),
    '.git/HEAD': '',
    '.gitignore': '*.log\nsecret/\n',
    'shop/.gitignore': '/build\n*.csv\n!keep.csv\nfoo/*\n!foo/bar\n',
    'shop/build/x': '',
    'shop/src/build/x': '',
    'shop/a.csv': '',
    'shop/sub/keep.csv': '',
    'shop/sub/.gitignore': '!b.csv\n/only\n',
    'shop/sub/b.csv': '',
    'shop/sub/only': '',
    'shop/sub/deep/only': '',
    'shop/run.log': '',
    'shop/secret/x': '',
    'shop/foo/bar/x': '',
    'shop/foo/other': '',
  });

  expect(sent.filter((file) => !file.endsWith('.gitignore') && file !== 'databricks.yml')).toEqual([
    'foo/bar/x',
    'src/build/x',
    'sub/b.csv',
    'sub/deep/only',
    'sub/keep.csv',
  ]);
});

test('a bundle in a folder that its repository ignores is sent all the same', async () => {
  const { sent } = await sentFrom({
    ...main(''),
    '.git/HEAD': '',
    '.gitignore': 'shop/\n',
    'shop/a.txt': '',
  });

  expect(sent).toEqual(['a.txt', 'databricks.yml']);
});

const GENERATED = {
  'shop/.gitignore': 'out\n.env\n',
  'shop/out/dev/a.json': '',
  'shop/out/prod/a.json': '',
  'shop/sub/out/b.whl': '',
  'shop/.env': '',
};

test('sync.include brings ignored files back for the target that says so, exclude is stronger', async () => {
  const files = {
    ...main(`sync: {exclude: ["*.bak", "./docs", "!docs/x"]}
targets:
  dev: {default: true, sync: {include: ["out/\${bundle.target}/**", "*.whl"]}}
  prod: {}
`),
    ...GENERATED,
    'shop/docs/a.md': '',
    'shop/sub/docs/a.md': '',
    'shop/a.bak': '',
  };

  const dev = await sentFrom(files);
  const prod = await sentFrom(files, { target: 'prod' });

  expect(dev.sent).toEqual([
    '.gitignore',
    'databricks.yml',
    'out/dev/a.json',
    'sub/docs/a.md',
    'sub/out/b.whl',
  ]);
  expect(prod.sent).toEqual(['.gitignore', 'databricks.yml', 'sub/docs/a.md']);
});

test('sync.paths may lead to a folder beside the bundle, and the workspace keeps them side by side', async () => {
  const { bundle, sent, findings } = await sentFrom({
    ...main(`sync: {paths: [../common, .], exclude: ["../common/tests/**"]}
resources:
  jobs:
    daily:
      tasks:
        - {task_key: a, notebook_task: {notebook_path: ../common/etl.py}}
        - {task_key: b, notebook_task: {notebook_path: ./own.py}}
`),
    'common/etl.py': NOTEBOOK,
    'common/tests/x.py': '',
    'other/x.py': '',
    'shop/own.py': NOTEBOOK,
  });

  expect(findings).toEqual([]);
  expect(sent).toEqual(['common/etl', 'shop/databricks.yml', 'shop/own']);
  const { filePath } = bundle.workspace;
  expect(bundle.jobs[0]?.settings.tasks).toMatchObject([
    { notebook_task: { notebook_path: `${filePath}/common/etl` } },
    { notebook_task: { notebook_path: `${filePath}/shop/own` } },
  ]);
});

test('sync.paths of some folders leave the rest at home, and paths into it are findings', async () => {
  const { sent, findings } = await sentFrom({
    ...main(`sync: {paths: [src]}
resources: {jobs: {a: {tasks: [{task_key: a, spark_python_task: {python_file: ./tools/x.py}}]}}}
`),
    'shop/src/a.py': '',
    'shop/tools/x.py': '',
  });

  expect(sent).toEqual(['src/a.py']);
  expect(findings).toEqual([
    expect.stringContaining(
      "file './tools/x.py' is not sent to the workspace: sync.exclude or sync.paths leave it out",
    ),
  ]);
});

test.each([
  ['../..', 'leads out of the folder around the bundle'],
  ['/etc', 'must be relative to its file, written with /'],
  ['~/x', 'must be relative to its file, written with /'],
  ['..\\common', 'must be relative to its file, written with /'],
  ['../gone', 'does not exist'],
  ['../file.txt', 'is no folder'],
  ['../link', 'leads out of the folder around the bundle'],
  ['../${bundle.target}', 'holds a reference'],
])('sync.paths: %s %s', async (text, reason) => {
  await using around = await aBundleFolder({ ...main(`sync: {paths: ['${text}', .]}\n`), 'file.txt': '' });
  await symlink('/usr', path.join(around.folder, 'link'));

  const { findings } = await resolve({ folder: path.join(around.folder, 'shop') });

  expect(findings).toEqual([expect.stringContaining(reason)]);
  expect(findings[0]).toMatch(/^error: databricks\.yml:2:16: sync\.paths/);
});

test('symbolic links are named and not followed, also those that lead in circles', async () => {
  await using around = await aBundleFolder({ ...main('include: ["**/*.yml"]\n'), 'shop/a/x.txt': '' });
  await symlink('..', path.join(around.folder, 'shop/a/up'));
  await symlink('self', path.join(around.folder, 'shop/self'));

  const { bundle, findings } = await resolve({ folder: path.join(around.folder, 'shop') });

  expect(bundle.files.map(({ local }) => local.path)).toEqual(['a/x.txt', 'databricks.yml']);
  expect(
    findings.filter((finding) => finding.includes('is a symbolic link, which is not sent')),
  ).toHaveLength(2);
});

test('rules that cannot be read stop a deployment: what they name might be a secret', async () => {
  await using around = await aBundleFolder({ ...main(''), 'shop/sub/secret.txt': '' });
  await symlink('.gitignore', path.join(around.folder, 'shop/sub/.gitignore'));

  const { bundle, findings } = await resolve({ folder: path.join(around.folder, 'shop') });

  expect(findings).toEqual([expect.stringMatching(/^error: sub\/\.gitignore:1:1: cannot be read/)]);
  expect(bundle.files.map(({ local }) => local.path)).toEqual(['databricks.yml']);
});

test('an included symbolic link that leads out, to itself or to nothing is refused', async () => {
  await using around = await aBundleFolder({
    ...main('include: [out.yml, loop.yml, gone.yml, inside.yml]\n'),
    'secret.yml': 'x: 1\n',
    'shop/real/a.yml': 'presets: {}\n',
  });
  const shop = path.join(around.folder, 'shop');
  await symlink('../secret.yml', path.join(shop, 'out.yml'));
  await symlink('loop.yml', path.join(shop, 'loop.yml'));
  await symlink('nowhere.yml', path.join(shop, 'gone.yml'));
  await symlink('real/a.yml', path.join(shop, 'inside.yml'));
  await mkdir(path.join(shop, 'folder.yml'));

  const { findings } = await resolve({ folder: shop });

  expect(findings.filter((finding) => finding.startsWith('error'))).toEqual([
    expect.stringContaining('out.yml is reached through a symbolic link that leads out of the bundle folder'),
    expect.stringContaining('loop.yml is a symbolic link that leads to itself'),
    expect.stringContaining('gone.yml is a symbolic link to nothing'),
  ]);
});

test('notebooks that would take each other’s place are refused', async () => {
  const { findings } = await sentFrom({
    ...main(''),
    'shop/a.py': NOTEBOOK,
    'shop/a.sql': '-- Databricks notebook source\nselect 1\n',
  });

  expect(findings).toEqual([expect.stringMatching(/^error: a\.sql:1:1: .* as a\.py/)]);
});
