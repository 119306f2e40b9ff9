import { describe, expect, test } from 'vitest';
import { aTask, failed, RunUnderTest, unknownAttempt } from './builders.ts';
import { wakeAtMs } from './wake.ts';

const retryTwice = { retriesMax: 2, intervalMinMs: 5_000, intervalMaxMs: null, onTimeout: false };

describe('order', () => {
  test('roots are queued at once and children when their parents have ended', () => {
    const run = new RunUnderTest([aTask('a'), aTask('b', { dependsOn: ['a'] })]);
    expect(run.states()).toEqual({ a: 'queued', b: 'blocked' });

    const { commands } = run.complete('a');

    expect(run.states()).toEqual({ a: 'succeeded', b: 'queued' });
    expect(commands).toContainEqual({ kind: 'start_attempt', attemptId: run.taskRun('b').attemptId });
  });

  test('a run ends when its last task has ended, and says so once', () => {
    const run = new RunUnderTest([aTask('a')]);

    const { commands } = run.complete('a');
    const again = run.advance();

    expect(run.phase).toMatchObject({ kind: 'ended', result: 'succeeded' });
    expect(
      commands.filter((each) => each.kind === 'notify' && each.subject.kind === 'run_ended'),
    ).toHaveLength(1);
    expect(again.commands).toEqual([]);
  });

  test('a chain of skipped tasks is decided in one call', () => {
    const run = new RunUnderTest([
      aTask('a'),
      aTask('b', { dependsOn: ['a'] }),
      aTask('c', { dependsOn: ['b'] }),
      aTask('alert', { dependsOn: ['c'], runIf: 'AT_LEAST_ONE_FAILED' }),
    ]);

    run.complete('a', failed);

    expect(run.states()).toEqual({
      a: 'failed',
      b: 'upstream_failed',
      c: 'upstream_failed',
      alert: 'queued',
    });
  });

  test('a queued run starts nothing until it is admitted', () => {
    const run = new RunUnderTest([aTask('a')], { place: 'queue' });
    expect(run.stateOf('a')).toBe('blocked');

    run.advance({ kind: 'admitted' });

    expect(run.stateOf('a')).toBe('queued');
  });

  test('a disabled task ends as disabled and so do the ones that need it', () => {
    const run = new RunUnderTest([aTask('a', { disabled: true }), aTask('b', { dependsOn: ['a'] })]);

    expect(run.states()).toEqual({ a: 'disabled', b: 'disabled' });
    expect(run.phase).toMatchObject({ kind: 'ended', result: 'succeeded' });
  });
});

describe('how a run ends', () => {
  test('a failed leaf fails the run and names the first failure', () => {
    const run = new RunUnderTest([aTask('a'), aTask('b', { dependsOn: ['a'] })]);

    run.complete('a', failed);

    expect(run.phase).toMatchObject({
      result: 'failed',
      cause: { taskKey: 'a', failure: { message: 'ValueError: no' } },
    });
  });

  test('a failure that a later task made good leaves a success with failures', () => {
    const run = new RunUnderTest([aTask('a'), aTask('b', { dependsOn: ['a'], runIf: 'ALL_DONE' })]);

    run.complete('a', failed);
    run.complete('b');

    expect(run.phase).toMatchObject({ result: 'succeeded_with_failures' });
  });

  test('excluded leaves do not count', () => {
    const run = new RunUnderTest([
      aTask('a'),
      aTask('alert', { dependsOn: ['a'], runIf: 'AT_LEAST_ONE_FAILED' }),
    ]);

    run.complete('a');

    expect(run.stateOf('alert')).toBe('excluded');
    expect(run.phase).toMatchObject({ result: 'succeeded' });
  });
});

