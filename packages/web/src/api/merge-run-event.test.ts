import type { RunDocument, RunEvent, RunTaskDocument } from '@headrace/api';
import { expect, test } from 'vitest';
import { causeOf, latestAttempts, mergeRunEvent } from './merge-run-event.ts';

const states = {
  running: { state: { life_cycle_state: 'RUNNING' }, status: { state: 'RUNNING' } },
  failed: {
    state: { life_cycle_state: 'TERMINATED', result_state: 'FAILED' },
    status: { state: 'TERMINATED' },
  },
  succeeded: {
    state: { life_cycle_state: 'TERMINATED', result_state: 'SUCCESS' },
    status: { state: 'TERMINATED' },
  },
} as const;

function aTask(key: string, more: Partial<RunTaskDocument> = {}): RunTaskDocument {
  return { ...course, ...states.succeeded, run_id: 1, task_key: key, ...more };
}

const course = {
  attempt_number: 0,
  start_time: 10,
  end_time: 0,
  setup_duration: 0,
  execution_duration: 0,
  cleanup_duration: 0,
  run_page_url: '',
};

function aRun(tasks: RunTaskDocument[]): RunDocument {
  return {
    ...course,
    ...states.running,
    run_id: 5,
    run_name: 'flights_daily',
    run_type: 'JOB_RUN',
    creator_user_name: 'ada',
    trigger: 'ONE_TIME',
    tasks,
  };
}

function anEvent(more: Partial<RunEvent>): RunEvent {
  return { ...states.running, version: 2, run_id: 5, at_ms: 900, tasks: [], ended: false, ...more };
}

test('a changed attempt stays where it was, a new one comes last', () => {
  const run = aRun([aTask('a', { run_id: 1, ...states.running }), aTask('b', { run_id: 2 })]);
  const changed = aTask('a', { run_id: 1, ...states.failed });
  const retry = aTask('a', { run_id: 3, attempt_number: 1, ...states.running });

  const merged = mergeRunEvent(run, anEvent({ tasks: [changed, retry] }));

  expect(merged.tasks?.map((task) => [task.run_id, task.state.life_cycle_state])).toEqual([
    [1, 'TERMINATED'],
    [2, 'TERMINATED'],
    [3, 'RUNNING'],
  ]);
});

test('the run takes its state from the event, its end only from the last one', () => {
  const run = aRun([]);

  expect(mergeRunEvent(run, anEvent({}))).toMatchObject({ ...states.running, end_time: 0 });
  expect(mergeRunEvent(run, anEvent({ ...states.failed, ended: true }))).toMatchObject({
    ...states.failed,
    end_time: 900,
  });
});

test('each task shows its latest attempt, in the order of the job', () => {
  const tasks = [
    aTask('a', { run_id: 1 }),
    aTask('b', { run_id: 2, attempt_number: 0 }),
    aTask('c', { run_id: 3 }),
    aTask('b', { run_id: 4, attempt_number: 1 }),
  ];

  expect(latestAttempts(tasks).map((task) => task.run_id)).toEqual([1, 4, 3]);
});

test('the page opens on what failed first, not on what failed after it', () => {
  const tasks = [
    aTask('alert', { run_id: 1, ...states.failed, end_time: 90 }),
    aTask('silver', { run_id: 2, ...states.failed, end_time: 50 }),
    aTask('gold', { run_id: 3, ...states.running }),
  ];

  expect(causeOf(tasks)?.task_key).toBe('silver');
});

test('a task that came through on a later attempt is not the cause', () => {
  const tasks = [
    aTask('silver', { run_id: 2, ...states.failed, end_time: 50 }),
    aTask('silver', { run_id: 3, attempt_number: 1, end_time: 80 }),
    aTask('gold', { run_id: 4, ...states.running }),
  ];

  expect(causeOf(tasks)?.task_key).toBe('gold');
});

test('a run that was stopped opens on the task that it interrupted, while it stops and after', () => {
  const cancelled = { life_cycle_state: 'TERMINATED', result_state: 'CANCELED' } as const;
  const rest = [
    aTask('land', { run_id: 1 }),
    aTask('gold', { run_id: 3, state: cancelled, start_time: 70, end_time: 70 }),
  ];
  const stopping = aTask('silver', { run_id: 2, state: { life_cycle_state: 'TERMINATING' } });
  const stopped = aTask('silver', { run_id: 2, state: cancelled, start_time: 20, end_time: 70 });

  expect(causeOf([...rest, stopping])?.task_key).toBe('silver');
  expect(causeOf([...rest, stopped])?.task_key).toBe('silver');
});

test('without a failure or a running task there is no cause', () => {
  expect(causeOf([aTask('land')])).toBe(null);
});

test('iterations that come with an event are not tasks of the run', () => {
  const run = aRun([aTask('each', { run_id: 1 })]);

  const merged = mergeRunEvent(
    run,
    anEvent({ tasks: [aTask('one', { run_id: 7, headrace: { iteration: 0 } })] }),
  );

  expect(merged.tasks?.map((task) => task.run_id)).toEqual([1]);
});

test('the latest attempt is the one with the greatest id, although numbers tie after a repair', () => {
  const tasks = [aTask('a', { run_id: 9 }), aTask('a', { run_id: 4 })];

  expect(latestAttempts(tasks).map((task) => task.run_id)).toEqual([9]);
});
