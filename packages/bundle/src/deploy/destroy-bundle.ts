// Takes a deployment away: its jobs, then its folder with files, artifacts and state. Repeatable.

import type { Deployed } from '../plan/deployment-state.ts';
import type { ResolvedBundle } from '../resolve/resolve-bundle.ts';
import { type BundleClient, isAbsent } from './bundle-client.ts';

export interface Destroyed {
  readonly jobs: readonly { readonly resource: string; readonly name: string; readonly id: number }[];
  readonly folders: readonly string[];
}

export async function destroyBundle(
  bundle: ResolvedBundle,
  deployed: Deployed,
  client: BundleClient,
): Promise<Destroyed> {
  const jobs = Object.entries(deployed.state.resources).map(([resource, { id, name }]) => ({
    resource,
    id,
    name,
  }));
  for (const { id } of jobs) await attempt(() => client.jobsDelete({ job_id: id }));
  const { rootPath, filePath, artifactPath, statePath } = bundle.workspace;
  // The state goes last: while it stands, a second call knows what is left.
  const folders = [...new Set([filePath, artifactPath, statePath, rootPath])];
  const removed: string[] = [];
  for (const folder of folders) {
    if (await attempt(() => client.workspaceDelete({ path: folder, recursive: true }))) removed.push(folder);
  }
  return { jobs, folders: removed };
}

/** false: it was not there. */
async function attempt(request: () => Promise<unknown>): Promise<boolean> {
  try {
    await request();
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}
