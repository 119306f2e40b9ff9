import { expect, test } from 'vitest';
import { formatAgo, formatBytes, formatDuration, formatShortDuration } from './format.ts';

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [999.7, '999 ms'],
  [1_000, '1.0 s'],
  [9_960, '9.9 s'],
  [10_000, '10 s'],
  [59_999, '59 s'],
  [60_000, '1 min 0 s'],
  [61_500, '1 min 1 s'],
  [3_599_999, '59 min 59 s'],
  [3_600_000, '1 h 0 min'],
  [90 * 3_600_000, '90 h 0 min'],
  [-1, '–'],
])('%d ms read as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_536, '1.5 KiB'],
  [1_048_575, '1.0 MiB'],
  [3 * 1_024 ** 2, '3.0 MiB'],
  [5 * 1_024 ** 3, '5.0 GiB'],
])('%d bytes read as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, 'just now'],
  // The server's clock may be ahead of the browser's.
  [-5_000, 'just now'],
  [12_000, '12 sec. ago'],
  [3 * 60_000 + 59_000, '3 min. ago'],
  [26 * 3_600_000, 'yesterday'],
])('%d ms ago reads as %s', (elapsedMs, text) => {
  expect(formatAgo(1_000_000_000, 1_000_000_000 + elapsedMs)).toBe(text);
});

test.each([
  [340, '340ms'],
  [9_960, '9.9s'],
  [61_500, '1m 1s'],
  [3_599_999, '59m 59s'],
  [90 * 3_600_000, '90h 0m'],
])('%d ms read as %s where there is little room', (ms, text) => {
  expect(formatShortDuration(ms)).toBe(text);
});
