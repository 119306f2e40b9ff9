/** Repairs: which tasks run again, what is refused, and what a repair leaves as it is. */
import { describe, expect, test } from 'vitest';
import { aCondition, aForEach, aRunJob, aTask, branch, failed, RunUnderTest } from './builders.ts';
import { planRepair } from './repair.ts';
import type { RunDefinition } from './state.ts';

const tasks = [
  aTask('a'),
  aTask('bad', { dependsOn: ['a'] }),
  aTask('after', { dependsOn: ['bad'] }),
  aTask('beside'),
];

/** `bad` has failed, `after` was skipped for it, the others have succeeded. */
function failedRun(): RunUnderTest {
  const run = new RunUnderTest(tasks);
  run.complete('a');
  run.complete('beside');
  run.complete('bad', failed);
  return run;
}

/** Tasks with an attempt in the last generation. */
function rerunOf(run: RunUnderTest): string[] {
  const last = run.run.generations.length - 1;
  return [...run.run.taskRuns.values()]
    .filter(({ generation }) => generation === last)
    .map(({ taskKey }) => taskKey);
}

const refusalOf = (run: RunUnderTest) => run.last?.ignored[0]?.reason ?? null;

describe('what runs again', () => {
  test('rerun_tasks: these alone; what was skipped for them stays skipped, and fails the run again', () => {
    const run = failedRun();

    run.repair({ rerunTasks: ['bad'] });
    run.complete('bad');

    expect(rerunOf(run)).toEqual(['bad']);
    expect(run.stateOf('after')).toBe('upstream_failed');
    expect(run.phase).toMatchObject({ result: 'failed' });
  });

  test('rerun_dependent_tasks: with them all that depend on them, near and far', () => {
    const run = failedRun();

    run.repair({ rerunTasks: ['a'], rerunDependent: true });

    expect(rerunOf(run)).toEqual(['a', 'bad', 'after']);
  });

  test('rerun_all_failed_tasks: what failed, and what was skipped for it', () => {
    const run = failedRun();

    run.repair({ rerunAllFailed: true });

    expect(rerunOf(run)).toEqual(['bad', 'after']);
  });

  test('rerun_all_failed_tasks: what timed out or was cancelled, and what was skipped for that', () => {
    const run = new RunUnderTest([
      aTask('slow', { timeoutMs: 1 }),
      aTask('stopped'),
      aTask('after', { dependsOn: ['stopped'] }),
      aTask('off', { disabled: true }),
      aCondition('is_good'),
      aTask('no', { dependsOn: [branch('is_good', false)] }),
    ]);
    run.evaluate('is_good', true);
    run.cancelTask('stopped');
    run.start('slow');
    run.nowMs += 1;
    run.advance();
    run.end('slow', { kind: 'stopped' });

    run.repair({ rerunAllFailed: true });

    expect(rerunOf(run)).toEqual(['slow', 'stopped', 'after']);
  });

  test('a failed task is chosen together with others that are named', () => {
    const run = failedRun();

    run.repair({ rerunAllFailed: true, rerunTasks: ['beside'] });

    expect(rerunOf(run)).toEqual(['bad', 'after', 'beside']);
  });

  test('a task whose parent does not run again goes by how that parent ended', () => {
    const run = failedRun();

    run.repair({ rerunTasks: ['after'] });

    expect(run.stateOf('after')).toBe('upstream_failed');
    expect(run.taskRun('after').generation).toBe(1);
    expect(run.phase).toMatchObject({ result: 'failed' });
  });

  test('a condition that is not evaluated again keeps its outcome for what runs again', () => {
    const run = new RunUnderTest([
      aCondition('is_good'),
      aTask('yes', { dependsOn: [branch('is_good', true)] }),
      aTask('no', { dependsOn: [branch('is_good', false)] }),
    ]);
    run.evaluate('is_good', true);
    run.complete('yes', failed);

    run.repair({ rerunTasks: ['yes', 'no'] });

    expect(run.states()).toEqual({ is_good: 'succeeded', yes: 'queued', no: 'excluded' });
  });

  test('a task that the job has since runs too, one that it has no more counts for nothing', () => {
    const run = failedRun();
    const definition: RunDefinition = {
      tasks: [aTask('a'), aTask('new', { dependsOn: ['a'] })],
      timeoutMs: null,
    };

    run.repair({ rerunTasks: ['a'], definition });
    expect(rerunOf(run)).toEqual(['a', 'new']);
    run.complete('a');
    run.complete('new');

    expect(run.phase).toMatchObject({ result: 'succeeded' });
  });

  test('the policy and the parents of a task are those of the definition of the repair', () => {
    const run = failedRun();
    const definition: RunDefinition = {
      tasks: [
        aTask('a'),
        aTask('bad', { runIf: 'ALL_DONE' }),
        aTask('after', { dependsOn: ['a'] }),
        aTask('beside'),
      ],
      timeoutMs: null,
    };

    run.repair({ rerunAllFailed: true, definition });

    expect(run.states()).toMatchObject({ bad: 'queued', after: 'queued' });
  });

  test('task values of tasks that do not run again stay, those of others until they are set anew', () => {
    const run = new RunUnderTest([aTask('a'), aTask('bad', { dependsOn: ['a'] })]);
    run.start('a');
    const { attemptId, epoch } = run.taskRun('a');
    const values = { rows: 3 };
    run.advance({
      kind: 'attempt_ended',
      attemptId,
      epoch,
      outcome: { kind: 'succeeded' },
      taskValues: values,
    });
    run.complete('bad', failed);

    run.repair({ rerunTasks: ['a', 'bad'] });

    expect(run.run.taskValues.get('a')).toEqual({ rows: 3 });
  });

  test('attempts are counted over repairs, and from 0 within each', () => {
    const run = failedRun();

    run.repair({ rerunTasks: ['bad'] });

    expect(run.taskRun('bad')).toMatchObject({ attempt: 0, earlierAttempts: 1, generation: 1 });
  });

  test('a task whose work is another run starts a new one', () => {
    const run = new RunUnderTest([aRunJob('other')]);
    run.startChild('other');
    run.endChild('other', { kind: 'cancelled' });

    run.repair({ rerunAllFailed: true });

    expect(run.taskRun('other')).toMatchObject({ childRunId: null, state: { kind: 'ready' } });
  });
});

