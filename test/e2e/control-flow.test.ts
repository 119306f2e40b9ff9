// The control-flow example on a real server with real Python tasks, held against the tables of its README: what is
// derived there by hand is what must come out.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Client, createClient, type RunTaskDocument } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProcessesOf, waitUntil } from '../support/census.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const example = path.join(root, 'examples/control-flow');
/** A run takes 4 s on two quiet cores, most of it the time-out that it is meant to reach. */
const RUN_MS_MAX = 2 * 60_000;

let stateDir: string;
let client: Client;

async function headrace(...parameters: string[]): Promise<string> {
  const main = path.join(root, 'packages/cli/src/main.ts');
  const { stdout } = await run(process.execPath, ['--conditions=source', main, ...parameters], {
    cwd: example,
    env: { PATH: process.env.PATH, HOME: stateDir, HEADRACE_STATE_DIR: stateDir },
  });
  return stdout;
}

beforeAll(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'headrace-control-flow-'));
  await headrace('up', '--port', '0', '--detach');
  const { url, token } = JSON.parse(await readFile(path.join(stateDir, 'server.json'), 'utf8'));
  client = createClient({ baseUrl: url, token });
  await headrace('bundle', 'deploy');
});

afterAll(async () => {
  await headrace('down');
  expect(await findProcessesOf(stateDir)).toEqual([]);
  await rm(stateDir, { recursive: true, force: true });
});

/** Rows of the table whose first column is headed `heading`, cells without backticks. */
async function readTable(heading: string): Promise<string[][]> {
  const lines = (await readFile(path.join(example, 'README.md'), 'utf8')).split('\n');
  const start = lines.findIndex((line) => line.startsWith(heading));
  const rest = lines.slice(start + 2);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
}

const NEVER_RAN = ['EXCLUDED', 'DISABLED', 'UPSTREAM_FAILED', 'UPSTREAM_CANCELED'];

interface Ending {
  readonly result: string | undefined;
  readonly attempts: number;
}

/** By task key, and by `key#iteration`; only attempts that started count. */
async function readEndings(runId: number): Promise<Map<string, Ending>> {
  const endings = new Map<string, Ending>();
  for (const task of await readTaskRuns(runId)) {
    const iteration = task.headrace?.iteration;
    const slot = iteration === undefined ? task.task_key : `${task.task_key}#${iteration}`;
    const result = task.state.result_state;
    const attempts = endings.get(slot)?.attempts ?? 0;
    endings.set(slot, { result, attempts: attempts + (NEVER_RAN.includes(result ?? '') ? 0 : 1) });
  }
  return endings;
}

/** Every attempt of every task and iteration, oldest first. */
async function readTaskRuns(runId: number): Promise<RunTaskDocument[]> {
  const found = new Map<number, RunTaskDocument>();
  const { tasks = [] } = await client.runsGet({ run_id: runId, include_history: true });
  for (const task of tasks) {
    found.set(task.run_id, task);
    if (task.for_each_task === undefined) continue;
    const { iterations = [] } = await client.runsGet({ run_id: task.run_id, include_history: true });
    for (const iteration of iterations) found.set(iteration.run_id, iteration);
  }
  return [...found.values()].sort((a, b) => a.run_id - b.run_id);
}

async function startJob(): Promise<number> {
  const { run_id } = JSON.parse(await headrace('bundle', 'run', 'bakery_night', '--no-wait', '-o', 'json'));
  return run_id;
}

async function stateAtEnd(runId: number) {
  const look = async () => (await client.runsGet({ run_id: runId })).state;
  const ended = async () =>
    ['TERMINATED', 'INTERNAL_ERROR', 'SKIPPED'].includes((await look())?.life_cycle_state ?? '');
  await waitUntil(`run ${runId} has ended`, ended, RUN_MS_MAX);
  return look();
}

test('a run ends as its README derives, and so does its repair', { timeout: 3 * RUN_MS_MAX }, async () => {
  const runId = await startJob();

  expect(await stateAtEnd(runId)).toMatchObject({ result_state: 'SUCCESS_WITH_FAILURES' });

  const endings = await readEndings(runId);
  const tasks = await readTable('| task | waits for |');
  expect(tasks).toHaveLength(23);
  for (const [key = '', , , ends = '', attempts = ''] of tasks) {
    const isForEach = attempts.endsWith('iterations');
    expect([key, endings.get(key)?.result]).toEqual([key, ends.split(',')[0]]);
    if (!isForEach) expect([key, endings.get(key)?.attempts]).toEqual([key, Number.parseInt(attempts, 10)]);
  }
  await expectIterations(endings);
  const log = await headrace('runs', 'logs', String(runId));
  expect(log).toContain('weigh failed (RUN_EXECUTION_ERROR) after 4 executions: the scales show 0 g\n');
  expect(log).toContain('[40, 25, 10] are 75 loaves of 2700 g flour\n');
  const childLog = await headrace('runs', 'logs', String(await findDelivery()));
  expect(childLog).toContain('75 loaves of 2026-01-05 go into the blue van\n');

  await client.runsRepair({
    run_id: runId,
    rerun_all_failed_tasks: true,
    rerun_dependent_tasks: true,
    job_parameters: { scales: 'mended' },
  });

  expect(await stateAtEnd(runId)).toMatchObject({ result_state: 'SUCCESS' });
  const repaired = await readEndings(runId);
  const changed = ['weigh', 'print_labels', 'write_labels', 'call_mechanic', 'open_shop', 'close'];
  for (const [keys = '', ends = ''] of (await readTable('| task | in the repair |')).slice(0, -1)) {
    for (const key of keys.split(', ')) {
      expect(changed).toContain(key);
      expect([key, repaired.get(key)?.result]).toEqual([key, ends.split(/[,:;]/)[0]]);
    }
  }
  for (const [slot, ending] of endings) {
    if (!changed.includes(slot)) expect([slot, repaired.get(slot)]).toEqual([slot, ending]);
  }
  expect(await headrace('runs', 'logs', String(runId))).toMatch(/weigh: success\n(.*\n)*repairs: 1\n/);
});

async function expectIterations(endings: ReadonlyMap<string, Ending>): Promise<void> {
  const rows = await readTable('| for-each | iteration |');
  const derived = rows.map(([, iteration, , attempts = ''], index) => [
    `${index < 3 ? 'knead' : 'bake'}#${iteration}`,
    { result: 'SUCCESS', attempts: Number.parseInt(attempts, 10) },
  ]);
  expect([...endings].filter(([slot]) => slot.includes('#')).sort()).toEqual(derived.sort());
}

async function findDelivery(): Promise<number> {
  const { runs = [] } = await client.runsList({ limit: 20 });
  return runs.find(({ run_name }) => run_name?.endsWith('delivery'))?.run_id ?? 0;
}

test('a second run waits in the queue until the first has ended', { timeout: 3 * RUN_MS_MAX }, async () => {
  const first = await startJob();
  const second = await startJob();

  expect((await client.runsGet({ run_id: second })).state).toMatchObject({ life_cycle_state: 'QUEUED' });
  await stateAtEnd(first);
  expect(await stateAtEnd(second)).toMatchObject({ result_state: 'SUCCESS_WITH_FAILURES' });
});
