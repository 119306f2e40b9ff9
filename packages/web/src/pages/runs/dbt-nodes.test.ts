import { expect, test } from 'vitest';
import { nameOfNode, outcomeOfNode, summaryOf } from './dbt-nodes.ts';

test('a node is named as people name it', () => {
  expect(nameOfNode('model.shop.east')).toEqual({ kind: 'model', name: 'east' });
  expect(nameOfNode('test.shop.unique_a_b.841b648979')).toEqual({ kind: 'test', name: 'unique_a_b' });
  expect(nameOfNode('odd')).toEqual({ kind: 'odd', name: 'odd' });
});

test('what failed stands first in the summary', () => {
  const nodes = ['pass', 'success', 'skipped', 'error', 'pass', 'new word'].map((status) => ({ status }));

  expect(summaryOf(nodes)).toBe('1 error, 1 skipped, 1 new word, 2 pass, 1 success');
  expect(outcomeOfNode({ status: 'new word' })).toMatchObject({ label: 'new word', tone: 'muted' });
});
