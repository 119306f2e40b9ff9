/**
 * The blob store of a server with a bucket. Hosts and Spark work on plain files, so a local folder stays: what must
 * outlive a machine is in the bucket, what only files can be is in the folder, and attempts are in both.
 *
 *   workspace, backups,
 *   bundles              the bucket; a copy of the workspace is brought to the folder (workspace-mirror.ts)
 *   attempts             the folder of the machine that ran it; else what it shipped (attempt-shipping.ts)
 *   trash                where the key lay that was moved aside
 *   all else             the folder: managed tables, dbfs, volumes, libraries
 */
import type { BlobRange, BlobStat, BlobStore } from './blob-store.ts';
import { trashRoot } from './discard.ts';
import type { FolderStore } from './folder-store.ts';
import { findShipped, getShipped } from './shipped-log.ts';

type Place = 'bucket' | 'folder' | 'attempt' | 'trash';
const places: Readonly<Record<string, Place>> = {
  workspace: 'bucket',
  backups: 'bucket',
  bundles: 'bucket',
  attempts: 'attempt',
  [trashRoot]: 'trash',
};

const placeOf = (key: string): Place => places[key.split('/', 1)[0] ?? ''] ?? 'folder';

interface SplitParts {
  readonly local: FolderStore;
  readonly remote: BlobStore;
  /** The same bucket, by a client that gives up sooner. */
  readonly changes: BlobStore;
}

export function createSplitStore({ local, remote, changes }: SplitParts): FolderStore {
  const storeOf = (key: string): BlobStore => (placeOf(key) === 'bucket' ? remote : local);
  const changedStoreOf = (key: string): BlobStore => (placeOf(key) === 'bucket' ? changes : local);

  async function stat(key: string): Promise<BlobStat | null> {
    if (placeOf(key) !== 'attempt') return storeOf(key).stat(key);
    return (await local.stat(key)) ?? (await findShipped(remote, key));
  }

  async function get(key: string, range?: BlobRange): Promise<Buffer | null> {
    if (placeOf(key) !== 'attempt') return storeOf(key).get(key, range);
    return (await local.get(key, range)) ?? (await getShipped(remote, key, range));
  }

  return {
    root: local.root,
    locate: local.locate,
    put: (key, content) => changedStoreOf(key).put(key, content),
    putIfAbsent: (key, content) => changedStoreOf(key).putIfAbsent(key, content),
    get,
    async stream(key) {
      if (placeOf(key) !== 'attempt') return storeOf(key).stream(key);
      return (await local.stream(key)) ?? (await remote.stream(key));
    },
    stat,
    async list(folder) {
      if (placeOf(folder) !== 'attempt') return storeOf(folder).list(folder);
      const found = [...(await remote.list(folder)), ...(await local.list(folder))];
      const byKey = new Map(found.map((entry) => [entry.key, entry])); // The folder's own entries win.
      return [...byKey.values()].sort((left, right) => (left.key < right.key ? -1 : 1));
    },
    makeFolder: (key) => changedStoreOf(key).makeFolder(key),
    async rename(from, to) {
      const store = changedStoreOf(from);
      if (placeOf(to) !== 'trash' && store !== changedStoreOf(to))
        throw new Error(`bug: ${from} and ${to} are kept in different places`);
      await store.rename(from, to);
    },
    async deletePrefix(key) {
      const place = placeOf(key);
      if (place === 'folder') return local.deletePrefix(key);
      // The folder may also hold what is older than the bucket, or a copy.
      await remote.deletePrefix(key);
      if (place !== 'bucket') await local.deletePrefix(key);
    },
  };
}
