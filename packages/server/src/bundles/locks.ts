/** Who may deploy now. A lock is a row with a number; a holder that falls silent loses it to the next who asks. */
import { ApiError, type BundleLock, type RequestOf, type ResponseOf, type routes } from '@headrace/api';
import type { Principal, RequestContext } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { normalizePath } from '../workspace/workspace-path.ts';
import {
  type DeploymentRow,
  findDeployment,
  giveLock,
  insertDeployment,
  lockDeployment,
  readDeployment,
  releaseLock,
  renewLock,
} from './lock-store.ts';
import { requireOwnPlaces } from './require-own-places.ts';
import { type PlacementServices, settlePlacement } from './settle-placement.ts';

/** A holder says every few seconds that it lives; a command that was killed holds others up for no longer. */
export const silenceMsMax = 30_000;

export async function takeLock(
  services: PlacementServices & Pick<Services, 'ids'>,
  request: RequestOf<typeof routes.bundlesLock>,
  { principal, nowMs }: RequestContext,
): Promise<ResponseOf<typeof routes.bundlesLock>> {
  const { target, bundle, force, request_id: requestId } = request;
  const statePath = normalizePath(request.state_path);
  requireOwnPlaces(principal, [statePath]);
  const holder = { user_name: principal.userName, machine: request.machine, command: request.command };
  const taken = await services.db.transaction(async (client) => {
    const deployment = await openDeployment(services, client, {
      ...{ statePath, target, bundle, createdBy: principal.id, nowMs },
    });
    const { deploymentId, currentVersion } = deployment;
    const answer = {
      deployment_id: deploymentId,
      current_version: currentVersion,
      silence_ms_max: silenceMsMax,
    };
    const held = toLock(deployment);
    // The answer to the same request was lost.
    if (held && deployment.lockRequest === requestId) return { ...answer, fence: deployment.fence };
    if (held && !force && held.expires > deployment.nowMs) throw isLocked(deployment, held);
    const fence = await giveLock(client, deploymentId, { holder, request: requestId, bundle });
    return { ...answer, fence, ...(held ? { taken_from: held } : {}) };
  });
  await settlePlacement(services, taken.deployment_id);
  return taken;
}

/** Locked until the transaction ends. */
async function openDeployment(
  { ids }: Pick<Services, 'ids'>,
  client: Querier,
  wanted: Omit<Parameters<typeof insertDeployment>[1], 'deploymentId'>,
): Promise<DeploymentRow> {
  const found = await findDeployment(client, wanted);
  if (!found) await insertDeployment(client, { ...wanted, deploymentId: ids.newId() });
  const { deploymentId } = found ?? (await requireFound(client, wanted));
  const locked = await lockDeployment(client, deploymentId);
  if (!locked) throw new ApiError('RESOURCE_CONFLICT', 'the deployment is being destroyed; ask again');
  return locked;
}

async function requireFound(
  client: Querier,
  wanted: Pick<DeploymentRow, 'statePath' | 'target'>,
): Promise<DeploymentRow> {
  const found = await findDeployment(client, wanted);
  if (!found) throw new ApiError('RESOURCE_CONFLICT', 'the deployment is being destroyed; ask again');
  return found;
}

export function toLock(row: DeploymentRow): BundleLock | null {
  if (row.lockHolder === null || row.lockSinceMs === null || row.lockHeardMs === null) return null;
  return {
    fence: row.fence,
    holder: { ...row.lockHolder },
    since: row.lockSinceMs,
    heard: row.lockHeardMs,
    expires: row.lockHeardMs + silenceMsMax,
  };
}

function isLocked({ nowMs, target, bundle }: DeploymentRow, lock: BundleLock): ApiError {
  const { user_name: userName, machine, command } = lock.holder;
  const ago = (ms: number) => `${Math.max(0, Math.round((nowMs - ms) / 1000))} s ago`;
  return new ApiError(
    'RESOURCE_CONFLICT',
    `bundle ${bundle}, target ${target}, is locked by ${userName} on ${machine || 'an unknown machine'} ` +
      `(${command || 'an unknown command'}) since ${ago(lock.since)}, last heard of ${ago(lock.heard)}. ` +
      'Wait for it, or take the lock over with --force-lock',
  );
}

export async function keepLock(
  { db }: Pick<Services, 'db'>,
  { deployment_id: deploymentId, fence, pending }: RequestOf<typeof routes.bundlesRenewLock>,
  principal: Principal,
): Promise<void> {
  requireOwnPlaces(principal, [(await requireDeployment(db, deploymentId)).statePath]);
  if (await renewLock(db, deploymentId, { fence, pending: pending ?? null })) return;
  throw hasLost(await requireDeployment(db, deploymentId));
}

export async function giveLockBack(
  { db }: Pick<Services, 'db'>,
  { deployment_id: deploymentId, fence }: RequestOf<typeof routes.bundlesUnlock>,
  principal: Principal,
): Promise<void> {
  const row = await readDeployment(db, deploymentId);
  // It was destroyed, and its lock with it.
  if (!row) return;
  requireOwnPlaces(principal, [row.statePath]);
  await releaseLock(db, deploymentId, fence);
}

export async function requireDeployment(db: Querier, deploymentId: number): Promise<DeploymentRow> {
  const row = await readDeployment(db, deploymentId);
  if (!row) throw noSuchDeployment(deploymentId);
  return row;
}

export function noSuchDeployment(deploymentId: number): ApiError {
  return new ApiError('RESOURCE_DOES_NOT_EXIST', `Deployment ${deploymentId} does not exist.`);
}

/** Throws unless the caller holds the lock by this number, or let it expire and nobody took it. */
export function requireFence(row: DeploymentRow, fence: number): void {
  if (row.fence !== fence || row.lockHolder === null) throw hasLost(row);
}

function hasLost({ bundle, target, lockHolder }: DeploymentRow): ApiError {
  const by = lockHolder === null ? 'given back' : `taken over by ${lockHolder.user_name}`;
  return new ApiError(
    'RESOURCE_CONFLICT',
    `the lock of bundle ${bundle}, target ${target}, was ${by}: nothing was changed by this request`,
  );
}
