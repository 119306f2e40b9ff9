/**
 * A server: hot copies of runs that may be stale, a batch loop around the real core, saves that may fail. The same
 * steps as the server's `advance-run.ts` and `advance-batch.ts`, with a point to crash at after each.
 */
import type { JobId, RunId } from '../ids.ts';
import { admit } from '../queue/admit.ts';
import type { AdvanceContext } from '../run/advance.ts';
import { newRun } from '../run/create.ts';
import type { RunEvent } from '../run/events.ts';
import { planRepair, type RepairRequest } from '../run/repair.ts';
import type { Run, RunDefinition } from '../run/state.ts';
import { type BatchClaim, type Claimer, claimQueued } from './claim.ts';
import { RunDraft } from './draft.ts';
import { Owner, type Program, Ticket } from './kernel.ts';
import { holderOf, type Places, phaseOf, type RunFacts } from './store.ts';
import type { World } from './world.ts';

/** One thing to do in a batch; its ticket is settled when it is durable, or known to change nothing. */
export type WorkItem = { tries: number } & (
  | {
      readonly kind: 'create';
      readonly runId: RunId;
      readonly jobId: JobId;
      readonly definition: RunDefinition;
      readonly facts: RunFacts;
      /** The run that there is now: the new one, or the one that holds the token or the place of the child. */
      readonly done: Ticket<RunId | 'failed'>;
    }
  | {
      readonly kind: 'news';
      readonly runId: RunId;
      readonly events: readonly RunEvent[];
      readonly done: Ticket<Run | null | 'failed'>;
    }
  | {
      readonly kind: 'repair';
      readonly runId: RunId;
      readonly jobId: JobId;
      readonly repairId: number;
      readonly request: RepairRequest;
      readonly done: Ticket<'done' | 'failed'>;
    }
  | { readonly kind: 'admit'; readonly runId: RunId; readonly jobId: JobId }
  | { readonly kind: 'look'; readonly runId: RunId }
);

/** After that many lost races the news goes to the inbox. */
const triesMax = 3;

export class Scheduler extends Owner {
  readonly world: World;
  /** Of its wall clock, against the true time. */
  skewMs = 0;
  hot = new Map<RunId, { run: Run; facts: RunFacts }>();
  pending: WorkItem[] = [];
  claimers: Claimer[] = [];
  lastLeaseTurnMs: number | null = null;
  readonly calls = new Set<Ticket<unknown>>();
  #idle: Ticket<null> | null = null;

  constructor(name: string, world: World) {
    super(name);
    this.world = world;
  }

  start(): void {
    this.isUp = true;
    this.hot = new Map();
    this.pending = [];
    this.claimers = [];
    this.lastLeaseTurnMs = null;
    this.#idle = null;
    this.world.kernel.spawn(this, this.#batches());
  }

  crash(): void {
    this.world.kernel.crash(this);
    for (const call of this.calls) call.settle('broken');
    this.calls.clear();
  }

  submit(item: WorkItem): void {
    this.pending.push(item);
    this.ring();
  }

  ring(): void {
    this.#idle?.settle(null);
    this.#idle = null;
  }

  *tell(runId: RunId, events: readonly RunEvent[]): Program<Run | null | 'failed'> {
    const done = new Ticket<Run | null | 'failed'>();
    this.submit({ kind: 'news', runId, events, done, tries: 0 });
    yield done;
    return done.value === undefined ? 'failed' : done.value;
  }

  get context(): AdvanceContext {
    return { nowMs: this.world.kernel.nowMs + this.skewMs, newId: () => this.world.store.newId() };
  }

  *#batches(): Program {
    for (;;) {
      if (this.pending.length === 0 && !this.#mayClaim()) {
        this.#idle = new Ticket();
        yield this.#idle;
      }
      const size = this.world.random.between(1, 4);
      yield* this.#batch(this.pending.splice(0, size));
    }
  }

