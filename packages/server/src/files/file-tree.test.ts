import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { ApiError } from '@headrace/api';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type FileTree, openFileTree } from './file-tree.ts';
import { parseVolumePath } from './find-place.ts';

const secret = 'nobody may read this';
/** Names and contents that no answer has unless it looked outside. */
const onlyOutside = ['name-of-outside', 'root:'];
let folder: string;
let tree: FileTree;
beforeEach(async () => {
  folder = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-tree-')));
  await fs.mkdir(path.join(folder, 'outside/deep'), { recursive: true });
  await fs.writeFile(path.join(folder, 'outside/secret'), secret);
  await fs.writeFile(path.join(folder, 'outside/deep/secret'), secret);
  for (const name of ['outside', 'outside/deep'])
    await fs.writeFile(path.join(folder, name, 'name-of-outside'), secret);
  await fs.mkdir(path.join(folder, 'root'));
  tree = openFileTree(path.join(folder, 'root'), { nowMs: () => Date.now() });
});
afterEach(() => fs.rm(folder, { recursive: true }));

test('content is taken no faster than it is written', async () => {
  const chunk = Buffer.alloc(1024 ** 2);
  let aheadMax = 0;
  async function* make() {
    for (let made = 0; made < 24; made += 1) {
      aheadMax = Math.max(aheadMax, made * chunk.length - (await sizeBelow(path.join(folder, 'root'))));
      yield chunk;
    }
  }

  await tree.write(['large'], Readable.from(make()), { overwrite: false });

  expect((await tree.stat(['large']))?.sizeBytes).toBe(24 * chunk.length);
  expect(aheadMax).toBeLessThan(8 * chunk.length);
});

test('a source that breaks leaves no draft, and one that the disk refuses is not ended', async () => {
  async function* broken() {
    yield Buffer.from('half');
    throw new Error('broken');
  }
  await expect(tree.write(['a'], Readable.from(broken()), { overwrite: true })).rejects.toThrow('broken');
  await fs.mkdir(path.join(folder, 'root/b/c'), { recursive: true });
  const source = Readable.from([Buffer.from('x')]);

  await expect(tree.write(['b'], source, { overwrite: true })).rejects.toMatchObject({ status: 409 });

  expect(await fs.readdir(path.join(folder, 'root'))).toEqual(['b']);
});

test('a move replaces nothing that comes before its last step', async () => {
  for (const name of ['a', 'b', 'c/in', 'd/in'])
    await tree.write([...name.split('/')], Buffer.from(name), { overwrite: false });
  const taken = { code: 'RESOURCE_ALREADY_EXISTS' };

  await expect(tree.move(['a'], tree, ['b'])).rejects.toMatchObject(taken);
  await expect(tree.move(['c'], tree, ['d'])).rejects.toMatchObject(taken);
  await expect(tree.move(['c'], tree, ['b'])).rejects.toMatchObject(taken);
  await tree.move(['a'], tree, ['e']);

  expect((await fs.readdir(path.join(folder, 'root'), { recursive: true })).sort()).toEqual([
    ...['b', 'c', 'c/in', 'd', 'd/in', 'e'],
  ]);
  expect(await fs.readFile(path.join(folder, 'root/b'), 'utf8')).toBe('b');
  expect(await fs.readFile(path.join(folder, 'root/e'), 'utf8')).toBe('a');
});

test('on a disk without second names a file moves all the same', async () => {
  await tree.write(['a'], Buffer.from('a'), { overwrite: false });
  const link = vi
    .spyOn(fs, 'link')
    .mockRejectedValue(Object.assign(new Error('no links'), { code: 'EPERM' }));

  await tree.move(['a'], tree, ['b']).finally(() => link.mockRestore());

  expect(await fs.readdir(path.join(folder, 'root'))).toEqual(['b']);
});

