// Brings the files of a bundle to the workspace without deploying. It holds the lock meanwhile, and notes in the
// deployment what it changes before it does: the next deployment puts everything in its place.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ApiError, type Client } from '@headrace/api';
import { type BundleClient, forEachBounded } from '../deploy/bundle-client.ts';
import { BundleError } from '../deploy/bundle-error.ts';
import { type HeldLock, type LockOptions, withLock } from '../deploy/hold-lock.ts';
import { findDeployment } from '../deploy/read-deployment.ts';
import { isPending, NOTHING_PENDING, type Pending, readPending, sourcesOf } from '../deploy/record-state.ts';
import { FILE_BYTES_MAX, isMissing, sha256 } from '../load/describe-file.ts';
import { nullIfAbsent } from '../plan/kinds/is-absent.ts';
import { errorAt } from '../problem.ts';
import type { ResolvedBundle } from '../resolve/resolved-bundle.ts';
import {
  type HashedFile,
  noteBegun,
  noteDone,
  planSync,
  type SyncedFiles,
  type SyncPlan,
} from './plan-sync.ts';

export type SyncClient = BundleClient & Pick<Client, 'workspaceImport' | 'workspaceMkdirs'>;

export interface SyncOptions {
  /** Also files that are there already. */
  readonly sendsAll?: boolean;
  /** Says what would be done, and does nothing. */
  readonly isDryRun?: boolean;
  readonly lock?: LockOptions;
}

/** A deployment may take the lock over while files are on their way; what it left is then looked at again. */
const ATTEMPTS_MAX = 3;

/** Gives what it did. */
export async function syncBundle(
  bundle: ResolvedBundle,
  client: SyncClient,
  options: SyncOptions = {},
): Promise<SyncPlan> {
  const how = { sendsAll: options.sendsAll ?? false };
  const wanted = await hashFiles(bundle);
  const preview = planSync(wanted, await readStanding(bundle, client), how);
  if (options.isDryRun || isEmpty(preview)) return preview;
  const { name, target, workspace } = bundle;
  const place = { statePath: workspace.statePath, target, bundle: name };
  let suspects: SyncedFiles = {};
  for (let attempt = 1; ; attempt += 1) {
    let begun: SyncPlan | null = null;
    try {
      return await withLock(client, place, options.lock ?? {}, async (lock) => {
        const standing = await readStanding(bundle, client, suspects);
        const plan = planSync(wanted, standing, how);
        await note(client, lock, { ...standing.pending, synced: noteBegun(standing.synced, plan) });
        begun = plan;
        await send(plan, { bundle, client, lock });
        const synced = noteDone(standing.synced, plan, standing.versionFiles);
        await note(client, lock, { ...standing.pending, synced });
        return plan;
      });
    } catch (error) {
      if (begun === null || !isTakenOver(error) || attempt === ATTEMPTS_MAX) throw error;
      suspects = noteBegun(suspects, begun);
    }
  }
}

function isEmpty({ put, remove }: SyncPlan): boolean {
  return put.length + remove.length === 0;
}

function isTakenOver(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'RESOURCE_CONFLICT';
}

async function hashFiles({ files, folder }: ResolvedBundle): Promise<HashedFile[]> {
  const hashed: HashedFile[] = [];
  await forEachBounded(files, async (file) => {
    const { path: local, sizeBytes } = file.local;
    if (sizeBytes > FILE_BYTES_MAX) {
      const message = `is larger than ${FILE_BYTES_MAX / 1024 / 1024} MB, which is the limit for a workspace file`;
      const cure = 'name it in .gitignore or sync.exclude';
      throw new BundleError([errorAt({ file: local, line: 1, column: 1 }, message, cure)]);
    }
    const bytes = await readIfThere(path.join(folder, local));
    if (bytes !== null) hashed.push({ ...file, hash: sha256(bytes) });
  });
  return hashed.sort((a, b) => (a.remotePath < b.remotePath ? -1 : 1));
}

/** Editors take files away for a moment. */
async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

interface Standing {
  readonly versionFiles: ReadonlyMap<string, string>;
  readonly synced: SyncedFiles;
  readonly pending: Pending;
}

async function readStanding(
  bundle: ResolvedBundle,
  client: SyncClient,
  suspects: SyncedFiles = {},
): Promise<Standing> {
  const deployment = await findDeployment(bundle, client);
  if (deployment === null) return { versionFiles: new Map(), synced: {}, pending: NOTHING_PENDING };
  const pending = readPending(deployment);
  return { versionFiles: sourcesOf(deployment), synced: { ...pending.synced, ...suspects }, pending };
}

async function note(client: SyncClient, lock: HeldLock, pending: Pending): Promise<void> {
  lock.check();
  const { deploymentId: deployment_id, fence } = lock;
  await client.bundlesRenewLock({ deployment_id, fence, pending: isPending(pending) ? { ...pending } : {} });
}

interface Sending {
  readonly bundle: ResolvedBundle;
  readonly client: SyncClient;
  readonly lock: HeldLock;
}

async function send({ put, remove }: SyncPlan, { bundle, client, lock }: Sending): Promise<void> {
  // First: what was a notebook and is a file now leaves its place to others.
  await forEachBounded(remove, async (remote) => {
    lock.check();
    await nullIfAbsent(client.workspaceDelete({ path: remote }));
  });
  const folders = new Set(put.map(({ remotePath }) => path.posix.dirname(remotePath)));
  await forEachBounded([...folders], async (folder) => {
    await client.workspaceMkdirs({ path: folder });
  });
  await forEachBounded(put, async (file) => {
    const bytes = await readFile(path.join(bundle.folder, file.local.path));
    if (sha256(bytes) !== file.hash) throw changedMeanwhile(file);
    lock.check();
    const { notebook } = file.local;
    await client.workspaceImport({
      path: file.remotePath,
      content: bytes.toString('base64'),
      overwrite: true,
      format: notebook?.format ?? 'AUTO',
      ...(notebook === null ? {} : { language: notebook.language }),
    });
  });
}

function changedMeanwhile({ local }: HashedFile): BundleError {
  const message = 'was changed while it was sent; run it again';
  return new BundleError([errorAt({ file: local.path, line: 1, column: 1 }, message)]);
}
