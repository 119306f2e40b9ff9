import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isAllowedLocation } from '../../../packages/server/src/volumes/external-location.ts';
import { createFolderMovesLoop } from '../../../packages/server/src/volumes/move-folders.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
let allowed: string;
beforeAll(async () => {
  allowed = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-external-')));
  server = await startTestServer({ backend: null, config: { externalLocations: [allowed] } });
});
afterAll(async () => {
  await server.dispose();
  await fs.rm(allowed, { recursive: true, force: true });
});

const place = (...parts: string[]) => path.join(server.stateDir, 'data/volumes', ...parts);
const missing = { code: 'RESOURCE_DOES_NOT_EXIST', status: 404 };
const taken = { code: 'RESOURCE_ALREADY_EXISTS', status: 409 };

async function makeSchema(schema: string): Promise<void> {
  await server.client.schemasCreate({ catalog_name: 'dev', name: schema });
}

function makeVolume(schema: string, name: string, more: object = {}) {
  const named = { catalog_name: 'dev', schema_name: schema, name };
  return server.client.volumesCreate({ ...named, volume_type: 'MANAGED', ...more });
}

const exists = (file: string) =>
  fs.access(file).then(
    () => true,
    () => false,
  );

describe('managed volumes', () => {
  test('one is a folder where its name says, and is shown, listed and changed', async () => {
    await makeSchema('m1');

    const made = await makeVolume('m1', 'Landing', { comment: 'raw' });

    expect(made).toMatchObject({
      ...{ name: 'landing', full_name: 'dev.m1.landing', volume_type: 'MANAGED', comment: 'raw' },
      storage_location: await fs.realpath(place('dev/m1/landing')),
    });
    expect(await server.client.volumesGet({ name: 'dev.M1.landing' })).toEqual(made);
    const changed = await server.client.volumesUpdate({ name: 'dev.m1.landing', comment: 'x', owner: 'ada' });
    expect(changed).toMatchObject({ name: 'landing', comment: 'x', owner: 'ada' });
    const { volumes } = await server.client.volumesList({ catalog_name: 'dev', schema_name: 'm1' });
    expect(volumes).toEqual([changed]);
    await expect(makeVolume('m1', 'LANDING')).rejects.toMatchObject(taken);
  });

  test('what is missing is named, each level', async () => {
    await makeSchema('m2');

    await expect(server.client.volumesGet({ name: 'dev.m2.v' })).rejects.toThrow(
      "Volume 'dev.m2.v' does not exist.",
    );
    await expect(server.client.volumesGet({ name: 'dev.nope.v' })).rejects.toThrow("Schema 'dev.nope'");
    await expect(makeVolume('nope', 'v')).rejects.toMatchObject(missing);
    await expect(server.client.volumesGet({ name: 'dev.v' })).rejects.toMatchObject({ status: 400 });
    await expect(makeVolume('m2', '長'.repeat(200))).rejects.toMatchObject({ status: 400 });
    await expect(makeVolume('m2', 'v', { storage_location: allowed })).rejects.toMatchObject({ status: 400 });
  });

  test('files follow a new name: of the volume, of its schema, of its catalog', async () => {
    await server.client.catalogsCreate({ name: 'moving' });
    await server.client.schemasCreate({ catalog_name: 'moving', name: 's' });
    const named = { catalog_name: 'moving', schema_name: 's', name: 'v' };
    await server.client.volumesCreate({ ...named, volume_type: 'MANAGED' });
    await fs.writeFile(place('moving/s/v/a'), 'kept');

    await server.client.volumesUpdate({ name: 'moving.s.v', new_name: 'W' });
    expect(await fs.readFile(place('moving/s/w/a'), 'utf8')).toBe('kept');
    await server.client.schemasUpdate({ full_name: 'moving.s', new_name: 's2' });
    expect(await fs.readFile(place('moving/s2/w/a'), 'utf8')).toBe('kept');
    await server.client.catalogsUpdate({ name: 'moving', new_name: 'moved' });

    expect(await fs.readFile(place('moved/s2/w/a'), 'utf8')).toBe('kept');
    expect(await exists(place('moving'))).toBe(false);
    expect(await server.client.volumesGet({ name: 'moved.s2.w' })).toMatchObject({ name: 'w' });
  });

  test('no volume takes a name under which files of no volume lie, but a new one takes them in', async () => {
    await makeSchema('m3');
    await makeVolume('m3', 'v');
    await fs.mkdir(place('dev/m3/stray'));
    await fs.writeFile(place('dev/m3/stray/a'), 'ours');

    await expect(server.client.volumesUpdate({ name: 'dev.m3.v', new_name: 'stray' })).rejects.toMatchObject(
      taken,
    );
    expect(await server.client.volumesGet({ name: 'dev.m3.v' })).toMatchObject({ name: 'v' });
    await makeVolume('m3', 'stray');

    expect(await fs.readFile(place('dev/m3/stray/a'), 'utf8')).toBe('ours');
  });

  test('a deleted one takes its files along, and a new one of the name is empty', async () => {
    await makeSchema('m4');
    await makeVolume('m4', 'v');
    await fs.writeFile(place('dev/m4/v/a'), '1');

    await server.client.volumesDelete({ name: 'dev.m4.v' });
    await makeVolume('m4', 'v');

    expect(await fs.readdir(place('dev/m4/v'))).toEqual([]);
    expect(await fs.readdir(path.join(server.stateDir, 'data/trash'))).toEqual([]);
  });

  test('a schema or catalog with volumes goes only by force, and their files with it', async () => {
    await makeSchema('m5');
    await makeVolume('m5', 'v');
    await fs.writeFile(place('dev/m5/v/a'), '1');

    await expect(server.client.schemasDelete({ full_name: 'dev.m5' })).rejects.toThrow('1 volumes');
    await server.client.schemasDelete({ full_name: 'dev.m5', force: true });

    expect(await exists(place('dev/m5/v'))).toBe(false);
    await server.client.catalogsCreate({ name: 'going' });
    const named = { catalog_name: 'going', schema_name: 'default', name: 'v' };
    await server.client.volumesCreate({ ...named, volume_type: 'MANAGED' });
    await expect(server.client.catalogsDelete({ name: 'going' })).rejects.toMatchObject({ status: 400 });
    await server.client.catalogsDelete({ name: 'going', force: true });
    expect(await exists(place('going/default/v'))).toBe(false);
  });

  test('a rename that a crash cut off between its metadata and its folder is brought to its end', async () => {
    await makeSchema('m6');
    await makeVolume('m6', 'v');
    await fs.writeFile(place('dev/m6/v/a'), 'kept');
    // As the commit leaves it: the row has the new name, the note says where the folder has to go.
    await server.database.pool.query(`update volumes set name = 'w' where name = 'v' and schema_id =
      (select id from schemas where name = 'm6')`);
    await server.database.pool.query(`insert into folder_moves (from_key, to_key, requested_at_ms)
      values ('volumes/dev/m6/v', 'volumes/dev/m6/w', 0)`);

    await makeVolume('m6', 'v');

    expect(await fs.readFile(place('dev/m6/w/a'), 'utf8')).toBe('kept');
    expect(await fs.readdir(place('dev/m6/v'))).toEqual([]);
  });

  test('one folder that cannot be moved holds up nothing but what is in its places', async () => {
    await makeSchema('m8');
    await makeSchema('m9');
    await makeVolume('m9', 'v');
    await fs.writeFile(place('dev/m9/v/a'), 'kept');
    // A link in the place of the schema: neither of the two moves through it can be done.
    await fs.symlink(allowed, place('dev/m8'));
    await server.database.pool.query(`insert into folder_moves (from_key, to_key, requested_at_ms)
      values ('volumes/dev/m8/v', 'volumes/dev/m9/x', 0), ('volumes/dev/m9/x', 'volumes/dev/m9/y', 0)`);

    await makeVolume('m9', 'w');
    await server.client.volumesUpdate({ name: 'dev.m9.v', new_name: 'u' });
    expect(await fs.readFile(place('dev/m9/u/a'), 'utf8')).toBe('kept');
    await expect(makeVolume('m9', 'x')).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await expect(makeVolume('m8', 'v')).rejects.toMatchObject({ status: 400 });

    const left = await server.database.pool.query('select from_key from folder_moves order by id');
    expect(left.rows.map((row) => row.from_key)).toEqual(['volumes/dev/m8/v', 'volumes/dev/m9/x']);
    await fs.unlink(place('dev/m8'));
    await server.database.pool.query('delete from folder_moves');
  });

  test('a folder to be removed that does not move is emptied where it is', async () => {
    await makeSchema('m10');
    await makeVolume('m10', 'v');
    await fs.mkdir(place('dev/m10/v/a'));
    await fs.writeFile(place('dev/m10/v/a/b'), '1');
    const rename = vi.spyOn(fs, 'rename').mockImplementation(async () => {
      throw Object.assign(new Error('a mount point'), { code: 'EBUSY' });
    });

    await server.client.volumesDelete({ name: 'dev.m10.v' }).finally(() => rename.mockRestore());

    expect(await fs.readdir(place('dev/m10/v')).catch(() => [])).toEqual([]);
    await makeVolume('m10', 'v');
  });

  test('a new volume is not taken for the one of its name that goes at the same time', async () => {
    await makeSchema('m11');
    await makeVolume('m11', 'v');
    await fs.writeFile(place('dev/m11/v/old'), '1');
    const { pool } = server.database;
    const deleting = await pool.connect();
    await deleting.query('begin');
    await deleting.query(`delete from volumes where name = 'v' and schema_id =
      (select id from schemas where name = 'm11')`);
    await deleting.query(`insert into folder_moves (from_key, to_key, requested_at_ms)
      values ('volumes/dev/m11/v', 'trash/of-the-test', 0)`);

    const making = makeVolume('m11', 'v');
    const waiting = `select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%insert into volumes%'`;
    await expect.poll(async () => (await pool.query(waiting)).rowCount, { timeout: 20_000 }).toBe(1);
    await deleting.query('commit');
    deleting.release();
    await making;
    await createFolderMovesLoop(server.services).turn();

    expect(await fs.readdir(place('dev/m11/v'))).toEqual([]);
  });

  test('a link that a task left on the way leads nowhere', async () => {
    await makeSchema('m7');
    await fs.mkdir(place('dev'), { recursive: true });
    await fs.symlink(allowed, place('dev/m7'));

    await expect(makeVolume('m7', 'v')).rejects.toMatchObject({ status: 400 });

    expect(await fs.readdir(allowed)).toEqual([]);
    await fs.unlink(place('dev/m7'));
  });
});

