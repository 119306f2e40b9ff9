import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callCli } from './testing/call-cli.ts';
import { type StubServer, startStubServer } from './testing/stub-server.ts';

let server: StubServer;
let folder: string;
const tokens: (string | undefined)[] = [];

beforeEach(async () => {
  tokens.length = 0;
  folder = await mkdtemp(path.join(os.tmpdir(), 'headrace-cli-'));
  server = await startStubServer({
    jobsList: async (_, { token }) => {
      tokens.push(token);
      return { jobs: [], has_more: false };
    },
  });
});

afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

async function writeServerFile(token: string): Promise<void> {
  await writeFile(path.join(folder, 'server.json'), JSON.stringify({ url: server.url, token, pid: 1 }));
}

test('our variables come before those of other clients', async () => {
  const environment = {
    HEADRACE_HOST: server.url,
    HEADRACE_TOKEN: 'ours',
    DATABRICKS_HOST: 'http://127.0.0.1:1',
    DATABRICKS_TOKEN: 'theirs',
  };

  const { exitCode, stderr } = await callCli(['jobs', 'list', '-v'], { environment });

  expect({ exitCode, tokens }).toEqual({ exitCode: 0, tokens: ['ours'] });
  expect(stderr).toBe(`server ${server.url}, from HEADRACE_HOST and HEADRACE_TOKEN\n`);
});

test('the variables of other clients are understood', async () => {
  const environment = { DATABRICKS_HOST: `${server.url}/`, DATABRICKS_TOKEN: 'theirs' };

  await callCli(['jobs', 'list'], { environment });

  expect(tokens).toEqual(['theirs']);
});

test('a folder on the command line beats the environment', async () => {
  await writeServerFile('local');
  const environment = { HEADRACE_HOST: 'http://127.0.0.1:1', HEADRACE_TOKEN: 'ours' };

  const { stderr } = await callCli(['jobs', 'list', '-v', '--state-dir', folder], { environment });

  expect(tokens).toEqual(['local']);
  expect(stderr).toContain(path.join(folder, 'server.json'));
});

test('the default folder is asked last', async () => {
  await writeServerFile('local');

  await callCli(['jobs', 'list'], { environment: { HEADRACE_STATE_DIR: folder } });

  expect(tokens).toEqual(['local']);
});

test('a command that waits takes up the token of a restarted local server', async () => {
  const run = { runs: [], has_more: false };
  const restarted = await startStubServer({
    runsList: async (_, { token }) => {
      await writeFile(
        path.join(folder, 'server.json'),
        JSON.stringify({ url: restarted.url, token: 'new', pid: 1 }),
      );
      if (token !== 'new') throw new ApiError('UNAUTHENTICATED', 'unknown token');
      return run;
    },
  });
  await writeFile(
    path.join(folder, 'server.json'),
    JSON.stringify({ url: restarted.url, token: 'old', pid: 1 }),
  );

  const called = await callCli(['runs', 'list', '-o', 'json', '--state-dir', folder]);
  restarted.close();

  expect(JSON.parse(called.stdout)).toEqual(run);
  expect(restarted.calls.length).toBe(2);
});

test('a host without a token is refused, with the cure', async () => {
  const { exitCode, stderr } = await callCli(['jobs', 'list'], {
    environment: { HEADRACE_HOST: server.url },
  });

  expect(exitCode).toBe(4);
  expect(stderr).toContain('set HEADRACE_TOKEN');
});

test('without any server the cure is to start one', async () => {
  const { exitCode, stderr } = await callCli(['jobs', 'list']);

  expect(exitCode).toBe(5);
  expect(stderr).toMatch(
    /^error: no server runs on \/nonexistent\/headrace\n {2}start one with `headrace up`/,
  );
});
