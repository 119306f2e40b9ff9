import type { SecretKeyStatus } from '@headrace/api';
import { afterEach, describe, expect, test } from 'vitest';
import type { CliContext } from '../../cli-context.ts';
import { callCli } from '../../testing/call-cli.ts';
import { type StubServer, startStubServer } from '../../testing/stub-server.ts';

let server: StubServer | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

const settled: SecretKeyStatus = {
  ...{
    state: 'SETTLED',
    fingerprint: 'new',
    file: '/s/secrets.key',
    values: 3,
    values_left: 0,
    retiring: [],
  },
};
const get = 'GET /api/headrace/secrets/key';
const post = 'POST /api/headrace/secrets/rotate-key';
const resealing: SecretKeyStatus = { ...settled, state: 'RESEALING', values_left: 2, retiring: ['old'] };

type World = {
  readonly before?: SecretKeyStatus;
  readonly afterwards?: SecretKeyStatus;
} & Partial<CliContext>;

/** Answers with each of them in turn; before it is asked to change anything, that all is settled. */
async function call(
  answers: readonly SecretKeyStatus[],
  args: readonly string[] = [],
  { before = settled, afterwards = settled, ...world }: World = {},
) {
  const left = args.includes('--status') ? [...answers] : [before, ...answers];
  const next = async () => left.shift() ?? afterwards;
  server = await startStubServer({ secretKeyRotate: next, secretKeyGet: next });
  const environment = { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' };
  return callCli(['secrets', 'rotate-key', ...args], { environment, ...world });
}

test('waits until all is sealed anew, and tells how far it is', async () => {
  const called = await call([resealing, { ...resealing, values_left: 1 }, settled]);

  expect(called.stdout).toBe('key new of /s/secrets.key seals all 3 values\n');
  expect(called.stderr).toContain('1 of 3 values are left');
});

test('a key that is only made asks to be given to all servers', async () => {
  const called = await call([{ ...settled, state: 'PREPARED' }]);

  expect(called.stdout).toContain('see that every server of this store has the file');
});

test('a server that lacks a key is no reason to wait for ever', async () => {
  const called = await call([{ ...resealing, problem: 'there is no key file' }]);

  expect(called).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('there is no key file') });
});

test.each([[], ['--no-wait'], ['--status']])('a problem ends it as failed (%s)', async (...args) => {
  const stuck = { ...resealing, problem: '2 values do not open' };

  const called = await call([stuck], args);

  expect(called).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('do not open') });
});

test('with -o json a problem is in the document too', async () => {
  const stuck = { ...resealing, problem: '2 values do not open' };

  const called = await call([stuck], ['--status', '-o', 'json']);

  expect(called.exitCode).toBe(1);
  expect(JSON.parse(called.stdout)).toEqual(stuck);
});

test('where nothing goes on for two minutes it ends as failed, and says where to look', async () => {
  let sleptMs = 0;
  const sleep = async (elapsedMs: number) => {
    sleptMs += elapsedMs;
  };
  const clock = { nowMs: () => 0, sleep };

  const called = await call([resealing], [], { afterwards: { ...resealing, values_left: 1 }, clock });

  expect(called).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("the server's log names values"),
  });
  // The first of these brought one value.
  expect(sleptMs).toBe(122_000);
});

test('Ctrl-C ends the waiting as interrupted', async () => {
  const controller = new AbortController();
  const sleep = async () => controller.abort('SIGINT');

  const called = await call([], [], {
    afterwards: resealing,
    clock: { nowMs: () => 0, sleep },
    interrupted: controller.signal,
  });

  expect(called.exitCode).toBe(130);
});

test('--status changes nothing, and --no-wait does not wait', async () => {
  expect((await call([resealing], ['--status'])).stdout).toContain('2 of 3 values still have key old');
  expect(server?.calls).toEqual([get]);
  server?.close();
  await call([resealing], ['--no-wait']);
  expect(server?.calls).toEqual([get, post]);
});

describe('a key that was only prepared', () => {
  const prepared: SecretKeyStatus = { ...settled, state: 'PREPARED' };

  test('takes over when somebody agrees to what it means for other servers', async () => {
    const questions: string[] = [];
    const confirm = async (question: string) => questions.push(question) > 0;

    const called = await call([resealing], [], { before: prepared, confirm });

    expect(called.exitCode).toBe(0);
    expect(questions).toEqual([
      expect.stringMatching(/whose file lacks that line can read none of them\. Go on\?$/),
    ]);
  });

  test.each([
    ['somebody declines', { confirm: async () => false }],
    ['nobody is there to ask', {}],
  ])('does not when %s', async (_when, world) => {
    const called = await call([resealing], [], { before: prepared, ...world });

    expect(called.exitCode).toBe(2);
    expect(server?.calls).toEqual([get]);
  });

  test('takes over without a question where that was said', async () => {
    const called = await call([resealing], ['--auto-approve'], { before: prepared });

    expect(called.exitCode).toBe(0);
    expect(server?.calls).toContain(post);
  });
});
