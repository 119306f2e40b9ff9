// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { type Client, createClient } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { aJob, base64, commit, deploy, lock, newRequestId, root, sha256, upload } from './deployment.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ config: { bundleVersionsKept: 3 } });
});
afterAll(() => server.dispose());

const place = { state_path: `${root}/state`, target: 'dev' };

async function readText(target: string): Promise<string> {
  const { bytes } = await server.client.workspaceExport({ path: target, direct_download: true });
  return Buffer.from(bytes).toString('utf8');
}

/** Each test begins with a deployment that has nothing. */
async function destroyAll(): Promise<void> {
  const { deployment_id, fence } = await lock(server.client, { force: true });
  await server.client.bundlesDestroy({ deployment_id, fence, folders: [root] });
}

test('files, notebooks and jobs are there with the version, and jobs that are made know each other', async () => {
  await destroyAll();
  const after = aJob('after', {
    tasks: [{ task_key: 'run', run_job_task: { job_id: '${resources.jobs.daily.id}' } }],
  });

  const made = await deploy(server.client, {
    files: { 'daily.py': 'print(1)', 'src/load.py': '# Databricks notebook source\nprint(2)' },
    more: { resources: [aJob('daily'), after], git: { branch: 'main', commit: 'abc' } },
  });

  expect(made).toMatchObject({ version: 1, changes: { created: 2, files_put: 2 } });
  const job = await server.client.jobsGet({ job_id: made.job_ids['jobs.after'] ?? 0 });
  expect(job.settings.tasks?.[0]?.run_job_task?.job_id).toBe(made.job_ids['jobs.daily']);
  expect(await readText(`${root}/files/src/load`)).toContain('print(2)');
  const { current } = await server.client.bundlesGet(place);
  expect(current).toMatchObject({
    version: 1,
    created_by: 'admin',
    git: { commit: 'abc' },
    is_current: true,
  });
});

test('a version that does not pass leaves every job and file as it was', async () => {
  await destroyAll();
  const first = await deploy(server.client, {
    files: { 'a.py': 'old', 'gone.py': 'gone' },
    more: { resources: [aJob('daily')] },
  });
  const id = String(first.job_ids['jobs.daily']);
  const wrong = aJob('wrong', { tasks: [{ task_key: 'x', depends_on: [{ task_key: 'nobody' }] }] });
  const changed = { ...aJob('daily', { timeout_seconds: 7 }), action: 'update' as const, id };

  const refused = deploy(server.client, {
    files: { 'a.py': 'new', 'b.py': 'more' },
    more: { resources: [changed, wrong] },
  });

  await expect(refused).rejects.toMatchObject({ message: expect.stringContaining('jobs.wrong') });
  expect((await server.client.jobsGet({ job_id: Number(id) })).settings.timeout_seconds).toBeUndefined();
  expect(await readText(`${root}/files/a.py`)).toBe('old');
  expect(await readText(`${root}/files/gone.py`)).toBe('gone');
  expect((await server.client.bundlesGet(place)).current_version).toBe(1);
});

test('what left the version leaves the workspace, with folders that are empty without it', async () => {
  await destroyAll();
  const first = await deploy(server.client, {
    files: { 'a.py': 'a', 'deep/er/b.py': 'b' },
    more: { resources: [aJob('daily')] },
  });

  await deploy(server.client, {
    files: { 'a.py': 'a' },
    more: { delete_jobs: [first.job_ids['jobs.daily'] ?? 0] },
  });

  await expect(server.client.workspaceGetStatus({ path: `${root}/files/deep` })).rejects.toMatchObject({
    code: 'RESOURCE_DOES_NOT_EXIST',
  });
  expect(await readText(`${root}/files/a.py`)).toBe('a');
  await expect(server.client.jobsGet({ job_id: first.job_ids['jobs.daily'] ?? 0 })).rejects.toThrow(
    'does not exist',
  );
});

test('a commit whose answer was lost is done once', async () => {
  await destroyAll();
  const { deployment_id, fence } = await lock(server.client);
  const again = { request_id: newRequestId(), resources: [aJob('daily')] };
  const under = { deployment_id, fence, expected_version: 0 };

  const first = await commit(server.client, under, { more: again });
  const second = await commit(server.client, under, { more: again });

  expect(second).toEqual(first);
  expect((await server.client.bundlesListVersions({ deployment_id })).versions).toHaveLength(1);
});

