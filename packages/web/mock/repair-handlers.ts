/** Repairs, deletions, exports and reasons, over the world. */
import {
  ApiError,
  type RepairPreviewTask,
  type RunsRepairRequest,
  type RunTaskDocument,
} from '@headrace/api';
import { addAttempt } from './control-job.ts';
import { inputsOf } from './for-each.ts';
import type { MockHandlers } from './handlers.ts';
import { blocked, hasEnded, running, stopping } from './states.ts';
import { historyOf, latestTasks, type MockRun, newId, touch, type World } from './world.ts';

type Answered =
  | 'runsCancelAll'
  | 'runsDelete'
  | 'runsRepair'
  | 'runsRepairPreview'
  | 'runsExport'
  | 'runsWhy';

export function repairHandlers(
  world: World,
  find: { run(runId: number): MockRun; task(taskRunId: number): { run: MockRun; task: RunTaskDocument } },
): Pick<MockHandlers, Answered> {
  return {
    runsCancelAll: async ({ job_id }) => {
      for (const run of world.runs.values()) {
        if (hasEnded(run.document) || (job_id !== undefined && run.document.job_id !== job_id)) continue;
        // Nothing is ever queued here.
        if (job_id === undefined) continue;
        run.document = { ...run.document, ...stopping };
        touch(run);
      }
      return {};
    },
    runsDelete: async ({ run_id }) => {
      if (!hasEnded(find.run(run_id).document))
        throw new ApiError('INVALID_STATE', `Run ${run_id} is active; cancel it first.`);
      world.runs.delete(run_id);
      return {};
    },
    runsRepairPreview: async (request) => ({
      run_id: request.run_id,
      tasks: planRepair(find.run(request.run_id), request),
    }),
    runsRepair: async (request) => ({ repair_id: repairRun(world, find.run(request.run_id), request) }),
    runsExport: async ({ run_id }) => {
      const { run, task } = find.task(run_id);
      const notebook = run.notebooks.get(run_id);
      if (!notebook)
        throw new ApiError('INVALID_PARAMETER_VALUE', `Run ${run_id} has no notebook to export.`);
      const cells = notebook.cells.map((cell) => `<pre>${escapeHtml(cell.source)}</pre>`).join('\n');
      return { views: [{ name: task.task_key, type: 'NOTEBOOK', content: `<!doctype html>\n${cells}\n` }] };
    },
    runsWhy: async ({ run_id, task_key }) => {
      const run = find.run(run_id);
      return task_key === undefined ? explainRun(run) : explainTask(run, task_key);
    },
  };
}

const repairable = ['FAILED', 'TIMEDOUT', 'CANCELED', 'UPSTREAM_FAILED', 'UPSTREAM_CANCELED'];

function planRepair(run: MockRun, request: RunsRepairRequest): RepairPreviewTask[] {
  const tasks = latestTasks(run);
  refuseRepair(run, request);
  const chosen = new Set(request.rerun_tasks ?? []);
  for (const task of tasks) {
    const isRepairable = repairable.includes(task.state.result_state ?? '');
    if (request.rerun_all_failed_tasks && isRepairable) chosen.add(task.task_key);
    // Tasks stand behind those they depend on.
    const follows = (task.depends_on ?? []).some((parent) => chosen.has(parent.task_key));
    if (request.rerun_dependent_tasks && follows) chosen.add(task.task_key);
  }
  if (chosen.size === 0)
    throw new ApiError('INVALID_PARAMETER_VALUE', 'Name the tasks to run again, or choose all that failed.');
  const bad = new Set(tasks.filter((task) => repairable.includes(task.state.result_state ?? '')).map(keyOf));
  return tasks.map((task): RepairPreviewTask => {
    const { task_key, run_id } = task;
    if (!chosen.has(task_key)) return { task_key, run_id, action: 'reuse' };
    const isHeld =
      task.run_if === undefined &&
      (task.depends_on ?? []).some((parent) => bad.has(parent.task_key) && !chosen.has(parent.task_key));
    return { task_key, run_id, action: isHeld ? 'skip' : 'rerun', ...iterationsIn(task) };
  });
}

function refuseRepair(run: MockRun, request: RunsRepairRequest): void {
  if (!hasEnded(run.document) && !request.headrace.while_active)
    throw new ApiError('INVALID_STATE', `Run ${request.run_id} is active; wait until it has ended.`);
  const last = run.history.at(-1)?.id;
  if (last !== undefined && request.latest_repair_id !== last)
    throw new ApiError('INVALID_PARAMETER_VALUE', `latest_repair_id: the last repair of this run is ${last}`);
  const keys = new Set(run.tasks.map(keyOf));
  const unknown = (request.rerun_tasks ?? []).filter((key) => !keys.has(key));
  if (unknown.length > 0)
    throw new ApiError('INVALID_PARAMETER_VALUE', `rerun_tasks: the run has no task ${unknown.join(', ')}`);
}

function iterationsIn(task: RunTaskDocument) {
  if (task.for_each_task === undefined) return {};
  const reuse = task.for_each_task.stats?.task_run_stats?.succeeded_iterations ?? 0;
  return { iterations: { total: inputsOf(task).length, reuse } };
}

function repairRun(world: World, run: MockRun, request: RunsRepairRequest): number {
  const chosen = planRepair(run, request).filter((task) => task.action !== 'reuse');
  if (run.history.length === 0) run.history.push(...historyOf(run));
  const task_run_ids = chosen.map(({ task_key }) => {
    const attempt = addAttempt(world, run, task_key);
    run.tasks[run.tasks.indexOf(attempt)] = { ...attempt, ...blocked };
    return attempt.run_id;
  });
  const id = newId(world);
  run.document = { ...run.document, ...running, end_time: 0 };
  run.history.push({ type: 'REPAIR', id, start_time: world.nowMs(), end_time: 0, ...running, task_run_ids });
  touch(run);
  return id;
}

function explainRun({ document }: MockRun) {
  const { run_id, state } = document;
  const result = state.result_state ?? state.life_cycle_state;
  const sentence = state.state_message || `The run is ${result}.`;
  return { run_id, sentence, facts: [{ kind: 'state', state: result }] };
}

function explainTask(run: MockRun, taskKey: string) {
  const tasks = latestTasks(run);
  const task = tasks.find((each) => each.task_key === taskKey);
  const { run_id } = run.document;
  if (!task) throw new ApiError('INVALID_PARAMETER_VALUE', `Run ${run_id} has no task ${taskKey}.`);
  const keys = new Set((task.depends_on ?? []).map(keyOf));
  const facts = tasks
    .filter((each) => keys.has(each.task_key))
    .map((parent) => ({
      kind: 'dependency',
      task_key: parent.task_key,
      state: parent.state.result_state ?? parent.state.life_cycle_state,
    }));
  const result = task.state.result_state ?? task.state.life_cycle_state;
  const parents = facts.map((fact) => `${fact.task_key} is ${fact.state}`).join(', ');
  const sentence = `Task ${taskKey} is ${result}${parents === '' ? '' : `: ${parents}`}.`;
  return { run_id, task_key: taskKey, sentence, facts };
}

function keyOf({ task_key }: { readonly task_key: string }): string {
  return task_key;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
