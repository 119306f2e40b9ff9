/** Between the rows of the store and the run that `core` works on. No SQL here, and no rules. */
import type {
  ConditionEvaluation,
  EndedResult,
  Failure,
  Generation,
  JsonValue,
  Run,
  RunDefinition,
  RunPhase,
  RunResult,
  StopReason,
  TaskRun,
  TaskRunState,
} from '@headrace/core';
import { assembleRun, slotOf, toAttemptId, toJobId, toRunId } from '@headrace/core';
import { assert } from '../assert.ts';
import type { Document, RunFacts, RunParameters, RunParent, RunTrigger, RunType } from './run-facts.ts';

export interface RunCause {
  readonly taskKey: string;
  readonly failure: Failure;
  /** Others ended without having run because of it. */
  readonly skippedDownstream: boolean;
}

export interface PhaseRow {
  readonly phase: RunPhase['kind'];
  readonly started_at_ms: number | null;
  readonly stop_reason: StopReason | null;
  readonly stopping_at_ms: number | null;
  readonly ended_at_ms: number | null;
  readonly result: RunResult | null;
  readonly cause: RunCause | null;
}

export interface RunRow extends PhaseRow {
  readonly run_id: number;
  readonly job_id: number | null;
  readonly version: number;
  readonly run_type: RunType;
  readonly run_name: string;
  readonly trigger: RunTrigger;
  readonly owner_id: number;
  readonly creator_user_name: string;
  readonly idempotency_token: string | null;
  readonly number_in_job: number;
  readonly created_at_ms: number;
  readonly parent_attempt_id: number | null;
  readonly parent_run_id: number | null;
  readonly generation: number;
  readonly wake_at_ms: number | null;
}

export interface GenerationRow {
  readonly run_id: number;
  readonly generation: number;
  readonly created_at_ms: number;
  readonly definition: RunDefinition;
  readonly settings: Document;
  readonly parameters: RunParameters;
  /** null for the original. */
  readonly repair_id: number | null;
  readonly reuses_iterations: boolean;
  /** How it ended; null while it is the run's current one. */
  readonly phase: RunPhase | null;
}

export interface TaskRunRow {
  readonly run_id: number;
  readonly task_key: string;
  readonly iteration: number;
  readonly generation: number;
  readonly attempt: number;
  readonly attempt_id: number;
  readonly epoch: number;
  readonly state: TaskRunState['kind'];
  readonly due_at_ms: number | null;
  readonly queued_at_ms: number | null;
  readonly claimed_at_ms: number | null;
  readonly started_at_ms: number | null;
  readonly stopping_at_ms: number | null;
  readonly ended_at_ms: number | null;
  readonly worker_id: string | null;
  readonly stop_reason: StopReason | null;
  readonly result: EndedResult | null;
  readonly failure: Failure | null;
  readonly free_dispatches: number;
  readonly earlier_attempts: number;
  readonly parent_attempt_id: number | null;
  readonly input: JsonValue;
  readonly inputs: readonly JsonValue[] | null;
  readonly reused_iterations: readonly number[] | null;
  readonly condition: ConditionEvaluation | null;
  readonly child_run_id: number | null;
}

/** Values of one task, or of one iteration: `task_key` holds its slot. */
export interface TaskValueRow {
  readonly run_id: number;
  readonly task_key: string;
  readonly name: string;
  readonly value: JsonValue;
}

/** The latest attempt of each task is what `core` sees; earlier ones have ended. */
export function toRun(
  row: RunRow,
  parts: {
    readonly generations: readonly GenerationRow[];
    readonly taskRuns: readonly TaskRunRow[];
    readonly taskValues: readonly TaskValueRow[];
  },
): Run {
  const latest = new Map<string, TaskRun>();
  for (const taskRunRow of parts.taskRuns) {
    const taskRun = toTaskRun(taskRunRow);
    const slot = slotOf(taskRun.taskKey, taskRun.iteration);
    const known = latest.get(slot);
    if (!known || isLater(taskRun, known)) latest.set(slot, taskRun);
  }
  const taskValues = new Map<string, Record<string, JsonValue>>();
  for (const { task_key: slot, name, value } of parts.taskValues) {
    taskValues.set(slot, { ...taskValues.get(slot), [name]: value });
  }
  return assembleRun({
    runId: toRunId(row.run_id),
    jobId: row.job_id === null ? null : toJobId(row.job_id),
    version: row.version,
    createdAtMs: row.created_at_ms,
    generations: [...parts.generations]
      .sort((a, b) => a.generation - b.generation)
      .map((generation) => toGeneration(generation, row)),
    taskRuns: [...latest.values()],
    taskValues,
  });
}

