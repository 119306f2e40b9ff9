import { expect, test } from 'vitest';
import { formatProblem } from '../problem.ts';
import { aBundleFolder, findingsOf, jobYaml, NOTEBOOK, resolve } from '../testing/bundle-folder.ts';
import { listFiles } from './list-files.ts';
import { loadBundle } from './load-bundle.ts';

const GOOD = { 'databricks.yml': jobYaml(), 'load.py': NOTEBOOK };

test('a bundle without mistakes has no findings', async () => {
  expect(await findingsOf(GOOD)).toEqual([]);
});

test('a folder without databricks.yml says so', async () => {
  expect((await findingsOf({ 'x.txt': '' }))[0]).toMatch(
    /^error: databricks\.yml:1:1: there is no databricks\.yml in /,
  );
});

test.each([
  [
    'a duplicate key',
    'bundle:\n  name: a\n  name: b\n',
    "error: databricks.yml:3:3: the key 'name' is given twice in the same mapping: it is at line 2 too; keep one",
  ],
  ['a tab', 'bundle:\n\tname: a\n', /^error: databricks\.yml:2:1: /],
  ['an unclosed bracket', 'bundle: {name: a\n', /^error: databricks\.yml:\d+:\d+: /],
  ['an unknown anchor', 'bundle: {name: a}\nresources: *nowhere\n', /^error: databricks\.yml:2:12: /],
  [
    'a list at the top',
    '- a\n',
    'error: databricks.yml:1:1: expected a mapping at the top of the file; write sections, such as bundle: {name: …}',
  ],
])('%s is placed', async (_, yaml, expected) => {
  const [first] = await findingsOf({ 'databricks.yml': yaml });

  if (typeof expected === 'string') expect(first).toBe(expected);
  else expect(first).toMatch(expected);
});

test('a file that is not UTF-8 is refused by name', async () => {
  expect(await findingsOf({ 'databricks.yml': Buffer.from([0x62, 0xff, 0xfe]) })).toEqual([
    'error: databricks.yml:1:1: is not UTF-8 text; save it as UTF-8',
  ]);
});

test('aliases that explode are stopped', async () => {
  const levels = Array.from(
    { length: 9 },
    (_, level) => `a${level + 1}: &a${level + 1} [${Array(9).fill(`*a${level}`).join(', ')}]`,
  );

  const findings = await findingsOf({
    'databricks.yml': ['a0: &a0 [x]', ...levels, 'bundle: {name: a}'].join('\n'),
  });

  expect(findings.join()).toContain('once its aliases are expanded');
});

test('nesting that would end the stack is stopped', async () => {
  const findings = await findingsOf({ 'databricks.yml': `bundle: ${'['.repeat(1000)}${']'.repeat(1000)}\n` });

  expect(findings).toEqual([
    expect.stringMatching(
      /^error: databricks\.yml:1:2\d\d: is nested deeper than 200 levels; write it with less nesting$/,
    ),
  ]);
});

test('anchors and merge keys give what they name, and own keys win', async () => {
  const yaml = `bundle: {name: shop}
x: &cluster {spark_version: 15.4.x, num_workers: 1}
resources:
  jobs:
    daily:
      tasks:
        - task_key: load
          notebook_task: {notebook_path: ./load.py}
          new_cluster:
            <<: *cluster
            num_workers: 4
`;
  await using folder = await aBundleFolder({ 'databricks.yml': yaml, 'load.py': NOTEBOOK });

  const { bundle } = await resolve(folder);

  expect(bundle.jobs[0]?.settings).toMatchObject({
    tasks: [{ new_cluster: { spark_version: '15.4.x', num_workers: 4 } }],
  });
});

test('included files join the main one, and each keeps its own place', async () => {
  const findings = await findingsOf({
    'databricks.yml': 'bundle: {name: shop}\ninclude: [jobs/*.yml]\n',
    'jobs/a.yml':
      'resources:\n  jobs:\n    a:\n      tasks:\n        - task_key: load\n          notebook_task: {notebook_path: ./gone.py}\n',
  });

  expect(findings).toEqual([
    "error: jobs/a.yml:6:42: notebook './gone.py' does not exist (looked for jobs/gone.py and gone.py); check the path, and that .gitignore does not name it",
  ]);
});

test('a value given by two files is refused', async () => {
  const findings = await findingsOf({
    'databricks.yml': `include: [b.yml]\n${jobYaml()}`,
    'b.yml': 'resources: {jobs: {daily: {name: other}}}\n',
    'load.py': NOTEBOOK,
  });

  expect(findings).toEqual(["error: b.yml:1:28: 'name' is already given at databricks.yml:7:7; keep one"]);
});

test.each([
  [
    'include: [gone.yml]',
    "error: databricks.yml:1:11: included file 'gone.yml' does not exist; correct the name, or take it out",
  ],
  [
    'include: [none/*.yml]',
    "warning: databricks.yml:1:11: include 'none/*.yml' matches no file; correct it, or take it out",
  ],
  [
    'include: [../x.yml]',
    "error: databricks.yml:1:11: include '../x.yml' leaves the bundle folder; move the files below it",
  ],
])('%s is a finding', async (line, finding) => {
  expect(await findingsOf({ ...GOOD, 'databricks.yml': `${line}\n${jobYaml()}` })).toEqual([finding]);
});

test('files that .gitignore names are not sent, and sync.include brings them back', async () => {
  await using folder = await aBundleFolder({
    ...GOOD,
    'databricks.yml': `${jobYaml()}sync: {include: [out/keep.txt], exclude: [docs]}\n`,
    '.gitignore': 'out/\n*.log\n',
    'out/keep.txt': '',
    'out/drop.txt': '',
    'run.log': '',
    'docs/a.md': '',
    'sub/.gitignore': '!important.log\n',
    'sub/important.log': '',
  });

  const { bundle } = await resolve(folder);

  expect(bundle.files.map(({ local }) => local.path)).toEqual([
    '.gitignore',
    'databricks.yml',
    'load.py',
    'out/keep.txt',
    'sub/.gitignore',
    'sub/important.log',
  ]);
});

test('more files than may be sent are refused, naming one of them and the cure', async () => {
  await using folder = await aBundleFolder({ ...GOOD, 'venv/1': '', 'venv/2': '' });

  const { problems } = await listFiles(folder.folder, {
    folders: [folder.folder],
    gitRoot: null,
    includes: [],
    filesMax: 3,
  });

  expect(problems.map(formatProblem)).toEqual([
    'error: databricks.yml:1:1: more than 3 files below the bundle folder (the last one seen: venv/2); name what is not to be sent in .gitignore',
  ]);
});

test('configuration larger than 10 MB is refused', async () => {
  const findings = await findingsOf({
    ...GOOD,
    'databricks.yml': `${jobYaml()}# ${'x'.repeat(10 * 1024 * 1024)}\n`,
  });

  expect(findings).toEqual([
    'error: databricks.yml:1:1: the configuration files are larger than 10 MB together; move data out of them',
  ]);
});

test('a pattern of includes means no files of packages and environments', async () => {
  await using folder = await aBundleFolder({
    ...GOOD,
    'databricks.yml': `include: ["**/*.yml"]\n${jobYaml()}`,
    'a/b.yml': 'presets: {}\n',
    'node_modules/x/c.yml': '- 1\n',
    '.venv/d.yml': '- 1\n',
  });

  const { configFiles, problems } = await loadBundle(folder.folder);

  expect(problems).toEqual([]);
  expect(configFiles).toEqual(['databricks.yml', 'a/b.yml']);
});
