/** A run within one batch. Steps that are the engine's own are answered here, in the batch that made them ready. */

import { findDefinition, graphOf } from '../graph/graph.ts';
import type { AttemptId, RunId } from '../ids.ts';
import type { AdvanceContext } from '../run/advance.ts';
import type { Command } from '../run/commands.ts';
import type { TaskRunChange } from '../run/draft.ts';
import type { RunEvent } from '../run/events.ts';
import { findTaskRun } from '../run/find-task-run.ts';
import { nextStep } from '../run/next-step.ts';
import type { Failure, Run, TaskRun } from '../run/state.ts';
import type { RunFacts, RunSave } from './store.ts';
import type { World } from './world.ts';

export class RunDraft {
  run: Run;
  readonly facts: RunFacts;
  /** What the store has; null: nothing yet. */
  readonly storedVersion: number | null;
  takesPlace = false;
  readonly inboxIds: number[] = [];
  readonly #world: World;
  readonly #changes = new Map<AttemptId, TaskRunChange>();
  readonly #commands: Command[] = [];

  constructor(options: { run: Run; facts: RunFacts; storedVersion: number | null; world: World }) {
    this.run = options.run;
    this.facts = options.facts;
    this.storedVersion = options.storedVersion;
    this.#world = options.world;
    if (options.storedVersion !== null) return;
    for (const after of this.run.taskRuns.values())
      this.#changes.set(after.attemptId, { before: null, after });
  }

  get isChanged(): boolean {
    return this.storedVersion === null || this.run.version !== this.storedVersion;
  }

  advance(events: readonly RunEvent[], context: AdvanceContext): void {
    let toTell = events;
    do {
      const { run, changes, commands } = this.#world.ledger.advance(this.run, toTell, context);
      this.run = run;
      for (const [attemptId, { before, after }] of changes) {
        const earlier = this.#changes.get(attemptId);
        this.#changes.set(attemptId, { before: earlier ? earlier.before : before, after });
      }
      this.#commands.push(...commands);
      toTell = commands.flatMap((command) =>
        command.kind === 'take_step' ? this.#answer(command.attemptId) : [],
      );
    } while (toTell.length > 0);
  }

  #answer(attemptId: AttemptId): RunEvent[] {
    const taskRun = findTaskRun(this.run, attemptId);
    if (taskRun?.state.kind !== 'ready') return [];
    const generation = this.run.generations[this.run.generations.length - 1];
    const definition = generation && findDefinition(graphOf(generation.definition), taskRun.taskKey);
    const step = definition ? nextStep(definition, taskRun) : null;
    // Whoever starts other jobs' runs looks at the store.
    if (step === null || step === 'start_child') return [];
    return [this.#answerOf(step, taskRun)];
  }

  #answerOf(step: 'evaluate_condition' | 'resolve_inputs', { attemptId }: TaskRun): RunEvent {
    const { random } = this.#world;
    if (random.chance(0.05)) return { kind: 'step_failed', attemptId, failure: unresolved };
    if (step === 'evaluate_condition') {
      const evaluation = { left: '1', right: '2', outcome: random.chance(0.6) };
      return { kind: 'condition_evaluated', attemptId, evaluation };
    }
    const count = random.pick([0, 1, 2, 3, 5]);
    const inputs = Array.from({ length: count }, (_, at) => at + (random.chance(0.1) ? 100 : 0));
    return { kind: 'inputs_resolved', attemptId, inputs };
  }

  toSave(): RunSave {
    return {
      run: this.run,
      facts: this.facts,
      expectedVersion: this.storedVersion,
      takesPlace: this.takesPlace,
      changes: this.#changes,
      commands: this.#commands,
      inboxIds: this.inboxIds,
    };
  }

  get runId(): RunId {
    return this.run.runId;
  }
}

const unresolved: Failure = { code: 'RUN_EXECUTION_ERROR', message: 'not a list', trace: null };
