import { describe, expect, test } from 'vitest';
import { aForEach, aTask, failed, RunUnderTest, retries } from './builders.ts';
import type { JsonValue } from './state.ts';

interface Sketch {
  readonly concurrency?: number;
  readonly nested?: Parameters<typeof aTask>[1];
  readonly outer?: Parameters<typeof aTask>[1];
}

function loopOver(
  inputs: readonly JsonValue[],
  { concurrency = 1, nested, outer }: Sketch = {},
): RunUnderTest {
  const run = new RunUnderTest([
    aForEach('loop', aTask('one', nested), { ...outer, concurrency }),
    aTask('after', { dependsOn: ['loop'] }),
  ]);
  run.resolve('loop', inputs);
  return run;
}

/** Iterations that have been made, with their states. */
function iterationsOf(run: RunUnderTest): string[] {
  return Object.entries(run.states()).flatMap(([slot, state]) => (slot.startsWith('one#') ? [state] : []));
}

describe('inputs', () => {
  test('none: the for-each succeeds without an iteration', () => {
    const run = loopOver([]);

    expect(run.states()).toEqual({ loop: 'succeeded', after: 'queued' });
  });

  test('that are no list fail it, and its policy does not try again', () => {
    const run = new RunUnderTest([aForEach('loop', aTask('one'))]);

    run.failStep('loop');

    expect(run.states()).toEqual({ loop: 'failed' });
  });

  test('each iteration has its own', () => {
    const run = loopOver([{ town: 'Ulm' }, null], { concurrency: 2 });

    expect([run.taskRun('one#0').input, run.taskRun('one#1').input]).toEqual([{ town: 'Ulm' }, null]);
  });
});

describe('iterations', () => {
  test('no more are under way than concurrency says; one that ends makes room for the next', () => {
    const run = loopOver([1, 2, 3, 4], { concurrency: 2 });
    expect(iterationsOf(run)).toEqual(['queued', 'queued']);

    run.complete('one#1');

    expect(iterationsOf(run)).toEqual(['queued', 'succeeded', 'queued']);
  });

  test('one that waits for its next attempt keeps its room', () => {
    const run = loopOver([1, 2], { nested: { retry: retries(1, { intervalMinMs: 1_000 }) } });

    run.complete('one#0', failed);

    expect(iterationsOf(run)).toEqual(['waiting_for_retry']);
  });

  test('the for-each succeeds when all have', () => {
    const run = loopOver([1, 2]);

    run.complete('one#0');
    expect(run.stateOf('loop')).toBe('running_parts');
    run.complete('one#1');

    expect(run.states()).toMatchObject({ loop: 'succeeded', after: 'queued' });
  });

  test('one that fails does not keep the others from running, and fails the for-each at its end', () => {
    const run = loopOver([1, 2, 3]);
    run.complete('one#0');
    run.complete('one#1', failed);
    expect(run.stateOf('loop')).toBe('running_parts');

    run.complete('one#2');

    expect(run.states()).toMatchObject({ loop: 'failed', after: 'upstream_failed' });
    expect(run.phase).toMatchObject({
      cause: {
        taskKey: 'loop',
        failure: { message: '1 of 3 iterations failed; the first, iteration 1: ValueError: no' },
      },
    });
  });

  test('they are tried again by the policy of the nested task, each on its own', () => {
    const run = loopOver([1, 2], { concurrency: 2, nested: { retry: retries(1) } });

    run.complete('one#0', failed);
    run.advance();
    run.complete('one#0');
    run.complete('one#1');

    expect([run.taskRun('one#0').attempt, run.taskRun('one#1').attempt]).toEqual([1, 0]);
    expect(run.stateOf('loop')).toBe('succeeded');
  });

  test('one that is cancelled alone leaves the for-each cancelled, a failure beside it fails it', () => {
    const cancelled = loopOver([1, 2], { concurrency: 2 });
    cancelled.cancelTask('one#0');
    cancelled.complete('one#1');
    const failing = loopOver([1, 2], { concurrency: 2 });
    failing.cancelTask('one#0');
    failing.complete('one#1', failed);

    expect([cancelled.stateOf('loop'), failing.stateOf('loop')]).toEqual(['cancelled', 'failed']);
  });

  test('all excluded by their guard: the for-each succeeds', () => {
    const run = loopOver([1, 2], { concurrency: 2, nested: { guarded: true } });

    run.evaluate('one#0', false);
    run.evaluate('one#1', false);

    expect(iterationsOf(run)).toEqual(['excluded', 'excluded']);
    expect(run.stateOf('loop')).toBe('succeeded');
  });

  test('5,000 are made a few at a time', () => {
    const run = loopOver(
      Array.from({ length: 5_000 }, (_, at) => at),
      { concurrency: 100 },
    );

    expect(iterationsOf(run)).toHaveLength(100);
  });
});

