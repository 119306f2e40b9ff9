/**
 * Brings the workspace's files from the bucket to the data root, where hosts read them. What changed is told by each
 * object's hash; a list of what was brought is kept, and only that is ever removed: files that tasks made stay.
 */
import type { FolderStore } from './folder-store.ts';
import type { S3Store, StoredObject } from './s3-store.ts';

const workspaceRoot = 'workspace';
const bookKey = 'workspace-mirror.json';
/** Of runs from Git: each server makes its own. */
const checkoutsFolder = 'workspace/Repos/.internal';
/** A workspace with more is no longer one that each machine should hold. */
const objectsMax = 100_000;
const readsAtOnce = 16;

export interface WorkspaceMirror {
  /** Resolves when the files are here as they are in the bucket now, or later. */
  bring(): Promise<void>;
}

export function createWorkspaceMirror(local: FolderStore, remote: S3Store): WorkspaceMirror {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  function start(): Promise<void> {
    const turn = bringOnce(local, remote).finally(() => {
      running = null;
    });
    running = turn;
    return turn;
  }

  return {
    bring() {
      if (running === null) return start();
      // The one under way may have looked before the caller's change: one more, for all who ask meanwhile.
      next ??= running
        .catch(() => undefined)
        .then(() => {
          next = null;
          return start();
        });
      return next;
    },
  };
}

/** Key → hash; folders have none. */
type Book = Map<string, string | null>;

async function bringOnce(local: FolderStore, remote: S3Store): Promise<void> {
  const known = await readBook(local);
  const wanted: Book = new Map();
  for await (const page of remote.pages(workspaceRoot)) {
    for (const { key, kind, etag } of page) wanted.set(key, kind === 'folder' ? null : etag);
    if (wanted.size > objectsMax) throw new Error(`the workspace has more than ${objectsMax} files`);
  }
  const gone = [...known.keys()].filter((key) => !wanted.has(key));
  const changed = [...wanted].filter(([key, etag]) => !known.has(key) || known.get(key) !== etag);
  if (gone.length === 0 && changed.length === 0) return;
  const foldersInUse = new Set([...wanted.keys()].flatMap(foldersAbove));
  // First, for what was a file may be a folder now.
  for (const key of gone)
    if (!foldersInUse.has(key) || known.get(key) !== null) await local.deletePrefix(key);
  const queue = [...changed];
  const lane = async () => {
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      const [key, etag] = entry;
      if (etag === null) await local.makeFolder(key);
      else if (!(await bringFile(local, remote, key))) wanted.delete(key); // Deleted since it was listed.
    }
  };
  await Promise.all(Array.from({ length: readsAtOnce }, lane));
  await local.put(bookKey, Buffer.from(JSON.stringify([...wanted])));
}

async function bringFile(local: FolderStore, remote: S3Store, key: string): Promise<boolean> {
  const content = await remote.stream(key);
  if (content === null) return false;
  // What was a folder is a file now.
  if ((await local.stat(key))?.kind === 'folder') await local.deletePrefix(key);
  await local.put(key, content);
  return true;
}

function foldersAbove(key: string): string[] {
  const parts = key.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

async function readBook(local: FolderStore): Promise<Book> {
  const text = await local.get(bookKey);
  if (!text) return new Map();
  return new Map(JSON.parse(text.toString('utf8')) as [string, StoredObject['etag'] | null][]); // We wrote it.
}

/** For the first start with a bucket: brings the folder's workspace there. Safe to repeat. */
export async function moveWorkspace(
  local: FolderStore,
  remote: S3Store,
  folder = workspaceRoot,
): Promise<number> {
  let count = 0;
  for (const { key, kind } of await local.list(folder)) {
    if (key === checkoutsFolder) continue;
    if (kind === 'folder') {
      await remote.makeFolder(key);
      count += await moveWorkspace(local, remote, key);
      continue;
    }
    const content = await local.stream(key);
    if (content === null) continue;
    await remote.put(key, content);
    count += 1;
  }
  return count;
}
