/**
 * A run within one batch: what `core` decided for it so far, to be saved together. Lives for one batch only, so a
 * batch that could not be saved leaves nothing behind in memory.
 */
import {
  type AdvanceContext,
  type AttemptId,
  advance,
  type JsonValue,
  type Run,
  type RunEvent,
  type TaskRun,
  wakeAtMs,
} from '@headrace/core';
import { assert } from '../assert.ts';
import type { RunFacts } from './run-facts.ts';
import { fromPhase, fromTaskRun } from './run-rows.ts';
import type { BatchSave, HistorySave, RunSave, TaskRunSave, TaskValueSave } from './save-store.ts';

export interface RunDraft {
  readonly facts: RunFacts;
  /** What the store has; null: nothing yet. */
  readonly storedVersion: number | null;
  readonly storedPhase: string | null;
  /** Uses one of its job's places. */
  takesPlace: boolean;
  run: Run;
  readonly changes: Map<AttemptId, TaskRunChange>;
  readonly taskValues: Map<string, Record<string, JsonValue>>;
  readonly exitValues: Map<AttemptId, string>;
  readonly claims: Map<AttemptId, ClaimNote>;
  readonly inboxIds: number[];
  readonly inboxNews: RunNews[];
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
  const draft = emptyDraft(facts, run, { storedVersion: null, takesPlace });
  for (const taskRun of run.taskRuns.values()) {
    draft.changes.set(taskRun.attemptId, { before: null, after: taskRun });
  }
  return draft;
}

export function draftOfStoredRun(facts: RunFacts, run: Run): RunDraft {
  return emptyDraft(facts, run, { storedVersion: run.version, takesPlace: false });
}

function emptyDraft(
  facts: RunFacts,
  run: Run,
  stored: { storedVersion: number | null; takesPlace: boolean },
): RunDraft {
  return {
    facts,
    run,
    ...stored,
    storedPhase: stored.storedVersion === null ? null : currentPhase(run).kind,
    changes: new Map(),
    taskValues: new Map(),
    exitValues: new Map(),
    claims: new Map(),
    inboxIds: [],
    inboxNews: [],
  };
}

/** Lets `core` decide, and folds the result into what is to be saved. Returns the news that changed nothing. */
export function advanceDraft(
  draft: RunDraft,
  news: readonly RunNews[],
  context: AdvanceContext,
): readonly { readonly event: RunEvent; readonly reason: string }[] {
  const result = advance(
    draft.run,
    news.map(({ event }) => event),
    context,
  );
  draft.run = result.run;
  for (const [attemptId, { before, after }] of result.changes) {
    const earlier = draft.changes.get(attemptId);
    draft.changes.set(attemptId, { before: earlier ? earlier.before : before, after });
  }
  for (const [taskKey, values] of result.newTaskValues) {
    draft.taskValues.set(taskKey, { ...draft.taskValues.get(taskKey), ...values });
  }
  const ignored = new Set(result.ignored.map(({ event }) => event));
  for (const { event, exitValue } of news) {
    if (event.kind === 'attempt_ended' && typeof exitValue === 'string' && !ignored.has(event)) {
      draft.exitValues.set(event.attemptId, exitValue);
    }
  }
  return result.ignored;
}

export function isChanged(draft: RunDraft): boolean {
  return draft.storedVersion === null || draft.run.version !== draft.storedVersion;
}

export function currentPhase(run: Run) {
  const generation = run.generations[run.generations.length - 1];
  assert(generation, `run ${run.runId} has no generation`);
  return generation.phase;
}

/** Rows for all that changed. `places` are those that the batch takes. */
export function toBatchSave(
  drafts: readonly RunDraft[],
  { places, nowMs }: { places: BatchSave['places']; nowMs: number },
): BatchSave {
  const changed = drafts.filter(isChanged);
  return {
    runs: changed.map(toRunSave),
    places,
    generations: changed.filter((draft) => draft.storedVersion === null).map(toGenerationSave),
    taskRuns: changed.flatMap((draft) => toTaskRunSaves(draft, nowMs)),
    taskValues: changed.flatMap((draft) => toTaskValueSaves(draft, nowMs)),
    history: changed.flatMap((draft) => toHistory(draft, nowMs)),
    inboxIds: drafts.flatMap((draft) => draft.inboxIds),
    unchangedRunIds: drafts.filter((draft) => !isChanged(draft)).map((draft) => draft.run.runId),
  };
}

