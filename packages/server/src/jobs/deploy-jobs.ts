/** What the deployment of a bundle does to its jobs beside saving them; within its transaction. */
import type { Querier } from '../db/connect.ts';
import type { Document } from '../runs/run-facts.ts';
import { lockDeployedJobs, markDeployment, markJobDeleted, readManySettings } from './store.ts';

export interface DeployedVersion {
  readonly deploymentId: number;
  readonly version: number;
}

/** From now on their runs say which version they ran. */
export async function markDeployed(
  client: Querier,
  jobIds: readonly number[],
  deployed: DeployedVersion,
): Promise<void> {
  await markDeployment(client, jobIds, deployed);
}

/** In the order of their ids, so that two who hold several wait for each other and do not block each other. */
export async function holdJobs(client: Querier, jobIds: readonly number[]): Promise<void> {
  await lockDeployedJobs(client, jobIds);
}

/**
 * Marks jobs as deleted; those that are gone, or belong to another deployment by now, are left. Returns those that are
 * deleted: their runs are to be cancelled after the commit.
 */
export async function deletedFor(
  client: Querier,
  {
    deploymentId,
    jobIds,
    nowMs,
  }: { readonly deploymentId: number; readonly jobIds: readonly number[]; readonly nowMs: number },
): Promise<number[]> {
  const rows = await lockDeployedJobs(client, jobIds);
  const ours = rows.filter((row) => row.deployment_id === null || row.deployment_id === String(deploymentId));
  const deleted: number[] = [];
  for (const { job_id: jobId } of ours) if (await markJobDeleted(client, jobId, nowMs)) deleted.push(jobId);
  return deleted;
}

/** Those that exist, by their ids; null when they are more than so many characters of JSON. */
export async function readSettingsOf(
  db: Querier,
  jobIds: readonly number[],
  charsMax: number,
): Promise<ReadonlyMap<number, Document> | null> {
  const rows = await readManySettings(db, jobIds);
  const chars = rows.reduce((sum, row) => sum + row.chars, 0);
  return chars > charsMax ? null : new Map(rows.map((row) => [row.job_id, row.settings]));
}
