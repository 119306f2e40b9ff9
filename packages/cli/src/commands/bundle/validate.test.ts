import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import { type StubServer, startStubServer } from '../../testing/stub-server.ts';

const bundleText = `bundle:
  name: demo
resources:
  jobs:
    main:
      tasks:
        - task_key: hello
          notebook_task: { notebook_path: ./hello.py, warehouse_id: wh-1 }
          existing_cluster_id: 0101-000000-shared1
`;

let folder: string;
let server: StubServer;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'headrace-validate-'));
  await writeFile(path.join(folder, 'hello.py'), '# Databricks notebook source\n');
  server = await startStubServer({
    currentUserMe: async () => ({ id: '1', userName: 'me@example.com', active: true }),
    warehousesGet: async ({ id }) => {
      throw new ApiError('RESOURCE_DOES_NOT_EXIST', `there is no warehouse ${id}`);
    },
    clustersGet: async ({ cluster_id }) => ({ cluster_id, cluster_name: 'shared', state: 'RUNNING' }),
  });
});

afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

async function validate(text: string, ...args: readonly string[]) {
  return call(text, args, { isTty: false });
}

async function call(text: string, args: readonly string[], world: { readonly isTty: boolean }) {
  await writeFile(path.join(folder, 'databricks.yml'), text);
  const environment = { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't', PATH: process.env.PATH ?? '' };
  return callCli(['bundle', 'validate', ...args], { environment, folder, ...world });
}

test('a finding shows the lines around it, the place and the cure, without colours where it is piped', async () => {
  const called = await validate(bundleText.replace('hello.py,', 'gone.py,'), '--offline');

  expect(called).toMatchObject({ exitCode: 2, stdout: '' });
  expect(called.stderr).toContain(
    `  7 |         - task_key: hello
  8 |           notebook_task: { notebook_path: ./gone.py, warehouse_id: wh-1 }
    |                                           ^^^^^^^^^
  9 |           existing_cluster_id: 0101-000000-shared1
  cure: check the path`,
  );
  expect(called.stderr).toContain('error: the bundle has 1 error\n');
});

test('on a terminal the word error and the carets are red', async () => {
  const called = await call(bundleText.replace('hello.py,', 'gone.py,'), ['--offline'], { isTty: true });

  expect(called.stderr).toContain('\u001b[31merror:\u001b[0m databricks.yml:8:43: ');
  expect(called.stderr).toContain('\u001b[31m^^^^^^^^^\u001b[0m');
});

test('offline no server is asked, and the named user is taken for the caller', async () => {
  const called = await validate(bundleText, '--offline', '--user', 'jane@example.com');

  expect(called).toMatchObject({ exitCode: 0, stderr: '' });
  expect(called.stdout).toMatch(/folder +\/Workspace\/Users\/jane@example\.com\/\.bundle\/demo/);
  expect(server.calls).toEqual([]);
});

test('an id that the server does not know is a warning, one that it knows is none', async () => {
  const called = await validate(bundleText);

  expect(called.exitCode).toBe(0);
  expect(called.stderr).toMatch(
    /^warning: databricks\.yml:8:69: warehouse 'wh-1' is not known to the server/,
  );
  expect(called.stderr.match(/^warning/gm)).toHaveLength(1);
  expect(called.stdout).toContain('the bundle is valid, with 1 warning\n');
});

test('strict, a warning fails', async () => {
  const called = await validate(
    bundleText.replace('tasks:', 'desciption: x\n      tasks:'),
    '--offline',
    '--strict',
  );

  expect(called).toMatchObject({ exitCode: 2, stdout: '' });
  expect(called.stderr).toContain("cure: did you mean 'description'?");
  expect(called.stderr).toContain('error: the bundle has 1 warning\n');
});

test('as JSON the resolved configuration is printed, and findings go their own way', async () => {
  const called = await validate(`${bundleText}      max_concurrent_runs: many\n`, '--offline', '-o', 'json');

  expect(called.exitCode).toBe(2);
  expect(JSON.parse(called.stdout).resources.jobs.main).toMatchObject({ max_concurrent_runs: 'many' });
  expect(called.stderr).toContain('error: databricks.yml:10:28: ');
});

test('the JSON Schema of bundle files is printed', async () => {
  const called = await callCli(['bundle', 'schema'], { environment: {}, folder });

  expect(called.exitCode).toBe(0);
  expect(JSON.parse(called.stdout)).toMatchObject({
    title: 'Bundle',
    type: expect.arrayContaining(['object']),
  });
});
