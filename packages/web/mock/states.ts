/** States as the server words them, in both forms that the wire knows. */
import type { ResultState, RunState, RunStatus, RunTaskDocument, TerminationCode } from '@headrace/api';

export interface WireState {
  readonly state: RunState;
  readonly status: RunStatus;
}

export const blocked = live('BLOCKED', 'Waiting for the tasks that this one depends on.');
export const queued = live('QUEUED', 'Queued: the job has as many runs as max_concurrent_runs allows.');
export const running = live('RUNNING', 'In run');
export const stopping = live('TERMINATING', 'Cancelled by a user; stopping.');
export const succeeded = ended('SUCCESS', 'SUCCESS', '');
export const cancelled = ended('CANCELED', 'USER_CANCELED', 'Run cancelled.');
export const upstreamFailed = ended(
  'UPSTREAM_FAILED',
  'RUN_EXECUTION_ERROR',
  'An upstream task failed.',
  'SKIPPED',
);
export const excluded = ended('EXCLUDED', 'SUCCESS', 'Its run_if condition does not hold.', 'SKIPPED');

export function failed(message: string, life: 'TERMINATED' | 'INTERNAL_ERROR' = 'TERMINATED'): WireState {
  return ended('FAILED', 'RUN_EXECUTION_ERROR', message, life);
}

export function hasEnded(task: Pick<RunTaskDocument, 'status'>): boolean {
  return task.status.state === 'TERMINATED';
}

function live(state: 'QUEUED' | 'BLOCKED' | 'RUNNING' | 'TERMINATING', message: string): WireState {
  return { state: { life_cycle_state: state, state_message: message }, status: { state } };
}

function ended(
  result: ResultState,
  code: TerminationCode,
  message: string,
  life: 'TERMINATED' | 'SKIPPED' | 'INTERNAL_ERROR' = 'TERMINATED',
): WireState {
  const type = code === 'RUN_EXECUTION_ERROR' ? 'CLIENT_ERROR' : 'SUCCESS';
  return {
    state: { life_cycle_state: life, result_state: result, state_message: message },
    status: { state: 'TERMINATED', termination_details: { code, type, message } },
  };
}
