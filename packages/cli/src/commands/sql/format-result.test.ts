import { expect, test } from 'vitest';
import { formatResult } from './format-result.ts';

function aResult(
  names: readonly string[],
  rows: readonly (readonly (string | null)[])[],
  typeName = 'STRING',
) {
  return { columns: names.map((name) => ({ name, typeName })), rows, isTruncated: false, elapsedMs: 1 };
}

test('the widest columns give way until the table fits its terminal', () => {
  const wide = aResult(['a', 'long', 'longer'], [['x', 'y'.repeat(30), 'z'.repeat(50)]]);

  const lines = formatResult(wide, 'table', 40).split('\n');

  expect(Math.max(...lines.map((line) => line.length))).toBe(40);
  expect(lines[2]).toBe(`x  ${'y'.repeat(16)}…  ${'z'.repeat(17)}…`);
});

test('columns that cannot stand side by side stand one under the other', () => {
  const many = aResult(['first', 'second', 'third'], [['a'.repeat(40), 'b', null]]);

  expect(formatResult(many, 'table', 20)).toBe(
    `─ row 1 ─\nfirst   ${'a'.repeat(11)}…\nsecond  b\nthird   NULL`,
  );
});

test('without a terminal nothing is cut, and a value never breaks the table', () => {
  const result = aResult(['a'], [[`${'x'.repeat(300)}\n\u001b[31my`]]);

  expect(formatResult(result, 'table')).toContain(`${'x'.repeat(300)} �[31my`);
});

test('columns of one name stay apart in json', () => {
  expect(JSON.parse(formatResult(aResult(['a', 'a'], [['1', '2']]), 'json'))).toEqual([{ a: '1', a_2: '2' }]);
});
