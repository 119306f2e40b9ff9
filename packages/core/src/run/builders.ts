/** Builders for tests: they show only what matters to the case. */
import { toAttemptId, toRunId } from '../ids.ts';
import { type AdvanceContext, advance } from './advance.ts';
import { newRun } from './create.ts';
import type { AdvanceResult } from './draft.ts';
import type { AttemptOutcome, RunEvent } from './events.ts';
import { buildIndex, indexOf, type RunIndex } from './run-index.ts';
import type { Dependency, Run, RunDefinition, TaskDefinition, TaskRun } from './state.ts';

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

  /** Claim, start and end at once. */
  complete(key: string, outcome: AttemptOutcome = { kind: 'succeeded' }): AdvanceResult {
    this.start(key);
    return this.end(key, outcome);
  }
}

export const failed: AttemptOutcome = {
  kind: 'failed',
  failure: { code: 'RUN_EXECUTION_ERROR', message: 'ValueError: no', trace: null },
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
