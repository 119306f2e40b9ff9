/** Gives ready attempts to the workers that wait, within the batch that makes them ready: one save carries both. */
import type { AttemptId, RunId } from '../ids.ts';
import type { TaskRun } from '../run/state.ts';
import type { RunDraft } from './draft.ts';
import type { Program, Ticket } from './kernel.ts';
import type { Scheduler } from './scheduler.ts';
import { phaseOf } from './store.ts';

/** A worker that waits for attempts. */
export interface Claimer {
  readonly workerId: string;
  readonly free: number;
  /** What it had when it asked, each with its epoch. */
  readonly held: ReadonlyMap<AttemptId, number>;
  readonly delivered: Ticket<readonly BatchClaim[]>;
  /** The life of the worker in which it asked is over. */
  readonly isGone: () => boolean;
  /** What cannot be handed over must be taken back. */
  readonly isReached: () => boolean;
}

export interface BatchClaim {
  readonly claimer: Claimer;
  readonly runId: RunId;
  readonly attemptId: AttemptId;
  readonly epoch: number;
}

export function* claimQueued(scheduler: Scheduler, drafts: Map<RunId, RunDraft>): Program<BatchClaim[]> {
  const claims: BatchClaim[] = [];
  for (const claimer of scheduler.claimers.splice(0)) {
    if (claimer.isGone()) claimer.delivered.settle([]);
    else scheduler.claimers.push(claimer);
  }
  if (scheduler.claimers.length === 0) return claims;
  // Runs in memory are offered as they were last seen: the version fences what is no longer so.
  for (const runId of scheduler.hot.keys()) if (!drafts.has(runId)) scheduler.open(runId, drafts);
  yield null;
  const queued = [...drafts.values()].flatMap(findQueued);
  for (const claimer of scheduler.claimers.splice(0)) {
    const given = queued.splice(0, claimer.free);
    if (given.length === 0) scheduler.claimers.push(claimer);
    for (const { draft, taskRun } of given) {
      const { attemptId } = taskRun;
      const { workerId } = claimer;
      const epoch = taskRun.epoch + 1;
      draft.advance([{ kind: 'attempt_claimed', attemptId, epoch, workerId }], scheduler.context);
      scheduler.world.trace?.(`${scheduler.name} offers attempt ${attemptId} epoch ${epoch} to ${workerId}`);
      claims.push({ claimer, runId: draft.runId, attemptId, epoch });
    }
  }
  return claims;
}

function findQueued(draft: RunDraft): { draft: RunDraft; taskRun: TaskRun }[] {
  if (phaseOf(draft.run).kind !== 'running') return [];
  return [...draft.run.taskRuns.values()]
    .filter(({ state }) => state.kind === 'queued')
    .map((taskRun) => ({ draft, taskRun }));
}
