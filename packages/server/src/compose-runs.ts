/** Puts the parts together that move runs: the advancer, the worker's source of attempts, and their loops. */
import type { JobSettings } from '@headrace/api';
import type { AttemptSource } from '@headrace/worker';
import { type AttemptSourceOptions, createAttemptSource } from './attempts/attempt-source.ts';
import { buildClaim, type ClaimSources } from './attempts/build-claim.ts';
import { createLeaseLoop, readLeaseClock } from './attempts/lease-loop.ts';
import { placeOnWarehouse } from './attempts/place-on-warehouse.ts';
import { createRemoteWorkers, type RemoteWorkers } from './attempts/remote-workers.ts';
import { StopBells } from './attempts/stop-bells.ts';
import { createStepResolver } from './attempts/take-step.ts';
import { createTaskTokenVerifier, loadTaskTokenKey } from './attempts/task-token.ts';
import type { CatalogNames } from './catalogs/catalog-names.ts';
import { listPolicyLibraries } from './cluster-policies/read-policies.ts';
import type { ClusterBook } from './compute/cluster-book.ts';
import { createClusterLoop } from './compute/cluster-loop.ts';
import { findPolicyIdOf } from './compute/govern-cluster.ts';
import { defaultClusterId, findDescribed, type TaskPlace } from './compute/resolve-cluster.ts';
import { createChildStarter } from './jobs/start-child-run.ts';
import { listClusterLibraries } from './libraries/list-libraries.ts';
import type { LoopDriver } from './loops/driver.ts';
import { admissionLoopName, createAdmissionLoop } from './runs/admission-loop.ts';
import { type AdvancerObserver, RunAdvancer } from './runs/advance-run.ts';
import { childRunLoopName, createChildRunLoop } from './runs/child-run-loop.ts';
import type { RunServices } from './runs/create-run.ts';
import { createDeletedJobLoop } from './runs/deleted-job-loop.ts';
import { createNeighbourBell, type Heard } from './runs/neighbour-bell.ts';
import { createWakeLoop } from './runs/wake-loop.ts';
import type { RevealSecrets } from './secrets/reveal-secrets.ts';
import type { Services } from './services.ts';
import type { VerifyTaskToken } from './tokens/authenticator.ts';
import { findActivePrincipal } from './tokens/find-principal.ts';

export interface RunParts {
  readonly services: RunServices;
  readonly source: AttemptSource;
  readonly remoteWorkers: RemoteWorkers;
  readonly verifyTaskToken: VerifyTaskToken;
  startLoops(): void;
  /** Hears of what other servers change; every server does. */
  startListening(): void;
  /** Takes nothing new, and waits for what is under way. */
  stop(): Promise<void>;
}

export interface RunSurroundings {
  readonly workspaceId: string;
  readonly dataRoot: string;
  readonly clusters: ClusterBook;
  readonly catalogNames: CatalogNames;
  readonly revealSecrets: RevealSecrets;
  readonly loops: LoopDriver;
  readonly observer?: AdvancerObserver & { leaseLost(): void };
  /** Known once the server listens. */
  readonly urls: ClaimSources['urls'];
  /** Others may share this PostgreSQL. */
  readonly mayHaveNeighbours: boolean;
}

