import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ApiError, dbfsBlockBytesMax } from '@headrace/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import { type StubServer, startStubServer } from '../../testing/stub-server.ts';

let server: StubServer;
let folder: string;
/** What the server has, by path; null: a folder. */
let files: Map<string, string | null>;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-fs-'));
  files = new Map([['/', null]]);
  server = await startStubServer(makeHandlers());
});
afterEach(async () => {
  server.close();
  await fs.rm(folder, { recursive: true });
});

const call = (...args: string[]) =>
  callCli(['fs', ...args], { environment: { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' }, folder });

function makeHandlers(): Parameters<typeof startStubServer>[0] {
  const open = new Map<number, { path: string; text: string }>();
  const find = (at: string) => {
    const content = files.get(at);
    if (content === undefined) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `no ${at}`);
    return { path: at, is_dir: content === null, file_size: content?.length ?? 0, modification_time: 0 };
  };
  return {
    dbfsGetStatus: async (request) => find(request.path),
    dbfsList: async (request) => ({
      files: [...files.keys()]
        .filter((at) => at !== '/' && path.posix.dirname(at) === request.path)
        .map(find),
    }),
    dbfsMkdirs: async (request) => {
      files.set(request.path, null);
      return {};
    },
    dbfsDelete: async (request) => {
      files.delete(request.path);
      return {};
    },
    dbfsRead: async ({ path: at, offset, length }) => {
      if (at === '/broken' && offset > 0) throw new ApiError('PERMISSION_DENIED', 'no longer');
      const part = (files.get(at) ?? '').slice(offset, offset + length);
      return { bytes_read: part.length, data: Buffer.from(part).toString('base64') };
    },
    dbfsCreate: async (request) => {
      open.set(7, { path: request.path, text: '' });
      return { handle: 7 };
    },
    dbfsAddBlock: async ({ data }) => {
      const block = Buffer.from(data, 'base64');
      if (block.length > dbfsBlockBytesMax) throw new ApiError('MAX_BLOCK_SIZE_EXCEEDED', 'too large');
      const file = open.get(7);
      if (file) file.text += block.toString();
      return {};
    },
    dbfsClose: async () => {
      const file = open.get(7);
      if (file) files.set(file.path, file.text);
      return {};
    },
    filesUpload: async (request, { body }) => {
      if (files.has(`/${request.path}`) && !request.overwrite)
        throw new ApiError('RESOURCE_ALREADY_EXISTS', 'it is there');
      files.set(`/${request.path}`, body);
      return { status: 204, headers: {}, body: null };
    },
    filesDownload: async (request) => ({
      ...{ status: 200, headers: {} },
      body: (async function* () {
        yield Buffer.from(files.get(`/${request.path}`) ?? '');
      })(),
    }),
  };
}

test('a file goes to a volume and to dbfs:/ and comes back, in blocks where it must', async () => {
  const text = 'x'.repeat(dbfsBlockBytesMax + 5);
  await fs.writeFile(path.join(folder, 'a.txt'), text);
  files.set('/Volumes/c/s/v', null);

  const sent = await call('cp', 'a.txt', '/Volumes/c/s/v/');
  await call('cp', 'a.txt', 'dbfs:/b.txt');
  await call('cp', 'dbfs:/b.txt', 'back.txt');
  await call('cp', 'dbfs:/Volumes/c/s/v/a.txt', 'volume.txt');

  expect(sent).toMatchObject({ exitCode: 0, stdout: '1 file is copied\n' });
  expect([files.get('/Volumes/c/s/v/a.txt'), files.get('/b.txt')]).toEqual([text, text]);
  expect(await fs.readFile(path.join(folder, 'back.txt'), 'utf8')).toBe(text);
  expect(await fs.readFile(path.join(folder, 'volume.txt'), 'utf8')).toBe(text);
});

test('a folder is copied with -r, and nothing is replaced unless it is asked for', async () => {
  await fs.mkdir(path.join(folder, 'd/e'), { recursive: true });
  await fs.writeFile(path.join(folder, 'd/e/f'), '1');

  expect(await call('cp', 'd', '/Volumes/c/s/v/d')).toMatchObject({ exitCode: 2 });
  expect(await call('cp', '-r', 'd', '/Volumes/c/s/v/d')).toMatchObject({ exitCode: 0 });
  expect(files.get('/Volumes/c/s/v/d/e/f')).toBe('1');
  await fs.writeFile(path.join(folder, 'd/e/f'), '2');
  expect(await call('cp', '-r', 'd', '/Volumes/c/s/v/d')).toMatchObject({ exitCode: 1 });
  await call('cp', '-r', '--overwrite', 'd', '/Volumes/c/s/v/d');

  expect(files.get('/Volumes/c/s/v/d/e/f')).toBe('2');
  expect(await call('cp', '/Volumes/c/s/v/d/e/f', 'd/e/f')).toMatchObject({ exitCode: 1 });
  expect(await call('cp', 'none', 'dbfs:/x')).toMatchObject({ exitCode: 3 });
});

test('two paths of this machine are refused, and the file stays', async () => {
  await fs.writeFile(path.join(folder, 'a'), 'kept');

  const answer = await call('cp', '--overwrite', 'a', 'a');

  expect(answer).toMatchObject({ exitCode: 2 });
  expect(await fs.readFile(path.join(folder, 'a'), 'utf8')).toBe('kept');
});

test.each([
  ['dbfs:/a', 'dbfs:/a/b'],
  ['dbfs:/a', 'dbfs:/a'],
  ['dbfs:/a', 'dbfs://a/'],
  ['dbfs:/', 'dbfs:/x'],
  ['/Volumes/c/s/v', 'dbfs:/Volumes/C/s/V/x'],
])('a folder is not copied into itself: %s to %s', async (source, target) => {
  for (const name of ['/a', '/Volumes/c/s/v']) files.set(name, null);
  files.set('/a/f', '1');
  const before = [...files];

  expect(await call('cp', '-r', source, target)).toMatchObject({ exitCode: 2 });

  expect([...files]).toEqual(before);
  expect(await call('cp', '-r', 'dbfs:/a', 'dbfs:/ab')).toMatchObject({ exitCode: 0 });
});

test('a download that breaks off leaves what was there', async () => {
  files.set('/broken', 'new');
  await fs.writeFile(path.join(folder, 'a'), 'old');

  const replaced = await call('cp', '--overwrite', 'dbfs:/broken', 'a');
  const made = await call('cp', 'dbfs:/broken', 'b');

  expect([replaced.exitCode, made.exitCode]).not.toContain(0);
  expect(await fs.readFile(path.join(folder, 'a'), 'utf8')).toBe('old');
  expect(await fs.readdir(folder)).toEqual(['a']);
});

test('ls, cat, mkdir and rm', async () => {
  files.set('/a', 'grüße');

  expect((await call('ls', 'dbfs:/')).stdout).toContain('/a');
  expect((await call('cat', 'dbfs:/a')).stdout).toBe('grüße'.slice(0, 5));
  await call('mkdir', 'dbfs:/new');
  expect(files.get('/new')).toBeNull();
  expect(await call('rm', '-r', 'dbfs:/new')).toMatchObject({ exitCode: 2 });
  await call('rm', '-r', 'dbfs:/new', '--auto-approve');

  expect(files.has('/new')).toBe(false);
  expect(await call('rm', '/etc/passwd')).toMatchObject({ exitCode: 2 });
});
