// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { expect, test } from 'vitest';
import { loadBundle } from '../load/load-bundle.ts';
import { aBundleFolder, FACTS, findingsOf, jobYaml, NOTEBOOK, resolve } from '../testing/bundle-folder.ts';
import type { LookupAnswer } from './lookups.ts';
import { collectLookups } from './resolve-bundle.ts';

const YAML = `${jobYaml('description: on ${var.cluster}')}variables:
  team: {default: blue}
  cluster: {lookup: {cluster: "shared-\${var.team}-\${bundle.target}"}}
  pool: {lookup: {instance_pool: p}}
targets: {dev: {variables: {pool: pool-1}}}
`;
const FILES = { 'databricks.yml': YAML, 'load.py': NOTEBOOK };

test('what must be looked up is what nothing stronger gives, by its resolved name', async () => {
  await using folder = await aBundleFolder(FILES);
  const loaded = await loadBundle(folder.folder);

  const asked = collectLookups(loaded, { facts: FACTS, vars: { team: 'red' } });
  const given = collectLookups(loaded, { facts: FACTS, vars: { cluster: '0101-1' } });

  expect(asked).toEqual([
    {
      variable: 'cluster',
      kind: 'cluster',
      name: 'shared-red-dev',
      at: { file: 'databricks.yml', line: 13, column: 31 },
    },
  ]);
  expect(given).toEqual([]);
});

test('the id that was found takes the place of the variable', async () => {
  await using folder = await aBundleFolder(FILES);

  const { bundle, findings } = await resolve(folder, {
    lookups: new Map([['cluster', { kind: 'found', id: '0101-1' }]]),
  });

  expect(findings).toEqual([]);
  expect(bundle.jobs[0]?.settings.description).toBe('on 0101-1');
});

test.each<[string, LookupAnswer | null, string]>([
  [
    'missing',
    { kind: 'missing' },
    "error: databricks.yml:13:31: variable 'cluster': there is no cluster named",
  ],
  [
    'ambiguous',
    { kind: 'ambiguous', ids: ['1', '2'] },
    "error: databricks.yml:13:31: variable 'cluster': 2 clusters are named 'shared-blue-dev': 1, 2",
  ],
  [
    'unsupported',
    { kind: 'unsupported' },
    "error: databricks.yml:13:31: variable 'cluster': this server has no",
  ],
  [
    'not made',
    null,
    "warning: databricks.yml:13:31: variable 'cluster': the cluster 'shared-blue-dev' was not",
  ],
])('a lookup that is %s is one finding, and the reference stays', async (_, answer, finding) => {
  await using folder = await aBundleFolder(FILES);

  const { bundle, findings } = await resolve(
    folder,
    answer === null ? {} : { lookups: new Map([['cluster', answer]]) },
  );

  expect(findings).toEqual([expect.stringContaining(finding)]);
  expect(bundle.jobs[0]?.settings.description).toBe('on ${var.cluster}');
});

test.each([
  ['lookup: {}', null],
  ['lookup: {cluster: a, job: b}', "variable 'x': a lookup names exactly one thing"],
  ['lookup: {clusters: a}', "variable 'x': 'clusters' is nothing that can be looked up"],
  ['lookup: {cluster: }', "variable 'x': lookup.cluster must be the name of a cluster"],
  ['lookup: {cluster: a}, default: b', "variable 'x' has a default, so its lookup is never made"],
])('%s is checked', async (lookup, message) => {
  const findings = await findingsOf({
    ...FILES,
    'databricks.yml': `${jobYaml()}variables: {x: {${lookup}}}\n`,
  });

  expect(findings).toEqual(
    message === null ? expect.anything() : [expect.stringMatching(/^error: databricks\.yml:11:/)],
  );
  if (message !== null) expect(findings[0]).toContain(message);
});

test('a job that was not looked up is no wrong id', async () => {
  const yaml = `bundle: {name: shop}
variables: {other: {lookup: {job: nightly}}}
resources: {jobs: {a: {tasks: [{task_key: t, run_job_task: {job_id: "\${var.other}"}}]}}}
`;

  const offline = await findingsOf({ 'databricks.yml': yaml });
  const online = await findingsOf(
    { 'databricks.yml': yaml },
    { lookups: new Map([['other', { kind: 'found', id: '7' }]]) },
  );

  expect(offline).toEqual([expect.stringMatching(/^warning: .*the job 'nightly' was not looked up/)]);
  expect(online).toEqual([]);
});
