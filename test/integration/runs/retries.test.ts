import { afterAll, beforeAll, expect, test } from 'vitest';
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
  expect(run.state.result_state).toBe('TIMEDOUT');
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
