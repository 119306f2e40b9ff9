import type { SecretKeyStatus } from '@headrace/api';
import { afterEach, expect, test } from 'vitest';
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
const resealing: SecretKeyStatus = { ...settled, state: 'RESEALING', values_left: 2, retiring: ['old'] };

/** Answers with each of them in turn. */
async function call(answers: readonly SecretKeyStatus[], args: readonly string[] = []) {
  const left = [...answers];
  const next = async () => left.shift() ?? settled;
  server = await startStubServer({ secretKeyRotate: next, secretKeyGet: next });
  const environment = { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' };
  return callCli(['secrets', 'rotate-key', ...args], { environment });
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

test('--status changes nothing, and --no-wait does not wait', async () => {
  expect((await call([resealing], ['--status'])).stdout).toContain('2 of 3 values still have key old');
  expect(server?.calls).toEqual(['GET /api/headrace/secrets/key']);
  server?.close();
  await call([resealing], ['--no-wait']);
  expect(server?.calls).toEqual(['POST /api/headrace/secrets/rotate-key']);
});
