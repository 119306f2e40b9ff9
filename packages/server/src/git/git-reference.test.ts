import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isReferenceName, readReference } from './git-reference.ts';

test.each(['main', 'feature/x-1', 'v1.0', 'ünï', 'a@b', 'release_2'])('%s is a name', (name) => {
  expect(readReference({ git_branch: name })).toEqual({ kind: 'branch', name });
});

test.each([
  ...[
    '',
    '-x',
    '--output=/x',
    '@',
    '..',
    'a..b',
    'a b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[',
    'a\\b',
    'a@{1}',
  ],
  ...['/a', 'a/', 'a//b', '.a', 'a/.b', 'a.lock', 'a.lock/b', 'a.', 'a\nb', 'a\0', 'x'.repeat(256)],
])('%j is none', (name) => {
  expect(readReference({ git_tag: name })).toEqual({
    problem: expect.stringContaining('is no name of a tag'),
  });
});

test('a commit is hexadecimal, and of several references none is guessed', () => {
  expect(readReference({ git_commit: 'ABCDEF1' })).toEqual({ kind: 'commit', name: 'abcdef1' });
  for (const name of ['HEAD', 'abc', 'g'.repeat(40), '-'.repeat(40)])
    expect(readReference({ git_commit: name })).toHaveProperty('problem');
  expect(readReference({ git_branch: 'a', git_commit: 'abcdef1' })).toHaveProperty('problem');
  expect(readReference({})).toEqual({ kind: 'default' });
});

test('no name begins like an option or has what git reads as more than a name', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 30, unit: 'grapheme' }), (name) => {
      if (!isReferenceName(name)) return;
      expect(name).not.toMatch(/^-|[\s~^:?*[\\]|\.\.|@\{/);
    }),
    { numRuns: 2_000 },
  );
});