describe('what is refused', () => {
  test('nothing chosen', () => {
    const run = failedRun();

    run.repair({});

    expect(refusalOf(run)).toContain('nothing is chosen');
    expect(run.run.generations).toHaveLength(1);
  });

  test('all failed ones of a run without any', () => {
    const run = new RunUnderTest([aTask('a')]);
    run.complete('a');

    run.repair({ rerunAllFailed: true });

    expect(refusalOf(run)).toContain('no task of this run needs to run again');
  });

  test('tasks that are not there, by their names', () => {
    const run = failedRun();

    run.repair({ rerunTasks: ['bad', 'x'] });

    expect(refusalOf(run)).toContain('x: no such task');
  });

  test('the key of what a for-each repeats', () => {
    const run = new RunUnderTest([aForEach('loop', aTask('one'))]);
    run.failStep('loop');

    run.repair({ rerunTasks: ['one'] });

    expect(refusalOf(run)).toContain('one: no such task');
  });

  test('a second repair that does not name the first, or names another', () => {
    const run = failedRun();
    run.repair({ rerunTasks: ['bad'] }, { repairId: 5 });
    run.complete('bad', failed);

    run.repair({ rerunTasks: ['bad'], latestRepairId: null });
    expect(refusalOf(run)).toContain('latest repair, 5');
    run.repair({ rerunTasks: ['bad'], latestRepairId: 4 });
    expect(refusalOf(run)).toContain('the latest repair is 5, not 4');
    run.repair({ rerunTasks: ['bad'], latestRepairId: 5 });

    expect(run.run.generations).toHaveLength(3);
  });

  test('a run that is active, queued or being cancelled', () => {
    const active = new RunUnderTest(tasks);
    const queued = new RunUnderTest(tasks, { place: 'queue' });
    const ending = new RunUnderTest(tasks);
    ending.start('a');
    ending.cancel();

    active.repair({ rerunTasks: ['a'] }, { place: 'keep' });
    queued.repair({ rerunTasks: ['a'], whileActive: true }, { place: 'keep' });
    ending.repair({ rerunTasks: ['a'], whileActive: true }, { place: 'keep' });

    expect([active, queued, ending].map(refusalOf)).toEqual([
      expect.stringContaining('the run is active'),
      expect.stringContaining('the run is queued'),
      expect.stringContaining('the run is terminating'),
    ]);
  });
});

