import type { NewCluster } from '@headrace/api';
import { describe, expect, test } from 'vitest';
import { applyPolicy, type PolicyFacts } from './apply-policy.ts';
import { parseDefinition } from './parse-definition.ts';

const facts: PolicyFacts = { clusterType: 'all-purpose', appliesDefaults: false, poolNodeTypeId: null };

function apply(definition: object, spec: NewCluster, over: Partial<PolicyFacts> = {}) {
  const rules = parseDefinition(JSON.stringify(definition));
  return applyPolicy({ policyId: 'P1', name: 'small', rules }, spec, { ...facts, ...over });
}

describe('one rule', () => {
  test.each([
    ['fixed', { type: 'fixed', value: 'a' }, 'b', 'must be "a"'],
    ['forbidden', { type: 'forbidden' }, 'b', 'must not be set'],
    ['allowlist', { type: 'allowlist', values: ['a', 'c'] }, 'b', 'must be one of "a", "c"'],
    ['blocklist', { type: 'blocklist', values: ['b'] }, 'b', 'must not be any of "b"'],
    ['regex', { type: 'regex', pattern: 'a|ab' }, 'abb', 'must match the pattern a|ab'],
  ])('of type %s names attribute, rule and policy', (type, rule, value, wanted) => {
    const { problems } = apply(
      { node_type_id: rule, driver_node_type_id: { type: 'unlimited' } },
      { node_type_id: value },
    );

    expect(problems).toEqual([
      `node_type_id: the value ${wanted}, got "${value}" (rule ${type} of policy 'small', P1)`,
    ]);
  });

  test('of type range counts its ends in, and reads numbers in texts', () => {
    const range = { 'spark_conf.spark.sql.shuffle.partitions': { type: 'range', minValue: 2, maxValue: 4 } };
    const withPartitions = (value: string) =>
      apply(range, { spark_conf: { 'spark.sql.shuffle.partitions': value } });

    expect(['1', '2', '4', '5', 'many'].map((value) => withPartitions(value).problems.length)).toEqual([
      1, 0, 0, 1, 1,
    ]);
  });

  test('that goes back and forth over a value ends soon and refuses', () => {
    const { problems } = apply(
      { cluster_name: { type: 'regex', pattern: '(a+)+' } },
      { cluster_name: `${'a'.repeat(50)}!` },
    );

    expect(problems[0]).toContain('needs more than 100 ms');
  });

  test('does not show values of environment variables', () => {
    const { problems } = apply(
      { 'spark_env_vars.KEY': { type: 'fixed', value: 'x' } },
      { spark_env_vars: { KEY: 'hunter2' } },
    );

    expect(problems[0]).not.toContain('hunter2');
  });
});

test('fixed values go in always, defaults when they are asked for', () => {
  const definition = {
    'custom_tags.cost-center': { type: 'fixed', value: 7 },
    node_type_id: { type: 'allowlist', values: ['i3.large'], defaultValue: 'i3.large' },
    'init_scripts.0.workspace.destination': { type: 'fixed', value: '/Shared/a.sh' },
    spark_version: { type: 'unlimited', defaultValue: 'auto:latest-lts' },
  };

  const without = apply(definition, {});
  const withDefaults = apply(definition, {}, { appliesDefaults: true });

  const fixed = {
    custom_tags: { 'cost-center': '7' },
    init_scripts: [{ workspace: { destination: '/Shared/a.sh' } }],
  };
  expect(without.spec).toEqual(fixed);
  expect(without.problems).toEqual([
    "node_type_id: a value is required (rule allowlist of policy 'small', P1)",
    "spark_version: a value is required (rule unlimited of policy 'small', P1)",
  ]);
  expect(withDefaults.problems).toEqual([]);
  expect(withDefaults.spec).toEqual({
    ...fixed,
    node_type_id: 'i3.large',
    spark_version: '17.3.x-scala2.13',
  });
});

