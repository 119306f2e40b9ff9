/**
 * The port to where bytes live: workspace files, artifacts, logs, results, volumes, managed tables. A folder by
 * default (folder-store.ts), or a bucket (s3-store.ts) beside it (split-store.ts). Keys are relative paths with `/`,
 * without `.`, `..` or empty parts.
 */
import type { Readable } from 'node:stream';

export interface BlobStat {
  readonly key: string;
  readonly kind: 'file' | 'folder';
  readonly sizeBytes: number;
  /** Null for a folder of a store that does not know it: not old, not new. */
  readonly modifiedAtMs: number | null;
}

export interface BlobRange {
  readonly offset: number;
  /** At most this many bytes from `offset`; fewer when the blob ends before. */
  readonly length: number;
}

export interface BlobStore {
  /** Readers see the old content or the new, never a part. Missing folders are made. */
  put(key: string, content: Uint8Array | Readable): Promise<void>;
  /** False, and nothing is written, when there is a blob already: of several writers one is told true. */
  putIfAbsent(key: string, content: Uint8Array): Promise<boolean>;
  /** Null when there is no such blob. */
  get(key: string, range?: BlobRange): Promise<Buffer | null>;
  stream(key: string): Promise<Readable | null>;
  stat(key: string): Promise<BlobStat | null>;
  /** The direct children of a folder, by name; empty when there is none. */
  list(folder: string): Promise<readonly BlobStat[]>;
  makeFolder(key: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Deletes a blob, or a folder with all below it. Nothing there is no error. */
  deletePrefix(key: string): Promise<void>;
  /** Where Spark and the tasks find a key. */
  locate(key: string): string;
}
