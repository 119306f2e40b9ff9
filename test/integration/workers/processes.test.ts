/** Worker processes of their own with real hosts and real Python tasks: frozen, killed, cut off, restarted, drained. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findProcessesOf, waitUntil } from '../../support/census.ts';
import { type CuttableProxy, startProxy } from '../../support/cuttable-proxy.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { makeWorkerToken, startWorkerProcess, type WorkerProcess } from './support.ts';

/** Long enough for a busy machine to renew it, short enough to wait for its end. */
const leaseMs = 8_000;
const deadlineMs = 60_000;
const longerThanLeaseS = 30;

let server: TestServer;
let token: string;
let proxy: CuttableProxy;
let folder: string;
let workers: WorkerProcess[];
beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'far-'));
  await serve(leaseMs);
  workers = [];
});
async function serve(workerLeaseMs: number): Promise<void> {
  server = await startTestServer({ backend: null, config: { workerLeaseMs } });
  token = await makeWorkerToken(server);
  proxy = await startProxy(server.url);
}
afterEach(async () => {
  for (const worker of workers) {
    worker.signal('SIGCONT');
    worker.signal('SIGTERM');
  }
  await Promise.all(workers.map(({ ended }) => ended));
  await waitUntil('nothing of the workers is left', async () => (await findProcessesOf(folder)).length === 0);
  await proxy.close();
  await server.dispose();
  fs.rmSync(folder, { recursive: true });
});

function start(name: string, environment: Readonly<Record<string, string>> = {}): WorkerProcess {
  const worker = startWorkerProcess(path.join(folder, name), {
    ...{ HEADRACE_SERVER: server.url, HEADRACE_TOKEN: token, HEADRACE_WORKER_ID: name },
    ...{ HEADRACE_SLOTS: '2', HEADRACE_DRAIN_MS: '20000' },
    ...environment,
  });
  workers.push(worker);
  return worker;
}

const statusOf = async (name: string) =>
  (await server.client.status({})).workers.find(({ worker_id }) => worker_id === name);
const signedOn = (name: string) =>
  waitUntil(`${name} is signed on`, async () => (await statusOf(name))?.state === 'live', deadlineMs);

/** The process that wrote its name into the worker's folder last. */
const instanceOf = (name: string): unknown =>
  JSON.parse(fs.readFileSync(path.join(folder, name, 'worker.json'), 'utf8')).instance_id;

/**
 * Says when it begins, all the time while it runs, and when it ends; no signal that can be ignored ends it. A first
 * attempt takes as long as it is told, a later one a moment.
 */
const script = `
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
diary = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def say(word):
    os.write(diary, f"{sys.argv[2]} {word} {time.monotonic()}\\n".encode())
say("start")
until = time.monotonic() + (float(sys.argv[3]) if sys.argv[2].endswith(" 1") else 4)
while time.monotonic() < until:
    time.sleep(0.05)
    say("beat")
say("end")
`;

function diaryTask(key: string, seconds: number, more: object = {}) {
  const file = path.join(folder, 'task.py');
  fs.writeFileSync(file, script);
  const parameters = [path.join(folder, 'diary'), '{{task.name}} {{task.execution_count}}', String(seconds)];
  return { task_key: key, spark_python_task: { python_file: file, parameters }, ...more };
}

interface Entry {
  readonly task: string;
  readonly attempt: number;
  readonly word: string;
  readonly atS: number;
}

function readDiary(): Entry[] {
  const file = path.join(folder, 'diary');
  if (!fs.existsSync(file)) return [];
  const lines = fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [task = '', attempt, word = '', atS] = line.split(' ');
    return { task, attempt: Number(attempt), word, atS: Number(atS) };
  });
}

/** The diary says that as many attempts have begun. */
async function begun(runId: number, count: number): Promise<void> {
  const haveBegun = async () => {
    const { status, tasks } = await server.client.runsGet({ run_id: runId });
    if (startsOf(readDiary()).length >= count) return true;
    if (status.state === 'TERMINATED')
      throw new Error(tasks?.map(({ state }) => state.state_message).join('; '));
    return false;
  };
  await waitUntil(`${count} attempts have begun`, haveBegun, deadlineMs);
}

