import fs from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { base64, findInTables } from './support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ backend: null });
});
afterAll(() => server.dispose());

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = (await work.catch((caught: unknown) => caught)) as { code?: string };
  return error.code ?? 'no error';
}

async function postStatus(target: string, body: unknown): Promise<[number, string]> {
  const response = await server.send('POST', `/api/2.0/secrets/${target}`, { body: JSON.stringify(body) });
  const { error_code: code = '' } = (await response.json()) as { error_code?: string };
  return [response.status, code];
}

describe('scopes', () => {
  test('a scope is made, listed and deleted with all that is in it', async () => {
    await server.client.secretScopesCreate({ scope: 'made.to-go_1' });
    await server.client.secretsPut({ scope: 'made.to-go_1', key: 'k', string_value: 'v' });

    const { scopes } = await server.client.secretScopesList({});
    expect(scopes).toContainEqual({ name: 'made.to-go_1', backend_type: 'DATABRICKS' });

    await server.client.secretScopesDelete({ scope: 'made.to-go_1' });
    expect((await server.client.secretScopesList({})).scopes).not.toContainEqual(
      expect.objectContaining({ name: 'made.to-go_1' }),
    );
    expect(await refusal(server.client.secretsGet({ scope: 'made.to-go_1', key: 'k' }))).toBe(
      'RESOURCE_DOES_NOT_EXIST',
    );
  });

  test('names differ by more than the case of their letters', async () => {
    await server.client.secretScopesCreate({ scope: 'Case' });
    await server.client.secretsPut({ scope: 'cASE', key: 'Key', string_value: 'one' });
    await server.client.secretsPut({ scope: 'case', key: 'KEY', string_value: 'two' });

    expect(await refusal(server.client.secretScopesCreate({ scope: 'case' }))).toBe(
      'RESOURCE_ALREADY_EXISTS',
    );
    expect((await server.client.secretsList({ scope: 'CASE' })).secrets).toHaveLength(1);
    expect(await server.client.secretsGet({ scope: 'case', key: 'key' })).toEqual({
      key: 'KEY',
      value: base64('two'),
    });
  });

  test('a scope of another keeper is refused, and so is another first manager than users', async () => {
    expect(
      await postStatus('scopes/create', { scope: 'azure', scope_backend_type: 'AZURE_KEYVAULT' }),
    ).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(await postStatus('scopes/create', { scope: 'azure', initial_manage_principal: 'ada' })).toEqual([
      400,
      'INVALID_PARAMETER_VALUE',
    ]);
  });

  test('of many that make one scope at once, one makes it', async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, () => refusal(server.client.secretScopesCreate({ scope: 'race' }))),
    );

    expect(made.filter((code) => code === 'no error')).toHaveLength(1);
    expect(made.filter((code) => code === 'RESOURCE_ALREADY_EXISTS')).toHaveLength(7);
  });
});

describe('values', () => {
  beforeAll(() => server.client.secretScopesCreate({ scope: 'values' }));

  test.each([
    ['a text', { string_value: 'p@ss "wörd"\n' }, Buffer.from('p@ss "wörd"\n')],
    ['bytes', { bytes_value: '/wAB' }, Buffer.from([255, 0, 1])],
    ['nothing', { string_value: '' }, Buffer.alloc(0)],
    ['as much as is allowed', { string_value: 'x'.repeat(131_072) }, Buffer.alloc(131_072, 'x')],
  ])('%s comes back byte for byte', async (_what, value, bytes) => {
    await server.client.secretsPut({ scope: 'values', key: 'v', ...value });

    const got = await server.client.secretsGet({ scope: 'values', key: 'v' });
    expect(Buffer.from(got.value, 'base64').equals(bytes)).toBe(true);
  });

  test('a list shows keys and times, and never a value', async () => {
    await server.client.secretsPut({ scope: 'values', key: 'shown', string_value: 'hunter2-shown' });

    const listed = await server.client.secretsList({ scope: 'values' });

    const found = listed.secrets?.find(({ key }) => key === 'shown');
    expect(Object.keys(found ?? {})).toEqual(['key', 'last_updated_timestamp']);
    expect(Math.abs(Date.now() - (found?.last_updated_timestamp ?? 0))).toBeLessThan(60_000);
    expect(JSON.stringify(listed)).not.toContain('hunter2-shown');
  });

  test('a deleted key is gone, and deleting it again says so', async () => {
    await server.client.secretsPut({ scope: 'values', key: 'gone', string_value: 'x' });
    await server.client.secretsDelete({ scope: 'values', key: 'gone' });

    expect(await refusal(server.client.secretsGet({ scope: 'values', key: 'gone' }))).toBe(
      'RESOURCE_DOES_NOT_EXIST',
    );
    expect(await refusal(server.client.secretsDelete({ scope: 'values', key: 'gone' }))).toBe(
      'RESOURCE_DOES_NOT_EXIST',
    );
  });

  test('what is stored and logged of a request holds no value', async () => {
    await server.client.secretsPut({ scope: 'values', key: 'audited', string_value: 'hunter2-audited' });
    await server.send('POST', '/api/2.0/secrets/put', { body: '{"string_value": "hunter2-audited"' });
    await server.client.secretsGet({ scope: 'values', key: 'audited' });
    await expect
      .poll(async () => {
        const { rows } = await server.services.db.pool.query(
          `select action, parameters from audit_events where action in ('secrets.put', 'secrets.get')`,
        );
        return rows.filter(({ parameters }) => parameters.key === 'audited').length;
      })
      .toBe(2);

    expect(await findInTables(server, 'hunter2-audited')).toEqual([]);
  });
});

