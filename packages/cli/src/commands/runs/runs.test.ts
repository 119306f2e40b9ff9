import { afterEach, expect, test } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import {
  aRun,
  aTask,
  running,
  type StubHandlers,
  type StubServer,
  startStubServer,
} from '../../testing/stub-server.ts';

let server: StubServer | undefined;

afterEach(() => {
  server?.close();
  server = undefined;
});

async function call(args: readonly string[], handlers: StubHandlers) {
  server = await startStubServer(handlers);
  return callCli(args, { environment: { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' } });
}

/** Logs by task run id, given in ranges of at most 4 bytes. */
function logsOf(logs: Readonly<Record<number, string>>): NonNullable<StubHandlers['taskLog']> {
  return async ({ task_run_id, offset }) => {
    const text = logs[task_run_id] ?? '';
    const log = text.slice(offset, offset + 4);
    return {
      log,
      offset,
      next_offset: offset + log.length,
      size: text.length,
      truncated: false,
      ended: true,
    };
  };
}

const twoTasks = aRun({ tasks: [aTask(), aTask({ run_id: 71, task_key: 'report' })] });

test('runs list and get show states in words', async () => {
  const handlers: StubHandlers = {
    runsList: async () => ({ runs: [aRun()], has_more: false }),
    runsGet: async () => aRun(),
  };

  expect((await call(['runs', 'list'], handlers)).stdout).toMatch(/7 +flights +succeeded +1970-.* 3\.0 s/);
  server?.close();
  expect((await call(['runs', 'get', '7'], handlers)).stdout).toMatch(/state +succeeded/);
});

test('the logs of several tasks stand below their names', async () => {
  const { stdout } = await call(['runs', 'logs', '7'], {
    runsGet: async () => twoTasks,
    taskLog: logsOf({ 70: 'one\ntwo\n', 71: 'no end' }),
  });

  expect(stdout).toBe('==> load <==\none\ntwo\n==> report <==\nno end\n');
});

test('a task run is known by its own id, and its log is asked of its run', async () => {
  const { stdout, stderr } = await call(['runs', 'logs', '70'], {
    // As the server tells of a task run by its id.
    runsGet: async () => aRun({ run_id: 70, job_run_id: 7, run_name: 'load', start_time: 1_000, tasks: [] }),
    taskLog: async (request, context) => {
      expect(request).toMatchObject({ run_id: 7, task_run_id: 70 });
      return logsOf({ 70: 'one\ntwo\n' })(request, context);
    },
  });

  expect(stdout).toBe('one\ntwo\n');
  expect(stderr).toBe('');
});

test('a run that has printed nothing says so', async () => {
  const waiting = await call(['runs', 'logs', '7'], {
    runsGet: async () => aRun({ tasks: [aTask({ start_time: 0 })] }),
  });
  server?.close();
  const quiet = await call(['runs', 'logs', '7', '--task', 'load'], {
    runsGet: async () => aRun({ tasks: [aTask()] }),
    taskLog: logsOf({}),
  });

  expect(waiting.stderr).toContain('nothing has begun that could have printed: `headrace runs why 7`');
  expect(quiet.stderr).toContain('task load has printed nothing');
});

test('the log of one task stands alone, of its latest attempt', async () => {
  const { stdout } = await call(['runs', 'logs', '7', '--task', 'load'], {
    runsGet: async () =>
      aRun({
        tasks: [aTask(), aTask({ run_id: 72, attempt_number: 1 }), aTask({ run_id: 71, task_key: 'x' })],
      }),
    taskLog: logsOf({ 70: 'first', 72: 'second\n' }),
  });

  expect(stdout).toBe('second\n');
});

test('a task that is not there gives 3 and the names of those that are', async () => {
  const called = await call(['runs', 'logs', '7', '--task', 'x'], { runsGet: async () => twoTasks });

  expect(called).toMatchObject({
    exitCode: 3,
    stderr: 'error: run 7 has no task x\n  its tasks are load, report\n',
  });
});

test('--follow reads on until the run has ended, each line with its task', async () => {
  let turn = 0;
  const texts = ['a\nb', 'a\nbc\n', 'a\nbc\nd\n'];
  const { stdout, exitCode } = await call(['runs', 'logs', '7', '-f'], {
    runsGet: async () => {
      turn += 1;
      return turn < 3 ? aRun({ ...twoTasks, ...running }) : twoTasks;
    },
    taskLog: async ({ task_run_id, offset }) => {
      const text = task_run_id === 70 ? (texts[turn - 1] ?? '') : '';
      const log = text.slice(offset);
      return { log, offset, next_offset: text.length, size: text.length, truncated: false, ended: turn >= 3 };
    },
  });

  expect(exitCode).toBe(0);
  expect(stdout).toBe('[load] a\n[load] bc\n[load] d\n');
});

test('--follow ends although a retry began before the end of the first attempt was read', async () => {
  let turn = 0;
  const first = aTask();
  const second = aTask({ run_id: 72, attempt_number: 1 });
  const { stdout } = await call(['runs', 'logs', '7', '-f', '--task', 'load'], {
    runsGet: async () => {
      turn += 1;
      return turn === 1
        ? aRun({ tasks: [{ ...first, ...running }], ...running })
        : aRun({ tasks: [first, second] });
    },
    taskLog: async ({ task_run_id, offset }) => {
      const text = task_run_id === 72 ? 'again\n' : turn === 1 ? 'one\n' : 'one\ntwo\n';
      const log = text.slice(offset);
      return { log, offset, next_offset: text.length, size: text.length, truncated: false, ended: turn > 1 };
    },
  });

  expect(stdout).toBe('one\ntwo\nagain\n');
});

test('cancel asks once', async () => {
  const called = await call(['runs', 'cancel', '7'], { runsCancel: async () => ({}) });

  expect(called.stdout).toBe('run 7 was asked to stop\n');
  expect(server?.calls).toEqual(['POST /api/2.2/jobs/runs/cancel']);
});
