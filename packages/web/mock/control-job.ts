/** A job with every construct of control flow, and runs of it: one that failed, one that was repaired. */
import type { JobDocument, RunTaskDocument } from '@headrace/api';
import { startRun } from './flights-job.ts';
import { addIteration, withStats } from './for-each.ts';
import { excluded, failed, succeeded, upstreamFailed, type WireState } from './states.ts';
import { stepRun } from './step-run.ts';
import { historyOf, latestTasks, type MockRun, newId, owner, setLog, type World } from './world.ts';

const script = (name: string) => ({
  spark_python_task: { python_file: `/Workspace/Users/${owner}/control_flow/${name}.py` },
});
const after = (...keys: readonly string[]) => ({ depends_on: keys.map((task_key) => ({ task_key })) });

export function controlJob(jobId: number, options: { childJobId: number; createdAtMs: number }): JobDocument {
  const branch = (outcome: 'true' | 'false') => ({ depends_on: [{ task_key: 'any_orders', outcome }] });
  const left = '{{tasks.gather.values.orders}}';
  const load = { task_key: 'load_region', ...script('load_region') };
  const archives = { op: 'EQUAL_TO' as const, left: '{{job.parameters.archive}}', right: 'yes' };
  return {
    job_id: jobId,
    creator_user_name: owner,
    run_as_user_name: owner,
    created_time: options.createdAtMs,
    settings: {
      name: 'control_flow',
      description: 'Loads the orders of each region, and has them reported.',
      parameters: [{ name: 'archive', default: 'no' }],
      tasks: [
        { task_key: 'gather', ...script('gather') },
        {
          task_key: 'any_orders',
          ...after('gather'),
          condition_task: { op: 'GREATER_THAN', left, right: '0' },
        },
        { task_key: 'tell_nothing', ...branch('false'), ...script('tell_nothing') },
        {
          task_key: 'each_region',
          ...branch('true'),
          for_each_task: { inputs: '["north", "south", "east", "west"]', concurrency: 2, task: load },
        },
        { task_key: 'archive', ...after('each_region'), condition_task: archives, ...script('archive') },
        {
          task_key: 'report',
          ...after('each_region'),
          run_job_task: { job_id: options.childJobId, job_parameters: { month: '2013-01' } },
        },
        { task_key: 'tidy_up', ...after('report', 'archive'), run_if: 'ALL_DONE', ...script('tidy_up') },
      ],
      format: 'MULTI_TASK',
    },
  };
}

const lostFile = "FileNotFoundError: [Errno 2] No such file or directory: '/data/orders/east.csv'";
const oneOfFour = `1 of 4 iterations failed; the first: iteration 2: ${lostFile}`;

/** The third region has no file: what hangs on the regions does not run. */
export function addFailedControlRun(
  world: World,
  run: { readonly runId: number; readonly jobId: number; readonly atMs: number },
): MockRun {
  const { runId, jobId, atMs } = run;
  const started = startRun(world, { runId, jobId, startedAtMs: atMs });
  endTask(started, 'gather', { state: succeeded, startMs: atMs + 80, endMs: atMs + 1_900 });
  setLog(started, latest(started, 'gather').run_id, '412 orders in 4 regions\n');
  const evaluated = endTask(started, 'any_orders', {
    state: succeeded,
    startMs: atMs + 1_910,
    endMs: atMs + 1_910,
  });
  replace(started, {
    ...evaluated,
    condition_task: { op: 'GREATER_THAN', left: '412', right: '0', outcome: 'true' },
  });
  endTask(started, 'tell_nothing', { state: excluded, startMs: atMs + 1_920, endMs: atMs + 1_920 });
  const each = latest(started, 'each_region');
  for (let at = 0; at < 4; at++)
    addRegion(started, each, { iteration: at, startMs: atMs + 2_000 + at * 900 });
  endTask(started, 'each_region', { state: failed(oneOfFour), startMs: atMs + 1_930, endMs: atMs + 6_400 });
  const skipped = { state: upstreamFailed, startMs: atMs + 6_410, endMs: atMs + 6_410 };
  for (const key of ['archive', 'report']) endTask(started, key, skipped);
  endTask(started, 'tidy_up', { state: succeeded, startMs: atMs + 6_420, endMs: atMs + 7_300 });
  const end = failed(
    'Task each_region failed with message: Workload failed, see run output for details. This caused all downstream tasks to get skipped.',
    'INTERNAL_ERROR',
  );
  started.document = { ...started.document, ...end, end_time: atMs + 7_310 };
  return started;
}

