/**
 * A run within one batch: what `core` decided for it so far, to be saved together. Lives for one batch only, so a
 * batch that could not be saved leaves nothing behind in memory.
 */
import {
  type AdvanceContext,
  type AttemptId,
  advance,
  type Command,
  type Decision,
  findTaskRun,
  type JsonValue,
  type Run,
  type RunEvent,
  type TaskRun,
} from '@headrace/core';
import { assert } from '../assert.ts';
import type { RunFacts } from './run-facts.ts';

/** What the engine's own steps need beside the clock and ids of `core`. */
export interface BatchContext extends AdvanceContext {
  readonly resolveStep: StepResolver;
  /** Resolves when so many ids can be taken at once. */
  readonly reserveIds: (count: number) => Promise<void>;
}

/** Answers a task run that is ready, at once; null where the answer takes another run and comes later. */
export type StepResolver = (step: {
  readonly facts: RunFacts;
  readonly run: Run;
  readonly taskRun: TaskRun;
}) => RunEvent | null;

export interface RunDraft {
  /** Of the current generation: a repair brings its own settings and parameters. */
  facts: RunFacts;
  /** Not read for this batch: another server may have moved the run since. */
  readonly isFromMemory: boolean;
  /** Some of its news changed nothing, or its repair was refused. */
  hasRefused: boolean;
  /** What the store has; null: nothing yet. */
  readonly storedVersion: number | null;
  readonly storedPhase: string | null;
  readonly storedGenerations: number;
  /** Takes one of its job's places, or queues for one: the counts it was decided on must still be true. */
  takesPlace: boolean;
  run: Run;
  readonly changes: Map<AttemptId, TaskRunChange>;
  readonly taskValues: Map<string, Record<string, JsonValue>>;
  readonly exitValues: Map<AttemptId, string>;
  readonly claims: Map<AttemptId, ClaimNote>;
  readonly decisions: Map<AttemptId, Decision>;
}

interface TaskRunChange {
  readonly before: TaskRun | null;
  readonly after: TaskRun;
}

/** What the store remembers of a claim beside the task run's state. */
export interface ClaimNote {
  readonly clusterId: string;
  readonly resolved: JsonValue;
}

/** An event and what travels with it past `core`. */
export interface RunNews {
  readonly event: RunEvent;
  readonly exitValue?: string | null;
}

export function draftOfNewRun(facts: RunFacts, run: Run, takesPlace: boolean): RunDraft {
  const draft = emptyDraft(facts, run, { storedVersion: null, takesPlace, isFromMemory: false });
  for (const taskRun of run.taskRuns.values()) {
    draft.changes.set(taskRun.attemptId, { before: null, after: taskRun });
  }
  return draft;
}

export function draftOfStoredRun(
  { facts, run }: { readonly facts: RunFacts; readonly run: Run },
  { isFromMemory }: { readonly isFromMemory: boolean },
): RunDraft {
  return emptyDraft(facts, run, { storedVersion: run.version, takesPlace: false, isFromMemory });
}

function emptyDraft(
  facts: RunFacts,
  run: Run,
  stored: { storedVersion: number | null; takesPlace: boolean; isFromMemory: boolean },
): RunDraft {
  return {
    facts,
    run,
    ...stored,
    hasRefused: false,
    storedPhase: stored.storedVersion === null ? null : currentPhase(run).kind,
    storedGenerations: stored.storedVersion === null ? 0 : run.generations.length,
    changes: new Map(),
    taskValues: new Map(),
    exitValues: new Map(),
    claims: new Map(),
    decisions: new Map(),
  };
}

/**
 * Lets `core` decide, takes the engine's own steps that follow, and folds all of it into what is to be saved. Returns
 * the news that changed nothing.
 */
export async function advanceDraft(
  draft: RunDraft,
  news: readonly RunNews[],
  context: BatchContext,
): Promise<readonly IgnoredEvent[]> {
  const events = news.map(({ event }) => event);
  const { ignored, commands } = advanceOnce(draft, events, context);
  if (ignored.length > 0) draft.hasRefused = true;
  const ignoredEvents = new Set(ignored.map(({ event }) => event));
  for (const { event, exitValue } of news) {
    if (event.kind === 'attempt_ended' && typeof exitValue === 'string' && !ignoredEvents.has(event)) {
      draft.exitValues.set(event.attemptId, exitValue);
    }
  }
  // Each step is answered once and begins others only further down the graph, so this comes to rest.
  for (let steps = await answerSteps(draft, commands, context); steps.length > 0; ) {
    steps = await answerSteps(draft, advanceOnce(draft, steps, context).commands, context);
  }
  return ignored;
}

export interface IgnoredEvent {
  readonly event: RunEvent;
  readonly reason: string;
}

function advanceOnce(
  draft: RunDraft,
  events: readonly RunEvent[],
  context: BatchContext,
): { readonly ignored: readonly IgnoredEvent[]; readonly commands: readonly Command[] } {
  const result = advance(draft.run, events, context);
  draft.run = result.run;
  for (const [attemptId, { before, after }] of result.changes) {
    const earlier = draft.changes.get(attemptId);
    draft.changes.set(attemptId, { before: earlier ? earlier.before : before, after });
  }
  for (const [slot, values] of result.newTaskValues) {
    draft.taskValues.set(slot, { ...draft.taskValues.get(slot), ...values });
  }
  for (const decision of result.decisions) draft.decisions.set(decision.attemptId, decision);
  return result;
}

async function answerSteps(
  draft: RunDraft,
  commands: readonly Command[],
  { resolveStep, reserveIds }: BatchContext,
): Promise<RunEvent[]> {
  const answers: RunEvent[] = [];
  for (const command of commands) {
    if (command.kind !== 'take_step') continue;
    const taskRun = findTaskRun(draft.run, command.attemptId);
    if (taskRun?.state.kind !== 'ready') continue;
    const answer = resolveStep({ facts: draft.facts, run: draft.run, taskRun });
    // Iterations whose guard does not hold end at once, all of them perhaps in this batch.
    if (answer?.kind === 'inputs_resolved') await reserveIds(answer.inputs.length);
    if (answer) answers.push(answer);
  }
  return answers;
}

export function isChanged(draft: RunDraft): boolean {
  return draft.storedVersion === null || draft.run.version !== draft.storedVersion;
}

export function currentPhase(run: Run) {
  const generation = run.generations[run.generations.length - 1];
  assert(generation, `run ${run.runId} has no generation`);
  return generation.phase;
}
