/** The world that the fake begins with: the example's job with a succeeded, a failed and a running run, and more. */
import type { RunTaskDocument } from '@headrace/api';
import { addFailedControlRun, addRepairedControlRun, controlJob } from './control-job.ts';
import { flightsJob, startRun } from './flights-job.ts';
import { addManyFilesRun, manyFilesJob } from './many-files-job.ts';
import { alertNotebook, brokenNotebook, bronzeNotebook, publishNotebook } from './notebooks.ts';
import { sentinels } from './sentinels.ts';
import { excluded, failed, queued, succeeded, upstreamFailed, type WireState } from './states.ts';
import { stepRun } from './step-run.ts';
import { type MockRun, newId, owner, setLog, type World } from './world.ts';

export const seeded = {
  flightsJob: 11,
  idleJob: 12,
  probeJob: 13,
  controlJob: 14,
  manyFilesJob: 15,
  succeededRun: 101,
  failedRun: 102,
  brokenNotebookRun: 103,
  runningRun: 104,
  failedControlRun: 105,
  repairedControlRun: 106,
  /** Started by a task of the repaired run. */
  childRun: 107,
  /** 250 iterations, of which two failed. */
  manyFilesRun: 108,
  queuedRun: 109,
} as const;

/** More than two pages of the run list. */
const probeRuns = 60;
const minuteMs = 60_000;

export function createWorld(nowMs: () => number): World {
  const world: World = {
    ...{ jobs: new Map(), runs: new Map(), nowMs, nextId: 900_000 },
    ...{ notReady: null, isWorkerSilent: false },
  };
  const createdAtMs = nowMs() - 40 * 24 * 60 * minuteMs;
  addSmallJobs(world, createdAtMs);
  const childJobId = seeded.idleJob;
  world.jobs.set(seeded.controlJob, controlJob(seeded.controlJob, { childJobId, createdAtMs }));
  world.jobs.set(seeded.manyFilesJob, manyFilesJob(seeded.manyFilesJob, createdAtMs));
  world.jobs.set(seeded.flightsJob, flightsJob(seeded.flightsJob, createdAtMs));
  for (let at = 0; at < probeRuns; at++) addProbeRun(world, nowMs() - (probeRuns - at + 60) * minuteMs);
  addControlRuns(world, nowMs() - 58 * minuteMs);
  addManyFilesRun(world, {
    runId: seeded.manyFilesRun,
    jobId: seeded.manyFilesJob,
    atMs: nowMs() - 52 * minuteMs,
  });
  addQueuedRun(world, nowMs() - 51 * minuteMs);
  addSucceededRun(world, nowMs() - 50 * minuteMs);
  addFailedRun(world, nowMs() - 26 * minuteMs);
  addBrokenNotebookRun(world, nowMs() - 12 * minuteMs);
  addRunningRun(world, nowMs() - 20_000);
  return world;
}

function addSmallJobs(world: World, createdAtMs: number): void {
  const base = { creator_user_name: owner, run_as_user_name: owner, created_time: createdAtMs };
  const task = { task_key: 'main', spark_python_task: { python_file: '/Workspace/Shared/main.py' } };
  const jobs = [
    { job_id: seeded.idleJob, settings: { name: 'monthly_report', tasks: [task] } },
    { job_id: seeded.probeJob, settings: { name: 'probe', tasks: [task] } },
    { job_id: sentinels.jobThatRefuses, settings: { name: 'refuses_to_start', tasks: [task] } },
  ];
  for (const job of jobs) world.jobs.set(job.job_id, { ...base, ...job });
}

function addProbeRun(world: World, atMs: number): void {
  const run = startRun(world, { runId: newId(world), jobId: seeded.probeJob, startedAtMs: atMs });
  const [task] = run.tasks;
  if (task) endTask(run, task.task_key, succeeded, { startMs: atMs, endMs: atMs + 480 });
  stepRun(run, atMs + 480);
}

function addControlRuns(world: World, atMs: number): void {
  const jobId = seeded.controlJob;
  addFailedControlRun(world, { runId: seeded.failedControlRun, jobId, atMs });
  const child = { childRunId: seeded.childRun, childJobId: seeded.idleJob };
  addRepairedControlRun(world, {
    runId: seeded.repairedControlRun,
    jobId,
    atMs: atMs + 3 * minuteMs,
    ...child,
  });
}

/** Of the idle job: it waits for a place, for ever. */
function addQueuedRun(world: World, atMs: number): void {
  const run = startRun(world, { runId: seeded.queuedRun, jobId: seeded.idleJob, startedAtMs: atMs });
  run.document = { ...run.document, ...queued };
}

