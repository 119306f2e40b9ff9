/**
 * Gives ready attempts to the workers that wait, within the batch that makes them ready: one save carries both, and
 * the worker sets them up while it is under way. The claim of an attempt is an event like any other, so the run's
 * version fences it: of two servers that offer the same attempt, one changes nothing.
 */
import {
  assert,
  type Failure,
  findAskedLabels,
  findTaskRun,
  type Run,
  type TaskRun,
  toAttemptId,
} from '@headrace/core';
import type { ClaimedAttempt } from '@headrace/worker';
import { type BatchDependencies, openColdRuns } from './advance-batch.ts';
import type { ClaimQueue, Offer, QueuedAttempt, WaitingClaimer } from './claim-queue.ts';
import { giveUp, type OpenBatch } from './decide-batch.ts';
import {
  advanceDraft,
  type BatchContext,
  draftOfStoredRun,
  type RunDraft,
  type RunNews,
} from './run-draft.ts';
import { findQueuedAttempts } from './save-store.ts';

export interface Claim {
  readonly claimer: WaitingClaimer;
  readonly attempt: ClaimedAttempt;
}

interface Assignment {
  readonly claimer: WaitingClaimer;
  readonly draft: RunDraft;
  readonly taskRun: TaskRun;
  readonly epoch: number;
}

/** Queued attempts looked for in the store at a time. */
const storeQueuedMax = 200;
/** For each kind of worker, however many kinds there are: none waits for the others to be served. */
const storeQueuedMin = 10;

export async function claimQueued(
  batch: OpenBatch,
  context: BatchContext,
  dependencies: BatchDependencies,
): Promise<readonly Claim[]> {
  dependencies.queue.dropUnwanted(context.nowMs);
  const offers = dependencies.queue.offers();
  if (offers.length === 0) return [];
  if (!dependencies.queue.hasEnoughFor(offers)) await openQueuedRuns(offers, batch, context, dependencies);

  const assignments = offers.flatMap((offer) => assign(offer, batch, dependencies));
  const byDraft = Map.groupBy(assignments, ({ draft }) => draft);
  const claims: Claim[] = [];
  for (const [draft, assigned] of byDraft) {
    try {
      claims.push(...(await claimOf(draft, assigned, context, dependencies)));
    } catch (error) {
      giveUp(draft.run.runId, error, batch, dependencies.log);
    }
  }
  return claims;
}

async function claimOf(
  draft: RunDraft,
  assigned: readonly Assignment[],
  context: BatchContext,
  dependencies: BatchDependencies,
): Promise<Claim[]> {
  const ignored = await advanceDraft(draft, assigned.map(toClaimNews), context);
  assert(ignored.length === 0, `a queued attempt could not be claimed: ${ignored[0]?.reason}`);
  const claims: Claim[] = [];
  for (const assignment of assigned) {
    const attempt = await build(assignment, context, dependencies);
    if (attempt) claims.push({ claimer: assignment.claimer, attempt });
  }
  return claims;
}

/** While the save is under way. */
export function prepareClaimed(claims: readonly Claim[]): void {
  for (const [claimer, claimed] of Map.groupBy(claims, (claim) => claim.claimer)) {
    claimer.prepare(claimed.map(({ attempt }) => attempt));
  }
}