test.each([
  ['EACCES', 'PERMISSION_DENIED'],
  ['EROFS', 'PERMISSION_DENIED'],
  ['EDQUOT', 'RESOURCE_LIMIT_EXCEEDED'],
  ['EINVAL', 'INVALID_PARAMETER_VALUE'],
  ['ENAMETOOLONG', 'INVALID_PARAMETER_VALUE'],
])('an error %s of the disk is answered as %s', async (code, answer) => {
  const mkdir = vi.spyOn(fs, 'mkdir').mockRejectedValue(Object.assign(new Error('of the disk'), { code }));

  await expect(tree.makeFolder(['a']).finally(() => mkdir.mockRestore())).rejects.toMatchObject({
    code: answer,
  });
});

test('drafts that nobody writes any more go when their folder is listed or deleted', async () => {
  const place = (name: string) => path.join(folder, 'root/a', name);
  for (const name of ['.headrace-draft-0123', '.headrace-draft-handle-7', '.headrace-draft-new'])
    await tree
      .write(['a', 'file'], Buffer.from(''), { overwrite: true })
      .then(() => fs.writeFile(place(name), ''));
  const longAgo = (Date.now() - 3 * 3_600_000) / 1_000;
  await fs.utimes(place('.headrace-draft-0123'), longAgo, longAgo);
  await tree.list(['a'], { after: '', limit: 1 });
  expect((await fs.readdir(place(''))).sort()).toEqual([
    ...['.headrace-draft-handle-7', '.headrace-draft-new', 'file'],
  ]);
  await tree.removeFile(['a', 'file']);
  await fs.utimes(place('.headrace-draft-handle-7'), longAgo, longAgo);

  expect(await tree.removeFolder(['a'], { recursive: false })).toBe(false);
  await fs.utimes(place('.headrace-draft-new'), longAgo, longAgo);

  expect(await tree.removeFolder(['a'], { recursive: false })).toBe(true);
});

test('the last of a disk is not given to uploads, neither at their begin nor as they go on', async () => {
  const gibibyte = 1024 ** 3;
  const disk = (left: number) => ({ bsize: 1, blocks: 40 * gibibyte, bavail: left }) as never;
  const statfs = vi.spyOn(fs, 'statfs').mockResolvedValueOnce(disk(gibibyte - 1));
  const full = { code: 'RESOURCE_LIMIT_EXCEEDED' };
  await expect(tree.write(['a'], Buffer.from('a'), { overwrite: false })).rejects.toMatchObject(full);

  statfs.mockResolvedValueOnce(disk(gibibyte)).mockResolvedValueOnce(disk(0));
  const chunk = Buffer.alloc(1024 ** 2);
  const content = Readable.from(Array.from({ length: 70 }, () => chunk));
  const written = tree.write(['a'], content, { overwrite: false }).finally(() => statfs.mockRestore());

  await expect(written).rejects.toMatchObject(full);
  expect(content.destroyed).toBe(false);
  expect(await fs.readdir(path.join(folder, 'root'))).toEqual([]);
});

test('a page goes on where the last ended, also over what is not shown', async () => {
  for (const name of ['a', 'b', 'd']) await tree.write([name], Buffer.from(name), { overwrite: false });
  await fs.symlink('a', path.join(folder, 'root/c'));

  const first = await tree.list([], { after: '', limit: 3 });
  const second = await tree.list([], { after: first.lastName ?? '', limit: 3 });

  expect([first.entries.map(({ name }) => name), first.lastName]).toEqual([['a', 'b'], 'c']);
  expect([second.entries.map(({ name }) => name), second.lastName]).toEqual([['d'], null]);
});

/** Few, so that paths meet what is there; some of the names are those of links. */
const part = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'secret', 'deep', 'up', 'away', 'loop', 'file', 'root') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('..', '.', '', '...', '~', '\\', '..\\..', '%2e%2e', '..%2f', '\0', 'a/../..'),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 5 }) },
);
const links = [
  ['up', '..'],
  ['away', '../outside'],
  ['a/away', '../../outside/deep'],
  ['a/up', '../..'],
  ['loop', 'loop'],
  ['file', '../outside/secret'],
  ['b/file', '/etc/passwd'],
  ['b/root', '/'],
] as const;
/** Any, and often one that a link would lead out by. */
const parts = fc.oneof(
  fc.array(part, { maxLength: 5 }),
  fc
    .tuple(fc.constantFrom(...links.map(([place]) => place.split('/'))), fc.array(part, { maxLength: 2 }))
    .map(([link, rest]) => [...link, ...rest]),
);
const operation = fc.tuple(
  fc.constantFrom(
    'stat',
    'open',
    'write',
    'create',
    'makeFolder',
    'list',
    'removeFile',
    'removeFolder',
    'move',
  ),
  parts,
  parts,
);