function addSucceededRun(world: World, atMs: number): void {
  const run = startFlights(world, seeded.succeededRun, atMs);
  endTask(run, 'land', succeeded, { startMs: atMs + 90, endMs: atMs + 2_400 });
  endTask(run, 'bronze', succeeded, { startMs: atMs + 2_430, endMs: atMs + 8_100 });
  endTask(run, 'silver', succeeded, { startMs: atMs + 8_140, endMs: atMs + 12_700 });
  endTask(run, 'gold_delays', succeeded, { startMs: atMs + 12_730, endMs: atMs + 15_900 });
  endTask(run, 'gold_routes', succeeded, { startMs: atMs + 12_730, endMs: atMs + 16_200 });
  endTask(run, 'publish', succeeded, { startMs: atMs + 16_230, endMs: atMs + 19_900 });
  endTask(run, 'alert', excluded, { startMs: atMs + 19_910, endMs: atMs + 19_910 });
  setLog(run, idOf(run, 'land'), 'landed 9 files with 873 rows at dbfs:/flights/landing\n');
  setLog(run, idOf(run, 'silver'), longLog(40_000));
  const marker =
    '\n[headrace: 1,003,481,088 bytes are left out here: a log keeps its first and last parts]\n';
  setLog(run, idOf(run, 'gold_delays'), `${longLog(300)}${marker}${longLog(300)}`, true);
  run.notebooks.set(idOf(run, 'bronze'), bronzeNotebook());
  run.notebooks.set(idOf(run, 'publish'), publishNotebook());
  stepRun(run, atMs + 19_920);
}

/** The gate of `silver` refuses the day, twice; what hangs on it does not run; `alert` does. */
function addFailedRun(world: World, atMs: number): void {
  const run = startFlights(world, seeded.failedRun, atMs, { run_date: '2013-01-02' });
  const message = 'flights.quality.TooManyDirtyRows: 31 % of the rows are dirty, at most 5 % may be';
  endTask(run, 'land', succeeded, { startMs: atMs + 90, endMs: atMs + 2_100 });
  endTask(run, 'bronze', succeeded, { startMs: atMs + 2_130, endMs: atMs + 7_800 });
  endTask(run, 'silver', failed(message), { startMs: atMs + 7_840, endMs: atMs + 11_000 });
  const first = taskOf(run, 'silver');
  const again = {
    run_id: newId(world),
    attempt_number: 1,
    start_time: atMs + 11_050,
    end_time: atMs + 14_200,
  };
  run.tasks.splice(run.tasks.indexOf(first) + 1, 0, { ...first, ...again });
  const skippedAt = { startMs: atMs + 14_210, endMs: atMs + 14_210 };
  for (const key of ['gold_delays', 'gold_routes', 'publish']) endTask(run, key, upstreamFailed, skippedAt);
  endTask(run, 'alert', succeeded, { startMs: atMs + 14_230, endMs: atMs + 14_900 });
  for (const { run_id } of run.tasks.filter((task) => task.task_key === 'silver')) {
    const trace = `Traceback (most recent call last):\n  File "flights/silver.py", line 88, in main\n    refuse_dirty(rows)\n${message}`;
    run.errors.set(run_id, { error: message, trace });
    setLog(run, run_id, `reading dev.flights.bronze\n873 rows, 271 dirty\n${trace}\n`);
  }
  run.notebooks.set(idOf(run, 'bronze'), bronzeNotebook());
  run.notebooks.set(idOf(run, 'alert'), alertNotebook());
  stepRun(run, atMs + 14_920);
}

/** One notebook that fails in its second cell; its log cannot be read. */
function addBrokenNotebookRun(world: World, atMs: number): void {
  const jobId = seeded.idleJob;
  const run = startRun(world, { runId: seeded.brokenNotebookRun, jobId, startedAtMs: atMs });
  const error = 'ZeroDivisionError: division by zero';
  const [task] = run.tasks;
  if (!task) return;
  run.tasks[0] = {
    ...task,
    ...failed(error),
    run_id: sentinels.taskRunWithoutLog,
    spark_python_task: undefined,
    notebook_task: { notebook_path: '/Workspace/Shared/broken' },
    start_time: atMs + 100,
    end_time: atMs + 900,
  };
  run.notebooks.set(sentinels.taskRunWithoutLog, brokenNotebook());
  run.errors.set(sentinels.taskRunWithoutLog, { error, trace: `Traceback …\n${error}` });
  stepRun(run, atMs + 910);
}

/** `bronze` is at work; steps take it further. */
function addRunningRun(world: World, atMs: number): void {
  const run = startFlights(world, seeded.runningRun, atMs, { run_date: '2013-01-03' });
  endTask(run, 'land', succeeded, { startMs: atMs + 90, endMs: atMs + 2_300 });
  setLog(run, idOf(run, 'land'), 'landed 9 files with 914 rows at dbfs:/flights/landing\n');
  stepRun(run, atMs + 2_330);
}

function startFlights(world: World, runId: number, startedAtMs: number, values = {}): MockRun {
  return startRun(world, { runId, jobId: seeded.flightsJob, startedAtMs, values });
}

function endTask(
  run: MockRun,
  key: string,
  state: WireState,
  times: { readonly startMs: number; readonly endMs: number },
): void {
  const at = run.tasks.findIndex((task) => task.task_key === key);
  const task = taskOf(run, key);
  run.tasks[at] = { ...task, ...state, start_time: times.startMs, end_time: times.endMs };
}

function taskOf(run: MockRun, key: string): RunTaskDocument {
  const task = run.tasks.find((each) => each.task_key === key);
  if (!task) throw new Error(`the run has no task ${key}`);
  return task;
}

function idOf(run: MockRun, key: string): number {
  return taskOf(run, key).run_id;
}

function longLog(lines: number): string {
  return Array.from(
    { length: lines },
    (_, at) => `2013-01-01 06:${String(at % 60).padStart(2, '0')} row ${at}: carrier UA, 7 minutes late\n`,
  ).join('');
}