export function toRunFacts(row: RunRow, generation: GenerationRow): RunFacts {
  return {
    runId: toRunId(row.run_id),
    jobId: row.job_id === null ? null : toJobId(row.job_id),
    runType: row.run_type,
    runName: row.run_name,
    trigger: row.trigger,
    ownerId: row.owner_id,
    creatorUserName: row.creator_user_name,
    idempotencyToken: row.idempotency_token,
    numberInJob: row.number_in_job,
    parent: toParent(row),
    settings: generation.settings,
    parameters: generation.parameters,
  };
}

function toParent({ parent_run_id, parent_attempt_id }: RunRow): RunParent | null {
  if (parent_run_id === null || parent_attempt_id === null) return null;
  return { runId: toRunId(parent_run_id), attemptId: toAttemptId(parent_attempt_id) };
}

export function toPhase(row: PhaseRow): RunPhase {
  switch (row.phase) {
    case 'queued':
      return { kind: 'queued' };
    case 'running':
      return { kind: 'running', startedAtMs: stored(row.started_at_ms, 'started_at_ms') };
    case 'terminating':
      return {
        kind: 'terminating',
        startedAtMs: row.started_at_ms,
        reason: stored(row.stop_reason, 'stop_reason'),
        sinceMs: stored(row.stopping_at_ms, 'stopping_at_ms'),
      };
    case 'ended':
      return {
        kind: 'ended',
        startedAtMs: row.started_at_ms,
        endedAtMs: stored(row.ended_at_ms, 'ended_at_ms'),
        result: stored(row.result, 'result'),
        cause: row.cause && { taskKey: row.cause.taskKey, failure: row.cause.failure },
      };
  }
}

export function fromPhase(phase: RunPhase, skippedDownstream: boolean): PhaseRow {
  const ended = phase.kind === 'ended' ? phase : null;
  const terminating = phase.kind === 'terminating' ? phase : null;
  return {
    phase: phase.kind,
    started_at_ms: phase.kind === 'queued' ? null : phase.startedAtMs,
    stop_reason: terminating?.reason ?? null,
    stopping_at_ms: terminating?.sinceMs ?? null,
    ended_at_ms: ended?.endedAtMs ?? null,
    result: ended?.result ?? null,
    cause: ended?.cause ? { ...ended.cause, skippedDownstream } : null,
  };
}

export function fromTaskRun(runId: number, taskRun: TaskRun): TaskRunRow {
  return {
    run_id: runId,
    task_key: taskRun.taskKey,
    iteration: taskRun.iteration ?? 0,
    generation: taskRun.generation,
    attempt: taskRun.attempt,
    attempt_id: taskRun.attemptId,
    epoch: taskRun.epoch,
    free_dispatches: taskRun.freeDispatches,
    earlier_attempts: taskRun.earlierAttempts,
    parent_attempt_id: taskRun.parentAttemptId,
    input: taskRun.input,
    inputs: taskRun.inputs,
    reused_iterations: taskRun.reusedIterations.length === 0 ? null : taskRun.reusedIterations,
    condition: taskRun.condition,
    child_run_id: taskRun.childRunId,
    ...fromTaskRunState(taskRun.state),
  };
}

type StateColumns = Pick<
  TaskRunRow,
  | 'state'
  | 'due_at_ms'
  | 'queued_at_ms'
  | 'claimed_at_ms'
  | 'started_at_ms'
  | 'stopping_at_ms'
  | 'ended_at_ms'
  | 'worker_id'
  | 'stop_reason'
  | 'result'
  | 'failure'
>;

function fromTaskRunState(state: TaskRunState): StateColumns {
  return {
    state: state.kind,
    due_at_ms: state.kind === 'waiting_for_retry' ? state.dueAtMs : null,
    queued_at_ms:
      state.kind === 'queued' ? state.queuedAtMs : state.kind === 'ready' ? state.readyAtMs : null,
    claimed_at_ms: 'claimedAtMs' in state ? state.claimedAtMs : null,
    started_at_ms: 'startedAtMs' in state ? state.startedAtMs : null,
    ended_at_ms: state.kind === 'ended' ? state.endedAtMs : null,
    worker_id: 'workerId' in state ? state.workerId : null,
    ...stopColumns(state),
    result: state.kind === 'ended' ? state.result : null,
    failure: state.kind === 'ended' ? state.failure : null,
  };
}

