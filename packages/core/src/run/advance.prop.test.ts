/**
 * Generated jobs and histories against the naive interpreter. A history is a list of short named steps, so that what
 * fast-check shrinks to can be read.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toRunId } from '../ids.ts';
import { aForEach, aTask, failed, RunUnderTest } from './builders.ts';
import type { RunEvent } from './events.ts';
import { brokenInvariants } from './invariants.ts';
import {
  dependents,
  type Fate,
  interpret,
  interpretRepair,
  interpretRun,
  type NaiveRepair,
  type NaiveTask,
} from './naive-interpreter.ts';
import { buildIndex, indexOf } from './run-index.ts';
import { runIfValues, slotOf, type TaskDefinition, type TaskRun } from './state.ts';

const hourMs = 3_600_000;

interface PlannedTask {
  readonly definition: TaskDefinition;
  readonly naive: NaiveTask;
  readonly fate: Fate;
  /** What a counterexample shows of it. */
  readonly [fc.toStringMethod]: () => string;
}

const shapes = fc.array(
  fc.record({
    work: fc.constantFrom('attempt', 'attempt', 'attempt', 'condition', 'for_each', 'run_job'),
    parents: fc.array(fc.record({ at: fc.nat(), outcome: fc.constantFrom(true, false, null) }), {
      maxLength: 3,
    }),
    runIf: fc.constantFrom('ALL_SUCCESS', ...runIfValues),
    disabled: fc.nat(9).map((die) => die === 9),
    guarded: fc.nat(5).map((die) => die === 5),
    retriesMax: fc.nat(2),
    retriesOnTimeout: fc.boolean(),
    concurrency: fc.integer({ min: 1, max: 3 }),
    fate: fc.nat(),
  }),
  { minLength: 1, maxLength: 8 },
);

const fates = fc.record({
  failures: fc.constantFrom(0, 0, 0, 1, 3),
  badEnd: fc.constantFrom('failed', 'internal_error', 'timed_out', 'cancelled'),
  holds: fc.constantFrom(true, true, true, false, null),
  iterations: fc.array(fc.constantFrom(0, 0, 1, 3), { maxLength: 4 }),
});

type Shape = (typeof shapes extends fc.Arbitrary<infer T> ? T : never)[number];
type DrawnFate = typeof fates extends fc.Arbitrary<infer T> ? T : never;

const plannedTasks = fc
  .tuple(shapes, fc.array(fates, { minLength: 8, maxLength: 8 }))
  .map(([drawn, drawnFates]) => {
    const tasks: PlannedTask[] = [];
    for (const [at, shape] of drawn.entries()) {
      const drawnFate = drawnFates[at];
      if (drawnFate) tasks.push(planTask(shape, drawnFate, tasks));
    }
    return tasks;
  });

/** A task may depend on earlier ones only: no circles by construction. */
function planTask(shape: Shape, drawnFate: DrawnFate, earlier: readonly PlannedTask[]): PlannedTask {
  const key = `t${earlier.length}`;
  const { work, runIf, disabled, retriesOnTimeout } = shape;
  const dependsOn = edgesOf(shape, earlier);
  const guarded = shape.guarded && work !== 'condition';
  const retriesMax = work === 'condition' ? 0 : shape.retriesMax;
  const fate = possibleFate(work, drawnFate);
  const retry = { retriesMax, intervalMinMs: 1_000, intervalMaxMs: null, onTimeout: retriesOnTimeout };
  const timeoutMs = fate.badEnd === 'timed_out' && fate.failures > 0 ? hourMs : null;
  const rest = { dependsOn, runIf, disabled, guarded };
  const definition =
    work === 'for_each'
      ? aForEach(key, aTask(`${key}_each`, { retry }), { ...rest, concurrency: shape.concurrency })
      : aTask(key, { ...rest, work: { kind: work }, retry, timeoutMs });
  const naive = { key, ...rest, work, retriesMax, retriesOnTimeout };
  return { definition, naive, fate, [fc.toStringMethod]: () => describeTask(naive, fate) };
}

