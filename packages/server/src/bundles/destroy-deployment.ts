/** Takes a deployment away: its jobs, its folders with all that is in them, its versions. In one transaction. */
import type { RequestOf, ResponseOf, routes } from '@headrace/api';
import { recordChanges } from '../audit/record-changes.ts';
import { type Discarded, discardFolder, discardInPlace } from '../blobs/discard.ts';
import type { RequestContext } from '../context.ts';
import { cancelRunsOf } from '../jobs/delete-job.ts';
import { deletedFor } from '../jobs/deploy-jobs.ts';
import type { RunServices } from '../runs/create-run.ts';
import { deleteTree, requireDeletable } from '../workspace/delete-object.ts';
import { toBlobKey } from '../workspace/workspace-path.ts';
import { deleteDeployment, lockDeployment } from './lock-store.ts';
import { noSuchDeployment, requireFence } from './locks.ts';
import { requireOwnPlaces } from './require-own-places.ts';
import { settlePlacement } from './settle-placement.ts';
import { readVersion } from './version-store.ts';

export async function destroyDeployment(
  services: RunServices,
  request: RequestOf<typeof routes.bundlesDestroy>,
  context: RequestContext,
): Promise<ResponseOf<typeof routes.bundlesDestroy>> {
  const { deployment_id: deploymentId, fence } = request;
  const { principal, nowMs } = context;
  const folders = request.folders.map(requireDeletable);
  await settlePlacement(services, deploymentId);
  const { jobs, deletedFolders, discarded } = await services.db.transaction(async (client) => {
    const deployment = await lockDeployment(client, deploymentId);
    if (!deployment) throw noSuchDeployment(deploymentId);
    requireFence(deployment, fence);
    requireOwnPlaces(principal, [deployment.statePath, ...folders]);
    const current = await readVersion(client, deploymentId, deployment.currentVersion);
    const jobIds = (current?.resources ?? []).flatMap(({ kind, id }) =>
      kind === 'jobs' ? [Number(id)] : [],
    );
    const deleted = await deletedFor(client, { deploymentId, jobIds, nowMs });
    await recordChanges(
      client,
      context,
      deleted.map((jobId) => ({
        action: 'jobs.delete',
        parameters: { job_id: jobId, deployment_id: deploymentId },
      })),
    );
    await deleteDeployment(client, deploymentId);
    const gone: string[] = [];
    for (const folder of folders) if (await deleteTree(client, folder)) gone.push(folder);
    const own = { key: `bundles/${deploymentId}`, nowMs };
    const aside: Discarded[] = [await discardInPlace(services, client, own)];
    // Last, for it cannot be undone.
    for (const folder of gone)
      aside.push(await discardFolder(services, client, { key: toBlobKey(folder), nowMs }));
    return { jobs: deleted, deletedFolders: gone, discarded: aside };
  });
  for (const one of discarded) await one.remove();
  await cancelRunsOf(services, jobs);
  return { deleted_jobs: jobs, deleted_folders: deletedFolders };
}
