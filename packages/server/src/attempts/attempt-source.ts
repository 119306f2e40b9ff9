/** The worker's port over SQL, for a worker in this process: claims and reports meet the advancer without a detour. */
import { endpointLabels, type WorkerLabels } from '@headrace/core';
import type {
  AttemptRef,
  AttemptReport,
  AttemptSource,
  ClaimedAttempt,
  ClaimRequest,
  Heartbeat,
  HostOrders,
  HostStatus,
  StopRequest,
} from '@headrace/worker';
import type { Querier } from '../db/connect.ts';
import type { RunAdvancer } from '../runs/advance-run.ts';
import type { RevealSecrets } from '../secrets/reveal-secrets.ts';
import type { Services } from '../services.ts';
import { AttemptRuns } from './attempt-runs.ts';
import type { ClaimSources } from './build-claim.ts';
import { reportAttempt } from './report-attempt.ts';
import type { StopBells } from './stop-bells.ts';
import { type DbNow, databaseNow, readHeld, renewLease, upsertWorker } from './store.ts';
import { takeBack } from './take-back.ts';
import { UnheldClaims } from './unheld-claims.ts';

export interface AttemptSourceOptions extends Pick<Services, 'db' | 'clock'> {
  readonly advancer: RunAdvancer;
  readonly claims: ClaimSources;
  /** Rung by the advancer's `onStopping`. */
  readonly bells: StopBells;
  readonly recordHostReport: AttemptSource['reportHost'];
  /** What is wanted of the hosts that a worker tells of; null when nothing is to be done. */
  readonly orderHosts: (workerId: string, hosts: readonly HostStatus[]) => Promise<HostOrders | null>;
  readonly revealSecrets: RevealSecrets;
  /** Of the worker in this process. */
  readonly labels: WorkerLabels;
  readonly dbNow?: DbNow;
  /** The clock of this machine, by which hosts say when something happened. */
  readonly machineNowMs?: () => number;
}

/** Of the worker in this process, and what others are served with. */
export interface ServerAttemptSource extends AttemptSource {
  claimFor(request: ClaimRequest, labels: WorkerLabels): Promise<readonly ClaimedAttempt[]>;
  /** Like `report`, with moments of the store's clock. */
  record(reports: readonly AttemptReport[]): Promise<void>;
}

/** Several heartbeats fit into it. Local workers do not live by it. */
export const leaseMs = 60_000;
/** Hosts of these are on this machine: their death can be proven, so time proves nothing. */
const localBackends = ['local', 'fake'];

export function createAttemptSource(options: AttemptSourceOptions): ServerAttemptSource {
  const { db, advancer, machineNowMs = Date.now } = options;
  const lease = { dbNow: options.dbNow ?? databaseNow, leaseMs };
  const runs = new AttemptRuns(db);
  const unheld = new UnheldClaims(options);
  const claimFor: ServerAttemptSource['claimFor'] = async (request, labels) => {
    const asks = request.work === 'sql_endpoints' ? { ...labels, ...endpointLabels } : labels;
    const claimed = await advancer.claim({ ...request, labels: asks });
    for (const { attemptId, runId } of claimed) runs.remember(attemptId, runId);
    return claimed;
  };
  async function record(reports: readonly AttemptReport[]): Promise<void> {
    const runIds = await runs.find(reports.map(({ attemptId }) => attemptId));
    await Promise.all(
      reports.map(async (report) => {
        const runId = runIds.get(report.attemptId);
        // An attempt that the store does not know has nobody to tell.
        if (runId !== undefined) await reportAttempt(advancer, runId, report);
        if (report.kind !== 'started') runs.forget(report.attemptId);
      }),
    );
  }
  return {
    async register({ workerId, slots, backend }) {
      const isLocal = localBackends.includes(backend);
      const { labels } = options;
      await upsertWorker(db, { workerId, slots, backend, isLocal, labels }, lease);
      return takeBack(workerId, options);
    },
    claim: (request) => claimFor(request, options.labels),
    claimFor,
    async heartbeat(request) {
      await renewLease(db, request.workerId, lease);
      await unheld.release(request.workerId, request.held);
      return awaitStops(request, options);
    },
    async report(_workerId, reports) {
      const aheadMs = options.clock.nowMs() - machineNowMs();
      await record(reports.map((report) => movedBy(aheadMs, report)));
    },
    record,
    reportHost: options.recordHostReport,
    revealSecrets: (_workerId, asked) => options.revealSecrets(asked),
    async release(_workerId, refs) {
      const runIds = await runs.find(refs.map(({ attemptId }) => attemptId));
      await Promise.all(refs.map((ref) => releaseAttempt(advancer, ref, runIds.get(ref.attemptId))));
      for (const { attemptId } of refs) runs.forget(attemptId);
    },
  };
}

/** From this machine's clock to the store's: PostgreSQL may be elsewhere, and its clock another. */
function movedBy(aheadMs: number, report: AttemptReport): AttemptReport {
  if (report.kind === 'started') return { ...report, startedAtMs: report.startedAtMs + aheadMs };
  if (report.kind === 'lost' || report.endedAtMs === undefined) return report;
  return { ...report, endedAtMs: report.endedAtMs + aheadMs };
}

async function releaseAttempt(
  advancer: RunAdvancer,
  ref: AttemptRef,
  runId: number | undefined,
): Promise<void> {
  if (runId === undefined) return;
  const report: AttemptReport = {
    kind: 'lost',
    ...ref,
    beforeUserCode: true,
    message: 'the worker gave it back',
  };
  await reportAttempt(advancer, runId, report);
}

/** What is to be stopped or started, and what is no longer the worker's; waits for it up to `waitMs`. */
export async function awaitStops(
  request: Parameters<AttemptSource['heartbeat']>[0],
  options: Pick<AttemptSourceOptions, 'db' | 'bells' | 'orderHosts'>,
): ReturnType<AttemptSource['heartbeat']> {
  const { workerId, waitMs, signal } = request;
  const found = await compareTold(request, options);
  if (found.stop.length > 0 || found.gone.length > 0 || found.orders || signal.aborted) return found;
  const hasRung = await options.bells.wait(workerId, waitMs, signal);
  return hasRung ? compareTold(request, options) : found;
}

async function compareTold(
  { workerId, held, hosts }: Parameters<AttemptSource['heartbeat']>[0],
  { db, orderHosts }: Pick<AttemptSourceOptions, 'db' | 'orderHosts'>,
): Promise<Heartbeat> {
  const [stops, orders] = await Promise.all([
    compareHeld(workerId, held, db),
    hosts === undefined ? null : orderHosts(workerId, hosts),
  ]);
  return orders === null ? stops : { ...stops, orders };
}

async function compareHeld(
  workerId: string,
  held: readonly AttemptRef[],
  db: Querier,
): Promise<{ stop: StopRequest[]; gone: AttemptRef[] }> {
  if (held.length === 0) return { stop: [], gone: [] };
  const rows = await readHeld(
    db,
    held.map(({ attemptId }) => attemptId),
  );
  const byId = new Map(rows.map((row) => [row.attempt_id, row]));
  const stop: StopRequest[] = [];
  const gone: AttemptRef[] = [];
  for (const ref of held) {
    const row = byId.get(ref.attemptId);
    if (!row || row.epoch !== ref.epoch || row.worker_id !== workerId) gone.push(ref);
    else if (row.state === 'stopping' && row.stop_reason !== null)
      stop.push({ ...ref, reason: row.stop_reason });
  }
  return { stop, gone };
}