function toRunSave({ facts, run, storedVersion, takesPlace }: RunDraft): RunSave {
  const phase = currentPhase(run);
  const skippedDownstream = phase.kind === 'ended' && phase.cause !== null && hasUpstreamFailed(run);
  return {
    run_id: run.runId,
    expected_version: storedVersion,
    takes_place: takesPlace,
    job_id: run.jobId,
    version: run.version,
    run_type: facts.runType,
    run_name: facts.runName,
    trigger: facts.trigger,
    owner_id: facts.ownerId,
    creator_user_name: facts.creatorUserName,
    idempotency_token: facts.idempotencyToken,
    number_in_job: facts.numberInJob,
    created_at_ms: run.createdAtMs,
    generation: run.generations.length - 1,
    wake_at_ms: wakeAtMs(run),
    ...fromPhase(phase, skippedDownstream),
  };
}

function hasUpstreamFailed(run: Run): boolean {
  for (const { state } of run.taskRuns.values()) {
    if (state.kind === 'ended' && state.result === 'upstream_failed') return true;
  }
  return false;
}

function toGenerationSave({ facts, run }: RunDraft): BatchSave['generations'][number] {
  const generation = run.generations[0];
  assert(generation, `run ${run.runId} has no generation`);
  return {
    run_id: run.runId,
    generation: 0,
    created_at_ms: generation.createdAtMs,
    definition: generation.definition,
    settings: facts.settings,
    parameters: facts.parameters,
    phase: null,
  };
}

function toTaskRunSaves(draft: RunDraft, nowMs: number): TaskRunSave[] {
  return [...draft.changes.values()].map(({ before, after }) => {
    const claim = draft.claims.get(after.attemptId);
    return {
      ...fromTaskRun(draft.run.runId, after),
      expected_epoch: before?.epoch ?? null,
      created_at_ms: nowMs,
      cluster_id: claim?.clusterId ?? null,
      claim_epoch: claim ? after.epoch : null,
      exit_value: draft.exitValues.get(after.attemptId) ?? null,
      resolved: claim?.resolved ?? null,
    };
  });
}

function toTaskValueSaves(draft: RunDraft, nowMs: number): TaskValueSave[] {
  return [...draft.taskValues].flatMap(([taskKey, values]) => {
    const setter = [...draft.changes.values()].find(
      ({ after }) => after.taskKey === taskKey && after.state.kind === 'ended',
    );
    assert(setter, `task '${taskKey}' set values and did not end`);
    return Object.entries(values).map(([name, value]) => ({
      run_id: draft.run.runId,
      task_key: taskKey,
      name,
      value,
      attempt_id: setter.after.attemptId,
      set_at_ms: nowMs,
    }));
  });
}

/** For people: each change of the run's phase and of a task's state, but for the many that only wait. */
function toHistory(draft: RunDraft, nowMs: number): HistorySave[] {
  const { run } = draft;
  const phase = currentPhase(run);
  const history: HistorySave[] = [];
  if (phase.kind !== draft.storedPhase) {
    const detail = phase.kind === 'ended' ? { result: phase.result } : null;
    history.push({ ...historyOf(run, nowMs), kind: `run_${phase.kind}`, detail });
  }
  for (const { before, after } of draft.changes.values()) {
    const { state } = after;
    if (state.kind === 'blocked' || (before?.state.kind === state.kind && before.epoch === after.epoch))
      continue;
    const detail =
      state.kind === 'ended'
        ? { result: state.result, message: state.failure?.message ?? null }
        : 'workerId' in state
          ? { worker_id: state.workerId, epoch: after.epoch }
          : null;
    history.push({
      ...historyOf(run, nowMs),
      task_key: after.taskKey,
      attempt_id: after.attemptId,
      kind: `attempt_${state.kind}`,
      detail,
    });
  }
  return history;
}

function historyOf(run: Run, nowMs: number) {
  return { run_id: run.runId, at_ms: nowMs, task_key: null, attempt_id: null };
}
