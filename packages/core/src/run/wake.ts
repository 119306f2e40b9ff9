/** When to look at a run again although nothing happened: a derived fact, stored as an indexed column. */
import { findDefinition, graphOf } from '../graph/graph.ts';
import { queuedMsMax } from './end-run.ts';
import { timerOf } from './plan-task.ts';
import { indexOf } from './run-index.ts';
import type { Run } from './state.ts';

/** Epoch milliseconds; null: only news can move this run. */
export function wakeAtMs(run: Run): number | null {
  const generation = run.generations[run.generations.length - 1];
  if (generation?.phase.kind === 'queued') return generation.createdAtMs + queuedMsMax;
  if (generation?.phase.kind !== 'running') return null;
  const { definition, phase } = generation;
  let earliest =
    definition.timeoutMs === null ? Number.POSITIVE_INFINITY : phase.startedAtMs + definition.timeoutMs;
  const graph = graphOf(definition);
  for (const slot of indexOf(run).timed) {
    const taskRun = run.taskRuns.get(slot);
    const task = taskRun && findDefinition(graph, taskRun.taskKey);
    const atMs = taskRun && task ? timerOf(task, taskRun) : null;
    if (atMs !== null) earliest = Math.min(earliest, atMs);
  }
  return earliest === Number.POSITIVE_INFINITY ? null : earliest;
}
