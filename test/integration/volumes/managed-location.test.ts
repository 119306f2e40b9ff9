/** Catalogs and schemas with a location of their own: what is managed in them lives there, and is removed there. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDiscardLoop } from '../../../packages/server/src/blobs/discard.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
let allowed: string;
beforeAll(async () => {
  allowed = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-managed-')));
  server = await startTestServer({
    backend: null,
    config: { externalLocations: [allowed], droppedTablesKeptHours: 0 },
  });
  await fs.symlink('/etc', path.join(allowed, 'away'));
});
afterAll(async () => {
  await server.dispose();
  await fs.rm(allowed, { recursive: true, force: true });
});

const refusal = { code: 'INVALID_PARAMETER_VALUE', status: 400 };
let made = 0;

async function makeSchema(storage_root: string, catalog_name = 'dev') {
  return server.client.schemasCreate({ catalog_name, name: `m${made++}`, storage_root });
}

async function makeTable(schema: { catalog_name: string; name: string }, name = 't') {
  const full_name = `${schema.catalog_name}.${schema.name}.${name}`;
  const { location } = await server.client.tableLocationsCreate({ full_name });
  await fs.mkdir(location, { recursive: true });
  await fs.writeFile(path.join(location, 'part'), name);
  const named = { catalog_name: schema.catalog_name, schema_name: schema.name, name };
  await server.client.tablesCreate({ ...named, table_type: 'MANAGED', storage_location: location });
  return { full_name, location };
}

const exists = (file: string) =>
  fs.access(file).then(
    () => true,
    () => false,
  );

test('tables of a schema live below its location, and dropped ones go there', async () => {
  const schema = await makeSchema(`file://${allowed}/a/`);
  expect(schema).toMatchObject({ storage_root: `${allowed}/a`, storage_location: `${allowed}/a` });

  const { full_name, location } = await makeTable(schema);
  expect(location).toMatch(new RegExp(`^${allowed}/a/__headrace/tables/t-[0-9a-f]{8}$`));
  await server.client.tablesUpdate({ full_name, new_name: 'renamed' });
  expect(await exists(location)).toBe(true);

  await server.client.tablesDelete({ full_name: full_name.replace(/t$/, 'renamed') });
  expect(await exists(location)).toBe(false);
  expect(await exists(`${allowed}/a`)).toBe(true);
});

test('a schema without one takes that of its catalog, and may have one within it', async () => {
  await server.client.catalogsCreate({ name: 'lake', storage_root: `${allowed}/lake` });
  const inner = await makeSchema(`${allowed}/lake/bronze`, 'lake');

  const [outerTable, innerTable] = [
    await makeTable({ catalog_name: 'lake', name: 'default' }),
    await makeTable(inner),
  ];

  expect(outerTable.location).toContain(`${allowed}/lake/__headrace/tables/`);
  expect(innerTable.location).toContain(`${allowed}/lake/bronze/__headrace/tables/`);
  await server.client.catalogsDelete({ name: 'lake', force: true });
  expect([await exists(outerTable.location), await exists(innerTable.location)]).toEqual([false, false]);
});

test('managed volumes live there too, under their names, and go with their files', async () => {
  const { name: schema_name } = await makeSchema(`${allowed}/v`);
  const named = { catalog_name: 'dev', schema_name, name: 'files', volume_type: 'MANAGED' as const };
  const volume = await server.client.volumesCreate(named);
  expect(volume).toMatchObject({ volume_type: 'MANAGED' });
  expect(volume.storage_location).toContain(`${allowed}/v/__headrace/volumes/`);
  await fs.writeFile(path.join(volume.storage_location, 'x'), 'y');

  await server.client.volumesUpdate({ name: volume.full_name, new_name: 'papers' });
  const place = path.join(server.stateDir, 'data/volumes/dev', schema_name, 'papers/x');
  expect(await fs.readFile(place, 'utf8')).toBe('y');

  await server.client.volumesDelete({ name: `dev.${schema_name}.papers` });
  expect(await exists(place)).toBe(false);
  const later = {
    ...server.services,
    clock: { ...server.services.clock, nowMs: () => Date.now() + 120_000 },
  };
  await createDiscardLoop(later).turn();
  expect(await exists(volume.storage_location)).toBe(false);
});

test('a location in DBFS is the data root’s own', async () => {
  const schema = await makeSchema('dbfs:/warehouse');

  const { location } = await makeTable(schema);

  expect(location).toContain(path.join(server.stateDir, 'data/dbfs/warehouse/__headrace/tables/'));
});

test.each([
  ['elsewhere', () => '/etc/headrace'],
  ['through a link', () => `${allowed}/away/x`],
  ['through ..', () => `${allowed}/../x`],
  ['in a bucket', () => 's3://bucket/x'],
  ['in a volume', () => '/Volumes/dev/default/v'],
  ['all of DBFS', () => 'dbfs:/'],
  ['in the data root', () => path.join(server.stateDir, 'data/managed/x')],
  ['relative', () => 'x'],
])('a location %s is refused', async (_, location) => {
  await expect(makeSchema(location())).rejects.toMatchObject(refusal);
  await expect(
    server.client.catalogsCreate({ name: `c${made++}`, storage_root: location() }),
  ).rejects.toMatchObject(refusal);
});

test('locations that overlap are refused, whatever else lies there', async () => {
  await makeSchema(`${allowed}/o/one`);
  const { name: schema_name } = await makeSchema(`${allowed}/o/two`);
  const named = { catalog_name: 'dev', schema_name };
  const external = { ...named, table_type: 'EXTERNAL' as const };
  await server.client.tablesCreate({ ...external, name: 'e', storage_location: `file:${allowed}/o/ext/t` });

  for (const taken of ['o', 'o/one', 'o/two/deeper', 'o/ext', 'o/ext/t/x']) {
    await expect(makeSchema(`${allowed}/${taken}`)).rejects.toMatchObject({
      ...refusal,
      message: expect.stringMatching(/overlaps/),
    });
  }
  for (const storage_location of [`${allowed}/o/one/t`, `file:${allowed}/o/two`, `${allowed}/o`]) {
    await expect(
      server.client.tablesCreate({ ...external, name: 'x', storage_location }),
    ).rejects.toMatchObject(refusal);
    await fs.mkdir(path.join(allowed, 'o/one/t'), { recursive: true });
    await fs.mkdir(path.join(allowed, 'o/two'), { recursive: true });
    const volume = { ...named, name: 'x', volume_type: 'EXTERNAL' as const, storage_location };
    await expect(server.client.volumesCreate(volume)).rejects.toMatchObject(refusal);
  }
});

test('a folder of another schema, or none of ours, is no managed table', async () => {
  const schema = await makeSchema(`${allowed}/p`);
  const named = { catalog_name: 'dev', name: 'x', table_type: 'MANAGED' as const };

  for (const storage_location of [
    `${allowed}/p/mine`,
    '/etc/__headrace/tables/x',
    `${allowed}/p/__headrace/tables`,
  ])
    await expect(
      server.client.tablesCreate({ ...named, schema_name: schema.name, storage_location }),
    ).rejects.toMatchObject(refusal);
  await expect(
    server.client.tablesCreate({
      ...{ ...named, schema_name: 'default' },
      storage_location: `${allowed}/p/__headrace/tables/x`,
    }),
  ).rejects.toMatchObject(refusal);
});
