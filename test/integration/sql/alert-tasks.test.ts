/** Alerts that tasks evaluate: the test plays the task, with the token of an attempt that hangs on the fake backend. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { type Client, createClient } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ config: { unknownIds: 'refuse' } });
}, 60_000);
afterAll(() => server?.dispose());

const hanging = { fake: JSON.stringify({ kind: 'hang' }) };
const schedule = { quartz_cron_schedule: '0 0 9 * * ?', timezone_id: 'UTC' };
const subscriptions = [{ user_email: 'ann@example.com' }];

async function makeAlert(display_name: string, evaluation: object = {}): Promise<string> {
  const { warehouses = [] } = await server.client.warehousesList({});
  const { id } = await server.client.textAlertsCreate({
    ...{ display_name, query_text: 'select 1 as n', warehouse_id: warehouses[0]?.id ?? '', schedule },
    parameters: [{ name: 'least', type: 'INT', value: '5' }],
    evaluation: {
      source: { name: 'n' },
      comparison_operator: 'GREATER_THAN',
      threshold: { value: { double_value: 5 } },
      empty_result_state: 'OK',
      notification: { notify_on_ok: true, subscriptions },
      ...evaluation,
    },
  });
  return id;
}

interface PlayedTask {
  readonly client: Client;
  readonly runId: number;
  readonly taskRunId: number;
}

async function beginTask(alert: { alert_id: string; [name: string]: unknown }): Promise<PlayedTask> {
  const task = { task_key: 'look', sql_task: { alert: { ...alert }, parameters: hanging } };
  const { run_id: runId } = await server.client.runsSubmit({ run_name: 'evaluation', tasks: [task] });
  const folder = path.join(server.stateDir, 'data', 'attempts', String(runId));
  let token = '';
  let taskRunId = 0;
  await waitUntil('the task has begun', async () => {
    const run = await server.client.runsGet({ run_id: runId });
    taskRunId = run.tasks?.[0]?.run_id ?? 0;
    const file = path.join(folder, String(taskRunId), 'attempt.json');
    const text = await fs.readFile(file, 'utf8').catch(() => null);
    if (text === null || run.tasks?.[0]?.state?.life_cycle_state !== 'RUNNING') return false;
    token = (JSON.parse(text) as { api: { token: string } }).api.token;
    return true;
  });
  return { client: createClient({ baseUrl: server.url, token }), runId, taskRunId };
}

async function endTask({ runId }: PlayedTask): Promise<void> {
  await server.client.runsCancel({ run_id: runId });
  await waitUntil('the run has ended', async () => {
    const { state } = await server.client.runsGet({ run_id: runId });
    return state?.life_cycle_state === 'TERMINATED';
  });
}

const stateOf = async (id: string) => (await server.client.textAlertsGet({ id })).evaluation.state;
const eventsOf = async (id: string) =>
  (await server.client.alertEventsList({ id })).events
    .map(({ from_state, to_state, is_due }) => `${from_state} ${to_state} ${is_due ? 'due' : ''}`.trim())
    .reverse();

test('a task hears what it has to run, and its report becomes the state and an event', async () => {
  const id = await makeAlert('high');
  const task = await beginTask({ alert_id: id, subscriptions: [{ user_name: 'bob@example.com' }] });

  expect(await task.client.alertWorkGet({ id })).toEqual({
    display_name: 'high',
    query_text: 'select 1 as n',
    parameters: [{ name: 'least', numeric_value: { value: 5 } }],
    ...{ catalog: null, schema: null, operand: { name: 'n' }, threshold: null },
  });
  const answers = [];
  for (const report of [{ value: 9 }, { value: 9 }, { is_empty: true }, { error: 'no table' }])
    answers.push((await task.client.alertWorkReport({ id, ...report })).state);
  await endTask(task);

  expect(answers).toEqual(['TRIGGERED', 'TRIGGERED', 'OK', 'ERROR']);
  expect(await stateOf(id)).toBe('ERROR');
  expect(await eventsOf(id)).toEqual(['UNKNOWN TRIGGERED due', 'TRIGGERED OK due', 'OK ERROR']);
  const { events } = await server.client.alertEventsList({ id });
  expect(events.at(-1)).toMatchObject({
    ...{ task_run_id: task.taskRunId, value: 9 },
    subscriptions: [...subscriptions, { user_name: 'bob@example.com' }],
  });
  expect(events[0]?.message).toBe('no table');
});

test('where subscriptions are paused nobody is to be told, and the state changes all the same', async () => {
  const id = await makeAlert('paused');
  const task = await beginTask({ alert_id: id, pause_subscriptions: true });

  await task.client.alertWorkReport({ id, value: 9 });
  await endTask(task);

  expect(await stateOf(id)).toBe('TRIGGERED');
  expect(await eventsOf(id)).toEqual(['UNKNOWN TRIGGERED']);
});

test('a task speaks for its own alert alone, and only while it runs', async () => {
  const [id, other] = [await makeAlert('own'), await makeAlert('other')];
  const task = await beginTask({ alert_id: id });

  await expect(task.client.alertWorkReport({ id: other, value: 9 })).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
  });
  await endTask(task);
  await expect(task.client.alertWorkReport({ id, value: 9 })).rejects.toThrow();

  expect([await stateOf(id), await stateOf(other)]).toEqual(['UNKNOWN', 'UNKNOWN']);
});

test('a value that cannot be compared is the state ERROR, with the reason', async () => {
  const id = await makeAlert('texts', { source: { name: 'n', aggregation: 'MAX' } });
  const task = await beginTask({ alert_id: id });

  const answer = await task.client.alertWorkReport({ id, value: 'many' });
  await endTask(task);

  expect(answer).toMatchObject({
    state: 'ERROR',
    message: "MAX(n): 'many' is no number, and cannot be compared with 5",
  });
});

test('the output of the task has the state that it ended with', async () => {
  const alert = { alert_id: await makeAlert('output') };
  const parameters = { fake: JSON.stringify({ kind: 'succeed', exitValue: 'TRIGGERED' }) };
  const tasks = [{ task_key: 'look', sql_task: { alert, parameters, warehouse_id: '{{job.name}}' } }];
  const { warehouses = [] } = await server.client.warehousesList({});

  // The warehouse's id is known when the task begins.
  const { run_id } = await server.client.runsSubmit({ run_name: warehouses[0]?.id ?? '', tasks });
  await waitUntil('the run has ended', async () => {
    const { state } = await server.client.runsGet({ run_id });
    return state?.life_cycle_state === 'TERMINATED';
  });

  const run = await server.client.runsGet({ run_id });
  expect(run.state?.result_state).toBe('SUCCESS');
  const output = await server.client.runsGetOutput({ run_id: run.tasks?.[0]?.run_id ?? 0 });
  expect(output.sql_output?.alert_output).toMatchObject({ alert_state: 'TRIGGERED', sql_statements: [] });
});

test('a warehouse that does not exist is refused when the job is saved, and when the run begins', async () => {
  const { client } = server;
  const sql_task = { file: { path: '/q.sql' } };
  const each = (task: object) => ({
    task_key: 'each',
    for_each_task: { inputs: '[1]', task: { task_key: 'x', ...task } },
  });
  const unknown = { sql_task: { ...sql_task, warehouse_id: 'wh-nope' } };

  for (const task of [{ task_key: 'a', ...unknown }, each(unknown)])
    await expect(client.jobsCreate({ name: 'j', tasks: [task] })).rejects.toThrow(
      'sql_task.warehouse_id: SQL warehouse wh-nope does not exist',
    );
  const dbt_task = { project_directory: '/p', commands: ['dbt run'], warehouse_id: 'wh-nope' };
  await expect(client.runsSubmit({ tasks: [{ task_key: 'a', dbt_task }] })).rejects.toThrow(
    'tasks[0].dbt_task.warehouse_id: SQL warehouse wh-nope does not exist',
  );

  const { job_id } = await client.jobsCreate({
    ...{ name: 'j', parameters: [{ name: 'wh', default: 'wh-nope' }] },
    tasks: [{ task_key: 'a', sql_task: { ...sql_task, warehouse_id: '{{job.parameters.wh}}' } }],
  });
  const { run_id } = await client.jobsRunNow({ job_id });
  await waitUntil('the run has failed', async () => {
    const { state } = await client.runsGet({ run_id });
    return state?.life_cycle_state === 'INTERNAL_ERROR';
  });
  const [task] = (await client.runsGet({ run_id })).tasks ?? [];
  expect(task?.state?.state_message).toContain('SQL warehouse wh-nope does not exist');
});
