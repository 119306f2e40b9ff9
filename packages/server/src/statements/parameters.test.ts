import { expect, test } from 'vitest';
import { requireType, toParameters } from './parameters.ts';

test.each(['STRING', 'decimal(10, 2)', 'INTERVAL DAY TO SECOND', 'timestamp_ntz', 'varchar(20)'])(
  '%s is a type of one value',
  (type) => {
    expect(() => requireType(type, 'a')).not.toThrow();
  },
);

test.each(['INT) as b, (select 1', 'int--', 'array<int>', 'string; drop table t', '`int`', ''])(
  'nothing but a type stands where one is expected: %s',
  (type) => {
    expect(() => requireType(type, 'a')).toThrow(/takes a type of one value/);
  },
);

test('parameters without names come in their order', () => {
  const sent = [
    { ordinal: 2, value: 'b' },
    { ordinal: 1, value: '1', type: 'int' },
  ];

  expect(toParameters(sent)).toEqual([
    { name: null, type: 'INT', value: '1' },
    { name: null, type: 'STRING', value: 'b' },
  ]);
});

test('a name that is given twice is refused', () => {
  expect(() => toParameters([{ name: 'a' }, { name: 'a' }])).toThrow(/given twice/);
});
