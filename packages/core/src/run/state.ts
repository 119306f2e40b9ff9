/**
 * The state of a run, as facts. `advance` reads and returns it; the store keeps it in three parts: a small run
 * row, one row for each task run, and the frozen definitions. Nothing here is derived from anything else here.
 *
 *   task run:  blocked ──► queued ──► claimed ──► running ──► ended
 *                 │ ▲         ▲          │  ▲         │
 *                 │ │         └──────────┘  │         ▼
 *                 │ │      (released free)  └─── stopping ──► ended
 *                 ▼ └─ (a new attempt begins as waiting_for_retry ──► queued or ready)
 *               ready ──► queued, running_parts ──► ended
 *   (blocked and ready may end directly: skipped, excluded, cancelled, evaluated)
 *
 * `ready` is a step that the engine itself takes: evaluate a condition, expand a for-each, start a job's run.
 * `running_parts` is a for-each with its iterations, or a task whose work is another run.
 */
import type { Map as PersistentMap } from 'immutable';
import type { AttemptId, JobId, RunId } from '../ids.ts';
import type { WorkerLabels } from '../queue/worker-labels.ts';

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export const runIfValues = [
  'ALL_SUCCESS',
  'AT_LEAST_ONE_SUCCESS',
  'NONE_FAILED',
  'ALL_DONE',
  'AT_LEAST_ONE_FAILED',
  'ALL_FAILED',
] as const;
export type RunIf = (typeof runIfValues)[number];

/** One step of a job, reduced to what decides its course. What it executes stays in the settings document. */
export interface TaskDefinition {
  readonly key: string;
  readonly dependsOn: readonly Dependency[];
  readonly runIf: RunIf;
  readonly disabled: boolean;
  readonly work: TaskWork;
  /** A condition beside the work decides whether it runs at all. */
  readonly guarded: boolean;
  readonly retry: RetryPolicy;
  /** From claim to end, cluster start included; null means no limit. */
  readonly timeoutMs: number | null;
  /** A worker takes its attempts only if it has all of these. Left out: any may. */
  readonly workerLabels?: WorkerLabels;
}

export interface Dependency {
  readonly key: string;
  /** Of a condition task: the branch that this edge stands for; null where any end counts. */
  readonly outcome: boolean | null;
}

export type TaskWork =
  /** A worker executes it. */
  | { readonly kind: 'attempt' }
  /** Nothing but its condition. */
  | { readonly kind: 'condition' }
  | {
      readonly kind: 'for_each';
      /** Iterations under way at a time. */
      readonly concurrency: number;
      /** What each iteration is; depends on nothing and is no for-each itself. */
      readonly task: TaskDefinition;
    }
  /** Another job's run. */
  | { readonly kind: 'run_job' };

export interface RetryPolicy {
  /** Attempts after the first; -1 means for ever. */
  readonly retriesMax: number;
  /** From the start of the failed attempt to the earliest start of the next. */
  readonly intervalMinMs: number;
  /** With a maximum, the interval doubles from the minimum up to it; null keeps it constant. */
  readonly intervalMaxMs: number | null;
  readonly onTimeout: boolean;
}

/** What a generation runs: frozen when the run, or the repair, was made. */
export interface RunDefinition {
  readonly tasks: readonly TaskDefinition[];
  readonly timeoutMs: number | null;
}

export const endedResults = [
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
  'upstream_failed',
  'upstream_cancelled',
  'excluded',
  'disabled',
  'internal_error',
] as const;
export type EndedResult = (typeof endedResults)[number];

/** Why a task or a run ended other than well; the wire's termination details are made from it. */
export const failureCodes = [
  'RUN_EXECUTION_ERROR',
  'CLUSTER_ERROR',
  'DRIVER_ERROR',
  'LIBRARY_INSTALLATION_ERROR',
  'RESOURCE_NOT_FOUND',
  'INTERNAL_ERROR',
] as const;
export type FailureCode = (typeof failureCodes)[number];

export interface Failure {
  readonly code: FailureCode;
  /** One sentence for people; its last line is the user's own exception where there is one. */
  readonly message: string;
  /** The user's traceback, without our frames. */
  readonly trace: string | null;
}

