import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ backend: null });
  const named = { catalog_name: 'dev', schema_name: 'default', name: 'v' };
  await server.client.volumesCreate({ ...named, volume_type: 'MANAGED' });
});
afterAll(() => server.dispose());

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');
const place = (name: string) => path.join(server.stateDir, 'data/dbfs', name);
const missing = { code: 'RESOURCE_DOES_NOT_EXIST' };
const taken = { code: 'RESOURCE_ALREADY_EXISTS' };
const invalid = { code: 'INVALID_PARAMETER_VALUE' };

test('a file is put, shown, listed, read, moved and deleted', async () => {
  const { client } = server;
  await client.dbfsPut({ path: 'dbfs:/a//b.txt', contents: base64('0123456789') });

  expect(await fs.readFile(place('a/b.txt'), 'utf8')).toBe('0123456789');
  const status = await client.dbfsGetStatus({ path: '/a/b.txt' });
  expect(status).toMatchObject({ path: '/a/b.txt', is_dir: false, file_size: 10 });
  expect(await client.dbfsList({ path: '/a' })).toEqual({ files: [status] });
  expect(await client.dbfsList({ path: '/a/b.txt' })).toEqual({ files: [status] });
  const read = await client.dbfsRead({ path: '/a/b.txt', offset: 8, length: 100 });
  expect(read).toEqual({ bytes_read: 2, data: base64('89') });
  expect(await client.dbfsRead({ path: '/a/b.txt', offset: 50 })).toEqual({ bytes_read: 0, data: '' });
  await client.dbfsMove({ source_path: '/a', destination_path: '/c' });
  await client.dbfsDelete({ path: '/c/b.txt' });
  await client.dbfsDelete({ path: '/c/b.txt' });

  expect((await client.dbfsList({ path: '/c' })).files).toEqual([]);
});

test('what is in the way or missing is said', async () => {
  const { client } = server;
  await client.dbfsMkdirs({ path: '/w/x/y' });
  await client.dbfsMkdirs({ path: '/w/x/y' });
  await client.dbfsPut({ path: '/w/file', contents: '' });

  await expect(client.dbfsPut({ path: '/w/file', contents: '' })).rejects.toMatchObject(taken);
  await expect(client.dbfsPut({ path: '/w/x', contents: '', overwrite: true })).rejects.toMatchObject(taken);
  await expect(client.dbfsMkdirs({ path: '/w/file' })).rejects.toMatchObject(taken);
  await expect(client.dbfsMkdirs({ path: '/w/file/below' })).rejects.toMatchObject(invalid);
  await expect(client.dbfsDelete({ path: '/w' })).rejects.toMatchObject({ code: 'IO_ERROR' });
  await expect(client.dbfsDelete({ path: '/', recursive: true })).rejects.toMatchObject(invalid);
  await expect(client.dbfsDelete({ path: '/Volumes/dev/default/v', recursive: true })).rejects.toMatchObject(
    invalid,
  );
  await expect(client.dbfsRead({ path: '/w' })).rejects.toMatchObject(invalid);
  await expect(client.dbfsRead({ path: '/none' })).rejects.toMatchObject(missing);
  await expect(client.dbfsGetStatus({ path: '/none' })).rejects.toMatchObject(missing);
  await expect(client.dbfsList({ path: '/none' })).rejects.toMatchObject(missing);
  await expect(client.dbfsMove({ source_path: '/none', destination_path: '/n' })).rejects.toMatchObject(
    missing,
  );
  await expect(client.dbfsMove({ source_path: '/w/x', destination_path: '/w/file' })).rejects.toMatchObject(
    taken,
  );
  await expect(client.dbfsMove({ source_path: '/w', destination_path: '/w/z' })).rejects.toMatchObject(
    invalid,
  );
  for (const bad of [
    '/a/../b',
    '/./a',
    '/a/\0',
    'relative',
    's3://x/y',
    '/Volumes/dev',
    '/Volumes/dev/default/no/x',
  ])
    await expect(client.dbfsGetStatus({ path: bad }), bad).rejects.toMatchObject({
      code: /INVALID|DOES_NOT/,
    });
  await client.dbfsDelete({ path: '/w', recursive: true });
  await expect(client.dbfsGetStatus({ path: '/w' })).rejects.toMatchObject(missing);
});

test('a block has at most a mebibyte, sent or read', async () => {
  const { client } = server;
  const large = base64(Buffer.alloc(1024 ** 2 + 1));
  const { handle } = await client.dbfsCreate({ path: '/big' });

  await expect(client.dbfsPut({ path: '/big', contents: large })).rejects.toMatchObject({
    code: 'MAX_BLOCK_SIZE_EXCEEDED',
  });
  await expect(client.dbfsAddBlock({ handle, data: large })).rejects.toMatchObject({
    code: 'MAX_BLOCK_SIZE_EXCEEDED',
  });
  await expect(client.dbfsRead({ path: '/big', length: 1024 ** 2 + 1 })).rejects.toMatchObject({
    code: 'MAX_READ_SIZE_EXCEEDED',
  });
  await expect(client.dbfsPut({ path: '/big', contents: '!' })).rejects.toMatchObject(invalid);
});

