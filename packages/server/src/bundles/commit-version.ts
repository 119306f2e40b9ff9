/**
 * Puts a version in place. Files, jobs and the record change in one transaction, and the bytes of files in its last moment;
 * what breaks off leaves the version before (settle-placement.ts). The same request is done once.
 */
import { ApiError, type RequestOf, type ResponseOf, type routes } from '@headrace/api';
import { type Discarded, discardInPlace } from '../blobs/discard.ts';
import type { RequestContext } from '../context.ts';
import { type Querier, sqlState, uniqueViolation } from '../db/connect.ts';
import { cancelRunsOf } from '../jobs/delete-job.ts';
import { holdJobs } from '../jobs/deploy-jobs.ts';
import { requireOwnRepo } from '../repos/change-repos.ts';
import type { RunServices } from '../runs/create-run.ts';
import { placeObjects, removeEmptyFolders } from '../workspace/place-objects.ts';
import { toBlobKey } from '../workspace/workspace-path.ts';
import { applyJobs } from './apply-jobs.ts';
import { deletePlacement, insertPlacement, type PlacementRow, readPlacement } from './content-store.ts';
import { discardUnused } from './contents.ts';
import { forEachAtOnce } from './for-each-at-once.ts';
import { type DeploymentRow, lockDeployment, setCurrentVersion } from './lock-store.ts';
import { noSuchDeployment, requireDeployment, requireFence } from './locks.ts';
import { type Journal, keepWhatStands, type PlannedFiles, planFiles } from './plan-files.ts';
import { requireOwnPlaces } from './require-own-places.ts';
import { beforeKey, settlePlacement } from './settle-placement.ts';
import {
  deleteOldVersions,
  findVersionByRequest,
  insertVersion,
  readVersion,
  type VersionRow,
} from './version-store.ts';

type Commit = RequestOf<typeof routes.bundlesCommit>;
type Committed = ResponseOf<typeof routes.bundlesCommit>;

export async function commitVersion(
  services: RunServices,
  commit: Commit,
  context: RequestContext,
): Promise<Committed> {
  const { db } = services;
  const { deployment_id: deploymentId } = commit;
  const deployment = await requireDeployment(db, deploymentId);
  requireOwnPlaces(context.principal, [deployment.statePath]);
  const earlier = await findVersionByRequest(db, deploymentId, commit.request_id);
  if (earlier) return finish(services, earlier, []);
  refuseDoubled(commit);
  requireFence(deployment, commit.fence);
  requireVersion(deployment, commit);
  await settlePlacement(services, deploymentId);
  const { currentVersion } = deployment;
  const previous = currentVersion === 0 ? null : await readVersion(db, deploymentId, currentVersion);
  const files = await planFiles(services, deploymentId, { files: commit.files, previous });
  requireOwnPlaces(context.principal, [...files.placed.map((file) => file.object_path), ...files.remove]);
  const journal = await keepWhatStands(services, deploymentId, files);
  await notePlacement(services, { deploymentId, ...journal }, context.nowMs);
  try {
    const { version, discarded } = await db.transaction((client) =>
      commitWithin(services, client, { commit, files, journal }, context),
    );
    return await finish(services, version, discarded);
  } catch (error) {
    await settlePlacement(services, deploymentId).catch((cause: unknown) =>
      services.log.warn({ err: cause, deployment_id: deploymentId }, 'files could not be put back yet'),
    );
    throw error;
  }
}

async function notePlacement({ db, blobs }: RunServices, row: PlacementRow, nowMs: number): Promise<void> {
  const { deploymentId, placementId, files } = row;
  try {
    await insertPlacement(db, { deploymentId, placementId, files }, nowMs);
  } catch (error) {
    if (sqlState(error) !== uniqueViolation) throw error;
    await blobs.deletePrefix(beforeKey(deploymentId, placementId));
    throw new ApiError('TEMPORARILY_UNAVAILABLE', 'another request puts files of this deployment in place');
  }
}

