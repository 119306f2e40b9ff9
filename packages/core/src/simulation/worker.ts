/**
 * The hands. A worker holds attempts under an epoch; its host holds their processes and outlives it. The rules are
 * those of "Lost or alive, and whose clock":
 *
 *   local   in a server's process, lives and dies with it; user code begins once the claim is durable
 *   remote  a machine of its own; user code begins once its *start* is durable and while the lease holds by the
 *           machine's own timer, so what the store calls "claimed" when the lease runs out has run no user line
 */
import type { AttemptId, RunId } from '../ids.ts';
import type { RunEvent } from '../run/events.ts';
import { call } from './call.ts';
import type { BatchClaim, Claimer } from './claim.ts';
import { Host, type HostedAttempt } from './host.ts';
import { Owner, type Program, Ticket } from './kernel.ts';
import { broken } from './ledger.ts';
import type { SimulatedWorker } from './scenario.ts';
import type { Scheduler } from './scheduler.ts';
import { holderOf, leaseMs } from './store.ts';
import type { World } from './world.ts';

interface Held {
  readonly attemptId: AttemptId;
  readonly runId: RunId;
  readonly epoch: number;
  stopRequested: boolean;
  /** No longer ours, by what a server said. */
  isGone: boolean;
}

type ReportAnswer = 'ours' | 'ended' | 'not ours' | 'broken';
type ResumedAttempt = Pick<BatchClaim, 'attemptId' | 'runId' | 'epoch'>;

export class Worker extends Owner {
  readonly world: World;
  readonly host: Host;
  readonly #settings: SimulatedWorker;
  readonly #held = new Map<AttemptId, Held>();
  /** By the machine's own timer: nothing is begun, and nothing goes on, after it. */
  leaseUntilMs = 0;
  #freed: Ticket<null> | null = null;
  #missing = 0;

  constructor(settings: SimulatedWorker, world: World) {
    super(settings.workerId);
    this.world = world;
    this.#settings = settings;
    this.host = new Host(`host of ${settings.workerId}`, world);
  }

  get isLocal(): boolean {
    return this.#settings.scheduler !== null;
  }

