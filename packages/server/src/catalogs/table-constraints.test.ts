import { expect, test } from 'vitest';
import { readConstraints } from './table-constraints.ts';

test('keys and checks of a table are told by their names', () => {
  const constraints = readConstraints({
    'headrace.constraint.pk': 'PRIMARY KEY (a, `b ``c`) NOT ENFORCED',
    'headrace.constraint.fk': 'FOREIGN KEY (x) REFERENCES main.`s-1`.t (`a,b`) NOT ENFORCED',
    'delta.constraints.positive': 'a > 0',
    'headrace.constraint.odd': 'WITHOUT WORDS OF OURS',
    team: 'PRIMARY KEY (a)',
  });

  expect(constraints).toEqual([
    { named_table_constraint: { name: 'positive' } },
    {
      foreign_key_constraint: {
        ...{ name: 'fk', child_columns: ['x'] },
        ...{ parent_table: 'main.s-1.t', parent_columns: ['a,b'] },
      },
    },
    { primary_key_constraint: { name: 'pk', child_columns: ['a', 'b `c'] } },
  ]);
});
