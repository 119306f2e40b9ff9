/**
 * What workers on other machines ask for. Each request names the worker's registration: a process that was replaced
 * changes nothing any more. An answer may be lost on its way, so each request may come again, and what a worker does
 * not list as held it has not got.
 */
import { ApiError } from '@headrace/api';
import type { WorkerLabels } from '@headrace/core';
import type {
  AttemptRef,
  AttemptReport,
  AttemptSource,
  ClaimedAttempt,
  HostReport,
  HostStatus,
  WorkKind,
} from '@headrace/worker';
import type { RevealSecrets } from '../secrets/reveal-secrets.ts';
import { type AttemptSourceOptions, awaitStops, type ServerAttemptSource } from './attempt-source.ts';
import type { ClaimSources } from './build-claim.ts';
import { type Challenge, writeChallenge } from './data-root-proof.ts';
import {
  type Registered,
  type RegistrationRequest,
  refuseOtherProtocol,
  registerRemoteWorker,
} from './register-worker.ts';
import { databaseNow, findHeldBy, type HeldRow, readHeld, worksFor } from './store.ts';
import { rebuildHeld } from './take-back.ts';
import { findRegistered, type Lease, type Registration, renewRegistered, signOff } from './worker-store.ts';

export interface RemoteWorkers {
  challenge(
    protocolVersion: number,
  ): Promise<Challenge & Pick<ClaimSources, 'dataRoot' | 'externalLocations'>>;
  register(request: RegistrationRequest): Promise<Registered>;
  claim(
    request: Registration & {
      readonly work?: WorkKind;
      readonly freeSlots: number;
      readonly held: readonly AttemptRef[];
      readonly signal: AbortSignal;
    },
  ): Promise<readonly ClaimedAttempt[]>;
  /** Of `refs`, those whose user code may begin. The store knows of it before it does. */
  start(worker: Registration, refs: readonly AttemptRef[]): Promise<readonly AttemptRef[]>;
  heartbeat(
    request: Registration & {
      readonly held: readonly AttemptRef[];
      readonly hosts?: readonly HostStatus[];
      readonly waitMs: number;
      readonly signal: AbortSignal;
    },
  ): ReturnType<AttemptSource['heartbeat']>;
  /** Their moments are of the store's clock. */
  report(worker: Registration, reports: readonly AttemptReport[]): Promise<void>;
  reportHost(worker: Registration, report: HostReport): Promise<void>;
  revealSecrets(worker: Registration, asked: Parameters<RevealSecrets>[0]): ReturnType<RevealSecrets>;
  release(worker: Registration, refs: readonly AttemptRef[]): Promise<void>;
  signOff(worker: Registration): Promise<void>;
}

export interface RemoteWorkersOptions extends AttemptSourceOptions {
  readonly leaseMs: number;
  /** That of the worker in this process, whose ways of claiming and reporting are the same. */
  readonly source: ServerAttemptSource;
}

export function createRemoteWorkers(options: RemoteWorkersOptions): RemoteWorkers {
  const { db, source, clock, claims } = options;
  const lease: Lease = { dbNow: options.dbNow ?? databaseNow, leaseMs: options.leaseMs };
  const claiming = new Map<string, AbortController>();

  async function refuseReplaced(worker: Registration): Promise<WorkerLabels> {
    const labels = await findRegistered(db, worker);
    if (labels === null) throw replaced(worker);
    return labels;
  }

  return {
    async challenge(protocolVersion) {
      refuseOtherProtocol(protocolVersion);
      const { dataRoot, externalLocations } = claims;
      return { ...(await writeChallenge(dataRoot, clock.nowMs())), dataRoot, externalLocations };
    },
    register: (request) => registerRemoteWorker(request, { ...options, lease }),
    async claim({ workerId, registration, work = 'tasks', freeSlots, held, signal }) {
      const labels = await refuseReplaced({ workerId, registration });
      // A request that the worker has given up, and of which we have not heard that it has, must take nothing more.
      const claimer = `${work} ${workerId}`;
      claiming.get(claimer)?.abort();
      const latest = new AbortController();
      claiming.set(claimer, latest);
      try {
        const missed = await deliverAgain({ workerId, work, held }, options);
        if (missed.length > 0) return missed.slice(0, freeSlots);
        const request = { workerId, work, freeSlots: () => freeSlots, prepare: () => {} };
        return await source.claimFor(
          { ...request, signal: AbortSignal.any([signal, latest.signal]) },
          labels,
        );
      } finally {
        if (claiming.get(claimer) === latest) claiming.delete(claimer);
      }
    },
    async start(worker, refs) {
      await refuseReplaced(worker);
      return startHeld(worker.workerId, refs, options);
    },
    async heartbeat({ workerId, registration, ...told }) {
      const worker = { workerId, registration };
      if (!(await renewRegistered(db, worker, lease))) throw replaced(worker);
      return awaitStops({ workerId, ...told }, options);
    },
    // Fenced by the epoch of each attempt: what was lost, or taken over, stays as it is.
    async report({ workerId }, reports) {
      await source.record(await keepOwn(workerId, reports, options));
    },
    async reportHost(worker, report) {
      await refuseReplaced(worker);
      await source.reportHost(worker.workerId, report);
    },
    async revealSecrets(worker, asked) {
      await refuseReplaced(worker);
      if (!(await worksFor(db, worker.workerId, asked.principalId))) throw worksForOthers(worker, asked);
      return options.revealSecrets(asked);
    },
    async release({ workerId }, refs) {
      await source.release(workerId, await keepOwn(workerId, refs, options));
    },
    async signOff(worker) {
      if (!(await signOff(db, worker, lease.dbNow))) throw replaced(worker);
      // Nothing runs there: what it was given and has not heard of goes to others.
      await settleUnheld(await findHeldBy(db, worker.workerId), options);
    },
  };
}