function describeTask({ key, dependsOn, runIf, work, ...rest }: NaiveTask, fate: Fate): string {
  const edges = dependsOn.map((edge) => `${edge.key}${edge.outcome === null ? '' : ` ${edge.outcome}`}`);
  const traits = [rest.disabled ? 'disabled' : '', rest.guarded ? 'guarded' : ''].join(' ');
  const told =
    work === 'for_each' ? `iterations fail ${fate.iterations}` : `${fate.failures} x ${fate.badEnd}`;
  return `${key}: ${traits} ${work} after [${edges}] ${runIf}, ${rest.retriesMax} retries, ${told}, holds ${fate.holds}`;
}

function edgesOf({ parents }: Shape, earlier: readonly PlannedTask[]) {
  const edges = new Map<string, { key: string; outcome: boolean | null }>();
  for (const { at, outcome } of parents) {
    const parent = earlier[at % Math.max(earlier.length, 1)]?.naive;
    if (parent)
      edges.set(parent.key, { key: parent.key, outcome: parent.work === 'condition' ? outcome : null });
  }
  return [...edges.values()];
}

/** Only an attempt can time out, then each time, since others may wait long beside it; only another run is cancelled. */
function possibleFate(work: NaiveTask['work'], drawn: DrawnFate): Fate {
  if (work === 'run_job') return { ...drawn, badEnd: drawn.badEnd === 'cancelled' ? 'cancelled' : 'failed' };
  if (drawn.badEnd === 'cancelled') return { ...drawn, badEnd: 'failed' };
  const always = drawn.badEnd === 'timed_out' && drawn.failures > 0;
  return always && work === 'attempt' ? { ...drawn, failures: 99 } : drawn;
}

const ordinarySteps = [
  'claim',
  'start',
  'end',
  'lose before start',
  'resume',
  'repeat an event',
  'wait',
  'look again',
] as const;
type StepName = (typeof ordinarySteps)[number] | 'cancel a task' | 'cancel the run';

const stepsOf = (...names: readonly StepName[]) =>
  fc.array(
    fc.tuple(fc.constantFrom(...names), fc.nat(99)).map(([what, pick]) => ({
      what,
      pick,
      [fc.toStringMethod]: () => `${what} (${pick})`,
    })),
    { maxLength: 50 },
  );

const repairs = fc.record({
  chosen: fc.array(fc.nat(7), { maxLength: 3 }),
  rerunAllFailed: fc.boolean(),
  rerunDependent: fc.boolean(),
  fates: fc.array(fates, { minLength: 8, maxLength: 8 }),
});
type DrawnRepair = typeof repairs extends fc.Arbitrary<infer T> ? T : never;

describe('advance agrees with the naive interpreter, whatever the order of events', () => {
  test('without interference', () => {
    fc.assert(
      fc.property(plannedTasks, stepsOf(...ordinarySteps), (tasks, history) => {
        const play = new Play(tasks);
        play.steps(history);
        play.finishAndCompare();
      }),
      { numRuns: 1_500 },
    );
  });

  test('when single task runs and iterations are cancelled', () => {
    fc.assert(
      fc.property(plannedTasks, stepsOf(...ordinarySteps, 'cancel a task'), (tasks, history) => {
        const play = new Play(tasks);
        play.steps(history);
        play.finishAndCompare();
      }),
      { numRuns: 1_500 },
    );
  });

  test('when runs are cancelled, and repaired once they have ended', () => {
    const history = stepsOf(...ordinarySteps, 'cancel a task', 'cancel the run');
    fc.assert(
      fc.property(
        plannedTasks,
        fc.array(fc.tuple(repairs, history), { maxLength: 3 }),
        history,
        (tasks, rounds, first) => {
          const play = new Play(tasks);
          play.steps(first);
          play.finishAndCompare();
          for (const [repair, steps] of rounds) {
            play.repair(repair);
            play.steps(steps);
            play.finishAndCompare();
          }
        },
      ),
      { numRuns: 1_500 },
    );
  });

  test('when runs are repaired while they are active', () => {
    const history = stepsOf(...ordinarySteps, 'cancel a task');
    fc.assert(
      fc.property(plannedTasks, fc.array(fc.tuple(history, repairs), { maxLength: 3 }), (tasks, rounds) => {
        const play = new Play(tasks);
        for (const [steps, repair] of rounds) {
          play.steps(steps);
          play.repair(repair);
        }
        play.finishAndCompare();
      }),
      { numRuns: 1_500 },
    );
  });
});

