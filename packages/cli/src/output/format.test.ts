import { expect, test } from 'vitest';
import { formatTable } from './format-table.ts';
import { formatDuration, formatInstant } from './format-time.ts';

test.each([
  [0, '0 ms'],
  [340, '340 ms'],
  [4_200, '4.2 s'],
  [185_000, '3 min 05 s'],
  [7_380_000, '2 h 03 min'],
])('%i ms are %s', (elapsed, text) => {
  expect(formatDuration(elapsed)).toBe(text);
});

test('what has not happened is a dash', () => {
  expect([formatInstant(0), formatInstant(undefined)]).toEqual(['-', '-']);
});

test('columns are aligned, long cells cut, line breaks gone', () => {
  const text = formatTable({
    columns: ['a', 'b'],
    rows: [
      ['x\ny', 'z'],
      ['w'.repeat(99), ''],
    ],
    empty: '',
  });

  expect(text.split('\n').map((line) => line.length)).toEqual([63, 63, 60]);
  expect(text).toContain('x y ');
  expect(text).toContain('w…');
});

test('a table without rows says so', () => {
  expect(formatTable({ columns: ['a'], rows: [], empty: 'no jobs' })).toBe('no jobs');
});
