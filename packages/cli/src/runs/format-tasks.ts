/** Task runs, iterations and repairs as tables. */
import type { RepairHistoryItem, RunDocument, RunTaskDocument } from '@headrace/api';
import { formatTable } from '../output/format-table.ts';
import { formatDuration, formatInstant } from '../output/format-time.ts';
import { describeInput, describeWork } from './describe-work.ts';
import { describeState, elapsedMs } from './run-words.ts';
import { iterationOf, latestIterations, withoutIterations } from './task-runs.ts';

export function formatTasks(run: RunDocument, nowMs: number): string {
  const tasks = [...withoutIterations(run.tasks ?? [])].sort(
    (a, b) => (a.start_time || Infinity) - (b.start_time || Infinity),
  );
  const works = tasks.map(describeWork);
  const hasWork = works.some((text) => text !== '');
  return formatTable({
    columns: ['task', 'state', 'attempt', 'duration', 'run id', ...(hasWork ? ['came to'] : [])],
    rows: tasks.map((task, at) => [
      task.task_key,
      describeState(task.state),
      String(task.attempt_number + 1),
      durationOf(task, nowMs),
      String(task.run_id),
      ...(hasWork ? [works[at] ?? ''] : []),
    ]),
    empty: 'no tasks',
  });
}

export function formatIterations(
  inputs: unknown,
  iterations: readonly RunTaskDocument[],
  nowMs: number,
): string {
  const attempts = new Map<number | undefined, number>();
  for (const each of iterations) attempts.set(iterationOf(each), (attempts.get(iterationOf(each)) ?? 0) + 1);
  return formatTable({
    columns: ['iteration', 'input', 'state', 'attempts', 'duration', 'run id'],
    rows: latestIterations(iterations).map((each) => [
      String(iterationOf(each) ?? '-'),
      describeInput(inputs, each),
      describeState(each.state),
      String(attempts.get(iterationOf(each)) ?? 1),
      durationOf(each, nowMs),
      String(each.run_id),
    ]),
    empty: 'no iterations',
  });
}

/** Empty where the run has not been repaired. */
export function formatRepairs(history: readonly RepairHistoryItem[], nowMs: number): string {
  if (history.length < 2) return '';
  return formatTable({
    columns: ['repair', 'state', 'started', 'duration', 'task runs'],
    rows: history.map((part) => [
      part.type === 'ORIGINAL' ? 'original' : String(part.id ?? '-'),
      describeState(part.state),
      formatInstant(part.start_time),
      durationOf(part, nowMs),
      String(part.task_run_ids.length),
    ]),
    empty: '',
  });
}

function durationOf(part: { readonly start_time: number; readonly end_time: number }, nowMs: number): string {
  const elapsed = elapsedMs(part, nowMs);
  return elapsed === undefined ? '-' : formatDuration(elapsed);
}
