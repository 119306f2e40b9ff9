/** Why a run or a task stands where it does: the facts, and the sentence that is made from them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { childrenOf, runJob, startJob, taskOf, waitForTask } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine({ slots: 3 });
});
afterAll(() => engine.close());

const hang = { kind: 'hang' };
const bad = { kind: 'fail', failure: { message: 'Traceback\nValueError: odd', trace: 'Traceback' } };
const time = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;

function why(runId: number, taskKey?: string, iteration?: number) {
  return engine.client.runsWhy({
    run_id: runId,
    ...(taskKey === undefined ? {} : { task_key: taskKey }),
    ...(iteration === undefined ? {} : { iteration }),
  });
}

async function stop(runId: number) {
  await engine.client.runsCancel({ run_id: runId });
  await engine.waitForEnd(runId);
}

describe('a run', () => {
  test('that is queued tells its place, and its tasks that they wait for it', async () => {
    const job = { queue: { enabled: true }, tasks: [fakeTask('load', { fake: hang })] };
    const { jobId, runId } = await startJob(engine, job);
    const second = await engine.client.jobsRunNow({ job_id: jobId });
    const third = await engine.client.jobsRunNow({ job_id: jobId });

    const answer = await why(third.run_id);
    const ofTask = await why(third.run_id, 'load');

    expect(answer.facts).toMatchObject([
      { kind: 'run_queued', position: 2, active_runs: 1, max_concurrent_runs: 1 },
    ]);
    expect(answer.sentence).toMatch(
      new RegExp(
        `^Run ${third.run_id} waits in the queue since ${time} as number 2: 1 run of its job is active, and max_concurrent_runs is 1\\.$`,
      ),
    );
    expect(ofTask.sentence).toBe("Task 'load' has not begun: its run waits in the queue.");
    for (const id of [third.run_id, second.run_id, runId]) await stop(id);
  });

  test('that found no place tells so, and its tasks too', async () => {
    const { jobId, runId } = await startJob(engine, { tasks: [fakeTask('load', { fake: hang })] });
    const { run_id } = await engine.client.jobsRunNow({ job_id: jobId });

    const answer = await why(run_id);
    const ofTask = await why(run_id, 'load');

    expect(answer.facts).toMatchObject([{ kind: 'run_skipped', reason: 'no_place' }]);
    expect(ofTask.sentence).toContain("Task 'load' was skipped");
    expect(ofTask.sentence).toContain('queueing is off');
    await stop(runId);
  });

  test('that gave up after waiting tells so, in its document too', async () => {
    const { jobId, runId } = await startJob(engine, {
      queue: { enabled: true },
      tasks: [fakeTask('load', { fake: hang })],
    });
    const { run_id } = await engine.client.jobsRunNow({ job_id: jobId });
    await engine.client.runsCancel({ run_id });
    await engine.db.pool.query(
      `update runs set result = 'skipped_no_place', ended_at_ms = created_at_ms + 172800000 where run_id = $1`,
      [run_id],
    );

    const answer = await why(run_id, 'load');
    const { state } = await engine.client.runsGet({ run_id });

    expect(answer.facts).toMatchObject([{ kind: 'run_skipped', reason: 'waited_too_long' }]);
    expect(answer.sentence).toContain('48 hours');
    expect(state).toMatchObject({
      life_cycle_state: 'SKIPPED',
      result_state: 'MAXIMUM_CONCURRENT_RUNS_REACHED',
    });
    expect(state.state_message).toContain('48 hours');
    await stop(runId);
  });

  test('that runs tells what each task in motion does', async () => {
    const { runId } = await startJob(engine, {
      tasks: [fakeTask('a', { fake: hang }), fakeTask('b', { after: ['a'] }), fakeTask('c', { fake: hang })],
    });
    await waitForTask(engine, runId, 'a', 'RUNNING');
    await waitForTask(engine, runId, 'c', 'RUNNING');

    const { sentence, facts } = await why(runId);

    expect(facts.map((fact) => [fact.kind, fact.task_key])).toEqual([
      ['run_running', undefined],
      ['running', 'a'],
      ['running', 'c'],
    ]);
    expect(sentence).toMatch(
      new RegExp(
        `^Run ${runId} is running since ${time}; task 'a' is running since ${time} on worker w1; task 'c' is running`,
      ),
    );
    await stop(runId);
    expect((await why(runId)).sentence).toMatch(new RegExp(`^Run ${runId} was cancelled at ${time}\\.$`));
  });

  test('that failed names the task and the last line of what it said', async () => {
    const { run_id } = await runJob(engine, { tasks: [fakeTask('load', { fake: bad })] });

    const { sentence, facts } = await why(run_id);

    expect(facts).toMatchObject([
      { kind: 'run_ended', result: 'failed', cause_task_key: 'load', message: 'ValueError: odd' },
    ]);
    expect(sentence).toMatch(
      new RegExp(`^Run ${run_id} failed at ${time} because of task 'load': ValueError: odd\\.$`),
    );
  });

  test('that does not exist is not found', async () => {
    await expect(why(999_999)).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' });
  });
});

describe('a task', () => {
  test('that waits for others names them and how they stand, ten at most', async () => {
    const many = Array.from({ length: 12 }, (_, index) => `t${index}`);
    const { runId } = await startJob(engine, {
      tasks: [
        fakeTask('first', { fake: hang }),
        ...many.map((key) => fakeTask(key, { after: ['first'] })),
        fakeTask('join', { after: ['first', ...many] }),
      ],
    });
    await waitForTask(engine, runId, 'first', 'RUNNING');

    const one = await why(runId, 't0');
    const join = await why(runId, 'join');

    expect(one.sentence).toBe("Task 't0' waits for 'first' (running).");
    expect(one).toMatchObject({ run_id: runId, task_key: 't0' });
    expect(join.facts).toMatchObject([{ kind: 'waits_for_tasks', count: 13 }]);
    expect(join.facts[0]?.tasks).toHaveLength(10);
    expect(join.sentence).toContain('and 3 more tasks');
    await stop(runId);
  });

  test('that was skipped names run_if and the parents that decided', async () => {
    const { run_id } = await runJob(engine, {
      tasks: [
        fakeTask('good'),
        fakeTask('bad', { fake: bad }),
        fakeTask('next', { after: ['good', 'bad'] }),
        fakeTask('rescue', { after: ['good'], run_if: 'AT_LEAST_ONE_FAILED' }),
      ],
    });

    const next = await why(run_id, 'next');
    const rescue = await why(run_id, 'rescue');

    expect(next.facts).toEqual([
      {
        kind: 'skipped_by_run_if',
        task_key: 'next',
        result: 'upstream_failed',
        run_if: 'ALL_SUCCESS',
        parents: [{ task_key: 'bad', result: 'failed' }],
      },
    ]);
    expect(next.sentence).toBe(
      "Task 'next' was skipped: its run_if ALL_SUCCESS was not met, since 'bad' failed.",
    );
    expect(rescue.sentence).toBe(
      "Task 'rescue' was excluded: its run_if AT_LEAST_ONE_FAILED was not met, since 'good' succeeded.",
    );
  });

  test('on the other branch, behind its own guard, or disabled says which', async () => {
    const condition = { op: 'GREATER_THAN', left: '5', right: '10' };
    const { run_id } = await runJob(engine, {
      tasks: [
        { task_key: 'check', condition_task: condition },
        { ...fakeTask('yes'), depends_on: [{ task_key: 'check', outcome: 'true' }] },
        fakeTask('guarded', { condition_task: condition }),
        fakeTask('off', { disabled: true }),
        fakeTask('after_off', { after: ['off'] }),
      ],
    });

    const sentences = await Promise.all(
      ['yes', 'guarded', 'off', 'after_off'].map(async (key) => (await why(run_id, key)).sentence),
    );

    expect(sentences).toEqual([
      `Task 'yes' was excluded: the condition of 'check' ("5" GREATER_THAN "10") came out false, and this task stands on the other branch.`,
      `Task 'guarded' was excluded: its condition ("5" GREATER_THAN "10") does not hold.`,
      "Task 'off' was not run: it is disabled.",
      "Task 'after_off' was not run: its run_if ALL_SUCCESS was not met, since 'off' was disabled.",
    ]);
  });

  test('that is a condition tells what it came to, and a run what failed although it succeeded', async () => {
    const { run_id } = await runJob(engine, {
      tasks: [
        { task_key: 'check', condition_task: { op: 'EQUAL_TO', left: 'a', right: 'a' } },
        fakeTask('bad', { fake: bad }),
        fakeTask('rescue', { after: ['bad'], run_if: 'AT_LEAST_ONE_FAILED' }),
      ],
    });

    expect((await why(run_id, 'check')).sentence).toMatch(
      /^Task 'check' succeeded at .*, and its condition \("a" EQUAL_TO "a"\) came out true\.$/,
    );
    expect((await why(run_id)).sentence).toMatch(/ succeeded at .*, although 'bad' failed\.$/);
  });

  test('that waits for a retry tells when and which', async () => {
    const { runId } = await startJob(engine, {
      tasks: [fakeTask('load', { fake: bad, max_retries: 3, min_retry_interval_millis: 600_000 })],
    });
    await waitForTask(engine, runId, 'load', 'WAITING_FOR_RETRY');

    const { sentence, facts } = await why(runId, 'load');

    expect(facts).toMatchObject([
      { kind: 'waits_for_retry', attempt_number: 1, due_at_ms: expect.any(Number) },
    ]);
    expect(sentence).toMatch(/^Task 'load' waits for a retry: attempt 2 is due at \d\d:\d\d:\d\d UTC\.$/);
    await stop(runId);
  });

  test('that waits for a worker tells its place and the slots', async () => {
    const { runId } = await startJob(engine, {
      tasks: Array.from({ length: 5 }, (_, index) => fakeTask(`t${index}`, { fake: hang })),
    });
    await waitForTask(engine, runId, 't2', 'RUNNING');

    const last = await why(runId, 't4');
    const run = await why(runId);

    expect(last.facts).toMatchObject([
      { kind: 'waits_for_worker', position: 2, workers: 1, slots: 3, free_slots: 0 },
    ]);
    expect(last.sentence).toContain('as number 2: 0 of 3 slots of 1 worker are free.');
    expect(run.facts.map(({ kind }) => kind)).toEqual([
      'run_running',
      'running',
      'running',
      'running',
      'waits_for_worker',
      'waits_for_worker',
    ]);
    await stop(runId);
  });

  test('that ended tells how, and when', async () => {
    const run = await runJob(engine, {
      tasks: [fakeTask('good'), fakeTask('bad', { fake: bad, max_retries: 1 })],
    });

    expect((await why(run.run_id, 'good')).sentence).toMatch(
      new RegExp(`^Task 'good' succeeded at ${time}\\.$`),
    );
    expect((await why(run.run_id, 'bad')).sentence).toMatch(
      new RegExp(`^Task 'bad' failed at ${time} in attempt 2: ValueError: odd\\.$`),
    );
  });

  test('that is not in the run is refused, with the tasks that are', async () => {
    const { run_id } = await runJob(engine, {
      tasks: Array.from({ length: 12 }, (_, index) => fakeTask(`t${index}`)),
    });

    await expect(why(run_id, 'x')).rejects.toMatchObject({
      code: 'INVALID_PARAMETER_VALUE',
      message: `task_key: run ${run_id} has no task 'x'; its tasks are t0, t1, t2, t3, t4, t5, t6, t7, t8, t9 and 2 more`,
    });
    await expect(why(run_id, 't0', 1)).rejects.toMatchObject({
      message: expect.stringContaining('no for-each'),
    });
  });
});

describe('a for-each', () => {
  test('tells how far it is, and each iteration where it stands', async () => {
    const nested = {
      task_key: 'one',
      spark_python_task: { python_file: '/f.py', parameters: ['--fake={{input}}'] },
    };
    const inputs = JSON.stringify([{ kind: 'succeed' }, bad, hang, hang]);
    const { runId } = await startJob(engine, {
      tasks: [{ task_key: 'loop', for_each_task: { inputs, concurrency: 1, task: nested } }],
    });
    await engine.waitFor('the third iteration', async () =>
      (await why(runId, 'loop', 2)).sentence.includes('running'),
    );

    const whole = await why(runId, 'loop');

    expect(whole.facts).toMatchObject([
      { kind: 'running' },
      { kind: 'iterations', total: 4, completed: 2, active: 1, failed: 1 },
    ]);
    expect(whole.sentence).toContain('2 of its 4 iterations have ended (1 failed, 1 active).');
    expect((await why(runId, 'loop', 0)).sentence).toMatch(/^Iteration 0 of 'loop' succeeded at /);
    expect((await why(runId, 'one', 1)).sentence).toMatch(
      /^Iteration 1 of 'one' failed at .*: ValueError: odd\.$/,
    );
    expect((await why(runId, 'loop', 3)).sentence).toContain('has not begun: 3 of 4 iterations have');
    await expect(why(runId, 'loop', 4)).rejects.toMatchObject({
      code: 'INVALID_PARAMETER_VALUE',
      message: `iteration: task 'loop' of run ${runId} has 4 iterations, counted from 0`,
    });
    await stop(runId);
  });
});

test('a task whose work is another run names it, and a run that ended with its task says so', async () => {
  const inner = await engine.client.jobsCreate({ name: 'inner', tasks: [fakeTask('work', { fake: hang })] });
  const { runId } = await startJob(engine, {
    tasks: [{ task_key: 'call', run_job_task: { job_id: inner.job_id } }],
  });
  const call = await waitForTask(engine, runId, 'call', 'RUNNING');
  const [child] = await childrenOf(engine, runId);

  const waiting = await why(runId, 'call');
  await stop(runId);
  const ended = await why(child?.run_id ?? 0);

  expect(waiting.sentence).toMatch(
    new RegExp(
      `^Task 'call' is running since ${time}, and waits for run ${child?.run_id}, which is RUNNING\\.$`,
    ),
  );
  expect(ended.sentence).toContain(`together with the task run ${call.run_id} that had started it`);
  expect(taskOf(await engine.client.runsGet({ run_id: runId }), 'call').state.result_state).toBe('CANCELED');
});

describe('without a worker', () => {
  let alone: TestEngine;
  beforeAll(async () => {
    alone = await startTestEngine({ hasWorker: false });
  });
  afterAll(() => alone.close());

  test('a task says that none is connected', async () => {
    const { run_id } = await alone.client.runsSubmit({ run_name: 'alone', tasks: [fakeTask('load')] });

    const { sentence } = await alone.client.runsWhy({ run_id, task_key: 'load' });

    expect(sentence).toMatch(
      /^Task 'load' waits since .* for a worker, as number 1: no worker is connected\.$/,
    );
  });

  test('a task that was taken and has not begun says how its cluster stands', async () => {
    const { run_id } = await alone.client.runsSubmit({ run_name: 'taken', tasks: [fakeTask('load')] });
    const { pool } = alone.db;
    await pool.query(
      `update task_runs set state = 'claimed', worker_id = 'w9', cluster_id = 'shared', claimed_at_ms = 5
       where run_id = $1`,
      [run_id],
    );
    await pool.query(
      `insert into clusters values ('shared', 'shared', 'default', null, '{}', '[]', 'ada', 1)`,
    );
    await pool.query(
      `insert into cluster_hosts values ('shared', 'k', 'w9', 'starting', 'none', 1, 'Starting Spark.', 1, 1)`,
    );

    const { sentence, facts } = await alone.client.runsWhy({ run_id, task_key: 'load' });

    expect(facts).toMatchObject([
      { kind: 'waits_for_cluster', cluster_id: 'shared', host_state: 'starting', message: 'Starting Spark.' },
    ]);
    expect(sentence).toMatch(
      /^Task 'load' was taken by worker w9 at .* and waits for cluster shared, whose host is starting \(Starting Spark\)\.$/,
    );
  });
});
