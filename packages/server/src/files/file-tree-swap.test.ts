import { readdirSync, readFileSync, renameSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type FileTree, openFileTree } from './file-tree.ts';
import { hasProc } from './held-folder.ts';

let folder: string;
let tree: FileTree;
beforeEach(async () => {
  folder = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-swap-')));
  tree = openFileTree(path.join(folder, 'root'), { nowMs: () => Date.now() });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await fs.rm(folder, { recursive: true });
});

/** All that a tree does to the disk goes through these. */
const calls = [
  ...(['open', 'lstat', 'stat', 'realpath', 'readlink', 'readdir', 'mkdir'] as const),
  ...(['writeFile', 'rename', 'link', 'unlink', 'rm', 'rmdir'] as const),
];

const operations: Record<string, () => Promise<unknown>> = {
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

test.runIf(hasProc).each(Object.entries(operations))(
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
  for (const name of ['root', 'outside'])
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
