import crypto from 'node:crypto';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tellOfSecrets } from '../../../packages/server/src/backup/backup-secrets.ts';
import { restoreBackup } from '../../../packages/server/src/backup/restore-backup.ts';
import { writeBackup } from '../../../packages/server/src/backup/write-backup.ts';
import { connectDatabase } from '../../../packages/server/src/db/connect.ts';
import { readSecret } from '../../../packages/server/src/secrets/read-secrets.ts';
import { createSecretKeys } from '../../../packages/server/src/secrets/secret-key.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

const log = pino({ level: 'silent' });
const admin = { id: 1, userName: 'admin', isAdmin: true };

let server: TestServer;
let folder: string;
let target: TestDatabase;
beforeEach(async () => {
  server = await startTestServer({ backend: null });
  folder = await fsp.mkdtemp(path.join(os.tmpdir(), 'hr-secrets-backup-'));
  target = await createTestDatabase();
  await server.client.secretScopesCreate({ scope: 'prod' });
  await server.client.secretsPut({ scope: 'prod', key: 'password', string_value: 'hunter2' });
});
afterEach(async () => {
  await server.dispose();
  await target.drop();
  await fsp.rm(folder, { recursive: true });
});

/** Backs the server up and restores it beside; reads the secret there. */
async function restoreBeside(withSecretsKey: boolean) {
  const { config } = server.services;
  const to = path.join(folder, 'backup');
  const backup = await writeBackup({ config, log, version: 'test', to, nowMs: 0, withSecretsKey });
  const stateDir = path.join(folder, 'restored');
  await restoreBackup({ config: { ...config, stateDir, databaseUrl: target.url }, log, from: to });
  const db = connectDatabase({ connection: target.url, log });
  const file = path.join(stateDir, 'secrets.key');
  try {
    const secretKeys = createSecretKeys({ db, file });
    const read = () => readSecret({ db, secretKeys }, { scope: 'prod', key: 'password' }, admin);
    const first = await read().then(
      ({ value }) => value.toString(),
      (error) => error.message as string,
    );
    if (!fs.existsSync(file)) await fsp.copyFile(path.join(server.stateDir, 'secrets.key'), file);
    return { backup, to, file, first, withKey: (await read()).value.toString() };
  } finally {
    await db.close();
  }
}

function everythingIn(place: string): string[] {
  return fs
    .readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

test('a backup holds no key: restored, it says what is missing, and reads again with the key', async () => {
  const { backup, to, file, first, withKey } = await restoreBeside(false);

  const key = await fsp.readFile(path.join(server.stateDir, 'secrets.key'));
  for (const found of everythingIn(to))
    expect(fs.readFileSync(found).includes(key.toString().trim())).toBe(false);
  expect(first).toContain(`there is no key file ${file}`);
  expect(withKey).toBe('hunter2');
  expect(tellOfSecrets(backup, { isRestored: true, file })).toMatch(
    /^1 secret, sealed with key [0-9a-f]{16}, which is not in the backup: without that key's file in .* they are lost/,
  );
});

test('a backup with the key restores all, and only its owner may read the key', async () => {
  const { backup, to, file, first } = await restoreBeside(true);

  expect(first).toBe('hunter2');
  for (const copy of [file, path.join(to, 'secrets.key')]) expect(fs.statSync(copy).mode & 0o777).toBe(0o600);
  expect(tellOfSecrets(backup, { isRestored: false, file })).toContain(
    'whoever has the backup can read them',
  );
});

test('of keys that have retired, a backup has only what it needs, also after a hundred changes of keys', async () => {
  const file = path.join(server.stateDir, 'secrets.key');
  const { fingerprint } = await server.client.secretKeyGet({});
  const retired = `${file}.${fingerprint}.old`;
  const newLine = () => `${crypto.randomBytes(32).toString('base64')}\n`;
  // What is needed is in both files while a key retires.
  await fsp.copyFile(file, retired);
  for (let n = 0; n < 101; n += 1) await fsp.writeFile(`${file}.${n}.old`, newLine());

  const { to, first } = await restoreBeside(true);

  expect(first).toBe('hunter2');
  expect(await fsp.readFile(path.join(to, 'secrets.key'), 'utf8')).toBe(await fsp.readFile(file, 'utf8'));
});

test('a key that retired after the tables were copied is in the backup', async () => {
  const file = path.join(server.stateDir, 'secrets.key');
  const { fingerprint } = await server.client.secretKeyGet({});
  const line = await fsp.readFile(file, 'utf8');
  await fsp.rename(file, `${file}.${fingerprint}.old`);
  await fsp.writeFile(file, `${crypto.randomBytes(32).toString('base64')}\n`);

  const { to, first } = await restoreBeside(true);

  expect(first).toBe('hunter2');
  expect(await fsp.readFile(path.join(to, 'secrets.key'), 'utf8')).toBe(
    line + (await fsp.readFile(file, 'utf8')),
  );
});