function addRegion(
  run: MockRun,
  each: RunTaskDocument,
  at: { readonly iteration: number; readonly startMs: number },
): void {
  const isLost = at.iteration === 2;
  const state = isLost ? failed(lostFile) : succeeded;
  const region = addIteration(run, each, { ...at, state, endMs: at.startMs + 1_600 });
  setLog(run, region.run_id, isLost ? `opening the file\n${lostFile}\n` : '103 orders loaded\n');
  if (isLost)
    run.errors.set(region.run_id, {
      error: lostFile,
      trace: `Traceback (most recent call last):\n  File "load_region.py", line 12, in <module>\n${lostFile}`,
    });
}

/** As the failed one; then the file came, and the repair ran only that region, and what hung on it. */
export function addRepairedControlRun(
  world: World,
  at: { runId: number; childRunId: number; childJobId: number; jobId: number; atMs: number },
): MockRun {
  const run = addFailedControlRun(world, at);
  const fromMs = at.atMs + 60_000;
  run.history.push(...historyOf(run));
  const keys = ['each_region', 'archive', 'report', 'tidy_up'];
  for (const key of keys) addAttempt(world, run, key);
  const each = latest(run, 'each_region');
  addIteration(run, each, {
    iteration: 2,
    attempt: 1,
    state: succeeded,
    startMs: fromMs + 100,
    endMs: fromMs + 1_700,
  });
  endTask(run, 'each_region', { state: succeeded, startMs: fromMs + 90, endMs: fromMs + 1_710, reused: 3 });
  const guarded = endTask(run, 'archive', {
    state: excluded,
    startMs: fromMs + 1_720,
    endMs: fromMs + 1_720,
  });
  replace(run, {
    ...guarded,
    condition_task: { op: 'EQUAL_TO', left: 'no', right: 'yes', outcome: 'false' },
  });
  const report = endTask(run, 'report', { state: succeeded, startMs: fromMs + 1_730, endMs: fromMs + 4_000 });
  replace(run, {
    ...report,
    run_job_task: { job_id: at.childJobId, job_parameters: { month: '2013-01' }, run_id: at.childRunId },
  });
  endTask(run, 'tidy_up', { state: succeeded, startMs: fromMs + 4_010, endMs: fromMs + 4_900 });
  run.document = { ...run.document, ...succeeded, end_time: fromMs + 4_910 };
  const task_run_ids = keys.map((key) => latest(run, key).run_id);
  const times = { start_time: fromMs, end_time: fromMs + 4_910 };
  run.history.push({ type: 'REPAIR', id: newId(world), ...times, ...succeeded, task_run_ids });
  addChildRun(world, { ...at, atMs: fromMs + 1_800, parentTaskRunId: report.run_id });
  return run;
}

function addChildRun(
  world: World,
  child: { childRunId: number; childJobId: number; atMs: number; parentTaskRunId: number },
): void {
  const run = startRun(world, { runId: child.childRunId, jobId: child.childJobId, startedAtMs: child.atMs });
  run.document = {
    ...run.document,
    trigger: 'RUN_JOB_TASK',
    trigger_info: { run_id: child.parentTaskRunId },
  };
  endTask(run, 'main', { state: succeeded, startMs: child.atMs + 50, endMs: child.atMs + 2_100 });
  stepRun(run, child.atMs + 2_110);
}

/** A task begins anew: with all that its latest attempt was told, and nothing of what came of it. */
export function addAttempt(world: World, run: MockRun, key: string): RunTaskDocument {
  const before = latest(run, key);
  const written = world.jobs
    .get(run.document.job_id ?? 0)
    ?.settings.tasks?.find((task) => task.task_key === key);
  const attempt = {
    ...before,
    ...written,
    run_id: newId(world),
    attempt_number: before.attempt_number + 1,
    start_time: 0,
    end_time: 0,
  };
  run.tasks.splice(run.tasks.indexOf(before) + 1, 0, attempt);
  return attempt;
}

function endTask(
  run: MockRun,
  key: string,
  end: { state: WireState; startMs: number; endMs: number; reused?: number },
): RunTaskDocument {
  const task = { ...latest(run, key), ...end.state, start_time: end.startMs, end_time: end.endMs };
  const ended = withStats(run, task, end.reused);
  replace(run, ended);
  return ended;
}

function replace(run: MockRun, task: RunTaskDocument): void {
  run.tasks[run.tasks.findIndex((each) => each.run_id === task.run_id)] = task;
}

function latest(run: MockRun, key: string): RunTaskDocument {
  const task = latestTasks(run).find((each) => each.task_key === key);
  if (!task) throw new Error(`the run has no task ${key}`);
  return task;
}
