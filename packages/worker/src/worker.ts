/** The worker: takes its attempts back, then claims, supervises and reports until it is stopped. */
import { sqlEndpointsMax } from '@headrace/core';
import { type ClaimLoopOptions, claimAttempts } from './claim-loop.ts';
import { keepLeases, refsOf } from './heartbeat-loop.ts';
import { HostPool } from './host-pool.ts';
import type { FoundHost, HostBackend } from './hosts/host-backend.ts';
import { revealSecretsIn } from './hosts/reveal-secrets.ts';
import { fieldsOf, type WorkerLog } from './log.ts';
import {
  type AttemptReport,
  type AttemptSource,
  type ClaimedAttempt,
  type ClusterAssignment,
  type HostReport,
  type ResumedAttempt,
  type WorkKind,
  workKinds,
} from './ports.ts';
import { resumeAttempts } from './resume.ts';
import { type SuperviseDependencies, type Supervised, superviseAttempt } from './supervise.ts';
import { waitBackingOff, waitForAbort, waitMs } from './wait.ts';

export interface WorkerOptions {
  readonly source: AttemptSource;
  readonly backend: HostBackend;
  /** Kept in the state folder: the same id after a restart takes the same attempts back. */
  readonly workerId: string;
  readonly slots: number;
  readonly dataRoot: string;
  /** The cluster that is kept warm for tasks to come; null keeps none. */
  readonly spare: ClusterAssignment | null;
  readonly clock: { nowMs(): number };
  readonly log: WorkerLog;
  /** Between SIGTERM and SIGKILL. */
  readonly stopGraceMs?: number;
}

export interface Worker {
  readonly slots: number;
  /** Attempts that hold a slot now, and SQL endpoints. */
  running(): number;
  /** Claims no more; resolves when all that runs has ended and is reported, or the signal aborts. */
  drain(signal: AbortSignal): Promise<void>;
  /** Claims no more, ends all that runs and reports it as lost, unless nobody takes the report. */
  endAll(message: string): Promise<void>;
  /**
   * Claims no more, gives back what has not started, ends idle hosts and leaves the others, with their attempts, for
   * the next start.
   */
  stop(): Promise<void>;
}

/** Ten seconds: what container platforms give by default. */
const stopGraceMsDefault = 10_000;
const endPollMs = 20;
/** A server that does not take a report by then finds out when the lease ends. */
const lastReportsMs = 10_000;

/** Resolves when the attempts of a former life are taken back and new ones may come. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { source, workerId, slots, log } = options;
  const backend = revealSecretsIn(options.backend, options);
  const stopping = new AbortController();
  const { signal } = stopping;
  const claiming = new AbortController();
  const stopGraceMs = options.stopGraceMs ?? stopGraceMsDefault;
  const reporter = createReporter({ source, workerId, log, signal });
  const pool = new HostPool({ backend, report: reporter.reportHost, log, stopGraceMs });
  const { dataRoot, clock } = options;
  const dependencies: SuperviseDependencies = {
    pool,
    dataRoot,
    report: reporter.report,
    askToStart: createAsker(options, signal),
    clock,
    log,
    stopGraceMs,
  };
  const live = new Map<number, Supervised>();
  const under = new Set<Promise<void>>();
  const take = (supervised: Supervised) => {
    const { attemptId } = supervised.attempt;
    live.set(attemptId, supervised);
    const done = superviseAttempt(supervised, dependencies)
      .catch((error: unknown) =>
        log.warn({ ...fieldsOf(supervised.attempt), err: error }, 'an end is not reported yet'),
      )
      .finally(() => {
        under.delete(done);
        if (live.get(attemptId) === supervised) live.delete(attemptId);
      });
    under.add(done);
  };
  const running = () => [...live.values()].filter(({ phase }) => phase !== 'ended').length;

  const endLive = (message: string) => {
    for (const { events } of live.values()) events.push({ kind: 'cut_off', message });
  };
  source.lease?.listen(createCutOff({ endLive, running, pool, log }));
  const resumed = await source.register({ workerId, slots, backend: backend.name });
  const found = await backend.attach();
  for (const supervised of resumeAttempts({ resumed, found, pool })) take(supervised);
  forgetSettled(found, resumed, backend);
  // At once: hosts may take long to stop, and a lease does not wait for them.
  const beating = keepLeases({ source, workerId, live, pool, log, signal });
  await pool.stopUnneeded(options.spare);
  warmSpare(pool, options);
  const held = () => refsOf(live);
  const claims = { ...dependencies, source, workerId, held, take, signal: claiming.signal };
  const claimed = claimAll(claims, live, { tasks: slots, sql_endpoints: sqlEndpointsMax });
  return {
    slots,
    running,
    async drain(until) {
      claiming.abort();
      await claimed;
      await releaseWaiting(live, { source, workerId, log });
      await Promise.race([Promise.all(under), waitForAbort(until)]);
    },
    async endAll(message) {
      claiming.abort();
      await claimed;
      endLive(message);
      while (running() > 0) await waitMs(endPollMs, signal);
      await Promise.race([Promise.all(under), waitMs(lastReportsMs, signal)]);
    },
    async stop() {
      claiming.abort();
      stopping.abort();
      await Promise.all([claimed, beating]);
      await releaseWaiting(live, { source, workerId, log });
      for (const supervised of live.values()) supervised.events.push({ kind: 'detach' });
      await Promise.all(under);
      await pool.stopUnneeded(null);
      pool.disconnect();
    },
  };
}

/** Each kind of work has room of its own: what waits in a slot for SQL must not keep it from coming up. */
async function claimAll(
  claims: Omit<ClaimLoopOptions, 'work' | 'freeSlots'>,
  live: ReadonlyMap<number, Supervised>,
  room: Readonly<Record<WorkKind, number>>,
): Promise<void> {
  const free = (work: WorkKind) =>
    claims.signal.aborted ? 0 : Math.max(0, room[work] - countRunning(live, work));
  await Promise.all(workKinds.map((work) => claimAttempts({ ...claims, work, freeSlots: () => free(work) })));
}

