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
  type WorkerLabels,
} from '@headrace/core';
import type { ClaimedAttempt } from '@headrace/worker';
import type { BuiltClaim } from '../attempts/build-claim.ts';
import { isStoreAway } from '../db/store-away.ts';
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

interface Prepared {
  readonly assignment: Assignment;
  readonly built: BuiltClaim | Failure;
}

/** All runs wait while one attempt is prepared, which takes some milliseconds. */
const prepareMsMax = 5_000;
const restAfterWaitMs = 60_000;
const restAfterErrorMs = 1_000;
/** Queued attempts looked for in the store at a time. */
const storeQueuedMax = 200;
/**
 * For each kind of worker, however many kinds there are: none waits for the others to be served. And as many where memory
 * has enough: the oldest are not passed over then, and what others take meanwhile costs little.
 */
const storeQueuedMin = 10;
/** What others have taken meanwhile makes for another round; after so many the next batch goes on. */
const assignRoundsMax = 10;

export async function claimQueued(
  batch: OpenBatch,
  context: BatchContext,
  dependencies: BatchDependencies,
): Promise<readonly Claim[]> {
  const { queue } = dependencies;
  queue.dropUnwanted(context.nowMs);
  const offers = queue.offers();
  if (offers.length === 0) return [];
  const hasEnough = queue.hasEnoughFor(offers);
  if (!hasEnough || queue.isLookDue(context.nowMs))
    await openQueuedRuns({ offers, hasEnough }, batch, context, dependencies);

  const assignments: Assignment[] = [];
  for (const offer of offers) assignments.push(...(await assign(offer, batch, context, dependencies)));
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

/** What cannot be prepared now stays queued. */
async function claimOf(
  draft: RunDraft,
  assigned: readonly Assignment[],
  context: BatchContext,
  dependencies: BatchDependencies,
): Promise<Claim[]> {
  const prepared: Prepared[] = [];
  for (const assignment of assigned) {
    const built = await prepare(assignment, context, dependencies);
    if (built) prepared.push({ assignment, built });
  }
  const news = prepared.map(({ assignment }) => toClaimNews(assignment));
  const ignored = await advanceDraft(draft, news, context);
  assert(ignored.length === 0, `a queued attempt could not be claimed: ${ignored[0]?.reason}`);
  const claims: Claim[] = [];
  for (const { assignment, built } of prepared) {
    if ('attempt' in built) {
      draft.claims.set(assignment.taskRun.attemptId, built.note);
      claims.push({ claimer: assignment.claimer, attempt: built.attempt });
    } else {
      await endUnprepared(assignment, built, context, dependencies.queue);
    }
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
  { offers, hasEnough }: { readonly offers: readonly Offer[]; readonly hasEnough: boolean },
  batch: OpenBatch,
  context: BatchContext,
  dependencies: BatchDependencies,
): Promise<void> {
  const { db, hot, queue } = dependencies;
  const labels = queue.labelsToLookFor(offers);
  if (labels.length === 0) return;
  queue.noteLook(context.nowMs);
  const most = Math.max(storeQueuedMin, Math.floor(storeQueuedMax / labels.length));
  const limit = hasEnough ? storeQueuedMin : most;
  const rows = await findQueuedAttempts(db, { labels, limit });
  const cold = new Set<number>();
  for (const { run_id: runId, attempt_id } of rows) {
    const attemptId = toAttemptId(attempt_id);
    if (queue.has(attemptId)) continue;
    const known = hot.get(runId);
    // What is in memory may be older than what another server has saved.
    const taskRun = known ? findTaskRun(known.run, attemptId) : null;
    if (known && taskRun?.state.kind === 'queued') queue.add(toQueued(known.run, taskRun, taskRun.state));
    else if (!batch.drafts.has(runId)) cold.add(runId);
  }
  for (const [index, each] of labels.entries()) {
    const own = rows.filter(({ claimer }) => claimer === index);
    const isAllKnown = !hasEnough && own.every(({ run_id }) => !cold.has(run_id));
    if (own.length < limit || isAllKnown) queue.noteAllTaken(each);
  }
  await openRunsToClaim([...cold], batch, context, dependencies);
}

/** Reads runs that are not in memory; all that is queued in them is in the queue then. */
async function openRunsToClaim(
  runIds: readonly number[],
  batch: OpenBatch,
  context: BatchContext,
  dependencies: BatchDependencies,
): Promise<void> {
  const { queue, log } = dependencies;
  for (const draft of await openColdRuns(runIds, batch, dependencies)) {
    try {
      batch.ignored.push(...(await advanceDraft(draft, [], context)));
    } catch (error) {
      giveUp(draft.run.runId, error, batch, log);
      continue;
    }
    queueReady(draft, queue);
    for (const taskRun of draft.run.taskRuns.values()) {
      if (taskRun.state.kind === 'queued') queue.add(toQueued(draft.run, taskRun, taskRun.state));
    }
  }
}

/** What a batch has made of the queue: what is ready now, and what has ended in it. */
export function queueReady({ changes, run }: RunDraft, queue: ClaimQueue): void {
  for (const { before, after } of changes.values()) {
    if (after.state.kind === 'queued') queue.add(toQueued(run, after, after.state));
    else if (before?.state.kind === 'queued' && after.state.kind === 'ended')
      queue.remove(toQueued(run, after, before.state));
  }
}

function toQueued(
  run: Run,
  taskRun: TaskRun,
  { queuedAtMs }: { readonly queuedAtMs: number },
): QueuedAttempt {
  return { runId: run.runId, attemptId: taskRun.attemptId, asked: findAskedLabels(run, taskRun), queuedAtMs };
}

async function assign(
  { claimer, free }: Offer,
  batch: OpenBatch,
  context: BatchContext,
  dependencies: BatchDependencies,
): Promise<Assignment[]> {
  const { queue, hot, resting } = dependencies;
  const assigned: Assignment[] = [];
  for (let rounds = 0; assigned.length < free && rounds < assignRoundsMax; rounds += 1) {
    const some = takeSome(queue, claimer.labels, free - assigned.length);
    if (some.length === 0) break;
    const taken = some.filter(({ attemptId }) => !resting.isResting(attemptId, context.nowMs));
    // Runs that had to leave memory have waited longest: left to the store, they would be overtaken again and again.
    const cold = new Set<number>(
      taken.map(({ runId }) => runId).filter((runId) => !isOpen(runId, batch, hot)),
    );
    await openRunsToClaim([...cold], batch, context, dependencies);
    for (const { runId, attemptId } of taken) {
      const known = hot.get(runId);
      const draft = batch.drafts.get(runId) ?? (known && draftOfStoredRun(known, { isFromMemory: true }));
      const taskRun = draft && findTaskRun(draft.run, attemptId);
      if (!draft || taskRun?.state.kind !== 'queued') continue;
      batch.drafts.set(runId, draft);
      // Its run may just have brought it again.
      queue.remove(toQueued(draft.run, taskRun, taskRun.state));
      assigned.push({ claimer, draft, taskRun, epoch: taskRun.epoch + 1 });
    }
  }
  return assigned;
}

function takeSome(queue: ClaimQueue, labels: WorkerLabels, count: number): QueuedAttempt[] {
  const taken: QueuedAttempt[] = [];
  while (taken.length < count) {
    const queued = queue.take(labels);
    if (queued === null) break;
    taken.push(queued);
  }
  return taken;
}

function isOpen(runId: number, { drafts, unmovable }: OpenBatch, hot: BatchDependencies['hot']): boolean {
  return drafts.has(runId) || unmovable.has(runId) || hot.get(runId) !== null;
}

function toClaimNews({ claimer, taskRun: { attemptId }, epoch }: Assignment): RunNews {
  return { event: { kind: 'attempt_claimed', attemptId, epoch, workerId: claimer.workerId } };
}

/** A Failure for what no worker could do better; null where the store or what it locks is in the way. */
async function prepare(
  { draft, taskRun, epoch }: Assignment,
  context: BatchContext,
  { buildClaim, log, resting }: BatchDependencies,
): Promise<BuiltClaim | Failure | null> {
  const { attemptId, taskKey } = taskRun;
  const facts = { run_id: draft.run.runId, task_key: taskKey };
  try {
    const claim = { facts: draft.facts, run: draft.run, taskRun, epoch };
    return await withinMs(prepareMsMax, buildClaim(claim, { nowMs: context.nowMs }));
  } catch (error) {
    if (isStoreAway(error) || error instanceof TookTooLong) {
      const restMs = error instanceof TookTooLong ? restAfterWaitMs : restAfterErrorMs;
      log.warn({ err: error, ...facts, rest_ms: restMs }, 'an attempt cannot be prepared yet');
      resting.rest(attemptId, context.nowMs + restMs);
      return null;
    }
    log.error({ err: error, ...facts }, 'an attempt cannot be prepared');
    const message = 'The server could not prepare the task; its log says why.';
    return { code: 'INTERNAL_ERROR', message, trace: null };
  }
}

class TookTooLong extends Error {}

async function withinMs<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TookTooLong(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** An attempt whose document cannot be made ends here, with the reason. */
async function endUnprepared(
  { draft, taskRun, epoch }: Assignment,
  failure: Failure,
  context: BatchContext,
  queue: ClaimQueue,
): Promise<void> {
  const { attemptId } = taskRun;
  const outcome = { kind: 'failed', failure } as const;
  await advanceDraft(
    draft,
    [{ event: { kind: 'attempt_ended', attemptId, epoch, outcome, taskValues: {} } }],
    context,
  );
  // What waited for this end.
  queueReady(draft, queue);
}
