/** Every row of the table "States" of the project's decisions. */
import type { EndedResult, Failure, FailureCode, RunResult, StopReason } from '@headrace/core';
import { expect, test } from 'vitest';
import { hasGivenUp, toRunWireState, toTaskWireState } from './wire-states.ts';

function failureOf(code: FailureCode, message: string): Failure {
  return { code, message, trace: null };
}

const userFailure = failureOf('RUN_EXECUTION_ERROR', 'ValueError: no rows');

function endedTask(result: EndedResult, failure: Failure | null = null, runReason: StopReason | null = null) {
  return toTaskWireState(
    { kind: 'ended', result, failure, claimedAtMs: 1, startedAtMs: 2, endedAtMs: 3 },
    runReason,
  );
}

function endedRun(result: RunResult, cause: Parameters<typeof toRunWireState>[1] = null) {
  return toRunWireState({ kind: 'ended', startedAtMs: 1, endedAtMs: 2, result, cause }, cause);
}

const tasks: [string, ReturnType<typeof endedTask>, string[]][] = [
  ['success', endedTask('succeeded'), ['TERMINATED', 'SUCCESS', 'SUCCESS', 'SUCCESS']],
  [
    'user code failed',
    endedTask('failed', userFailure),
    ['TERMINATED', 'FAILED', 'RUN_EXECUTION_ERROR', 'CLIENT_ERROR'],
  ],
  [
    'timed out',
    endedTask('timed_out', failureOf('RUN_EXECUTION_ERROR', 'limit of 5 seconds')),
    ['TERMINATED', 'TIMEDOUT', 'RUN_EXECUTION_ERROR', 'CLIENT_ERROR'],
  ],
  [
    'cancelled by a person',
    endedTask('cancelled', null, 'cancelled_by_user'),
    ['TERMINATED', 'CANCELED', 'USER_CANCELED', 'SUCCESS'],
  ],
  [
    'cancelled by the system',
    endedTask('cancelled', null, 'cancelled_by_system'),
    ['TERMINATED', 'CANCELED', 'CANCELED', 'SUCCESS'],
  ],
  [
    'run_if not met after a failure',
    endedTask('upstream_failed'),
    ['TERMINATED', 'UPSTREAM_FAILED', 'RUN_EXECUTION_ERROR', 'CLIENT_ERROR'],
  ],
  [
    'a parent was cancelled',
    endedTask('upstream_cancelled'),
    ['TERMINATED', 'UPSTREAM_CANCELED', 'CANCELED', 'SUCCESS'],
  ],
  [
    'branch not taken, guard false, or all parents excluded',
    endedTask('excluded'),
    ['TERMINATED', 'EXCLUDED', 'SUCCESS', 'SUCCESS'],
  ],
  [
    'disabled, or not run because its parent is',
    endedTask('disabled'),
    ['TERMINATED', 'DISABLED', 'DISABLED', 'SUCCESS'],
  ],
  [
    'entry point missing',
    endedTask('failed', failureOf('RUN_EXECUTION_ERROR', 'The entry point main is missing in package p.')),
    ['TERMINATED', 'FAILED', 'RUN_EXECUTION_ERROR', 'CLIENT_ERROR'],
  ],
  [
    'sys.exit with another number than 0, a segmentation fault, or Python out of memory',
    endedTask('failed', failureOf('RUN_EXECUTION_ERROR', 'The process ended with code 3.')),
    ['TERMINATED', 'FAILED', 'RUN_EXECUTION_ERROR', 'CLIENT_ERROR'],
  ],
  [
    'cluster could not start',
    endedTask('internal_error', failureOf('CLUSTER_ERROR', 'no')),
    ['INTERNAL_ERROR', 'FAILED', 'CLUSTER_ERROR', 'CLOUD_FAILURE'],
  ],
  [
    'driver died',
    endedTask('internal_error', failureOf('DRIVER_ERROR', 'no')),
    ['INTERNAL_ERROR', 'FAILED', 'DRIVER_ERROR', 'INTERNAL_ERROR'],
  ],
  [
    'library could not be installed',
    endedTask('internal_error', failureOf('LIBRARY_INSTALLATION_ERROR', 'no')),
    ['INTERNAL_ERROR', 'FAILED', 'LIBRARY_INSTALLATION_ERROR', 'CLIENT_ERROR'],
  ],
  [
    'notebook or file missing',
    endedTask('internal_error', failureOf('RESOURCE_NOT_FOUND', 'no')),
    ['INTERNAL_ERROR', 'FAILED', 'RESOURCE_NOT_FOUND', 'CLIENT_ERROR'],
  ],
];

