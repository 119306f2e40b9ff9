/**
 * The one way into a run. News of any number of runs goes into one batch: `core` decides, ready attempts are claimed
 * for the worker that waits, and one statement saves it all. What arrives while a save is under way goes into the
 * next batch, so there is at most one save at a time, and a chain of n tasks needs n + 1 of them.
 *
 *   news ─► pending ─► drafts (load what is not hot) ─► core ─► claims, prepare ─► save ─► settle
 *              ▲                                                                    │
 *              └──────────── another moved the run: load it again ◄─────────────────┘
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { EndedResult, Run } from '@headrace/core';
import type { ClaimedAttempt } from '@headrace/worker';
import type { Logger } from 'pino';
import type { Database } from '../db/connect.ts';
import type { RunEventBus } from '../event-bus.ts';
import type { IdSource } from '../ids.ts';
import type { Clock } from '../services.ts';
import { advanceBatch, type Batch, type BatchDependencies, BatchNotSaved } from './advance-batch.ts';
import type { Claim } from './claim-attempts.ts';
import { ClaimQueue, type WaitingClaimer } from './claim-queue.ts';
import { HotRuns } from './hot-runs.ts';
import { RestingAttempts } from './resting-attempts.ts';
import { type BatchContext, currentPhase, type RunNews, type StepResolver } from './run-draft.ts';
import { SaveConnection } from './save-connection.ts';
import {
  type ClaimBuilder,
  type Created,
  countNewAttempts,
  type NewRunOrder,
  type NewsOutcome,
  type RepairOrder,
  type RepairOutcome,
  type WorkItem,
} from './work-items.ts';

export interface AdvancerOptions {
  readonly db: Database;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: RunEventBus;
  readonly buildClaim: ClaimBuilder;
  readonly resolveStep: StepResolver;
  /** A run that is the work of a task, or the task, has something to say to the other. */
  readonly onChildren: () => void;
  /** A run of a job has ended: a queued one may find a place. */
  readonly onPlaceFreed: () => void;
  /** Attempts that must be stopped, after the commit: their worker is told at once. */
  readonly onStopping: (workerId: string) => void;
  readonly observer?: AdvancerObserver;
}

/** What is measured; told after the commit. */
export interface AdvancerObserver {
  saved(elapsedMs: number): void;
  runEnded(result: string): void;
  attemptEnded(result: EndedResult): void;
}

/** The store understood the change and said no: told again as it is, it would be refused again. */
export class RefusedByStore extends Error {
  constructor(cause: unknown) {
    super('the store refused the change', { cause });
    this.name = 'RefusedByStore';
  }
}

/** A batch takes no more than this; the rest goes into the next one, so a flood cannot grow one statement for ever. */
export const batchItemsMax = 500;
/** Nor does it make more attempts: each is a row of some hundred bytes, and runs have up to a thousand tasks. */
const batchAttemptsMax = 10_000;
/**
 * Where attempts wait for slots, a batch waits for company: each save costs the same whatever it holds, and several
 * servers make small ones. Where slots are short nobody waits longer for it; runs beside them wait this much.
 */
const companyMs = 1;
const companyItems = 30;
/** "Started" marks wait this long for a save that goes anyway. */
const startedDelayMs = 50;
/** Waking earlier than this is the wake loop's business. */
const timerHorizonMs = 5_000;
/** After that many lost races a pause follows each. */
const triesMax = 5;
/** Then whoever waits hears of it. Only what is saved may count as heard: a worker repeats its report until then. */
const pausedTriesMax = 40;
const retryDelayMs = 250;
/** While a store that is away is asked for claims only, which nobody waits for. */
const retryDelayMaxMs = 2_000;

