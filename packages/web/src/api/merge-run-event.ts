/** Folds a live event into the run that the page shows. */
import type { RunDocument, RunEvent, RunTaskDocument } from '@headrace/api';

/**
 * A later attempt takes its task's place at the end of the task's attempts; an attempt that is known already is
 * replaced where it stands, so that nothing on the page jumps.
 */
export function mergeRunEvent(run: RunDocument, event: RunEvent): RunDocument {
  const tasks = new Map((run.tasks ?? []).map((task) => [task.run_id, task]));
  for (const task of withoutIterations(event.tasks)) tasks.set(task.run_id, task);
  return {
    ...run,
    state: event.state,
    status: event.status,
    end_time: event.ended ? event.at_ms : run.end_time,
    tasks: [...tasks.values()],
  };
}

/** Iterations are read page by page where they are shown: there may be thousands. */
export function withoutIterations(tasks: readonly RunTaskDocument[]): RunTaskDocument[] {
  return tasks.filter((task) => task.headrace?.iteration === undefined);
}

/** The latest attempt of each task, in the order of the job. Ids grow; attempt numbers tie after a repair. */
export function latestAttempts(tasks: readonly RunTaskDocument[]): RunTaskDocument[] {
  const latest = new Map<string, RunTaskDocument>();
  for (const task of tasks) {
    const seen = latest.get(task.task_key);
    if (!seen || task.run_id >= seen.run_id) latest.set(task.task_key, task);
  }
  return [...latest.values()];
}

/** Where the page opens: the task that failed first, else the one at work, else the one that a stop interrupted. */
export function causeOf(tasks: readonly RunTaskDocument[]): RunTaskDocument | null {
  const latest = latestAttempts(tasks);
  const failed = latest
    .filter((task) => task.state.result_state === 'FAILED' || task.state.result_state === 'TIMEDOUT')
    .sort((a, b) => a.end_time - b.end_time);
  const atWork = latest.find((task) => ['RUNNING', 'TERMINATING'].includes(task.state.life_cycle_state));
  // What had not begun ends in the moment of its start.
  const stopped = latest.find(
    (task) => task.state.result_state === 'CANCELED' && task.end_time > task.start_time,
  );
  return failed[0] ?? atWork ?? stopped ?? null;
}