/** Attempts that this process has not seen: queued before it started, or by another. */
async function openQueuedRuns(
  offers: readonly Offer[],
  batch: OpenBatch,
  context: BatchContext,
  dependencies: BatchDependencies,
): Promise<void> {
  const { db, hot, queue, log } = dependencies;
  const labels = queue.labelsToLookFor(offers);
  if (labels.length === 0) return;
  const limit = Math.max(storeQueuedMin, Math.floor(storeQueuedMax / labels.length));
  const rows = await findQueuedAttempts(db, { labels, limit });
  const cold = new Set<number>();
  for (const { run_id: runId, attempt_id } of rows) {
    const known = hot.get(runId);
    // What is in memory may be older than what another server has saved.
    const taskRun = known ? findTaskRun(known.run, toAttemptId(attempt_id)) : null;
    if (known && taskRun?.state.kind === 'queued') queue.add(toQueued(known.run, taskRun));
    else if (!batch.drafts.has(runId)) cold.add(runId);
  }
  for (const [index, each] of labels.entries()) {
    const own = rows.filter(({ claimer }) => claimer === index);
    if (own.length < limit || own.every(({ run_id }) => !cold.has(run_id))) queue.noteAllTaken(each);
  }
  for (const draft of await openColdRuns([...cold], batch, dependencies)) {
    try {
      batch.ignored.push(...(await advanceDraft(draft, [], context)));
    } catch (error) {
      giveUp(draft.run.runId, error, batch, log);
      continue;
    }
    queueReady(draft, queue);
    for (const taskRun of draft.run.taskRuns.values()) {
      if (taskRun.state.kind === 'queued') queue.add(toQueued(draft.run, taskRun));
    }
  }
}

/** What a batch has made of the queue: what is ready now, and what has ended in it. */
export function queueReady({ changes, run }: RunDraft, queue: ClaimQueue): void {
  for (const { before, after } of changes.values()) {
    if (after.state.kind === 'queued') queue.add(toQueued(run, after));
    else if (before?.state.kind === 'queued' && after.state.kind === 'ended')
      queue.remove(toQueued(run, after));
  }
}

function toQueued(run: Run, taskRun: TaskRun): QueuedAttempt {
  return { runId: run.runId, attemptId: taskRun.attemptId, asked: findAskedLabels(run, taskRun) };
}

function assign(
  { claimer, free }: Offer,
  { drafts }: OpenBatch,
  { queue, hot }: BatchDependencies,
): Assignment[] {
  const assigned: Assignment[] = [];
  while (assigned.length < free) {
    const queued = queue.take(claimer.labels);
    if (!queued) break;
    const known = hot.get(queued.runId);
    const draft = drafts.get(queued.runId) ?? (known && draftOfStoredRun(known, { isFromMemory: true }));
    if (!draft) {
      // Its run had to leave memory; it is found again in the store.
      queue.lookInStoreAgain();
      continue;
    }
    const taskRun = findTaskRun(draft.run, queued.attemptId);
    if (taskRun?.state.kind !== 'queued') continue;
    drafts.set(queued.runId, draft);
    assigned.push({ claimer, draft, taskRun, epoch: taskRun.epoch + 1 });
  }
  return assigned;
}

function toClaimNews({ claimer, taskRun: { attemptId }, epoch }: Assignment): RunNews {
  return { event: { kind: 'attempt_claimed', attemptId, epoch, workerId: claimer.workerId } };
}

/** An attempt whose document cannot be made ends here, with the reason: no worker could do better. */
async function build(
  { draft, taskRun, epoch }: Assignment,
  context: BatchContext,
  { buildClaim, log, queue }: BatchDependencies,
): Promise<ClaimedAttempt | null> {
  const { attemptId } = taskRun;
  const built = await buildClaim(
    { facts: draft.facts, run: draft.run, taskRun, epoch },
    { nowMs: context.nowMs },
  ).catch((error: unknown): Failure => {
    log.error(
      { err: error, run_id: draft.run.runId, task_key: taskRun.taskKey },
      'an attempt cannot be prepared',
    );
    return {
      code: 'INTERNAL_ERROR',
      message: 'The server could not prepare the task; its log says why.',
      trace: null,
    };
  });
  if ('attempt' in built) {
    draft.claims.set(attemptId, built.note);
    return built.attempt;
  }
  const outcome = { kind: 'failed', failure: built } as const;
  await advanceDraft(
    draft,
    [{ event: { kind: 'attempt_ended', attemptId, epoch, outcome, taskValues: {} } }],
    context,
  );
  // What waited for this end.
  queueReady(draft, queue);
  return null;
}
