/**
 * Generated graphs and histories against a second, deliberately naive reading of the graph rules. A history is a
 * list of short named steps, so that what fast-check shrinks to can be read.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aTask, failed, RunUnderTest } from './builders.ts';
import type { Command } from './commands.ts';
import type { RunEvent } from './events.ts';
import { brokenInvariants } from './invariants.ts';
import { type RunIf, runIfValues, type TaskDefinition } from './state.ts';

interface PlannedTask {
  readonly definition: TaskDefinition;
  /** Attempts that fail before one succeeds. */
  readonly failures: number;
}

const plannedTasks = fc
  .array(
    fc.record({
      parents: fc.array(fc.nat(), { maxLength: 3 }),
      runIf: fc.constantFrom(...runIfValues),
      disabled: fc.nat(9).map((die) => die === 0),
      retriesMax: fc.nat(2),
      failures: fc.constantFrom(0, 0, 1, 3),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((shapes) =>
    shapes.map((shape, at): PlannedTask => {
      // A task may depend on earlier ones only: no cycles by construction.
      const dependsOn = at === 0 ? [] : [...new Set(shape.parents.map((parent) => `t${parent % at}`))];
      const retry = {
        retriesMax: shape.retriesMax,
        intervalMinMs: 1_000,
        intervalMaxMs: null,
        onTimeout: false,
      };
      return {
        definition: aTask(`t${at}`, { dependsOn, runIf: shape.runIf, disabled: shape.disabled, retry }),
        failures: shape.failures,
      };
    }),
  );

const steps = fc.array(
  fc.record({
    what: fc.constantFrom('claim', 'start', 'end', 'lose', 'resume', 'repeat an event', 'wait', 'look again'),
    pick: fc.nat(),
  }),
  { maxLength: 60 },
);

describe('advance', () => {
  test('agrees with the naive reading of the rules, whatever the order of events', () => {
    fc.assert(
      fc.property(plannedTasks, steps, (tasks, history) => {
        const play = new Play(tasks);
        for (const step of history) play.step(step.what, step.pick);
        play.finish();

        expect(play.run.states()).toEqual(naiveResults(tasks));
      }),
      { numRuns: 600 },
    );
  });

  test('a cancelled run ends, starts nothing further and never changes afterwards', () => {
    fc.assert(
      fc.property(plannedTasks, steps, (tasks, history) => {
        const play = new Play(tasks);
        for (const step of history) play.step(step.what, step.pick);
        if (play.run.phase.kind === 'ended') return;
        play.tell({ kind: 'cancel_requested', reason: 'cancelled_by_user' });
        const startedBefore = play.starts;
        play.finish();

        expect(play.starts).toBe(startedBefore);
        expect(play.run.phase).toMatchObject({ kind: 'ended', result: 'cancelled' });
        const ended = play.run.run;
        play.repeatAll();
        expect(play.run.run).toBe(ended);
      }),
      { numRuns: 400 },
    );
  });
});

/** Plays a history, and after each step checks what must always hold. */
class Play {
  readonly run: RunUnderTest;
  starts = 0;
  readonly #failuresLeft: Map<string, number>;
  readonly #told: RunEvent[] = [];
  #runEnds = 0;

  constructor(tasks: readonly PlannedTask[]) {
    this.#failuresLeft = new Map(tasks.map((task) => [task.definition.key, task.failures]));
    this.run = new RunUnderTest(tasks.map((task) => task.definition));
    this.#count(this.run.last?.commands ?? []);
    this.#check();
  }

  step(what: string, pick: number): void {
    const wanted: Record<string, string[]> = {
      claim: ['queued'],
      start: ['claimed'],
      end: ['running', 'stopping'],
      lose: ['claimed'],
      resume: ['claimed', 'running'],
    };
    if (what === 'wait') this.run.nowMs += pick % 3_000;
    if (what === 'wait' || what === 'look again') return this.tell();
    if (what === 'repeat an event') {
      const event = this.#told[pick % Math.max(this.#told.length, 1)];
      return event ? this.tell(event) : undefined;
    }
    const keys = [...this.run.run.taskRuns.keys()].filter((key) =>
      wanted[what]?.includes(this.run.stateOf(key)),
    );
    const key = keys[pick % Math.max(keys.length, 1)];
    if (key !== undefined) this.tell(this.#eventFor(what, key));
  }

  /** Ends everything that can end, in the order of the tasks, waiting for retries. */
  finish(): void {
    for (let turn = 0; this.run.phase.kind !== 'ended'; turn++) {
      if (turn > 1_000) throw new Error(`stuck: ${JSON.stringify(this.run.states())}`);
      this.run.nowMs += 1_000;
      this.tell();
      for (const what of ['claim', 'start', 'end']) this.step(what, turn);
    }
    expect(this.#runEnds).toBe(1);
  }

  tell(...events: RunEvent[]): void {
    const before = this.run.run;
    const { commands } = this.run.advance(...events);
    this.#told.push(...events);
    this.starts += commands.filter((each) => each.kind === 'start_attempt').length;
    this.#runEnds += commands.filter(
      (each) => each.kind === 'notify' && each.subject.kind === 'run_ended',
    ).length;
    if (before.generations[0]?.phase.kind === 'ended') expect(this.run.run).toBe(before);
    this.#check();
  }

  repeatAll(): void {
    for (const event of [...this.#told]) this.tell(event);
  }

  #count(commands: readonly Command[]): void {
    this.starts += commands.filter((each) => each.kind === 'start_attempt').length;
    this.#runEnds += commands.filter(
      (each) => each.kind === 'notify' && each.subject.kind === 'run_ended',
    ).length;
  }

  #check(): void {
    expect(brokenInvariants(this.run.run)).toEqual([]);
    const settled = this.run.run;
    const { commands } = this.run.advance();
    expect(commands).toEqual([]);
    expect(this.run.run).toBe(settled);
  }

  #eventFor(what: string, key: string): RunEvent {
    const { attemptId, epoch } = this.run.taskRun(key);
    switch (what) {
      case 'claim':
        return { kind: 'attempt_claimed', attemptId, epoch: epoch + 1, workerId: 'w' };
      case 'start':
        return { kind: 'attempt_started', attemptId, epoch, startedAtMs: this.run.nowMs };
      case 'resume':
        return { kind: 'attempt_resumed', attemptId, epoch: epoch + 1, workerId: 'w' };
      case 'lose':
        // Near the limit of free dispatches it would become a failure, which the naive reading does not know.
        if (epoch >= 8) return { kind: 'attempt_started', attemptId, epoch, startedAtMs: this.run.nowMs };
        return { kind: 'attempt_lost', attemptId, epoch, beforeUserCode: true, message: 'lost' };
      default: {
        if (this.run.stateOf(key) === 'stopping') {
          return { kind: 'attempt_ended', attemptId, epoch, outcome: { kind: 'stopped' }, taskValues: {} };
        }
        const left = this.#failuresLeft.get(key) ?? 0;
        this.#failuresLeft.set(key, left - 1);
        return {
          kind: 'attempt_ended',
          attemptId,
          epoch,
          outcome: left > 0 ? failed : { kind: 'succeeded' },
          taskValues: {},
        };
      }
    }
  }
}

/** The rules once more, by recursion and without regard to time. */
function naiveResults(tasks: readonly PlannedTask[]): Record<string, string> {
  const results: Record<string, string> = {};
  for (const { definition, failures } of tasks) {
    const parents = definition.dependsOn.map(({ key }) => results[key] ?? '?');
    results[definition.key] = definition.disabled
      ? 'disabled'
      : naiveResult(definition.runIf, parents, failures <= definition.retry.retriesMax);
  }
  return results;
}

function naiveResult(runIf: RunIf, parents: readonly string[], wouldSucceed: boolean): string {
  const own = wouldSucceed ? 'succeeded' : 'failed';
  const count = (...names: string[]) => parents.filter((parent) => names.includes(parent)).length;
  const all = parents.length;
  const bad = count('failed', 'upstream_failed');
  if (all === 0) return own;
  if (count('excluded') === all) return 'excluded';
  const met = {
    ALL_SUCCESS: count('succeeded') === all,
    AT_LEAST_ONE_SUCCESS: count('succeeded') > 0,
    NONE_FAILED: bad === 0,
    ALL_DONE: true,
    AT_LEAST_ONE_FAILED: bad > 0,
    ALL_FAILED: bad === all,
  }[runIf];
  if (met) return own;
  if (runIf === 'AT_LEAST_ONE_FAILED' || runIf === 'ALL_FAILED') return 'excluded';
  if (bad > 0) return 'upstream_failed';
  return count('disabled') > 0 ? 'disabled' : 'excluded';
}
