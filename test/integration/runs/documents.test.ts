/** What runs/get shows of control flow: iterations, conditions, runs of other jobs, repairs. */
import type { RunDocument } from '@headrace/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attemptsOf, childrenOf, runJob, startJob, taskOf, waitForTask } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine({ slots: 8 });
});
afterAll(() => engine.close());

const ok = { kind: 'succeed' };
const bad = { kind: 'fail', failure: { message: 'ValueError: odd', trace: 'Traceback' } };

/** Each input says how its iteration behaves. */
function loop(inputs: readonly object[], nested: object = {}) {
  const task = {
    ...fakeTask('one'),
    spark_python_task: { python_file: '/f.py', parameters: ['--fake={{input}}'] },
  };
  return {
    task_key: 'loop',
    for_each_task: { inputs: JSON.stringify(inputs), concurrency: 8, task: { ...task, ...nested } },
  };
}

async function allIterations(runId: number, options: { include_history?: boolean } = {}) {
  const iterations = [];
  let pages = 0;
  let token: string | undefined = '';
  while (token !== undefined) {
    const page: RunDocument = await engine.client.runsGet({ run_id: runId, page_token: token, ...options });
    iterations.push(...(page.iterations ?? []));
    token = page.next_page_token;
    pages += 1;
  }
  return { iterations, pages };
}

