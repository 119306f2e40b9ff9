import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ApiError, createClient, type JobSettings } from '@headrace/api';
import { aFakeWorkspace } from '@headrace/bundle/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CliContext } from '../../cli-context.ts';
import { callCli } from '../../testing/call-cli.ts';
import {
  aRun,
  type StubHandlers,
  type StubServer,
  startStubServer,
  succeeded,
} from '../../testing/stub-server.ts';

const bundleText = `bundle:
  name: demo
targets:
  dev: { default: true }
  prod: {}
variables:
  hue: { default: blue }
resources:
  jobs:
    main:
      name: main \${var.hue}
      tasks:
        - task_key: hello
          notebook_task: { notebook_path: ./hello.py }
`;

let folder: string;
let server: StubServer;
let files: Map<string, Buffer>;
let jobs: Map<number, JobSettings>;
let isRunning: boolean;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'headrace-bundle-'));
  await mkdir(path.join(folder, 'sub'));
  await writeFile(path.join(folder, 'databricks.yml'), bundleText);
  await writeFile(path.join(folder, 'hello.py'), '# Databricks notebook source\nprint("hello")\n');
  server = await startWorkspace();
});

afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

/** A workspace in memory behind the contract's own routes: as much as a deployment asks for. */
function startWorkspace(workspace = aFakeWorkspace(), more: StubHandlers = {}): Promise<StubServer> {
  ({ files, jobs } = workspace);
  isRunning = true;
  return startStubServer({
    // Its client answers as a server's handlers do.
    ...(workspace.client as unknown as StubHandlers),
    currentUserMe: async () => ({ id: '1', userName: 'me@example.com', active: true }),
    jobsRunNow: async () => ({ run_id: 7 }),
    runsList: async () => ({ runs: isRunning ? [aRun()] : [], has_more: false }),
    workspaceGetStatus: async ({ path: place }) => {
      if (!files.has(place)) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `${place} does not exist`);
      return { path: place, object_type: 'NOTEBOOK', language: 'PYTHON', object_id: 1 };
    },
    runsCancelAll: async () => {
      isRunning = false;
      return {};
    },
    runsGet: async () => ({ ...aRun(), headrace: { deployment: { deployment_id: 1, version: 1 } } }),
    runEvents: async () =>
      (async function* () {
        yield { version: 1, run_id: 7, at_ms: 0, ...succeeded, tasks: [], ended: true };
      })(),
    ...more,
  });
}

function call(args: readonly string[], world: Partial<CliContext> = {}) {
  const environment = { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't', PATH: process.env.PATH ?? '' };
  return callCli(['bundle', ...args], { environment, folder, ...world });
}

test('deploy, run, change, destroy', async () => {
  const first = await call(['deploy', '--var', 'hue=green']);
  expect(first.stderr).toMatch(/created jobs.main "main green", id 1001/);
  expect(first).toMatchObject({ exitCode: 0, stdout: 'deployed: bundle demo, target dev, 1 job\n' });

  expect((await call(['deploy', '--var', 'hue=green'])).stdout).toContain('no changes: bundle demo');
  expect((await call(['plan'])).stdout).toContain(
    '~ update jobs.main "main blue", id 1001\n    ~ name: "main green" → "main blue"',
  );
  expect((await call(['summary'])).stdout).toMatch(
    /version +1, .* by jane.*jobs.main +main blue +1001 +deployed +http/s,
  );

  const ran = await call(['run']);
  expect(ran).toMatchObject({ exitCode: 0 });
  expect(ran.stdout).toContain('run 7 succeeded');

  const destroyed = await call(['destroy', '--auto-approve']);
  expect(destroyed.stdout).toContain('deleted jobs.main');
  expect({ files: files.size, jobs: jobs.size }).toEqual({ files: 0, jobs: 0 });
});

