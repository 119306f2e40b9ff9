// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseYaml } from '../load/parse-yaml.ts';
import { fromPlain, type MappingNode, mapScalars, toPlain } from '../nodes.ts';
import { interpolate } from './interpolate.ts';
import { mergeNodes } from './merge-nodes.ts';

const AT = { file: 'x', line: 1, column: 1 };
const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('mapping'),
  ),
  mapping: fc.dictionary(fc.constantFrom('name', 'tasks', 'tags', 'a', 'b'), tie('value'), { maxKeys: 4 }),
}));
const mapping = plain.mapping.map((value) => fromPlain(value, AT) as MappingNode); // a dictionary is a mapping

test('what YAML is written from is what is read', () => {
  fc.assert(
    fc.property(plain.mapping, (value) => {
      const { documents, problems } = parseYaml('x', Buffer.from(JSON.stringify(value)));

      expect(problems).toEqual([]);
      expect(documents.map(toPlain)).toEqual([JSON.parse(JSON.stringify(value))]);
    }),
  );
});

test('a target laid over twice is the same as once, and an empty one changes nothing', () => {
  fc.assert(
    fc.property(mapping, mapping, (base, override) => {
      const once = mergeNodes(base, override);

      expect(toPlain(mergeNodes(once, override))).toEqual(toPlain(once));
      expect(toPlain(mergeNodes(base, fromPlain({}, AT) as MappingNode))).toEqual(toPlain(base));
    }),
  );
});

test('replacing references is deterministic, and finds nothing more the second time', () => {
  const text = fc
    .array(fc.constantFrom('${var.a}', '${var.b}', '${bundle.name}', '${resources.jobs.j.id}', 'x', ' '), {
      maxLength: 4,
    })
    .map((parts) => parts.join(''));

  fc.assert(
    fc.property(text, text, fc.oneof(fc.integer(), fc.constant('plain')), (first, second, value) => {
      const root = fromPlain(
        { bundle: { name: 'n' }, resources: { jobs: { j: { first, list: [second] } } } },
        AT,
      ) as MappingNode;
      const variables = new Map([
        ['a', fromPlain(value, AT)],
        ['b', fromPlain('${var.a}-${bundle.name}', AT)],
      ]);

      const once = interpolate(root, variables);

      expect(once.problems).toEqual([]);
      expect(interpolate(root, variables)).toEqual(once);
      expect(toPlain(interpolate(once.root, variables).root)).toEqual(toPlain(once.root));
    }),
  );
});

test('a target laid over keyed lists leaves each key once, in the order of the bundle, with its own fields on top', () => {
  const task = fc.record(
    { task_key: fc.constantFrom('a', 'b', 'c', 'd'), own: fc.integer(), other: fc.integer() },
    { requiredKeys: ['task_key'] },
  );
  const tasks = fc.uniqueArray(task, { selector: ({ task_key }) => task_key });

  fc.assert(
    fc.property(tasks, tasks, (base, override) => {
      const merged = mergeNodes(
        fromPlain({ tasks: base }, AT) as MappingNode,
        fromPlain({ tasks: override }, AT) as MappingNode,
      );

      const added = override.filter(({ task_key }) => base.every((entry) => entry.task_key !== task_key));
      const expected = [...base, ...added].map((entry) => ({
        ...entry,
        ...override.find(({ task_key }) => task_key === entry.task_key),
      }));
      expect(toPlain(merged)).toEqual({ tasks: expected });
    }),
  );
});

test('variables that refer to each other in any way end in values or in findings, never in references unsaid', () => {
  const names = ['a', 'b', 'c', 'd'];
  const part = fc.constantFrom(
    'x',
    '$',
    '${HOME}',
    ...names.map((name) => `\${var.${name}}`),
    '${var.${var.a}}',
  );
  const text = fc.array(part, { maxLength: 4 }).map((parts) => parts.join(''));
  const value = fc.oneof(text, fc.array(text, { maxLength: 3 }), fc.dictionary(fc.constant('k'), text));

  fc.assert(
    fc.property(fc.tuple(value, value, value, value), text, (values, used) => {
      const root = fromPlain({ resources: { jobs: { j: { used } } } }, AT) as MappingNode;
      const variables = new Map(names.map((name, index) => [name, fromPlain(values[index], AT)]));

      const { root: resolved, problems } = interpolate(root, variables);

      expect(interpolate(root, variables)).toEqual({ root: resolved, problems });
      if (problems.length === 0) expect(JSON.stringify(toPlain(resolved))).not.toContain('${var.');
    }),
  );
});

test('plain data made of nodes is the same data, whatever its keys are called', () => {
  const keys = fc.constantFrom('__proto__', 'constructor', 'toString', 'a');
  const json = fc.letrec((tie) => ({
    node: fc.oneof({ depthSize: 'small' }, fc.integer(), fc.array(tie('node')), tie('mapping')),
    // Objects of the generator itself cannot hold __proto__ as a key; JSON can.
    mapping: fc
      .array(fc.tuple(keys, tie('node')), { maxLength: 3 })
      .map((entries) =>
        JSON.parse(`{${entries.map(([key, entry]) => `"${key}":${JSON.stringify(entry)}`).join()}}`),
      ),
  }));

  fc.assert(
    fc.property(json.mapping, (plainData) => {
      const node = fromPlain(plainData, AT);

      expect(JSON.stringify(toPlain(node))).toBe(JSON.stringify(plainData));
      expect(mapScalars(node, (scalar) => scalar)).toBe(node);
    }),
  );
});
