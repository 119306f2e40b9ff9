/** Checkouts of some folders, as git's own cone mode has them; and files that Git LFS keeps elsewhere. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Client } from '@headrace/api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { hasGit, localGit, makeRepository, type Repository } from './support.ts';

const files = {
  'README.md': 'r',
  'nb/etl.py': '1',
  'nb/deep/er/x.py': '1',
  'nb/notes.txt': 'n',
  'lib/a.py': '1',
  'lib/sub/b.py': '1',
  'library/c.py': '1',
};
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`;

describe.skipIf(!hasGit)('sparse checkouts', () => {
  let server: TestServer;
  let client: Client;
  let repository: Repository;
  beforeAll(async () => {
    server = await startTestServer({ backend: null, config: localGit });
    client = server.client;
  });
  afterAll(() => server.dispose());
  beforeEach(() => {
    repository = makeRepository();
    return () => repository.remove();
  });

  async function checkOut(patterns?: readonly string[]) {
    const git_source = {
      ...{ git_url: repository.url, git_provider: 'gitHub', git_branch: 'main' },
      ...(patterns && { sparse_checkout: { patterns: [...patterns] } }),
    };
    const tasks = [{ task_key: 'a', spark_python_task: { python_file: 'main.py', source: 'GIT' as const } }];
    const { run_id } = await client.runsSubmit({ tasks, git_source });
    const made = await client.runGitCheckout({ run_id });
    const folder = path.join(server.stateDir, 'data/workspace', (made.path ?? '').replace('/Workspace/', ''));
    return { ...made, folder };
  }

  function listFiles(folder: string): string[] {
    return fs
      .readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .filter((name) => !name.startsWith('.git/'))
      .sort();
  }

  /** What git itself checks out. */
  function expectedFiles(patterns: readonly string[]): string[] {
    const clone = path.join(
      path.dirname(repository.folder),
      `clone-${patterns.join('-').replaceAll('/', '_')}`,
    );
    const git = (...args: string[]) => execFileSync('git', args, { stdio: 'pipe' });
    git('clone', '--quiet', '--no-checkout', repository.folder, clone);
    git('-C', clone, 'sparse-checkout', 'set', '--cone', ...patterns);
    git('-C', clone, 'checkout', '--quiet', 'main');
    return listFiles(clone);
  }

  test.each([[['nb']], [['nb/deep']], [['lib', 'nb/deep/er']], [['nowhere']]])(
    'a job with the folders %j has the files that git has',
    async (patterns) => {
      repository.commit(files);

      const { folder, state } = await checkOut(patterns);

      expect(state).toBe('ready');
      expect(listFiles(folder)).toEqual(expectedFiles(patterns));
    },
  );

  test('one commit has a checkout for each set of folders, however it is written', async () => {
    const commit = repository.commit(files);

    const whole = await checkOut();
    const some = await checkOut(['lib', 'nb']);
    const same = await checkOut(['/nb/', 'lib', 'nb']);

    expect([whole.commit, some.commit]).toEqual([commit, commit]);
    expect(listFiles(whole.folder)).toEqual(Object.keys(files).sort());
    expect(some.folder).not.toBe(whole.folder);
    expect(same.folder).toBe(some.folder);
  });

  test('a Git folder has the files that git has', async () => {
    repository.commit(files);

    const repo = await client.reposCreate({
      ...{ url: repository.url, provider: 'gitHub', path: '/Repos/sparse/a' },
      sparse_checkout: { patterns: ['lib/sub/'] },
    });

    const { objects } = await client.workspaceList({ path: `${repo.path}/lib` });
    expect(objects?.map(({ path: name }) => name.slice(repo.path.length))).toEqual(['/lib/a.py', '/lib/sub']);
    const root = await client.workspaceList({ path: repo.path });
    expect(root.objects?.map(({ path: name }) => name.slice(repo.path.length + 1))).toEqual([
      'README.md',
      'lib',
    ]);
    expect(expectedFiles(['lib/sub'])).toEqual(['README.md', 'lib/a.py', 'lib/sub/b.py']);
  });

  test.each([
    [['a/*'], '"a/\\*" is no folder'],
    [['lib'], '"nb/etl" is in none of the folders of git_source.sparse_checkout'],
  ])('the patterns %j are refused when the job is saved', async (patterns, message) => {
    const job = {
      ...{ name: 'j', tasks: [{ task_key: 'a', notebook_task: { notebook_path: 'nb/etl' } }] },
      git_source: { git_url: repository.url, git_provider: 'gitHub', sparse_checkout: { patterns } },
    };

    await expect(client.jobsCreate(job)).rejects.toThrow(new RegExp(message));
  });

  test('what is in LFS is told, each time, and of a Git folder too', async () => {
    repository.commit({
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      ...{ 'main.py': '1', 'model/a.bin': pointer, 'model/real.bin': 'small and whole' },
    });
    const warnings = [
      '1 file is kept in Git LFS, which is not fetched, so each holds only a pointer: model/a.bin',
    ];

    expect((await checkOut()).warnings).toEqual(warnings);
    expect((await checkOut()).warnings).toEqual(warnings);
    expect((await checkOut(['elsewhere'])).warnings).toBeUndefined();
    const repo = { url: repository.url, provider: 'gitHub', path: '/Repos/lfs/a' };
    const made = await client.reposCreate(repo);
    expect(made.warnings).toEqual(warnings);
    expect(await client.reposUpdate({ repo_id: made.id })).toEqual({ warnings });
  });

  test('a pointer that is only quoted is no reason to warn', async () => {
    repository.commit({ 'main.py': '1', 'docs/pointer.txt': pointer });

    expect((await checkOut()).warnings).toBeUndefined();
  });
});
