/** One step in the life of a run: what runs prints a line or ends, what may start starts. */
import { findTaskKinds, type RunTaskDocument } from '@headrace/api';
import { endIterations, stepIterations, withStats } from './for-each.ts';
import { bronzeNotebook, publishNotebook } from './notebooks.ts';
import { cancelled, excluded, failed, hasEnded, running, succeeded, upstreamFailed } from './states.ts';
import { appendLog, latestTasks, type MockRun, mockWorker, touch } from './world.ts';

/** A task prints as many lines, one a step, before it ends. */
const linesOfTask = 3;

export function stepRun(run: MockRun, nowMs: number): void {
  if (hasEnded(run.document) || run.document.status.state === 'QUEUED') return;
  for (const [at, task] of run.tasks.entries()) {
    if (task.status.state === 'RUNNING') run.tasks[at] = stepTask(run, task, nowMs);
    const isStopping = [run.document, task].some((part) => part.status.state === 'TERMINATING');
    if (isStopping && !hasEnded(task)) {
      endIterations(run, task, { state: cancelled, nowMs });
      run.tasks[at] = { ...task, ...cancelled, end_time: nowMs, start_time: task.start_time || nowMs };
    }
  }
  for (const [at, task] of run.tasks.entries()) {
    if (task.status.state === 'BLOCKED') run.tasks[at] = startTask(run, task, nowMs);
  }
  if (run.tasks.every(hasEnded)) endRun(run, nowMs);
  touch(run);
}

function stepTask(run: MockRun, task: RunTaskDocument, nowMs: number): RunTaskDocument {
  if (task.for_each_task !== undefined) {
    const atWork = stepIterations(run, task, nowMs);
    return atWork ?? withStats(run, { ...task, ...succeeded, end_time: nowMs });
  }
  const lines = run.logs.get(task.run_id)?.bytes.toString().split('\n').length ?? 1;
  if (lines > linesOfTask) return { ...task, ...succeeded, end_time: nowMs };
  appendLog(run, task.run_id, `${task.task_key}: step ${lines} of ${linesOfTask}\n`);
  if (task.task_key === 'bronze') run.notebooks.set(task.run_id, bronzeNotebook());
  if (task.task_key === 'publish') run.notebooks.set(task.run_id, publishNotebook());
  return task;
}

/** As core decides it for the rules that the examples use. */
function startTask(run: MockRun, task: RunTaskDocument, nowMs: number): RunTaskDocument {
  const tasks = new Map(latestTasks(run).map((each) => [each.task_key, each]));
  const results = [];
  for (const { task_key, outcome } of task.depends_on ?? []) {
    const parent = tasks.get(task_key);
    if (parent === undefined || !hasEnded(parent)) return task;
    const isOther = outcome !== undefined && outcome !== (parent.condition_task?.outcome ?? outcome);
    results.push(isOther ? 'EXCLUDED' : parent.state.result_state);
  }
  const atOnce = { start_time: nowMs, end_time: nowMs };
  if (task.run_if !== 'ALL_DONE') {
    const isExcluded = results.includes('EXCLUDED');
    const hasFailed = results.some((result) => result !== 'SUCCESS' && result !== 'EXCLUDED');
    const handlesFailure = task.run_if === 'AT_LEAST_ONE_FAILED';
    if (handlesFailure !== hasFailed)
      return { ...task, ...(hasFailed ? upstreamFailed : excluded), ...atOnce };
    if (isExcluded && !handlesFailure) return { ...task, ...excluded, ...atOnce };
  }
  return beginTask(task, nowMs);
}

/** Every condition holds here: nobody sees which values the references have. */
function beginTask(task: RunTaskDocument, nowMs: number): RunTaskDocument {
  const isWork = !['condition_task', 'for_each_task', 'run_job_task'].some((kind) => kind in task);
  const headrace = isWork ? { headrace: { ...task.headrace, worker: mockWorker } } : {};
  const begun = { ...task, ...running, start_time: nowMs, ...headrace };
  if (task.condition_task === undefined) return begun;
  const condition_task = { ...task.condition_task, outcome: 'true' as const };
  const isGuarded = findTaskKinds(task).length > 1;
  return isGuarded
    ? { ...begun, condition_task }
    : { ...begun, ...succeeded, condition_task, end_time: nowMs };
}

function endRun(run: MockRun, nowMs: number): void {
  const bad = latestTasks(run).find((task) => task.state.result_state === 'FAILED');
  const isCancelled = run.document.status.state === 'TERMINATING';
  const message = `Task ${bad?.task_key} failed with message: Workload failed, see run output for details.`;
  const state = isCancelled ? cancelled : bad ? failed(message, 'INTERNAL_ERROR') : succeeded;
  run.document = { ...run.document, ...state, end_time: nowMs };
  const repair = run.history.pop();
  if (repair) run.history.push({ ...repair, ...state, end_time: nowMs });
}
