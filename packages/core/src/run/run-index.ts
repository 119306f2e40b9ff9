/**
 * What can be worked out from a run and is asked for with every event: kept beside the run, by its identity, and
 * carried forward by the difference, so that an event costs the same in a run of five tasks and of five thousand.
 */
import { Map as PersistentMap, Set as PersistentSet } from 'immutable';
import { assert } from '../assert.ts';
import { findDefinition, type Graph, graphOf } from '../graph/graph.ts';
import { isFailed } from '../graph/ready.ts';
import type { AttemptId } from '../ids.ts';
import { type Run, slotOf, type TaskRun } from './state.ts';

export interface RunIndex {
  readonly slotByAttempt: PersistentMap<AttemptId, string>;
  /** By task key: edges to parents that have not ended. */
  readonly openParents: PersistentMap<string, number>;
  /** Tasks of the job that have not ended. */
  readonly openTasks: number;
  /** Slots that the passing of time alone may change. */
  readonly timed: PersistentSet<string>;
  /** By the key of the for-each. */
  readonly iterations: PersistentMap<string, IterationCounts>;
}

/** Of the iterations that the current attempt of a for-each has made; reused ones are not among them. */
export interface IterationCounts {
  /** The next input to begin with, if it is not reused. */
  readonly next: number;
  readonly live: number;
  readonly failed: number;
  readonly cancelled: number;
}

const noIterations: IterationCounts = { next: 0, live: 0, failed: 0, cancelled: 0 };
const known = new WeakMap<Run, RunIndex>();

export function indexOf(run: Run): RunIndex {
  const seen = known.get(run);
  if (seen) return seen;
  const index = buildIndex(run);
  known.set(run, index);
  return index;
}

export function rememberIndex(run: Run, index: RunIndex): void {
  known.set(run, index);
}

/** From nothing but the facts. */
export function buildIndex(run: Run): RunIndex {
  const generation = run.generations[run.generations.length - 1];
  assert(generation, `run ${run.runId} has no generation`);
  const graph = graphOf(generation.definition);
  const draft = new IndexDraft(emptyIndex(graph), graph);
  // Parents first: iterations are counted for the attempt that made them.
  for (const taskRun of run.taskRuns.values())
    if (taskRun.parentAttemptId === null) draft.put(null, taskRun, null);
  for (const taskRun of run.taskRuns.values()) {
    if (taskRun.parentAttemptId !== null) draft.put(null, taskRun, outerOf(taskRun, graph, run.taskRuns));
  }
  return draft.finish();
}

/** The for-each that an iteration belongs to; null when it is left over from an earlier attempt of it. */
export function outerOf(
  taskRun: TaskRun,
  graph: Graph,
  taskRuns: { get(slot: string): TaskRun | undefined },
): TaskRun | null {
  const outerKey = graph.nested.get(taskRun.taskKey)?.outerKey;
  const outer = outerKey === undefined ? undefined : taskRuns.get(outerKey);
  return outer?.attemptId === taskRun.parentAttemptId ? (outer ?? null) : null;
}

function emptyIndex(graph: Graph): RunIndex {
  return {
    slotByAttempt: PersistentMap(),
    openParents: PersistentMap(graph.order.map((task) => [task.key, task.dependsOn.length] as const)),
    openTasks: graph.order.length,
    timed: PersistentSet(),
    iterations: PersistentMap(),
  };
}

/** The index while a run changes. */
export class IndexDraft {
  readonly #graph: Graph;
  readonly #slotByAttempt: PersistentMap<AttemptId, string>;
  readonly #openParents: PersistentMap<string, number>;
  readonly #timed: PersistentSet<string>;
  #iterations: PersistentMap<string, IterationCounts>;
  #openTasks: number;

  constructor(index: RunIndex, graph: Graph) {
    this.#graph = graph;
    this.#slotByAttempt = index.slotByAttempt.asMutable();
    this.#openParents = index.openParents.asMutable();
    this.#timed = index.timed.asMutable();
    this.#iterations = index.iterations;
    this.#openTasks = index.openTasks;
  }

  get openTasks(): number {
    return this.#openTasks;
  }

  get timed(): readonly string[] {
    return [...this.#timed];
  }

  slotOf(attemptId: AttemptId): string | null {
    return this.#slotByAttempt.get(attemptId) ?? null;
  }

  openParents(taskKey: string): number {
    return this.#openParents.get(taskKey) ?? 0;
  }

  iterations(outerKey: string): IterationCounts {
    return this.#iterations.get(outerKey) ?? noIterations;
  }

  /**
   * @param before what stood in the same slot, perhaps an earlier attempt.
   * @param outer  of an iteration: the for-each that it belongs to.
   */
  put(before: TaskRun | null, after: TaskRun, outer: TaskRun | null): void {
    const slot = slotOf(after.taskKey, after.iteration);
    if (before && before.attemptId !== after.attemptId) this.#slotByAttempt.delete(before.attemptId);
    if (before?.attemptId !== after.attemptId) this.#slotByAttempt.set(after.attemptId, slot);
    if (this.#isTimed(after)) this.#timed.add(slot);
    else this.#timed.delete(slot);
    if (after.parentAttemptId === null) this.#putTask(before, after);
    else if (outer) this.#putIteration(before, after, outer);
  }

  finish(): RunIndex {
    return {
      slotByAttempt: this.#slotByAttempt.asImmutable(),
      openParents: this.#openParents.asImmutable(),
      openTasks: this.#openTasks,
      timed: this.#timed.asImmutable(),
      iterations: this.#iterations,
    };
  }

  #isTimed({ taskKey, state }: TaskRun): boolean {
    if (state.kind === 'waiting_for_retry') return true;
    const mayTimeOut =
      state.kind === 'claimed' ||
      state.kind === 'running' ||
      (state.kind === 'running_parts' && state.stop === null);
    return mayTimeOut && (findDefinition(this.#graph, taskKey)?.timeoutMs ?? null) !== null;
  }

  #putTask(before: TaskRun | null, after: TaskRun): void {
    // A task that the definition does not have any more stays in the run and counts for nothing.
    if (!this.#graph.byKey.has(after.taskKey)) return;
    const wasEnded = before?.state.kind === 'ended';
    const isEnded = after.state.kind === 'ended';
    if (after.attemptId !== before?.attemptId) this.#iterations = this.#iterations.delete(after.taskKey);
    if (wasEnded === isEnded) return;
    const step = isEnded ? -1 : 1;
    this.#openTasks += step;
    for (const child of this.#graph.children.get(after.taskKey) ?? []) {
      this.#openParents.set(child, this.openParents(child) + step);
    }
  }

  #putIteration(before: TaskRun | null, after: TaskRun, outer: TaskRun): void {
    const { next, live, failed, cancelled } = this.iterations(outer.taskKey);
    const was = before?.parentAttemptId === outer.attemptId ? contributionOf(before) : noIterations;
    const is = contributionOf(after);
    this.#iterations = this.#iterations.set(outer.taskKey, {
      next: Math.max(next, (after.iteration ?? 0) + 1),
      live: live + is.live - was.live,
      failed: failed + is.failed - was.failed,
      cancelled: cancelled + is.cancelled - was.cancelled,
    });
  }
}

function contributionOf({ state }: TaskRun): IterationCounts {
  if (state.kind !== 'ended') return { ...noIterations, live: 1 };
  if (isFailed(state.result)) return { ...noIterations, failed: 1 };
  return state.result === 'cancelled' ? { ...noIterations, cancelled: 1 } : noIterations;
}
