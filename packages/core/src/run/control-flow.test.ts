/** Conditions, guarded tasks, and tasks whose work is another run. */
import { describe, expect, test } from 'vitest';
import { toRunId } from '../ids.ts';
import { aCondition, aRunJob, aTask, branch, failed, RunUnderTest, retries } from './builders.ts';

describe('a condition', () => {
  const tasks = [
    aCondition('is_good'),
    aTask('yes', { dependsOn: [branch('is_good', true)] }),
    aTask('no', { dependsOn: [branch('is_good', false)] }),
    aTask('join', { dependsOn: ['yes', 'no'], runIf: 'NONE_FAILED' }),
    aTask('either', { dependsOn: ['is_good'] }),
  ];

  test.each([
    [true, { yes: 'queued', no: 'excluded' }],
    [false, { yes: 'excluded', no: 'queued' }],
  ])('that is %s lets one branch run and excludes the other', (outcome, expected) => {
    const run = new RunUnderTest(tasks);

    run.evaluate('is_good', outcome);

    expect(run.states()).toMatchObject({ is_good: 'succeeded', ...expected });
  });

  test('succeeds either way for a task that names no outcome', () => {
    const run = new RunUnderTest(tasks);

    run.evaluate('is_good', false);

    expect(run.stateOf('either')).toBe('queued');
  });

  test('branches join again under NONE_FAILED', () => {
    const run = new RunUnderTest(tasks);
    run.evaluate('is_good', true);

    run.complete('yes');

    expect(run.stateOf('join')).toBe('queued');
  });

  test('keeps both sides and the outcome', () => {
    const run = new RunUnderTest(tasks);

    run.evaluate('is_good', false);

    expect(run.taskRun('is_good').condition).toEqual({ left: 'a', right: 'b', outcome: false });
  });

  test('takes no compute: it is a step of the engine, never queued for a worker', () => {
    const run = new RunUnderTest(tasks);

    expect(run.stateOf('is_good')).toBe('ready');
    expect(run.last?.commands).toContainEqual({
      kind: 'take_step',
      attemptId: run.taskRun('is_good').attemptId,
    });
  });

  test('that cannot be compared fails, without a retry, and neither branch runs', () => {
    const run = new RunUnderTest(tasks);

    run.failStep('is_good');

    expect(run.states()).toMatchObject({ is_good: 'failed', yes: 'upstream_failed', no: 'upstream_failed' });
    expect(run.taskRun('is_good').attempt).toBe(0);
  });

  test('a task after both branches runs whichever is taken, unless it needs all of them', () => {
    const both = [branch('is_good', true), branch('is_good', false)];
    const run = new RunUnderTest([
      aCondition('is_good'),
      aTask('any', { dependsOn: both, runIf: 'AT_LEAST_ONE_SUCCESS' }),
      aTask('all', { dependsOn: both }),
    ]);

    run.evaluate('is_good', true);

    expect(run.states()).toMatchObject({ any: 'queued', all: 'excluded' });
  });

  test('that never ran is no branch: after a skipped condition all is skipped for the same cause', () => {
    const run = new RunUnderTest([
      aTask('load'),
      aCondition('is_good', { dependsOn: ['load'] }),
      aTask('yes', { dependsOn: [branch('is_good', true)] }),
    ]);

    run.complete('load', failed);

    expect(run.states()).toEqual({ load: 'failed', is_good: 'upstream_failed', yes: 'upstream_failed' });
  });

  test('told twice, or told of another step, changes nothing', () => {
    const run = new RunUnderTest(tasks);
    run.resolve('is_good', [1]);
    expect(run.last?.ignored).toHaveLength(1);
    run.evaluate('is_good', true);
    const before = run.run;

    run.evaluate('is_good', false);

    expect(run.run).toBe(before);
  });
});

