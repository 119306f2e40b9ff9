/** "Graph rules" and the ends of runs, as the project's decisions have them, each played through a run. */
import { describe, expect, test } from 'vitest';
import { afterParents, aTask, failed, RunUnderTest, runEnding } from './builders.ts';
import type { EndedResult, RunIf, RunResult } from './state.ts';

const failures: readonly EndedResult[] = ['failed', 'timed_out', 'upstream_failed', 'internal_error'];

function childAfter(runIf: RunIf, results: readonly EndedResult[]): string {
  const run = afterParents(runIf, results);
  expect(results.map((_, at) => run.stateOf(`p${at}`))).toEqual(results);
  return run.stateOf('child');
}

describe('run_if', () => {
  test.each<[string, RunIf, readonly EndedResult[], string]>([
    ['ALL_SUCCESS is met when every parent succeeded', 'ALL_SUCCESS', ['succeeded', 'succeeded'], 'queued'],
    [
      'AT_LEAST_ONE_SUCCESS is met when one succeeded',
      'AT_LEAST_ONE_SUCCESS',
      ['failed', 'succeeded'],
      'queued',
    ],
    [
      'AT_LEAST_ONE_SUCCESS without one gives UPSTREAM_FAILED',
      'AT_LEAST_ONE_SUCCESS',
      ['failed', 'excluded'],
      'upstream_failed',
    ],
    ['NONE_FAILED is met when none failed', 'NONE_FAILED', ['succeeded', 'disabled'], 'queued'],
    [
      'NONE_FAILED is met when one was excluded and one not',
      'NONE_FAILED',
      ['succeeded', 'excluded'],
      'queued',
    ],
    [
      'ALL_DONE is met when all ended, however',
      'ALL_DONE',
      ['failed', 'cancelled', 'disabled', 'excluded'],
      'queued',
    ],
    ['AT_LEAST_ONE_FAILED is met when one failed', 'AT_LEAST_ONE_FAILED', ['succeeded', 'failed'], 'queued'],
    [
      'AT_LEAST_ONE_FAILED without one gives EXCLUDED',
      'AT_LEAST_ONE_FAILED',
      ['succeeded', 'succeeded'],
      'excluded',
    ],
    ['ALL_FAILED is met when all failed', 'ALL_FAILED', ['failed', 'timed_out'], 'queued'],
    ['ALL_FAILED with a success gives EXCLUDED', 'ALL_FAILED', ['failed', 'succeeded'], 'excluded'],
    [
      'ALL_FAILED with an excluded parent is not met: all parents count',
      'ALL_FAILED',
      ['failed', 'excluded'],
      'excluded',
    ],
    [
      'AT_LEAST_ONE_SUCCESS with all disabled gives DISABLED',
      'AT_LEAST_ONE_SUCCESS',
      ['disabled', 'disabled'],
      'disabled',
    ],
    ['one excluded parent under ALL_SUCCESS excludes', 'ALL_SUCCESS', ['succeeded', 'excluded'], 'excluded'],
    ['a disabled parent under ALL_SUCCESS disables', 'ALL_SUCCESS', ['succeeded', 'disabled'], 'disabled'],
    [
      'a cancelled parent under ALL_SUCCESS gives UPSTREAM_CANCELED',
      'ALL_SUCCESS',
      ['succeeded', 'cancelled'],
      'upstream_cancelled',
    ],
    [
      'one that was skipped for a cancelled one does too',
      'ALL_SUCCESS',
      ['upstream_cancelled'],
      'upstream_cancelled',
    ],
  ])('%s', (_, runIf, parents, expected) => {
    expect(childAfter(runIf, parents)).toBe(expected);
  });

  test.each(failures)('failed means %s too', (result) => {
    expect(childAfter('ALL_SUCCESS', ['succeeded', result])).toBe('upstream_failed');
    expect(childAfter('NONE_FAILED', ['succeeded', result])).toBe('upstream_failed');
    expect(childAfter('AT_LEAST_ONE_FAILED', ['succeeded', result])).toBe('queued');
    expect(childAfter('ALL_FAILED', [result])).toBe('queued');
  });

  test('a task run cancelled on its own counts as failed for the rules that ask about failure', () => {
    expect(childAfter('AT_LEAST_ONE_FAILED', ['succeeded', 'cancelled'])).toBe('queued');
    expect(childAfter('ALL_FAILED', ['cancelled'])).toBe('queued');
    expect(childAfter('NONE_FAILED', ['succeeded', 'cancelled'])).toBe('upstream_cancelled');
  });

  test('one that was skipped for a cancelled one does not count as failed', () => {
    expect(childAfter('AT_LEAST_ONE_FAILED', ['upstream_cancelled'])).toBe('excluded');
    expect(childAfter('NONE_FAILED', ['upstream_cancelled'])).toBe('queued');
  });

  test.each<[readonly EndedResult[], string]>([
    [['excluded', 'disabled', 'cancelled', 'failed'], 'upstream_failed'],
    [['excluded', 'disabled', 'cancelled'], 'upstream_cancelled'],
    [['excluded', 'disabled'], 'disabled'],
  ])('of several causes %j the gravest is told: %s', (parents, expected) => {
    expect(childAfter('ALL_SUCCESS', parents)).toBe(expected);
  });

  test.each<RunIf>([
    'ALL_SUCCESS',
    'AT_LEAST_ONE_SUCCESS',
    'NONE_FAILED',
    'ALL_DONE',
    'AT_LEAST_ONE_FAILED',
    'ALL_FAILED',
  ])('all parents excluded exclude a task, although it says %s', (runIf) => {
    expect(childAfter(runIf, ['excluded', 'excluded'])).toBe('excluded');
  });

  test('a disabled task is disabled before its parents have ended, whatever its run_if', () => {
    const run = new RunUnderTest([
      aTask('a'),
      aTask('off', { dependsOn: ['a'], disabled: true, runIf: 'ALL_DONE' }),
    ]);

    expect(run.states()).toEqual({ a: 'queued', off: 'disabled' });
  });

  test('a task waits until every parent has ended, although one already decides', () => {
    const run = new RunUnderTest([aTask('a'), aTask('b'), aTask('child', { dependsOn: ['a', 'b'] })]);

    run.complete('a', failed);
    expect(run.stateOf('child')).toBe('blocked');
    run.complete('b');

    expect(run.stateOf('child')).toBe('upstream_failed');
  });

  test('a task with many parents and one with many children: each starts once', () => {
    const middle = Array.from({ length: 50 }, (_, at) => `m${at}`);
    const run = new RunUnderTest([
      aTask('root'),
      ...middle.map((key) => aTask(key, { dependsOn: ['root'] })),
      aTask('join', { dependsOn: middle }),
    ]);

    const { commands } = run.complete('root');
    for (const key of middle) run.complete(key);
    run.complete('join');

    expect(commands.filter(({ kind }) => kind === 'start_attempt')).toHaveLength(50);
    expect(run.phase).toMatchObject({ result: 'succeeded' });
  });

  test('why a task was skipped is kept: its run_if and the parents that decided', () => {
    const run = new RunUnderTest([
      aTask('good'),
      aTask('bad'),
      aTask('child', { dependsOn: ['good', 'bad'] }),
    ]);
    run.complete('good');

    const { decisions } = run.complete('bad', failed);

    expect(decisions).toEqual([
      {
        kind: 'run_if_not_met',
        attemptId: run.taskRun('child').attemptId,
        runIf: 'ALL_SUCCESS',
        result: 'upstream_failed',
        parents: [{ key: 'bad', result: 'failed' }],
      },
    ]);
  });
});

