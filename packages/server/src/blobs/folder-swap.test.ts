import { readdirSync, readFileSync, renameSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type FileTree, openFileTree } from '../files/file-tree.ts';
import { makeFolder, makeLink, moveFolder, requireFreePlace } from '../volumes/volume-folder.ts';
import type { BlobStore } from './blob-store.ts';
import { openFolderStore } from './folder-store.ts';
import { hasProc } from './held-folder.ts';

let folder: string;
let tree: FileTree;
let blobs: BlobStore;
/** With the folder `root` as that of volumes. */
let above: BlobStore;
beforeEach(async () => {
  folder = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-swap-')));
  tree = openFileTree(path.join(folder, 'root'), { nowMs: () => Date.now() });
  blobs = await openFolderStore(path.join(folder, 'root'));
  above = await openFolderStore(folder);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await fs.rm(folder, { recursive: true });
});

/** All that the operations do to the disk goes through these. */
const calls = [
  ...(['open', 'lstat', 'stat', 'realpath', 'readlink', 'readdir', 'mkdir'] as const),
  ...(['writeFile', 'rename', 'link', 'symlink', 'unlink', 'rm', 'rmdir'] as const),
];

const ofTrees: Record<string, () => Promise<unknown>> = {
  stat: () => tree.stat(['a', 'file']),
  open: () => readAll(['a', 'file']),
  list: () => tree.list(['a'], { after: '', limit: 9 }),
  'list below': () => tree.list(['a', 'deep'], { after: '', limit: 9 }),
  replace: () => tree.write(['a', 'file'], Buffer.from('ours'), { overwrite: true }),
  create: () => tree.write(['a', 'new'], Readable.from([Buffer.from('ours')]), { overwrite: false }),
  'create below': () => tree.write(['a', 'x', 'y', 'new'], Buffer.from('ours'), { overwrite: false }),
  makeFolder: () => tree.makeFolder(['a', 'x', 'y', 'z']),
  removeFile: () => tree.removeFile(['a', 'file']),
  removeFolder: () => tree.removeFolder(['a', 'empty'], { recursive: false }),
  'removeFolder of all': () => tree.removeFolder(['a'], { recursive: true }),
  'removeFolder of all below': () => tree.removeFolder(['a', 'deep'], { recursive: true }),
  'move from': () => tree.move(['a', 'file'], tree, ['moved']),
  'move to': () => tree.move(['mine'], tree, ['a', 'new']),
};

const ofStores: Record<string, () => Promise<unknown>> = {
  stat: () => blobs.stat('a/file'),
  get: async () => String(await blobs.get('a/file')),
  'get of a part': async () => String(await blobs.get('a/file', { offset: 0, length: 9 })),
  stream: async () => String(await (await blobs.stream('a/file'))?.toArray()),
  list: () => blobs.list('a'),
  'list below': () => blobs.list('a/deep'),
  put: () => blobs.put('a/file', Buffer.from('ours')),
  'put of a stream': () => blobs.put('a/new', Readable.from([Buffer.from('ours')])),
  'put below': () => blobs.put('a/x/y/new', Buffer.from('ours')),
  putIfAbsent: () => blobs.putIfAbsent('a/new', Buffer.from('ours')),
  makeFolder: () => blobs.makeFolder('a/x/y'),
  'rename from': () => blobs.rename('a/file', 'moved'),
  'rename to': () => blobs.rename('mine', 'a/x/new'),
  deletePrefix: () => blobs.deletePrefix('a'),
  'deletePrefix below': () => blobs.deletePrefix('a/deep'),
  'deletePrefix of a file': () => blobs.deletePrefix('a/file'),
};

const move = (fromKey: string, toKey: string) => moveFolder(above, { fromKey, toKey, isRemoval: true });
const ofVolumes: Record<string, () => Promise<unknown>> = {
  makeFolder: () => makeFolder(above, 'root/a/x/new'),
  makeLink: () => makeLink(above, 'root/a/x/new', '/nowhere'),
  'makeLink over an empty folder': () => makeLink(above, 'root/a/empty', '/nowhere'),
  requireFreePlace: () => requireFreePlace(above, 'root/a/empty'),
  'moveFolder from': () => move('root/a/deep', 'trash/1'),
  'moveFolder to': () => move('root/mine', 'root/a/deep'),
  'moveFolder of the last below': () => move('root/a/empty/file', 'trash/1'),
};

const operations = Object.entries({ tree: ofTrees, store: ofStores, volume: ofVolumes }).flatMap(
  ([whose, some]) =>
    Object.entries(some).map(([name, operate]) => [`${name} of a ${whose}`, operate] as const),
);

test.runIf(hasProc).each(operations)(
  'a folder that is swapped for a link to outside at any moment leads %s nowhere',
  async (_name, operate) => {
    let callsMade = 0;
    // The first round swaps nothing and counts: each call of it gets a round of its own.
    let rounds = 0;
    for (let swapAt = 0; swapAt <= rounds; swapAt += 1) {
      await plant();
      callsMade = 0;
      const spies = calls.map((name) => {
        const call = fs[name] as (...args: unknown[]) => unknown;
        return vi.spyOn(fs, name).mockImplementation(((...args: unknown[]) => {
          callsMade += 1;
          if (callsMade === swapAt) swap();
          return call(...args);
        }) as never);
      });

      const answer = await operate().catch((error) => error);

      for (const spy of spies) spy.mockRestore();
      if (swapAt === 0) rounds = callsMade;
      expect(readOutside(), `swapped before call ${swapAt}`).toEqual(untouched);
      expect(String(JSON.stringify(answer)), `swapped before call ${swapAt}`).not.toContain('outside');
    }
    expect(rounds).toBeGreaterThan(0);
  },
);

async function readAll(parts: string[]): Promise<string> {
  const opened = await tree.open(parts);
  return (await opened?.handle.readFile('utf8').finally(() => opened.handle.close())) ?? 'none';
}

async function plant(): Promise<void> {
  for (const name of ['root', 'outside', 'trash'])
    await fs.rm(path.join(folder, name), { recursive: true, force: true });
  for (const [place, prefix] of [
    ['root/a', 'own'],
    ['outside', 'outside'],
  ] as const) {
    await fs.mkdir(path.join(folder, place, 'empty'), { recursive: true });
    await fs.mkdir(path.join(folder, place, 'deep'));
    for (const name of ['file', `${prefix}-file`, 'deep/file', `deep/${prefix}-file`])
      await fs.writeFile(path.join(folder, place, name), prefix);
  }
  await fs.writeFile(path.join(folder, 'root/mine'), 'mine');
  await fs.symlink('../outside', path.join(folder, 'root/b'));
}

/** As a task may at any time. */
function swap(): void {
  const place = (name: string) => path.join(folder, 'root', name);
  for (const [from, to] of [
    ['a', 'aside'],
    ['b', 'a'],
    ['aside', 'b'],
  ] as const) {
    try {
      renameSync(place(from), place(to));
    } catch {
      // The operation has removed it by now.
    }
  }
}

const untouched = ['deep', 'deep/file', 'deep/outside-file', 'empty', 'file', 'outside-file'];
function readOutside(): string[] {
  const outside = path.join(folder, 'outside');
  expect(readFileSync(path.join(outside, 'file'), 'utf8')).toBe('outside');
  expect(readFileSync(path.join(outside, 'deep/file'), 'utf8')).toBe('outside');
  return readdirSync(outside, { recursive: true }).map(String).sort();
}
