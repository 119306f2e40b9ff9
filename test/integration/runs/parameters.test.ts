/** Parameters of a run, and the references that are replaced when an attempt starts. */
import type { RunDocument } from '@headrace/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, resultsOf, runJob, startJob, taskOf } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

const resolvedOf = async (run: RunDocument, key: string) => {
  const shown = await engine.client.runsGet({ run_id: run.run_id, include_resolved_values: true });
  return taskOf(shown, key).resolved_values as Record<string, Json> | undefined;
};
const bookTask = (base_parameters: Record<string, string> = {}, rest: object = {}) => ({
  task_key: 'book',
  notebook_task: { notebook_path: '/book', base_parameters },
  ...rest,
});

describe('which parameters a task gets', () => {
  const parameters = [{ name: 'day', default: 'monday' }];

  test('a notebook gets job parameters by themselves, before its own and those of the run', async () => {
    const run = await runJob(
      engine,
      { parameters, tasks: [bookTask({ day: 'own', kept: '1', both: 'base' })] },
      { notebook_params: { day: 'given', both: 'given' } },
    );

    expect(await resolvedOf(run, 'book')).toEqual({
      notebook_task: { base_parameters: { day: 'monday', kept: '1', both: 'given' } },
    });
  });

  test('a Python file gets none by itself; python_params replace its own', async () => {
    const tasks = [fakeTask('file')];

    const plain = await runJob(engine, { parameters, tasks });
    const given = await runJob(engine, { parameters, tasks }, { python_params: ['--a', '1'] });

    expect(await resolvedOf(plain, 'file')).toEqual({ spark_python_task: { parameters: [] } });
    expect(await resolvedOf(given, 'file')).toEqual({ spark_python_task: { parameters: ['--a', '1'] } });
  });

  test('a wheel with named parameters gets them, one with positional ones does not', async () => {
    const wheel = (task_key: string, rest: object) => ({
      task_key,
      python_wheel_task: { package_name: 'p', entry_point: 'e', ...rest },
    });

    const run = await runJob(
      engine,
      {
        parameters,
        tasks: [
          wheel('named', { named_parameters: { own: '1' } }),
          wheel('positional', { parameters: ['x'] }),
        ],
      },
      { python_named_params: { given: '2' } },
    );

    expect(await resolvedOf(run, 'named')).toMatchObject({
      python_wheel_task: { named_parameters: { own: '1', given: '2', day: 'monday' } },
    });
    expect(JSON.stringify(await resolvedOf(run, 'positional'))).not.toContain('monday');
  });

  test('a name that the job does not define reaches its tasks all the same', async () => {
    const run = await runJob(engine, { tasks: [bookTask()] }, { job_parameters: { extra: '1' } });

    expect(await resolvedOf(run, 'book')).toEqual({ notebook_task: { base_parameters: { extra: '1' } } });
  });

  test('jar_params and notebook_params exclude each other', async () => {
    const { jobId } = await startJob(engine, { tasks: [fakeTask('a')] });

    await expect(
      engine.client.jobsRunNow({ job_id: jobId, jar_params: ['a'], notebook_params: { a: '1' } }),
    ).rejects.toMatchObject({
      code: 'INVALID_PARAMETER_VALUE',
      message: 'jar_params and notebook_params exclude each other',
    });
  });

  test('all older maps are taken together with a task that needs none of them', async () => {
    const run = await runJob(
      engine,
      { tasks: [fakeTask('a')] },
      {
        jar_params: ['a'],
        spark_submit_params: ['b'],
        sql_params: { c: '1' },
        dbt_commands: ['dbt run'],
        pipeline_params: { full_refresh: 'True' },
      },
    );

    expect(run.state.result_state).toBe('SUCCESS');
  });
});