describe('retries', () => {
  test('a failed attempt is followed by another, due one interval after its start', () => {
    const run = new RunUnderTest([aTask('a', { retry: retryTwice })]);
    run.start('a');
    const first = run.taskRun('a').attemptId;
    run.nowMs += 2_000;

    run.end('a', failed);

    expect(run.taskRun('a')).toMatchObject({
      attempt: 1,
      state: { kind: 'waiting_for_retry', dueAtMs: 6_000 },
    });
    expect(run.taskRun('a').attemptId).not.toBe(first);
    expect(wakeAtMs(run.run)).toBe(6_000);
  });

  test('it is queued when it is due and not before', () => {
    const run = new RunUnderTest([aTask('a', { retry: retryTwice })]);
    run.complete('a', failed);

    run.nowMs = 5_999;
    run.advance();
    expect(run.stateOf('a')).toBe('waiting_for_retry');
    run.nowMs = 6_000;
    run.advance();

    expect(run.stateOf('a')).toBe('queued');
  });

  test('the last attempt decides', () => {
    const run = new RunUnderTest([aTask('a', { retry: { ...retryTwice, intervalMinMs: 0 } })]);

    run.complete('a', failed);
    run.advance();
    run.complete('a', failed);
    run.advance();
    run.complete('a');

    expect(run.taskRun('a').attempt).toBe(2);
    expect(run.phase).toMatchObject({ result: 'succeeded' });
  });
});

describe('time-outs', () => {
  test('a task that runs past its limit is stopped, and is timed out once the stop is proven', () => {
    const run = new RunUnderTest([aTask('a', { timeoutMs: 10_000 })]);
    run.start('a');
    expect(wakeAtMs(run.run)).toBe(11_000);
    run.nowMs = 11_000;

    const { commands } = run.advance();
    expect(commands).toEqual([{ kind: 'stop_attempt', attemptId: run.taskRun('a').attemptId }]);
    run.end('a', { kind: 'stopped' });

    expect(run.stateOf('a')).toBe('timed_out');
    expect(run.phase).toMatchObject({ result: 'failed' });
  });

  test('waiting in the queue does not count', () => {
    const run = new RunUnderTest([aTask('a', { timeoutMs: 10_000 })]);
    run.nowMs += 60_000;

    run.advance();

    expect(run.stateOf('a')).toBe('queued');
    expect(wakeAtMs(run.run)).toBe(null);
  });

  test('a run past its limit stops what lives and starts nothing further', () => {
    const run = new RunUnderTest([aTask('a'), aTask('b', { dependsOn: ['a'] })], { timeoutMs: 30_000 });
    run.start('a');
    run.nowMs += 30_000;

    run.advance();
    expect(run.states()).toEqual({ a: 'stopping', b: 'cancelled' });
    run.end('a', failed);

    expect(run.phase).toMatchObject({ result: 'timed_out' });
  });
});

test('a task that its job timed out is not retried, although it would be after a time-out of its own', () => {
  const run = new RunUnderTest([aTask('a', { retry: { ...retryTwice, onTimeout: true } })], {
    timeoutMs: 30_000,
  });
  run.start('a');
  run.nowMs += 30_000;
  run.advance();

  run.end('a', { kind: 'stopped' });

  expect(run.taskRun('a')).toMatchObject({ attempt: 0, state: { kind: 'ended', result: 'timed_out' } });
});

describe('cancel', () => {
  test('a cancelled run starts no further task', () => {
    const run = new RunUnderTest([aTask('a'), aTask('b'), aTask('c', { dependsOn: ['a'] })]);
    run.start('a');

    run.advance({ kind: 'cancel_requested', reason: 'cancelled_by_user' });

    expect(run.states()).toEqual({ a: 'stopping', b: 'cancelled', c: 'cancelled' });
    run.end('a', { kind: 'stopped' });
    expect(run.stateOf('a')).toBe('cancelled');
    expect(run.phase).toMatchObject({ kind: 'ended', result: 'cancelled' });
  });

  test('a success that came before the stop stays a success', () => {
    const run = new RunUnderTest([aTask('a')]);
    run.start('a');
    run.advance({ kind: 'cancel_requested', reason: 'cancelled_by_user' });

    run.end('a');

    expect(run.stateOf('a')).toBe('succeeded');
    expect(run.phase).toMatchObject({ result: 'cancelled' });
  });

  test('a failure during a cancel is not retried', () => {
    const run = new RunUnderTest([aTask('a', { retry: retryTwice })]);
    run.start('a');
    run.advance({ kind: 'cancel_requested', reason: 'cancelled_by_user' });

    run.end('a', failed);

    expect(run.taskRun('a').attempt).toBe(0);
  });
});

