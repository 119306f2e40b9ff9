import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

async function runOne(task: ReturnType<typeof fakeTask>) {
  const { run_id } = await engine.client.runsSubmit({ run_name: 'one', tasks: [task] });
  const run = await engine.waitForEnd(run_id);
  const [taskRun] = run.tasks ?? [];
  if (!taskRun) throw new Error('the run has no task run');
  return { run, taskRun };
}

test("a notebook's exit value is its result", async () => {
  const fake = { kind: 'succeed', exitValue: 'forty-two' };
  const { taskRun } = await runOne({
    task_key: 'book',
    depends_on: [],
    notebook_task: { notebook_path: '/book', base_parameters: { fake: JSON.stringify(fake) } },
  } as never);

  const output = await engine.client.runsGetOutput({ run_id: taskRun.run_id });

  expect(output.notebook_output).toEqual({ result: 'forty-two', truncated: false });
  expect(output.metadata.run_id).toBe(taskRun.run_id);
});

test('a failed Python task gives its log, its error and the traceback', async () => {
  const failure = { message: 'ValueError: no rows', trace: 'Traceback\nValueError: no rows' };
  const { taskRun } = await runOne(
    fakeTask('load', { fake: { kind: 'fail', failure, output: 'reading\n' } }),
  );

  const output = await engine.client.runsGetOutput({ run_id: taskRun.run_id });

  expect(output).toMatchObject({
    logs: expect.stringContaining('reading\n'),
    logs_truncated: false,
    error: 'ValueError: no rows',
    error_trace: 'Traceback\nValueError: no rows',
  });
});

test('output is asked of a task run, not of its run', async () => {
  const { run } = await runOne(fakeTask('load'));

  await expect(engine.client.runsGetOutput({ run_id: run.run_id })).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
    message:
      'Retrieving the output of runs with multiple tasks is not supported. Please retrieve the output of each individual task run instead.',
  });
});

test('a log is read by range, and a range beyond its end is empty', async () => {
  const { run, taskRun } = await runOne(
    fakeTask('load', { fake: { kind: 'succeed', output: 'one\ntwo\n' } }),
  );
  const ids = { run_id: run.run_id, task_run_id: taskRun.run_id };

  const first = await engine.client.taskLog({ ...ids, limit: 4 });
  const rest = await engine.client.taskLog({ ...ids, offset: first.next_offset });
  const beyond = await engine.client.taskLog({ ...ids, offset: 1_000 });

  expect(first).toMatchObject({
    log: 'one\n',
    offset: 0,
    next_offset: 4,
    size: 8,
    truncated: false,
    ended: true,
  });
  expect(rest).toMatchObject({ log: 'two\n', next_offset: 8 });
  expect(beyond).toMatchObject({ log: '', offset: 1_000, next_offset: 1_000 });
});

test('a log belongs to its run', async () => {
  const { taskRun } = await runOne(fakeTask('load'));

  await expect(engine.client.taskLog({ run_id: 1, task_run_id: taskRun.run_id })).rejects.toMatchObject({
    code: 'RESOURCE_DOES_NOT_EXIST',
  });
});

test('a run is streamed until it has ended', async () => {
  const { run_id } = await engine.client.runsSubmit({
    run_name: 'watched',
    tasks: [fakeTask('a', { fake: { kind: 'succeed', afterMs: 300 } }), fakeTask('b', { after: ['a'] })],
  });

  const events = [];
  for await (const event of engine.client.runEvents({ run_id })) events.push(event);

  expect(events[0]?.tasks.map((task) => task.task_key)).toEqual(['a', 'b']);
  expect(events.at(-1)).toMatchObject({ ended: true, state: { result_state: 'SUCCESS' } });
  expect(events.slice(0, -1).every((event) => !event.ended)).toBe(true);
});

test('events of a run that does not exist are refused like any other request', async () => {
  const events = engine.client.runEvents({ run_id: 999_999_999 });

  await expect(events.next()).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
});