const cause = { taskKey: 'load', failure: userFailure, skippedDownstream: true };
const runs: [string, ReturnType<typeof endedRun>, string[]][] = [
  ['success', endedRun('succeeded'), ['TERMINATED', 'SUCCESS', 'SUCCESS', 'SUCCESS']],
  [
    'leaves succeeded although others failed',
    endedRun('succeeded_with_failures'),
    ['TERMINATED', 'SUCCESS_WITH_FAILURES', 'SUCCESS_WITH_FAILURES', 'SUCCESS'],
  ],
  [
    'a task failed',
    endedRun('failed', cause),
    ['INTERNAL_ERROR', 'FAILED', 'RUN_EXECUTION_ERROR', 'CLIENT_ERROR'],
  ],
  ['timed out', endedRun('timed_out'), ['TERMINATED', 'TIMEDOUT', 'RUN_EXECUTION_ERROR', 'CLIENT_ERROR']],
  ['cancelled by a person', endedRun('cancelled'), ['TERMINATED', 'CANCELED', 'USER_CANCELED', 'SUCCESS']],
  [
    'cancelled by the system',
    endedRun('cancelled_by_system'),
    ['TERMINATED', 'CANCELED', 'CANCELED', 'SUCCESS'],
  ],
  [
    'no place, no queue',
    endedRun('skipped_no_place'),
    ['SKIPPED', 'MAXIMUM_CONCURRENT_RUNS_REACHED', 'MAX_CONCURRENT_RUNS_EXCEEDED', 'CLIENT_ERROR'],
  ],
  [
    'gave up after 48 hours in the queue',
    toRunWireState(
      { kind: 'ended', startedAtMs: null, endedAtMs: 2, result: 'skipped_no_place', cause: null },
      null,
      { hasGivenUp: true },
    ),
    ['SKIPPED', 'MAXIMUM_CONCURRENT_RUNS_REACHED', 'MAX_CONCURRENT_RUNS_EXCEEDED', 'CLIENT_ERROR'],
  ],
];

test.each([
  ...tasks.map(([name, ...rest]) => [`task: ${name}`, ...rest] as const),
  ...runs.map(([name, ...rest]) => [`job run: ${name}`, ...rest] as const),
])('%s', (_, { state, status }, [lifeCycle, result, code, type]) => {
  expect(state).toMatchObject({ life_cycle_state: lifeCycle, result_state: result });
  expect(status.state).toBe('TERMINATED');
  expect(status.termination_details).toMatchObject({ code, type });
});

test('a failed run names the task, says what was skipped, and ends with the last line of the exception', () => {
  const { state, status } = endedRun('failed', cause);

  const sentence =
    'Task load failed with message: Workload failed, see run output for details. This caused all downstream tasks to get skipped.';
  expect(state.state_message).toBe(sentence);
  expect(status.termination_details?.message).toBe(`${sentence} ValueError: no rows`);
});

test('a run that failed for want of a cluster says so', () => {
  const failure = failureOf('CLUSTER_ERROR', 'The cluster could not start: no memory');

  const { state } = endedRun('failed', { taskKey: 'load', failure, skippedDownstream: false });

  expect(state.state_message).toBe('Task load failed with message: The cluster could not start: no memory');
});

