// The examples of docs/bundles: every block marked `yaml bundle` is checked offline. It has no findings, or exactly
// those of the `text` block behind it.

import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadBundle } from '../src/load/load-bundle.ts';
import { readSources } from '../src/load/read-sources.ts';
import { showProblem } from '../src/problem.ts';
import { aBundleFolder, FACTS, NOTEBOOK } from '../src/testing/bundle-folder.ts';
import { checkBundle } from '../src/validate/validate-bundle.ts';

const docs = path.resolve(import.meta.dirname, '../../../docs/bundles');
/** What examples may refer to. */
const FILES = {
  'src/load.py': NOTEBOOK,
  'src/main.py': 'print(1)\n',
  'src/report.sql': 'select 1\n',
  'lib/pyproject.toml': '[project]\nname = "shop"\n',
  'resources/volumes.yml': 'resources: {}\n',
  'resources/jobs/more.yml': 'resources: {}\n',
};

interface Example {
  readonly place: string;
  readonly text: string;
  readonly findings: string;
}

function examplesOf(file: string): Example[] {
  const text = readFileSync(path.join(docs, file), 'utf8');
  return [...text.matchAll(/^```yaml bundle\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?/gms)].map((match) => ({
    place: `${file}:${text.slice(0, match.index).split('\n').length}`,
    text: match[1] ?? '',
    findings: match[2] ?? '',
  }));
}

const examples = globSync('**/*.md', { cwd: docs }).flatMap(examplesOf);

test('the pages have examples', () => {
  expect(examples.length).toBeGreaterThan(20);
});

test.each(examples)('the example at $place is what it says', async ({ text, findings }) => {
  await using folder = await aBundleFolder({ ...FILES, 'databricks.yml': text });

  const { problems } = checkBundle(await loadBundle(folder.folder), { facts: FACTS });

  const sources = await readSources(folder.folder, problems);
  expect(problems.map((problem) => `${showProblem(problem, sources)}\n`).join('')).toBe(findings);
});
