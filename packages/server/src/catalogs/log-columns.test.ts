import { expect, test } from 'vitest';
import { toColumns } from './log-columns.ts';

const field = (name: string, type: Parameters<typeof toColumns>[0][number]['type'], metadata = {}) => ({
  ...{ name, type, nullable: true, metadata },
});

test('columns of a log are told as SQL names their types', () => {
  const inner = { type: 'struct', fields: [field('Qty', 'short'), field('price', 'decimal(10,2)')] };
  const columns = toColumns(
    [
      field('id', 'long', { comment: 'the key' }),
      field('Day', 'date'),
      field('price', 'decimal(10,2)'),
      field('lines', { type: 'array', elementType: inner, containsNull: true }),
      field('tags', { type: 'map', keyType: 'string', valueType: 'integer', valueContainsNull: true }),
      field('span', 'interval day to second'),
    ],
    ['day'],
  );

  expect(columns.map(({ type_text, type_name }) => [type_text, type_name])).toEqual([
    ['bigint', 'LONG'],
    ['date', 'DATE'],
    ['decimal(10,2)', 'DECIMAL'],
    ['array<struct<Qty:smallint,price:decimal(10,2)>>', 'ARRAY'],
    ['map<string,int>', 'MAP'],
    ['interval day to second', 'INTERVAL'],
  ]);
  expect(columns[0]).toMatchObject({ comment: 'the key', position: 0, nullable: true });
  expect(columns[1]).toMatchObject({ partition_index: 0 });
  expect(columns[2]).toMatchObject({ type_precision: 10, type_scale: 2 });
});