  start(): void {
    this.isUp = true;
    this.#held.clear();
    this.#freed = null;
    this.#missing = 0;
    this.world.kernel.spawn(this, this.#live());
  }

  crash(): void {
    this.world.kernel.crash(this);
  }

  *#live(): Program {
    const { random } = this.world;
    for (;;) {
      const sentAtMs = this.world.kernel.nowMs;
      const resumed = yield* this.#call((scheduler) => register(scheduler, this), false);
      if (resumed !== 'broken') {
        this.leaseUntilMs = sentAtMs + leaseMs;
        this.host.dismissAllBut(new Set(resumed.map(({ attemptId }) => attemptId)));
        for (const attempt of resumed) this.#accept(attempt);
        break;
      }
      yield random.between(100, 2_000);
    }
    for (;;) {
      const free = this.#settings.slots - this.#held.size;
      if (free <= 0) {
        this.#freed = new Ticket();
        yield this.#freed;
        continue;
      }
      const { life } = this;
      const isGone = () => this.life !== life;
      const held = new Map([...this.#held].map(([attemptId, { epoch }]) => [attemptId, epoch]));
      const isReached = () => !this.world.isCutOff(this);
      const ask = { workerId: this.name, free, held, isGone, isReached };
      const claimed = yield* this.#call((scheduler) => waitForAttempts(scheduler, ask), false);
      if (claimed === 'broken') return this.world.restart(this);
      for (const attempt of claimed) this.#accept(attempt);
      if (claimed.length > free)
        broken(`${this.name} has ${free} free slots and was given ${claimed.length} attempts`);
    }
  }

  #call<T>(request: (scheduler: Scheduler) => Program<T>, mayDouble = true): Program<T | 'broken'> {
    const { scheduler } = this.#settings;
    const to =
      scheduler === null ? this.world.random.pick(this.world.schedulers) : this.world.schedulers[scheduler];
    if (!to) throw new Error(`bug: no scheduler ${scheduler}`);
    return call({ from: this, to, isReliable: this.isLocal, mayDouble }, () => request(to));
  }

  #accept({ attemptId, runId, epoch }: ResumedAttempt): void {
    const former = this.#held.get(attemptId);
    if (former && former.epoch >= epoch) return;
    if (former) former.isGone = true;
    this.world.ledger.granted(this.name, { attemptId, epoch });
    const held: Held = { attemptId, runId, epoch, stopRequested: false, isGone: false };
    this.#held.set(attemptId, held);
    this.world.trace?.(`${this.name} has attempt ${attemptId} epoch ${epoch}`);
    this.world.kernel.spawn(this, this.#supervise(held));
  }

  *#supervise(held: Held): Program {
    const hosted = this.host.prepare(held.attemptId);
    if (!hosted.isBegun && !hosted.isOver) {
      const mayBegin = this.isLocal || (yield* this.#askToBegin(held));
      if (held.isGone) return;
      if (!mayBegin) return this.#drop(held);
      if (held.stopRequested) this.host.stop(hosted);
      else if (this.host.begin(hosted) && this.isLocal)
        this.world.kernel.spawn(this, this.#tellStarted(held));
    }
    yield hosted.over;
    const isEnded = yield* this.#tellEnd(held, hosted);
    if (held.isGone) return;
    // Else it may come back under another epoch, and its outcome must still be known.
    if (isEnded) this.host.forget(held.attemptId);
    this.#drop(held);
  }

  /** True once the start is durable and the lease holds. */
  *#askToBegin(held: Held): Program<boolean> {
    while (!held.isGone) {
      const answer = yield* this.#tell(held, startedNews(held, this.world.kernel.nowMs));
      if (answer === 'broken') yield 200;
      else return answer === 'ours' && this.world.kernel.nowMs < this.leaseUntilMs;
    }
    return false;
  }

  *#tellStarted(held: Held): Program {
    yield* this.#tell(held, startedNews(held, this.world.kernel.nowMs));
  }

