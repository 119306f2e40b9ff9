// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
// Bundles that are broken in one way each, and exactly what is said of them: `<name>.txt` beside the folder `<name>`.
// `vitest -u` writes the texts anew; read what changed.

import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadBundle } from '../src/load/load-bundle.ts';
import { formatProblem, type Problem } from '../src/problem.ts';
import { aBundleFolder, FACTS } from '../src/testing/bundle-folder.ts';
import { checkBundle } from '../src/validate/validate-bundle.ts';

const corpus = path.join(import.meta.dirname, 'broken');
const names = readdirSync(corpus, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** A first line such as `# validate -t qa --var a=b --branch topic` says how the bundle is asked for. */
function optionsOf(folder: string): ReadonlyMap<string, string> {
  const main = readFileSync(path.join(folder, 'databricks.yml'), 'utf8');
  const words = /^# validate (.*)$/m.exec(main)?.[1]?.split(' ') ?? [];
  return new Map(
    words.flatMap((word, index) => (word.startsWith('-') ? [[word, words[index + 1] ?? '']] : [])),
  );
}

async function check(
  folder: string,
  options: ReadonlyMap<string, string> = new Map(),
): Promise<readonly Problem[]> {
  const [name, value] = options.get('--var')?.split('=') ?? [];
  const branch = options.get('--branch') ?? 'main';
  const { problems } = checkBundle(await loadBundle(folder), {
    facts: FACTS,
    target: options.get('-t'),
    vars: name === undefined ? {} : { [name]: value ?? '' },
    git: { branch, commit: null, originUrl: null },
  });
  return problems;
}

/** Severity, place and message on a line, the cure below it. */
function describe(problems: readonly Problem[], folder: string): string {
  const lines = problems.flatMap(({ cure, ...finding }) => [
    formatProblem(finding),
    `    cure: ${cure ?? 'none'}`,
  ]);
  return `${lines.join('\n')}\n`.replaceAll(folder, '<folder>');
}

test('there is a bundle for every rule', () => {
  expect(names.length).toBeGreaterThanOrEqual(60);
});

test.each(names)('%s', async (name) => {
  const folder = path.join(corpus, name);
  const problems = await check(folder, name === 'no-main-file' ? new Map() : optionsOf(folder));

  expect(problems).not.toEqual([]);
  for (const problem of problems) expect(problem).toMatchObject({ cure: expect.stringMatching(/^[^\n]+$/) });
  await expect(describe(problems, folder)).toMatchFileSnapshot(path.join(corpus, `${name}.txt`));
});

const JOB = `resources: {jobs: {daily: {tasks: [{task_key: load, notebook_task: {notebook_path: /Workspace/load}}]}}}
`;

/** The findings of files that are made here, with the cure behind the last semicolon. */
async function findingsOf(files: Readonly<Record<string, string>>): Promise<string[]> {
  await using folder = await aBundleFolder(files);
  return (await check(folder.folder)).map(formatProblem);
}

test.each([
  ['brackets', `bundle: ${'['.repeat(1_000)}${']'.repeat(1_000)}\n`],
  ['indentation', Array.from({ length: 1_000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
  ['dashes', `bundle: \n  ${'- '.repeat(1_000)}x\n`],
])('a thousand levels of %s are refused', async (_, text) => {
  expect(await findingsOf({ 'databricks.yml': text })).toEqual([
    expect.stringMatching(
      /^error: databricks\.yml:\d+:\d+: is nested deeper than 200 levels; write it with less/,
    ),
  ]);
});

test('a chain of a thousand variables ends in a finding', async () => {
  const variables = Array.from({ length: 1_000 }, (_, n) => `  v${n}: {default: "\${var.v${n + 1}}"}\n`).join(
    '',
  );

  const findings = await findingsOf({
    'databricks.yml': `bundle: {name: "\${var.v0}"}\nvariables:\n${variables}  v1000: {default: x}\n${JOB}`,
  });

  expect(findings.join('\n')).toMatch(/more than \d+ references lead from one to the next/);
});

test('symbolic links that lead in a circle or out of the folder are not followed', async () => {
  await using outside = await aBundleFolder({ 'secret.txt': 'x' });
  await using folder = await aBundleFolder({
    'databricks.yml': `bundle: {name: shop}\ninclude: ['**/*.yml']\n${JOB}`,
  });
  await mkdir(path.join(folder.folder, 'loop'));
  await symlink('..', path.join(folder.folder, 'loop', 'up'));
  await symlink('self', path.join(folder.folder, 'self'));
  await symlink(outside.folder, path.join(folder.folder, 'away'));

  const findings = (await check(folder.folder)).map(formatProblem);

  expect(
    findings.filter((finding) => finding.includes('symbolic link')).map((finding) => finding.split(':')[1]),
  ).toEqual([' away', ' loop/up', ' self']);
  expect(findings.filter((finding) => finding.startsWith('error'))).toEqual([]);
});
