/** From the queue to the end of a run: places, limits, what is told, and that nothing is told twice. */
import { describe, expect, test } from 'vitest';
import { toRunId } from '../ids.ts';
import { admit } from '../queue/admit.ts';
import { aTask, failed, RunUnderTest } from './builders.ts';
import { runCan } from './can.ts';
import { newRun } from './create.ts';
import { queuedMsMax } from './end-run.ts';
import { wakeAtMs } from './wake.ts';

describe('a place', () => {
  test.each([
    [{ activeRuns: 0, runsMax: 1, queueEnabled: false }, 'admit'],
    [{ activeRuns: 1, runsMax: 1, queueEnabled: false }, 'skip'],
    [{ activeRuns: 1, runsMax: 1, queueEnabled: true }, 'queue'],
    [{ activeRuns: 4, runsMax: 5, queueEnabled: true }, 'admit'],
    [{ activeRuns: 3, runsMax: 2, queueEnabled: false }, 'skip'],
    [{ activeRuns: 0, runsMax: 0, queueEnabled: true }, 'queue'],
  ])('%j: %s', (job, expected) => {
    expect(admit(job)).toBe(expected);
  });

  test('without one and without a queue a run is skipped, and has no task runs', () => {
    const run = newRun({
      runId: toRunId(1),
      jobId: null,
      definition: { tasks: [aTask('a')], timeoutMs: null },
      place: 'skip',
      nowMs: 5,
      newId: () => 1,
    });

    expect(run.generations[0]?.phase).toMatchObject({ kind: 'ended', result: 'skipped_no_place' });
    expect(run.taskRuns.size).toBe(0);
  });
});

describe('a queued run', () => {
  test('gives up after 48 hours: it is skipped for lack of a place', () => {
    const run = new RunUnderTest([aTask('a')], { place: 'queue' });
    run.nowMs += 48 * 3_600_000 - 1;
    run.advance();
    expect(run.phase.kind).toBe('queued');

    run.nowMs += 1;
    run.advance();

    expect(queuedMsMax).toBe(48 * 3_600_000);
    expect(run.phase).toMatchObject({ kind: 'ended', result: 'skipped_no_place' });
    expect(run.states()).toEqual({ a: 'cancelled' });
  });

  test('is woken for that, and its own limit does not count before it has started', () => {
    const run = new RunUnderTest([aTask('a')], { place: 'queue', timeoutMs: 1 });

    expect(wakeAtMs(run.run)).toBe(1_000 + 48 * 3_600_000);
    run.nowMs += 10;
    run.advance({ kind: 'admitted' });

    expect(run.stateOf('a')).toBe('queued');
    expect(wakeAtMs(run.run)).toBe(1_011);
  });

  test('a repair gives up 48 hours after it was asked for, not after the run was made', () => {
    const run = new RunUnderTest([aTask('a')]);
    run.complete('a', failed);
    run.nowMs += 100 * 3_600_000;
    run.repair({ rerunAllFailed: true }, { place: 'queue' });

    run.nowMs += 47 * 3_600_000;
    run.advance();

    expect(run.phase.kind).toBe('queued');
  });
});

describe('timeout_seconds of a job', () => {
  test('stops its tasks, and the run is timed out, with the limit in the message', () => {
    const run = new RunUnderTest([aTask('a'), aTask('b', { dependsOn: ['a'] })], { timeoutMs: 60_000 });
    run.start('a');
    run.nowMs += 60_000;

    run.advance();
    run.end('a', { kind: 'stopped' });

    expect(run.states()).toEqual({ a: 'timed_out', b: 'cancelled' });
    expect(run.phase).toMatchObject({
      result: 'timed_out',
      cause: { failure: { message: 'The job ran longer than its timeout_seconds of 60 seconds.' } },
    });
  });

  test('counts anew for a repair', () => {
    const run = new RunUnderTest([aTask('a')], { timeoutMs: 60_000 });
    run.complete('a', failed);
    run.nowMs += 600_000;

    run.repair({ rerunAllFailed: true });

    expect(run.stateOf('a')).toBe('queued');
    expect(wakeAtMs(run.run)).toBe(run.nowMs + 60_000);
  });
});

describe('what is told', () => {
  test('the start of the run, each end of a task, the end of the run: once each', () => {
    const run = new RunUnderTest([aTask('a'), aTask('b', { dependsOn: ['a'] })], { place: 'queue' });
    const told: string[] = [];
    const keep = ({ commands }: { commands: readonly { kind: string; subject?: { kind: string } }[] }) => {
      for (const { kind, subject } of commands) if (kind === 'notify' && subject) told.push(subject.kind);
    };

    keep(run.advance({ kind: 'admitted' }));
    keep(run.complete('a'));
    keep(run.complete('b'));
    keep(run.advance());
    keep(run.advance({ kind: 'admitted' }));

    expect(told).toEqual(['run_started', 'task_ended', 'task_ended', 'run_ended']);
  });

  test('an attempt that is followed by another is no end of its task', () => {
    const retry = { retriesMax: 1, intervalMinMs: 0, intervalMaxMs: null, onTimeout: false };
    const run = new RunUnderTest([aTask('a', { retry })]);

    const { commands } = run.complete('a', failed);

    expect(commands.filter(({ kind }) => kind === 'notify')).toEqual([]);
  });
});

test('what a phase allows', () => {
  expect(runCan.cancel.states).toEqual(['queued', 'running', 'terminating']);
  expect(runCan.delete.states).toEqual(['ended']);
});

test('task values of a failed attempt are visible to later tasks, and the next attempt adds to them', () => {
  const retry = { retriesMax: 1, intervalMinMs: 0, intervalMaxMs: null, onTimeout: false };
  const run = new RunUnderTest([aTask('a', { retry })]);
  const endWith = (outcome: typeof failed | { kind: 'succeeded' }, taskValues: Record<string, number>) => {
    run.start('a');
    const { attemptId, epoch } = run.taskRun('a');
    run.advance({ kind: 'attempt_ended', attemptId, epoch, outcome, taskValues });
    run.advance();
  };

  endWith(failed, { rows: 1, seen: 1 });
  endWith({ kind: 'succeeded' }, { rows: 2 });

  expect(run.run.taskValues.get('a')).toEqual({ rows: 2, seen: 1 });
});