describe('external volumes', () => {
  test('one shows a folder that the server allows, and leaves it when it goes', async () => {
    await makeSchema('e1');
    await fs.mkdir(path.join(allowed, 'share'));
    await fs.writeFile(path.join(allowed, 'share/a'), 'theirs');

    const made = await makeVolume('e1', 'v', {
      ...{ volume_type: 'EXTERNAL', storage_location: `file://${allowed}/share/` },
    });

    expect(made).toMatchObject({ volume_type: 'EXTERNAL', storage_location: path.join(allowed, 'share') });
    expect(await fs.readFile(place('dev/e1/v/a'), 'utf8')).toBe('theirs');
    await server.client.volumesUpdate({ name: 'dev.e1.v', new_name: 'w' });
    expect(await fs.readFile(place('dev/e1/w/a'), 'utf8')).toBe('theirs');
    await expect(
      makeVolume('e1', 'x', { volume_type: 'EXTERNAL', storage_location: path.join(allowed, 'share') }),
    ).rejects.toThrow("volume 'dev.e1.w' lies there");
    await server.client.volumesDelete({ name: 'dev.e1.w' });
    expect(await exists(place('dev/e1/w'))).toBe(false);
    expect(await fs.readFile(path.join(allowed, 'share/a'), 'utf8')).toBe('theirs');
  });

  test('its link comes back when somebody removed it', async () => {
    await makeSchema('e4');
    await fs.mkdir(path.join(allowed, 'back'));
    await makeVolume('e4', 'v', { volume_type: 'EXTERNAL', storage_location: path.join(allowed, 'back') });
    await fs.unlink(place('dev/e4/v'));

    await createFolderMovesLoop(server.services).turn();

    expect(await fs.readlink(place('dev/e4/v'))).toBe(path.join(allowed, 'back'));
  });

  test.each([
    ['outside', () => '/etc'],
    ['above', () => path.dirname(allowed)],
    ['through ..', () => `${allowed}/../../etc`],
    ['through a link', () => `${allowed}/away`],
    ['of another kind', () => 's3://bucket/x'],
    ['relative', () => 'share'],
    ['that is not there', () => `${allowed}/none`],
    ['with a zero byte', () => `${allowed}/\0`],
    ['missing', () => ''],
  ])('a location %s is refused', async (name, location) => {
    await server.client.schemasCreate({ catalog_name: 'dev', name: 'e2' }).catch(() => undefined);
    await fs.symlink('/etc', path.join(allowed, 'away')).catch(() => undefined);

    const made = makeVolume('e2', 'v', { volume_type: 'EXTERNAL', storage_location: location() });

    await expect(made, name).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
    expect(await exists(place('dev/e2/v'))).toBe(false);
  });

  test('the state of the server, and the folder of its key, are no locations', async () => {
    const services = { ...server.services, config: { ...server.services.config } };
    Object.assign(services.config, { stateDir: path.join(allowed, 'own/state') });
    Object.assign(services.config, { secretsKeyFile: path.join(allowed, 'keys/key') });
    for (const name of ['own/state/postgres', 'own/other', 'keys/of-others', 'elsewhere'])
      await fs.mkdir(path.join(allowed, name), { recursive: true });
    await fs.writeFile(path.join(allowed, 'elsewhere/key'), '');
    await fs.symlink('../elsewhere/key', path.join(allowed, 'keys/key'));
    const isAllowed = (name: string) => isAllowedLocation(services, path.join(allowed, name));

    for (const name of ['', 'own', 'own/state', 'own/state/postgres', 'keys', 'elsewhere'])
      expect(await isAllowed(name), name).toBe(false);
    for (const name of ['own/other', 'keys/of-others']) expect(await isAllowed(name), name).toBe(true);
  });

  test('the data root is no location, even where it is allowed', async () => {
    await makeSchema('e3');
    const link = path.join(allowed, 'root');
    await fs.symlink(path.join(server.stateDir, 'data'), link);

    await expect(
      makeVolume('e3', 'v', { volume_type: 'EXTERNAL', storage_location: link }),
    ).rejects.toMatchObject({ status: 400 });
  });
});

test('without a token there is no answer', async () => {
  for (const [method, target] of [
    ['GET', '?catalog_name=dev&schema_name=default'],
    ['POST', ''],
    ['GET', '/dev.default.v'],
    ['PATCH', '/dev.default.v'],
    ['DELETE', '/dev.default.v'],
  ] as const) {
    const answer = await server.send(method, `/api/2.1/unity-catalog/volumes${target}`, { token: null });
    expect(answer.status, `${method} ${target}`).toBe(401);
  }
});
