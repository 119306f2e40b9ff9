/** The worker's port over SQL, for a worker in this process: claims and reports meet the advancer without a detour. */
import { assert, findTaskRun } from '@headrace/core';
import type {
  AttemptRef,
  AttemptReport,
  AttemptSource,
  ClaimedAttempt,
  ResumedAttempt,
  StopRequest,
} from '@headrace/worker';
import type { RunAdvancer } from '../runs/advance-run.ts';
import { type HotRun, HotRuns } from '../runs/hot-runs.ts';
import type { Services } from '../services.ts';
import { buildClaim, type ClaimSources } from './build-claim.ts';
import { reportAttempt } from './report-attempt.ts';
import type { StopBells } from './stop-bells.ts';
import {
  type DbNow,
  databaseNow,
  findHeldBy,
  findRunsOf,
  type HeldRow,
  readHeld,
  renewLease,
  upsertWorker,
} from './store.ts';

export interface AttemptSourceOptions extends Pick<Services, 'db' | 'clock'> {
  readonly advancer: RunAdvancer;
  readonly claims: ClaimSources;
  /** Rung by the advancer's `onStopping`. */
  readonly bells: StopBells;
  readonly recordHostReport: AttemptSource['reportHost'];
  readonly dbNow?: DbNow;
}

/** Several heartbeats fit into it. Local workers do not live by it. */
export const leaseMs = 60_000;
/** Hosts of these are on this machine: their death can be proven, so time proves nothing. */
const localBackends = ['local', 'fake'];

export function createAttemptSource(options: AttemptSourceOptions): AttemptSource {
  const { db, advancer, bells } = options;
  const lease = { dbNow: options.dbNow ?? databaseNow, leaseMs };
  const runs = new AttemptRuns(options);
  return {
    async register({ workerId, slots, backend }) {
      const isLocal = localBackends.includes(backend);
      await upsertWorker(db, { workerId, slots, backend, isLocal }, lease);
      return takeBack(workerId, options);
    },
    async claim(request) {
      const claimed = await advancer.claim(request);
      for (const { attemptId, runId } of claimed) runs.remember(attemptId, runId);
      return claimed;
    },
    async heartbeat({ workerId, held, waitMs, signal }) {
      await renewLease(db, workerId, lease);
      const found = await compareHeld(workerId, held, options);
      if (found.stop.length > 0 || found.gone.length > 0 || signal.aborted) return found;
      const hasRung = await bells.wait(workerId, waitMs, signal);
      return hasRung ? compareHeld(workerId, held, options) : found;
    },
    async report(_workerId, reports) {
      const runIds = await runs.find(reports.map(({ attemptId }) => attemptId));
      await Promise.all(
        reports.map(async (report) => {
          const runId = runIds.get(report.attemptId);
          // An attempt that the store does not know has nobody to tell.
          if (runId !== undefined) await reportAttempt(advancer, runId, report);
          if (report.kind !== 'started') runs.forget(report.attemptId);
        }),
      );
    },
    reportHost: options.recordHostReport,
    async release(_workerId, refs) {
      const runIds = await runs.find(refs.map(({ attemptId }) => attemptId));
      await Promise.all(refs.map((ref) => releaseAttempt(advancer, ref, runIds.get(ref.attemptId))));
    },
  };
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

/**
 * Live attempts of a worker that came back, each under a new epoch: told in one breath, so that one batch carries
 * them. Writes under the old epochs change nothing from then on.
 */
async function takeBack(workerId: string, options: AttemptSourceOptions): Promise<ResumedAttempt[]> {
  const { db, advancer } = options;
  const rows = await findHeldBy(db, workerId);
  await Promise.all(
    rows.map(({ run_id, attempt_id, epoch }) => {
      const attemptId = attempt_id as ResumedAttempt['attemptId']; // The store keeps ids that were branded.
      const event = { kind: 'attempt_resumed', attemptId, epoch: epoch + 1, workerId } as const;
      return advancer.tell(run_id, [{ event }]);
    }),
  );
  const held = await findHeldBy(db, workerId);
  const runs = await new HotRuns(db).load([...new Set(held.map(({ run_id }) => run_id))]);
  const byId = new Map(runs.map((run) => [run.run.runId as number, run]));
  const resumed: ResumedAttempt[] = [];
  for (const row of held) {
    const loaded = byId.get(row.run_id);
    assert(loaded, `run ${row.run_id} of attempt ${row.attempt_id} cannot be loaded`);
    const attempt = await rebuild(row, loaded, options);
    if (attempt) resumed.push({ ...attempt, state: row.state, stopReason: row.stop_reason });
  }
  return resumed;
}

/** An attempt whose document cannot be made any more ends here: its process, if there is one, is gone for us. */
async function rebuild(
  row: HeldRow,
  { facts, run }: HotRun,
  { advancer, claims, clock }: AttemptSourceOptions,
): Promise<ClaimedAttempt | null> {
  const attemptId = row.attempt_id as ClaimedAttempt['attemptId']; // The store keeps ids that were branded.
  const taskRun = findTaskRun(run, attemptId);
  assert(taskRun, `run ${row.run_id} does not know its attempt ${row.attempt_id}`);
  const built = await buildClaim({ facts, run, taskRun, epoch: row.epoch }, claims, { nowMs: clock.nowMs() });
  if ('attempt' in built) return built.attempt;
  const outcome = { kind: 'failed', failure: built } as const;
  const event = { kind: 'attempt_ended', attemptId, epoch: row.epoch, outcome, taskValues: {} } as const;
  await advancer.tell(row.run_id, [{ event }]);
  return null;
}

async function compareHeld(
  workerId: string,
  held: readonly AttemptRef[],
  { db }: AttemptSourceOptions,
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

/** Which run an attempt belongs to: known from its claim, else from the store. */
class AttemptRuns {
  readonly #options: AttemptSourceOptions;
  readonly #known = new Map<number, number>();

  constructor(options: AttemptSourceOptions) {
    this.#options = options;
  }

  remember(attemptId: number, runId: number): void {
    this.#known.set(attemptId, runId);
  }

  forget(attemptId: number): void {
    this.#known.delete(attemptId);
  }

  async find(attemptIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const unknown = attemptIds.filter((id) => !this.#known.has(id));
    if (unknown.length === 0) return this.#known;
    const rows = await findRunsOf(this.#options.db, unknown);
    const found = new Map(rows.map(({ attempt_id, run_id }) => [attempt_id, run_id]));
    for (const id of attemptIds) {
      const runId = this.#known.get(id);
      if (runId !== undefined) found.set(id, runId);
    }
    return found;
  }
}
