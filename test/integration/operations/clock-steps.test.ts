/** The wall clock of one of two servers steps by an hour, in the middle of its work: nothing is decided by it. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Client } from '@headrace/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../../support/census.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type ServerProcess, startServerProcess } from '../../support/server-process.ts';
import { fakeTask } from '../runs/engine.ts';
import { type RemoteWorker, startRemoteWorker } from '../workers/support.ts';

const hourMs = 3_600_000;
const retryMs = 5_000;
/** A busy machine may show an end late, and so make a pause look shorter. */
const seenLateMs = 2_500;
const stepClock = pathToFileURL(path.join(import.meta.dirname, '../../support/step-clock.mjs')).href;

let folder: string;
let database: TestDatabase;
let stepped: ServerProcess;
let steady: ServerProcess;
let worker: RemoteWorker;
beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'clock-steps-'));
  fs.mkdirSync(path.join(folder, 'data'));
  database = await createTestDatabase();
  stepped = await start('stepped', { NODE_OPTIONS: `--import=${stepClock}`, STEP_CLOCK_FILE: stepFile() });
  steady = await start('steady', {});
  const { token_value } = await stepped.client.workerTokensCreate({ comment: 'test' });
  worker = await startRemoteWorker({ url: stepped.url }, token_value);
});
afterEach(async () => {
  await worker.stop();
  await Promise.all([stepped.kill('SIGTERM'), steady.kill('SIGTERM')]);
  await database.drop();
  fs.rmSync(folder, { recursive: true });
});

const stepFile = () => path.join(folder, 'step');

function start(name: string, environment: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const stateDir = path.join(folder, name);
  fs.mkdirSync(stateDir);
  fs.symlinkSync(path.join(folder, 'data'), path.join(stateDir, 'data'));
  return startServerProcess(stateDir, { HEADRACE_DATABASE_URL: database.url, ...environment });
}

function stepBy(ms: number): void {
  fs.writeFileSync(stepFile(), String(ms));
  process.kill(stepped.pid, 'SIGUSR2');
}

/** By the clock of this test: from the end of the first attempt to the beginning of the second. */
async function pauseOf(runId: number): Promise<number> {
  const attempts = async () =>
    (
      await database.pool.query<{ state: string }>(
        'select state from task_runs where run_id = $1 order by attempt_id',
        [runId],
      )
    ).rows.map(({ state }) => state);
  await waitUntil('the first attempt has ended', async () => (await attempts())[0] === 'ended');
  const endedAt = performance.now();
  await waitUntil('the second attempt has begun', async () => {
    const second = (await attempts())[1];
    return second !== undefined && second !== 'waiting_for_retry';
  });
  return performance.now() - endedAt;
}

test.each([
  { direction: 'forward', ms: hourMs },
  { direction: 'backward', ms: -hourMs },
])(
  'a step $direction loses no lease, makes no retry early or never, and leaves no run stuck',
  async ({ ms }) => {
    const submit = async (client: Client, task: object) =>
      (await client.runsSubmit({ run_name: 'stepped', tasks: [fakeTask('t', { ...task })] })).run_id ?? 0;
    const both = async (task: object) => [
      await submit(stepped.client, task),
      await submit(steady.client, task),
    ];
    const long = await both({ fake: { kind: 'succeed', afterMs: 8_000 }, timeout_seconds: 600 });
    const failing = { max_retries: 1, min_retry_interval_millis: retryMs };
    const before = await both({ fake: { kind: 'fail' }, ...failing });
    const pausesBefore = Promise.all(before.map(pauseOf));
    await waitUntil('the long tasks run', async () => {
      const runs = await Promise.all(long.map((run_id) => steady.client.runsGet({ run_id })));
      return runs.every(({ tasks }) => tasks?.[0]?.status?.state === 'RUNNING');
    });

    stepBy(ms);

    const after = await both({ fake: { kind: 'fail' }, ...failing });
    const pausesAfter = Promise.all(after.map(pauseOf));
    const hanging = await both({ fake: { kind: 'hang' }, timeout_seconds: 6 });
    const pauses = [...(await pausesBefore), ...(await pausesAfter)];
    const ended = await Promise.all([...long, ...before, ...after, ...hanging].map(endOf));
    const results = ended.map(({ tasks }) => tasks?.map(({ state }) => state.result_state));
    expect(results).toEqual([
      ...long.map(() => ['SUCCESS']),
      ...[...before, ...after].map(() => ['FAILED', 'FAILED']),
      ...hanging.map(() => ['TIMEDOUT']),
    ]);
    expect(Math.min(...pauses)).toBeGreaterThan(retryMs - seenLateMs);
    const report = await steady.client.doctor({ deep: true });
    expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(worker.refused).toEqual([]);
  },
  120_000,
);

async function endOf(runId: number) {
  await waitUntil(`run ${runId} has ended`, async () => {
    return (await steady.client.runsGet({ run_id: runId })).status.state === 'TERMINATED';
  });
  return steady.client.runsGet({ run_id: runId });
}
