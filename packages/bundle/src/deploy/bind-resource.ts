// Ties something that exists to a key of the bundle, or lets it go: only what the deployment knows changes, nothing of
// the workspace.

import type { DeployedResource, DeploymentState } from '../plan/deployment-state.ts';
import { kindOf } from '../plan/kinds/kinds.ts';
import type { Document } from '../plan/planned-action.ts';
import { errorAt } from '../problem.ts';
import type { ResolvedBundle, ResolvedResource } from '../resolve/resolved-bundle.ts';
import { findStrays } from '../sync/plan-sync.ts';
import type { BundleClient } from './bundle-client.ts';
import { BundleError } from './bundle-error.ts';
import { type LockOptions, withLock } from './hold-lock.ts';
import { insist } from './insist.ts';
import { findDeployment } from './read-deployment.ts';
import { nameOf, type Pending, readPending } from './record-state.ts';

export interface Binding {
  /** `jobs.daily` */
  readonly resource: string;
  readonly recorded: DeployedResource;
  /** As it stands in the workspace. */
  readonly remote: Document;
}

/** `daily` or `jobs.daily`. Throws BundleError when the bundle has none, or several, of that key. */
export function findResource(
  bundle: Pick<ResolvedBundle, 'resources' | 'root'>,
  key: string,
): ResolvedResource {
  const found = bundle.resources.filter((each) => each.key === key || nameOf(each) === key);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const message =
    found.length === 0 ? `the bundle has no resource ${key}` : `several resources have the key ${key}`;
  const choices = (found.length === 0 ? bundle.resources : found).map(nameOf).join(', ') || '(none)';
  throw new BundleError([errorAt(bundle.root.at, message, `write one of ${choices}`)]);
}

/** What the deployment would know, beside the `state` that it knows. */
export async function planBinding(
  resource: ResolvedResource,
  id: string,
  { state, client }: { readonly state: DeploymentState; readonly client: BundleClient },
): Promise<Binding> {
  const name = nameOf(resource);
  const bound = state.resources[name];
  if (bound !== undefined && bound.id !== id) {
    const cure = `let it go first: \`headrace bundle deployment unbind ${resource.key}\``;
    throw new BundleError([errorAt(resource.at, `${name} is ${bound.id} already`, cure)]);
  }
  const other = Object.entries(state.resources).find(
    ([each, recorded]) => each.startsWith(`${resource.kind}.`) && each !== name && recorded.id === id,
  );
  if (other !== undefined) throw new BundleError([errorAt(resource.at, `${id} is ${other[0]} already`)]);
  const kind = kindOf(resource.kind);
  const remote = await kind.read(id, client);
  if (remote === null) throw new BundleError([errorAt(resource.at, `there is no ${kind.noun} ${id}`)]);
  const recorded = { id, name: String(kind.nameOf(remote) ?? resource.key), document: null };
  return { resource: name, recorded, remote };
}

export async function bindResource(
  bundle: ResolvedBundle,
  { resource, recorded }: Pick<Binding, 'resource' | 'recorded'>,
  { client, lock: options }: { readonly client: BundleClient; readonly lock: LockOptions },
): Promise<void> {
  await withLock(client, placeOf(bundle), options, async (lock) => {
    const deployment = await findDeployment(bundle, client);
    const pending = deployment === null ? null : readPending(deployment);
    lock.check();
    await client.bundlesRenewLock({
      deployment_id: lock.deploymentId,
      fence: lock.fence,
      pending: { creating: [], deleting: {}, ...pending, made: { ...pending?.made, [resource]: recorded } },
    });
  });
}

/** The resource stays; the next deployment of a bundle that still has the key makes another. */
export async function unbindResource(
  bundle: ResolvedBundle,
  resource: string,
  { client, lock: options }: { readonly client: BundleClient; readonly lock: LockOptions },
): Promise<void> {
  await withLock(client, placeOf(bundle), options, async (lock) => {
    const deployment = await findDeployment(bundle, client);
    if (deployment === null) return;
    const pending = withoutResource(readPending(deployment), resource);
    const under = { deployment_id: lock.deploymentId, fence: lock.fence };
    const { current } = deployment;
    lock.check();
    if (!current?.resources.some((each) => nameOf(each) === resource)) {
      await client.bundlesRenewLock({ ...under, pending: { ...pending } });
      return;
    }
    const request = {
      ...under,
      request_id: crypto.randomUUID(),
      expected_version: deployment.current_version,
      message: `let ${resource} go`,
      resources: current.resources.filter((each) => nameOf(each) !== resource),
      files: current.files,
      notes: current.notes,
      // Its files are put in their places with it.
      pending: { ...pending, synced: findStrays(pending.synced, current.files) },
    };
    await insist(() => client.bundlesCommit(request));
  });
}

function placeOf({ name, target, workspace }: ResolvedBundle) {
  return { statePath: workspace.statePath, target, bundle: name };
}

function withoutResource({ creating, made, deleting, synced }: Pending, resource: string): Pending {
  const { [resource]: _made, ...otherMade } = made;
  const { [resource]: _deleting, ...otherDeleting } = deleting;
  return {
    creating: creating.filter((each) => each !== resource),
    made: otherMade,
    deleting: otherDeleting,
    synced,
  };
}
