/** Reading deployments and their versions. */
import {
  ApiError,
  type BundleDeployment,
  type BundleRecord,
  type BundleVersion,
  type RequestOf,
  type routes,
} from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import { normalizePath } from '../workspace/workspace-path.ts';
import { findDeployment } from './lock-store.ts';
import { requireDeployment } from './locks.ts';
import { listVersionHeads, readVersion } from './version-store.ts';
import { toDeployment, toRecord, toVersion } from './wire.ts';

export async function showDeployment(
  db: Querier,
  { state_path: statePath, target }: RequestOf<typeof routes.bundlesGet>,
): Promise<BundleDeployment> {
  const row = await findDeployment(db, { statePath: normalizePath(statePath), target });
  if (row) return toDeployment(row, await readVersion(db, row.deploymentId, row.currentVersion));
  throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Nothing is deployed to target ${target} at ${statePath}.`);
}

export async function listVersions(
  db: Querier,
  { deployment_id: deploymentId, limit }: RequestOf<typeof routes.bundlesListVersions>,
): Promise<{ versions: BundleVersion[] }> {
  const deployment = await requireDeployment(db, deploymentId);
  const heads = await listVersionHeads(db, deploymentId, limit);
  return { versions: heads.map((head) => toVersion(head, deployment)) };
}

export async function showVersion(
  db: Querier,
  { deployment_id: deploymentId, version }: RequestOf<typeof routes.bundlesGetVersion>,
): Promise<BundleRecord> {
  const deployment = await requireDeployment(db, deploymentId);
  const row = await readVersion(db, deploymentId, version);
  if (row) return toRecord(row, deployment);
  throw new ApiError(
    'RESOURCE_DOES_NOT_EXIST',
    `Version ${version} of deployment ${deploymentId} is not kept, or never was.`,
  );
}
