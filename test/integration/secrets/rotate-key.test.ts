/** A change of keys that is cut off before or after each of its statements: no value is lost, and it goes on. */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Database, Querier } from '../../../packages/server/src/db/connect.ts';
import { createCredential, findLogin } from '../../../packages/server/src/git/credentials.ts';
import { parseGitUrl } from '../../../packages/server/src/git/git-url.ts';
import { sealedCredentials } from '../../../packages/server/src/git/reseal-credentials.ts';
import { createScope } from '../../../packages/server/src/secrets/change-scopes.ts';
import { putSecret } from '../../../packages/server/src/secrets/put-secret.ts';
import { readSecret } from '../../../packages/server/src/secrets/read-secrets.ts';
import { createResealLoop } from '../../../packages/server/src/secrets/reseal-loop.ts';
import { sealedSecrets } from '../../../packages/server/src/secrets/reseal-secrets.ts';
import { readKeyStatus, rotateKey } from '../../../packages/server/src/secrets/rotate-key.ts';
import { createSecretKeys } from '../../../packages/server/src/secrets/secret-key.ts';
import { insertPrincipal } from '../../../packages/server/src/tokens/store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const log = pino({ level: 'silent' });
const principal = { id: 1, userName: 'admin', isAdmin: true };
const places = [sealedSecrets, sealedCredentials];
/** More than one page. */
const names = Array.from({ length: 53 }, (_, n) => `key-${n}`);

let db: TestDatabase;
let folder: string;
let file: string;
let nextId: number;
const ids = { newId: () => nextId++, reserve: async () => {} };
beforeEach(async () => {
  nextId = 100;
  db = await createTestDatabase();
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'hr-rotate-'));
  file = path.join(folder, 'secrets.key');
  await insertPrincipal(db, { ...principal, displayName: 'admin', createdAtMs: 0 });
});
afterEach(async () => {
  await db.drop();
  await fs.rm(folder, { recursive: true });
});

async function fill(): Promise<void> {
  const secretKeys = createSecretKeys({ db, file });
  await createScope(
    { db, ids },
    { name: 's', initialManagePrincipal: undefined, backendType: undefined },
    at(0),
  );
  for (const key of names) await put(key, `value of ${key}`);
  const fields = { git_provider: 'gitHub', personal_access_token: 'token' };
  await createCredential({ db, ids, keys: secretKeys }, { fields, principalId: 1, nowMs: 0 });
}

const at = (nowMs: number) => ({ principal, nowMs });

function put(key: string, stringValue: string): Promise<void> {
  const services = { db, ids, secretKeys: createSecretKeys({ db, file }) };
  return putSecret(services, { scope: 's', key, stringValue, bytesValue: undefined }, at(0));
}

/** As a server that has just started. */
async function readAll(): Promise<void> {
  const secretKeys = createSecretKeys({ db, file });
  for (const key of names) {
    const { value } = await readSecret({ db, secretKeys }, { scope: 's', key }, principal);
    expect(value.toString()).toBe(`value of ${key}`);
  }
  const parsed = parseGitUrl('https://github.com/a/b', ['https']);
  if ('problem' in parsed) throw new Error(parsed.problem);
  const login = await findLogin(
    { db, keys: secretKeys },
    { url: parsed, provider: 'gitHub', principalId: 1 },
  );
  expect(login?.token).toBe('token');
}

class Cut extends Error {}

/** Ends like a process that is killed before or after its nth statement or commit. */
function cutAt(real: Database, { step, isAfter }: { step: number; isAfter: boolean }) {
  let seen = 0;
  let isDead = false;
  function die(): never {
    isDead = true;
    throw new Cut();
  }
  const around = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isDead) throw new Cut();
    seen += 1;
    const isLast = seen === step;
    if (isLast && !isAfter) die();
    const result = await work();
    if (isLast) die();
    return result;
  };
  const wrap = (querier: Querier): Querier => ({ query: (query) => around(() => querier.query(query)) });
  const cut: Database = {
    ...real,
    ...wrap(real),
    transaction: (work) => around(() => real.transaction((client) => work(wrap(client)))),
  };
  return cut;
}

