import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { JobSettings } from '@headrace/api';
import { aFakeWorkspace } from '@headrace/bundle/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import { type StubHandlers, type StubServer, startStubServer } from '../../testing/stub-server.ts';

const bundleText = (timeout: number) => `bundle: {name: demo}
resources:
  jobs:
    main:
      name: main
      timeout_seconds: ${timeout}
      tasks: [{task_key: hello, notebook_task: {notebook_path: ./hello.py}}]
`;

let folder: string;
let server: StubServer;
let jobs: Map<number, JobSettings>;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'headrace-plan-'));
  await writeFile(path.join(folder, 'databricks.yml'), bundleText(60));
  await writeFile(path.join(folder, 'hello.py'), '# Databricks notebook source\n');
  const workspace = aFakeWorkspace();
  ({ jobs } = workspace);
  server = await startStubServer({
    // Its client answers as a server's handlers do.
    ...(workspace.client as unknown as StubHandlers),
    currentUserMe: async () => ({ id: '1', userName: 'me@example.com', active: true }),
  });
});

afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

function call(...args: readonly string[]) {
  const environment = { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't', PATH: process.env.PATH ?? '' };
  return callCli(['bundle', ...args], { environment, folder });
}

async function keepPlan(): Promise<void> {
  const { stdout } = await call('plan', '-o', 'json');
  // Outside the bundle: a file in it would be another file to send.
  await writeFile(`${folder}-plan.json`, stdout);
}

test('a plan that was kept is applied as it is', async () => {
  await keepPlan();

  const deployed = await call('deploy', '--plan', `${folder}-plan.json`);

  expect(deployed).toMatchObject({ exitCode: 0 });
  expect([...jobs.values()]).toMatchObject([{ name: 'main', timeout_seconds: 60 }]);
  await rm(`${folder}-plan.json`);
});

test('a plan that the world has left behind changes nothing, and says what moved', async () => {
  await call('deploy');
  await keepPlan();
  await writeFile(path.join(folder, 'databricks.yml'), bundleText(90));

  const refused = await call('deploy', '--plan', `${folder}-plan.json`);

  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain('local files that changed since: databricks.yml');
  expect([...jobs.values()]).toMatchObject([{ timeout_seconds: 60 }]);
  await rm(`${folder}-plan.json`);
});

test('what is no plan is refused before anything is asked', async () => {
  await writeFile(path.join(folder, 'plan.json'), '{"actions": []}');

  expect(await call('deploy', '--plan', 'plan.json')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('plan.json is not a plan that this version understands') as string,
  });
  expect(await call('deploy', '--plan', 'none.json')).toMatchObject({ exitCode: 2 });
});

test('changes by hand are shown, refused or kept', async () => {
  await call('deploy');
  const [job] = [...jobs.values()];
  Object.assign(job ?? {}, { timeout_seconds: 5 });

  const shown = await call('plan');
  const refused = await call('deploy', '--drift', 'fail');
  const kept = await call('deploy', '--drift', 'adopt');

  expect(shown.stdout).toContain('somebody changed timeout_seconds by hand since the last deployment');
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain('jobs.main: timeout_seconds');
  expect(kept.exitCode).toBe(0);
  expect(jobs.values().next().value).toMatchObject({ timeout_seconds: 5 });
  expect((await call('plan')).stdout).toContain('nothing to do');
  Object.assign([...jobs.values()][0] ?? {}, { max_concurrent_runs: 9 });
  expect((await call('deploy')).stderr).toContain(
    'somebody changed max_concurrent_runs of jobs.main by hand since the last deployment; this puts it back',
  );
});
