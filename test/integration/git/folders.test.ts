/** Git folders: what appears in the workspace, what an update does to it, and whose it is. */
import type { Client } from '@headrace/api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { addUser } from '../secrets/support.ts';
import { hasGit, localGit, makeRepository, type Repository } from './support.ts';

const notebook = '# Databricks notebook source\nprint(1)\n';
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe.skipIf(!hasGit)('Git folders', () => {
  let server: TestServer;
  let client: Client;
  let repository: Repository;
  let first: string;
  let root: string;
  let count = 0;

  beforeAll(async () => {
    server = await startTestServer({ backend: null, config: localGit });
    client = server.client;
  });
  afterAll(() => server.dispose());
  beforeEach(() => {
    repository = makeRepository();
    first = repository.commit({ 'nb/etl.py': notebook, 'lib/a.py': 'A = 1\n', 'README.md': 'hello' });
    count += 1;
    root = `/Repos/team-${count}/pipelines`;
    return () => repository.remove();
  });

  const create = (more: object = {}) =>
    client.reposCreate({ url: repository.url, provider: 'gitHub', path: root, ...more });
  const read = async (file: string) => {
    const { content } = await client.workspaceExport({ path: `${root}/${file}` });
    return Buffer.from(content, 'base64').toString();
  };
  const write = (file: string, text: string) =>
    client.workspaceImport({
      path: `${root}/${file}`,
      content: base64(text),
      format: 'AUTO',
      overwrite: true,
    });
  const listed = async (folder: string) =>
    ((await client.workspaceList({ path: folder })).objects ?? []).map(
      ({ path, object_type }) => `${path.slice(root.length)} ${object_type}`,
    );

  test('a folder has the files of the default branch, notebooks without their extension', async () => {
    const repo = await create();

    expect(repo).toMatchObject({
      path: root,
      url: repository.url,
      provider: 'gitHub',
      branch: 'main',
      head_commit_id: first,
    });
    expect(await listed(root)).toEqual(['/README.md FILE', '/lib DIRECTORY', '/nb DIRECTORY']);
    expect(await listed(`${root}/nb`)).toEqual(['/nb/etl NOTEBOOK']);
    expect(await read('nb/etl')).toBe(notebook);
    expect(await client.reposGet({ repo_id: repo.id })).toEqual(repo);
    expect(await client.workspaceGetStatus({ path: root })).toMatchObject({
      object_type: 'REPO',
      object_id: repo.id,
      directory_info: { is_git_folder: true },
    });
  });

  test('both spellings of a provider, a branch at once, and the place that a folder gets by itself', async () => {
    const commit = repository.commit({ 'b.py': '2' }, 'release');

    expect(await create({ provider: 'github', branch: 'release' })).toMatchObject({
      branch: 'release',
      head_commit_id: commit,
    });
    const own = await client.reposCreate({ url: repository.url, provider: 'GITHUB' });
    expect(own.path).toBe('/Repos/admin/pipelines');
    await client.reposDelete({ repo_id: own.id });
  });

  test('an update brings the latest commit, another branch, or a tag', async () => {
    const { id } = await create();
    const second = repository.commit({ 'lib/a.py': 'A = 2\n', 'nb/etl.py': null, 'lib/new/b.py': 'B' });
    repository.tag('v1', first);

    await client.reposUpdate({ repo_id: id });
    expect(await client.reposGet({ repo_id: id })).toMatchObject({ branch: 'main', head_commit_id: second });
    expect(await read('lib/a.py')).toBe('A = 2\n');
    expect(await listed(root)).toEqual(['/README.md FILE', '/lib DIRECTORY']);
    expect(await listed(`${root}/lib/new`)).toEqual(['/lib/new/b.py FILE']);

    await client.reposUpdate({ repo_id: id, tag: 'v1' });
    const tagged = await client.reposGet({ repo_id: id });
    expect(tagged.head_commit_id).toBe(first);
    expect(tagged).not.toHaveProperty('branch');
    expect(await listed(root)).toEqual(['/README.md FILE', '/lib DIRECTORY', '/nb DIRECTORY']);
  });

  test('local changes to files that the update brings are a conflict, and nothing changes', async () => {
    const { id } = await create();
    repository.commit({ 'lib/a.py': 'A = 2\n', 'README.md': 'later', 'added.py': 'theirs' });
    await write('lib/a.py', 'A = 7\n');
    await write('added.py', 'mine');

    await expect(client.reposUpdate({ repo_id: id })).rejects.toMatchObject({
      code: 'RESOURCE_CONFLICT',
      status: 409,
      message: expect.stringMatching(/local changes would be overwritten: .*added\.py, .*lib\/a\.py/),
    });
    expect(await read('README.md')).toBe('hello');
    expect((await client.reposGet({ repo_id: id })).head_commit_id).toBe(first);

    await client.reposUpdate({ repo_id: id, dangerously_force_discard_all: true });
    expect([await read('lib/a.py'), await read('added.py')]).toEqual(['A = 2\n', 'theirs']);
  });

  test('local changes that the update does not touch stay', async () => {
    const { id } = await create();
    repository.commit({ 'README.md': 'later' });
    await write('lib/a.py', 'A = 7\n');
    await write('mine.txt', 'untracked');

    await client.reposUpdate({ repo_id: id });

    expect([await read('README.md'), await read('lib/a.py'), await read('mine.txt')]).toEqual([
      'later',
      'A = 7\n',
      'untracked',
    ]);
  });

  test('a file becomes a folder and the other way round', async () => {
    const { id } = await create();
    repository.commit({ 'README.md': null, lib: null });
    repository.commit({ 'README.md/inside.txt': 'x', lib: 'a file now' });

    await client.reposUpdate({ repo_id: id });

    expect(await listed(root)).toEqual(['/README.md DIRECTORY', '/lib FILE', '/nb DIRECTORY']);
    expect([await read('README.md/inside.txt'), await read('lib')]).toEqual(['x', 'a file now']);
  });

  test('sparse patterns keep folders out, and can be changed', async () => {
    const { id } = await create({ sparse_checkout: { patterns: ['nb'] } });
    expect(await listed(root)).toEqual(['/README.md FILE', '/nb DIRECTORY']);

    await client.reposUpdate({ repo_id: id, sparse_checkout: { patterns: ['lib'] } });

    expect(await listed(root)).toEqual(['/README.md FILE', '/lib DIRECTORY']);
    expect((await client.reposGet({ repo_id: id })).sparse_checkout).toEqual({ patterns: ['lib'] });
  });

  test('a list has pages, and a prefix', async () => {
    await create();
    await create({ path: `${root}-2` });

    const { repos } = await client.reposList({ path_prefix: `/Workspace${root}` });

    expect(repos?.map(({ path }) => path)).toEqual([root, `${root}-2`]);
    expect((await client.reposList({ path_prefix: '/nowhere' })).repos).toEqual([]);
  });

  test('a folder goes with all that is in it, by either way', async () => {
    const { id } = await create();
    await client.reposDelete({ repo_id: id });
    await expect(client.workspaceGetStatus({ path: `${root}/README.md` })).rejects.toMatchObject({
      status: 404,
    });

    const again = await create();
    await client.workspaceDelete({ path: root, recursive: true });
    await expect(client.reposGet({ repo_id: again.id })).rejects.toMatchObject({
      code: 'RESOURCE_DOES_NOT_EXIST',
    });
  });

  test.each([
    ['a branch that does not exist', { branch: 'nope' }, /has no branch nope/],
    ['an unknown provider', { provider: 'sourceforge' }, /"sourceforge" is no Git provider/],
    ['another transport', { url: 'ext::sh -c id' }, /is no URL of a Git repository/],
    [
      'a token in the URL',
      { url: 'https://me:secret@example.org/x.git' },
      /keep those with the git-credentials API/,
    ],
    ['an option', { url: '--upload-pack=touch /tmp/x' }, /is no URL/],
    ['a branch like an option', { branch: '--output=/tmp/x' }, /is no name of a branch/],
    ['a place in the middle of /Repos', { path: '/Repos/a/b/c' }, /lies at \/Repos\/<folder>\/<name>/],
    ['the folder of checkouts', { path: '/Repos/.internal/x' }, /holds the checkouts of runs/],
    ['a credential that is not there', { git_credential_id: 1 }, /Git credential 1 does not exist/],
  ])('%s is refused, and nothing is left', async (_what, more, message) => {
    await expect(create(more)).rejects.toThrow(message);
    await expect(client.workspaceGetStatus({ path: root })).rejects.toMatchObject({ status: 404 });
  });

  test('a place that is taken stays what it is', async () => {
    await create();
    await expect(create()).rejects.toMatchObject({ code: 'RESOURCE_ALREADY_EXISTS' });
    expect(await read('README.md')).toBe('hello');
  });

  test('the checkouts of runs are out of reach of the workspace API', async () => {
    await create();
    for (const path of ['/Repos/.internal', '/Workspace/Repos/.internal/x']) {
      await expect(client.workspaceMkdirs({ path })).rejects.toThrow('holds the checkouts of runs');
      await expect(client.workspaceList({ path })).rejects.toThrow('holds the checkouts of runs');
    }
    await expect(client.workspaceDelete({ path: '/Repos', recursive: true })).rejects.toMatchObject({
      status: 400,
    });
  });

  test('another principal neither sees, changes nor deletes it', async () => {
    const { id } = await create();
    const other = (await addUser(server, `eve-${count}`)).client;

    expect((await other.reposList({})).repos).toEqual([]);
    for (const call of [
      () => other.reposGet({ repo_id: id }),
      () => other.reposUpdate({ repo_id: id }),
      () => other.reposDelete({ repo_id: id }),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'PERMISSION_DENIED', status: 403 });
    }
  });
});