/** What the route begins and the loop does, in one go. */
async function rotateWhole(on: Database): Promise<void> {
  const secretKeys = createSecretKeys({ db: on, file });
  await rotateKey({ db: on, secretKeys, isShared: false }, 1);
  await finish(on);
}

async function finish(on: Database): Promise<void> {
  const secretKeys = createSecretKeys({ db: on, file });
  const loop = createResealLoop({ db: on, log, secretKeys, places });
  while ((await loop.turn()) === 'again');
}

/** What an administrator would read. */
function tellingTo(told: string[]) {
  const write = (line: string) => void told.push(JSON.parse(line).msg);
  return pino({ level: 'warn' }, { write });
}

const readLines = async () => (await fs.readFile(file, 'utf8')).trim().split('\n');
const status = () => readKeyStatus({ db, secretKeys: createSecretKeys({ db, file }) });

test('a new key takes over all values, and the old one is kept beside the file', async () => {
  await fill();
  const before = await status();
  const [oldLine] = await readLines();

  await rotateWhole(db);

  const after = await status();
  expect(after).toMatchObject({ state: 'SETTLED', values: names.length + 1, values_left: 0, retiring: [] });
  expect(after.fingerprint).not.toBe(before.fingerprint);
  const lines = await readLines();
  expect(lines).toHaveLength(1);
  expect(lines).not.toContain(oldLine);
  const retired = `${file}.${before.fingerprint}.old`;
  expect((await fs.readFile(retired, 'utf8')).trim()).toBe(oldLine);
  for (const kept of [file, retired]) expect((await fs.stat(kept)).mode & 0o777).toBe(0o600);
  const { rows } = await db.pool.query('select distinct key_fingerprint from secrets');
  expect(rows).toEqual([{ key_fingerprint: after.fingerprint }]);
  await readAll();
});

test.each([
  ['before', false],
  ['after', true],
])('killed %s any statement: every value opens, and asking again ends it', async (_when, isAfter) => {
  await fill();
  for (let step = 1; ; step += stepOf(step)) {
    const cut = cutAt(db, { step, isAfter });
    const outcome = await rotateWhole(cut).then(
      () => 'done',
      (error) => error,
    );
    await readAll();
    await put('key-0', 'value of key-0');
    if (outcome === 'done') break;
    expect(outcome).toBeInstanceOf(Cut);

    await rotateWhole(db);

    await readAll();
    expect(await status()).toMatchObject({ state: 'SETTLED', values_left: 0 });
    expect(await readLines()).toHaveLength(1);
  }
});

/** All of the first ones and then, where one page is like another, some. */
const stepOf = (step: number) => (step < 20 ? 1 : 17);

test('of servers that share a store, the first call only makes the key, and the second one uses it', async () => {
  await fill();
  const { fingerprint } = await status();
  const services = { db, secretKeys: createSecretKeys({ db, file }), isShared: true };

  const prepared = await rotateKey(services, 1);

  expect(prepared).toMatchObject({ state: 'PREPARED', fingerprint });
  expect(await readLines()).toHaveLength(2);
  await finish(db);
  expect(await readLines()).toHaveLength(2);

  const copy = path.join(folder, 'copy.key');
  await fs.copyFile(file, copy);
  expect(await rotateKey(services, 2)).toMatchObject({ state: 'RESEALING', retiring: [fingerprint] });
  await finish(db);
  expect((await status()).fingerprint).not.toBe(fingerprint);
  const elsewhere = { db, secretKeys: createSecretKeys({ db, file: copy }) };
  const read = await readSecret(elsewhere, { scope: 's', key: 'key-1' }, principal);
  expect(read.value.toString()).toBe('value of key-1');
});

test('a key that somebody has written at the end of the file is the next one', async () => {
  await fill();
  const line = crypto.randomBytes(32).toString('base64');
  await fs.appendFile(file, `${line}\n`);

  await rotateWhole(db);

  expect(await readLines()).toEqual([line]);
  await readAll();
});

