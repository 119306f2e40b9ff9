/** A server process with a bucket, set by its environment alone, and killed. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBucket } from '../../../packages/server/src/blobs/s3-client.ts';
import { openS3Store } from '../../../packages/server/src/blobs/s3-store.ts';
import { waitUntil } from '../../support/census.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type S3Server, startS3Server } from '../../support/s3-server.ts';
import { startServerProcess } from '../../support/server-process.ts';

let s3: S3Server;
let database: TestDatabase;
let stateDir: string;
let environment: Record<string, string>;
let secret: string;

beforeAll(async () => {
  s3 = await startS3Server();
  await s3.makeBucket('headrace');
  const { accessKeyId, secretAccessKey } = await s3.requireSignatures();
  secret = secretAccessKey;
  database = await createTestDatabase();
  stateDir = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-server-'));
  environment = {
    HEADRACE_BLOB_URL: `s3://headrace/one?endpoint=${s3.endpoint}`,
    HEADRACE_DATABASE_URL: database.url,
    HEADRACE_LOG_LEVEL: 'debug',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
});
afterAll(async () => {
  await database.drop();
  await s3.stop();
  await fs.rm(stateDir, { recursive: true });
});

test('what a killed server has not shipped is shipped by the next one, and no log holds the key', async () => {
  const server = await startServerProcess(stateDir, environment);
  await server.client.workspaceImport({
    ...{ path: '/Shared/lib.py', content: 'eA==', format: 'RAW', overwrite: true },
  });
  const fake = JSON.stringify({ kind: 'hang', output: 'printed before the kill\n' });
  const { run_id } = await server.client.runsSubmit({
    run_name: 'one',
    tasks: [
      { task_key: 'only', spark_python_task: { python_file: '/task.py', parameters: [`--fake=${fake}`] } },
    ],
  });
  const notes = path.join(stateDir, 'data/unshipped');
  const listNotes = async () =>
    (await fs.readdir(notes, { recursive: true })).filter((name) => name.includes('/'));
  await waitUntil('the task prints', async () => {
    const names = await fs.readdir(path.join(stateDir, 'data/attempts'), { recursive: true }).catch(() => []);
    return names.some((name) => name.endsWith('output.log'));
  });
  await server.kill('SIGKILL');
  expect(await listNotes()).toHaveLength(1);

  const next = await startServerProcess(stateDir, environment);
  // Killed before it was known to have begun, it runs again.
  await next.client.runsCancel({ run_id });

  await waitUntil('the log is shipped', async () =>
    (await readKeys()).some((key) => /^one\/attempts\/\d+\/\d+\/output\.log$/.test(key)),
  );
  await waitUntil('nothing is left to ship', async () => (await listNotes()).length === 0);
  await next.kill('SIGTERM');
  const log = await fs.readFile(path.join(stateDir, 'server.log'), 'utf8');
  expect(log).toContain('"HEADRACE_BLOB_URL":{"bucket":"headrace"');
  expect(log).not.toContain(secret);
});

/** Listed by a client that never saw the machine. */
async function readKeys(): Promise<string[]> {
  const place = { bucket: 'headrace', prefix: '', endpoint: s3.endpoint, region: null, isPathStyle: true };
  const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = environment;
  const blobs = openS3Store(
    openBucket(place, { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY }),
  );
  const keys: string[] = [];
  for await (const page of blobs.pages('one')) keys.push(...page.map(({ key }) => key));
  blobs.close();
  return keys;
}