test('a cancelled run starts nothing further and never changes after its end', () => {
  fc.assert(
    fc.property(plannedTasks, stepsOf(...ordinarySteps), (tasks, history) => {
      const play = new Play(tasks);
      play.steps(history);
      if (play.run.phase.kind === 'ended') return;
      play.step('cancel the run', 0);
      const startedBefore = play.starts;
      play.finishAndCompare();

      expect(play.starts).toBe(startedBefore);
      const ended = play.run.run;
      play.repeatAll();
      expect(play.run.run).toBe(ended);
    }),
    { numRuns: 400 },
  );
});

/** Plays a history, checks after each step what must always hold, and keeps the books for the interpreter. */
class Play {
  readonly run: RunUnderTest;
  starts = 0;
  readonly #tasks: readonly NaiveTask[];
  readonly #definitions: ReadonlyMap<string, TaskDefinition>;
  readonly #fates: Map<string, Fate>;
  readonly #kept = new Map<string, string>();
  readonly #cancelled = new Set<string>();
  readonly #reused = new Set<string>();
  #isRunCancelled = false;
  #told: RunEvent[] = [];
  readonly #ends: number[] = [];
  #repairId: number | null = null;
  #nextId = 10_000;

  constructor(tasks: readonly PlannedTask[]) {
    this.#tasks = tasks.map(({ naive }) => naive);
    this.#definitions = new Map(tasks.map(({ definition }) => [definition.key, definition]));
    this.#fates = new Map(tasks.map(({ naive, fate }) => [naive.key, fate]));
    this.run = new RunUnderTest(tasks.map(({ definition }) => definition));
    this.#follow();
  }

  steps(history: readonly { readonly what: StepName; readonly pick: number }[]): void {
    for (const { what, pick } of history) this.step(what, pick);
  }

