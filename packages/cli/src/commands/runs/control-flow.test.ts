import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ApiError, type RunTaskDocument } from '@headrace/api';
import { afterEach, expect, test } from 'vitest';
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

const nested = { task_key: 'load_region', spark_python_task: { python_file: '/load.py' } };

function aForEach(counts: { total: number; done: number; failed: number }, fields = {}): RunTaskDocument {
  const { total, done, failed: bad } = counts;
  return aTask({
    run_id: 72,
    task_key: 'each_region',
    for_each_task: {
      inputs: '["north", {"name": "south"}]',
      task: nested,
      stats: {
        task_run_stats: {
          total_iterations: total,
          scheduled_iterations: done,
          active_iterations: 0,
          completed_iterations: done,
          succeeded_iterations: done - bad,
          failed_iterations: bad,
        },
      },
    },
    ...fields,
  });
}

function anIteration(iteration: number, fields: Partial<RunTaskDocument> = {}): RunTaskDocument {
  return aTask({ run_id: 7200 + iteration, task_key: 'load_region', headrace: { iteration }, ...fields });
}

const excluded = { state: { life_cycle_state: 'TERMINATED', result_state: 'EXCLUDED' } } as const;

const controlRun = aRun({
  tasks: [
    aTask({
      run_id: 71,
      task_key: 'any_orders',
      condition_task: { op: 'GREATER_THAN', left: '412', right: '0', outcome: 'true' },
    }),
    aForEach({ total: 300, done: 12, failed: 1 }),
    aTask({ run_id: 73, task_key: 'report', run_job_task: { job_id: 3, run_id: 107 } }),
    aTask({ run_id: 74, task_key: 'tell_nothing', ...excluded }),
    anIteration(0),
  ],
});

test('runs get shows what conditions, for-each and run-job tasks came to, and why a task was skipped', async () => {
  const { stdout } = await call(['runs', 'get', '7'], {
    runsGet: async () => controlRun,
    runsWhy: async ({ run_id, task_key }) => ({
      run_id,
      sentence: `Task ${task_key} was left out: any_orders came out true.`,
      facts: [],
    }),
  });

  expect(stdout).toMatch(/any_orders +succeeded +1 +3\.0 s +71 +412 > 0 → true/);
  expect(stdout).toMatch(/each_region +succeeded .* 12\/300 done, 1 failed/);
  expect(stdout).toMatch(/report +succeeded .* run 107/);
  expect(stdout).toContain('Task tell_nothing was left out: any_orders came out true.');
  expect(stdout).not.toContain('load_region');
});

test('runs get shows the repairs of a run, and who started it', async () => {
  const part = { start_time: 1_000, end_time: 2_000, ...succeeded, task_run_ids: [70] };
  const { stdout } = await call(['runs', 'get', '7'], {
    runsGet: async ({ run_id, include_history }) =>
      run_id === 7
        ? aRun({
            trigger_info: { run_id: 88 },
            ...(include_history && {
              repair_history: [
                { ...part, type: 'ORIGINAL', ...failed },
                { ...part, type: 'REPAIR', id: 501 },
              ],
            }),
          })
        : aRun({ run_id: 88, job_run_id: 6, run_name: 'report' }),
  });

  expect(stdout).toMatch(/started by +task report of run 6/);
  expect(stdout).toMatch(/original +failed/);
  expect(stdout).toMatch(/501 +succeeded/);
});

test('a server that gives no reason still shows the run', async () => {
  const called = await call(['runs', 'get', '7'], {
    runsGet: async () => controlRun,
    runsWhy: async () => {
      throw new ApiError('NOT_IMPLEMENTED', 'not yet');
    },
  });

  expect(called).toMatchObject({ exitCode: 0, stderr: '' });
});

const forEachHandlers: StubHandlers = {
  runsGet: async ({ run_id, page_token }) => {
    if (run_id === 7) return controlRun;
    return page_token === ''
      ? aRun({ run_id: 72, tasks: undefined, iterations: [anIteration(0)], next_page_token: 'two' })
      : aRun({
          run_id: 72,
          tasks: undefined,
          iterations: [
            anIteration(1, { run_id: 7201, ...failed }),
            anIteration(1, { run_id: 7209, ...failed }),
          ],
        });
  },
};

test('runs iterations joins the pages, one row an iteration, each with its input', async () => {
  const { stdout } = await call(['runs', 'iterations', '7', '--task', 'each_region'], forEachHandlers);

  expect(stdout).toMatch(/0 +"north" +succeeded +1 /);
  expect(stdout).toMatch(/1 +\{"name":"south"\} +failed +2 +3\.0 s +7209/);
});