describe('references', () => {
  test('every name stands for what it should, old forms included, unknown names stay', async () => {
    const names = {
      job_id: '{{job.id}} {{job_id}}',
      job_name: '{{job.name}}',
      run_id: '{{job.run_id}} {{parent_run_id}}',
      task: '{{task.name}} {{task_key}} {{ task_key }}',
      task_run: '{{task.run_id}} {{run_id}}',
      counts: '{{task.execution_count}} {{task_retry_count}} {{job.repair_count}}',
      path: '{{task.notebook_path}}',
      parameter: '{{job.parameters.day}} {{job.parameters.`a b`}}',
      earlier: '{{tasks.set.result_state}} {{tasks.set.execution_count}} {{tasks.set.values.rows}}',
      later: '{{tasks.set.values.deep}}',
      trigger: '{{job.trigger.type}}',
      start: '{{job.start_time.iso_date}} {{start_date}}',
      workspace: '{{workspace.id}}',
      unknown: '{{nothing.of.that}} {{ }} {{x',
    };

    const run = await runJob(
      engine,
      {
        name: 'refers',
        parameters: [
          { name: 'day', default: '{{job.name}}' },
          { name: 'a b', default: 'quoted' },
        ],
        tasks: [
          fakeTask('set', {
            fake: { kind: 'succeed', taskValues: { rows: 3, deep: { list: ['a', null] } } },
          }),
          bookTask(names, { depends_on: [{ task_key: 'set' }] }),
        ],
      },
      { job_parameters: { day: 'of {{job.run_id}}' } },
    );

    const { run_id, job_id } = run;
    const book = taskOf(run, 'book');
    const today = new Date(run.start_time ?? 0).toISOString().slice(0, 10);
    expect((await resolvedOf(run, 'book'))?.notebook_task?.base_parameters).toEqual({
      job_id: `${job_id} ${job_id}`,
      job_name: 'refers',
      run_id: `${run_id} ${run_id}`,
      task: 'book book book',
      task_run: `${book.run_id} ${book.run_id}`,
      counts: '1 0 0',
      path: '/book',
      parameter: `of ${run_id} quoted`,
      earlier: 'success 1 3',
      later: '{"list":["a",null]}',
      trigger: 'one_time',
      start: `${today} ${today}`,
      workspace: '1',
      unknown: '{{nothing.of.that}} {{ }} {{x',
      day: `of ${run_id}`,
      'a b': 'quoted',
    });
  });

  test('parameters that the run brings are resolved too', async () => {
    const run = await runJob(
      engine,
      { name: 'brought', tasks: [bookTask(), fakeTask('file')] },
      { notebook_params: { a: '{{job.name}}' }, python_params: ['{{task.name}}', '{{job.nothing}}'] },
    );

    expect(await resolvedOf(run, 'book')).toEqual({ notebook_task: { base_parameters: { a: 'brought' } } });
    expect(await resolvedOf(run, 'file')).toEqual({
      spark_python_task: { parameters: ['file', '{{job.nothing}}'] },
    });
  });

  test('counts of attempts go on over retries and repairs', async () => {
    const flaky = {
      task_key: 'book',
      max_retries: 1,
      notebook_task: {
        notebook_path: '/book',
        base_parameters: {
          seen: '{{task.execution_count}} {{task_retry_count}} {{job.repair_count}}',
          fake: '{"kind":"fail"}',
        },
      },
    };
    const { runId } = await startJob(engine, { tasks: [flaky] });
    await engine.waitForEnd(runId);
    await engine.client.runsRepair({ run_id: runId, rerun_all_failed_tasks: true });
    await engine.waitForEnd(runId);

    const shown = await engine.client.runsGet({ run_id: runId, include_resolved_values: true });
    const seen = shown.tasks?.map(
      ({ resolved_values }) =>
        (resolved_values as { notebook_task: { base_parameters: Json } }).notebook_task.base_parameters.seen,
    );
    expect(seen).toEqual(['1 0 0', '2 1 0', '3 0 1', '4 1 1']);
  });

  test('how earlier tasks ended is told in lower case, values of a failed task among them', async () => {
    const run = await runJob(engine, {
      tasks: [
        fakeTask('bad', {
          fake: { kind: 'fail', failure: { message: 'ValueError: no' }, taskValues: { got: 2 } },
        }),
        fakeTask('skipped', { after: ['bad'] }),
        fakeTask('off', { disabled: true }),
        fakeTask('unused', { after: ['off'], run_if: 'AT_LEAST_ONE_FAILED' }),
        bookTask(
          {
            seen: '{{tasks.bad.result_state}} {{tasks.bad.error_code}} {{tasks.bad.values.got}}',
            others: '{{tasks.skipped.result_state}} {{tasks.off.result_state}} {{tasks.unused.result_state}}',
          },
          { depends_on: ['bad', 'skipped', 'unused'].map((task_key) => ({ task_key })), run_if: 'ALL_DONE' },
        ),
      ],
    });

    expect((await resolvedOf(run, 'book'))?.notebook_task?.base_parameters).toEqual({
      seen: 'failed RUN_EXECUTION_ERROR 2',
      others: 'upstream_failed disabled excluded',
    });
  });

  test.each([
    ['a parameter of a notebook', bookTask({ a: '{{job.naem}}' })],
    ['a parameter of a file', fakeTask('a', { fake: '{{task.nmae}}' as unknown as object })],
    [
      'a side of a condition',
      {
        task_key: 'a',
        condition_task: { op: 'EQUAL_TO' as const, left: '{{job.start_time.dya}}', right: '' },
      },
    ],
    [
      'the inputs of a for-each',
      { task_key: 'a', for_each_task: { inputs: '{{tasks.x.value.y}}', task: bookTask() } },
    ],
    [
      'what a for-each repeats',
      { task_key: 'a', for_each_task: { inputs: '[1]', task: bookTask({ a: '{{job.naem}}' }) } },
    ],
  ])('a wrong member in %s is refused when the job is saved', async (_, task) => {
    await expect(engine.client.jobsCreate({ name: 'wrong', tasks: [task] })).rejects.toMatchObject({
      code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringContaining('is not a known reference'),
    });
  });

  test('a condition compares texts for equality and numbers in order', async () => {
    const compare = (task_key: string, op: string, left: string, right: string) => ({
      task_key,
      condition_task: { op, left, right },
    });

    const run = await runJob(engine, {
      tasks: [
        compare('texts', 'EQUAL_TO', '12.0', '12'),
        compare('numbers', 'GREATER_THAN_OR_EQUAL', '12.0', '12'),
        compare('no_number', 'LESS_THAN', 'abc', '12'),
        fakeTask('texts_differ', { depends_on: [{ task_key: 'texts', outcome: 'false' }] }),
        fakeTask('numbers_equal', { depends_on: [{ task_key: 'numbers', outcome: 'true' }] }),
      ],
    });

    expect(resultsOf(run)).toMatchObject({
      no_number: 'FAILED',
      texts_differ: 'SUCCESS',
      numbers_equal: 'SUCCESS',
    });
    expect(taskOf(run, 'no_number').state.state_message).toContain('condition_task');
  });
});