test('what was said without a stop gets one before the next sentence, and no second one', () => {
  const told = (message: string) =>
    endedRun('failed', {
      ...{ taskKey: 'load', failure: failureOf('DRIVER_ERROR', message), skippedDownstream: true },
    }).state.state_message;

  for (const message of ['the worker was cut off', 'the worker was cut off.'])
    expect(told(message)).toBe(
      'Task load failed with message: the worker was cut off. This caused all downstream tasks to get skipped.',
    );
});

test("a task's time-out names the limit", () => {
  const [, wire] = tasks[2] ?? [];

  expect(wire?.state.state_message).toContain('5 seconds');
  expect(wire?.state.user_cancelled_or_timedout).toBe(true);
});

test('a task whose process ended says how', () => {
  const { state, status } = endedTask('failed', failureOf('RUN_EXECUTION_ERROR', 'ended with code 3'));

  expect(state.state_message).toBe('ended with code 3');
  expect(status.termination_details?.message).toBe('ended with code 3');
});

test('a run that was skipped says whether it had waited', () => {
  const skipped = {
    kind: 'ended',
    startedAtMs: null,
    endedAtMs: 2,
    result: 'skipped_no_place',
    cause: null,
  } as const;

  const atOnce = toRunWireState(skipped, null, { hasGivenUp: false });
  const later = toRunWireState(skipped, null, { hasGivenUp: true });

  expect(atOnce.state.state_message).toContain('queueing is off');
  expect(later.state.state_message).toContain('48 hours');
});

test('a run without a place was skipped when it was made, a queued one and a repair later', () => {
  expect(hasGivenUp({ generation: 0, created_at_ms: 5, ended_at_ms: 5 })).toBe(false);
  expect(hasGivenUp({ generation: 0, created_at_ms: 5, ended_at_ms: 6 })).toBe(true);
  expect(hasGivenUp({ generation: 1, created_at_ms: 5, ended_at_ms: 5 })).toBe(true);
});

test('a queued run names the limit', () => {
  const { status } = toRunWireState({ kind: 'queued' }, null);

  expect(status.queue_details?.code).toBe('MAX_CONCURRENT_RUNS_REACHED');
});

const held = { workerId: 'w', claimedAtMs: 1 };
test.each([
  [{ kind: 'blocked' }, 'BLOCKED', 'BLOCKED'],
  [{ kind: 'waiting_for_retry', dueAtMs: 1 }, 'WAITING_FOR_RETRY', 'WAITING'],
  [{ kind: 'ready', readyAtMs: 1 }, 'PENDING', 'PENDING'],
  [{ kind: 'queued', queuedAtMs: 1 }, 'PENDING', 'PENDING'],
  [{ kind: 'running_parts', startedAtMs: 1, stop: null }, 'RUNNING', 'RUNNING'],
  [
    { kind: 'running_parts', startedAtMs: 1, stop: { reason: 'timed_out', stoppingAtMs: 2 } },
    'TERMINATING',
    'TERMINATING',
  ],
  [{ kind: 'claimed', ...held }, 'PENDING', 'PENDING'],
  [{ kind: 'running', ...held, startedAtMs: 2 }, 'RUNNING', 'RUNNING'],
  [
    { kind: 'stopping', ...held, reason: 'timed_out', startedAtMs: 2, stoppingAtMs: 3 },
    'TERMINATING',
    'TERMINATING',
  ],
] as const)('a task that is %o', (taskState, lifeCycle, status) => {
  const wire = toTaskWireState(taskState, null);

  expect(wire.state.life_cycle_state).toBe(lifeCycle);
  expect(wire.state.result_state).toBeUndefined();
  expect(wire.status.state).toBe(status);
});

test.each([
  [{ kind: 'queued' }, 'QUEUED'],
  [{ kind: 'running', startedAtMs: 1 }, 'RUNNING'],
  [{ kind: 'terminating', startedAtMs: 1, reason: 'cancelled_by_user', sinceMs: 2 }, 'TERMINATING'],
] as const)('a run that is %o', (phase, name) => {
  const wire = toRunWireState(phase, null);

  expect([wire.state.life_cycle_state, wire.status.state]).toEqual([name, name]);
});
