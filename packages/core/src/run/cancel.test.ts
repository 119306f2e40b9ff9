/** Cancelling a run, or one task run of it. */
import { describe, expect, test } from 'vitest';
import { aCondition, aForEach, aRunJob, aTask, failed, RunUnderTest, retries } from './builders.ts';

describe('a run', () => {
  test('starts nothing further, not even what handles failure or runs whatever happened', () => {
    const run = new RunUnderTest([
      aTask('a'),
      aTask('cleanup', { dependsOn: ['a'], runIf: 'ALL_DONE' }),
      aTask('alert', { dependsOn: ['a'], runIf: 'AT_LEAST_ONE_FAILED' }),
    ]);
    run.start('a');

    run.cancel();
    run.end('a', { kind: 'stopped' });

    expect(run.states()).toEqual({ a: 'cancelled', cleanup: 'cancelled', alert: 'cancelled' });
  });

  test('ends at once when nothing of it is live, and when its last stop is proven otherwise', () => {
    const idle = new RunUnderTest([aTask('a')]);
    const busy = new RunUnderTest([aTask('a')]);
    busy.start('a');

    idle.cancel();
    busy.cancel();

    expect([idle.phase.kind, busy.phase.kind]).toEqual(['ended', 'terminating']);
  });

  test('ends every kind of step: one to be evaluated, expanded, retried, and one with a run of its own', () => {
    const run = new RunUnderTest([
      aCondition('condition'),
      aForEach('loop', aTask('one')),
      aForEach('begun', aTask('two'), { concurrency: 2 }),
      aTask('again', { retry: retries(1, { intervalMinMs: 1_000 }) }),
      aRunJob('not_yet'),
      aRunJob('other'),
    ]);
    run.resolve('begun', [1, 2, 3]);
    run.start('two#0');
    run.complete('again', failed);
    run.startChild('other');

    run.cancel();
    expect(run.states()).toEqual({
      condition: 'cancelled',
      loop: 'cancelled',
      begun: 'running_parts',
      'two#0': 'stopping',
      'two#1': 'cancelled',
      again: 'cancelled',
      not_yet: 'cancelled',
      other: 'running_parts',
    });
    run.end('two#0', { kind: 'stopped' });
    run.endChild('other', { kind: 'cancelled' });

    expect(run.phase).toMatchObject({ kind: 'ended', result: 'cancelled' });
  });

  test('cancelled by the system says so', () => {
    const run = new RunUnderTest([aTask('a')]);

    run.cancel('cancelled_by_system');

    expect(run.phase).toMatchObject({ result: 'cancelled_by_system' });
  });

  test('that is queued ends without having started', () => {
    const run = new RunUnderTest([aTask('a')], { place: 'queue' });

    run.cancel();

    expect(run.phase).toMatchObject({ kind: 'ended', result: 'cancelled', startedAtMs: null });
    expect(run.states()).toEqual({ a: 'cancelled' });
  });

  test('that has ended, or is being cancelled, is not cancelled again', () => {
    const run = new RunUnderTest([aTask('a')]);
    run.start('a');
    run.cancel();

    expect(run.cancel('cancelled_by_system').ignored).toHaveLength(1);
    run.end('a', { kind: 'stopped' });
    expect(run.cancel().ignored).toHaveLength(1);
    expect(run.phase).toMatchObject({ result: 'cancelled' });
  });

  test('ends with one notification', () => {
    const run = new RunUnderTest([aTask('a'), aTask('b')]);

    const { commands } = run.cancel();

    const told = commands.flatMap((each) => (each.kind === 'notify' ? [each.subject] : []));
    expect(told.filter(({ kind }) => kind === 'run_ended')).toEqual([
      { kind: 'run_ended', generation: 0, result: 'cancelled' },
    ]);
  });
});

