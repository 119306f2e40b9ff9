/** The server's blobs: a folder, or with HEADRACE_BLOB_URL a folder and a bucket. */
import type { AttemptSource } from '@headrace/worker';
import type { Logger } from 'pino';
import { type Config, readStorageCredentials } from '../config.ts';
import type { LoopDriver } from '../loops/driver.ts';
import type { Teardown } from '../teardown.ts';
import { type FolderStore, openFolderStore } from './folder-store.ts';

export interface OpenedBlobs {
  readonly blobs: FolderStore;
  /** The source for the worker of this process; called once at most. */
  shipAttempts(parts: {
    readonly source: AttemptSource;
    readonly workerId: string;
    readonly loops: LoopDriver;
    readonly teardown: Teardown;
  }): AttemptSource;
  close(): Promise<void>;
}

export interface BlobOptions {
  readonly dataRoot: string;
  readonly config: Config;
  readonly workspaceId: () => Promise<string>;
  /** Remembers the place of the first bucket, and tells it ever after. */
  readonly bucketPlace: (proposal: string) => Promise<string>;
  readonly log: Logger;
}

export async function openBlobs(options: BlobOptions): Promise<OpenedBlobs> {
  const { dataRoot, config, workspaceId, bucketPlace, log } = options;
  const local = await openFolderStore(dataRoot);
  if (config.blobUrl === null) {
    return {
      blobs: local,
      shipAttempts: ({ source }) => source,
      close: async () => {},
    };
  }
  // The client's library takes 90 ms to load: only where it is used.
  const { openSplitStore } = await import('./open-split-store.ts');
  return openSplitStore({
    local,
    settings: config.blobUrl,
    credentials: readStorageCredentials(),
    workspaceId: await workspaceId(),
    bucketPlace,
    log,
  });
}
