/** What must hold of any run at any time; checked by the property tests, the simulation and the production checker. */
import { graphOf } from '../graph/graph.ts';
import type { Run } from './state.ts';

/** A sentence for each invariant that does not hold; none for a sound run. */
export function brokenInvariants(run: Run): string[] {
  const broken: string[] = [];
  const generation = run.generations[run.generations.length - 1];
  if (!generation) return ['a run has at least one generation'];
  for (const earlier of run.generations.slice(0, -1)) {
    if (earlier.phase.kind !== 'ended')
      broken.push(`generation ${earlier.index} is followed by another and has not ended`);
  }
  if (generation.phase.kind === 'ended' && generation.phase.result === 'skipped_no_place') return broken;
  for (const task of graphOf(generation.definition).order) {
    const taskRun = run.taskRuns.get(task.key);
    if (!taskRun) {
      broken.push(`task '${task.key}' has no task run`);
      continue;
    }
    const { state } = taskRun;
    if (generation.phase.kind === 'ended' && state.kind !== 'ended')
      broken.push(`the run has ended and '${task.key}' is ${state.kind}`);
    if (generation.phase.kind === 'queued' && state.kind !== 'blocked')
      broken.push(`the run is queued and '${task.key}' is ${state.kind}`);
    const hasBegun = state.kind !== 'blocked' && !(state.kind === 'ended' && state.claimedAtMs === null);
    const open = task.dependsOn.filter((key) => run.taskRuns.get(key)?.state.kind !== 'ended');
    if (hasBegun && open.length > 0)
      broken.push(`'${task.key}' is ${state.kind} while ${open.join(', ')} has not ended`);
    const attemptsMax = task.retry.retriesMax === -1 ? Number.POSITIVE_INFINITY : task.retry.retriesMax + 1;
    if (taskRun.attempt >= attemptsMax)
      broken.push(`'${task.key}' has attempt ${taskRun.attempt} of ${attemptsMax} allowed`);
  }
  return broken;
}
