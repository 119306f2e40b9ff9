import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

const hang = { kind: 'hang' };

test('two requests that race with one idempotency token get the same run', async () => {
  const submit = () =>
    engine.client.runsSubmit({ run_name: 'once', idempotency_token: 'token-1', tasks: [fakeTask('load')] });

  const runs = await Promise.all([submit(), submit(), submit()]);
  const later = await submit();

  expect(new Set([...runs, later].map(({ run_id }) => run_id)).size).toBe(1);
});

test('the token of a deleted run is an error', async () => {
  const submit = () =>
    engine.client.runsSubmit({ run_name: 'gone', idempotency_token: 'token-2', tasks: [fakeTask('load')] });
  const { run_id } = await submit();
  await engine.waitForEnd(run_id);
  await engine.db.pool.query('update runs set deleted_at_ms = 1 where run_id = $1', [run_id]);

  await expect(submit()).rejects.toMatchObject({ code: 'INVALID_STATE' });
});

test('a run without a place is skipped when the job does not queue', async () => {
  const { job_id } = await engine.client.jobsCreate({
    name: 'narrow',
    tasks: [fakeTask('load', { fake: hang })],
  });
  const first = await engine.client.jobsRunNow({ job_id });

  const second = await engine.client.jobsRunNow({ job_id });

  const run = await engine.client.runsGet({ run_id: second.run_id });
  expect(run.state).toMatchObject({
    life_cycle_state: 'SKIPPED',
    result_state: 'MAXIMUM_CONCURRENT_RUNS_REACHED',
  });
  expect(run.status).toMatchObject({
    state: 'TERMINATED',
    termination_details: { code: 'MAX_CONCURRENT_RUNS_EXCEEDED', type: 'CLIENT_ERROR' },
  });
  await engine.client.runsCancel({ run_id: first.run_id });
  await engine.waitForEnd(first.run_id);
});

test('of runs asked for at once, a job runs no more than it may; the others queue and follow in order', async () => {
  const { job_id } = await engine.client.jobsCreate({
    name: 'queued',
    queue: { enabled: true },
    max_concurrent_runs: 2,
    tasks: [fakeTask('load', { fake: { kind: 'succeed', afterMs: 50 } })],
  });

  const asked = await Promise.all(Array.from({ length: 6 }, () => engine.client.jobsRunNow({ job_id })));
  const atOnce = await engine.client.runsList({ job_id, active_only: true });
  const ended = await Promise.all(asked.map(({ run_id }) => engine.waitForEnd(run_id)));

  const states = (atOnce.runs ?? []).map((run) => run.state.life_cycle_state);
  expect(states.filter((state) => state === 'RUNNING').length).toBeLessThanOrEqual(2);
  expect(ended.every((run) => run.state.result_state === 'SUCCESS')).toBe(true);
  const spans = ended.map(({ tasks }) => [tasks?.[0]?.start_time ?? 0, tasks?.[0]?.end_time ?? 0] as const);
  for (const [start] of spans) {
    expect(spans.filter(([from, to]) => from <= start && start < to).length).toBeLessThanOrEqual(2);
  }
});

test('a queued run can be cancelled before it begins', async () => {
  const { job_id } = await engine.client.jobsCreate({
    name: 'queue',
    queue: { enabled: true },
    tasks: [fakeTask('load', { fake: hang })],
  });
  const first = await engine.client.jobsRunNow({ job_id });
  const second = await engine.client.jobsRunNow({ job_id });
  expect((await engine.client.runsGet({ run_id: second.run_id })).status).toMatchObject({
    state: 'QUEUED',
    queue_details: { code: 'MAX_CONCURRENT_RUNS_REACHED' },
  });

  await engine.client.runsCancel({ run_id: second.run_id });

  expect((await engine.waitForEnd(second.run_id)).state.result_state).toBe('CANCELED');
  await engine.client.runsCancel({ run_id: first.run_id });
  await engine.waitForEnd(first.run_id);
});

test('the single-task form makes one task, whose key is the name of the run', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: '0123456789abcdef',
    notebook_task: { notebook_path: '/book' },
  });

  const run = await engine.waitForEnd(run_id);

  expect(run.tasks?.map((task) => task.task_key)).toEqual(['0123456789abcdef']);
});

test('job parameters take defaults and overrides, and reach notebooks by themselves', async () => {
  const { job_id } = await engine.client.jobsCreate({
    name: 'with parameters',
    parameters: [
      { name: 'run_date', default: '2013-01-01' },
      { name: 'region', default: 'eu' },
    ],
    tasks: [
      {
        task_key: 'book',
        notebook_task: { notebook_path: '/book', base_parameters: { region: 'us', own: '1' } },
      },
    ],
  });

  const { run_id } = await engine.client.jobsRunNow({ job_id, job_parameters: { run_date: '2013-01-02' } });
  await engine.waitForEnd(run_id);

  const run = await engine.client.runsGet({ run_id, include_resolved_values: true });
  expect(run.job_parameters).toEqual([
    { name: 'run_date', default: '2013-01-01', value: '2013-01-02' },
    { name: 'region', default: 'eu' },
  ]);
  expect(run.tasks?.[0]?.resolved_values).toEqual({
    notebook_task: { base_parameters: { region: 'eu', own: '1', run_date: '2013-01-02' } },
  });
});

test('a kind of task that is not supported yet is saved, and refused when it would have to run', async () => {
  const { job_id } = await engine.client.jobsCreate({
    name: 'later',
    tasks: [{ task_key: 'ask', sql_task: { warehouse_id: 'w', dashboard: { dashboard_id: 'd' } } }],
  });

  await expect(engine.client.jobsRunNow({ job_id })).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
    message: expect.stringContaining(
      "task 'ask' is a sql_task with a dashboard, which is stored but not supported yet",
    ),
  });
});

test('texts that cannot be stored are refused, and a run with no task too', async () => {
  await expect(
    engine.client.runsSubmit({ run_name: 'a\0b', tasks: [fakeTask('load')] }),
  ).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
  await expect(engine.client.runsSubmit({ run_name: 'empty' })).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
  });
});

test('large runs that are asked for at once all begin', async () => {
  const width = 700;
  const { job_id } = await engine.client.jobsCreate({
    name: 'large',
    max_concurrent_runs: 10,
    tasks: [
      fakeTask('root', { fake: hang }),
      ...Array.from({ length: width }, (_, index) => fakeTask(`after_${index}`, { after: ['root'] })),
    ],
  });

  const runs = await Promise.all(Array.from({ length: 8 }, () => engine.client.jobsRunNow({ job_id })));

  const { rows } = await engine.db.pool.query(
    'select run_id, count(*)::integer as tasks from task_runs where run_id = any($1) group by run_id',
    [runs.map(({ run_id }) => run_id)],
  );
  expect(rows.map(({ tasks }) => tasks)).toEqual(runs.map(() => width + 1));
  await engine.client.jobsDelete({ job_id });
});