export type TaskRunState =
  | { readonly kind: 'blocked' }
  | { readonly kind: 'waiting_for_retry'; readonly dueAtMs: number }
  | { readonly kind: 'ready'; readonly readyAtMs: number }
  | { readonly kind: 'queued'; readonly queuedAtMs: number }
  | { readonly kind: 'claimed'; readonly workerId: string; readonly claimedAtMs: number }
  | {
      readonly kind: 'running';
      readonly workerId: string;
      readonly claimedAtMs: number;
      readonly startedAtMs: number;
    }
  | {
      readonly kind: 'stopping';
      readonly workerId: string;
      readonly reason: StopReason;
      readonly claimedAtMs: number;
      readonly startedAtMs: number | null;
      readonly stoppingAtMs: number;
    }
  | {
      readonly kind: 'running_parts';
      readonly startedAtMs: number;
      /** Nothing further is begun; it ends when its parts have. */
      readonly stop: { readonly reason: StopReason; readonly stoppingAtMs: number } | null;
    }
  | {
      readonly kind: 'ended';
      readonly result: EndedResult;
      readonly failure: Failure | null;
      readonly claimedAtMs: number | null;
      readonly startedAtMs: number | null;
      readonly endedAtMs: number;
    };

export const stopReasons = [
  'cancelled_by_user',
  'cancelled_by_system',
  'timed_out',
  'run_timed_out',
] as const;
export type StopReason = (typeof stopReasons)[number];

/** What a condition was when it was evaluated: references resolved. */
export interface ConditionEvaluation {
  readonly left: string;
  readonly right: string;
  readonly outcome: boolean;
}

/** One attempt of one task, or of one iteration of a for-each, in one generation. */
export interface TaskRun {
  readonly attemptId: AttemptId;
  readonly taskKey: string;
  /** Position among the inputs of a for-each, from 0; null for a task of the job itself. */
  readonly iteration: number | null;
  /** Index of the generation that this attempt belongs to. */
  readonly generation: number;
  /** 0 for the first attempt of its generation. */
  readonly attempt: number;
  /** Attempts of this task or iteration that began before this one, repairs included. */
  readonly earlierAttempts: number;
  /** Fencing: grows with every claim and re-attachment; a write that names an older one changes nothing. */
  readonly epoch: number;
  /** How often it was handed out and never reached user code. */
  readonly freeDispatches: number;
  /** Of a condition or a guarded task, once evaluated. */
  readonly condition: ConditionEvaluation | null;
  /** Of an iteration: the attempt of the for-each that made it. */
  readonly parentAttemptId: AttemptId | null;
  /** Of an iteration: what `{{input}}` stands for. */
  readonly input: JsonValue;
  /** Of a for-each, once expanded. */
  readonly inputs: readonly JsonValue[] | null;
  /** Of a for-each: iterations whose success in an earlier generation still counts. */
  readonly reusedIterations: readonly number[];
  /** Of a task whose work is another run: that run, once it exists. */
  readonly childRunId: RunId | null;
  readonly state: TaskRunState;
}

/** Where a task run stands in its run: the task's key, or that of the nested task with the iteration. */
export function slotOf(taskKey: string, iteration: number | null): string {
  // No task key holds a '#'.
  return iteration === null ? taskKey : `${taskKey}#${iteration}`;
}

export type RunPhase =
  | { readonly kind: 'queued' }
  | { readonly kind: 'running'; readonly startedAtMs: number }
  | {
      readonly kind: 'terminating';
      readonly startedAtMs: number | null;
      readonly reason: StopReason;
      readonly sinceMs: number;
    }
  | {
      readonly kind: 'ended';
      readonly startedAtMs: number | null;
      readonly endedAtMs: number;
      readonly result: RunResult;
      /** Of a failed run: the task whose failure is told first, and what it said. */
      readonly cause: { readonly taskKey: string; readonly failure: Failure } | null;
    };

export const runResults = [
  'succeeded',
  'succeeded_with_failures',
  'failed',
  'timed_out',
  'cancelled',
  /** Ended by the system: the parent run ended, or a restart of a continuous job. */
  'cancelled_by_system',
  'skipped_no_place',
  /** Ended because a repair took over while tasks were live: they go on in the next generation. */
  'continued',
] as const;
export type RunResult = (typeof runResults)[number];

/** The original execution of a run, or one repair of it. An ended generation never changes. */
export interface Generation {
  readonly index: number;
  readonly createdAtMs: number;
  /** null for the original. */
  readonly repair: RepairFacts | null;
  readonly phase: RunPhase;
  readonly definition: RunDefinition;
}

export interface RepairFacts {
  readonly repairId: number;
  /** Successful iterations of a for-each that runs again are kept where their input is the same. */
  readonly reusesIterations: boolean;
}

export interface Run {
  readonly runId: RunId;
  readonly jobId: JobId | null;
  /** Grows by one with each saved change; the fence of the store. */
  readonly version: number;
  readonly createdAtMs: number;
  /** Never empty; the last one is current. */
  readonly generations: readonly Generation[];
  /** The latest attempt of each task and iteration, by slot. Earlier ones have ended and are read from the store. */
  readonly taskRuns: PersistentMap<string, TaskRun>;
  /** Task values by slot, then name. */
  readonly taskValues: PersistentMap<string, Readonly<Record<string, JsonValue>>>;
}
