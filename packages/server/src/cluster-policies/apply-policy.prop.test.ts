/** What must hold for any policy and any cluster. */
import { NewCluster } from '@headrace/api';
import fc from 'fast-check';
import { test } from 'vitest';
import { applyPolicy, type PolicyFacts } from './apply-policy.ts';
import { findLeaves, matchesPath } from './attribute-path.ts';
import { judgeValue } from './judge-value.ts';
import { parseDefinition } from './parse-definition.ts';
import type { PolicyRules } from './policy-rule.ts';

const word = fc.constantFrom('a', 'b', 'c');
const rule = fc.oneof(
  fc.record({ type: fc.constant('fixed'), value: word }),
  fc.constant({ type: 'forbidden' }),
  fc.record({
    type: fc.constant('allowlist'),
    values: fc.array(word, { minLength: 1 }),
    isOptional: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('blocklist'),
    values: fc.array(word, { minLength: 1 }),
    isOptional: fc.boolean(),
  }),
  fc.record({ type: fc.constant('regex'), pattern: fc.constantFrom('[ab]', 'c+') }),
  fc.record({ type: fc.constant('unlimited'), defaultValue: word, isOptional: fc.boolean() }),
);
const path = fc.constantFrom(
  ...[
    'node_type_id',
    'driver_node_type_id',
    'cluster_name',
    'spark_version',
    'spark_conf.x',
    'spark_conf.x.y',
  ],
  ...[
    'spark_conf.*',
    'custom_tags.a',
    'custom_tags.*',
    'aws_attributes.zone_id',
    'aws_attributes.*',
    'spark_conf',
  ],
  ...['init_scripts.0.workspace.destination', 'init_scripts.*.workspace.destination', 'init_scripts'],
);
const policy = fc
  .dictionary(path, rule)
  .map((rules) => {
    try {
      return parseDefinition(JSON.stringify(rules));
    } catch {
      return null;
    }
  })
  .filter((rules) => rules !== null)
  .map((rules): PolicyRules => ({ policyId: 'P', name: 'n', rules }));
const spec: fc.Arbitrary<NewCluster> = fc.record(
  {
    node_type_id: word,
    cluster_name: word,
    spark_conf: fc.dictionary(fc.constantFrom('x', 'x.y', 'z'), word),
    custom_tags: fc.dictionary(word, word),
    aws_attributes: fc.record({ zone_id: word }),
    init_scripts: fc.array(fc.record({ workspace: fc.record({ destination: word }) }), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const facts: fc.Arbitrary<PolicyFacts> = fc.record({
  clusterType: fc.constantFrom('all-purpose' as const, 'job' as const),
  appliesDefaults: fc.boolean(),
  poolNodeTypeId: fc.constant(null),
});

test('what passes breaks no rule that alone speaks of a value', () => {
  fc.assert(
    fc.property(policy, spec, facts, (rules, asked, given) => {
      const verdict = applyPolicy(rules, asked, given);
      if (verdict.problems.length > 0) return true;
      return findLeaves(verdict.spec).every((leaf) => {
        const speaking = rules.rules.filter((each) => matchesPath(each.path, leaf.path));
        return (
          speaking.length > 1 || speaking.every(({ rule: alone }) => judgeValue(leaf.value, alone) === null)
        );
      });
    }),
  );
});

test('nothing that was asked for is changed or lost, and what was put in is not put in again', () => {
  fc.assert(
    fc.property(policy, spec, facts, (rules, asked, given) => {
      const once = applyPolicy(rules, asked, given);
      const kept = findLeaves(asked).every(({ path: at, value }) =>
        findLeaves(once.spec).some((leaf) => leaf.value === value && leaf.path.join('\0') === at.join('\0')),
      );
      const twice = applyPolicy(rules, once.spec, given);
      return (
        kept &&
        JSON.stringify(twice.spec) === JSON.stringify(once.spec) &&
        twice.problems.join() === once.problems.join()
      );
    }),
  );
});

test('what a policy makes is a cluster', () => {
  fc.assert(
    fc.property(
      policy,
      spec,
      facts,
      (rules, asked, given) => NewCluster.safeParse(applyPolicy(rules, asked, given).spec).success,
    ),
  );
});