test('runs iterations --failed leaves out those that went well', async () => {
  const args = ['runs', 'iterations', '7', '--task', 'each_region', '--failed', '-o', 'json'];
  const { stdout } = await call(args, forEachHandlers);

  const shown: RunTaskDocument[] = JSON.parse(stdout).iterations;
  expect(shown.map(({ run_id }) => run_id)).toEqual([7201, 7209]);
});

test('iterations of a task that has none are refused', async () => {
  const called = await call(['runs', 'iterations', '7', '--task', 'report'], forEachHandlers);

  expect(called).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is no for-each') });
});

test('the log of one iteration is that of its latest attempt', async () => {
  const { stdout } = await call(['runs', 'logs', '7', '--task', 'each_region', '--iteration', '1'], {
    ...forEachHandlers,
    taskLog: async ({ task_run_id }) => {
      const log = `of ${task_run_id}\n`;
      return { log, offset: 0, next_offset: log.length, size: log.length, truncated: false, ended: true };
    },
  });

  expect(stdout).toBe('of 7209\n');
});

test('a for-each is told in steps, its iterations not at all', async () => {
  const event = { version: 1, run_id: 7, at_ms: 0, ended: false, ...running };
  const each = (done: number, bad = 0) =>
    aForEach({ total: 300, done, failed: bad }, { end_time: 0, ...running });
  const called = await call(['jobs', 'run-now', '3'], {
    jobsRunNow: async () => ({ run_id: 7 }),
    runEvents: async () =>
      (async function* () {
        for (let done = 0; done <= 60; done++) yield { ...event, tasks: [each(done), anIteration(done)] };
        yield { ...event, tasks: [each(61, 1)] };
        yield { ...event, ...succeeded, tasks: [], ended: true };
      })(),
    runsGet: async () => aRun(),
  });

  const told = called.stderr.split('\n').filter((line) => line.includes('each_region'));
  expect(told.map((line) => line.replace(/.*running +/, ''))).toEqual([
    '0/300 done',
    '30/300 done',
    '60/300 done',
    '61/300 done, 1 failed',
  ]);
  expect(called.stderr).not.toContain('load_region');
});

test('one task of a run is cancelled by its own run id', async () => {
  let asked = 0;
  const called = await call(['runs', 'cancel', '7', '--task', 'report'], {
    runsGet: async () => controlRun,
    runsCancel: async ({ run_id }) => {
      asked = run_id;
      return {};
    },
  });

  expect(asked).toBe(73);
  expect(called.stdout).toBe('task report of run 7 was asked to stop\n');
});

test('jobs cancel-run --run-id is understood, as scripts of other clients write it', async () => {
  const called = await call(['jobs', 'cancel-run', '--run-id', '7'], { runsCancel: async () => ({}) });

  expect(called.stdout).toBe('run 7 was asked to stop\n');
});

test('cancel-all wants to know which runs', async () => {
  const asked: unknown[] = [];
  const handlers: StubHandlers = {
    runsCancelAll: async (request) => {
      asked.push(request);
      return {};
    },
  };

  expect(await call(['runs', 'cancel-all'], handlers)).toMatchObject({ exitCode: 2 });
  server?.close();
  const ofJob = await call(['runs', 'cancel-all', '--job-id', '3'], handlers);
  server?.close();
  await call(['runs', 'cancel-all', '--queued'], handlers);

  expect(ofJob.stdout).toBe('all runs of job 3 were asked to stop\n');
  expect(asked).toEqual([{ job_id: 3, all_queued_runs: false }, { all_queued_runs: true }]);
});

test('a run is deleted only when somebody agrees', async () => {
  const handlers: StubHandlers = { runsDelete: async () => ({}) };

  expect(await call(['runs', 'delete', '7'], handlers)).toMatchObject({ exitCode: 2 });
  expect(server?.calls).toEqual([]);
  server?.close();
  const agreed = await call(['runs', 'delete', '7'], handlers, { confirm: async () => true });

  expect(agreed.stdout).toBe('run 7 is deleted\n');
});

const history = [
  { type: 'ORIGINAL' as const, start_time: 1, end_time: 2, ...failed, task_run_ids: [70] },
  { type: 'REPAIR' as const, id: 501, start_time: 3, end_time: 4, ...failed, task_run_ids: [75] },
];

