// Which files go to the workspace without a deployment, and what is noted of them: the next deployment must know that
// they are no longer those of its version. Pure.

import type { BundleFile } from '@headrace/api';
import type { SyncFile } from '../resolve/resolved-bundle.ts';

/**
 * By remote path, what stands there in the place of what the current version has: a hash, null for nothing, UNKNOWN while
 * nobody can say.
 */
export type SyncedFiles = Readonly<Record<string, string | null>>;

export const UNKNOWN = '';

export interface HashedFile extends SyncFile {
  readonly hash: string;
}

export interface SyncPlan {
  readonly put: readonly HashedFile[];
  /** Remote paths. */
  readonly remove: readonly string[];
}

/** @param versionFiles remote path → hash, of the sources that the current version has */
export function planSync(
  wanted: readonly HashedFile[],
  there: { readonly versionFiles: ReadonlyMap<string, string>; readonly synced: SyncedFiles },
  { sendsAll }: { readonly sendsAll: boolean },
): SyncPlan {
  const standing = new Map<string, string | null>([...there.versionFiles, ...Object.entries(there.synced)]);
  const kept = new Set(wanted.map(({ remotePath }) => remotePath));
  return {
    put: wanted.filter(({ remotePath, hash }) => sendsAll || standing.get(remotePath) !== hash),
    // Only what came from this bundle: others may keep files in the same folder.
    remove: [...standing].flatMap(([remote, hash]) => (hash === null || kept.has(remote) ? [] : [remote])),
  };
}

export function noteBegun(synced: SyncedFiles, { put, remove }: SyncPlan): SyncedFiles {
  const paths = [...put.map(({ remotePath }) => remotePath), ...remove];
  return { ...synced, ...Object.fromEntries(paths.map((remote) => [remote, UNKNOWN])) };
}

/** What is as the version says needs no note. */
export function noteDone(
  synced: SyncedFiles,
  { put, remove }: SyncPlan,
  versionFiles: ReadonlyMap<string, string>,
): SyncedFiles {
  const all = {
    ...synced,
    ...Object.fromEntries(put.map(({ remotePath, hash }) => [remotePath, hash])),
    ...Object.fromEntries(remove.map((remote) => [remote, null])),
  };
  return Object.fromEntries(
    Object.entries(all).filter(([remote, hash]) => hash !== (versionFiles.get(remote) ?? null)),
  );
}

/** What was sent beside the files of a version, which a commit of it does not know. */
export function findStrays(synced: SyncedFiles, files: readonly BundleFile[]): SyncedFiles {
  const known = new Set(files.flatMap(({ path, remote_path: remote }) => [path, remote]));
  return Object.fromEntries(
    Object.entries(synced).filter(([remote, hash]) => hash !== null && !known.has(remote)),
  );
}
