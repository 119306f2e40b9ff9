/** Git credentials, up to a Git server that wants them: real git over HTTP, answered by git's own program. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Client } from '@headrace/api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { addUser } from '../secrets/support.ts';
import { hasGit, localGit, makeRepository, type Repository } from './support.ts';

const token = 'ghp_very-secret-1';
const provider = 'gitHubEnterprise';

/** `git http-backend` behind a login. */
async function startGitServer(root: string) {
  const seen: { authorization: string | undefined; url: string }[] = [];
  const state = { redirect: false, failures: 0 };
  const server = http.createServer((request, response) => {
    const { authorization } = request.headers;
    seen.push({ authorization, url: request.url ?? '' });
    if (state.failures > 0) {
      state.failures -= 1;
      response.writeHead(503).end();
      return;
    }
    if (state.redirect) {
      response
        .writeHead(301, {
          location: `http://127.0.0.1:${(server.address() as AddressInfo).port}/elsewhere${request.url}`,
        })
        .end();
      return;
    }
    if (authorization !== `Basic ${Buffer.from(`ann:${token}`).toString('base64')}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const url = new URL(request.url ?? '', 'http://x');
    const backend = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      },
    });
    request.pipe(backend.stdin);
    const chunks: Buffer[] = [];
    backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    backend.stdout.on('end', () => {
      const whole = Buffer.concat(chunks);
      const end = whole.indexOf('\r\n\r\n');
      const headers = whole
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map((line) => line.split(': ') as [string, string]);
      const status = Number(headers.find(([name]) => name === 'Status')?.[1].slice(0, 3) ?? 200);
      response
        .writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'Status')))
        .end(whole.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    seen,
    state,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

describe.skipIf(!hasGit)('Git credentials', () => {
  let server: TestServer;
  let client: Client;
  let repository: Repository;
  let git: Awaited<ReturnType<typeof startGitServer>>;
  let url: string;

  beforeAll(async () => {
    server = await startTestServer({ backend: null, config: localGit });
    repository = makeRepository();
    repository.commit({ 'a.py': '1' });
    git = await startGitServer(path.dirname(repository.folder));
    url = `${git.url}/pipelines.git`;
  });
  afterAll(async () => {
    await git.close();
    repository.remove();
    await server.dispose();
  });
  let count = 0;
  beforeEach(async () => {
    count += 1;
    client = (await addUser(server, `ann-${count}`)).client;
    git.seen.length = 0;
  });

  const keep = (more: object = {}) =>
    client.gitCredentialsCreate({
      git_provider: provider,
      git_username: 'ann',
      personal_access_token: token,
      ...more,
    });

  test('a private repository is read with the token of its provider, and without one it is not', async () => {
    await expect(client.reposCreate({ url, provider })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('headrace git-credentials create'),
    });
    await keep();

    const repo = await client.reposCreate({ url, provider });

    expect(repo.path).toBe(`/Repos/ann-${count}/pipelines`);
    expect(git.seen.some(({ authorization }) => authorization !== undefined)).toBe(true);
  });

  test('a token of a hosted provider goes to that provider only', async () => {
    await keep({ git_provider: 'gitHub' });

    await expect(client.reposCreate({ url, provider: 'gitHub' })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    expect(git.seen.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  });

  test('a redirect is not followed, so no token goes along', async () => {
    await keep();
    git.state.redirect = true;
    try {
      await expect(client.reposCreate({ url, provider })).rejects.toThrow('leads on to another address');
    } finally {
      git.state.redirect = false;
    }
    expect(git.seen.filter((request) => request.url.startsWith('/elsewhere'))).toEqual([]);
  });

  test('a Git server that is away for a moment is asked again', async () => {
    await keep();
    git.state.failures = 2;

    await expect(client.reposCreate({ url, provider })).resolves.toHaveProperty('head_commit_id');
  });

  test('a run reads with the token of whom it runs as', async () => {
    await keep();
    const git_source = { git_url: url, git_provider: provider, git_branch: 'main' };
    const tasks = [{ task_key: 'a', spark_python_task: { python_file: 'a.py', source: 'GIT' as const } }];
    const { run_id } = await client.runsSubmit({ tasks, git_source });

    expect(await client.runGitCheckout({ run_id })).toMatchObject({ state: 'ready' });
  });

  test('the token is shown by nothing: no answer, no row, no audit, no file, no log', async () => {
    const made = await keep({ name: 'mine' });
    const shown = [
      made,
      await client.gitCredentialsGet({ credential_id: made.credential_id }),
      await client.gitCredentialsList({}),
    ];
    await client.reposCreate({ url, provider });

    expect(made).toEqual({
      credential_id: made.credential_id,
      git_provider: provider,
      git_username: 'ann',
      name: 'mine',
      is_default_for_provider: true,
    });
    expect(JSON.stringify(shown)).not.toContain(token);
    const { db } = server.services;
    for (const table of ['git_credentials', 'audit_events', 'git_folders', 'run_git_commits']) {
      const rows = await db.query<{ row: string }>({
        name: `scan-${table}`,
        text: `select t::text as row from ${table} t`,
        values: [],
      });
      expect(rows.map(({ row }) => row).join()).not.toContain(token);
      expect(rows.map(({ row }) => row).join()).not.toContain(Buffer.from(token).toString('hex'));
    }
    for (const file of fs.readdirSync(server.stateDir, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const content = fs.readFileSync(path.join(file.parentPath, file.name));
      expect(
        content.includes(token) || content.includes(Buffer.from(`ann:${token}`).toString('base64')),
      ).toBe(false);
    }
  });

  test('one credential is the default of its provider; an update changes only what it names', async () => {
    const first = await keep();
    const second = await keep({ is_default_for_provider: true, git_username: 'bob' });

    expect(
      (await client.gitCredentialsGet({ credential_id: first.credential_id })).is_default_for_provider,
    ).toBe(false);
    await client.gitCredentialsUpdate({
      credential_id: second.credential_id,
      git_provider: provider,
      git_username: 'ann',
    });
    expect((await client.reposCreate({ url, provider })).head_commit_id).toBeDefined();
    await client.gitCredentialsDelete({ credential_id: first.credential_id });
    expect((await client.gitCredentialsList({})).credentials).toHaveLength(1);
    await expect(client.gitCredentialsDelete({ credential_id: first.credential_id })).rejects.toMatchObject({
      status: 404,
    });
  });

  test('another principal finds nothing of it, and may not ask for it by its owner', async () => {
    const { credential_id } = await keep();
    const owner = await addUser(server, `owner-${count}`);
    const other = (await addUser(server, `eve-${count}`)).client;

    expect((await other.gitCredentialsList({})).credentials).toEqual([]);
    for (const call of [
      () => other.gitCredentialsGet({ credential_id }),
      () => other.gitCredentialsUpdate({ credential_id, git_provider: provider, git_username: 'eve' }),
      () => other.gitCredentialsDelete({ credential_id }),
      () => other.reposCreate({ url, provider, git_credential_id: credential_id }),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' });
    }
    await expect(other.gitCredentialsList({ principal_id: owner.id })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
  });

  test.each([
    ['an unknown provider', { git_provider: 'svn' }, /"svn" is no Git provider/],
    ['a token with a line break', { personal_access_token: 'a\r\nX-Evil: 1' }, /personal_access_token/],
    ['a user with a colon', { git_username: 'a:b' }, /git_username/],
  ])('%s is refused', async (_what, more, message) => {
    const error = await keep(more).catch((caught) => caught);

    expect(error).toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('X-Evil');
  });
});
