import { expect, test } from 'vitest';
import type { ResolvedBundle } from '../resolve/resolve-bundle.ts';
import { foldersOf } from './destroy-bundle.ts';

function bundleAt(
  workspace: Partial<ResolvedBundle['workspace']>,
  folder = '/home/ann/shop',
): ResolvedBundle {
  const root = '/Users/ann/.bundle/b/dev';
  const places = {
    rootPath: root,
    filePath: `${root}/files`,
    artifactPath: `${root}/artifacts`,
    statePath: `${root}/state`,
  };
  // Only the places matter here.
  return { folder, workspace: { ...places, ...workspace } } as ResolvedBundle;
}

test('the folder of a deployment is named once, with all below it', () => {
  expect(foldersOf(bundleAt({}))).toEqual(['/Users/ann/.bundle/b/dev']);
  expect(foldersOf(bundleAt({ filePath: '/Workspace/Users/ann/.bundle/b/dev' }))).toHaveLength(1);
});

test('folders elsewhere are named too, that of the state last', () => {
  expect(foldersOf(bundleAt({ filePath: '/Shared/code', statePath: '/Shared/state' }))).toEqual([
    '/Shared/code',
    '/Users/ann/.bundle/b/dev',
    '/Shared/state',
  ]);
});

test('files that run from where they are stay: the folder of the bundle, and what holds it', () => {
  const folder = '/Workspace/Users/ann/shop';

  expect(foldersOf(bundleAt({ filePath: folder }, folder))).toEqual(['/Users/ann/.bundle/b/dev']);
  expect(foldersOf(bundleAt({ filePath: '/Users//ann/shop/' }, folder))).toEqual([
    '/Users/ann/.bundle/b/dev',
  ]);
  expect(foldersOf(bundleAt({ filePath: '/Workspace/Users/ann' }, folder))).toEqual([
    '/Users/ann/.bundle/b/dev',
  ]);
  expect(foldersOf(bundleAt({ filePath: '/Workspace/Users/ann/shop-old' }, folder))).toEqual([
    '/Workspace/Users/ann/shop-old',
    '/Users/ann/.bundle/b/dev',
  ]);
});

test('where the root holds the bundle, its other folders go one by one', () => {
  const folder = '/Workspace/Users/ann/.bundle/b/dev/files';

  expect(foldersOf(bundleAt({}, folder))).toEqual([
    '/Users/ann/.bundle/b/dev/artifacts',
    '/Users/ann/.bundle/b/dev/state',
  ]);
});
