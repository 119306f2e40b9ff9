/** One batch of the advancer, from its items to what must be told afterwards. Nothing outlives it but hot runs. */
import { type EndedResult, newRun, type Run, wakeAtMs } from '@headrace/core';
import type { ClaimedAttempt } from '@headrace/worker';
import type { Logger } from 'pino';
import type { Querier } from '../db/connect.ts';
import { toBatchSave } from './batch-rows.ts';
import { type Claim, claimQueued, prepareClaimed, queueReady } from './claim-attempts.ts';
import type { ClaimQueue, WaitingClaimer } from './claim-queue.ts';
import { decide, giveUp, type OpenBatch } from './decide-batch.ts';
import type { HotRuns } from './hot-runs.ts';
import { type Places, readFreePlaces } from './places.ts';
import type { RestingAttempts } from './resting-attempts.ts';
import {
  type BatchContext,
  currentPhase,
  draftOfNewRun,
  draftOfStoredRun,
  isChanged,
  type RunDraft,
} from './run-draft.ts';
import type { SaveConnection } from './save-connection.ts';
import { findMadeRuns, type MadeRun, saveBatchQuery } from './save-store.ts';
import { type ClaimBuilder, countNewAttempts, type WorkItem } from './work-items.ts';

export interface BatchDependencies {
  readonly db: Querier;
  readonly connection: SaveConnection;
  readonly hot: HotRuns;
  readonly queue: ClaimQueue;
  readonly resting: RestingAttempts;
  readonly buildClaim: ClaimBuilder;
  readonly log: Logger;
}

export interface Batch {
  readonly saved: readonly { readonly run: Run; readonly hasEnded: boolean }[];
  readonly endedAttempts: readonly EndedResult[];
  readonly stoppingWorkerIds: ReadonlySet<string>;
  /** A run waits for another, or another for it: their loop has something to do. */
  readonly concernsChildren: boolean;
  /** Tell those who wait: all is durable. */
  readonly settlements: readonly (() => void)[];
  /** Another process moved their run meanwhile. */
  readonly lostRaces: readonly WorkItem[];
  /** The earliest moment at which a run of this batch wants to be looked at. */
  readonly wakeAtMs: number | null;
}

/** The save failed, and whether it happened is unknown; these claims were not delivered. */
export class BatchNotSaved extends Error {
  readonly claimed: readonly Claim[];

  constructor(claimed: readonly Claim[], cause: unknown) {
    super('cannot save a batch of runs', { cause });
    this.claimed = claimed;
  }
}

/** For attempts that follow from retries, and from claims that come to nothing. */
const spareIds = 1_000;

export async function advanceBatch(
  items: readonly WorkItem[],
  context: BatchContext,
  dependencies: BatchDependencies,
): Promise<Batch> {
  const batch: OpenBatch = {
    drafts: new Map(),
    ignored: [],
    refusals: new Map(),
    unmovable: new Map(),
  };
  const places = await readFreePlaces(items, dependencies.db);
  const newAttempts = items.reduce((sum, item) => sum + countNewAttempts(item), 0);
  await context.reserveIds(newAttempts + spareIds);
  openNewRuns(items, batch, places, context);
  await openStoredRuns(items, batch, dependencies);
  await decide(items, batch, places, { context, log: dependencies.log });
  for (const draft of batch.drafts.values()) queueReady(draft, dependencies.queue);
  const claims = await claimQueued(batch, context, dependencies);
  const saving = save(batch, places, claims, context, dependencies);
  // The statement is on its way: folders are made while it commits, not before.
  prepareClaimed(claims);
  const savedIds = await saving;
  deliver(claims, savedIds, dependencies);
  return settle(items, batch, savedIds, dependencies);
}

function openNewRuns(
  items: readonly WorkItem[],
  { drafts }: OpenBatch,
  places: Places,
  context: BatchContext,
): void {
  for (const item of items) {
    if (item.kind !== 'create') continue;
    const { facts, definition, places: wanted } = item.order;
    const place = wanted ? (places.get(wanted.jobId)?.decideNew(wanted.queueEnabled) ?? 'skip') : 'admit';
    const run = newRun({ runId: facts.runId, jobId: facts.jobId, definition, place, ...context });
    drafts.set(facts.runId, draftOfNewRun(facts, run, wanted !== null && place !== 'skip'));
  }
}