describe('while a task is stopped for its own limit, after which it would be tried again', () => {
  const slow = { timeoutMs: 10, retry: retries(3, { onTimeout: true }) };
  function pastLimit(run: RunUnderTest, key: string): void {
    run.start(key);
    run.nowMs += 10;
    run.advance();
  }

  test('cancelling the run leaves no further attempt', () => {
    const run = new RunUnderTest([aTask('a', slow)]);
    pastLimit(run, 'a');

    run.cancel();
    run.end('a', { kind: 'stopped' });

    expect(run.taskRun('a').attempt).toBe(0);
    expect(run.phase).toMatchObject({ kind: 'ended', result: 'cancelled' });
  });

  test('cancelling the task run leaves none either', () => {
    const run = new RunUnderTest([aTask('a', slow)]);
    pastLimit(run, 'a');

    run.cancelTask('a');
    run.end('a', { kind: 'stopped' });

    expect(run.taskRun('a')).toMatchObject({ attempt: 0, state: { kind: 'ended', result: 'cancelled' } });
  });

  test('cancelling one whose work is another run leaves none either', () => {
    const run = new RunUnderTest([aRunJob('other', slow)]);
    run.startChild('other');
    run.nowMs += 10;
    run.advance();

    run.cancelTask('other');
    run.endChild('other', { kind: 'cancelled' });

    expect(run.taskRun('other')).toMatchObject({ attempt: 0, state: { kind: 'ended', result: 'cancelled' } });
  });

  test('cancelling the for-each leaves none of its iteration', () => {
    const run = new RunUnderTest([aForEach('loop', aTask('one', slow))]);
    run.resolve('loop', [1, 2]);
    pastLimit(run, 'one#0');

    run.cancelTask('loop');
    run.end('one#0', { kind: 'stopped' });

    expect(run.taskRun('one#0').attempt).toBe(0);
    expect(run.stateOf('loop')).toBe('cancelled');
  });
});

describe('one task run', () => {
  const tasks = [
    aTask('a', { retry: retries(3) }),
    aTask('after', { dependsOn: ['a'] }),
    aTask('far', { dependsOn: ['after'] }),
    aTask('alert', { dependsOn: ['a'], runIf: 'AT_LEAST_ONE_FAILED' }),
    aTask('beside'),
  ];

  test('what needs it is UPSTREAM_CANCELED, far too; what handles failure runs; the run goes on', () => {
    const run = new RunUnderTest(tasks);
    run.start('a');

    run.cancelTask('a');
    run.end('a', { kind: 'stopped' });

    expect(run.states()).toEqual({
      a: 'cancelled',
      after: 'upstream_cancelled',
      far: 'upstream_cancelled',
      alert: 'queued',
      beside: 'queued',
    });
    expect(run.phase.kind).toBe('running');
  });

  test('is not tried again, whatever it said at its end', () => {
    const run = new RunUnderTest(tasks);
    run.start('a');
    run.cancelTask('a');

    run.end('a', failed);

    expect(run.taskRun('a')).toMatchObject({ attempt: 0, state: { result: 'cancelled' } });
  });

  test('that waits for its next attempt ends at once', () => {
    const run = new RunUnderTest([aTask('a', { retry: retries(1, { intervalMinMs: 1_000 }) })]);
    run.complete('a', failed);

    run.cancelTask('a');

    expect(run.phase).toMatchObject({ kind: 'ended', result: 'cancelled' });
  });

  test('that is lost before user code while it is stopped is not dispatched again', () => {
    const run = new RunUnderTest(tasks);
    run.claim('a');
    run.cancelTask('a');
    const { attemptId, epoch } = run.taskRun('a');

    run.advance({ kind: 'attempt_lost', attemptId, epoch, beforeUserCode: true, message: 'the host died' });

    expect(run.stateOf('a')).toBe('cancelled');
  });

  test('that has ended, or is none of the latest, changes nothing', () => {
    const run = new RunUnderTest([aTask('a', { retry: retries(1) }), aTask('beside')]);
    const { attemptId: former } = run.taskRun('a');
    run.complete('a', failed);
    const before = run.run;

    const { ignored } = run.advance({ kind: 'task_cancel_requested', attemptId: former });

    expect(ignored).toHaveLength(1);
    expect(run.run).toBe(before);
  });
});