  step(what: StepName, pick: number): void {
    switch (what) {
      case 'wait':
        this.run.nowMs += pick * 30;
        return this.tell();
      case 'look again':
        return this.tell();
      case 'repeat an event': {
        const event = this.#told[pick % Math.max(this.#told.length, 1)];
        // A cancel names the run alone: told again after a repair, it is a new one.
        if (event?.kind === 'cancel_requested') return this.#cancelRun();
        return event ? this.tell(event) : undefined;
      }
      case 'cancel the run':
        return this.#cancelRun();
      case 'cancel a task':
        return this.#cancelTask(this.#pick(isCancellable, pick));
      case 'claim':
        return this.#begin(
          this.#pick(({ state }) => state.kind === 'queued' || state.kind === 'ready', pick),
        );
      case 'start':
        return this.#start(this.#pick(({ state }) => state.kind === 'claimed', pick));
      case 'end':
        return this.#end(this.#pick((taskRun) => this.#mayEnd(taskRun), pick));
      case 'lose before start':
        return this.#loseBeforeStart(this.#pick(({ state }) => state.kind === 'claimed', pick));
      case 'resume':
        return this.#resume(
          this.#pick(({ state }) => state.kind === 'claimed' || state.kind === 'running', pick),
        );
    }
  }

  finishAndCompare(): void {
    for (let turn = 0; this.run.phase.kind !== 'ended'; turn++) {
      if (turn > 2_000) throw new Error(`stuck: ${JSON.stringify(this.run.states())}`);
      this.run.nowMs += 1_000;
      this.tell();
      for (const what of ['claim', 'start', 'end'] as const) this.step(what, turn);
    }
    const expected = interpret({
      tasks: this.#tasks,
      fates: this.#fates,
      kept: this.#kept,
      cancelled: this.#cancelled,
      reused: this.#reused,
      isRunCancelled: this.#isRunCancelled,
    });
    expect(this.#results()).toEqual(expected);
    const result = this.#isRunCancelled ? 'cancelled' : interpretRun(this.#tasks, expected);
    expect(this.run.phase).toMatchObject({ kind: 'ended', result });
  }

  repair(drawn: DrawnRepair): void {
    const isActive = this.run.phase.kind !== 'ended';
    const before = this.#results();
    const rerunTasks = this.#tasks.filter((_, at) => drawn.chosen.includes(at)).map(({ key }) => key);
    const repair: NaiveRepair = { ...drawn, rerunTasks };
    const chosen = interpretRepair(this.#tasks, before, repair);
    const isRefused = chosen.size === 0 || this.#isUnderWay(chosen);
    const reused = this.#reusable(chosen);
    this.#nextId += 1;
    const repairId = this.#nextId;
    const definition = { tasks: [...this.#definitions.values()], timeoutMs: null };
    const rest = { whileActive: true, latestRepairId: this.#repairId, definition, changesParameters: false };
    const event: RunEvent = {
      kind: 'repair_requested',
      repairId,
      request: { ...repair, ...rest },
      place: isActive ? 'keep' : 'admit',
    };
    // Before it is told: the engine answers in the same breath.
    if (!isRefused) this.#expectRepair(chosen, before, reused, drawn);
    const generations = this.run.run.generations.length;
    this.tell(event);

    expect(this.run.run.generations.length - generations).toBe(isRefused ? 0 : 1);
    // Refused now, it may be granted later: that would be another story.
    if (isRefused) this.#told = this.#told.filter((told) => told !== event);
    else this.#repairId = repairId;
  }

  /** A chosen task, or one that depends on it, is live. */
  #isUnderWay(chosen: ReadonlySet<string>): boolean {
    const isOpen = (key: string) => this.run.taskRun(key).state.kind !== 'ended';
    const isLive = (key: string) => isOpen(key) && this.run.taskRun(key).state.kind !== 'blocked';
    return [...chosen].some(isOpen) || [...dependents(this.#tasks, chosen)].some(isLive);
  }

  #expectRepair(
    chosen: ReadonlySet<string>,
    before: Readonly<Record<string, string>>,
    reused: readonly string[],
    drawn: DrawnRepair,
  ): void {
    for (const [at, { key, work }] of this.#tasks.entries()) {
      const drawnFate = drawn.fates[at];
      if (!chosen.has(key)) {
        if (this.run.taskRun(key).state.kind === 'ended') this.#kept.set(key, before[key] ?? '?');
        continue;
      }
      this.#kept.delete(key);
      for (const set of [this.#cancelled, this.#reused]) {
        for (const name of [...set]) if (name === key || name.startsWith(`${key}#`)) set.delete(name);
      }
      const hasTimeout = this.#definitions.get(key)?.timeoutMs !== null;
      // Whether it times out is part of the definition, which stays.
      if (drawnFate && !hasTimeout)
        this.#fates.set(key, possibleFate(work, { ...drawnFate, badEnd: 'failed' }));
    }
    for (const name of reused) this.#reused.add(name);
    this.#isRunCancelled = false;
  }

  /** Iterations that succeeded; none when what runs again stands before a for-each and may change its inputs. */
  #reusable(chosen: ReadonlySet<string>): string[] {
    const loops = this.#tasks.filter(({ key, work }) => work === 'for_each' && chosen.has(key));
    const after = dependents(this.#tasks, chosen);
    if (loops.some(({ key }) => after.has(key))) return [];
    return loops.flatMap(({ key }) =>
      [0, 1, 2, 3]
        .filter((at) => {
          const state = this.run.run.taskRuns.get(slotOf(`${key}_each`, at))?.state;
          return state?.kind === 'ended' && state.result === 'succeeded';
        })
        .map((at) => `${key}#${at}`),
    );
  }

  tell(...events: RunEvent[]): void {
    const before = this.run.run;
    const wasEnded = this.run.phase.kind === 'ended';
    this.run.advance(...events);
    this.#told.push(...events);
    this.#follow();
    if (wasEnded && this.run.run.generations.length === before.generations.length)
      expect(this.run.run).toBe(before);
  }

  repeatAll(): void {
    for (const event of [...this.#told]) this.tell(event);
  }

  /** Counts what was commanded, answers the engine's own steps, and checks what must always hold. */
  #follow(): void {
    const steps: RunEvent[] = [];
    for (const command of this.run.last?.commands ?? []) {
      if (command.kind === 'start_attempt') this.starts += 1;
      if (command.kind === 'notify' && command.subject.kind === 'run_ended') {
        expect(this.#ends).not.toContain(command.subject.generation);
        this.#ends.push(command.subject.generation);
      }
      if (command.kind !== 'take_step') continue;
      const step = this.#answer(command.attemptId);
      if (step) steps.push(step);
    }
    this.#check();
    if (steps.length > 0) this.tell(...steps);
  }

  #check(): void {
    const settled = this.run.run;
    expect(brokenInvariants(settled)).toEqual([]);
    const index = indexOf(settled);
    const rebuilt = buildIndex(settled);
    expect(index.openTasks).toBe(rebuilt.openTasks);
    expect(index.iterations.toJS()).toEqual(rebuilt.iterations.toJS());
    expect(index.timed.equals(rebuilt.timed)).toBe(true);
    const { commands } = this.run.advance();
    expect(commands).toEqual([]);
    expect(this.run.run).toBe(settled);
  }

  #answer(attemptId: TaskRun['attemptId']): RunEvent | null {
    const taskRun = [...this.run.run.taskRuns.values()].find((each) => each.attemptId === attemptId);
    const task = this.#tasks.find(({ key }) => key === taskRun?.taskKey);
    if (taskRun?.state.kind !== 'ready' || !task) return null;
    const { holds, iterations } = this.#fateOf(taskRun);
    const isCondition = task.work === 'condition' || (task.guarded && taskRun.condition === null);
    if (!isCondition && task.work !== 'for_each') return null;
    if (holds === null) return { kind: 'step_failed', attemptId, failure };
    if (isCondition) {
      return {
        kind: 'condition_evaluated',
        attemptId,
        evaluation: { left: '1', right: '1', outcome: holds },
      };
    }
    return { kind: 'inputs_resolved', attemptId, inputs: iterations.map((_, at) => at) };
  }

  #results(): Record<string, string> {
    return Object.fromEntries(this.#tasks.map(({ key }) => [key, this.run.stateOf(key)]));
  }

  #pick(isWanted: (taskRun: TaskRun) => boolean, pick: number): TaskRun | null {
    const wanted = [...this.run.run.taskRuns.values()].filter(isWanted);
    return wanted[pick % Math.max(wanted.length, 1)] ?? null;
  }

  #outerKey({ taskKey, iteration }: TaskRun): string {
    return iteration === null ? taskKey : taskKey.replace(/_each$/, '');
  }

  /** Of an iteration: it only ever fails, so often. */
  #fateOf(taskRun: TaskRun): Fate {
    const fate = this.#fates.get(this.#outerKey(taskRun));
    if (!fate) throw new Error(`no fate for '${taskRun.taskKey}'`);
    if (taskRun.iteration === null) return fate;
    return { ...fate, failures: fate.iterations[taskRun.iteration] ?? 0, badEnd: 'failed' };
  }

  #begin(taskRun: TaskRun | null): void {
    if (!taskRun) return;
    const { attemptId, epoch, state } = taskRun;
    this.#nextId += 1;
    if (state.kind === 'ready')
      this.tell({ kind: 'child_started', attemptId, childRunId: toRunId(this.#nextId) });
    else this.tell({ kind: 'attempt_claimed', attemptId, epoch: epoch + 1, workerId: 'w' });
  }

  #start(taskRun: TaskRun | null): void {
    if (!taskRun) return;
    const { attemptId, epoch } = taskRun;
    this.tell({ kind: 'attempt_started', attemptId, epoch, startedAtMs: this.run.nowMs });
  }

  #resume(taskRun: TaskRun | null): void {
    if (!taskRun) return;
    const { attemptId, epoch } = taskRun;
    this.tell({ kind: 'attempt_resumed', attemptId, epoch: epoch + 1, workerId: 'w' });
  }

  /** Near the limit of free dispatches it would become a failure, which no fate foresees. */
  #loseBeforeStart(taskRun: TaskRun | null): void {
    if (!taskRun || taskRun.freeDispatches > 7) return;
    const { attemptId, epoch } = taskRun;
    this.tell({ kind: 'attempt_lost', attemptId, epoch, beforeUserCode: true, message: 'lost' });
  }

  #mayEnd({ state, childRunId }: TaskRun): boolean {
    return (
      state.kind === 'running' ||
      state.kind === 'stopping' ||
      (state.kind === 'running_parts' && childRunId !== null)
    );
  }

  #end(taskRun: TaskRun | null): void {
    if (!taskRun) return;
    const { attemptId, epoch, state, attempt, childRunId } = taskRun;
    const { failures, badEnd } = this.#fateOf(taskRun);
    const endsBadly = attempt < failures;
    if (state.kind === 'running_parts' && childRunId !== null) {
      const isCancelled = state.stop !== null || (endsBadly && badEnd === 'cancelled');
      const outcome = isCancelled
        ? ({ kind: 'cancelled' } as const)
        : endsBadly
          ? ({ kind: 'failed', failure } as const)
          : ({ kind: 'succeeded' } as const);
      return this.tell({ kind: 'child_ended', attemptId, childRunId, outcome });
    }
    if (state.kind === 'running' && endsBadly && badEnd === 'timed_out') {
      this.run.nowMs += hourMs;
      return this.tell();
    }
    if (state.kind === 'running' && endsBadly && badEnd === 'internal_error') {
      return this.tell({ kind: 'attempt_lost', attemptId, epoch, beforeUserCode: false, message: 'lost' });
    }
    const outcome =
      state.kind === 'stopping'
        ? ({ kind: 'stopped' } as const)
        : endsBadly
          ? failed
          : ({ kind: 'succeeded' } as const);
    this.tell({ kind: 'attempt_ended', attemptId, epoch, outcome, taskValues: {} });
  }

  #cancelTask(taskRun: TaskRun | null): void {
    if (!taskRun || this.run.phase.kind !== 'running') return;
    const { attemptId, iteration } = taskRun;
    const outerKey = this.#outerKey(taskRun);
    this.#cancelled.add(iteration === null ? outerKey : `${outerKey}#${iteration}`);
    this.tell({ kind: 'task_cancel_requested', attemptId });
  }

  #cancelRun(): void {
    if (this.run.phase.kind !== 'running') return;
    for (const { key } of this.#tasks) {
      const { state } = this.run.taskRun(key);
      if (state.kind === 'ended') this.#kept.set(key, state.result);
    }
    this.#isRunCancelled = true;
    this.tell({ kind: 'cancel_requested', reason: 'cancelled_by_user' });
  }
}

const failure = { code: 'RUN_EXECUTION_ERROR', message: 'ValueError: no', trace: null } as const;

/** Not what is being stopped already. */
function isCancellable({ state }: TaskRun): boolean {
  if (state.kind === 'ended' || state.kind === 'stopping') return false;
  return state.kind !== 'running_parts' || state.stop === null;
}
