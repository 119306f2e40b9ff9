/**
 * Our states in the two descriptions that the wire knows: the older `state` and the newer `status`. Both go out with
 * every answer, since old clients read only the first. The table is in the project's decisions ("States").
 */
import type {
  LifeCycleState,
  ResultState,
  RunState,
  RunStatus,
  StatusState,
  TerminationCode,
} from '@headrace/api';
import {
  assertNever,
  type EndedResult,
  type Failure,
  type FailureCode,
  type RunPhase,
  type StopReason,
  type TaskRunState,
} from '@headrace/core';
import type { RunCause } from './run-rows.ts';

export interface WireState {
  readonly state: RunState;
  readonly status: RunStatus;
}

type TerminationType = 'SUCCESS' | 'CLIENT_ERROR' | 'CLOUD_FAILURE' | 'INTERNAL_ERROR';

interface Termination {
  readonly lifeCycle: Extract<LifeCycleState, 'TERMINATED' | 'SKIPPED' | 'INTERNAL_ERROR'>;
  readonly result: ResultState;
  readonly code: TerminationCode;
  readonly type: TerminationType;
  readonly message: string;
  /** The newer form may say more. */
  readonly statusMessage?: string;
  readonly isStopped?: boolean;
}

/** A run without a place is skipped when it is made, or after it has waited as long as a run may. */
export function hasGivenUp(generation: {
  readonly generation: number;
  readonly created_at_ms: number;
  readonly ended_at_ms: number | null;
}): boolean {
  // A repair that has no place is refused when it is asked for.
  return generation.generation > 0 || (generation.ended_at_ms ?? 0) > generation.created_at_ms;
}

/** @param skipped only of a run that was skipped: whether it had waited in the queue. */
export function toRunWireState(
  phase: RunPhase,
  cause: RunCause | null,
  skipped: { readonly hasGivenUp: boolean } = { hasGivenUp: false },
): WireState {
  switch (phase.kind) {
    case 'queued': {
      const message = 'Queued: the job has as many runs as max_concurrent_runs allows.';
      return {
        state: { life_cycle_state: 'QUEUED', state_message: message, queue_reason: message },
        status: { state: 'QUEUED', queue_details: { code: 'MAX_CONCURRENT_RUNS_REACHED', message } },
      };
    }
    case 'running':
      return live('RUNNING', 'RUNNING', 'In run');
    case 'terminating':
      return live('TERMINATING', 'TERMINATING', stopMessages[phase.reason]);
    case 'ended':
      return ended(runTermination(phase, cause, skipped));
    default:
      return assertNever(phase);
  }
}

/** @param runReason why the run as a whole was stopped, if it was. */
export function toTaskWireState(state: TaskRunState, runReason: StopReason | null): WireState {
  switch (state.kind) {
    case 'blocked':
      return live('BLOCKED', 'BLOCKED', 'Waiting for the tasks that this one depends on.');
    case 'waiting_for_retry':
      return live('WAITING_FOR_RETRY', 'WAITING', 'The last attempt failed; another one follows.');
    case 'ready':
      return live('PENDING', 'PENDING', 'Waiting for the run that this task starts.');
    case 'queued':
      return live('PENDING', 'PENDING', 'Waiting for a worker that can take it.');
    case 'claimed':
      return live('PENDING', 'PENDING', 'Waiting for the cluster.');
    case 'running':
      return live('RUNNING', 'RUNNING', 'In run');
    case 'running_parts':
      return state.stop === null
        ? live('RUNNING', 'RUNNING', 'In run')
        : live('TERMINATING', 'TERMINATING', stopMessages[state.stop.reason]);
    case 'stopping':
      return live('TERMINATING', 'TERMINATING', stopMessages[state.reason]);
    case 'ended':
      return ended(taskTermination(state.result, state.failure, runReason));
    default:
      return assertNever(state);
  }
}

const stopMessages = {
  cancelled_by_user: 'Cancelled by a user; stopping.',
  cancelled_by_system: 'Cancelled by the system; stopping.',
  timed_out: 'The task ran longer than its timeout_seconds; stopping.',
  run_timed_out: 'The job ran longer than its timeout_seconds; stopping.',
} satisfies Record<StopReason, string>;

const workloadFailed = 'Workload failed, see run output for details.';

const skippedMessages = {
  noPlace: 'Skipped: the job had as many runs as max_concurrent_runs allows, and queueing is off.',
  gaveUp: 'Skipped: it waited in the queue for 48 hours, and the job had no place for it.',
};

function runTermination(
  phase: Extract<RunPhase, { kind: 'ended' }>,
  cause: RunCause | null,
  skipped: { readonly hasGivenUp: boolean },
): Termination {
  switch (phase.result) {
    case 'succeeded':
      return terminated('SUCCESS', 'SUCCESS', 'SUCCESS', '');
    case 'succeeded_with_failures':
      return terminated('SUCCESS_WITH_FAILURES', 'SUCCESS_WITH_FAILURES', 'SUCCESS', 'Some tasks failed.');
    case 'failed':
      return failedRun(cause);
    case 'timed_out': {
      const message = cause?.failure.message ?? 'The job ran longer than its timeout_seconds.';
      return { ...terminated('TIMEDOUT', 'RUN_EXECUTION_ERROR', 'CLIENT_ERROR', message), isStopped: true };
    }
    case 'cancelled':
      return { ...terminated('CANCELED', 'USER_CANCELED', 'SUCCESS', 'Run cancelled.'), isStopped: true };
    case 'cancelled_by_system':
      return {
        ...terminated('CANCELED', 'CANCELED', 'SUCCESS', 'Run cancelled by the system.'),
        isStopped: true,
      };
    case 'skipped_no_place':
      return {
        lifeCycle: 'SKIPPED',
        result: 'MAXIMUM_CONCURRENT_RUNS_REACHED',
        code: 'MAX_CONCURRENT_RUNS_EXCEEDED',
        type: 'CLIENT_ERROR',
        message: skipped.hasGivenUp ? skippedMessages.gaveUp : skippedMessages.noPlace,
      };
    case 'continued': {
      const message = 'Repaired while it was active: what was under way went on in the repair.';
      return terminated('SUCCESS_WITH_FAILURES', 'SUCCESS_WITH_FAILURES', 'SUCCESS', message);
    }
    default:
      return assertNever(phase.result);
  }
}

