/**
 * The database, as far as the promise depends on it: rows, fences, unique keys, leases on its own clock. Each method
 * is one statement and so one transaction. What it refuses is what the server's `save-store.ts` refuses, and why.
 */
import type { AttemptId, JobId, RunId } from '../ids.ts';
import type { Command } from '../run/commands.ts';
import type { TaskRunChange } from '../run/draft.ts';
import type { RunEvent } from '../run/events.ts';
import { type Run, slotOf, type TaskRun } from '../run/state.ts';
import { wakeAtMs } from '../run/wake.ts';
import type { Kernel } from './kernel.ts';
import type { Ledger } from './ledger.ts';
import type { SimulatedJob } from './scenario.ts';

export interface RunFacts {
  readonly token: string | null;
  /** Of a run that another run's task started; unique. */
  readonly parent: { readonly runId: RunId; readonly attemptId: AttemptId } | null;
}

export interface StoredRun {
  run: Run;
  readonly facts: RunFacts;
  wakeAtMs: number | null;
}

export interface RunSave {
  readonly run: Run;
  readonly facts: RunFacts;
  /** null: a new run. */
  readonly expectedVersion: number | null;
  readonly takesPlace: boolean;
  readonly changes: ReadonlyMap<AttemptId, TaskRunChange>;
  readonly commands: readonly Command[];
  readonly inboxIds: readonly number[];
}

export interface PlacesSave {
  readonly jobId: JobId;
  readonly expectedAdmissions: number;
  readonly taken: number;
}

export interface Places {
  readonly jobId: JobId;
  readonly runsMax: number;
  readonly queueEnabled: boolean;
  readonly admissions: number;
  readonly active: number;
  readonly queued: number;
}

export interface HeldRow {
  readonly runId: RunId;
  readonly taskRun: TaskRun;
}

interface WorkerRow {
  readonly isLocal: boolean;
  leaseExpiresAtMs: number;
}

export const leaseMs = 60_000;

export class Store {
  readonly runs = new Map<RunId, StoredRun>();
  /** Every attempt ever made. */
  readonly rows = new Map<AttemptId, HeldRow>();
  readonly workers = new Map<string, WorkerRow>();
  readonly inbox = new Map<number, { readonly runId: RunId; readonly event: RunEvent }>();
  readonly jobs = new Map<JobId, SimulatedJob>();
  readonly #admissions = new Map<JobId, number>();
  readonly #byToken = new Map<string, RunId>();
  readonly #byParent = new Map<AttemptId, RunId>();
  readonly #kernel: Kernel;
  readonly #ledger: Ledger;
  readonly #trace: ((line: string) => void) | null;
  #nextId = 1_000;

  constructor(options: {
    kernel: Kernel;
    ledger: Ledger;
    jobs: readonly SimulatedJob[];
    trace: ((line: string) => void) | null;
  }) {
    this.#kernel = options.kernel;
    this.#ledger = options.ledger;
    this.#trace = options.trace;
    for (const job of options.jobs) this.jobs.set(job.jobId, job);
  }

  newId(): number {
    this.#nextId += 1;
    return this.#nextId;
  }

  job(jobId: JobId | null): SimulatedJob {
    const job = jobId === null ? undefined : this.jobs.get(jobId);
    if (!job) throw new Error(`bug: no job ${jobId}`);
    return job;
  }

  /** Fresh objects: what a process derived from its own copy is not found again in a loaded one. */
  load(runId: RunId): { run: Run; facts: RunFacts; inbox: readonly [number, RunEvent][] } | null {
    const stored = this.runs.get(runId);
    if (!stored) return null;
    const inbox: [number, RunEvent][] = [];
    for (const [id, news] of this.inbox) if (news.runId === runId) inbox.push([id, news.event]);
    return { run: { ...stored.run }, facts: stored.facts, inbox };
  }

