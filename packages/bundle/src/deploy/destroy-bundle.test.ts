import { expect, test } from 'vitest';
import type { ResolvedBundle } from '../resolve/resolve-bundle.ts';
import { foldersOf } from './destroy-bundle.ts';

function bundleAt(workspace: Partial<ResolvedBundle['workspace']>): ResolvedBundle {
  const root = '/Users/ann/.bundle/b/dev';
  const places = {
    rootPath: root,
    filePath: `${root}/files`,
    artifactPath: `${root}/artifacts`,
    statePath: `${root}/state`,
  };
  // Only the places matter here.
  return { workspace: { ...places, ...workspace } } as ResolvedBundle;
}

test('the folder of a deployment is named once, with all below it', () => {
  expect(foldersOf(bundleAt({}))).toEqual(['/Users/ann/.bundle/b/dev']);
});

test('folders elsewhere are named too, that of the state last', () => {
  expect(foldersOf(bundleAt({ filePath: '/Shared/code', statePath: '/Shared/state' }))).toEqual([
    '/Shared/code',
    '/Users/ann/.bundle/b/dev',
    '/Shared/state',
  ]);
});
