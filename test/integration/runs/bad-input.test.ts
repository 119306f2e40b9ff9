/** What is refused, with the place of the mistake in the message, and what clients write otherwise and is taken. */
import { type RunDocument, routes } from '@headrace/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startJob } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
let ended: RunDocument;
beforeAll(async () => {
  engine = await startTestEngine();
  const { runId } = await startJob(engine, { tasks: [fakeTask('a')] });
  ended = await engine.waitForEnd(runId);
});
afterAll(() => engine.close());

async function post(path: string, body: unknown, version = '2.2') {
  const response = await fetch(`${engine.url}/api/${version}/jobs/${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const get = async (path: string) => {
  const response = await fetch(`${engine.url}/api/2.2/jobs/${path}`, {
    headers: { authorization: 'Bearer any' },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const a = fakeTask('a');
const settings = (task: object) => ({ name: 'j', tasks: [{ ...a, ...task }] });
const loop = (rest: object) => ({
  task_key: 'l',
  for_each_task: { inputs: '[1]', task: fakeTask('n'), ...rest },
});

describe('graphs that cannot run, with the keys', () => {
  test.each([
    [
      'a circle',
      [fakeTask('x', { after: ['z'] }), fakeTask('y', { after: ['x'] }), fakeTask('z', { after: ['y'] })],
      /circle: .*x → y/,
    ],
    ['an unknown key', [fakeTask('x', { after: ['nope'] })], /task 'x' depends on 'nope'/],
    ['a task that needs itself', [fakeTask('x', { after: ['x'] })], /task 'x' depends on itself/],
    ['a key twice', [fakeTask('x'), fakeTask('x')], /task key 'x' is used more than once/],
    ['a key twice, once within a for-each', [fakeTask('n'), loop({})], /task key 'n' is used more than once/],
    [
      '1,001 tasks',
      Array.from({ length: 1_001 }, (_, at) => fakeTask(`t${at}`)),
      /tasks: expected at most 1000 entries/,
    ],
    [
      'an outcome after a task that is no condition',
      [fakeTask('x'), fakeTask('y', { depends_on: [{ task_key: 'x', outcome: 'true' }] })],
      /outcome/,
    ],
  ])('%s', async (_, tasks, told) => {
    const { job_id } = await engine.client.jobsCreate(settings({}));
    const before = await engine.client.jobsGet({ job_id });

    const answers = [
      await post('create', { name: 'j', tasks }),
      await post('reset', { job_id, new_settings: { name: 'j', tasks } }),
      await post('runs/submit', { run_name: 'r', tasks }),
    ];

    for (const { status, body } of answers) {
      expect(status).toBe(400);
      expect(body).toMatchObject({
        error_code: 'INVALID_PARAMETER_VALUE',
        message: expect.stringMatching(told),
        details: [],
      });
    }
    expect(await engine.client.jobsGet({ job_id })).toEqual(before);
  });

  test('a circle that only joining old and new tasks makes is refused by update', async () => {
    const { job_id } = await engine.client.jobsCreate({
      name: 'j',
      tasks: [fakeTask('x'), fakeTask('y', { after: ['x'] })],
    });

    const { status, body } = await post('update', {
      job_id,
      new_settings: { tasks: [fakeTask('x', { after: ['y'] })] },
    });

    expect([status, body.message]).toEqual([400, expect.stringMatching(/circle/)]);
  });

  test('removing a task that others need is refused by update', async () => {
    const { job_id } = await engine.client.jobsCreate({
      name: 'j',
      tasks: [fakeTask('x'), fakeTask('y', { after: ['x'] })],
    });

    const { status, body } = await post('update', { job_id, fields_to_remove: ['tasks/x'] });

    expect([status, body.message]).toEqual([400, expect.stringMatching(/'y' depends on 'x'/)]);
  });
});

describe('fields that are not as they should be, by their path', () => {
  test.each<[string, unknown, string]>([
    ['create', settings({ task_key: 'a b' }), 'tasks[0].task_key'],
    ['create', settings({ task_key: 'k'.repeat(101) }), 'tasks[0].task_key: expected at most 100 characters'],
    ['create', settings({ run_if: 'SOMETIMES' }), 'tasks[0].run_if: expected one of ALL_SUCCESS'],
    ['create', settings({ max_retries: -2 }), 'tasks[0].max_retries: expected at least -1'],
    ['create', settings({ max_retries: 'many' }), 'tasks[0].max_retries'],
    ['create', settings({ timeout_seconds: -1 }), 'tasks[0].timeout_seconds'],
    [
      'create',
      settings({ depends_on: [{ task_key: 'a', outcome: 'maybe' }] }),
      'tasks[0].depends_on[0].outcome',
    ],
    ['create', { name: 'j', tasks: [loop({ concurrency: 0 })] }, 'tasks[0].for_each_task.concurrency'],
    [
      'create',
      { name: 'j', tasks: [loop({ concurrency: 101 })] },
      'tasks[0].for_each_task.concurrency: expected at most 100',
    ],
    ['create', { name: 'j', tasks: [loop({ task: loop({}) })] }, 'a for-each cannot run a for-each'],
    ['create', { name: 'j', tasks: [loop({ inputs: 5 })] }, 'tasks[0].for_each_task.inputs'],
    ['create', { name: 'j', tasks: [{ task_key: 'a' }] }, 'names nothing to run'],
    ['create', settings({ notebook_task: { notebook_path: '/n' } }), 'names several things to run'],
    [
      'create',
      { name: 'j', tasks: [{ task_key: 'c', condition_task: { op: 'LIKE', left: '', right: '' } }] },
      'condition_task.op',
    ],
    ['create', { name: 'n'.repeat(4_097), tasks: [a] }, 'name: expected at most 4096 characters'],
    [
      'create',
      { name: 'j', tasks: [a], max_concurrent_runs: 1_001 },
      'max_concurrent_runs: expected at most 1000',
    ],
    ['create', { name: 'j', tasks: [a], queue: true }, 'queue: expected an object'],
    ['run-now', {}, 'job_id: is missing'],
    ['run-now', { job_id: [1] }, 'job_id'],
    ['run-now', { job_id: '12345678901234567' }, 'job_id'],
    ['run-now', { job_id: 0 }, 'job_id: expected at least 1'],
    ['run-now', { job_id: 1, job_parameters: { a: 1 } }, 'job_parameters.a: expected a text'],
    ['run-now', { job_id: 1, python_params: 'x' }, 'python_params: expected a list'],
    ['run-now', { job_id: 1, only: ['a', ''] }, 'only[1]'],
    ['runs/repair', { run_id: 1, rerun_tasks: { a: 1 } }, 'rerun_tasks: expected a list'],
    [
      'runs/repair',
      { run_id: 1, rerun_all_failed_tasks: 'yes' },
      'rerun_all_failed_tasks: expected true or false',
    ],
    ['runs/repair', { run_id: 1, headrace: { definition: 'newest' } }, 'headrace.definition'],
    ['runs/cancel-all', {}, 'job_id: is missing'],
    ['runs/delete', { run_id: 'x' }, 'run_id'],
  ])('%s %j', async (path, request, told) => {
    const { status, body } = await post(path, request);

    expect([status, body.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(body.message).toContain(told);
  });

  test.each(['{', '[]', '"x"', '5', '{"job_id": 1,}'])('a body that is no object: %s', async (text) => {
    expect(await post('run-now', text)).toMatchObject({
      status: 400,
      body: { error_code: 'MALFORMED_REQUEST' },
    });
  });
});

describe('ids that do not exist', () => {
  const id = 999_999_999;
  test.each([
    ['run-now', { job_id: id }, `Job ${id} does not exist.`],
    ['reset', { job_id: id, new_settings: settings({}) }, `Job ${id} does not exist.`],
    ['update', { job_id: id, new_settings: {} }, `Job ${id} does not exist.`],
    ['delete', { job_id: id }, `Job ${id} does not exist.`],
    ['runs/cancel', { run_id: id }, `Run ${id} does not exist.`],
    ['runs/cancel-all', { job_id: id }, `Job ${id} does not exist.`],
    ['runs/delete', { run_id: id }, `Run ${id} does not exist.`],
    ['runs/repair', { run_id: id, rerun_tasks: ['a'] }, `Run ${id} does not exist.`],
  ])('%s', async (path, request, message) => {
    expect(await post(path, request)).toMatchObject({
      status: 404,
      body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message, details: [] },
    });
  });

  test.each(['get?job_id=', 'runs/get?run_id=', 'runs/get-output?run_id='])('%s', async (path) => {
    const { status, body } = await get(`${path}${id}`);

    expect([status, body.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(body.message).toMatch(/\d+ does not exist/);
  });
});

describe('what clients write otherwise', () => {
  test.each(['2.0', '2.1', '2.2'])(
    'numbers as texts and booleans as Python writes them, at %s',
    async (version) => {
      const { body } = await post(
        'create',
        {
          name: 'texts',
          max_concurrent_runs: '3',
          timeout_seconds: '0',
          tasks: [{ ...a, max_retries: '2', retry_on_timeout: 'True' }],
        },
        version,
      );
      const run = await post(
        'run-now',
        { job_id: String(body.job_id), queue: { enabled: 'False' } },
        version,
      );

      const job = await engine.client.jobsGet({ job_id: Number(body.job_id) });
      expect(run.status).toBe(200);
      expect(job.settings).toMatchObject({ max_concurrent_runs: 3 });
      expect(job.settings.tasks?.[0]).toMatchObject({ max_retries: 2, retry_on_timeout: true });
    },
  );

  test.each(['True', 'true'])('active_only=%s in a query', async (text) => {
    expect(await get(`runs/list?active_only=${text}&limit=5`)).toMatchObject({ status: 200 });
    expect(await get(`runs/get?run_id=${ended.run_id}&include_history=${text}`)).toMatchObject({
      status: 200,
    });
  });

  test('every route of jobs answers at three versions', () => {
    const jobRoutes = Object.values(routes).filter(({ path }) => path.startsWith('/api/2.2/jobs/'));

    for (const { path, aliases } of jobRoutes) {
      expect(aliases).toEqual(['2.1', '2.0'].map((version) => path.replace('2.2', version)));
    }
  });
});
