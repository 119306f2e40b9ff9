import { describe, expect, test } from 'vitest';
import { formatIssues } from './format-issues.ts';
import { RunTaskDocument } from './run-documents.ts';
import { Task } from './tasks.ts';

const notebook_task = { notebook_path: '/x' };
const condition_task = { op: 'EQUAL_TO', left: '{{job.parameters.a}}', right: '1' };
const forEach = (nested: object, fields: object = {}) => ({
  task_key: 'each',
  for_each_task: { inputs: '[1, 2]', task: { task_key: 'one', ...nested }, ...fields },
});

function refusalOf(task: object): string {
  const parsed = Task.safeParse(task, { reportInput: true });
  return parsed.success ? 'accepted' : formatIssues(parsed.error);
}

describe('a document comes back as it was sent', () => {
  test.each([
    ['a condition', { task_key: 'a', condition_task }],
    ['a guarded notebook', { task_key: 'a', condition_task, notebook_task }],
    ['a guarded for-each', { ...forEach({ notebook_task }), condition_task }],
    ['a for-each over a text', forEach({ notebook_task, max_retries: 2 }, { concurrency: 100 })],
    ['a for-each over a list', forEach({ notebook_task }, { inputs: [1, 'a', { b: null }], hue: 3 })],
    ['a for-each over a reference', forEach({ notebook_task }, { inputs: '{{tasks.a.values.b}}' })],
    ['a for-each of a condition', forEach({ condition_task })],
    [
      'a nested task that says the default',
      forEach({ notebook_task, run_if: 'ALL_SUCCESS', depends_on: [] }),
    ],
    [
      'a run of a job with all parameters',
      {
        task_key: 'a',
        run_job_task: {
          job_id: 11,
          job_parameters: { a: '{{job.id}}' },
          notebook_params: { a: '1' },
          python_params: ['a'],
          python_named_params: { a: '1' },
          jar_params: ['a'],
          spark_submit_params: ['a'],
          sql_params: { a: '1' },
          dbt_commands: ['dbt run'],
          pipeline_params: { full_refresh: true, refresh_selection: ['t'], hue: 3 },
        },
      },
    ],
    [
      'outcomes',
      {
        task_key: 'a',
        notebook_task,
        depends_on: [
          { task_key: 'b', outcome: 'true' },
          { task_key: 'c', outcome: 'false' },
          { task_key: 'd', outcome: 'SUCCESS' },
        ],
      },
    ],
  ])('%s', (_what, task) => {
    expect(Task.parse(task)).toEqual(task);
  });
});

test('numbers and booleans that YAML made of texts become texts again', () => {
  const task = Task.parse({
    task_key: 'a',
    condition_task: { op: 'EQUAL_TO', left: 12.5, right: true },
    depends_on: [{ task_key: 'b', outcome: false }],
  });

  expect(task.condition_task).toEqual({ op: 'EQUAL_TO', left: '12.5', right: 'true' });
  expect(task.depends_on).toEqual([{ task_key: 'b', outcome: 'false' }]);
});

test('clients that write numbers as texts may name a job and a concurrency so', () => {
  const task = Task.parse({ task_key: 'a', run_job_task: { job_id: '11' } });
  const each = Task.parse(forEach({ notebook_task }, { concurrency: '3' }));

  expect(task.run_job_task?.job_id).toBe(11);
  expect(each.for_each_task?.concurrency).toBe(3);
});

describe('what is wrong is named with its place', () => {
  const nested = 'for_each_task.task';

  test.each([
    [{ task_key: 'a', condition_task: {} }, 'condition_task.left: is missing, expected a text'],
    [
      { task_key: 'a', condition_task: { ...condition_task, op: 'LIKE' } },
      'condition_task.op: expected one of EQUAL_TO, NOT_EQUAL, GREATER_THAN',
    ],
    [
      { task_key: 'a', condition_task: { ...condition_task, left: [1] } },
      'condition_task.left: expected a text',
    ],
    [{ task_key: 'a', run_job_task: {} }, 'run_job_task.job_id: is missing'],
    [
      { task_key: 'a', run_job_task: { job_id: 1, jar_params: 'x' } },
      'run_job_task.jar_params: expected a list, got the text "x"',
    ],
    [
      { task_key: 'a', notebook_task, depends_on: [{ task_key: 'b', outcome: 'success' }] },
      'depends_on[0].outcome: expected one of true, false, SUCCESS, got the text "success"',
    ],
    [forEach({ notebook_task }, { concurrency: 0 }), 'for_each_task.concurrency: expected at least 1'],
    [forEach({ notebook_task }, { concurrency: 101 }), 'for_each_task.concurrency: expected at most 100'],
    [forEach({ notebook_task }, { inputs: 5 }), 'for_each_task.inputs: expected a text, got the number 5'],
    [forEach({ notebook_task }, { inputs: new Array(5_001).fill(0) }), 'expected at most 5000 entries'],
    [forEach({ notebook_task }, { task: undefined }), `${nested}: is missing, expected an object`],
    [forEach({}), `${nested}: names nothing to run`],
    [forEach({ notebook_task, sql_task: {} }), `${nested}: names several things to run`],
    [forEach(forEach({ notebook_task })), `${nested}.for_each_task: a for-each cannot run a for-each`],
    [
      forEach({ notebook_task, depends_on: [{ task_key: 'b' }] }),
      `${nested}.depends_on: an iteration depends`,
    ],
    [forEach({ notebook_task, run_if: 'ALL_DONE' }), `${nested}.run_if: an iteration depends on nothing`],
    [forEach({ notebook_task: {} }), `${nested}.notebook_task.notebook_path: is missing`],
    [
      { ...forEach({ notebook_task }), notebook_task },
      'names several things to run (notebook_task, for_each_task)',
    ],
  ])('%j: %s', (task, message) => {
    expect(refusalOf(task)).toContain(message);
  });
});

test("a task's run shows the outcome of its condition, the course of its iterations and the run it started", () => {
  const course = {
    attempt_number: 0,
    start_time: 1,
    end_time: 2,
    setup_duration: 0,
    execution_duration: 1,
    cleanup_duration: 0,
    run_page_url: '/runs/1',
    state: { life_cycle_state: 'RUNNING' },
    status: { state: 'RUNNING' },
  };
  const task_run_stats = {
    total_iterations: 2,
    scheduled_iterations: 2,
    active_iterations: 1,
    completed_iterations: 1,
    succeeded_iterations: 0,
    failed_iterations: 1,
  };
  const stats = { task_run_stats, error_message_stats: [{ error_message: 'KeyError: 1', count: 1 }] };
  const document = {
    ...course,
    run_id: 5,
    ...forEach({ notebook_task }, { stats }),
    condition_task: { ...condition_task, outcome: 'true' },
    run_job_task: { job_id: 1, run_id: 8 },
    headrace: { iteration: 0 },
  };

  expect(RunTaskDocument.parse(document)).toEqual(document);
  expect(() => RunTaskDocument.parse({ ...document, run_job_task: { job_id: 1, run_id: 'x' } })).toThrow();
});
