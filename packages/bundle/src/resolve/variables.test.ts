// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { expect, test } from 'vitest';
import { aBundleFolder, jobYaml, NOTEBOOK, resolve } from '../testing/bundle-folder.ts';
import type { ResolveInputs } from './resolve-bundle.ts';

async function clusterOf(
  rest: string,
  inputs: Partial<ResolveInputs> = {},
  files: Record<string, string> = {},
) {
  const yaml = `${jobYaml('job_clusters: [{job_cluster_key: main, new_cluster: "${var.cluster}"}]')}${rest}`;
  await using folder = await aBundleFolder({ 'databricks.yml': yaml, 'load.py': NOTEBOOK, ...files });
  const { bundle, findings } = await resolve(folder, inputs);
  const [first] = (bundle.jobs[0]?.settings.job_clusters ?? []) as { new_cluster?: unknown }[];
  return { cluster: first?.new_cluster, findings };
}

const COMPLEX = 'variables: {cluster: {type: complex, default: {spark_version: x, num_workers: 1}}}\n';

test.each<[string, Partial<ResolveInputs>]>([
  ['--var', { vars: { cluster: '{"spark_version": "y", "num_workers": 3}' } }],
  ['the environment', { environment: { BUNDLE_VAR_cluster: '{"spark_version": "y", "num_workers": 3}' } }],
])('a complex variable takes JSON from %s', async (_, inputs) => {
  const { cluster, findings } = await clusterOf(COMPLEX, inputs);

  expect(findings).toEqual([]);
  expect(cluster).toEqual({ spark_version: 'y', num_workers: 3 });
});

test.each([
  ['{spark_version', 'error: --var cluster:1:1: the value of a complex variable is not JSON'],
  [
    `${'['.repeat(200)}${']'.repeat(200)}`,
    'error: --var cluster:1:1: the value is nested deeper than 100 levels',
  ],
])('--var cluster=%s is refused', async (text, finding) => {
  const { findings } = await clusterOf(COMPLEX, { vars: { cluster: text } });

  expect(findings.join('\n')).toContain(finding);
});

test('a target replaces the value of a complex variable, also one that looks like a declaration', async () => {
  const target =
    'targets: {dev: {variables: {cluster: {description: small, default: {spark_version: z, num_workers: 9}}}}}\n';

  expect((await clusterOf(COMPLEX + target)).cluster).toEqual({ spark_version: 'z', num_workers: 9 });
});

test('a mapping as the value of a variable that is not complex is a warning', async () => {
  const { findings } = await clusterOf(COMPLEX.replace('type: complex, ', ''));

  expect(findings).toEqual([
    expect.stringMatching(/^warning: databricks\.yml:11:\d+: variable 'cluster' has a mapping/),
  ]);
});

test('overrides of a target count for it alone, and one that is broken stops only it', async () => {
  const files = {
    '.databricks/bundle/dev/variable-overrides.json':
      '{"cluster": {"spark_version": "file", "num_workers": 2}}',
    '.databricks/bundle/prod/variable-overrides.json': '{"cluster": {',
  };
  const targets = `${COMPLEX}targets: {dev: {default: true}, prod: {}, test: {}}\n`;

  const dev = await clusterOf(targets, {}, files);
  const test = await clusterOf(targets, { target: 'test' }, files);

  expect(dev).toMatchObject({ cluster: { spark_version: 'file', num_workers: 2 }, findings: [] });
  expect(test).toMatchObject({ cluster: { spark_version: 'x', num_workers: 1 }, findings: [] });
  await expect(clusterOf(targets, { target: 'prod' }, files)).rejects.toThrow(
    /error: \.databricks\/bundle\/prod\/variable-overrides\.json:1:/,
  );
});

test('a default without a value is none', async () => {
  const { findings } = await clusterOf('variables: {cluster: {type: complex, default: }}\n');

  expect(findings).toContainEqual(
    expect.stringContaining("variable 'cluster' has neither a default nor a value"),
  );
});