export class RunAdvancer {
  readonly #options: AdvancerOptions;
  readonly #batch: BatchDependencies;
  readonly #hot: HotRuns;
  readonly #queue = new ClaimQueue();
  readonly #connection: SaveConnection;
  #pending: WorkItem[] = [];
  #lazy: WorkItem[] = [];
  #lazyTimer: NodeJS.Timeout | null = null;
  #wakeTimer: NodeJS.Timeout | null = null;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #flushing: Promise<void> | null = null;
  #claimersChanged = false;
  #stopped = false;
  /** One after the other, without a success between them. */
  #failedSaves = 0;

  constructor(options: AdvancerOptions) {
    this.#options = options;
    this.#hot = new HotRuns(options.db);
    this.#connection = new SaveConnection(options.db, options.log, options.observer?.saved);
    this.#batch = {
      db: options.db,
      connection: this.#connection,
      hot: this.#hot,
      queue: this.#queue,
      resting: new RestingAttempts(),
      buildClaim: options.buildClaim,
      log: options.log,
    };
  }

  /** Saves made so far: for benchmarks and tests, since noise cannot move counts. */
  get savesCount(): number {
    return this.#connection.savesCount;
  }

  /** Of the runs in memory; none is ever ahead of the store. */
  hotVersions(): ReadonlyMap<number, number> {
    return this.#hot.versions();
  }

  create(order: NewRunOrder): Promise<Created> {
    return new Promise((resolve, reject) =>
      this.#submit({ kind: 'create', order, tries: 0, resolve, reject }),
    );
  }

  /** Resolves when the news is durable or is known to change nothing. */
  tell(runId: number, news: readonly RunNews[]): Promise<NewsOutcome> {
    return new Promise((resolve, reject) =>
      this.#submit({ kind: 'news', runId, news, tries: 0, resolve, reject }),
    );
  }

  /** Like `tell`, for marks that nothing waits for: they travel with the next save. */
  tellLazily(runId: number, news: readonly RunNews[]): Promise<NewsOutcome> {
    return new Promise((resolve, reject) => {
      this.#lazy.push({ kind: 'news', runId, news, tries: 0, resolve, reject });
      this.#lazyTimer ??= setTimeout(() => this.#submitLazy(), startedDelayMs);
    });
  }

  repair(runId: number, order: RepairOrder): Promise<RepairOutcome> {
    return new Promise((resolve, reject) =>
      this.#submit({ kind: 'repair', runId, order, tries: 0, resolve, reject }),
    );
  }

  admit(runId: number, jobId: number): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#submit({ kind: 'admit', runId, jobId, tries: 0, resolve, reject }),
    );
  }

  look(runId: number): Promise<void> {
    return new Promise((resolve, reject) => this.#submit({ kind: 'look', runId, tries: 0, resolve, reject }));
  }

  /** Waits for attempts until `signal` aborts. */
  claim(
    request: Omit<WaitingClaimer, 'deliver'> & { readonly signal: AbortSignal },
  ): Promise<readonly ClaimedAttempt[]> {
    return new Promise((resolve) => {
      const claimer: WaitingClaimer = {
        workerId: request.workerId,
        labels: request.labels,
        freeSlots: request.freeSlots,
        prepare: request.prepare,
        deliver(attempts) {
          request.signal.removeEventListener('abort', giveUp);
          resolve(attempts);
        },
      };
      const giveUp = () => {
        if (this.#queue.removeClaimer(claimer)) resolve([]);
      };
      if (request.signal.aborted || this.#stopped) return resolve([]);
      request.signal.addEventListener('abort', giveUp);
      this.#queue.addClaimer(claimer);
      this.lookForClaims();
    });
  }

  /** Slots became free, or attempts may be waiting in the store that this process has not seen. */
  lookForClaims(options: { readonly inStore?: boolean } = {}): void {
    if (options.inStore) this.#queue.lookInStoreAgain();
    if (this.#queue.isIdle) return;
    this.#claimersChanged = true;
    this.#start();
  }

  /** What another server has changed is read again when next needed; null: whatever it was. */
  forget(runIds: readonly number[] | null): void {
    if (runIds === null) this.#hot.forgetAll();
    else for (const runId of runIds) this.#hot.forget(runId);
  }

  /** Attempts may wait that no worker of this server has taken; where none asks, the queue leaves them to the store. */
  get hasQueued(): boolean {
    return this.#queue.size > 0 || this.#queue.isIdle;
  }

  /** Takes nothing new and waits for what is under way. */
  async stop(): Promise<void> {
    if (this.#lazyTimer) this.#submitLazy();
    this.#stopped = true;
    if (this.#wakeTimer) clearTimeout(this.#wakeTimer);
    await this.#flushing;
    await this.#connection.close();
  }

  #submit(item: WorkItem): void {
    if (this.#stopped) return item.reject(new Error('the server is stopping'));
    this.#pending.push(item);
    this.#start();
  }

  #submitLazy(): void {
    if (this.#lazyTimer) clearTimeout(this.#lazyTimer);
    this.#lazyTimer = null;
    // Before the news that they preceded.
    this.#pending.unshift(...this.#lazy.splice(0));
    this.#start();
  }

  /** The microtask lets everything that this turn of the event loop brought into the same batch. */
  #start(): void {
    this.#flushing ??= Promise.resolve()
      .then(() => this.#flush())
      .finally(() => {
        this.#flushing = null;
        // What came after the last look, while this promise settled.
        if (this.#pending.length > 0 || this.#claimersChanged) this.#start();
      });
  }

  async #flush(): Promise<void> {
    while (this.#pending.length > 0 || this.#claimersChanged) {
      if (this.#queue.size > 0 && this.#pending.length < companyItems) await delay(companyMs);
      this.#claimersChanged = false;
      if (this.#lazyTimer && this.#pending.length > 0) this.#submitLazy();
      await this.#advance(this.#takePending());
    }
  }

  #takePending(): readonly WorkItem[] {
    let attempts = 0;
    const isBeyond = (item: WorkItem) => {
      attempts += countNewAttempts(item);
      return attempts > batchAttemptsMax;
    };
    const end = this.#pending.slice(0, batchItemsMax).findIndex(isBeyond);
    // One that is too large by itself goes alone.
    return this.#pending.splice(0, end === -1 ? batchItemsMax : Math.max(1, end));
  }

  async #advance(items: readonly WorkItem[]): Promise<void> {
    try {
      const batch = await advanceBatch(items, this.#context(), this.#batch);
      this.#failedSaves = 0;
      this.#settle(batch);
    } catch (error) {
      await this.#onSaveFailed(items, error);
    }
  }

  #context(): BatchContext {
    const { clock, ids, resolveStep } = this.#options;
    return {
      nowMs: clock.nowMs(),
      newId: () => ids.newId(),
      reserveIds: (count) => ids.reserve(count),
      resolveStep,
    };
  }

  #settle(batch: Batch): void {
    for (const { run, hasEnded } of batch.saved) {
      this.#options.events.publish(run.runId);
      if (hasEnded) this.#onEnded(run);
    }
    for (const result of batch.endedAttempts) this.#options.observer?.attemptEnded(result);
    for (const workerId of batch.stoppingWorkerIds) this.#options.onStopping(workerId);
    if (batch.concernsChildren) this.#options.onChildren();
    for (const settle of batch.settlements) settle();
    for (const item of batch.lostRaces) this.#retry(item);
    if (batch.wakeAtMs !== null) this.#wakeBy(batch.wakeAtMs);
    if (this.#queue.canServe) this.#claimersChanged = true;
  }

  #onEnded(run: Run): void {
    const phase = currentPhase(run);
    const result = phase.kind === 'ended' ? phase.result : phase.kind;
    this.#options.observer?.runEnded(result);
    this.#options.log.info({ run_id: run.runId, job_id: run.jobId, result }, 'a run has ended');
    if (run.jobId !== null) this.#options.onPlaceFreed();
  }

  /** Whether the save happened is unknown: all is loaded again, and what already holds is found to change nothing. */
  async #onSaveFailed(items: readonly WorkItem[], error: unknown): Promise<void> {
    this.#hot.forgetAll();
    this.#queue.lookInStoreAgain();
    const isRefused = error instanceof BatchNotSaved && this.#connection.isRefusal(error.cause);
    this.#failedSaves += 1;
    // An outage is told once and every few minutes: four times a second, with where it happened, would bury all else.
    const level = isRefused || this.#failedSaves % 100 === 1 ? 'error' : 'debug';
    this.#options.log[level](
      { err: error, items: items.length, refused: isRefused },
      'a batch could not be saved',
    );
    if (error instanceof BatchNotSaved) this.#takeBack(error.claimed);
    this.#claimersChanged = true;
    if (isRefused && items.length > 0) return this.#refuse(items, error);
    for (const item of items) {
      // Whoever waits hears of it and may ask again: a worker does, until its report is durable.
      if (this.#stopped || item.tries >= triesMax) item.reject(error);
      else this.#pending.push(Object.assign(item, { tries: item.tries + 1 }));
    }
    const isAwaited = this.#pending.length > 0;
    const backOffMs = Math.min(retryDelayMaxMs, retryDelayMs * 2 ** Math.min(this.#failedSaves - 1, 10));
    await new Promise((resolve) => setTimeout(resolve, isAwaited ? retryDelayMs : backOffMs));
  }

  /** One of them is what the store refuses: alone, it fails alone. */
  async #refuse(items: readonly WorkItem[], error: unknown): Promise<void> {
    if (items.length === 1) return items[0]?.reject(new RefusedByStore(error));
    for (const item of items) await this.#advance([item]);
  }

  /** Claims that may stand in the store and that no worker got: dispatched again, free of charge. */
  #takeBack(claimed: readonly Claim[]): void {
    for (const { attempt, claimer } of claimed) {
      const { runId, attemptId, epoch } = attempt;
      const { workerId } = claimer;
      const message = 'the claim was not confirmed';
      const event = {
        kind: 'attempt_lost',
        attemptId,
        epoch,
        beforeUserCode: true,
        message,
        workerId,
      } as const;
      const tell = () => {
        this.tell(runId, [{ event }]).catch((error: unknown) => {
          this.#options.log.warn({ err: error, run_id: runId }, 'a claim could not be taken back yet');
          // After a stop the worker takes it back when it registers.
          if (!this.#stopped) setTimeout(tell, retryDelayMaxMs);
        });
      };
      tell();
    }
  }

  #retry(item: WorkItem): void {
    item.tries += 1;
    if (item.tries <= triesMax) this.#pending.push(item);
    else if (item.tries > pausedTriesMax)
      item.reject(new Error(`another server was faster ${item.tries} times`));
    else setTimeout(() => this.#submit(item), retryDelayMs);
  }

  #wakeBy(atMs: number): void {
    const nowMs = this.#options.clock.nowMs();
    if (this.#stopped || atMs >= this.#wakeAtMs || atMs > nowMs + timerHorizonMs) return;
    if (this.#wakeTimer) clearTimeout(this.#wakeTimer);
    this.#wakeAtMs = atMs;
    this.#wakeTimer = setTimeout(() => this.#onWake(), Math.max(0, atMs - nowMs));
  }

  #onWake(): void {
    this.#wakeTimer = null;
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    const { due, nextAtMs } = this.#hot.wakes(this.#options.clock.nowMs());
    for (const runId of due) {
      // The wake loop comes by again.
      this.look(runId).catch((error: unknown) =>
        this.#options.log.warn({ err: error, run_id: runId }, 'cannot wake'),
      );
    }
    if (nextAtMs !== null) this.#wakeBy(nextAtMs);
  }
}
