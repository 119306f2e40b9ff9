/** Where external tables may be. Each refusal counts twice: before Spark writes there, and when the table is made known. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
let allowed: string;
beforeAll(async () => {
  allowed = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-external-')));
  server = await startTestServer({ backend: null, config: { externalLocations: [allowed] } });
  await server.client.schemasCreate({ catalog_name: 'dev', name: 'e' });
  await fs.mkdir(path.join(allowed, 'share'));
  await fs.symlink('/etc', path.join(allowed, 'away'));
  await fs.symlink(path.join(allowed, 'share'), path.join(allowed, 'within'));
  await fs.symlink('/nowhere', path.join(allowed, 'dangling'));
  await fs.symlink(path.join(server.stateDir, 'data/managed'), path.join(allowed, 'managed'));
});
afterAll(async () => {
  await server.dispose();
  await fs.rm(allowed, { recursive: true, force: true });
});

const inDataRoot = (folder: string) => path.join(server.stateDir, 'data', folder);
let made = 0;

async function place(storage_location: string) {
  const name = `t${made++}`;
  const { location } = await server.client.tableLocationsCreate({
    full_name: `dev.e.${name}`,
    storage_location,
  });
  const named = { catalog_name: 'dev', schema_name: 'e', name, table_type: 'EXTERNAL' as const };
  const table = await server.client.tablesCreate({ ...named, storage_location });
  expect(table.storage_location).toBe(location);
  return location;
}

test.each([
  ['an allowed one', () => `${allowed}/share`, () => `${allowed}/share`],
  ['one that is not there yet', () => `${allowed}/new/deep`, () => `${allowed}/new/deep`],
  ['with file:', () => `file:${allowed}/share`, () => `file:${allowed}/share`],
  ['with file://', () => `file://${allowed}/share/`, () => `file://${allowed}/share/`],
  ['through a link that stays within', () => `${allowed}/within/t`, () => `${allowed}/share/t`],
  ['a volume', () => '/Volumes/dev/e/v/t', () => '/Volumes/dev/e/v/t'],
  ['a volume with its scheme', () => 'dbfs:/Volumes/dev/e/v/t', () => 'dbfs:/Volumes/dev/e/v/t'],
  ['a bucket', () => 's3a://bucket/t', () => 's3a://bucket/t'],
])('a table may be at %s', async (_, location, kept) => {
  expect(await place(location())).toBe(kept());
});

test.each([
  ['elsewhere', () => '/etc'],
  ['elsewhere with file://', () => 'file:///etc'],
  ['elsewhere in large letters', () => 'FILE:/etc'],
  ['above', () => path.dirname(allowed)],
  ['beside, with the same beginning', () => `${allowed}-more/t`],
  ['through ..', () => `${allowed}/../../etc`],
  ['through .. in percent signs', () => `file:${allowed}/%2e%2E/x`],
  ['through a link', () => `${allowed}/away/t`],
  ['at a link that leads nowhere yet', () => `${allowed}/dangling`],
  ['in the folder of managed tables', () => inDataRoot('managed/dev/e/t')],
  ['in it through a link', () => `${allowed}/managed/x`],
  ['in the data root', () => inDataRoot('')],
  ['in the state folder', () => server.stateDir],
  ['upwards from a volume', () => '/Volumes/../etc'],
  ['upwards from DBFS', () => 'dbfs:/Volumes/../../x'],
  ['on another machine', () => `file://etc${allowed}/share`],
  ['relative', () => 'share'],
  ['of another kind', () => 'har:///etc'],
  ['with a zero byte', () => `${allowed}/\0`],
])('a table %s is refused', async (_, location) => {
  const refusal = { code: 'INVALID_PARAMETER_VALUE', status: 400 };

  await expect(place(location())).rejects.toMatchObject(refusal);

  const named = { catalog_name: 'dev', schema_name: 'e', name: 'refused', table_type: 'EXTERNAL' as const };
  await expect(server.client.tablesCreate({ ...named, storage_location: location() })).rejects.toMatchObject(
    refusal,
  );
  expect(await server.client.tablesExists({ full_name: 'dev.e.refused' })).toEqual({ table_exists: false });
});