async function openStoredRuns(
  items: readonly WorkItem[],
  batch: OpenBatch,
  dependencies: BatchDependencies,
): Promise<void> {
  const { hot } = dependencies;
  const cold = new Set<number>();
  for (const item of items) {
    if (item.kind === 'create' || batch.drafts.has(item.runId)) continue;
    const known = hot.get(item.runId);
    if (known) batch.drafts.set(item.runId, draftOfStoredRun(known, { isFromMemory: true }));
    else cold.add(item.runId);
  }
  await openColdRuns([...cold], batch, dependencies);
}

export async function openColdRuns(
  runIds: readonly number[],
  batch: OpenBatch,
  { hot, log }: BatchDependencies,
): Promise<RunDraft[]> {
  const { drafts } = batch;
  const loaded = await hot.load(runIds, (runId, error) => giveUp(runId, error, batch, log));
  return loaded.map((stored) => {
    const draft = draftOfStoredRun(stored, { isFromMemory: false });
    drafts.set(stored.run.runId, draft);
    return draft;
  });
}

/**
 * Which runs now stand in the store as decided: those saved, and those that needed no save. A "no" that was said from
 * memory is not believed: no version was compared, and another server may have moved the run.
 */
async function save(
  { drafts }: OpenBatch,
  places: Places,
  claims: readonly Claim[],
  context: BatchContext,
  { connection }: BatchDependencies,
): Promise<ReadonlySet<number>> {
  const all = [...drafts.values()];
  const unchanged = all.filter((draft) => !isChanged(draft));
  const believed = unchanged.filter(({ isFromMemory, hasRefused }) => !(isFromMemory && hasRefused));
  const ids = new Set<number>(believed.map(({ run }) => run.runId));
  if (unchanged.length === all.length) return ids;
  const taken = [...places.values()].filter((place) => place.isUsed).map((place) => place.toSave());
  try {
    const rows = await connection.save<{ run_id: number }>(
      saveBatchQuery(toBatchSave(all, { places: taken, nowMs: context.nowMs })),
    );
    for (const { run_id } of rows) ids.add(run_id);
    return ids;
  } catch (error) {
    throw new BatchNotSaved(claims, error);
  }
}

/** A claimer gets only what is durable, be it nothing; what it prepared beyond that it drops. */
function deliver(
  claims: readonly Claim[],
  savedIds: ReadonlySet<number>,
  { queue }: BatchDependencies,
): void {
  const byClaimer = new Map<WaitingClaimer, ClaimedAttempt[]>();
  for (const { claimer, attempt } of claims) {
    const durable = byClaimer.get(claimer) ?? [];
    byClaimer.set(claimer, durable);
    if (savedIds.has(attempt.runId)) durable.push(attempt);
    else queue.lookInStoreAgain();
  }
  for (const [claimer, attempts] of byClaimer) {
    queue.removeClaimer(claimer);
    claimer.deliver(attempts);
  }
}

