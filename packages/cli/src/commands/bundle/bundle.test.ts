import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ApiError, type JobSettings } from '@headrace/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CliContext } from '../../cli-context.ts';
import { callCli } from '../../testing/call-cli.ts';
import { aRun, type StubServer, startStubServer, succeeded } from '../../testing/stub-server.ts';

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
let files: Map<string, string>;
let jobs: Map<number, JobSettings>;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'headrace-bundle-'));
  await mkdir(path.join(folder, 'sub'));
  await writeFile(path.join(folder, 'databricks.yml'), bundleText);
  await writeFile(path.join(folder, 'hello.py'), '# Databricks notebook source\nprint("hello")\n');
  files = new Map();
  jobs = new Map();
  server = await startWorkspace();
});

afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

/** Files and jobs in two maps: as much of a workspace as a deployment asks for. */
function startWorkspace(): Promise<StubServer> {
  const missing = (what: string) => new ApiError('RESOURCE_DOES_NOT_EXIST', `${what} does not exist`);
  const findJob = (id: number): JobSettings => {
    const settings = jobs.get(id);
    if (settings === undefined) throw new ApiError('INVALID_PARAMETER_VALUE', `Job ${id} does not exist.`);
    return settings;
  };
  return startStubServer({
    currentUserMe: async () => ({ id: '1', userName: 'me@example.com', active: true }),
    workspaceMkdirs: async () => ({}),
    workspaceImport: async ({ path: name, content }) => {
      files.set(name, content);
      return {};
    },
    workspaceExport: async ({ path: name }) => {
      const content = files.get(name);
      if (content === undefined) throw missing(name);
      return { content };
    },
    workspaceDelete: async ({ path: name }) => {
      const found = [...files.keys()].filter((file) => file === name || file.startsWith(`${name}/`));
      if (found.length === 0) throw missing(name);
      for (const file of found) files.delete(file);
      return {};
    },
    jobsCreate: async (settings) => {
      jobs.set(jobs.size + 1, settings);
      return { job_id: jobs.size };
    },
    jobsReset: async ({ job_id, new_settings }) => {
      findJob(job_id);
      jobs.set(job_id, new_settings);
      return {};
    },
    jobsGet: async ({ job_id }) => ({ job_id, created_time: 1, settings: findJob(job_id) }),
    jobsList: async () => ({ has_more: false }),
    jobsDelete: async ({ job_id }) => {
      jobs.delete(job_id);
      return {};
    },
    jobsRunNow: async () => ({ run_id: 7 }),
    runsGet: async () => aRun(),
    runEvents: async () =>
      (async function* () {
        yield { version: 1, run_id: 7, at_ms: 0, ...succeeded, tasks: [], ended: true };
      })(),
  });
}

function call(args: readonly string[], world: Partial<CliContext> = {}) {
  const environment = { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't', PATH: process.env.PATH ?? '' };
  return callCli(['bundle', ...args], { environment, folder, ...world });
}

test('deploy, run, change, destroy', async () => {
  const first = await call(['deploy', '--var', 'hue=green']);
  expect(first.stderr).toMatch(/created jobs.main "main green", id 1/);
  expect(first).toMatchObject({ exitCode: 0, stdout: 'deployed: bundle demo, target dev, 1 job\n' });

  expect((await call(['deploy', '--var', 'hue=green'])).stdout).toContain('unchanged: bundle demo');
  expect((await call(['plan'])).stdout).toContain(
    '~ update jobs.main "main blue", id 1\n    ~ name: "main green" → "main blue"',
  );
  expect((await call(['summary'])).stdout).toMatch(/main +main blue +1 +http/);

  const ran = await call(['run']);
  expect(ran).toMatchObject({ exitCode: 0 });
  expect(ran.stdout).toContain('run 7 succeeded');

  const destroyed = await call(['destroy', '--auto-approve']);
  expect(destroyed.stdout).toContain('deleted jobs.main');
  expect({ files: files.size, jobs: jobs.size }).toEqual({ files: 0, jobs: 0 });
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
