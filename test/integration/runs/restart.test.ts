import { toAttemptId } from '@headrace/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

test.each(['restart', 'crash'] as const)(
  'after a %s in the middle all runs end, and nothing runs twice',
  async (how) => {
    const slow = { kind: 'succeed', afterMs: 400 };
    const { run_id } = await engine.client.runsSubmit({
      run_name: 'interrupted',
      tasks: [
        fakeTask('first'),
        fakeTask('second', { after: ['first'], fake: slow }),
        fakeTask('third', { after: ['second'], fake: slow }),
      ],
    });
    await engine.waitFor('the second task to run', async () => {
      const run = await engine.client.runsGet({ run_id });
      return run.tasks?.[1]?.state.life_cycle_state === 'RUNNING';
    });

    await engine[how]();
    const run = await engine.waitForEnd(run_id);

    expect(run.tasks?.map((task) => [task.task_key, task.attempt_number, task.state.result_state])).toEqual([
      ['first', 0, 'SUCCESS'],
      ['second', 0, 'SUCCESS'],
      ['third', 0, 'SUCCESS'],
    ]);
    const starts = engine.starts.filter((start) => start.startsWith(`${run_id} `));
    expect(starts.toSorted()).toEqual([`${run_id} first 0`, `${run_id} second 0`, `${run_id} third 0`]);
  },
);

test('a crash while many runs are under way loses none of them and doubles none', async () => {
  const keys = ['a', 'b', 'c', 'd', 'e'];
  const tasks = keys.map((key, index) =>
    fakeTask(key, {
      after: keys.slice(Math.max(0, index - 1), index),
      fake: { kind: 'succeed', afterMs: 5 },
    }),
  );
  const runs = await Promise.all(
    Array.from({ length: 20 }, (_, index) => engine.client.runsSubmit({ run_name: `many ${index}`, tasks })),
  );

  for (let crashes = 0; crashes < 3; crashes++) {
    await new Promise((resolve) => setTimeout(resolve, 30 + 40 * crashes));
    await engine.crash();
  }
  const ended = await Promise.all(runs.map(({ run_id }) => engine.waitForEnd(run_id)));

  expect(ended.map((run) => run.state.result_state)).toEqual(runs.map(() => 'SUCCESS'));
  const runIds = new Set(runs.map(({ run_id }) => String(run_id)));
  const starts = engine.starts.filter((start) => runIds.has(start.split(' ')[0] ?? ''));
  expect(starts.length).toBe(100);
  expect(new Set(starts).size).toBe(100);
});

test('doubled, late and fenced-off reports change nothing', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'reported',
    tasks: [fakeTask('load', { fake: { kind: 'hang' } })],
  });
  const taskRun = await engine.waitFor('the task to run', async () => {
    const run = await engine.client.runsGet({ run_id });
    const [found] = run.tasks ?? [];
    return found?.state.life_cycle_state === 'RUNNING' && found;
  });
  const { rows } = await engine.db.pool.query('select epoch from task_runs where attempt_id = $1', [
    taskRun.run_id,
  ]);
  const attemptId = toAttemptId(taskRun.run_id);
  const { epoch } = rows[0] as { epoch: number };
  const ended = (atEpoch: number) => ({
    kind: 'ended' as const,
    attemptId,
    epoch: atEpoch,
    outcome: { kind: 'succeeded' as const },
    taskValues: {},
    exitValue: null,
  });
  const source = engine.runs.source;

  await source.report('w1', [ended(epoch - 1)]);
  expect((await engine.client.runsGet({ run_id })).status.state).toBe('RUNNING');
  await source.report('w1', [ended(epoch), ended(epoch)]);
  const first = await engine.client.runsGet({ run_id });
  await source.report('w1', [ended(epoch)]);
  await source.report('w1', [{ kind: 'lost', attemptId, epoch, beforeUserCode: false, message: 'late' }]);

  expect(first.state.result_state).toBe('SUCCESS');
  expect(await engine.client.runsGet({ run_id })).toEqual(first);
});

test('runs that were queued for a worker before the restart are found after it', async () => {
  const idle = await startTestEngine({ hasWorker: false });
  try {
    const { run_id } = await idle.client.runsSubmit({ run_name: 'waiting', tasks: [fakeTask('load')] });
    await idle.restart();
    const claimed = await idle.runs.source.claim({
      workerId: 'late',
      freeSlots: () => 1,
      prepare: () => {},
      signal: AbortSignal.timeout(5_000),
    });

    expect(claimed.map((attempt) => [attempt.runId, attempt.taskKey, attempt.epoch])).toEqual([
      [run_id, 'load', 1],
    ]);
  } finally {
    await idle.close();
  }
});
