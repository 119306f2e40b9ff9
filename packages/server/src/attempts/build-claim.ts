/** What a worker gets with a claim: the document, a token of the run's principal, and the cluster it belongs on. */
import type { KeyObject } from 'node:crypto';
import type { JobSettings, LibrarySpec } from '@headrace/api';
import type { Failure } from '@headrace/core';
import type { ClaimedAttempt, ClusterAssignment } from '@headrace/worker';
import type { ClaimNote } from '../runs/run-draft.ts';
import { type AttemptSurroundings, toAttemptDocument, toAttemptParts } from './attempt-document.ts';
import { toLibraryDocuments } from './libraries-of-task.ts';
import type { AttemptOf } from './reference-scope.ts';
import { mintTaskToken, taskTokenLifetimeMs } from './task-token.ts';

export interface ClusterRequest {
  readonly runId: number;
  /** Null where it is of no job. */
  readonly jobId: number | null;
  readonly runName: string;
  readonly ownerId: number;
  readonly ownerUserName: string;
  /** With `job_clusters`. */
  readonly settings: JobSettings;
  readonly taskKey: string;
  /** That the task names, its references resolved. */
  readonly warehouseId: string | null;
  /** Whether a terminated cluster is started for it; not where it is taken back. */
  readonly mayStart: boolean;
}

export interface ClaimSources {
  readonly tokenKey: KeyObject;
  /** Known once the server listens. */
  readonly urls: () => Pick<AttemptSurroundings, 'apiUrl' | 'publicUrl'>;
  readonly workspaceId: string;
  readonly dataRoot: string;
  readonly externalLocations: readonly string[];
  readonly defaultCatalog: string;
  readonly listCatalogNames: () => Promise<readonly string[]>;
  /** Of the cluster's policy, and of an all-purpose cluster that the task names; before its own. */
  readonly listClusterLibraries: (
    request: Pick<ClusterRequest, 'settings' | 'taskKey'>,
    clusterId: string,
  ) => Promise<readonly LibrarySpec[]>;
  /** Or why it cannot be had. */
  readonly resolveCluster: (request: ClusterRequest) => Promise<ClusterAssignment | Failure>;
}

export type BuiltClaim = { readonly attempt: ClaimedAttempt; readonly note: ClaimNote };

export async function buildClaim(
  attempt: AttemptOf & { readonly claimEpoch?: number },
  sources: ClaimSources,
  { nowMs }: { readonly nowMs: number },
): Promise<BuiltClaim | Failure> {
  const { facts, run, taskRun, epoch } = attempt;
  const { attemptId, taskKey } = taskRun;
  const urls = sources.urls();
  const parts = toAttemptParts(attempt, { publicUrl: urls.publicUrl, workspaceId: sources.workspaceId });
  if ('code' in parts) return parts;
  const [cluster, catalogs] = await Promise.all([
    sources.resolveCluster({
      runId: run.runId,
      jobId: facts.jobId,
      runName: facts.runName,
      ownerId: facts.ownerId,
      ownerUserName: facts.creatorUserName,
      settings: facts.settings as JobSettings, // It passed the schema before it was frozen.
      taskKey,
      warehouseId: parts.warehouseId,
      mayStart: attempt.claimEpoch === undefined,
    }),
    sources.listCatalogNames(),
  ]);
  if ('code' in cluster) return cluster;
  const settings = facts.settings as JobSettings; // It passed the schema before it was frozen.
  const shared = toLibraryDocuments(
    await sources.listClusterLibraries({ settings, taskKey }, cluster.clusterId),
  );
  if ('code' in shared) return shared;
  const token = mintTaskToken(sources.tokenKey, {
    attemptId,
    epoch: attempt.claimEpoch ?? epoch,
    principalId: facts.ownerId,
    expiresAtS: Math.floor((nowMs + taskTokenLifetimeMs) / 1000),
  });
  const { workspaceId, dataRoot, defaultCatalog } = sources;
  const document = toAttemptDocument(
    attempt,
    { ...parts, libraries: [...shared, ...parts.libraries] },
    {
      ...urls,
      workspaceId,
      dataRoot,
      defaultCatalog,
      catalogs,
      token,
      clusterId: cluster.clusterId,
      sessionConf: cluster.sessionConf ?? {},
    },
  );
  return {
    attempt: { attemptId, epoch, runId: run.runId, taskKey, cluster, document },
    note: { clusterId: cluster.clusterId, resolved: parts.resolved },
  };
}
