import { describe, expect, test } from 'vitest';
import { aCondition, aForEach, aTask, branch } from '../run/builders.ts';
import type { TaskDefinition } from '../run/state.ts';
import { descendantsOf, findDefinition, graphOf } from './graph.ts';

const graph = (tasks: readonly TaskDefinition[]) => graphOf({ tasks, timeoutMs: null });

// a → b → d, a → c → d, and e alone
const diamond = graph([
  aTask('d', { dependsOn: ['b', 'c'] }),
  aTask('c', { dependsOn: ['a'] }),
  aTask('b', { dependsOn: ['a'] }),
  aTask('e'),
  aTask('a'),
]);

test('parents come before children, however they were written', () => {
  const order = diamond.order.map(({ key }) => key);

  expect(order.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
  for (const { key, dependsOn } of diamond.order) {
    for (const parent of dependsOn) expect(order.indexOf(parent.key)).toBeLessThan(order.indexOf(key));
  }
});

test('leaves are the tasks that nothing depends on', () => {
  expect(diamond.leaves).toEqual(['d', 'e']);
});

describe('descendants', () => {
  test.each([
    [['a'], ['b', 'c', 'd']],
    [['b', 'c'], ['d']],
    [['b', 'd'], ['d']],
    [['e'], []],
    [['unknown'], []],
  ])('of %j are %j', (keys, expected) => {
    expect([...descendantsOf(diamond, keys)].toSorted()).toEqual(expected);
  });
});

test('a child of both branches of a condition stands once for each edge', () => {
  const { children } = graph([
    aCondition('is_good'),
    aTask('join', { dependsOn: [branch('is_good', true), branch('is_good', false)] }),
  ]);

  expect(children.get('is_good')).toEqual(['join', 'join']);
});

test('what a for-each repeats is found by its key and is no task of the job', () => {
  const loop = graph([aForEach('loop', aTask('one'))]);

  expect(loop.order.map(({ key }) => key)).toEqual(['loop']);
  expect(findDefinition(loop, 'one')).toMatchObject({ key: 'one' });
  expect(findDefinition(loop, 'gone')).toBeNull();
});

test.each([
  ['a circle', [aTask('a', { dependsOn: ['b'] }), aTask('b', { dependsOn: ['a'] })]],
  ['an unknown key', [aTask('a', { dependsOn: ['b'] })]],
])('%s is our mistake by then: it must have been refused before', (_, tasks) => {
  expect(() => graph(tasks)).toThrow('the graph has a cycle');
});