test('generate job says how its file becomes a part of the bundle, and overwrites nothing', async () => {
  await call(['deploy']);
  await writeFile(path.join(folder, 'databricks.yml'), 'bundle: {name: demo}\n');

  const [generate, id] = [['generate', 'job', '--key', 'old', '--existing-job-id'], '1001'];
  const first = await call([...generate, id]);
  const second = await call([...generate, id]);

  expect(first).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^resources\/old.job.yml\nsrc\/hello.py\n/),
    stderr: expect.stringContaining('write `include: [resources/*.yml]` in databricks.yml'),
  });
  expect(second).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('resources/old.job.yml:1:1: exists already; nothing was written'),
  });
  expect(await call([...generate, '77'])).toMatchObject({
    stderr: expect.stringContaining('there is no job 77'),
  });
});

test('generate deploy writes what a deploy would send, and is no part of the next one', async () => {
  await call(['deploy']);
  const generated = await call(['generate', 'deploy']);
  const gone = path.join(folder, 'generated/dev/jobs/gone.json');
  await writeFile(gone, '');
  await call(['generate', 'deploy']);

  expect(generated).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('nothing was deployed') });
  const written = await readFile(path.join(folder, 'generated/dev/jobs/main.json'), 'utf8');
  expect(JSON.parse(written)).toMatchObject({ name: 'main blue' });
  await expect(readFile(gone)).rejects.toThrow('ENOENT');
  expect((await call(['plan'])).stdout).toContain('nothing to do');
});

test('generate deploy removes no folder that it did not make', async () => {
  await mkdir(path.join(folder, 'mine/dev'), { recursive: true });
  for (const file of ['bundle.json', 'notes.txt']) await writeFile(path.join(folder, 'mine/dev', file), '{}');

  expect(await call(['generate', 'deploy', '--output-dir', 'mine'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('holds files that this command did not write'),
  });
  for (const file of ['bundle.json', 'notes.txt'])
    expect(await readFile(path.join(folder, 'mine/dev', file), 'utf8')).toBe('{}');
});

test('open shows the page of a job, and says when there is none', async () => {
  const shown: string[] = [];
  const world = { openPage: async (url: string) => shown.push(url) > 0 };
  expect(await call(['open', 'main'], world)).toMatchObject({ exitCode: 3, stdout: '' });
  await call(['deploy']);

  const url = `${server.url}/jobs/1001`;
  expect((await call(['open', 'main'], world)).stdout).toBe(`${url}\n`);
  expect((await call(['open', '--url-only'], world)).stdout).toBe(`${url}\n`);
  expect(await call(['open', 'mian'], world)).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('its resources are jobs.main'),
  });
  expect(shown).toEqual([url]);
});

test('an earlier version comes back, and the history tells', async () => {
  await call(['deploy', '--var', 'hue=green', '-m', 'first try']);
  await call(['deploy']);

  const back = await call(['rollback']);

  expect(back.stdout).toBe('bundle demo, target dev, is as version 1 was; this is version 3\n');
  expect([...jobs.values()].map(({ name }) => name)).toEqual(['main green']);
  const history = await call(['history']);
  expect(
    history.stdout
      .split('\n')
      .slice(1, 4)
      .map((line) => line.slice(0, 1)),
  ).toEqual(['3', '2', '1']);
  expect((await call(['history', '--run-id', '7', '-o', 'json'])).stdout).toContain('first try');
});

test('a lock that somebody holds is named, and taken over when asked for', async () => {
  await lockElsewhere();

  const refused = await call(['deploy']);
  const taken = await call(['deploy', '--force-lock']);

  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is locked by jane') });
  expect(taken).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('deployed') });
});

test('a Ctrl-C gives the lock back', async () => {
  server.close();
  const interruption = new AbortController();
  const workspace = aFakeWorkspace();
  server = await startWorkspace(workspace, {
    bundlesFindMissing: async ({ hashes }) => {
      interruption.abort('SIGINT');
      return { missing: hashes };
    },
  });

  const broken = await call(['deploy'], { interrupted: interruption.signal });

  expect(broken.exitCode).toBe(130);
  expect((await call(['deploy'])).exitCode).toBe(0);
});

