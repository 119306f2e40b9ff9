/** What must hold of any run at any time; checked by the property tests, the simulation and the production checker. */
import { findDefinition, type Graph, graphOf } from '../graph/graph.ts';
import type { Generation, Run, TaskDefinition, TaskRun } from './state.ts';

/** A sentence for each invariant that does not hold; none for a sound run. */
export function brokenInvariants(run: Run): string[] {
  const generation = run.generations[run.generations.length - 1];
  if (!generation) return ['a run has at least one generation'];
  const broken = run.generations
    .slice(0, -1)
    .filter((earlier) => earlier.phase.kind !== 'ended')
    .map((earlier) => `generation ${earlier.index} is followed by another and has not ended`);
  if (run.taskRuns.size === 0) return broken;
  const graph = graphOf(generation.definition);
  for (const task of graph.order) {
    const taskRun = run.taskRuns.get(task.key);
    // A result of an earlier generation stands, though a task before it runs again.
    if (taskRun)
      broken.push(...(taskRun.generation === generation.index ? brokenOfTask(run, task, taskRun) : []));
    else broken.push(`task '${task.key}' has no task run`);
  }
  for (const [slot, taskRun] of run.taskRuns) broken.push(...brokenOfAny(slot, taskRun, generation, graph));
  broken.push(...brokenForEach(run, graph));
  return broken;
}

function brokenOfTask(run: Run, task: TaskDefinition, { state }: TaskRun): string[] {
  const hasBegun = state.kind !== 'blocked' && !(state.kind === 'ended' && state.claimedAtMs === null);
  const open = task.dependsOn.filter(({ key }) => run.taskRuns.get(key)?.state.kind !== 'ended');
  if (!hasBegun || open.length === 0) return [];
  return [`'${task.key}' is ${state.kind} while ${open.map(({ key }) => key).join(', ')} has not ended`];
}

function brokenOfAny(slot: string, taskRun: TaskRun, generation: Generation, graph: Graph): string[] {
  const broken: string[] = [];
  const { state } = taskRun;
  const isOpen = state.kind !== 'ended';
  if (generation.phase.kind === 'ended' && isOpen)
    broken.push(`the run has ended and '${slot}' is ${state.kind}`);
  if (generation.phase.kind === 'queued' && isOpen && state.kind !== 'blocked')
    broken.push(`the run is queued and '${slot}' is ${state.kind}`);
  if (isOpen && taskRun.generation !== generation.index)
    broken.push(`'${slot}' is ${state.kind} in generation ${taskRun.generation}, which has ended`);
  const retriesMax = findDefinition(graph, taskRun.taskKey)?.retry.retriesMax ?? -1;
  if (retriesMax !== -1 && taskRun.attempt > retriesMax)
    broken.push(`'${slot}' has attempt ${taskRun.attempt} of ${retriesMax + 1} allowed`);
  return broken;
}

function brokenForEach(run: Run, graph: Graph): string[] {
  const broken: string[] = [];
  const live = new Map<string, number>();
  for (const [slot, { taskKey, parentAttemptId, state }] of run.taskRuns) {
    if (parentAttemptId === null || state.kind === 'ended') continue;
    const outer = run.taskRuns.get(graph.nested.get(taskKey)?.outerKey ?? '');
    if (outer?.attemptId !== parentAttemptId || outer.state.kind !== 'running_parts')
      broken.push(`iteration '${slot}' is ${state.kind} and its for-each is not under way`);
    live.set(taskKey, (live.get(taskKey) ?? 0) + 1);
  }
  for (const [key, { outerKey }] of graph.nested) {
    const work = graph.byKey.get(outerKey)?.work;
    const allowed = work?.kind === 'for_each' ? work.concurrency : 0;
    const count = live.get(key) ?? 0;
    if (count > allowed) broken.push(`'${outerKey}' has ${count} live iterations of ${allowed} allowed`);
  }
  return broken;
}
