/**
 * No path leads out of the data folder: not by its own parts, and not through links that tasks left in it, whatever is
 * asked of the store in whatever order.
 */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { normalizePath, toBlobKey } from '../workspace/workspace-path.ts';
import { type FolderStore, openFolderStore } from './folder-store.ts';

const secret = 'nobody may read this';
let folder: string;
let store: FolderStore;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-paths-'));
  await fs.mkdir(path.join(folder, 'outside/deep'), { recursive: true });
  await fs.writeFile(path.join(folder, 'outside/secret'), secret);
  await fs.writeFile(path.join(folder, 'outside/deep/secret'), secret);
  store = await openFolderStore(path.join(folder, 'root'));
});
afterEach(() => fs.rm(folder, { recursive: true }));

/** Few, so that paths meet what is there; some of the names are those of links. */
const part = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'secret', 'deep', 'up', 'away', 'loop', 'file', 'root') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('..', '.', '', '...', '~', 'Workspace', '\\', '..\\..', '%2e%2e', '\0'),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 5 }) },
);
const key = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));

/** What links may lead to; each is made at some path of the store. */
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

type Operation = readonly [keyof FolderStore, string, string];
const operation: fc.Arbitrary<Operation> = fc.tuple(
  fc.constantFrom(
    'put',
    'putIfAbsent',
    'get',
    'stream',
    'stat',
    'list',
    'makeFolder',
    'rename',
    'deletePrefix',
  ),
  key,
  key,
);

test('whatever is asked of a folder full of links, nothing outside is read, written or removed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 12 }), async (operations) => {
      await plantLinks();

      for (const [name, one, other] of operations) {
        const answer = await ask(name, one, other);
        expect(answer).not.toContain(secret);
        expect(answer).not.toContain('root:');
      }

      expect(await readOutside()).toEqual(['deep/', 'deep/secret', 'root', 'secret']);
    }),
    { numRuns: 400 },
  );
});

test('a path of the workspace is refused, or names one place below the folder of the workspace', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        key,
        key.map((text) => `/${text}`),
        fc.string({ unit: 'binary' }),
      ),
      (text) => {
        let normalized: string;
        try {
          normalized = normalizePath(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
          return;
        }

        const blobKey = toBlobKey(normalized);
        expect(path.posix.normalize(blobKey)).toBe(blobKey);
        expect(`${blobKey}/`.startsWith('workspace/')).toBe(true);
        if (!normalized.startsWith('/Workspace')) expect(normalizePath(normalized)).toBe(normalized);
      },
    ),
    { numRuns: 5_000 },
  );
});

async function plantLinks(): Promise<void> {
  await fs.rm(store.root, { recursive: true });
  for (const [place, target] of links) {
    const link = path.join(store.root, place);
    await fs.mkdir(path.dirname(link), { recursive: true });
    await fs.symlink(target, link);
  }
}

/** What the store says, as text. Refusals and clashes are answers like others. */
async function ask(name: keyof FolderStore, one: string, other: string): Promise<string> {
  const content = Buffer.from('ours');
  try {
    switch (name) {
      case 'put':
        return String(await store.put(one, content));
      case 'putIfAbsent':
        return String(await store.putIfAbsent(one, content));
      case 'get':
        return String(await store.get(one));
      case 'stream':
        return Buffer.concat((await (await store.stream(one))?.toArray()) ?? []).toString();
      case 'rename':
        return String(await store.rename(one, other));
      case 'stat':
        return JSON.stringify(await store.stat(one));
      case 'list':
        return (await store.list(one)).map((stat) => stat.key.slice(one.length)).join();
      case 'makeFolder':
        return String(await store.makeFolder(one));
      default:
        return String(await store.deletePrefix(one));
    }
  } catch {
    return 'refused';
  }
}

async function readOutside(): Promise<string[]> {
  const outside = path.join(folder, 'outside');
  for (const file of ['secret', 'deep/secret']) {
    expect(await fs.readFile(path.join(outside, file), 'utf8')).toBe(secret);
  }
  const entries = await fs.readdir(outside, { recursive: true, withFileTypes: true });
  const found = entries.map((entry) => {
    const name = path.relative(outside, path.join(entry.parentPath, entry.name));
    return entry.isDirectory() ? `${name}/` : name;
  });
  return [...found, ...(await fs.readdir(folder)).filter((name) => name !== 'outside')].sort();
}