function worksForOthers({ workerId }: Registration, asked: { readonly principalId: number }): ApiError {
  return new ApiError(
    'PERMISSION_DENIED',
    `worker ${workerId} runs nothing for principal ${asked.principalId}, so it may not read its secrets`,
  );
}

function replaced({ workerId }: Registration): ApiError {
  return new ApiError(
    'RESOURCE_CONFLICT',
    `this process no longer speaks for worker ${workerId}: it signed off, or another process took over when its lease had ended`,
    [{ reason: 'WORKER_REPLACED' }],
  );
}

/**
 * What the store gave this worker, and the worker has not got: the answer was lost. Requests of a worker for one kind of
 * work come one after the other, and it lists all that it has; so no user line of these has run.
 */
async function deliverAgain(
  {
    workerId,
    work,
    held,
  }: { readonly workerId: string; readonly work: WorkKind; readonly held: readonly AttemptRef[] },
  options: RemoteWorkersOptions,
): Promise<readonly ClaimedAttempt[]> {
  const known = new Set(held.map(({ attemptId, epoch }) => `${attemptId} ${epoch}`));
  const rows = await findHeldBy(options.db, workerId);
  const ofKind = rows.filter(({ is_endpoint }) => is_endpoint === (work === 'sql_endpoints'));
  const unheld = ofKind.filter(({ attempt_id, epoch }) => !known.has(`${attempt_id} ${epoch}`));
  if (unheld.length === 0) return [];
  const claimed = unheld.filter(({ state }) => state === 'claimed');
  await settleUnheld(
    unheld.filter(({ state }) => state !== 'claimed'),
    options,
  );
  return rebuildHeld(claimed, options);
}

/** Live attempts of which the worker says that it has none. */
async function settleUnheld(rows: readonly HeldRow[], options: RemoteWorkersOptions): Promise<void> {
  await Promise.all(
    rows.map((row) => {
      const attemptId = row.attempt_id as AttemptRef['attemptId']; // The store keeps ids that were branded.
      const event = {
        kind: 'attempt_lost',
        attemptId,
        epoch: row.epoch,
        beforeUserCode: row.state !== 'running',
        message: `Worker ${row.worker_id} is there and knows nothing of this task any more: its state folder was emptied or replaced. A retry, or a repair of the run, begins anew.`,
      } as const;
      return options.advancer.tell(row.run_id, [{ event }]);
    }),
  );
}

/** Those that are this worker's: it has no word in what others do. */
async function keepOwn<Ref extends AttemptRef>(
  workerId: string,
  refs: readonly Ref[],
  { db }: RemoteWorkersOptions,
): Promise<readonly Ref[]> {
  const rows = await readHeld(
    db,
    refs.map(({ attemptId }) => attemptId),
  );
  const own = rows.filter(({ worker_id }) => worker_id === workerId);
  const known = new Set<number>(own.map(({ attempt_id }) => attempt_id));
  return refs.filter(({ attemptId }) => known.has(attemptId));
}

async function startHeld(
  workerId: string,
  refs: readonly AttemptRef[],
  { db, advancer, clock }: RemoteWorkersOptions,
): Promise<AttemptRef[]> {
  const rows = await readHeld(
    db,
    refs.map(({ attemptId }) => attemptId),
  );
  const byId = new Map(rows.map((row) => [row.attempt_id, row]));
  const started = await Promise.all(
    refs.map(async (ref) => {
      const row = byId.get(ref.attemptId);
      if (!row || row.worker_id !== workerId || row.epoch !== ref.epoch || row.state === 'stopping')
        return null;
      if (row.state === 'running') return ref;
      const event = { kind: 'attempt_started', ...ref, startedAtMs: clock.nowMs() } as const;
      const { isKnown, ignored } = await advancer.tell(row.run_id, [{ event }]);
      return isKnown && ignored.length === 0 ? ref : null;
    }),
  );
  return started.filter((ref) => ref !== null);
}
