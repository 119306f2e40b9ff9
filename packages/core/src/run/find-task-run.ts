/** Finding things in a run without walking all of it. */
import { assert } from '../assert.ts';
import { findDefinition, type Graph, graphOf } from '../graph/graph.ts';
import type { AttemptId } from '../ids.ts';
import { noLabels, type WorkerLabels } from '../queue/worker-labels.ts';
import { indexOf } from './run-index.ts';
import type { Run, TaskDefinition, TaskRun } from './state.ts';

/** Null when the attempt is none of the latest of this run. */
export function findTaskRun(run: Run, attemptId: AttemptId): TaskRun | null {
  const slot = indexOf(run).slotByAttempt.get(attemptId);
  return slot === undefined ? null : (run.taskRuns.get(slot) ?? null);
}

/** The shape of what the run's current generation runs. */
export function currentDefinition(run: Run): Graph {
  const generation = run.generations[run.generations.length - 1];
  assert(generation, `run ${run.runId} has no generation`);
  return graphOf(generation.definition);
}

export function findDefinitionOf(run: Run, { taskKey }: TaskRun): TaskDefinition {
  const found = findDefinition(currentDefinition(run), taskKey);
  assert(found, `task '${taskKey}' is not in the definition of its run`);
  return found;
}

/** What an attempt asks of the worker that takes it: the same for all of its life, as its definition is. */
export function findAskedLabels(run: Run, { taskKey }: TaskRun): WorkerLabels {
  return findDefinition(currentDefinition(run), taskKey)?.workerLabels ?? noLabels;
}
