/** One step in the life of a run: what runs prints a line or ends, what may start starts. */
import type { RunTaskDocument } from '@headrace/api';
import { bronzeNotebook, publishNotebook } from './notebooks.ts';
import { cancelled, excluded, failed, hasEnded, running, succeeded, upstreamFailed } from './states.ts';
import { appendLog, type MockRun, touch } from './world.ts';

/** A task prints as many lines, one a step, before it ends. */
const linesOfTask = 3;

export function stepRun(run: MockRun, nowMs: number): void {
  if (hasEnded(run.document)) return;
  for (const [at, task] of run.tasks.entries()) {
    if (task.status.state === 'RUNNING') run.tasks[at] = stepTask(run, task, nowMs);
    if (run.document.status.state === 'TERMINATING' && !hasEnded(task)) {
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
  const lines = run.logs.get(task.run_id)?.bytes.toString().split('\n').length ?? 1;
  if (lines > linesOfTask) return { ...task, ...succeeded, end_time: nowMs };
  appendLog(run, task.run_id, `${task.task_key}: step ${lines} of ${linesOfTask}\n`);
  if (task.task_key === 'bronze') run.notebooks.set(task.run_id, bronzeNotebook());
  if (task.task_key === 'publish') run.notebooks.set(task.run_id, publishNotebook());
  return task;
}

/** As core decides it for the two rules that the example uses. */
function startTask(run: MockRun, task: RunTaskDocument, nowMs: number): RunTaskDocument {
  const keys = new Set((task.depends_on ?? []).map((parent) => parent.task_key));
  const parents = run.tasks.filter((each) => keys.has(each.task_key));
  if (!parents.every(hasEnded)) return task;
  const hasFailed = parents.some((parent) => parent.state.result_state !== 'SUCCESS');
  const atOnce = { start_time: nowMs, end_time: nowMs };
  if (task.run_if === 'AT_LEAST_ONE_FAILED') {
    return hasFailed ? { ...task, ...running, start_time: nowMs } : { ...task, ...excluded, ...atOnce };
  }
  if (hasFailed) return { ...task, ...upstreamFailed, ...atOnce };
  return { ...task, ...running, start_time: nowMs };
}

function endRun(run: MockRun, nowMs: number): void {
  const bad = run.tasks.find((task) => task.state.result_state === 'FAILED');
  const isCancelled = run.document.status.state === 'TERMINATING';
  const message = `Task ${bad?.task_key} failed with message: Workload failed, see run output for details.`;
  const state = isCancelled ? cancelled : bad ? failed(message, 'INTERNAL_ERROR') : succeeded;
  run.document = { ...run.document, ...state, end_time: nowMs };
}