describe('loss', () => {
  test('an attempt lost before user code is dispatched again free of charge', () => {
    const run = new RunUnderTest([aTask('a')]);
    run.claim('a');
    const { attemptId, epoch } = run.taskRun('a');

    run.advance({ kind: 'attempt_lost', attemptId, epoch, beforeUserCode: true, message: 'the host died' });

    expect(run.taskRun('a')).toMatchObject({ attemptId, attempt: 0, state: { kind: 'queued' } });
  });

  test('but not for ever', () => {
    const run = new RunUnderTest([aTask('a')]);
    for (let dispatch = 0; dispatch < 10; dispatch++) {
      run.claim('a');
      const { attemptId, epoch } = run.taskRun('a');
      run.advance({ kind: 'attempt_lost', attemptId, epoch, beforeUserCode: true, message: 'the host died' });
    }

    expect(run.stateOf('a')).toBe('internal_error');
    expect(run.phase).toMatchObject({ result: 'failed', cause: { failure: { code: 'CLUSTER_ERROR' } } });
  });

  test('is not taken for one before user code when the start is known', () => {
    const run = new RunUnderTest([aTask('a')]);
    run.start('a');
    const { attemptId, epoch } = run.taskRun('a');

    run.advance({ kind: 'attempt_lost', attemptId, epoch, beforeUserCode: true, message: 'no heartbeat' });

    expect(run.stateOf('a')).toBe('internal_error');
  });

  test('is not believed of a worker that does not hold the attempt', () => {
    const run = new RunUnderTest([aTask('a')]);
    run.claim('a');
    const { attemptId, epoch } = run.taskRun('a');

    run.advance({
      ...{ kind: 'attempt_lost', attemptId, epoch, beforeUserCode: true, message: 'not confirmed' },
      workerId: 'another',
    });

    expect(run.stateOf('a')).toBe('claimed');
  });

  test('an attempt lost in user code is a failure: only the policy gives another', () => {
    const run = new RunUnderTest([aTask('a')]);
    run.start('a');
    const { attemptId, epoch } = run.taskRun('a');

    run.advance({ kind: 'attempt_lost', attemptId, epoch, beforeUserCode: false, message: 'the host died' });

    expect(run.stateOf('a')).toBe('internal_error');
    expect(run.phase).toMatchObject({ result: 'failed' });
  });
});

describe('events that no longer apply', () => {
  test('are ignored with a reason: doubled, late, of an older epoch, of an unknown attempt', () => {
    const run = new RunUnderTest([aTask('a'), aTask('b')]);
    run.start('a');
    const { attemptId, epoch } = run.taskRun('a');
    run.advance({ kind: 'attempt_resumed', attemptId, epoch: epoch + 1, workerId: 'w' });
    const before = run.run;

    const { ignored } = run.advance(
      { kind: 'attempt_ended', attemptId, epoch, outcome: { kind: 'succeeded' }, taskValues: {} },
      { kind: 'attempt_claimed', attemptId, epoch: epoch + 2, workerId: 'x' },
      { kind: 'attempt_started', attemptId: unknownAttempt, epoch: 1, startedAtMs: 0 },
      { kind: 'admitted' },
    );

    expect(ignored.map((each) => each.reason)).toEqual([
      'another epoch',
      'the attempt is running',
      'not a latest attempt of this run',
      'the run is not queued',
    ]);
    expect(run.run).toBe(before);
  });

  test('task values of a failed attempt stay', () => {
    const run = new RunUnderTest([aTask('a')]);
    run.start('a');
    const { attemptId, epoch } = run.taskRun('a');

    run.advance({ kind: 'attempt_ended', attemptId, epoch, outcome: failed, taskValues: { rows: 3 } });

    expect(run.run.taskValues.get('a')).toEqual({ rows: 3 });
  });
});
