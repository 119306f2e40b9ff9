import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createClient } from '@headrace/api';
import { aFakeWorkspace, type FakeWorkspace } from '@headrace/bundle/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CliContext } from '../../cli-context.ts';
import { callCli } from '../../testing/call-cli.ts';
import { type StubHandlers, type StubServer, startStubServer } from '../../testing/stub-server.ts';
import { FolderWatch } from './watch-folders.ts';

const ROOT = '/Workspace/Users/me@example.com/.bundle/demo/dev/files';

let folder: string;
let server: StubServer;
let workspace: FakeWorkspace;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'headrace-sync-'));
  await writeFile(path.join(folder, 'databricks.yml'), 'bundle: {name: demo}\ntargets: {dev: {}}\n');
  await writeFile(path.join(folder, 'one.py'), 'print(1)\n');
  workspace = aFakeWorkspace();
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

function call(args: readonly string[], world: Partial<CliContext> = {}) {
  const environment = { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't', PATH: process.env.PATH ?? '' };
  return callCli(['bundle', 'sync', ...args], { environment, folder, ...world });
}

test('says what it sends, what it would send, and that there is nothing', async () => {
  const would = await call(['--dry-run']);
  const first = await call([]);
  await rm(path.join(folder, 'one.py'));
  const second = await call([]);
  const third = await call([]);

  expect(would.stdout).toBe(
    `would send databricks.yml\nwould send one.py\nwould send 2 files, would remove 0: ${ROOT}\n`,
  );
  expect(first).toEqual({
    exitCode: 0,
    stderr: '',
    stdout: `sent databricks.yml\nsent one.py\nsent 2 files, removed 0: ${ROOT}\n`,
  });
  expect(second.stdout).toBe(`removed one.py\nsent 0 files, removed 1: ${ROOT}\n`);
  expect(third.stdout).toBe(`nothing to send: ${ROOT} has all files\n`);
});

test('waits for nobody who deploys, and says who', async () => {
  const client = createClient({ baseUrl: server.url, token: 't' });
  await client.bundlesLock({ state_path: '/s', target: 'dev', bundle: 'demo', request_id: 'somebody-else' });

  expect(await call([])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is locked by jane') });
  expect(await call(['--force-lock'])).toMatchObject({ exitCode: 0 });
});

test('a change ends the waiting, also in a folder that is new, or new again', async () => {
  const untilAborted = (signal?: AbortSignal) =>
    new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
  const clock = {
    nowMs: () => 0,
    sleep: async (elapsedMs: number, signal?: AbortSignal) =>
      elapsedMs > 1_000 ? untilAborted(signal) : undefined,
  };
  const watch = new FolderWatch({ clock, onTrouble: expect.unreachable });
  const wait = () => watch.wait({ intervalMs: 60_000, signal: new AbortController().signal });
  watch.add([folder, path.join(folder, 'gone')]);

  for (let round = 0; round < 2; round += 1) {
    const made = wait();
    await mkdir(path.join(folder, 'deep/er'), { recursive: true });
    await made;
    const written = wait();
    await writeFile(path.join(folder, 'deep/er/two.py'), '');
    await written;
    const removed = wait();
    await rm(path.join(folder, 'deep'), { recursive: true });
    await removed;
  }

  watch.close();
});

test.each([['5x'], ['1ms'], ['2000m'], ['']])('an interval of %j is refused', async (text) => {
  const called = await call(['--watch', '--interval', text]);

  expect(called).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('as 500ms, 10s or 1m') });
});

test('with --watch, what changes is sent until Ctrl-C, whatever is broken in between', async () => {
  const interruption = new AbortController();
  const watching = call(['--watch', '--interval', '100ms'], { interrupted: interruption.signal });
  const sees = (text: string | undefined) =>
    vi.waitFor(() => expect(workspace.files.get(`${ROOT}/one.py`)?.toString()).toBe(text), {
      timeout: 20_000,
    });

  await sees('print(1)\n');
  await writeFile(path.join(folder, 'one.py'), 'print(2)\n');
  await sees('print(2)\n');
  await writeFile(path.join(folder, 'databricks.yml'), 'bundle: [\n');
  await writeFile(path.join(folder, 'one.py'), 'print(3)\n');
  await writeFile(path.join(folder, 'databricks.yml'), 'bundle: {name: demo}\ntargets: {dev: {}}\n');
  await sees('print(3)\n');
  await rm(path.join(folder, 'one.py'));
  await sees(undefined);
  // A round tells what it did at its end; the next one shows that it has.
  await writeFile(path.join(folder, 'one.py'), 'print(4)\n');
  await sees('print(4)\n');
  interruption.abort('SIGINT');

  expect(await watching).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('removed one.py\n') });
});
