import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { aBundleFolder } from '../testing/bundle-folder.ts';
import { readGit } from './read-git.ts';

test('branch, commit and address of the repository are told, without what signs in there', async () => {
  await using folder = await aBundleFolder({ 'shop/databricks.yml': '' });
  const git = (...command: string[]) =>
    execFileSync('git', ['-C', folder.folder, '-c', 'user.name=a', '-c', 'user.email=a@b', ...command]);
  git('init', '-q', '-b', 'topic');
  git('remote', 'add', 'origin', 'https://robot:secret@git.example/shop.git');
  git('commit', '-q', '--allow-empty', '-m', 'x');
  const shop = `${folder.folder}/shop`;

  const onBranch = await readGit(shop);
  git('checkout', '-q', '--detach');
  const detached = await readGit(shop);

  expect(onBranch).toEqual({
    branch: 'topic',
    commit: expect.stringMatching(/^[0-9a-f]{40}$/),
    originUrl: 'https://git.example/shop.git',
  });
  expect(detached).toEqual({ ...onBranch, branch: null });
});

test('a folder of no repository has nothing to tell', async () => {
  await using folder = await aBundleFolder({});

  expect(await readGit(folder.folder)).toEqual({ branch: null, commit: null, originUrl: null });
});
