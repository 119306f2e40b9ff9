import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

test('runs come newest first, page by page, each once', async () => {
  const made: number[] = [];
  for (let index = 0; index < 7; index++) {
    const { run_id } = await engine.client.runsSubmit({ run_name: `r${index}`, tasks: [fakeTask('load')] });
    made.push(run_id);
  }
  await Promise.all(made.map((runId) => engine.waitForEnd(runId)));

  const seen: number[] = [];
  let token: string | undefined = '';
  while (token !== undefined) {
    const page: Awaited<ReturnType<typeof engine.client.runsList>> = await engine.client.runsList({
      limit: 3,
      page_token: token,
    });
    seen.push(...(page.runs ?? []).map((run) => run.run_id));
    expect(page.has_more).toBe(page.next_page_token !== undefined);
    token = page.next_page_token;
  }

  expect(seen).toEqual(made.toReversed());
});

test('runs are filtered by job, by type, by time and by whether they have ended', async () => {
  const { job_id } = await engine.client.jobsCreate({
    name: 'listed',
    max_concurrent_runs: 2,
    tasks: [fakeTask('load', { fake: { kind: 'hang' } })],
  });
  const { run_id } = await engine.client.jobsRunNow({ job_id });
  const ids = async (filter: Parameters<typeof engine.client.runsList>[0]) =>
    ((await engine.client.runsList(filter)).runs ?? []).map((run) => run.run_id);

  expect(await ids({ job_id })).toEqual([run_id]);
  expect(await ids({ job_id, completed_only: true })).toEqual([]);
  expect(await ids({ active_only: true })).toEqual([run_id]);
  expect(await ids({ run_type: 'JOB_RUN' })).toEqual([run_id]);
  expect(await ids({ start_time_to: 1 })).toEqual([]);
  expect((await engine.client.runsList({ job_id, expand_tasks: true })).runs?.[0]?.tasks).toHaveLength(1);
  expect((await engine.client.runsList({ job_id })).runs?.[0]?.tasks).toBeUndefined();
  await expect(engine.client.runsList({ active_only: true, completed_only: true })).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
  });
  await expect(engine.client.runsList({ page_token: 'nonsense' })).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
  });
  await engine.client.runsCancel({ run_id });
  await engine.waitForEnd(run_id);
});

test('a large run shows its tasks page by page, none twice', async () => {
  const tasks = Array.from({ length: 230 }, (_, index) =>
    fakeTask(`t${index}`, { after: index === 0 ? [] : ['t0'] }),
  );
  const { run_id } = await engine.client.runsSubmit({ run_name: 'large', tasks });
  const run = await engine.waitForEnd(run_id);
  const keys = (run.tasks ?? []).map((task) => task.task_key);
  let token = run.next_page_token;
  while (token !== undefined) {
    const page = await engine.client.runsGet({ run_id, page_token: token });
    keys.push(...(page.tasks ?? []).map((task) => task.task_key));
    token = page.next_page_token;
  }

  expect(run.tasks).toHaveLength(100);
  expect(keys).toEqual(tasks.map((task) => task.task_key));
});

test('an unknown run is told in the words that clients know', async () => {
  await expect(engine.client.runsGet({ run_id: 999_999_999 })).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
    message: 'Run 999999999 does not exist.',
  });
});

test('the way back through a list shows the same pages as the way forth', async () => {
  const { job_id } = await engine.client.jobsCreate({
    name: 'paged',
    max_concurrent_runs: 7,
    tasks: [fakeTask('load')],
  });
  const made: number[] = [];
  for (let index = 0; index < 7; index++) made.push((await engine.client.jobsRunNow({ job_id })).run_id);
  await Promise.all(made.map((runId) => engine.waitForEnd(runId)));
  const read = (page_token = '') => engine.client.runsList({ job_id, limit: 3, page_token });
  const idsOf = (page: Awaited<ReturnType<typeof read>>) => (page.runs ?? []).map((run) => run.run_id);

  const first = await read();
  const second = await read(first.next_page_token);
  const third = await read(second.next_page_token);
  const backToSecond = await read(third.prev_page_token);
  const backToFirst = await read(backToSecond.prev_page_token);

  expect(first.prev_page_token).toBeUndefined();
  expect([first, second, third].flatMap(idsOf)).toEqual(made.toReversed());
  expect(third.next_page_token).toBeUndefined();
  expect(idsOf(backToSecond)).toEqual(idsOf(second));
  expect(idsOf(backToFirst)).toEqual(idsOf(first));
  expect(backToFirst.prev_page_token).toBeUndefined();
  expect(idsOf(await read(backToSecond.next_page_token))).toEqual(idsOf(third));
});

test('a list begins at its offset, holds as many runs as it may for 0, and never those of another kind', async () => {
  const { job_id } = await engine.client.jobsCreate({
    name: 'offset',
    max_concurrent_runs: 30,
    tasks: [fakeTask('load')],
  });
  const made: number[] = [];
  for (let index = 0; index < 26; index++) made.push((await engine.client.jobsRunNow({ job_id })).run_id);
  await Promise.all(made.map((runId) => engine.waitForEnd(runId)));
  const newest = made.toReversed();
  const ids = async (filter: Parameters<typeof engine.client.runsList>[0]) =>
    ((await engine.client.runsList(filter)).runs ?? []).map((run) => run.run_id);

  expect(await ids({ job_id, limit: 0 })).toEqual(newest.slice(0, 24));
  expect(await ids({ job_id, limit: 2, offset: 3 })).toEqual(newest.slice(3, 5));
  expect(await ids({ job_id, run_type: 'SUBMIT_RUN' })).toEqual([]);
  expect(await ids({ run_type: 'WORKFLOW_RUN' })).toEqual([]);
  expect((await ids({ run_type: 'SUBMIT_RUN', limit: 0 })).some((id) => made.includes(id))).toBe(false);
});
