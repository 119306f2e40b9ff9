import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attemptsOf, resultsOf, runJob } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

const boom = { kind: 'fail', failure: { message: 'ValueError: again' } };

test('a failed task is tried again as its policy says, each attempt a task run of its own', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'retry',
    tasks: [fakeTask('load', { fake: boom, max_retries: 2, min_retry_interval_millis: 30 })],
  });

  const run = await engine.waitForEnd(run_id);

  expect(run.tasks?.map((task) => task.attempt_number)).toEqual([0, 1, 2]);
  expect(new Set(run.tasks?.map((task) => task.run_id)).size).toBe(3);
  const [first, second] = run.tasks ?? [];
  expect((second?.start_time ?? 0) - (first?.start_time ?? 0)).toBeGreaterThanOrEqual(30);
});

test('a task that runs too long is stopped and timed out, without a retry', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'slow',
    tasks: [fakeTask('load', { fake: { kind: 'hang' }, timeout_seconds: 1, max_retries: 3 })],
  });

  const run = await engine.waitForEnd(run_id);

  expect(run.tasks).toHaveLength(1);
  expect(run.tasks?.[0]?.state).toMatchObject({ life_cycle_state: 'TERMINATED', result_state: 'TIMEDOUT' });
  expect(run.tasks?.[0]?.state.state_message).toContain('timeout_seconds of 1 seconds');
  expect(run.state.result_state).toBe('FAILED');
});

test('a run that takes too long stops its tasks and starts no others', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'slow',
    timeout_seconds: 1,
    tasks: [fakeTask('load', { fake: { kind: 'hang' } }), fakeTask('report', { after: ['load'] })],
  });

  const run = await engine.waitForEnd(run_id);

  expect(run.state).toMatchObject({ life_cycle_state: 'TERMINATED', result_state: 'TIMEDOUT' });
  expect(run.tasks?.map((task) => task.state.result_state)).toEqual(['TIMEDOUT', 'CANCELED']);
});

test('with a maximum the time between attempts doubles up to it, from start to start', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'backing off',
    tasks: [
      fakeTask('load', {
        fake: boom,
        max_retries: 4,
        min_retry_interval_millis: 40,
        max_retry_interval_millis: 160,
      }),
    ],
  });

  const run = await engine.waitForEnd(run_id);

  const starts = run.tasks?.map((task) => task.start_time ?? 0) ?? [];
  const intervals = starts.slice(1).map((start, at) => start - (starts[at] ?? 0));
  expect(intervals).toHaveLength(4);
  for (const [at, atLeast] of [40, 80, 160, 160].entries()) {
    expect(intervals[at]).toBeGreaterThanOrEqual(atLeast);
  }
});

test('retry_on_timeout tries again, and the limit holds for each attempt', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'slow twice',
    tasks: [
      fakeTask('load', {
        fake: { kind: 'hang' },
        timeout_seconds: 1,
        max_retries: 1,
        retry_on_timeout: true,
      }),
    ],
  });

  const run = await engine.waitForEnd(run_id);

  expect(run.tasks?.map((task) => [task.attempt_number, task.state.result_state])).toEqual([
    [0, 'TIMEDOUT'],
    [1, 'TIMEDOUT'],
  ]);
});

test('-1 tries for ever: until someone cancels', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'stubborn',
    tasks: [fakeTask('load', { fake: boom, max_retries: -1 })],
  });
  await engine.waitFor('many attempts', async () => {
    const run = await engine.client.runsGet({ run_id });
    return (run.tasks?.length ?? 0) > 10;
  });

  await engine.client.runsCancel({ run_id });

  expect((await engine.waitForEnd(run_id)).state.result_state).toBe('CANCELED');
});

test('a retry that waits is neither lost nor early after a crash', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'waits over a crash',
    tasks: [fakeTask('load', { fake: boom, max_retries: 1, min_retry_interval_millis: 1_500 })],
  });
  await engine.waitFor('the retry', async () => {
    const run = await engine.client.runsGet({ run_id });
    return run.tasks?.at(-1)?.state.life_cycle_state === 'WAITING_FOR_RETRY';
  });

  await engine.crash();
  const run = await engine.waitForEnd(run_id);

  const [first, second] = run.tasks ?? [];
  expect(run.tasks).toHaveLength(2);
  expect((second?.start_time ?? 0) - (first?.start_time ?? 0)).toBeGreaterThanOrEqual(1_500);
});

test('each attempt keeps its own log', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'logs',
    tasks: [
      {
        task_key: 'load',
        max_retries: 1,
        notebook_task: {
          notebook_path: '/n',
          base_parameters: { fake: '{"kind":"fail","output":"attempt {{task_retry_count}}"}' },
        },
      },
    ],
  });

  const run = await engine.waitForEnd(run_id);

  const logs = await Promise.all(
    (run.tasks ?? []).map((task) => engine.client.taskLog({ run_id, task_run_id: task.run_id })),
  );
  expect(logs.map(({ log }) => log)).toEqual(['attempt 0', 'attempt 1']);
});

describe('an attempt that cannot even begin', () => {
  const unsupported = { libraries: [{ egg: '/old.egg' }] };
  const attemptsMade = (runId: number, key: string) =>
    attemptsOf(engine, runId, key).then(({ length }) => length);

  test('lets begin what runs after a failure', async () => {
    const run = await runJob(engine, {
      tasks: [fakeTask('load', unsupported), fakeTask('clean', { after: ['load'], run_if: 'ALL_DONE' })],
    });

    expect(resultsOf(run)).toEqual({ load: 'FAILED', clean: 'SUCCESS' });
  });

  test('is tried again as the policy says', async () => {
    const run = await runJob(engine, { tasks: [fakeTask('load', { ...unsupported, max_retries: 2 })] });

    expect(await attemptsMade(run.run_id, 'load')).toBe(3);
  });

  test('and not sooner than after a second, though the policy has no interval', async () => {
    const child = await engine.client.jobsCreate({ name: 'gone', tasks: [fakeTask('a')] });
    const { job_id } = await engine.client.jobsCreate({
      name: 'parent',
      tasks: [{ task_key: 'call', max_retries: -1, run_job_task: { job_id: child.job_id } }],
    });
    await engine.client.jobsDelete({ job_id: child.job_id });

    const { run_id } = await engine.client.jobsRunNow({ job_id });

    await engine.waitFor('the third attempt', async () => (await attemptsMade(run_id, 'call')) === 3);
    await engine.client.runsCancel({ run_id });
    await engine.waitForEnd(run_id);
    const [first, second] = await attemptsOf(engine, run_id, 'call');
    expect((second?.ended_at_ms ?? 0) - (first?.ended_at_ms ?? 0)).toBeGreaterThanOrEqual(1_000);
  });
});