/** A failed job run ends as INTERNAL_ERROR: that is what a client's waiter raises on. */
function failedRun(cause: RunCause | null): Termination {
  const ofUserCode = cause?.failure.code === 'RUN_EXECUTION_ERROR';
  const said = ofUserCode ? workloadFailed : (cause?.failure.message ?? workloadFailed);
  const skipped = cause?.skippedDownstream ? 'This caused all downstream tasks to get skipped.' : '';
  const message = cause
    ? `Task ${cause.taskKey} failed with message: ${joinSentences(said, skipped)}`
    : 'A task failed.';
  const lastLine = ofUserCode ? lastLineOf(cause.failure.message) : '';
  return {
    lifeCycle: 'INTERNAL_ERROR',
    result: 'FAILED',
    code: 'RUN_EXECUTION_ERROR',
    type: 'CLIENT_ERROR',
    message,
    statusMessage: lastLine === '' ? message : `${message} ${lastLine}`,
  };
}

/** What was said may have no stop of its own. */
function joinSentences(first: string, second: string): string {
  if (second === '') return first;
  return `${first}${/[.!?:]$/.test(first.trimEnd()) ? '' : '.'} ${second}`;
}

function taskTermination(
  result: EndedResult,
  failure: Failure | null,
  runReason: StopReason | null,
): Termination {
  const message = failure?.message ?? '';
  switch (result) {
    case 'succeeded':
      return terminated('SUCCESS', 'SUCCESS', 'SUCCESS', '');
    case 'failed':
      return terminated('FAILED', 'RUN_EXECUTION_ERROR', 'CLIENT_ERROR', message || workloadFailed);
    case 'internal_error': {
      const code = failure?.code ?? 'INTERNAL_ERROR';
      return { lifeCycle: 'INTERNAL_ERROR', result: 'FAILED', code, type: typeOfFailure[code], message };
    }
    case 'timed_out':
      return { ...terminated('TIMEDOUT', 'RUN_EXECUTION_ERROR', 'CLIENT_ERROR', message), isStopped: true };
    case 'cancelled': {
      const bySystem = runReason === 'cancelled_by_system' || runReason === 'run_timed_out';
      const code = bySystem ? 'CANCELED' : 'USER_CANCELED';
      return { ...terminated('CANCELED', code, 'SUCCESS', 'Run cancelled.'), isStopped: true };
    }
    case 'upstream_failed':
      return terminated('UPSTREAM_FAILED', 'RUN_EXECUTION_ERROR', 'CLIENT_ERROR', 'An upstream task failed.');
    case 'upstream_cancelled':
      return terminated('UPSTREAM_CANCELED', 'CANCELED', 'SUCCESS', 'An upstream task was cancelled.');
    case 'excluded':
      return terminated(
        'EXCLUDED',
        'SUCCESS',
        'SUCCESS',
        'Not run: its condition or its run_if was not met.',
      );
    case 'disabled':
      return terminated(
        'DISABLED',
        'DISABLED',
        'SUCCESS',
        'Not run: the task, or one that it depends on, is disabled.',
      );
    default:
      return assertNever(result);
  }
}

const typeOfFailure = {
  RUN_EXECUTION_ERROR: 'CLIENT_ERROR',
  CLUSTER_ERROR: 'CLOUD_FAILURE',
  DRIVER_ERROR: 'INTERNAL_ERROR',
  LIBRARY_INSTALLATION_ERROR: 'CLIENT_ERROR',
  RESOURCE_NOT_FOUND: 'CLIENT_ERROR',
  INTERNAL_ERROR: 'INTERNAL_ERROR',
} satisfies Record<FailureCode, TerminationType>;

function terminated(
  result: ResultState,
  code: TerminationCode,
  type: TerminationType,
  message: string,
): Termination {
  return { lifeCycle: 'TERMINATED', result, code, type, message };
}

function ended(termination: Termination): WireState {
  const { lifeCycle, result, code, type, message } = termination;
  return {
    state: {
      life_cycle_state: lifeCycle,
      result_state: result,
      state_message: message,
      user_cancelled_or_timedout: termination.isStopped ?? false,
    },
    status: {
      state: 'TERMINATED',
      termination_details: { code, type, message: termination.statusMessage ?? message },
    },
  };
}

function live(lifeCycle: LifeCycleState, state: StatusState, message: string): WireState {
  return {
    state: { life_cycle_state: lifeCycle, state_message: message, user_cancelled_or_timedout: false },
    status: { state },
  };
}

function lastLineOf(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
}
