/** What a batch decides: one call of `core` for each run, then repairs. A run that breaks a rule of ours leaves it. */
import { assertNever, planRepair, type RepairRefusal } from '@headrace/core';
import type { Logger } from 'pino';
import { isStoreAway } from '../db/store-away.ts';
import type { Places } from './places.ts';
import {
  advanceDraft,
  type BatchContext,
  currentPhase,
  type IgnoredEvent,
  type RunDraft,
  type RunNews,
} from './run-draft.ts';
import { UnmovableRun } from './settle-all.ts';
import type { WorkItem } from './work-items.ts';

/** A batch while it is being decided. */
export interface OpenBatch {
  readonly drafts: Map<number, RunDraft>;
  readonly ignored: IgnoredEvent[];
  /** Why repairs of this batch were refused. */
  readonly refusals: Map<WorkItem, RepairRefusal>;
  /** Runs that cannot be moved: they are left as they are, and all others go on. */
  readonly unmovable: Map<number, UnmovableRun>;
}

/** The run leaves the batch as if it had never been in it. A store that is away is not its fault: the whole batch waits. */
export function giveUp(runId: number, error: unknown, batch: OpenBatch, log: Logger): void {
  if (isStoreAway(error)) throw error;
  log.error({ err: error, run_id: runId }, 'a run cannot be moved');
  batch.drafts.delete(runId);
  batch.unmovable.set(runId, new UnmovableRun(runId, error));
}

/** One call of `core` for each run, whatever number of items concern it. */
export async function decide(
  items: readonly WorkItem[],
  batch: OpenBatch,
  places: Places,
  { context, log }: { readonly context: BatchContext; readonly log: Logger },
): Promise<void> {
  const news = new Map<number, RunNews[]>([...batch.drafts.keys()].map((runId) => [runId, []]));
  for (const item of items) {
    switch (item.kind) {
      case 'create':
      case 'look':
      case 'repair':
        break;
      case 'news':
        news.get(item.runId)?.push(...item.news);
        break;
      case 'admit': {
        const draft = batch.drafts.get(item.runId);
        if (draft && currentPhase(draft.run).kind === 'queued' && places.get(item.jobId)?.takeQueued()) {
          draft.takesPlace = true;
          news.get(item.runId)?.push({ event: { kind: 'admitted' } });
        }
        break;
      }
      default:
        assertNever(item);
    }
  }
  for (const [runId, draft] of [...batch.drafts]) {
    try {
      batch.ignored.push(...(await advanceDraft(draft, news.get(runId) ?? [], context)));
    } catch (error) {
      giveUp(runId, error, batch, log);
    }
  }
  // After all news: whether a run may be repaired depends on how it stands then.
  for (const item of items) {
    if (item.kind !== 'repair') continue;
    await repair(item, batch, places, context).catch((error: unknown) =>
      giveUp(item.runId, error, batch, log),
    );
  }
}

async function repair(
  item: Extract<WorkItem, { kind: 'repair' }>,
  batch: OpenBatch,
  places: Places,
  context: BatchContext,
): Promise<void> {
  const draft = batch.drafts.get(item.runId);
  if (!draft) return;
  const { repairId, request, settings, parameters } = item.order;
  // It was saved before, and the answer of the store was lost.
  if (draft.run.generations.some((generation) => generation.repair?.repairId === repairId)) return;
  const planned = planRepair(draft.run, request);
  if (planned.kind === 'refused') {
    draft.hasRefused = true;
    batch.refusals.set(item, planned);
    return;
  }
  const place = currentPhase(draft.run).kind === 'ended' ? placeOfRepair(item, places) : 'keep';
  if (place === 'skip') {
    const reason = 'the job has as many runs as max_concurrent_runs allows, and queueing is off';
    batch.refusals.set(item, { reason, field: null });
    return;
  }
  // A job that has been deleted counts no runs any more, and has no row to save with.
  const isCounted = item.order.places !== null && places.has(item.order.places.jobId);
  if (place !== 'keep' && isCounted) draft.takesPlace = true;
  // An active run goes on as it is: what is under way keeps its settings.
  if (place !== 'keep') draft.facts = { ...draft.facts, settings, parameters };
  else draft.facts = { ...draft.facts, parameters };
  await advanceDraft(draft, [{ event: { kind: 'repair_requested', repairId, request, place } }], context);
}

function placeOfRepair(
  { order }: Extract<WorkItem, { kind: 'repair' }>,
  places: Places,
): 'admit' | 'queue' | 'skip' {
  if (!order.places) return 'admit';
  return places.get(order.places.jobId)?.decideNew(order.places.queueEnabled) ?? 'admit';
}
