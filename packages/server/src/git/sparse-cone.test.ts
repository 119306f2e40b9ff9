import { expect, test } from 'vitest';
import { isInCone, readCone, suffixOf } from './sparse-cone.ts';

const names = ['a.txt', 'x/a.txt', 'x/y/a.txt', 'x/y/z/a.txt', 'x/yy/a.txt', 'w/a.txt'];

test.each<[string[], string[]]>([
  [['x/y'], ['a.txt', 'x/a.txt', 'x/y/a.txt', 'x/y/z/a.txt']],
  [['x'], ['a.txt', 'x/a.txt', 'x/y/a.txt', 'x/y/z/a.txt', 'x/yy/a.txt']],
  [
    ['w', 'x/yy'],
    ['a.txt', 'x/a.txt', 'x/yy/a.txt', 'w/a.txt'],
  ],
  [[], ['a.txt']],
])('of %j there are %j', (cone, wanted) => {
  expect(names.filter((name) => isInCone(name, cone))).toEqual(wanted);
});

test('folders that are written otherwise are the same', () => {
  expect(readCone(['/x//y/', 'w', 'x/y'])).toEqual(['w', 'x/y']);
});

test.each(['x/*', '!x', 'x/../y', '..', '[ab]', './x'])('%s is no folder', (pattern) => {
  expect(readCone([pattern])).toMatchObject({ problem: expect.stringContaining(pattern) });
});

test('a whole checkout has no suffix, and two cones have two', () => {
  expect(suffixOf(null)).toBe('');
  expect(suffixOf(['a'])).not.toBe(suffixOf(['b']));
});