test('repair names the last repair by itself, and sends what was chosen', async () => {
  const args = ['--task', 'a,b', '--task', 'c', '--dependents', '--param', 'x=1', '--original'];
  const called = await call(['runs', 'repair', '7', ...args], {
    runsGet: async () => aRun({ repair_history: history }),
    runsRepair: async (request) => {
      expect(request).toEqual({
        run_id: 7,
        rerun_tasks: ['a', 'b', 'c'],
        rerun_all_failed_tasks: false,
        rerun_dependent_tasks: true,
        latest_repair_id: 501,
        job_parameters: { x: '1' },
        headrace: { definition: 'original', while_active: false },
      });
      return { repair_id: 502 };
    },
  });

  expect(called).toEqual({ exitCode: 0, stdout: 'run 7 is being repaired: repair 502\n', stderr: '' });
});

test('repair --preview says what would happen, and repairs nothing', async () => {
  const { stdout } = await call(['runs', 'repair', '7', '--failed', '--preview'], {
    runsGet: async () => aRun({ repair_history: history }),
    runsRepairPreview: async () => ({
      run_id: 7,
      tasks: [
        { task_key: 'gather', action: 'reuse' },
        { task_key: 'each', action: 'rerun', iterations: { total: 4, reuse: 3 } },
        { task_key: 'report', action: 'skip' },
      ],
    }),
  });

  expect(stdout.split('\n')).toEqual([
    'TASK    IN A REPAIR    ITERATIONS',
    'gather  result stands',
    'each    runs again     3 of 4 stand',
    'report  skipped',
    '',
  ]);
});

test('repair --follow tells only what comes after', async () => {
  const event = { version: 1, run_id: 7, at_ms: 0, ended: false, ...running };
  const again = aTask({ run_id: 75, attempt_number: 1 });
  const called = await call(['runs', 'repair', '7', '--failed', '--follow'], {
    runsGet: async () => aRun({ tasks: [aTask({ ...failed })], repair_history: history }),
    runsRepair: async () => ({ repair_id: 502 }),
    runEvents: async () =>
      (async function* () {
        yield { ...event, tasks: [aTask({ ...failed }), { ...again, ...running }] };
        yield { ...event, ...succeeded, tasks: [again], ended: true };
      })(),
  });

  const lines = called.stderr.split('\n').filter((line) => /^\d\d:/.test(line));
  expect(lines.map((line) => line.replace(/.*load +/, ''))).toEqual([
    'running (attempt 2)',
    'succeeded (attempt 2)  3.0 s',
  ]);
});

test('repair without a choice is refused before anything is asked', async () => {
  const called = await call(['runs', 'repair', '7'], {});

  expect(called).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('which tasks are to run again?'),
  });
  expect(server?.calls).toEqual([]);
});

test('why prints the sentence, and below it what is known', async () => {
  const called = await call(['runs', 'why', '7', '--task', 'report'], {
    runsWhy: async ({ run_id, task_key }) => ({
      run_id,
      task_key,
      sentence: 'Task report waits for each_region.',
      facts: [{ kind: 'dependency', task_key: 'each_region', state: 'RUNNING', at_ms: 5 }],
    }),
  });

  expect(called.stdout).toBe(
    'Task report waits for each_region.\n  dependency: task_key=each_region state=RUNNING at_ms=5\n',
  );
});

test('export writes the notebook to a file', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'headrace-export-'));
  try {
    const args = ['runs', 'export', '7', '--task', 'report', '--output-file', 'page.html'];
    const called = await call(
      args,
      {
        runsGet: async () => controlRun,
        runsExport: async ({ run_id }) => ({
          views: [{ name: 'report', type: 'NOTEBOOK', content: `<p>${run_id}</p>` }],
        }),
      },
      { folder },
    );

    expect(called.stdout).toBe('wrote page.html\n');
    expect(await readFile(path.join(folder, 'page.html'), 'utf8')).toBe('<p>73</p>');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('run-now passes on the selection, the older parameters and the token', async () => {
  const args = [
    '--only',
    'a,+b',
    '--notebook-param',
    'n=1',
    '--python-param',
    '--x',
    '--idempotency-token',
    't1',
  ];
  const called = await call(['jobs', 'run-now', '--job-id', '3', '--no-wait', ...args], {
    jobsRunNow: async (request) => {
      expect(request).toEqual({
        job_id: 3,
        only: ['a', '+b'],
        notebook_params: { n: '1' },
        python_params: ['--x'],
        idempotency_token: 't1',
      });
      return { run_id: 7 };
    },
  });

  expect(called.exitCode).toBe(0);
});
