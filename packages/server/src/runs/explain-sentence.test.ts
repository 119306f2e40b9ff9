import { expect, test } from 'vitest';
import type { RunFact, TaskFact } from './explain-facts.ts';
import { toRunSentence, toTaskSentence } from './explain-sentence.ts';

const at = Date.UTC(2026, 0, 2, 3, 4, 5);
const iso = '2026-01-02T03:04:05.000Z';
const task = { task_key: 'load' };
const sides = { left: '5', op: 'GREATER_THAN', right: '10' } as const;

test.each<[TaskFact, string]>([
  [
    {
      ...{ kind: 'stopping', ...task, reason: 'timed_out', since_ms: at },
      host_message: 'the Spark driver (process 7) does not answer.',
    },
    `is stopping since ${iso}: it ran longer than its timeout_seconds, but the Spark driver (process 7) does not answer.`,
  ],
  [
    {
      kind: 'waits_for_cluster',
      ...task,
      since_ms: at,
      worker_id: 'w1',
      cluster_id: 'shared',
      host_state: 'starting',
      message: 'Spark starts.',
    },
    `was taken by worker w1 at ${iso} and waits for cluster shared, whose host is starting (Spark starts).`,
  ],
  [
    {
      kind: 'waits_for_cluster',
      ...task,
      since_ms: at,
      worker_id: 'w1',
      cluster_id: null,
      host_state: null,
      message: null,
    },
    `was taken by worker w1 at ${iso} and waits for its cluster.`,
  ],
  [
    {
      kind: 'waits_for_worker',
      ...task,
      since_ms: at,
      position: 3,
      workers: 2,
      slots: 8,
      free_slots: 1,
    },
    `waits since ${iso} for a worker, as number 3: 1 of 8 slots of 2 workers is free.`,
  ],
  [
    {
      ...{ kind: 'waits_for_worker', ...task, since_ms: at, position: 1, worker_labels: { gpu: 'yes' } },
      ...{ workers: 0, slots: 0, free_slots: 0, full_worker_ids: [] },
    },
    `waits since ${iso} for a worker with gpu=yes, as number 1: none is signed on.`,
  ],
  [
    {
      ...{ kind: 'waits_for_worker', ...task, since_ms: at, position: 1 },
      ...{ worker_labels: { gpu: 'yes', zone: 'a' }, workers: 3, slots: 4, free_slots: 0 },
      full_worker_ids: ['w1', 'w2'],
    },
    `waits since ${iso} for a worker with gpu=yes and zone=a, as number 1: the ones that have them are full: w1, w2 and 1 more.`,
  ],
  [
    {
      ...{ kind: 'waits_for_worker', ...task, since_ms: at, position: 1 },
      ...{ worker_labels: { gpu: 'yes' }, workers: 1, slots: 2, free_slots: 1, full_worker_ids: [] },
    },
    `waits since ${iso} for a worker with gpu=yes, as number 1: 1 of 2 slots of 1 such worker is free.`,
  ],
  [
    {
      ...{
        kind: 'waits_for_worker',
        ...task,
        since_ms: at,
        position: 1,
        workers: 1,
        slots: 2,
        free_slots: 1,
      },
      silent_workers: [{ worker_id: 'far', heard_ms_ago: 21_400, lease_left_ms: 38_600 }],
    },
    `waits since ${iso} for a worker, as number 1: 1 of 2 slots of 1 worker is free; far was last heard of 21 s ago.`,
  ],
  [
    {
      ...{ kind: 'running', ...task, since_ms: at, worker_id: 'far' },
      silence: { worker_id: 'far', heard_ms_ago: 21_400, lease_left_ms: 38_600 },
    },
    `is running since ${iso} on worker far, but worker far was last heard of 21 s ago: without news within 39 s the attempt counts as lost.`,
  ],
  [
    { kind: 'waits_for_retry', ...task, due_at_ms: at, attempt_number: 2 },
    'waits for a retry: attempt 3 is due at 03:04:05 UTC.',
  ],
  [{ kind: 'waits_for_child_to_be_made', ...task }, 'waits for the run that it starts to be made.'],
  [
    { kind: 'stopping', ...task, reason: 'timed_out', since_ms: at },
    `is stopping since ${iso}: it ran longer than its timeout_seconds.`,
  ],
  [
    {
      kind: 'ended',
      ...task,
      result: 'cancelled',
      at_ms: at,
      attempt_number: 0,
      reason: 'cancelled_by_system',
    },
    `was cancelled at ${iso} (cancelled by the system).`,
  ],
  [
    { kind: 'excluded_by_branch', ...task, condition_task_key: 'check', outcome: false, ...sides },
    `was excluded: the condition of 'check' ("5" GREATER_THAN "10") came out false, and this task stands on the other branch.`,
  ],
])('%o', (fact, predicate) => {
  expect(toTaskSentence(task, [fact])).toBe(`Task 'load' ${predicate}`);
});

test.each<[RunFact, string]>([
  [
    { kind: 'run_stopping', reason: 'run_timed_out', since_ms: at },
    `is stopping since ${iso}: the run took longer than the timeout_seconds of its job.`,
  ],
  [
    { kind: 'run_ended', result: 'succeeded_with_failures', at_ms: at, failed_task_keys: ['a', 'b'] },
    `succeeded at ${iso}, although 'a' and 'b' failed.`,
  ],
  [
    { kind: 'run_skipped', reason: 'waited_too_long', at_ms: at },
    `was skipped at ${iso}: it had waited in the queue for 48 hours without a place.`,
  ],
])('%o', (fact, predicate) => {
  expect(toRunSentence(7, [fact], [])).toBe(`Run 7 ${predicate}`);
});

test('a run tells its tasks one after the other, and how many more there are', () => {
  const facts: RunFact[] = [
    { kind: 'run_running', since_ms: at },
    { kind: 'more_tasks', count: 2 },
  ];
  const tasks: TaskFact[][] = [
    [{ kind: 'running', ...task, since_ms: at, worker_id: 'w1' }],
    [
      { kind: 'running', task_key: 'loop', since_ms: at, worker_id: null },
      { kind: 'iterations', task_key: 'loop', total: 3, completed: 1, active: 2, failed: 0 },
    ],
  ];

  expect(toRunSentence(7, facts, tasks)).toBe(
    `Run 7 is running since ${iso}; task 'load' is running since ${iso} on worker w1; task 'loop' is running since ${iso}, and 1 of its 3 iterations has ended (0 failed, 2 active); 2 more tasks are in motion.`,
  );
});
