/** What user code can do to its surroundings, on a whole server: a named message, and everything else unharmed. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProcessesOf, waitUntil } from '../../support/census.ts';
import { createRealBackend } from '../../support/real-backend.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

const patienceMs = 120_000;

let folder: string;
let server: TestServer;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'hr-faults-'));
  const backend = createRealBackend(folder);
  server = await startTestServer({ backend, config: { stateDir: folder } });
}, patienceMs);
afterAll(async () => {
  await server.dispose();
  for (const line of await findProcessesOf(folder)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
  await fs.rm(folder, { recursive: true, force: true });
});

let scripts = 0;
async function run(script: string, headrace: Record<string, unknown> = {}, max_retries = 0) {
  scripts += 1;
  const file = `/Shared/fault-${scripts}.py`;
  const content = Buffer.from(script).toString('base64');
  await server.client.workspaceImport({ path: file, content, format: 'AUTO', overwrite: true });
  const task = { task_key: 'fault', spark_python_task: { python_file: file }, headrace, max_retries };
  const { job_id } = await server.client.jobsCreate({ name: `fault ${scripts}`, tasks: [task] });
  const { run_id } = await server.client.jobsRunNow({ job_id });
  const read = async () => server.client.runsGet({ run_id });
  await waitUntil(
    'the run has ended',
    async () => (await read()).state?.result_state !== undefined,
    patienceMs,
  );
  const ended = await read();
  const task_run_id = ended.tasks?.at(-1)?.run_id ?? 0;
  const { log } = await server.client.taskLog({ run_id, task_run_id });
  const { error } = await server.client.runsGetOutput({ run_id: task_run_id });
  const { error: firstError } = await server.client.runsGetOutput({ run_id: ended.tasks?.[0]?.run_id ?? 0 });
  return { state: ended.state?.result_state, log, error, firstError };
}

test(
  'what is no text passes through logs, messages, values and failures',
  async () => {
    const printed = await run(`
import sys
sys.stdout.buffer.write(bytes(range(256)) * 100)
sys.stdout.flush()
print("after")
`);
    expect(printed.state).toBe('SUCCESS');
    expect(printed.log).toContain('after');

    const raised = await run('raise ValueError("a nul \\x00 and half a letter \\ud800 here")');
    expect(raised.state).toBe('FAILED');
    expect(raised.error).toMatch(/^ValueError: a nul .* and half a letter .* here$/);

    const told = await run(`
from databricks.sdk.runtime import dbutils
dbutils.jobs.taskValues.set("value", "a nul \\x00 here")
`);
    expect(told).toMatchObject({ state: 'SUCCESS' });
  },
  patienceMs,
);

test(
  'a task may open 10,000 files',
  async () => {
    const opened = await run(`
files = [open("/dev/null") for _ in range(10_000)]
print("opened", len(files))
`);
    if (opened.state === 'SUCCESS') expect(opened.log).toContain('opened 10000');
    else expect(opened.error).toContain('Too many open files');
    expect((await run('print("next")')).log).toContain('next');
  },
  patienceMs,
);

test(
  'daemons that a task forks are gone when it has ended',
  async () => {
    const forked = await run(`
import os, sys
for number in range(20):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.environ.clear()
            null = os.open("/dev/null", os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            os.execv("/bin/sleep", ["${folder}/daemon", "1007"])
        os._exit(0)
print("forked")
`);
    expect(forked).toMatchObject({ state: 'SUCCESS' });
    // By their names: they have shed parents, session and environment.
    const left = (await findProcessesOf(folder)).filter((line) => line.includes('daemon'));
    expect(left).toEqual([]);
  },
  patienceMs,
);

test(
  'a task that kills its parent fails with those that were forked beside it, which their policy tries again',
  async () => {
    const beside = run(
      `
import os, time
if not os.path.exists("${folder}/beside"):
    open("${folder}/beside", "w").close()
    time.sleep(600)
print("again")
`,
      {},
      1,
    );
    await waitUntil(
      'it runs',
      () =>
        fs.access(path.join(folder, 'beside')).then(
          () => true,
          () => false,
        ),
      patienceMs,
    );
    const killed = await run(
      'import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(600)',
    );

    expect(killed.state).toBe('FAILED');
    expect(killed.error).toContain('SIGKILL');
    const again = await beside;
    expect(again).toMatchObject({ state: 'SUCCESS', log: 'again\n' });
    expect(again.firstError).toContain('they all were forked from was killed (SIGKILL)');
    expect((await run('print("next")')).log).toContain('next');
  },
  patienceMs,
);

test(
  'limits of a task are written in its job',
  async () => {
    const eaten = await run(
      'import time\nkept = bytearray(300 * 2**20)\nkept[::4096] = b"x" * len(kept[::4096])\ntime.sleep(600)',
      { memory_mb: 200 },
    );

    expect(eaten.state).toBe('FAILED');
    expect(eaten.error).toMatch(/^The task used \d+ MB of memory, its limit is 200 MB/);
  },
  patienceMs,
);