test('a lock names its holder, and whoever lost it commits nothing', async () => {
  await destroyAll();
  const mine = await lock(server.client);
  await expect(lock(server.client)).rejects.toMatchObject({
    code: 'RESOURCE_CONFLICT',
    message: expect.stringMatching(/locked by admin on laptop \(bundle deploy\) since \d+ s ago/),
  });

  const theirs = await lock(server.client, { force: true });

  expect(theirs.taken_from?.holder).toMatchObject({ user_name: 'admin', machine: 'laptop' });
  const { deployment_id } = mine;
  const late = commit(server.client, { deployment_id, fence: mine.fence, expected_version: 0 }, {});
  await expect(late).rejects.toMatchObject({ code: 'RESOURCE_CONFLICT' });
  await expect(server.client.bundlesRenewLock({ deployment_id, fence: mine.fence })).rejects.toMatchObject({
    message: expect.stringContaining('taken over by admin'),
  });
  await server.client.bundlesUnlock({ deployment_id, fence: mine.fence });
  expect((await server.client.bundlesGet(place)).lock?.fence).toBe(theirs.fence);
});

test('a holder who falls silent loses the lock by the clock of the database', async () => {
  await destroyAll();
  const { deployment_id } = await lock(server.client);
  await server.database.pool.query(
    'update bundle_deployments set lock_heard_ms = lock_heard_ms - 31000 where deployment_id = $1',
    [deployment_id],
  );

  const taken = await lock(server.client);

  expect(taken.taken_from).toBeDefined();
});

test('of two who planned on the same version, one plans again', async () => {
  await destroyAll();
  await deploy(server.client, { files: { 'a.py': 'a' } });
  const { deployment_id, fence } = await lock(server.client, { force: true });

  const late = commit(server.client, { deployment_id, fence, expected_version: 0 }, {});

  await expect(late).rejects.toMatchObject({ message: expect.stringContaining('at version 1 by now') });
});

test('what somebody changed by hand is put right with the next version', async () => {
  await destroyAll();
  await deploy(server.client, { files: { 'a.py': 'a', 'b.py': 'b' } });
  const file = { path: `${root}/files/a.py`, content: base64('edited'), format: 'RAW' as const };
  await server.client.workspaceImport({ ...file, overwrite: true });

  await deploy(server.client, { files: { 'a.py': 'a', 'b.py': 'changed' } });

  expect(await readText(`${root}/files/a.py`)).toBe('a');
});

test('versions beyond those kept go with the contents that only they have', async () => {
  await destroyAll();
  for (const text of ['1', '2', '3', '4']) await deploy(server.client, { files: { 'a.py': text } });
  const { deployment_id } = await server.client.bundlesGet(place);

  const { versions } = await server.client.bundlesListVersions({ deployment_id });
  const hashes = ['1', '2', '3', '4'].map(sha256);

  expect(versions.map(({ version }) => version)).toEqual([4, 3, 2]);
  expect((await server.client.bundlesFindMissing({ deployment_id, hashes })).missing).toEqual([sha256('1')]);
  await expect(server.client.bundlesGetVersion({ deployment_id, version: 1 })).rejects.toThrow('is not kept');
});

test('a run says which version it ran', async () => {
  await destroyAll();
  const first = await deploy(server.client, {
    files: { 'daily.py': 'print(1)' },
    more: { resources: [aJob('daily')] },
  });
  const jobId = first.job_ids['jobs.daily'] ?? 0;
  const kept = { ...aJob('daily'), action: 'keep' as const, id: String(jobId) };
  const before = await server.client.jobsRunNow({ job_id: jobId });
  await waitUntil('it ends', async () => (await server.client.runsGet(before)).end_time > 0, 20_000);

  // The job is as it was; what it runs is not.
  await deploy(server.client, { files: { 'daily.py': 'print(2)' }, more: { resources: [kept] } });
  const after = await server.client.jobsRunNow({ job_id: jobId });

  const versionOf = async (run: { run_id: number }) =>
    (await server.client.runsGet({ run_id: run.run_id })).headrace?.deployment?.version;
  expect([await versionOf(before), await versionOf(after)]).toEqual([1, 2]);
});

