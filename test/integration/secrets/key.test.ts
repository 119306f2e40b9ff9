import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSecretKeys } from '../../../packages/server/src/secrets/secret-key.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { base64 } from './support.ts';

let server: TestServer;
let file: string;
beforeAll(async () => {
  server = await startTestServer({ backend: null });
  file = path.join(server.stateDir, 'secrets.key');
});
afterAll(() => server.dispose());

const newKey = () => `${crypto.randomBytes(32).toString('base64')}\n`;
const put = (key: string) =>
  server.client.secretsPut({ scope: 'sealed', key, string_value: `value of ${key}` });
const get = (key: string) => server.client.secretsGet({ scope: 'sealed', key });

async function findKeyFindings(): Promise<string[]> {
  const { findings } = await server.client.doctor({});
  return findings.filter(({ kind }) => kind === 'secrets_key').map(({ message }) => message);
}

describe('a server whose key is not the one of the store', () => {
  let right: string;
  beforeAll(async () => {
    await server.client.secretScopesCreate({ scope: 'sealed' });
    await put('k');
    right = await fs.readFile(file, 'utf8');
  });
  beforeEach(async () => {
    await fs.writeFile(file, right);
    server = await server.restart();
  });

  test.each([
    ['another key', newKey(), /holds key [0-9a-f]{16}/],
    ['no key', null, /there is no key file/],
    ['what is no key', 'hunter2', /is no key file: expected 32 bytes in base64/],
  ])('with %s neither reads nor writes, and says what to do', async (_what, text, reason) => {
    if (text === null) await fs.rm(file);
    else await fs.writeFile(file, text);
    server = await server.restart();

    for (const call of [() => get('k'), () => put('k2')]) {
      const error = await call().catch((caught) => caught);
      expect(error).toMatchObject({ code: 'INVALID_STATE' });
      expect(error.message).toMatch(reason);
      expect(error.message).toContain(file);
      expect(error.message).not.toContain('hunter2');
    }
    expect((await server.client.secretsList({ scope: 'sealed' })).secrets).toHaveLength(1);
    expect(await findKeyFindings()).toEqual([expect.stringMatching(reason)]);

    await fs.writeFile(file, right);
    expect(await get('k')).toEqual({ key: 'k', value: base64('value of k') });
    expect(await findKeyFindings()).toEqual([]);
  });

  test('takes a new one when the values that were sealed are given up', async () => {
    await fs.writeFile(file, newKey());
    server = await server.restart();
    await server.client.secretScopesDelete({ scope: 'sealed' });
    await server.client.secretScopesCreate({ scope: 'sealed' });

    await put('k');

    expect(await get('k')).toEqual({ key: 'k', value: base64('value of k') });
    right = await fs.readFile(file, 'utf8');
  });
});

test('two servers of one store that seal first at once: one has the key, the other refuses', async () => {
  const { db } = server.services;
  await db.pool.query('delete from secret_scopes');
  await db.pool.query('delete from secret_key');
  const keys = [1, 2].map((n) => createSecretKeys({ db, file: path.join(server.stateDir, `key-${n}`) }));
  const own = await Promise.all(keys.map((of) => of.own()));
  await server.client.secretScopesCreate({ scope: 'first' });
  const insert = `insert into secrets (scope_id, key, sealed, key_fingerprint, updated_at_ms)
    select id, $1, ''::bytea, '', 0 from secret_scopes`;

  const outcomes = await Promise.allSettled(
    keys.map((of, index) =>
      db.transaction(async (client) => {
        const mine = own[index];
        if (mine) await of.confirm(client, mine);
        await client.query({ name: 'test-insert-secret', text: insert, values: [`k${index}`] });
      }),
    ),
  );

  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('two makers of one key file get the same key', async () => {
  const { db } = server.services;
  await db.pool.query('delete from secret_scopes');
  await db.pool.query('delete from secret_key');
  const shared = path.join(server.stateDir, 'shared', 'secrets.key');

  const made = await Promise.all([1, 2, 3, 4].map(() => createSecretKeys({ db, file: shared }).own()));

  expect(new Set(made.map(({ fingerprint }) => fingerprint)).size).toBe(1);
  expect(await fs.readdir(path.dirname(shared))).toEqual(['secrets.key']);
});
