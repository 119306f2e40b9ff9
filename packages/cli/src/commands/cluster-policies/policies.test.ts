import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import { type StubHandlers, type StubServer, startStubServer } from '../../testing/stub-server.ts';

let server: StubServer | undefined;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'headrace-policies-'));
});
afterEach(async () => {
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

async function call(args: readonly string[], handlers: StubHandlers, world = {}) {
  server = await startStubServer(handlers);
  const environment = { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' };
  return callCli(args, { environment, folder, ...world });
}

const small = {
  policy_id: '9C6308F703005DF2',
  name: 'small',
  definition: '{"num_workers": {"type": "range", "maxValue": 4}}',
  created_at_timestamp: 0,
  creator_user_name: 'ada',
  is_default: false,
};

test('policies are listed by name, and one shows its rules', async () => {
  const handlers: StubHandlers = {
    clusterPoliciesList: async () => ({ policies: [small] }),
    clusterPoliciesGet: async () => small,
  };

  const listed = await call(['cluster-policies', 'list'], handlers);
  server?.close();
  const shown = await call(['cluster-policies', 'get', small.policy_id], handlers);

  expect(listed.stdout).toContain('9C6308F703005DF2  small  -       ada');
  expect(shown.stdout).toBe('ATTRIBUTE    RULE   WITH\nnum_workers  range  maxValue=4\n');
});

test('a definition may be written out in the file', async () => {
  const asked: unknown[] = [];
  const handlers: StubHandlers = {
    clusterPoliciesCreate: async (request) => {
      asked.push(request);
      return { policy_id: 'P' };
    },
  };
  const file = path.join(folder, 'policy.json');
  await writeFile(file, JSON.stringify({ name: 'small', definition: JSON.parse(small.definition) }));

  const { stdout } = await call(['cluster-policies', 'create', '--json-file', 'policy.json'], handlers);

  expect(stdout).toBe('policy P created\n');
  expect(asked).toEqual([{ name: 'small', definition: '{"num_workers":{"type":"range","maxValue":4}}' }]);
});

test('what the server refuses is shown, and deleting asks first', async () => {
  const refuse = async () => {
    throw new ApiError('INVALID_PARAMETER_VALUE', 'definition: a: no attribute');
  };
  await writeFile(path.join(folder, 'policy.json'), '{}');

  const refused = await call(['cluster-policies', 'create', '--json-file', 'policy.json'], {
    clusterPoliciesCreate: refuse,
  });
  server?.close();
  const unasked = await call(['cluster-policies', 'delete', 'P'], {});
  server?.close();
  const deleted = await call(['cluster-policies', 'delete', 'P', '--auto-approve'], {
    clusterPoliciesDelete: async () => ({}),
  });

  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toContain('definition: a: no attribute');
  expect(unasked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--auto-approve') });
  expect(deleted.stdout).toBe('policy P is deleted\n');
});