const startsOf = (entries: readonly Entry[]) =>
  entries.filter(({ word }) => word === 'start').map(({ task, attempt }) => `${task} ${attempt}`);

async function endOf(runId: number) {
  const isOver = async () => (await server.client.runsGet({ run_id: runId })).status.state === 'TERMINATED';
  await waitUntil(`the end of run ${runId}`, isOver, deadlineMs);
  return server.client.runsGet({ run_id: runId });
}

/** Of two attempts of a task, the later one begins after the last sign of life of the earlier one. */
function overlaps(entries: readonly Entry[]): string[] {
  const byTask = Map.groupBy(entries, ({ task }) => task);
  return [...byTask.values()].flatMap((ofTask) =>
    ofTask
      .filter(({ word }) => word === 'start')
      .flatMap((begun) =>
        ofTask
          .filter(({ attempt, atS }) => attempt < begun.attempt && atS > begun.atS)
          .map(({ task, attempt }) => `${task}: ${attempt} still ran when ${begun.attempt} began`),
      ),
  );
}

test('one worker freezes, one is killed, one is cut off and healed: no attempt runs twice, no two of a task at once, all end', async () => {
  const frozen = start('frozen');
  const killed = start('killed');
  start('cut', { HEADRACE_SERVER: proxy.url });
  await Promise.all(['frozen', 'killed', 'cut'].map(signedOn));
  const retries = { max_retries: 1, min_retry_interval_millis: 0 };
  const tasks = Array.from({ length: 6 }, (_, index) => diaryTask(`t${index}`, longerThanLeaseS, retries));
  const { run_id = 0 } = await server.client.runsSubmit({ run_name: 'rough', tasks });
  await begun(run_id, 6);

  frozen.signal('SIGSTOP');
  killed.signal('SIGKILL');
  proxy.cut();
  // It waits for what the others lose.
  start('spare', { HEADRACE_SLOTS: '6' });
  await begun(run_id, 12);
  const atLoss = await server.client.status({});
  frozen.signal('SIGCONT');
  start('killed');
  proxy.heal();
  const run = await endOf(run_id);

  const entries = readDiary();
  const starts = startsOf(entries);
  const stateThen = (name: string) => atLoss.workers.find(({ worker_id }) => worker_id === name)?.state;
  expect(['frozen', 'killed', 'cut', 'spare'].map(stateThen)).toEqual(['silent', 'silent', 'silent', 'live']);
  expect(run.state.result_state).toBe('SUCCESS');
  expect(starts.toSorted()).toEqual(tasks.flatMap(({ task_key }) => [`${task_key} 1`, `${task_key} 2`]));
  expect(overlaps(entries)).toEqual([]);
  // Of those that were lost, none came to its end.
  expect(entries.filter(({ word }) => word === 'end').map(({ attempt }) => attempt)).toEqual(
    Array(6).fill(2),
  );
  await Promise.all(['frozen', 'killed', 'cut'].map(signedOn));
}, 240_000);

test('a worker that is killed and comes back within its lease goes on with what runs', async () => {
  const first = start('back');
  await signedOn('back');
  const { run_id = 0 } = await server.client.runsSubmit({ run_name: 'long', tasks: [diaryTask('t', 5)] });
  await begun(run_id, 1);

  first.signal('SIGKILL');
  await first.ended;
  const second = start('back');

  expect((await endOf(run_id)).state.result_state).toBe('SUCCESS');
  expect(startsOf(readDiary())).toEqual(['t 1']);
  expect(second.output).toContain('is signed on');
}, 120_000);

test('a start that met no server does not stand between a worker and what it left running', async () => {
  await proxy.close();
  await server.dispose();
  // Within it two processes begin, one after the other, however busy the machine is.
  await serve(60_000);
  const first = start('back', { HEADRACE_SERVER: proxy.url });
  await signedOn('back');
  const { run_id = 0 } = await server.client.runsSubmit({ run_name: 'long', tasks: [diaryTask('t', 5)] });
  await begun(run_id, 1);
  proxy.cut();
  const signedOnAs = instanceOf('back');
  first.signal('SIGKILL');
  await first.ended;
  const between = start('back', { HEADRACE_SERVER: proxy.url });
  // It is on its way: it has the folder and its own name in it.
  await waitUntil('it tries to sign on', () => instanceOf('back') !== signedOnAs);
  between.signal('SIGTERM');
  expect(await between.ended).toEqual({ code: 0, signal: null });

  proxy.heal();
  const third = start('back', { HEADRACE_SERVER: proxy.url });

  expect((await endOf(run_id)).state).toMatchObject({ result_state: 'SUCCESS' });
  expect(startsOf(readDiary())).toEqual(['t 1']);
  expect(third.output).not.toContain('runs already');
}, 120_000);

