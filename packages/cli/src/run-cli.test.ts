import { ApiError, type ErrorCode } from '@headrace/api';
import type { Command } from 'commander';
import { afterEach, describe, expect, test } from 'vitest';
import type { CliContext } from './cli-context.ts';
import { createProgram } from './program.ts';
import { callCli } from './testing/call-cli.ts';
import { type StubHandlers, type StubServer, startStubServer } from './testing/stub-server.ts';

let server: StubServer | undefined;

afterEach(() => {
  server?.close();
  server = undefined;
});

async function call(args: readonly string[], handlers: StubHandlers, isTty = false) {
  server = await startStubServer(handlers);
  return callCli(args, { environment: { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' }, isTty });
}

describe('exit codes', () => {
  test.each<[ErrorCode, string, number]>([
    ['UNAUTHENTICATED', 'unknown token', 4],
    ['PERMISSION_DENIED', 'not yours', 4],
    ['RESOURCE_DOES_NOT_EXIST', 'gone', 3],
    ['INVALID_PARAMETER_VALUE', 'Job 9 does not exist.', 3],
    ['INVALID_PARAMETER_VALUE', 'limit: expected at most 100', 2],
    ['TEMPORARILY_UNAVAILABLE', 'starting', 5],
    ['INTERNAL_ERROR', 'a bug', 1],
  ])('%s "%s" gives %i', async (code, message, exitCode) => {
    const called = await call(['jobs', 'get', '9'], {
      jobsGet: async () => {
        throw new ApiError(code, message);
      },
    });

    expect(called.exitCode).toBe(exitCode);
    expect(called.stderr).toContain(`error: ${message}\n`);
    expect(called.stdout).toBe('');
  });

  test('a wrong call gives 2', async () => {
    expect((await callCli(['jobs', 'list', '--limit', '1000'])).exitCode).toBe(2);
    expect((await callCli(['jobs', 'lisst'])).exitCode).toBe(2);
    expect((await callCli(['runs', 'get', 'x'])).exitCode).toBe(2);
    expect((await callCli(['jobs', 'run-now', 'x', '--params', 'novalue'])).exitCode).toBe(2);
  });

  test('a server that is away gives 5', async () => {
    const environment = { HEADRACE_HOST: 'http://127.0.0.1:9', HEADRACE_TOKEN: 't' };

    expect((await callCli(['jobs', 'list'], { environment })).exitCode).toBe(5);
  });

  test('help gives 0', async () => {
    expect((await callCli(['--help'])).exitCode).toBe(0);
  });
});

test('Ctrl-C ends a command that waits for a silent server, without a word', async () => {
  const interruption = new AbortController();
  const silent: typeof fetch = (_, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      interruption.abort('SIGINT');
    });

  const { exitCode, stderr } = await callCli(['jobs', 'list'], {
    environment: { HEADRACE_HOST: 'http://127.0.0.1:1', HEADRACE_TOKEN: 't' },
    ...{ fetch: silent, interrupted: interruption.signal },
  });

  expect([exitCode, stderr]).toEqual([130, '']);
});

test('every command shows an example in its help', async () => {
  const paths = listCommands(await createProgram({ stdout: {}, stderr: {} } as CliContext, ['bundle']));

  expect(paths.length).toBeGreaterThan(18);
  for (const path of paths) {
    const { stdout } = await callCli([...path, '--help']);
    expect(stdout, path.join(' ')).toMatch(new RegExp(`\\nExample:\\n {2}\\$ headrace ${path.join(' ')}`));
  }
});

function listCommands(command: Command, path: readonly string[] = []): (readonly string[])[] {
  return [path, ...command.commands.flatMap((child) => listCommands(child, [...path, child.name()]))];
}

test('errors are coloured on a terminal only', async () => {
  const handlers: StubHandlers = {
    jobsList: async () => {
      throw new ApiError('PERMISSION_DENIED', 'no');
    },
  };

  expect((await call(['jobs', 'list'], handlers, true)).stderr).toContain('\u001b[31merror:\u001b[0m');
  server?.close();
  expect((await call(['jobs', 'list'], handlers, false)).stderr).not.toContain('\u001b');
});
