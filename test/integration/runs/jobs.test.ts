import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine({ hasWorker: false });
});
afterAll(() => engine.close());

test('a settings document comes back as it was sent, unknown fields included', async () => {
  const settings = { name: 'kept', tasks: [fakeTask('load', { future_field: { a: [1] } })], another: 'one' };

  const { job_id } = await engine.client.jobsCreate(settings);

  const job = await engine.client.jobsGet({ job_id });
  expect(job.settings).toEqual(settings);
  expect(job).toMatchObject({ job_id, creator_user_name: 'ada' });
});

test('an update replaces fields, joins tasks by key and removes what it is told to', async () => {
  const { job_id } = await engine.client.jobsCreate({
    name: 'before',
    description: 'old',
    tags: { a: '1' },
    tasks: [fakeTask('a'), fakeTask('b'), fakeTask('c')],
  });

  await engine.client.jobsUpdate({
    job_id,
    new_settings: {
      name: 'after',
      tags: { b: '2' },
      tasks: [fakeTask('b', { max_retries: 1 }), fakeTask('d')],
    },
    fields_to_remove: ['description', 'tasks/c'],
  });

  const { settings } = await engine.client.jobsGet({ job_id });
  expect(settings).toMatchObject({ name: 'after', tags: { b: '2' } });
  expect(settings.description).toBeUndefined();
  expect(settings.tasks?.map((task) => task.task_key)).toEqual(['a', 'b', 'd']);
  expect(settings.tasks?.[1]?.max_retries).toBe(1);
});

test('a reset replaces all settings', async () => {
  const { job_id } = await engine.client.jobsCreate({
    name: 'before',
    description: 'old',
    tasks: [fakeTask('a')],
  });

  await engine.client.jobsReset({ job_id, new_settings: { name: 'after', tasks: [fakeTask('z')] } });

  const { settings } = await engine.client.jobsGet({ job_id });
  expect(settings.description).toBeUndefined();
  expect(settings.tasks?.map((task) => task.task_key)).toEqual(['z']);
});

test.each([
  ['a cycle', [fakeTask('a', { after: ['b'] }), fakeTask('b', { after: ['a'] })], ['a', 'b', 'circle']],
  ['an unknown parent', [fakeTask('a', { after: ['ghost'] })], ["'ghost'"]],
  ['a key used twice', [fakeTask('a'), fakeTask('a')], ["'a' is used more than once"]],
  ['a task that waits for itself', [fakeTask('a', { after: ['a'] })], ["'a' depends on itself"]],
  ['an unknown job cluster', [fakeTask('a', { job_cluster_key: 'big' })], ["job cluster 'big'"]],
  [
    'a wrong member of a known namespace',
    [{ task_key: 'a', notebook_task: { notebook_path: '/b', base_parameters: { x: '{{job.naem}}' } } }],
    ['{{job.naem}}'],
  ],
])('%s is refused and named', async (_, tasks, words) => {
  const refused = engine.client.jobsCreate({ name: 'bad', tasks: tasks as never });

  await expect(refused).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
  await refused.catch((error: Error) => {
    for (const word of words) expect(error.message).toContain(word);
  });
});

test('an update that would break the graph changes nothing', async () => {
  const { job_id } = await engine.client.jobsCreate({
    name: 'sound',
    tasks: [fakeTask('a'), fakeTask('b', { after: ['a'] })],
  });

  await expect(
    engine.client.jobsUpdate({ job_id, new_settings: { name: 'broken' }, fields_to_remove: ['tasks/a'] }),
  ).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });

  expect((await engine.client.jobsGet({ job_id })).settings.name).toBe('sound');
});

test('jobs are listed newest first, found by name in any case, and paged', async () => {
  const made: number[] = [];
  for (let index = 0; index < 5; index++) {
    made.push(
      (await engine.client.jobsCreate({ name: `Nightly ${index % 2}`, tasks: [fakeTask('a')] })).job_id,
    );
  }

  const found = await engine.client.jobsList({ name: 'nightly 1' });
  const first = await engine.client.jobsList({ limit: 2, expand_tasks: true });
  const second = await engine.client.jobsList({ limit: 2, page_token: first.next_page_token ?? '' });
  const byOffset = await engine.client.jobsList({ limit: 2, offset: 2 });

  expect(found.jobs?.map((job) => job.job_id)).toEqual([made[3], made[1]]);
  expect(first.jobs?.map((job) => job.job_id)).toEqual([made[4], made[3]]);
  expect(first.jobs?.[0]?.settings.tasks).toHaveLength(1);
  expect(second.jobs?.map((job) => job.job_id)).toEqual([made[2], made[1]]);
  expect(second.jobs?.[0]?.settings.tasks).toBeUndefined();
  expect(byOffset.jobs?.map((job) => job.job_id)).toEqual([made[2], made[1]]);
  expect(found.has_more).toBe(false);
});

test('long arrays are cut in lists, and read page by page', async () => {
  const tasks = Array.from({ length: 150 }, (_, index) => fakeTask(`t${index}`));
  const { job_id } = await engine.client.jobsCreate({ name: 'long', tasks });

  const listed = await engine.client.jobsList({ name: 'long', expand_tasks: true });
  const first = await engine.client.jobsGet({ job_id });
  const second = await engine.client.jobsGet({ job_id, page_token: first.next_page_token ?? '' });

  expect(listed.jobs?.[0]).toMatchObject({ has_more: true });
  expect(listed.jobs?.[0]?.settings.tasks).toHaveLength(100);
  expect(first.settings.tasks).toHaveLength(100);
  expect(second.settings.tasks?.map((task) => task.task_key)).toEqual(
    tasks.slice(100).map((task) => task.task_key),
  );
  expect(second.next_page_token).toBeUndefined();
});

test('an unknown job is told in the words that clients know', async () => {
  const words = { message: 'Job 999999999 does not exist.' };

  await expect(engine.client.jobsGet({ job_id: 999_999_999 })).rejects.toMatchObject({
    ...words,
    code: 'INVALID_PARAMETER_VALUE',
  });
  await expect(engine.client.jobsRunNow({ job_id: 999_999_999 })).rejects.toMatchObject({
    ...words,
    code: 'RESOURCE_DOES_NOT_EXIST',
  });
});

test('a document that cannot be stored is refused, never a fault of ours', async () => {
  const deep = '['.repeat(20_000) + ']'.repeat(20_000);
  const send = (path: string, body: string) =>
    fetch(new URL(path, engine.url), {
      method: 'POST',
      headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
      body,
    });
  const task = JSON.stringify(fakeTask('a'));

  const replies = await Promise.all([
    send('/api/2.2/jobs/create', `{"name":"deep","tasks":[${task}],"x":${deep}}`),
    send('/api/2.2/jobs/create', `{"name":"n\\u0000l","tasks":[${task}]}`),
    send('/api/2.2/jobs/runs/submit', `{"idempotency_token":"\\u0000","tasks":[${task}]}`),
    send('/api/2.2/jobs/runs/submit', `{"tasks":[${task}],"x":${deep}}`),
  ]);

  expect(replies.map((reply) => reply.status)).toEqual([400, 400, 400, 400]);
});
