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

describe('a word that is not known', () => {
  /** Every path to a group, and every word that is a command somewhere. */
  async function readTree() {
    const program = await createProgram({} as CliContext, ['bundle']);
    const groups: { path: string[]; names: string[] }[] = [];
    const visit = (command: Command, at: string[]) => {
      if (command.commands.length === 0) return;
      groups.push({ path: at, names: command.commands.map((child) => child.name()) });
      for (const child of command.commands) visit(child, [...at, child.name()]);
    };
    visit(program, []);
    return { groups, words: [...new Set(groups.flatMap(({ names }) => names))] };
  }

  test('is never answered with a command that changes or ends something', async () => {
    const { groups, words } = await readTree();
    const dangerous =
      /^(?!.*(?:^|-)(?:list|get)).*(?:delete|reset|cancel|destroy|revoke|restore|down|uninstall|terminate|stop|restart|edit|update|put|rotate|create|deploy|run|repair|up)/;
    const typos = words.flatMap((word) => [word, word.slice(0, -1), `${word}s`, word.replace('e', '')]);
    const offered: string[] = [];

    for (const { path, names } of groups) {
      for (const typo of typos.filter((word) => !names.includes(word))) {
        const { stderr } = await callCli([...path, typo]);
        const hints = /Did you mean (?:one of )?(.+)\?/.exec(stderr)?.[1] ?? '';
        offered.push(
          ...hints.split(', ').filter((hint) => !groups.some((group) => group.path.at(-1) === hint)),
        );
      }
    }

    expect(offered).toContain('list');
    expect(offered.filter((hint) => dangerous.test(hint))).toEqual([]);
  });

  test('is told where the words are that there are', async () => {
    const { stderr, exitCode } = await callCli(['jobs', 'rset']);

    expect(exitCode).toBe(2);
    expect(stderr).toContain("unknown command 'rset'");
    expect(stderr).toContain('`headrace jobs --help` shows what there is');
  });
});
