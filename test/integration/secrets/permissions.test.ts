import type { Client } from '@headrace/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { addUser, base64, type TestUser } from './support.ts';

let server: TestServer;
let ada: TestUser;
let bob: TestUser;
beforeAll(async () => {
  server = await startTestServer({ backend: null });
  [ada, bob] = [await addUser(server, 'ada'), await addUser(server, 'bob@example.org')];
});
afterAll(() => server.dispose());

const calls: Readonly<Record<string, (client: Client, scope: string) => Promise<unknown>>> = {
  get: (client, scope) => client.secretsGet({ scope, key: 'k' }),
  list: (client, scope) => client.secretsList({ scope }),
  put: (client, scope) => client.secretsPut({ scope, key: 'k', string_value: 'v' }),
  delete: async (client, scope) => {
    await client.secretsDelete({ scope, key: 'k' });
    await server.client.secretsPut({ scope, key: 'k', string_value: 'v' });
  },
  'list acls': (client, scope) => client.secretAclsList({ scope }),
  'get acl': (client, scope) => client.secretAclsGet({ scope, principal: 'ada' }),
  'put acl': (client, scope) => client.secretAclsPut({ scope, principal: 'admins', permission: 'MANAGE' }),
  'delete acl': (client, scope) => client.secretAclsDelete({ scope, principal: 'admins' }),
  'delete scope': (client, scope) => client.secretScopesDelete({ scope }),
};

async function allowed(client: Client, scope: string): Promise<string[]> {
  const names: string[] = [];
  for (const [name, call] of Object.entries(calls)) {
    const code = await call(client, scope).then(
      () => 'allowed',
      (error) => error.code,
    );
    if (code === 'allowed') names.push(name);
    else expect(code).toBe('PERMISSION_DENIED');
  }
  return names;
}

async function makeScope(scope: string): Promise<void> {
  await ada.client.secretScopesCreate({ scope });
  await ada.client.secretsPut({ scope, key: 'k', string_value: 'v' });
}

describe('what others may do in a scope that ada made', () => {
  test.each([
    ['nothing', null, []],
    ['READ', 'READ', ['get', 'list']],
    ['WRITE', 'WRITE', ['get', 'list', 'put', 'delete']],
    ['MANAGE', 'MANAGE', Object.keys(calls)],
  ] as const)('with %s', async (name, permission, expected) => {
    const scope = `of-ada-${name}`;
    await makeScope(scope);
    if (permission !== null) await ada.client.secretAclsPut({ scope, principal: bob.userName, permission });

    expect(await allowed(bob.client, scope)).toEqual(expected);
  });

  test('whoever made it may do all, and so may an administrator', async () => {
    await makeScope('own');
    expect(await allowed(ada.client, 'own')).toEqual(Object.keys(calls));

    await makeScope('own');
    expect(await allowed(server.client, 'own')).toEqual(Object.keys(calls));
  });

  test('its name is no secret, also to those who may not look into it', async () => {
    await makeScope('known');

    expect((await bob.client.secretScopesList({})).scopes).toContainEqual(
      expect.objectContaining({ name: 'known' }),
    );
  });
});

test('a scope that users manage is everybody’s', async () => {
  await ada.client.secretScopesCreate({ scope: 'common', initial_manage_principal: 'users' });

  await bob.client.secretsPut({ scope: 'common', key: 'k', string_value: 'v' });

  expect(await bob.client.secretAclsList({ scope: 'common' })).toEqual({
    items: [{ principal: 'users', permission: 'MANAGE' }],
  });
});

test('an entry is replaced, and taken away it counts no more', async () => {
  await makeScope('entries');
  const entry = { scope: 'entries', principal: bob.userName };
  await ada.client.secretAclsPut({ ...entry, permission: 'MANAGE' });
  await ada.client.secretAclsPut({ ...entry, permission: 'READ' });

  expect(await ada.client.secretAclsGet(entry)).toEqual({ principal: bob.userName, permission: 'READ' });
  expect(await bob.client.secretsGet({ scope: 'entries', key: 'k' })).toEqual({
    key: 'k',
    value: base64('v'),
  });

  await ada.client.secretAclsDelete(entry);
  await expect(bob.client.secretsGet({ scope: 'entries', key: 'k' })).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
  });
  await expect(ada.client.secretAclsGet(entry)).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' });
});

test('without a token nothing is answered', async () => {
  const response = await server.send('GET', '/api/2.0/secrets/scopes/list', { token: null });

  expect(response.status).toBe(401);
});
