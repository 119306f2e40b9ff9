import { describe, expect, test } from 'vitest';
import { policyFamilies } from './families.ts';
import { definitionCharsMax, parseDefinition } from './parse-definition.ts';

const unlimited = { type: 'unlimited' };

describe('a definition is refused with path and rule', () => {
  test.each<[string, unknown, RegExp]>([
    ['no JSON', '{', /^definition: it is no JSON/],
    ['a list', [], /expected a JSON object/],
    ['an unknown attribute', { node_type: unlimited }, /node_type: 'node_type' is no attribute of a cluster/],
    [
      'a name of every object',
      { __proto__x: unlimited, constructor: unlimited },
      /constructor: 'constructor' is no attribute/,
    ],
    ['a part of what has none', { 'num_workers.x': unlimited }, /num_workers has no parts/],
    ['an empty part', { 'aws_attributes..x': unlimited }, /a part of the path is empty/],
    ['a list without a place', { 'init_scripts.workspace.destination': unlimited }, /init_scripts is a list/],
    ['no type', { num_workers: {} }, /num_workers: type must be one of .*; it has none/],
    ['a type of another name', { num_workers: { type: 'whitelist' } }, /got "whitelist"/],
    ['a rule that is a text', { num_workers: 'fixed' }, /num_workers: type must be one of/],
    ['a slip in a rule', { num_workers: { type: 'range', max: 4 } }, /num_workers: range: .*max/],
    ['an empty range', { num_workers: { type: 'range' } }, /minValue or maxValue/],
    [
      'a range upside down',
      { num_workers: { type: 'range', minValue: 2, maxValue: 1 } },
      /minValue is more than/,
    ],
    ['an empty list', { node_type_id: { type: 'allowlist', values: [] } }, /node_type_id: allowlist: values/],
    [
      'a pattern that is none',
      { cluster_name: { type: 'regex', pattern: '(' } },
      /cluster_name: regex: pattern: /,
    ],
    [
      'a default that breaks the rule',
      { num_workers: { type: 'range', maxValue: 4, defaultValue: 5 } },
      /defaultValue: must be at most 4/,
    ],
    [
      'a default for many',
      { 'spark_conf.*': { ...unlimited, defaultValue: 'x' } },
      /defaultValue: there is no single value/,
    ],
    [
      'a value that no cluster can have',
      { num_workers: { type: 'fixed', value: 'many' } },
      /num_workers: fixed: num_workers/,
    ],
    [
      'a limit for a group',
      { autoscale: { type: 'range', maxValue: 3 } },
      /autoscale: range: it names a group/,
    ],
    [
      'a kind of cluster that is none',
      { cluster_type: { type: 'fixed', value: 'jobs' } },
      /"jobs" is none of all-purpose, job, dlt/,
    ],
    [
      'too many rules',
      Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`custom_tags.${n}`, unlimited])),
      /at most 500 rules/,
    ],
    ['too long a text', `${' '.repeat(definitionCharsMax)}{}`, /at most 100000 characters/],
  ])('%s', (_what, definition, message) => {
    const text = typeof definition === 'string' ? definition : JSON.stringify(definition);

    expect(() => parseDefinition(text)).toThrow(message);
  });
});

test('every problem is told at once', () => {
  expect(() => parseDefinition(JSON.stringify({ a: unlimited, num_workers: {} }))).toThrow(
    /a: .*; definition: num_workers/,
  );
});

test('the families parse', () => {
  for (const { definition } of policyFamilies) expect(parseDefinition(definition).length).toBeGreaterThan(0);
});