test('after an older backup, whose key has retired since, the newest key in the file takes over', async () => {
  await fill();
  const { fingerprint } = await status();
  const line = crypto.randomBytes(32).toString('base64');
  await fs.rename(file, `${file}.${fingerprint}.old`);
  await fs.writeFile(file, `${line}\n`);
  await readAll();
  expect(await status()).toMatchObject({ state: 'PREPARED', fingerprint });

  await rotateWhole(db);

  expect(await status()).toMatchObject({ state: 'SETTLED', values_left: 0 });
  expect(await readLines()).toEqual([line]);
  await readAll();
});

test('what was sealed with the old key at that moment is asked for again, not lost', async () => {
  await fill();
  const secretKeys = createSecretKeys({ db, file });
  const own = await secretKeys.own();
  await rotateKey({ db, secretKeys: createSecretKeys({ db, file }), isShared: false }, 1);

  const late = db.transaction((client) => secretKeys.confirm(client, own));

  await expect(late).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
});

test('a value that does not open keeps its key, which stays, until it is put again', async () => {
  await fill();
  await db.pool.query(`update secrets set sealed = '\\x00' where key = 'key-7'`);

  await rotateWhole(db);

  const problem = expect.stringContaining('1 value that is left does not open');
  expect(await status()).toMatchObject({ state: 'RESEALING', values_left: 1, problem });
  expect(await readLines()).toHaveLength(2);
  await put('key-7', 'value of key-7');
  expect(await status()).not.toHaveProperty('problem');
  await finish(db);
  expect(await status()).toMatchObject({ state: 'SETTLED', values_left: 0 });
  await readAll();
});

describe('an old key that this server lacks, and with which nothing is sealed,', () => {
  /** Named as retiring, and gone from the disk. */
  async function loseOldKey(): Promise<void> {
    const newLine = crypto.randomBytes(32).toString('base64');
    await fs.appendFile(file, `${newLine}\n`);
    await rotateKey({ db, secretKeys: createSecretKeys({ db, file }), isShared: false }, 1);
    await fs.writeFile(file, `${newLine}\n`);
    await db.pool.query('delete from secrets');
    await db.pool.query('update git_credentials set sealed_token = null, key_fingerprint = null');
  }

  test('keeps no other key from taking over', async () => {
    await fill();
    await loseOldKey();

    await finish(db);

    expect(await status()).toMatchObject({ state: 'SETTLED', retiring: [] });
  });

  test('is forgotten when a key of one’s own is taken', async () => {
    await fill();
    await loseOldKey();
    await fs.rm(file);

    await put('key-0', 'value of key-0');

    expect(await status()).toMatchObject({ state: 'SETTLED', values: 1, retiring: [] });
  });
});

describe('where the key cannot be changed it says why', () => {
  test('nothing sealed', async () => {
    await expect(rotateWhole(db)).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  test('a file that cannot be replaced', async () => {
    await fill();
    // Also for root: the draft beside it would have too long a name.
    const long = path.join(folder, 'k'.repeat(255));
    await fs.rename(file, long);
    file = long;

    const error = await rotateWhole(db).catch((caught) => caught);

    expect(error).toMatchObject({ code: 'INVALID_STATE' });
    expect(error.message).toMatch(/cannot be written .*openssl rand -base64 32/);
    await readAll();
  });

  test('a file from which the old key cannot be taken: said once, with what to do, and all goes on', async () => {
    await fill();
    const { fingerprint } = await status();
    // Also for root: something else has the name that the old key would get.
    await fs.mkdir(`${file}.${fingerprint}.old`);
    const secretKeys = createSecretKeys({ db, file });
    await rotateKey({ db, secretKeys, isShared: false }, 1);
    const told: string[] = [];
    const loop = createResealLoop({ db, log: tellingTo(told), secretKeys, places });

    while ((await loop.turn()) === 'again');
    expect(await loop.turn()).toBe('idle');

    expect(told).toEqual([
      expect.stringMatching(`key ${fingerprint} any more.* move its line out of the file`),
    ]);
    expect(await status()).toMatchObject({ state: 'SETTLED', retiring: [] });
    expect(await readLines()).toHaveLength(2);
    await readAll();
  });

  test('a server without the key in use', async () => {
    await fill();
    await fs.writeFile(file, `${crypto.randomBytes(32).toString('base64')}\n`);

    await expect(rotateWhole(db)).rejects.toMatchObject({ message: expect.stringContaining('holds key') });
  });
});
