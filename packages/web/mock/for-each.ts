/** Iterations of a for-each, and what its own document says about them. */
import type { RunTaskDocument } from '@headrace/api';
import { hasEnded, running, succeeded, type WireState } from './states.ts';
import type { MockRun } from './world.ts';

export function inputsOf(task: RunTaskDocument): readonly unknown[] {
  const inputs = task.for_each_task?.inputs ?? [];
  return typeof inputs === 'string' ? JSON.parse(inputs) : inputs;
}

export interface IterationCourse {
  readonly iteration: number;
  /** The first one without it. */
  readonly attempt?: number;
  readonly state: WireState;
  readonly startMs: number;
  readonly endMs: number;
}

/** Ids follow from those of the for-each: room for 5,000 inputs, and a later attempt has a greater one. */
export function addIteration(run: MockRun, task: RunTaskDocument, course: IterationCourse): RunTaskDocument {
  const { for_each_task, condition_task: _guard, depends_on: _parents, ...shared } = task;
  const iteration: RunTaskDocument = {
    ...shared,
    ...for_each_task?.task,
    ...course.state,
    run_id: task.run_id * 50_000 + (course.attempt ?? 0) * 5_000 + course.iteration,
    task_key: for_each_task?.task.task_key ?? task.task_key,
    attempt_number: course.attempt ?? 0,
    start_time: course.startMs,
    end_time: course.endMs,
    headrace: { iteration: course.iteration },
  };
  run.iterations.set(task.run_id, [...(run.iterations.get(task.run_id) ?? []), iteration]);
  return iteration;
}

/** @param reused iterations that succeeded before a repair, and count without running again */
export function withStats(run: MockRun, task: RunTaskDocument, reused = 0): RunTaskDocument {
  if (task.for_each_task === undefined) return task;
  const iterations = run.iterations.get(task.run_id) ?? [];
  const latest = latestOf(iterations);
  const ended = latest.filter(hasEnded);
  const failures = ended.filter((each) => each.state.result_state === 'FAILED');
  const messages = new Map<string, number>();
  for (const { state } of failures)
    messages.set(state.state_message ?? '', (messages.get(state.state_message ?? '') ?? 0) + 1);
  const stats = {
    task_run_stats: {
      total_iterations: inputsOf(task).length,
      scheduled_iterations: latest.length + reused,
      active_iterations: latest.length - ended.length,
      completed_iterations: ended.length + reused,
      succeeded_iterations: ended.length - failures.length + reused,
      failed_iterations: failures.length,
    },
    error_message_stats: [...messages].map(([error_message, count]) => ({
      error_message,
      count,
      termination_category: 'RUN_EXECUTION_ERROR',
    })),
  };
  return { ...task, for_each_task: { ...task.for_each_task, stats } };
}

/** Ends what is under way and begins as many as may run at a time; undefined once nothing is left. */
export function stepIterations(
  run: MockRun,
  task: RunTaskDocument,
  nowMs: number,
): RunTaskDocument | undefined {
  const done = endIterations(run, task, { state: succeeded, nowMs });
  const { concurrency = 1 } = task.for_each_task ?? {};
  const total = inputsOf(task).length;
  if (done === total) return undefined;
  for (let at = done; at < Math.min(total, done + concurrency); at++)
    addIteration(run, task, { iteration: at, state: running, startMs: nowMs, endMs: 0 });
  return withStats(run, task);
}

/** How many there are. */
export function endIterations(
  run: MockRun,
  task: RunTaskDocument,
  end: { readonly state: WireState; readonly nowMs: number },
): number {
  const known = run.iterations.get(task.run_id);
  if (known === undefined) return 0;
  const ended = known.map((each) => (hasEnded(each) ? each : { ...each, ...end.state, end_time: end.nowMs }));
  run.iterations.set(task.run_id, ended);
  return ended.length;
}

/** The last one known of each iteration. */
export function latestOf(iterations: readonly RunTaskDocument[]): RunTaskDocument[] {
  return [...new Map(iterations.map((each) => [each.headrace?.iteration, each])).values()];
}

/** In the order of the inputs, attempts of one input in theirs. */
export function sorted(iterations: readonly RunTaskDocument[]): RunTaskDocument[] {
  const placeOf = (each: RunTaskDocument) => each.headrace?.iteration ?? 0;
  return [...iterations].sort((a, b) => placeOf(a) - placeOf(b) || a.run_id - b.run_id);
}