test('blocks become a file when they are closed, and not before', async () => {
  const { client } = server;
  const blocks = [randomBytes(1024 ** 2), randomBytes(1024 ** 2), Buffer.from('end')];
  const { handle } = await client.dbfsCreate({ path: '/sent/file' });
  for (const block of blocks) await client.dbfsAddBlock({ handle, data: base64(block) });
  expect((await client.dbfsList({ path: '/sent' })).files).toEqual([]);

  await client.dbfsClose({ handle });

  expect((await fs.readFile(place('sent/file'))).equals(Buffer.concat(blocks))).toBe(true);
  expect(await fs.readdir(place('sent'))).toEqual(['file']);
  await expect(client.dbfsClose({ handle })).rejects.toMatchObject(missing);
  await expect(client.dbfsAddBlock({ handle, data: '' })).rejects.toMatchObject(missing);
  await expect(client.dbfsCreate({ path: '/sent/file' })).rejects.toMatchObject(taken);
});

test('what a block left that failed is written over', async () => {
  const { client } = server;
  const { handle } = await client.dbfsCreate({ path: '/again' });
  await client.dbfsAddBlock({ handle, data: base64('one,') });
  const [draft = ''] = (await fs.readdir(place(''))).filter((name) => name.endsWith(`handle-${handle}`));
  // As a server leaves it that dies after the write and before the commit.
  await fs.appendFile(place(draft), 'two,');

  await client.dbfsAddBlock({ handle, data: base64('two.') });
  await client.dbfsClose({ handle });

  expect(await fs.readFile(place('again'), 'utf8')).toBe('one,two.');
});

test('what lies where a draft goes is not written through', async () => {
  const { client } = server;
  const outside = path.join(server.stateDir, 'outside');
  await fs.writeFile(outside, 'kept');
  await fs.mkdir(place('planted'));
  const { handle: before } = await client.dbfsCreate({ path: '/planted/first' });
  const next = before + 1;
  await fs.symlink(outside, place(`planted/.headrace-draft-handle-${next}`));

  const { handle } = await client.dbfsCreate({ path: '/planted/file' });
  await client.dbfsAddBlock({ handle, data: base64('ours') });
  await client.dbfsClose({ handle });

  expect(handle).toBe(next);
  expect(await fs.readFile(outside, 'utf8')).toBe('kept');
  expect(await fs.readFile(place('planted/file'), 'utf8')).toBe('ours');
});

test('who may not replace is told so at the end too, and nobody else writes with a handle', async () => {
  const { client } = server;
  const { handle } = await client.dbfsCreate({ path: '/late' });
  await client.dbfsPut({ path: '/late', contents: base64('first') });

  await expect(client.dbfsClose({ handle })).rejects.toMatchObject(taken);

  expect(await fs.readFile(place('late'), 'utf8')).toBe('first');
  await server.database.pool.query(`update dbfs_handles set principal_id = -1 where id = ${handle}`);
  await expect(client.dbfsAddBlock({ handle, data: '' })).rejects.toMatchObject(missing);
});

test('volumes are reached too, and a form with a file is taken', async () => {
  const form = new FormData();
  form.set('path', '/Volumes/dev/default/v/form');
  form.set('contents', new Blob(['from a form']), 'x');

  const answer = await server.send('POST', '/api/2.0/dbfs/put', { body: form });

  expect(answer.status, await answer.text()).toBe(200);
  const file = path.join(server.stateDir, 'data/volumes/dev/default/v/form');
  expect(await fs.readFile(file, 'utf8')).toBe('from a form');
  await server.client.dbfsMove({
    source_path: '/Volumes/dev/default/v/form',
    destination_path: '/from-volume',
  });
  expect(await fs.readFile(place('from-volume'), 'utf8')).toBe('from a form');
});

test('a folder of a volume does not move into itself, however the volume is written', async () => {
  const { client } = server;
  await client.dbfsMkdirs({ path: '/Volumes/dev/default/v/m' });
  const into = { source_path: '/Volumes/dev/default/v/m', destination_path: '/Volumes/DEV/Default/V/m/x/y' };

  await expect(client.dbfsMove(into)).rejects.toMatchObject(invalid);

  expect((await client.dbfsList({ path: '/Volumes/dev/default/v/m' })).files).toEqual([]);
});

test('without a token there is no answer', async () => {
  for (const name of ['get-status', 'list', 'read'])
    expect((await server.send('GET', `/api/2.0/dbfs/${name}?path=/`, { token: null })).status).toBe(401);
  for (const name of ['put', 'mkdirs', 'delete', 'move', 'create', 'add-block', 'close'])
    expect((await server.send('POST', `/api/2.0/dbfs/${name}`, { token: null, body: '{}' })).status).toBe(
      401,
    );
});