async function settle(
  items: readonly WorkItem[],
  batch: OpenBatch,
  savedIds: ReadonlySet<number>,
  dependencies: BatchDependencies,
): Promise<Batch> {
  const saved: { run: Run; hasEnded: boolean }[] = [];
  const endedAttempts: EndedResult[] = [];
  const stoppingWorkerIds = new Set<string>();
  let concernsChildren = false;
  let wake = Number.POSITIVE_INFINITY;
  for (const draft of batch.drafts.values()) {
    const isSaved = savedIds.has(draft.run.runId);
    const hasEnded = currentPhase(draft.run).kind === 'ended';
    if (!isSaved || hasEnded) dependencies.hot.forget(draft.run.runId);
    else if (dependencies.hot.keep(draft)) dependencies.queue.lookInStoreAgain();
    if (!isSaved) continue;
    if (isChanged(draft)) saved.push({ run: draft.run, hasEnded });
    endedAttempts.push(...newlyEnded(draft));
    for (const workerId of newlyStopping(draft)) stoppingWorkerIds.add(workerId);
    concernsChildren ||= (hasEnded && draft.facts.parent !== null) || hasOpenChildStep(draft);
    wake = Math.min(wake, wakeAtMs(draft.run) ?? wake);
  }
  const made = await findLostCreates(items, savedIds, dependencies);
  const settlements: (() => void)[] = [];
  const lostRaces: WorkItem[] = [];
  for (const item of items) {
    const settlement = settlementOf(item, batch, savedIds, made);
    if (settlement) settlements.push(settlement);
    else lostRaces.push(item);
  }
  return {
    saved,
    endedAttempts,
    stoppingWorkerIds,
    concernsChildren,
    settlements,
    lostRaces,
    wakeAtMs: Number.isFinite(wake) ? wake : null,
  };
}

function* newlyEnded(draft: RunDraft): Iterable<EndedResult> {
  for (const { before, after } of draft.changes.values()) {
    if (after.state.kind === 'ended' && before?.state.kind !== 'ended') yield after.state.result;
  }
}

function* newlyStopping(draft: RunDraft): Iterable<string> {
  for (const { before, after } of draft.changes.values()) {
    if (after.state.kind === 'stopping' && before?.state.kind !== 'stopping') yield after.state.workerId;
  }
}

/** A task waits for its run to be made, or has one that must end with it. */
function hasOpenChildStep({ changes }: RunDraft): boolean {
  for (const { after } of changes.values()) {
    if (after.state.kind === 'ready') return true;
    if (after.childRunId === null) continue;
    if (after.state.kind === 'ended' || (after.state.kind === 'running_parts' && after.state.stop))
      return true;
  }
  return false;
}

async function findLostCreates(
  items: readonly WorkItem[],
  savedIds: ReadonlySet<number>,
  { db }: BatchDependencies,
): Promise<readonly MadeRun[]> {
  const lost = items.flatMap((item) =>
    item.kind === 'create' && !savedIds.has(item.order.facts.runId) ? [item.order.facts] : [],
  );
  if (lost.length === 0) return [];
  return findMadeRuns(
    db,
    lost.map(({ runId, idempotencyToken, parent }) => ({
      runId,
      token: idempotencyToken,
      parentAttemptId: parent?.attemptId ?? null,
    })),
  );
}

function runIdOf(item: WorkItem): number {
  return item.kind === 'create' ? item.order.facts.runId : item.runId;
}

/** What to say to whoever waits for the item; null when another process was faster and it must be tried again. */
function settlementOf(
  item: WorkItem,
  batch: OpenBatch,
  savedIds: ReadonlySet<number>,
  made: readonly MadeRun[],
): (() => void) | null {
  const unmovable = batch.unmovable.get(runIdOf(item));
  if (unmovable) return () => item.reject(unmovable);
  if (item.kind === 'create') {
    const { runId, idempotencyToken, parent } = item.order.facts;
    if (savedIds.has(runId) || made.some((run) => run.run_id === runId)) {
      return () => item.resolve({ kind: 'created' });
    }
    const holder = made.find(
      (run) =>
        (idempotencyToken !== null && run.idempotency_token === idempotencyToken) ||
        (parent !== null && run.parent_attempt_id === parent.attemptId),
    );
    return holder ? () => item.resolve({ kind: 'token_taken', runId: holder.run_id }) : null;
  }
  const draft = batch.drafts.get(item.runId);
  if (draft && !savedIds.has(item.runId)) return null;
  if (item.kind === 'repair') {
    const refusal = batch.refusals.get(item) ?? null;
    return () => item.resolve({ isKnown: draft !== undefined, refusal });
  }
  if (item.kind !== 'news') return () => item.resolve();
  const events = new Set(item.news.map(({ event }) => event));
  const ignored = batch.ignored.filter(({ event }) => events.has(event));
  return () => item.resolve({ isKnown: draft !== undefined, ignored });
}
