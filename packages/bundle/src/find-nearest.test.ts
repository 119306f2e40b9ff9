import { expect, test } from 'vitest';
import { findNearest, suggest } from './find-nearest.ts';

const FIELDS = ['name', 'max_retries', 'query_text', 'timezone_id', 'pypi', 'whl', 'task_key'];

test.each([
  ['a letter too many', 'namee', 'name'],
  ['a letter missing', 'max_retris', 'max_retries'],
  ['neighbours that changed places', 'max_retreis', 'max_retries'],
  ['capital letters', 'Task_Key', 'task_key'],
  ['a part of the name', 'query', 'query_text'],
  ['the same letters in another order', 'pipy', 'pypi'],
  ['nothing alike', 'zebra', null],
  ['a short name that is quite another', 'jar', null],
])('%s', (_, written, expected) => {
  expect(findNearest(written, FIELDS)).toBe(expected);
});

test('of two that are alike the nearer one is meant', () => {
  expect(findNearest('on_failur', ['on_failures_of', 'on_failure'])).toBe('on_failure');
});

test('a part of several names means none of them', () => {
  expect(findNearest('git', ['git_branch', 'git_tag'])).toBeNull();
});

test('a very long name is answered at once', () => {
  expect(suggest('x'.repeat(1_000_000), FIELDS, 'take it out')).toBe('take it out');
});