  readPlaces(jobId: JobId): Places {
    const { runsMax, queueEnabled } = this.job(jobId);
    const admissions = this.#admissions.get(jobId) ?? 0;
    let queued = 0;
    for (const { run } of this.runs.values()) {
      if (run.jobId === jobId && run.generations.at(-1)?.phase.kind === 'queued') queued += 1;
    }
    return { jobId, runsMax, queueEnabled, admissions, active: this.#activeRuns(jobId), queued };
  }

  /** One statement: of each run all or nothing. Returns the runs that stand as decided. */
  save(saves: readonly RunSave[], places: readonly PlacesSave[]): ReadonlySet<RunId> {
    const won = new Set<JobId>();
    for (const { jobId, expectedAdmissions, taken } of places) {
      if ((this.#admissions.get(jobId) ?? 0) !== expectedAdmissions) continue;
      this.#admissions.set(jobId, expectedAdmissions + taken);
      won.add(jobId);
    }
    const saved = new Set<RunId>();
    for (const save of saves) {
      const { run, takesPlace } = save;
      if (takesPlace && !(run.jobId !== null && won.has(run.jobId))) continue;
      if (this.#saveRun(save)) saved.add(run.runId);
    }
    return saved;
  }

  #saveRun(save: RunSave): boolean {
    const { run, facts, expectedVersion } = save;
    const stored = this.runs.get(run.runId);
    if (expectedVersion === null ? !this.#isNew(save) : stored?.run.version !== expectedVersion) return false;
    this.#ledger.beforeSave(stored?.run ?? null, save);
    if (stored) {
      stored.run = run;
      stored.wakeAtMs = wakeAtMs(run);
    } else {
      this.runs.set(run.runId, { run, facts, wakeAtMs: wakeAtMs(run) });
      if (facts.token !== null) this.#byToken.set(facts.token, run.runId);
      if (facts.parent !== null) this.#byParent.set(facts.parent.attemptId, run.runId);
    }
    for (const change of save.changes.values()) this.#saveRow(run.runId, change);
    for (const inboxId of save.inboxIds) this.inbox.delete(inboxId);
    this.#ledger.afterSave(save, this);
    return true;
  }

  #isNew({ run, facts }: RunSave): boolean {
    if (this.runs.has(run.runId)) return false;
    if (facts.token !== null && this.#byToken.has(facts.token)) return false;
    return facts.parent === null || !this.#byParent.has(facts.parent.attemptId);
  }

  /** The second fence: a row that has ended, or has another epoch than the writer saw, stays as it is. */
  #saveRow(runId: RunId, { before, after }: TaskRunChange): void {
    const stored = this.rows.get(after.attemptId)?.taskRun;
    if (
      before === null ? stored !== undefined : stored?.epoch !== before.epoch || stored.state.kind === 'ended'
    )
      return;
    this.rows.set(after.attemptId, { runId, taskRun: after });
    const { attemptId, taskKey, iteration, epoch, state } = after;
    this.#trace?.(
      `  run ${runId}: attempt ${attemptId} (${slotOf(taskKey, iteration)}) epoch ${epoch} is ${state.kind === 'ended' ? state.result : state.kind}`,
    );
  }

  #activeRuns(jobId: JobId): number {
    let active = 0;
    for (const { run } of this.runs.values()) {
      const kind = run.generations.at(-1)?.phase.kind;
      if (run.jobId === jobId && (kind === 'running' || kind === 'terminating')) active += 1;
    }
    return active;
  }

  findByToken(token: string): RunId | null {
    return this.#byToken.get(token) ?? null;
  }

  findByParent(attemptId: AttemptId): RunId | null {
    return this.#byParent.get(attemptId) ?? null;
  }

  insertInbox(runId: RunId, events: readonly RunEvent[]): void {
    for (const event of events) this.inbox.set(this.newId(), { runId, event });
  }

  findHeldBy(workerId: string): HeldRow[] {
    return [...this.rows.values()].filter(({ taskRun }) => holderOf(taskRun) === workerId);
  }

  upsertWorker(workerId: string, isLocal: boolean): void {
    this.workers.set(workerId, { isLocal, leaseExpiresAtMs: this.#kernel.nowMs + leaseMs });
  }

  renewLease(workerId: string): void {
    const worker = this.workers.get(workerId);
    if (worker) worker.leaseExpiresAtMs = this.#kernel.nowMs + leaseMs;
  }

  /** We, or the database, were away: workers could not renew, so silence says nothing yet. */
  extendLeases(): void {
    for (const worker of this.workers.values()) {
      worker.leaseExpiresAtMs = Math.max(worker.leaseExpiresAtMs, this.#kernel.nowMs + leaseMs);
    }
  }

  /** Attempts of remote workers whose lease has run out; those of local ones are never lost by time. */
  findLost(): HeldRow[] {
    return [...this.rows.values()].filter(({ taskRun }) => {
      const holder = holderOf(taskRun);
      const worker = holder === null ? undefined : this.workers.get(holder);
      return worker !== undefined && !worker.isLocal && worker.leaseExpiresAtMs < this.#kernel.nowMs;
    });
  }
}

/** Who holds a live attempt. */
export function holderOf({ state }: TaskRun): string | null {
  return 'workerId' in state ? state.workerId : null;
}

export function phaseOf(run: Run) {
  const generation = run.generations[run.generations.length - 1];
  if (!generation) throw new Error(`bug: run ${run.runId} has no generation`);
  return generation.phase;
}