function countRunning(live: ReadonlyMap<number, Supervised>, work: WorkKind): number {
  return [...live.values()].filter(
    ({ phase, attempt }) =>
      phase !== 'ended' && (attempt.document.task.kind === 'sql_endpoint') === (work === 'sql_endpoints'),
  ).length;
}

function createCutOff(options: {
  readonly endLive: (message: string) => void;
  readonly running: () => number;
  readonly pool: HostPool;
  readonly log: WorkerLog;
}): Parameters<NonNullable<AttemptSource['lease']>['listen']>[0] {
  return {
    lapsed() {
      const fields = { running: options.running() };
      options.log.warn(fields, 'the lease cannot be renewed: ending what runs before others may get it');
      options.endLive(
        'the worker was cut off from the server, and ended the task before others could get it',
      );
    },
    overdue: () => options.pool.destroyBusy(),
  };
}

/** Asks until there is an answer that can be acted upon; rejects when the worker stops. */
function createAsker(
  { source, workerId, log }: WorkerOptions,
  signal: AbortSignal,
): SuperviseDependencies['askToStart'] {
  const { lease } = source;
  const start = source.start?.bind(source);
  if (start === undefined) return null;
  return async (attempt) => {
    const ref = { attemptId: attempt.attemptId, epoch: attempt.epoch };
    const lapses = lease?.lapses;
    const mayAct = () => lease === undefined || (lease.holds() && lease.lapses === lapses);
    for (let failures = 0; mayAct(); ) {
      try {
        const allowed = await start(workerId, [ref]);
        return allowed.some(({ attemptId }) => attemptId === ref.attemptId) && mayAct();
      } catch (error) {
        if (signal.aborted) throw error;
        failures += 1;
        log.warn({ ...fieldsOf(attempt), err: error }, 'cannot ask whether to start; trying again');
        await waitBackingOff(failures, signal);
      }
    }
    return false;
  };
}

/** Journals of dead hosts of which every outcome is recorded: nothing of them was given back to us. */
function forgetSettled(
  found: readonly FoundHost[],
  resumed: readonly ResumedAttempt[],
  backend: HostBackend,
): void {
  const ours = new Set<number>(resumed.map(({ attemptId }) => attemptId));
  for (const host of found) {
    if (host.kind !== 'dead') continue;
    const isSettled = !host.death.attempts.some(({ attempt_id }) => ours.has(attempt_id));
    if (isSettled) backend.forget(host.hostKey);
  }
}

function warmSpare(pool: HostPool, { spare, log }: WorkerOptions): void {
  if (spare === null) return;
  pool
    .acquire(spare)
    .catch((error: unknown) => log.warn({ host_key: spare.hostKey, err: error }, 'no spare host'));
}

/** Gives back what no host has been told of. */
async function releaseWaiting(
  live: ReadonlyMap<number, Supervised>,
  { source, workerId, log }: Pick<WorkerOptions, 'source' | 'workerId' | 'log'>,
): Promise<void> {
  const refs = [...live.values()]
    .filter(({ phase, host }) => phase === 'waiting' && host === null)
    .map(({ attempt: { attemptId, epoch } }) => ({ attemptId, epoch }));
  if (refs.length === 0) return;
  // Without it they are taken back at the next start.
  await source
    .release(workerId, refs)
    .catch((error: unknown) => log.warn({ err: error }, 'cannot release attempts'));
}

function createReporter(
  options: Pick<WorkerOptions, 'source' | 'workerId' | 'log'> & { readonly signal: AbortSignal },
) {
  const { source, workerId, log, signal } = options;

  /** Starts that could not be recorded at once: their ends wait, since after an end nobody hears of a start. */
  const lateStarts = new Map<number, Promise<void>>();

  /** Rejects only when the worker stops; the host keeps the end until the next life reads it. */
  function report(attemptReport: AttemptReport, attempt: ClaimedAttempt): Promise<void> {
    const { attemptId } = attempt;
    if (attemptReport.kind !== 'started')
      return repeat(attemptReport, attempt, { before: () => lateStarts.get(attemptId) });
    const recorded: Promise<void> = repeat(attemptReport, attempt, {
      onFailure: () => lateStarts.set(attemptId, recorded),
    });
    return recorded.finally(() => lateStarts.delete(attemptId));
  }

  async function repeat(
    attemptReport: AttemptReport,
    attempt: ClaimedAttempt,
    { before, onFailure }: { before?: () => Promise<void> | undefined; onFailure?: () => void },
  ): Promise<void> {
    for (let failures = 0; ; ) {
      await before?.();
      try {
        return await source.report(workerId, [attemptReport]);
      } catch (error) {
        failures += 1;
        onFailure?.();
        log.warn({ ...fieldsOf(attempt), err: error }, 'cannot report; trying again');
        if (signal.aborted)
          throw new Error('the worker stopped before the report was recorded', { cause: error });
        await waitBackingOff(failures, signal);
      }
    }
  }

  let hostReports: Promise<unknown> = Promise.resolve();
  /** In order, tried once: heartbeats tell again what was lost. Whether it was recorded. */
  function reportHost(hostReport: HostReport): Promise<boolean> {
    const told = hostReports
      .then(() => source.reportHost(workerId, hostReport))
      .then(
        () => true,
        (error: unknown) => {
          log.warn({ host_key: hostReport.hostKey, err: error }, 'cannot report a host');
          return false;
        },
      );
    hostReports = told;
    return told;
  }

  return { report, reportHost };
}