describe('a guarded task', () => {
  const tasks = [
    aTask('full', { guarded: true, retry: retries(1) }),
    aTask('after', { dependsOn: ['full'] }),
  ];

  test('goes on to its work when its condition holds', () => {
    const run = new RunUnderTest(tasks);

    run.evaluate('full', true);

    expect(run.stateOf('full')).toBe('queued');
    expect(run.taskRun('full').condition).toMatchObject({ outcome: true });
  });

  test('is excluded when not, and so is what needs it; why is kept', () => {
    const run = new RunUnderTest(tasks);

    const { decisions } = run.evaluate('full', false);

    expect(run.states()).toEqual({ full: 'excluded', after: 'excluded' });
    expect(decisions[0]).toMatchObject({ kind: 'guard_not_met', evaluation: { outcome: false } });
    expect(run.phase).toMatchObject({ result: 'succeeded' });
  });

  test('is not asked again when its work is tried again', () => {
    const run = new RunUnderTest(tasks);
    run.evaluate('full', true);

    run.complete('full', failed);
    run.advance();

    expect(run.taskRun('full')).toMatchObject({ attempt: 1, state: { kind: 'queued' } });
  });

  test('whose condition cannot be compared fails for good, however many attempts its policy has', () => {
    const run = new RunUnderTest([aTask('full', { guarded: true, retry: retries(-1) })]);

    run.failStep('full');

    expect(run.taskRun('full')).toMatchObject({ attempt: 0, state: { kind: 'ended', result: 'failed' } });
    expect(run.phase).toMatchObject({ result: 'failed' });
  });
});

describe('a task whose work is another run', () => {
  test('waits until that run exists, then for its end', () => {
    const run = new RunUnderTest([aRunJob('other'), aTask('after', { dependsOn: ['other'] })]);
    expect(run.stateOf('other')).toBe('ready');

    run.startChild('other');
    expect(run.states()).toEqual({ other: 'running_parts', after: 'blocked' });
    run.endChild('other');

    expect(run.states()).toEqual({ other: 'succeeded', after: 'queued' });
  });

  test('ends as that run ends', () => {
    const failure = { code: 'RUN_EXECUTION_ERROR', message: 'Run 900 failed.', trace: null } as const;
    const ended = (outcome: Parameters<RunUnderTest['endChild']>[1]) => {
      const run = new RunUnderTest([aRunJob('other')]);
      run.startChild('other');
      run.endChild('other', outcome);
      return run;
    };

    expect(ended({ kind: 'failed', failure }).phase).toMatchObject({
      result: 'failed',
      cause: { taskKey: 'other', failure },
    });
    expect(ended({ kind: 'cancelled' }).phase).toMatchObject({ result: 'cancelled' });
  });

  test('starts another run for each attempt of its policy', () => {
    const run = new RunUnderTest([aRunJob('other', { retry: retries(1) })]);
    const failure = { code: 'RUN_EXECUTION_ERROR', message: 'no', trace: null } as const;
    run.startChild('other');

    run.endChild('other', { kind: 'failed', failure });
    run.advance();

    expect(run.taskRun('other')).toMatchObject({ attempt: 1, childRunId: null, state: { kind: 'ready' } });
  });

  test('that cannot be started fails and says why', () => {
    const run = new RunUnderTest([aRunJob('other')]);

    run.failStep('other');

    expect(run.phase).toMatchObject({ result: 'failed', cause: { failure: { message: 'not a number' } } });
  });

  test('hears of its own run alone', () => {
    const run = new RunUnderTest([aRunJob('other')]);
    run.startChild('other');
    const { attemptId } = run.taskRun('other');

    const { ignored } = run.advance({
      kind: 'child_ended',
      attemptId,
      childRunId: toRunId(901),
      outcome: { kind: 'succeeded' },
    });

    expect(ignored.map(({ reason }) => reason)).toEqual(['another run']);
    expect(run.stateOf('other')).toBe('running_parts');
  });

  test('past its limit stops that run, and is timed out when it has ended', () => {
    const run = new RunUnderTest([aRunJob('other', { timeoutMs: 10 })]);
    run.startChild('other');
    run.nowMs += 10;

    const { commands } = run.advance();
    expect(commands).toContainEqual({ kind: 'stop_attempt', attemptId: run.taskRun('other').attemptId });
    run.endChild('other', { kind: 'cancelled' });

    expect(run.stateOf('other')).toBe('timed_out');
  });
});
