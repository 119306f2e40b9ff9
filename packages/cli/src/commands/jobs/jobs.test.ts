import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import {
  aRun,
  aTask,
  failed,
  running,
  type StubHandlers,
  type StubServer,
  startStubServer,
  succeeded,
} from '../../testing/stub-server.ts';

let server: StubServer | undefined;

afterEach(() => {
  server?.close();
  server = undefined;
});

async function call(args: readonly string[], handlers: StubHandlers, world = {}) {
  server = await startStubServer(handlers);
  return callCli(args, { environment: { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' }, ...world });
}

const page = {
  jobs: [{ job_id: 3, created_time: 0, creator_user_name: 'me', settings: { name: 'flights' }, extra: 1 }],
  has_more: true,
  next_page_token: 'abc',
};

test('jobs list shows a table, and how to see more', async () => {
  const { stdout, stderr } = await call(['jobs', 'list'], { jobsList: async () => page });

  expect(stdout).toBe('ID  NAME     OWNER  CREATED\n3   flights  me     -\n');
  expect(stderr).toBe('more: headrace jobs list --page-token abc\n');
});

test('-o json prints the body that the API gave', async () => {
  const { stdout, stderr } = await call(['jobs', 'list', '-o', 'json'], { jobsList: async () => page });

  expect(JSON.parse(stdout)).toEqual(page);
  expect(stderr).toBe('');
});

test('jobs get joins the pages of a long job', async () => {
  const task = (task_key: string) => ({ task_key, notebook_task: { notebook_path: '/n' } });
  const { stdout } = await call(['jobs', 'get', '3', '-o', 'json'], {
    jobsGet: async ({ page_token }) => ({
      job_id: 3,
      created_time: 0,
      settings: { tasks: [task(page_token === '' ? 'a' : 'b')] },
      ...(page_token === '' ? { next_page_token: 'two' } : {}),
    }),
  });

  const job = JSON.parse(stdout);
  expect(job.settings.tasks.map((each: { task_key: string }) => each.task_key)).toEqual(['a', 'b']);
  expect(job).not.toHaveProperty('next_page_token');
});

test('a job may be named; a name that nobody has gives 3', async () => {
  const handlers: StubHandlers = {
    jobsList: async ({ name }) => ({ jobs: name === 'flights' ? page.jobs : [], has_more: false }),
    jobsGet: async ({ job_id }) => ({ job_id, created_time: 0, settings: {} }),
  };

  expect((await call(['jobs', 'get', 'flights'], handlers)).stdout).toContain('job         3');
  server?.close();
  expect(await call(['jobs', 'get', 'ships'], handlers)).toMatchObject({ exitCode: 3 });
});

test('run-now shows each change of each task once, then the result', async () => {
  const event = { version: 1, run_id: 7, at_ms: 0, ended: false, ...running };
  const load = (fields: object) => aTask({ end_time: 0, ...fields });
  const called = await call(['jobs', 'run-now', '3', '--params', 'day=2013-01-02', '--params', 'x=a=b'], {
    jobsRunNow: async (request) => {
      expect(request.job_parameters).toEqual({ day: '2013-01-02', x: 'a=b' });
      return { run_id: 7 };
    },
    runEvents: async () =>
      (async function* () {
        yield { ...event, tasks: [load(running), aTask({ run_id: 71, task_key: 'report', ...blocked })] };
        yield { ...event, tasks: [load(running)] };
        yield { ...event, tasks: [aTask()] };
        yield { ...event, ...succeeded, tasks: [aTask({ run_id: 71, task_key: 'report' })], ended: true };
      })(),
    runsGet: async () => aRun(),
  });

  expect(called.exitCode).toBe(0);
  expect(called.stderr.replaceAll(/\d\d:\d\d:\d\d/g, 'TIME').split('\n')).toEqual([
    'run 7 of job 3 started',
    'TIME  load                  running',
    'TIME  load                  succeeded  3.0 s',
    'TIME  report                succeeded  3.0 s',
    '',
  ]);
  expect(called.stdout).toContain('run 7 succeeded in 3.0 s: http://stub/runs/7\n');
});

const blocked = { state: { life_cycle_state: 'BLOCKED' }, status: { state: 'BLOCKED' } } as const;

test('what a notebook returned stands below the table', async () => {
  const notebook_task = { notebook_path: '/n' };
  const called = await call(['jobs', 'run-now', '3'], {
    jobsRunNow: async () => ({ run_id: 7 }),
    runsGet: async () => aRun({ tasks: [aTask({ notebook_task })] }),
    runsGetOutput: async () => ({ metadata: aRun(), notebook_output: { result: '42 rows' } }),
  });

  expect(called.stdout).toContain('\nload returned: 42 rows\nrun 7 succeeded');
});

test('a failed run gives 1 and the words of the task that failed', async () => {
  const run = aRun({ ...failed, tasks: [aTask({ ...failed })] });
  const called = await call(['jobs', 'run-now', '3', '-o', 'json'], {
    jobsRunNow: async () => ({ run_id: 7 }),
    runsGet: async () => run,
    runsGetOutput: async () => ({
      metadata: run,
      error: 'ValueError: no rows',
      error_trace: 'Traceback …\nValueError: no rows',
    }),
  });

  expect(called.exitCode).toBe(1);
  expect(called.stderr).toContain('task load failed: ValueError: no rows\nTraceback …');
  expect(called.stderr).toContain('`headrace runs logs 7`');
  expect(JSON.parse(called.stdout)).toEqual(run);
});

test('a server without the live stream is asked again and again', async () => {
  let asked = 0;
  const called = await call(['jobs', 'run-now', '3'], {
    jobsRunNow: async () => ({ run_id: 7 }),
    runsGet: async () => {
      asked += 1;
      return asked < 3 ? aRun({ ...running, end_time: 0, tasks: [] }) : aRun();
    },
  });

  expect(called.exitCode).toBe(0);
  expect(asked).toBeGreaterThanOrEqual(3);
});

test('--no-wait returns at once', async () => {
  const called = await call(['jobs', 'run-now', '3', '--no-wait'], {
    jobsRunNow: async () => ({ run_id: 7 }),
  });

  expect(called).toEqual({ exitCode: 0, stdout: 'run 7 of job 3 started\n', stderr: '' });
});

test('create and reset send the document of a file as it is written', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'headrace-json-'));
  try {
    await writeFile(path.join(folder, 'job.json'), '{"name": "linear", "unknown": 1}');
    const sent: unknown[] = [];
    const handlers: StubHandlers = {
      jobsCreate: async (request) => {
        sent.push(request);
        return { job_id: 4 };
      },
      jobsReset: async (request) => {
        sent.push(request);
        return {};
      },
    };
    const created = await call(['jobs', 'create', '--json-file', 'job.json', '-o', 'json'], handlers, {
      folder,
    });
    server?.close();
    await call(['jobs', 'reset', '--job-id', '4', '--json-file', 'job.json'], handlers, { folder });

    expect(JSON.parse(created.stdout)).toEqual({ job_id: 4 });
    expect(sent).toEqual([
      { name: 'linear', unknown: 1 },
      { job_id: 4, new_settings: { name: 'linear', unknown: 1 } },
    ]);
    await writeFile(path.join(folder, 'job.json'), '[]');
    server?.close();
    const refused = await call(['jobs', 'create', '--json-file', 'job.json'], handlers, { folder });
    expect(refused).toMatchObject({
      exitCode: 2,
      stderr: 'error: cannot read job.json: it is no JSON object\n',
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a job is named once', async () => {
  expect(await call(['jobs', 'get', '3', '--job-id', '3'], {})).toMatchObject({ exitCode: 2 });
  server?.close();
  expect(await call(['jobs', 'get'], {})).toMatchObject({ exitCode: 2 });
});

describe('jobs delete', () => {
  const aJob = async () => ({
    ...{ job_id: 3, created_time: 0, creator_user_name: 'me' },
    settings: { name: 'flights' },
  });

  test('asks, saying what it is about, and deletes', async () => {
    const asked: string[] = [];
    const deleted: number[] = [];
    const confirm = async (question: string) => asked.push(question) > 0;
    const { stdout } = await call(
      ['jobs', 'delete', '3'],
      {
        jobsGet: aJob,
        jobsDelete: async ({ job_id }) => {
          deleted.push(job_id);
          return {};
        },
      },
      { confirm },
    );

    expect(asked).toEqual(['This deletes job 3, "flights", and cancels its active runs. Go on?']);
    expect(deleted).toEqual([3]);
    expect(stdout).toBe('job 3 is deleted\n');
  });

  test('deletes nothing where nobody is there to agree', async () => {
    const { exitCode, stderr } = await call(['jobs', 'delete', '3'], { jobsGet: aJob });

    expect(exitCode).toBe(2);
    expect(stderr).toContain('--auto-approve');
  });
});
