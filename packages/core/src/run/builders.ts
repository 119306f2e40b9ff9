/** Builders for tests: they show only what matters to the case. */
import { type RunId, toAttemptId, toRunId } from '../ids.ts';
import { type AdvanceContext, advance } from './advance.ts';
import { newRun } from './create.ts';
import type { AdvanceResult } from './draft.ts';
import type { AttemptOutcome, ChildOutcome, RunEvent } from './events.ts';
import type { RepairRequest } from './repair.ts';
import { buildIndex, indexOf, type RunIndex } from './run-index.ts';
import type {
  Dependency,
  EndedResult,
  Failure,
  JsonValue,
  RetryPolicy,
  Run,
  RunDefinition,
  RunIf,
  TaskDefinition,
  TaskRun,
} from './state.ts';

export interface TaskSketch extends Partial<Omit<TaskDefinition, 'key' | 'dependsOn'>> {
  /** A plain key is an edge that any end satisfies. */
  readonly dependsOn?: readonly (string | Dependency)[];
}

export function aTask(key: string, { dependsOn = [], ...rest }: TaskSketch = {}): TaskDefinition {
  return {
    key,
    dependsOn: dependsOn.map((edge) => (typeof edge === 'string' ? { key: edge, outcome: null } : edge)),
    runIf: 'ALL_SUCCESS',
    disabled: false,
    work: { kind: 'attempt' },
    guarded: false,
    retry: { retriesMax: 0, intervalMinMs: 0, intervalMaxMs: null, onTimeout: false },
    timeoutMs: null,
    ...rest,
  };
}

export function aForEach(
  key: string,
  nested: TaskDefinition,
  rest: TaskSketch & { concurrency?: number } = {},
) {
  const { concurrency = 1, ...sketch } = rest;
  return aTask(key, { ...sketch, work: { kind: 'for_each', concurrency, task: nested } });
}

export function aCondition(key: string, sketch: TaskSketch = {}): TaskDefinition {
  return aTask(key, { ...sketch, work: { kind: 'condition' } });
}

/** A task whose work is another job's run. */
export function aRunJob(key: string, sketch: TaskSketch = {}): TaskDefinition {
  return aTask(key, { ...sketch, work: { kind: 'run_job' } });
}

/** The edge from one branch of a condition. */
export function branch(key: string, outcome: boolean): Dependency {
  return { key, outcome };
}

export function retries(retriesMax: number, rest: Partial<RetryPolicy> = {}): RetryPolicy {
  return { retriesMax, intervalMinMs: 0, intervalMaxMs: null, onTimeout: false, ...rest };
}

/** A run under test with a clock and ids of its own; each step keeps what `advance` returned. */
export class RunUnderTest {
  run: Run;
  nowMs = 1_000;
  last: AdvanceResult | null = null;
  #nextId = 100;

  constructor(
    tasks: readonly TaskDefinition[],
    options: { timeoutMs?: number; place?: 'admit' | 'queue' } = {},
  ) {
    const definition: RunDefinition = { tasks, timeoutMs: options.timeoutMs ?? null };
    const { nowMs } = this;
    const place = options.place ?? 'admit';
    this.run = newRun({
      runId: toRunId(1),
      jobId: null,
      definition,
      place,
      nowMs,
      newId: () => this.#nextId++,
    });
    this.advance();
  }

