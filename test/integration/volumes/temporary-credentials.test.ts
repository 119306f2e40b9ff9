import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
let allowed: string;
beforeAll(async () => {
  allowed = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-allowed-')));
  server = await startTestServer({ backend: null, config: { externalLocations: [allowed] } });
});
afterAll(async () => {
  await server.dispose();
  await fs.rm(allowed, { recursive: true, force: true });
});

const named = { catalog_name: 'dev', schema_name: 'default' };
const nowhere = '00000000-0000-4000-8000-000000000000';
const forPath = (url: string) =>
  server.client.temporaryPathCredentialsCreate({ url, operation: 'PATH_READ' });

test('tables and volumes are told by their folders', async () => {
  const { client } = server;
  const table = await client.tablesCreate({ ...named, name: 't', table_type: 'MANAGED' });
  const volume = await client.volumesCreate({ ...named, name: 'v', volume_type: 'MANAGED' });

  const ofTable = await client.temporaryTableCredentialsCreate({ table_id: table.table_id });
  const ofVolume = await client.temporaryVolumeCredentialsCreate({ volume_id: volume.volume_id });

  expect(ofTable.url).toBe(`file://${table.storage_location}`);
  expect(ofVolume.url).toBe(`file://${volume.storage_location}`);
  expect(ofTable.expiration_time).toBeGreaterThan(Date.now());
  await expect(client.temporaryTableCredentialsCreate({ table_id: nowhere })).rejects.toThrow(
    'does not exist',
  );
  await expect(client.temporaryVolumeCredentialsCreate({ volume_id: nowhere })).rejects.toThrow(
    'does not exist',
  );
  const older = await server.send('POST', '/api/2.0/unity-catalog/temporary-table-credentials', {
    body: JSON.stringify({ table_id: table.table_id, operation: 'READ' }),
  });
  expect(older.status).toBe(200);
});

test('a view, and a table in a bucket, have no folder to tell', async () => {
  const view = { table_type: 'VIEW' as const, view_definition: 'select 1' };
  const bucket = { table_type: 'EXTERNAL' as const, storage_location: 's3://bucket/x' };
  for (const [name, fields] of Object.entries({ view, bucket })) {
    const { table_id } = await server.client.tablesCreate({ ...named, name, ...fields });
    const asked = server.client.temporaryTableCredentialsCreate({ table_id });
    await expect(asked, name).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
  }
});

test('a path is answered inside of tables, volumes and allowed locations, through no link out of them', async () => {
  await fs.symlink('/etc', path.join(allowed, 'away'));
  const dataRoot = path.join(server.stateDir, 'data');

  for (const url of [
    `file://${allowed}/new/folder`,
    `${dataRoot}/managed/dev/x`,
    `file:${dataRoot}/volumes/dev`,
  ])
    expect((await forPath(url)).url).toMatch(/^file:\/\/\//);
  for (const url of [
    '/etc/passwd',
    `${allowed}/../x`,
    `${allowed}/away`,
    `${dataRoot}/workspace/a`,
    `${dataRoot}/attempts`,
  ])
    await expect(forPath(url), url).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  await expect(forPath('s3://bucket/x')).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
});

test('there are no functions, in schemas that exist', async () => {
  expect(await server.client.functionsList(named)).toEqual({ functions: [] });
  await expect(server.client.functionsList({ ...named, schema_name: 'no' })).rejects.toThrow(
    "Schema 'dev.no'",
  );
  await expect(server.client.functionsGet({ name: 'dev.default.f' })).rejects.toThrow(
    "Function 'dev.default.f'",
  );
  const made = await server.send('POST', '/api/2.1/unity-catalog/functions', { body: '{}' });
  expect(made.status).toBe(501);
});
