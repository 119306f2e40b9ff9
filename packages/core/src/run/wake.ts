/** When to look at a run again although nothing happened: a derived fact, stored as an indexed column. */
import { graphOf } from '../graph/graph.ts';
import type { Run } from './state.ts';

/** Epoch milliseconds; null: only news can move this run. */
export function wakeAtMs(run: Run): number | null {
  const generation = run.generations[run.generations.length - 1];
  if (generation?.phase.kind !== 'running') return null;
  const { definition, phase } = generation;
  let earliest =
    definition.timeoutMs === null ? Number.POSITIVE_INFINITY : phase.startedAtMs + definition.timeoutMs;
  const { byKey } = graphOf(definition);
  for (const { taskKey, state } of run.taskRuns.values()) {
    if (state.kind === 'waiting_for_retry') earliest = Math.min(earliest, state.dueAtMs);
    if (state.kind !== 'claimed' && state.kind !== 'running') continue;
    const timeoutMs = byKey.get(taskKey)?.timeoutMs ?? null;
    if (timeoutMs !== null) earliest = Math.min(earliest, state.claimedAtMs + timeoutMs);
  }
  return earliest === Number.POSITIVE_INFINITY ? null : earliest;
}