describe('stopping', () => {
  test('a cancelled for-each stops what is live, ends what is not, begins nothing, and ends when all has', () => {
    const run = loopOver([1, 2, 3, 4], { concurrency: 3 });
    run.start('one#0');
    run.complete('one#1');

    run.cancelTask('loop');
    expect(iterationsOf(run)).toEqual(['stopping', 'succeeded', 'cancelled', 'cancelled']);
    expect(run.stateOf('loop')).toBe('running_parts');
    run.end('one#0', { kind: 'stopped' });

    expect(run.states()).toMatchObject({ loop: 'cancelled', after: 'upstream_cancelled' });
  });

  test('one that is past its limit stops its iterations and is timed out, without a further attempt of any', () => {
    const run = loopOver([1, 2], { outer: { timeoutMs: 10 }, nested: { retry: retries(5) } });
    run.start('one#0');
    run.nowMs += 10;

    run.advance();
    run.end('one#0', failed);

    expect(run.stateOf('loop')).toBe('timed_out');
    expect(iterationsOf(run)).toHaveLength(1);
    expect(run.taskRun('one#0').attempt).toBe(0);
  });

  test('an iteration past its own limit is timed out alone', () => {
    const run = loopOver([1, 2], { nested: { timeoutMs: 10 } });
    run.start('one#0');
    run.nowMs += 10;

    run.advance();
    run.end('one#0', { kind: 'stopped' });

    expect(iterationsOf(run)).toEqual(['timed_out', 'queued']);
  });

  test('a run past its limit stops a for-each with its iterations', () => {
    const run = new RunUnderTest([aForEach('loop', aTask('one'))], { timeoutMs: 10 });
    run.resolve('loop', [1, 2]);
    run.start('one#0');
    run.nowMs += 10;

    run.advance();
    run.end('one#0', { kind: 'stopped' });

    expect(run.states()).toEqual({ loop: 'timed_out', 'one#0': 'timed_out' });
    expect(run.phase).toMatchObject({ result: 'timed_out' });
  });
});

describe('repair', () => {
  function failedLoop(inputs: readonly JsonValue[]): RunUnderTest {
    const run = loopOver(inputs, { concurrency: inputs.length });
    for (const at of inputs.keys()) run.complete(`one#${at}`, at === 1 ? failed : { kind: 'succeeded' });
    return run;
  }
  const begun = (run: RunUnderTest) =>
    [...run.run.taskRuns.values()].flatMap(({ iteration, generation }) =>
      iteration !== null && generation === 1 ? [iteration] : [],
    );

  test('only iterations that failed run again', () => {
    const run = failedLoop([1, 2, 3]);

    run.repair({ rerunAllFailed: true });
    run.resolve('loop', [1, 2, 3]);
    run.complete('one#1');

    expect(begun(run)).toEqual([1]);
    expect(run.states()).toMatchObject({ loop: 'succeeded', after: 'queued' });
  });

  test('one whose input is another now runs again too, and so does one that is new', () => {
    const run = failedLoop([1, 2, 3]);

    run.repair({ rerunAllFailed: true });
    run.resolve('loop', [1, 2, 30, 4]);
    for (const slot of ['one#1', 'one#2', 'one#3']) if (run.run.taskRuns.has(slot)) run.complete(slot);

    expect(begun(run)).toEqual([1, 2, 3]);
  });

  test('the order of the members of an input makes no other input of it', () => {
    const run = failedLoop([{ a: 1, b: [{ c: 2, d: 3 }] }, 2]);

    run.repair({ rerunAllFailed: true });
    run.resolve('loop', [{ b: [{ d: 3, c: 2 }], a: 1 }, 2]);

    expect(begun(run)).toEqual([1]);
  });

  test.each<[string, JsonValue, JsonValue]>([
    ['a list and an object', [1], { 0: 1 }],
    ['a member more', { a: 1 }, { a: 1, b: 1 }],
    ['another member', { a: 1 }, { b: 1 }],
    ['a number and its text', 1, '1'],
    ['null and an object', null, {}],
    ['another order of a list', [1, 2], [2, 1]],
  ])('%s are not the same input', (_, before, now) => {
    const run = failedLoop([before, 2]);

    run.repair({ rerunAllFailed: true });
    run.resolve('loop', [now, 2]);

    expect(run.taskRun('one#0').generation).toBe(1);
  });

  test('with new parameters all run again', () => {
    const run = failedLoop([1, 2]);

    run.repair({ rerunAllFailed: true, changesParameters: true });
    run.resolve('loop', [1, 2]);

    expect(run.taskRun('one#0').generation).toBe(1);
  });

  test('fewer inputs than before: what is left over does not count', () => {
    const run = failedLoop([1, 2, 3]);

    run.repair({ rerunAllFailed: true });
    run.resolve('loop', [1]);

    expect(run.stateOf('loop')).toBe('succeeded');
  });
});