export async function composeRuns(services: Services, surroundings: RunSurroundings): Promise<RunParts> {
  const { db, clock } = services;
  const { loops } = surroundings;
  const tokenKey = await loadTaskTokenKey(db);
  const claims = describeClaims(services, surroundings, tokenKey);
  const bells = new StopBells();
  const { workspaceId } = surroundings;
  const urls = () => ({ publicUrl: surroundings.urls().publicUrl, workspaceId });
  const advancer = new RunAdvancer({
    ...services,
    buildClaim: (claim, context) => buildClaim(claim, claims, context),
    resolveStep: createStepResolver(urls),
    onChildren: () => wakeEverywhere(childRunLoopName),
    onPlaceFreed: () => wakeEverywhere(admissionLoopName),
    onStopping: (workerId) => ringWorker(workerId),
    ...(surroundings.observer ? { observer: surroundings.observer } : {}),
  });
  const runServices = { ...services, advancer };
  const neighbours = surroundings.mayHaveNeighbours
    ? createNeighbourBell({
        ...services,
        hasQueued: () => advancer.hasQueued,
        onHeard: (heard) => onNeighbour(heard),
      })
    : null;
  const ringWorker = (workerId: string) => {
    bells.ring(workerId);
    neighbours?.noteStopping(workerId);
  };
  const wakeEverywhere = (loopName: string) => {
    loops.wake(loopName);
    neighbours?.noteLoop(loopName);
  };
  const onNeighbour = ({ runIds, stopping, loops: toWake, hasQueued }: Heard) => {
    advancer.forget(runIds);
    if (hasQueued) advancer.lookForClaims({ inStore: true });
    for (const runId of runIds ?? []) services.events.publish(runId);
    if (stopping === null) bells.ringAll();
    else for (const workerId of stopping) bells.ring(workerId);
    for (const loopName of toWake ?? [admissionLoopName, childRunLoopName]) loops.wake(loopName);
  };
  const { clusters } = surroundings;
  const { recordHostReport, orderHosts } = clusters;
  clusters.listen({ ringWorker, wakeEverywhere });
  const { workerLabels: labels, workerLeaseMs: leaseMs } = services.config;
  const told = { recordHostReport, orderHosts, revealSecrets: surroundings.revealSecrets };
  const forSource: AttemptSourceOptions = { db, clock, advancer, claims, bells, ...told, labels };
  const source = createAttemptSource(forSource);
  return {
    services: runServices,
    source,
    remoteWorkers: createRemoteWorkers({ ...forSource, source, leaseMs }),
    verifyTaskToken: createTaskTokenVerifier({
      db,
      clock,
      key: tokenKey,
      readPrincipal: (principalId) => findActivePrincipal(db, principalId),
    }),
    startListening() {
      loops.add(clusters.loop);
      // Only a worker of this process prepares hosts.
      const hasWorker = services.config.roles.includes('worker');
      if (clusters.preparationLoop && hasWorker) loops.add(clusters.preparationLoop);
      if (neighbours) loops.add(neighbours.loop);
    },
    startLoops: () => addLoops(runServices, surroundings, urls),
    async stop() {
      await advancer.stop();
      await neighbours?.stop();
    },
  };
}

/** Those that only one server needs, and several may have. */
function addLoops(
  services: RunServices,
  { clusters, loops, observer }: RunSurroundings,
  urls: Parameters<typeof createChildStarter>[1],
): void {
  const { db, config } = services;
  const readNowMs = () => readLeaseClock(db);
  loops.add(createClusterLoop(services, { onMoved: clusters.ringAll, elapsedMs, readNowMs }));
  loops.add(createWakeLoop(services));
  loops.add(createAdmissionLoop(services));
  loops.add(createDeletedJobLoop(services));
  loops.add(createChildRunLoop(services, createChildStarter(services, urls)));
  const { workerLeaseMs: leaseMs } = config;
  loops.add(createLeaseLoop({ ...services, leaseMs, elapsedMs, onLost: () => observer?.leaseLost() }));
}

function describeClaims(
  { config, db, log }: Services,
  { workspaceId, dataRoot, clusters, catalogNames, urls }: RunSurroundings,
  tokenKey: ClaimSources['tokenKey'],
): ClaimSources {
  return {
    tokenKey,
    urls,
    workspaceId,
    dataRoot,
    externalLocations: config.externalLocations,
    defaultCatalog: config.defaultCatalog,
    listCatalogNames: catalogNames.list,
    async listClusterLibraries({ settings, taskKey }, clusterId) {
      const task = findTask(settings, taskKey);
      const described = findDescribed(task, settings, { runId: 0, runAs: { id: 0, userName: '' } });
      if (described !== null) return listPolicyLibraries(db, described.spec.policy_id);
      // Others have none, and their claims are not to wait for a look.
      const isNamed = task.existing_cluster_id === clusterId && clusterId !== defaultClusterId;
      if (!isNamed) return [];
      const [own, policyId] = await Promise.all([
        listClusterLibraries(db, clusterId),
        findPolicyIdOf(db, clusterId),
      ]);
      return [...(await listPolicyLibraries(db, policyId)), ...own];
    },
    async resolveCluster({ settings, taskKey, warehouseId, runId, jobId, ownerId, ownerUserName, mayStart }) {
      const placed = await placeOnWarehouse({ db, config }, findTask(settings, taskKey), warehouseId);
      if ('code' in placed) return placed;
      for (const warning of placed.warnings) log.info({ run_id: runId, task_key: taskKey }, warning);
      const { task } = placed;
      const run = { runId, runAs: { id: ownerId, userName: ownerUserName } };
      const resolved = await clusters.resolve(task, settings, run, { mayStart, jobId });
      if ('code' in resolved) return resolved;
      const { assignment, warnings } = resolved;
      for (const warning of warnings) log.info({ run_id: runId, task_key: taskKey }, warning);
      return assignment;
    },
  };
}

/** Also one that a for-each runs for each of its inputs. */
function findTask({ tasks = [] }: JobSettings, taskKey: string): TaskPlace {
  const nested = tasks.flatMap(({ for_each_task: each }) => (each ? [each.task] : []));
  return [...tasks, ...nested].find(({ task_key }) => task_key === taskKey) ?? { task_key: taskKey };
}

function elapsedMs(): number {
  return performance.now();
}
