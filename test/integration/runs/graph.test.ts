import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

const boom = {
  kind: 'fail',
  failure: { message: 'ValueError: no rows', trace: 'Traceback\nValueError: no rows' },
};

async function runTasks(tasks: ReturnType<typeof fakeTask>[]) {
  const { run_id } = await engine.client.runsSubmit({ run_name: 'graph', tasks });
  const run = await engine.waitForEnd(run_id);
  const results = Object.fromEntries(
    (run.tasks ?? []).map((task) => [task.task_key, task.state.result_state]),
  );
  return { run, results };
}

test('a fan-out and fan-in runs every task once', async () => {
  const middle = Array.from({ length: 12 }, (_, index) => `m${index}`);

  const { run, results } = await runTasks([
    fakeTask('root'),
    ...middle.map((key) => fakeTask(key, { after: ['root'] })),
    fakeTask('join', { after: middle }),
  ]);

  expect(run.tasks).toHaveLength(14);
  expect(new Set(Object.values(results))).toEqual(new Set(['SUCCESS']));
  const starts = new Map((run.tasks ?? []).map((task) => [task.task_key, task.start_time]));
  const lastMiddleEnd = Math.max(
    ...middle.map((key) => run.tasks?.find((task) => task.task_key === key)?.end_time ?? 0),
  );
  expect(starts.get('join')).toBeGreaterThanOrEqual(lastMiddleEnd);
});

test('a failed task fails the run, skips what depends on it, and lets the alert run', async () => {
  const { run, results } = await runTasks([
    fakeTask('load', { fake: boom }),
    fakeTask('report', { after: ['load'] }),
    fakeTask('alert', { after: ['load'], run_if: 'AT_LEAST_ONE_FAILED' }),
  ]);

  expect(results).toEqual({ load: 'FAILED', report: 'UPSTREAM_FAILED', alert: 'SUCCESS' });
  expect(run.state).toMatchObject({
    life_cycle_state: 'INTERNAL_ERROR',
    result_state: 'FAILED',
    state_message:
      'Task load failed with message: Workload failed, see run output for details. This caused all downstream tasks to get skipped.',
  });
  expect(run.status.termination_details).toMatchObject({ code: 'RUN_EXECUTION_ERROR', type: 'CLIENT_ERROR' });
  expect(run.status.termination_details?.message).toContain('ValueError: no rows');
});

test('a run whose leaves succeeded ends well although another task failed', async () => {
  const { run, results } = await runTasks([
    fakeTask('load', { fake: boom }),
    fakeTask('tidy', { after: ['load'], run_if: 'ALL_DONE' }),
  ]);

  expect(results).toEqual({ load: 'FAILED', tidy: 'SUCCESS' });
  expect(run.state).toMatchObject({ life_cycle_state: 'TERMINATED', result_state: 'SUCCESS_WITH_FAILURES' });
});

test('an alert with nothing to tell is excluded and does not count', async () => {
  const { run, results } = await runTasks([
    fakeTask('load'),
    fakeTask('alert', { after: ['load'], run_if: 'AT_LEAST_ONE_FAILED' }),
  ]);

  expect(results).toEqual({ load: 'SUCCESS', alert: 'EXCLUDED' });
  expect(run.state.result_state).toBe('SUCCESS');
});

test('a disabled task and what depends on it end as disabled', async () => {
  const { results } = await runTasks([
    fakeTask('load', { disabled: true }),
    fakeTask('report', { after: ['load'] }),
  ]);

  expect(results).toEqual({ load: 'DISABLED', report: 'DISABLED' });
});

test('values that a task set reach later tasks through references', async () => {
  const { run } = await runTasks([
    fakeTask('count', { fake: { kind: 'succeed', taskValues: { rows: 42 } } }),
    fakeTask('tell', {
      after: ['count'],
      spark_python_task: {
        python_file: '/fake.py',
        parameters: ['{{tasks.count.values.rows}}', '{{task.name}}'],
      },
    }),
  ]);

  const shown = await engine.client.runsGet({ run_id: run.run_id, include_resolved_values: true });
  const tell = shown.tasks?.find((task) => task.task_key === 'tell');
  expect(tell?.resolved_values).toEqual({ spark_python_task: { parameters: ['42', 'tell'] } });
});

test('a task value of null is kept, and its run ends', async () => {
  const { run } = await runTasks([
    fakeTask('count', { fake: { kind: 'succeed', taskValues: { rows: null } } }),
    fakeTask('tell', {
      after: ['count'],
      spark_python_task: { python_file: '/fake.py', parameters: ['{{tasks.count.values.rows}}'] },
    }),
  ]);

  const shown = await engine.client.runsGet({ run_id: run.run_id, include_resolved_values: true });
  const tell = shown.tasks?.find((task) => task.task_key === 'tell');
  expect(tell?.resolved_values).toEqual({ spark_python_task: { parameters: ['null'] } });
});