function refuseDoubled({ resources }: Commit): void {
  const names = resources.map(({ kind, key }) => `${kind}.${key}`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new ApiError('INVALID_PARAMETER_VALUE', `resources: ${twice} is there more than once`);
}

function requireVersion({ currentVersion, bundle, target }: DeploymentRow, commit: Commit): void {
  if (currentVersion === commit.expected_version) return;
  throw new ApiError(
    'RESOURCE_CONFLICT',
    `bundle ${bundle}, target ${target}, is at version ${currentVersion} by now, not ${commit.expected_version}: plan again`,
  );
}

interface PlannedCommit {
  readonly commit: Commit;
  readonly files: PlannedFiles;
  readonly journal: Journal;
}

interface CommittedVersion {
  readonly version: VersionRow;
  /** To be removed after the commit. */
  readonly discarded: readonly Discarded[];
}

async function commitWithin(
  services: RunServices,
  client: Querier,
  { commit, files, journal }: PlannedCommit,
  context: RequestContext,
): Promise<CommittedVersion> {
  const { deployment_id: deploymentId } = commit;
  const { nowMs, principal } = context;
  const at = { deploymentId, nowMs };
  const deployment = await lockDeployment(client, deploymentId);
  if (!deployment) throw noSuchDeployment(deploymentId);
  const earlier = await findVersionByRequest(client, deploymentId, commit.request_id);
  if (earlier) return { version: earlier, discarded: [await dropJournal(services, client, journal, at)] };
  requireFence(deployment, commit.fence);
  requireVersion(deployment, commit);
  const noted = await readPlacement(client, deploymentId);
  if (noted?.placementId !== journal.placementId)
    throw new ApiError(
      'TEMPORARILY_UNAVAILABLE',
      'another request has settled this commit meanwhile; send it again',
    );
  await holdJobs(client, jobIdsOf(commit));
  const number = deployment.currentVersion + 1;
  const jobs = await applyJobs(services, client, { ...commit, version: number }, context);
  await placeRows(services, client, { deployment, files }, context);
  const version: VersionRow = {
    ...{ version: number, requestId: commit.request_id, createdAtMs: nowMs, createdBy: principal.userName },
    ...{ message: commit.message ?? null, git: commit.git ?? null, notes: commit.notes },
    rolledBackTo: commit.rolled_back_to ?? null,
    changes: {
      ...{ created: jobs.created, updated: jobs.updated, deleted: jobs.deleted.length },
      ...{
        files_put: journal.files.length - countRemoved(files, journal),
        files_removed: files.remove.length,
      },
    },
    ...{ resources: jobs.resources, files: files.placed, deletedJobs: jobs.deleted },
  };
  await insertVersion(client, deploymentId, version);
  await setCurrentVersion(client, deploymentId, { version: number, pending: commit.pending });
  await deleteOldVersions(client, deploymentId, number - services.config.bundleVersionsKept);
  const discarded = [
    await dropJournal(services, client, journal, at),
    ...(await discardUnused(services, client, at)),
  ];
  await placeBytes(services, client, { deploymentId, journal });
  return { version, discarded };
}

/** Nothing is to be put back, and nothing to be put in place any more. */
async function dropJournal(
  services: RunServices,
  client: Querier,
  { placementId }: Journal,
  { deploymentId, nowMs }: { readonly deploymentId: number; readonly nowMs: number },
): Promise<Discarded> {
  await deletePlacement(client, { deploymentId, placementId });
  return discardInPlace(services, client, { key: beforeKey(deploymentId, placementId), nowMs });
}

function jobIdsOf({ resources, delete_jobs: deleted }: Commit): number[] {
  const kept = resources.filter(({ kind, action }) => kind === 'jobs' && action !== 'create');
  return [...kept.map(({ id }) => Number(id)).filter(Number.isSafeInteger), ...deleted];
}

function countRemoved({ remove }: PlannedFiles, { files }: Journal): number {
  const removed = new Set(remove);
  return files.filter(({ path }) => removed.has(path)).length;
}

async function placeRows(
  services: RunServices,
  client: Querier,
  { deployment, files }: { readonly deployment: DeploymentRow; readonly files: PlannedFiles },
  { principal, nowMs }: RequestContext,
): Promise<void> {
  const put = files.put.map((file) => ({
    ...{ path: file.object_path, language: file.object_language, sizeBytes: file.object_bytes },
  }));
  const by = { nowMs, createdBy: principal.id };
  const repos = await placeObjects(services.ids, client, { put, remove: files.remove }, by);
  for (const repoId of repos) await requireOwnRepo({ db: client }, repoId, principal);
  // Folders that the bundle no longer has go, but not those it is deployed to.
  const root = deployment.statePath.slice(0, deployment.statePath.lastIndexOf('/'));
  await removeEmptyFolders(client, { root, files: files.remove });
}

/** A statement in between tells whether the transaction is still there to be committed. */
const filesPerBreath = 64;

async function placeBytes(
  { blobs }: Pick<RunServices, 'blobs'>,
  client: Querier,
  { deploymentId, journal }: { readonly deploymentId: number; readonly journal: Journal },
): Promise<void> {
  const { staged, folders } = journal;
  const paths = journal.files.map(({ path }) => path);
  const placeEach = async (some: readonly string[], place: (path: string) => Promise<void>) => {
    for (let from = 0; from < some.length; from += filesPerBreath) {
      await readPlacement(client, deploymentId);
      await forEachAtOnce(some.slice(from, from + filesPerBreath), place);
    }
  };
  const remove = (path: string) => blobs.deletePrefix(toBlobKey(path));
  // First what goes: a file may have to make place for a folder. The rows that allow the reverse are written already, so
  // nothing of the workspace is left in such a folder.
  await placeEach([...paths.filter((path) => !staged.has(path)), ...folders], remove);
  await placeEach([...staged.keys()], (path) => blobs.rename(staged.get(path) ?? '', toBlobKey(path)));
}

/** After the commit; a crash before it leaves bytes to the loop, and runs to whoever asks again. */
async function finish(
  services: RunServices,
  { version, resources, changes, deletedJobs }: VersionRow,
  discarded: readonly Discarded[],
): Promise<Committed> {
  await forEachAtOnce(discarded, (one) => one.remove());
  await cancelRunsOf(services, deletedJobs);
  const jobs = resources.filter(({ kind }) => kind === 'jobs');
  return {
    version,
    job_ids: Object.fromEntries(jobs.map(({ key, id }) => [`jobs.${key}`, Number(id)])),
    deleted_jobs: [...deletedJobs],
    changes: { ...changes },
  };
}