test('an optional rule counts for values that are there', () => {
  const rule = { node_type_id: { type: 'allowlist', values: ['i3.large'], isOptional: true } };

  expect(apply(rule, {}).problems).toEqual([]);
  expect(apply(rule, { node_type_id: 'm5.large' }).problems).toHaveLength(1);
});

test('the rule that says more of the path counts, a wildcard for the rest', () => {
  const definition = {
    'spark_conf.spark.sql.ansi.enabled': { type: 'unlimited', isOptional: true },
    'spark_conf.spark.sql.*': { type: 'fixed', value: '1' },
    'spark_conf.*': { type: 'forbidden' },
    'init_scripts.*.s3.destination': { type: 'forbidden' },
    'aws_attributes.*': { type: 'forbidden' },
    ssh_public_keys: { type: 'forbidden' },
  };

  const { problems } = apply(definition, {
    spark_conf: { 'spark.sql.ansi.enabled': 'x', 'spark.sql.other': '2', 'spark.master': 'local' },
    init_scripts: [{ workspace: { destination: '/a' } }, { s3: { destination: 's3://b' } }],
    aws_attributes: { zone_id: 'auto' },
    ssh_public_keys: ['a'],
  });

  expect(problems.map((problem) => problem.split(':')[0])).toEqual([
    'spark_conf.spark.sql.other',
    'spark_conf.spark.master',
    'init_scripts.1.s3.destination',
    'aws_attributes.zone_id',
    'ssh_public_keys.0',
  ]);
});

test.each<[string, NewCluster, Partial<PolicyFacts>, string[]]>([
  ['workers within it', { num_workers: 4 }, {}, []],
  ['too many workers', { num_workers: 10 }, {}, ['num_workers']],
  ['autoscale within it', { autoscale: { min_workers: 1, max_workers: 4 } }, {}, []],
  ['autoscale beyond it', { autoscale: { max_workers: 5 } }, {}, ['autoscale.max_workers']],
  ['no size at all', {}, {}, ['autoscale.max_workers', 'num_workers']],
  ['another time to end', { num_workers: 1, autotermination_minutes: 20 }, {}, ['autotermination_minutes']],
  ['a job without a time to end', { num_workers: 1 }, { clusterType: 'job' }, []],
])('a policy for both ways to say a size meets %s', (_what, spec, over, broken) => {
  const definition = {
    'autoscale.max_workers': { type: 'range', maxValue: 4 },
    num_workers: { type: 'range', maxValue: 4 },
    autotermination_minutes: { type: 'fixed', value: 10, hidden: true },
  };

  const { problems, spec: made } = apply(definition, spec, over);

  expect(problems.map((problem) => problem.split(':')[0])).toEqual(broken);
  if (over.clusterType === 'job') expect(made).not.toHaveProperty('autotermination_minutes');
});

test('a policy for one way to say a size is not passed by the other way', () => {
  const { problems } = apply(
    { 'autoscale.max_workers': { type: 'range', maxValue: 4 } },
    { num_workers: 50 },
  );

  expect(problems).toEqual(["autoscale.max_workers: a value is required (rule range of policy 'small', P1)"]);
});

test('virtual attributes: the kind of cluster, where logs go, the driver’s type', () => {
  const definition = {
    cluster_type: { type: 'fixed', value: 'job' },
    'cluster_log_conf.type': { type: 'fixed', value: 'VOLUMES' },
    'cluster_log_conf.path': { type: 'fixed', value: '/Volumes/a/b/c' },
    driver_node_type_id: { type: 'allowlist', values: ['i3.large'] },
    dbus_per_hour: { type: 'range', maxValue: 5 },
  };

  const { spec, problems, warnings } = apply(definition, { node_type_id: 'i3.xlarge' });

  expect(spec.cluster_log_conf).toEqual({ volumes: { destination: '/Volumes/a/b/c' } });
  expect(problems.map((problem) => problem.split(',')[0])).toEqual([
    'cluster_type: the value must be "job"',
    'driver_node_type_id: the value must be one of "i3.large"',
  ]);
  expect(warnings).toEqual([expect.stringContaining('dbus_per_hour')]);
});