function lockElsewhere() {
  const client = createClient({ baseUrl: server.url, token: 't' });
  const place = { state_path: '/state', target: 'dev', bundle: 'demo' };
  return client.bundlesLock({ ...place, request_id: 'somebody-else' });
}

test('with --fail-on-active-runs a job that runs is not changed', async () => {
  await call(['deploy']);

  const refused = await call(['deploy', '--fail-on-active-runs', '--var', 'hue=red']);

  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('has run 7') });
  expect([...jobs.values()].map(({ name }) => name)).toEqual(['main blue']);
});

test('with --restart runs under way are cancelled, and ended, before the next one starts', async () => {
  await call(['deploy']);
  server.calls.length = 0;

  const ran = await call(['run', '--restart', '--no-wait']);

  expect(ran).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('cancelling run 7') });
  expect(
    server.calls.map((line) => line.split('/').at(-1)).filter((name) => /list|all|now/.test(name ?? '')),
  ).toEqual(['list', 'cancel-all', 'list', 'run-now']);
});

test('what would be deleted without anybody to ask is refused', async () => {
  await call(['deploy']);
  await writeFile(path.join(folder, 'databricks.yml'), bundleText.replace('    main:', '    other:'));

  const refused = await call(['deploy']);

  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--auto-approve') });
  expect((await call(['deploy', '--auto-approve'])).exitCode).toBe(0);
  expect(jobs.size).toBe(1);
});

test('problems are printed as file:line:column, and nothing is sent', async () => {
  await writeFile(path.join(folder, 'databricks.yml'), bundleText.replace('./hello.py', './gone.py'));

  const called = await call(['deploy']);

  expect(called.exitCode).toBe(2);
  expect(called.stderr).toMatch(/^error: databricks\.yml:14:43: .*gone\.py/);
  expect(called.stderr).toContain('error: the bundle has 1 error\n');
  expect(server.calls.filter((line) => !line.endsWith('/Me'))).toEqual([]);
});

test('validate works without a server', async () => {
  server.close();

  const called = await call(['validate', '-o', 'json']);

  expect(called.exitCode).toBe(0);
  expect(called.stderr).toContain('no server to ask who you are');
  expect(JSON.parse(called.stdout).resources.jobs.main.name).toBe('main blue');
});

test('a bundle written for another server is deployed to the one in use, with a warning', async () => {
  await writeFile(
    path.join(folder, 'databricks.yml'),
    `${bundleText}workspace: { host: "https://elsewhere" }\n`,
  );

  const called = await call(['deploy']);

  expect(called.exitCode).toBe(0);
  expect(called.stderr).toContain(
    `warning: the bundle names https://elsewhere; the server in use is ${server.url}`,
  );
});

test('destroy asks first: a person may decline, and without one it needs --auto-approve', async () => {
  await call(['deploy']);

  expect(await call(['destroy'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('--auto-approve'),
  });
  const declined = await call(['destroy'], {
    confirm: async (question) =>
      !question.startsWith('This deletes 1 resource and, with all that is in them: '),
  });
  expect(declined).toMatchObject({ exitCode: 2, stderr: 'error: nothing was changed\n' });
  expect(jobs.size).toBe(1);
});

test('a job that is not deployed, or not in the bundle, gives 3', async () => {
  expect(await call(['run', 'main', '-t', 'prod'])).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('`headrace bundle deploy -t prod`'),
  });
  expect(await call(['run', 'other'])).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('its jobs are main'),
  });
});

test('a folder without a bundle says where it looked', async () => {
  const called = await call(['validate', '--folder', 'sub']);

  expect(called.exitCode).toBe(2);
  expect(called.stderr).toContain(`there is no databricks.yml in ${path.join(folder, 'sub')}`);
});