describe('while the run is active', () => {
  const activeTasks = [
    aTask('bad'),
    aTask('after_bad', { dependsOn: ['bad'] }),
    aTask('live'),
    aTask('after_live', { dependsOn: ['live'] }),
    aTask('join', { dependsOn: ['bad', 'live'], runIf: 'ALL_DONE' }),
  ];
  function activeRun(): RunUnderTest {
    const run = new RunUnderTest(activeTasks);
    run.start('live');
    run.complete('bad', failed);
    return run;
  }
  const repair = (run: RunUnderTest, request: Parameters<RunUnderTest['repair']>[0]) =>
    run.repair({ whileActive: true, ...request }, { place: 'keep' });

  test('what is live is carried over and counts once; the old generation ends as continued, without a word', () => {
    const run = activeRun();
    const { attemptId } = run.taskRun('live');

    const { commands } = repair(run, { rerunAllFailed: true });

    expect(run.taskRun('live')).toMatchObject({ attemptId, generation: 1, state: { kind: 'running' } });
    expect(run.run.generations[0]?.phase).toMatchObject({ kind: 'ended', result: 'continued' });
    expect(commands.filter(({ kind }) => kind === 'notify')).toEqual([]);
    for (const key of ['live', 'after_live', 'bad', 'after_bad', 'join']) {
      if (key === 'live') run.end('live');
      else run.complete(key);
    }
    expect(run.phase).toMatchObject({ result: 'succeeded' });
  });

  test('a chosen task that is live is refused', () => {
    const run = activeRun();

    repair(run, { rerunTasks: ['live'] });

    expect(refusalOf(run)).toBe('live: has not ended');
  });

  test('a chosen task on which a live one depends is refused', () => {
    const run = new RunUnderTest([aTask('first'), aTask('second', { dependsOn: ['first'] })]);
    run.complete('first');
    run.start('second');

    repair(run, { rerunTasks: ['first'] });

    expect(refusalOf(run)).toBe('second: depends on a task to run again and is under way');
  });

  test('one that still waits follows the new attempts, chosen with them or not', () => {
    for (const rerunDependent of [true, false]) {
      const run = activeRun();

      repair(run, { rerunTasks: ['bad'], rerunDependent });
      run.complete('bad');
      run.end('live');

      expect(run.stateOf('join')).toBe('queued');
      expect(run.stateOf('after_bad')).toBe(rerunDependent ? 'queued' : 'upstream_failed');
    }
  });

  test('its definition stays: what is under way must keep it', () => {
    const run = activeRun();
    const definition = { tasks: [...activeTasks, aTask('new')], timeoutMs: 1 };

    repair(run, { rerunTasks: ['bad'], definition });

    expect(run.run.generations[1]?.definition).toBe(run.run.generations[0]?.definition);
    expect(run.run.taskRuns.has('new')).toBe(false);
  });
});

describe('a repair that waits for a place', () => {
  test('starts nothing until it is admitted', () => {
    const run = failedRun();

    run.repair({ rerunAllFailed: true }, { place: 'queue' });
    expect(run.states()).toMatchObject({ bad: 'blocked', after: 'blocked' });
    run.advance({ kind: 'admitted' });

    expect(run.stateOf('bad')).toBe('queued');
  });

  test('can be cancelled: what it would have run again is cancelled, the rest stands', () => {
    const run = failedRun();
    run.repair({ rerunAllFailed: true }, { place: 'queue' });

    run.cancel();

    expect(run.states()).toEqual({
      a: 'succeeded',
      bad: 'cancelled',
      after: 'cancelled',
      beside: 'succeeded',
    });
    expect(run.phase).toMatchObject({ kind: 'ended', result: 'cancelled' });
  });
});

test('the preview decides what the repair decides', () => {
  const run = failedRun();
  const request = run.repairRequest({ rerunTasks: ['after', 'beside'] });

  const planned = planRepair(run.run, request);
  run.repair(request);

  expect(planned).toMatchObject({
    kind: 'planned',
    tasks: expect.arrayContaining([
      { key: 'a', action: 'reuse' },
      { key: 'bad', action: 'reuse' },
      { key: 'after', action: 'skip' },
      { key: 'beside', action: 'rerun' },
    ]),
  });
  expect(run.states()).toEqual({ a: 'succeeded', bad: 'failed', after: 'upstream_failed', beside: 'queued' });
});

test('an ended generation never changes, and each end of a repair is told once', () => {
  const run = failedRun();
  const [original] = run.run.generations;

  run.repair({ rerunAllFailed: true });
  run.complete('bad');
  const { commands } = run.complete('after');

  expect(run.run.generations[0]).toBe(original);
  expect(commands.flatMap((each) => (each.kind === 'notify' ? [each.subject] : []))).toContainEqual({
    kind: 'run_ended',
    generation: 1,
    result: 'succeeded',
  });
});

test('news of an attempt from before the repair changes nothing', () => {
  const run = failedRun();
  const { attemptId, epoch } = run.taskRun('bad');
  run.repair({ rerunTasks: ['bad'] });

  run.advance({
    kind: 'attempt_ended',
    attemptId,
    epoch,
    outcome: { kind: 'succeeded' },
    taskValues: { late: 1 },
  });

  expect(run.stateOf('bad')).toBe('queued');
  expect(run.run.taskValues.get('bad')).toBeUndefined();
});
