/**
 * A run while `advance` works on it: copies a part when it first changes it, and remembers what it was before.
 * Lives for one call only.
 */
import { assert } from '../assert.ts';
import type { AttemptId } from '../ids.ts';
import type { Command } from './commands.ts';
import type { RunEvent } from './events.ts';
import type { Generation, JsonValue, Run, RunPhase, TaskRun, TaskRunState } from './state.ts';

export interface TaskRunChange {
  /** null: a new attempt, to be inserted. */
  readonly before: TaskRun | null;
  readonly after: TaskRun;
}

export interface AdvanceResult {
  readonly run: Run;
  /** Only what differs, by attempt. */
  readonly changes: ReadonlyMap<AttemptId, TaskRunChange>;
  /** Task values that this call recorded, by task key. */
  readonly newTaskValues: ReadonlyMap<string, Readonly<Record<string, JsonValue>>>;
  readonly phaseChanged: boolean;
  readonly commands: readonly Command[];
  readonly ignored: readonly { readonly event: RunEvent; readonly reason: string }[];
}

export class Draft {
  readonly #original: Run;
  #run: Run;
  #taskRuns: Map<string, TaskRun> | null = null;
  readonly #changes = new Map<AttemptId, TaskRunChange>();
  readonly #newTaskValues = new Map<string, Readonly<Record<string, JsonValue>>>();
  readonly #commands: Command[] = [];
  readonly #ignored: { event: RunEvent; reason: string }[] = [];

  constructor(run: Run) {
    this.#original = run;
    this.#run = run;
  }

  get taskRuns(): ReadonlyMap<string, TaskRun> {
    return this.#taskRuns ?? this.#run.taskRuns;
  }

  get generation(): Generation {
    const last = this.#run.generations[this.#run.generations.length - 1];
    assert(last, `run ${this.#run.runId} has no generation`);
    return last;
  }

  taskRun(key: string): TaskRun {
    const found = this.taskRuns.get(key);
    assert(found, `run ${this.#run.runId} has no task run for '${key}'`);
    return found;
  }

  byAttempt(attemptId: AttemptId): TaskRun | null {
    for (const taskRun of this.taskRuns.values()) if (taskRun.attemptId === attemptId) return taskRun;
    return null;
  }

  setState(taskRun: TaskRun, state: TaskRunState, epoch = taskRun.epoch): TaskRun {
    const after = { ...taskRun, state, epoch };
    const earlier = this.#changes.get(taskRun.attemptId);
    this.#changes.set(taskRun.attemptId, { before: earlier ? earlier.before : taskRun, after });
    this.#latest().set(taskRun.taskKey, after);
    return after;
  }

  /** A further attempt of the same task; the one before has ended and leaves the map of latest attempts. */
  addAttempt(taskRun: TaskRun): void {
    this.#changes.set(taskRun.attemptId, { before: null, after: taskRun });
    this.#latest().set(taskRun.taskKey, taskRun);
  }

  setPhase(phase: RunPhase): void {
    const generations = this.#run.generations.slice(0, -1);
    this.#run = { ...this.#run, generations: [...generations, { ...this.generation, phase }] };
  }

  addTaskValues(taskKey: string, values: Readonly<Record<string, JsonValue>>): void {
    if (Object.keys(values).length === 0) return;
    const merged = { ...this.#run.taskValues.get(taskKey), ...values };
    this.#run = { ...this.#run, taskValues: new Map(this.#run.taskValues).set(taskKey, merged) };
    this.#newTaskValues.set(taskKey, { ...this.#newTaskValues.get(taskKey), ...values });
  }

  command(command: Command): void {
    this.#commands.push(command);
  }

  ignore(event: RunEvent, reason: string): void {
    this.#ignored.push({ event, reason });
  }

  finish(): AdvanceResult {
    const phaseChanged = this.#run.generations !== this.#original.generations;
    const changed = phaseChanged || this.#changes.size > 0 || this.#newTaskValues.size > 0;
    const run = changed
      ? { ...this.#run, taskRuns: this.taskRuns, version: this.#original.version + 1 }
      : this.#original;
    return {
      run,
      changes: this.#changes,
      newTaskValues: this.#newTaskValues,
      phaseChanged,
      commands: this.#commands,
      ignored: this.#ignored,
    };
  }

  #latest(): Map<string, TaskRun> {
    this.#taskRuns ??= new Map(this.#run.taskRuns);
    return this.#taskRuns;
  }
}
