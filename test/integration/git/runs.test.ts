/** Runs whose code is in Git, as their tasks see it: one commit for a run, one checkout for all. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Client } from '@headrace/api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { addUser } from '../secrets/support.ts';
import { hasGit, localGit, makeRepository, type Repository } from './support.ts';

const task = { task_key: 'a', notebook_task: { notebook_path: 'nb/etl' } };

describe.skipIf(!hasGit)('runs from Git', () => {
  let server: TestServer;
  let client: Client;
  let repository: Repository;
  let first: string;

  beforeAll(async () => {
    // No worker: the test asks in place of the tasks.
    server = await startTestServer({ backend: null, config: localGit });
    client = server.client;
  });
  afterAll(() => server.dispose());
  beforeEach(() => {
    repository = makeRepository();
    first = repository.commit({ 'nb/etl.py': '1' });
    return () => repository.remove();
  });

  const source = (more: object = { git_branch: 'main' }) => ({
    git_url: repository.url,
    git_provider: 'gitHub',
    ...more,
  });
  const submit = async (more?: object) =>
    (await client.runsSubmit({ tasks: [task], git_source: source(more) })).run_id;
  const checkOut = (run_id: number) => client.runGitCheckout({ run_id });
  const folderOf = (shown: string | undefined) =>
    path.join(server.stateDir, 'data/workspace', (shown ?? '').replace('/Workspace/', ''));

  test('the commit of a branch is fixed when a task first needs it, and shown by the run', async () => {
    const runId = await submit();
    const before = await client.runsGet({ run_id: runId });
    const second = repository.commit({ 'nb/etl.py': '2' });

    const checkout = await checkOut(runId);
    repository.commit({ 'nb/etl.py': '3' });
    const again = await checkOut(runId);

    expect(before.git_source).toEqual(source());
    expect(checkout).toMatchObject({ state: 'ready', commit: second });
    expect(again).toEqual(checkout);
    expect(fs.readFileSync(path.join(folderOf(checkout.path), 'nb/etl.py'), 'utf8')).toBe('2');
    const run = await client.runsGet({ run_id: runId });
    expect(run.git_source).toMatchObject({ git_branch: 'main', git_snapshot: { used_commit: second } });
    expect(run.tasks?.[0]?.git_source?.git_snapshot).toEqual({ used_commit: second });
    const { runs } = await client.runsList({ expand_tasks: true });
    expect(runs?.[0]?.git_source?.git_snapshot).toEqual({ used_commit: second });
  });

  test('what a run has looked up it never asks for again, though the repository be gone', async () => {
    const runId = await submit();
    const checkout = await checkOut(runId);
    repository.remove();

    expect(await checkOut(runId)).toEqual(checkout);
  });

  test('a repair uses the commit of its run, although the branch has moved', async () => {
    const { job_id } = await client.jobsCreate({ name: 'j', tasks: [task], git_source: source() });
    const { run_id } = await client.jobsRunNow({ job_id });
    await checkOut(run_id);
    await client.runsCancel({ run_id });
    repository.commit({ 'nb/etl.py': '2' });

    await client.runsRepair({ run_id, rerun_tasks: ['a'] });

    expect(await checkOut(run_id)).toMatchObject({ commit: first });
    const next = await client.jobsRunNow({ job_id });
    expect((await checkOut(next.run_id)).commit).not.toBe(first);
  });

  test('runs at once share one checkout', async () => {
    const ids = await Promise.all([submit(), submit(), submit()]);

    const made = await Promise.all(ids.flatMap((id) => [checkOut(id), checkOut(id)]));

    expect(new Set(made.map(({ path: shown }) => shown)).size).toBe(1);
    expect(fs.readdirSync(path.dirname(folderOf(made[0]?.path)))).toEqual([first]);
  });

  test('a tag and a commit are taken, and a run that names neither gets the default branch', async () => {
    repository.tag('v1', first);
    repository.commit({ 'nb/etl.py': '2' });

    expect((await checkOut(await submit({ git_tag: 'v1' }))).commit).toBe(first);
    expect((await checkOut(await submit({ git_commit: first }))).commit).toBe(first);
    expect((await checkOut(await submit({}))).commit).not.toBe(first);
  });

  test('what cannot be read fails with the name of what is missing', async () => {
    const nothing = await checkOut(await submit({ git_branch: 'nope' }));
    const nowhere = await checkOut(await submit({ git_url: 'file:///nowhere/x.git' }));

    expect(nothing).toMatchObject({ state: 'failed', message: `${repository.url} has no branch nope` });
    expect(nowhere).toMatchObject({
      state: 'failed',
      message: expect.stringContaining('file:///nowhere/x.git does not exist'),
    });
  });

  test('another principal gets no checkout', async () => {
    const other = (await addUser(server, 'mallory')).client;

    await expect(other.runGitCheckout({ run_id: await submit() })).rejects.toMatchObject({
      code: 'RESOURCE_DOES_NOT_EXIST',
    });
  });

  test.each([
    [
      'an absolute path',
      { tasks: [{ ...task, notebook_task: { notebook_path: '/a' } }] },
      /"\/a" must be a path in the repository/,
    ],
    ['a way out', { tasks: [{ ...task, notebook_task: { notebook_path: 'a/../../b' } }] }, /without "\.\."/],
    [
      'GIT without a source',
      {
        git_source: undefined,
        tasks: [{ task_key: 'a', spark_python_task: { python_file: 'a.py', source: 'GIT' } }],
      },
      /has source GIT, and the job has no git_source/,
    ],
    [
      'branch and tag',
      {
        git_source: {
          git_url: 'https://example.org/x',
          git_provider: 'gitHub',
          git_branch: 'a',
          git_tag: 'b',
        },
      },
      /given are branch and tag/,
    ],
    [
      'an unknown provider',
      { git_source: { git_url: 'https://example.org/x', git_provider: 'svn' } },
      /git_source.git_provider: "svn"/,
    ],
    [
      'a transport that runs programs',
      { git_source: { git_url: 'ext::sh -c id', git_provider: 'gitHub' } },
      /git_source.git_url: is no URL/,
    ],
    [
      'a commit that is none',
      { git_source: { git_url: 'https://example.org/x', git_provider: 'gitHub', git_commit: 'HEAD' } },
      /"HEAD" is no commit/,
    ],
  ])('%s is refused when the job is saved', async (_what, more, message) => {
    const settings = { name: 'j', tasks: [task], git_source: source(), ...more };

    await expect(client.jobsCreate(settings as never)).rejects.toThrow(message);
  });

  test('workspace files are read as ever beside a Git source', async () => {
    const tasks = [
      { task_key: 'w', notebook_task: { notebook_path: '/Shared/x', source: 'WORKSPACE' as const } },
      { task_key: 'p', spark_python_task: { python_file: '/Shared/x.py' } },
    ];

    await expect(client.jobsCreate({ name: 'j', tasks, git_source: source() })).resolves.toHaveProperty(
      'job_id',
    );
  });
});

test.skipIf(!hasGit)('a server that stops ends its git, and the task is told to ask again', async () => {
  const repository = makeRepository('slow');
  repository.commit({ 'a.py': '1' });
  const server = await startTestServer({ backend: null, config: localGit });
  // A Git server that takes the request and says nothing.
  const silent = net.createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as net.AddressInfo;
  const { run_id } = await server.client.runsSubmit({
    tasks: [task],
    git_source: { git_url: `http://127.0.0.1:${port}/x.git`, git_provider: 'gitHub', git_branch: 'main' },
  });
  const reached = new Promise((resolve) => silent.once('connection', resolve));
  const asked = server.client.runGitCheckout({ run_id });
  await reached;

  await server.dispose();

  expect(await asked).toEqual({ state: 'waiting' });
  silent.close();
  repository.remove();
});
