// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseYaml } from '../load/parse-yaml.ts';
import { fromPlain, type MappingNode, toPlain } from '../nodes.ts';
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
