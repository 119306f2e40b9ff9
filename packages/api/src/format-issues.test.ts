import { expect, test } from 'vitest';
import { z } from 'zod';
import { formatIssues, formatPath } from './format-issues.ts';
import { wireBool, wireInt } from './wire.ts';

function problemsOf(schema: z.ZodType, input: unknown): string {
  const parsed = schema.safeParse(input, { reportInput: true });
  return parsed.success ? '' : formatIssues(parsed.error);
}

test.each([
  [z.object({ a: z.object({ b: z.string() }) }), { a: { b: 3 } }, 'a.b: expected a text, got the number 3'],
  [z.object({ a: z.array(z.string()) }), { a: ['x', null] }, 'a[1]: expected a text, got null'],
  [z.object({ a: z.string() }), {}, 'a: is missing, expected a text'],
  [z.string(), [], 'expected a text, got a list'],
  [wireInt, 'ten', 'expected a number, got the text "ten"'],
  [wireInt, 1.5, 'expected a whole number, got the number 1.5'],
  [wireInt, 'a secret sentence', 'expected a number, got a text'],
  [wireBool, 'yes', 'expected true or false, got the text "yes"'],
  [z.enum(['A', 'B']), 'C', 'expected one of A, B, got the text "C"'],
  [z.string().max(3), 'abcd', 'expected at most 3 characters'],
  [z.array(z.int()).min(1), [], 'expected at least 1 entries'],
  [z.strictObject({}), { x: 1 }, 'unknown field "x"'],
  [z.union([z.string(), z.number()]), true, 'expected a text, got true, or expected a number, got true'],
])('%# says what was expected and what was there', (schema, input, message) => {
  expect(problemsOf(schema, input)).toBe(message);
});

test('tells the type from the message when the parse did not keep the input', () => {
  const parsed = z.object({ a: z.string(), b: z.string() }).safeParse({ a: 3 });

  expect(parsed.success ? '' : formatIssues(parsed.error)).toBe(
    'a: expected a text, got a number; b: is missing, expected a text',
  );
});

test('shows ten problems and counts the rest', () => {
  const text = problemsOf(z.array(z.string()), Array(12).fill(0));

  expect(text).toContain('[9]: expected a text');
  expect(text).toMatch(/; and 2 more$/);
});

test('quotes keys that are no plain names', () => {
  expect(formatPath(['tags', 'a b', 0, 'c-d'])).toBe('tags["a b"][0].c-d');
});
