// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { expect, test } from 'vitest';
import { toLines } from './code-frame.ts';
import { errorAt, formatProblem, showProblem, sortProblems, warningAt } from './problem.ts';

const TEXT = 'bundle:\n  name: shop # ours\n\nresources:\n  jobs: {daily: {name: "a, b", tags: [x]}}\n';
const sources = new Map([['databricks.yml', toLines(TEXT)]]);
const at = (line: number, column: number) => ({ file: 'databricks.yml', line, column });
const frameOf = (line: number, column: number) =>
  showProblem(errorAt(at(line, column), 'is wrong'), sources)
    .split('\n')
    .slice(1);

test('a finding is one line where nothing is known of the file', () => {
  expect(formatProblem(errorAt(at(2, 9), 'the name is taken', 'choose another'))).toBe(
    'error: databricks.yml:2:9: the name is taken; choose another',
  );
});

test('a message may end in its cure, but what a user wrote is not taken apart', () => {
  expect(errorAt(at(1, 1), 'is given twice; keep one')).toMatchObject({
    message: 'is given twice',
    cure: 'keep one',
  });
  expect(errorAt(at(1, 1), "there is no 'a; b'").cure).toBeUndefined();
});

test('control characters of a file are not printed, line breaks are', () => {
  expect(formatProblem(errorAt(at(1, 1), 'a\u001b[31mb\nc'))).toBe('error: databricks.yml:1:1: a?[31mb\nc');
});

test('with the text of the file it shows the lines around, carets under the value, and the cure', () => {
  expect(showProblem(warningAt(at(2, 9), 'the name is taken', 'choose another'), sources)).toBe(
    `warning: databricks.yml:2:9: the name is taken
  1 | bundle:
  2 |   name: shop # ours
    |         ^^^^
  cure: choose another`,
  );
});

test.each([
  ['a key', 2, 3, 'name'],
  ['a quoted text in braces', 5, 24, '"a, b"'],
  ['a list', 5, 38, '[x]'],
  ['a plain text in braces', 5, 39, 'x'],
  ['a mapping', 5, 17, '{name: "a, b", tags: [x]}'],
])('the carets are as long as %s', (_, line, column, value) => {
  const marked = frameOf(line, column).find((row) => row.includes('^')) ?? '';

  expect(marked.slice('  5 | '.length)).toBe(' '.repeat(column - 1) + '^'.repeat(value.length));
});

test('a reference with braces is marked whole', () => {
  const line = toLines('a: {b: ${var.x}-{{job.id}}, c: 1}');
  const row = showProblem(errorAt(at(1, 8), 'x'), new Map([['databricks.yml', line]])).split('\n')[2];

  expect(row).toBe(`    | ${' '.repeat(7)}${'^'.repeat('${var.x}-{{job.id}}'.length)}`);
});

test('a very long line is cut around the place, and control characters are not printed', () => {
  const line = `${'x'.repeat(500)}\u001b[31m: ${'y'.repeat(500)}`;
  const found = showProblem(errorAt(at(1, 508), 'x'), new Map([['databricks.yml', [line]]])).split('\n');

  expect(found[1]).toContain('?[31m: yyy');
  expect(found[1]?.length).toBeLessThan(130);
  expect(found[2]?.indexOf('^')).toBe(found[1]?.indexOf('yyy'));
});

test('a place that the file does not have gives no frame', () => {
  expect(frameOf(99, 1)).toEqual([]);
  expect(frameOf(3, 1)).toEqual([]);
});

test('the lines around are dimmed and the carets marked where asked', () => {
  const style = { dim: (text: string) => `<${text}>`, mark: (text: string) => `[${text}]` };

  expect(
    showProblem(errorAt(at(2, 9), 'x'), sources, style)
      .split('\n')
      .slice(1),
  ).toEqual(['<  1 |> <bundle:>', '<  2 |>   name: shop # ours', '<    |>         [^^^^]']);
});

test('findings come in the order of the files, each once', () => {
  const findings = [errorAt(at(5, 3), 'b'), errorAt(at(2, 9), 'a'), errorAt(at(5, 3), 'b')];

  expect(sortProblems(findings).map(({ line }) => line)).toEqual([2, 5]);
});
