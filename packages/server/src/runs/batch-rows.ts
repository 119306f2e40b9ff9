/** The rows of a batch: from drafts of runs to what one statement saves. */
import { findAskedLabels, noLabels, type Run, slotOf, type TaskRun, wakeAtMs } from '@headrace/core';
import { assert } from '../assert.ts';
import { currentPhase, isChanged, type RunDraft } from './run-draft.ts';
import { toHistory } from './run-history.ts';
import { fromPhase, fromTaskRun } from './run-rows.ts';
import type { BatchSave, RunSave, TaskRunSave, TaskValueSave } from './save-store.ts';

/** Rows for all that changed. `places` are those that the batch takes. */
export function toBatchSave(
  drafts: readonly RunDraft[],
  { places, nowMs }: { places: BatchSave['places']; nowMs: number },
): BatchSave {
  // In one order everywhere: two servers that save the same rows wait for each other, and never both at once.
  const changed = drafts.filter(isChanged).sort((a, b) => a.run.runId - b.run.runId);
  return {
    runs: changed.map(toRunSave),
    places: places.toSorted((a, b) => a.job_id - b.job_id),
    generations: changed.flatMap(toGenerationSaves),
    followed: changed.flatMap(toFollowed),
    taskRuns: changed.flatMap((draft) => toTaskRunSaves(draft, nowMs)),
    taskValues: changed.flatMap((draft) => toTaskValueSaves(draft, nowMs)),
    history: changed.flatMap((draft) => toHistory(draft, nowMs)),
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
    parent_attempt_id: facts.parent?.attemptId ?? null,
    parent_run_id: facts.parent?.runId ?? null,
    created_at_ms: run.createdAtMs,
    generation: run.generations.length - 1,
    wake_at_ms: wakeAtMs(run),
    ...fromPhase(phase, skippedDownstream),
  };
}

/** Asked once, when a run has failed. */
function hasUpstreamFailed(run: Run): boolean {
  for (const { state } of run.taskRuns.values()) {
    if (state.kind === 'ended' && state.result === 'upstream_failed') return true;
  }
  return false;
}

function toGenerationSaves({ facts, run, storedGenerations }: RunDraft): BatchSave['generations'][number][] {
  return run.generations.slice(storedGenerations).map((generation) => ({
    run_id: run.runId,
    generation: generation.index,
    created_at_ms: generation.createdAtMs,
    definition: generation.definition,
    settings: facts.settings,
    parameters: facts.parameters,
    repair_id: generation.repair?.repairId ?? null,
    reuses_iterations: generation.repair?.reusesIterations ?? false,
    phase: null,
  }));
}

/** The generation that was current until a repair followed it keeps how it ended. */
function toFollowed({ run, storedGenerations }: RunDraft): BatchSave['followed'][number][] {
  if (storedGenerations === 0 || run.generations.length === storedGenerations) return [];
  return run.generations
    .slice(storedGenerations - 1, -1)
    .map(({ index, phase }) => ({ run_id: run.runId, generation: index, phase }));
}

function toTaskRunSaves(draft: RunDraft, nowMs: number): TaskRunSave[] {
  return [...draft.changes.values()].map(({ before, after }) => {
    const claim = draft.claims.get(after.attemptId);
    return {
      ...fromTaskRun(draft.run.runId, after),
      // They may be large, and are set once.
      inputs: before?.inputs === after.inputs ? null : after.inputs,
      expected_epoch: before?.epoch ?? null,
      created_at_ms: nowMs,
      cluster_id: claim?.clusterId ?? null,
      claim_epoch: claim ? after.epoch : null,
      exit_value: draft.exitValues.get(after.attemptId) ?? null,
      resolved: claim?.resolved ?? null,
      worker_labels: before === null ? askedOrNull(draft.run, after) : null,
    };
  });
}

function askedOrNull(run: Run, taskRun: TaskRun): TaskRunSave['worker_labels'] {
  const asked = findAskedLabels(run, taskRun);
  return asked === noLabels ? null : asked;
}

function toTaskValueSaves(draft: RunDraft, nowMs: number): TaskValueSave[] {
  if (draft.taskValues.size === 0) return [];
  const setters = new Map<string, TaskRun>();
  for (const { after } of draft.changes.values()) {
    if (after.state.kind === 'ended') setters.set(slotOf(after.taskKey, after.iteration), after);
  }
  return [...draft.taskValues].flatMap(([slot, values]) => {
    const setter = setters.get(slot);
    assert(setter, `'${slot}' set values and did not end`);
    return Object.entries(values).map(([name, value]) => ({
      run_id: draft.run.runId,
      task_key: slot,
      name,
      value,
      attempt_id: setter.attemptId,
      set_at_ms: nowMs,
    }));
  });
}
