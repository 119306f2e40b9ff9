/** Retries and time-outs of tasks. */
import { describe, expect, test } from 'vitest';
import { aCondition, aTask, failed, RunUnderTest, retries } from './builders.ts';
import type { RetryPolicy } from './state.ts';
import { wakeAtMs } from './wake.ts';

const runWith = (retry: RetryPolicy, timeoutMs: number | null = null) =>
  new RunUnderTest([aTask('a', { retry, timeoutMs }), aTask('after', { dependsOn: ['a'] })]);

/** Lets the task run past its limit, and proves the stop. */
function timeOut(run: RunUnderTest): void {
  run.start('a');
  run.nowMs += run.run.generations[0]?.definition.tasks[0]?.timeoutMs ?? 0;
  run.advance();
  run.end('a', { kind: 'stopped' });
}

describe('how often', () => {
  test('max_retries counts attempts after the first', () => {
    const run = runWith(retries(2));

    for (let attempt = 0; attempt < 3; attempt++) {
      run.complete('a', failed);
      run.advance();
    }

    expect(run.taskRun('a')).toMatchObject({ attempt: 2, state: { kind: 'ended', result: 'failed' } });
    expect(run.stateOf('after')).toBe('upstream_failed');
  });

  test('-1 means for ever', () => {
    const run = runWith(retries(-1));

    for (let attempt = 0; attempt < 50; attempt++) {
      run.complete('a', failed);
      run.advance();
    }

    expect(run.taskRun('a')).toMatchObject({ attempt: 50, state: { kind: 'queued' } });
  });

  test('what depends on a task waits for its last attempt', () => {
    const run = runWith(retries(1, { intervalMinMs: 10 }));

    run.complete('a', failed);

    expect(run.states()).toEqual({ a: 'waiting_for_retry', after: 'blocked' });
  });

  test('each attempt has an id of its own, and the one before keeps its end', () => {
    const run = runWith(retries(1));
    run.start('a');
    const { attemptId } = run.taskRun('a');

    const { changes } = run.end('a', failed);

    expect(run.taskRun('a').attemptId).not.toBe(attemptId);
    expect(changes.get(attemptId)?.after.state).toMatchObject({ kind: 'ended', result: 'failed' });
  });

  test('a loss of the host in user code is tried again as a failure is', () => {
    const run = runWith(retries(1));
    run.start('a');
    const { attemptId, epoch } = run.taskRun('a');

    run.advance({ kind: 'attempt_lost', attemptId, epoch, beforeUserCode: false, message: 'the host died' });

    expect(run.taskRun('a').attempt).toBe(1);
  });

  test('a skipped task is never tried again', () => {
    const run = new RunUnderTest([aTask('a'), aTask('after', { dependsOn: ['a'], retry: retries(3) })]);

    run.complete('a', failed);

    expect(run.taskRun('after')).toMatchObject({ attempt: 0, state: { result: 'upstream_failed' } });
  });

  test('a condition is never tried again', () => {
    const run = new RunUnderTest([aCondition('c')]);

    run.failStep('c');

    expect(run.phase).toMatchObject({ result: 'failed' });
  });
});

describe('when', () => {
  /** Waiting times after each of some failures, from the start of the failed attempt. */
  function intervalsOf(retry: RetryPolicy, failures: number): number[] {
    const run = runWith(retry);
    return Array.from({ length: failures }, () => {
      run.start('a');
      const startedAtMs = run.nowMs;
      run.end('a', failed);
      const { state } = run.taskRun('a');
      if (state.kind !== 'waiting_for_retry') throw new Error(`it is ${state.kind}`);
      run.nowMs = state.dueAtMs;
      run.advance();
      return state.dueAtMs - startedAtMs;
    });
  }

  test('with a maximum the interval doubles from the minimum up to it: 5, 10, 20, 40, 60 s', () => {
    const policy = retries(5, { intervalMinMs: 5_000, intervalMaxMs: 60_000 });

    expect(intervalsOf(policy, 5)).toEqual([5_000, 10_000, 20_000, 40_000, 60_000]);
  });

  test('without a maximum it stays', () => {
    expect(intervalsOf(retries(-1, { intervalMinMs: 5_000 }), 4)).toEqual([5_000, 5_000, 5_000, 5_000]);
  });

  test('a maximum below the minimum holds', () => {
    expect(intervalsOf(retries(2, { intervalMinMs: 5_000, intervalMaxMs: 1_000 }), 2)).toEqual([
      1_000, 1_000,
    ]);
  });

  test('it counts from the start of the failed attempt: after a long one the next is due at once', () => {
    const run = runWith(retries(1, { intervalMinMs: 5_000 }));
    run.start('a');
    run.nowMs += 60_000;

    run.end('a', failed);
    run.advance();

    expect(run.stateOf('a')).toBe('queued');
  });

  test('the run wakes when the next attempt is due', () => {
    const run = runWith(retries(1, { intervalMinMs: 5_000 }));

    run.complete('a', failed);

    expect(wakeAtMs(run.run)).toBe(6_000);
  });
});

describe('timeout_seconds of a task', () => {
  test('is not followed by another attempt', () => {
    const run = runWith(retries(3), 10);

    timeOut(run);

    expect(run.states()).toEqual({ a: 'timed_out', after: 'upstream_failed' });
    expect(run.taskRun('a').attempt).toBe(0);
  });

  test('unless retry_on_timeout says so; the next attempt has all its time again', () => {
    const run = runWith(retries(1, { onTimeout: true }), 10);

    timeOut(run);
    run.advance();
    expect(run.taskRun('a')).toMatchObject({ attempt: 1, state: { kind: 'queued' } });
    timeOut(run);

    expect(run.stateOf('a')).toBe('timed_out');
  });

  test('the message names the limit', () => {
    const run = runWith(retries(0), 90_000);

    timeOut(run);

    expect(run.taskRun('a').state).toMatchObject({
      failure: {
        code: 'RUN_EXECUTION_ERROR',
        message: 'The task ran longer than its timeout_seconds of 90 seconds.',
      },
    });
  });

  test('counts from the claim, so with the start of the cluster, and not from the queue', () => {
    const run = runWith(retries(0), 10_000);
    run.nowMs += 60_000;
    run.claim('a');
    run.nowMs += 9_999;
    run.advance();
    expect(run.stateOf('a')).toBe('claimed');

    run.nowMs += 1;
    run.advance();

    expect(run.stateOf('a')).toBe('stopping');
  });

  test('a success that came before the stop stays one', () => {
    const run = runWith(retries(0), 10);
    run.start('a');
    run.nowMs += 10;
    run.advance();

    run.end('a');

    expect(run.states()).toEqual({ a: 'succeeded', after: 'queued' });
  });
});

test.each([-3_600_000, 3_600_000])('a start that its worker puts %i ms off counts on our clock', (offMs) => {
  const run = runWith(retries(1, { intervalMinMs: 500 }));
  run.claim('a');
  const { attemptId, epoch } = run.taskRun('a');
  run.nowMs += 100;

  run.advance({ kind: 'attempt_started', attemptId, epoch, startedAtMs: run.nowMs + offMs });
  run.end('a', failed);

  const { state } = run.taskRun('a');
  const dueAtMs = state.kind === 'waiting_for_retry' ? state.dueAtMs : null;
  expect(dueAtMs).toBe(run.nowMs + 500 - (offMs < 0 ? 100 : 0));
});
