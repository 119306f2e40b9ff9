import { afterEach, expect, test } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import { type StubHandlers, type StubServer, startStubServer } from '../../testing/stub-server.ts';

let server: StubServer | undefined;

afterEach(() => {
  server?.close();
  server = undefined;
});

async function call(args: readonly string[], handlers: StubHandlers, world = {}) {
  server = await startStubServer(handlers);
  const environment = { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' };
  return callCli(['secrets', ...args], { environment, ...world });
}

test.each<[string, Buffer, object]>([
  ['a text, without its last line break', Buffer.from('p\nw\n'), { string_value: 'p\nw' }],
  ['a text of Windows', Buffer.from('pw\r\n'), { string_value: 'pw' }],
  ['bytes as they are', Buffer.from([255, 10]), { bytes_value: '/wo=' }],
  ['nothing', Buffer.alloc(0), { string_value: '' }],
])('put-secret reads %s', async (_what, input, field) => {
  const puts: unknown[] = [];
  const secretsPut = async (request: unknown) => {
    puts.push(request);
    return {};
  };

  const called = await call(['put-secret', 'prod', 'k'], { secretsPut }, { readInput: async () => input });

  expect(called).toEqual({ exitCode: 0, stdout: 'secret prod/k is stored\n', stderr: '' });
  expect(puts).toEqual([{ scope: 'prod', key: 'k', ...field }]);
});

test('put-secret takes a value that is given, and reads nothing then', async () => {
  const puts: unknown[] = [];
  const secretsPut = async (request: unknown) => {
    puts.push(request);
    return {};
  };

  await call(['put-secret', 'prod', 'k', '--string-value', 'v\n'], { secretsPut });

  expect(puts).toEqual([{ scope: 'prod', key: 'k', string_value: 'v\n' }]);
});

test('get-secret prints the text, and of bytes says how to get them', async () => {
  const of = (value: string) => ({ secretsGet: async () => ({ key: 'k', value }) });

  expect((await call(['get-secret', 'prod', 'k'], of('aHVudGVyMg=='))).stdout).toBe('hunter2\n');
  server?.close();
  const refused = await call(['get-secret', 'prod', 'k'], of('/w=='));
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain('secret prod/k is no text');
  expect(refused.stderr).toContain('-o json');
});

test('lists are tables, and say what to do where there is nothing', async () => {
  const secrets = [{ key: 'password', last_updated_timestamp: 0 }];
  const items = [{ principal: 'users', permission: 'READ' as const }];

  expect((await call(['list-secrets', 'prod'], { secretsList: async () => ({ secrets }) })).stdout).toMatch(
    /^KEY {7}CHANGED\npassword {2}/,
  );
  server?.close();
  expect((await call(['list-acls', 'prod'], { secretAclsList: async () => ({ items }) })).stdout).toBe(
    'PRINCIPAL  PERMISSION\nusers      READ\n',
  );
  server?.close();
  expect((await call(['list-scopes'], { secretScopesList: async () => ({}) })).stdout).toContain(
    'secrets create-scope',
  );
});

test('a scope is not deleted before somebody agrees', async () => {
  let deleted = 0;
  const secretScopesDelete = async () => {
    deleted += 1;
    return {};
  };

  expect((await call(['delete-scope', 'prod'], { secretScopesDelete })).exitCode).toBe(2);
  expect(deleted).toBe(0);
  server?.close();
  expect((await call(['delete-scope', 'prod', '--auto-approve'], { secretScopesDelete })).exitCode).toBe(0);
  expect(deleted).toBe(1);
});

test('a permission that there is not is wrong usage', async () => {
  expect((await call(['put-acl', 'prod', 'ada', 'OWN'], {})).exitCode).toBe(2);
});
