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
import { readSettingsOf } from '../jobs/deploy-jobs.ts';
import { normalizePath } from '../workspace/workspace-path.ts';
import { findDeployment } from './lock-store.ts';
import { requireDeployment } from './locks.ts';
import { listVersionHeads, readVersion, type VersionRow } from './version-store.ts';
import { toDeployment, toRecord, toVersion } from './wire.ts';

export async function showDeployment(
  db: Querier,
  { state_path: statePath, target, include_jobs: hasJobs }: RequestOf<typeof routes.bundlesGet>,
): Promise<BundleDeployment> {
  const row = await findDeployment(db, { statePath: normalizePath(statePath), target });
  if (!row)
    throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Nothing is deployed to target ${target} at ${statePath}.`);
  const current = await readVersion(db, row.deploymentId, row.currentVersion);
  const jobs = hasJobs && current ? await readJobsOf(db, current) : null;
  return { ...toDeployment(row, current), ...(jobs === null ? {} : { jobs }) };
}

/** Thousands of tasks are a few million; what is more is asked for job by job. */
const jobsCharsMax = 16_000_000;

async function readJobsOf(db: Querier, { resources }: VersionRow): Promise<BundleDeployment['jobs'] | null> {
  const jobs = resources.filter(({ kind }) => kind === 'jobs');
  const settings = await readSettingsOf(
    db,
    jobs.map(({ id }) => Number(id)),
    jobsCharsMax,
  );
  if (settings === null) return null;
  const found = jobs.flatMap(({ key, id }) => {
    const document = settings.get(Number(id));
    return document === undefined ? [] : [[`jobs.${key}`, { ...document }] as const];
  });
  return Object.fromEntries(found);
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