  /** Until it is durable, or is known to change nothing. */
  *#tellEnd(held: Held, hosted: HostedAttempt): Program<boolean> {
    while (!held.isGone) {
      const answer = yield* this.#tell(held, endNews(held, hosted));
      if (answer !== 'broken') return answer === 'ended';
      yield 200;
    }
    return false;
  }

  #tell(held: Held, event: RunEvent): Program<ReportAnswer> {
    return this.#call((scheduler) => report(scheduler, this, { held, event }));
  }

  #drop(held: Held): void {
    if (this.#held.get(held.attemptId) !== held) return;
    this.#held.delete(held.attemptId);
    if (!this.host.isOver(held.attemptId)) this.host.dismiss(held.attemptId);
    this.#freed?.settle(null);
    this.#freed = null;
  }

  /** Renews the lease and learns what to stop, what is gone, and whether something was given that never arrived. */
  *heartbeat(): Program {
    const sentAtMs = this.world.kernel.nowMs;
    const believed = [...this.#held.values()];
    const rows = yield* this.#call((scheduler) => beat(scheduler, this));
    if (rows === 'broken') return;
    this.leaseUntilMs = Math.max(this.leaseUntilMs, sentAtMs + leaseMs);
    for (const held of believed) {
      if (this.#held.get(held.attemptId) !== held) continue;
      const row = rows.find(({ attemptId, epoch }) => attemptId === held.attemptId && epoch === held.epoch);
      if (!row) {
        held.isGone = true;
        this.#drop(held);
      } else if (row.isStopping && !held.stopRequested) {
        held.stopRequested = true;
        this.host.stop(this.host.prepare(held.attemptId));
      }
    }
    const isMissing = rows.some(({ attemptId }) => !this.#held.has(attemptId));
    this.#missing = isMissing ? this.#missing + 1 : 0;
    // What is under way may look so once.
    if (this.#missing > 2 && !this.isLocal) this.world.restart(this);
  }

  /** The machine's own timer ends what it holds before anybody may call it lost. */
  watchLease(): void {
    if (this.isLocal || this.isFrozen || this.world.kernel.nowMs < this.leaseUntilMs) return;
    for (const held of [...this.#held.values()]) {
      if (this.host.isOver(held.attemptId)) continue;
      held.isGone = true;
      this.host.kill(held.attemptId);
      this.#drop(held);
    }
  }
}

function startedNews({ attemptId, epoch }: Held, startedAtMs: number): RunEvent {
  return { kind: 'attempt_started', attemptId, epoch, startedAtMs };
}

/** What the host knows: an outcome, or with its journal how far a process got that died. */
function endNews({ attemptId, epoch }: Held, { outcome, isBegun }: HostedAttempt): RunEvent {
  if (outcome !== null) return { kind: 'attempt_ended', attemptId, epoch, outcome, taskValues: {} };
  return { kind: 'attempt_lost', attemptId, epoch, beforeUserCode: !isBegun, message: 'the host has died' };
}

/** Live attempts of a worker that came back, each under a new epoch; writes under the old ones change nothing from then on. */
function* register(scheduler: Scheduler, worker: Worker): Program<readonly ResumedAttempt[] | 'broken'> {
  const { store } = scheduler.world;
  store.upsertWorker(worker.name, worker.isLocal);
  yield null;
  for (const { runId, taskRun } of store.findHeldBy(worker.name)) {
    const { attemptId, epoch } = taskRun;
    const resumed = { kind: 'attempt_resumed', attemptId, epoch: epoch + 1, workerId: worker.name } as const;
    yield* scheduler.tell(runId, [resumed]);
    const row = store.rows.get(attemptId)?.taskRun;
    // In the inbox only: the worker asks again, rather than go on under the old epoch.
    if (row?.epoch === epoch && holderOf(row) === worker.name) return 'broken';
  }
  yield null;
  return store.findHeldBy(worker.name).map(({ runId, taskRun }) => ({
    runId,
    attemptId: taskRun.attemptId,
    epoch: taskRun.epoch,
  }));
}

function* waitForAttempts(
  scheduler: Scheduler,
  ask: Omit<Claimer, 'delivered'>,
): Program<readonly BatchClaim[]> {
  const delivered = new Ticket<readonly BatchClaim[]>();
  scheduler.claimers.push({ ...ask, delivered });
  scheduler.ring();
  yield delivered;
  return delivered.value ?? [];
}

/** Says whether the attempt is the worker's, as the store has it after the report. */
function* report(
  scheduler: Scheduler,
  worker: Worker,
  { held, event }: { held: Held; event: RunEvent },
): Program<ReportAnswer> {
  const run = yield* scheduler.tell(held.runId, [event]);
  if (run === 'failed') return 'broken';
  yield null;
  const row = scheduler.world.store.rows.get(held.attemptId)?.taskRun;
  if (row?.state.kind === 'ended') return 'ended';
  if (row?.epoch !== held.epoch || holderOf(row) !== worker.name) return 'not ours';
  // News that is only in the inbox is not yet part of the run: a worker that let go now could be given it again.
  const hasArrived = event.kind === 'attempt_started' && row.state.kind !== 'claimed';
  return hasArrived ? 'ours' : 'broken';
}

function* beat(scheduler: Scheduler, worker: Worker) {
  const { store } = scheduler.world;
  store.renewLease(worker.name);
  yield null;
  return store.findHeldBy(worker.name).map(({ taskRun: { attemptId, epoch, state } }) => ({
    attemptId,
    epoch,
    isStopping: state.kind === 'stopping',
  }));
}
