import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import { type StubServer, startStubServer } from '../../testing/stub-server.ts';
import { parseJobArguments } from './run.ts';

const bundleText = `bundle:
  name: demo
targets:
  dev: { default: true }
scripts:
  greet:
    content: |
      echo "hello $1 of $DATABRICKS_BUNDLE_TARGET at $DATABRICKS_HOST"
      test -n "$DATABRICKS_TOKEN"
      test -f databricks.yml
  fail:
    content: |
      echo broken >&2
      exit 3
`;

let folder: string;
let server: StubServer;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'headrace-run-'));
  await writeFile(path.join(folder, 'databricks.yml'), bundleText);
  server = await startStubServer({
    currentUserMe: async () => ({ id: '1', userName: 'me@example.com', active: true }),
  });
});

afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

const run = (...args: string[]) =>
  callCli(['bundle', 'run', ...args], {
    folder,
    environment: { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't', PATH: process.env.PATH ?? '' },
  });

describe('a script of a bundle', () => {
  it('runs in the folder of the bundle, with the server and its arguments', async () => {
    const { exitCode, stdout } = await run('greet', '--', 'ada');
    expect(stdout).toBe(`hello ada of dev at ${server.url}\n`);
    expect(exitCode).toBe(0);
  });

  it('that fails is told with its exit code', async () => {
    const { exitCode, stderr } = await run('fail');
    expect(stderr).toContain('broken\n');
    expect(stderr).toContain('script fail ended with exit code 3');
    expect(exitCode).toBe(1);
  });

  it('that does not exist is told with those that do', async () => {
    const { exitCode, stderr } = await run('greeet');
    expect(stderr).toContain('its scripts greet, fail');
    expect(exitCode).toBe(3);
  });
});

describe('arguments of a job', () => {
  it.each([
    [['--a=1', '--b', '2', 'c=x=y'], { a: '1', b: '2', c: 'x=y' }],
    [[], {}],
  ])('%o are %o', (args, expected) => {
    expect(parseJobArguments(args)).toEqual(expected);
  });

  it.each([[['--a']], [['alone']], [['--']]])('%o are refused', (args) => {
    expect(() => parseJobArguments(args)).toThrow('is no job parameter');
  });
});