describe('bad input', () => {
  beforeAll(() => server.client.secretScopesCreate({ scope: 'bad' }));

  test.each([
    ['scopes/create', {}],
    ['scopes/create', { scope: '' }],
    ['scopes/create', { scope: 'a b' }],
    ['scopes/create', { scope: 'ä' }],
    ['scopes/create', { scope: 'x'.repeat(129) }],
    ['scopes/create', { scope: 'fine', scope_backend_type: 'VAULT' }],
    ['put', { scope: 'bad', string_value: 'x' }],
    ['put', { scope: 'bad', key: 'a/b', string_value: 'x' }],
    ['put', { scope: 'bad', key: 'x'.repeat(129), string_value: 'x' }],
    ['put', { scope: 'bad', key: 'none' }],
    ['put', { scope: 'bad', key: 'k', string_value: 'x'.repeat(131_073) }],
    ['put', { scope: 'bad', key: 'k', string_value: 'ä'.repeat(70_000) }],
    ['put', { scope: 'bad', key: 'k', string_value: { a: 1 } }],
    ['put', { scope: 'bad', key: 'k', bytes_value: 'no base64!' }],
    ['put', { scope: 'bad', key: 'k', bytes_value: 'abcde' }],
    ['acls/put', { scope: 'bad', principal: 'nobody', permission: 'READ' }],
    ['acls/put', { scope: 'bad', principal: 'users', permission: 'OWN' }],
  ])('%s refuses %o', async (target, body) => {
    expect(await postStatus(target, body)).toEqual([400, 'INVALID_PARAMETER_VALUE']);
  });

  test('two values at once are a conflict, and nothing is stored', async () => {
    const body = { scope: 'bad', key: 'both', string_value: 'x', bytes_value: 'eA==' };

    expect(await postStatus('put', body)).toEqual([400, 'MALFORMED_REQUEST']);
    expect((await server.client.secretsList({ scope: 'bad' })).secrets).toEqual([]);
  });

  test.each([
    ['scopes/delete', { scope: 'unknown' }],
    ['put', { scope: 'unknown', key: 'k', string_value: 'x' }],
    ['delete', { scope: 'bad', key: 'unknown' }],
    ['acls/put', { scope: 'unknown', principal: 'users', permission: 'READ' }],
    ['acls/delete', { scope: 'bad', principal: 'users' }],
    ['acls/delete', { scope: 'bad', principal: 'nobody' }],
  ])('%s says that %o does not exist', async (target, body) => {
    expect(await postStatus(target, body)).toEqual([404, 'RESOURCE_DOES_NOT_EXIST']);
  });

  test('names made to lead elsewhere lead nowhere', async () => {
    for (const name of ['../bad', 'bad\0', "bad' or 1=1 --", '%', '_ad', '{{secrets/bad/k}}']) {
      const query = new URLSearchParams({ scope: name, key: name });
      const response = await server.send('GET', `/api/2.0/secrets/get?${query}`);
      expect([400, 404]).toContain(response.status);
    }
  });

  test('a scope takes as many secrets as are allowed, and those that it has can be replaced', async () => {
    await server.services.db.pool.query(
      `insert into secrets (scope_id, key, sealed, key_fingerprint, updated_at_ms)
       select id, 'n' || n, '', '', 0 from secret_scopes, generate_series(1, 999) n where name = 'bad'`,
    );
    await server.client.secretsPut({ scope: 'bad', key: 'last', string_value: 'x' });

    expect(await postStatus('put', { scope: 'bad', key: 'more', string_value: 'x' })).toEqual([
      400,
      'RESOURCE_LIMIT_EXCEEDED',
    ]);
    await server.client.secretsPut({ scope: 'bad', key: 'last', string_value: 'y' });
  });
});

test('the key is made at first need, for its owner only', async () => {
  const file = path.join(server.stateDir, 'secrets.key');

  expect((await fs.stat(file)).mode & 0o777).toBe(0o600);
  expect(Buffer.from((await fs.readFile(file, 'utf8')).trim(), 'base64')).toHaveLength(32);
});
