import { expect, test } from 'vitest';
import { sourceToShow } from './cell-source.ts';

test.each([
  ['markdown', '%md\n# Bronze', '# Bronze'],
  ['markdown', '%md The newest layout', 'The newest layout'],
  ['markdown', '%md-sandbox\nText', 'Text'],
  ['markdown', '%mdash is text', '%mdash is text'],
  ['markdown', '%md', ''],
  ['sql', '%sql\n  SELECT 1', '  SELECT 1'],
  ['sql', 'SELECT 1 -- %sql', 'SELECT 1 -- %sql'],
  ['python', 'print("%md")', 'print("%md")'],
  ['run', '%run ./setup', '%run ./setup'],
] as const)('a %s cell of %j shows %j', (language, source, shown) => {
  expect(sourceToShow({ language, source })).toBe(shown);
});
