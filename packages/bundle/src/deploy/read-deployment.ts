// Reads what was deployed before: the state, which the server keeps, and the resources it names as they are on it now.

import type { BundleDeployment } from '@headrace/api';
import {
  type Deployed,
  type DeploymentState,
  emptyState,
  parseDeploymentState,
} from '../plan/deployment-state.ts';
import { isAbsent, nullIfAbsent } from '../plan/kinds/is-absent.ts';
import { withoutVersion } from '../plan/kinds/jobs.ts';
import { metadataPath } from '../plan/prepared-bundle.ts';
import { readRemotes } from '../plan/read-remotes.ts';
import type { ResolvedBundle } from '../resolve/resolve-bundle.ts';
import type { BundleClient } from './bundle-client.ts';
import { BundleError } from './bundle-error.ts';
import { isPending, nameOf, readPending, toState } from './record-state.ts';

export async function readDeployment(bundle: ResolvedBundle, client: BundleClient): Promise<Deployed> {
  const deployment = await findDeployment(bundle, client, { hasJobs: true });
  const recorded = await readState(bundle, deployment, client);
  const state = recorded ?? emptyState(bundle);
  return { state, exists: recorded !== null, remotes: await readNow(state, deployment, client) };
}

/** Jobs come with the record, however many they are: one request. */
export async function readNow(
  state: DeploymentState,
  deployment: BundleDeployment | null,
  client: BundleClient,
): Promise<Deployed['remotes']> {
  const jobs = deployment?.jobs;
  const isRead = new Set(jobs && deployment.current?.resources.map(nameOf).filter(isJob));
  const asked = Object.entries(state.resources).filter(([resource]) => !isRead.has(resource));
  const others = await readRemotes({ resources: Object.fromEntries(asked) }, client);
  const known = Object.entries(jobs ?? {}).filter(([resource]) => resource in state.resources);
  return new Map([...known.map(([resource, job]) => [resource, withoutVersion(job)] as const), ...others]);
}

function isJob(resource: string): boolean {
  return resource.startsWith('jobs.');
}

/** null: nothing was ever deployed. */
export async function findDeployment(
  { workspace, target }: Pick<ResolvedBundle, 'workspace' | 'target'>,
  client: Pick<BundleClient, 'bundlesGet'>,
  { hasJobs = false }: { readonly hasJobs?: boolean } = {},
): Promise<BundleDeployment | null> {
  const place = { state_path: workspace.statePath, target };
  return nullIfAbsent(client.bundlesGet({ ...place, ...(hasJobs ? { include_jobs: true } : {}) }));
}

async function readState(
  bundle: ResolvedBundle,
  deployment: BundleDeployment | null,
  client: BundleClient,
): Promise<DeploymentState | null> {
  const isBegun = deployment !== null && isPending(readPending(deployment));
  if (deployment?.current !== undefined) return refuseUnknown(bundle, () => toState(deployment));
  const earlier = await readStateFile(bundle, client);
  // What was made before the first version of all is known, too.
  if (!isBegun) return earlier;
  const begun = toState(deployment);
  const resources = { ...earlier?.resources, ...begun.resources };
  const files = { ...earlier?.files, ...begun.files };
  return { ...begun, ...earlier, serial: 0, resources, files };
}

/** Before servers kept it, the state was a file: the next deployment takes it over. */
async function readStateFile(bundle: ResolvedBundle, client: BundleClient): Promise<DeploymentState | null> {
  let content: string;
  try {
    ({ content } = await client.workspaceExport({ path: metadataPath(bundle), format: 'AUTO' }));
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
  const state = refuseUnknown(bundle, () => {
    const written: unknown = JSON.parse(Buffer.from(content, 'base64').toString('utf8'));
    return isPointer(written) ? null : parseDeploymentState(written);
  });
  if (state === null) return null;
  // Versions begin when the server keeps them.
  return { ...state, serial: 0 };
}

/** What a deployment puts in the place of the file; the server that kept the state is another one, or knows it no more. */
function isPointer(written: unknown): boolean {
  return typeof written === 'object' && written !== null && 'kept_by' in written;
}

function refuseUnknown<T>(bundle: ResolvedBundle, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const file = metadataPath(bundle);
    const message =
      'is not a deployment record this version understands; deploy with the version that wrote it, or delete the file to start anew';
    throw new BundleError([{ severity: 'error', message, file, line: 1, column: 1 }], { cause });
  }
}
