/**
 * A run while `advance` works on it: copies a part when it first changes it, and remembers what it was before.
 * Lives for one call only.
 */
import type { Map as PersistentMap } from 'immutable';
import { assert } from '../assert.ts';
import { findDefinition, type Graph, graphOf } from '../graph/graph.ts';
import type { AttemptId } from '../ids.ts';
import type { Command } from './commands.ts';
import type { Decision } from './decisions.ts';
import type { RunEvent } from './events.ts';
import { buildIndex, IndexDraft, indexOf, outerOf, rememberIndex } from './run-index.ts';
import {
  type Generation,
  type JsonValue,
  type Run,
  type RunPhase,
  slotOf,
  type TaskDefinition,
  type TaskRun,
  type TaskRunState,
} from './state.ts';

export interface TaskRunChange {
  /** null: a new attempt, to be inserted. */
  readonly before: TaskRun | null;
  readonly after: TaskRun;
}

export interface AdvanceResult {
  readonly run: Run;
  /** Only what differs, by attempt. */
  readonly changes: ReadonlyMap<AttemptId, TaskRunChange>;
  /** Task values that this call recorded, by slot. */
  readonly newTaskValues: ReadonlyMap<string, Readonly<Record<string, JsonValue>>>;
  readonly phaseChanged: boolean;
  readonly commands: readonly Command[];
  /** Why tasks ended without having run. */
  readonly decisions: readonly Decision[];
  readonly ignored: readonly { readonly event: RunEvent; readonly reason: string }[];
}

export class Draft {
  readonly #original: Run;
  #run: Run;
  #taskRuns: PersistentMap<string, TaskRun>;
  #index: IndexDraft;
  #graph: Graph;
  readonly #changes = new Map<AttemptId, TaskRunChange>();
  readonly #newTaskValues = new Map<string, Readonly<Record<string, JsonValue>>>();
  readonly #commands: Command[] = [];
  readonly #decisions: Decision[] = [];
  readonly #ignored: { event: RunEvent; reason: string }[] = [];
  #slotsToFollow: string[] = [];
  /** All tasks must be looked at, not only those next to what changed. */
  needsWholePlan: boolean;

  constructor(run: Run) {
    this.#original = run;
    this.#run = run;
    this.#taskRuns = run.taskRuns.asMutable();
    this.#graph = graphOf(this.generation.definition);
    this.#index = new IndexDraft(indexOf(run), this.#graph);
    // A run that nobody has planned yet.
    this.needsWholePlan = run.version === 0;
  }

  get run(): Pick<Run, 'runId' | 'generations' | 'taskRuns'> {
    return { ...this.#run, taskRuns: this.#taskRuns };
  }

  get generation(): Generation {
    const last = this.#run.generations[this.#run.generations.length - 1];
    assert(last, `run ${this.#run.runId} has no generation`);
    return last;
  }

  get graph(): Graph {
    return this.#graph;
  }

  get index(): IndexDraft {
    return this.#index;
  }

  allTaskRuns(): readonly TaskRun[] {
    return [...this.#taskRuns.values()];
  }

  find(slot: string): TaskRun | null {
    return this.#taskRuns.get(slot) ?? null;
  }

  taskRun(slot: string): TaskRun {
    const found = this.find(slot);
    assert(found, `run ${this.#run.runId} has no task run at '${slot}'`);
    return found;
  }

  byAttempt(attemptId: AttemptId): TaskRun | null {
    const slot = this.#index.slotOf(attemptId);
    return slot === null ? null : this.find(slot);
  }

  definitionOf({ taskKey }: TaskRun): TaskDefinition {
    const found = findDefinition(this.#graph, taskKey);
    assert(found, `task '${taskKey}' is not in the definition of its run`);
    return found;
  }

  /** The attempt of the for-each that made this iteration; null for any other task run. */
  outerOf(taskRun: TaskRun): TaskRun | null {
    return taskRun.parentAttemptId === null ? null : outerOf(taskRun, this.#graph, this.#taskRuns);
  }

  setState(taskRun: TaskRun, state: TaskRunState, rest: Partial<Omit<TaskRun, 'state'>> = {}): TaskRun {
    const after = { ...taskRun, ...rest, state };
    this.#put(taskRun, after);
    if (state.kind === 'ended') this.#slotsToFollow.push(slotOf(after.taskKey, after.iteration));
    return after;
  }

  /** A new attempt; the one before in its slot, if any, has ended and leaves the latest ones. */
  addAttempt(taskRun: TaskRun): TaskRun {
    this.#changes.set(taskRun.attemptId, { before: null, after: taskRun });
    this.#place(this.find(slotOf(taskRun.taskKey, taskRun.iteration)), taskRun);
    return taskRun;
  }

  /** Slots that ended or must be looked at, since last asked. */
  takeSlotsToFollow(): readonly string[] {
    const slots = this.#slotsToFollow;
    this.#slotsToFollow = [];
    return slots;
  }

  /** The plan must look at this slot although it has not ended. */
  lookAgain(slot: string): void {
    this.#slotsToFollow.push(slot);
  }

  setPhase(phase: RunPhase): void {
    if (phase.kind !== this.generation.phase.kind) this.needsWholePlan = true;
    const generations = this.#run.generations.slice(0, -1);
    this.#run = { ...this.#run, generations: [...generations, { ...this.generation, phase }] };
  }

  addGeneration(generation: Generation): void {
    this.#run = { ...this.#run, generations: [...this.#run.generations, generation] };
    this.#graph = graphOf(generation.definition);
    this.#reindex();
    this.needsWholePlan = true;
  }

  addTaskValues(slot: string, values: Readonly<Record<string, JsonValue>>): void {
    if (Object.keys(values).length === 0) return;
    const merged = { ...this.#run.taskValues.get(slot), ...values };
    this.#run = { ...this.#run, taskValues: this.#run.taskValues.set(slot, merged) };
    this.#newTaskValues.set(slot, { ...this.#newTaskValues.get(slot), ...values });
  }

  command(command: Command): void {
    this.#commands.push(command);
  }

  decide(decision: Decision): void {
    this.#decisions.push(decision);
  }

  ignore(event: RunEvent, reason: string): void {
    this.#ignored.push({ event, reason });
  }

  finish(): AdvanceResult {
    const phaseChanged = this.#run.generations !== this.#original.generations;
    const changed = phaseChanged || this.#changes.size > 0 || this.#newTaskValues.size > 0;
    const taskRuns = this.#taskRuns.asImmutable();
    const run = changed ? { ...this.#run, taskRuns, version: this.#original.version + 1 } : this.#original;
    if (changed) rememberIndex(run, this.#index.finish());
    return {
      run,
      changes: this.#changes,
      newTaskValues: this.#newTaskValues,
      phaseChanged,
      commands: this.#commands,
      decisions: this.#decisions,
      ignored: this.#ignored,
    };
  }

  #put(before: TaskRun, after: TaskRun): void {
    const earlier = this.#changes.get(before.attemptId);
    this.#changes.set(before.attemptId, { before: earlier ? earlier.before : before, after });
    this.#place(before, after);
  }

  #place(before: TaskRun | null, after: TaskRun): void {
    this.#taskRuns.set(slotOf(after.taskKey, after.iteration), after);
    this.#index.put(before, after, this.outerOf(after));
  }

  #reindex(): void {
    const run = { ...this.#run, taskRuns: this.#taskRuns };
    this.#index = new IndexDraft(buildIndex(run), this.#graph);
  }
}