describe('a for-each', () => {
  test('shows its iterations on its own page, and none among the tasks of its run', async () => {
    const run = await runJob(engine, { tasks: [loop([ok, bad, ok])] });
    const outer = taskOf(run, 'loop');

    const document = await engine.client.runsGet({ run_id: outer.run_id });

    expect(run.tasks?.map((task) => task.task_key)).toEqual(['loop']);
    expect(document.tasks).toBeUndefined();
    expect(document.iterations?.map((task) => [task.headrace?.iteration, task.state.result_state])).toEqual([
      [0, 'SUCCESS'],
      [1, 'FAILED'],
      [2, 'SUCCESS'],
    ]);
    expect(document.iterations?.[1]).toMatchObject({
      task_key: 'one',
      spark_python_task: { python_file: '/f.py' },
      headrace: { input: bad },
      run_page_url: `${engine.url}/runs/${run.run_id}?task=loop&iteration=1`,
    });
    expect(document.next_page_token).toBeUndefined();
  });

  test('counts its iterations, and groups what the failed ones said', async () => {
    const worse = { kind: 'fail', failure: { message: 'KeyError: x', trace: '' } };
    const run = await runJob(engine, { tasks: [loop([ok, bad, worse, bad, ok])] });

    const stats = taskOf(run, 'loop').for_each_task?.stats;

    expect(stats).toEqual({
      task_run_stats: {
        total_iterations: 5,
        scheduled_iterations: 5,
        active_iterations: 0,
        completed_iterations: 5,
        succeeded_iterations: 2,
        failed_iterations: 3,
      },
      error_message_stats: [
        { error_message: 'ValueError: odd', count: 2 },
        { error_message: 'KeyError: x', count: 1 },
      ],
    });
    const listed = await engine.client.runsList({ job_id: run.job_id ?? 0, expand_tasks: true });
    expect(listed.runs?.[0]?.tasks?.[0]?.for_each_task?.stats).toEqual(stats);
  });

  test('counts an iteration once however often it was tried', async () => {
    const run = await runJob(engine, { tasks: [loop([ok, bad], { max_retries: 2 })] });
    const outer = taskOf(run, 'loop');

    const latest = await allIterations(outer.run_id);
    const every = await allIterations(outer.run_id, { include_history: true });

    expect(outer.for_each_task?.stats).toMatchObject({
      task_run_stats: { scheduled_iterations: 2, completed_iterations: 2, failed_iterations: 1 },
      error_message_stats: [{ error_message: 'ValueError: odd', count: 1 }],
    });
    expect(latest.iterations.map((task) => task.attempt_number)).toEqual([0, 2]);
    expect(every.iterations.map((task) => [task.headrace?.iteration, task.attempt_number])).toEqual([
      [0, 0],
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
  });

  test('shows many iterations page by page, each once and in the order of its inputs', async () => {
    const run = await runJob(engine, { tasks: [loop(Array.from({ length: 230 }, () => ok))] });

    const { iterations, pages } = await allIterations(taskOf(run, 'loop').run_id);

    expect(pages).toBe(3);
    expect(iterations.map((task) => task.headrace?.iteration)).toEqual(
      Array.from({ length: 230 }, (_, index) => index),
    );
  });

  test('of runs of another job shows what each was given', async () => {
    const inner = await engine.client.jobsCreate({
      name: 'inner',
      max_concurrent_runs: 3,
      parameters: [{ name: 'day', default: 'monday' }],
      tasks: [fakeTask('work')],
    });
    const nested = {
      task_key: 'one',
      run_job_task: { job_id: inner.job_id, job_parameters: { day: '{{input}}' } },
    };
    const run = await runJob(engine, {
      tasks: [{ task_key: 'loop', for_each_task: { inputs: '["friday", "sunday"]', task: nested } }],
    });
    const { run_id } = taskOf(run, 'loop');

    const { iterations } = await engine.client.runsGet({ run_id, include_resolved_values: true });

    expect(iterations?.map((task) => task.resolved_values)).toEqual([
      { run_job_task: { job_parameters: { day: 'friday' } } },
      { run_job_task: { job_parameters: { day: 'sunday' } } },
    ]);
    expect(iterations?.every((task) => task.run_job_task?.run_id !== undefined)).toBe(true);
  });

  test('refuses a token that is none of its pages', async () => {
    const run = await runJob(engine, { tasks: [loop([ok])] });
    const { run_id } = taskOf(run, 'loop');
    const tokens = [
      'nonsense',
      { element: 0, iteration: { iteration: 2 ** 40, generation: 0, attempt: 0 } },
      { element: 0, iteration: { iteration: -1, generation: 0, attempt: 0 } },
    ].map((token) => Buffer.from(JSON.stringify(token)).toString('base64url'));

    for (const page_token of tokens) {
      await expect(engine.client.runsGet({ run_id, page_token })).rejects.toMatchObject({
        code: 'INVALID_PARAMETER_VALUE',
      });
    }
  });

  test('that is repaired shows the iterations that it kept, and its former attempt those it had', async () => {
    const run = await runJob(engine, { tasks: [loop([ok, bad, ok])] });
    const former = taskOf(run, 'loop');
    await engine.client.runsRepair({ run_id: run.run_id, rerun_all_failed_tasks: true });
    const repaired = await engine.waitForEnd(run.run_id);
    const outer = taskOf(repaired, 'loop');

    const now = await allIterations(outer.run_id);
    const before = await allIterations(former.run_id);

    expect(outer.run_id).not.toBe(former.run_id);
    expect(outer.attempt_number).toBe(1);
    expect(outer.for_each_task?.stats?.task_run_stats).toMatchObject({
      total_iterations: 3,
      scheduled_iterations: 3,
      completed_iterations: 3,
      succeeded_iterations: 2,
      failed_iterations: 1,
    });
    const idsOf = (shown: typeof now) => shown.iterations.map((task) => task.run_id);
    const stored = await attemptsOf(engine, run.run_id, 'one');
    expect(idsOf(before)).toEqual(stored.slice(0, 3).map((attempt) => attempt.attempt_id));
    expect(idsOf(now)).toEqual([idsOf(before)[0], stored[3]?.attempt_id, idsOf(before)[2]]);
  });

  test('an iteration answers by its own id, with its log and its output', async () => {
    const run = await runJob(engine, { tasks: [loop([{ ...bad, output: 'hello\n' }])] });
    const [iteration] = (await allIterations(taskOf(run, 'loop').run_id)).iterations;
    const id = iteration?.run_id ?? 0;

    const document = await engine.client.runsGet({ run_id: id });
    const output = await engine.client.runsGetOutput({ run_id: id });
    const log = await engine.client.taskLog({ run_id: run.run_id, task_run_id: id });

    expect(document).toMatchObject({ run_id: id, run_name: 'one', headrace: { iteration: 0 } });
    expect(output).toMatchObject({ error: 'ValueError: odd', logs: expect.stringContaining('hello') });
    expect(log.log).toContain('hello');
  });

  test('that runs is streamed with its counts', async () => {
    const { runId } = await startJob(engine, {
      tasks: [loop([{ ...ok, afterMs: 50 }, { ...ok, afterMs: 700 }, bad])],
    });

    const events = [];
    for await (const event of engine.client.runEvents({ run_id: runId })) events.push(event);

    expect(events.at(-1)?.ended).toBe(true);
    expect(events.flatMap((event) => event.tasks).at(-1)?.for_each_task?.stats?.task_run_stats).toMatchObject(
      {
        completed_iterations: 3,
        failed_iterations: 1,
      },
    );
    expect(events.flatMap((event) => event.tasks).every((task) => task.task_key === 'loop')).toBe(true);
  });
});

describe('a condition', () => {
  const job = {
    parameters: [{ name: 'rows', default: '12' }],
    tasks: [
      {
        task_key: 'check',
        condition_task: { op: 'GREATER_THAN', left: '{{job.parameters.rows}}', right: '10' },
      },
      { ...fakeTask('yes'), depends_on: [{ task_key: 'check', outcome: 'true' }] },
      { ...fakeTask('no'), depends_on: [{ task_key: 'check', outcome: 'false' }] },
    ],
  };

  test('shows what it compared and what came of it', async () => {
    const run = await runJob(engine, job);

    expect(taskOf(run, 'check').condition_task).toEqual({
      op: 'GREATER_THAN',
      left: '12',
      right: '10',
      outcome: 'true',
    });
    expect(taskOf(run, 'no').state.result_state).toBe('EXCLUDED');
  });

  test('is shown as it was written until it is evaluated', async () => {
    const { runId } = await startJob(engine, {
      tasks: [
        fakeTask('slow', { fake: { kind: 'hang' } }),
        {
          task_key: 'check',
          depends_on: [{ task_key: 'slow' }],
          condition_task: { op: 'EQUAL_TO', left: '{{tasks.slow.values.x}}', right: '1' },
        },
      ],
    });
    const run = await engine.client.runsGet({ run_id: runId });

    expect(taskOf(run, 'check').condition_task).toEqual({
      op: 'EQUAL_TO',
      left: '{{tasks.slow.values.x}}',
      right: '1',
    });
    await engine.client.runsCancel({ run_id: runId });
    await engine.waitForEnd(runId);
  });

  test('and other tasks show their resolved values when asked', async () => {
    const { run_id } = await runJob(engine, job);

    const run = await engine.client.runsGet({ run_id, include_resolved_values: true });

    expect(taskOf(run, 'check').resolved_values).toEqual({ condition_task: { left: '12', right: '10' } });
    expect(taskOf(run, 'yes').resolved_values).toEqual({ spark_python_task: { parameters: [] } });
    expect(taskOf(await engine.client.runsGet({ run_id }), 'check').resolved_values).toBeUndefined();
  });

  test('has no output but its document', async () => {
    const run = await runJob(engine, job);

    const output = await engine.client.runsGetOutput({ run_id: taskOf(run, 'check').run_id });

    expect(Object.keys(output)).toEqual(['metadata']);
    expect(output.metadata).toMatchObject({ condition_task: { outcome: 'true' } });
  });
});

test('a task and the run that it starts name each other', async () => {
  const inner = await engine.client.jobsCreate({
    name: 'inner',
    parameters: [{ name: 'day', default: 'monday' }],
    tasks: [fakeTask('work')],
  });
  const run = await runJob(engine, {
    tasks: [{ task_key: 'call', run_job_task: { job_id: inner.job_id, job_parameters: { day: 'friday' } } }],
  });
  const [child] = await childrenOf(engine, run.run_id);
  const call = taskOf(run, 'call');

  const childDocument = await engine.client.runsGet({ run_id: child?.run_id ?? 0 });
  const output = await engine.client.runsGetOutput({ run_id: call.run_id });
  const resolved = await engine.client.runsGet({ run_id: run.run_id, include_resolved_values: true });

  expect(call.run_job_task).toMatchObject({ job_id: inner.job_id, run_id: child?.run_id });
  expect(childDocument).toMatchObject({ trigger: 'RUN_JOB_TASK', trigger_info: { run_id: call.run_id } });
  expect(output.run_job_output).toEqual({ run_id: child?.run_id });
  expect(taskOf(resolved, 'call').resolved_values).toEqual({
    run_job_task: { job_parameters: { day: 'friday' } },
  });
});

describe('a repaired run', () => {
  test('keeps all attempts, numbered on, and tells its executions when asked', async () => {
    const run = await runJob(engine, {
      tasks: [fakeTask('load'), fakeTask('fit', { after: ['load'], fake: bad })],
    });
    const { repair_id } = await engine.client.runsRepair({
      run_id: run.run_id,
      rerun_all_failed_tasks: true,
    });
    await engine.waitForEnd(run.run_id);

    const repaired = await engine.client.runsGet({ run_id: run.run_id, include_history: true });

    expect(repaired.tasks?.map((task) => [task.task_key, task.attempt_number])).toEqual([
      ['load', 0],
      ['fit', 0],
      ['fit', 1],
    ]);
    const ids = repaired.tasks?.map((task) => task.run_id) ?? [];
    expect(repaired.repair_history).toMatchObject([
      { type: 'ORIGINAL', task_run_ids: ids.slice(0, 2), state: { result_state: 'FAILED' } },
      { type: 'REPAIR', id: repair_id, task_run_ids: ids.slice(2), state: { result_state: 'FAILED' } },
    ]);
    expect(repaired.repair_history?.[0]?.end_time).toBeGreaterThan(0);
    const plain = await engine.client.runsGet({ run_id: run.run_id });
    expect(plain.repair_history).toBeUndefined();
    const { runs } = await engine.client.runsList({ job_id: run.job_id ?? 0 });
    expect(runs).toHaveLength(1);
    expect(runs?.[0]).toEqual({ ...plain, tasks: undefined });
  });

  test('shows each attempt with the settings that it ran with, a task that is gone too', async () => {
    const run = await runJob(engine, {
      tasks: [fakeTask('old', { fake: bad, description: 'was here' }), fakeTask('fit', { fake: bad })],
    });
    await engine.client.jobsReset({
      job_id: run.job_id ?? 0,
      new_settings: { name: 'job', tasks: [fakeTask('fit', { description: 'changed' })] },
    });
    await engine.client.runsRepair({ run_id: run.run_id, rerun_tasks: ['fit'] });

    const repaired = await engine.waitForEnd(run.run_id);

    expect(repaired.tasks?.map((task) => [task.task_key, task.description])).toEqual([
      ['old', 'was here'],
      ['fit', undefined],
      ['fit', 'changed'],
    ]);
  });

  test('while it is active tells that its first execution was continued', async () => {
    const { runId } = await startJob(engine, {
      tasks: [fakeTask('slow', { fake: { kind: 'succeed', afterMs: 400 } }), fakeTask('fit', { fake: bad })],
    });
    await waitForTask(engine, runId, 'fit', 'FAILED');
    await engine.client.runsRepair({
      run_id: runId,
      rerun_tasks: ['fit'],
      headrace: { while_active: true, definition: 'original' },
    });
    await engine.waitForEnd(runId);

    const { repair_history } = await engine.client.runsGet({ run_id: runId, include_history: true });

    expect(repair_history?.[0]?.state.state_message).toContain('Repaired while it was active');
    expect(repair_history).toHaveLength(2);
  });
});

test('an attempt says which worker took it, and one that nobody took says nothing', async () => {
  const { runId } = await startJob(engine, {
    tasks: [
      fakeTask('taken', { fake: { kind: 'hang' } }),
      { ...fakeTask('waits'), depends_on: [{ task_key: 'taken' }] },
    ],
  });
  await waitForTask(engine, runId, 'taken', 'RUNNING');
  const worker = { worker_id: 'w1', hostname: null, is_local: true };
  const before = await engine.client.runsGet({ run_id: runId });

  await engine.client.runsCancel({ run_id: runId });
  const after = await engine.waitForEnd(runId);

  expect(taskOf(before, 'taken').headrace).toEqual({ worker });
  expect(taskOf(before, 'waits').headrace).toBeUndefined();
  expect(taskOf(after, 'taken').headrace).toEqual({ worker });
  expect(taskOf(after, 'waits').headrace).toBeUndefined();
});