test('a file comes where a folder was, and a folder where a file was', async () => {
  await destroyAll();
  const within = { 'mod.py/load.py': 'within' };
  await deploy(server.client, { files: within });
  await deploy(server.client, { files: { 'mod.py': 'a file' } });
  expect(await readText(`${root}/files/mod.py`)).toBe('a file');
  await deploy(server.client, { files: within });
  expect(await readText(`${root}/files/mod.py/load.py`)).toBe('within');

  // The folder goes first, and the file comes later.
  await deploy(server.client, { files: {} });
  await deploy(server.client, { files: { 'mod.py': 'a file' } });

  expect(await readText(`${root}/files/mod.py`)).toBe('a file');
});

test('a file does not replace a folder in which somebody has a file', async () => {
  await destroyAll();
  await deploy(server.client, { files: { 'mod.py/load.py': 'within' } });
  const theirs = {
    path: `${root}/files/mod.py/theirs.py`,
    content: base64('theirs'),
    format: 'RAW' as const,
  };
  await server.client.workspaceImport(theirs);

  const refused = deploy(server.client, { files: { 'mod.py': 'a file' } });

  await expect(refused).rejects.toMatchObject({ message: expect.stringContaining('is a folder') });
  expect(await readText(theirs.path)).toBe('theirs');
  expect(await readText(`${root}/files/mod.py/load.py`)).toBe('within');
});

test('contents that are not what they are called, or are not there, are refused', async () => {
  await destroyAll();
  const { deployment_id, fence } = await lock(server.client);
  const under = { deployment_id, fence };
  const wrong = [{ hash: sha256('a'), content: base64('b') }];

  await expect(server.client.bundlesPutContents({ ...under, contents: wrong })).rejects.toMatchObject({
    message: expect.stringContaining('another hash'),
  });
  const missing = commit(server.client, { ...under, expected_version: 0 }, { files: { 'a.py': 'a' } });
  await expect(missing).rejects.toMatchObject({ message: expect.stringContaining('upload them first') });
});

async function signInAs(name: string): Promise<Client> {
  const { pool } = server.database;
  await pool.query(
    `insert into principals (id, user_name, display_name, kind, is_admin, created_at_ms)
     values (5, $1, $1, 'user', false, 0)`,
    [name],
  );
  await pool.query(
    `insert into tokens (id, principal_id, kind, comment, hash, created_at_ms)
     values ('theirs', 5, 'personal', '', sha256('hrp_theirs'), 0)`,
  );
  return createClient({ baseUrl: server.url, token: 'hrp_theirs' });
}

test('nobody deploys into the home folder of somebody else', async () => {
  await destroyAll();
  const client = await signInAs('bob');
  const mine = await lock(server.client);
  const theirs = { deployment_id: mine.deployment_id, fence: mine.fence };
  await expect(client.bundlesUnlock(theirs)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });

  await expect(lock(client)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  const shared = { state_path: '/Shared/shop/state' };
  const held = await lock(client, shared);
  const under = { deployment_id: held.deployment_id, fence: held.fence };
  await upload(client, under, { 'a.py': 'a' });
  const elsewhere = commit(client, { ...under, expected_version: 0 }, { files: { 'a.py': 'a' } });
  await expect(elsewhere).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});

test('destroying takes jobs, files, versions and contents', async () => {
  await destroyAll();
  const made = await deploy(server.client, { files: { 'a.py': 'a' }, more: { resources: [aJob('daily')] } });
  const { deployment_id, fence } = await lock(server.client, { force: true });

  const destroyed = await server.client.bundlesDestroy({ deployment_id, fence, folders: [root] });

  expect(destroyed).toEqual({ deleted_jobs: [made.job_ids['jobs.daily']], deleted_folders: [root] });
  await expect(server.client.bundlesGet(place)).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' });
  await expect(server.client.workspaceGetStatus({ path: root })).rejects.toThrow("doesn't exist");
});