describe('how a run ends', () => {
  test.each<[EndedResult, RunResult]>([
    ['succeeded', 'succeeded'],
    ['failed', 'failed'],
    ['internal_error', 'failed'],
    ['upstream_failed', 'failed'],
    ['timed_out', 'failed'],
    ['cancelled', 'cancelled'],
    ['upstream_cancelled', 'cancelled'],
    ['excluded', 'succeeded'],
    ['disabled', 'succeeded'],
  ])('with a leaf that is %s it is %s', (leaf, expected) => {
    expect(runEnding([leaf]).phase).toMatchObject({ kind: 'ended', result: expected });
  });

  test('a leaf that failed decides before one that was cancelled, timed out or succeeded', () => {
    expect(runEnding(['succeeded', 'failed', 'cancelled', 'timed_out']).phase).toMatchObject({
      result: 'failed',
    });
    expect(runEnding(['succeeded', 'cancelled']).phase).toMatchObject({ result: 'cancelled' });
    expect(runEnding(['cancelled', 'timed_out']).phase).toMatchObject({ result: 'failed' });
  });

  test('excluded and disabled leaves do not count beside one that failed or succeeded', () => {
    expect(runEnding(['excluded', 'disabled', 'succeeded']).phase).toMatchObject({ result: 'succeeded' });
    expect(runEnding(['excluded', 'disabled', 'failed']).phase).toMatchObject({ result: 'failed' });
  });

  test('a failure before a leaf that succeeded leaves a success with failures', () => {
    const run = afterParents('AT_LEAST_ONE_FAILED', ['failed', 'succeeded']);

    run.complete('child');

    expect(run.phase).toMatchObject({ result: 'succeeded_with_failures', cause: null });
  });

  test('a failure for which the only leaf was excluded leaves one too: excluded leaves do not count', () => {
    const run = afterParents('ALL_FAILED', ['failed', 'succeeded']);

    expect(run.stateOf('child')).toBe('excluded');
    expect(run.phase).toMatchObject({ result: 'succeeded_with_failures' });
  });

  test.each([[['early', 'late']], [['late', 'early']]])(
    'of several failures the first in time is told, whatever the order of the tasks: %j',
    (keys) => {
      const run = new RunUnderTest(keys.map((key) => aTask(key)));
      run.start('late');
      run.start('early');
      run.end('early', failed);
      run.nowMs += 5;

      run.end('late', failed);

      expect(run.phase).toMatchObject({ result: 'failed', cause: { taskKey: 'early' } });
    },
  );
});
