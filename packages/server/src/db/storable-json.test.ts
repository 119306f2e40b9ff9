import { expect, test } from 'vitest';
import { findUnstorable, toStorableJson } from './storable-json.ts';

test.each([
  ['NUL', 'a\0b', 'a\ufffdb'],
  ['two NULs in a row', '\0\0', '\ufffd\ufffd'],
  ['half a pair', '\ud800x', '\ufffdx'],
])('%s becomes the replacement character', (_, text, stored) => {
  expect(JSON.parse(toStorableJson([text]))).toEqual([stored]);
  expect(findUnstorable({ deep: [text] })).toContain('NUL or half a character');
});

test.each(['\\u0000', '\\\\u0000', '😀', 'C:\\users\\udele'])('%s stays as it is', (text) => {
  expect(JSON.parse(toStorableJson({ text }))).toEqual({ text });
  expect(findUnstorable(text)).toBeNull();
});

test('a document that is nested too deep is told apart', () => {
  let deep: unknown = 1;
  for (let level = 0; level < 50_000; level++) deep = [deep];

  expect(findUnstorable(deep)).toContain('levels deep');
  expect(findUnstorable([[[[{ a: [1] }]]]])).toBeNull();
});