  advance(...events: RunEvent[]): AdvanceResult {
    const context: AdvanceContext = { nowMs: this.nowMs, newId: () => this.#nextId++ };
    this.last = advance(this.run, events, context);
    this.run = this.last.run;
    checkIndex(this.run);
    return this.last;
  }

  taskRun(key: string): TaskRun {
    const found = this.run.taskRuns.get(key);
    if (!found) throw new Error(`no task '${key}'`);
    return found;
  }

  /** The state's kind, and of an ended one its result. */
  stateOf(key: string): string {
    const { state } = this.taskRun(key);
    return state.kind === 'ended' ? state.result : state.kind;
  }

  states(): Record<string, string> {
    return Object.fromEntries([...this.run.taskRuns.keys()].map((key) => [key, this.stateOf(key)]));
  }

  get phase() {
    const last = this.run.generations[this.run.generations.length - 1];
    if (!last) throw new Error('no generation');
    return last.phase;
  }

  claim(key: string): AdvanceResult {
    const { attemptId, epoch } = this.taskRun(key);
    return this.advance({ kind: 'attempt_claimed', attemptId, epoch: epoch + 1, workerId: 'w' });
  }

  start(key: string): AdvanceResult {
    this.claim(key);
    const { attemptId, epoch } = this.taskRun(key);
    return this.advance({ kind: 'attempt_started', attemptId, epoch, startedAtMs: this.nowMs });
  }

  end(key: string, outcome: AttemptOutcome = { kind: 'succeeded' }): AdvanceResult {
    const { attemptId, epoch } = this.taskRun(key);
    return this.advance({ kind: 'attempt_ended', attemptId, epoch, outcome, taskValues: {} });
  }

  evaluate(key: string, outcome: boolean): AdvanceResult {
    const evaluation = { left: 'a', right: outcome ? 'a' : 'b', outcome };
    return this.advance({ kind: 'condition_evaluated', attemptId: this.taskRun(key).attemptId, evaluation });
  }

  resolve(key: string, inputs: readonly JsonValue[]): AdvanceResult {
    return this.advance({ kind: 'inputs_resolved', attemptId: this.taskRun(key).attemptId, inputs });
  }

  startChild(key: string, childRunId: RunId = toRunId(900)): AdvanceResult {
    return this.advance({ kind: 'child_started', attemptId: this.taskRun(key).attemptId, childRunId });
  }

  endChild(key: string, outcome: ChildOutcome = { kind: 'succeeded' }): AdvanceResult {
    const { attemptId, childRunId } = this.taskRun(key);
    if (childRunId === null) throw new Error(`'${key}' has no run`);
    return this.advance({ kind: 'child_ended', attemptId, childRunId, outcome });
  }

  failStep(key: string): AdvanceResult {
    const failure = { code: 'RUN_EXECUTION_ERROR', message: 'not a number', trace: null } as const;
    return this.advance({ kind: 'step_failed', attemptId: this.taskRun(key).attemptId, failure });
  }

  cancelTask(key: string): AdvanceResult {
    return this.advance({ kind: 'task_cancel_requested', attemptId: this.taskRun(key).attemptId });
  }

  cancel(reason: 'cancelled_by_user' | 'cancelled_by_system' = 'cancelled_by_user'): AdvanceResult {
    return this.advance({ kind: 'cancel_requested', reason });
  }

  /** What is not said: nothing chosen, the definition that the run has. */
  repair(
    request: Partial<RepairRequest>,
    { place = 'admit', repairId = 77 }: { place?: 'admit' | 'queue' | 'keep'; repairId?: number } = {},
  ): AdvanceResult {
    return this.advance({ kind: 'repair_requested', repairId, request: this.repairRequest(request), place });
  }

  repairRequest(request: Partial<RepairRequest>): RepairRequest {
    const last = this.run.generations[this.run.generations.length - 1];
    if (!last) throw new Error('no generation');
    return {
      rerunTasks: [],
      rerunAllFailed: false,
      rerunDependent: false,
      whileActive: false,
      latestRepairId: last.repair?.repairId ?? null,
      definition: last.definition,
      changesParameters: false,
      ...request,
    };
  }

  /** Claim, start and end at once. */
  complete(key: string, outcome: AttemptOutcome = { kind: 'succeeded' }): AdvanceResult {
    this.start(key);
    return this.end(key, outcome);
  }
}

/** A task `child` of which each parent, `p0`, `p1` and so on, has ended as is said here. */
export function afterParents(runIf: RunIf, results: readonly EndedResult[]): RunUnderTest {
  return runEnding(results, [aTask('child', { dependsOn: results.map((_, at) => `p${at}`), runIf })]);
}

/** Of tasks `p0`, `p1` and so on that end so, and perhaps others after them. */
export function runEnding(
  results: readonly EndedResult[],
  others: readonly TaskDefinition[] = [],
): RunUnderTest {
  const run = new RunUnderTest([
    ...results.flatMap((result, at) => parentEnding(`p${at}`, result)),
    ...others,
  ]);
  for (const [at, result] of results.entries()) endAs(run, `p${at}`, result);
  return run;
}

/** With what makes it end so: a task before it, or a guard. */
function parentEnding(key: string, result: EndedResult): TaskDefinition[] {
  switch (result) {
    case 'upstream_failed':
    case 'upstream_cancelled':
      return [aTask(`${key}_before`), aTask(key, { dependsOn: [`${key}_before`] })];
    case 'excluded':
      return [aTask(key, { guarded: true })];
    case 'disabled':
      return [aTask(key, { disabled: true })];
    case 'timed_out':
      return [aTask(key, { timeoutMs: 1 })];
    default:
      return [aTask(key)];
  }
}

function endAs(run: RunUnderTest, key: string, result: EndedResult): void {
  switch (result) {
    case 'succeeded':
      run.complete(key);
      break;
    case 'failed':
      run.complete(key, failed);
      break;
    case 'internal_error':
      run.complete(key, { kind: 'failed', failure: { ...userFailure, code: 'DRIVER_ERROR' } });
      break;
    case 'timed_out':
      run.start(key);
      run.nowMs += 1;
      run.advance();
      run.end(key, { kind: 'stopped' });
      break;
    case 'cancelled':
      run.cancelTask(key);
      break;
    case 'upstream_failed':
      run.complete(`${key}_before`, failed);
      break;
    case 'upstream_cancelled':
      run.cancelTask(`${key}_before`);
      break;
    case 'excluded':
      run.evaluate(key, false);
      break;
    case 'disabled':
      break;
  }
}

const userFailure: Failure = { code: 'RUN_EXECUTION_ERROR', message: 'ValueError: no', trace: null };

export const failed: AttemptOutcome = {
  kind: 'failed',
  failure: userFailure,
};

export const unknownAttempt = toAttemptId(999_999);

/** The index that is carried forward by differences says what one made from nothing says. */
function checkIndex(run: Run): void {
  const carried = plainIndex(indexOf(run));
  const made = plainIndex(buildIndex(run));
  if (carried !== made) throw new Error(`the index has drifted:\n${carried}\n${made}`);
}

function plainIndex(index: RunIndex): string {
  const { slotByAttempt, openParents, openTasks, timed, iterations } = index;
  return JSON.stringify([
    slotByAttempt.entrySeq().toArray().sort(),
    openParents.entrySeq().toArray().sort(),
    openTasks,
    [...timed].sort(),
    iterations.entrySeq().toArray().sort(),
  ]);
}
