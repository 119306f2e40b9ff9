import { expect, test } from 'vitest';
import { isStorable, toStorableJson } from './storable-json.ts';

test.each([
  ['NUL', 'a\0b', 'a\ufffdb'],
  ['two NULs in a row', '\0\0', '\ufffd\ufffd'],
  ['half a pair', '\ud800x', '\ufffdx'],
])('%s becomes the replacement character', (_, text, stored) => {
  expect(JSON.parse(toStorableJson([text]))).toEqual([stored]);
  expect(isStorable({ deep: [text] })).toBe(false);
});

test.each(['\\u0000', '\\\\u0000', '😀', 'C:\\users\\udele'])('%s stays as it is', (text) => {
  expect(JSON.parse(toStorableJson({ text }))).toEqual({ text });
  expect(isStorable(text)).toBe(true);
});