test('SIGTERM lets what runs end, takes nothing new, and signs off', async () => {
  const worker = start('leaving');
  await signedOn('leaving');
  const tasks = [diaryTask('now', 3), diaryTask('too', 3), diaryTask('later', 0.1)];
  const { run_id = 0 } = await server.client.runsSubmit({ run_name: 'drained', tasks });
  await begun(run_id, 2);

  worker.signal('SIGTERM');

  expect(await worker.ended).toEqual({ code: 0, signal: null });
  expect(readDiary().filter(({ word }) => word === 'end')).toHaveLength(2);
  expect((await statusOf('leaving'))?.state).toBe('signed_off');
  start('next');
  expect((await endOf(run_id)).state.result_state).toBe('SUCCESS');
  expect(startsOf(readDiary())).toHaveLength(3);
}, 120_000);

test('a second process in the state folder is told who has it', async () => {
  const first = start('only');
  await signedOn('only');

  const second = start('only');

  expect(await second.ended).toEqual({ code: 1, signal: null });
  expect(second.output).toContain(`in use by the worker with process id ${first.pid}`);
  expect((await statusOf('only'))?.state).toBe('live');
}, 60_000);

test('settings that make no sense are told all at once; a wrong token with who makes a right one', async () => {
  const nonsense = start('nonsense', {
    ...{ HEADRACE_SERVER: 'nowhere', HEADRACE_TOKEN: '', HEADRACE_SLOTS: '0' },
    ...{ HEADRACE_WORKER_LABELS: 'a=b,=c' },
  });
  const denied = start('denied', { HEADRACE_TOKEN: 'hrp_wrong' });

  expect((await nonsense.ended).code).toBe(2);
  for (const name of ['SERVER): nowhere', 'TOKEN)', 'SLOTS)', 'WORKER_LABELS): =c'])
    expect(nonsense.output).toContain(`HEADRACE_${name}`);
  expect((await denied.ended).code).toBe(4);
  expect(denied.output).toContain('headrace workers create-token');
  expect(denied.output).not.toContain('hrp_wrong');
}, 60_000);

test('the command line makes the token, runs the worker, shows it, and drains it', async () => {
  const launcher = fileURLToPath(new URL('../../../packages/cli/bin/headrace.js', import.meta.url));
  const environment = { PATH: process.env.PATH, HEADRACE_HOST: server.url, HEADRACE_TOKEN: server.token };
  const run = promisify(execFile);
  const call = async (...args: string[]) =>
    (await run(process.execPath, [launcher, ...args], { env: environment })).stdout;
  const tokenFile = path.join(folder, 'token');
  fs.writeFileSync(tokenFile, await call('workers', 'create-token', '--comment', 'rack 4'));
  const stateDir = path.join(folder, 'by-hand');
  const options = ['--token-file', tokenFile, '--state-dir', stateDir, '--labels', 'rack=4', '--slots', '1'];

  const command = spawn(process.execPath, [launcher, 'worker', ...options], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  command.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString();
  });
  const ended = once(command, 'exit');
  await waitUntil('it is signed on', () => output.includes('is signed on'), deadlineMs);
  const { run_id = 0 } = await server.client.runsSubmit({ run_name: 'one', tasks: [diaryTask('t', 1)] });
  await begun(run_id, 1);
  const shown = await call('workers', 'list');
  command.kill('SIGTERM');

  expect(await ended).toEqual([0, null]);
  expect((await endOf(run_id)).state.result_state).toBe('SUCCESS');
  expect(shown).toMatch(/worker-\w+ +live +\S+ \w+ ago +kept +\S+ +1 +1 +rack=4/);
  expect(output).toContain('signed off');
  expect(await call('workers', 'tokens')).toContain('rack 4');
}, 120_000);
