// Takes a deployment away: its jobs, then what they used, in the reverse order of making, then its folders and versions.
// Repeatable: while the record stands, a second call knows what is left.

import path from 'node:path';
import { ApiError } from '@headrace/api';
import { applyAction } from '../plan/apply-action.ts';
import type { Deployed, DeployedResource } from '../plan/deployment-state.ts';
import { rankOf, splitResource } from '../plan/kinds/kinds.ts';
import { idsOf } from '../plan/plan-bundle.ts';
import type { PlannedAction } from '../plan/planned-action.ts';
import type { ResolvedBundle } from '../resolve/resolve-bundle.ts';
import type { BundleClient } from './bundle-client.ts';
import { type HeldLock, type LockOptions, withLock } from './hold-lock.ts';
import { insist } from './insist.ts';
import { toResource } from './record-state.ts';

export interface Destroyed {
  readonly resources: readonly { readonly resource: string; readonly name: string; readonly id: string }[];
  /** Of somebody else: they stay. */
  readonly left: readonly { readonly resource: string; readonly name: string; readonly reason: string }[];
  readonly folders: readonly string[];
}

/**
 * What `destroyBundle` deletes with all below it, the folder of the state last. Never what holds the bundle's own
 * folder: a bundle in the workspace may run its files from where they are, and those are the user's.
 */
export function foldersOf(bundle: ResolvedBundle): readonly string[] {
  const { rootPath, filePath, artifactPath, statePath } = bundle.workspace;
  const removable = [filePath, artifactPath, rootPath, statePath].filter(
    (folder) => !isAtOrBelow(bundle.folder, folder),
  );
  const unique = [...new Map(removable.map((folder) => [toWorkspace(folder), folder])).values()];
  return unique.filter((folder) => !unique.some((other) => other !== folder && isAtOrBelow(folder, other)));
}

function isAtOrBelow(inner: string, outer: string): boolean {
  const top = toWorkspace(outer);
  return `${toWorkspace(inner)}/`.startsWith(top === '/' ? top : `${top}/`);
}

/** The server takes `/Workspace/x` and `/x` for the same. */
function toWorkspace(folder: string): string {
  const normal = path.posix.normalize(folder).replace(/^\/Workspace(?=\/|$)/, '');
  return normal.length > 1 ? normal.replace(/\/$/, '') : normal || '/';
}

export async function destroyBundle(
  bundle: ResolvedBundle,
  deployed: Deployed,
  client: BundleClient,
  options: LockOptions = {},
): Promise<Destroyed> {
  const place = { statePath: bundle.workspace.statePath, target: bundle.target, bundle: bundle.name };
  const forceLock = options.forceLock === true || !bundle.deployment.lockEnabled;
  return withLock(client, place, { ...options, forceLock }, async (lock) => {
    const { gone, left } = await deleteResources(deployed, client, lock);
    const { deleted_folders: folders } = await client.bundlesDestroy({
      ...{ deployment_id: lock.deploymentId, fence: lock.fence },
      folders: [...foldersOf(bundle)],
    });
    return { resources: gone, left, folders };
  });
}

async function deleteResources(
  { state }: Deployed,
  client: BundleClient,
  lock: HeldLock,
): Promise<{ gone: Destroyed['resources']; left: Destroyed['left'] }> {
  const actions = deletesOf(state.resources);
  const { gone, left } = await deleteJobs(actions, state, { client, lock });
  for (const action of actions.filter(({ kind }) => kind !== 'jobs')) {
    lock.check();
    const { resource, name, id } = action;
    try {
      await applyAction(action, { plan: { state }, ids: idsOf(state), client });
      gone.push({ resource, name, id: id ?? '' });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'PERMISSION_DENIED') throw error;
      left.push({ resource, name, reason: error.message });
    }
  }
  return { gone, left };
}

/** All at once, with the files: a version that has neither. What a crash leaves is in its record. */
async function deleteJobs(
  actions: readonly PlannedAction[],
  { resources }: Deployed['state'],
  { client, lock }: { readonly client: BundleClient; readonly lock: HeldLock },
): Promise<{ gone: { resource: string; name: string; id: string }[]; left: Destroyed['left'][number][] }> {
  const jobs = actions.filter(({ kind }) => kind === 'jobs');
  if (jobs.length === 0) return { gone: [], left: [] };
  const isJob = new Set(jobs.map(({ resource }) => resource));
  const kept = Object.entries(resources).filter(([resource]) => !isJob.has(resource));
  const request = {
    ...{ deployment_id: lock.deploymentId, fence: lock.fence, request_id: crypto.randomUUID() },
    ...{ expected_version: lock.currentVersion, message: 'destroy', files: [] },
    resources: kept.map(([resource, recorded]) => toResource(resource, recorded, null)),
    delete_jobs: jobs.map(({ id }) => Number(id)),
  };
  const deleted = new Set((await insist(() => client.bundlesCommit(request))).deleted_jobs);
  const reason = 'it is gone, or belongs to another deployment by now';
  return {
    gone: jobs.flatMap(({ resource, name, id }) =>
      deleted.has(Number(id)) ? [{ resource, name, id: id ?? '' }] : [],
    ),
    left: jobs.flatMap(({ resource, name, id }) =>
      deleted.has(Number(id)) ? [] : [{ resource, name, reason }],
    ),
  };
}

/** What refers to others goes before them. */
function deletesOf(resources: Readonly<Record<string, DeployedResource>>): PlannedAction[] {
  return Object.entries(resources)
    .toReversed()
    .flatMap(([resource, { id, name }]): PlannedAction[] => {
      const split = splitResource(resource);
      if (split === null) return [];
      const action = { action: 'delete', resource, ...split, name, id, document: null } as const;
      return [{ ...action, isLost: false, differences: [], adopted: [] }];
    })
    .sort((a, b) => rankOf(b.kind) - rankOf(a.kind));
}