function stopColumns(state: TaskRunState): Pick<StateColumns, 'stop_reason' | 'stopping_at_ms'> {
  const stop = state.kind === 'stopping' ? state : state.kind === 'running_parts' ? state.stop : null;
  return { stop_reason: stop?.reason ?? null, stopping_at_ms: stop?.stoppingAtMs ?? null };
}

export function toTaskRun(row: TaskRunRow): TaskRun {
  return {
    attemptId: toAttemptId(row.attempt_id),
    taskKey: row.task_key,
    iteration: row.parent_attempt_id === null ? null : row.iteration,
    generation: row.generation,
    attempt: row.attempt,
    epoch: row.epoch,
    freeDispatches: row.free_dispatches,
    earlierAttempts: row.earlier_attempts,
    parentAttemptId: row.parent_attempt_id === null ? null : toAttemptId(row.parent_attempt_id),
    input: row.input,
    condition: row.condition,
    inputs: row.inputs,
    reusedIterations: row.reused_iterations ?? [],
    childRunId: row.child_run_id === null ? null : toRunId(row.child_run_id),
    state: toTaskRunState(row),
  };
}

function toTaskRunState(row: TaskRunRow): TaskRunState {
  switch (row.state) {
    case 'blocked':
      return { kind: 'blocked' };
    case 'waiting_for_retry':
      return { kind: 'waiting_for_retry', dueAtMs: stored(row.due_at_ms, 'due_at_ms') };
    case 'queued':
      return { kind: 'queued', queuedAtMs: stored(row.queued_at_ms, 'queued_at_ms') };
    case 'ready':
      return { kind: 'ready', readyAtMs: stored(row.queued_at_ms, 'queued_at_ms') };
    case 'running_parts':
      return {
        kind: 'running_parts',
        startedAtMs: stored(row.started_at_ms, 'started_at_ms'),
        stop:
          row.stop_reason === null
            ? null
            : { reason: row.stop_reason, stoppingAtMs: stored(row.stopping_at_ms, 'stopping_at_ms') },
      };
    case 'claimed':
      return { kind: 'claimed', ...holder(row) };
    case 'running':
      return { kind: 'running', ...holder(row), startedAtMs: stored(row.started_at_ms, 'started_at_ms') };
    case 'stopping':
      return {
        kind: 'stopping',
        ...holder(row),
        reason: stored(row.stop_reason, 'stop_reason'),
        startedAtMs: row.started_at_ms,
        stoppingAtMs: stored(row.stopping_at_ms, 'stopping_at_ms'),
      };
    case 'ended':
      return {
        kind: 'ended',
        result: stored(row.result, 'result'),
        failure: row.failure,
        claimedAtMs: row.claimed_at_ms,
        startedAtMs: row.started_at_ms,
        endedAtMs: stored(row.ended_at_ms, 'ended_at_ms'),
      };
  }
}

function toGeneration(generation: GenerationRow, row: RunRow): Generation {
  const isCurrent = generation.generation === row.generation;
  return {
    index: generation.generation,
    createdAtMs: generation.created_at_ms,
    repair:
      generation.repair_id === null
        ? null
        : { repairId: generation.repair_id, reusesIterations: generation.reuses_iterations },
    phase: isCurrent ? toPhase(row) : stored(generation.phase, 'phase'),
    definition: generation.definition,
  };
}

function holder(row: TaskRunRow): { workerId: string; claimedAtMs: number } {
  return {
    workerId: stored(row.worker_id, 'worker_id'),
    claimedAtMs: stored(row.claimed_at_ms, 'claimed_at_ms'),
  };
}

function isLater(one: TaskRun, other: TaskRun): boolean {
  return one.generation !== other.generation
    ? one.generation > other.generation
    : one.attempt > other.attempt;
}

/** A state that is stored has the columns that it needs. */
function stored<T>(value: T | null, column: string): T {
  assert(value !== null, `${column} is null in a state that needs it`);
  return value;
}
