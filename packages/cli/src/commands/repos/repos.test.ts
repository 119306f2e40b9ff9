import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Repo } from '@headrace/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import { type StubHandlers, type StubServer, startStubServer } from '../../testing/stub-server.ts';

const repo: Repo = {
  id: 7,
  path: '/Repos/ann/pipelines',
  url: 'https://git.example/pipelines',
  provider: 'gitHub',
  branch: 'main',
  head_commit_id: 'a'.repeat(40),
};

let stub: StubServer;
let sent: unknown[];
let folder: string;
beforeEach(async () => {
  sent = [];
  folder = await mkdtemp(path.join(os.tmpdir(), 'headrace-repos-cli-'));
  const keep = async (request: unknown) => {
    sent.push(request);
    return repo;
  };
  const handlers: StubHandlers = {
    reposCreate: keep,
    reposGet: async () => repo,
    reposList: async ({ next_page_token }) =>
      next_page_token === ''
        ? { repos: [{ ...repo, path: '/Repos/ann/pipe' }], next_page_token: 'more' }
        : { repos: [repo] },
    reposUpdate: keep,
    reposDelete: keep,
    gitCredentialsCreate: async (request) => {
      sent.push(request);
      return { credential_id: 9, git_provider: 'gitHub' };
    },
    gitCredentialsList: async () => ({
      credentials: [{ credential_id: 9, git_provider: 'gitHub', git_username: 'ann' }],
    }),
  };
  stub = await startStubServer(handlers);
});
afterEach(async () => {
  stub.close();
  await rm(folder, { recursive: true });
});

const headrace = (...args: string[]) =>
  callCli(args, { environment: { HEADRACE_HOST: stub.url, HEADRACE_TOKEN: 't' }, folder });

test('a Git folder is made as its options say, and shown', async () => {
  const { stdout, exitCode } = await headrace(
    ...['repos', 'create', repo.url, 'github', '--branch', 'main', '--sparse', 'a', '--sparse', 'b/c'],
  );

  expect(exitCode).toBe(0);
  expect(sent).toEqual([
    { url: repo.url, provider: 'github', branch: 'main', sparse_checkout: { patterns: ['a', 'b/c'] } },
  ]);
  expect(stdout).toContain('/Repos/ann/pipelines');
});

test('it is found by its path, on a later page too, and updated', async () => {
  const { exitCode } = await headrace('repos', 'update', '/Workspace/Repos/ann/pipelines/', '--tag', 'v1');

  expect(exitCode).toBe(0);
  expect(sent).toEqual([{ repo_id: 7, tag: 'v1', dangerously_force_discard_all: false }]);
});

test('local changes are lost, and a folder is deleted, only when somebody agrees', async () => {
  for (const args of [
    ['update', '7', '--discard-local-changes'],
    ['delete', '7'],
  ]) {
    const { exitCode, stderr } = await headrace('repos', ...args);
    expect([exitCode, sent.length]).toEqual([2, 0]);
    expect(stderr).toContain('--auto-approve');
  }
  expect((await headrace('repos', 'delete', '7', '--auto-approve')).stdout).toBe(
    'Git folder /Repos/ann/pipelines is deleted\n',
  );
});

test('a folder that is not there is exit code 3', async () => {
  expect(await headrace('repos', 'get', '/Repos/ann/none')).toMatchObject({ exitCode: 3 });
});

test('a token is read from a file, and never from the command line', async () => {
  await writeFile(path.join(folder, 'token'), 'ghp_1\n');

  const made = await headrace(
    'git-credentials',
    'create',
    'gitHub',
    '--username',
    'ann',
    '--token-file',
    'token',
  );
  const missing = await headrace('git-credentials', 'create', 'gitHub', '--token-file', 'none');
  const { stdout: help } = await headrace('git-credentials', 'create', '--help');

  expect(made.stdout).toBe('Git credential 9 is kept\n');
  expect(sent).toEqual([{ git_provider: 'gitHub', git_username: 'ann', personal_access_token: 'ghp_1' }]);
  expect(missing).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('none cannot be read (ENOENT)'),
  });
  expect(help).not.toContain('--token ');
  expect((await headrace('git-credentials', 'list')).stdout).toContain('ann');
});
