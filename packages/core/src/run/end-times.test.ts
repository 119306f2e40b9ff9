/** When things ended, where word of it comes late: the server or the store was away meanwhile. */
import { describe, expect, test } from 'vitest';
import { toRunId } from '../ids.ts';
import { aForEach, aRunJob, aTask, failed, RunUnderTest, retries } from './builders.ts';
import type { AttemptOutcome } from './events.ts';

const startMs = 1_000;

/** Word comes a minute later. */
function endLate(
  run: RunUnderTest,
  key: string,
  { endedAtMs, outcome = { kind: 'succeeded' } }: { endedAtMs: number; outcome?: AttemptOutcome },
) {
  const { attemptId, epoch } = run.taskRun(key);
  run.nowMs += 60_000;
  run.advance({ kind: 'attempt_ended', attemptId, epoch, outcome, taskValues: {}, endedAtMs });
}

const endOf = (run: RunUnderTest, key: string) => {
  const { state } = run.taskRun(key);
  return state.kind === 'ended' ? state.endedAtMs : null;
};

test('an attempt and its run end when the process did, not when that became known', () => {
  const run = new RunUnderTest([aTask('a')]);
  run.start('a');

  endLate(run, 'a', { endedAtMs: startMs + 5_000 });

  expect(endOf(run, 'a')).toBe(startMs + 5_000);
  expect(run.phase).toMatchObject({ kind: 'ended', result: 'succeeded', endedAtMs: startMs + 5_000 });
});

test.each([
  ['before its beginning', -3_600_000, startMs],
  ['after now', 3_600_000, startMs + 60_000],
])('a clock that puts the end %s is not believed', (_, offMs, expected) => {
  const run = new RunUnderTest([aTask('a')]);
  run.start('a');

  endLate(run, 'a', { endedAtMs: startMs + offMs });

  expect(endOf(run, 'a')).toBe(expected);
  expect(run.phase).toMatchObject({ endedAtMs: expected });
});

test('a run with tasks that go on ends with the last of them', () => {
  const run = new RunUnderTest([aTask('a'), aTask('b', { dependsOn: ['a'] })]);
  run.start('a');

  endLate(run, 'a', { endedAtMs: startMs + 5_000 });
  run.complete('b');

  expect(endOf(run, 'a')).toBe(startMs + 5_000);
  expect(run.phase).toMatchObject({ kind: 'ended', endedAtMs: startMs + 60_000 });
});

test('a run that is cancelled after the process ended does not end before it was cancelled', () => {
  const run = new RunUnderTest([aTask('a')]);
  run.start('a');
  run.nowMs += 10_000;
  run.cancel();

  endLate(run, 'a', { endedAtMs: startMs + 5_000, outcome: { kind: 'stopped' } });

  expect(run.phase).toMatchObject({ result: 'cancelled', endedAtMs: startMs + 10_000 });
});

test('a for-each ends with its last iteration', () => {
  const run = new RunUnderTest([aForEach('loop', aTask('each'))]);
  run.resolve('loop', ['x']);
  run.start('each#0');

  endLate(run, 'each#0', { endedAtMs: startMs + 5_000 });

  expect(endOf(run, 'loop')).toBe(startMs + 5_000);
  expect(run.phase).toMatchObject({ endedAtMs: startMs + 5_000 });
});

test('a task whose work is another run ends with that run', () => {
  const run = new RunUnderTest([aRunJob('call')]);
  run.startChild('call');
  run.nowMs += 60_000;

  const { attemptId } = run.taskRun('call');
  const outcome = { kind: 'succeeded' } as const;
  const childRunId = toRunId(900);
  run.advance({ kind: 'child_ended', attemptId, childRunId, outcome, endedAtMs: startMs + 5_000 });

  expect(endOf(run, 'call')).toBe(startMs + 5_000);
});

test('a retry that became due meanwhile begins at once', () => {
  const run = new RunUnderTest([aTask('a', { retry: retries(1, { intervalMinMs: 30_000 }) })]);
  run.start('a');

  endLate(run, 'a', { endedAtMs: startMs + 5_000, outcome: failed });

  expect(run.stateOf('a')).toBe('queued');
});

describe('a limit that passed while word of the end was on its way', () => {
  test('does not time out the run whose tasks had all ended', () => {
    const run = new RunUnderTest([aTask('a')], { timeoutMs: 30_000 });
    run.start('a');
    run.nowMs += 60_000;
    run.advance();
    expect(run.phase.kind).toBe('terminating');

    endLate(run, 'a', { endedAtMs: startMs + 20_000 });

    expect(run.phase).toMatchObject({ kind: 'ended', result: 'succeeded', endedAtMs: startMs + 20_000 });
  });

  test('times out the run that had more to do', () => {
    const run = new RunUnderTest([aTask('a'), aTask('b', { dependsOn: ['a'] })], { timeoutMs: 30_000 });
    run.start('a');
    run.nowMs += 60_000;
    run.advance();

    endLate(run, 'a', { endedAtMs: startMs + 20_000 });

    expect(run.phase).toMatchObject({ result: 'timed_out', endedAtMs: startMs + 60_000 });
  });

  test('leaves a task its own failure, and a retry', () => {
    const run = new RunUnderTest([aTask('a', { timeoutMs: 30_000, retry: retries(1) })]);
    run.start('a');
    run.nowMs += 60_000;
    run.advance();
    expect(run.stateOf('a')).toBe('stopping');

    endLate(run, 'a', { endedAtMs: startMs + 20_000, outcome: failed });

    expect(run.stateOf('a')).toBe('queued');
  });

  test('times out the task that ended after it, or was ended for it', () => {
    for (const [outcome, endedAtMs] of [
      [failed, startMs + 40_000],
      [{ kind: 'stopped' }, startMs + 20_000],
    ] as const) {
      const run = new RunUnderTest([aTask('a', { timeoutMs: 30_000 })]);
      run.start('a');
      run.nowMs += 60_000;
      run.advance();

      endLate(run, 'a', { endedAtMs, outcome });

      expect(run.stateOf('a')).toBe('timed_out');
    }
  });

  test('counts from the claim, as the limit itself does, and not from the first line of user code', () => {
    const run = new RunUnderTest([aTask('a', { timeoutMs: 30_000, retry: retries(1) })]);
    run.claim('a');
    run.nowMs += 20_000;
    const { attemptId, epoch } = run.taskRun('a');
    run.advance({ kind: 'attempt_started', attemptId, epoch, startedAtMs: run.nowMs });
    run.nowMs += 60_000;
    run.advance();
    expect(run.stateOf('a')).toBe('stopping');

    endLate(run, 'a', { endedAtMs: startMs + 40_000, outcome: failed });

    expect(run.stateOf('a')).toBe('timed_out');
  });
});
