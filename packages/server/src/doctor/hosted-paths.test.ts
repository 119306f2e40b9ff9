import { expect, test } from 'vitest';
import { describeHostedPaths } from './hosted-paths.ts';

const dataRoot = '/state/data';

test('links reach every program, and need no advice', () => {
  const text = describeHostedPaths({
    linked: ['/Volumes', '/dbfs', '/Workspace'],
    mayMount: false,
    dataRoot,
  });

  expect(text).toContain('every program finds them');
  expect(text).not.toContain('ln -s');
});

test('else it says which way is in use, what is not reached, and what would help', () => {
  const mounted = describeHostedPaths({ linked: [], mayMount: true, dataRoot });
  const rewritten = describeHostedPaths({ linked: ['/dbfs'], mayMount: false, dataRoot });

  expect(mounted).toContain('namespace of its own');
  expect(rewritten).toContain('rewrite names; not found by other programs');
  expect(rewritten).toContain('ln -s /state/data/volumes /Volumes; ln -s /state/data/workspace /Workspace');
});