  /** A claimer waits, and an attempt may be there for it. */
  #mayClaim(): boolean {
    if (this.claimers.length === 0) return false;
    for (const { run } of this.hot.values()) {
      if (phaseOf(run).kind !== 'running') continue;
      for (const { state } of run.taskRuns.values()) if (state.kind === 'queued') return true;
    }
    return false;
  }

  *#batch(items: WorkItem[]): Program {
    const drafts = new Map<RunId, RunDraft>();
    const places = new Map<JobId, JobPlaces>();
    for (const item of items) {
      if (item.kind === 'look' || item.kind === 'news' || places.has(item.jobId)) continue;
      places.set(item.jobId, new JobPlaces(this.world.store.readPlaces(item.jobId)));
    }
    yield null;
    this.#open(items, drafts);
    yield null;
    for (const item of items) this.#decide(item, drafts, places);
    const claims = yield* claimQueued(this, drafts);
    yield null;

    const saved = this.#save(drafts, places);
    yield null;
    if (saved === null) return this.#onSaveFailed(items, claims);
    this.#keepHot(drafts, saved);
    yield* this.#deliver(claims, saved);
    this.#settle(items, drafts, saved);
  }

  #open(items: readonly WorkItem[], drafts: Map<RunId, RunDraft>): void {
    for (const item of items) {
      if (item.kind !== 'create' && !drafts.has(item.runId)) this.open(item.runId, drafts);
    }
  }

  /** From memory if it is there, else from the store with what the inbox holds for it. */
  open(runId: RunId, drafts: Map<RunId, RunDraft>): RunDraft | null {
    const known = this.hot.get(runId);
    if (known) {
      const draft = new RunDraft({ ...known, storedVersion: known.run.version, world: this.world });
      drafts.set(runId, draft);
      return draft;
    }
    const loaded = this.world.store.load(runId);
    if (!loaded) return null;
    const draft = new RunDraft({ ...loaded, storedVersion: loaded.run.version, world: this.world });
    drafts.set(runId, draft);
    for (const [inboxId, event] of loaded.inbox) {
      draft.inboxIds.push(inboxId);
      draft.advance([event], this.context);
    }
    return draft;
  }

  #decide(item: WorkItem, drafts: Map<RunId, RunDraft>, places: ReadonlyMap<JobId, JobPlaces>): void {
    if (item.kind === 'create') return this.#create(item, drafts, places.get(item.jobId));
    const draft = drafts.get(item.runId);
    if (!draft) return;
    switch (item.kind) {
      case 'news':
        return draft.advance(item.events, this.context);
      case 'look':
        return draft.advance([], this.context);
      case 'admit':
        if (phaseOf(draft.run).kind !== 'queued' || !places.get(item.jobId)?.takeQueued()) return;
        draft.takesPlace = true;
        return draft.advance([{ kind: 'admitted' }], this.context);
      case 'repair':
        return this.#repair(item, draft, places.get(item.jobId));
    }
  }

  #create(
    { runId, jobId, definition, facts }: Extract<WorkItem, { kind: 'create' }>,
    drafts: Map<RunId, RunDraft>,
    places: JobPlaces | undefined,
  ): void {
    const place = places?.decide() ?? 'skip';
    const run = newRun({ runId, jobId, definition, place, ...this.context });
    const draft = new RunDraft({ run, facts, storedVersion: null, world: this.world });
    draft.takesPlace = place === 'admit';
    draft.advance([], this.context);
    drafts.set(runId, draft);
  }

  #repair(
    { repairId, request }: Extract<WorkItem, { kind: 'repair' }>,
    draft: RunDraft,
    places: JobPlaces | undefined,
  ): void {
    if (planRepair(draft.run, request).kind === 'refused') return;
    const isActive = phaseOf(draft.run).kind !== 'ended';
    const place = isActive ? 'keep' : (places?.decide() ?? 'skip');
    if (place === 'skip') return;
    draft.takesPlace ||= place === 'admit';
    draft.advance([{ kind: 'repair_requested', repairId, request, place }], this.context);
  }

  /** null: it failed, and whether it happened is unknown. */
  #save(
    drafts: ReadonlyMap<RunId, RunDraft>,
    places: ReadonlyMap<JobId, JobPlaces>,
  ): ReadonlySet<RunId> | null {
    const { random, store, faultRate } = this.world;
    if (random.chance(faultRate)) return null;
    const all = [...drafts.values()];
    const changed = all.filter((draft) => draft.isChanged);
    const taken = [...places.values()].filter((each) => each.taken > 0).map((each) => each.toSave());
    const saved = new Set(
      store.save(
        changed.map((draft) => draft.toSave()),
        taken,
      ),
    );
    for (const draft of all) {
      if (draft.isChanged) continue;
      saved.add(draft.run.runId);
      for (const inboxId of draft.inboxIds) store.inbox.delete(inboxId);
    }
    return random.chance(faultRate) ? null : saved;
  }

  /** All is loaded again; what already holds is found to change nothing. */
  #onSaveFailed(items: readonly WorkItem[], claims: readonly BatchClaim[]): void {
    this.world.trace?.(`${this.name}: the save failed`);
    this.hot.clear();
    for (const [claimer, claimed] of Map.groupBy(claims, (claim) => claim.claimer)) {
      this.world.kernel.spawn(this, this.#takeBackUnconfirmed(claimer, claimed));
    }
    for (const item of items) this.#retry(item);
  }

  /**
   * Claims that may stand in the store and that no worker got. Another server may have given the same attempt away
   * under the same epoch, even to the same worker, before it asked here or in its next life: so it is asked whose it
   * is. Until that is settled the claimer gets nothing else.
   */
  *#takeBackUnconfirmed(claimer: Claimer, claims: readonly BatchClaim[]): Program {
    for (const claim of claims) {
      yield null;
      const row = this.world.store.rows.get(claim.attemptId)?.taskRun;
      const mayStand = row?.epoch === claim.epoch && holderOf(row) === claimer.workerId;
      const isOlder = claimer.held.get(claim.attemptId) === claim.epoch;
      // A new life of the worker has asked the store what it holds.
      if (mayStand && !isOlder && !claimer.isGone()) yield* this.#takeBack(claim);
    }
    this.claimers.push(claimer);
    this.ring();
  }

  *#takeBack({ runId, attemptId, epoch, claimer: { workerId } }: BatchClaim): Program {
    this.world.trace?.(`${this.name} takes attempt ${attemptId} epoch ${epoch} back from ${workerId}`);
    const message = 'the claim was not confirmed';
    const lost = { kind: 'attempt_lost', attemptId, epoch, beforeUserCode: true, message, workerId } as const;
    let told: Run | null | 'failed' = 'failed';
    while (told === 'failed') told = yield* this.tell(runId, [lost]);
  }

  #keepHot(drafts: ReadonlyMap<RunId, RunDraft>, saved: ReadonlySet<RunId>): void {
    for (const { run, facts } of drafts.values()) {
      const isKept = saved.has(run.runId) && phaseOf(run).kind !== 'ended';
      if (isKept) this.hot.set(run.runId, { run, facts });
      else this.hot.delete(run.runId);
    }
  }

  /** A claimer gets only what is durable. */
  *#deliver(claims: readonly BatchClaim[], saved: ReadonlySet<RunId>): Program {
    const byClaimer = Map.groupBy(claims, (claim) => claim.claimer);
    for (const [claimer, claimed] of byClaimer) {
      const durable = claimed.filter(({ runId }) => saved.has(runId));
      if (durable.length === 0) {
        this.claimers.push(claimer);
        continue;
      }
      yield null;
      if (!claimer.isGone() && claimer.isReached()) {
        claimer.delivered.settle(durable);
        continue;
      }
      for (const claim of durable) this.world.kernel.spawn(this, this.#takeBack(claim));
      claimer.delivered.settle([]);
    }
  }

  #settle(items: readonly WorkItem[], drafts: ReadonlyMap<RunId, RunDraft>, saved: ReadonlySet<RunId>): void {
    const { store } = this.world;
    for (const item of items) {
      const isSaved = saved.has(item.runId);
      if (item.kind === 'create') {
        // A save that seemed to fail may have happened.
        const isMade = isSaved || store.runs.has(item.runId);
        const holder = isMade ? item.runId : findHolder(item.facts, store);
        if (holder === null) this.#retry(item);
        else item.done.settle(holder);
      } else if (drafts.has(item.runId) && !isSaved) this.#retry(item);
      else if (item.kind === 'news') item.done.settle(drafts.get(item.runId)?.run ?? null);
      else if (item.kind === 'repair') item.done.settle('done');
    }
  }

  #retry(item: WorkItem): void {
    item.tries += 1;
    if (item.kind !== 'news' || item.tries <= triesMax) return this.submit(item);
    this.world.store.insertInbox(item.runId, item.events);
    this.hot.delete(item.runId);
    item.done.settle(null);
  }
}

function findHolder({ token, parent }: RunFacts, store: World['store']): RunId | null {
  const byToken = token === null ? null : store.findByToken(token);
  return byToken ?? (parent === null ? null : store.findByParent(parent.attemptId));
}

/** Places of one job, as one batch gives them away. */
class JobPlaces {
  readonly #places: Places;
  taken = 0;

  constructor(places: Places) {
    this.#places = places;
  }

  /** Who came earlier and waits goes first. */
  decide(): 'admit' | 'queue' | 'skip' {
    const { active, runsMax, queueEnabled, queued } = this.#places;
    if (queueEnabled && queued > 0) return 'queue';
    const decision = admit({ activeRuns: active + this.taken, runsMax, queueEnabled });
    if (decision === 'admit') this.taken += 1;
    return decision;
  }

  takeQueued(): boolean {
    const isFree = this.#places.active + this.taken < this.#places.runsMax;
    if (isFree) this.taken += 1;
    return isFree;
  }

  toSave() {
    const { jobId, admissions } = this.#places;
    return { jobId, expectedAdmissions: admissions, taken: this.taken };
  }
}
