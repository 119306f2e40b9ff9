/** Making and changing jobs. A settings document is checked before it is saved, and saved whole or not at all. */
import { ApiError } from '@headrace/api';
import { toJobId } from '@headrace/core';
import { checkClusterIds } from '../compute/check-clusters.ts';
import { checkClusterPolicies } from '../compute/check-policies.ts';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import type { Document } from '../runs/run-facts.ts';
import type { Services } from '../services.ts';
import { checkWarehouseIds } from '../warehouses/check-warehouses.ts';
import { changeSettings } from './change-settings.ts';
import { refuseRunJobCycles } from './refuse-run-job-cycles.ts';
import { insertJob, type JobWrite, lockJob, updateJob } from './store.ts';
import { validateSettings } from './validate-settings.ts';

type SaveServices = Pick<Services, 'db' | 'ids' | 'config'>;

interface NewJob {
  readonly settings: Document;
  readonly principal: Principal;
  readonly nowMs: number;
}

interface ChangedJob {
  readonly jobId: number;
  readonly settings: Document;
  readonly nowMs: number;
}

export async function createJob({ db, ids, config }: SaveServices, job: NewJob): Promise<number> {
  const jobId = toJobId(ids.newId());
  await saveNewJob(db, config, { ...job, jobId });
  return jobId;
}

/** Under an id of the caller's; perhaps within a transaction. */
export async function saveNewJob(
  db: Querier,
  config: SaveServices['config'],
  job: NewJob & { readonly jobId: number },
): Promise<void> {
  validateSettings(job.settings, config);
  await checkClusterIds(db, job.settings, config);
  await checkWarehouseIds(db, job.settings, config);
  await checkClusterPolicies(db, job.settings, config);
  await refuseRunJobCycles(db, { jobId: null, settings: job.settings });
  await insertJob(db, {
    ...toWrite(job.jobId, job.settings, job.nowMs),
    ownerId: job.principal.id,
    creatorUserName: job.principal.userName,
  });
}

export async function resetJob({ db, config }: SaveServices, job: ChangedJob): Promise<void> {
  return db.transaction((client) => saveSettings(client, config, job));
}

/** Within a transaction. */
export async function saveSettings(
  client: Querier,
  config: SaveServices['config'],
  job: ChangedJob,
): Promise<void> {
  const row = await lockJob(client, job.jobId);
  if (!row) throw noSuchJob(job.jobId);
  validateSettings(job.settings, config, { jobId: job.jobId, settings: row.settings });
  await checkClusterIds(client, job.settings, config);
  await checkWarehouseIds(client, job.settings, config);
  await checkClusterPolicies(client, job.settings, config);
  await refuseRunJobCycles(client, { jobId: job.jobId, settings: job.settings, before: row.settings });
  await updateJob(client, toWrite(job.jobId, job.settings, job.nowMs));
}

export function changeJob(
  { db, config }: SaveServices,
  job: {
    readonly jobId: number;
    readonly newSettings: Document;
    readonly fieldsToRemove: readonly string[];
    readonly nowMs: number;
  },
): Promise<void> {
  return db.transaction(async (client) => {
    const row = await lockJob(client, job.jobId);
    if (!row) throw noSuchJob(job.jobId);
    const settings = changeSettings(row.settings, job);
    validateSettings(settings, config, { jobId: job.jobId, settings: row.settings });
    await checkClusterIds(client, settings, config);
    await checkWarehouseIds(client, settings, config);
    await checkClusterPolicies(client, settings, config);
    await refuseRunJobCycles(client, { jobId: job.jobId, settings, before: row.settings });
    await updateJob(client, toWrite(job.jobId, settings, job.nowMs));
  });
}

export function noSuchJob(jobId: number): ApiError {
  return new ApiError('RESOURCE_DOES_NOT_EXIST', `Job ${jobId} does not exist.`);
}

export const untitled = 'Untitled';
const runsMaxDefault = 1;

function toWrite(jobId: number, settings: Document, nowMs: number): JobWrite {
  const { name, max_concurrent_runs: runsMax } = settings;
  return {
    jobId,
    name: typeof name === 'string' ? name : untitled,
    settings,
    runsMax: typeof runsMax === 'number' ? runsMax : runsMaxDefault,
    nowMs,
  };
}