test('whatever is asked of a folder full of links, nothing outside is read, written or removed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 12 }), async (operations) => {
      await plantLinks();

      for (const [name, one, other] of operations) {
        const answer = await ask(name, one, other);
        expect(answer).not.toContain(secret);
        for (const text of onlyOutside) expect(answer).not.toContain(text);
      }

      expect(await readOutside()).toEqual([
        ...['deep/', 'deep/name-of-outside', 'deep/secret', 'name-of-outside', 'root', 'secret'],
      ]);
    }),
    { numRuns: 300 },
  );
});

test('a path of /Volumes is refused, or names one place below one volume', () => {
  const text = fc.oneof(
    parts.map((all) => `/Volumes/c/s/v/${all.join('/')}`),
    parts.map((all) => all.join('/')),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(text, (written) => {
      let parsed: ReturnType<typeof parseVolumePath>;
      try {
        parsed = parseVolumePath(written);
      } catch (error) {
        expect(error).toBeInstanceOf(ApiError);
        return;
      }
      const { volume, parts: below } = parsed;
      const all = ['volumes', volume.catalog, volume.schema, volume.volume, ...below];
      expect(path.posix.normalize(all.join('/'))).toBe(all.join('/'));
      expect(all.length).toBeGreaterThanOrEqual(4);
    }),
    { numRuns: 5_000 },
  );
});

async function plantLinks(): Promise<void> {
  const root = path.join(folder, 'root');
  await fs.rm(root, { recursive: true, force: true });
  for (const [place, target] of links) {
    await fs.mkdir(path.dirname(path.join(root, place)), { recursive: true });
    await fs.symlink(target, path.join(root, place));
  }
}

/** What it says, as text. Refusals and clashes are answers like others. */
async function ask(name: string, one: string[], other: string[]): Promise<string> {
  const content = Buffer.from('ours');
  try {
    switch (name) {
      case 'open':
        return await readAll(one);
      case 'write':
        return String(await tree.write(one, content, { overwrite: true }));
      case 'create':
        return String(await tree.write(one, Readable.from([content]), { overwrite: false }));
      case 'list':
        return JSON.stringify(await tree.list(one, { after: '', limit: 100 }));
      case 'makeFolder':
        return String(await tree.makeFolder(one));
      case 'removeFile':
        return String(await tree.removeFile(one));
      case 'removeFolder':
        return String(one.length > 0 && (await tree.removeFolder(one, { recursive: true })));
      case 'move':
        return String(await tree.move(one, tree, other));
      default:
        return JSON.stringify(await tree.stat(one));
    }
  } catch {
    return 'refused';
  }
}

async function readAll(one: string[]): Promise<string> {
  const opened = await tree.open(one);
  if (!opened) return 'none';
  const text = await opened.handle.readFile('utf8');
  await opened.handle.close();
  return text;
}

async function sizeBelow(place: string): Promise<number> {
  const names = await fs.readdir(place);
  const stats = await Promise.all(names.map((name) => fs.stat(path.join(place, name))));
  return stats.reduce((sum, { size }) => sum + size, 0);
}

async function readOutside(): Promise<string[]> {
  const outside = path.join(folder, 'outside');
  for (const file of ['secret', 'deep/secret'])
    expect(await fs.readFile(path.join(outside, file), 'utf8')).toBe(secret);
  const entries = await fs.readdir(outside, { recursive: true, withFileTypes: true });
  const found = entries.map((entry) => {
    const name = path.relative(outside, path.join(entry.parentPath, entry.name));
    return entry.isDirectory() ? `${name}/` : name;
  });
  return [...found, ...(await fs.readdir(folder)).filter((name) => name !== 'outside')].sort();
}
